-- Durations beyond what a timestamp can hold are refused: the scheduler adds them to the present, for all nodes in one statement.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY terse
BEGIN;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, timeout) VALUES (1, 'N', 'J', 'ends', 'SELECT 1', '100 years');
SAVEPOINT s;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, timeout) VALUES (2, 'N', 'J', 'never', 'SELECT 1', '300000 years');
ROLLBACK TO s;
UPDATE josch.tpl_nodes SET stop_grace = '300000 years';
ROLLBACK TO s;
UPDATE josch.tpl_nodes SET ready_after = '300000 years';
ROLLBACK TO s;
-- for a day, too
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_sql) VALUES ('2026-03-02', 1, 'N', 'J', 'ends', 'SELECT 1');
SAVEPOINT s;
UPDATE josch.nodes SET timeout = '300000 years';
ROLLBACK;
