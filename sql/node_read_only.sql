/*
 * A session that may not write is told so in one sentence, by the name of what it
 * called; and an error of a person's act shows nothing of the statements by which
 * JOSCH does it.
 */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'S', 'J', 'ask'), (2, 'S', 'J', 'then');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2);
SELECT nodes FROM josch.schedule('2026-03-02', 'J');
SELECT josch.tick();
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
	$$BEGIN RAISE EXCEPTION 'not on my watch'; END$$;
CREATE TRIGGER refuse AFTER UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.state = 'ready') EXECUTE FUNCTION refuse();
SAVEPOINT s;
\set SHOW_CONTEXT always
SELECT josch.signoff(1, '2026-03-02');
ROLLBACK TO s;
SELECT josch.hold(9, '2026-03-02');
ROLLBACK TO s;
SET TRANSACTION READ ONLY;
SAVEPOINT s;
SELECT josch.signoff(1, '2026-03-02');
ROLLBACK TO s;
SELECT josch.schedule('2026-03-03');
ROLLBACK TO s;
SELECT josch.unschedule('2026-03-02');
ROLLBACK TO s;
SELECT josch.load_schema('public');
ROLLBACK TO s;
SELECT josch.load_csv('/nowhere');
ROLLBACK TO s;
SELECT josch.tick();
ROLLBACK TO s;
-- whoever only looks may do so
SELECT node_id, state FROM josch.nodes ORDER BY 1;
SELECT count(*) > 0 AS health FROM josch.health();
ROLLBACK;
-- each function that may write says so, whatever it is called with
\set SHOW_CONTEXT never
CREATE PROCEDURE public.try(what regprocedure) LANGUAGE plpgsql AS $$
DECLARE
	arguments text := (SELECT string_agg(format('NULL::%s', format_type(t, NULL)), ', ') FROM pg_proc, unnest(proargtypes) t WHERE oid = what);
BEGIN
	EXECUTE format('SELECT %s(%s)', what::regproc, arguments);
EXCEPTION
	WHEN read_only_sql_transaction THEN
		RAISE NOTICE '%', SQLERRM;
	WHEN OTHERS THEN
		NULL;
END$$;
SET default_transaction_read_only = on;
DO $$
DECLARE
	what regprocedure;
BEGIN
	FOR what IN SELECT oid FROM pg_proc WHERE pronamespace = 'josch'::regnamespace AND provolatile = 'v' AND NOT proisstrict
		AND prorettype <> 'trigger'::regtype AND prokind = 'f' ORDER BY oid::regprocedure::text COLLATE "C" LOOP
		CALL public.try(what);
	END LOOP;
END$$;
RESET default_transaction_read_only;
DROP PROCEDURE public.try;
