/*
 * src/server/store_health.c
 *	  SQL for those who look: how much is ready, and which days are open.
 *
 * It runs as the schema's owner: whoever may execute josch.health() may know,
 * whatever rights on tables there are.
 */
#include "base/josch.h"

#include "server/store_health.h"

#include "base/rows.h"
#include "base/spi_plan.h"

static JoschPlan queued = JOSCH_PLAN0(
	"SELECT count(*) FROM josch.waiting WHERE waits_for IN ('f', 'c', 's', 't', 'l', 'x')");

int64
josch_store_health_queued(void)
{
	JoschSpi	spi;
	int64		n;

	josch_spi_begin(&spi);
	josch_spi_run(&queued, SPI_OK_SELECT, NULL, NULL);
	n = josch_spi_int64(0, 1, 0);
	josch_spi_end(&spi);
	return n;
}

static JoschPlan open_days = JOSCH_PLAN0(
	"SELECT count(*) FILTER (WHERE outcome = 'asked'), count(*) FILTER (WHERE outcome = 'failed')"
	"  FROM josch.job_days WHERE outcome IN ('asked', 'failed')");

StoreDayHealth
josch_store_health_days(void)
{
	JoschSpi	spi;
	StoreDayHealth days;

	josch_spi_begin(&spi);
	josch_spi_run(&open_days, SPI_OK_SELECT, NULL, NULL);
	days.asked = josch_spi_int64(0, 1, 0);
	days.failed = josch_spi_int64(0, 2, 0);
	josch_spi_end(&spi);
	return days;
}

static const JoschRow executor_row = JOSCH_ROW(
	StoreExecutorHealth,
	JOSCH_FIELD(StoreExecutorHealth, name, TEXT),
	JOSCH_FIELD(StoreExecutorHealth, runs, INT64),
	JOSCH_FIELD(StoreExecutorHealth, words, TEXT));

static JoschPlan unreachable = JOSCH_PLAN0(
	"SELECT r.executor, count(*), (array_agg(p.unreachable ORDER BY p.reported_at DESC))[1]"
	"  FROM josch.runs r JOIN josch.run_reports p ON p.run_id = r.run_id"
	" WHERE r.ended_at IS NULL AND p.unreachable IS NOT NULL AND r.executor IS NOT NULL GROUP BY r.executor ORDER BY r.executor");

StoreExecutorHealth *
josch_store_health_unreachable(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	StoreExecutorHealth *executors;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run(&unreachable, SPI_OK_SELECT, NULL, NULL);
	executors = josch_rows_fetch(&executor_row, *n, caller);
	josch_spi_end(&spi);
	return executors;
}
