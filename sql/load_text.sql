-- josch.load: CSV that comes with the call; what a text may look like, and what is refused, with its place.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY verbose
\set SHOW_CONTEXT always
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;
CREATE FUNCTION public.nodes(body text, header text DEFAULT 'node_id,node_type,job_name,node_name,exec_command') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text; context text;
BEGIN
	RETURN (SELECT concat_ws(' ', inserted, updated, deleted) FROM josch.load(tpl_nodes => header || E'\n' || body) WHERE table_name = 'tpl_nodes');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	RETURN concat_ws(E'\n  ', state || ' ' || message, nullif(detail, ''), nullif(hint, ''), substring(context FROM '^Text.*'));
END $$;

-- some of the four, all of them, all there is
SELECT * FROM josch.load(tpl_jobs => E'job_name\nJ\n');
SELECT * FROM josch.load(E'var,value\nV,1', E'job_name\nJ', E'node_id,node_type,job_name,node_name\n1,N,J,one\n2,N,J,two', E'p_node_id,c_node_id\n1,2');
SELECT * FROM josch.load(E'var,value\n', E'job_name\nJ', E'node_id,node_type,job_name,node_name\n2,N,J,two', E'p_node_id,c_node_id', 'replace');
\set VERBOSITY default
SELECT * FROM josch.load(tpl_jobs => E'job_name\nJ', mode => 'replace');
SELECT * FROM josch.load();
SELECT * FROM josch.load(tpl_jobs => '');
SELECT * FROM josch.load(tpl_jobs => E'job_name\nJ', mode => NULL);

-- quotes, commas, line ends within and behind, a byte order mark, blank lines, no end of the last line
SELECT public.nodes(E'1,N,J,one,"echo ""hi"", you"\n\n2,N,J,two,"a\nb\r\nc\rd"\n3,N,J,three,""\n4,N,J,four,');
SELECT public.nodes(E'5,N,J,five,"\\."\n6,N,J,six,"a\n\\.\nb"');
SELECT count(*) FROM josch.load(tpl_nodes => E'\ufeffnode_id,node_type,job_name,node_name,exec_command\r\n7,N,J,seven,"a\rb"\r\n\r\n');
SELECT count(*) FROM josch.load(tpl_nodes => E'exec_command,node_name,job_name,node_type,node_id\ra,eight,J,N,8\r"b\nc",nine,J,N,9\r\r');
SELECT node_id, node_name, to_json(exec_command) FROM josch.tpl_nodes ORDER BY 1;

-- what is doubtful
SELECT public.nodes(E'1,N,J,one,true\n2,N,J,two,echo "hi"\n');
SELECT public.nodes(E'1,N,J,one,true\n2,N,J, "two",true\n');
SELECT public.nodes(E'1,N,J,"o\nne",true\n2,N,J,"two"!,true\n');
SELECT public.nodes(E'1,N,J,"o\r\nn\re",true\n2,N,J,"two,true\n3,N,J,three,\n');
SELECT public.nodes(E'1,N,J,one,true\n2,N,J,two,a\rb\n');
SELECT public.nodes(E'1,N,J,one,true\r\n2,N,J,two,true\n');
SELECT public.nodes(E'1,N,J,one,true\n2,N,J,two\n');
SELECT public.nodes(E'1,N,J,one,true\n2,N,J,two,true,\n');
SELECT public.nodes(E'1,N,J,one\n', 'node_id,node_type,job_name,node_name,node_name');
\set SHOW_CONTEXT never
SELECT public.nodes(E'1,N,J,one\n', 'node_id,node_type,job_name,nodename');
\set SHOW_CONTEXT errors
SELECT public.nodes(E'1,N,J,one\n', 'node_id,"node_type,job_name,node_name');
SELECT public.nodes(E'1,N,J,one\n2,N,J,' || repeat('x', 300) || E'\n3,N,J,three,four,five\n', 'node_id,node_type,job_name,node_name');

-- dates and times of day in one form, whatever DateStyle is
SET datestyle = 'German, DMY';
SELECT value, public.nodes('20,S,J,time,' || value, 'node_id,node_type,job_name,node_name,signoff_time') FROM unnest(ARRAY['06:30', '6:30', '06:30:00', '23:59:59.5',
	'06:30:00+09', '06:30Z', '06:30 UTC', '06:30:00 Europe/Zurich', '06:30 PM', '063000', '25:00', '126:30', '168:00', '0126:30', '1 day 02:00', 'now', 'allballs', '06:30:', '06:30:00.', '2026-01-02 06:30']) AS value;
SELECT value, public.nodes('22,N,J,start,' || value, 'node_id,node_type,job_name,node_name,start_time') FROM unnest(ARRAY['06:30', '26:30', '06:30:00+09', '063000']) AS value;
CREATE FUNCTION pg_temp.job(value text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM josch.load(tpl_jobs => E'job_name,valid_from\nD,' || value);
	RETURN (SELECT to_char(valid_from, 'YYYY-MM-DD') FROM josch.tpl_jobs WHERE job_name = 'D');
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT value, pg_temp.job(value) FROM unnest(ARRAY['2026-03-04', '04.03.2026', '03/04/2026', '2026-3-4', '20260304', '2026-02-30', 'today', 'infinity', '-infinity', 'epoch',
	'2026-03-04 BC', '12026-03-04', '2026-03-04 00:00', '0000-01-01', '']) AS value;
-- a table's own values come out in that form too, but a time zone does not get lost
CREATE TEMPORARY TABLE tpl_jobs AS SELECT 'D' AS job_name, date '2026-03-05' AS valid_from;
CREATE TEMPORARY TABLE tpl_nodes AS SELECT 21 AS node_id, 'S' AS node_type, 'J' AS job_name, 'zone' AS node_name, time '06:30' AS signoff_time;
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
ALTER TABLE pg_temp.tpl_nodes ALTER signoff_time TYPE timetz;
UPDATE pg_temp.tpl_nodes SET signoff_time = '06:30:00+09';
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
RESET datestyle;
DROP TABLE pg_temp.tpl_jobs, pg_temp.tpl_nodes;

-- in a form that is filled in in part, what has nothing but its default was not named
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, exec_sql_atomic, timeout, ready_after) VALUES (30, 'N', 'J', 'sql', 'SELECT 1', false, '1 hour', '5 s');
CREATE TEMPORARY TABLE tpl_nodes (LIKE josch.tpl_nodes INCLUDING DEFAULTS);
COPY pg_temp.tpl_nodes (node_id, node_type, job_name, node_name) FROM STDIN (FORMAT csv);
30,N,J,renamed
31,N,J,new
\.
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
UPDATE pg_temp.tpl_nodes SET timeout = '2 hours' WHERE node_id = 31;
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
SELECT node_id, node_name, exec_sql, exec_sql_atomic, timeout, ready_after FROM josch.tpl_nodes WHERE node_id IN (30, 31) ORDER BY 1;
ROLLBACK;
