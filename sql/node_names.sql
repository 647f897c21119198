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
	(26, 'private use', U&'\e000')) v (n, what, name)
ORDER BY n;
-- in the days too, whoever writes there
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('names', '2030-01-01', 'UTC');
SELECT pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES (%L, ''2030-01-01'', ''UTC'')', E'a\nb') AS job,
	pg_temp.try('INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES (%L, ''2030-01-01'', ''UTC'')', repeat('W', 201)) AS job,
	pg_temp.try('INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name) VALUES (1, ''2030-01-01'', ''S'', ''names'', %L)', E'a\nb') AS node,
	pg_temp.try('UPDATE josch.tpl_jobs SET job_name = %L', U&'\202e') AS renamed,
	pg_temp.try('INSERT INTO josch.environs VALUES (%L)', repeat('W', 201)) AS var, pg_temp.try('INSERT INTO josch.environs VALUES (%L)', E'A\n') AS var;
-- what is said with an act has its limit too, in both ways of saying it
INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name) VALUES (1, '2030-01-01', 'S', 'names', 'node');
SELECT pg_temp.try('SELECT josch.hold(1, ''2030-01-01'', %L)', repeat('x', 10000)) AS comment, pg_temp.try('SELECT josch.hold(1, ''2030-01-01'', %L)', repeat('x', 10001)) AS longer;
SELECT length(set_config('josch.comment', repeat('x', 10000), false)) AS setting;
DO $$ BEGIN PERFORM set_config('josch.comment', repeat('x', 10001), false); EXCEPTION WHEN invalid_parameter_value THEN RAISE INFO 'a longer one is refused'; END $$;
RESET josch.comment;
DELETE FROM josch.nodes WHERE job_name = 'names';
DELETE FROM josch.jobs WHERE job_name = 'names';
DELETE FROM josch.tpl_jobs WHERE job_name = 'names';
-- what a CHECK asks for NULL and nothing
SELECT josch.is_one_line(NULL) IS NULL AS of_null, josch.is_one_line('') AS of_nothing;
