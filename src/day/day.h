/*
 * src/day/day.h
 *	  Makes days out of the templates, and takes them back.
 */
#ifndef JOSCH_DAY_H
#define JOSCH_DAY_H

#include "base/josch.h"

#include "day/store_day.h"

/* What is to be made or taken back. */
typedef struct DayRequest
{
	const char *job_name;		/* NULL: all jobs */
	bool		has_date;		/* false: today in each job's own zone */
	DateADT		job_date;
	const char *default_zone;	/* of jobs that have none */
} DayRequest;

/*
 * Makes the jobs that are not there yet, and links them to what is.  Returns
 * what was made, by name, palloc'd.  An unknown job, no job at all, and commands
 * with variables that do not exist are errors.
 */
extern DayJob *josch_day_make(const DayRequest *request, int *n);

/*
 * Takes back the jobs of a date, of which nothing may have started.  Returns
 * what was taken back, by name, palloc'd.
 */
extern DayJob *josch_day_take_back(const DayRequest *request, int *n);

#endif							/* JOSCH_DAY_H */
