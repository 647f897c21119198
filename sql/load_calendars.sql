-- Business calendars are loaded and exported with the templates, where their files are there.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -rf josch_load_calendars; mkdir -p josch_load_calendars';
BEGIN;
CREATE TEMP TABLE listing (n int GENERATED ALWAYS AS IDENTITY, line text);
SELECT * FROM josch.load(calendars => E'calendar_name,calendar_desc,weekdays,rule,of_calendar,origin,move_rule,known_until\nDesk,"The desk, all of it","{1,2,3,4,5}",,,,,2027-12-31\nEnds,,"{1,2,3,4,5,6,7}",FREQ=MONTHLY;BYSETPOS=-1,Desk,,,\nPay,"",,FREQ=MONTHLY;BYMONTHDAY=25,Desk,,preceding,',
	calendar_parts => E'calendar_name,position,operation,part_name\nDesk,2,or,Extra\nDesk,1,not,Extra',
	holidays => E'calendar_name,holiday,holiday_name,open\nDesk,2026-12-25,Christmas,\nDesk,2026-12-26,,true');
-- one that is there is made of one that comes with it; one that names nobody is refused
SELECT * FROM josch.load(calendars => E'calendar_name,of_calendar\nA,');
SELECT * FROM josch.load(calendars => E'calendar_name,of_calendar\nA,B\nB,');
SELECT calendar_name, of_calendar FROM josch.calendars ORDER BY 1;
SELECT * FROM josch.load(calendars => E'calendar_name,of_calendar\nA,B\nB,C');
DELETE FROM josch.calendars;
-- the parts need the calendars; nothing was loaded
SELECT count(*) FROM josch.calendars;
SELECT * FROM josch.load(calendars => E'calendar_name,calendar_desc,weekdays,rule,of_calendar,origin,move_rule,known_until\nDesk,"The desk, all of it","{1,2,3,4,5}",,,,,2027-12-31\nEnds,,"{1,2,3,4,5,6,7}",FREQ=MONTHLY;BYSETPOS=-1,Desk,,,\nPay,"",,FREQ=MONTHLY;BYMONTHDAY=25,Desk,,preceding,\nExtra,,{},,,,,',
	calendar_parts => E'calendar_name,position,operation,part_name\nDesk,2,or,Extra\nDesk,1,not,Extra',
	holidays => E'calendar_name,holiday,holiday_name,open\nDesk,2026-12-25,Christmas,\nDesk,2026-12-26,,true');
SELECT * FROM josch.calendars ORDER BY calendar_name;
SELECT * FROM josch.calendar_parts ORDER BY 1, 2;
SELECT * FROM josch.holidays ORDER BY 1, 2;
-- the same once more changes nothing; what a file does not name stays
SELECT * FROM josch.load(calendars => E'calendar_name,weekdays\nDesk,"{1,2,3,4,5}"\nEnds,"{1,2,3,4,5,6,7}"', holidays => E'holiday,calendar_name\n2026-12-25,Desk');
SELECT calendar_name, rule, of_calendar, known_until FROM josch.calendars ORDER BY 1;
-- other loads leave them alone, and do not tell of them
SELECT * FROM josch.load(E'var,value\n', E'job_name\n', E'node_id,node_type,job_name,node_name\n', E'p_node_id,c_node_id\n', 'replace');
-- with their files replace makes them what the files say: also where each calendar takes the other's place on the way
SELECT * FROM josch.load(E'var,value\n', E'job_name\n', E'node_id,node_type,job_name,node_name\n', E'p_node_id,c_node_id\n', 'replace',
	E'calendar_name,of_calendar\nDesk,Ends\nEnds,\nExtra,Desk', E'calendar_name,position,operation,part_name\nExtra,1,and,Ends', E'calendar_name,holiday\nEnds,2026-12-24');
SELECT calendar_name, of_calendar FROM josch.calendars ORDER BY 1;
SELECT * FROM josch.load(calendars => E'calendar_name,of_calendar\nDesk,\nEnds,Desk', calendar_parts => E'calendar_name,position,operation,part_name\nExtra,1,and,Desk');
SELECT * FROM josch.load(calendars => E'calendar_name,of_calendar\nEnds,', calendar_parts => E'calendar_name,position,operation,part_name\nDesk,1,and,Ends');
-- but not at the end
SELECT * FROM josch.load(calendars => E'calendar_name,of_calendar\nEnds,Desk');
SELECT * FROM josch.load(calendar_parts => E'calendar_name,position,operation,part_name\nEnds,7,or,Extra');
-- replace_jobs adds, and takes nothing away
SELECT * FROM josch.load(NULL, E'job_name\n', E'node_id,node_type,job_name,node_name\n', E'p_node_id,c_node_id\n', 'replace_jobs', E'calendar_name\nMore');
-- a bad row is named
SELECT * FROM josch.load(calendars => E'calendar_name,rule\nGood,FREQ=DAILY\nBad,FREQ=DAILY;COUNT=3\nWorse,FREQ=');
SELECT * FROM josch.load(calendars => E'calendar_name,weekdays\nBad,"{1,8}"');
SELECT * FROM josch.load(calendars => E'calendar_name,weekdays\nBad,12345');
SELECT * FROM josch.load(calendars => E'calendar_name,known_until\nBad,31.12.2026');
SELECT * FROM josch.load(holidays => E'calendar_name,holiday\nDesk,2026-02-30');
SELECT * FROM josch.load(holidays => E'calendar_name,holiday\nDesk,2026-02-03\nNobody,2026-02-03');
SELECT * FROM josch.load(holidays => E'calendar_name,holiday\nDesk,2026-02-03\nDesk,2026-02-03');
SELECT * FROM josch.load(calendar_parts => E'calendar_name,position,operation,part_name\nDesk,5,xor,Ends');
-- from tables, of other types
CREATE TEMP TABLE calendars (calendar_name varchar, weekdays text);
CREATE TEMP TABLE holidays (calendar_name text, holiday timestamp, more text);
INSERT INTO pg_temp.calendars VALUES ('From table', '{6,7}');
SELECT * FROM josch.load_schema(pg_my_temp_schema()::regnamespace);
SELECT calendar_name, weekdays FROM josch.calendars WHERE calendar_name = 'From table';
DROP TABLE pg_temp.calendars, pg_temp.holidays;

-- out and in again
SELECT * FROM josch.export_csv('josch_load_calendars');
DELETE FROM listing; COPY listing (line) FROM PROGRAM 'cd josch_load_calendars && cat calendars.csv calendar_parts.csv holidays.csv' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
SELECT line FROM listing ORDER BY n;
SELECT * FROM josch.load_csv('josch_load_calendars', 'replace');
DELETE FROM josch.calendar_parts; UPDATE josch.calendars SET of_calendar = NULL; DELETE FROM josch.calendars;
SELECT * FROM josch.load_csv('josch_load_calendars', 'replace');
UPDATE josch.holidays SET open = true; UPDATE josch.calendars SET calendar_desc = '', rule = 'FREQ=WEEKLY;BYDAY=MO,"' WHERE calendar_name = 'More';
UPDATE josch.calendars SET calendar_desc = '', rule = 'FREQ=WEEKLY;BYDAY=MO,TU', origin = '2026-01-01' WHERE calendar_name = 'More';
SELECT * FROM josch.export_csv('josch_load_calendars');
DELETE FROM listing; COPY listing (line) FROM PROGRAM 'cd josch_load_calendars && cat calendars.csv holidays.csv' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
SELECT line FROM listing ORDER BY n;
SELECT * FROM josch.load_csv('josch_load_calendars');
-- without any calendar no file is made, and one that was there says so
DELETE FROM josch.calendar_parts; UPDATE josch.calendars SET of_calendar = NULL; DELETE FROM josch.calendars;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm josch_load_calendars/holidays.csv';
SELECT * FROM josch.export_csv('josch_load_calendars');
DELETE FROM listing; COPY listing (line) FROM PROGRAM 'cd josch_load_calendars && ls && cat calendars.csv calendar_parts.csv' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02');
SELECT line FROM listing ORDER BY n;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rm -rf josch_load_calendars';
-- an author needs no more than he does by hand, a viewer may not
CREATE ROLE calendars_author IN ROLE josch_author;
CREATE ROLE calendars_viewer IN ROLE josch_viewer;
SET ROLE calendars_author;
SELECT * FROM josch.load(calendars => E'calendar_name\nMine', holidays => E'calendar_name,holiday\nMine,2026-01-01');
SELECT josch.is_open('Mine', '2026-01-01');
SET ROLE calendars_viewer;
SELECT josch.is_open('Mine', '2026-01-02'), josch.business_day('Mine', '2026-01-01', 1), josch.known_until('Mine');
INSERT INTO josch.holidays VALUES ('Mine', '2026-01-02');
SELECT * FROM josch.load(calendars => E'calendar_name\nYours');
RESET ROLE;
CREATE ROLE calendars_nobody;
SET ROLE calendars_nobody;
SELECT josch.is_open('Mine', '2026-01-02');
RESET ROLE;
ROLLBACK;
