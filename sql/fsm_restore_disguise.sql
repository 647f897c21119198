-- Nobody escapes the triggers by the settings that mark a restore: an act is recorded, and children count it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
CREATE ROLE josch_disguised IN ROLE josch_operator;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('disguise');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
	VALUES (9101, 'N', 'disguise', 'parent'), (9102, 'N', 'disguise', 'child');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (9101, 9102);
SELECT nodes FROM josch.schedule('2026-11-20', 'disguise');
SET SESSION AUTHORIZATION josch_disguised;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
SELECT josch.skip(9101, '2026-11-20', 'in disguise');
RESET SESSION AUTHORIZATION;
SELECT node_id, state, unmet, action, acted_by, comment FROM josch.nodes WHERE job_name = 'disguise' ORDER BY node_id;
ROLLBACK;

-- nor does a superuser by one of them, or by both when a database's owner has made them its defaults
INSERT INTO josch.environs VALUES ('DISGUISE', 'seen');
SET check_function_bodies = off;
UPDATE josch.environs SET value = '1' WHERE var = 'DISGUISE';
RESET check_function_bodies;
SET row_security = off;
UPDATE josch.environs SET value = '2' WHERE var = 'DISGUISE';
RESET row_security;
DO $$BEGIN
	EXECUTE format('ALTER DATABASE %I SET row_security = off', current_database());
	EXECUTE format('ALTER DATABASE %I SET check_function_bodies = off', current_database());
END$$;
\c
SHOW row_security;
UPDATE josch.environs SET value = '3' WHERE var = 'DISGUISE';
DO $$BEGIN
	EXECUTE format('ALTER DATABASE %I RESET row_security', current_database());
	EXECUTE format('ALTER DATABASE %I RESET check_function_bodies', current_database());
END$$;
\c
SELECT new_values ->> 'value' AS value FROM josch.environs_audit WHERE var = 'DISGUISE' AND operation = 'UPDATE' ORDER BY audit_id;
DELETE FROM josch.environs WHERE var = 'DISGUISE';
