/*
 * src/calendar/store_calendar.h
 *	  SQL on calendars: what one is made of, and what all are parts of.
 */
#ifndef JOSCH_STORE_CALENDAR_H
#define JOSCH_STORE_CALENDAR_H

#include "base/josch.h"

#include "calendar/calendar.h"

/*
 * Reads what the caller's statement sees of it, all but what it is made of, into
 * a new Calendar in a context; NULL when there is none of that name.
 */
extern Calendar *josch_store_calendar_read(const char *name, MemoryContext context);

/* The name of one calendar, and of one that it is made of. */
typedef struct CalendarLink
{
	char	   *whole;
	char	   *part;
} CalendarLink;

/* All of them as they are committed now, and as this transaction has made them; in the order of their names. */
extern CalendarLink *josch_store_calendar_links(int *n);

/* Nothing is a part of it any more. */
extern void josch_store_calendar_empty(Datum name);

/* Keeps others from making a calendar a part of another until the transaction ends. */
extern void josch_store_calendar_lock(void);

/* The tables, for those who have to be told when they change. */
extern bool josch_store_calendar_is_table(Oid relation);

/* Looks the tables up again. */
extern void josch_store_calendar_find_tables(void);

#endif							/* JOSCH_STORE_CALENDAR_H */
