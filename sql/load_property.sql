-- What is exported loads back as it was: every table, every column, any text; by files, by their texts, over any other templates.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET client_min_messages = error;
\set VERBOSITY terse
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -rf josch_load_property; mkdir -p josch_load_property/again';
BEGIN;
SELECT setseed(0.28) IS NOT NULL AS seeded;
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
	DELETE FROM josch.environs;
	INSERT INTO josch.environs SELECT 'V' || i, coalesce(pg_temp.any_text(), '') FROM generate_series(1, 20) i;
	INSERT INTO josch.tpl_jobs (job_name, job_desc, time_zone, valid_from)
	SELECT 'job' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''), CASE WHEN i % 3 = 0 THEN '' ELSE pg_temp.any_text() END,
		(ARRAY['Europe/Zurich', 'UTC', NULL])[1 + i % 3], CASE WHEN i % 2 = 0 THEN date '0100-01-01' + floor(random() * 3579000)::int END FROM generate_series(1, 12) i;
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, signoff_time, start_time, exec_sql, exec_sql_atomic, ready_command, ready_after, timeout, stop_grace, work_dir, owner)
	SELECT CASE WHEN i % 4 = 0 THEN josch.new_node_id() ELSE i * 7919 % 1009 END, n.type, j.job_name, 'node' || i || translate(pg_temp.any_text(false), E'\n\r\t\u0001\ufeff', ''),
		CASE WHEN n.type = 'L' OR i % 2 = 0 AND n.type <> 'S' THEN pg_temp.any_text(false) END,
		CASE WHEN n.type = 'S' AND i % 3 > 0 THEN time '00:00' + random() * interval '23:59:59' END,
		CASE WHEN n.type <> 'S' AND i % 3 > 0 THEN date_trunc('second', random() * interval '167:59:59') END,
		CASE WHEN n.type IN ('N', 'R') AND i % 2 = 1 THEN pg_temp.any_text(false) END, random() < 0.5,
		CASE WHEN n.type = 'L' THEN pg_temp.any_text() END, pg_temp.any_duration(), CASE WHEN i % 3 = 0 THEN pg_temp.any_duration() END, pg_temp.any_duration(),
		'/' || translate(pg_temp.any_text(), E'\n\r\t\u0001\ufeff', ''), CASE WHEN i % 5 = 0 THEN 'regress, "josch"' ELSE session_user END
	FROM generate_series(1, 80) i, LATERAL (SELECT (ARRAY['S', 'L', 'N', 'R'])[1 + (i / 2) % 4] AS type) n, LATERAL (SELECT job_name FROM josch.tpl_jobs OFFSET i % 12 LIMIT 1) j;
	INSERT INTO josch.tpl_node_deps SELECT DISTINCT p.node_id, -floor(random() * 3)::int, c.node_id, floor(random() * 2)::int + 1
	FROM josch.tpl_nodes p JOIN josch.tpl_nodes c ON p.node_id < c.node_id WHERE random() < 0.05;
END $$;
CREATE VIEW pg_temp.everything AS
	SELECT to_jsonb(e) AS row FROM josch.environs e UNION ALL SELECT to_jsonb(j) FROM josch.tpl_jobs j UNION ALL SELECT to_jsonb(n) FROM josch.tpl_nodes n UNION ALL SELECT to_jsonb(d) FROM josch.tpl_node_deps d;
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
		PERFORM josch.load(pg_temp.csv('environs'), pg_temp.csv('tpl_jobs'), pg_temp.csv('tpl_nodes'), pg_temp.csv('tpl_node_deps'), 'replace');
		INSERT INTO found SELECT round, 'texts over others', pg_temp.differences();
		PERFORM josch.export_csv('josch_load_property/again');
		INSERT INTO found SELECT round, 'bytes', count(*) FROM unnest(ARRAY['environs', 'tpl_jobs', 'tpl_nodes', 'tpl_node_deps']) AS name
		WHERE pg_read_binary_file('josch_load_property/' || name || '.csv') <> pg_read_binary_file('josch_load_property/again/' || name || '.csv');
	END LOOP;
END $$;
SELECT what, count(*) AS rounds, sum(differences) AS differences FROM found GROUP BY what ORDER BY what;
-- no column was empty all the time
SELECT a.attname FROM pg_attribute a WHERE a.attrelid IN ('josch.environs'::regclass, 'josch.tpl_jobs'::regclass, 'josch.tpl_nodes'::regclass, 'josch.tpl_node_deps'::regclass)
	AND a.attnum > 0 AND NOT a.attisdropped AND a.attname::text NOT IN (SELECT name FROM used);
ROLLBACK;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_property';
