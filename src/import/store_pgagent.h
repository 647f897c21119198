/*
 * src/import/store_pgagent.h
 *	  The tables of pgAgent; read with the caller's rights.
 */
#ifndef JOSCH_STORE_PGAGENT_H
#define JOSCH_STORE_PGAGENT_H

#include "base/josch.h"

typedef struct PgAgentJob
{
	int64		jobid;
	char	   *name;
	char	   *description;
	char	   *host;			/* the only agent that may run it; empty: any */
	bool		enabled;
	bool		same_name;		/* another has it, too */
} PgAgentJob;

typedef struct PgAgentStep
{
	int64		jobid;
	char	   *name;
	char	   *code;
	char	   *database;
	bool		enabled;
	bool		is_sql;
	bool		is_here;		/* SQL of this database */
	bool		has_connection; /* by a connection string of its own */
	bool		may_fail;
} PgAgentStep;

typedef struct PgAgentSchedule
{
	int64		jscid;
	int64		jobid;
	char	   *name;
	char	   *first_day;		/* when it begins after today; NULL */
	char	   *last_day;		/* NULL: it does not end */
	bool		is_live;		/* enabled, and not over */
	char	   *minutes;		/* letters t and f */
	char	   *hours;
	char	   *weekdays;		/* from Sunday on */
	char	   *month_days;		/* the 32nd is the last of the month */
	char	   *months;
} PgAgentSchedule;

typedef struct PgAgentException
{
	int64		jscid;
	char	   *date;			/* NULL: each */
	int			minute;			/* of the day; -1: all of it */
} PgAgentException;

typedef struct PgAgent
{
	PgAgentJob *jobs;
	int			njobs;
	PgAgentStep *steps;			/* by job, in their order */
	int			nsteps;
	PgAgentSchedule *schedules; /* by job */
	int			nschedules;
	PgAgentException *exceptions;
	int			nexceptions;
} PgAgent;

/* ERROR when pgAgent is not there. */
extern void josch_store_pgagent_read(PgAgent *agent);

#endif							/* JOSCH_STORE_PGAGENT_H */
