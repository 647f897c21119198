/* An author adds nodes and dependencies to a day by SQL, with the checks that the templates have, and on record. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
SET timezone = 'UTC';
\set ON_ERROR_ROLLBACK on
\set SHOW_CONTEXT never
BEGIN;
CREATE ROLE regress_add_author LOGIN IN ROLE josch_author;
CREATE ROLE regress_add_operator LOGIN IN ROLE josch_operator;
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('A', 'Europe/Zurich'), ('B', NULL);
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'S', 'A', 'first'), (2, 'N', 'A', 'last'), (3, 'N', 'B', 'b');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2), (2, 3);
SELECT * FROM josch.schedule('2026-03-02');

SET SESSION AUTHORIZATION regress_add_author;
-- between first and last; a number that nobody has
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, signoff_time) VALUES ('2026-03-02', 10, 'S', 'A', 'between', '06:30');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (1, '2026-03-02', 10, '2026-03-02'), (10, '2026-03-02', 2, '2026-03-02');
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name) VALUES ('2026-03-02', 'N', 'B', 'by itself') RETURNING node_id > 10 AS numbered, owner, due_at;
SELECT node_name, state, unmet, level, due_at FROM josch.nodes ORDER BY level, node_name;
SELECT session_name, operation, new_values ->> 'node_name' AS node_name FROM josch.nodes_audit WHERE session_name = session_user ORDER BY audit_id;
-- what is refused: cycles, commands, what JOSCH keeps itself, others' owners, jobs that are not there, numbers and names that are
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (3, '2026-03-02', 1, '2026-03-02');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command) VALUES ('2026-03-02', 20, 'N', 'A', 'command', 'id');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_sql, owner) VALUES ('2026-03-02', 21, 'N', 'A', 'sql', 'SELECT 1', 'regress_add_operator');
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name, state) VALUES ('2026-03-02', 'N', 'A', 'done', 'succeeded');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, lag) VALUES (3, '2026-03-01', 10, '2026-03-02', 1);
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name) VALUES ('2026-03-03', 'N', 'A', 'early');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-03-02', 2, 'N', 'A', 'again');
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name) VALUES ('2026-03-02', 'S', 'A', 'first');
\set VERBOSITY terse
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name, exec_sql) VALUES ('2026-03-02', 'S', 'A', 'signs', 'SELECT 1');
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_add_operator;
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name) VALUES ('2026-03-02', 'N', 'A', 'operator');
RESET SESSION AUTHORIZATION;

-- it runs with the rest
SELECT josch.tick('2026-03-02 05:00+00') > 0 AS passes;
SELECT josch.signoff(1, '2026-03-02');
SELECT josch.tick('2026-03-02 05:29:59+00') > 0 AS passes;
SELECT node_id, state FROM josch.nodes WHERE node_id = 10;
-- by force before its time
SAVEPOINT early;
SELECT josch.force_start(10, '2026-03-02');
SELECT josch.tick('2026-03-02 05:29:59+00') > 0 AS passes;
SELECT node_id, state FROM josch.nodes WHERE node_id = 10;
ROLLBACK TO early;
SELECT josch.tick('2026-03-02 05:30+00') > 0 AS passes;
SELECT josch.signoff(10, '2026-03-02');
SELECT josch.tick('2026-03-02 05:30+00') > 0 AS passes;
SELECT node_name, state FROM josch.nodes ORDER BY level, node_name;
-- many by one statement, into jobs of other zones
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name, signoff_time)
	SELECT '2026-03-02', 'S', CASE WHEN n % 3 = 0 THEN 'B' ELSE 'A' END, 'added ' || n, '06:30' FROM generate_series(1, 300) n;
SELECT job_name, due_at, count(*) FROM josch.nodes WHERE node_name LIKE 'added%' GROUP BY 1, 2 ORDER BY 1;
ROLLBACK;
