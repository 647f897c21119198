/* What the tables need: the clock, and the tests of what may be stored: time zones, dates, durations, names. */

CREATE FUNCTION josch.now() RETURNS timestamptz
	LANGUAGE c STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_time_now';
COMMENT ON FUNCTION josch.now() IS
'The present moment as JOSCH sees it: the system''s clock, unless the setting josch.now or josch.tick() moves it. It goes on within a transaction, as clock_timestamp() does.';

CREATE FUNCTION josch.today() RETURNS date
	LANGUAGE c STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_time_today';
COMMENT ON FUNCTION josch.today() IS
'The date of josch.now() in the time zone of the setting josch.time_zone.';

CREATE FUNCTION josch.is_time_zone(name text) RETURNS boolean
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_time_is_zone';
COMMENT ON FUNCTION josch.is_time_zone(text) IS
'True when the name is a time zone that the server knows, such as Europe/Zurich. NULL for NULL.';

CREATE FUNCTION josch.is_readable_date(value date) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_readable_date';
COMMENT ON FUNCTION josch.is_readable_date(date) IS
'True for a date of the years 100 to 9899, which programs of every language can read, and whose neighbours they can read too; not infinity, not BC. NULL for NULL.';

-- without a path of its own, which it does not need: each change of a node asks it some times
CREATE FUNCTION josch.is_readable_interval(value interval) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
	AS 'MODULE_PATHNAME', 'josch_api_readable_interval';
COMMENT ON FUNCTION josch.is_readable_interval(interval) IS
'True for an interval that programs of every language can read as a duration: 100 years at most, none of its parts (months, days, time) negative. NULL for NULL.';

CREATE FUNCTION josch.is_one_line(value text) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_name_is_one_line';
COMMENT ON FUNCTION josch.is_one_line(text) IS
'True for a text that is seen as it is: without line ends and other control characters, and without characters that are invisible or turn the direction of what follows. NULL for NULL.';

CREATE FUNCTION josch.is_retry_on(words text[]) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_retry_on_is';
COMMENT ON FUNCTION josch.is_retry_on(text[]) IS
'True when each of the words says after which ends of a run a node may be tried again: exit, signal, timeout, start, sqlstate:40 (a class) or sqlstate:40P01 (one code); 32 words at most. NULL for NULL.';

CREATE FUNCTION josch.is_parameters(params jsonb) RETURNS boolean
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_is_parameters';
COMMENT ON FUNCTION josch.is_parameters(jsonb) IS
'Internal: true for what a day may have as its parameters: an object of strings, each with the name of a variable that JOSCH does not give itself, of 100,000 bytes at most. NULL for NULL.';

CREATE FUNCTION josch.new_nonce() RETURNS bigint
	LANGUAGE c VOLATILE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_new_nonce';
COMMENT ON FUNCTION josch.new_nonce() IS
'Internal: a number above 0 from the strong random source of the server, for josch.runs.nonce';
REVOKE ALL ON FUNCTION josch.new_nonce() FROM PUBLIC;

GRANT EXECUTE ON FUNCTION josch.is_readable_date(date), josch.is_readable_interval(interval), josch.is_one_line(text), josch.is_retry_on(text[]), josch.is_parameters(jsonb) TO PUBLIC;
GRANT EXECUTE ON FUNCTION josch.now(), josch.today(), josch.is_time_zone(text) TO PUBLIC;
