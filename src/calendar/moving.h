/*
 * src/calendar/moving.h
 *	  Days around a block of a calendar: those that are open, and those that its rule has chosen.
 */
#ifndef JOSCH_MOVING_H
#define JOSCH_MOVING_H

#include "base/josch.h"

#include "calendar/calendar.h"

/* A day is moved by less than a block: the block, and both its neighbours. */
#define MOVING_BLOCKS 3
#define MOVING_DAYS (MOVING_BLOCKS * CALENDAR_BLOCK_DAYS)
#define MOVING_WORDS (MOVING_BLOCKS * CALENDAR_BLOCK_WORDS)

struct Moving
{
	CalendarMove move;
	DateADT		first;			/* that of the first bit */
	uint64		open[MOVING_WORDS];
	uint64		chosen[MOVING_WORDS];
};

/* Where the i-th day goes; itself when it is open, -1: nowhere. */
extern int	josch_moving_goal(const Moving *moving, int i);

#endif							/* JOSCH_MOVING_H */
