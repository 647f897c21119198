-- What a statement does as the extension's owner ends with it: whoever caused it has his own rights, path, settings and edges after, by
-- whichever statement; and what others have hung on the tables is done as the owner, whoever acts.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
CREATE ROLE regress_left IN ROLE josch_operator, josch_author, pg_execute_server_program;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'SQL, DMY';
-- a table that is the owner's alone, and triggers that write into it behind the tables that JOSCH writes by itself
CREATE TABLE public.seen (kind text, by name DEFAULT current_user);
CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
BEGIN
	INSERT INTO public.seen VALUES (TG_TABLE_NAME);
	RETURN NULL;
END $$;
CREATE TRIGGER see AFTER INSERT ON josch.nodes_audit FOR EACH ROW EXECUTE FUNCTION public.see();
CREATE TRIGGER see AFTER INSERT ON josch.node_deps_audit FOR EACH STATEMENT EXECUTE FUNCTION public.see();
CREATE TRIGGER see AFTER UPDATE OF unmet ON josch.nodes FOR EACH ROW WHEN (NEW.unmet <> OLD.unmet) EXECUTE FUNCTION public.see();

SET SESSION AUTHORIZATION regress_left;
-- does it, then says what is not as it was
CREATE FUNCTION pg_temp.left_by(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	before text[] := ARRAY(SELECT name || '=' || setting FROM pg_settings WHERE name NOT LIKE 'transaction%' ORDER BY name);
	left_behind text := '';
BEGIN
	EXECUTE statement;
	IF current_user <> session_user THEN
		left_behind := 'the rights of another';
	END IF;
	SELECT left_behind || coalesce(string_agg(' ' || s, ',' ORDER BY s), '') INTO left_behind
	FROM (SELECT name || '=' || setting AS s FROM pg_settings WHERE name NOT LIKE 'transaction%') x WHERE s <> ALL (before);
	BEGIN
		UPDATE josch.nodes SET state = 'running' WHERE node_id = 9 AND state = 'ready';
		RAISE EXCEPTION USING MESSAGE = CASE WHEN FOUND THEN ' the edges of the engine' ELSE ' no node to try it' END;
	EXCEPTION WHEN OTHERS THEN
		left_behind := left_behind || CASE SQLERRM WHEN 'cannot change node 9 of 2026-03-02 from "ready" to "running"' THEN '' ELSE SQLERRM END;
	END;
	RETURN left_behind;
END $$;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('left'), ('other');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (9, 'S', 'left', 'ready');
SELECT nodes FROM josch.schedule('2026-03-02', 'left');
SELECT n, pg_temp.left_by(statement), split_part(statement, ' ', 1) || ' ' || split_part(statement, ' ', 2) AS of
FROM (VALUES
	(1, $$INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (1, 'S', 'other', 'parent', NULL), (2, 'N', 'other', 'child', 'true'), (3, 'S', 'other', 'below', NULL)$$),
	(2, $$INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2), (2, 3)$$),
	(3, $$UPDATE josch.tpl_nodes SET work_dir = '/' WHERE node_id = 2$$),
	(4, $$INSERT INTO josch.environs VALUES ('LEFT', '1')$$),
	(5, $$SELECT josch.schedule('2026-03-02', 'other')$$),
	(6, $$UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 1$$),
	(7, $$SELECT josch.rerun(1, '2026-03-02', descendants => true)$$),
	(8, $$SELECT josch.hold(2, '2026-03-02')$$),
	(9, $$SELECT josch.force_start(2, '2026-03-02')$$),
	(10, $$SELECT * FROM josch.act('hold', ARRAY[2, 3], ARRAY['2026-03-02'::date])$$),
	(11, $$INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-03-02', 4, 'S', 'other', 'added')$$),
	(12, $$INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (4, '2026-03-02', 3, '2026-03-02')$$),
	(13, $$DELETE FROM josch.node_deps WHERE p_node_id = 4$$),
	(14, $$UPDATE josch.nodes SET timeout = '1 hour' WHERE node_id = 2$$),
	(15, $$SELECT * FROM josch.load(tpl_jobs => E'job_name,job_desc\nother,loaded\n')$$),
	(16, $$SELECT josch.environment(2, '2026-03-02'), josch.history(2, '2026-03-02'), josch.board_at('2026-03-02', now()), josch.dot('other', '2026-03-02'), josch.page('2026-03-02')$$),
	(17, $$SELECT josch.unschedule('2026-03-02', 'other')$$),
	(18, $$DELETE FROM josch.tpl_nodes WHERE job_name = 'other'$$)) s (n, statement)
ORDER BY n;
-- nor when it fails in the middle
BEGIN;
SAVEPOINT s;
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
SAVEPOINT made;
CREATE TRIGGER fail AFTER INSERT ON josch.nodes_audit FOR EACH ROW EXECUTE FUNCTION pg_temp.fail();
SET LOCAL SESSION AUTHORIZATION regress_left;
SAVEPOINT f;
\set SHOW_CONTEXT never
UPDATE josch.nodes SET state = 'held' WHERE node_id = 9;
\set SHOW_CONTEXT errors
ROLLBACK TO f;
SELECT current_user, current_setting('search_path') AS path, current_setting('datestyle') AS style;
SELECT pg_temp.left_by('SELECT 1');
ROLLBACK;
-- nor when the transaction is prepared
BEGIN;
UPDATE josch.nodes SET state = 'held' WHERE node_id = 9;
PREPARE TRANSACTION 'left';
SELECT current_user, current_setting('search_path') AS path;
COMMIT PREPARED 'left';
SELECT josch.release(9, '2026-03-02') = 'ready' AS released, pg_temp.left_by('SELECT 1');
RESET SESSION AUTHORIZATION;
SELECT kind, by = (SELECT tableowner FROM pg_tables WHERE schemaname = 'josch' AND tablename = 'nodes') AS as_the_owner, count(*) AS times FROM public.seen GROUP BY 1, 2 ORDER BY 1, 2;

DROP FUNCTION pg_temp.left_by(text);
DROP TRIGGER see ON josch.nodes_audit;
DROP TRIGGER see ON josch.node_deps_audit;
DROP TRIGGER see ON josch.nodes;
DROP TABLE public.seen;
DROP FUNCTION public.see();
SELECT count(*) FROM josch.unschedule('2026-03-02');
DELETE FROM josch.tpl_nodes WHERE job_name IN ('left', 'other');
DELETE FROM josch.tpl_jobs WHERE job_name IN ('left', 'other');
DELETE FROM josch.environs WHERE var = 'LEFT';
DROP ROLE regress_left;
