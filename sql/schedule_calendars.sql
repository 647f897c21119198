-- Jobs with business calendars: which day -1 is, which are expected, which are made with all others, PREV_DATE and NEXT_DATE.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.calendars (calendar_name, known_until) VALUES ('Bank', '2026-12-31'), ('Plain', NULL);
INSERT INTO josch.holidays VALUES ('Bank', '2026-11-26', 'a Thursday'), ('Bank', '2027-01-01', 'New Year');
INSERT INTO josch.calendars (calendar_name, weekdays, of_calendar, rule) VALUES ('Month end', '{1,2,3,4,5,6,7}', 'Bank', 'FREQ=MONTHLY;BYSETPOS=-1');
INSERT INTO josch.tpl_jobs (job_name, calendar_name, valid_from) VALUES ('Eod', 'Bank', '2026-11-01'), ('Month', 'Month end', '2026-10-01'), ('Daily', NULL, '2026-11-01'), ('Sod', 'Plain', '2026-11-01');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'S', 'Eod', 'Sign'), (2, 'N', 'Sod', 'Start'), (3, 'N', 'Month', 'Close'), (4, 'N', 'Daily', 'Copy'), (5, 'N', 'Eod', 'Load');
-- the start of a day waits for the last business day's sign-off and for the last month's end; a copy for the same day's
INSERT INTO josch.tpl_node_deps VALUES (1, -1, 2, 0), (3, -1, 2, 0), (1, 0, 4, 0), (1, -2, 4, 0), (1, 1, 5, 0), (4, -1, 5, 0);
-- each as its calendar has it: Thursday is closed for one, Saturday for all but one
SELECT * FROM josch.schedule('2026-11-25');
SELECT * FROM josch.schedule('2026-11-26');
SELECT * FROM josch.schedule('2026-11-27');
SELECT * FROM josch.schedule('2026-11-28');
SELECT * FROM josch.schedule('2026-11-30');
SELECT job_name, job_date, to_char(job_date, 'Dy') AS day, calendar_name, prev_date, next_date, calendar_known FROM josch.jobs ORDER BY job_date, job_name COLLATE "C";
SELECT n.node_name AS child, d.c_date, p.node_name AS parent, d.p_date, d.lag, d.expected, e.node_id IS NOT NULL AS there
FROM josch.node_deps d JOIN josch.tpl_nodes n ON n.node_id = d.c_node_id JOIN josch.tpl_nodes p ON p.node_id = d.p_node_id LEFT JOIN josch.nodes e ON e.node_id = d.p_node_id AND e.job_date = d.p_date
ORDER BY 2, 1, 3, 4;
SELECT node_name, job_date, state, unmet FROM josch.nodes WHERE unmet > 0 ORDER BY 2, 1;
-- what was waited for is made later, and taken back
SELECT * FROM josch.schedule('2026-12-01', 'Eod');
SELECT node_name, job_date, state, unmet FROM josch.nodes WHERE node_name = 'Load' AND job_date = '2026-11-30';
SELECT * FROM josch.unschedule('2026-12-01', 'Eod');
SELECT node_name, job_date, state, unmet FROM josch.nodes WHERE node_name = 'Load' AND job_date = '2026-11-30';
SELECT var, value FROM josch.environment(2, '2026-11-27') WHERE var IN ('DATE', 'PREV_DATE', 'NEXT_DATE');
SELECT var, value FROM josch.environment(1, '2026-11-27') WHERE var IN ('DATE', 'PREV_DATE', 'NEXT_DATE');
SELECT var, value FROM josch.environment(4, '2026-11-28') WHERE var IN ('DATE', 'PREV_DATE', 'NEXT_DATE');
-- a day that the calendar does not have can be made by name; nobody else expects it, and it is nobody's day before
SELECT * FROM josch.schedule('2026-11-29', 'Eod');
SELECT prev_date, next_date FROM josch.jobs WHERE job_name = 'Eod' AND job_date = '2026-11-29';
SELECT p_date FROM josch.node_deps WHERE p_node_id = 1 AND c_node_id = 2 AND c_date = '2026-11-30';
SELECT p_date, expected FROM josch.node_deps WHERE c_node_id = 5 AND c_date = '2026-11-29' ORDER BY 1;
SELECT * FROM josch.schedule('2026-11-29', 'Daily');
SELECT p_node_id, p_date, expected FROM josch.node_deps WHERE c_node_id = 4 AND c_date = '2026-11-29' ORDER BY 1, 2;
SELECT * FROM josch.unschedule('2026-11-29', 'Eod');
SELECT state, unmet FROM josch.nodes WHERE node_id = 4 AND job_date = '2026-11-29';
-- the same within what is made together, where one of the two is taken back
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (6, 'N', 'Eod', 'Report');
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 6, 0);
SELECT * FROM josch.schedule('2026-12-05', 'Eod');
SELECT p_node_id, expected FROM josch.node_deps WHERE c_node_id = 6;
SELECT * FROM josch.unschedule('2026-12-05', 'Eod');
-- all jobs, and none has the day; of beyond what is known
SELECT * FROM josch.unschedule('2026-11-29');
UPDATE josch.tpl_jobs SET calendar_name = 'Bank' WHERE job_name = 'Daily';
SELECT * FROM josch.schedule('2026-11-29');
SELECT * FROM josch.schedule('2027-01-04', 'Eod');
SELECT job_date, calendar_known, prev_date FROM josch.jobs WHERE job_name = 'Eod' AND NOT calendar_known;
SELECT josch.day_offset('Eod', '2026-11-27', -1) AS before, josch.day_offset('Eod', '2026-11-28', 2) AS after, josch.day_offset('Sod', '2026-11-27', -1) AS other, josch.day_offset('Month', '2026-11-15', 1) AS month, josch.day_offset('None', '2026-11-27', -1) AS none;
-- days to come
SELECT * FROM josch.forecast_days('Eod', '2026-11-24', '2026-12-02');
SELECT * FROM josch.forecast_days('Month', '2026-09-01', '2027-02-28');
SELECT * FROM josch.forecast_days('Eod', '2026-12-30', '2027-01-05');
UPDATE josch.tpl_jobs SET calendar_name = NULL WHERE job_name = 'Daily';
SELECT * FROM josch.forecast_days('Daily', '2026-11-01', '2026-12-31');
SELECT * FROM josch.forecast_days('None', '2026-11-01', '2026-12-31');
-- a calendar that changes leaves the days that exist, and what would be otherwise is told
SELECT * FROM josch.calendar_diff('Bank', '2026-11-01');
INSERT INTO josch.holidays VALUES ('Bank', '2026-11-27', 'bridge day');
DELETE FROM josch.holidays WHERE holiday = '2026-11-26';
SELECT * FROM josch.calendar_diff('Bank', '2026-11-01');
INSERT INTO josch.holidays VALUES ('Bank', '2026-11-30', 'the last');
SELECT * FROM josch.calendar_diff('Month end', '2026-11-01');
SELECT * FROM josch.calendar_diff('Bank', '2026-11-30') WHERE job_name = 'Month';
SELECT count(*) > 0 AS all_calendars, count(*) FILTER (WHERE job_name = 'Sod') AS of_another FROM josch.calendar_diff(from_date => '2026-11-01');
SELECT count(*) FROM josch.calendar_diff('Bank', '2030-01-01');
SELECT count(*) FROM josch.calendar_diff('None');
SELECT var, value FROM josch.environment(1, '2026-11-30') WHERE var IN ('PREV_DATE', 'NEXT_DATE');
-- one without an open day: nothing before it, nothing after it, nothing to wait for
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Never', '{}');
INSERT INTO josch.tpl_jobs (job_name, calendar_name) VALUES ('Never', 'Never');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (9, 'N', 'Never', 'never');
INSERT INTO josch.tpl_node_deps VALUES (9, -1, 9, 0);
SELECT * FROM josch.schedule('2026-11-30', 'Never');
SELECT prev_date, next_date, calendar_name FROM josch.jobs WHERE job_name = 'Never';
SELECT p_date, expected, lag FROM josch.node_deps WHERE c_node_id = 9;
SELECT state, unmet FROM josch.nodes WHERE node_id = 9;
SELECT var, value FROM josch.environment(9, '2026-11-30') WHERE var IN ('PREV_DATE', 'NEXT_DATE');
-- the calendar of a job is not taken away; one that is renamed stays that of its jobs
DELETE FROM josch.calendars WHERE calendar_name = 'Never';
UPDATE josch.calendars SET calendar_name = 'Closed' WHERE calendar_name = 'Never';
SELECT t.calendar_name AS template, j.calendar_name AS day FROM josch.tpl_jobs t JOIN josch.jobs j USING (job_name) WHERE job_name = 'Never';
INSERT INTO josch.tpl_jobs (job_name, calendar_name) VALUES ('Wrong', 'No such');
SELECT * FROM josch.load(tpl_jobs => E'job_name,calendar_name\nEod,No such');
-- the same date by both ways: templates that name a day twice
INSERT INTO josch.tpl_node_deps VALUES (1, -1, 2, -1), (1, -2, 2, -1);
SELECT * FROM josch.schedule('2026-12-02', 'Sod');
SELECT p_node_id, p_date, expected, lag FROM josch.node_deps WHERE c_node_id = 2 AND c_date = '2026-12-02' ORDER BY 1, 2;
-- at the ends of time
SELECT count(*) FROM josch.schedule('0100-01-01', 'Eod');
SELECT count(*) FROM josch.schedule('9899-12-29', 'Eod');
SELECT job_date, prev_date, next_date FROM josch.jobs WHERE job_date < '2000-01-01' OR job_date > '9000-01-01' ORDER BY 1;
ROLLBACK;
