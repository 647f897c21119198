-- executors, and which jobs and nodes have one: loaded, compared, exported with the templates, made into days, mended there; who may write them
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
SET josch.now = '2026-11-20 08:00+00';
SELECT * FROM josch.load(tpl_jobs => E'job_name,job_desc,executor\nRisk,,slurm\nOther,,\n',
	tpl_nodes => E'node_id,node_type,job_name,node_name,exec_command,executor,executor_options\n1,N,Risk,VaR,true,,-p big --mem=4G\n2,N,Risk,Greeks,true,local,\n3,N,Risk,Sum,true,ssh,\n4,N,Risk,Gate,,,\n5,N,Other,Plain,true,,\n',
	executors => E'executor_name,start_command,attach_command,stop_command,max_running,executor_desc\nslurm,/usr/lib/josch/executors/slurm start,/usr/lib/josch/executors/slurm attach,/usr/lib/josch/executors/slurm stop,20,"the cluster, all of it"\nssh,ssh.sh start,,,,\n');
SELECT * FROM josch.executors ORDER BY 1;
SELECT table_name, object, change, words FROM josch.diff_texts(executors => E'executor_name,start_command,max_running\nssh,ssh.sh start,4\nnew,x,\n');
SELECT * FROM josch.validate_texts(tpl_nodes => E'node_id,node_type,job_name,node_name,exec_command,executor\n7,N,Other,Typo,true,slrum\n');
SELECT * FROM josch.validate_texts(executors => E'executor_name,start_command\nlocal,x\n');
-- a program that is not on this host may be on the other one
SELECT * FROM josch.validate_texts(tpl_nodes => E'node_id,node_type,job_name,node_name,exec_command,executor\n7,N,Other,Here,/no/such/program,local\n8,N,Other,There,/no/such/program,ssh\n');
COPY (SELECT) TO PROGRAM 'cat >/dev/null; mkdir josch_load_executors';
SELECT * FROM josch.export_csv('josch_load_executors');
SELECT pg_read_file('josch_load_executors/executors.csv') || pg_read_file('josch_load_executors/tpl_jobs.csv') || pg_read_file('josch_load_executors/tpl_nodes.csv');
SELECT table_name, inserted, updated, deleted FROM josch.load_csv('josch_load_executors', 'replace');
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_executors';
SAVEPOINT refused;
DELETE FROM josch.executors WHERE executor_name = 'ssh';
ROLLBACK TO refused;
UPDATE josch.executors SET executor_name = 'cluster' WHERE executor_name = 'slurm';
ROLLBACK TO refused;
INSERT INTO josch.executors (executor_name, start_command) VALUES ('local', 'x');
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET executor = 'nowhere' WHERE node_id = 1;
ROLLBACK TO refused;
UPDATE josch.tpl_jobs SET executor = 'nowhere' WHERE job_name = 'Other';
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET executor = 'slurm' WHERE node_id = 4;
ROLLBACK TO refused;
INSERT INTO josch.environs VALUES ('JOSCH_EXECUTOR_RUN', 'x');
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET executor_options = '-p $PARTITION' WHERE node_id = 1;
ROLLBACK TO refused;
-- a day has what holds for it: the node's own, else its job's, and only of commands
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT node_id, executor, executor_options, limit_group <> 0 AS limited FROM josch.nodes ORDER BY 1;
SELECT node_id, waits_for FROM josch.waiting ORDER BY 1;
-- whoever mends a day is heard
UPDATE josch.nodes SET executor = 'ssh' WHERE node_id = 5;
UPDATE josch.nodes SET executor = NULL WHERE node_id = 1;
SELECT node_id, executor, n.limit_group <> 0 AS limited, w.waits_for FROM josch.nodes n JOIN josch.waiting w USING (job_date, node_id) WHERE node_id IN (1, 5) ORDER BY 1;
SELECT count(DISTINCT limit_group) FROM josch.nodes WHERE executor = 'ssh';
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, executor) VALUES ('2026-11-20', 6, 'N', 'Other', 'added', 'true', 'ssh');
SELECT count(DISTINCT limit_group) FROM josch.nodes WHERE executor = 'ssh';
INSERT INTO josch.semaphores (semaphore_name, capacity) VALUES ('licence', 1);
INSERT INTO josch.node_semaphores (job_date, node_id, semaphore_name) VALUES ('2026-11-20', 6, 'licence');
SELECT count(DISTINCT limit_group) FROM josch.nodes WHERE executor = 'ssh';
UPDATE josch.nodes SET executor = NULL WHERE node_id = 6;
SELECT limit_group <> 0 AS limited FROM josch.nodes WHERE node_id = 6;
SAVEPOINT refused;
\set VERBOSITY terse
UPDATE josch.nodes SET executor = 'local' WHERE node_id = 6;
\set VERBOSITY default
ROLLBACK TO refused;
UPDATE josch.nodes SET executor = 'nowhere' WHERE node_id = 6;
ROLLBACK TO refused;
SELECT sentence FROM josch.history(5, '2026-11-20') WHERE sentence LIKE '%executor%';
-- who may write: what runs takes pg_execute_server_program, how many run does not
CREATE ROLE josch_executors_author IN ROLE josch_author, josch_operator;
SET ROLE josch_executors_author;
SAVEPOINT refused;
INSERT INTO josch.executors (executor_name, start_command) VALUES ('mine', 'x');
ROLLBACK TO refused;
UPDATE josch.executors SET attach_command = 'x' WHERE executor_name = 'ssh';
ROLLBACK TO refused;
DELETE FROM josch.executors WHERE executor_name = 'ssh';
ROLLBACK TO refused;
UPDATE josch.tpl_jobs SET executor = 'ssh' WHERE job_name = 'Other';
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET executor = 'ssh' WHERE node_id = 5;
ROLLBACK TO refused;
UPDATE josch.tpl_nodes SET executor_options = '-x' WHERE node_id = 5;
ROLLBACK TO refused;
UPDATE josch.nodes SET executor = 'slurm' WHERE node_id = 5;
ROLLBACK TO refused;
UPDATE josch.executors SET max_running = 0 WHERE executor_name = 'ssh';
UPDATE josch.tpl_jobs SET executor = NULL WHERE job_name = 'Other';
RESET ROLE;
SELECT operation, executor_name, new_values ->> 'max_running' AS max_running, session_name = role_name AS himself FROM josch.executors_audit ORDER BY audit_id;
ROLLBACK;
