/*
 * src/run/store_run_owner.c
 *	  SQL of whose a run is: another installation's, this one's, nobody's.
 *
 * Part of store_run.h, with its rules.
 */
#include "base/josch.h"

#include "run/store_run.h"

#include "base/mode.h"
#include "base/spi_plan.h"

static JoschPlan list_foreign = JOSCH_PLAN(
	"SELECT r.run_id FROM josch.runs r WHERE r.ended_at IS NULL AND r.token IS DISTINCT FROM $1 AND NOT " SQL_ATTACHABLE("r") " ORDER BY r.run_id LIMIT $2",
	INT8OID, INT8OID);

static JoschPlan adopt_sql = JOSCH_PLAN(
	"UPDATE josch.runs SET token = $2 WHERE ended_at IS NULL AND kind = 'sql' AND token = $1", INT8OID, INT8OID);

static JoschPlan adopt_attachable = JOSCH_PLAN(
	"UPDATE josch.runs SET token = $1, ledger = NULL WHERE run_id IN (SELECT r.run_id FROM josch.runs r"
	"  WHERE r.ended_at IS NULL AND r.token IS DISTINCT FROM $1 AND " SQL_ATTACHABLE("r") " FOR NO KEY UPDATE SKIP LOCKED)",
	INT8OID);

static JoschPlan distrust = JOSCH_PLAN(
	"UPDATE josch.runs SET ledger = NULL WHERE status = 'starting' AND ended_at IS NULL AND kind = 'command' AND token = $1",
	INT8OID);

int64 *
josch_store_run_list_foreign(int64 token, int limit, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2] = {Int64GetDatum(token), Int64GetDatum(limit)};
	int64	   *ids;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(&list_foreign, SPI_OK_SELECT, args, NULL);
	ids = MemoryContextAlloc(caller, sizeof(int64) * Max(*n, 1));
	for (int i = 0; i < *n; i++)
	{
		ids[i] = josch_spi_int64(i, 1, 0);
	}
	josch_spi_end(&spi);
	return ids;
}

int
josch_store_run_adopt_attachable(int64 token)
{
	JoschSpi	spi;
	JoschMode	mode = josch_mode_enter_engine();
	Datum		args[1] = {Int64GetDatum(token)};
	int			n;

	josch_spi_begin(&spi);
	n = (int) josch_spi_run(&adopt_attachable, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
	josch_mode = mode;
	return n;
}

void
josch_store_run_adopt_sql(int64 former, int64 token)
{
	JoschSpi	spi;
	JoschMode	mode = josch_mode_enter_engine();
	Datum		args[2] = {Int64GetDatum(former), Int64GetDatum(token)};

	josch_spi_begin(&spi);
	josch_spi_run(&adopt_sql, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
	josch_mode = mode;
}

void
josch_store_run_distrust(int64 token)
{
	JoschSpi	spi;
	JoschMode	mode = josch_mode_enter_engine();
	Datum		args[1] = {Int64GetDatum(token)};

	josch_spi_begin(&spi);
	josch_spi_run(&distrust, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
	josch_mode = mode;
}

static JoschPlan is_open = JOSCH_PLAN(
	"SELECT EXISTS (SELECT FROM josch.runs WHERE run_id = $1 AND nonce = $2 AND ended_at IS NULL)"
	" OR EXISTS (SELECT FROM josch.alarm_deliveries WHERE run_id = $1 AND nonce = $2 AND state = 'running')",
	INT8OID, INT8OID);

bool
josch_store_run_is_open(int64 run_id, int64 nonce)
{
	Datum		args[2] = {Int64GetDatum(run_id), Int64GetDatum(nonce)};
	JoschSpi	spi;
	bool		result;

	/* it may have been started after the transaction's snapshot */
	josch_spi_begin(&spi);
	josch_spi_run_latest(&is_open, args, NULL);
	result = josch_spi_bool(0, 1, false);
	josch_spi_end(&spi);
	return result;
}
