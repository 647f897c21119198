/*
 * src/day/day.h
 *	  Makes days out of the templates, and takes them back.
 */
#ifndef JOSCH_DAY_H
#define JOSCH_DAY_H

#include "base/josch.h"

#include "day/store_day.h"

/*
 * Makes the jobs that are not there yet, and links them to what is.  Returns
 * what was made, and what could not be made, by name, palloc'd: each job is made
 * whole or not at all, and a WARNING has the reason.  Of a request for one job
 * that is an error, as are an unknown job and templates without any.
 */
extern DayJob *josch_day_make(const DayRequest *request, int *n);

/*
 * Takes back the jobs of a date, of which nothing may have started.  Returns
 * what was taken back, by name, palloc'd.
 */
extern DayJob *josch_day_take_back(const DayRequest *request, int *n);

#endif							/* JOSCH_DAY_H */
