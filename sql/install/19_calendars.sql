/*
 * Business calendars: which dates are open.  A calendar is put together from
 * weekdays, a rule, other calendars and dates that somebody has named.
 */

CREATE FUNCTION josch.is_calendar_rule(rule text, origin date) RETURNS boolean
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_calendar_is_rule';
COMMENT ON FUNCTION josch.is_calendar_rule(text, date) IS
'True for a rule that a calendar may have: the parts FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, BYMONTH, BYMONTHDAY, BYDAY and BYSETPOS of RFC 5545, with weeks that begin on Monday. Raises invalid_parameter_value with the reason for any other, and for an INTERVAL without an origin to count from. NULL for NULL.';

CREATE TABLE josch.calendars (
	calendar_name	text PRIMARY KEY,
	calendar_desc	text,
	weekdays		smallint[] NOT NULL DEFAULT '{1,2,3,4,5}',
	rule			text,
	of_calendar		text REFERENCES josch.calendars ON UPDATE CASCADE DEFERRABLE,
	origin			date,
	move_rule		text NOT NULL DEFAULT 'drop',
	known_until		date,
	CONSTRAINT calendars_calendar_name_is_not_blank CHECK (calendar_name ~ '[^[:space:]]'),
	CONSTRAINT calendars_calendar_name_is_one_line CHECK (josch.is_one_line(calendar_name)),
	CONSTRAINT calendars_calendar_name_is_not_too_long CHECK (char_length(calendar_name) <= 200),
	CONSTRAINT calendars_calendar_desc_is_not_too_long CHECK (octet_length(calendar_desc) <= 100000),
	CONSTRAINT calendars_weekdays_are_iso CHECK (weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(weekdays) <= 7
		AND coalesce(array_ndims(weekdays), 1) = 1),
	CONSTRAINT calendars_rule_is_not_too_long CHECK (octet_length(rule) <= 1000),
	CONSTRAINT calendars_rule_is_understood CHECK (josch.is_calendar_rule(rule, origin)),
	CONSTRAINT calendars_move_rule_is_known CHECK (move_rule IN
		('drop', 'following', 'preceding', 'modified_following', 'modified_preceding')),
	CONSTRAINT calendars_move_rule_is_for_a_rule CHECK (rule IS NOT NULL OR move_rule = 'drop'),
	CONSTRAINT calendars_dates_are_readable CHECK (josch.is_readable_date(origin) AND josch.is_readable_date(known_until))
);
CREATE INDEX calendars_of_calendar_idx ON josch.calendars (of_calendar);
COMMENT ON TABLE josch.calendars IS
'Business calendars. For a date, the last that speaks wins: first the weekdays, the open days of of_calendar and what the rule chooses of these; then the parts (josch.calendar_parts) in their order; then the dates of josch.holidays.';
COMMENT ON COLUMN josch.calendars.calendar_name IS 'Name of the calendar: one line, 200 characters at most';
COMMENT ON COLUMN josch.calendars.calendar_desc IS 'What it is, in words; 100,000 bytes at most';
COMMENT ON COLUMN josch.calendars.weekdays IS 'The weekdays that are open, 1 for Monday to 7 for Sunday; {} for none, of a calendar that has parts or named dates only';
COMMENT ON COLUMN josch.calendars.rule IS 'Which of these days are open, as RFC 5545 writes it (josch.is_calendar_rule): FREQ=MONTHLY;BYDAY=3FR. BYSETPOS counts the days that are open, and so does INTERVAL with FREQ=DAILY: FREQ=MONTHLY;BYSETPOS=-1 is the last open day of each month. NULL: all of them';
COMMENT ON COLUMN josch.calendars.of_calendar IS 'A calendar whose open days are those that it chooses from; NULL: all days';
COMMENT ON COLUMN josch.calendars.origin IS 'A date in the first of the periods that INTERVAL counts, forwards and backwards';
COMMENT ON COLUMN josch.calendars.move_rule IS 'What becomes of a day that the rule chooses and that weekdays or of_calendar have closed. drop: it is not chosen, the rule counts open days only. All others let the rule choose among all days, and move it by a year at most: following, preceding (to the next or last open day), modified_following, modified_preceding (the same, unless that is in another month: then the other way)';
COMMENT ON COLUMN josch.calendars.known_until IS 'The last date for which somebody vouches, of holidays that are announced from year to year; later days follow from weekdays, rule and parts all the same. NULL: for ever. josch.known_until() says it of the whole';

CREATE TABLE josch.calendar_parts (
	calendar_name	text NOT NULL REFERENCES josch.calendars ON UPDATE CASCADE ON DELETE CASCADE,
	position		integer NOT NULL,
	operation		text NOT NULL,
	part_name		text NOT NULL REFERENCES josch.calendars ON UPDATE CASCADE,
	PRIMARY KEY (calendar_name, position),
	CONSTRAINT calendar_parts_operation_is_known CHECK (operation IN ('and', 'or', 'not'))
);
CREATE INDEX calendar_parts_part_name_idx ON josch.calendar_parts (part_name);
COMMENT ON TABLE josch.calendar_parts IS 'What calendars are put together from: other calendars, one after the other. None may be a part of itself.';
COMMENT ON COLUMN josch.calendar_parts.calendar_name IS 'The calendar';
COMMENT ON COLUMN josch.calendar_parts.position IS 'The order in which its parts speak';
COMMENT ON COLUMN josch.calendar_parts.operation IS 'and: open only where the part is; or: open also where the part is; not: closed where the part is open';
COMMENT ON COLUMN josch.calendar_parts.part_name IS 'The other calendar';

CREATE TABLE josch.holidays (
	calendar_name	text NOT NULL REFERENCES josch.calendars ON UPDATE CASCADE ON DELETE CASCADE,
	holiday			date NOT NULL,
	holiday_name	text,
	open			boolean NOT NULL DEFAULT false,
	PRIMARY KEY (calendar_name, holiday),
	CONSTRAINT holidays_holiday_is_readable CHECK (josch.is_readable_date(holiday)),
	CONSTRAINT holidays_holiday_name_is_one_line CHECK (josch.is_one_line(holiday_name)),
	CONSTRAINT holidays_holiday_name_is_not_too_long CHECK (octet_length(holiday_name) <= 1000)
);
COMMENT ON TABLE josch.holidays IS 'Dates of calendars that somebody has named; they have the last word.';
COMMENT ON COLUMN josch.holidays.calendar_name IS 'The calendar';
COMMENT ON COLUMN josch.holidays.holiday IS 'The date';
COMMENT ON COLUMN josch.holidays.holiday_name IS 'What it is, in one line; 1,000 bytes at most';
COMMENT ON COLUMN josch.holidays.open IS 'False: closed. True: open, as a Saturday that makes up for a bridge day';

CREATE FUNCTION josch.calendar_changed() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_calendar_changed';
COMMENT ON FUNCTION josch.calendar_changed() IS
'Trigger: tells all sessions, when it commits, that a calendar was changed. With an argument it refuses a calendar that has become a part of itself (check_violation); the detail names the circle.';
REVOKE ALL ON FUNCTION josch.calendar_changed() FROM PUBLIC;

CREATE FUNCTION josch.calendar_goes() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_calendar_goes';
COMMENT ON FUNCTION josch.calendar_goes() IS
'Trigger: what a calendar was made of is its part no longer, before anybody asks: so one statement may delete calendars together with those that they are made of, in whatever order it finds them.';
REVOKE ALL ON FUNCTION josch.calendar_goes() FROM PUBLIC;

CREATE TRIGGER goes BEFORE DELETE ON josch.calendars
	FOR EACH ROW EXECUTE FUNCTION josch.calendar_goes();
COMMENT ON TRIGGER goes ON josch.calendars IS 'Its parts go first';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON josch.calendars
	FOR EACH STATEMENT EXECUTE FUNCTION josch.calendar_changed();
COMMENT ON TRIGGER changed ON josch.calendars IS 'Sessions look again';
CREATE TRIGGER refuse_circles AFTER INSERT OR UPDATE OF of_calendar ON josch.calendars
	FOR EACH STATEMENT EXECUTE FUNCTION josch.calendar_changed('made of others');
COMMENT ON TRIGGER refuse_circles ON josch.calendars IS 'No calendar is a part of itself';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON josch.calendar_parts
	FOR EACH STATEMENT EXECUTE FUNCTION josch.calendar_changed();
COMMENT ON TRIGGER changed ON josch.calendar_parts IS 'Sessions look again';
CREATE TRIGGER refuse_circles AFTER INSERT OR UPDATE OF calendar_name, part_name ON josch.calendar_parts
	FOR EACH STATEMENT EXECUTE FUNCTION josch.calendar_changed('made of others');
COMMENT ON TRIGGER refuse_circles ON josch.calendar_parts IS 'No calendar is a part of itself';
CREATE TRIGGER changed AFTER INSERT OR UPDATE OR DELETE ON josch.holidays
	FOR EACH STATEMENT EXECUTE FUNCTION josch.calendar_changed();
COMMENT ON TRIGGER changed ON josch.holidays IS 'Sessions look again';
ALTER TABLE josch.calendars ENABLE ALWAYS TRIGGER goes, ENABLE ALWAYS TRIGGER changed, ENABLE ALWAYS TRIGGER refuse_circles;
ALTER TABLE josch.calendar_parts ENABLE ALWAYS TRIGGER changed, ENABLE ALWAYS TRIGGER refuse_circles;
ALTER TABLE josch.holidays ENABLE ALWAYS TRIGGER changed;

/* No search_path of their own: to set it takes longer than to answer. */
CREATE FUNCTION josch.is_open(calendar text, on_date date) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'josch_api_calendar_is_open';
COMMENT ON FUNCTION josch.is_open(text, date) IS
'Whether a date is open in a calendar. Raises no_data_found for a calendar that does not exist, datetime_field_overflow for a date beyond the years 100 to 9899.';

CREATE FUNCTION josch.business_day(calendar text, on_date date, n integer) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'josch_api_calendar_business_day';
COMMENT ON FUNCTION josch.business_day(text, date, integer) IS
'The n-th open day of a calendar strictly after a date, or before it when n is negative: the date itself never counts. For 0 the date itself, or the next open day. Raises no_data_found when there are not so many, or none for 400 years.';

CREATE FUNCTION josch.open_days(calendar text, from_date date, to_date date) RETURNS SETOF date
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_calendar_open_days';
COMMENT ON FUNCTION josch.open_days(text, date, date) IS
'The open days of a calendar from one date to another, both included, in their order.';

CREATE FUNCTION josch.known_until(calendar text) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_calendar_known_until';
COMMENT ON FUNCTION josch.known_until(text) IS
'The last date for which somebody vouches: the earliest known_until of the calendar and of all that it is made of. NULL when none of them has one.';

CREATE FUNCTION josch.calendar_reasons(calendar text, from_date date, to_date date,
		OUT day date, OUT open boolean, OUT decided_by text, OUT by_calendar text, OUT moved date) RETURNS SETOF record
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_calendar_reasons';
COMMENT ON FUNCTION josch.calendar_reasons(text, date, date) IS
'All days of a calendar from one date to another, both included, and what has spoken last about each. decided_by: weekdays, of_calendar (the other calendar is by_calendar), rule, moved (the rule chose the day, and move_rule moved it: moved is where an open day came from, or a closed one has gone), and, or, not (the part by_calendar), holiday (a date that somebody has named). Raises what josch.is_open() does.';

CREATE FUNCTION josch.calendar_day(calendar text, on_date date, n integer) RETURNS date
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_calendar_day';
COMMENT ON FUNCTION josch.calendar_day(text, date, integer) IS 'Internal: as josch.business_day(), but NULL when there are not so many open days, and for 0 the date itself';

REVOKE ALL ON FUNCTION josch.calendar_day(text, date, integer), josch.calendar_reasons(text, date, date), josch.is_open(text, date), josch.business_day(text, date, integer), josch.open_days(text, date, date), josch.known_until(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.calendar_day(text, date, integer), josch.calendar_reasons(text, date, date), josch.is_open(text, date), josch.business_day(text, date, integer), josch.open_days(text, date, date), josch.known_until(text) TO josch_viewer;
GRANT EXECUTE ON FUNCTION josch.is_calendar_rule(text, date) TO PUBLIC;

/* What pg_dump takes along. */
SELECT pg_catalog.pg_extension_config_dump('josch.calendars', '');
SELECT pg_catalog.pg_extension_config_dump('josch.calendar_parts', '');
SELECT pg_catalog.pg_extension_config_dump('josch.holidays', '');

GRANT SELECT ON josch.calendars, josch.calendar_parts, josch.holidays TO josch_viewer;
GRANT INSERT, UPDATE, DELETE ON josch.calendars, josch.calendar_parts, josch.holidays TO josch_author;
