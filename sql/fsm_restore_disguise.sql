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
