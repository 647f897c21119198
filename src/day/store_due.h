/*
 * src/day/store_due.h
 *	  SQL on days that make themselves: tpl_jobs.schedule_at and josch.job_days.
 *
 * Every function opens and closes SPI itself, as the schema's owner; results are
 * palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_DUE_H
#define JOSCH_STORE_DUE_H

#include "base/josch.h"

#include "day/store_day.h"

/* In the order of the words in store_due.c. */
typedef enum DueOutcome
{
	DUE_MADE, DUE_LATE, DUE_MISSED, DUE_ASKED, DUE_DECLINED, DUE_FAILED
} DueOutcome;

typedef enum CatchUp
{
	CATCH_UP_ALL, CATCH_UP_LATEST, CATCH_UP_NONE, CATCH_UP_ASK
} CatchUp;

typedef struct DueDay
{
	char	   *job_name;
	DateADT		job_date;
	TimestampTz due_at;
	bool		late;			/* it was due more than a minute ago, */
	bool		missed;			/* or its grace has passed */
	CatchUp		catch_up;		/* of its job */
	int64		number;			/* among those of its job, from 1 on */
	DueOutcome	outcome;		/* what is to become of it */
} DueDay;

/* The days that are due and not settled, by number, due_at and job; outcome is not set. */
extern DueDay *josch_store_due_list(TimestampTz now, int *n);

/* The earliest day that is due and not settled by now, and the earliest after; DT_NOEND: there is none. */
typedef struct DueNext
{
	TimestampTz overdue;
	TimestampTz due_at;
} DueNext;

extern DueNext josch_store_due_next(TimestampTz now);

/* Whether the days of any job make themselves. */
extern bool josch_store_due_any(void);

/*
 * Writes what becomes of a day; of one that is there the outcome is set to that it
 * was made.  False when it has its row, or when its template is no longer what it
 * was when the day was listed.
 */
extern bool josch_store_due_note(DueDay *day, TimestampTz now, const char *comment);

/* The nodes that wait for a day that will not be made wait for it no longer. */
extern void josch_store_due_release(const char *job_name, const DateADT *dates, int n);

/* A day that somebody has made after all, or has taken back. */
extern void josch_store_due_made(const DayJob *jobs, int n);
extern void josch_store_due_taken_back(const DayJob *jobs, int n);

/*
 * Those of a job's days, or of all jobs' with NULL, that are not made: all with
 * dates NULL that somebody is asked about, else those of these dates, by date.
 */
extern DayJob *josch_store_due_open(const char *job_name, const DateADT *dates, int ndates, int *n);

/* Somebody has decided that they are not made. */
extern void josch_store_due_decline(const DayJob *jobs, int n, const char *comment);

/* The days of a job, or of all jobs with NULL, from one date to another that are not made, by date and job. */
extern DayJob *josch_store_due_between(DateADT from, DateADT to, const char *job_name, int *n);

/* The last day of a job that is settled; DATEVAL_NOBEGIN: none. */
extern DateADT josch_store_due_last(const char *job_name);

#endif							/* JOSCH_STORE_DUE_H */
