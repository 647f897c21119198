-- Who may decide what the server executes: templates, nodes of a day, environs; by INSERT, UPDATE, COPY and TRUNCATE.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
BEGIN;
CREATE ROLE regress_josch_writer IN ROLE josch_author;
CREATE ROLE regress_josch_commander IN ROLE josch_author, pg_execute_server_program;
CREATE ROLE regress_josch_app;
CREATE ROLE regress_josch_stranger;
GRANT regress_josch_app TO regress_josch_writer;
INSERT INTO josch.tpl_jobs VALUES ('Rights', 'who may write what');
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('Rights', '2026-01-05', 'UTC');
INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name) VALUES (1, '2026-01-05', 'N', 'Rights', 'one');

-- without pg_execute_server_program: nodes that execute nothing
SET ROLE regress_josch_writer;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'Rights', 'milestone'), (2, 'S', 'Rights', 'sign-off');
UPDATE josch.tpl_nodes SET node_name = 'renamed' WHERE node_id = 1;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (3, 'N', 'Rights', 'three', 'id');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, work_dir) VALUES (3, 'N', 'Rights', 'three', '/tmp');
UPDATE josch.tpl_nodes SET exec_command = 'id' WHERE node_id = 1;
UPDATE josch.tpl_nodes SET work_dir = '/tmp' WHERE node_id = 1;
UPDATE josch.nodes SET exec_command = 'id' WHERE node_id = 1;
UPDATE josch.nodes SET work_dir = '/tmp' WHERE node_id = 1;
COPY josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) FROM STDIN (FORMAT csv);
4,N,Rights,four,id
\.
INSERT INTO josch.environs VALUES ('PATH', '/tmp');
COPY josch.environs FROM STDIN (FORMAT csv);
PATH,/tmp
\.

-- with it
SET ROLE regress_josch_commander;
INSERT INTO josch.environs VALUES ('TOOL', '/usr/bin/tool'), ('OTHER', '');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, ready_command, work_dir)
	VALUES (5, 'L', 'Rights', 'server', '$TOOL', '$TOOL ping', '/srv');
UPDATE josch.nodes SET exec_command = 'id', work_dir = '/tmp' WHERE node_id = 1;

-- without it, what is there may stay, move and go, but not change
SET ROLE regress_josch_writer;
UPDATE josch.tpl_nodes SET exec_command = exec_command, ready_command = '$TOOL ping', work_dir = work_dir, node_name = 'moved' WHERE node_id = 5;
UPDATE josch.tpl_nodes SET exec_command = exec_command || ' --now' WHERE node_id = 5;
UPDATE josch.tpl_nodes SET ready_command = 'true' WHERE node_id = 5;
UPDATE josch.tpl_nodes SET ready_command = NULL, work_dir = NULL WHERE node_id = 5;
UPDATE josch.nodes SET exec_command = NULL WHERE node_id = 1;
UPDATE josch.nodes SET work_dir = '/' WHERE node_id = 1;
UPDATE josch.environs SET value = '/tmp/tool' WHERE var = 'TOOL';
DELETE FROM josch.environs WHERE var = 'TOOL';
RESET ROLE;
GRANT TRUNCATE ON josch.environs TO regress_josch_writer;
SET ROLE regress_josch_writer;
TRUNCATE josch.environs;
RESET ROLE;
-- nor does a replica's session get past the checks
SET session_replication_role = replica;
SET ROLE regress_josch_writer;
UPDATE josch.tpl_nodes SET exec_command = 'id' WHERE node_id = 1;
RESET ROLE;
RESET session_replication_role;
SELECT * FROM josch.environs WHERE var IN ('PATH', 'TOOL', 'OTHER') ORDER BY var;
SELECT node_id, node_name, exec_command, ready_command, work_dir FROM josch.tpl_nodes WHERE job_name = 'Rights' ORDER BY node_id;
SELECT node_id, exec_command, work_dir FROM josch.nodes WHERE job_name = 'Rights';

-- the owner: a role that exists, and that the writer can become
SET SESSION AUTHORIZATION regress_josch_writer;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (6, 'N', 'Rights', 'sql', 'SELECT 1');
UPDATE josch.tpl_nodes SET owner = 'regress_josch_app' WHERE node_id = 6;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) VALUES (7, 'N', 'Rights', 'sql', 'SELECT 1', 'regress_josch_stranger');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, owner) VALUES (7, 'N', 'Rights', 'no sql', 'regress_josch_stranger');
UPDATE josch.tpl_nodes SET owner = 'regress_josch_stranger' WHERE node_id = 6;
UPDATE josch.tpl_nodes SET owner = 'regress_josch_nobody' WHERE node_id = 6;
COPY josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) FROM STDIN (FORMAT csv);
8,N,Rights,eight,SELECT 1,regress_josch_stranger
\.
UPDATE josch.nodes SET exec_sql = 'SELECT 1', owner = 'regress_josch_app' WHERE node_id = 1;
UPDATE josch.nodes SET owner = 'regress_josch_stranger' WHERE node_id = 1;
SELECT node_id, exec_sql, owner FROM josch.tpl_nodes WHERE node_id = 6;
SELECT node_id, exec_sql, owner FROM josch.nodes WHERE node_id = 1;
-- of a node of somebody else's, the SQL is his
SET SESSION AUTHORIZATION regress_josch_commander;
UPDATE josch.tpl_nodes SET exec_sql = 'SELECT 2' WHERE node_id = 6;
UPDATE josch.nodes SET exec_sql = 'SELECT 2' WHERE node_id = 1;
UPDATE josch.tpl_nodes SET exec_sql = 'SELECT 2', owner = 'regress_josch_commander' WHERE node_id = 6;
-- after SET ROLE the owner of SQL is no longer the session user by default, when the role cannot become it
RESET SESSION AUTHORIZATION;
SET ROLE regress_josch_writer;
SELECT NOT pg_has_role(session_user, 'member') AS cannot_become_session_user;
\set VERBOSITY sqlstate
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (9, 'N', 'Rights', 'sql', 'SELECT 1');
\set VERBOSITY default
RESET ROLE;
-- a superuser may name any role, but it must exist
UPDATE josch.tpl_nodes SET owner = 'regress_josch_stranger' WHERE node_id = 6;
UPDATE josch.tpl_nodes SET owner = 'regress_josch_nobody' WHERE node_id = 6;
ROLLBACK;
