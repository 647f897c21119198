/*
 * src/import/cron.h
 *	  When a line of a crontab is due, in cron's own terms and in those of JOSCH.
 *
 * Pure.  The dialect is that of Vixie's crond, which pg_cron has too: five fields; a date is
 * due when both the day of the month and the weekday have it, where one of the two fields
 * begins with *, else when either has.  For pg_timetable it is always both.
 */
#ifndef JOSCH_CRON_H
#define JOSCH_CRON_H

#include "base/josch.h"

typedef enum CronDialect
{
	CRON_OF_CROND,
	CRON_OF_PG_CRON,
	CRON_OF_PG_TIMETABLE
} CronDialect;

typedef struct Cron
{
	bool		minutes[60];
	bool		hours[24];
	bool		month_days[32];	/* from 1 on */
	bool		last_day;		/* of each month: pg_cron's $ */
	bool		months[13];		/* from 1 on */
	bool		weekdays[8];	/* ISO: 1 is Monday */
	bool		no_month_day;	/* none of the months has one of those days of the month */
	bool		both;			/* day of the month and weekday, not either */
	int			seconds;		/* pg_cron's "30 seconds"; 0: by the fields */
	char	   *days;			/* what stands in the fields of days, "1 * *"; NULL: a word */
	const char *whose;			/* "cron": who reads these fields so */
} Cron;

/* Reads an expression, which ends with the text; NULL, or why it cannot be. */
extern char *josch_cron_parse(const char *text, CronDialect dialect, Cron *cron);

/* Whether one of the months has one of the days of the month: February has no 30th. */
extern bool josch_cron_has_a_day(const Cron *cron);

/* Once at a time of the day, or again and again; in seconds from midnight. */
typedef struct CronSlot
{
	int			start;
	int			every;			/* 0: once */
	int			until;
} CronSlot;

/* A calendar of JOSCH's. */
typedef struct CronCalendar
{
	char	   *weekdays;		/* "{1,2}" */
	char	   *rule;			/* NULL: none */
} CronCalendar;

typedef struct CronPlan
{
	int			ncalendars;		/* 0: all dates; 2: the dates of either */
	CronCalendar calendars[2];
	int			nslots;
	CronSlot   *slots;			/* in the order of their starts */
} CronPlan;

/* The same days and times, as a calendar, and as nodes of its days; palloc'd. */
extern CronPlan *josch_cron_plan(const Cron *cron);

/* The times alone, of a set of minutes of the day. */
#define CRON_MINUTES (24 * 60)
extern void josch_cron_plan_times(CronPlan *plan, const bool *minutes);

#endif							/* JOSCH_CRON_H */
