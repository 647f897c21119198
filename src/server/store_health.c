/*
 * src/server/store_health.c
 *	  SQL for those who look: how much is ready, and which days are open.
 *
 * It runs as the schema's owner: whoever may execute josch.health() may know,
 * whatever rights on tables there are.
 */
#include "base/josch.h"

#include "server/store_health.h"

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
