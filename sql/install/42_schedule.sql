/* Days: made from the templates, taken back; what a command of a day gets. */

CREATE FUNCTION josch.command_variables(command text) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_command_variables';
COMMENT ON FUNCTION josch.command_variables(text) IS
'The variables that a command takes from its environment ($NAME, ${NAME}), in the order of their first use. Not those in single quotes, in comments or after the start of a here-document, not those that have a default (${NAME:-x}), not those that the command may set itself (NAME stands in it as a word or as NAME=); none for a command that reads in another file (.) or uses eval. One that does not exist is told in a WARNING when the template is written and when the day is made; the node fails when it would start.';

CREATE FUNCTION josch.command_argv(command text) RETURNS text[]
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_command_argv';
COMMENT ON FUNCTION josch.command_argv(text) IS
'The program and arguments that are executed for a command: its own words when it is a path and plain words, which saves a process, else /bin/sh, -c and the command, after "exec" when it is one program, which then meets the signals itself.';

GRANT EXECUTE ON FUNCTION josch.command_variables(text), josch.command_argv(text) TO PUBLIC;

CREATE FUNCTION josch.today(time_zone text) RETURNS date
	LANGUAGE c STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_today';
COMMENT ON FUNCTION josch.today(text) IS
'The date of josch.now() in a time zone; NULL stands for the setting josch.time_zone. Raises invalid_parameter_value for a name that the server does not know.';

CREATE FUNCTION josch.default_time_zone() RETURNS text
	LANGUAGE c STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_default_time_zone';
COMMENT ON FUNCTION josch.default_time_zone() IS
'The time zone of jobs that name none: the setting josch.time_zone, or where that is empty log_timezone.';

CREATE FUNCTION josch.instant(on_date date, time_of_day interval, time_zone text) RETURNS timestamptz
	LANGUAGE c STABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_instant';
COMMENT ON FUNCTION josch.instant(date, interval, text) IS
'The moment of a time of day on a date in a time zone: whole days are added to the date, the rest is what the clock on the wall shows. A time in the hour that daylight saving skips is the end of that hour; a time in the hour that it repeats is the first of the two. Raises datetime_field_overflow for what no timestamp can be.';

GRANT EXECUTE ON FUNCTION josch.today(text), josch.default_time_zone(), josch.instant(date, interval, text) TO PUBLIC;

CREATE FUNCTION josch.made_days(job_name text, node_id bigint, job_date date, days integer) RETURNS date[]
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
	AS $$
SELECT pg_catalog.array_agg(m.day ORDER BY pg_catalog.abs(m.day - $3))
FROM (SELECT e.day
	FROM ((SELECT j.job_date AS day FROM josch.jobs j
			WHERE $4 < 0 AND j.job_name = $1 AND j.job_date < $3 ORDER BY j.job_date DESC LIMIT greatest(-$4, 0))
		UNION (SELECT n.job_date FROM josch.nodes n
			WHERE $4 < 0 AND n.node_id = $2 AND n.job_date < $3 ORDER BY n.job_date DESC LIMIT greatest(-$4, 0))
		UNION (SELECT j.job_date FROM josch.jobs j
			WHERE $4 > 0 AND j.job_name = $1 AND j.job_date > $3 ORDER BY j.job_date LIMIT greatest($4, 0))
		UNION (SELECT n.job_date FROM josch.nodes n
			WHERE $4 > 0 AND n.node_id = $2 AND n.job_date > $3 ORDER BY n.job_date LIMIT greatest($4, 0))) e
	ORDER BY pg_catalog.abs(e.day - $3) LIMIT pg_catalog.abs($4)) m
$$;
COMMENT ON FUNCTION josch.made_days(text, bigint, date, integer) IS
'The days that were made of a job, or that have the node (its job may have had another name), nearest first: as many as days says, after the date, or before it when days is negative. NULL when there is none.';

CREATE FUNCTION josch.day_offset(job_name text, job_date date, days integer) RETURNS date
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
	AS $$
SELECT CASE WHEN $3 = 0 THEN $2 WHEN c.calendar_name IS NOT NULL THEN josch.calendar_day(c.calendar_name, $2, $3)
	ELSE (josch.made_days($1, 0, $2, $3))[pg_catalog.abs($3)] END
FROM (SELECT (SELECT t.calendar_name FROM josch.tpl_jobs t WHERE t.job_name = $1) AS calendar_name) c
$$;
COMMENT ON FUNCTION josch.day_offset(text, date, integer) IS
'The day of a job that lies so many of its days after a date, or before it when days is negative. A job has the days of its calendar, and without one those that were made of it; NULL when there are not so many.';

REVOKE ALL ON FUNCTION josch.made_days(text, bigint, date, integer), josch.day_offset(text, date, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.made_days(text, bigint, date, integer), josch.day_offset(text, date, integer) TO josch_viewer;

CREATE FUNCTION josch.schedule(job_date date DEFAULT NULL, job_name text DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE (job_name text, job_date date, nodes bigint, dependencies bigint)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_schedule';
COMMENT ON FUNCTION josch.schedule(date, text, jsonb) IS
'Makes the jobs of a date out of the templates (NULL: today in each job''s time zone; all jobs that have this day in their calendars, a NOTICE says how many have not), and links them to the days that exist. Returns one row for each job that was made: none when all exist. Each job is made whole or not at all, and none keeps another from being made: of all jobs, one that cannot be made has NULL for nodes and dependencies, and a WARNING says why; of one that is named the error is raised. Nodes that are there already, in a job of another name, are left as they are. Whoever makes a day waits for those who make, take back or add to days of the same job or of one that it depends on: a NOTICE says for whom; of all jobs, those are left out whose locks a session holds that does nothing. params gives the day of the job that is named variables of its own (josch.jobs.params), an object of strings, numbers and booleans: that needs pg_execute_server_program. Raises no_data_found for a job that is not in the templates, object_not_in_prerequisite_state where params are given to a day that exists. Variables of commands that do not exist are told in a WARNING (undefined_object).';
REVOKE ALL ON FUNCTION josch.schedule(date, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.schedule(date, text, jsonb) TO josch_author;

CREATE FUNCTION josch.unschedule(job_date date, job_name text DEFAULT NULL)
	RETURNS TABLE (job_name text, job_date date, nodes bigint, dependencies bigint)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_unschedule';
COMMENT ON FUNCTION josch.unschedule(date, text) IS
'Takes back the jobs of a date (NULL: all) of which nothing has started. Returns one row for each job that was taken back. Of a day that has made itself somebody is asked then (josch.job_days): it does not make itself again. Nodes of other jobs that depend on them wait for them still when they are expected; those that depend on a previous day, and have not started, wait for the one before. Raises object_not_in_prerequisite_state when a node has started (the detail names what runs), no_data_found when the job of that date does not exist.';
REVOKE ALL ON FUNCTION josch.unschedule(date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.unschedule(date, text) TO josch_author;

CREATE FUNCTION josch.day_add() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_day_add';
COMMENT ON FUNCTION josch.day_add() IS
'Trigger: a node that somebody adds to a day waits for whoever makes days of its job, and is due at its signoff_time or start_time in the job''s time zone. Raises no_data_found when the job of that date does not exist.';
CREATE FUNCTION josch.day_deadlines() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_day_deadlines';
COMMENT ON FUNCTION josch.day_deadlines() IS
'Trigger: start_by and finish_by of a node of a day become moments in the job''s time zone. Raises no_data_found when the job of that date does not exist.';
CREATE FUNCTION josch.day_end_waits() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_day_end_waits';
COMMENT ON FUNCTION josch.day_end_waits() IS
'Trigger: the end of a job (a node of type E) waits for all other nodes of its job, also for those that somebody adds to the day.';
REVOKE ALL ON FUNCTION josch.day_add(), josch.day_deadlines(), josch.day_end_waits() FROM PUBLIC;

CREATE TRIGGER add BEFORE INSERT ON josch.nodes
	FOR EACH ROW EXECUTE FUNCTION josch.day_add();
COMMENT ON TRIGGER add ON josch.nodes IS 'What the making of a day works out for its nodes';
CREATE TRIGGER deadlines BEFORE UPDATE OF start_by, finish_by ON josch.nodes
	FOR EACH ROW EXECUTE FUNCTION josch.day_deadlines();
COMMENT ON TRIGGER deadlines ON josch.nodes IS 'When it is late, of one whose deadlines were moved';
-- before propagate_insert, by its name: an end is born with what it waits for
CREATE TRIGGER end_waits AFTER INSERT ON josch.nodes
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.day_end_waits();
COMMENT ON TRIGGER end_waits ON josch.nodes IS 'The end of a job waits for all other nodes of it';
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER add, ENABLE ALWAYS TRIGGER deadlines, ENABLE ALWAYS TRIGGER end_waits;

CREATE FUNCTION josch.environment(node_id bigint, job_date date) RETURNS TABLE (var text, value text)
	LANGUAGE c STABLE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_environment';
COMMENT ON FUNCTION josch.environment(bigint, date) IS
'The variables that a command of a node gets from JOSCH: the job''s copy of environs, over it the parameters of the day (josch.jobs.params), and where neither has them PGHOST, PGPORT, PGDATABASE of this database and PYTHONUNBUFFERED; then the results of its parents'' latest runs (josch.run_reports), RESULT_ with the name of the result, or of the node and the result, where it is clear which is meant; then the built-in ones; PREV_DATE and NEXT_DATE are the days beside in the calendar that the node''s job had when its day was made, or without one the nearest days that were made of it by now, not set (NULL) when there is none; RUN_ID and ATTEMPT are those of the latest run, NULL before the first. PATH, HOME and the like, which it inherits from the runner, are not shown. Raises no_data_found when the node does not exist.';
REVOKE ALL ON FUNCTION josch.environment(bigint, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.environment(bigint, date) TO josch_viewer;
