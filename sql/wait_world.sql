-- What a node waits for in the world, as a session sees it: a file, a query; when it begins to, who waives it, and who may write it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET datestyle = 'ISO';
SET timezone = 'UTC';
SET josch.now = '2026-11-25 06:00+00';
INSERT INTO josch.environs VALUES ('IN', '/data/*in');
INSERT INTO josch.tpl_jobs (job_name) VALUES ('A');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, start_time, wait_file, wait_sql) VALUES
	(1, 'N', 'A', 'Plain', NULL, '/data/$JOB_NAME/prices.csv', NULL), (2, 'N', 'A', 'Pattern', NULL, '$IN/p_${DATE//-/}_*.csv', NULL),
	(3, 'N', 'A', 'Later', '12:00', '/data/late', NULL), (4, 'N', 'A', 'Query', NULL, NULL, 'SELECT true'),
	(5, 'N', 'A', 'Both', NULL, '/data/x', 'SELECT true'), (6, 'N', 'A', 'Child', NULL, NULL, NULL), (7, 'S', 'A', 'Sign', NULL, '/data/y', NULL),
	(8, 'N', 'A', 'Parents first', NULL, '/data/z', NULL), (9, 'N', 'A', 'Folders', NULL, '/data/*/z', NULL);
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 6, 0), (6, 0, 8, 0);
-- what is no path, and variables that there are not, are told and keep nothing from being done
SET client_min_messages = notice;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, wait_file) VALUES (10, 'N', 'A', 'Unknown', '/data/$NOBODY/x');
SET client_min_messages = warning;
SELECT nodes FROM josch.schedule('2026-11-25', 'A');
SELECT josch.tick('2026-11-25 06:10+00');
SELECT node_id, state, waits_for FROM josch.nodes LEFT JOIN josch.waiting USING (node_id, job_date) ORDER BY node_id;
-- drawn as a note, and a dashed edge from it
SELECT line FROM string_to_table(josch.dot('A'), E'\n') line WHERE line ~ '"waits (5|1)"';
SELECT line FROM string_to_table(josch.dot('A', '2026-11-25'), E'\n') line WHERE line ~ '"waits 5@';
-- with a time it waits for that first
SELECT josch.tick('2026-11-25 12:00+00');
SELECT waits_for FROM josch.waiting WHERE node_id = 3;
-- who forces it waives both, who holds it and lets it go does not
SELECT josch.force_start(5, '2026-11-25', 'not today'), josch.hold(4, '2026-11-25'), josch.release(4, '2026-11-25');
SELECT josch.force_start(7, '2026-11-25');
SELECT josch.tick('2026-11-25 12:01+00');
SELECT node_id, state, waits_for FROM josch.nodes LEFT JOIN josch.waiting USING (node_id, job_date) WHERE node_id IN (4, 5, 7) ORDER BY node_id;
-- what has been found is so until it is mended, or waits for its parents again
BEGIN;
SELECT josch.force_start(1, '2026-11-25');
SELECT josch.tick('2026-11-25 12:02+00');
ALTER TABLE josch.nodes DISABLE TRIGGER USER;
UPDATE josch.nodes SET file_found = '/data/z', sql_true_at = josch.now() WHERE node_id IN (4, 8, 3);
ALTER TABLE josch.nodes ENABLE TRIGGER USER;
UPDATE josch.nodes SET wait_file = '/data/other' WHERE node_id = 3;
UPDATE josch.nodes SET exec_command = 'true' WHERE node_id = 4;
SELECT node_id, state, file_found, sql_true_at FROM josch.nodes WHERE node_id IN (3, 4, 8) ORDER BY node_id;
SELECT josch.rerun(6, '2026-11-25');
SELECT node_id, state, file_found, sql_true_at FROM josch.nodes WHERE node_id IN (8) ORDER BY node_id;
ROLLBACK;
UPDATE josch.nodes SET file_found = '/data/z' WHERE node_id = 8;
-- the list says what is true, whoever wrote the rows
SELECT count(*) FROM josch.waiting WHERE waits_for = 'w';
-- what cannot be stored
\set VERBOSITY terse
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, wait_file) VALUES ('N', 'A', 'bad', 'relative');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, wait_file) VALUES ('N', 'A', 'bad', E'/two\nlines');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, wait_stable) VALUES ('N', 'A', 'bad', '-1 s');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, wait_interval) VALUES ('N', 'A', 'bad', '0.5 s');
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name, wait_sql) VALUES ('N', 'A', 'bad', ' ');
-- who may: the file of one who may execute programs, the query of one who may become its owner
CREATE ROLE josch_test_waits ROLE CURRENT_USER;
GRANT josch_author, josch_operator TO josch_test_waits;
SET ROLE josch_test_waits;
UPDATE josch.tpl_nodes SET wait_file = '/etc/shadow' WHERE node_id = 4;
UPDATE josch.nodes SET wait_file = '/etc/shadow' WHERE node_id = 4;
UPDATE josch.tpl_nodes SET wait_file = NULL, wait_stable = '1 s' WHERE node_id = 5;
RESET ROLE;
CREATE ROLE josch_test_other;
SET SESSION AUTHORIZATION josch_test_waits;
UPDATE josch.tpl_nodes SET wait_sql = 'SELECT false', owner = 'josch_test_other' WHERE node_id = 4;
UPDATE josch.tpl_nodes SET wait_sql = 'SELECT false', owner = 'josch_test_waits' WHERE node_id = 4;
RESET SESSION AUTHORIZATION;
SELECT owner::text, wait_sql FROM josch.tpl_nodes WHERE node_id = 4;
DROP EXTENSION josch CASCADE;
REVOKE josch_author, josch_operator FROM josch_test_waits;
DROP ROLE josch_test_waits, josch_test_other;
