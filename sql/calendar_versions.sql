-- A statement sees the calendars that its snapshot sees: what others have committed, what its own transaction has changed, and what it took back.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK off
INSERT INTO josch.calendars (calendar_name) VALUES ('Versions base');
INSERT INTO josch.calendars (calendar_name, of_calendar) VALUES ('Versions', 'Versions base');
INSERT INTO josch.calendar_parts VALUES ('Versions', 1, 'and', 'Versions base');
PREPARE here AS SELECT josch.is_open('Versions', '2026-06-01') AS first, josch.is_open('Versions', '2026-06-02') AS second, josch.is_open('Versions', '2026-06-03') AS third;
EXECUTE here;
-- a plan that is kept, and a calendar that it is made of
INSERT INTO josch.holidays VALUES ('Versions base', '2026-06-01');
EXECUTE here;
-- a transaction sees what it has changed, and not what it took back
BEGIN;
INSERT INTO josch.holidays VALUES ('Versions', '2026-06-02');
EXECUTE here;
SAVEPOINT s;
INSERT INTO josch.holidays VALUES ('Versions', '2026-06-03');
EXECUTE here;
ROLLBACK TO s;
EXECUTE here;
DELETE FROM josch.holidays WHERE calendar_name = 'Versions base';
EXECUTE here;
RELEASE s;
EXECUTE here;
ROLLBACK;
EXECUTE here;
-- a subtransaction of a function that fails
DO $$
BEGIN
	FOR i IN 1..2 LOOP
		BEGIN
			UPDATE josch.calendars SET weekdays = '{}' WHERE calendar_name = 'Versions base';
			RAISE INFO 'within: %', josch.is_open('Versions', '2026-06-02');
			PERFORM 1 / 0;
		EXCEPTION WHEN division_by_zero THEN
			RAISE INFO 'after: %', josch.is_open('Versions', '2026-06-02');
		END;
	END LOOP;
END $$;
EXECUTE here;
-- a statement that is under way does not see what comes after its snapshot: a cursor, and what it changes itself
BEGIN;
DECLARE old CURSOR FOR SELECT d, josch.is_open('Versions', date '2026-05-31' + d) FROM generate_series(1, 4) d;
FETCH 1 FROM old;
INSERT INTO josch.holidays VALUES ('Versions', '2026-06-02'), ('Versions', '2026-06-03');
EXECUTE here;
FETCH 1 FROM old;
EXECUTE here;
DELETE FROM josch.holidays WHERE calendar_name = 'Versions base';
FETCH 1 FROM old;
EXECUTE here;
FETCH 1 FROM old;
WITH gone AS (DELETE FROM josch.holidays WHERE calendar_name = 'Versions' RETURNING holiday)
SELECT holiday, josch.is_open('Versions', holiday) AS still_closed FROM gone ORDER BY 1;
EXECUTE here;
COMMIT;
EXECUTE here;
-- what goes wrong leaves nothing half known
BEGIN;
ALTER TABLE josch.calendar_parts DISABLE TRIGGER USER;
INSERT INTO josch.calendar_parts VALUES ('Versions base', 1, 'or', 'Versions');
ALTER TABLE josch.calendar_parts ENABLE TRIGGER USER;
SAVEPOINT s;
EXECUTE here;
ROLLBACK TO s;
SELECT josch.is_open('Versions base', '2026-06-01');
ROLLBACK TO s;
UPDATE josch.calendar_parts SET part_name = part_name;
ROLLBACK;
EXECUTE here;
SELECT josch.is_open('No such', '2026-06-01');
SELECT josch.is_open('No such', '2026-06-01');
EXECUTE here;
-- nor does an extension that is dropped, and is not
BEGIN;
SET LOCAL client_min_messages = warning;
DROP EXTENSION josch;
CREATE EXTENSION josch;
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Versions', '{}');
EXECUTE here;
ROLLBACK;
EXECUTE here;
-- another session of the same statement: parallel workers see the same, what is not committed yet too
CREATE TABLE days AS SELECT date '2026-01-01' + i AS d FROM generate_series(0, 9999) i;
ANALYZE days;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
SELECT count(*) FROM days WHERE josch.is_open('Versions', d);
BEGIN;
INSERT INTO josch.holidays SELECT 'Versions', d FROM days WHERE d >= '2030-01-01';
SELECT count(*), max(d) FROM days WHERE josch.is_open('Versions', d);
SELECT count(DISTINCT josch.business_day('Versions', d, -1)) FROM days;
ROLLBACK;
SELECT count(*) FROM days WHERE josch.is_open('Versions', d);
EXPLAIN (COSTS OFF) SELECT count(*) FROM days WHERE josch.is_open('Versions', d);
DROP TABLE days;
-- however often it is asked, a statement reads the tables once, and the next one not at all
BEGIN;
CREATE FUNCTION pg_temp.scans() RETURNS bigint LANGUAGE sql AS $$
	SELECT sum(seq_scan + coalesce(idx_scan, 0)) FROM pg_stat_xact_all_tables WHERE schemaname = 'josch' AND relname IN ('calendars', 'calendar_parts', 'holidays')
$$;
CREATE TEMP TABLE other (i int);
INSERT INTO josch.holidays VALUES ('Versions', '2026-06-03');
SELECT count(*) FROM generate_series(1, 100) i WHERE josch.is_open('Versions', date '2026-06-01' + i);
SELECT count(*) FROM generate_series(1, 100) i WHERE josch.is_open('Versions base', date '2026-06-01' + i);
SELECT pg_temp.scans() > 0 AS some, pg_temp.scans() AS so_far \gset
\echo :some
SELECT count(*) FROM generate_series(1, 1000) i WHERE josch.is_open('Versions', date '2026-06-01' + i) AND josch.business_day('Versions', date '2026-06-01', i) > '2026-06-01';
SELECT count(*) FROM generate_series(1, 1000) i WHERE josch.is_open('Versions base', date '2026-06-01' + i);
DO $$ BEGIN FOR i IN 1..100 LOOP INSERT INTO other VALUES (i); PERFORM josch.is_open('Versions', date '2026-06-01' + i); END LOOP; END $$;
SELECT pg_temp.scans() - :so_far AS more;
ROLLBACK;
DELETE FROM josch.calendars WHERE calendar_name = 'Versions';
DELETE FROM josch.calendars WHERE calendar_name = 'Versions base';
EXECUTE here;
