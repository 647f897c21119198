-- Business calendars: weekdays, rules over another calendar's open days, parts, named dates; and what is asked of them.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.calendars (calendar_name) VALUES ('Desk'), ('Other');
INSERT INTO josch.holidays (calendar_name, holiday, holiday_name, open) VALUES
	('Desk', '2026-12-24', 'Christmas Eve', false), ('Desk', '2026-12-25', 'Christmas', false),
	('Desk', '2027-01-01', 'New Year', false), ('Desk', '2027-01-02', 'makes up for Christmas Eve', true);
SELECT string_agg(to_char(d, 'Dy DD'), ', ' ORDER BY d) AS open FROM josch.open_days('Desk', '2026-12-19', '2027-01-05') d;
SELECT d::date, josch.is_open('Desk', d::date) AS open, josch.business_day('Desk', d::date, -1) AS before, josch.business_day('Desk', d::date, 0) AS here,
	josch.business_day('Desk', d::date, 1) AS after, josch.business_day('Desk', d::date, 3) AS third, josch.business_day('Desk', d::date, -3) AS third_before
FROM generate_series(date '2026-12-23', '2027-01-04', '1 day') d;
-- far away: so many steps there lead so many steps back
SELECT n, josch.business_day('Desk', '2026-12-23', n) AS there, josch.business_day('Desk', josch.business_day('Desk', '2026-12-23', n), -n) = '2026-12-23' AS back
FROM unnest('{1,-1,250,-250,100000,-100000,2000000,-490000}'::int[]) n;
-- each step is one of the list
SELECT count(*), bool_and(josch.business_day('Desk', '2020-01-01', n::int) = d AND josch.business_day('Desk', d, -1) = coalesce(lag, '2020-01-01')
	AND josch.is_open('Desk', d)) AS agrees
FROM (SELECT d, n, lag(d) OVER (ORDER BY n) FROM josch.open_days('Desk', '2020-01-02', '2035-12-31') WITH ORDINALITY o (d, n)) o;

-- sets: the last part that speaks wins, and the dates of its own have the last word
INSERT INTO josch.holidays (calendar_name, holiday, open) VALUES ('Other', '2026-12-28', false), ('Other', '2026-12-26', true);
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Both', '{1,2,3,4,5,6,7}'), ('Either', '{}'), ('Desk only', '{}'), ('Mixed', '{}'), ('Fridays', '{5}');
UPDATE josch.calendars SET of_calendar = 'Desk' WHERE calendar_name = 'Fridays';
INSERT INTO josch.calendar_parts VALUES ('Both', 1, 'and', 'Desk'), ('Both', 2, 'and', 'Other'), ('Either', 1, 'or', 'Desk'), ('Either', 2, 'or', 'Other'),
	('Desk only', 1, 'or', 'Desk'), ('Desk only', 2, 'not', 'Other'), ('Mixed', 3, 'or', 'Desk'), ('Mixed', 2, 'not', 'Other'), ('Mixed', 1, 'or', 'Other');
INSERT INTO josch.holidays (calendar_name, holiday, open) VALUES ('Both', '2026-12-30', false), ('Both', '2026-12-27', true);
SELECT c AS calendar, string_agg(to_char(d, 'DD'), ' ' ORDER BY d) AS open
FROM unnest('{Desk,Other,Both,Either,Desk only,Mixed,Fridays}'::text[]) WITH ORDINALITY c (c, n), josch.open_days(c, '2026-12-21', '2027-01-03') d GROUP BY c, n ORDER BY n;
-- the order of the parts matters
UPDATE josch.calendar_parts SET position = position + 10 WHERE calendar_name = 'Mixed' AND position = 2;
SELECT string_agg(to_char(d, 'DD'), ' ' ORDER BY d) AS mixed FROM josch.open_days('Mixed', '2026-12-21', '2027-01-03') d;
-- known_until is the earliest of all that it is made of
SELECT josch.known_until('Both') AS for_ever;
UPDATE josch.calendars SET known_until = '2027-12-31' WHERE calendar_name = 'Other';
UPDATE josch.calendars SET known_until = '2028-12-31' WHERE calendar_name = 'Desk';
SELECT josch.known_until('Both') AS both, josch.known_until('Fridays') AS fridays, josch.known_until('Either') AS either;
-- and days beyond it are there all the same
SELECT josch.business_day('Both', '2040-01-01', 1);

-- a calendar that is closed, or nearly so, answers in words and in time
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Never', '{}'), ('Once', '{}');
INSERT INTO josch.holidays (calendar_name, holiday, open) VALUES ('Once', '2026-06-01', true);
SELECT count(*) FROM josch.open_days('Never', '0100-01-01', '9899-12-31');
SELECT josch.business_day('Never', '2026-01-01', 1);
SELECT josch.business_day('Once', '2026-01-01', 1), josch.business_day('Once', '2026-06-02', -1), josch.business_day('Once', '2226-06-02', -1);
SELECT josch.business_day('Once', '2026-06-01', 1);
SELECT josch.business_day('Once', '2026-01-01', 2);
SELECT josch.business_day('Once', '9000-01-01', -1);
SELECT josch.business_day('Desk', '2026-01-01', 2147483647);
SELECT josch.business_day('Desk', '2026-01-01', -2147483648);
-- the ends of time
SELECT josch.is_open('Desk', '0100-01-01') AS first, josch.is_open('Desk', '9899-12-31') AS last, count(*) FROM josch.open_days('Desk', '0100-01-01', '9899-12-31');
SELECT josch.business_day('Desk', '9899-12-31', 1);
SELECT josch.business_day('Desk', '0100-01-01', -1);
SELECT josch.is_open('Desk', '9900-01-01');
SELECT josch.is_open('Desk', '0099-12-31');
SELECT josch.is_open('Desk', 'infinity');
SELECT josch.business_day('Desk', '-infinity', 1);
SELECT * FROM josch.open_days('Desk', '2026-01-01', 'infinity');
SELECT * FROM josch.open_days('Desk', '2026-01-02', '2026-01-01');
SELECT josch.is_open('No such', '2026-01-01');
SELECT josch.is_open(repeat('x', 900), '2026-01-01');
SELECT josch.is_open('', '2026-01-01');
SELECT josch.is_open(NULL, '2026-01-01') AS open, josch.business_day('Desk', NULL, 1) AS day;

-- what is not stored
INSERT INTO josch.calendars (calendar_name) VALUES (' ');
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('X', '{0}');
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('X', '{1,NULL}');
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('X', '{{1,2},{3,4}}');
INSERT INTO josch.calendars (calendar_name, move_rule) VALUES ('X', 'following');
INSERT INTO josch.calendars (calendar_name, move_rule, rule) VALUES ('X', 'nearest', 'FREQ=DAILY');
INSERT INTO josch.calendars (calendar_name, known_until) VALUES ('X', 'infinity');
INSERT INTO josch.calendars (calendar_name, of_calendar) VALUES ('X', 'No such');
INSERT INTO josch.holidays (calendar_name, holiday) VALUES ('Desk', 'infinity');
INSERT INTO josch.holidays (calendar_name, holiday) VALUES ('No such', '2026-01-01');
INSERT INTO josch.calendar_parts VALUES ('Desk', 1, 'xor', 'Other');
-- a part of itself, at once or over others, whichever way
INSERT INTO josch.calendars (calendar_name, of_calendar) VALUES ('X', 'X');
INSERT INTO josch.calendar_parts VALUES ('Desk', 1, 'or', 'Desk');
INSERT INTO josch.calendar_parts VALUES ('Desk', 1, 'or', 'Both');
UPDATE josch.calendars SET of_calendar = 'Fridays' WHERE calendar_name = 'Desk';
UPDATE josch.calendar_parts SET part_name = 'Both' WHERE calendar_name = 'Both' AND position = 1;
-- nor is one taken away that others are made of; another takes its own along, and may be renamed
DELETE FROM josch.calendars WHERE calendar_name = 'Other';
DELETE FROM josch.calendars WHERE calendar_name = 'Once';
UPDATE josch.calendars SET calendar_name = 'Bank' WHERE calendar_name = 'Other';
SELECT string_agg(to_char(d, 'DD'), ' ' ORDER BY d) AS both FROM josch.open_days('Both', '2026-12-21', '2027-01-03') d;
SELECT count(*) FROM josch.holidays WHERE calendar_name IN ('Once', 'Other');
-- one statement takes calendars away together with what they are made of, in whatever order it finds them
SAVEPOINT whole;
INSERT INTO josch.calendars (calendar_name) VALUES ('Whole'), ('Part'), ('Whole, too');
INSERT INTO josch.calendar_parts VALUES ('Whole', 1, 'or', 'Part'), ('Whole, too', 1, 'or', 'Part');
DELETE FROM josch.calendars;
SELECT (SELECT count(*) FROM josch.calendars) AS calendars, (SELECT count(*) FROM josch.calendar_parts) AS parts;
SELECT count(*) FROM josch.calendar_parts_audit WHERE operation = 'DELETE';
ROLLBACK TO whole;
-- all of it is on record
SELECT operation, calendar_name, new_values->>'holiday_name' AS name FROM josch.holidays_audit WHERE holiday = '2026-12-25';
SELECT operation, calendar_name, old_values, new_values FROM josch.calendars_audit WHERE calendar_name = 'Bank' ORDER BY audit_id;
TRUNCATE josch.holidays;
ROLLBACK;
