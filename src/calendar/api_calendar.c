/*
 * src/calendar/api_calendar.c
 *	  SQL functions about calendars: which days are open.
 *
 * is_open() and business_day() are asked a million times in a statement.  They resolve no name
 * on their caller's path: what reads the tables sets its own.
 */
#include "base/josch.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/report.h"
#include "calendar/book.h"
#include "calendar/reason.h"
#include "calendar/rule.h"

PG_FUNCTION_INFO_V1(josch_api_calendar_business_day);
PG_FUNCTION_INFO_V1(josch_api_calendar_day);
PG_FUNCTION_INFO_V1(josch_api_calendar_is_open);
PG_FUNCTION_INFO_V1(josch_api_calendar_is_rule);
PG_FUNCTION_INFO_V1(josch_api_calendar_known_until);
PG_FUNCTION_INFO_V1(josch_api_calendar_open_days);
PG_FUNCTION_INFO_V1(josch_api_calendar_reasons);

static Calendar *
find_calendar(FunctionCallInfo fcinfo, int number)
{
	text	   *name = PG_GETARG_TEXT_PP(number);

	return josch_book_find(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));
}

static DateADT
date_argument(FunctionCallInfo fcinfo, int number)
{
	DateADT		date = PG_GETARG_DATEADT(number);

	if (!josch_calendar_has_date(date))
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
				 DATE_NOT_FINITE(date) ? errmsg("a date of a calendar must be finite") :
				 errmsg("date %s is out of range for a calendar", josch_report_date(date)),
				 errdetail("A calendar has the years %d to %d.", JOSCH_FIRST_YEAR, JOSCH_LAST_YEAR)));
	}
	return date;
}

/* josch.is_open(calendar_name, date) */
Datum
josch_api_calendar_is_open(PG_FUNCTION_ARGS)
{
	DateADT		date = date_argument(fcinfo, 1);

	PG_RETURN_BOOL(josch_calendar_is_open(find_calendar(fcinfo, 0), date));
}

/* josch.business_day(calendar_name, date, n) */
Datum
josch_api_calendar_business_day(PG_FUNCTION_ARGS)
{
	DateADT		date = date_argument(fcinfo, 1);
	int32		n = PG_GETARG_INT32(2);
	Calendar   *calendar = find_calendar(fcinfo, 0);
	DateADT		result;

	if (!josch_calendar_step(calendar, date, n, &result))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("no open day in calendar \"%s\" so far from %s: %d", calendar->name, josch_report_date(date), n),
				 errdetail("The calendar has fewer open days on that side, or none for 400 years.")));
	}
	PG_RETURN_DATEADT(result);
}

/* josch.calendar_day(calendar_name, date, n) */
Datum
josch_api_calendar_day(PG_FUNCTION_ARGS)
{
	DateADT		date = date_argument(fcinfo, 1);
	int32		n = PG_GETARG_INT32(2);
	DateADT		result = date;

	if (n != 0 && !josch_calendar_step(find_calendar(fcinfo, 0), date, n, &result))
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_DATEADT(result);
}

/* josch.open_days(calendar_name, from_date, to_date) */
Datum
josch_api_calendar_open_days(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DateADT		from = date_argument(fcinfo, 1);
	DateADT		to = date_argument(fcinfo, 2);
	Calendar   *calendar = find_calendar(fcinfo, 0);
	DateADT		day = from;
	bool		found = from <= to && josch_calendar_step(calendar, from, 0, &day);

	InitMaterializedSRF(fcinfo, MAT_SRF_USE_EXPECTED_DESC);
	while (found && day <= to)
	{
		Datum		value = DateADTGetDatum(day);
		bool		isnull = false;

		CHECK_FOR_INTERRUPTS();
		tuplestore_putvalues(result->setResult, result->setDesc, &value, &isnull);
		found = josch_calendar_step(calendar, day, 1, &day);
	}
	return (Datum) 0;
}

/* josch.calendar_reasons(calendar_name, from_date, to_date) */
Datum
josch_api_calendar_reasons(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	DateADT		from = date_argument(fcinfo, 1);
	DateADT		to = date_argument(fcinfo, 2);
	CalendarReasons reasons;

	josch_reason_begin(&reasons, find_calendar(fcinfo, 0));
	InitMaterializedSRF(fcinfo, 0);
	for (DateADT date = from; date <= to; date++)
	{
		CalendarReason reason = josch_reason_of(&reasons, date);
		Datum		values[5] = {DateADTGetDatum(date), BoolGetDatum(reason.open), CStringGetTextDatum(reason.decided_by), (Datum) 0,
		DateADTGetDatum(reason.moved)};
		bool		nulls[5] = {false, false, false, reason.by_calendar == NULL, reason.moved == DATEVAL_NOEND};

		CHECK_FOR_INTERRUPTS();
		if (!nulls[3])
		{
			values[3] = CStringGetTextDatum(reason.by_calendar);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

/* josch.known_until(calendar_name) */
Datum
josch_api_calendar_known_until(PG_FUNCTION_ARGS)
{
	Calendar   *calendar = find_calendar(fcinfo, 0);

	if (calendar->known_until == DATEVAL_NOEND)
	{
		PG_RETURN_NULL();
	}
	PG_RETURN_DATEADT(calendar->known_until);
}

/* josch.is_calendar_rule(rule, origin) */
Datum
josch_api_calendar_is_rule(PG_FUNCTION_ARGS)
{
	char	   *written;
	Rule		rule;

	if (PG_ARGISNULL(0))
	{
		PG_RETURN_NULL();
	}
	written = text_to_cstring(PG_GETARG_TEXT_PP(0));
	josch_rule_parse(&rule, written);
	if (rule.interval > 1 && PG_ARGISNULL(1))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("rule \"%s\" needs an origin", josch_report_words(written)),
				 errdetail("INTERVAL counts periods from the one in which the origin lies."),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "origin")));
	}
	PG_RETURN_BOOL(true);
}
