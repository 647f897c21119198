/*
 * src/node/store_claim.c
 *	  SQL on josch.claims: one row a node, the last claim on it.
 *
 * The row stays when its claim is over: it is in force while the node's change_id
 * is the one that it was made for and its time is not up.  The caller holds the
 * node's lock, so a statement sees all that is committed, in any transaction.
 */
#include "base/josch.h"

#include "node/store_claim.h"

#include "base/report.h"
#include "base/rows.h"
#include "base/spi_plan.h"

static JoschPlan take = JOSCH_PLAN(
	"INSERT INTO josch.claims AS c (job_date, node_id, job_name, change_id, claimed_by, claimed_at, claimed_until, comment)"
	" SELECT n.job_date, n.node_id, n.job_name, n.change_id, $3, $4, $5, $6"
	" FROM josch.nodes n WHERE n.node_id = $1 AND n.job_date = $2"
	" ON CONFLICT (job_date, node_id) DO UPDATE SET job_name = EXCLUDED.job_name, change_id = EXCLUDED.change_id,"
	" claimed_by = EXCLUDED.claimed_by, claimed_at = EXCLUDED.claimed_at, claimed_until = EXCLUDED.claimed_until,"
	" comment = EXCLUDED.comment"
	" WHERE c.claimed_by = EXCLUDED.claimed_by OR c.change_id <> EXCLUDED.change_id"
	" OR c.claimed_until <= EXCLUDED.claimed_at",
	INT8OID, DATEOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID);

static JoschPlan find = JOSCH_PLAN(
	"SELECT c.job_name, c.claimed_by, c.claimed_at, c.claimed_until, c.comment"
	" FROM josch.claims c JOIN josch.nodes n ON n.node_id = c.node_id AND n.job_date = c.job_date AND n.change_id = c.change_id"
	" WHERE c.node_id = $1 AND c.job_date = $2 AND c.claimed_until > $3",
	INT8OID, DATEOID, TIMESTAMPTZOID);

static const JoschRow claim_row = JOSCH_ROW(
	Claim,
	JOSCH_FIELD(Claim, job_name, TEXT),
	JOSCH_FIELD(Claim, claimed_by, TEXT),
	JOSCH_FIELD(Claim, claimed_at, TIMESTAMPTZ),
	JOSCH_FIELD(Claim, claimed_until, TIMESTAMPTZ),
	JOSCH_FIELD(Claim, comment, TEXT));

static JoschPlan end = JOSCH_PLAN(
	"UPDATE josch.claims SET claimed_until = $3 WHERE node_id = $1 AND job_date = $2",
	INT8OID, DATEOID, TIMESTAMPTZOID);

bool
josch_store_claim_find(NodeKey key, TimestampTz now, Claim *holder)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date), TimestampTzGetDatum(now)};
	JoschSpi	spi;
	bool		found;

	josch_spi_begin(&spi);
	found = josch_spi_run_latest(&find, args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&claim_row, holder, caller);
	}
	josch_spi_end(&spi);
	return found;
}

void
josch_store_claim_take(NodeKey key, const Claim *claim, Claim *holder)
{
	Datum		args[6] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	char		nulls[] = "      ";
	JoschSpi	spi;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 2, claim->claimed_by);
	args[3] = TimestampTzGetDatum(claim->claimed_at);
	args[4] = TimestampTzGetDatum(claim->claimed_until);
	josch_spi_set_text(args, nulls, 5, claim->comment);
	(void) josch_spi_change_latest(&take, SPI_OK_INSERT, args, nulls);
	josch_spi_end(&spi);
	if (!josch_store_claim_find(key, claim->claimed_at, holder))
	{
		/* a trigger of somebody's took it away */
		josch_report_no_node(key.node_id, key.job_date);
	}
}

void
josch_store_claim_end(NodeKey key, TimestampTz now)
{
	Datum		args[] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date), TimestampTzGetDatum(now)};
	JoschSpi	spi;

	josch_spi_begin(&spi);
	(void) josch_spi_change_latest(&end, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}
