-- Nothing is stored that the drivers of other languages cannot read (they fail on the whole query), and no text that cannot be run.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set ON_ERROR_ROLLBACK on
BEGIN;
-- every column of such a type; a new one comes with its check, or is written by the engine only, from a clock that is finite
SELECT c.relname || '.' || a.attname AS column_name, format_type(a.atttypid, a.atttypmod) AS type,
	(SELECT string_agg(k.conname, ' ' ORDER BY k.conname) FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)) AS checks,
	(SELECT string_agg(DISTINCT substr(g.grantee::regrole::text, 7), ' ') FROM aclexplode(c.relacl) g WHERE g.privilege_type = 'INSERT' AND g.grantee <> c.relowner) AS written_by
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = 'josch'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname !~ '_audit$' AND a.attnum > 0
	AND format_type(a.atttypid, NULL) ~ '^(date|time|interval|numeric|double|real|money)' ORDER BY c.relname COLLATE "C", a.attnum;

INSERT INTO josch.tpl_jobs (job_name) VALUES ('J');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'S', 'J', 'sign'), (2, 'N', 'J', 'do');
CREATE FUNCTION pg_temp.try(statement text, value text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rule text;
BEGIN
	EXECUTE format(statement, value);
	RETURN 'taken';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || coalesce(nullif(rule, ''), SQLERRM);
END $$;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (3, 'L', 'J', 'serve', 'true');
SELECT value, pg_temp.try('UPDATE josch.tpl_jobs SET valid_from = %L', value) AS valid_from, pg_temp.try('UPDATE josch.tpl_jobs SET loaded_on = %L', value) AS loaded_on,
	pg_temp.try('INSERT INTO josch.calendars (calendar_name, origin) VALUES (md5(random()::text), %L)', value) AS origin,
	pg_temp.try('INSERT INTO josch.calendars (calendar_name, known_until) VALUES (md5(random()::text), %L)', value) AS known_until,
	pg_temp.try('SELECT josch.schedule(%L, ''J'')', value) AS schedule
FROM unnest(ARRAY['0100-01-01', '9899-12-31', '0099-12-31', '9900-01-01', '0044-03-15 BC', '4713-01-01 BC', '5874897-12-31', 'infinity', '-infinity']) AS value;
SELECT value, pg_temp.try('INSERT INTO josch.node_deps VALUES (2, %L, 2, ''9899-12-31'')', value) AS p_date
FROM unnest(ARRAY['0001-01-01', '9999-12-31', '0001-12-31 BC', '10000-01-01', 'infinity', '-infinity']) AS value;
SELECT value, pg_temp.try('UPDATE josch.tpl_nodes SET signoff_time = %L WHERE node_id = 1', value) AS signoff_time
FROM unnest(ARRAY['00:00', '23:59:59.999999', '24:00', '167:59:59', '168:00', '1 day', '23:59:60', '23:59:59.9999999', '-1 minute', '1 day -1 hour', '06:30:00+09', '06:30-09', '06:30Z', '18:00 UTC', '6:30 PM']) AS value;
SELECT value, pg_temp.try('UPDATE josch.tpl_nodes SET start_time = %L WHERE node_id = 2', value) AS start_time, pg_temp.try('UPDATE josch.tpl_nodes SET start_time = %L WHERE node_id = 1', value) AS of_a_signoff
FROM unnest(ARRAY['00:00', '26:00', '167:59:59', '168:00', '1 day', '-1 minute', '06:30:00+09']) AS value;
SELECT value, pg_temp.try('UPDATE josch.tpl_nodes SET timeout = %L', value) AS timeout, pg_temp.try('UPDATE josch.tpl_nodes SET ready_after = %L', value) AS ready_after,
	pg_temp.try('UPDATE josch.tpl_nodes SET stop_grace = %L', value) AS stop_grace, pg_temp.try('UPDATE josch.tpl_nodes SET retry_delay = %L', value) AS retry_delay,
	pg_temp.try('UPDATE josch.tpl_nodes SET retry_max_delay = %L', value) AS retry_max_delay
FROM unnest(ARRAY['100 years', '36000 days', '1 month 1 day 1 hour', '100 years 1 day', '36000 days 24 hours', '101 years', '-1 hour', '1 day -1 hour', '-1 month 31 days', '1 hour -1 microsecond',
	'2147483647 days -51539607527 hours', '178000000 years']) AS value;
SELECT pg_temp.try('SELECT josch.tick(%L)', value), pg_temp.try('SET josch.now = %L', value) FROM unnest(ARRAY['infinity', '-infinity']) AS value;

-- what Linux would not start, and what nobody would read
SELECT length, pg_temp.try('UPDATE josch.tpl_nodes SET exec_command = repeat(''x'', %s) WHERE node_id = 2', length) AS exec_command,
	pg_temp.try('UPDATE josch.tpl_nodes SET ready_command = repeat(''x'', %s) WHERE node_id = 3', length) AS ready_command,
	pg_temp.try('INSERT INTO josch.environs VALUES (''V'', repeat(''x'', %s)) ON CONFLICT (var) DO UPDATE SET value = excluded.value', length) AS environs,
	pg_temp.try('UPDATE josch.tpl_jobs SET job_desc = repeat(''x'', %s)', length) AS job_desc
FROM unnest(ARRAY['100000', '100001']) AS length;
SELECT pg_temp.try('UPDATE josch.tpl_nodes SET exec_command = NULL, exec_sql = repeat(''x'', %s) WHERE node_id = 2', '1000000') AS exec_sql,
	pg_temp.try('UPDATE josch.tpl_nodes SET exec_sql = repeat(''x'', %s) WHERE node_id = 2', '1000001') AS exec_sql,
	pg_temp.try('UPDATE josch.tpl_nodes SET work_dir = rpad(''/'', %s, ''x'')', '4000') AS work_dir, pg_temp.try('UPDATE josch.tpl_nodes SET work_dir = rpad(''/'', %s, ''x'')', '4001') AS work_dir;
ROLLBACK;
