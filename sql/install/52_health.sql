/* How JOSCH itself is, and what its runs print. */

CREATE FUNCTION josch.health(OUT component text, OUT up boolean, OUT pid integer, OUT since timestamptz, OUT detail text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_health';
COMMENT ON FUNCTION josch.health() IS
'One row each: armed (josch.armed()), launcher, scheduler (of this database: passes, last pass, nodes queued, runs open, rows set aside that others hold), runner (and what commands wait for when they cannot be started now), sql workers (the same), days (only where days that were to make themselves have not, and somebody is asked, or where they wait for a worker), alarms (only where some are open, or the last that was told to a hook failed, or they cannot be raised; up is false for the last two), paused (one for each pause in force, josch.pause()), spool (the room in the file system that logs go to; up is false when it is nearly full), version (library against extension), preload; and wait, for each session that has been waiting for a second or more for what another holds of JOSCH''s: pid is who waits, detail for whom; and held, while the scheduler has set something aside, for each session whose transaction has locked rows or tables of JOSCH''s for a second or more. detail says what to do when up is false, or why a part cannot be told: tables of another version than the library, or a lock, for which each part waits a second at most. Works without shared_preload_libraries.';
REVOKE ALL ON FUNCTION josch.health() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.health() TO josch_viewer;

CREATE FUNCTION josch.log(run_id bigint, "offset" bigint DEFAULT 0, max_bytes integer DEFAULT 1048576) RETURNS text
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_log';
COMMENT ON FUNCTION josch.log(bigint, bigint, integer) IS
'What the run has printed, stdout and stderr in order: at most max_bytes (1 to 64 MB) from an offset in bytes; below 0 it counts from the end. When there is more, a NOTICE says where it goes on. For SQL, the end of its output. What is no valid UTF-8 becomes U+FFFD. Of a log that grew beyond josch.max_log_size the first and the last half are there, and a line between them says so; a page that ends at that line goes on after it. Raises no_data_found for a run that does not exist, undefined_file when the log was removed, io_error when neither server nor runner can read it.';
REVOKE ALL ON FUNCTION josch.log(bigint, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.log(bigint, bigint, integer) TO josch_viewer;

CREATE FUNCTION josch.log_page(run_id bigint, "offset" bigint DEFAULT 0, max_bytes integer DEFAULT 1048576,
	OUT start_offset bigint, OUT next_offset bigint, OUT text text) RETURNS record
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_log_page';
COMMENT ON FUNCTION josch.log_page(bigint, bigint, integer) IS
'What josch.log() gives, with the offsets at which it begins and at which the next page does: asked for that again and again, it follows a run that is going on. A character of which an open run has not written all yet is left to the next page.';
REVOKE ALL ON FUNCTION josch.log_page(bigint, bigint, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.log_page(bigint, bigint, integer) TO josch_viewer;
