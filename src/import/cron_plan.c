/*
 * src/import/cron_plan.c
 *	  The days and times of a cron expression, as a calendar and as nodes of a day.
 *
 * A repeat counts the time that elapses, so it is taken only where cron's times are that,
 * too, also in the nights in which clocks are changed: within the hour, and from hour to hour.
 * All else is times of the day.
 */
#include "base/josch.h"

#include "import/cron.h"

#include "lib/stringinfo.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

static int
count(const bool *set, int from, int to)
{
	int			n = 0;

	for (int i = from; i <= to; i++)
	{
		n += set[i];
	}
	return n;
}

/* "1,3,5" */
static char *
list_of(const bool *set, int from, int to)
{
	StringInfoData list;

	initStringInfo(&list);
	for (int i = from; i <= to; i++)
	{
		if (set[i])
		{
			appendStringInfo(&list, "%s%d", list.len > 0 ? "," : "", i);
		}
	}
	return list.data;
}

/* ---- days ---- */

/* ";BYMONTH=1,2"; nothing when all are meant */
static char *
by_month(const Cron *cron)
{
	return count(cron->months, 1, 12) == 12 ? pstrdup("") : psprintf(";BYMONTH=%s", list_of(cron->months, 1, 12));
}

/* The months alone; NULL when all are meant. */
static char *
rule_of_months(const Cron *cron)
{
	return count(cron->months, 1, 12) == 12 ? NULL : psprintf("FREQ=DAILY%s", by_month(cron));
}

static char *
rule_of_month_days(const Cron *cron)
{
	return psprintf("FREQ=MONTHLY;BYMONTHDAY=%s%s", cron->last_day ? "-1" : list_of(cron->month_days, 1, 31), by_month(cron));
}

static void
plan_days(CronPlan *plan, const Cron *cron)
{
	bool		all_month_days = !cron->last_day && count(cron->month_days, 1, 31) == 31;
	bool		all_weekdays = count(cron->weekdays, 1, 7) == 7;
	char	   *weekdays = psprintf("{%s}", list_of(cron->weekdays, 1, 7));

	if (cron->seconds > 0 || (all_month_days && all_weekdays && count(cron->months, 1, 12) == 12))
	{
		return;
	}
	plan->ncalendars = 1;
	plan->calendars[0].weekdays = weekdays;
	if (all_month_days || cron->no_month_day)
	{
		plan->calendars[0].rule = rule_of_months(cron);
	}
	else if (all_weekdays || cron->both)
	{
		plan->calendars[0].rule = rule_of_month_days(cron);
	}
	else
	{
		plan->ncalendars = 2;
		plan->calendars[0].rule = rule_of_months(cron);
		plan->calendars[1].weekdays = "{1,2,3,4,5,6,7}";
		plan->calendars[1].rule = rule_of_month_days(cron);
	}
}

/* ---- times ---- */

static void
add_slot(CronPlan *plan, int start, int every, int until)
{
	plan->slots[plan->nslots++] = (CronSlot) {
		.start = start,.every = start == until ? 0 : every,.until = until
	};
}

/* How far apart the minutes of an hour are, when they are so from hour to hour as well; 0 when they are not. */
static int
step_of(const bool *minutes, int *first)
{
	int			n = count(minutes, 0, 59);
	int			step = 60 / n;

	*first = 0;
	while (!minutes[*first])
	{
		(*first)++;
	}
	if (n * step != 60 || *first >= step)
	{
		return 0;
	}
	for (int i = 0; i < n; i++)
	{
		if (!minutes[*first + i * step])
		{
			return 0;
		}
	}
	return step;
}

/* The times within hours that follow each other. */
static void
add_hours(CronPlan *plan, const bool *minutes, int from, int to)
{
	int			first;
	int			step = step_of(minutes, &first);

	if (step > 0)
	{
		add_slot(plan, from * HOUR + first * MINUTE, step * MINUTE, to * HOUR + (60 - step + first) * MINUTE);
		return;
	}
	for (int i = 0; i < 60; i++)
	{
		if (minutes[i])
		{
			add_slot(plan, from * HOUR + i * MINUTE, HOUR, to * HOUR + i * MINUTE);
		}
	}
}

static int
compare_slots(const void *a, const void *b)
{
	return ((const CronSlot *) a)->start - ((const CronSlot *) b)->start;
}

/* Hours that follow each other, and have the same minutes, go together. */
void
josch_cron_plan_times(CronPlan *plan, const bool *minutes)
{
	plan->slots = palloc(sizeof(CronSlot) * CRON_MINUTES);
	for (int hour = 0; hour < 24; hour++)
	{
		int			last = hour;

		if (count(minutes, hour * 60, hour * 60 + 59) == 0)
		{
			continue;
		}
		while (last < 23 && memcmp(minutes + hour * 60, minutes + (last + 1) * 60, 60 * sizeof(bool)) == 0)
		{
			last++;
		}
		add_hours(plan, minutes + hour * 60, hour, last);
		hour = last;
	}
	qsort(plan->slots, plan->nslots, sizeof(CronSlot), compare_slots);
}

static void
plan_times(CronPlan *plan, const Cron *cron)
{
	bool		minutes[CRON_MINUTES];

	if (cron->seconds > 0)
	{
		plan->slots = palloc(sizeof(CronSlot));
		add_slot(plan, 0, cron->seconds, DAY - 1);
		return;
	}
	for (int i = 0; i < CRON_MINUTES; i++)
	{
		minutes[i] = cron->hours[i / 60] && cron->minutes[i % 60];
	}
	josch_cron_plan_times(plan, minutes);
}

CronPlan *
josch_cron_plan(const Cron *cron)
{
	CronPlan   *plan = palloc0(sizeof(CronPlan));

	plan_days(plan, cron);
	plan_times(plan, cron);
	return plan;
}
