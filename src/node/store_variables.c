/*
 * src/node/store_variables.c
 *	  SQL on josch.environs.
 *
 * Templates and days ask the same question of it, whoever writes them, so it is
 * read with the owner's rights and in the snapshot of whoever asks.
 */
#include "base/josch.h"

#include "node/store_variables.h"

#include "base/rows.h"
#include "base/spi_plan.h"

static JoschPlan select_names = JOSCH_PLAN0("SELECT var FROM josch.environs");

typedef struct Variable
{
	char	   *name;
} Variable;

static const JoschRow variable_row = JOSCH_ROW(Variable, JOSCH_FIELD(Variable, name, TEXT));

char **
josch_store_variables_names(Snapshot snapshot, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Variable   *variables;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run_at(&select_names, snapshot, SPI_OK_SELECT, NULL, NULL);
	variables = josch_rows_fetch(&variable_row, *n, caller);
	josch_spi_end(&spi);
	return &variables->name;	/* the names and nothing else */
}
