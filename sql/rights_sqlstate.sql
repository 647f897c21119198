-- By its SQLSTATE a program tells one kind of refusal from another, whatever the words are.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
CREATE ROLE sqlstate_viewer IN ROLE josch_viewer;
CREATE ROLE sqlstate_operator IN ROLE josch_operator;
CREATE ROLE sqlstate_author IN ROLE josch_author;
CREATE ROLE sqlstate_nobody;
RESET client_min_messages;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('codes');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (1, 'S', 'codes', 'sign', NULL), (2, 'N', 'codes', 'run', 'true');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2);
SELECT nodes FROM josch.schedule('2030-01-01', 'codes');
SELECT josch.tick('2030-01-01 12:00 UTC') > 0 AS asked;

CREATE TABLE pg_temp.attempts (n serial, role text, kind text, statement text);
INSERT INTO attempts (role, kind, statement) VALUES
	(NULL, 'no such node', $$SELECT josch.signoff(99, '2030-01-01')$$),
	(NULL, 'no such node', $$SELECT * FROM josch.history(99, '2030-01-01')$$),
	(NULL, 'no such node', $$SELECT * FROM josch.ancestors(99)$$),
	(NULL, 'no such node', $$SELECT * FROM josch.environment(99, '2030-01-01')$$),
	(NULL, 'no such job', $$SELECT josch.schedule('2030-01-01', 'nothing')$$),
	(NULL, 'no such job', $$SELECT josch.unschedule('2030-01-01', 'nothing')$$),
	(NULL, 'no such job', $$SELECT josch.dot('nothing')$$),
	(NULL, 'no such job', $$SELECT josch.critical_path('nothing')$$),
	(NULL, 'no such run', $$SELECT josch.log(99)$$),
	(NULL, 'no such edge', $$SELECT josch.approve(1, '2030-01-01')$$),
	(NULL, 'no such edge', $$UPDATE josch.nodes SET state = 'up' WHERE node_id = 2$$),
	(NULL, 'already so', $$UPDATE josch.nodes SET state = 'signoff' WHERE node_id = 1$$),
	(NULL, 'no such state', $$UPDATE josch.nodes SET state = 'done' WHERE node_id = 1$$),
	(NULL, 'no such state', $$SELECT josch.state_color('done')$$),
	(NULL, 'an engine edge', $$UPDATE josch.nodes SET state = 'running' WHERE node_id = 2$$),
	(NULL, 'a column that JOSCH keeps', $$UPDATE josch.nodes SET unmet = 0 WHERE node_id = 2$$),
	(NULL, 'a comment alone', $$UPDATE josch.nodes SET comment = 'x' WHERE node_id = 1$$),
	(NULL, 'a node that is not pending', $$INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name, state) VALUES (3, '2030-01-01', 'S', 'codes', 'x', 'succeeded')$$),
	(NULL, 'a run', $$INSERT INTO josch.runs (node_id, job_date, attempt, kind) VALUES (1, '2030-01-01', 1, 'bad kind')$$),
	(NULL, 'a cycle', $$INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (2, 1)$$),
	(NULL, 'a cycle', $$INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (2, '2030-01-01', 1, '2030-01-01')$$),
	(NULL, 'a cycle', $$SELECT josch.dag_topological_sort('VALUES (1, 2), (2, 1)')$$),
	(NULL, 'an edge without an end', $$SELECT josch.dag_find_cycle('SELECT 1, NULL::int')$$),
	(NULL, 'edges that write', $$SELECT josch.dag_find_cycle('DELETE FROM josch.tpl_node_deps RETURNING 1, 2')$$),
	(NULL, 'edges of another type', $$SELECT josch.dag_find_cycle('SELECT 1.5, 2')$$),
	(NULL, 'edges with three columns', $$SELECT josch.dag_find_cycle('SELECT 1, 2, 3')$$),
	(NULL, 'a blank name', $$INSERT INTO josch.tpl_jobs (job_name) VALUES ('')$$),
	(NULL, 'a missing value', $$INSERT INTO josch.tpl_nodes (node_id, node_type, job_name) VALUES (3, 'S', 'codes')$$),
	(NULL, 'a job that is not there', $$INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (3, 'S', 'nothing', 'x')$$),
	(NULL, 'a job that has nodes', $$DELETE FROM josch.tpl_jobs WHERE job_name = 'codes'$$),
	(NULL, 'a role that is not there', $$INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) VALUES (3, 'N', 'codes', 'x', 'SELECT 1', 'nobody of that name')$$),
	(NULL, 'a time zone that is not there', $$SELECT josch.today('Mars/Olympus')$$),
	(NULL, 'TRUNCATE', $$TRUNCATE josch.tpl_node_deps$$),
	(NULL, 'the record', $$DELETE FROM josch.nodes_audit$$),
	(NULL, 'the record', $$TRUNCATE josch.nodes_audit$$),
	(NULL, 'a directory that is not there', $$SELECT josch.load_csv('/nonexistent/josch')$$),
	(NULL, 'a mode that is not there', $$SELECT josch.load_csv('/', 'add')$$),
	(NULL, 'an argument that is missing', $$SELECT josch.load_csv(NULL)$$),
	(NULL, 'its own schema', $$SELECT josch.load_schema('josch')$$),
	(NULL, 'a schema that is not there', $$SELECT josch.load_schema(4294967295::oid::regnamespace)$$),
	(NULL, 'not preloaded', $$SELECT josch.wake()$$),
	(NULL, 'a trigger function by SELECT', $$SELECT josch.node_door()$$),
	(NULL, 'a setting', $$SET josch.now = 'whenever'$$),
	(NULL, 'a setting of that name', $$SET josch.nothing = 1$$),
	('nobody', 'no role', $$SELECT josch.health()$$),
	('viewer', 'an act', $$SELECT josch.signoff(1, '2030-01-01')$$),
	('viewer', 'a template', $$INSERT INTO josch.tpl_jobs (job_name) VALUES ('x')$$),
	('viewer', 'the files of the server', $$SELECT josch.export_csv('/tmp')$$),
	('operator', 'a day', $$SELECT josch.schedule('2030-01-02')$$),
	('operator', 'a pass', $$SELECT josch.tick()$$),
	('operator', 'the clock', $$SET josch.now = '2020-01-01'$$),
	('author', 'a command', $$UPDATE josch.tpl_nodes SET exec_command = 'id' WHERE node_id = 2$$),
	('author', 'a variable', $$INSERT INTO josch.environs VALUES ('X', 'y')$$),
	('author', 'SQL as another', $$INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) SELECT 3, 'N', 'codes', 'x', 'SELECT 1', rolname FROM pg_roles WHERE rolsuper LIMIT 1$$),
	('author', 'the files of the server', $$SELECT josch.load_csv('/tmp')$$),
	('author', 'an act', $$SELECT josch.force_start(2, '2030-01-01')$$);
\pset format unaligned
DO $$
DECLARE
	a record;
BEGIN
	FOR a IN SELECT * FROM attempts ORDER BY n LOOP
		BEGIN
			IF a.role IS NOT NULL THEN
				EXECUTE format('SET LOCAL ROLE %I', 'sqlstate_' || a.role);
			END IF;
			EXECUTE a.statement;
			RAISE WARNING 'nothing refused: %: %', a.kind, a.statement;
		EXCEPTION WHEN OTHERS THEN
			RAISE INFO '% % (%): %', SQLSTATE, a.kind, coalesce(a.role, 'superuser'), a.statement;
		END;
		RESET ROLE;
	END LOOP;
END $$;

SELECT count(*) FROM josch.unschedule('2030-01-01', 'codes');
DELETE FROM josch.nodes WHERE job_name = 'codes';
DELETE FROM josch.tpl_nodes WHERE job_name = 'codes';
DELETE FROM josch.tpl_jobs WHERE job_name = 'codes';
DROP ROLE sqlstate_viewer, sqlstate_operator, sqlstate_author, sqlstate_nobody;
