-- Nothing that stands on the caller's path is used by a function of JOSCH: only the query that the caller gives to dag_*() is the caller's.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('path'), ('other');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'S', 'path', 'first'), (2, 'N', 'path', 'second'), (3, 'N', 'other', 'third');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2), (2, 3);
INSERT INTO josch.environs VALUES ('PATH_TEST', 'x');

-- a function or operator of the same name for each that is not in pg_catalog for just these types, and for many that are
CREATE SCHEMA trap;
CREATE FUNCTION trap.sprung() RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE WARNING 'sprung, as %', current_user; END$$;
DO $$
DECLARE
	o record;
	k int := 0;
BEGIN
	-- operators: all of pg_catalog for the types that JOSCH has, and combinations that pg_catalog leaves to a cast
	FOR o IN SELECT DISTINCT name, l.t AS l, r.t AS r FROM unnest(ARRAY['=', '<>', '<', '>', '<=', '>=', '+', '-', '*', '||', '~', '->>', '?', '@>']) AS name,
		unnest(ARRAY['int', 'bigint', 'text', 'date', 'numeric', 'interval', 'timestamptz', 'jsonb', 'boolean', 'bigint[]', 'text[]', 'name']) AS l(t),
		unnest(ARRAY['int', 'bigint', 'text', 'date', 'numeric', 'interval', 'timestamptz', 'jsonb', 'boolean', 'bigint[]', 'text[]', 'name']) AS r(t)
	LOOP
		k := k + 1;
		EXECUTE format('CREATE FUNCTION trap.f%s(%s, %s) RETURNS boolean LANGUAGE plpgsql AS ''BEGIN PERFORM trap.sprung(); RETURN true; END''', k, o.l, o.r);
		EXECUTE format('CREATE OPERATOR trap.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = trap.f%s)', o.name, o.l, o.r, k);
	END LOOP;
	-- functions, with exact types, so that they would be taken before those that need a cast
	FOR o IN VALUES ('unnest', 'bigint[]', 'SETOF bigint'), ('unnest', 'date[]', 'SETOF date'), ('unnest', 'text[]', 'SETOF text'), ('unnest', 'int[]', 'SETOF int'),
		('strpos', 'text, text', 'int'), ('nextval', 'text', 'bigint'), ('nextval', 'regclass', 'bigint'), ('currval', 'regclass', 'bigint'), ('host', 'inet', 'text'),
		('isfinite', 'date', 'boolean'), ('jsonb_typeof', 'jsonb', 'text'), ('jsonb_each_text', 'jsonb', 'SETOF text'), ('lower', 'text', 'text'),
		('length', 'text', 'int'), ('char_length', 'text', 'int'), ('coalesce_', 'text', 'text'), ('extract', 'text, interval', 'numeric'), ('pg_notify', 'text, text', 'void'),
		('generate_subscripts', 'bigint[], int', 'SETOF int'), ('array_length', 'bigint[], int', 'int'), ('format', 'text', 'text')
	LOOP
		k := k + 1;
		EXECUTE format('CREATE FUNCTION trap.%s(%s) RETURNS %s LANGUAGE plpgsql AS ''BEGIN PERFORM trap.sprung(); RETURN; END''', o.column1, o.column2,
			CASE WHEN o.column3 LIKE 'SETOF%' THEN o.column3 ELSE 'void' END);
	END LOOP;
END $$;
CREATE FUNCTION trap.agg(text[], text) RETURNS text[] LANGUAGE plpgsql AS $$BEGIN PERFORM trap.sprung(); RETURN $1; END$$;
CREATE AGGREGATE trap.array_agg(text) (SFUNC = trap.agg, STYPE = text[], INITCOND = '{}');
-- tables and types that unqualified names would find first
CREATE TABLE trap.nodes (a int);
CREATE TABLE trap.runs (a int);
CREATE TABLE trap.pg_namespace (a int);
CREATE DOMAIN trap.text AS pg_catalog.int4;
CREATE TEMP TABLE nodes (a int);
CREATE TEMP TABLE pg_class (a int);

SET search_path = pg_temp, trap, pg_catalog;
-- the trap is set: whoever runs on this path falls into it
SELECT 1::bigint = 2::bigint AS fallen;

SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS dot FROM josch.dot('path');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS critical_path FROM josch.critical_path('path');
SELECT pg_catalog.count(*) AS sorted FROM josch.topological_sort('path');
SELECT pg_catalog.count(*) AS ancestors FROM josch.ancestors(3);
SELECT pg_catalog.count(*) AS descendants FROM josch.descendants(1);
SELECT pg_catalog.count(*) AS made FROM josch.schedule('2030-01-01');
SELECT josch.tick('2030-01-01 12:00 UTC') IS NOT NULL AS passed;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS dot FROM josch.dot('path', '2030-01-01');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS critical_path FROM josch.critical_path('path', '2030-01-01');
SELECT pg_catalog.count(*) AS sorted FROM josch.topological_sort(NULL, '2030-01-01');
SELECT pg_catalog.count(*) AS ancestors FROM josch.ancestors(3, '2030-01-01');
SELECT pg_catalog.count(*) AS descendants FROM josch.descendants(1, '2030-01-01');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS environment FROM josch.environment(1, '2030-01-01');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS health FROM josch.health();
SELECT pg_catalog.count(*) AS attention, pg_catalog.max(blocks) AS blocks, pg_catalog.max(pg_catalog.array_length(acts, 1)) AS acts FROM josch.attention;
SELECT pg_catalog.count(*) AS board FROM josch.board;
SELECT josch.signoff(1, '2030-01-01', 'on a strange path');
UPDATE josch.nodes SET state = 'held', comment = 'by UPDATE' WHERE node_id OPERATOR(pg_catalog.=) 3 AND state OPERATOR(pg_catalog.=) 'pending';
SELECT josch.rerun(1, '2030-01-01', NULL, true) IS NOT NULL AS rerun;
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS history FROM josch.history(1, '2030-01-01');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 0 AS board_at FROM josch.board_at('2030-01-01', pg_catalog.clock_timestamp());
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('third', 'Europe/Zurich');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (4, 'S', 'third', 'fourth');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (3, 4);
UPDATE josch.tpl_node_deps SET c_date = 1 WHERE c_node_id OPERATOR(pg_catalog.=) 4;
DELETE FROM josch.tpl_nodes WHERE node_id OPERATOR(pg_catalog.=) 4;
CREATE SCHEMA source;
CREATE TABLE source.tpl_jobs AS SELECT 'third'::pg_catalog.text AS job_name, 'loaded'::pg_catalog.text AS job_desc;
SELECT table_name, updated FROM josch.load_schema('source');
SELECT josch.instant('2030-01-01', '06:00', 'Europe/Zurich') IS NOT NULL AS instant, josch.day_offset('J', '2030-01-01', 0) IS NOT NULL AS day_offset,
	josch.today() IS NOT NULL AS today, josch.command_argv('echo $A') IS NOT NULL AS argv, josch.state_color('held') IS NOT NULL AS color;
\set VERBOSITY terse
SELECT josch.log(1);
SELECT josch.unschedule('2031-01-01') IS NULL;
SELECT josch.export_csv('/nonexistent');
SELECT josch.load_csv('/nonexistent');
\set VERBOSITY default

-- the query that is the caller's runs on the caller's path, and as the caller; the path is as it was when it is done
RESET search_path;
CREATE TABLE public.links (p bigint, c bigint);
INSERT INTO public.links VALUES (1, 2), (2, 3);
SET search_path = public, trap, pg_catalog;
SELECT node FROM josch.dag_topological_sort('SELECT p, c FROM links WHERE p < c');
SHOW search_path;
RESET search_path;

SET client_min_messages = warning;
DROP SCHEMA trap, source CASCADE;
RESET client_min_messages;
\set VERBOSITY terse
SELECT count(*) FROM josch.unschedule('2030-01-01', 'path');
\set VERBOSITY default
DROP TABLE public.links;
