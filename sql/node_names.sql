-- The name of a job or node is one line that is seen as it is, and of a length that a window can show.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('names');
-- the constraint that refuses it, else "taken"
CREATE FUNCTION pg_temp.try(statement text, VARIADIC args text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	constraint_name text;
BEGIN
	BEGIN
		EXECUTE format(statement, VARIADIC args);
		RAISE EXCEPTION USING ERRCODE = 'P0099';
	EXCEPTION
		WHEN check_violation THEN GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME;
		WHEN SQLSTATE 'P0099' THEN RETURN 'taken';
	END;
	RETURN constraint_name;
END $$;
SELECT what,
	pg_temp.try('INSERT INTO josch.tpl_jobs (job_name) VALUES (%L)', name) AS job,
	pg_temp.try('INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, ''S'', ''names'', %L)', name) AS node
FROM (VALUES (1, 'plain', 'Sign the prices off'), (2, '200 characters', repeat('W', 200)), (3, '200 of two bytes', repeat(U&'\00fc', 200)),
	(4, '201 characters', repeat('W', 201)), (5, 'very long', repeat('W', 200000)), (6, 'blank', ' '), (7, 'empty', ''),
	(8, 'line end', E'gate\nApproved by: audit'), (9, 'carriage return', E'gate\r'), (10, 'tab', E'gate\tx'), (11, 'escape', E'\x1b[31mred'),
	(12, 'delete', E'x\x7f'), (13, 'C1', U&'x\0085y'), (14, 'override', U&'gate\202e'), (15, 'isolate', U&'\2066gate'), (16, 'mark', U&'gate\200fx'),
	(17, 'line separator', U&'x\2028y'), (18, 'paragraph separator', U&'x\2029y'), (19, 'zero width', U&'pay\200b'), (20, 'byte order mark', U&'\feffpay'),
	(21, 'tag', U&'pay\+0e0061'), (22, 'Arabic letter mark', U&'\061cx'),
	(23, 'German, Hebrew, Arabic, Thai', U&'\00c4\05d0\05d1 \0627\0644 \0e01\0e33'), (24, 'emoji with a joiner', U&'\+01f468\200d\+01f4bb'), (25, 'no-break space', U&'x\00a0y'),
	(26, 'private use', U&'\e000'), (27, 'soft hyphen', U&'pay\00adroll'), (28, 'filler of Hangul', U&'\3164'), (29, 'vowel separator', U&'pay\180e'),
	(30, 'grapheme joiner', U&'pay\034f'), (31, 'control of music', U&'pay\+01d173'), (32, 'sign with a variant', U&'\2764\fe0f')) v (n, what, name)
ORDER BY n;
-- in the days too, whoever writes there
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('names', '2030-01-01', 'UTC');
SELECT pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES (%L, ''2030-01-01'', ''UTC'')', E'a\nb') AS job,
	pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES (%L, ''2030-01-01'', ''UTC'')', repeat('W', 201)) AS job,
	pg_temp.try('INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name) VALUES (1, ''2030-01-01'', ''S'', ''names'', %L)', E'a\nb') AS node,
	pg_temp.try('UPDATE josch.tpl_jobs SET job_name = %L', U&'\202e') AS renamed,
	pg_temp.try('INSERT INTO josch.environs VALUES (%L)', repeat('W', 201)) AS var, pg_temp.try('INSERT INTO josch.environs VALUES (%L)', E'A\n') AS var;
-- so is what else stands in a line: a zone in the POSIX way, a folder
SELECT pg_temp.try('INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES (''zone'', %L)', U&'<\202eab>+3') AS zone,
	pg_temp.try('INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES (''zone'', %L)', '<+03>-3') AS posix,
	pg_temp.try('INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, work_dir) VALUES (1, ''N'', ''names'', ''n'', %L)', E'/tmp\n') AS folder,
	pg_temp.try('INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, work_dir) VALUES (1, ''N'', ''names'', ''n'', %L)', U&'/tmp/\202etxt') AS turned;
-- all that is written down has a limit, whoever writes it; but for names of roles, and what is copied from where it has one
SELECT pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone, environ) SELECT ''names'', ''2030-01-02'', ''UTC'', jsonb_object_agg(g, %L) FROM generate_series(1, 39) g', repeat('x', 100000)) AS environment,
	pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone, environ) SELECT ''names'', ''2030-01-02'', ''UTC'', jsonb_object_agg(g, %L) FROM generate_series(1, 41) g', repeat('x', 100000)) AS larger,
	pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone, job_desc) VALUES (''names'', ''2030-01-02'', ''UTC'', %L)', repeat('x', 100001)) AS description;
SELECT table_name, string_agg(column_name, ', ' ORDER BY column_name) AS without_a_limit
FROM information_schema.columns c
WHERE table_schema = 'josch' AND data_type IN ('text', 'jsonb') AND table_name !~ '_audit$|^audit_packs$' AND EXISTS (SELECT FROM information_schema.tables t
		WHERE t.table_schema = 'josch' AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE')
	AND NOT EXISTS (SELECT FROM pg_constraint k
		WHERE k.conrelid = format('josch.%I', c.table_name)::regclass AND pg_get_constraintdef(k.oid) ~ format('\m%1$s\M.*(<=|ANY|REFERENCES)|is_time_zone\(%1$s', c.column_name))
	AND column_name !~ '_by$'
GROUP BY table_name ORDER BY table_name;
-- what is said with an act has its limit too, in both ways of saying it
INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name) VALUES (1, '2030-01-01', 'S', 'names', 'node');
SELECT pg_temp.try('SELECT josch.hold(1, ''2030-01-01'', %L)', repeat('x', 10000)) AS comment, pg_temp.try('SELECT josch.hold(1, ''2030-01-01'', %L)', repeat('x', 10001)) AS longer;
SELECT length(set_config('josch.comment', repeat('x', 10000), false)) AS setting;
DO $$ BEGIN PERFORM set_config('josch.comment', repeat('x', 10001), false); EXCEPTION WHEN invalid_parameter_value THEN RAISE INFO 'a longer one is refused'; END $$;
RESET josch.comment;
-- in a sentence of JOSCH's own it is a line, and short
\set VERBOSITY terse
\set SHOW_CONTEXT never
DO $$ DECLARE detail text; BEGIN
	PERFORM josch.hold(1, '2030-01-01', E'why\nHINT:  Node 1 is fine.' || U&'\202e' || repeat('z', 9000));
	PERFORM josch.hold(1, '2030-01-01');
EXCEPTION WHEN object_not_in_prerequisite_state THEN
	GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
	RAISE INFO '%, and it is short: %', substring(detail FROM 'why.{30}'), length(detail) < 500;
END $$;
SELECT josch.schedule('2030-01-01', E'no\nsuch job' || repeat(' ', 5000));
DELETE FROM josch.nodes WHERE job_name = 'names';
DELETE FROM josch.jobs WHERE job_name = 'names';
DELETE FROM josch.tpl_jobs WHERE job_name = 'names';
-- what a CHECK asks for NULL and nothing
SELECT josch.is_one_line(NULL) IS NULL AS of_null, josch.is_one_line('') AS of_nothing;
