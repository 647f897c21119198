/* due_at: a time of day is in the job's zone, on the days with 23 and 25 hours too. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET intervalstyle = 'postgres';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES
	('Zurich', 'Europe/Zurich'), ('New York', 'America/New_York'), ('Lord Howe', 'Australia/Lord_Howe');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, signoff_time)
SELECT row_number() OVER (ORDER BY j.job_name, t.at), 'S', j.job_name, t.at::text, t.at
FROM josch.tpl_jobs j, (VALUES (time '00:00'), ('01:15'), ('01:45'), ('02:00'), ('02:15'), ('02:30:00.5'), ('03:00'), ('06:30'),
	('23:59:59.999999')) t (at);
-- the switches of 2026, and an ordinary day
SELECT count(*) FROM (VALUES (date '2026-03-29', 'Zurich'), ('2026-10-25', 'Zurich'), ('2026-06-15', 'Zurich'),
	('2026-03-08', 'New York'), ('2026-11-01', 'New York'), ('2026-04-05', 'Lord Howe'), ('2026-10-04', 'Lord Howe')) d (day, job),
	josch.schedule(d.day, d.job);
SELECT job_name, job_date, signoff_time, due_at, due_at AT TIME ZONE j.time_zone AS there
FROM josch.nodes n JOIN josch.jobs j USING (job_name, job_date) ORDER BY job_name DESC, job_date, signoff_time;
-- without a time nothing waits for one
UPDATE josch.tpl_nodes SET signoff_time = NULL WHERE job_name = 'Zurich';
SELECT * FROM josch.schedule('2026-06-16', 'Zurich');
SELECT count(*), count(due_at) FROM josch.nodes WHERE job_date = '2026-06-16';
-- a command too has a time before which it does not start; both may lie beyond midnight
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, start_time) VALUES
	(101, 'N', 'Lord Howe', 'early', 'true', '02:15'), (102, 'L', 'Lord Howe', 'late', 'true', '26:15'), (103, 'R', 'Lord Howe', 'milestone', NULL, '27:00');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, signoff_time) VALUES (104, 'S', 'Lord Howe', 'sign-off', '26:15');
SELECT count(*) FROM josch.schedule('2026-10-03', 'Lord Howe');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, start_time) VALUES ('2026-10-03', 105, 'N', 'Lord Howe', 'added', '26:15');
SELECT josch.tick('2026-10-03 12:00+10:30');
SELECT node_id, state, due_at AT TIME ZONE 'Australia/Lord_Howe' AS there FROM josch.nodes WHERE job_date = '2026-10-03' AND node_id > 100 ORDER BY 1;
SELECT josch.tick(due_at) FROM josch.nodes WHERE job_date = '2026-10-03' AND node_id = 102;
SELECT node_id, state FROM josch.nodes WHERE job_date = '2026-10-03' AND node_id > 100 ORDER BY 1;
SELECT josch.force_start(103, '2026-10-03', 'it is late enough');
SELECT josch.tick(due_at) FROM josch.nodes WHERE job_date = '2026-10-03' AND node_id = 102;
SELECT node_id, state FROM josch.nodes WHERE job_date = '2026-10-03' AND node_id = 103;
-- the functions beneath
SELECT josch.instant('2026-03-29', '02:30', 'Europe/Zurich');
SELECT josch.instant('2026-03-29', '02:30', 'Mars/Olympus');
SELECT josch.instant('infinity', '02:30', 'Europe/Zurich');
SELECT josch.instant('2026-03-29', NULL, 'Europe/Zurich') IS NULL AS nothing;
-- beyond midnight and before the date: whole days first, then what the clock on the wall shows
SELECT at, josch.instant('2026-03-28', at, 'Europe/Zurich') AT TIME ZONE 'Europe/Zurich' AS there
FROM unnest(ARRAY['24:00', '26:30', '27:00', '-1:00', '-24:00', '1 day 26:00', '2 days -00:00:00.5', '-1 day -1:00']::interval[]) at;
SET josch.now = '2026-12-31 23:30+00';
SELECT josch.today('UTC'), josch.today('Europe/Zurich'), josch.today('America/New_York'), josch.today(NULL) = josch.today() AS of_the_setting;
SELECT josch.today('Mars/Olympus');
-- nothing overflows
SELECT josch.instant('5874897-12-31', '24:00', 'UTC');
SELECT josch.instant('294276-12-31', '24:00', 'UTC');
SELECT josch.instant('294276-12-31', '23:59:59.999999', 'UTC'), josch.instant('4714-11-24 BC', '00:00', 'UTC');
SELECT josch.instant('294276-12-31', '20:00', 'America/New_York');
SELECT josch.instant('4714-11-24 BC', '00:00', 'Asia/Tokyo');
SELECT josch.instant('2026-01-01', '2147483647 days', 'UTC');
SELECT josch.instant('2026-01-01', '-178000000 years', 'UTC');
SELECT josch.instant('5874897-12-31', '2147483647 days 2562047788:00:00', 'UTC');
SELECT josch.instant('-infinity', '00:00', 'UTC');
SELECT * FROM josch.schedule('5874897-12-31');
SELECT * FROM josch.unschedule('4714-11-24 BC');
SELECT * FROM josch.schedule('9900-01-01');
SELECT * FROM josch.schedule('infinity');
SELECT count(*) FROM josch.schedule('9899-12-31', 'New York');
SELECT count(*) FROM josch.schedule('0100-01-01', 'New York');
SELECT count(*), min(due_at) > '0100-01-01', max(due_at) < '9900-01-02' FROM josch.nodes WHERE job_date IN ('9899-12-31', '0100-01-01');
-- a job has the days that were made of it
SELECT josch.day_offset('Zurich', '2026-06-16', -1) AS before, josch.day_offset('Zurich', '2026-06-16', -2) AS two_before,
	josch.day_offset('Zurich', '2026-06-16', 1) AS after, josch.day_offset('Zurich', '2026-07-01', 0) AS same,
	josch.day_offset('Zurich', '2026-10-25', 1) AS none;
SELECT josch.day_offset('Zurich', '5874897-12-31', 2147483647);
SELECT josch.day_offset('Zurich', '2026-10-25', -2147483648);
ROLLBACK;
