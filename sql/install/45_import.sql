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

REVOKE ALL ON FUNCTION josch.import_crontab(text, text, text, boolean, text), josch.import_pg_cron(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.import_crontab(text, text, text, boolean, text), josch.import_pg_cron(text, text) TO josch_author;
