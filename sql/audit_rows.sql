-- What a change leaves in the audit tables: every table, every operation, who, from where, before and after.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
CREATE ROLE regress_josch_root SUPERUSER;
SET SESSION AUTHORIZATION regress_josch_root;
SET josch.now = '2026-11-20 09:00:00+00';
SET application_name = 'audit test';

-- a row inserted, changed and deleted in each table; a change of the key is recorded under the new one
INSERT INTO josch.environs VALUES ('AUDIT_A', '1'), ('AUDIT_B', '2');
UPDATE josch.environs SET value = '3' WHERE var = 'AUDIT_A';
UPDATE josch.environs SET var = 'AUDIT_C', value = '4' WHERE var = 'AUDIT_A';
DELETE FROM josch.environs;
SELECT operation, var, old_values, new_values FROM josch.environs_audit ORDER BY audit_id;

INSERT INTO josch.tpl_jobs (job_name, job_desc, loaded_on) VALUES ('Audit', 'to be recorded', '2026-11-20');
UPDATE josch.tpl_jobs SET job_desc = NULL, valid_from = '2026-11-21';
SELECT operation, job_name, old_values, new_values FROM josch.tpl_jobs_audit ORDER BY audit_id;

INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, timeout, owner)
	VALUES (1, 'N', 'Audit', 'one', 'true', '1 day 02:03:04.5', 'regress_josch_root');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, signoff_time, owner)
	VALUES (2, 'S', 'Audit', 'two', '17:30', 'regress_josch_root');
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0);
-- a new number of a node is carried over into its dependencies
UPDATE josch.tpl_nodes SET node_id = 3 WHERE node_id = 2;
DELETE FROM josch.tpl_nodes WHERE node_id = 3;
SELECT operation, node_id, old_values, new_values FROM josch.tpl_nodes_audit ORDER BY audit_id;
SELECT operation, p_node_id, p_date, c_node_id, c_date, old_values, new_values FROM josch.tpl_node_deps_audit ORDER BY audit_id;

INSERT INTO josch.jobs (job_name, job_date, time_zone, environ) VALUES ('Audit', '2026-11-20', 'UTC', '{"A": "1", "B": ""}');
UPDATE josch.jobs SET environ = '{}' WHERE job_name = 'Audit';
SELECT operation, job_name, job_date, old_values, new_values FROM josch.jobs_audit ORDER BY audit_id;

INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name, owner)
	SELECT n, '2026-11-20', 'N', 'Audit', 'node ' || n, 'regress_josch_root' FROM generate_series(1, 2) n;
INSERT INTO josch.node_deps VALUES (1, '2026-11-20', 2, '2026-11-20');
DELETE FROM josch.node_deps;
SELECT operation, p_node_id, p_date, c_node_id, c_date, old_values, new_values FROM josch.node_deps_audit ORDER BY audit_id;

ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (node_id, job_date, attempt, kind) VALUES (1, '2026-11-20', 1, 'command');
UPDATE josch.runs SET status = 'running', started_at = josch.now(), pid = 4711, host = 'h';
UPDATE josch.runs SET status = 'succeeded', ended_at = josch.now() + interval '1.5 s', exit_code = 0,
	cpu_seconds = 0.1, peak_memory = 123456789012;
UPDATE josch.runs SET cpu_seconds = 'NaN';
DELETE FROM josch.runs;
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SELECT operation, run_id = 1 AS first_run, old_values - '{run_id,nonce}'::text[] AS old_values, new_values - '{run_id,nonce}'::text[] AS new_values
	FROM josch.runs_audit ORDER BY audit_id;

-- derived columns leave no trace, nor does an UPDATE that changes nothing
SELECT count(*) AS before FROM josch.nodes_audit \gset
ALTER TABLE josch.nodes DISABLE TRIGGER door;
ALTER TABLE josch.nodes DISABLE TRIGGER propagate_update;
UPDATE josch.nodes SET unmet = unmet + 1, level = 7;
UPDATE josch.nodes SET node_name = node_name;
SELECT count(*) - :before AS added FROM josch.nodes_audit;
UPDATE josch.nodes SET unmet = 0, message = 'changed' WHERE node_id = 1;
SELECT operation, node_id, old_values, new_values FROM josch.nodes_audit ORDER BY audit_id DESC LIMIT 1;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER propagate_update;

-- the text of a value does not depend on the session
CREATE TEMP TABLE plain AS SELECT new_values FROM josch.tpl_nodes_audit WHERE operation = 'INSERT' AND node_id = 1;
DELETE FROM josch.tpl_nodes;
SET DateStyle = 'German, DMY';
SET IntervalStyle = 'sql_standard';
SET TimeZone = 'Asia/Tokyo';
SET extra_float_digits = -10;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, timeout, owner)
	VALUES (1, 'N', 'Audit', 'one', 'true', '1 day 02:03:04.5', 'regress_josch_root');
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (node_id, job_date, attempt, kind, cpu_seconds) VALUES (1, '2026-11-20', 2, 'command', 0.30000000000000004);
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SELECT a.new_values = p.new_values AS same FROM josch.tpl_nodes_audit a, plain p
	WHERE a.operation = 'INSERT' AND a.node_id = 1 ORDER BY a.audit_id DESC LIMIT 1;
SELECT new_values -> 'cpu_seconds' AS cpu_seconds, new_values -> 'requested_at' AS requested_at
	FROM josch.runs_audit ORDER BY audit_id DESC LIMIT 1;
SHOW IntervalStyle;
SHOW TimeZone;
-- nor is the session changed by being recorded, within a transaction either
BEGIN;
UPDATE josch.tpl_nodes SET timeout = '2 days' WHERE node_id = 1;
SHOW IntervalStyle;
SHOW TimeZone;
COMMIT;
RESET DateStyle; RESET IntervalStyle; RESET TimeZone; RESET extra_float_digits;

-- who: the session, and the role as which it acts; names may be anything
CREATE ROLE "regress josch ""O'Brien""" IN ROLE josch_author, josch_operator, pg_execute_server_program;
CREATE ROLE regress_josch_actor IN ROLE josch_author;
GRANT regress_josch_actor TO "regress josch ""O'Brien""";
SET SESSION AUTHORIZATION "regress josch ""O'Brien""";
INSERT INTO josch.environs VALUES ('AUDIT_D', '');
SELECT josch.hold(1, '2026-11-20', 'it''s "mine"');
SET ROLE regress_josch_actor;
UPDATE josch.tpl_jobs SET job_desc = 'by the other role';
SET SESSION AUTHORIZATION regress_josch_root;
SELECT session_name, role_name, client_addr IS NULL OR client_addr <<= '127.0.0.0/8' AS local, application, at AT TIME ZONE 'UTC' AS at
	FROM josch.environs_audit ORDER BY audit_id DESC LIMIT 1;
-- the function that acts runs as the owner; the record has its caller
SELECT session_name, role_name, operation, new_values ->> 'state' AS state, comment FROM josch.nodes_audit ORDER BY audit_id DESC LIMIT 1;
SELECT session_name, role_name, new_values FROM josch.tpl_jobs_audit ORDER BY audit_id DESC LIMIT 1;
-- a function of a user's acts as its owner, and is recorded so
CREATE FUNCTION regress_josch_rename() RETURNS void LANGUAGE sql SECURITY DEFINER
	AS $$ UPDATE josch.tpl_jobs SET job_desc = 'by a function of the other role' $$;
ALTER FUNCTION regress_josch_rename() OWNER TO regress_josch_actor;
SET SESSION AUTHORIZATION "regress josch ""O'Brien""";
SELECT regress_josch_rename();
SET SESSION AUTHORIZATION regress_josch_root;
SELECT session_name, role_name, new_values FROM josch.tpl_jobs_audit ORDER BY audit_id DESC LIMIT 1;
DROP FUNCTION regress_josch_rename();
RESET application_name;
SET application_name = '';
DELETE FROM josch.environs;
SELECT application IS NULL AS nothing FROM josch.environs_audit ORDER BY audit_id DESC LIMIT 1;

-- comments: of the act, else of the setting
SET josch.comment = 'from the setting';
UPDATE josch.tpl_jobs SET job_desc = 'with a comment';
SELECT comment FROM josch.tpl_jobs_audit ORDER BY audit_id DESC LIMIT 1;
UPDATE josch.nodes SET state = 'pending', comment = 'of the act' WHERE node_id = 1;
-- the release, and what follows from it: the act has its comment
SELECT operation, new_values ->> 'action' AS action, new_values ->> 'state' AS state, comment
	FROM josch.nodes_audit ORDER BY audit_id DESC LIMIT 2;
RESET josch.comment;
SELECT josch.hold(1, '2026-11-20');
SELECT new_values ->> 'action' AS action, comment FROM josch.nodes_audit ORDER BY audit_id DESC LIMIT 1;
UPDATE josch.tpl_jobs SET job_desc = 'without';
SELECT comment IS NULL AS no_comment FROM josch.tpl_jobs_audit ORDER BY audit_id DESC LIMIT 1;

-- one order for all tables
SELECT count(*) = count(DISTINCT audit_id) AS one_sequence FROM (SELECT audit_id FROM josch.nodes_audit UNION ALL
	SELECT audit_id FROM josch.environs_audit UNION ALL SELECT audit_id FROM josch.tpl_jobs_audit UNION ALL
	SELECT audit_id FROM josch.tpl_nodes_audit UNION ALL SELECT audit_id FROM josch.runs_audit) all_rows;

-- more rows than a batch holds, each once and in order
INSERT INTO josch.environs SELECT 'BULK_' || n, n FROM generate_series(1, 2500) n;
UPDATE josch.environs SET value = value || '!' WHERE var LIKE 'BULK%';
DELETE FROM josch.environs WHERE var LIKE 'BULK%';
SELECT operation, count(*), count(DISTINCT var), min(coalesce(new_values, old_values) ->> 'value') AS least
	FROM josch.environs_audit WHERE var LIKE 'BULK%' GROUP BY operation ORDER BY operation;
-- a MERGE and an upsert tell their inserts from their updates
INSERT INTO josch.environs VALUES ('M1', 'a');
INSERT INTO josch.environs VALUES ('M1', 'b'), ('M2', 'b') ON CONFLICT (var) DO UPDATE SET value = excluded.value;
MERGE INTO josch.environs e USING (VALUES ('M1', 'c'), ('M2', NULL), ('M3', 'c')) s (var, value) ON e.var = s.var
	WHEN MATCHED AND s.value IS NULL THEN DELETE
	WHEN MATCHED THEN UPDATE SET value = s.value
	WHEN NOT MATCHED THEN INSERT VALUES (s.var, s.value);
SELECT var, operation, old_values ->> 'value' AS old_value, new_values ->> 'value' AS new_value
	FROM josch.environs_audit WHERE var LIKE 'M_' ORDER BY var, audit_id;

-- a replica's session is recorded too
SET session_replication_role = replica;
DELETE FROM josch.environs;
RESET session_replication_role;
SELECT operation, var FROM josch.environs_audit ORDER BY audit_id DESC LIMIT 2;

-- a restore brings its own record: nothing is added
SELECT count(*) AS before FROM josch.environs_audit \gset
SET check_function_bodies = off;
SET row_security = off;
INSERT INTO josch.environs VALUES ('RESTORED', 'as it was');
RESET check_function_bodies;
RESET row_security;
SELECT count(*) - :before AS added FROM josch.environs_audit;

-- the table is looked up anew when it changes, and when the extension is made anew in the same session
ALTER TABLE josch.environs ADD COLUMN remark text DEFAULT 'new';
UPDATE josch.environs SET remark = 'newer';
SELECT old_values, new_values FROM josch.environs_audit ORDER BY audit_id DESC LIMIT 1;
ALTER TABLE josch.environs DROP COLUMN remark;
UPDATE josch.environs SET value = 'newest';
SELECT old_values, new_values FROM josch.environs_audit ORDER BY audit_id DESC LIMIT 1;
DROP EXTENSION josch;
CREATE EXTENSION josch;
INSERT INTO josch.environs VALUES ('ANEW', 'yes');
SELECT operation, new_values FROM josch.environs_audit;
DROP EXTENSION josch;
DROP ROLE "regress josch ""O'Brien""";
DROP ROLE regress_josch_actor;
RESET SESSION AUTHORIZATION;
DROP TABLE plain;
DROP ROLE regress_josch_root;
