/* Jobs of other schedulers, into a schema that josch.load_schema() reads. */

CREATE FUNCTION josch.import_crontab(crontab text, schema text, prefix text DEFAULT '', user_column boolean DEFAULT false, time_zone text DEFAULT NULL)
	RETURNS TABLE (severity text, source text, message text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_import_crontab';
COMMENT ON FUNCTION josch.import_crontab(text, text, text, boolean, text) IS
'Turns the lines of a crontab into jobs, in the tables of a schema (environs, calendars, tpl_jobs and so on, of texts), which is made when it is not there (its name is written as in SQL, in quotation marks where it has to be); nothing is loaded: look, then josch.validate() and josch.load_schema() it. Each line becomes a job that makes its days by itself, with a node for each time of the day, or one that is repeated; its days become a calendar, its variables rows of environs. prefix is put before the names of jobs and calendars; user_column: the sixth field is a user, as in /etc/cron.d; time_zone: that of the lines before which no CRON_TZ stands (NULL: that of jobs that name none).
Returns what could not be carried over (error), what will be otherwise (warning) and what is to be known (note), each with its line; the last one says which lines are to be switched off. Raises null_value_not_allowed, and what the caller may not do.';

CREATE FUNCTION josch.import_pg_cron(schema text, prefix text DEFAULT '')
	RETURNS TABLE (severity text, source text, message text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_import_pg_cron';
COMMENT ON FUNCTION josch.import_pg_cron(text, text) IS
'Turns the jobs of pg_cron into jobs with one SQL node each, whose owner is the job''s user, in the tables of a schema, as josch.import_crontab() does. Their zone is cron.timezone (GMT, where pg_cron has no such setting); those that are not active are paused; what cannot run in a transaction (VACUUM and the like) has exec_sql_atomic false. Jobs of other databases and hosts are not carried over. cron.job is read with the caller''s rights: who is no superuser sees no jobs but his or her own.
Nothing of pg_cron''s is changed; the last row has the SQL that switches its jobs off. Raises undefined_table where there is no pg_cron.';

CREATE FUNCTION josch.import_pgagent(schema text, prefix text DEFAULT '')
	RETURNS TABLE (severity text, source text, message text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_import_pgagent';
COMMENT ON FUNCTION josch.import_pgagent(text, text) IS
'Turns the jobs of pgAgent into jobs, in the tables of a schema, as josch.import_crontab() does: their steps become nodes that follow each other in the order of their names, for each time of the day again where there are several. What a step that fails means (fail, or success and ignore) becomes a dependency and on_failure. Several schedules are one: times that the same ones have are a job, whose calendar has the dates of any of them; exceptions are dates that such a calendar, and times that a schedule does not have. Jobs that are not enabled are paused; those with a step of another database are not carried over. Times are those of the session''s TimeZone: have it as pgAgent''s connection has.
Nothing of pgAgent''s is changed; the last row has the SQL that switches its jobs off. Raises undefined_table where there is no pgAgent.';

CREATE FUNCTION josch.import_pg_timetable(schema text, prefix text DEFAULT '')
	RETURNS TABLE (severity text, source text, message text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_import_pg_timetable';
COMMENT ON FUNCTION josch.import_pg_timetable(text, text) IS
'Turns the chains of pg_timetable (from its version 4 on) into jobs, in the tables of a schema, as josch.import_crontab() does. Tasks become nodes that follow each other; SQL that stands together and is not autonomous stays one transaction, in one SQL node. Parameters are put into what is run, one after the other; on_error becomes a node behind the failure of any; max_instances max_running; an exclusive chain takes all units of a semaphore that the others share. Chains that are not live, or delete themselves, are paused; those with a task of another database, or with a built-in one but NoOp, Sleep and Log, are not carried over. Times are those of the session''s TimeZone: have it as pg_timetable''s connection has.
Nothing of pg_timetable''s is changed; the last row has the SQL that switches its chains off. Raises undefined_table where there are no such tables.';

REVOKE ALL ON FUNCTION josch.import_crontab(text, text, text, boolean, text), josch.import_pg_cron(text, text), josch.import_pgagent(text, text),
	josch.import_pg_timetable(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.import_crontab(text, text, text, boolean, text), josch.import_pg_cron(text, text), josch.import_pgagent(text, text),
	josch.import_pg_timetable(text, text) TO josch_author;
