/*
 * src/base/api_readable.c
 *	  Which dates and intervals may be stored.
 *
 * PostgreSQL's types hold more than the languages of those who read them: a
 * driver for Python that meets infinity, a date BC or one after 9999 fails, and
 * with it the whole query that has a single such row.  So none is stored.
 */
#include "base/josch.h"

#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/timestamp.h"

#define MAX_YEARS 100

PG_FUNCTION_INFO_V1(josch_api_readable_date);
PG_FUNCTION_INFO_V1(josch_api_readable_interval);

Datum
josch_api_readable_date(PG_FUNCTION_ARGS)
{
	DateADT		date = PG_GETARG_DATEADT(0);

	/* the infinite ones are the least and the greatest */
	PG_RETURN_BOOL(date >= date2j(JOSCH_FIRST_YEAR, 1, 1) - POSTGRES_EPOCH_JDATE &&
				   date <= date2j(JOSCH_LAST_YEAR, 12, 31) - POSTGRES_EPOCH_JDATE);
}

Datum
josch_api_readable_interval(PG_FUNCTION_ARGS)
{
	Interval   *interval = PG_GETARG_INTERVAL_P(0);

	/* each part by itself, so that no sum overflows; a month has 30 days, as for PostgreSQL's comparisons */
	if (interval->month < 0 || interval->day < 0 || interval->time < 0 ||
		interval->month > MAX_YEARS * MONTHS_PER_YEAR || interval->time / USECS_PER_DAY > MAX_YEARS * 366)
	{
		PG_RETURN_BOOL(false);
	}
	PG_RETURN_BOOL(interval->month * (int64) DAYS_PER_MONTH + interval->day + interval->time / USECS_PER_DAY <=
				   (int64) MAX_YEARS * MONTHS_PER_YEAR * DAYS_PER_MONTH);
}
