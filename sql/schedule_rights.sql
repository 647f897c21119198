/* Who may make and take back days: josch_author; and the rows are the owner's. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
CREATE ROLE regress_schedule_author LOGIN IN ROLE josch_author;
CREATE ROLE regress_schedule_operator LOGIN IN ROLE josch_operator;
INSERT INTO josch.environs VALUES ('X', '1');
INSERT INTO josch.tpl_jobs (job_name) VALUES ('A');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, work_dir) VALUES (1, 'N', 'A', 'n', 'echo $X', '/tmp');
SET SESSION AUTHORIZATION regress_schedule_operator;
SELECT * FROM josch.schedule('2026-11-20');
SELECT * FROM josch.unschedule('2026-11-20');
SET SESSION AUTHORIZATION regress_schedule_author;
-- an author may not insert a row of a day, nor write a command, but may make a day that has one
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('A', '2026-11-20', 'UTC');
-- tables of the caller's own are not taken for those of JOSCH
CREATE TEMP TABLE tpl_jobs (job_name text);
SET search_path = pg_temp;
SELECT * FROM josch.schedule('2026-11-20');
SELECT scheduled_by FROM josch.jobs;
SELECT owner <> 'regress_schedule_author' AS owner_is_the_template_s FROM josch.nodes;
SELECT value FROM josch.environment(1, '2026-11-20') WHERE var = 'X';
SELECT session_name, operation FROM josch.nodes_audit WHERE node_id = 1 AND job_date = '2026-11-20';
SELECT * FROM josch.unschedule('2026-11-20');
SET SESSION AUTHORIZATION regress_schedule_operator;
SELECT josch.command_variables('$A'), josch.command_argv('/bin/true');
RESET SESSION AUTHORIZATION;
RESET search_path;
CREATE ROLE regress_schedule_nobody LOGIN;
SET SESSION AUTHORIZATION regress_schedule_nobody;
SELECT * FROM josch.schedule('2026-11-20');
RESET SESSION AUTHORIZATION;
ROLLBACK;
