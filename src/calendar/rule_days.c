/*
 * src/calendar/rule_days.c
 *	  The days that a rule chooses.
 *
 * Period by period: what is left of a period after all other parts is counted by
 * BYSETPOS.  The candidates come from outside, so that what is counted are the open
 * days of another calendar: RFC 5545 takes holidays away only after it has
 * counted, and a month whose last weekday is one has no last weekday then.
 */
#include "base/josch.h"

#include "calendar/rule.h"

#include "utils/datetime.h"

/* The longest period. */
#define YEAR_DAYS 366

typedef struct Choosing
{
	const Rule *rule;
	DateADT		origin;
	const RuleCandidates *candidates;
	DateADT		from;
	DateADT		to;
	uint64	   *chosen;
} Choosing;

/* A date and what a rule asks of it. */
typedef struct Day
{
	DateADT		date;
	int			year;
	int			month;
	int			day;
	int			weekday;
	int			month_length;
	int			year_day;
	int			year_length;
} Day;

static DateADT
date_of(int year, int month, int day)
{
	return date2j(year, month, day) - POSTGRES_EPOCH_JDATE;
}

int
josch_rule_weekday(DateADT date)
{
	int			weekday = j2day(date + POSTGRES_EPOCH_JDATE);

	return weekday == 0 ? 7 : weekday;
}

static int
length_of_month(int year, int month)
{
	return day_tab[isleap(year)][month - 1];
}

static Day
day_of(DateADT date)
{
	Day			day = {.date = date,.weekday = josch_rule_weekday(date)};

	j2date(date + POSTGRES_EPOCH_JDATE, &day.year, &day.month, &day.day);
	day.month_length = length_of_month(day.year, day.month);
	day.year_day = date - date_of(day.year, 1, 1) + 1;
	day.year_length = isleap(day.year) ? 366 : 365;
	return day;
}

static void
go_to_next(Day *day)
{
	day->date++;
	day->weekday = day->weekday % 7 + 1;
	day->year_day++;
	if (day->day++ < day->month_length)
	{
		return;
	}
	day->day = 1;
	if (day->month++ == 12)
	{
		*day = day_of(day->date);
		return;
	}
	day->month_length = length_of_month(day->year, day->month);
}

/* ---- one day ---- */

static bool
is_nth(const Rule *rule, const Day *day)
{
	bool		in_year = rule->frequency == RULE_YEARLY && rule->months == 0;
	int			number = in_year ? day->year_day : day->day;
	int			length = in_year ? day->year_length : day->month_length;

	for (int i = 0; i < rule->nnth; i++)
	{
		const RuleNth *nth = &rule->nth[i];

		if (nth->weekday == day->weekday &&
			nth->n == (nth->n > 0 ? (number - 1) / 7 + 1 : -((length - number) / 7 + 1)))
		{
			return true;
		}
	}
	return false;
}

/* Whether all parts but BYSETPOS let it pass. */
static bool
is_meant(const Rule *rule, const Day *day)
{
	if (rule->months != 0 && (rule->months & (1U << day->month)) == 0)
	{
		return false;
	}
	if ((rule->month_days | rule->last_month_days) != 0 && (rule->month_days & (1U << day->day)) == 0 &&
		(rule->last_month_days & (1U << (day->month_length - day->day + 1))) == 0)
	{
		return false;
	}
	return (rule->weekdays == 0 && rule->nnth == 0) || (rule->weekdays & (1U << day->weekday)) != 0 || is_nth(rule, day);
}

static bool
is_candidate(const RuleCandidates *candidates, DateADT date)
{
	int			i = date - candidates->first;

	return candidates->bits == NULL || (i >= 0 && i < candidates->ndays && JOSCH_BIT_IS_SET(candidates->bits, i));
}

static void
choose(const Choosing *choosing, DateADT date)
{
	if (date >= choosing->from && date <= choosing->to)
	{
		JOSCH_BIT_SET(choosing->chosen, date - choosing->from);
	}
}

/* Whether the period of that number, which may be below 0, is one of every so many. */
static bool
is_due(const Rule *rule, int64 number)
{
	return number % rule->interval == 0;
}

/* ---- periods ---- */

static void
choose_in_period(const Choosing *choosing, DateADT first, int ndays)
{
	const Rule *rule = choosing->rule;
	DateADT		dates[YEAR_DAYS];
	int			n = 0;
	Day			day = day_of(first);

	for (int i = 0; i < ndays; i++)
	{
		if (is_candidate(choosing->candidates, day.date) && is_meant(rule, &day))
		{
			dates[n++] = day.date;
		}
		go_to_next(&day);
	}
	for (int i = 0; i < n && rule->npositions == 0; i++)
	{
		choose(choosing, dates[i]);
	}
	for (int i = 0; i < rule->npositions; i++)
	{
		int			position = rule->positions[i] > 0 ? rule->positions[i] - 1 : n + rule->positions[i];

		if (position >= 0 && position < n)
		{
			choose(choosing, dates[position]);
		}
	}
}

static void
choose_weekly(const Choosing *choosing)
{
	DateADT		first = choosing->from - (josch_rule_weekday(choosing->from) - 1);
	DateADT		origin = choosing->origin - (josch_rule_weekday(choosing->origin) - 1);

	for (; first <= choosing->to; first += 7)
	{
		if (is_due(choosing->rule, (first - origin) / 7))
		{
			choose_in_period(choosing, first, 7);
		}
	}
}

static void
choose_monthly(const Choosing *choosing)
{
	Day			origin = day_of(choosing->origin);
	Day			from = day_of(choosing->from);
	int			year = from.year;
	int			month = from.month;

	while (date_of(year, month, 1) <= choosing->to)
	{
		if (is_due(choosing->rule, (year - origin.year) * 12 + month - origin.month))
		{
			choose_in_period(choosing, date_of(year, month, 1), length_of_month(year, month));
		}
		year += month == 12;
		month = month % 12 + 1;
	}
}

static void
choose_yearly(const Choosing *choosing)
{
	Day			origin = day_of(choosing->origin);
	Day			from = day_of(choosing->from);

	for (int year = from.year; date_of(year, 1, 1) <= choosing->to; year++)
	{
		if (is_due(choosing->rule, year - origin.year))
		{
			choose_in_period(choosing, date_of(year, 1, 1), isleap(year) ? 366 : 365);
		}
	}
}

/* Every so many candidates: the first on or after the origin is number 0. */
static void
choose_daily(const Choosing *choosing)
{
	const RuleCandidates *candidates = choosing->candidates;
	DateADT		first = candidates->bits == NULL ? choosing->from : candidates->first;
	int64		number = candidates->bits == NULL ? first - choosing->origin : candidates->rank;
	Day			day = day_of(first);

	for (; day.date <= choosing->to; go_to_next(&day))
	{
		if (!is_candidate(candidates, day.date))
		{
			continue;
		}
		if (is_due(choosing->rule, number++) && is_meant(choosing->rule, &day))
		{
			choose(choosing, day.date);
		}
	}
}

void
josch_rule_choose(const Rule *rule, DateADT origin, const RuleCandidates *candidates, DateADT from, DateADT to, uint64 *chosen)
{
	Choosing	choosing = {rule, origin, candidates, from, to, chosen};

	switch (rule->frequency)
	{
		case RULE_DAILY:
			choose_daily(&choosing);
			return;
		case RULE_WEEKLY:
			choose_weekly(&choosing);
			return;
		case RULE_MONTHLY:
			choose_monthly(&choosing);
			return;
		case RULE_YEARLY:
			choose_yearly(&choosing);
			return;
	}
	elog(ERROR, "unknown frequency: %d", (int) rule->frequency);
}
