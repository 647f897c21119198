-- josch.load_schema: templates from the tables of another schema, whatever their columns' types and order.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET intervalstyle = 'postgres';
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;
CREATE SCHEMA "josch Staging";
SET search_path = "josch Staging";

-- any subset, any order, any type; tables and views
CREATE TABLE tpl_jobs (loaded_on date, comment text, job_desc varchar(40), job_name char(3));
INSERT INTO tpl_jobs VALUES ('1999-01-01', 'x', NULL, 'One'), ('1999-01-01', 'y', '', 'Two');
CREATE TABLE plan (id numeric, letter "char", start_at text, sql text, atomic integer, wait text);
INSERT INTO plan VALUES (10, 'S', '06:30', NULL, 1, ''), (20, 'N', NULL, 'SELECT 1', 0, '90 minutes');
CREATE VIEW tpl_nodes AS SELECT wait AS timeout, 'Node ' || id AS node_name, 'One' AS job_name, letter AS node_type, id AS node_id,
	start_at AS signoff_time, sql AS exec_sql, atomic = 1 AS exec_sql_atomic FROM plan;
SELECT * FROM josch.load_schema('"josch Staging"');
SELECT job_name, job_desc, job_desc IS NULL AS no_desc, loaded_on = josch.today() AS today FROM josch.tpl_jobs ORDER BY 1;
SELECT node_id, node_type, node_name, signoff_time, exec_sql, exec_sql_atomic, timeout, owner = session_user AS mine FROM josch.tpl_nodes ORDER BY 1;
SELECT * FROM josch.load_schema('"josch Staging"', 'replace');

-- replace, from all four
CREATE TABLE environs (LIKE josch.environs);
CREATE TABLE tpl_node_deps (c_node_id text, p_node_id text);
INSERT INTO environs VALUES ('V', 'value');
INSERT INTO tpl_node_deps VALUES ('20', '10');
SELECT * FROM josch.load_schema('"josch Staging"', 'replace');
DELETE FROM plan WHERE id = 10;
DELETE FROM tpl_node_deps;
DELETE FROM tpl_jobs WHERE job_name = 'Two';
SELECT * FROM josch.load_schema('"josch Staging"', 'replace');
SELECT * FROM josch.load_schema('"josch Staging"', 'replace');
SELECT (SELECT array_agg(job_name) FROM josch.tpl_jobs) AS jobs, (SELECT array_agg(node_id) FROM josch.tpl_nodes) AS nodes, (SELECT count(*) FROM josch.tpl_node_deps) AS deps;

-- many rows
INSERT INTO plan SELECT i, 'N' FROM generate_series(1001, 6000) AS i;
INSERT INTO tpl_node_deps SELECT i + 1, i FROM generate_series(1001, 5999) AS i;
\set VERBOSITY terse
SELECT * FROM josch.load_schema('"josch Staging"');
SELECT count(*) FROM josch.tpl_nodes;

-- what cannot be loaded is named by table, key, column and value; nothing is
INSERT INTO tpl_node_deps VALUES (1001, 1001), (1001, 6000);
\set VERBOSITY default
SELECT * FROM josch.load_schema('"josch Staging"');
DELETE FROM tpl_node_deps WHERE c_node_id = '1001';
INSERT INTO tpl_node_deps VALUES (77, 5555);
SELECT * FROM josch.load_schema('"josch Staging"');
UPDATE tpl_node_deps SET c_node_id = 'x' WHERE c_node_id = '77';
SELECT * FROM josch.load_schema('"josch Staging"');
DELETE FROM tpl_node_deps WHERE c_node_id = 'x';
INSERT INTO tpl_node_deps VALUES ('1002', '1001');
SELECT * FROM josch.load_schema('"josch Staging"');
TRUNCATE tpl_node_deps;
UPDATE plan SET letter = 'Q' WHERE id = 1234;
SELECT * FROM josch.load_schema('"josch Staging"');
UPDATE plan SET letter = 'N', id = NULL WHERE id = 1234;
SELECT * FROM josch.load_schema('"josch Staging"');
UPDATE plan SET id = 1234 WHERE id IS NULL;
INSERT INTO tpl_jobs SELECT * FROM tpl_jobs;
SELECT * FROM josch.load_schema('"josch Staging"');
DROP TABLE tpl_jobs;
CREATE TABLE tpl_jobs (job_desc text);
SELECT * FROM josch.load_schema('"josch Staging"');
DROP TABLE tpl_jobs;
CREATE SEQUENCE tpl_jobs;
SELECT * FROM josch.load_schema('"josch Staging"');
DROP SEQUENCE tpl_jobs;
SELECT * FROM josch.load_schema('josch');
SELECT * FROM josch.load_schema('pg_toast');
SELECT * FROM josch.load_schema('josch_no_schema');
-- as drivers send it, and as SQL has it
PREPARE by_name (varchar) AS SELECT sum(inserted + updated + deleted) FROM josch.load_schema($1, 'merge');
EXECUTE by_name ('"josch Staging"');
DEALLOCATE by_name;
SELECT sum(inserted + updated + deleted) FROM josch.load_schema('"josch Staging"'::regnamespace);
SELECT * FROM josch.load_schema(0::regnamespace);
SELECT * FROM josch.load_schema(NULL);
SELECT * FROM josch.load_schema('"josch Staging"', 'truncate');
SELECT count(*) FROM josch.tpl_nodes;

-- temporary tables, read and written with the caller's rights
CREATE ROLE regress_josch_loader IN ROLE josch_author;
GRANT USAGE ON SCHEMA "josch Staging" TO regress_josch_loader;
GRANT SELECT ON environs, tpl_node_deps TO regress_josch_loader;
SET SESSION AUTHORIZATION regress_josch_loader;
SELECT * FROM josch.load_schema('"josch Staging"');
CREATE TEMPORARY TABLE tpl_nodes (LIKE josch.tpl_nodes INCLUDING DEFAULTS);
INSERT INTO pg_temp.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (20, 'N', 'One', 'renamed'), (30, 'N', 'One', 'new');
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
SELECT node_id, node_name, exec_sql, owner FROM josch.tpl_nodes WHERE node_id IN (20, 30);
UPDATE pg_temp.tpl_nodes SET exec_command = 'id' WHERE node_id = 30;
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
DELETE FROM pg_temp.tpl_nodes;
INSERT INTO pg_temp.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) SELECT 40, 'N', 'One', 'forty', 'SELECT 1', rolname FROM pg_roles WHERE oid = 10;
\set VERBOSITY sqlstate
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
ROLLBACK;
