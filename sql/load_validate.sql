-- josch.validate: what is wrong with templates, with its place; nothing is loaded.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\pset format unaligned
\pset null (none)
\set ON_ERROR_ROLLBACK on
BEGIN;
SET LOCAL josch.now = '2026-12-01 12:00 UTC';
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;
CREATE SCHEMA staging;
CREATE TABLE staging.tpl_jobs (job_name text, time_zone text, calendar_name text, schedule_at text, valid_from text, valid_to text, paused text, catch_up text);
CREATE TABLE staging.tpl_nodes (node_id text, node_type text, job_name text, node_name text, exec_command text, exec_sql text, exec_sql_atomic text,
	ready_command text, work_dir text, start_time text, repeat_every text, repeat_until text, join_rule text, wait_file text, wait_sql text);
CREATE TABLE staging.tpl_node_deps (p_node_id text, p_date text, c_node_id text, condition text);
CREATE TABLE staging.environs (var text, value text);
CREATE TABLE staging.calendars (calendar_name text, weekdays text, of_calendar text, rule text, known_until text);
CREATE TABLE staging.calendar_parts (calendar_name text, position text, operation text, part_name text);
INSERT INTO staging.tpl_jobs (job_name) VALUES ('Shop');
INSERT INTO staging.tpl_nodes (node_id, node_type, job_name, node_name) SELECT i, 'N', 'Shop', 'n' || i FROM generate_series(1, 9) i;
INSERT INTO staging.tpl_node_deps SELECT i, 0, i + 1 FROM generate_series(1, 8) i;

-- nothing is wrong; nothing is loaded
SELECT * FROM josch.validate('staging');
SELECT * FROM josch.validate('staging', 'replace');
SELECT (SELECT count(*) FROM josch.tpl_jobs) AS jobs, (SELECT count(*) FROM josch.tpl_nodes) AS nodes;

-- rows that are no values are all told, of all tables, and nothing else then
SAVEPOINT clean;
UPDATE staging.tpl_nodes SET start_time = 'noon' WHERE node_id = '3';
UPDATE staging.tpl_nodes SET node_type = NULL WHERE node_id = '4';
INSERT INTO staging.tpl_node_deps VALUES ('x', 0, 5), (2, 'yesterday', 5);
UPDATE staging.tpl_jobs SET time_zone = 'Mars/Olympus';
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
-- what is refused when it is written: every row of the first table of which one is
UPDATE staging.tpl_nodes SET node_type = 'Q' WHERE node_id IN ('3', '7');
UPDATE staging.tpl_nodes SET exec_command = 'id', exec_sql = 'SELECT 1' WHERE node_id = '5';
INSERT INTO staging.tpl_node_deps VALUES (77, 0, 5);
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
UPDATE staging.tpl_jobs SET time_zone = 'Mars/Olympus';
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
-- circles, of which the row is told that closes them; of calendars too
INSERT INTO staging.tpl_node_deps VALUES (4, 0, 2), (9, 0, 8), (77, 0, 5), (3, -1, 1);
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
INSERT INTO staging.calendars VALUES ('A', '{1}', 'B'), ('B', '{1}', 'A');
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
-- keys that come twice
INSERT INTO staging.tpl_nodes SELECT * FROM staging.tpl_nodes WHERE node_id = '3';
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
-- what replace_jobs would take away from another job
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Shop'), ('Other');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (50, 'N', 'Shop', 'fifty'), (60, 'N', 'Other', 'sixty');
INSERT INTO josch.tpl_node_deps VALUES (50, 0, 60, 0);
SELECT * FROM josch.validate('staging', 'replace_jobs');
SELECT * FROM josch.validate('staging', 'replace');
ROLLBACK TO clean;

-- variables, programs, directories
INSERT INTO staging.environs VALUES ('PYTHON', '/no/such/python'), ('SHELL_OF_OURS', '/bin/sh'), ('TWO', '/bin/sh -e'), ('PATH', '/usr/bin:/bin');
UPDATE staging.tpl_nodes SET exec_command = (ARRAY['echo $DATE $NO_SUCH', '$PYTHON x.py', '$SHELL_OF_OURS x.sh', '$TWO x.sh', 'A=1 no_such_program --x', 'sh -c "no_such_program"',
	'/no/such/program; true', 'cd /; no_such_program $RESULT_ROWS', './here'])[node_id::int];
SELECT * FROM josch.validate('staging');
UPDATE staging.tpl_nodes SET exec_command = 'true', work_dir = CASE node_id WHEN '1' THEN '/no/such/dir' END WHERE node_id < '3';
UPDATE staging.tpl_nodes SET node_type = 'L', exec_command = 'sleep 1', ready_command = 'test -e $NO_SUCH' WHERE node_id = '3';
UPDATE staging.tpl_nodes SET exec_command = './here', work_dir = '/bin' WHERE node_id = '9';
SELECT * FROM josch.validate('staging') WHERE object !~ ' [4-8] ';
-- the PATH that is not said is that of the server, whose runner has it
DELETE FROM staging.environs WHERE var = 'PATH';
SELECT * FROM josch.validate('staging') WHERE object ~ ' [4-6] ';
ROLLBACK TO clean;

-- SQL
UPDATE staging.tpl_nodes SET exec_sql = (ARRAY[E'SELECT 1;\nSELEC 2', 'VACUUM', 'BEGIN; SELECT 1; COMMIT', 'COPY t FROM STDIN', 'VACUUM', 'CREATE INDEX CONCURRENTLY i ON t (a)',
	'SELECT nothing_is_looked_up FROM nowhere', 'ANALYZE', E'SELECT ''\xc3\xa4\xc3\xb6'';\n\nSELECT )'])[node_id::int], exec_sql_atomic = CASE node_id WHEN '5' THEN 'false' END;
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;

-- what is waited for
UPDATE staging.tpl_nodes SET wait_sql = (ARRAY['SELECT true', 'SELECT', 'UPDATE t SET a = 1', 'SELECT true; SELECT true', E'SELECT\n)', ';'])[node_id::int],
	wait_file = (ARRAY['/srv/$DATE', '/srv/${DATE//-/}', '/srv/$NO_SUCH'])[node_id::int];
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;
-- repeats that never are
UPDATE staging.tpl_nodes SET exec_sql = 'SELECT 1', start_time = '10:00', repeat_every = '1:00', repeat_until = CASE node_id WHEN '1' THEN '10:59' ELSE '11:00' END WHERE node_id < '3';
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;

-- what no outcome lets run, and what is omitted when all goes well
TRUNCATE staging.tpl_node_deps;
INSERT INTO staging.tpl_node_deps VALUES (1, 0, 2, 'success'), (1, 0, 3, 'failure'), (2, 0, 4, 'success'), (3, 0, 4, 'success'), (4, 0, 5, 'success'), (4, 0, 6, 'done'),
	(2, 0, 7, 'success'), (3, 0, 7, 'success'), (3, 0, 8, 'success'), (1, -1, 9, 'failure'), (1, 0, 9, 'success');
UPDATE staging.tpl_nodes SET join_rule = 'any' WHERE node_id = '7';
SELECT * FROM josch.validate('staging');
-- joined by any: what all ways need is needed
INSERT INTO staging.tpl_node_deps VALUES (3, 0, 5, 'success');
DELETE FROM staging.tpl_node_deps WHERE p_node_id = '4' OR c_node_id IN ('4', '9');
INSERT INTO staging.tpl_node_deps VALUES (3, 0, 4, 'success'), (8, 0, 4, 'success'), (4, 0, 9, 'success'), (2, 0, 9, 'success');
UPDATE staging.tpl_nodes SET join_rule = 'any' WHERE node_id = '4';
SELECT * FROM josch.validate('staging') WHERE object ~ ' 9 ';
ROLLBACK TO clean;

-- calendars and days
INSERT INTO staging.calendars VALUES ('Past', '{1,2,3,4,5}', NULL, NULL, '2026-11-30'), ('Soon', '{1,2,3,4,5}', 'Past', NULL, '2027-02-28'), ('Long', '{1,2,3,4,5}', NULL, NULL, '2027-03-01'),
	('Never', '{}', NULL, NULL, NULL), ('Sundays', '{7}', NULL, NULL, NULL), ('Mondays', '{1}', NULL, NULL, NULL);
UPDATE staging.calendars SET of_calendar = NULL WHERE calendar_name = 'Soon';
INSERT INTO staging.tpl_jobs (job_name, calendar_name, schedule_at, valid_from, valid_to, paused, catch_up) VALUES
	('over', NULL, '6:00', NULL, '2026-11-30', NULL, NULL), ('never', 'Never', '6:00', NULL, NULL, NULL, NULL), ('no Sunday', 'Sundays', '6:00', '2026-12-07', '2026-12-12', NULL, NULL),
	('paused', NULL, '6:00', NULL, NULL, 'true', NULL), ('by hand', 'Sundays', NULL, NULL, NULL, NULL, 'ask'), ('held', NULL, NULL, NULL, NULL, 'true', NULL), ('empty', NULL, NULL, NULL, NULL, NULL, NULL),
	('Mondays', 'Mondays', '6:00', NULL, NULL, NULL, NULL), ('Sundays', 'Sundays', '6:00', NULL, NULL, NULL, NULL);
INSERT INTO staging.tpl_nodes (node_id, node_type, job_name, node_name) SELECT 100 + row_number() OVER (ORDER BY job_name COLLATE "C"), 'N', job_name, 'x' FROM staging.tpl_jobs WHERE job_name NOT IN ('Shop', 'empty');
INSERT INTO staging.tpl_node_deps SELECT p.node_id, 0, c.node_id FROM staging.tpl_nodes p, staging.tpl_nodes c WHERE c.job_name = 'Mondays' AND p.job_name IN ('over', 'by hand', 'Sundays', 'Shop') AND p.node_id NOT BETWEEN '2' AND '9';
SELECT * FROM josch.validate('staging');
ROLLBACK TO clean;

-- the same from texts and files, with lines
SELECT * FROM josch.validate_texts(tpl_jobs => E'job_name\nShop\n', tpl_nodes => E'node_id,node_type,job_name,node_name,exec_sql\n1,N,Shop,a,SELECT 1\n\n2,N,Shop,b,SELEC 1\n', tpl_node_deps => E'p_node_id,c_node_id\n1,2\n');
SELECT * FROM josch.validate_texts(tpl_nodes => E'node_id,node_type,job_name,node_name,start_time\n1,N,Shop,a,noon\nx,N,Shop,b,\n3,N,"Shop"s,c,\n', tpl_node_deps => E'p_node_id\n1\n', environs => '');
SELECT * FROM josch.validate_texts(tpl_jobs => E'job_name\nShop\n', tpl_nodes => E'node_id,node_type,job_name,node_name\n1,N,Shop,a\n2,N,Shop,b\n', tpl_node_deps => E'p_node_id,c_node_id\n1,2\n2,1\n');
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -rf josch_load_validate; mkdir -p josch_load_validate';
COPY (SELECT * FROM staging.tpl_jobs) TO PROGRAM 'cat >josch_load_validate/tpl_jobs.csv' (FORMAT csv, HEADER);
COPY (SELECT node_id, node_type, job_name, node_name, CASE node_id WHEN '7' THEN 'echo $NO_SUCH' END AS exec_command FROM staging.tpl_nodes) TO PROGRAM 'cat >josch_load_validate/tpl_nodes.csv' (FORMAT csv, HEADER);
SELECT * FROM josch.validate_csv('josch_load_validate');
SELECT * FROM josch.validate_csv('josch_load_validate', 'replace');
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -r josch_load_validate';

-- of one kind a hundred are told
INSERT INTO staging.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) SELECT i, 'N', 'Shop', 'n' || i, 'echo $NO_SUCH' FROM generate_series(1001, 1200) i;
SELECT count(*) FROM josch.validate('staging');
UPDATE staging.tpl_nodes SET node_type = 'Q' WHERE node_id > '1000';
SELECT count(*) FROM josch.validate('staging');
UPDATE staging.tpl_nodes SET start_time = 'noon', node_type = 'N' WHERE node_id > '1000';
SELECT count(*) FROM josch.validate('staging');
ROLLBACK TO clean;

-- with the caller's rights; who may run no programs is not told what is on the host
UPDATE staging.tpl_nodes SET exec_command = 'no_such_program' WHERE node_id = '1';
CREATE ROLE regress_josch_validator IN ROLE josch_author;
GRANT USAGE ON SCHEMA staging TO regress_josch_validator;
GRANT SELECT ON ALL TABLES IN SCHEMA staging TO regress_josch_validator;
SET SESSION AUTHORIZATION regress_josch_validator;
SELECT * FROM josch.validate('staging');
SELECT * FROM josch.diff('staging') WHERE words ~ 'exec_command';
RESET SESSION AUTHORIZATION;
SELECT * FROM josch.load_schema('staging');
SET SESSION AUTHORIZATION regress_josch_validator;
SELECT * FROM josch.validate('staging');
RESET SESSION AUTHORIZATION;
SELECT * FROM josch.validate('staging');
-- what is not about the templates
SELECT * FROM josch.validate('staging', 'x');
SELECT * FROM josch.validate('josch');
DROP TABLE staging.environs;
SELECT * FROM josch.validate('staging', 'replace');
ROLLBACK;
\set ON_ERROR_ROLLBACK off
BEGIN READ ONLY;
SELECT * FROM josch.validate_texts(tpl_jobs => E'job_name\nZ\n');
ROLLBACK;
