-- Days that make themselves: when, which, and what becomes of those that were missed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET datestyle = 'ISO';
SET TimeZone = 'Europe/Zurich';
SET josch.now = '2026-11-25 12:00:00+01';

CREATE VIEW days AS SELECT d.job_name, d.job_date, to_char(d.due_at, 'MM-DD HH24:MI') AS due, d.outcome, to_char(d.made_at, 'MM-DD HH24:MI') AS made,
	j.job_date IS NOT NULL AS there, j.scheduled_by IS NULL AS by_itself, d.decided_by IS NOT NULL AS decided, d.comment
	FROM josch.job_days d LEFT JOIN josch.jobs j USING (job_name, job_date) ORDER BY 1, 2;

INSERT INTO josch.calendars (calendar_name) VALUES ('Bank');
INSERT INTO josch.holidays VALUES ('Bank', '2026-11-30', 'a Monday');
INSERT INTO josch.tpl_jobs (job_name, time_zone, calendar_name, schedule_at) VALUES
	('Eod', 'Europe/Zurich', 'Bank', '26:00'), ('Sod', 'Europe/Zurich', 'Bank', '6:30'), ('Eve', 'Europe/Zurich', NULL, '-2:00');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'Eod', 'close'), (2, 'N', 'Sod', 'open'), (3, 'N', 'Eve', 'prepare');
-- they begin with the next: Wednesday's Sod has passed, its Eod has not, nor has Friday's Eve
SELECT job_name, days_after FROM josch.tpl_jobs ORDER BY 1;

-- what had passed by then is not told as if it were to come
SELECT job_date, due_at, outcome FROM josch.forecast_days('Sod', '2026-11-25', '2026-11-26');
SELECT job_date, due_at, outcome FROM josch.forecast_days('Eve', '2026-11-24', '2026-11-26');
-- nothing before its time
SELECT josch.tick('2026-11-25 21:59:59+01');
SELECT * FROM days;
SELECT josch.tick('2026-11-25 22:00+01'), josch.tick('2026-11-26 02:00+01'), josch.tick('2026-11-26 06:30:30+01');
SELECT * FROM days;
-- Friday's Eod comes on Saturday; the weekend and the holiday have none
DO $$
DECLARE
	at timestamptz;
BEGIN
	FOR at IN SELECT generate_series(timestamptz '2026-11-26 07:00+01', '2026-12-02 03:00+01', '30 minutes') LOOP
		PERFORM josch.tick(at);
	END LOOP;
END $$;
SELECT * FROM days WHERE job_name <> 'Eve';
SELECT job_date, due, outcome FROM days WHERE job_name = 'Eve';
SELECT * FROM josch.forecast_days('Eod', '2026-11-30', '2026-12-03');
-- a second look finds nothing
SELECT count(*) FROM josch.job_days;
SELECT josch.tick('2026-12-02 03:00+01');
SELECT count(*) FROM josch.job_days;

-- down from Wednesday to Monday: each policy
SET josch.now = '2026-12-02 12:00:00+01';
UPDATE josch.tpl_jobs SET schedule_at = NULL;
SELECT DISTINCT days_after FROM josch.tpl_jobs;
INSERT INTO josch.tpl_jobs (job_name, time_zone, calendar_name, schedule_at, catch_up) VALUES
	('All', 'Europe/Zurich', 'Bank', '22:00', 'all'), ('Latest', 'Europe/Zurich', 'Bank', '22:00', 'latest'), ('None', 'Europe/Zurich', 'Bank', '22:00', 'none'), ('Ask', 'Europe/Zurich', 'Bank', '22:00', 'ask');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (11, 'N', 'All', 'a'), (12, 'N', 'Latest', 'a'), (13, 'N', 'None', 'a'), (14, 'N', 'Ask', 'a');
INSERT INTO josch.tpl_node_deps VALUES (11, -1, 11, 0), (12, -1, 12, 0), (13, -1, 13, 0), (14, -1, 14, 0);
SELECT josch.tick('2026-12-02 22:00:01+01');
SELECT josch.tick('2026-12-07 23:00+01');
SELECT * FROM days WHERE job_date >= '2026-12-02' AND job_name IN ('All', 'Latest', 'None', 'Ask');
-- within the grace a day is made whatever the policy; the older ones are not
SELECT josch.tick('2026-12-09 22:05+01');
SELECT * FROM days WHERE job_date >= '2026-12-08' AND job_name IN ('All', 'Latest', 'None', 'Ask');
-- a day that will not come keeps nobody waiting; one that somebody is asked about does
SELECT josch.tick('2026-12-09 22:06+01');
SELECT n.job_name, n.job_date, n.state, n.unmet FROM josch.nodes n WHERE n.node_id BETWEEN 11 AND 14 AND n.job_date >= '2026-12-08' ORDER BY 1, 2;

-- somebody decides: makes one, declines the others
SELECT * FROM josch.make_missed('Ask', '{2026-12-03}');
SELECT * FROM josch.make_missed('Ask', '{2026-12-05}');
SELECT * FROM josch.make_missed('Ask', '{2026-12-09}');
SELECT * FROM josch.make_missed(NULL, '{2026-12-04}');
SELECT * FROM josch.make_missed('Ask', ARRAY[NULL]::date[]);
SELECT josch.decline_missed('Ask', '{2026-12-04}', 'nobody was there');
SELECT josch.decline_missed('Ask');
SELECT josch.decline_missed('Ask');
SELECT * FROM days WHERE job_name = 'Ask';
SELECT josch.tick('2026-12-09 22:07+01');
SELECT n.job_date, n.state, n.unmet FROM josch.nodes n WHERE n.node_id = 14 ORDER BY 1;
-- a declined one can be made after all; and a missed one by josch.schedule()
SELECT * FROM josch.make_missed('Ask', '{2026-12-04,2026-12-04}');
SELECT * FROM josch.schedule('2026-12-03', 'None');
SELECT job_name, job_date, outcome, made, there, decided FROM days WHERE (job_name, job_date) IN (('Ask', '2026-12-04'), ('None', '2026-12-03'));

-- one that is made in advance is there when its time comes; one that is taken back is asked about
SET josch.now = '2026-12-10 12:00:00+01';
UPDATE josch.tpl_nodes SET node_type = 'S' WHERE node_id = 11;
SELECT * FROM josch.schedule('2026-12-10', 'All');
SELECT * FROM josch.schedule('2026-12-11', 'All');
SELECT count(*) FROM days WHERE job_name = 'All' AND job_date >= '2026-12-10';
SELECT josch.tick('2026-12-10 22:00+01');
SELECT * FROM days WHERE job_name = 'All' AND job_date >= '2026-12-10';
SELECT * FROM josch.unschedule('2026-12-11', 'All');
SELECT * FROM josch.schedule('2026-12-11', 'All');
SELECT josch.tick('2026-12-11 22:00+01');
SELECT job_name FROM josch.unschedule('2026-12-11', 'All');
SELECT * FROM days WHERE job_name = 'All' AND job_date >= '2026-12-10';
SELECT josch.tick('2026-12-11 23:00+01');
SELECT * FROM josch.make_missed();
SELECT * FROM days WHERE job_name = 'All' AND job_date >= '2026-12-11';

-- paused, as if down; renamed, it goes on where it was; valid_to is the last
SET josch.now = '2026-12-12 12:00:00+01';
UPDATE josch.tpl_jobs SET paused = true WHERE job_name = 'Latest';
SELECT josch.tick('2026-12-16 12:00+01');
UPDATE josch.tpl_jobs SET job_name = 'Newest' WHERE job_name = 'Latest';
SELECT job_name, days_after FROM josch.tpl_jobs WHERE job_name = 'Newest';
UPDATE josch.tpl_jobs SET paused = false, valid_to = '2026-12-17' WHERE job_name = 'Newest';
SELECT josch.tick('2026-12-16 12:01+01');
SELECT josch.tick('2026-12-17 22:00+01'), josch.tick('2026-12-18 22:00+01');
SELECT * FROM days WHERE job_name IN ('Latest', 'Newest') AND job_date >= '2026-12-09';

-- one that cannot be made keeps no other from being made, is told, and made when it is mended
SET client_min_messages = error;
ALTER TABLE josch.jobs ADD CONSTRAINT no_such_job CHECK (job_name <> 'None' OR job_date < '2026-12-21');
SELECT josch.tick('2026-12-21 22:00+01');
SELECT job_name, outcome, there, comment FROM days WHERE job_date = '2026-12-21';
ALTER TABLE josch.jobs DROP CONSTRAINT no_such_job;
SELECT * FROM josch.make_missed();
SELECT job_name, outcome, there, comment FROM days WHERE job_date = '2026-12-21' AND job_name = 'None';
SET client_min_messages = warning;

-- of the past, by hand, in the caller's transaction
BEGIN;
SELECT * FROM josch.backfill('2026-10-01', '2026-10-06', 'Sod');
SELECT josch.tick('2026-12-21 22:01+01');
ROLLBACK;
SELECT count(*) FROM josch.jobs WHERE job_name = 'Sod' AND job_date < '2026-11-01';
SELECT count(*), min(job_date), max(job_date) FROM josch.backfill('2026-10-01', '2026-10-31');
SELECT count(*) FROM josch.backfill('2026-10-01', '2026-10-31');
SELECT * FROM josch.backfill('2026-10-01', '2026-10-31', 'nobody');
SELECT * FROM josch.backfill('2026-10-31', '2026-10-01');
SELECT * FROM josch.backfill('infinity', '2026-10-01');
-- a backfill of days that are to come does not keep those before from making themselves
SELECT count(*) FROM josch.backfill('2026-12-29', '2026-12-31', 'All');
SELECT josch.tick('2026-12-23 22:00+01');
SELECT * FROM days WHERE job_name = 'All' AND job_date >= '2026-12-21';

-- another time for a day that is made makes it not again; an earlier time makes it now
UPDATE josch.tpl_jobs SET schedule_at = '23:00' WHERE job_name = 'All';
SELECT josch.tick('2026-12-23 23:00+01');
UPDATE josch.tpl_jobs SET schedule_at = '12:00' WHERE job_name = 'All';
SELECT josch.tick('2026-12-24 12:00+01');
SELECT * FROM days WHERE job_name = 'All' AND job_date >= '2026-12-23';
-- the clock set back: nothing twice, and on it goes
SELECT josch.tick('2026-12-20 12:00+01');
SELECT josch.tick('2026-12-25 12:00+01');
SELECT * FROM days WHERE job_name = 'All' AND job_date >= '2026-12-23';

-- what is refused
INSERT INTO josch.tpl_jobs (job_name, schedule_at) VALUES ('x', '168:00');
INSERT INTO josch.tpl_jobs (job_name, schedule_at) VALUES ('x', '-168:00');
INSERT INTO josch.tpl_jobs (job_name, schedule_at) VALUES ('x', '1 day');
INSERT INTO josch.tpl_jobs (job_name, catch_up) VALUES ('x', 'some');
INSERT INTO josch.tpl_jobs (job_name, catch_up_grace) VALUES ('x', '-1 minute');
INSERT INTO josch.tpl_jobs (job_name, valid_from, valid_to) VALUES ('x', '2026-01-02', '2026-01-01');
INSERT INTO josch.tpl_jobs (job_name, schedule_at, time_zone) VALUES ('x', '1:00', 'Nowhere');
-- a date that is the last there is, or a calendar without days, keeps no other from being made
INSERT INTO josch.tpl_jobs (job_name, calendar_name, schedule_at, days_after) VALUES ('End of time', 'Bank', '1:00', '9899-12-31');
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Never', '{}');
INSERT INTO josch.tpl_jobs (job_name, schedule_at, calendar_name) VALUES ('Never', '1:00', 'Never');
SELECT josch.tick('2026-12-28 12:00+01');
SELECT * FROM days WHERE job_date >= '2026-12-28';

-- whoever may look may see what is to come
SET ROLE josch_viewer;
SELECT * FROM josch.forecast_days('All', '2026-12-25', '2026-12-29');
RESET ROLE;

-- a clock that was ahead, and is put right: what it called missed is not, and nothing is made twice
SET josch.now = '2027-01-06 12:00:00+01';
UPDATE josch.tpl_jobs SET schedule_at = NULL;
UPDATE josch.tpl_jobs SET schedule_at = '22:00' WHERE job_name IN ('All', 'None', 'Ask', 'Newest');
UPDATE josch.tpl_jobs SET catch_up = 'latest', valid_to = NULL WHERE job_name = 'Newest';
SELECT josch.tick('2027-01-12 12:00+01') > 0 AS changes;
SELECT josch.tick('2027-01-06 22:00+01') + josch.tick('2027-01-07 22:00+01') + josch.tick('2027-01-08 22:00+01') > 0 AS changes;
SELECT job_name, job_date, due, outcome, made FROM days WHERE job_date >= '2027-01-06';
SELECT josch.tick('2027-01-12 12:00+01') > 0 AS changes;
SELECT job_name, string_agg(to_char(job_date, 'MM-DD') || ' ' || outcome, ', ' ORDER BY job_date) FROM days WHERE job_date >= '2027-01-06' GROUP BY 1 ORDER BY 1;

-- a day that is opened when later ones have made themselves, of those that are to come; not of the past
SET josch.now = '2027-01-12 12:00:00+01';
UPDATE josch.tpl_jobs SET schedule_at = NULL;
INSERT INTO josch.tpl_jobs (job_name, time_zone, calendar_name, schedule_at) VALUES ('Ahead', 'Europe/Zurich', 'Bank', '-100:00');
SELECT josch.tick('2027-01-20 12:00+01') > 0 AS changes;
SELECT min(job_date), max(job_date) FROM days WHERE job_name = 'Ahead';
INSERT INTO josch.holidays VALUES ('Bank', '2027-01-23', 'makes up for a bridge day', true), ('Bank', '2027-01-17', 'too late', true);
SELECT josch.tick('2027-01-20 12:01+01') > 0 AS changes;
SELECT job_date, due, outcome, made FROM days WHERE job_name = 'Ahead' AND job_date BETWEEN '2027-01-15' AND '2027-01-25';

-- templates that are changed while days are made: what follows is done by what stands there then, and no day is lost
SET josch.now = '2027-10-28 12:00:00+01';
UPDATE josch.tpl_jobs SET schedule_at = NULL;
INSERT INTO josch.tpl_jobs (job_name, time_zone, calendar_name, schedule_at) VALUES ('A first', 'UTC', 'Bank', '20:00'), ('B zone', 'Europe/London', 'Bank', '22:00'), ('C asks', 'UTC', 'Bank', '22:00');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (21, 'N', 'A first', 'a'), (22, 'N', 'B zone', 'a'), (23, 'N', 'C asks', 'a');
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	-- the day before the switch is due at another time then, the days after it are not
	UPDATE josch.tpl_jobs SET time_zone = 'UTC' WHERE job_name = 'B zone';
	UPDATE josch.tpl_jobs SET catch_up = 'ask' WHERE job_name = 'C asks';
	RETURN new;
END $$;
CREATE TRIGGER meddle BEFORE INSERT ON josch.job_days FOR EACH ROW WHEN (new.job_name = 'A first' AND new.job_date = '2027-10-28') EXECUTE FUNCTION meddle();
SELECT josch.tick('2027-11-02 12:00+00') > 0 AS changes;
SELECT josch.tick('2027-11-02 12:01+00') > 0 AS changes;
SELECT job_name, string_agg(to_char(job_date, 'MM-DD') || ' ' || outcome, ', ' ORDER BY job_date) FROM days WHERE job_date >= '2027-10-28' GROUP BY 1 ORDER BY 1;
DROP TRIGGER meddle ON josch.job_days;

-- one of which nothing can be written down keeps no other from being made
SET client_min_messages = error;
ALTER TABLE josch.job_days ADD CONSTRAINT no_such_day CHECK (job_name <> 'A first' OR job_date <> '2027-11-02');
SELECT josch.tick('2027-11-03 23:00+00') > 0 AS changes;
ALTER TABLE josch.job_days DROP CONSTRAINT no_such_day;
SELECT job_name, job_date, outcome FROM days WHERE job_date BETWEEN '2027-11-02' AND '2027-11-03';
SELECT josch.tick('2027-11-03 23:01+00') > 0 AS changes;
SELECT job_name, job_date, outcome FROM days WHERE job_date BETWEEN '2027-11-02' AND '2027-11-03' AND job_name = 'A first';
SET client_min_messages = warning;

-- a year that one job has missed does not come before the day of another
SET josch.now = '2027-12-01 12:00:00+00';
UPDATE josch.tpl_jobs SET schedule_at = NULL;
INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at, days_after, valid_from, catch_up) VALUES ('A year', 'UTC', '0:00', '2026-12-01', '2026-12-01', 'none');
INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at) VALUES ('Other', 'UTC', '12:01');
SELECT josch.tick('2027-12-01 12:02+00') >= 0;
SELECT count(*) FROM days WHERE job_name = 'A year';
SELECT count(*) FROM josch.job_days_audit y JOIN josch.job_days_audit o ON o.job_name = 'Other' AND y.audit_id < o.audit_id WHERE y.job_name = 'A year';

-- the date that Samoa left out has its day all the same, a leap day has; times of a week before and after
SET josch.now = '2011-12-27 00:00:00+00';
INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at, valid_from) VALUES ('Apia', 'Pacific/Apia', '12:00', '2011-01-01');
SELECT josch.tick('2012-01-01 12:00+00') >= 0;
SELECT job_date, due_at AT TIME ZONE 'UTC' AS due, outcome FROM josch.job_days WHERE job_name = 'Apia' ORDER BY 1;
SET josch.now = '2028-02-26 12:00:00+00';
UPDATE josch.tpl_jobs SET schedule_at = NULL;
INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at) VALUES ('After', 'UTC', '167:59:59'), ('Before', 'UTC', '-167:59:59'), ('Leap', 'UTC', '0:00');
SELECT josch.tick('2028-03-05 00:00:01+00') >= 0;
SELECT job_name, min(job_date), max(job_date), count(*), bool_or(job_date = '2028-02-29') FROM days WHERE job_name IN ('After', 'Before', 'Leap') GROUP BY 1 ORDER BY 1;

-- every decision is on record
SELECT operation, new_values->>'outcome' AS outcome, new_values->>'decided_by' IS NOT NULL AS decided FROM josch.job_days_audit WHERE job_name = 'Ask' AND job_date = '2026-12-04' ORDER BY audit_id;

DROP VIEW days;
DROP FUNCTION meddle();
RESET josch.now;
DROP EXTENSION josch CASCADE;
