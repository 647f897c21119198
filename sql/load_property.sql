-- What is exported loads back as it was: every table, every column, any text; by files, by their texts, over any other templates.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET client_min_messages = error;
\set VERBOSITY terse
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -rf josch_load_property; mkdir -p josch_load_property/again';
BEGIN;
SELECT setseed(0.29) IS NOT NULL AS seeded;
CREATE FUNCTION pg_temp.any_text(nullable boolean DEFAULT true) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN nullable AND random() < 0.3 THEN NULL ELSE 'x' || string_agg(
		(ARRAY['"', '""', ',', E'\n', E'\r', E'\r\n', '\', E'\n\\.\n', '\N', 'NULL', ' ', E'\t', 'a', '''', '$X', 'ü', '€', '😀', E'\ufeff', E'\u0001', '#', ';', ''])[1 + floor(random() * 23)::int], '' ) END
	FROM generate_series(1, 1 + floor(random() * 8)::int) $$;
CREATE FUNCTION pg_temp.any_duration() RETURNS interval LANGUAGE sql VOLATILE AS $$
	SELECT make_interval(months => floor(random() * 30)::int, days => floor(random() * 40)::int, secs => (random() * 100000)::numeric(12, 6)) + interval '1 second' $$;
CREATE ROLE "regress, ""josch""";
-- every column that may be written gets values; a new column without one is found by the last query
CREATE FUNCTION pg_temp.fill() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM josch.tpl_nodes;
	DELETE FROM josch.tpl_jobs;
	DELETE FROM josch.executors;
	DELETE FROM josch.semaphores;
	DELETE FROM josch.environs;
	DELETE FROM josch.calendar_parts;
	UPDATE josch.calendars SET of_calendar = NULL;
	DELETE FROM josch.calendars;
	INSERT INTO josch.calendars (calendar_name, calendar_desc, weekdays, rule, origin, move_rule, known_until)
	SELECT 'c' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''), CASE WHEN i % 3 = 0 THEN '' ELSE pg_temp.any_text() END,
		ARRAY(SELECT d FROM generate_series(1, 7) d WHERE random() < 0.6)::smallint[], r.rule, CASE WHEN i % 2 = 0 OR r.rule IS NOT NULL THEN date '0100-01-01' + floor(random() * 3579000)::int END,
		CASE WHEN r.rule IS NULL THEN 'drop' ELSE (ARRAY['drop', 'following', 'preceding', 'modified_following', 'modified_preceding'])[1 + floor(random() * 5)::int] END,
		CASE WHEN random() < 0.5 THEN date '2000-01-01' + floor(random() * 9999)::int END
	FROM generate_series(1, 9) i, LATERAL (SELECT (ARRAY['FREQ=MONTHLY;BYDAY=2TU,-1FR;INTERVAL=2', 'FREQ=DAILY', NULL])[1 + i % 3] AS rule) r;
	UPDATE josch.calendars c SET of_calendar = (SELECT min(o.calendar_name COLLATE "C") FROM josch.calendars o WHERE o.calendar_name COLLATE "C" < c.calendar_name COLLATE "C") WHERE random() < 0.5;
	INSERT INTO josch.calendar_parts SELECT c.calendar_name, row_number() OVER () * 7 - 30, (ARRAY['and', 'or', 'not'])[1 + floor(random() * 3)::int], p.calendar_name
	FROM josch.calendars c JOIN josch.calendars p ON p.calendar_name COLLATE "C" < c.calendar_name COLLATE "C" WHERE random() < 0.5;
	INSERT INTO josch.holidays SELECT c.calendar_name, date '2026-01-01' + i, translate(pg_temp.any_text(), E'\n\r\t\u0001\ufeff', ''), random() < 0.2
	FROM josch.calendars c, generate_series(1, 40) i WHERE random() < 0.3;
	INSERT INTO josch.environs SELECT 'V' || i, coalesce(pg_temp.any_text(), '') FROM generate_series(1, 20) i;
	INSERT INTO josch.executors SELECT 'executor' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''), pg_temp.any_text(false), CASE WHEN i % 3 = 0 THEN pg_temp.any_text(false) END,
		CASE WHEN i % 2 = 0 THEN pg_temp.any_text(false) END, CASE WHEN i % 2 = 1 THEN i END, CASE WHEN i % 3 = 0 THEN '' ELSE pg_temp.any_text() END FROM generate_series(1, 9) i;
	INSERT INTO josch.tpl_jobs (job_name, job_desc, time_zone, calendar_name, valid_from, schedule_at, catch_up, catch_up_grace, valid_to, paused, max_running, executor)
	SELECT 'job' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''), CASE WHEN i % 3 = 0 THEN '' ELSE pg_temp.any_text() END,
		(ARRAY['Europe/Zurich', 'UTC', NULL])[1 + i % 3], (SELECT calendar_name FROM josch.calendars WHERE i % 3 > 0 ORDER BY random() LIMIT 1), CASE WHEN i % 2 = 0 THEN date '0100-01-01' + floor(random() * 3579000)::int END,
		CASE WHEN i % 4 > 0 THEN date_trunc('second', (random() * 2 - 1) * interval '167:59:59') END, (ARRAY['all', 'latest', 'none', 'ask'])[1 + i % 4], pg_temp.any_duration(),
		CASE WHEN i % 3 = 0 THEN date '9899-12-31' - floor(random() * 999)::int END, random() < 0.5, CASE WHEN i % 2 = 0 THEN i END,
		CASE i % 3 WHEN 0 THEN 'local' WHEN 1 THEN (SELECT executor_name FROM josch.executors ORDER BY random() LIMIT 1) END FROM generate_series(1, 12) i;
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, signoff_time, start_time, exec_sql, exec_sql_atomic, ready_command, ready_after, timeout, stop_grace, work_dir, owner,
		success_codes, retry_codes, retries, retry_delay, retry_backoff, retry_max_delay, retry_on, repeatable, repeat_every, repeat_until, start_by, finish_by, max_duration,
		wait_file, wait_stable, wait_sql, wait_interval, skip_codes, priority, executor, executor_options)
	SELECT CASE WHEN i % 4 = 0 THEN josch.new_node_id() ELSE i * 7919 % 1009 END, n.type, j.job_name, 'node' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''),
		CASE WHEN c.is THEN pg_temp.any_text(false) END,
		CASE WHEN n.type = 'S' AND i % 3 > 0 THEN time '00:00' + random() * interval '23:59:59' END,
		CASE WHEN n.type <> 'S' AND i % 3 > 0 THEN date_trunc('second', random() * interval '167:59:59') END,
		CASE WHEN n.type IN ('N', 'R') AND i % 2 = 1 THEN pg_temp.any_text(false) END, random() < 0.5,
		CASE WHEN n.type = 'L' THEN pg_temp.any_text() END, pg_temp.any_duration(), CASE WHEN i % 3 = 0 THEN pg_temp.any_duration() END, pg_temp.any_duration(),
		'/' || translate(pg_temp.any_text(), E'\n\r\t\u0001\ufeff', ''), CASE WHEN i % 5 = 0 THEN 'regress, "josch"' ELSE session_user END,
		int4multirange(int4range(0, 1 + i % 3), int4range(10, 10 + i % 4)), CASE WHEN i % 3 = 0 THEN int4multirange(int4range(20, 21), int4range(30, 30 + i % 9)) END, i % 1001, pg_temp.any_duration(),
		round((1 + random() * 9)::numeric, i % 7), pg_temp.any_duration(),
		ARRAY(SELECT w FROM unnest(ARRAY['exit', 'signal', 'timeout', 'start', 'sqlstate:40', 'sqlstate:P0001']) w WHERE random() < 0.5 AND i > 0), random() < 0.5,
		CASE WHEN n.type = 'N' AND i % 3 = 0 THEN interval '1 second' * (1 + i) END, CASE WHEN n.type = 'N' AND i % 3 = 0 THEN date_trunc('second', random() * interval '167:59:59') END,
		CASE WHEN i % 3 > 0 THEN date_trunc('second', random() * interval '167:59:59') END, CASE WHEN i % 2 > 0 THEN date_trunc('second', random() * interval '167:59:59') END,
		CASE WHEN n.type <> 'S' AND i % 3 > 0 THEN pg_temp.any_duration() + interval '1 second' END,
		CASE WHEN i % 3 = 1 THEN '/' || translate(pg_temp.any_text(), E'\n\r\t\u0001\ufeff', '') END, date_trunc('second', random() * interval '167:59:59'),
		CASE WHEN i % 4 = 1 THEN pg_temp.any_text(false) END, interval '1 second' * (1 + i),
		CASE WHEN i % 3 = 1 THEN int4multirange(int4range(90, 91 + i % 9)) END, i % 2001 - 40,
		CASE WHEN c.is AND i % 3 > 0 THEN CASE i % 3 WHEN 1 THEN 'local' ELSE (SELECT executor_name FROM josch.executors OFFSET i % 9 LIMIT 1) END END, CASE WHEN c.is THEN pg_temp.any_text() END
	FROM generate_series(1, 80) i, LATERAL (SELECT (ARRAY['S', 'L', 'N', 'R'])[1 + (i / 2) % 4] AS type) n, LATERAL (SELECT n.type = 'L' OR i % 2 = 0 AND n.type <> 'S' AS is) c, LATERAL (SELECT job_name FROM josch.tpl_jobs OFFSET i % 12 LIMIT 1) j;
	INSERT INTO josch.tpl_node_deps SELECT DISTINCT p.node_id, -floor(random() * 3)::int, c.node_id, floor(random() * 2)::int + 1
	FROM josch.tpl_nodes p JOIN josch.tpl_nodes c ON p.node_id < c.node_id WHERE random() < 0.05;
	INSERT INTO josch.semaphores SELECT 'semaphore' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''), i % 4, CASE WHEN i % 3 = 0 THEN '' ELSE pg_temp.any_text() END FROM generate_series(1, 9) i;
	INSERT INTO josch.tpl_node_semaphores SELECT n.node_id, s.semaphore_name, 1 + s.capacity FROM josch.tpl_nodes n, josch.semaphores s WHERE random() < 0.1;
END $$;
-- days_after is no part of a load: it follows from schedule_at and the calendar, at the moment at which they are set
CREATE VIEW pg_temp.everything AS
	SELECT to_jsonb(e) AS row FROM josch.environs e UNION ALL SELECT to_jsonb(j) || '{"days_after": ""}' FROM josch.tpl_jobs j UNION ALL SELECT to_jsonb(n) FROM josch.tpl_nodes n UNION ALL SELECT to_jsonb(d) FROM josch.tpl_node_deps d
	UNION ALL SELECT to_jsonb(c) FROM josch.calendars c UNION ALL SELECT to_jsonb(p) FROM josch.calendar_parts p UNION ALL SELECT to_jsonb(h) FROM josch.holidays h
	UNION ALL SELECT to_jsonb(s) FROM josch.semaphores s UNION ALL SELECT to_jsonb(u) FROM josch.tpl_node_semaphores u UNION ALL SELECT to_jsonb(x) FROM josch.executors x;
CREATE TEMP TABLE before AS SELECT * FROM pg_temp.everything;
CREATE FUNCTION pg_temp.differences() RETURNS bigint LANGUAGE sql AS
$$ SELECT count(*) FROM ((TABLE pg_temp.everything EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE pg_temp.everything)) d $$;
CREATE FUNCTION pg_temp.csv(name text) RETURNS text LANGUAGE sql AS $$ SELECT convert_from(pg_read_binary_file('josch_load_property/' || name || '.csv'), 'UTF8') $$;
CREATE TEMP TABLE found (round int, what text, differences bigint);
CREATE TEMP TABLE used (name text, has_value boolean);
DO $$
BEGIN
	FOR round IN 1 .. 6 LOOP
		PERFORM pg_temp.fill();
		INSERT INTO used SELECT k.key, true FROM pg_temp.everything e, jsonb_each(e.row) k WHERE k.value <> 'null';
		DELETE FROM before;
		INSERT INTO before SELECT * FROM pg_temp.everything;
		PERFORM josch.export_csv('josch_load_property');
		INSERT INTO found SELECT round, 'nothing was to be done', sum(inserted + updated + deleted) FROM josch.load_csv('josch_load_property', 'replace');
		PERFORM pg_temp.fill();
		PERFORM josch.load_csv('josch_load_property', 'replace');
		INSERT INTO found SELECT round, 'files over others', pg_temp.differences();
		PERFORM pg_temp.fill();
		PERFORM josch.load(pg_temp.csv('environs'), pg_temp.csv('tpl_jobs'), pg_temp.csv('tpl_nodes'), pg_temp.csv('tpl_node_deps'), 'replace',
			pg_temp.csv('calendars'), pg_temp.csv('calendar_parts'), pg_temp.csv('holidays'), NULL, pg_temp.csv('semaphores'), pg_temp.csv('tpl_node_semaphores'), pg_temp.csv('executors'));
		INSERT INTO found SELECT round, 'texts over others', pg_temp.differences();
		PERFORM josch.export_csv('josch_load_property/again');
		INSERT INTO found SELECT round, 'bytes', count(*) FROM unnest(ARRAY['environs', 'tpl_jobs', 'tpl_nodes', 'tpl_node_deps', 'calendars', 'calendar_parts', 'holidays', 'semaphores', 'tpl_node_semaphores', 'executors']) AS name
		WHERE pg_read_binary_file('josch_load_property/' || name || '.csv') <> pg_read_binary_file('josch_load_property/again/' || name || '.csv');
	END LOOP;
END $$;
SELECT what, count(*) AS rounds, sum(differences) AS differences FROM found GROUP BY what ORDER BY what;
-- no column was empty all the time
SELECT a.attname FROM pg_attribute a WHERE a.attrelid IN ('josch.environs'::regclass, 'josch.tpl_jobs'::regclass, 'josch.tpl_nodes'::regclass, 'josch.tpl_node_deps'::regclass,
		'josch.calendars'::regclass, 'josch.calendar_parts'::regclass, 'josch.holidays'::regclass, 'josch.semaphores'::regclass, 'josch.tpl_node_semaphores'::regclass, 'josch.executors'::regclass)
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attname::text NOT IN (SELECT name FROM used);
ROLLBACK;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_property';
