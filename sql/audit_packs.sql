-- Many rows that come or go at once are kept as few, and read as rows like others.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
SET timezone = 'UTC';
SET intervalstyle = 'postgres';
CREATE FUNCTION pg_temp.kept() RETURNS TABLE (name text, operation text, packs bigint, packed bigint, rows bigint) LANGUAGE sql AS $$
	SELECT name, operation, count(DISTINCT first_audit_id), coalesce(sum(row_count), 0), coalesce(sum(rows), 0) FROM (
		SELECT table_name::text AS name, operation, first_audit_id, row_count, NULL::bigint AS rows FROM josch.audit_packs
		UNION ALL SELECT 'environs_audit', operation, NULL, NULL, count(*) FROM ONLY josch.environs_audit GROUP BY operation
		UNION ALL SELECT 'nodes_audit', operation, NULL, NULL, count(*) FROM ONLY josch.nodes_audit GROUP BY operation
		UNION ALL SELECT 'node_deps_audit', operation, NULL, NULL, count(*) FROM ONLY josch.node_deps_audit GROUP BY operation
		UNION ALL SELECT 'tpl_nodes_audit', operation, NULL, NULL, count(*) FROM ONLY josch.tpl_nodes_audit GROUP BY operation
		UNION ALL SELECT 'tpl_node_deps_audit', operation, NULL, NULL, count(*) FROM ONLY josch.tpl_node_deps_audit GROUP BY operation) k
	GROUP BY 1, 2 ORDER BY 1, 2
$$;
BEGIN;
INSERT INTO josch.environs SELECT 'V' || n, n FROM generate_series(1, 100) n;
SELECT operation, count(DISTINCT var), bool_and(new_values = jsonb_build_object('var', var, 'value', substr(var, 2))) FROM josch.environs_audit WHERE var LIKE 'V%' GROUP BY 1;
INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('Many', '2026-01-01');
-- few rows are rows; NULL here and there, text of any kind; with what is written beside them
SET LOCAL josch.comment = 'first load';
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
	SELECT n, 'N', 'Many', 'node ' || n, CASE WHEN n % 7 <> 0 THEN 'echo "' || n || '\ é"' END FROM generate_series(1, 31) n;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
	SELECT n, 'N', 'Many', 'node ' || n, CASE WHEN n % 7 <> 0 THEN 'echo "' || n || '\ é"' END FROM generate_series(32, 2532) n;
SET LOCAL josch.comment = '';
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT n, n + 1 FROM generate_series(1, 2531) n;
SELECT count(*) FROM josch.schedule('2026-02-02') UNION ALL SELECT count(*) FROM josch.schedule('2026-02-03');
SELECT * FROM pg_temp.kept();
-- each as it is, whichever way it is kept
SELECT count(*), count(DISTINCT audit_id), bool_and(a.new_values = jsonb_strip_nulls(to_jsonb(n) || jsonb_build_object('retry_on', n.retry_on::text))), bool_and(old_values IS NULL), bool_and(a.comment = 'first load')
FROM josch.tpl_nodes n JOIN josch.tpl_nodes_audit a USING (node_id) WHERE operation = 'INSERT';
SELECT count(*), bool_and(a.new_values = jsonb_strip_nulls(to_jsonb(d))), bool_and(a.comment IS NULL)
FROM josch.tpl_node_deps d JOIN josch.tpl_node_deps_audit a USING (p_node_id, p_date, c_node_id, c_date);
SELECT a.node_id, a.job_date, a.operation, a.session_name = session_user AS me, a.application, a.new_values ->> 'exec_command' AS command
FROM josch.nodes_audit a WHERE job_date = '2026-02-03' AND node_id IN (1, 7, 1000, 2532) ORDER BY 1;
-- found by date and node, in whatever form that is asked; not where there is none
SELECT count(*) FROM josch.nodes_audit WHERE job_date = '2026-02-03' AND node_id = 2532;
SELECT count(*) FROM josch.nodes_audit WHERE '2026-02-03' = job_date AND 2532 = node_id;
SELECT count(*) FROM josch.nodes_audit WHERE node_id = 2532::bigint;
SELECT count(*) FROM josch.nodes_audit WHERE node_id = 2533;
SELECT count(*) FROM josch.nodes_audit WHERE job_date = NULL::date;
SELECT count(*) FROM josch.nodes_audit WHERE job_date = '2026-02-04';
PREPARE of_node(bigint, date) AS SELECT count(*) FROM josch.nodes_audit WHERE job_date = $2 AND node_id = $1;
SET LOCAL plan_cache_mode = force_generic_plan;
EXECUTE of_node(1500, '2026-02-02');
EXECUTE of_node(NULL, '2026-02-02');
-- a scan that is begun again for each row
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SELECT n, (SELECT count(*) FROM josch.nodes_audit a WHERE a.node_id = n AND a.job_date = date '2026-02-01' + i) FROM generate_series(2530, 2534, 2) n, generate_series(1, 2) i ORDER BY 1, 2;
-- only what the snapshot sees
DECLARE of_before CURSOR FOR SELECT count(*) FROM josch.nodes_audit WHERE operation = 'DELETE';
-- nodes of two dates in one statement; nobody acts by an INSERT
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, action, acted_by, acted_at, comment)
	SELECT date '2026-02-02' + n % 2, 3000 + n, 'N', 'Many', 'more ' || n, 'true',
		CASE WHEN n < 3 THEN 'hold' END, CASE WHEN n < 3 THEN session_user END, CASE WHEN n < 3 THEN josch.now() END, CASE WHEN n < 3 THEN 'held ' || n END
	FROM generate_series(1, 40) n;
SELECT node_id, job_date, comment FROM josch.nodes_audit WHERE node_id BETWEEN 3001 AND 3004 ORDER BY 1;
SELECT job_date, array_agg(row_count ORDER BY row_count) FROM josch.audit_packs WHERE table_name = 'nodes_audit' AND first_id > 3000 GROUP BY 1 ORDER BY 1;
SELECT count(*), count(DISTINCT audit_id), count(DISTINCT job_date) FROM josch.nodes_audit WHERE node_id > 3000;
-- what many UPDATEs changed, of different columns, to and from NULL; the key too
UPDATE josch.nodes SET exec_command = exec_command || ' again' WHERE job_date = '2026-02-03' AND node_id <= 40;
SELECT node_id, old_values, new_values FROM josch.nodes_audit WHERE job_date = '2026-02-03' AND node_id IN (2, 7, 40) AND operation = 'UPDATE' ORDER BY 1;
SAVEPOINT updates;
CREATE TEMP TABLE last AS SELECT max(audit_id) AS id FROM josch.tpl_nodes_audit;
CREATE TEMP TABLE before AS SELECT * FROM josch.tpl_nodes;
UPDATE josch.tpl_nodes SET exec_command = CASE n % 3 WHEN 0 THEN NULL WHEN 1 THEN exec_command ELSE 'new ' || n END,
	timeout = CASE WHEN n % 2 = 0 THEN interval '1 hour' END, node_name = CASE WHEN n % 50 = 0 THEN 'named ' || b.id ELSE node_name END,
	node_id = CASE WHEN n % 100 = 0 THEN node_id + 10000 ELSE node_id END, ready_after = CASE WHEN n % 11 = 0 THEN interval '3 s' ELSE ready_after END
	FROM (SELECT node_id AS id, node_id % 1000 AS n FROM before) b WHERE b.id = tpl_nodes.node_id;
CREATE FUNCTION pg_temp.differ(a jsonb, b jsonb, OUT old jsonb, OUT new jsonb) LANGUAGE sql AS $$
	SELECT coalesce(jsonb_object_agg(key, a -> key) FILTER (WHERE a -> key <> b -> key), '{}'), coalesce(jsonb_object_agg(key, b -> key) FILTER (WHERE a -> key <> b -> key), '{}') FROM jsonb_object_keys(a) key
$$;
SELECT count(*), count(DISTINCT audit_id), bool_and(a.old_values = d.old AND a.new_values = d.new AND a.node_id = n.node_id) AS all_as_it_is,
	(SELECT count(*) FROM before b JOIN josch.tpl_nodes n ON n.node_id % 10000 = b.node_id WHERE to_jsonb(b) <> to_jsonb(n)) AS changed
FROM josch.tpl_nodes_audit a JOIN josch.tpl_nodes n USING (node_id) JOIN before b ON b.node_id = n.node_id % 10000, pg_temp.differ(to_jsonb(b), to_jsonb(n)) d
WHERE a.operation = 'UPDATE' AND a.audit_id > (SELECT id FROM last);
SELECT count(*) < 200 AND sum(row_count) > 2000 AS few FROM josch.audit_packs WHERE table_name = 'tpl_nodes_audit' AND operation = 'UPDATE';
-- each with the comment of its act
SELECT count(*) FROM josch.act('hold', (SELECT array_agg(node_id) FROM josch.nodes WHERE job_date = '2026-02-03'), array_fill(date '2026-02-03', array[2552]), 'all at once');
SELECT a.comment, count(*) FROM josch.nodes_audit a WHERE job_date = '2026-02-03' AND new_values ->> 'action' = 'hold' GROUP BY 1;
UPDATE josch.nodes SET state = 'pending', comment = 'of ' || node_id % 3 WHERE job_date = '2026-02-03' AND node_id <= 90;
SELECT a.comment, count(*) FROM josch.nodes_audit a WHERE job_date = '2026-02-03' AND new_values ->> 'action' = 'release' GROUP BY 1 ORDER BY 1;
ROLLBACK TO updates;
SELECT * FROM josch.unschedule('2026-02-02');
FETCH of_before;
SELECT operation, count(*), bool_and(new_values IS NULL), count(DISTINCT old_values ->> 'node_name') FROM josch.nodes_audit WHERE job_date = '2026-02-02' GROUP BY 1 ORDER BY 1;
SELECT * FROM pg_temp.kept() WHERE operation = 'DELETE';
SELECT left(sentence, 60) FROM josch.history(1500, '2026-02-02');
SELECT count(*) FROM josch.board_at('2026-02-03', 'infinity');
SELECT count(*) FROM josch.board_at('2026-02-02', 'infinity');
-- each row belongs to its transaction
SET CONSTRAINTS ALL IMMEDIATE;
COMMIT;
SELECT count(*) FROM josch.nodes_audit a WHERE (SELECT count(*) FROM josch.audit_commits c WHERE c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id) <> 1;

-- more rows than a statement takes numbers at once, and what comes after them
BEGIN;
INSERT INTO josch.environs SELECT 'W' || n, n FROM generate_series(1, 5000) n;
INSERT INTO josch.environs VALUES ('W0', '0');
COMMIT;
SELECT count(*), count(DISTINCT audit_id), max(audit_id) = max(audit_id) FILTER (WHERE var = 'W0') AS in_order FROM josch.environs_audit WHERE var LIKE 'W%';
-- a change that is made while another is recorded is of the same commit
CREATE FUNCTION public.again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF NEW.var = 'AGAIN' THEN
		INSERT INTO josch.environs VALUES ('AFTER_AGAIN', '1');
	END IF;
	RETURN NULL;
END $$;
CREATE TRIGGER again AFTER INSERT ON josch.environs_audit FOR EACH ROW EXECUTE FUNCTION public.again();
INSERT INTO josch.environs VALUES ('AGAIN', '1');
DROP TRIGGER again ON josch.environs_audit;
DROP FUNCTION public.again();
SELECT count(DISTINCT var), count(DISTINCT a.xid), count(DISTINCT c.xid) FROM josch.environs_audit a
	LEFT JOIN josch.audit_commits c ON c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id WHERE var LIKE '%AGAIN';
SELECT count(*) FROM josch.environs_audit a WHERE (SELECT count(*) FROM josch.audit_commits c WHERE c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id) <> 1;
DELETE FROM josch.environs WHERE var LIKE 'W%' OR var LIKE '%AGAIN';

-- what people put on the record holds for each row: then there are no packs
BEGIN;
SELECT sum(packs) FROM pg_temp.kept();
CREATE TABLE public.seen (node_id bigint);
CREATE FUNCTION public.see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen VALUES (NEW.node_id); RETURN NULL; END$$;
CREATE TRIGGER see AFTER INSERT ON josch.nodes_audit FOR EACH ROW EXECUTE FUNCTION public.see();
SELECT nodes FROM josch.schedule('2026-02-04');
SELECT count(*), count(DISTINCT node_id) FROM public.seen;
DROP TRIGGER see ON josch.nodes_audit;
ALTER TABLE josch.nodes_audit ADD note text DEFAULT 'noted';
SELECT nodes FROM josch.schedule('2026-02-05');
SELECT job_date, note, count(*) FROM josch.nodes_audit WHERE job_date >= '2026-02-03' AND operation = 'INSERT' GROUP BY 1, 2 ORDER BY 1, 2;
ALTER TABLE josch.nodes_audit DROP note;
ALTER TABLE josch.nodes_audit ADD CONSTRAINT small CHECK (node_id < 9000);
SELECT nodes FROM josch.schedule('2026-02-06');
ALTER TABLE josch.nodes_audit DROP CONSTRAINT small;
SELECT nodes FROM josch.schedule('2026-02-07');
SELECT job_date, count(*) FROM josch.audit_packs WHERE table_name = 'nodes_audit' AND job_date >= '2026-02-04' GROUP BY 1 ORDER BY 1;
-- nobody writes there, nor reads by another way
UPDATE josch.nodes_audit SET comment = 'mended' WHERE job_date = '2026-02-07';
DELETE FROM ONLY josch.nodes_audit_packed;
INSERT INTO josch.nodes_audit_packed SELECT * FROM josch.nodes_audit LIMIT 1;
TRUNCATE josch.nodes_audit_packed;
SET ROLE josch_author;
SELECT count(*) > 0 FROM josch.nodes_audit;
SELECT count(*) FROM josch.nodes_audit_packed;
SELECT josch.audit_packed_handler();
CREATE FOREIGN TABLE pg_temp.mine (node_id bigint) SERVER josch_packed;
RESET ROLE;
CREATE FOREIGN TABLE public.nodes_audit_packed (node_id bigint) SERVER josch_packed;
SELECT * FROM public.nodes_audit_packed;
ROLLBACK;
BEGIN;
SELECT count(*) FROM josch.unschedule('2026-02-03');
DELETE FROM josch.tpl_nodes WHERE job_name = 'Many';
DELETE FROM josch.tpl_jobs WHERE job_name = 'Many';
SELECT * FROM pg_temp.kept() WHERE operation = 'DELETE';
COMMIT;
