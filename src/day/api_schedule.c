/*
 * src/day/api_schedule.c
 *	  SQL functions about days: made, taken back, their times, their commands.
 *
 * Arguments in, rows out.  josch.instant() and josch.today(zone) bring the clock
 * to the statements that make days, which are SQL.
 */
#include "base/josch.h"

#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/tuplestore.h"

#include "base/report.h"
#include "base/spi_plan.h"
#include "day/zone.h"
#include "day/day.h"
#include "day/parameters.h"
#include "day/store_environment.h"
#include "node/command.h"

PG_FUNCTION_INFO_V1(josch_api_command_argv);
PG_FUNCTION_INFO_V1(josch_api_command_variables);
PG_FUNCTION_INFO_V1(josch_api_default_time_zone);
PG_FUNCTION_INFO_V1(josch_api_environment);
PG_FUNCTION_INFO_V1(josch_api_instant);
PG_FUNCTION_INFO_V1(josch_api_is_parameters);
PG_FUNCTION_INFO_V1(josch_api_schedule);
PG_FUNCTION_INFO_V1(josch_api_today);
PG_FUNCTION_INFO_V1(josch_api_unschedule);

/* As the constraints on days have it: what every client can read. */
static void
check_date(DateADT date)
{
	if (DATE_NOT_FINITE(date))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("job_date must be finite")));
	}
	if (date < date2j(JOSCH_FIRST_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE ||
		date > date2j(JOSCH_LAST_YEAR, 12, 31) - POSTGRES_EPOCH_JDATE)
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 errmsg("job_date %s is out of range", josch_report_date(date)),
				 errdetail("A day is of the years %d to %d.", JOSCH_FIRST_YEAR, JOSCH_LAST_YEAR)));
	}
}

/* The arguments that schedule() and unschedule() have. */
static DayRequest
day_request(FunctionCallInfo fcinfo)
{
	DayRequest	request = {0};

	if (!PG_ARGISNULL(0))
	{
		request.has_date = true;
		request.job_date = PG_GETARG_DATEADT(0);
		check_date(request.job_date);
	}
	request.job_name = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	request.default_zone = josch_zone_default();
	return request;
}

static void
put_jobs(FunctionCallInfo fcinfo, const DayJob *jobs, int n)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum		values[4];

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < n; i++)
	{
		bool		nulls[4] = {false, false, jobs[i].failed, jobs[i].failed};

		values[0] = CStringGetTextDatum(jobs[i].job_name);
		values[1] = DateADTGetDatum(jobs[i].job_date);
		values[2] = Int64GetDatum(jobs[i].nodes);
		values[3] = Int64GetDatum(jobs[i].dependencies);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
}

/* josch.schedule(job_date, job_name, params) */
Datum
josch_api_schedule(PG_FUNCTION_ARGS)
{
	DayRequest	request = day_request(fcinfo);
	int			n;
	DayJob	   *jobs;

	josch_report_if_read_only(fcinfo);
	request.params = josch_parameters_argument(fcinfo, 2, request.job_name);
	jobs = josch_day_make(&request, &n);
	put_jobs(fcinfo, jobs, n);
	return (Datum) 0;
}

/* josch.unschedule(job_date, job_name) */
Datum
josch_api_unschedule(PG_FUNCTION_ARGS)
{
	DayRequest	request = day_request(fcinfo);
	int			n;
	DayJob	   *jobs;

	josch_report_if_read_only(fcinfo);
	if (!request.has_date)
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("job_date must not be null")));
	}
	jobs = josch_day_take_back(&request, &n);
	put_jobs(fcinfo, jobs, n);
	return (Datum) 0;
}

/* josch.environment(node_id, job_date) */
Datum
josch_api_environment(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	EnvironmentRequest request = {.key = {PG_GETARG_INT64(0), PG_GETARG_DATEADT(1)}};
	Environment *environment = josch_store_environment_read(&request, 1);

	if (!environment->found)
	{
		josch_report_no_node(request.key.node_id, request.key.job_date);
	}
	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < environment->n; i++)
	{
		const EnvironmentVariable *variable = &environment->variables[i];
		Datum		values[2] = {CStringGetTextDatum(variable->name)};
		bool		nulls[2] = {false, variable->value == NULL};

		if (variable->value != NULL)
		{
			values[1] = CStringGetTextDatum(variable->value);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* josch.today(time_zone) */
Datum
josch_api_today(PG_FUNCTION_ARGS)
{
	const char *name = PG_ARGISNULL(0) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_DATEADT(josch_zone_today(josch_zone_find(name)));
}

/* josch.default_time_zone() */
Datum
josch_api_default_time_zone(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(josch_zone_default()));
}

/* josch.instant(on_date, time_of_day, time_zone) */
Datum
josch_api_instant(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_GETARG_DATEADT(0);
	pg_tz	   *zone = josch_zone_find(text_to_cstring(PG_GETARG_TEXT_PP(2)));

	if (DATE_NOT_FINITE(date))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the date must be finite")));
	}
	PG_RETURN_TIMESTAMPTZ(josch_zone_instant(date, PG_GETARG_INTERVAL_P(1), zone));
}

/* josch.command_variables(command) */
Datum
josch_api_command_variables(PG_FUNCTION_ARGS)
{
	int			n;
	char	  **names = josch_command_variables(text_to_cstring(PG_GETARG_TEXT_PP(0)), &n);

	PG_RETURN_DATUM(josch_spi_text_array(names, n));
}

/* josch.command_argv(command) */
Datum
josch_api_command_argv(PG_FUNCTION_ARGS)
{
	int			argc;
	char	  **argv = josch_command_argv(text_to_cstring(PG_GETARG_TEXT_PP(0)), &argc);

	PG_RETURN_DATUM(josch_spi_text_array(argv, argc));
}

/* josch.is_parameters(params) */
Datum
josch_api_is_parameters(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(josch_parameters_are_valid(PG_GETARG_JSONB_P(0)));
}
