-- What has spoken last about each day of a calendar: all that may, and the answer of is_open() to every one.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
BEGIN;
INSERT INTO josch.calendars (calendar_name, weekdays, of_calendar, rule, move_rule) VALUES
	('Bank', '{1,2,3,4,5}', NULL, NULL, 'drop'),
	('Desk', '{1,2,3,4}', 'Bank', NULL, 'drop'),
	('Month end', '{1,2,3,4,5,6,7}', 'Bank', 'FREQ=MONTHLY;BYSETPOS=-1', 'drop'),
	('Payday', '{1,2,3,4,5,6,7}', 'Bank', 'FREQ=MONTHLY;BYMONTHDAY=25', 'preceding'),
	('Twice', '{1,2,3,4,5}', NULL, 'FREQ=MONTHLY;BYMONTHDAY=26,27,28', 'following'),
	('Within', '{1,2,3,4,5}', NULL, 'FREQ=MONTHLY;BYMONTHDAY=31', 'modified_following'),
	('Mixed', '{6}', NULL, NULL, 'drop');
INSERT INTO josch.calendar_parts VALUES ('Mixed', 1, 'or', 'Bank'), ('Mixed', 2, 'and', 'Desk'), ('Mixed', 3, 'not', 'Payday');
INSERT INTO josch.holidays (calendar_name, holiday, holiday_name, open) VALUES
	('Bank', '2026-12-24', 'Christmas Eve', false), ('Bank', '2026-12-25', 'Christmas Day', false),
	('Bank', '2026-12-26', 'a Saturday that is worked', true), ('Mixed', '2026-12-21', 'no desk', false);
SELECT * FROM josch.calendar_reasons('Bank', '2026-12-23', '2026-12-28');
SELECT * FROM josch.calendar_reasons('Desk', '2026-12-23', '2026-12-28');
SELECT * FROM josch.calendar_reasons('Month end', '2026-12-24', '2027-01-01');
SELECT * FROM josch.calendar_reasons('Payday', '2026-12-22', '2026-12-26');
-- a Saturday and a Sunday are moved onto a Monday that the rule chooses itself; and onto one that it does not
SELECT * FROM josch.calendar_reasons('Twice', '2026-09-25', '2026-09-29');
SELECT * FROM josch.calendar_reasons('Twice', '2027-03-26', '2027-03-30') WHERE decided_by = 'moved';
-- the last of a month that is a Sunday goes back, not on
SELECT * FROM josch.calendar_reasons('Within', '2027-01-28', '2027-02-02');
SELECT * FROM josch.calendar_reasons('Mixed', '2026-12-18', '2026-12-26');
-- each day is open or closed as is_open() has it, over the borders of blocks; and every moved day is there twice: where it came from, and where it went
SELECT calendar_name, count(*) AS days, count(*) FILTER (WHERE r.open <> josch.is_open(calendar_name, r.day)) AS differ,
	count(*) FILTER (WHERE r.decided_by = 'moved' AND r.open) AS came, count(*) FILTER (WHERE r.decided_by = 'moved' AND NOT r.open) AS went,
	count(*) FILTER (WHERE r.decided_by = 'moved' AND r.open AND josch.is_open(calendar_name, r.moved)) AS came_from_open
FROM josch.calendars, josch.calendar_reasons(calendar_name, '2010-01-01', '2039-12-31') r GROUP BY 1 ORDER BY 1;
-- where all that was moved goes, of a rule that moves to one side
SELECT count(*) FROM josch.calendar_reasons('Payday', '2010-01-01', '2039-12-31') r
WHERE r.decided_by = 'moved' AND NOT r.open AND r.moved IS DISTINCT FROM josch.business_day('Bank', r.day, -1);
SELECT count(*) FROM josch.calendar_reasons('Bank', '2026-12-28', '2026-12-27');
SELECT count(*) FROM josch.calendar_reasons('Bank', NULL, '2026-12-27');
SAVEPOINT before;
SELECT * FROM josch.calendar_reasons('Nobody', '2026-12-28', '2026-12-28');
ROLLBACK TO before;
SELECT * FROM josch.calendar_reasons('Bank', '2026-12-28', 'infinity');
ROLLBACK TO before;
-- the first and the last date
SELECT * FROM josch.calendar_reasons('Within', '0100-01-01', '0100-01-01') UNION ALL SELECT * FROM josch.calendar_reasons('Within', '9899-12-31', '9899-12-31');
ROLLBACK;
