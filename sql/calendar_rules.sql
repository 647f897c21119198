-- Rules of calendars: what they choose, how closed days move, and what is refused, with its reason.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
-- closed on 24, 25, 31 December and on New Year's Day
INSERT INTO josch.calendars (calendar_name) VALUES ('Desk');
INSERT INTO josch.holidays (calendar_name, holiday) SELECT 'Desk', make_date(y, d / 100, d % 100) FROM generate_series(2020, 2030) y, unnest('{1224,1225,1231,101}'::int[]) d;
CREATE FUNCTION pg_temp.chosen(rule text, from_date date, to_date date, of_calendar text DEFAULT NULL, move_rule text DEFAULT 'drop',
	origin date DEFAULT NULL, weekdays smallint[] DEFAULT '{1,2,3,4,5,6,7}') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM josch.calendars WHERE calendar_name = 'R';
	INSERT INTO josch.calendars (calendar_name, rule, of_calendar, move_rule, origin, weekdays) VALUES ('R', rule, of_calendar, move_rule, origin, weekdays);
	RETURN (SELECT string_agg(to_char(d, 'Dy YYYY-MM-DD'), ', ' ORDER BY d) FROM josch.open_days('R', from_date, to_date) d);
END $$;
SELECT rule, pg_temp.chosen(rule, '2026-01-01', '2026-03-31') AS chosen FROM (VALUES
	('FREQ=MONTHLY;BYMONTHDAY=1,15,-1'), ('FREQ=MONTHLY;BYDAY=2TU,-1FR'), ('freq=monthly;byday=mo;bysetpos=1'), ('FREQ=MONTHLY;BYSETPOS=-1,2'),
	('FREQ=MONTHLY;BYMONTHDAY=30'), ('FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13'), ('FREQ=WEEKLY;BYDAY=SU;BYMONTH=2'), ('FREQ=WEEKLY;BYSETPOS=-1;WKST=MO;BYMONTH=1'),
	('FREQ=YEARLY;BYDAY=1MO,10FR,-53SA'), ('FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU'), ('FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2,3'), ('FREQ=YEARLY;BYSETPOS=32,-366,-365'),
	('FREQ=DAILY;BYMONTH=1;BYDAY=SA,SU;BYMONTHDAY=1,2,3,4')) v (rule);
-- counted from an origin, forwards and backwards
SELECT rule, origin, pg_temp.chosen(rule, '2026-01-01', '2026-02-10', origin => origin) AS chosen FROM (VALUES
	('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', date '2026-01-08'), ('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', '2026-01-05'), ('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', '2026-01-12'),
	('FREQ=WEEKLY;INTERVAL=2;BYDAY=MO', '2030-01-07'), ('FREQ=DAILY;INTERVAL=10', '2026-01-03'), ('FREQ=DAILY;INTERVAL=10', '1926-01-03'), ('FREQ=DAILY;INTERVAL=10', '2126-01-03'),
	('FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1', '2025-11-20'), ('FREQ=YEARLY;INTERVAL=4;BYMONTHDAY=29', '2022-05-05')) v (rule, origin);
-- of a calendar whose open days are counted: the last of each month does not get lost when it is a holiday, and every tenth is every tenth open one
SELECT pg_temp.chosen('FREQ=MONTHLY;BYSETPOS=-1', '2026-10-01', '2027-02-28', 'Desk') AS last_of_month;
SELECT pg_temp.chosen('FREQ=DAILY;INTERVAL=10', '2026-12-01', '2027-01-31', 'Desk', origin => '2026-12-05') AS every_tenth;
SELECT pg_temp.chosen('FREQ=DAILY;INTERVAL=10', '2026-12-01', '2027-01-31', 'Desk', origin => '2027-01-18') AS every_tenth_backwards;
SELECT pg_temp.chosen('FREQ=WEEKLY;BYSETPOS=1', '2026-12-14', '2027-01-10', 'Desk') AS first_of_week;
-- of the weekdays too
SELECT pg_temp.chosen('FREQ=MONTHLY;BYSETPOS=-1', '2026-01-01', '2026-06-30', weekdays => '{1,2,3,4,5}') AS last_weekday;
-- where closed days go: 1st, 15th, 24th, 31st, at the end of a year with holidays
SELECT move_rule, pg_temp.chosen('FREQ=MONTHLY;BYMONTHDAY=1,15,24,31', '2026-12-01', '2027-02-28', 'Desk', move_rule) AS chosen
FROM unnest('{drop,following,preceding,modified_following,modified_preceding}'::text[]) move_rule;
-- two that move onto one day are one; a month's end moves within its month, and a Saturday before the 1st does so too
SELECT pg_temp.chosen('FREQ=DAILY;BYDAY=SA,SU', '2026-12-19', '2027-01-05', 'Desk', 'following') AS following,
	pg_temp.chosen('FREQ=DAILY;BYDAY=SA,SU', '2026-12-19', '2027-01-05', 'Desk', 'preceding') AS preceding;
-- the weekdays close, too
SELECT pg_temp.chosen('FREQ=MONTHLY;BYMONTHDAY=1', '2026-01-01', '2026-12-31', NULL, 'following', weekdays => '{1,2,3,4,5}') AS first_or_after;
-- into nothing: a calendar without an open day, and one whose next is years away
INSERT INTO josch.calendars (calendar_name, weekdays) VALUES ('Never', '{}');
SELECT pg_temp.chosen('FREQ=MONTHLY;BYMONTHDAY=1', '2026-01-01', '2030-12-31', 'Never', m) IS NULL AS none FROM unnest('{following,preceding,modified_following,modified_preceding}'::text[]) m;
-- a rule whose days are years apart has a next one
SELECT pg_temp.chosen('FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29', '1896-01-01', '1910-01-01') AS leap_days;
SELECT josch.business_day('R', '1896-03-01', 1), josch.business_day('R', '2101-01-01', -1);
SELECT pg_temp.chosen('FREQ=YEARLY;INTERVAL=100;BYMONTH=2;BYMONTHDAY=29', '1900-01-01', '2500-01-01', origin => '2000-01-01') AS every_400_years;
SELECT josch.business_day('R', '2000-03-01', 1);
-- the ends of time
SELECT pg_temp.chosen('FREQ=MONTHLY;BYMONTHDAY=1,-1', '0100-01-01', '0100-01-31', 'Desk', 'preceding') AS first, pg_temp.chosen('FREQ=MONTHLY;BYMONTHDAY=-1', '9899-12-01', '9899-12-31', 'Desk', 'following') AS last;
SELECT pg_temp.chosen('FREQ=DAILY;INTERVAL=1000', '9897-01-01', '9899-12-31', 'Desk', origin => '0100-01-01') AS far_from_the_origin;

-- what is refused, and why
DO $$
DECLARE
	written text;
	reason text;
BEGIN
	FOREACH written IN ARRAY ARRAY['', 'BYDAY=MO', 'FREQ=HOURLY', 'FREQ=MONTHLY', 'FREQ=WEEKLY', 'FREQ=YEARLY;BYMONTH=3', 'FREQ=DAILY;COUNT=10', 'FREQ=DAILY;UNTIL=20261231',
		'FREQ=DAILY;BYHOUR=9', 'FREQ=YEARLY;BYWEEKNO=20', 'FREQ=YEARLY;BYYEARDAY=100', 'FREQ=DAILY;WKST=SU', 'FREQ=DAILY;FREQ=DAILY', 'FREQ=DAILY;INTERVAL=2', 'FREQ=DAILY;INTERVAL=0',
		'FREQ=DAILY;INTERVAL=1001', 'FREQ=DAILY;INTERVAL=-2', 'FREQ=DAILY;INTERVAL=2,3', 'FREQ=DAILY;INTERVAL=', 'FREQ=WEEKLY;BYDAY=2MO', 'FREQ=WEEKLY;BYDAY=MON', 'FREQ=WEEKLY;BYDAY=XX',
		'FREQ=WEEKLY;BYDAY=', 'FREQ=WEEKLY;BYDAY=MO,', 'FREQ=WEEKLY;BYDAY=MO TU', 'FREQ=WEEKLY;BYMONTHDAY=1', 'FREQ=DAILY;BYSETPOS=1', 'FREQ=MONTHLY;BYDAY=6MO', 'FREQ=YEARLY;BYMONTH=1;BYDAY=20MO',
		'FREQ=YEARLY;BYDAY=54MO', 'FREQ=MONTHLY;BYMONTHDAY=0', 'FREQ=MONTHLY;BYMONTHDAY=32', 'FREQ=MONTHLY;BYMONTHDAY=99999999999', 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', 'FREQ=DAILY;BYMONTH=13',
		'FREQ=DAILY;BYMONTH=-1', 'FREQ=YEARLY;BYSETPOS=367', 'FREQ=MONTHLY;BYSETPOS=' || repeat('1,', 120) || '1', 'FREQ=DAILY;', 'FREQ', ' FREQ=DAILY', 'RRULE:FREQ=DAILY',
		'FREQ=DAILY;X-WHAT=' || repeat('x', 1000), E'FREQ=DAILY\n;BYDAY=MO', 'FREQ=DAILY;SKIP=FORWARD']
	LOOP
		BEGIN
			INSERT INTO josch.calendars (calendar_name, rule) VALUES ('refused', written);
			RAISE INFO '% was taken', written;
		EXCEPTION WHEN invalid_parameter_value OR check_violation THEN
			GET STACKED DIAGNOSTICS reason = PG_EXCEPTION_DETAIL;
			RAISE INFO '%: %: %', left(written, 40), SQLERRM, left(reason, 150);
		END;
	END LOOP;
END $$;
INSERT INTO josch.calendars (calendar_name, rule) VALUES ('refused', 'FREQ=DAILY;COUNT=3');
SELECT josch.is_calendar_rule(NULL, '2026-01-01') AS unknown, josch.is_calendar_rule('FREQ=DAILY;INTERVAL=2', '2026-01-01') AS counted;
ROLLBACK;
