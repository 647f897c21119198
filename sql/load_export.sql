-- josch.export_csv: the files that josch.load_csv reads, byte for byte, in an order that makes a good diff.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
\getenv abs_srcdir PG_ABS_SRCDIR
\set tables :abs_srcdir '/tables'
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -rf josch_load_export; mkdir -p josch_load_export/again';
BEGIN;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;

-- the sample comes out as it went in
SELECT table_name, inserted FROM josch.load_csv(:'tables');
SELECT * FROM josch.export_csv('josch_load_export');
SELECT name, pg_read_binary_file('josch_load_export/' || name) = pg_read_binary_file(:'tables' || '/' || name) AS same
	FROM unnest(ARRAY['environs.csv', 'tpl_jobs.csv', 'tpl_nodes.csv', 'tpl_node_deps.csv']) AS name;
-- anybody may read the files, and nothing else is left
CREATE TEMPORARY TABLE listing (line text);
COPY listing FROM PROGRAM 'cd josch_load_export && stat -c "%a %n" $(ls -A | grep -v again)';
SELECT line FROM listing ORDER BY line COLLATE "C";

-- all columns that say something, and no other
UPDATE josch.tpl_nodes SET timeout = '01:30', stop_grace = '24:00' WHERE node_id = 100120;
UPDATE josch.tpl_nodes SET ready_command = E'curl -s "http://localhost/healthz"\n|| exit 1', ready_after = '1 day 2 seconds', work_dir = '/srv, app' WHERE node_id = 100100;
UPDATE josch.tpl_nodes SET success_codes = '{[0,0],[10,19]}', retry_codes = '{[75,75]}', retries = 3, retry_delay = '30 s', retry_backoff = 1.5, retry_on = '{exit,timeout}'
	WHERE node_id = 100130;
INSERT INTO josch.tpl_jobs (job_name, job_desc, time_zone, valid_from) VALUES ('a', '', 'Europe/Zurich', '2026-02-03'), ('Z', E'Gr\u00fcezi', NULL, NULL);
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, exec_sql_atomic) VALUES
	(20, 'N', 'a', ' spaced ', E'SELECT 1;\r\nSELECT "x" FROM y', false), (3, 'N', 'a', '"quoted"', NULL, true), (100, 'S', 'Z', 'sign', NULL, true);
INSERT INTO josch.tpl_node_deps VALUES (20, 0, 3, 0), (3, -1, 20, 0), (3, -2, 20, 1), (100, 0, 3, 0), (100000, 0, 20, 0);
INSERT INTO josch.environs VALUES ('a', ''), ('B', ' x,y '), ('_C', '"');
UPDATE josch.tpl_nodes SET join_rule = 'any', on_failure = 'abandon' WHERE node_id = 100120;
UPDATE josch.tpl_node_deps SET condition = CASE c_node_id WHEN 3 THEN 'failure' ELSE 'done' END WHERE p_node_id IN (20, 100000);
SELECT * FROM josch.export_csv('josch_load_export/');
\pset tuples_only on
\pset format unaligned
SELECT pg_read_file('josch_load_export/environs.csv');
SELECT pg_read_file('josch_load_export/tpl_jobs.csv');
SELECT pg_read_file('josch_load_export/tpl_nodes.csv');
SELECT pg_read_file('josch_load_export/tpl_node_deps.csv');
\pset tuples_only off
\pset format aligned

-- and back: everything is as it was, whatever the session's styles
CREATE TEMPORARY VIEW everything AS
	SELECT to_jsonb(e)::text AS row FROM josch.environs e UNION ALL SELECT (to_jsonb(j))::text FROM josch.tpl_jobs j
	UNION ALL SELECT to_jsonb(n)::text FROM josch.tpl_nodes n UNION ALL SELECT to_jsonb(d)::text FROM josch.tpl_node_deps d;
CREATE TEMPORARY TABLE before AS SELECT * FROM everything;
DELETE FROM josch.tpl_nodes WHERE node_id <> 100120;
DELETE FROM josch.tpl_jobs WHERE job_name <> 'SodServer';
INSERT INTO josch.tpl_jobs VALUES ('extra');
UPDATE josch.environs SET value = 'changed';
SET intervalstyle = sql_standard;
SET datestyle = 'German';
SELECT * FROM josch.load_csv('josch_load_export', 'replace');
SELECT * FROM josch.load_csv('josch_load_export', 'replace');
SELECT * FROM josch.export_csv('josch_load_export/again');
RESET intervalstyle;
RESET datestyle;
SELECT count(*) AS differences FROM ((TABLE everything EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE everything)) d;
SELECT name, pg_read_binary_file('josch_load_export/' || name) = pg_read_binary_file('josch_load_export/again/' || name) AS same
	FROM unnest(ARRAY['environs.csv', 'tpl_jobs.csv', 'tpl_nodes.csv', 'tpl_node_deps.csv']) AS name;

-- with every column it sets each, also one that held nothing but defaults when it was exported
UPDATE josch.tpl_nodes SET ready_after = DEFAULT, stop_grace = DEFAULT;
UPDATE josch.tpl_jobs SET valid_from = NULL;
DELETE FROM before;
INSERT INTO before SELECT * FROM everything;
SELECT * FROM josch.export_csv('josch_load_export', true);
SELECT split_part(pg_read_file('josch_load_export/tpl_jobs.csv'), E'\n', 1) AS jobs, split_part(pg_read_file('josch_load_export/tpl_nodes.csv'), E'\n', 1) AS nodes;
UPDATE josch.tpl_nodes SET stop_grace = '1 hour', ready_after = '1 hour';
UPDATE josch.tpl_jobs SET valid_from = '2026-01-01';
SELECT * FROM josch.load_csv('josch_load_export', 'replace');
SELECT count(*) AS differences FROM ((TABLE everything EXCEPT ALL TABLE before) UNION ALL (TABLE before EXCEPT ALL TABLE everything)) d;

-- the owner, when it is somebody else than the exporter
CREATE ROLE regress_josch_exporter IN ROLE josch_viewer;
SET SESSION AUTHORIZATION regress_josch_exporter;
SELECT * FROM josch.export_csv('josch_load_export');
RESET SESSION AUTHORIZATION;
GRANT pg_write_server_files TO regress_josch_exporter;
SET SESSION AUTHORIZATION regress_josch_exporter;
SELECT * FROM josch.export_csv('josch_load_export/again');
RESET SESSION AUTHORIZATION;
SELECT split_part(pg_read_file('josch_load_export/again/tpl_nodes.csv'), E'\n', 1) AS header,
	pg_read_file('josch_load_export/again/tpl_nodes.csv') LIKE '%,' || session_user || ',%' AS has_owner;

-- what cannot be written
SELECT * FROM josch.export_csv('josch_load_export/none');
SELECT * FROM josch.export_csv('PG_VERSION');
COPY (SELECT) TO PROGRAM 'cat >/dev/null; cd josch_load_export/again; rm tpl_nodes.csv; mkdir tpl_nodes.csv';
SELECT * FROM josch.export_csv('josch_load_export/again');
SELECT name FROM pg_ls_dir('josch_load_export/again') AS name ORDER BY name COLLATE "C";
ROLLBACK;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_export';
