-- Which installation of JOSCH this is: one row, which nobody writes by SQL; a dump brings another one, and what it says is
-- that this database is a copy: then nothing is begun until somebody arms it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
CREATE ROLE regress_josch_viewer IN ROLE josch_viewer;
CREATE ROLE regress_josch_operator IN ROLE josch_operator;
CREATE ROLE regress_josch_author IN ROLE josch_author, pg_execute_server_program;
RESET client_min_messages;
-- what CREATE EXTENSION makes is armed
SELECT * FROM josch.armed();
SELECT component, up, detail FROM josch.health() WHERE component = 'armed';
SELECT count(*), bool_and(token <> 0), bool_and(armed_by = session_user), bool_and(comment IS NULL) FROM josch.installation;
SELECT count(*) FROM josch.installation_audit;
\set VERBOSITY terse
SELECT josch.arm('once more');
-- nobody writes the row
INSERT INTO josch.installation (token, server, armed_by) VALUES (1, 'x', 'x');
UPDATE josch.installation SET server = 'x';
DELETE FROM josch.installation;
TRUNCATE josch.installation;
SET session_replication_role = replica;
UPDATE josch.installation SET server = 'x';
RESET session_replication_role;
SET ROLE regress_josch_operator;
UPDATE josch.installation SET server = 'x';
-- who may arm, and who may see
SET ROLE regress_josch_author;
SELECT josch.arm('by an author');
SELECT armed FROM josch.armed();
SELECT count(*) FROM josch.installation;
SET ROLE regress_josch_viewer;
SELECT josch.arm('by a viewer');
SELECT armed FROM josch.armed();
RESET ROLE;
-- a dump's row takes the place of this one; the rows that follow are those of a copy
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Arm');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'Arm', 'milestone'), (2, 'S', 'Arm', 'sign');
SELECT nodes FROM josch.schedule('2026-11-20', 'Arm');
SELECT server AS own, split_part(server, '-', 1) AS system, split_part(server, '-', 2) AS database,
	split_part(server, '-', 3) AS extension, split_part(server, '-', 4) AS place FROM josch.installation \gset
CREATE FUNCTION pg_temp.restore(server text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	SET check_function_bodies = off;
	SET row_security = off;
	INSERT INTO josch.installation (token, server, armed_at, armed_by) VALUES (7, server, '2026-11-20', 'alice');
	RESET check_function_bodies;
	RESET row_security;
	SELECT reason INTO answer FROM josch.armed();
	RETURN answer;
END
$$;
SELECT pg_temp.restore('1-' || :'database' || '-' || :'extension' || '-' || :'place');
SELECT pg_temp.restore(:'system' || '-1-' || :'extension' || '-' || :'place');
SELECT pg_temp.restore(:'system' || '-' || :'database' || '-1-' || :'place');
SELECT pg_temp.restore(:'system' || '-' || :'database' || '-' || :'extension' || '-1');
SELECT pg_temp.restore('nonsense');
SELECT pg_temp.restore('');
SELECT pg_temp.restore(:'own');
SELECT pg_temp.restore(:'own' || '0');
SELECT count(*) FROM josch.installation;
SELECT component, up, detail FROM josch.health() WHERE component IN ('armed', 'runner');
-- disarmed: nothing is begun, people may act
\set VERBOSITY default
SELECT josch.tick('2026-11-21');
SELECT node_id, state FROM josch.board ORDER BY node_id;
SELECT josch.hold(2, '2026-11-20', 'not here'), josch.release(2, '2026-11-20');
\set VERBOSITY terse
-- arming needs a reason, and is on record
SELECT josch.arm(NULL);
SELECT josch.arm(E' \n\t');
SELECT josch.arm(repeat('x', 10001));
SET SESSION AUTHORIZATION regress_josch_operator;
SELECT josch.arm('this one takes the place of the other');
RESET SESSION AUTHORIZATION;
SELECT armed, reason FROM josch.armed();
SELECT server = :'own' AS own, token NOT IN (0, 7) AS new_token, armed_by, comment FROM josch.installation;
SELECT session_name, operation, new_values ->> 'server' = :'own' AS own, comment FROM josch.installation_audit ORDER BY audit_id;
\set VERBOSITY default
SELECT josch.tick('2026-11-21');
SELECT node_id, state FROM josch.board ORDER BY node_id;
-- in a read-only transaction
BEGIN READ ONLY;
SELECT armed FROM josch.armed();
SELECT josch.arm('x');
ROLLBACK;
SET client_min_messages = warning;
DROP EXTENSION josch CASCADE;
CREATE EXTENSION josch;
SELECT server <> :'own' AS another, (SELECT armed FROM josch.armed()) FROM josch.installation;
DROP ROLE regress_josch_viewer, regress_josch_operator, regress_josch_author;
