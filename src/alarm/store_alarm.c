/*
 * src/alarm/store_alarm.c
 *	  SQL on josch.alarms: raised, cleared, acknowledged.
 *
 * Whatever is raised is told to the hooks that are there for it, in one statement: who
 * sees the alarm sees what waits to be told.  Pages are read by keys, in their order,
 * from where the last one ended.
 */
#include "base/josch.h"

#include "alarm/store_alarm.h"

#include "utils/builtins.h"

#include "base/config.h"
#include "base/rows.h"
#include "base/spi_plan.h"

/* After a CTE "causes", with $1 now: raises what was not raised before, and has it told. */
#define SQL_RAISE \
	" raised AS (INSERT INTO josch.alarms (kind, job_name, job_date, node_id, calendar_name, due_at, raised_at, message)" \
	"  SELECT c.kind, c.job_name, c.job_date, c.node_id, c.calendar_name, c.due_at, $1, c.message FROM causes c" \
	"  ON CONFLICT DO NOTHING RETURNING alarm_id, kind, job_name)," \
	" told AS (INSERT INTO josch.alarm_deliveries (alarm_id, hook_name, not_before)" \
	"  SELECT r.alarm_id, h.hook_name, $1 FROM raised r" \
	"  JOIN josch.alarm_hooks h ON h.enabled AND (h.kinds IS NULL OR r.kind = ANY (h.kinds))" \
	"   AND (h.job_pattern IS NULL OR r.job_name LIKE h.job_pattern ESCAPE '')" \
	"  RETURNING delivery_id) "

#define SQL_COUNTS "(SELECT count(*) FROM raised)"

/* The node of a page's row. */
#define SQL_NODE \
	" LATERAL (SELECT n.* FROM josch.nodes n WHERE n.job_date = p.job_date AND n.node_id = p.node_id OFFSET 0) n"

/* What the alarm of a deadline, or of a state, is called. */
#define SQL_KIND_OF_DEADLINE(column) "CASE " column " WHEN 's' THEN 'late_start' WHEN 'e' THEN 'late_end' ELSE 'too_long' END"
#define SQL_KIND_OF_STATE(column) "CASE " column " WHEN 'failed' THEN 'failed' WHEN 'unknown' THEN 'unknown' ELSE 'attention' END"

/* What a statement has done. */
typedef struct Done
{
	int64		raised;
	int64		cleared;
	int64		held;
	int64		seen;			/* rows of the page */
	NodeKey		key;			/* the last of these */
	TimestampTz due_at;
	char		kind;
	int64		alarm_id;
	int64		group;
} Done;

/* ---- deadlines ---- */

/*
 * $2 to $5 the last deadline that was seen, $6 the limit.  Who has it done once more
 * after its deadline knows that it is late.
 */
static JoschPlan deadlines = JOSCH_PLAN(
	"WITH page AS MATERIALIZED (SELECT d.due_at, d.job_date, d.node_id, d.kind FROM josch.deadlines d"
	"  WHERE d.due_at <= $1 AND (d.due_at, d.job_date, d.node_id, d.kind) > ($2, $3, $4, $5::\"char\")"
	"  ORDER BY d.due_at, d.job_date, d.node_id, d.kind LIMIT $6),"
	" causes AS MATERIALIZED (SELECT k.kind, n.job_name, p.job_date, p.node_id, NULL::text AS calendar_name, p.due_at,"
	"   CASE p.kind WHEN 's' THEN format('\"%s\" of job \"%s\" has not started: it was to start by %s', n.node_name, n.job_name, t.due)"
	"    WHEN 'e' THEN format('\"%s\" of job \"%s\" is not %s: it was to be by %s', n.node_name, n.job_name,"
	"     CASE n.node_type WHEN 'S' THEN 'signed off' WHEN 'L' THEN 'up' ELSE 'done' END, t.due)"
	"    ELSE format('\"%s\" of job \"%s\" runs for longer than it should: it was to end by %s', n.node_name, n.job_name, t.due) END AS message"
	"  FROM page p, LATERAL (SELECT " SQL_KIND_OF_DEADLINE("p.kind") " AS kind) k," SQL_NODE ","
	"   LATERAL (SELECT j.time_zone FROM josch.jobs j WHERE j.job_name = n.job_name AND j.job_date = n.job_date OFFSET 0) j,"
	"   LATERAL (SELECT to_char(p.due_at AT TIME ZONE j.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS due) t"
	"  WHERE (SELECT true FROM josch.alarms a WHERE a.kind = k.kind AND a.job_date = p.job_date AND a.node_id = p.node_id AND a.due_at = p.due_at LIMIT 1) IS NULL"
	"   AND NOT coalesce(n.acted_at > p.due_at AND n.action IN ('rerun', 'retry'), false)),"
	SQL_RAISE
	"SELECT " SQL_COUNTS ", (SELECT count(*) FROM page), l.node_id, l.job_date, l.due_at, l.kind::text"
	" FROM (SELECT 1) one LEFT JOIN (SELECT * FROM page ORDER BY due_at DESC, job_date DESC, node_id DESC, kind DESC LIMIT 1) l ON true",
	TIMESTAMPTZOID, TIMESTAMPTZOID, DATEOID, INT8OID, TEXTOID, INT8OID);

static const JoschRow deadlines_row = JOSCH_ROW(
	Done,
	JOSCH_FIELD(Done, raised, INT64),
	JOSCH_FIELD(Done, seen, INT64),
	JOSCH_FIELD_KEY(Done, key),
	JOSCH_FIELD(Done, due_at, TIMESTAMPTZ),
	JOSCH_FIELD(Done, kind, LETTER));

/* ---- what waits for people ---- */

/* $2, $3 the last node that was seen, $4 the limit */
static JoschPlan states = JOSCH_PLAN(
	"WITH page AS MATERIALIZED (SELECT w.job_date, w.node_id FROM josch.waiting w"
	"  WHERE w.waits_for = 'p' AND w.due_at = '-infinity' AND (w.job_date, w.node_id) > ($2, $3) ORDER BY w.job_date, w.node_id LIMIT $4),"
	" causes AS MATERIALIZED (SELECT k.kind, n.job_name, p.job_date, p.node_id, NULL::text AS calendar_name, n.state_since AS due_at,"
	"   format(CASE n.state WHEN 'failed' THEN '\"%s\" of job \"%s\" failed%s' WHEN 'unknown' THEN 'how \"%s\" of job \"%s\" ended is not known%s'"
	"     WHEN 'review' THEN '\"%s\" of job \"%s\" waits for a review%s' ELSE '\"%s\" of job \"%s\" waits for its sign-off%s' END,"
	"    n.node_name, n.job_name, CASE WHEN n.state IN ('failed', 'unknown') THEN ': ' || left(n.message, 2000) END) AS message"
	"  FROM page p," SQL_NODE ", LATERAL (SELECT " SQL_KIND_OF_STATE("n.state") " AS kind) k"
	"  WHERE n.state IN ('failed', 'unknown', 'review', 'signoff')"
	"   AND (SELECT true FROM josch.alarms a WHERE a.kind = k.kind AND a.job_date = p.job_date AND a.node_id = p.node_id AND a.due_at = n.state_since LIMIT 1) IS NULL),"
	SQL_RAISE
	"SELECT " SQL_COUNTS ", (SELECT count(*) FROM page), l.node_id, l.job_date"
	" FROM (SELECT 1) one LEFT JOIN (SELECT * FROM page ORDER BY job_date DESC, node_id DESC LIMIT 1) l ON true",
	TIMESTAMPTZOID, DATEOID, INT8OID, INT8OID);

static const JoschRow states_row = JOSCH_ROW(
	Done,
	JOSCH_FIELD(Done, raised, INT64),
	JOSCH_FIELD(Done, seen, INT64),
	JOSCH_FIELD_KEY(Done, key));

/* ---- what can never start ---- */

/* What of a node's needs there is never enough of: as josch_limits_judge() says it, which knows no other cause. */
#define SQL_NEVER_FITS(columns, date, id) \
	"(SELECT " columns " FROM josch.node_semaphores s LEFT JOIN josch.semaphores m ON m.semaphore_name = s.semaphore_name" \
	"  WHERE s.job_date = " date " AND s.node_id = " id " AND (m.capacity IS NULL OR (s.units > m.capacity AND m.capacity > 0)) ORDER BY s.semaphore_name LIMIT 1)"

#define SQL_WAITS "w.limit_group, w.due_at, w.job_date, w.node_id"

/*
 * $2 to $5 the last row that was seen, $6 the limit.  All nodes of a group need the same,
 * so that of one that can start the first says so for all; of one that cannot each is told.
 */
static JoschPlan never_fits = JOSCH_PLAN(
	"WITH RECURSIVE page AS ((SELECT " SQL_WAITS ", " SQL_NEVER_FITS("true", "w.job_date", "w.node_id") " AS never, 1 AS place FROM josch.waiting w"
	"  WHERE w.waits_for = 'l' AND (" SQL_WAITS ") > ($2, $3, $4, $5) ORDER BY " SQL_WAITS " LIMIT 1)"
	" UNION ALL SELECT n.* FROM page p, LATERAL (SELECT " SQL_WAITS ", " SQL_NEVER_FITS("true", "w.job_date", "w.node_id") ", p.place + 1 FROM josch.waiting w"
	"  WHERE w.waits_for = 'l' AND (" SQL_WAITS ") > (p.limit_group, CASE WHEN p.never THEN p.due_at ELSE 'infinity' END,"
	"    CASE WHEN p.never THEN p.job_date ELSE 'infinity' END, p.node_id) ORDER BY " SQL_WAITS " LIMIT 1) n WHERE p.place < $6),"
	" causes AS MATERIALIZED (SELECT 'never_fits' AS kind, n.job_name, p.job_date, p.node_id, NULL::text AS calendar_name, $1 AS due_at, " SQL_NEVER_FITS(
	"format(CASE WHEN m.capacity IS NULL THEN '\"%s\" of job \"%s\" can never start: semaphore \"%s\", of which it needs %s, does not exist'"
	"    ELSE '\"%s\" of job \"%s\" can never start: of semaphore \"%s\" it needs %s, and there are %s' END, n.node_name, n.job_name, s.semaphore_name, s.units, m.capacity)",
	"p.job_date", "p.node_id") " AS message"
	"  FROM page p," SQL_NODE " WHERE p.never"
	"   AND (SELECT true FROM josch.alarms a WHERE a.kind = 'never_fits' AND a.job_date = p.job_date AND a.node_id = p.node_id AND a.cleared_at IS NULL LIMIT 1) IS NULL),"
	SQL_RAISE
	"SELECT " SQL_COUNTS ", (SELECT count(*) FROM page), l.node_id, l.job_date, l.due_at, l.limit_group"
	" FROM (SELECT 1) one LEFT JOIN (SELECT limit_group, CASE WHEN never THEN due_at ELSE 'infinity' END AS due_at,"
	"   CASE WHEN never THEN job_date ELSE 'infinity' END AS job_date, node_id FROM page ORDER BY place DESC LIMIT 1) l ON true",
	TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, DATEOID, INT8OID, INT8OID);

static const JoschRow never_fits_row = JOSCH_ROW(
	Done,
	JOSCH_FIELD(Done, raised, INT64),
	JOSCH_FIELD(Done, seen, INT64),
	JOSCH_FIELD_KEY(Done, key),
	JOSCH_FIELD(Done, due_at, TIMESTAMPTZ),
	JOSCH_FIELD(Done, group, INT64));

/* ---- causes that are gone ---- */

/*
 * $1 now, $2 the last alarm that was seen, $3 the limit.  By the node's own record of
 * when that was, where it has one; a deadline that was moved is one that is gone now.
 */
static JoschPlan clear = JOSCH_PLAN(
	"WITH page AS MATERIALIZED (SELECT a.alarm_id, a.kind, a.job_date, a.node_id, a.due_at FROM josch.alarms a"
	"  WHERE a.cleared_at IS NULL AND a.alarm_id > $2 ORDER BY a.alarm_id LIMIT $3),"
	" gone AS MATERIALIZED (SELECT p.alarm_id, m.moment FROM page p LEFT JOIN" SQL_NODE " ON true,"
	"   LATERAL (SELECT CASE p.kind WHEN 'late_start' THEN 's' WHEN 'late_end' THEN 'e' WHEN 'too_long' THEN 'd' END AS deadline) k,"
	"   LATERAL (SELECT CASE WHEN k.deadline = 's' THEN coalesce(n.started_at, n.state_since) WHEN k.deadline IS NOT NULL THEN coalesce(n.ended_at, n.state_since)"
	"     ELSE n.state_since END AS moment) m"
	"  WHERE p.node_id IS NOT NULL AND CASE WHEN p.kind = 'never_fits' THEN n.state IS DISTINCT FROM 'ready' OR " SQL_NEVER_FITS("true", "p.job_date", "p.node_id") " IS NULL"
	"    WHEN k.deadline IS NULL THEN n.state_since IS DISTINCT FROM p.due_at OR p.kind <> " SQL_KIND_OF_STATE("n.state")
	"     OR n.state NOT IN ('failed', 'unknown', 'review', 'signoff')"
	"    ELSE (SELECT true FROM josch.deadlines d WHERE d.due_at = p.due_at AND d.job_date = p.job_date AND d.node_id = p.node_id AND d.kind = k.deadline::\"char\") IS NULL END),"
	" free AS MATERIALIZED (SELECT a.alarm_id, CASE WHEN g.moment >= a.due_at THEN g.moment ELSE $1 END AS moment"
	"  FROM gone g, LATERAL (SELECT a.alarm_id, a.due_at FROM josch.alarms a WHERE a.alarm_id = g.alarm_id AND a.cleared_at IS NULL OFFSET 0 FOR UPDATE SKIP LOCKED) a),"
	" cleared AS (UPDATE josch.alarms a SET cleared_at = f.moment FROM free f WHERE a.alarm_id = f.alarm_id RETURNING a.alarm_id)"
	" SELECT (SELECT count(*) FROM cleared), (SELECT count(*) FROM gone) - (SELECT count(*) FROM free), (SELECT count(*) FROM page), (SELECT max(p.alarm_id) FROM page p)",
	TIMESTAMPTZOID, INT8OID, INT8OID);

static const JoschRow clear_row = JOSCH_ROW(
	Done,
	JOSCH_FIELD(Done, cleared, INT64),
	JOSCH_FIELD(Done, held, INT64),
	JOSCH_FIELD(Done, seen, INT64),
	JOSCH_FIELD(Done, alarm_id, INT64));

/* ---- days, calendars, and all that is here ---- */

static const JoschRow counts_row = JOSCH_ROW(
	Done,
	JOSCH_FIELD(Done, raised, INT64));

static const JoschRow cleared_row = JOSCH_ROW(
	Done,
	JOSCH_FIELD(Done, cleared, INT64));

/* One alarm with the list: of a job the days that none is open about.  Who has taken a day back knows it. */
static JoschPlan missed_days = JOSCH_PLAN(
	"WITH causes AS MATERIALIZED (SELECT 'missed_days' AS kind, d.job_name, max(d.job_date) AS job_date, NULL::bigint AS node_id, NULL::text AS calendar_name,"
	"   max(d.due_at) AS due_at, format('days of job \"%s\" did not make themselves, and wait for an answer: %s%s', d.job_name,"
	"    array_to_string((array_agg(to_char(d.job_date, 'YYYY-MM-DD') ORDER BY d.job_date))[1:10], ', '),"
	"    CASE WHEN count(*) > 10 THEN format(' and %s more', count(*) - 10) END) AS message"
	"  FROM josch.job_days d WHERE d.outcome IN ('asked', 'failed') AND d.decided_by IS NULL AND d.due_at > coalesce("
	"   (SELECT a.due_at FROM josch.alarms a WHERE a.kind = 'missed_days' AND a.job_name = d.job_name AND a.cleared_at IS NULL ORDER BY a.due_at DESC LIMIT 1), '-infinity')"
	"  GROUP BY d.job_name),"
	SQL_RAISE "SELECT " SQL_COUNTS,
	TIMESTAMPTZOID);

static JoschPlan clear_days = JOSCH_PLAN(
	"WITH gone AS MATERIALIZED (SELECT a.alarm_id FROM josch.alarms a WHERE a.kind = 'missed_days' AND a.cleared_at IS NULL"
	"   AND (SELECT true FROM josch.job_days d WHERE d.job_name = a.job_name AND d.outcome IN ('asked', 'failed') AND d.due_at <= a.due_at LIMIT 1) IS NULL"
	"  FOR UPDATE SKIP LOCKED),"
	" cleared AS (UPDATE josch.alarms a SET cleared_at = $1 FROM gone g WHERE a.alarm_id = g.alarm_id RETURNING a.alarm_id)"
	" SELECT count(*) FROM cleared",
	TIMESTAMPTZOID);

/* Of each calendar that a job has, the last date that somebody vouches for; $2 days before it is to be told. */
#define SQL_ENDING \
	"josch.calendars c, LATERAL (SELECT josch.known_until(c.calendar_name) AS last OFFSET 0) k" \
	" WHERE (SELECT true FROM josch.tpl_jobs t WHERE t.calendar_name = c.calendar_name LIMIT 1)"

static JoschPlan calendars = JOSCH_PLAN(
	"WITH causes AS MATERIALIZED (SELECT 'calendar_ends' AS kind, NULL::text AS job_name, NULL::date AS job_date, NULL::bigint AS node_id, c.calendar_name, $1 AS due_at,"
	"   format('business calendar \"%s\" is known until %s only', c.calendar_name, to_char(k.last, 'YYYY-MM-DD')) AS message"
	"  FROM " SQL_ENDING " AND k.last - $2 <= josch.today()"
	"   AND (SELECT true FROM josch.alarms a WHERE a.kind = 'calendar_ends' AND a.calendar_name = c.calendar_name AND a.cleared_at IS NULL LIMIT 1) IS NULL),"
	SQL_RAISE "SELECT " SQL_COUNTS,
	TIMESTAMPTZOID, INT4OID);

static JoschPlan clear_calendars = JOSCH_PLAN(
	"WITH gone AS MATERIALIZED (SELECT a.alarm_id FROM josch.alarms a WHERE a.kind = 'calendar_ends' AND a.cleared_at IS NULL"
	"   AND (SELECT true FROM " SQL_ENDING " AND c.calendar_name = a.calendar_name AND k.last - $2 <= josch.today()) IS NULL"
	"  FOR UPDATE SKIP LOCKED),"
	" cleared AS (UPDATE josch.alarms a SET cleared_at = $1 FROM gone g WHERE a.alarm_id = g.alarm_id RETURNING a.alarm_id)"
	" SELECT count(*) FROM cleared",
	TIMESTAMPTZOID, INT4OID);

/* $2 kind, $3 since, $4 message */
static JoschPlan condition_holds = JOSCH_PLAN(
	"WITH causes AS MATERIALIZED (SELECT $2 AS kind, NULL::text AS job_name, NULL::date AS job_date, NULL::bigint AS node_id, NULL::text AS calendar_name, $3 AS due_at,"
	"   $4 AS message WHERE (SELECT true FROM josch.alarms a WHERE a.kind = $2 AND a.cleared_at IS NULL LIMIT 1) IS NULL),"
	SQL_RAISE "SELECT " SQL_COUNTS,
	TIMESTAMPTZOID, TEXTOID, TIMESTAMPTZOID, TEXTOID);

static JoschPlan condition_is_over = JOSCH_PLAN(
	"WITH gone AS MATERIALIZED (SELECT a.alarm_id FROM josch.alarms a WHERE a.kind = $2 AND a.cleared_at IS NULL FOR UPDATE SKIP LOCKED),"
	" cleared AS (UPDATE josch.alarms a SET cleared_at = $1 FROM gone g WHERE a.alarm_id = g.alarm_id RETURNING a.alarm_id)"
	" SELECT count(*) FROM cleared",
	TIMESTAMPTZOID, TEXTOID);

static JoschPlan next = JOSCH_PLAN(
	"SELECT least((SELECT min(d.due_at) FROM josch.deadlines d WHERE d.due_at > $1),"
	" (SELECT min(josch.instant(k.last - $2, '0', josch.default_time_zone())) FROM " SQL_ENDING " AND k.last - $2 > josch.today())) AS due_at",
	TIMESTAMPTZOID, INT4OID);

typedef struct Next
{
	TimestampTz due_at;
} Next;

static const JoschRow next_row = JOSCH_ROW(
	Next,
	JOSCH_NULLABLE(Next, due_at, TIMESTAMPTZ, DT_NOEND));

/* ---- running them ---- */

static Done
run(JoschPlan *plan, const JoschRow *map, const Datum *args, AlarmLook *look)
{
	JoschSpi	spi;
	Done		done = {0};

	josch_spi_begin(&spi);
	josch_spi_run(plan, SPI_OK_SELECT, args, NULL);
	josch_rows_fetch_one(map, &done, CurrentMemoryContext);
	josch_spi_end(&spi);
	look->raised += done.raised;
	look->cleared += done.cleared;
	look->held += done.held;
	return done;
}

bool
josch_store_alarm_deadlines(AlarmLook *look)
{
	AlarmRound *round = &look->round;
	Datum		args[6] = {TimestampTzGetDatum(look->now), TimestampTzGetDatum(round->deadline_at),
		DateADTGetDatum(round->deadline_key.job_date), Int64GetDatum(round->deadline_key.node_id),
	PointerGetDatum(cstring_to_text_with_len(&round->deadline_kind, round->deadline_kind != '\0' ? 1 : 0)), Int64GetDatum(look->limit)};
	Done		done = run(&deadlines, &deadlines_row, args, look);

	if (done.seen > 0)
	{
		round->deadline_at = done.due_at;
		round->deadline_key = done.key;
		round->deadline_kind = done.kind;
	}
	return done.seen < look->limit;
}

bool
josch_store_alarm_states(AlarmLook *look)
{
	AlarmRound *round = &look->round;
	Datum		args[4] = {TimestampTzGetDatum(look->now), DateADTGetDatum(round->state_mark.job_date),
	Int64GetDatum(round->state_mark.node_id), Int64GetDatum(look->limit)};
	Done		done = run(&states, &states_row, args, look);

	if (done.seen > 0)
	{
		round->state_mark = done.key;
	}
	return done.seen < look->limit;
}

bool
josch_store_alarm_never_fits(AlarmLook *look)
{
	AlarmRound *round = &look->round;
	Datum		args[6] = {TimestampTzGetDatum(look->now), Int64GetDatum(round->wait_group), TimestampTzGetDatum(round->wait_since),
		DateADTGetDatum(round->wait_key.job_date), Int64GetDatum(round->wait_key.node_id), Int64GetDatum(look->limit)};
	Done		done = run(&never_fits, &never_fits_row, args, look);

	if (done.seen > 0)
	{
		round->wait_group = done.group;
		round->wait_since = done.due_at;
		round->wait_key = done.key;
	}
	return done.seen < look->limit;
}

bool
josch_store_alarm_clear(AlarmLook *look)
{
	Datum		args[3] = {TimestampTzGetDatum(look->now), Int64GetDatum(look->round.open_mark), Int64GetDatum(look->limit)};
	Done		done = run(&clear, &clear_row, args, look);

	look->round.open_mark = Max(look->round.open_mark, done.alarm_id);
	return done.seen < look->limit;
}

void
josch_store_alarm_days(AlarmLook *look)
{
	Datum		args[1] = {TimestampTzGetDatum(look->now)};

	(void) run(&clear_days, &cleared_row, args, look);
	(void) run(&missed_days, &counts_row, args, look);
}

void
josch_store_alarm_calendars(AlarmLook *look)
{
	Datum		args[2] = {TimestampTzGetDatum(look->now), Int32GetDatum(josch_config_calendar_warning)};

	(void) run(&clear_calendars, &cleared_row, args, look);
	(void) run(&calendars, &counts_row, args, look);
}

void
josch_store_alarm_condition(AlarmLook *look, const char *kind, const AlarmCondition *condition)
{
	Datum		args[4] = {TimestampTzGetDatum(look->now), CStringGetTextDatum(kind), TimestampTzGetDatum(condition->since)};

	if (condition->message == NULL)
	{
		(void) run(&condition_is_over, &cleared_row, args, look);
		return;
	}
	args[3] = CStringGetTextDatum(condition->message);
	(void) run(&condition_holds, &counts_row, args, look);
}

TimestampTz
josch_store_alarm_next(TimestampTz now)
{
	Datum		args[2] = {TimestampTzGetDatum(now), Int32GetDatum(josch_config_calendar_warning)};
	JoschSpi	spi;
	Next		found;

	josch_spi_begin(&spi);
	josch_spi_run(&next, SPI_OK_SELECT, args, NULL);
	josch_rows_fetch_one(&next_row, &found, CurrentMemoryContext);
	josch_spi_end(&spi);
	return found.due_at;
}
