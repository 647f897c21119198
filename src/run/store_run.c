/*
 * src/run/store_run.c
 *	  SQL of the engine: nodes that are ready, runs that start and end.
 *
 * Everything is done for many rows in one statement, so that a burst of a
 * thousand exits costs a few statements and one commit.
 *
 * The engine must never wait for a person's open transaction.  So it locks all
 * that it is going to change by SKIP LOCKED, the children that a change
 * touches included, before it changes anything; what it did not get, it leaves
 * for later.  A child that somebody holds must not keep its parents from ending,
 * nor its siblings from starting: it is counted anew when it is free.
 */
#include "base/josch.h"

#include "run/store_run.h"

#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/mode.h"
#include "base/spi_plan.h"

static JoschPlan ready = JOSCH_PLAN(
	"SELECT node_id, job_date, node_type, exec_command IS NOT NULL, exec_sql IS NOT NULL, forced, due_at"
	" FROM josch.nodes n WHERE state = 'ready' AND (due_at IS NULL OR due_at <= $1 OR forced)"
	" AND ($3 OR exec_command IS NULL) AND ($4 OR exec_sql IS NULL)"
	" AND NOT EXISTS (SELECT FROM josch.recounts r WHERE r.node_id = n.node_id AND r.job_date = n.job_date)"
	" ORDER BY job_date, node_id LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED",
	TIMESTAMPTZOID, INT8OID, BOOLOID, BOOLOID);

static JoschPlan outlook = JOSCH_PLAN(
	"SELECT least(n.next_due, r.deadline), n.queued, r.open, r.stops, r.timeouts, n.due,"
	" (SELECT count(*)::int FROM josch.recounts)"
	" FROM (SELECT min(due_at) FILTER (WHERE due_at > $1 AND NOT forced) AS next_due, count(*)::int AS queued,"
	"   (count(*) FILTER (WHERE due_at IS NULL OR due_at <= $1 OR forced))::int AS due"
	"  FROM josch.nodes WHERE state = 'ready') n,"
	" (SELECT min(o.deadline) FILTER (WHERE o.deadline > $1) AS deadline, count(*)::int AS open,"
	"   (count(o.stop_requested_at))::int AS stops, (count(*) FILTER (WHERE o.deadline <= $1))::int AS timeouts"
	"  FROM (SELECT r.stop_requested_at, CASE WHEN r.kind = 'sql' AND NOT r.timed_out THEN r.started_at +"
	"    (SELECT n.timeout FROM josch.nodes n WHERE n.node_id = r.node_id AND n.job_date = r.job_date) END AS deadline"
	"   FROM josch.runs r WHERE r.ended_at IS NULL) o) r",
	TIMESTAMPTZOID);

static JoschPlan places = JOSCH_PLAN0(
	"SELECT (count(*) FILTER (WHERE kind = 'command' AND up_at IS NULL))::int,"
	" (count(*) FILTER (WHERE kind = 'sql'))::int FROM josch.runs WHERE ended_at IS NULL");

static JoschPlan count_children = JOSCH_PLAN(
	"SELECT count(*)::int FROM josch.nodes c WHERE (c.node_id, c.job_date) IN ("
	"  SELECT d.c_node_id, d.c_date FROM unnest($1, $2) AS p(node_id, job_date)"
	"  JOIN josch.node_deps d ON d.p_node_id = p.node_id AND d.p_date = p.job_date)",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan lock_children = JOSCH_PLAN(
	"SELECT c.node_id, c.job_date FROM josch.nodes c WHERE (c.node_id, c.job_date) IN ("
	"  SELECT d.c_node_id, d.c_date FROM unnest($1, $2) AS p(node_id, job_date)"
	"  JOIN josch.node_deps d ON d.p_node_id = p.node_id AND d.p_date = p.job_date)"
	" FOR NO KEY UPDATE SKIP LOCKED",
	INT8ARRAYOID, DATEARRAYOID);

/* $3, $4: the children that are locked */
static JoschPlan defer = JOSCH_PLAN(
	"INSERT INTO josch.recounts (node_id, job_date)"
	" SELECT DISTINCT c.node_id, c.job_date FROM unnest($1, $2) AS p(node_id, job_date)"
	" JOIN josch.node_deps d ON d.p_node_id = p.node_id AND d.p_date = p.job_date"
	" JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date"
	" LEFT JOIN unnest($3, $4) AS l(node_id, job_date) ON l.node_id = c.node_id AND l.job_date = c.job_date"
	" WHERE l.node_id IS NULL ON CONFLICT DO NOTHING",
	INT8ARRAYOID, DATEARRAYOID, INT8ARRAYOID, DATEARRAYOID);

/* of days that were taken back */
static JoschPlan drop_recounts = JOSCH_PLAN0(
	"DELETE FROM josch.recounts r WHERE NOT EXISTS ("
	"  SELECT FROM josch.nodes n WHERE n.node_id = r.node_id AND n.job_date = r.job_date)");

static JoschPlan list_recounts = JOSCH_PLAN0(
	"SELECT n.node_id, n.job_date FROM josch.nodes n"
	" WHERE (n.node_id, n.job_date) IN (SELECT r.node_id, r.job_date FROM josch.recounts r)"
	" FOR NO KEY UPDATE SKIP LOCKED");

static JoschPlan forget_recounts = JOSCH_PLAN(
	"DELETE FROM josch.recounts r WHERE (r.node_id, r.job_date) IN (SELECT * FROM unnest($1, $2))",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan move = JOSCH_PLAN(
	"UPDATE josch.nodes n SET state = $3, message = NULL FROM unnest($1, $2) AS k(node_id, job_date)"
	" WHERE n.node_id = k.node_id AND n.job_date = k.job_date AND n.state = 'ready'",
	INT8ARRAYOID, DATEARRAYOID, TEXTOID);

static JoschPlan intend = JOSCH_PLAN(
	"INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, host, server, runner, log)"
	" SELECT r.run_id, r.node_id, r.job_date, r.attempt, r.kind, $5, $3, CASE WHEN r.kind = 'command' THEN $4 END,"
	"  CASE WHEN r.kind = 'command' THEN format('log/%s/%s/%s.%s.%s.log', $6,"
	"   to_char(r.job_date, 'YYYY-MM-DD'), r.node_id, r.attempt, r.run_id) END"
	" FROM (SELECT nextval('josch.run_id_seq') AS run_id, n.node_id, n.job_date, n.attempt + 1 AS attempt,"
	"   CASE WHEN n.exec_sql IS NULL THEN 'command' ELSE 'sql' END AS kind"
	"  FROM unnest($1, $2) WITH ORDINALITY AS k(node_id, job_date, place)"
	"  JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	"  WHERE n.state = 'ready' ORDER BY k.place) r"
	" RETURNING run_id",
	INT8ARRAYOID, DATEARRAYOID, TEXTOID, TEXTOID, TEXTOID, TEXTOID);

static JoschPlan start_nodes = JOSCH_PLAN(
	"UPDATE josch.nodes n SET state = 'running', run_id = r.run_id, attempt = r.attempt,"
	" started_at = r.requested_at, ended_at = NULL, message = NULL"
	" FROM josch.runs r WHERE r.run_id = ANY ($1) AND n.node_id = r.node_id AND n.job_date = r.job_date",
	INT8ARRAYOID);

static JoschPlan load_launch = JOSCH_PLAN(
	"SELECT r.run_id, r.node_id, r.job_date, r.attempt, n.node_type, r.kind = 'sql', n.exec_sql_atomic, n.owner::text,"
	" n.exec_command, n.ready_command, n.work_dir, r.log,"
	" (extract(epoch FROM n.timeout) * 1000)::int8, (extract(epoch FROM n.stop_grace) * 1000)::int8,"
	" (extract(epoch FROM n.ready_after) * 1000)::int8"
	" FROM josch.runs r JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"
	" WHERE r.run_id = ANY ($1) AND r.ended_at IS NULL ORDER BY r.run_id",
	INT8ARRAYOID);

static JoschPlan started = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'running', pid = s.pid, started_at = s.started_at"
	" FROM unnest($1, $2, $3) AS s(run_id, pid, started_at)"
	" WHERE r.run_id = s.run_id AND r.status = 'starting'",
	INT8ARRAYOID, INT4ARRAYOID, TIMESTAMPTZARRAYOID);

static JoschPlan closed_runs = JOSCH_PLAN(
	"SELECT k.place::int FROM unnest($1) WITH ORDINALITY AS k(run_id, place)"
	" LEFT JOIN josch.runs r ON r.run_id = k.run_id AND r.ended_at IS NULL WHERE r.run_id IS NULL",
	INT8ARRAYOID);

static JoschPlan lock_open = JOSCH_PLAN(
	"SELECT r.run_id, n.node_id, n.job_date, n.node_type, r.stop_requested_by, r.timed_out,"
	" n.run_id = r.run_id AND n.state IN ('running', 'up')"
	" FROM josch.runs r JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"
	" WHERE r.run_id = ANY ($1) AND r.ended_at IS NULL FOR NO KEY UPDATE SKIP LOCKED",
	INT8ARRAYOID);

static JoschPlan end_runs = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = e.status, started_at = coalesce(r.started_at, e.started_at),"
	" ended_at = e.ended_at, pid = coalesce(r.pid, e.pid), exit_code = e.exit_code, exit_signal = e.exit_signal,"
	" message = e.message, timed_out = e.timed_out, cpu_seconds = e.cpu_seconds, peak_memory = e.peak_memory,"
	" output_tail = e.output_tail"
	" FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS e(run_id, status, started_at, ended_at, pid,"
	"  exit_code, exit_signal, message, timed_out, cpu_seconds, peak_memory, output_tail)"
	" WHERE r.run_id = e.run_id",
	INT8ARRAYOID, TEXTARRAYOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID,
	INT4ARRAYOID, INT4ARRAYOID, TEXTARRAYOID, BOOLARRAYOID, FLOAT8ARRAYOID, INT8ARRAYOID, TEXTARRAYOID);

static JoschPlan end_nodes = JOSCH_PLAN(
	"UPDATE josch.nodes n SET state = e.state, message = e.message, ended_at = r.ended_at,"
	" started_at = coalesce(r.started_at, n.started_at)"
	" FROM unnest($1, $2, $3) AS e(run_id, state, message)"
	" JOIN josch.runs r ON r.run_id = e.run_id"
	" WHERE n.node_id = r.node_id AND n.job_date = r.job_date AND n.run_id = r.run_id",
	INT8ARRAYOID, TEXTARRAYOID, TEXTARRAYOID);

static JoschPlan up_runs = JOSCH_PLAN(
	"UPDATE josch.runs r SET up_at = u.up_at FROM unnest($1, $2) AS u(run_id, up_at)"
	" WHERE r.run_id = u.run_id AND r.ended_at IS NULL",
	INT8ARRAYOID, TIMESTAMPTZARRAYOID);

static JoschPlan up_nodes = JOSCH_PLAN(
	"UPDATE josch.nodes n SET state = 'up' FROM unnest($1, $2, $3) AS k(node_id, job_date, run_id)"
	" WHERE n.node_id = k.node_id AND n.job_date = k.job_date AND n.run_id = k.run_id AND n.state = 'running'",
	INT8ARRAYOID, DATEARRAYOID, INT8ARRAYOID);

static JoschPlan fail_run = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'failed', ended_at = josch.now(), message = $3"
	" FROM josch.nodes n WHERE n.node_id = $1 AND n.job_date = $2 AND r.run_id = n.run_id AND r.ended_at IS NULL",
	INT8OID, DATEOID, TEXTOID);

static JoschPlan fail_node = JOSCH_PLAN(
	"UPDATE josch.nodes SET state = 'failed', message = $3"
	" WHERE node_id = $1 AND job_date = $2 AND state IN ('ready', 'running', 'up')",
	INT8OID, DATEOID, TEXTOID);

#define RUN_INFO_COLUMNS \
	"r.run_id, r.kind = 'sql', n.exec_sql_atomic, r.status <> 'starting', r.requested_at, r.server, r.runner," \
	" (extract(epoch FROM n.stop_grace) * 1000)::int8"
#define RUN_INFO_FROM \
	" FROM josch.runs r JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"

static JoschPlan list_open = JOSCH_PLAN0(
	"SELECT " RUN_INFO_COLUMNS RUN_INFO_FROM " WHERE r.ended_at IS NULL ORDER BY r.run_id");

static JoschPlan list_stops = JOSCH_PLAN0(
	"SELECT " RUN_INFO_COLUMNS RUN_INFO_FROM
	" WHERE r.ended_at IS NULL AND r.stop_requested_at IS NOT NULL ORDER BY r.run_id");

static JoschPlan list_timeouts = JOSCH_PLAN(
	"UPDATE josch.runs r SET timed_out = true FROM josch.nodes n"
	" WHERE n.node_id = r.node_id AND n.job_date = r.job_date AND r.run_id IN (SELECT r.run_id" RUN_INFO_FROM
	"  WHERE r.ended_at IS NULL AND r.kind = 'sql' AND NOT r.timed_out AND r.started_at + n.timeout <= $1"
	"  FOR NO KEY UPDATE OF r SKIP LOCKED)"
	" RETURNING " RUN_INFO_COLUMNS,
	TIMESTAMPTZOID);

StoreReady *
josch_store_run_ready(TimestampTz now, int limit, bool commands, bool sql, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[4] = {TimestampTzGetDatum(now), Int64GetDatum(limit), BoolGetDatum(commands), BoolGetDatum(sql)};
	StoreReady *nodes;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(&ready, SPI_OK_SELECT, args, NULL);
	nodes = MemoryContextAllocZero(caller, sizeof(StoreReady) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		nodes[i].key.node_id = josch_spi_int64(i, 1, 0);
		nodes[i].key.job_date = josch_spi_date(i, 2, 0);
		nodes[i].node_type = josch_spi_text(i, 3)[0];
		nodes[i].has_command = josch_spi_bool(i, 4, false);
		nodes[i].has_sql = josch_spi_bool(i, 5, false);
		nodes[i].forced = josch_spi_bool(i, 6, false);
		nodes[i].due_at = josch_spi_timestamptz(i, 7, DT_NOBEGIN);
	}
	josch_spi_end(&spi);
	return nodes;
}

StoreOutlook
josch_store_run_outlook(TimestampTz now)
{
	JoschSpi	spi;
	Datum		args[1] = {TimestampTzGetDatum(now)};
	StoreOutlook result;

	josch_spi_begin(&spi);
	josch_spi_run(&outlook, SPI_OK_SELECT, args, NULL);
	result.next_due = josch_spi_timestamptz(0, 1, DT_NOEND);
	result.queued = josch_spi_int32(0, 2, 0);
	result.open = josch_spi_int32(0, 3, 0);
	result.stops = josch_spi_int32(0, 4, 0);
	result.timeouts = josch_spi_int32(0, 5, 0);
	result.due = josch_spi_int32(0, 6, 0);
	result.recounts = josch_spi_int32(0, 7, 0);
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

/* The rows of SPI_tuptable as keys, in the given context. */
static NodeKey *
read_keys(uint64 rows, MemoryContext context)
{
	NodeKey    *keys = MemoryContextAlloc(context, sizeof(NodeKey) * Max(rows, 1));

	for (uint64 i = 0; i < rows; i++)
	{
		keys[i].node_id = josch_spi_int64(i, 1, 0);
		keys[i].job_date = josch_spi_date(i, 2, 0);
	}
	return keys;
}

int
josch_store_run_lock_children(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	Datum		args[4];
	int			there;
	int			got;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	josch_spi_run(&count_children, SPI_OK_SELECT, args, NULL);
	there = josch_spi_int32(0, 1, 0);
	got = there > 0 ? (int) josch_spi_run(&lock_children, SPI_OK_SELECT, args, NULL) : 0;
	if (got < there)
	{
		josch_spi_key_arrays(read_keys(got, CurrentMemoryContext), got, args + 2);
		josch_spi_run(&defer, SPI_OK_INSERT, args, NULL);
	}
	josch_spi_end(&spi);
	return there - got;
}

NodeKey *
josch_store_run_list_recounts(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	NodeKey    *keys;

	josch_spi_begin(&spi);
	josch_spi_run(&drop_recounts, SPI_OK_DELETE, NULL, NULL);
	*n = (int) josch_spi_run(&list_recounts, SPI_OK_SELECT, NULL, NULL);
	keys = read_keys(*n, caller);
	josch_spi_end(&spi);
	return keys;
}

void
josch_store_run_forget_recounts(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	josch_spi_run(&forget_recounts, SPI_OK_DELETE, args, NULL);
	josch_spi_end(&spi);
}

int
josch_store_run_move(const NodeKey *keys, int n, const char *state)
{
	JoschSpi	spi;
	Datum		args[3];
	int			moved;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	args[2] = CStringGetTextDatum(state);
	moved = (int) josch_spi_run(&move, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
	return moved;
}

/* Runs load_launch for the array in args[0]; inside an SPI bracket. */
static StoreLaunch *
load(Datum run_ids, MemoryContext caller, int *n)
{
	StoreLaunch *launches;
	MemoryContext inner;

	*n = (int) josch_spi_run(&load_launch, SPI_OK_SELECT, &run_ids, NULL);
	inner = MemoryContextSwitchTo(caller);
	launches = palloc0(sizeof(StoreLaunch) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		StoreLaunch *launch = &launches[i];

		launch->run_id = josch_spi_int64(i, 1, 0);
		launch->key.node_id = josch_spi_int64(i, 2, 0);
		launch->key.job_date = josch_spi_date(i, 3, 0);
		launch->attempt = josch_spi_int32(i, 4, 0);
		launch->node_type = josch_spi_text(i, 5)[0];
		launch->sql = josch_spi_bool(i, 6, false);
		launch->atomic = josch_spi_bool(i, 7, true);
		launch->owner_name = josch_spi_text(i, 8);
		launch->owner = get_role_oid(launch->owner_name, true);
		launch->command = josch_spi_text(i, 9);
		launch->ready_command = josch_spi_text(i, 10);
		launch->work_dir = josch_spi_text(i, 11);
		launch->log = josch_spi_text(i, 12);
		launch->timeout_ms = josch_spi_int64(i, 13, 0);
		launch->grace_ms = josch_spi_int64(i, 14, 0);
		launch->ready_after_ms = josch_spi_int64(i, 15, 0);
	}
	MemoryContextSwitchTo(inner);
	return launches;
}

StoreLaunch *
josch_store_run_launch(const NodeKey *keys, int n, const StoreRunner *runner, int *launched)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[6];
	int64	   *ids;
	Datum		id_array;
	uint64		made;
	StoreLaunch *launches;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	args[2] = CStringGetTextDatum(runner->server);
	args[3] = CStringGetTextDatum(runner->runner);
	args[4] = CStringGetTextDatum(runner->host);
	args[5] = CStringGetTextDatum(runner->log_folder);
	made = josch_spi_run(&intend, SPI_OK_INSERT_RETURNING, args, NULL);
	ids = palloc(sizeof(int64) * Max(made, 1));
	for (uint64 i = 0; i < made; i++)
	{
		ids[i] = josch_spi_int64(i, 1, 0);
	}
	id_array = josch_spi_int64_array(ids, (int) made);
	josch_spi_run(&start_nodes, SPI_OK_UPDATE, &id_array, NULL);
	launches = load(id_array, caller, launched);
	josch_spi_end(&spi);
	return launches;
}

StoreLaunch *
josch_store_run_reload(const int64 *run_ids, int n, int *loaded)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	StoreLaunch *launches;

	josch_spi_begin(&spi);
	launches = load(josch_spi_int64_array(run_ids, n), caller, loaded);
	josch_spi_end(&spi);
	return launches;
}

void
josch_store_run_started(const StoreStarted *list, int n)
{
	JoschSpi	spi;
	Datum		args[3];
	int64	   *ids = palloc(sizeof(int64) * Max(n, 1));
	int32	   *pids = palloc(sizeof(int32) * Max(n, 1));
	TimestampTz *times = palloc(sizeof(TimestampTz) * Max(n, 1));

	for (int i = 0; i < n; i++)
	{
		ids[i] = list[i].run_id;
		pids[i] = list[i].pid;
		times[i] = list[i].started_at;
	}
	josch_spi_begin(&spi);
	args[0] = josch_spi_int64_array(ids, n);
	args[1] = josch_spi_int32_array(pids, n);
	args[2] = josch_spi_timestamptz_array(times, n);
	josch_spi_run(&started, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}

StoreOpenRun *
josch_store_run_lock_open(const int64 *run_ids, int n, bool *closed, int *found)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner;
	JoschSpi	spi;
	Datum		args[1];
	uint64		rows;
	StoreOpenRun *runs;
	int			distinct = 0;

	for (int i = 0; i < n; i++)
	{
		closed[i] = false;
		distinct += i == 0 || run_ids[i] != run_ids[i - 1];
	}
	josch_spi_begin(&spi);
	args[0] = josch_spi_int64_array(run_ids, n);
	rows = josch_spi_run(&lock_open, SPI_OK_SELECT, args, NULL);
	inner = MemoryContextSwitchTo(caller);
	runs = palloc0(sizeof(StoreOpenRun) * Max(rows, 1));
	for (uint64 i = 0; i < rows; i++)
	{
		runs[i].run_id = josch_spi_int64(i, 1, 0);
		runs[i].key.node_id = josch_spi_int64(i, 2, 0);
		runs[i].key.job_date = josch_spi_date(i, 3, 0);
		runs[i].node_type = josch_spi_text(i, 4)[0];
		runs[i].stopped_by = josch_spi_text(i, 5);
		runs[i].timed_out = josch_spi_bool(i, 6, false);
		runs[i].current = josch_spi_bool(i, 7, false);
	}
	MemoryContextSwitchTo(inner);
	*found = (int) rows;
	if (*found < distinct)
	{
		rows = josch_spi_run(&closed_runs, SPI_OK_SELECT, args, NULL);
		for (uint64 i = 0; i < rows; i++)
		{
			closed[josch_spi_int32(i, 1, 1) - 1] = true;
		}
	}
	josch_spi_end(&spi);
	return runs;
}

/* The columns of end_runs, in its order. */
#define END_COLUMNS 12

static const Oid end_types[END_COLUMNS] = {
	INT8OID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT4OID, INT4OID, INT4OID,
	TEXTOID, BOOLOID, FLOAT8OID, INT8OID, TEXTOID
};

static Datum
text_or_null(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return *isnull ? (Datum) 0 : CStringGetTextDatum(text);
}

static void
end_row(const StoreEnd *end, Datum *values, bool *nulls)
{
	memset(nulls, false, END_COLUMNS * sizeof(bool));
	values[0] = Int64GetDatum(end->run_id);
	values[1] = CStringGetTextDatum(end->status);
	values[2] = TimestampTzGetDatum(end->started_at);
	nulls[2] = end->started_at == 0;
	values[3] = TimestampTzGetDatum(end->ended_at);
	values[4] = Int32GetDatum(end->pid);
	nulls[4] = end->pid == 0;
	values[5] = Int32GetDatum(end->exit_code);
	nulls[5] = end->exit_code < 0;
	values[6] = Int32GetDatum(end->exit_signal);
	nulls[6] = end->exit_signal == 0;
	values[7] = text_or_null(end->message, &nulls[7]);
	values[8] = BoolGetDatum(end->timed_out);
	values[9] = Float8GetDatum(end->cpu_seconds);
	nulls[9] = end->cpu_seconds < 0;
	values[10] = Int64GetDatum(end->peak_memory);
	nulls[10] = end->peak_memory < 0;
	values[11] = text_or_null(end->output_tail, &nulls[11]);
}

void
josch_store_run_end(const StoreEnd *ends, int n)
{
	JoschSpi	spi;
	Datum		args[END_COLUMNS];
	Datum	   *columns[END_COLUMNS];
	bool	   *nulls[END_COLUMNS];
	int64	   *ids = palloc(sizeof(int64) * n);
	char	  **states = palloc(sizeof(char *) * n);
	char	  **messages = palloc(sizeof(char *) * n);
	int			moved = 0;

	for (int c = 0; c < END_COLUMNS; c++)
	{
		columns[c] = palloc(sizeof(Datum) * n);
		nulls[c] = palloc(sizeof(bool) * n);
	}
	for (int i = 0; i < n; i++)
	{
		Datum		row[END_COLUMNS];
		bool		row_nulls[END_COLUMNS];

		end_row(&ends[i], row, row_nulls);
		for (int c = 0; c < END_COLUMNS; c++)
		{
			columns[c][i] = row[c];
			nulls[c][i] = row_nulls[c];
		}
		if (ends[i].move_node)
		{
			ids[moved] = ends[i].run_id;
			states[moved] = unconstify(char *, ends[i].state);
			messages[moved++] = unconstify(char *, ends[i].message);
		}
	}
	josch_spi_begin(&spi);
	for (int c = 0; c < END_COLUMNS; c++)
	{
		args[c] = josch_spi_array(columns[c], nulls[c], n, end_types[c]);
	}
	josch_spi_run(&end_runs, SPI_OK_UPDATE, args, NULL);
	if (moved > 0)
	{
		args[0] = josch_spi_int64_array(ids, moved);
		args[1] = josch_spi_text_array(states, moved);
		args[2] = josch_spi_text_array(messages, moved);
		josch_spi_run(&end_nodes, SPI_OK_UPDATE, args, NULL);
	}
	josch_spi_end(&spi);
}

void
josch_store_run_up(const NodeKey *keys, const int64 *run_ids, const TimestampTz *up_at, int n)
{
	JoschSpi	spi;
	Datum		args[3];

	josch_spi_begin(&spi);
	args[0] = josch_spi_int64_array(run_ids, n);
	args[1] = josch_spi_timestamptz_array(up_at, n);
	josch_spi_run(&up_runs, SPI_OK_UPDATE, args, NULL);
	josch_spi_key_arrays(keys, n, args);
	args[2] = josch_spi_int64_array(run_ids, n);
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

/* Reads RUN_INFO_COLUMNS; inside an SPI bracket. */
static StoreRunInfo *
read_infos(uint64 rows, MemoryContext caller)
{
	MemoryContext inner = MemoryContextSwitchTo(caller);
	StoreRunInfo *infos = palloc0(sizeof(StoreRunInfo) * Max(rows, 1));

	for (uint64 i = 0; i < rows; i++)
	{
		infos[i].run_id = josch_spi_int64(i, 1, 0);
		infos[i].sql = josch_spi_bool(i, 2, false);
		infos[i].atomic = josch_spi_bool(i, 3, true);
		infos[i].begun = josch_spi_bool(i, 4, false);
		infos[i].requested_at = josch_spi_timestamptz(i, 5, 0);
		infos[i].server = josch_spi_text(i, 6);
		infos[i].runner = josch_spi_text(i, 7);
		infos[i].grace_ms = josch_spi_int64(i, 8, 0);
	}
	MemoryContextSwitchTo(inner);
	return infos;
}

static StoreRunInfo *
list(JoschPlan *plan, int expect, const Datum *args, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	StoreRunInfo *infos;
	uint64		rows;

	josch_spi_begin(&spi);
	rows = josch_spi_run(plan, expect, args, NULL);
	infos = read_infos(rows, caller);
	*n = (int) rows;
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

static JoschPlan run_log = JOSCH_PLAN(
	"SELECT log, output_tail, ended_at IS NULL FROM josch.runs WHERE run_id = $1",
	INT8OID);

bool
josch_store_run_log(int64 run_id, StoreRunLog *log)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner;
	JoschSpi	spi;
	Datum		args[1] = {Int64GetDatum(run_id)};
	bool		found;

	memset(log, 0, sizeof(StoreRunLog));
	josch_spi_begin(&spi);
	found = josch_spi_run(&run_log, SPI_OK_SELECT, args, NULL) > 0;
	if (found)
	{
		inner = MemoryContextSwitchTo(caller);
		log->log = josch_spi_text(0, 1);
		log->output_tail = josch_spi_text(0, 2);
		log->open = josch_spi_bool(0, 3, false);
		MemoryContextSwitchTo(inner);
	}
	josch_spi_end(&spi);
	return found;
}
