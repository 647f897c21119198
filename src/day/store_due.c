/*
 * src/day/store_due.c
 *	  SQL on days that make themselves: tpl_jobs.schedule_at and josch.job_days.
 */
#include "base/josch.h"

#include "day/store_due.h"

#include "utils/builtins.h"

#include "base/rows.h"
#include "base/spi_plan.h"
#include "day/zone.h"

static const char *const outcomes[] = {"made", "late", "missed", "asked", "declined", "failed", NULL};
static const char *const policies[] = {"all", "latest", "none", "ask", NULL};

/*
 * $1 zone of jobs that have none, $2 now.  The jobs whose days make themselves, and
 * the last date that need not be looked at; due_date is the date that is due about
 * now.  Before both that and today, the days after the last that is settled are
 * those that are not; from then on each is looked for, as one may be opened, or
 * have been called missed by a clock that was ahead.  A job whose zone this server
 * does not know has none.
 */
#define SQL_CLOCKS \
	"WITH clocks AS MATERIALIZED (SELECT t.job_name, t.calendar_name, t.schedule_at, t.catch_up, t.catch_up_grace, z.time_zone, t.valid_to, w.due_date," \
	"       least(greatest(t.days_after, coalesce(t.valid_from, t.loaded_on) - 1, l.last, date '0100-01-01'), date '9899-12-30') AS settled" \
	"  FROM josch.tpl_jobs t, LATERAL (SELECT coalesce(t.time_zone, $1) AS time_zone) z," \
	"       LATERAL (SELECT ($2 AT TIME ZONE z.time_zone)::date AS today, ($2 AT TIME ZONE z.time_zone - t.schedule_at)::date AS due_date) w," \
	"       LATERAL (SELECT (SELECT max(d.job_date) FROM josch.job_days d WHERE d.job_name = t.job_name) AS day OFFSET 0) m," \
	"       LATERAL (SELECT CASE WHEN m.day IS NOT NULL THEN least(m.day, w.today - 1, w.due_date - 1) END AS last) l" \
	" WHERE t.schedule_at IS NOT NULL AND NOT t.paused AND josch.is_time_zone(z.time_zone)) "

/* Of a clock, the days that are due about now or were before, and have no row that lasts. */
#define SQL_OPEN_DAYS \
	"SELECT d.day FROM (SELECT o.day FROM josch.open_days(c.calendar_name, c.settled + 1, least(c.valid_to, c.due_date + 1)) o (day)" \
	"                    WHERE c.calendar_name IS NOT NULL" \
	"                   UNION ALL" \
	"                   SELECT c.settled + g.number FROM generate_series(1, least(c.valid_to, c.due_date + 1) - c.settled) g (number)" \
	"                    WHERE c.calendar_name IS NULL) d" \
	" WHERE NOT EXISTS (SELECT FROM josch.job_days w WHERE w.job_name = c.job_name AND w.job_date = d.day AND NOT (w.outcome = 'missed' AND w.decided_at > $2))"

/* A year that one job has missed must not come before the day of another: the first of each come first. */
static JoschPlan list_due = JOSCH_PLAN(
	SQL_CLOCKS
	"SELECT c.job_name, e.day, e.due_at, e.due_at + interval '1 minute' < $2, e.due_at + c.catch_up_grace < $2, c.catch_up,"
	"       row_number() OVER (PARTITION BY c.job_name ORDER BY e.day)"
	"  FROM clocks c, LATERAL (SELECT d.day, josch.instant(d.day, c.schedule_at, c.time_zone) AS due_at FROM (" SQL_OPEN_DAYS ") d OFFSET 0) e"
	" WHERE e.due_at <= $2"
	" ORDER BY 7, e.due_at, c.job_name COLLATE \"C\"",
	TEXTOID, TIMESTAMPTZOID);

static const JoschRow due_row = JOSCH_ROW(
	DueDay,
	JOSCH_FIELD(DueDay, job_name, TEXT),
	JOSCH_FIELD(DueDay, job_date, DATE),
	JOSCH_FIELD(DueDay, due_at, TIMESTAMPTZ),
	JOSCH_FIELD(DueDay, late, BOOL),
	JOSCH_FIELD(DueDay, missed, BOOL),
	JOSCH_FIELD_WORDS(DueDay, catch_up, policies),
	JOSCH_FIELD(DueDay, number, INT64));

/* and the first beyond, which may be settled: then it is looked for in vain, once */
static JoschPlan next_due = JOSCH_PLAN(
	SQL_CLOCKS
	"SELECT min(e.due_at) FILTER (WHERE e.due_at <= $2), min(e.due_at) FILTER (WHERE e.due_at > $2)"
	"  FROM clocks c, LATERAL (" SQL_OPEN_DAYS
	"       UNION ALL"
	"       SELECT CASE WHEN c.calendar_name IS NULL THEN b.bound + 1 ELSE josch.calendar_day(c.calendar_name, b.bound, 1) END"
	"         FROM (SELECT greatest(c.settled, c.due_date + 1) AS bound) b) d,"
	"       LATERAL (SELECT josch.instant(d.day, c.schedule_at, c.time_zone) AS due_at) e"
	" WHERE d.day <= coalesce(c.valid_to, d.day)",
	TEXTOID, TIMESTAMPTZOID);

static const JoschRow next_row = JOSCH_ROW(
	DueNext,
	JOSCH_NULLABLE(DueNext, overdue, TIMESTAMPTZ, DT_NOEND),
	JOSCH_NULLABLE(DueNext, due_at, TIMESTAMPTZ, DT_NOEND));

static JoschPlan any_due = JOSCH_PLAN0("SELECT FROM josch.tpl_jobs WHERE schedule_at IS NOT NULL LIMIT 1");

/*
 * $1 job, $2 date, $3 due_at, $4 outcome, $5 made_at, $6 comment, $7 catch_up, $8 zone
 * of jobs that have none.  Who has changed the template since the day was listed
 * means something else.
 */
static JoschPlan note = JOSCH_PLAN(
	"INSERT INTO josch.job_days AS d (job_name, job_date, due_at, outcome, made_at, decided_by, decided_at, comment)"
	" SELECT $1, $2, $3, CASE WHEN j.job_name IS NULL THEN $4 WHEN j.scheduled_at <= $3 + interval '1 minute' THEN 'made' ELSE 'late' END,"
	"        coalesce(j.scheduled_at, $5), j.scheduled_by, coalesce(j.scheduled_at, josch.now()), CASE WHEN j.job_name IS NULL THEN $6 END"
	"   FROM josch.tpl_jobs t"
	"   LEFT JOIN josch.jobs j ON j.job_name = t.job_name AND j.job_date = $2"
	"  WHERE t.job_name = $1 AND t.schedule_at IS NOT NULL AND NOT t.paused AND $2 <= coalesce(t.valid_to, $2)"
	"    AND coalesce(josch.is_open(t.calendar_name, $2), true)"
	"    AND t.catch_up = $7 AND josch.instant($2, t.schedule_at, coalesce(t.time_zone, $8)) = $3"
	" ON CONFLICT (job_name, job_date) DO UPDATE SET due_at = excluded.due_at, outcome = excluded.outcome, made_at = excluded.made_at,"
	"        decided_by = excluded.decided_by, decided_at = excluded.decided_at, comment = excluded.comment"
	"  WHERE d.outcome = 'missed' AND d.decided_at > josch.now()"
	" RETURNING outcome",
	TEXTOID, DATEOID, TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, TEXTOID);

static const JoschRow outcome_row = JOSCH_ROW(
	DueDay,
	JOSCH_FIELD_WORDS(DueDay, outcome, outcomes));

/* Node by node of the job: of that date there may be many dependencies of others. */
static JoschPlan release = JOSCH_PLAN(
	"UPDATE josch.node_deps d SET expected = false"
	"  FROM josch.tpl_nodes n, unnest($2) k (job_date), LATERAL (SELECT w.* FROM josch.node_deps w"
	"        WHERE w.p_date = k.job_date AND w.p_node_id = n.node_id AND w.expected OFFSET 0) w"
	" WHERE n.job_name = $1 AND NOT EXISTS (SELECT FROM josch.nodes p WHERE p.job_date = k.job_date AND p.node_id = n.node_id)"
	"   AND d.p_date = w.p_date AND d.p_node_id = w.p_node_id AND d.c_date = w.c_date AND d.c_node_id = w.c_node_id AND d.lag = w.lag",
	TEXTOID, DATEARRAYOID);

static const JoschRow job_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE));

static JoschPlan made = JOSCH_PLAN(
	"UPDATE josch.job_days d SET outcome = 'late', made_at = josch.now(), decided_by = SESSION_USER, decided_at = josch.now(), comment = NULL"
	"  FROM unnest($1, $2) j (job_name, job_date)"
	" WHERE d.job_name = j.job_name AND d.job_date = j.job_date AND d.made_at IS NULL",
	TEXTARRAYOID, DATEARRAYOID);

static JoschPlan taken_back = JOSCH_PLAN(
	"UPDATE josch.job_days d SET outcome = 'asked', made_at = NULL, decided_by = SESSION_USER, decided_at = josch.now()"
	"  FROM unnest($1, $2) j (job_name, job_date)"
	" WHERE d.job_name = j.job_name AND d.job_date = j.job_date AND d.made_at IS NOT NULL",
	TEXTARRAYOID, DATEARRAYOID);

static JoschPlan open_days = JOSCH_PLAN(
	"SELECT job_name, job_date FROM josch.job_days"
	" WHERE ($1 IS NULL OR job_name = $1) AND CASE WHEN $2 IS NULL THEN outcome IN ('asked', 'failed') ELSE made_at IS NULL AND job_date = ANY ($2) END"
	" ORDER BY job_date, job_name COLLATE \"C\"",
	TEXTOID, DATEARRAYOID);

static JoschPlan decline = JOSCH_PLAN(
	"UPDATE josch.job_days d SET outcome = 'declined', decided_by = SESSION_USER, decided_at = josch.now(), comment = $3"
	"  FROM unnest($1, $2) j (job_name, job_date)"
	" WHERE d.job_name = j.job_name AND d.job_date = j.job_date AND d.made_at IS NULL",
	TEXTARRAYOID, DATEARRAYOID, TEXTOID);

static JoschPlan days_between = JOSCH_PLAN(
	"SELECT t.job_name, d.day FROM josch.tpl_jobs t, josch.job_dates(t.calendar_name, $1, $2) d (day)"
	" WHERE ($3 IS NULL OR t.job_name = $3)"
	"   AND NOT EXISTS (SELECT FROM josch.jobs j WHERE j.job_name = t.job_name AND j.job_date = d.day)"
	" ORDER BY d.day, t.job_name COLLATE \"C\"",
	DATEOID, DATEOID, TEXTOID);

static JoschPlan last_day = JOSCH_PLAN(
	"SELECT max(job_date) FROM josch.job_days WHERE job_name = $1",
	TEXTOID);

/* ---- what is due ---- */

DueDay *
josch_store_due_list(TimestampTz now, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2] = {CStringGetTextDatum(josch_zone_default()), TimestampTzGetDatum(now)};
	DueDay	   *days;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run_latest(&list_due, args, NULL);
	days = josch_rows_fetch(&due_row, *n, caller);
	josch_spi_end(&spi);
	return days;
}

bool
josch_store_due_any(void)
{
	JoschSpi	spi;
	bool		any;

	josch_spi_begin(&spi);
	any = josch_spi_run_latest(&any_due, NULL, NULL) > 0;
	josch_spi_end(&spi);
	return any;
}

DueNext
josch_store_due_next(TimestampTz now)
{
	JoschSpi	spi;
	Datum		args[2] = {CStringGetTextDatum(josch_zone_default()), TimestampTzGetDatum(now)};
	DueNext		next;

	josch_spi_begin(&spi);
	josch_spi_run_latest(&next_due, args, NULL);
	josch_rows_fetch_one(&next_row, &next, CurrentMemoryContext);
	josch_spi_end(&spi);
	return next;
}

/* ---- what becomes of it ---- */

bool
josch_store_due_note(DueDay *day, TimestampTz now, const char *comment)
{
	JoschSpi	spi;
	bool		make = day->outcome == DUE_MADE || day->outcome == DUE_LATE;
	Datum		args[8] = {CStringGetTextDatum(day->job_name), DateADTGetDatum(day->job_date), TimestampTzGetDatum(day->due_at),
		CStringGetTextDatum(outcomes[day->outcome]), TimestampTzGetDatum(now), (Datum) 0,
	CStringGetTextDatum(policies[day->catch_up]), CStringGetTextDatum(josch_zone_default())};
	char		nulls[8] = {' ', ' ', ' ', ' ', make ? ' ' : 'n', ' ', ' ', ' '};
	bool		noted;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 5, comment);
	noted = josch_spi_change_latest(&note, SPI_OK_INSERT_RETURNING, args, nulls) > 0;
	if (noted)
	{
		josch_rows_fetch_one(&outcome_row, day, CurrentMemoryContext);
	}
	josch_spi_end(&spi);
	return noted;
}

void
josch_store_due_release(const char *job_name, const DateADT *dates, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	args[0] = CStringGetTextDatum(job_name);
	args[1] = josch_spi_date_array(dates, n);
	josch_spi_change_latest(&release, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}

static void
change(JoschPlan *plan, const DayJob *jobs, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, n, args);
	josch_spi_change_latest(plan, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}

void
josch_store_due_made(const DayJob *jobs, int n)
{
	change(&made, jobs, n);
}

void
josch_store_due_taken_back(const DayJob *jobs, int n)
{
	change(&taken_back, jobs, n);
}

/* ---- what people decide ---- */

static DayJob *
fetch_jobs(JoschPlan *plan, const Datum *args, const char *nulls, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	DayJob	   *jobs;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run_latest(plan, args, nulls);
	jobs = josch_rows_fetch(&job_row, *n, caller);
	josch_spi_end(&spi);
	return jobs;
}

DayJob *
josch_store_due_open(const char *job_name, const DateADT *dates, int ndates, int *n)
{
	Datum		args[2];
	char		nulls[2] = {' ', dates != NULL ? ' ' : 'n'};

	josch_spi_set_text(args, nulls, 0, job_name);
	args[1] = dates != NULL ? josch_spi_date_array(dates, ndates) : (Datum) 0;
	return fetch_jobs(&open_days, args, nulls, n);
}

void
josch_store_due_decline(const DayJob *jobs, int n, const char *comment)
{
	JoschSpi	spi;
	Datum		args[3];
	char		nulls[3] = {' ', ' '};

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, n, args);
	josch_spi_set_text(args, nulls, 2, comment);
	josch_spi_change_latest(&decline, SPI_OK_UPDATE, args, nulls);
	josch_spi_end(&spi);
}

DayJob *
josch_store_due_between(DateADT from, DateADT to, const char *job_name, int *n)
{
	Datum		args[3] = {DateADTGetDatum(from), DateADTGetDatum(to)};
	char		nulls[3] = {' ', ' '};

	josch_spi_set_text(args, nulls, 2, job_name);
	return fetch_jobs(&days_between, args, nulls, n);
}

DateADT
josch_store_due_last(const char *job_name)
{
	JoschSpi	spi;
	Datum		args[1] = {CStringGetTextDatum(job_name)};
	DateADT		last;

	josch_spi_begin(&spi);
	josch_spi_run_latest(&last_day, args, NULL);
	last = josch_spi_date(0, 1, DATEVAL_NOBEGIN);
	josch_spi_end(&spi);
	return last;
}
