/*
 * src/base/store_version.c
 *	  SQL for the version of the extension's objects.
 *
 * From the server's own catalog: tables of another version may have other columns.
 */
#include "base/josch.h"

#include "base/version.h"

#include "base/spi_plan.h"

static JoschPlan version = JOSCH_PLAN0(
	"SELECT extversion FROM pg_extension WHERE extname = 'josch'");

char *
josch_store_version(void)
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
