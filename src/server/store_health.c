/*
 * src/server/store_health.c
 *	  SQL for those who look: the extension's version, where a run's log is.
 *
 * Both run as the schema's owner: whoever may execute josch.health() or
 * josch.log() may know, whatever rights on tables there are.
 */
#include "base/josch.h"

#include "server/store_health.h"

#include "base/spi_plan.h"

static JoschPlan version = JOSCH_PLAN0(
	"SELECT extversion FROM pg_extension WHERE extname = 'josch'");

static JoschPlan run_log = JOSCH_PLAN(
	"SELECT log, output_tail, ended_at IS NULL FROM josch.runs WHERE run_id = $1",
	INT8OID);

char *
josch_store_health_version(void)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner;
	JoschSpi	spi;
	char	   *result = NULL;

	josch_spi_begin(&spi);
	if (josch_spi_run(&version, SPI_OK_SELECT, NULL, NULL) > 0)
	{
		inner = MemoryContextSwitchTo(caller);
		result = josch_spi_text(0, 1);
		MemoryContextSwitchTo(inner);
	}
	josch_spi_end(&spi);
	return result;
}

bool
josch_store_health_run_log(int64 run_id, StoreRunLog *log)
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
