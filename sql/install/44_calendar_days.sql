/* Days of jobs by their business calendars: those to come, and what a calendar that was changed would make otherwise now. */

CREATE FUNCTION josch.forecast_days(job_name text, from_date date, to_date date)
	RETURNS TABLE (job_date date, made boolean, known boolean, due_at timestamptz, outcome text)
	LANGUAGE sql STABLE STRICT SET search_path = pg_catalog, pg_temp
	AS $$
SELECT e.day, j.job_date IS NOT NULL, coalesce(e.day <= josch.known_until(t.calendar_name), true),
	coalesce(w.due_at, CASE WHEN e.day > t.days_after THEN josch.instant(e.day, t.schedule_at, coalesce(t.time_zone, josch.default_time_zone())) END), w.outcome
FROM (SELECT d.day FROM josch.tpl_jobs t, josch.job_dates(t.calendar_name,
			greatest($2, coalesce(t.valid_from, t.loaded_on), CASE WHEN t.calendar_name IS NULL THEN t.days_after + 1 END), least($3, t.valid_to)) d (day)
		WHERE t.job_name = $1 AND (t.calendar_name IS NOT NULL OR t.schedule_at IS NOT NULL)
	UNION SELECT j.job_date FROM josch.jobs j WHERE j.job_name = $1 AND j.job_date BETWEEN $2 AND $3
	UNION SELECT w.job_date FROM josch.job_days w WHERE w.job_name = $1 AND w.job_date BETWEEN $2 AND $3) e
	LEFT JOIN josch.tpl_jobs t ON t.job_name = $1
	LEFT JOIN josch.jobs j ON j.job_name = $1 AND j.job_date = e.day
	LEFT JOIN josch.job_days w ON w.job_name = $1 AND w.job_date = e.day
ORDER BY 1
$$;
COMMENT ON FUNCTION josch.forecast_days(text, date, date) IS
'The days of a job from one date to another: those of its calendar (of a job without one whose days make themselves, all dates) from its valid_from to its valid_to, and those that were made or have been due. made: whether it is; known: false beyond the calendar''s known_until; due_at: when it makes itself, or was to (tpl_jobs.schedule_at; NULL: it does not, as no day up to tpl_jobs.days_after does); outcome: what has become of it (josch.job_days), NULL when it has not been due.';

CREATE FUNCTION josch.calendar_diff(calendar text DEFAULT NULL, from_date date DEFAULT NULL)
	RETURNS TABLE (job_name text, job_date date, calendar_name text, difference text, as_made date, as_now date)
	LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
	AS $$
WITH RECURSIVE concerned (calendar_name) AS (
	SELECT c.calendar_name FROM josch.calendars c WHERE $1 IS NULL OR c.calendar_name = $1
	UNION
	SELECT w.whole FROM concerned k JOIN (
		SELECT c.calendar_name, c.of_calendar FROM josch.calendars c
		UNION ALL SELECT p.calendar_name, p.part_name FROM josch.calendar_parts p) w (whole, part) ON w.part = k.calendar_name),
made AS (
	SELECT t.calendar_name, j.job_name, j.job_date, j.prev_date, j.next_date,
		pg_catalog.lag(j.job_date) OVER (PARTITION BY j.job_name ORDER BY j.job_date) AS former
	FROM josch.tpl_jobs t JOIN josch.jobs j ON j.job_name = t.job_name
	WHERE t.calendar_name IN (SELECT k.calendar_name FROM concerned k) AND j.job_date >= coalesce($2, josch.today()))
SELECT m.job_name, d.job_date, m.calendar_name, d.difference, d.as_made, d.as_now
FROM made m CROSS JOIN LATERAL (
	SELECT m.job_date, 'closed', m.job_date, NULL::date WHERE NOT josch.is_open(m.calendar_name, m.job_date)
	UNION ALL
	SELECT m.job_date, 'previous', m.prev_date, p.day FROM (SELECT josch.calendar_day(m.calendar_name, m.job_date, -1) AS day) p WHERE p.day IS DISTINCT FROM m.prev_date
	UNION ALL
	SELECT m.job_date, 'next', m.next_date, n.day FROM (SELECT josch.calendar_day(m.calendar_name, m.job_date, 1) AS day) n WHERE n.day IS DISTINCT FROM m.next_date
	UNION ALL
	SELECT o.day, 'open', NULL, o.day FROM josch.open_days(m.calendar_name, m.former + 1, m.job_date - 1) o (day)
) d (job_date, difference, as_made, as_now)
ORDER BY 1, 2, 4
$$;
COMMENT ON FUNCTION josch.calendar_diff(text, date) IS
'What would be otherwise if the days that exist were made now: of all jobs that have this calendar, or one that is made of it (NULL: all calendars), from a date on (NULL: today). difference: closed (the day is made, the calendar has it no longer), open (the calendar has it, and it was not made, between days that were), previous and next (PREV_DATE and NEXT_DATE would be as_now instead of as_made). Nothing is changed.';

REVOKE ALL ON FUNCTION josch.forecast_days(text, date, date), josch.calendar_diff(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.forecast_days(text, date, date), josch.calendar_diff(text, date) TO josch_viewer;
