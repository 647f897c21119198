/*
 * src/day/day_told.h
 *	  What whoever makes days is told, where there is nothing to be made.
 */
#ifndef JOSCH_DAY_TOLD_H
#define JOSCH_DAY_TOLD_H

#include "base/josch.h"

#include "day/store_day.h"

/* None of what is requested is missing: raises unless it is all there. */
extern void josch_day_told_nothing(Snapshot templates, const DayRequest *request);

/* The job that is requested exists: raises where parameters were given to it. */
extern void josch_day_told_parameters(const DayRequest *request);

/*
 * A NOTICE about the jobs that have no such day in their calendars; unless one was named
 * they are taken out.  Returns how many are left.
 */
extern int	josch_day_told_closed(const DayRequest *request, DayJob *jobs, int n);

#endif							/* JOSCH_DAY_TOLD_H */
