/*
 * src/day/api_due.c
 *	  What people decide about days that were missed, and days of the past.
 */
#include "base/josch.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/snapmgr.h"
#include "utils/tuplestore.h"

#include "base/report.h"
#include "base/wake.h"
#include "calendar/calendar.h"
#include "day/day.h"
#include "day/parameters.h"
#include "day/store_due.h"
#include "day/zone.h"

PG_FUNCTION_INFO_V1(josch_api_due_backfill);
PG_FUNCTION_INFO_V1(josch_api_due_decline);
PG_FUNCTION_INFO_V1(josch_api_due_make);

static char *
text_argument(FunctionCallInfo fcinfo, int number)
{
	return PG_ARGISNULL(number) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(number));
}

static void
put_made(ReturnSetInfo *result, const DayJob *made, int n)
{
	for (int i = 0; i < n; i++)
	{
		Datum		values[4] = {
			CStringGetTextDatum(made[i].job_name), DateADTGetDatum(made[i].job_date),
			Int64GetDatum(made[i].nodes), Int64GetDatum(made[i].dependencies)
		};
		bool		nulls[4] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* Makes each of the days, in the order given, and returns what was made; a year of large days must not add up in memory. */
static void
make_days(FunctionCallInfo fcinfo, const DayJob *days, int ndays, Jsonb *params)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "josch days", ALLOCSET_DEFAULT_SIZES);

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < ndays; i++)
	{
		MemoryContext former = MemoryContextSwitchTo(context);
		DayRequest	request = {
			.job_name = days[i].job_name,.has_date = true,.job_date = days[i].job_date,.default_zone = josch_zone_default(),
			.params = params
		};
		int			n;
		DayJob	   *made = josch_day_make(&request, &n);

		put_made(result, made, n);
		MemoryContextSwitchTo(former);
		MemoryContextReset(context);
	}
	MemoryContextDelete(context);
}

/* ---- days that were missed ---- */

static int
compare_dates(const void *a, const void *b)
{
	DateADT		x = *(const DateADT *) a;
	DateADT		y = *(const DateADT *) b;

	return (x > y) - (x < y);
}

/* The dates of an argument, in their order, each once. */
static DateADT *
date_array(FunctionCallInfo fcinfo, int number, int *n)
{
	Datum	   *values;
	bool	   *nulls;
	DateADT    *dates;
	int			nvalues;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(number), DATEOID, sizeof(DateADT), true, TYPALIGN_INT, &values, &nulls, &nvalues);
	dates = palloc(Max(nvalues, 1) * sizeof(DateADT));
	for (int i = 0; i < nvalues; i++)
	{
		if (nulls[i])
		{
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("a date must not be null")));
		}
		dates[i] = DatumGetDateADT(values[i]);
	}
	qsort(dates, nvalues, sizeof(DateADT), compare_dates);
	*n = 0;
	for (int i = 0; i < nvalues; i++)
	{
		if (*n == 0 || dates[*n - 1] != dates[i])
		{
			dates[(*n)++] = dates[i];
		}
	}
	return dates;
}

/* All that are named must be there, and must not be made. */
static void
refuse_others(const char *job_name, const DateADT *dates, int ndates, const DayJob *days, int ndays)
{
	for (int i = 0; i < ndates; i++)
	{
		if (i >= ndays || days[i].job_date != dates[i])
		{
			ereport(ERROR,
					(errcode(ERRCODE_NO_DATA_FOUND),
					 errmsg("job \"%s\" has missed no day of %s", job_name, josch_report_date(dates[i])),
					 errdetail("josch.job_days has no such row, or the day is made.")));
		}
	}
}

/* The days that the arguments (job_name, dates) mean. */
static DayJob *
missed_days(FunctionCallInfo fcinfo, int *n)
{
	char	   *job_name = text_argument(fcinfo, 0);
	int			ndates = 0;
	DateADT    *dates = PG_ARGISNULL(1) ? NULL : date_array(fcinfo, 1, &ndates);
	DayJob	   *days;

	if (dates != NULL && job_name == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("job_name must not be null where dates are given")));
	}
	days = josch_store_due_open(job_name, dates, ndates, n);
	refuse_others(job_name, dates, ndates, days, *n);
	return days;
}

/* josch.make_missed(job_name, dates) */
Datum
josch_api_due_make(PG_FUNCTION_ARGS)
{
	int			n;
	DayJob	   *days;

	josch_report_if_read_only(fcinfo);
	days = missed_days(fcinfo, &n);
	make_days(fcinfo, days, n, NULL);
	return (Datum) 0;
}

/* josch.decline_missed(job_name, dates, comment) */
Datum
josch_api_due_decline(PG_FUNCTION_ARGS)
{
	int			n;
	DayJob	   *days;

	josch_report_if_read_only(fcinfo);
	days = missed_days(fcinfo, &n);
	josch_store_due_decline(days, n, text_argument(fcinfo, 2));
	for (int i = 0; i < n; i++)
	{
		josch_store_due_release(days[i].job_name, &days[i].job_date, 1);
	}
	josch_wake_scheduler_at_commit();
	PG_RETURN_INT64(n);
}

/* ---- days of the past ---- */

static DateADT
date_argument(FunctionCallInfo fcinfo, int number, const char *name)
{
	DateADT		date = PG_ARGISNULL(number) ? DATEVAL_NOEND : PG_GETARG_DATEADT(number);

	if (!josch_calendar_has_date(date))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s must be a date of the years %d to %d", name, JOSCH_FIRST_YEAR, JOSCH_LAST_YEAR)));
	}
	return date;
}

/* josch.backfill(from_date, to_date, job_name, params) */
Datum
josch_api_due_backfill(PG_FUNCTION_ARGS)
{
	DateADT		from = date_argument(fcinfo, 0, "from_date");
	DateADT		to = date_argument(fcinfo, 1, "to_date");
	char	   *job_name = text_argument(fcinfo, 2);
	Jsonb	   *params = josch_parameters_argument(fcinfo, 3, job_name);
	int			n;
	DayJob	   *days;

	josch_report_if_read_only(fcinfo);
	if (to < from)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("to_date %s lies before from_date %s", josch_report_date(to), josch_report_date(from))));
	}
	days = josch_store_due_between(from, to, job_name, &n);
	if (n == 0 && job_name != NULL && !josch_store_day_has_template(GetLatestSnapshot(), job_name))
	{
		josch_report_no_template_job(job_name);
	}
	make_days(fcinfo, days, n, params);
	return (Datum) 0;
}
