/*
 * src/run/api_report.c
 *	  josch.report(): what SQL says of itself.
 */
#include "base/josch.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "base/report.h"
#include "run/sql_worker.h"
#include "wire/report.h"

PG_FUNCTION_INFO_V1(josch_api_report);

static void
warn_of(const char *line, int length)
{
	ereport(WARNING,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("josch.report() does not understand \"%s\"", josch_report_cut(pnstrdup(line, length), JOSCH_REPORT_SAMPLE_MAX)),
			 errhint("Write progress 0.4 and what is being done, or result NAME=VALUE.")));
}

/* josch.report(lines) */
Datum
josch_api_report(PG_FUNCTION_ARGS)
{
	char	   *lines = text_to_cstring(PG_GETARG_TEXT_PP(0));

	while (*lines != '\0')
	{
		int			length = strcspn(lines, "\n");
		bool		understood = true;

		if (!josch_sql_worker_report(lines, length, &understood))
		{
			ereport(NOTICE, (errmsg("this is no run of a node: nothing is reported")));
			break;
		}
		if (!understood)
		{
			warn_of(lines, length);
		}
		lines += length + (lines[length] == '\n');
	}
	PG_RETURN_VOID();
}
