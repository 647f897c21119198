-- semaphores, and which nodes need some: loaded, compared, exported with the templates, made into days, mended there, taken back
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
SET josch.now = '2026-11-20 08:00+00';
SELECT * FROM josch.load(tpl_jobs => E'job_name,job_desc,max_running\nRisk,,2\nOther,,\n',
	tpl_nodes => E'node_id,node_type,job_name,node_name,exec_command,priority,skip_codes\n1,N,Risk,VaR,true,10,"{[99,99]}"\n2,N,Risk,Greeks,true,,\n3,N,Other,Load,true,,\n4,N,Other,Plain,true,,\n',
	semaphores => E'semaphore_name,capacity,semaphore_desc\nwarehouse,3,"sessions, all"\nlicence,1,\n',
	tpl_node_semaphores => E'node_id,semaphore_name,units\n1,warehouse,2\n1,licence,\n3,warehouse,2\n');
SELECT * FROM josch.tpl_node_semaphores ORDER BY 1, 2;
SELECT table_name, object, change, words FROM josch.diff_texts(tpl_jobs => E'job_name\nRisk\n', tpl_nodes => E'node_id,node_type,job_name,node_name,exec_command,priority,skip_codes\n1,N,Risk,VaR,true,10,"{[99,99]}"\n2,N,Risk,Greeks,true,,\n',
	tpl_node_deps => E'p_node_id,p_date,c_node_id,c_date\n', mode => 'replace_jobs', semaphores => E'semaphore_name,capacity\nwarehouse,4\n', tpl_node_semaphores => E'node_id,semaphore_name,units\n1,warehouse,1\n');
SELECT * FROM josch.load(tpl_jobs => E'job_name\nRisk\n', tpl_nodes => E'node_id,node_type,job_name,node_name,exec_command,priority,skip_codes\n1,N,Risk,VaR,true,10,"{[99,99]}"\n2,N,Risk,Greeks,true,,\n',
	tpl_node_deps => E'p_node_id,p_date,c_node_id,c_date\n', mode => 'replace_jobs', semaphores => E'semaphore_name,capacity\nwarehouse,4\n', tpl_node_semaphores => E'node_id,semaphore_name,units\n1,warehouse,1\n');
SELECT * FROM josch.tpl_node_semaphores ORDER BY 1, 2;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; mkdir josch_load_limits';
SELECT * FROM josch.export_csv('josch_load_limits');
SELECT pg_read_file('josch_load_limits/semaphores.csv') || pg_read_file('josch_load_limits/tpl_node_semaphores.csv');
SELECT table_name, inserted, updated, deleted FROM josch.load_csv('josch_load_limits', 'replace');
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_limits';
SAVEPOINT refused;
DELETE FROM josch.semaphores WHERE semaphore_name = 'warehouse';
ROLLBACK TO refused;
INSERT INTO josch.tpl_node_semaphores VALUES (1, 'licence', 0);
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET skip_codes = '{[0,0]}' WHERE node_id = 1;
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET retry_codes = '{[99,100]}' WHERE node_id = 1;
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET priority = 1001 WHERE node_id = 1;
ROLLBACK TO refused;
UPDATE josch.tpl_jobs SET max_running = 0 WHERE job_name = 'Risk';
ROLLBACK TO refused;
-- a day has copies; those that are alike are of one group
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT * FROM josch.node_semaphores ORDER BY 1, 2, 3;
SELECT node_id, limit_group <> 0 AS limited, dense_rank() OVER (ORDER BY CASE WHEN limit_group <> 0 THEN node_id END) FROM josch.nodes ORDER BY 1;
SELECT node_id, waits_for, due_at FROM josch.waiting ORDER BY 1;
-- whoever mends a day is heard
INSERT INTO josch.node_semaphores (job_date, node_id, semaphore_name) VALUES ('2026-11-20', 4, 'warehouse');
SELECT job_name, units FROM josch.node_semaphores WHERE node_id = 4;
SELECT waits_for FROM josch.waiting WHERE node_id = 4;
DELETE FROM josch.node_semaphores WHERE node_id = 4;
SELECT waits_for, limit_group FROM josch.waiting WHERE node_id = 4;
UPDATE josch.nodes SET priority = 5 WHERE node_id = 4;
SELECT waits_for FROM josch.waiting WHERE node_id = 4;
UPDATE josch.jobs SET max_running = 1 WHERE job_name = 'Other';
SELECT node_id, limit_group <> 0 AS limited FROM josch.nodes WHERE job_name = 'Other' ORDER BY 1;
SAVEPOINT refused;
INSERT INTO josch.node_semaphores (job_date, node_id, semaphore_name) VALUES ('2026-11-20', 99, 'warehouse');
ROLLBACK TO refused;
UPDATE josch.jobs SET max_running = 0;
ROLLBACK TO refused;
-- one that somebody adds to the day has the limit of its job
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command) VALUES ('2026-11-20', 5, 'N', 'Other', 'added', 'true');
SELECT n.limit_group <> 0 AS limited, w.waits_for FROM josch.nodes n JOIN josch.waiting w USING (job_date, node_id) WHERE node_id = 5;
SELECT semaphore_name, capacity, paused, used, free, waiting, oldest_wait, holders FROM josch.semaphore_use ORDER BY 1;
SELECT operation, node_id, semaphore_name, new_values ->> 'units' AS units FROM josch.node_semaphores_audit ORDER BY audit_id;
-- its name is what days know it by: under another one there would be as many units once more
SAVEPOINT refused;
UPDATE josch.semaphores SET semaphore_name = 'store' WHERE semaphore_name = 'warehouse';
ROLLBACK TO refused;
DELETE FROM josch.node_semaphores WHERE semaphore_name = 'warehouse';
UPDATE josch.semaphores SET semaphore_name = 'store' WHERE semaphore_name = 'warehouse';
ROLLBACK TO refused;
UPDATE josch.semaphores SET semaphore_name = semaphore_name, semaphore_desc = 'the same' WHERE semaphore_name = 'warehouse';
ROLLBACK TO refused;
RELEASE refused;
-- pauses: what can be said, and what cannot
SELECT josch.pause('Risk'), josch.pause('Risk', '2026-11-20'), josch.pause(semaphore_name => 'warehouse', comment => 'moved'), josch.pause();
SELECT what, name, job_date, paused_by = session_user AS mine, comment FROM josch.pauses ORDER BY 1, 2;
SELECT component, up, regexp_replace(detail, ' by .* since', ' by ... since') FROM josch.health() WHERE component = 'paused' ORDER BY 3;
SELECT josch.resume('Risk');
SAVEPOINT refused;
SELECT josch.resume('Risk');
ROLLBACK TO refused;
SELECT josch.pause();
ROLLBACK TO refused;
SELECT josch.pause('None');
ROLLBACK TO refused;
SELECT josch.pause('Risk', '2026-11-21');
ROLLBACK TO refused;
SELECT josch.pause(semaphore_name => 'none');
ROLLBACK TO refused;
SELECT josch.pause('Risk', semaphore_name => 'warehouse');
ROLLBACK TO refused;
SELECT josch.pause(job_date => '2026-11-20');
ROLLBACK TO refused;
SELECT josch.pause('Risk');
-- a pass takes away what was resumed
SELECT josch.resume();
SELECT josch.tick('2026-11-20 08:01+00') >= 0;
SELECT what, name FROM josch.pauses ORDER BY 1, 2;
-- an exit code that says that there is nothing to do; one that is up has failed by it
SELECT ending, state, message FROM unnest(ARRAY['exit 0', 'exit 99', 'exit 98']) ending, josch.verdict(1, '2026-11-20', ending);
-- taken back with the day
SELECT count(*) FROM josch.unschedule('2026-11-20');
SELECT count(*) FROM josch.node_semaphores;
ROLLBACK;
-- who only looks, or operates, changes no limits
CREATE ROLE regress_josch_limits;
GRANT josch_operator TO regress_josch_limits;
BEGIN;
INSERT INTO josch.semaphores VALUES ('warehouse', 3);
SET ROLE regress_josch_limits;
UPDATE josch.semaphores SET capacity = 0;
SELECT josch.pause();
SAVEPOINT refused;
INSERT INTO josch.semaphores VALUES ('mine', 1);
ROLLBACK TO refused;
DELETE FROM josch.pauses;
ROLLBACK TO refused;
INSERT INTO josch.units_in_use VALUES ('2026-11-20', 1, 's', 'warehouse', 'x', 1, now());
ROLLBACK;
DROP ROLE regress_josch_limits;
