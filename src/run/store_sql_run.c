/*
 * src/run/store_sql_run.c
 *	  SQL of the workers that execute SQL nodes: one run each; and what the
 *	  scheduler hears of them.
 *
 * Unlike the engine a worker may wait for a person's transaction while it begins:
 * it has but one run to think of.  Its end waits for nobody: it is written into a
 * table of its own, and store_run.c brings it from there to runs and nodes.
 */
#include "base/josch.h"

#include "run/store_sql_run.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_db_role_setting.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/finder.h"
#include "base/role.h"
#include "base/spi_plan.h"
#include "base/update.h"
#include "base/writer.h"
#include "node/node_table.h"
#include "run/run_table.h"

static JoschPlan run_again = JOSCH_PLAN(
	"UPDATE josch.runs SET tries = tries + 1, message = $2 WHERE run_id = $1 AND nonce = $3 AND ended_at IS NULL AND stop_requested_at IS NULL",
	INT8OID, TEXTOID, INT8OID);

static JoschPlan tell_again = JOSCH_PLAN(
	"UPDATE josch.nodes n SET message = $4 WHERE (n.node_id, n.job_date) IN (SELECT l.node_id, l.job_date FROM josch.nodes l"
	"  WHERE l.node_id = $1 AND l.job_date = $2 AND l.run_id = $3 AND l.state = 'running' FOR NO KEY UPDATE SKIP LOCKED)",
	INT8OID, DATEOID, INT8OID, TEXTOID);

static JoschPlan forget_closed = JOSCH_PLAN0(
	"DELETE FROM josch.sql_ends e WHERE NOT EXISTS ("
	"  SELECT FROM josch.runs r WHERE r.run_id = e.run_id AND r.nonce = e.nonce AND r.ended_at IS NULL)");

/* ---- for the worker ---- */

/* Whether the node still waits for this run: it may have been moved on. */
static bool
is_of_its_node(JoschFinder *runs)
{
	JoschFinder nodes;
	bool		isnull;
	Datum		run_id = josch_finder_get(runs, RUNS_RUN_ID, &isnull);
	Datum		key[JOSCH_NODE_KEYS] = {josch_finder_get(runs, RUNS_JOB_DATE, &isnull), josch_finder_get(runs, RUNS_NODE_ID, &isnull)};
	bool		is_its = false;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	if (josch_finder_find(&nodes, key))
	{
		is_its = josch_node_state(josch_finder_get(&nodes, NODES_STATE, &isnull)) == NODE_STATE_RUNNING &&
			DatumGetInt64(josch_finder_get(&nodes, NODES_RUN_ID, &isnull)) == DatumGetInt64(run_id);
	}
	josch_finder_close(&nodes);
	return is_its;
}

/* The run at hand is this one, and open. */
static bool
is_open(JoschFinder *runs, int64 nonce)
{
	bool		isnull;

	(void) josch_finder_get(runs, RUNS_ENDED_AT, &isnull);
	return isnull && DatumGetInt64(josch_finder_get(runs, RUNS_NONCE, &isnull)) == nonce;
}

/* Locks the run, waiting for whoever holds it; false when it is not to be started. */
static bool
lock_to_begin(JoschRunKey key, bool again)
{
	JoschFinder runs;
	Datum		id = Int64GetDatum(key.run_id);
	bool		isnull;
	bool		may_begin;

	josch_finder_open(&runs, &josch_runs, 1, RowExclusiveLock);
	may_begin = josch_finder_find(&runs, &id) && josch_finder_wait(&runs) && is_open(&runs, key.nonce) &&
		(again || strcmp(TextDatumGetCString(josch_finder_get(&runs, RUNS_STATUS, &isnull)), "starting") == 0) &&
		is_of_its_node(&runs);
	josch_finder_close(&runs);
	return may_begin;
}

/* As it is now, whatever a trigger made of it. */
static StoreSqlRun *
read_run(int64 run_id)
{
	StoreSqlRun *run = palloc0(sizeof(StoreSqlRun));
	JoschFinder runs;
	Datum		id = Int64GetDatum(run_id);
	bool		isnull;

	josch_finder_open(&runs, &josch_runs, 1, AccessShareLock);
	if (josch_finder_find(&runs, &id))
	{
		run->run_id = run_id;
		run->nonce = DatumGetInt64(josch_finder_get(&runs, RUNS_NONCE, &isnull));
		run->key.node_id = DatumGetInt64(josch_finder_get(&runs, RUNS_NODE_ID, &isnull));
		run->key.job_date = DatumGetDateADT(josch_finder_get(&runs, RUNS_JOB_DATE, &isnull));
		run->attempt = DatumGetInt32(josch_finder_get(&runs, RUNS_ATTEMPT, &isnull));
		run->owner = josch_role_oid((JoschRole *) DatumGetPointer(josch_finder_get(&runs, RUNS_OWNER, &isnull)));
		run->sql = josch_finder_get_text(&runs, RUNS_EXEC_SQL);
		(void) josch_finder_get(&runs, RUNS_TIMEOUT, &isnull);
		run->has_timeout = !isnull;
		run->tries = DatumGetInt32(josch_finder_get(&runs, RUNS_TRIES, &isnull));
	}
	josch_finder_close(&runs);
	return run;
}

StoreSqlRun *
josch_store_sql_run_begin(JoschRunKey key, TimestampTz now, int32 pid, const char *host, bool again)
{
	static const int changed[] = {RUNS_STATUS, RUNS_STARTED_AT, RUNS_PID, RUNS_HOST, RUNS_TRIES};
	Datum		id = Int64GetDatum(key.run_id);
	Datum		tries;
	JoschUpdate *runs;
	bool		isnull;
	bool		begun = false;

	if (!lock_to_begin(key, again))
	{
		return NULL;
	}
	runs = josch_update_begin(&josch_runs, 1, lengthof(changed), changed);
	if (josch_update_find(runs, &id) == JOSCH_FOUND)
	{
		tries = josch_update_get(runs, RUNS_TRIES, &isnull);
		josch_update_set_text(runs, RUNS_STATUS, "running");
		josch_update_set(runs, RUNS_STARTED_AT, TimestampTzGetDatum(now));
		josch_update_set(runs, RUNS_PID, Int32GetDatum(pid));
		josch_update_set_text(runs, RUNS_HOST, host);
		josch_update_set(runs, RUNS_TRIES, Int32GetDatum(isnull ? 1 : DatumGetInt32(tries) + 1));
		begun = josch_update_write(runs);
	}
	josch_update_end(runs);
	return begun ? read_run(key.run_id) : NULL;
}

bool
josch_store_sql_run_again(const StoreSqlRun *run, const char *message)
{
	JoschSpi	spi;
	Datum		text = CStringGetTextDatum(message);
	Datum		run_args[3] = {Int64GetDatum(run->run_id), text, Int64GetDatum(run->nonce)};
	Datum		node_args[4] = {Int64GetDatum(run->key.node_id), DateADTGetDatum(run->key.job_date),
	Int64GetDatum(run->run_id), text};
	bool		open;

	josch_spi_begin(&spi);
	open = josch_spi_run(&run_again, SPI_OK_UPDATE, run_args, NULL) > 0;
	if (open)
	{
		josch_spi_run(&tell_again, SPI_OK_UPDATE, node_args, NULL);
	}
	josch_spi_end(&spi);
	return open;
}

/* Appends what is set for that role in that database; either may be 0, for all. */
static void
add_settings(StringInfo text, Relation settings, Oid database, Oid user)
{
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&keys[0], Anum_pg_db_role_setting_setdatabase, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(database));
	ScanKeyInit(&keys[1], Anum_pg_db_role_setting_setrole, BTEqualStrategyNumber, F_OIDEQ, ObjectIdGetDatum(user));
	scan = systable_beginscan(settings, DbRoleSettingDatidRolidIndexId, true, NULL, lengthof(keys), keys);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		list = heap_getattr(tuple, Anum_pg_db_role_setting_setconfig, RelationGetDescr(settings), &isnull);

		if (!isnull)
		{
			appendStringInfo(text, "%u %u %s ", database, user, OidOutputFunctionCall(F_ARRAY_OUT, list));
		}
	}
	systable_endscan(scan);
}

char *
josch_store_sql_run_settings(Oid database, Oid user)
{
	Relation	settings = table_open(DbRoleSettingRelationId, AccessShareLock);
	StringInfoData text;

	initStringInfo(&text);
	add_settings(&text, settings, InvalidOid, InvalidOid);
	add_settings(&text, settings, InvalidOid, user);
	add_settings(&text, settings, database, InvalidOid);
	add_settings(&text, settings, database, user);
	table_close(settings, AccessShareLock);
	return text.data;
}

/* ---- josch.sql_ends ---- */

enum
{
	END_RUN_ID, END_NONCE, END_SUCCEEDED, END_ENDED_AT, END_CPU_SECONDS, END_MESSAGE, END_OUTPUT_TAIL,
	END_SQLSTATE, END_REPORT, END_COLUMNS
};

static const JoschColumn end_columns[END_COLUMNS] = {
	[END_RUN_ID] = {"run_id", INT8OID}, [END_NONCE] = {"nonce", INT8OID}, [END_SUCCEEDED] = {"succeeded", BOOLOID},
	[END_ENDED_AT] = {"ended_at", TIMESTAMPTZOID}, [END_CPU_SECONDS] = {"cpu_seconds", FLOAT8OID},
	[END_MESSAGE] = {"message", TEXTOID}, [END_OUTPUT_TAIL] = {"output_tail", TEXTOID},
	[END_SQLSTATE] = {"sqlstate", TEXTOID}, [END_REPORT] = {"report", TEXTOID}
};
static AttrNumber end_numbers[END_COLUMNS];
static JoschTable ends_table = JOSCH_TABLE("sql_ends", end_columns, end_numbers);

#define END_KEYS 2

static void
set_text(Datum *values, bool *nulls, int column, const char *text)
{
	nulls[column] = text == NULL;
	values[column] = text == NULL ? (Datum) 0 : CStringGetTextDatum(text);
}

/* JoschNextRow, of one row */
static bool
next_end(void *arg, Datum *values, bool *nulls)
{
	const StoreSqlEnd **next = arg;
	const StoreSqlEnd *end = *next;

	if (end == NULL)
	{
		return false;
	}
	values[END_RUN_ID] = Int64GetDatum(end->run_id);
	values[END_NONCE] = Int64GetDatum(end->nonce);
	values[END_SUCCEEDED] = BoolGetDatum(end->succeeded);
	values[END_ENDED_AT] = TimestampTzGetDatum(end->ended_at);
	values[END_CPU_SECONDS] = Float8GetDatum(end->cpu_seconds);
	set_text(values, nulls, END_MESSAGE, end->message);
	set_text(values, nulls, END_OUTPUT_TAIL, end->output_tail);
	set_text(values, nulls, END_SQLSTATE, end->sqlstate != 0 ? unpack_sql_state(end->sqlstate) : NULL);
	set_text(values, nulls, END_REPORT, end->report);
	*next = NULL;
	return true;
}

/*
 * Not a word about runs or nodes, which others may have changed since a snapshot
 * of the user's: a new row meets nobody.
 */
bool
josch_store_sql_run_end(const StoreSqlEnd *end)
{
	const StoreSqlEnd *next = end;
	JoschFinder runs;
	Datum		id = Int64GetDatum(end->run_id);
	bool		open;

	josch_finder_open(&runs, &josch_runs, 1, AccessShareLock);
	open = josch_finder_find(&runs, &id) && is_open(&runs, end->nonce);
	josch_finder_close(&runs);
	return open && josch_writer_insert(&ends_table, NULL, next_end, &next) > 0;
}

static StoreSqlEnd
read_end(JoschFinder *ends)
{
	bool		isnull;
	const char *code = josch_finder_get_text(ends, END_SQLSTATE);
	StoreSqlEnd end = {
		.run_id = DatumGetInt64(josch_finder_get(ends, END_RUN_ID, &isnull)),
		.nonce = DatumGetInt64(josch_finder_get(ends, END_NONCE, &isnull)),
		.succeeded = DatumGetBool(josch_finder_get(ends, END_SUCCEEDED, &isnull)),
		.ended_at = DatumGetTimestampTz(josch_finder_get(ends, END_ENDED_AT, &isnull)),
		.cpu_seconds = DatumGetFloat8(josch_finder_get(ends, END_CPU_SECONDS, &isnull)),
		.message = josch_finder_get_text(ends, END_MESSAGE),
		.output_tail = josch_finder_get_text(ends, END_OUTPUT_TAIL),
		.report = josch_finder_get_text(ends, END_REPORT),
		.sqlstate = code != NULL ? MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]) : 0
	};

	return end;
}

StoreSqlEnd *
josch_store_sql_run_ends(const JoschRunKey *runs, int n, int *found)
{
	StoreSqlEnd *result = palloc(sizeof(StoreSqlEnd) * Max(n, 1));
	JoschFinder ends;

	*found = 0;
	josch_finder_open(&ends, &ends_table, END_KEYS, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key[END_KEYS] = {Int64GetDatum(runs[i].run_id), Int64GetDatum(runs[i].nonce)};

		if (josch_finder_find(&ends, key))
		{
			result[(*found)++] = read_end(&ends);
		}
	}
	josch_finder_close(&ends);
	return result;
}

void
josch_store_sql_run_forget_ends(const int64 *run_ids, int n)
{
	JoschFinder ends;

	josch_finder_open(&ends, &ends_table, 1, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		Datum		id = Int64GetDatum(run_ids[i]);

		for (bool more = josch_finder_find(&ends, &id); more; more = josch_finder_next(&ends))
		{
			josch_finder_delete(&ends);
		}
	}
	josch_finder_close(&ends);
}

void
josch_store_sql_run_forget_closed(void)
{
	JoschSpi	spi;

	josch_spi_begin(&spi);
	josch_spi_run(&forget_closed, SPI_OK_DELETE, NULL, NULL);
	josch_spi_end(&spi);
}
