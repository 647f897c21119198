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

#include "utils/builtins.h"

#include "base/rows.h"
#include "base/spi_plan.h"

static const JoschRow begun_row = JOSCH_ROW(
	StoreSqlRun,
	JOSCH_FIELD(StoreSqlRun, run_id, INT64),
	JOSCH_FIELD(StoreSqlRun, nonce, INT64),
	JOSCH_FIELD_KEY(StoreSqlRun, key),
	JOSCH_FIELD(StoreSqlRun, attempt, INT32),
	JOSCH_FIELD(StoreSqlRun, owner, INT32),
	JOSCH_FIELD(StoreSqlRun, sql, TEXT),
	JOSCH_FIELD(StoreSqlRun, has_timeout, BOOL),
	JOSCH_FIELD(StoreSqlRun, tries, INT32));

static JoschPlan begin_run = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'running', started_at = $2, pid = $3, host = $4, tries = coalesce(r.tries, 0) + 1"
	" FROM josch.nodes n"
	" WHERE r.run_id = $1 AND r.nonce = $6 AND r.ended_at IS NULL AND (r.status = 'starting' OR $5)"
	" AND n.node_id = r.node_id AND n.job_date = r.job_date AND n.run_id = r.run_id AND n.state = 'running'"
	" RETURNING r.run_id, r.nonce, r.node_id, r.job_date, r.attempt, josch.role_oid(r.owner)::integer, r.exec_sql, r.timeout IS NOT NULL, r.tries",
	INT8OID, TIMESTAMPTZOID, INT4OID, TEXTOID, BOOLOID, INT8OID);

static JoschPlan run_again = JOSCH_PLAN(
	"UPDATE josch.runs SET tries = tries + 1, message = $2 WHERE run_id = $1 AND nonce = $3 AND ended_at IS NULL AND stop_requested_at IS NULL",
	INT8OID, TEXTOID, INT8OID);

static JoschPlan tell_again = JOSCH_PLAN(
	"UPDATE josch.nodes n SET message = $4 WHERE (n.node_id, n.job_date) IN (SELECT l.node_id, l.job_date FROM josch.nodes l"
	"  WHERE l.node_id = $1 AND l.job_date = $2 AND l.run_id = $3 AND l.state = 'running' FOR NO KEY UPDATE SKIP LOCKED)",
	INT8OID, DATEOID, INT8OID, TEXTOID);

/*
 * Not a word about runs or nodes, which others may have changed since a snapshot
 * of the user's: a new row meets nobody.
 */
static JoschPlan end_run = JOSCH_PLAN(
	"INSERT INTO josch.sql_ends (run_id, nonce, succeeded, ended_at, cpu_seconds, message, output_tail) SELECT $1, $2, $3, $4, $5, $6, $7"
	" WHERE EXISTS (SELECT FROM josch.runs r WHERE r.run_id = $1 AND r.nonce = $2 AND r.ended_at IS NULL)",
	INT8OID, INT8OID, BOOLOID, TIMESTAMPTZOID, FLOAT8OID, TEXTOID, TEXTOID);

static JoschPlan settings = JOSCH_PLAN(
	"SELECT coalesce(string_agg(format('%s %s %s', s.setdatabase, s.setrole, s.setconfig), ' ' ORDER BY s.setdatabase, s.setrole), '')"
	" FROM pg_catalog.pg_db_role_setting s WHERE s.setdatabase IN (0, $1) AND s.setrole IN (0, $2)",
	OIDOID, OIDOID);

static const JoschRow end_row = JOSCH_ROW(
	StoreSqlEnd,
	JOSCH_FIELD(StoreSqlEnd, run_id, INT64),
	JOSCH_FIELD(StoreSqlEnd, nonce, INT64),
	JOSCH_FIELD(StoreSqlEnd, succeeded, BOOL),
	JOSCH_FIELD(StoreSqlEnd, ended_at, TIMESTAMPTZ),
	JOSCH_FIELD(StoreSqlEnd, cpu_seconds, FLOAT8),
	JOSCH_FIELD(StoreSqlEnd, message, TEXT),
	JOSCH_FIELD(StoreSqlEnd, output_tail, TEXT));

static JoschPlan read_ends = JOSCH_PLAN(
	"SELECT run_id, nonce, succeeded, ended_at, cpu_seconds, message, output_tail FROM josch.sql_ends WHERE run_id = ANY ($1)",
	INT8ARRAYOID);

static JoschPlan forget_ends = JOSCH_PLAN(
	"DELETE FROM josch.sql_ends WHERE run_id = ANY ($1)",
	INT8ARRAYOID);

static JoschPlan forget_closed = JOSCH_PLAN0(
	"DELETE FROM josch.sql_ends e WHERE NOT EXISTS ("
	"  SELECT FROM josch.runs r WHERE r.run_id = e.run_id AND r.nonce = e.nonce AND r.ended_at IS NULL)");

StoreSqlRun *
josch_store_sql_run_begin(JoschRunKey key, TimestampTz now, int32 pid, const char *host, bool again)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	StoreSqlRun *run = NULL;
	Datum		args[6];

	josch_spi_begin(&spi);
	args[0] = Int64GetDatum(key.run_id);
	args[1] = TimestampTzGetDatum(now);
	args[2] = Int32GetDatum(pid);
	args[3] = CStringGetTextDatum(host);
	args[4] = BoolGetDatum(again);
	args[5] = Int64GetDatum(key.nonce);
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

bool
josch_store_sql_run_end(const StoreSqlEnd *end)
{
	JoschSpi	spi;
	char		nulls[8] = "       ";
	Datum		args[7] = {Int64GetDatum(end->run_id), Int64GetDatum(end->nonce), BoolGetDatum(end->succeeded),
	TimestampTzGetDatum(end->ended_at), Float8GetDatum(end->cpu_seconds)};
	bool		open;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 5, end->message);
	josch_spi_set_text(args, nulls, 6, end->output_tail);
	open = josch_spi_change_latest(&end_run, SPI_OK_INSERT, args, nulls) > 0;
	josch_spi_end(&spi);
	return open;
}

char *
josch_store_sql_run_settings(Oid database, Oid user)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2] = {ObjectIdGetDatum(database), ObjectIdGetDatum(user)};
	char	   *text;

	josch_spi_begin(&spi);
	josch_spi_run(&settings, SPI_OK_SELECT, args, NULL);
	text = MemoryContextStrdup(caller, josch_spi_text(0, 1));
	josch_spi_end(&spi);
	return text;
}

StoreSqlEnd *
josch_store_sql_run_ends(const int64 *run_ids, int n, int *found)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	StoreSqlEnd *ends;
	Datum		args[1];

	josch_spi_begin(&spi);
	args[0] = josch_spi_int64_array(run_ids, n);
	*found = (int) josch_spi_run(&read_ends, SPI_OK_SELECT, args, NULL);
	ends = josch_rows_fetch(&end_row, *found, caller);
	josch_spi_end(&spi);
	return ends;
}

void
josch_store_sql_run_forget_ends(const int64 *run_ids, int n)
{
	JoschSpi	spi;
	Datum		args[1];

	josch_spi_begin(&spi);
	args[0] = josch_spi_int64_array(run_ids, n);
	josch_spi_run(&forget_ends, SPI_OK_DELETE, args, NULL);
	josch_spi_end(&spi);
}

void
josch_store_sql_run_forget_closed(void)
{
	JoschSpi	spi;

	josch_spi_begin(&spi);
	josch_spi_run(&forget_closed, SPI_OK_DELETE, NULL, NULL);
	josch_spi_end(&spi);
}
