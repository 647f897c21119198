/*
 * src/calendar/reason.h
 *	  Why a date is open in a calendar, or closed: what has spoken last.
 */
#ifndef JOSCH_REASON_H
#define JOSCH_REASON_H

#include "base/josch.h"

#include "calendar/moving.h"

/* What is worked out once for all days of a block. */
typedef struct CalendarReasons
{
	Calendar   *calendar;
	int			number;			/* of the block; -1: none yet */
	Moving		moving;			/* of a calendar whose rule moves days */
	int16		from[CALENDAR_BLOCK_DAYS];	/* the first day that was moved to this one, from the first of "moving" on; -1: none */
} CalendarReasons;

typedef struct CalendarReason
{
	bool		open;
	const char *decided_by;		/* weekdays, of_calendar, rule, moved, and, or, not, holiday */
	const char *by_calendar;	/* the other calendar, of of_calendar, and, or, not; NULL */
	DateADT		moved;			/* where the day was moved from, or has gone; DATEVAL_NOEND: it was not moved */
} CalendarReason;

extern void josch_reason_begin(CalendarReasons *reasons, Calendar *calendar);
extern CalendarReason josch_reason_of(CalendarReasons *reasons, DateADT date);

#endif							/* JOSCH_REASON_H */
