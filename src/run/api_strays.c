/*
 * src/run/api_strays.c
 *	  josch.strays(): what the runner still has for nobody; josch.end_stray(): ends one.
 */
#include "base/josch.h"

#include "access/xact.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/report.h"
#include "base/store_installation.h"
#include "run/strays.h"

PG_FUNCTION_INFO_V1(josch_api_strays);
PG_FUNCTION_INFO_V1(josch_api_end_stray);

/* How long the runner may take. */
#define RUNNER_LIMIT_MS 10000

static void
refuse_silence(const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_IO_ERROR),
			 errmsg("the runner could not be asked: %s", reason),
			 errhint("josch.health() says whether there is one.")));
}

static List *
ask(void)
{
	char	   *reason = NULL;
	List	   *strays = josch_strays_ask(RUNNER_LIMIT_MS, &reason);

	if (reason != NULL)
	{
		refuse_silence(reason);
	}
	return strays;
}

/* josch.strays(OUT run_id, OUT nonce, OUT database, OUT pid, OUT started_at, OUT log) */
Datum
josch_api_strays(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	List	   *strays = ask();
	ListCell   *cell;

	InitMaterializedSRF(fcinfo, 0);
	foreach(cell, strays)
	{
		const Stray *stray = lfirst(cell);
		Datum		values[6] = {
			Int64GetDatum(stray->key.run_id), Int64GetDatum(stray->key.nonce), CStringGetTextDatum(stray->database_name),
			Int32GetDatum(stray->pid), TimestampTzGetDatum(stray->started_at), CStringGetTextDatum(stray->log)
		};
		bool		nulls[6] = {false, false, false, stray->pid == 0, stray->started_at == 0, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* In the server's log, and in the audit of josch.installation: no row of josch.runs has it. */
static void
put_on_record(const Stray *stray)
{
	const char *what = josch_strays_describe(stray);

	josch_store_installation_note(psprintf("ended %s of database \"%s\", which was nobody's", what, stray->database_name));
	ereport(LOG,
			(errmsg("\"%s\" ends %s, which is nobody's", GetUserNameFromId(GetSessionUserId(), false), what)));
}

/* josch.end_stray(run_id, nonce, grace) */
Datum
josch_api_end_stray(PG_FUNCTION_ARGS)
{
	JoschRunKey key = {PG_GETARG_INT64(0), PG_GETARG_INT64(1)};
	Interval   *grace = PG_GETARG_INTERVAL_P(2);
	List	   *strays;
	ListCell   *cell;

	josch_report_if_read_only(fcinfo);
	if (grace->month != 0 || grace->day != 0 || grace->time < 0 || grace->time > USECS_PER_HOUR)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the grace must be between 0 and one hour")));
	}
	strays = ask();
	foreach(cell, strays)
	{
		const Stray *stray = lfirst(cell);
		char	   *reason = NULL;

		if (stray->key.run_id != key.run_id || stray->key.nonce != key.nonce)
		{
			continue;
		}
		if (!josch_strays_end(stray, grace->time / 1000, RUNNER_LIMIT_MS, &reason))
		{
			refuse_silence(reason);
		}
		put_on_record(stray);
		PG_RETURN_TEXT_P(cstring_to_text(josch_strays_describe(stray)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("the runner has no run " INT64_FORMAT " with nonce " INT64_FORMAT " for nobody", key.run_id, key.nonce),
			 errhint("josch.strays() lists what it has; josch.stop() ends a node that is running.")));
}
