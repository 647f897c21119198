-- Business calendars against what others say of them: the files of test/golden/, which its script printed.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\getenv abs_srcdir PG_ABS_SRCDIR
BEGIN;
CREATE TEMP TABLE days (calendar text, year int, open text);
CREATE TEMP TABLE advance (calendar text, day date, steps int, there date);
CREATE TEMP TABLE month_ends (first_day date, last_day date);
CREATE TEMP TABLE moves (month_days text, move_rule text, open text);
CREATE TEMP TABLE rules (rule text, origin date, open text);
\set from :abs_srcdir '/test/golden/days.csv'
COPY days FROM :'from' (FORMAT csv, HEADER);
\set from :abs_srcdir '/test/golden/advance.csv'
COPY advance FROM :'from' (FORMAT csv, HEADER);
\set from :abs_srcdir '/test/golden/month_ends.csv'
COPY month_ends FROM :'from' (FORMAT csv, HEADER);
\set from :abs_srcdir '/test/golden/moves.csv'
COPY moves FROM :'from' (FORMAT csv, HEADER);
\set from :abs_srcdir '/test/golden/rules.csv'
COPY rules FROM :'from' (FORMAT csv, HEADER);
-- the days of a hexadecimal line, of which the first is that date
CREATE FUNCTION pg_temp.days_of(line text, first date, last date) RETURNS SETOF date LANGUAGE sql AS $$
	SELECT first + i FROM decode(line, 'hex') b, generate_series(0, last - first) i WHERE get_bit(b, i) = 1
$$;
-- how many of the days of two lists are in one only
CREATE FUNCTION pg_temp.apart(a date[], b date[]) RETURNS bigint LANGUAGE sql AS $$
	SELECT count(*) FROM ((SELECT unnest(a) EXCEPT SELECT unnest(b)) UNION ALL (SELECT unnest(b) EXCEPT SELECT unnest(a))) d
$$;

-- three calendars of 31 years, holidays by one package, open days by the others
INSERT INTO josch.calendars (calendar_name) VALUES ('NYSE'), ('London'), ('TARGET');
\set from :abs_srcdir '/test/golden/holidays.csv'
COPY josch.holidays (calendar_name, holiday, holiday_name) FROM :'from' (FORMAT csv, HEADER);
SELECT calendar, sum(cardinality(said)) AS open_days, sum(pg_temp.apart(said, ours)) AS apart
FROM (SELECT calendar, ARRAY(SELECT pg_temp.days_of(open, make_date(year, 1, 1), make_date(year, 12, 31))) AS said,
		ARRAY(SELECT josch.open_days(calendar, make_date(year, 1, 1), make_date(year, 12, 31))) AS ours FROM days) y GROUP BY 1 ORDER BY 1;
-- TARGET once more, by rules and the dates of Easter: closed on New Year, Good Friday, Easter Monday, May Day, Christmas and Boxing Day; and on 2001-12-31
INSERT INTO josch.calendars (calendar_name, weekdays, rule) VALUES ('Fixed', '{1,2,3,4,5,6,7}', 'FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=25,26'),
	('January and May', '{1,2,3,4,5,6,7}', 'FREQ=YEARLY;BYMONTH=1,5;BYMONTHDAY=1'), ('Easter', '{}', NULL), ('TARGET by rules', '{1,2,3,4,5}', NULL);
INSERT INTO josch.holidays (calendar_name, holiday, open) SELECT 'Easter', e + d, true
FROM unnest('{2000-04-23,2001-04-15,2002-03-31,2003-04-20,2004-04-11,2005-03-27,2006-04-16,2007-04-08,2008-03-23,2009-04-12,2010-04-04,2011-04-24,2012-04-08,2013-03-31,2014-04-20,2015-04-05,2016-03-27,2017-04-16,2018-04-01,2019-04-21,2020-04-12,2021-04-04,2022-04-17,2023-04-09,2024-03-31,2025-04-20,2026-04-05,2027-03-28,2028-04-16,2029-04-01,2030-04-21}'::date[]) e, unnest('{-2,1}'::int[]) d;
INSERT INTO josch.calendar_parts VALUES ('TARGET by rules', 1, 'not', 'Fixed'), ('TARGET by rules', 2, 'not', 'January and May'), ('TARGET by rules', 3, 'not', 'Easter');
INSERT INTO josch.holidays VALUES ('TARGET by rules', '2001-12-31');
SELECT pg_temp.apart(ARRAY(SELECT josch.open_days('TARGET', '2000-01-01', '2030-12-31')), ARRAY(SELECT josch.open_days('TARGET by rules', '2000-01-01', '2030-12-31'))) AS apart;
-- 20,000 steps, forwards and backwards, from open and from closed days
SELECT calendar, count(*) > 6000 AS many, count(*) FILTER (WHERE josch.business_day(calendar, day, steps) IS DISTINCT FROM there) AS apart FROM advance GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM advance;
-- the first and the last business day of 372 months
INSERT INTO josch.calendars (calendar_name, of_calendar, rule) VALUES ('First', 'NYSE', 'FREQ=MONTHLY;BYSETPOS=1'), ('Last', 'NYSE', 'FREQ=MONTHLY;BYSETPOS=-1');
SELECT count(*) AS months, pg_temp.apart(array_agg(first_day), ARRAY(SELECT josch.open_days('First', '2000-01-01', '2030-12-31'))) AS first,
	pg_temp.apart(array_agg(last_day), ARRAY(SELECT josch.open_days('Last', '2000-01-01', '2030-12-31'))) AS last FROM month_ends;
-- days that move; at both ends of what is known they may come from beyond
CREATE FUNCTION pg_temp.chosen(rule text, of_name text, move_rule text, origin date, first date, last date) RETURNS date[] LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM josch.calendars WHERE calendar_name = 'R';
	INSERT INTO josch.calendars (calendar_name, weekdays, rule, of_calendar, move_rule, origin) VALUES ('R', '{1,2,3,4,5,6,7}', rule, of_name, move_rule, origin);
	RETURN ARRAY(SELECT josch.open_days('R', first, last));
END $$;
SELECT month_days, move_rule, cardinality(ARRAY(SELECT pg_temp.days_of(open, '2000-01-01', '2030-12-31'))) AS days,
	pg_temp.apart(ARRAY(SELECT d FROM pg_temp.days_of(open, '2000-01-01', '2030-12-31') d WHERE d BETWEEN '2000-02-01' AND '2030-11-30'),
		pg_temp.chosen('FREQ=MONTHLY;BYMONTHDAY=' || month_days, 'NYSE', move_rule, NULL, '2000-02-01', '2030-11-30')) AS apart
FROM moves ORDER BY 1, 2;
-- 400 rules, on five years, from origins ten years before
SELECT count(*) AS rules, count(*) FILTER (WHERE days > 0) AS that_choose, sum(days) AS days, sum(apart) AS apart, array_agg(rule) FILTER (WHERE apart > 0) AS which
FROM (SELECT rule, cardinality(said) AS days, pg_temp.apart(said, pg_temp.chosen(rule, NULL, 'drop', origin, '2000-01-01', '2004-12-31')) AS apart
	FROM (SELECT rule, origin, ARRAY(SELECT pg_temp.days_of(open, '2000-01-01', '2004-12-31')) AS said FROM rules) s) r;
-- the same where a rule may move days and none is closed, and from an origin as many periods after it
SELECT sum(pg_temp.apart(ARRAY(SELECT pg_temp.days_of(open, '2000-01-01', '2004-12-31')), pg_temp.chosen(rule, NULL, 'following', origin, '2000-01-01', '2004-12-31'))) AS apart FROM rules;
ROLLBACK;
