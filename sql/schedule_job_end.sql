/*
 * The end of a job (type E) waits for all other nodes of its job, and who depends on it depends on the whole job: satisfied
 * when the day has ended well, impossible when it has ended with something abandoned, taken back when it goes on.
 */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
SET timezone = 'UTC';
\set ON_ERROR_ROLLBACK on
\set SHOW_CONTEXT never
\t on
\pset format unaligned
BEGIN;
SET LOCAL josch.now = '2026-11-30 08:00+00';
-- what a parent is to who waits for a good end
SELECT state, well FROM josch.states() ORDER BY state;
SELECT josch.parent_is(NULL, 'well');
-- it runs nothing, joins all, asks
INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('Load', '2026-01-01'), ('Report', '2026-01-01'), ('Empty', '2026-01-01');
\set VERBOSITY terse
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, exec_sql) VALUES ('E', 'Load', 'e', 'SELECT 1');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, join_rule) VALUES ('E', 'Load', 'e', 'any');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, on_failure) VALUES ('E', 'Load', 'e', 'abandon');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, max_duration) VALUES ('E', 'Load', 'e', '1 hour');
\set VERBOSITY default
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES
	(1, 'R', 'Load', 'Fetch'), (2, 'N', 'Load', 'Store'), (3, 'N', 'Load', 'Clean up'), (4, 'R', 'Load', 'Check'), (9, 'E', 'Load', 'Load has ended'),
	(11, 'N', 'Report', 'Print'), (12, 'N', 'Report', 'After all'), (13, 'N', 'Report', 'Complain'), (19, 'E', 'Report', 'Report has ended'),
	(29, 'E', 'Empty', 'Empty has ended');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id, condition) VALUES
	(1, 2, 'success'), (1, 3, 'failure'), (9, 11, 'success'), (9, 12, 'done'), (9, 13, 'failure');
CREATE FUNCTION pg_temp.board(date) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT node_id || ' ' || node_name || ': ' || state || coalesce(' (' || message || ')', '') FROM josch.board WHERE job_date = $1 ORDER BY node_id $$;
CREATE FUNCTION pg_temp.pass() RETURNS void LANGUAGE sql AS $$ SELECT josch.tick('2026-11-30 08:00+00') WHERE josch.tick('2026-11-30 08:00+00') IS NULL $$;

-- cycles through an end: its own job, two jobs that wait for each other, a node that comes to the job, one that becomes its end
SAVEPOINT cycles;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (9, 1);
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (19, 4);
UPDATE josch.tpl_nodes SET job_name = 'Load' WHERE node_id = 11;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (12, 1);
UPDATE josch.tpl_nodes SET node_type = 'E' WHERE node_id = 2;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (2, 4);
UPDATE josch.tpl_nodes SET node_type = 'E' WHERE node_id = 2;
-- a former day of its own job is no cycle
INSERT INTO josch.tpl_node_deps (p_node_id, p_date, c_node_id) VALUES (9, -1, 1);
ROLLBACK TO cycles;
-- what all sees of it
SELECT node_id, distance FROM josch.ancestors(11);
SELECT node_id, distance FROM josch.descendants(3);
SELECT node_id, level FROM josch.topological_sort('Load') ORDER BY 1;
SELECT line FROM regexp_split_to_table(josch.dot('Load'), '\n') line WHERE line ~ '9';

-- a day of it: no template says what the end waits for
SELECT * FROM josch.schedule('2026-11-30', 'Load');
SELECT p_node_id, condition FROM josch.node_deps WHERE c_node_id = 9 ORDER BY 1;
SELECT p_node_id, condition FROM josch.drawn_deps WHERE c_node_id = 9 ORDER BY 1;
SELECT unmet, level FROM josch.nodes WHERE node_id = 9;
SELECT * FROM josch.schedule('2026-11-30', 'Report');
SELECT * FROM josch.schedule('2026-11-30', 'Empty');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30');
SELECT node_name, reason, detail FROM josch.why(11, '2026-11-30') WHERE depth < 2;

-- all well: what was not to run is no fault
SAVEPOINT well;
SELECT josch.approve(1, '2026-11-30');
SELECT pg_temp.pass();
SELECT detail FROM josch.why(11, '2026-11-30') WHERE depth = 0;
SELECT josch.approve(4, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30');
-- and what has started stays, while the end is taken back, and comes again
SELECT josch.rerun(4, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30') LIMIT 6;
SELECT josch.approve(4, '2026-11-30');
SELECT pg_temp.pass();
SELECT state FROM josch.nodes WHERE node_id = 9;
-- a child that has not started waits again; what is added to the day is waited for, too
ROLLBACK TO well;
SELECT josch.hold(11, '2026-11-30');
SELECT josch.approve(1, '2026-11-30');
SELECT josch.approve(4, '2026-11-30');
SELECT pg_temp.pass();
SELECT state, unmet FROM josch.nodes WHERE node_id IN (9, 11) ORDER BY node_id;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-11-30', 5, 'R', 'Load', 'Added');
SELECT p_node_id, condition FROM josch.node_deps WHERE c_node_id = 9 ORDER BY 1;
SELECT pg_temp.pass();
SELECT josch.release(11, '2026-11-30');
SELECT pg_temp.pass();
SELECT state, unmet FROM josch.nodes WHERE node_id IN (5, 9, 11) ORDER BY node_id;
SELECT josch.approve(5, '2026-11-30');
SELECT pg_temp.pass();
SELECT state, unmet FROM josch.nodes WHERE node_id IN (5, 9, 11) ORDER BY node_id;
-- a second end, added to the day, waits for all but the first
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-11-30', 8, 'E', 'Load', 'Another end');
SELECT p_node_id, condition FROM josch.node_deps WHERE c_node_id = 8 ORDER BY 1;
SELECT pg_temp.pass();
SELECT state, unmet, satisfied FROM josch.nodes WHERE node_id IN (8, 9) ORDER BY node_id;

-- not well: nothing is said before all has ended, a failure waits for a person
ROLLBACK TO well;
SELECT josch.reject(1, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30') LIMIT 5;
SELECT josch.abandon(1, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30') LIMIT 6;
SELECT josch.approve(4, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30');
SELECT sentence FROM josch.history(9, '2026-11-30');
-- a person goes on as if it had ended well
SAVEPOINT badly;
SELECT josch.skip(9, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30') OFFSET 4;
-- or mends what has failed
ROLLBACK TO badly;
SELECT josch.mark_success(1, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30');
-- neither is the end's to be given up or mended
ROLLBACK TO badly;
SELECT josch.mark_success(9, '2026-11-30');
-- by force it has ended, whatever the others do
ROLLBACK TO well;
SELECT josch.force_start(9, '2026-11-30');
SELECT pg_temp.pass();
SELECT pg_temp.board('2026-11-30') OFFSET 4;

-- a day that is not made is waited for as any node of it, and one that is taken back again
SELECT * FROM josch.schedule('2026-12-01', 'Report');
SELECT pg_temp.pass();
SELECT unmet, state FROM josch.nodes WHERE node_id = 11 AND job_date = '2026-12-01';
SELECT detail FROM josch.why(11, '2026-12-01') WHERE depth = 0;
SELECT * FROM josch.schedule('2026-12-01', 'Load');
SELECT josch.skip(node_id, job_date) FROM josch.nodes WHERE job_date = '2026-12-01' AND job_name = 'Load' AND node_type <> 'E' AND node_id > 1;
SELECT * FROM josch.unschedule('2026-12-01', 'Load');
SELECT unmet, state FROM josch.nodes WHERE node_id = 11 AND job_date = '2026-12-01';

-- the whole job of the day before: of a job with a calendar its last open day, of the job itself, too
ROLLBACK TO cycles;
UPDATE josch.tpl_node_deps SET p_date = -1 WHERE c_node_id = 11;
INSERT INTO josch.tpl_node_deps (p_node_id, p_date, c_node_id) VALUES (9, -1, 1);
INSERT INTO josch.calendars (calendar_name) VALUES ('week');
UPDATE josch.tpl_jobs SET calendar_name = 'week', valid_from = '2026-11-27' WHERE job_name IN ('Load', 'Report');
DO $$ BEGIN PERFORM josch.schedule('2026-11-27', 'Load'); PERFORM josch.schedule('2026-11-30', 'Load'); PERFORM josch.schedule('2026-11-30', 'Report'); END $$;
SELECT c_node_id, p_date, condition FROM josch.node_deps WHERE p_node_id = 9 AND c_date = '2026-11-30' ORDER BY 1;
SELECT pg_temp.pass();
SELECT detail FROM josch.why(11, '2026-11-30') WHERE depth = 0;
SELECT josch.approve(node_id, job_date) FROM josch.nodes WHERE state = 'review' ORDER BY job_date, node_id;
SELECT pg_temp.pass();
SELECT node_id, job_date, state FROM josch.nodes WHERE node_id IN (1, 9, 11) ORDER BY 2, 1;

-- what validate() says of it
ROLLBACK TO cycles;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id, condition) VALUES (1, 11, 'failure');
CREATE SCHEMA nothing;
CREATE VIEW nothing.tpl_jobs AS SELECT job_name FROM josch.tpl_jobs;
SELECT severity, message FROM josch.validate('nothing'::regnamespace) WHERE message ~ 'never|no outcome|omitted';
ROLLBACK;
