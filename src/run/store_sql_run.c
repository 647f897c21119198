/*
 * src/run/store_sql_run.c
 *	  SQL of the workers that execute SQL nodes: one run each.
 *
 * Unlike the engine a worker may wait for a person's transaction: it has but one
 * run to think of.  How a run ends is written by store_run.c, for SQL and
 * commands alike.
 */
#include "base/josch.h"

#include "run/store_sql_run.h"

#include "utils/builtins.h"

#include "base/spi_plan.h"

static JoschPlan begin_run = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'running', started_at = $2, pid = $3, host = $4"
	" FROM josch.nodes n"
	" WHERE r.run_id = $1 AND r.ended_at IS NULL AND (r.status = 'starting' OR $5)"
	" AND n.node_id = r.node_id AND n.job_date = r.job_date AND n.run_id = r.run_id AND n.state = 'running'"
	" RETURNING r.node_id, r.job_date, r.attempt, n.owner::text, n.exec_sql, n.timeout IS NOT NULL",
	INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID, BOOLOID);

static JoschPlan lock_node = JOSCH_PLAN(
	"SELECT node_type, run_id, state FROM josch.nodes WHERE node_id = $1 AND job_date = $2 FOR NO KEY UPDATE",
	INT8OID, DATEOID);

static JoschPlan lock_run = JOSCH_PLAN(
	"SELECT stop_requested_by, timed_out FROM josch.runs WHERE run_id = $1 AND ended_at IS NULL FOR NO KEY UPDATE",
	INT8OID);

StoreSqlRun *
josch_store_sql_run_begin(int64 run_id, TimestampTz now, int32 pid, const char *host, bool again)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner;
	JoschSpi	spi;
	StoreSqlRun *run = NULL;
	Datum		args[5];

	josch_spi_begin(&spi);
	args[0] = Int64GetDatum(run_id);
	args[1] = TimestampTzGetDatum(now);
	args[2] = Int32GetDatum(pid);
	args[3] = CStringGetTextDatum(host);
	args[4] = BoolGetDatum(again);
	if (josch_spi_run(&begin_run, SPI_OK_UPDATE_RETURNING, args, NULL) > 0)
	{
		inner = MemoryContextSwitchTo(caller);
		run = palloc0(sizeof(StoreSqlRun));
		run->run_id = run_id;
		run->key.node_id = josch_spi_int64(0, 1, 0);
		run->key.job_date = josch_spi_date(0, 2, 0);
		run->attempt = josch_spi_int32(0, 3, 0);
		run->owner = josch_spi_text(0, 4);
		run->sql = josch_spi_text(0, 5);
		run->has_timeout = josch_spi_bool(0, 6, false);
		MemoryContextSwitchTo(inner);
	}
	josch_spi_end(&spi);
	return run;
}

bool
josch_store_sql_run_lock(int64 run_id, NodeKey key, StoreSqlOpen *open)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner;
	JoschSpi	spi;
	Datum		node_args[2] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	Datum		run_args[1] = {Int64GetDatum(run_id)};
	bool		found = false;

	memset(open, 0, sizeof(StoreSqlOpen));
	josch_spi_begin(&spi);
	if (josch_spi_run(&lock_node, SPI_OK_SELECT, node_args, NULL) > 0)
	{
		open->node_type = josch_spi_text(0, 1)[0];
		open->current = josch_spi_int64(0, 2, 0) == run_id && strcmp(josch_spi_text(0, 3), "running") == 0;
		found = josch_spi_run(&lock_run, SPI_OK_SELECT, run_args, NULL) > 0;
	}
	if (found)
	{
		inner = MemoryContextSwitchTo(caller);
		open->stopped_by = josch_spi_text(0, 1);
		open->timed_out = josch_spi_bool(0, 2, false);
		MemoryContextSwitchTo(inner);
	}
	josch_spi_end(&spi);
	return found;
}
