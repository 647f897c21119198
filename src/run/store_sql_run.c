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

#include "base/rows.h"
#include "base/spi_plan.h"

static const JoschRow begun_row = JOSCH_ROW(
	StoreSqlRun,
	JOSCH_FIELD(StoreSqlRun, run_id, INT64),
	JOSCH_FIELD_KEY(StoreSqlRun, key),
	JOSCH_FIELD(StoreSqlRun, attempt, INT32),
	JOSCH_FIELD(StoreSqlRun, owner, INT32),
	JOSCH_FIELD(StoreSqlRun, sql, TEXT),
	JOSCH_FIELD(StoreSqlRun, has_timeout, BOOL));

static JoschPlan begin_run = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'running', started_at = $2, pid = $3, host = $4, tries = coalesce(r.tries, 0) + 1"
	" FROM josch.nodes n"
	" WHERE r.run_id = $1 AND r.ended_at IS NULL AND (r.status = 'starting' OR $5)"
	" AND n.node_id = r.node_id AND n.job_date = r.job_date AND n.run_id = r.run_id AND n.state = 'running'"
	" RETURNING r.run_id, r.node_id, r.job_date, r.attempt, josch.role_oid(r.owner)::integer, r.exec_sql, r.timeout IS NOT NULL",
	INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID, BOOLOID);

static JoschPlan run_again = JOSCH_PLAN(
	"UPDATE josch.runs SET tries = tries + 1, message = $2 WHERE run_id = $1 AND ended_at IS NULL AND stop_requested_at IS NULL",
	INT8OID, TEXTOID);

static JoschPlan tell_again = JOSCH_PLAN(
	"UPDATE josch.nodes n SET message = $4 WHERE (n.node_id, n.job_date) IN (SELECT l.node_id, l.job_date FROM josch.nodes l"
	"  WHERE l.node_id = $1 AND l.job_date = $2 AND l.run_id = $3 AND l.state = 'running' FOR NO KEY UPDATE SKIP LOCKED)",
	INT8OID, DATEOID, INT8OID, TEXTOID);

static JoschPlan lock_node = JOSCH_PLAN(
	"SELECT 1 FROM josch.nodes WHERE node_id = $1 AND job_date = $2 FOR NO KEY UPDATE",
	INT8OID, DATEOID);

static const JoschRow open_row = JOSCH_ROW(
	StoreOpenRun,
	JOSCH_FIELD(StoreOpenRun, run_id, INT64),
	JOSCH_FIELD_KEY(StoreOpenRun, key),
	JOSCH_FIELD(StoreOpenRun, node_type, LETTER),
	JOSCH_FIELD(StoreOpenRun, stopped_by, TEXT),
	JOSCH_FIELD(StoreOpenRun, timed_out, BOOL),
	JOSCH_FIELD(StoreOpenRun, current, BOOL));

/* a node that is gone keeps its run from nothing but moving it */
static JoschPlan lock_run = JOSCH_PLAN(
	"SELECT r.run_id, r.node_id, r.job_date, r.node_type, r.stop_requested_by, r.timed_out,"
	" n.run_id = r.run_id AND n.state = 'running'"
	" FROM josch.runs r LEFT JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"
	" WHERE r.run_id = $1 AND r.ended_at IS NULL FOR NO KEY UPDATE OF r",
	INT8OID);

StoreSqlRun *
josch_store_sql_run_begin(int64 run_id, TimestampTz now, int32 pid, const char *host, bool again)
{
	MemoryContext caller = CurrentMemoryContext;
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
		run = josch_rows_fetch(&begun_row, 1, caller);
	}
	josch_spi_end(&spi);
	return run;
}

bool
josch_store_sql_run_again(const StoreSqlRun *run, const char *message)
{
	JoschSpi	spi;
	Datum		text = CStringGetTextDatum(message);
	Datum		run_args[2] = {Int64GetDatum(run->run_id), text};
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

bool
josch_store_sql_run_lock(int64 run_id, NodeKey key, StoreOpenRun *open)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		node_args[2] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	Datum		run_args[1] = {Int64GetDatum(run_id)};
	bool		found;

	josch_spi_begin(&spi);
	josch_spi_run(&lock_node, SPI_OK_SELECT, node_args, NULL);
	found = josch_spi_run(&lock_run, SPI_OK_SELECT, run_args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&open_row, open, caller);
	}
	josch_spi_end(&spi);
	return found;
}
