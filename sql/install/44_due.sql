/* Days that make themselves, at tpl_jobs.schedule_at; what people decide about those that were missed. */

CREATE FUNCTION josch.job_dates(calendar text, from_date date, to_date date) RETURNS SETOF date
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
SELECT o.day FROM josch.open_days($1, $2, $3) o (day) WHERE $1 IS NOT NULL
UNION ALL
SELECT $2 + g.number FROM pg_catalog.generate_series(0, $3 - $2) g (number) WHERE $1 IS NULL
$$;
COMMENT ON FUNCTION josch.job_dates(text, date, date) IS
'Internal: the dates that a job with that calendar has, both ends included; without one all dates';
REVOKE ALL ON FUNCTION josch.job_dates(text, date, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.job_dates(text, date, date) TO josch_viewer;

CREATE FUNCTION josch.job_days_after() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_due_days_after';
COMMENT ON FUNCTION josch.job_days_after() IS
'Trigger: keeps tpl_jobs.days_after, and tells the scheduler that days may be due at other times.';
REVOKE ALL ON FUNCTION josch.job_days_after() FROM PUBLIC;

CREATE TRIGGER days_after BEFORE INSERT OR UPDATE ON josch.tpl_jobs
	FOR EACH ROW EXECUTE FUNCTION josch.job_days_after();
COMMENT ON TRIGGER days_after ON josch.tpl_jobs IS 'From which date on the days of a job make themselves';
ALTER TABLE josch.tpl_jobs ENABLE ALWAYS TRIGGER days_after;

CREATE FUNCTION josch.make_missed(job_name text DEFAULT NULL, dates date[] DEFAULT NULL)
	RETURNS TABLE (job_name text, job_date date, nodes bigint, dependencies bigint)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_due_make';
COMMENT ON FUNCTION josch.make_missed(text, date[]) IS
'Makes days that did not make themselves, in the order of their dates: those that somebody is asked about (josch.job_days.outcome asked or failed) of the job, or of all jobs (NULL); or of the job those of these dates, also missed and declined ones. All or none. Returns what was made, as josch.schedule() does. Raises no_data_found for a date of which josch.job_days has no row, or whose day is made.';

CREATE FUNCTION josch.decline_missed(job_name text DEFAULT NULL, dates date[] DEFAULT NULL, comment text DEFAULT NULL) RETURNS bigint
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_due_decline';
COMMENT ON FUNCTION josch.decline_missed(text, date[], text) IS
'Decides that days are not made: the arguments mean the same days as in josch.make_missed(). Nodes of other jobs, and of later days, do not wait for them any longer. Returns how many were declined; the comment is kept with each. Raises no_data_found as josch.make_missed() does.';

REVOKE ALL ON FUNCTION josch.make_missed(text, date[]), josch.decline_missed(text, date[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.make_missed(text, date[]), josch.decline_missed(text, date[], text) TO josch_operator, josch_author;

CREATE FUNCTION josch.backfill(from_date date, to_date date, job_name text DEFAULT NULL, params jsonb DEFAULT NULL)
	RETURNS TABLE (job_name text, job_date date, nodes bigint, dependencies bigint)
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_due_backfill';
COMMENT ON FUNCTION josch.backfill(date, date, text, jsonb) IS
'Makes the days from one date to another, both included, that are in the calendar of the job, or of all jobs (NULL), and are not made; of a job without a calendar all dates. In the order of the dates, and in the transaction of the caller: rolled back, nothing was. Returns what was made, as josch.schedule() does. params are given to each of the days, as josch.schedule() gives them. Raises no_data_found for a job that is not in the templates, and what keeps a day from being made.';
REVOKE ALL ON FUNCTION josch.backfill(date, date, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.backfill(date, date, text, jsonb) TO josch_author;
