/*
 * src/import/import_days.c
 *	  The days of other schedulers' jobs, as calendars.
 */
#include "base/josch.h"

#include "import/import.h"

#include "import/store_import.h"

static void
insert_calendar(const Import *import, const char *name, const char *description, const CronCalendar *calendar)
{
	const char *columns[] = {"calendar_name", "calendar_desc", "weekdays", "rule"};
	const char *values[] = {name, description, calendar->weekdays, calendar->rule};

	josch_store_import_insert(import->schema, "calendars", columns, values, lengthof(columns));
}

static void
insert_part(const Import *import, const char *whole, int position, const char *part)
{
	const char *columns[] = {"calendar_name", "position", "operation", "part_name"};
	const char *values[] = {whole, psprintf("%d", position), "or", part};

	josch_store_import_insert(import->schema, "calendar_parts", columns, values, lengthof(columns));
}

const char *
josch_import_days(const Import *import, const Cron *cron, const CronPlan *plan)
{
	char	   *name;
	char	   *part;

	if (plan->ncalendars == 0)
	{
		return NULL;
	}
	name = psprintf("%s%s days %s", import->prefix, cron->whose, cron->days);
	if (josch_store_import_value(import->schema, "calendars", "calendar_name", "calendar_name", name) != NULL)
	{
		return name;
	}
	insert_calendar(import, name, psprintf("Days \"%s\" of %s: day of the month, month, weekday", cron->days, cron->whose), &plan->calendars[0]);
	if (plan->ncalendars == 2)
	{
		part = psprintf("%s, or", name);
		insert_calendar(import, part, psprintf("The days of the month of \"%s\"", name), &plan->calendars[1]);
		insert_part(import, name, 1, part);
	}
	return name;
}

void
josch_import_days_of_any(const Import *import, const char *name, const char *const *calendars, int n)
{
	CronCalendar none = {.weekdays = "{}"};

	if (josch_store_import_value(import->schema, "calendars", "calendar_name", "calendar_name", name) != NULL)
	{
		return;
	}
	insert_calendar(import, name, NULL, &none);
	for (int i = 0; i < n; i++)
	{
		insert_part(import, name, i + 1, calendars[i]);
	}
}

void
josch_import_days_but(const Import *import, const char *name, const char *calendar, const char *const *dates, int n)
{
	CronCalendar all = {.weekdays = "{1,2,3,4,5,6,7}"};

	if (calendar == NULL)
	{
		insert_calendar(import, name, NULL, &all);
	}
	else
	{
		josch_import_days_of_any(import, name, &calendar, 1);
	}
	for (int i = 0; i < n; i++)
	{
		const char *columns[] = {"calendar_name", "holiday", "holiday_name"};
		const char *values[] = {name, dates[i], "exception"};

		josch_store_import_insert(import->schema, "holidays", columns, values, lengthof(columns));
	}
}
