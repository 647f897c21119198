/*
 * src/run/store_run.c
 *	  SQL of the engine beside the path that every hop takes (store_pass.c).
 *
 * The engine must never wait for a person's open transaction.  So it locks all
 * that it is going to change by SKIP LOCKED; what it does not get, it leaves for
 * later.  A child that somebody holds must not keep its parents from ending, nor its
 * siblings from starting: it is counted anew when it is free.
 */
#include "base/josch.h"

#include "run/store_run.h"

#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/mode.h"
#include "base/rows.h"
#include "base/spi_plan.h"

static const JoschRow outlook_row = JOSCH_ROW(
	StoreOutlook,
	JOSCH_NULLABLE(StoreOutlook, next_due, TIMESTAMPTZ, DT_NOEND),
	JOSCH_FIELD(StoreOutlook, open, INT32),
	JOSCH_FIELD(StoreOutlook, commands, INT32),
	JOSCH_FIELD(StoreOutlook, sql, INT32),
	JOSCH_FIELD(StoreOutlook, stops, INT32),
	JOSCH_FIELD(StoreOutlook, timeouts, INT32),
	JOSCH_FIELD(StoreOutlook, delayed, INT32),
	JOSCH_FIELD(StoreOutlook, recounts, INT32),
	JOSCH_FIELD(StoreOutlook, foreign, INT32));

static JoschPlan outlook = JOSCH_PLAN(
	"SELECT least(t.next_due, r.deadline), r.open, r.commands, r.sql, r.stops, r.timeouts, r.delayed,"
	" (SELECT count(*)::int FROM josch.recounts), r.others"
	" FROM (SELECT (SELECT due_at FROM josch.waiting WHERE waits_for = 't' AND due_at > $1 ORDER BY due_at LIMIT 1) AS next_due) t,"
	" (SELECT min(o.deadline) FILTER (WHERE o.deadline > $1) AS deadline, count(*)::int AS open,"
	"   (count(*) FILTER (WHERE o.kind = 'command' AND o.up_at IS NULL))::int AS commands, (count(*) FILTER (WHERE o.kind = 'sql'))::int AS sql,"
	"   (count(*) FILTER (WHERE o.stop_requested_at IS NOT NULL OR o.timed_out))::int AS stops, (count(*) FILTER (WHERE o.deadline <= $1))::int AS timeouts,"
	"   (count(*) FILTER (WHERE pg_catalog.starts_with(o.message, '" JOSCH_WAITS "')))::int AS delayed,"
	"   (count(*) FILTER (WHERE o.token IS DISTINCT FROM $2 AND NOT ($2 = 0 AND o.attachable)))::int AS others"
	"  FROM (SELECT " SQL_ATTACHABLE("r") " AS attachable, r.kind, r.up_at, r.token, r.stop_requested_at, r.timed_out, r.message, CASE WHEN r.kind = 'sql' AND NOT r.timed_out THEN r.started_at + r.timeout END AS deadline"
	"   FROM josch.runs r WHERE r.ended_at IS NULL) o) r",
	TIMESTAMPTZOID, INT8OID);

static JoschPlan places = JOSCH_PLAN0(
	"SELECT (count(*) FILTER (WHERE kind = 'command' AND up_at IS NULL))::int,"
	" (count(*) FILTER (WHERE kind = 'sql'))::int FROM josch.runs WHERE ended_at IS NULL");

static const JoschRow delayed_row = JOSCH_ROW(
	RunEvent,
	JOSCH_FIELD(RunEvent, run_id, INT64),
	JOSCH_FIELD(RunEvent, text, TEXT));

static JoschPlan delay_runs = JOSCH_PLAN(
	"UPDATE josch.runs r SET message = d.message FROM unnest($1, $2) AS d(run_id, message)"
	" WHERE r.run_id = d.run_id AND r.ended_at IS NULL AND r.message IS DISTINCT FROM d.message"
	" AND (d.message IS NOT NULL OR pg_catalog.starts_with(r.message, '" JOSCH_WAITS "'))",
	INT8ARRAYOID, TEXTARRAYOID);

static JoschPlan delay_nodes = JOSCH_PLAN(
	"UPDATE josch.nodes n SET message = d.message"
	" FROM unnest($1, $2) AS d(run_id, message) JOIN josch.runs r ON r.run_id = d.run_id"
	" WHERE n.node_id = r.node_id AND n.job_date = r.job_date AND n.run_id = r.run_id AND n.state = 'running'"
	" AND n.message IS DISTINCT FROM d.message"
	" AND (d.message IS NOT NULL OR pg_catalog.starts_with(n.message, '" JOSCH_WAITS "'))",
	INT8ARRAYOID, TEXTARRAYOID);

static JoschPlan mark_ready = JOSCH_PLAN(
	"UPDATE josch.nodes n SET message = $1 WHERE (n.node_id, n.job_date) IN ("
	"  SELECT o.node_id, o.job_date FROM josch.nodes o"
	"  JOIN (SELECT w.node_id, w.job_date FROM josch.waiting w WHERE w.waits_for = 'c' ORDER BY w.due_at, w.job_date, w.node_id LIMIT $2) r"
	"   ON r.node_id = o.node_id AND r.job_date = o.job_date"
	"  WHERE o.state = 'ready' AND o.message IS DISTINCT FROM $1 FOR NO KEY UPDATE OF o SKIP LOCKED)",
	TEXTOID, INT4OID);

static JoschPlan unmark_ready = JOSCH_PLAN0(
	"UPDATE josch.nodes n SET message = NULL WHERE (n.node_id, n.job_date) IN ("
	"  SELECT o.node_id, o.job_date FROM josch.nodes o JOIN josch.waiting w ON w.node_id = o.node_id AND w.job_date = o.job_date"
	"  WHERE w.waits_for IN ('c', 't') AND o.state = 'ready' AND pg_catalog.starts_with(o.message, '" JOSCH_WAITS "')"
	"  FOR NO KEY UPDATE OF o SKIP LOCKED)");

static const JoschRow up_row = JOSCH_ROW(
	RunEvent,
	JOSCH_FIELD(RunEvent, run_id, INT64),
	JOSCH_FIELD(RunEvent, up_at, TIMESTAMPTZ));

static JoschPlan up_runs = JOSCH_PLAN(
	"UPDATE josch.runs r SET up_at = u.up_at FROM unnest($1, $2) AS u(run_id, up_at)"
	" WHERE r.run_id = u.run_id AND r.ended_at IS NULL",
	INT8ARRAYOID, TIMESTAMPTZARRAYOID);

static JoschPlan up_nodes = JOSCH_PLAN(
	"UPDATE josch.nodes n SET state = 'up' FROM josch.runs r WHERE r.run_id = ANY ($1)"
	" AND n.node_id = r.node_id AND n.job_date = r.job_date AND n.run_id = r.run_id AND n.state = 'running'",
	INT8ARRAYOID);

static JoschPlan fail_run = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'failed', ended_at = josch.now(), message = $3"
	" FROM josch.nodes n WHERE n.node_id = $1 AND n.job_date = $2 AND r.run_id = n.run_id AND r.ended_at IS NULL",
	INT8OID, DATEOID, TEXTOID);

static JoschPlan fail_node = JOSCH_PLAN(
	"UPDATE josch.nodes SET state = CASE on_failure WHEN 'abandon' THEN 'abandoned' ELSE 'failed' END, message = $3, not_before = NULL"
	" WHERE node_id = $1 AND job_date = $2 AND state IN ('ready', 'running', 'up')",
	INT8OID, DATEOID, TEXTOID);

static const JoschRow info_row = JOSCH_ROW(
	StoreRunInfo,
	JOSCH_FIELD(StoreRunInfo, run_id, INT64),
	JOSCH_FIELD(StoreRunInfo, nonce, INT64),
	JOSCH_FIELD(StoreRunInfo, sql, BOOL),
	JOSCH_FIELD(StoreRunInfo, orphan, BOOL),
	JOSCH_FIELD(StoreRunInfo, atomic, BOOL),
	JOSCH_FIELD(StoreRunInfo, begun, BOOL),
	JOSCH_FIELD(StoreRunInfo, token, INT64),
	JOSCH_FIELD(StoreRunInfo, ledger, TEXT),
	JOSCH_FIELD(StoreRunInfo, grace_ms, INT64),
	JOSCH_FIELD(StoreRunInfo, tries, INT32),
	JOSCH_FIELD(StoreRunInfo, recorded, BOOL));

/* all but the last, which asks a table that a stop has nothing to do with */
#define RUN_INFO_COLUMNS \
	"r.run_id, r.nonce, r.kind = 'sql'," \
	" NOT EXISTS (SELECT FROM josch.nodes n WHERE n.node_id = r.node_id AND n.job_date = r.job_date)," \
	" r.exec_sql_atomic, r.status <> 'starting', r.token, r.ledger," \
	" (extract(epoch FROM r.stop_grace) * 1000)::int8, coalesce(r.tries, 0), "

static JoschPlan list_open = JOSCH_PLAN0(
	"SELECT " RUN_INFO_COLUMNS "EXISTS (SELECT FROM josch.sql_ends e WHERE e.run_id = r.run_id AND e.nonce = r.nonce)"
	" FROM josch.runs r WHERE r.ended_at IS NULL ORDER BY r.run_id");

static JoschPlan list_stops = JOSCH_PLAN0(
	"SELECT " RUN_INFO_COLUMNS "false"
	" FROM josch.runs r WHERE r.ended_at IS NULL AND (r.stop_requested_at IS NOT NULL OR r.timed_out) ORDER BY r.run_id");

static JoschPlan list_timeouts = JOSCH_PLAN(
	"UPDATE josch.runs r SET timed_out = true WHERE r.run_id IN (SELECT o.run_id FROM josch.runs o"
	"  WHERE o.ended_at IS NULL AND o.kind = 'sql' AND NOT o.timed_out AND o.started_at + o.timeout <= $1"
	"  FOR NO KEY UPDATE SKIP LOCKED)"
	" RETURNING " RUN_INFO_COLUMNS "false",
	TIMESTAMPTZOID);

static JoschPlan highest = JOSCH_PLAN0(
	"SELECT coalesce(greatest((SELECT max(run_id) FROM josch.runs), (SELECT max(run_id) FROM josch.alarm_deliveries)), 0)");

static JoschPlan counted = JOSCH_PLAN(
	"SELECT greatest((SELECT max(run_id) FROM josch.runs), (SELECT max(run_id) FROM josch.runs_audit),"
	" (SELECT max(run_id) FROM josch.alarm_deliveries), (SELECT last_run FROM josch.installation)) >= $1",
	INT8OID);

static JoschPlan started_above = JOSCH_PLAN(
	"SELECT EXISTS (SELECT FROM josch.runs WHERE run_id > $1 AND ledger = $2 AND started_at IS NOT NULL)",
	INT8OID, TEXTOID);

StoreOutlook
josch_store_run_outlook(TimestampTz now, int64 token)
{
	JoschSpi	spi;
	Datum		args[2] = {TimestampTzGetDatum(now), Int64GetDatum(token)};
	StoreOutlook result;

	josch_spi_begin(&spi);
	josch_spi_run(&outlook, SPI_OK_SELECT, args, NULL);
	josch_rows_fetch_one(&outlook_row, &result, CurrentMemoryContext);
	josch_spi_end(&spi);
	return result;
}

void
josch_store_run_places(int *commands, int *sql)
{
	JoschSpi	spi;

	josch_spi_begin(&spi);
	josch_spi_run(&places, SPI_OK_SELECT, NULL, NULL);
	*commands = josch_spi_int32(0, 1, 0);
	*sql = josch_spi_int32(0, 2, 0);
	josch_spi_end(&spi);
}

void
josch_store_run_delayed(const RunEvent *events, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_rows_arrays(&delayed_row, events, n, args);
	josch_spi_run(&delay_runs, SPI_OK_UPDATE, args, NULL);
	josch_spi_run(&delay_nodes, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}

void
josch_store_run_mark_ready(const char *message, int limit)
{
	JoschSpi	spi;
	Datum		args[2] = {(Datum) 0, Int32GetDatum(limit)};
	JoschMode	former = josch_mode_enter_engine();

	josch_spi_begin(&spi);
	if (message != NULL)
	{
		args[0] = CStringGetTextDatum(message);
		josch_spi_run(&mark_ready, SPI_OK_UPDATE, args, NULL);
	}
	else
	{
		josch_spi_run(&unmark_ready, SPI_OK_UPDATE, NULL, NULL);
	}
	josch_spi_end(&spi);
	josch_mode = former;
}

void
josch_store_run_up(const RunEvent *events, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_rows_arrays(&up_row, events, n, args);
	josch_spi_run(&up_runs, SPI_OK_UPDATE, args, NULL);
	josch_spi_run(&up_nodes, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}

bool
josch_store_run_fail_node(NodeKey key, const char *message)
{
	bool		moved;
	JoschSpi	spi;
	Datum		args[3];

	josch_spi_begin(&spi);
	args[0] = Int64GetDatum(key.node_id);
	args[1] = DateADTGetDatum(key.job_date);
	args[2] = CStringGetTextDatum(message);
	josch_spi_run(&fail_run, SPI_OK_UPDATE, args, NULL);
	moved = josch_spi_run(&fail_node, SPI_OK_UPDATE, args, NULL) > 0;
	josch_spi_end(&spi);
	return moved;
}

static StoreRunInfo *
list(JoschPlan *plan, int expect, const Datum *args, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	StoreRunInfo *infos;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(plan, expect, args, NULL);
	infos = josch_rows_fetch(&info_row, *n, caller);
	josch_spi_end(&spi);
	return infos;
}

StoreRunInfo *
josch_store_run_list_open(int *n)
{
	return list(&list_open, SPI_OK_SELECT, NULL, n);
}

StoreRunInfo *
josch_store_run_list_stops(int *n)
{
	return list(&list_stops, SPI_OK_SELECT, NULL, n);
}

StoreRunInfo *
josch_store_run_list_timeouts(TimestampTz now, int *n)
{
	Datum		args[1] = {TimestampTzGetDatum(now)};
	JoschMode	former = josch_mode_enter_engine();
	StoreRunInfo *runs = list(&list_timeouts, SPI_OK_UPDATE_RETURNING, args, n);

	josch_mode = former;
	return runs;
}

int64
josch_store_run_highest(void)
{
	JoschSpi	spi;
	int64		run_id;

	josch_spi_begin(&spi);
	josch_spi_run(&highest, SPI_OK_SELECT, NULL, NULL);
	run_id = josch_spi_int64(0, 1, 0);
	josch_spi_end(&spi);
	return run_id;
}

static bool
is_so(JoschPlan *plan, const Datum *args)
{
	JoschSpi	spi;
	bool		answer;

	josch_spi_begin(&spi);
	josch_spi_run(plan, SPI_OK_SELECT, args, NULL);
	answer = josch_spi_bool(0, 1, false);
	josch_spi_end(&spi);
	return answer;
}

bool
josch_store_run_counted(int64 run_id)
{
	Datum		args[1] = {Int64GetDatum(run_id)};

	return is_so(&counted, args);
}

bool
josch_store_run_started_above(int64 run_id, const char *ledger)
{
	Datum		args[2] = {Int64GetDatum(run_id), CStringGetTextDatum(ledger)};

	return is_so(&started_above, args);
}

static const JoschRow log_row = JOSCH_ROW(
	StoreRunLog,
	JOSCH_FIELD(StoreRunLog, log, TEXT),
	JOSCH_FIELD(StoreRunLog, output_tail, TEXT),
	JOSCH_FIELD(StoreRunLog, open, BOOL));

static JoschPlan run_log = JOSCH_PLAN(
	"SELECT log, output_tail, ended_at IS NULL FROM josch.runs WHERE run_id = $1",
	INT8OID);

bool
josch_store_run_log(int64 run_id, StoreRunLog *log)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[1] = {Int64GetDatum(run_id)};
	bool		found;

	josch_spi_begin(&spi);
	found = josch_spi_run(&run_log, SPI_OK_SELECT, args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&log_row, log, caller);
	}
	josch_spi_end(&spi);
	return found;
}
