/*
 * src/calendar/reason.c
 *	  Why a date is open in a calendar, or closed: what has spoken last.
 *
 * The answer whether it is open is the calendar's own (calendar.c).  A named date always has the last word; a part has spoken
 * where it could not have let the day as it was; where none has, the days are still those of weekdays, of_calendar and rule.
 */
#include "base/josch.h"

#include "calendar/reason.h"

void
josch_reason_begin(CalendarReasons *reasons, Calendar *calendar)
{
	reasons->calendar = calendar;
	reasons->number = -1;
}

static bool
moves(const Calendar *calendar)
{
	return calendar->rule_text != NULL && calendar->move != CALENDAR_DROP;
}

/* The block of the date, with the days that were moved into it. */
static void
go_to_block(CalendarReasons *reasons, DateADT date)
{
	int			number = josch_calendar_block_of(date);

	if (number == reasons->number)
	{
		return;
	}
	josch_calendar_set_moving(reasons->calendar, number, &reasons->moving);
	for (int i = 0; i < CALENDAR_BLOCK_DAYS; i++)
	{
		reasons->from[i] = -1;
	}
	for (int i = MOVING_DAYS - 1; i >= 0; i--)
	{
		bool		chosen = JOSCH_BIT_IS_SET(reasons->moving.chosen, i);
		int			goal = chosen ? josch_moving_goal(&reasons->moving, i) - CALENDAR_BLOCK_DAYS : -1;

		if (goal >= 0 && goal < CALENDAR_BLOCK_DAYS)
		{
			reasons->from[goal] = i;
		}
	}
	reasons->number = number;
}

/* Of a calendar whose rule moves days: whether it has moved this one, away or to here. */
static bool
is_moved(CalendarReasons *reasons, DateADT date, CalendarReason *reason)
{
	const Moving *moving = &reasons->moving;
	int			other;
	int			i;

	go_to_block(reasons, date);
	i = date - moving->first;
	other = reason->open ? reasons->from[i - CALENDAR_BLOCK_DAYS] : JOSCH_BIT_IS_SET(moving->chosen, i) ? josch_moving_goal(moving, i) : -1;
	if (other < 0 || (reason->open && JOSCH_BIT_IS_SET(moving->chosen, i)))
	{
		return false;
	}
	reason->decided_by = "moved";
	reason->moved = moving->first + other;
	return true;
}

/* The named date, or the last part that had a say; false: neither. */
static bool
is_decided_later(const Calendar *calendar, DateADT date, CalendarReason *reason)
{
	static const char *const words[] = {[CALENDAR_AND] = "and",[CALENDAR_OR] = "or",[CALENDAR_NOT] = "not"};
	int			holiday = josch_calendar_holiday(calendar, date);

	if (holiday < calendar->nholidays && calendar->holidays[holiday].date == date)
	{
		reason->decided_by = "holiday";
		return true;
	}
	for (int i = calendar->nparts - 1; i >= 0; i--)
	{
		const CalendarPart *part = &calendar->parts[i];

		if (josch_calendar_is_open(part->calendar, date) != (part->operation == CALENDAR_AND))
		{
			reason->decided_by = words[part->operation];
			reason->by_calendar = part->calendar->name;
			return true;
		}
	}
	return false;
}

CalendarReason
josch_reason_of(CalendarReasons *reasons, DateADT date)
{
	Calendar   *calendar = reasons->calendar;
	CalendarReason reason = {.open = josch_calendar_is_open(calendar, date),.moved = DATEVAL_NOEND};
	bool		on_weekday = (calendar->weekdays & (1 << josch_rule_weekday(date))) != 0;

	if (is_decided_later(calendar, date, &reason) || (moves(calendar) && is_moved(reasons, date, &reason)))
	{
		return reason;
	}
	if (!on_weekday)
	{
		reason.decided_by = "weekdays";
	}
	else if (calendar->of != NULL && (calendar->rule_text == NULL || !josch_calendar_is_open(calendar->of, date)))
	{
		reason.decided_by = "of_calendar";
		reason.by_calendar = calendar->of->name;
	}
	else
	{
		reason.decided_by = calendar->rule_text == NULL ? "weekdays" : "rule";
	}
	return reason;
}
