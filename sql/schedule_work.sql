-- What making a day costs, counted: no trigger is called for each node, no row of another day is read, no foreign key is asked for
-- row by row.  What people put on the tables holds as for any INSERT.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY terse
INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('Small', '2026-01-01'), ('Large', '2026-01-01');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
	SELECT n, 'N', CASE WHEN n <= 20 THEN 'Small' ELSE 'Large' END, 'node ' || n, 'true' FROM generate_series(1, 1020) n;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT n, n + 1 FROM generate_series(1, 1019) n WHERE n <> 20;

-- triggers that are called more often for 1,000 nodes than for 20
CREATE FUNCTION pg_temp.calls() RETURNS TABLE (function name, calls bigint) LANGUAGE sql AS $$
	SELECT p.proname, coalesce(pg_stat_get_xact_function_calls(p.oid), 0) FROM pg_proc p
	WHERE p.pronamespace = 'josch'::regnamespace AND p.prorettype = 'trigger'::regtype
$$;
CREATE FUNCTION pg_temp.reads() RETURNS TABLE (relation name, seq bigint, idx bigint) LANGUAGE sql AS $$
	SELECT relname, coalesce(seq_tup_read, 0), coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_all_tables WHERE schemaname = 'josch'
$$;
SET track_functions = 'all';
BEGIN;
SELECT * FROM josch.schedule('2026-02-02', 'Small');
CREATE TEMP TABLE small ON COMMIT DROP AS SELECT * FROM pg_temp.calls();
SELECT * FROM josch.schedule('2026-02-02', 'Large');
SELECT function FROM pg_temp.calls() l JOIN small s USING (function) WHERE l.calls - s.calls > s.calls + 2 ORDER BY 1;
COMMIT;
-- other days are there, and statistics that know nothing of the next one
SELECT count(*) FROM generate_series(1, 5) d, josch.schedule(date '2026-02-02' + d);
ANALYZE josch.nodes, josch.node_deps, josch.jobs;
BEGIN;
SELECT * FROM josch.schedule('2026-02-09', 'Large');
SELECT relation, (seq + idx) / 1000 AS times FROM pg_temp.reads() WHERE relation IN ('nodes', 'node_deps', 'jobs') AND seq + idx > 1000 ORDER BY 1;
COMMIT;

-- nor the dependencies of other jobs, in templates and days, when a small one is made and taken back
INSERT INTO josch.tpl_node_deps SELECT n, -1, n, 0 FROM generate_series(1, 1020) n;
SELECT count(*) FROM josch.schedule('2026-02-10');
SELECT count(*) FROM josch.schedule('2026-02-11', 'Large');
ANALYZE josch.nodes, josch.node_deps, josch.jobs, josch.tpl_nodes, josch.tpl_node_deps;
BEGIN;
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM pg_temp.reads();
SELECT * FROM josch.schedule('2026-02-11', 'Small');
SELECT relation, (l.seq + l.idx - b.seq - b.idx) / 20 AS times FROM pg_temp.reads() l JOIN before b USING (relation) WHERE relation = 'tpl_node_deps' AND l.seq + l.idx - b.seq - b.idx > 300 ORDER BY 1;
COMMIT;
BEGIN;
CREATE TEMP TABLE before ON COMMIT DROP AS SELECT * FROM pg_temp.reads();
SELECT * FROM josch.unschedule('2026-02-11', 'Small');
SELECT relation, (l.seq + l.idx - b.seq - b.idx) / 20 AS times FROM pg_temp.reads() l JOIN before b USING (relation) WHERE relation IN ('node_deps', 'tpl_node_deps') AND l.seq + l.idx - b.seq - b.idx > 300 ORDER BY 1;
COMMIT;
SELECT count(*) FROM josch.unschedule('2026-02-11');
SELECT count(*) FROM josch.unschedule('2026-02-10');
DELETE FROM josch.tpl_node_deps WHERE p_date = -1;

-- the record has each row as it is, one by one; the board of that moment is the board, and each node has its history
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
SELECT (SELECT count(*) FROM josch.nodes n JOIN josch.nodes_audit a USING (job_date, node_id)
		WHERE a.operation = 'INSERT' AND a.old_values IS NULL AND a.new_values = jsonb_strip_nulls(to_jsonb(n) || jsonb_build_object('retry_on', n.retry_on::text)) - '{unmet,impossible,satisfied,level,limit_group}'::text[]) = (SELECT count(*) FROM josch.nodes) AS nodes,
	(SELECT count(*) FROM josch.node_deps d JOIN josch.node_deps_audit a USING (p_node_id, p_date, c_node_id, c_date, lag)
		WHERE a.operation = 'INSERT' AND a.old_values IS NULL AND a.new_values = to_jsonb(d)) = (SELECT count(*) FROM josch.node_deps) AS dependencies,
	(SELECT count(*) = count(DISTINCT audit_id) FROM (SELECT audit_id FROM josch.nodes_audit UNION ALL SELECT audit_id FROM josch.node_deps_audit UNION ALL SELECT audit_id FROM josch.jobs_audit) a) AS numbered;
SELECT (SELECT count(*) FROM (SELECT to_jsonb(b) FROM josch.board_at('2026-02-02', 'infinity') b EXCEPT SELECT to_jsonb(b) FROM josch.board b WHERE job_date = '2026-02-02') x) AS differ,
	(SELECT count(*) FROM josch.board_at('2026-02-02', 'infinity')) AS rows;
SELECT replace(sentence, session_user, 'me') AS sentence, count(*) FROM josch.nodes n, josch.history(n.node_id, n.job_date) h WHERE n.job_date = '2026-02-02' GROUP BY 1 ORDER BY 1;

-- triggers that people put on the tables see each row, and what they leave out is left out
CREATE FUNCTION public.watch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_TABLE_NAME = 'nodes' AND TG_WHEN = 'BEFORE' AND NEW.node_id = 7 THEN
		RETURN NULL;
	END IF;
	IF NEW.job_date = '2026-03-02' AND TG_LEVEL = 'ROW' THEN
		PERFORM nextval(format('public.%s_%s', TG_TABLE_NAME, lower(TG_WHEN)));
	END IF;
	RETURN NEW;
END $$;
CREATE SEQUENCE public.nodes_before; CREATE SEQUENCE public.nodes_after;
CREATE TRIGGER watch_before BEFORE INSERT ON josch.nodes FOR EACH ROW EXECUTE FUNCTION public.watch();
CREATE TRIGGER watch_after AFTER INSERT ON josch.nodes FOR EACH ROW EXECUTE FUNCTION public.watch();
-- its child has no parent any more to wait for, and the node that was left out can be no child
SELECT job_name, nodes FROM josch.schedule('2026-03-02', 'Small');
DELETE FROM josch.tpl_node_deps WHERE c_node_id = 7;
SELECT job_name, nodes FROM josch.schedule('2026-03-02', 'Small');
SELECT (SELECT last_value FROM public.nodes_before) AS before, (SELECT last_value FROM public.nodes_after) AS after,
	count(*), count(*) FILTER (WHERE a.new_values IS NOT NULL) AS recorded
	FROM josch.nodes n LEFT JOIN josch.nodes_audit a ON a.job_date = n.job_date AND a.node_id = n.node_id AND a.operation = 'INSERT' WHERE n.job_date = '2026-03-02';
DROP TRIGGER watch_before ON josch.nodes;
DROP TRIGGER watch_after ON josch.nodes;
DROP FUNCTION public.watch();
DROP SEQUENCE public.nodes_before, public.nodes_after;

-- a constraint of theirs is asked for each row
ALTER TABLE josch.nodes ADD CONSTRAINT short CHECK (node_name <> 'node 15') NOT VALID;
SELECT * FROM josch.schedule('2026-03-03', 'Small');
ALTER TABLE josch.nodes DROP CONSTRAINT short;
-- and a column of theirs has its default
ALTER TABLE josch.nodes ADD COLUMN shade text DEFAULT 'plain' NOT NULL, ADD COLUMN loud text GENERATED ALWAYS AS (upper(node_name)) STORED;
SELECT nodes FROM josch.schedule('2026-03-03', 'Small');
SELECT DISTINCT shade, loud = upper(node_name) AS generated FROM josch.nodes WHERE job_date = '2026-03-03';
RESET track_functions;
DROP EXTENSION josch;
