/*
 * src/calendar/calendar.h
 *	  A business calendar: which dates are open.
 *
 * Pure: what store_calendar.c has read of it, compiled to one bit a day in blocks
 * of 512 as they are asked for.  All calendars have the same blocks, so that sets
 * are put together word by word.
 */
#ifndef JOSCH_CALENDAR_H
#define JOSCH_CALENDAR_H

#include "base/josch.h"

#include "calendar/rule.h"

#define CALENDAR_BLOCK_DAYS 512
#define CALENDAR_BLOCK_WORDS (CALENDAR_BLOCK_DAYS / 64)
#define CALENDAR_PAGE_BLOCKS 64

/* Blocks of all dates that may be stored, and the pages that hold them. */
#define CALENDAR_BLOCKS 6991
#define CALENDAR_PAGES ((CALENDAR_BLOCKS + CALENDAR_PAGE_BLOCKS - 1) / CALENDAR_PAGE_BLOCKS)

/* What becomes of a day that the rule chooses and that is closed; in the order of the words in SQL. */
typedef enum CalendarMove
{
	CALENDAR_DROP,				/* the rule chooses among the open days only */
	CALENDAR_FOLLOWING,
	CALENDAR_PRECEDING,
	CALENDAR_MODIFIED_FOLLOWING,	/* following, unless that is in another month */
	CALENDAR_MODIFIED_PRECEDING
} CalendarMove;

typedef enum CalendarOperation
{
	CALENDAR_AND, CALENDAR_OR, CALENDAR_NOT
} CalendarOperation;

typedef struct Calendar Calendar;
typedef struct Moving Moving;

typedef struct CalendarPart
{
	CalendarOperation operation;
	char	   *name;
	Calendar   *calendar;
} CalendarPart;

/* A date that somebody has named. */
typedef struct CalendarHoliday
{
	DateADT		date;
	bool		open;
} CalendarHoliday;

typedef struct CalendarBlock
{
	uint64		open[CALENDAR_BLOCK_WORDS];
	int32		rank;			/* base days from the origin to this block; below 0 when it is before */
	int16		count;			/* of open days */
	bool		compiled;
} CalendarBlock;

struct Calendar
{
	char	   *name;
	MemoryContext context;		/* of the blocks */
	int32		weekdays;		/* bit 1 is Monday */
	char	   *rule_text;		/* NULL: there is none */
	Rule		rule;
	DateADT		origin;
	CalendarMove move;
	char	   *of_name;		/* NULL: its days are counted among all days */
	Calendar   *of;
	int			nparts;
	CalendarPart *parts;		/* in their order */
	int			nholidays;
	CalendarHoliday *holidays;	/* by date */
	DateADT		known_until;	/* DATEVAL_NOEND: for ever; the least of its own and its parts' */
	bool		loading;		/* what it is made of is being read */
	int			first_ranked;	/* blocks whose rank is known; with ranked */
	int			last_ranked;
	bool		ranked;
	CalendarBlock *pages[CALENDAR_PAGES];
};

/* Whether that date may be asked for: of the years that may be stored. */
extern bool josch_calendar_has_date(DateADT date);

/* The number of the block in which a date lies. */
extern int	josch_calendar_block_of(DateADT date);

extern bool josch_calendar_is_open(Calendar *calendar, DateADT date);

/*
 * The n-th open day strictly after the date, or before it when n is below 0; for 0 the
 * date itself, or the next open day.  False when there are not so many, or none for 400 years.
 */
extern bool josch_calendar_step(Calendar *calendar, DateADT date, int32 n, DateADT *result);

/* The days around a block of a calendar whose rule moves days (moving.h). */
extern void josch_calendar_set_moving(Calendar *calendar, int number, Moving *moving);

/* The first of the named dates that is not before the date. */
extern int	josch_calendar_holiday(const Calendar *calendar, DateADT date);

#endif							/* JOSCH_CALENDAR_H */
