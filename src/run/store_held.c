/*
 * src/run/store_held.c
 *	  SQL of what is held back when the data was taken back to an earlier moment.
 *
 * What the lost time has started nobody knows here.  So all that would start by
 * itself is held back in one statement, and a person lets it go.
 */
#include "base/josch.h"

#include "run/store_held.h"

#include "utils/builtins.h"

#include "base/mode.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "node/store_node.h"

#define TO_BE_HELD "n.state IN ('pending', 'ready') OR (n.state = 'held' AND n.message = $1)"

static JoschPlan count_all = JOSCH_PLAN(
	"SELECT count(*)::int FROM josch.nodes n WHERE " TO_BE_HELD, TEXTOID);

static JoschPlan lock_all = JOSCH_PLAN(
	"SELECT FROM josch.nodes n WHERE " TO_BE_HELD " FOR NO KEY UPDATE SKIP LOCKED", TEXTOID);

static JoschPlan hold = JOSCH_PLAN(
	"UPDATE josch.nodes n SET state = 'held', message = $2 WHERE " TO_BE_HELD, TEXTOID, TEXTOID);

static JoschPlan use_up = JOSCH_PLAN0(
	"UPDATE josch.nodes n SET retried = n.retries WHERE n.state IN ('running', 'up') AND n.retried < n.retries");

#define HELD_FOR \
	" FROM josch.nodes n JOIN josch.waiting w ON w.node_id = n.node_id AND w.job_date = n.job_date" \
	" WHERE w.waits_for = 'h' AND n.state = 'held' AND n.message = $1"

static JoschPlan held = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date" HELD_FOR, TEXTOID);

static JoschPlan count_held = JOSCH_PLAN(
	"SELECT count(*)::int" HELD_FOR, TEXTOID);

static JoschPlan raise_last_run = JOSCH_PLAN(
	"SELECT setval('josch.run_id_seq', $1)", INT8OID);

int
josch_store_held_hold(const char *reason, const char *former)
{
	JoschSpi	spi;
	JoschMode	mode;
	char		nulls[] = "  ";
	Datum		args[2];
	int			all;
	int			n = -1;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, former);
	josch_spi_set_text(args, nulls, 1, reason);
	josch_spi_run(&count_all, SPI_OK_SELECT, args, nulls);
	all = josch_spi_int32(0, 1, 0);
	if (josch_spi_run(&lock_all, SPI_OK_SELECT, args, nulls) >= all)
	{
		mode = josch_mode_enter_engine();
		n = (int) josch_spi_run(&hold, SPI_OK_UPDATE, args, nulls);
		josch_spi_run(&use_up, SPI_OK_UPDATE, NULL, NULL);
		josch_mode = mode;
	}
	josch_spi_end(&spi);
	return n;
}

int
josch_store_held_count(const char *reason)
{
	JoschSpi	spi;
	Datum		args[1] = {CStringGetTextDatum(reason)};
	int			n;

	josch_spi_begin(&spi);
	josch_spi_run(&count_held, SPI_OK_SELECT, args, NULL);
	n = josch_spi_int32(0, 1, 0);
	josch_spi_end(&spi);
	return n;
}

/* Those that somebody has released meanwhile are not released once more. */
static NodeKey *
lock_held(const char *reason, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[1] = {CStringGetTextDatum(reason)};
	NodeKey    *keys;

	for (int pass = 0; pass < 2; pass++)
	{
		josch_spi_begin(&spi);
		*n = (int) josch_spi_run_latest(&held, args, NULL);
		keys = josch_rows_fetch(&josch_rows_key, *n, caller);
		josch_spi_end(&spi);
		if (pass == 0)
		{
			josch_store_node_lock_all(keys, *n);
		}
	}
	return keys;
}

int
josch_store_held_release(const char *reason, const char *comment)
{
	int			n;
	NodeKey    *keys = lock_held(reason, &n);
	JoschMode	mode = josch_mode_enter_act("release");

	josch_store_node_act(keys, n, NODE_STATE_PENDING, comment);
	josch_mode = mode;
	return n;
}

void
josch_store_held_raise_last_run(int64 run_id)
{
	JoschSpi	spi;
	Datum		args[1] = {Int64GetDatum(run_id)};

	josch_spi_begin(&spi);
	josch_spi_run(&raise_last_run, SPI_OK_SELECT, args, NULL);
	josch_spi_end(&spi);
}
