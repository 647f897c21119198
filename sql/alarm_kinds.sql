-- Alarms of nodes, days and calendars: raised by the clock, once each, cleared by themselves, acknowledged by a person.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET josch.now = '2026-03-02 00:00+00';
\set ON_ERROR_ROLLBACK on
\set SHOW_CONTEXT never
BEGIN;
CREATE ROLE regress_alarm_operator LOGIN IN ROLE josch_operator;
CREATE ROLE regress_alarm_viewer LOGIN IN ROLE josch_viewer;
CREATE ROLE regress_alarm_nobody LOGIN;
CREATE FUNCTION pg_temp.at(moment text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('josch.now', '2026-03-02 ' || moment || '+00', false); SELECT josch.tick(); SELECT $$;
CREATE VIEW pg_temp.open AS SELECT kind, node_id, due_at, raised_at, message FROM josch.alarms WHERE cleared_at IS NULL ORDER BY due_at, kind, node_id;
CREATE VIEW pg_temp.cleared AS SELECT kind, node_id, due_at, raised_at, cleared_at FROM josch.alarms WHERE cleared_at IS NOT NULL ORDER BY cleared_at, due_at, kind, node_id;
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('J', 'Europe/Zurich');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, start_by, finish_by, start_time, signoff_time) VALUES
	(1, 'S', 'J', 'first', NULL, '09:00', NULL, '08:00'), (2, 'N', 'J', 'never starts', '10:00', '11:00', NULL, NULL),
	(3, 'N', 'J', 'in time', '10:00', '11:00', '07:00', NULL), (4, 'S', 'J', 'in time, too', '10:00', '12:00', NULL, NULL);
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2);
SELECT * FROM josch.schedule('2026-03-02', 'J');
SELECT kind, node_id, due_at FROM josch.deadlines ORDER BY 3, 1, 2;

-- 1 is asked for, and 4 from the start on; 3 runs at its time: no alarm of it, ever
SELECT pg_temp.at('06:00');
SELECT * FROM pg_temp.open;
SELECT pg_temp.at('07:00');
SELECT * FROM pg_temp.open;
-- finish_by has passed a second ago; nothing else has happened
SELECT pg_temp.at('08:00:01');
SELECT * FROM pg_temp.open;
-- once each, whatever comes
SELECT pg_temp.at('08:00:02');
SELECT count(*), count(DISTINCT (kind, node_id)) FROM josch.alarms;
-- what has never started
SELECT pg_temp.at('09:30');
SELECT * FROM pg_temp.open;
-- the clock is set back: what was raised stays, and is not raised again
SELECT pg_temp.at('08:30');
SELECT pg_temp.at('09:30');
SELECT kind, node_id, count(*) FROM josch.alarms GROUP BY 1, 2 ORDER BY 1, 2;
-- acknowledged: it stays open; the second is told who was first
SET SESSION AUTHORIZATION regress_alarm_operator;
SELECT josch.acknowledge(alarm_id, 'on my way') FROM josch.alarms WHERE kind = 'late_start';
SELECT kind, acked_by, acked_at, comment, cleared_at FROM josch.alarms WHERE acked_by IS NOT NULL;
RESET SESSION AUTHORIZATION;
SELECT josch.acknowledge(alarm_id) FROM josch.alarms WHERE kind = 'late_start';
SELECT josch.acknowledge(NULL);
SELECT josch.acknowledge(-1);
SELECT josch.acknowledge(alarm_id, repeat('x', 10001)) FROM josch.alarms WHERE kind = 'late_end';
SET SESSION AUTHORIZATION regress_alarm_viewer;
SELECT count(*) > 0 AS sees FROM josch.alarms;
SELECT josch.acknowledge(alarm_id) FROM josch.alarms WHERE kind = 'late_end';
UPDATE josch.alarms SET cleared_at = now();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_alarm_nobody;
SELECT count(*) FROM josch.alarms;
RESET SESSION AUTHORIZATION;
-- late, but done: cleared by itself, with the time at which it was
SET josch.now = '2026-03-02 09:45+00';
SELECT josch.signoff(1, '2026-03-02');
SELECT pg_temp.at('09:46');
SELECT * FROM pg_temp.cleared;
SELECT * FROM pg_temp.open;
-- done in time, and again after its time: whoever has it done once more knows
SET josch.now = '2026-03-02 10:00+00';
SELECT josch.signoff(4, '2026-03-02');
SET josch.now = '2026-03-02 12:00+00';
SELECT josch.rerun(4, '2026-03-02', comment => 'once more');
SELECT pg_temp.at('12:01');
SELECT kind FROM josch.alarms WHERE node_id = 4 ORDER BY 1, alarm_id;
SELECT josch.skip(4, '2026-03-02');

-- a deadline that is moved: the old alarm is gone, the new one comes at its time
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, finish_by, signoff_time) VALUES ('2026-03-02', 5, 'S', 'J', 'moved', '13:30', '15:00');
SELECT pg_temp.at('12:31');
SELECT * FROM pg_temp.open WHERE node_id = 5;
UPDATE josch.nodes SET finish_by = '14:00' WHERE node_id = 5;
SELECT pg_temp.at('12:32');
SELECT * FROM pg_temp.open WHERE node_id = 5;
SELECT pg_temp.at('13:00');
SELECT * FROM pg_temp.open WHERE node_id = 5;
-- held back by a person: late all the same; gone on without: not late any more
SELECT josch.hold(5, '2026-03-02');
SELECT pg_temp.at('13:01');
SELECT * FROM pg_temp.open WHERE node_id = 5;
SELECT josch.skip(5, '2026-03-02');
SELECT pg_temp.at('13:02');
SELECT * FROM pg_temp.open WHERE node_id = 5;
-- taken back: gone with it
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('T', 'UTC');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, finish_by, signoff_time) VALUES (20, 'S', 'T', 'of no day', '10:00', '23:00');
SELECT josch.schedule('2026-03-02', 'T');
SELECT pg_temp.at('13:03');
SELECT kind, node_id, job_date FROM josch.alarms WHERE cleared_at IS NULL ORDER BY 1, 2;
SELECT josch.unschedule('2026-03-02', 'T');
SELECT pg_temp.at('13:04');
SELECT count(*) FROM pg_temp.open;

-- days that were missed: one alarm with the list, and another for what comes later
SET josch.now = '2026-03-02 14:00+00';
INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at, catch_up, days_after, valid_from) VALUES ('K', 'UTC', '6:00', 'ask', '2026-02-20', '2026-02-21');
SELECT pg_temp.at('14:01');
SELECT kind, job_name, job_date, due_at, message FROM josch.alarms WHERE cleared_at IS NULL;
SELECT count(*) FROM josch.make_missed('K', ARRAY['2026-02-21'::date]);
SELECT set_config('josch.now', '2026-03-03 14:01+00', false);
SELECT josch.tick() IS NOT NULL;
SELECT kind, job_name, job_date, due_at, message FROM josch.alarms WHERE cleared_at IS NULL ORDER BY alarm_id;
SELECT josch.decline_missed('K');
SELECT josch.tick() IS NOT NULL;
SELECT kind, job_date, cleared_at FROM josch.alarms WHERE job_name = 'K' ORDER BY alarm_id;
-- who takes a day back knows it
SELECT josch.unschedule('2026-02-21', 'K');
SELECT josch.tick() IS NOT NULL;
SELECT count(*) FROM josch.alarms WHERE job_name = 'K';
UPDATE josch.tpl_jobs SET schedule_at = NULL WHERE job_name = 'K';

-- what is known of a calendar ends
INSERT INTO josch.calendars (calendar_name, known_until) VALUES ('C', '2026-06-10'), ('of nobody', '2026-03-10');
UPDATE josch.tpl_jobs SET calendar_name = 'C' WHERE job_name = 'J';
SELECT set_config('josch.now', '2026-03-11 12:00+00', false);
SELECT josch.tick() IS NOT NULL;
SELECT kind, calendar_name, message FROM josch.alarms WHERE cleared_at IS NULL AND kind = 'calendar_ends';
SELECT set_config('josch.now', '2026-03-12 12:00+00', false);
SELECT josch.tick() IS NOT NULL;
SELECT kind, calendar_name, raised_at, message FROM josch.alarms WHERE cleared_at IS NULL AND kind = 'calendar_ends';
UPDATE josch.calendars SET known_until = '2027-12-31' WHERE calendar_name = 'C';
SELECT set_config('josch.now', '2026-03-12 13:00+00', false);
SELECT josch.tick() IS NOT NULL;
SELECT kind, calendar_name, cleared_at FROM josch.alarms WHERE kind = 'calendar_ends';
-- an edit that is taken back again is told again
UPDATE josch.calendars SET known_until = '2026-06-10' WHERE calendar_name = 'C';
SELECT josch.tick() IS NOT NULL;
SELECT count(*), count(cleared_at) FROM josch.alarms WHERE kind = 'calendar_ends';
ROLLBACK;

-- the list is true of whatever rows there are, and asked by the key: thousands of nodes in time cost nothing
BEGIN;
SET josch.now = '2026-03-02 00:00+00';
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('many', 'UTC');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, start_by, finish_by, start_time) SELECT i, 'N', 'many', 'n' || i, '20:00', '22:00', '18:00' FROM generate_series(1, 3000) i;
SELECT nodes FROM josch.schedule('2026-03-02', 'many');
SELECT kind, count(*) FROM josch.deadlines GROUP BY 1 ORDER BY 1;
SET josch.now = '2026-03-02 18:00+00';
SELECT josch.tick();
SELECT count(*) FROM josch.deadlines;
SET josch.now = '2026-03-02 23:00+00';
SELECT josch.tick();
SELECT count(*) FROM josch.alarms;
-- and all of them late: once each
SELECT nodes FROM josch.schedule('2026-03-03', 'many');
SET josch.now = '2026-03-03 17:00+00';
SELECT count(josch.hold(node_id, job_date)) FROM josch.nodes WHERE job_date = '2026-03-03' AND node_id <= 1500;
SET josch.now = '2026-03-03 23:00+00';
SELECT josch.tick() > 0;
SELECT kind, count(*), count(DISTINCT node_id) FROM josch.alarms GROUP BY 1 ORDER BY 1;
SELECT josch.tick();
SELECT kind, count(*), count(DISTINCT node_id) FROM josch.alarms GROUP BY 1 ORDER BY 1;
SELECT count(josch.skip(node_id, job_date)) FROM josch.nodes WHERE job_date = '2026-03-03' AND node_id <= 1500;
SELECT josch.tick();
SELECT count(*), count(cleared_at) FROM josch.alarms;
ROLLBACK;

-- what can never start, while that is so: each node, whatever waits beside it
BEGIN;
CREATE FUNCTION pg_temp.at(moment text) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('josch.now', '2026-03-02 ' || moment || '+00', false); SELECT josch.tick(); SELECT $$;
SET josch.now = '2026-03-02 00:00+00';
INSERT INTO josch.semaphores (semaphore_name, capacity) VALUES ('small', 2), ('closed', 0), ('large', 5);
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('fit', 'UTC');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, start_time) VALUES
	(1, 'N', 'fit', 'too large', 'SELECT 1', NULL), (2, 'N', 'fit', 'as large', 'SELECT 1', NULL), (3, 'N', 'fit', 'of a closed one', 'SELECT 1', NULL),
	(4, 'N', 'fit', 'not yet', 'SELECT 1', '05:00'), (5, 'N', 'fit', 'of both', 'SELECT 1', NULL);
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) SELECT i, 'N', 'fit', 'n' || i, 'SELECT 1' FROM generate_series(1001, 2200) i;
INSERT INTO josch.tpl_node_semaphores (node_id, semaphore_name, units) VALUES (1, 'small', 3), (2, 'small', 3), (3, 'closed', 1), (4, 'small', 4), (5, 'large', 5), (5, 'small', 9);
INSERT INTO josch.tpl_node_semaphores (node_id, semaphore_name, units) SELECT i, 'large', CASE WHEN i <= 1600 THEN 6 ELSE 5 END FROM generate_series(1001, 2200) i;
SELECT nodes FROM josch.schedule('2026-03-02', 'fit');
SELECT pg_temp.at('01:00');
SELECT node_id, due_at, raised_at, message FROM josch.alarms WHERE kind = 'never_fits' AND node_id < 1002 ORDER BY 1;
SELECT count(*), count(DISTINCT node_id), min(node_id), max(node_id) FROM josch.alarms WHERE kind = 'never_fits' AND node_id > 1000;
-- once each; what comes later is told then
SELECT pg_temp.at('05:00');
SELECT node_id, due_at, message FROM josch.alarms WHERE kind = 'never_fits' AND due_at > '2026-03-02 01:00+00';
SELECT count(*), count(DISTINCT node_id) FROM josch.alarms WHERE kind = 'never_fits';
-- gone when the capacity is another, when less is needed, and when a person goes on without it; told again when it comes again
UPDATE josch.semaphores SET capacity = 3 WHERE semaphore_name = 'small';
UPDATE josch.node_semaphores SET units = 5 WHERE node_id BETWEEN 1001 AND 1600;
SELECT josch.skip(4, '2026-03-02');
SELECT pg_temp.at('06:00');
SELECT node_id, cleared_at FROM josch.alarms WHERE kind = 'never_fits' AND node_id < 1002 ORDER BY 1;
SELECT count(*) FROM josch.alarms WHERE kind = 'never_fits' AND cleared_at IS NULL;
UPDATE josch.node_semaphores SET units = 4 WHERE node_id = 2;
DELETE FROM josch.node_semaphores WHERE node_id = 5 AND semaphore_name = 'small';
UPDATE josch.semaphores SET capacity = 4 WHERE semaphore_name = 'large';
SELECT pg_temp.at('07:00');
SELECT node_id, due_at, cleared_at FROM josch.alarms WHERE kind = 'never_fits' AND node_id < 1000 ORDER BY 1, 2;
ROLLBACK;
