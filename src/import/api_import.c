/*
 * src/import/api_import.c
 *	  josch.import_crontab(), and josch.import_pg_cron() and its like.
 */
#include "base/josch.h"

#include "base/report.h"
#include "base/spi_plan.h"
#include "import/import.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_api_import_crontab);
PG_FUNCTION_INFO_V1(josch_api_import_pg_cron);
PG_FUNCTION_INFO_V1(josch_api_import_pg_timetable);
PG_FUNCTION_INFO_V1(josch_api_import_pgagent);

static char *
text_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	if (PG_ARGISNULL(number))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("argument \"%s\" must not be null", name)));
	}
	return text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static void
begin(Import *import, FunctionCallInfo fcinfo, int first, JoschSpi *spi)
{
	char	   *schema = text_argument(fcinfo, first, "schema");
	char	   *prefix = text_argument(fcinfo, first + 1, "prefix");

	josch_report_if_read_only(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	import->findings = josch_findings_create();
	josch_spi_begin_as_caller(spi);
	josch_import_begin(import, schema, prefix);
}

static Datum
finish(Import *import, FunctionCallInfo fcinfo, JoschSpi *spi)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ListCell   *cell;

	josch_spi_end(spi);
	foreach(cell, import->findings->list)
	{
		JoschFinding *finding = lfirst(cell);
		Datum		values[3];
		bool		nulls[3] = {false};

		values[0] = CStringGetTextDatum(josch_finding_severities[finding->severity]);
		values[1] = CStringGetTextDatum(finding->object);
		values[2] = CStringGetTextDatum(finding->message);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
josch_api_import_crontab(PG_FUNCTION_ARGS)
{
	Import		import = {0};
	JoschSpi	spi;
	char	   *crontab = text_argument(fcinfo, 0, "crontab");

	begin(&import, fcinfo, 1, &spi);
	josch_import_crontab(&import, crontab, !PG_ARGISNULL(3) && PG_GETARG_BOOL(3),
						 PG_ARGISNULL(4) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(4)));
	return finish(&import, fcinfo, &spi);
}

/* All that has tables of its own in this database. */
static Datum
import_tables(FunctionCallInfo fcinfo, void (*read) (Import *import))
{
	Import		import = {0};
	JoschSpi	spi;

	begin(&import, fcinfo, 0, &spi);
	read(&import);
	return finish(&import, fcinfo, &spi);
}

Datum
josch_api_import_pg_cron(PG_FUNCTION_ARGS)
{
	return import_tables(fcinfo, josch_import_pg_cron);
}

Datum
josch_api_import_pgagent(PG_FUNCTION_ARGS)
{
	return import_tables(fcinfo, josch_import_pgagent);
}

Datum
josch_api_import_pg_timetable(PG_FUNCTION_ARGS)
{
	return import_tables(fcinfo, josch_import_pg_timetable);
}
