/*
 * src/import/import.h
 *	  Jobs of other schedulers, on their way into tables that josch.load_schema() reads.
 *
 * Nothing of theirs is changed, and nothing is loaded: whoever imports looks, and loads then.
 */
#ifndef JOSCH_IMPORT_H
#define JOSCH_IMPORT_H

#include "base/josch.h"

#include "import/cron.h"
#include "template/findings.h"

typedef struct Import
{
	const char *schema;
	const char *prefix;			/* of the names of jobs and calendars */
	JoschFindings *findings;	/* what could not be carried over, and what is to be known */
	int			njobs;
} Import;

/*
 * Begins with the tables, which are made where they are not there; inside of josch_spi_begin_as_caller.
 * The schema's name is written as in SQL, in quotation marks where it has to be.
 */
extern void josch_import_begin(Import *import, const char *schema, const char *prefix);

/* One thing that a job does; those of a job follow each other. */
typedef struct ImportedStep
{
	const char *name;
	const char *command;		/* either of these, or none */
	const char *sql;
	bool		sql_atomic;
	const char *owner;			/* NULL: who loads */
	const char *timeout;		/* NULL: none */
	bool		may_fail;		/* what follows it does so whatever became of it, and nobody is asked */
} ImportedStep;

typedef struct ImportedJob
{
	const char *source;			/* "line 7", for what is told of it */
	const char *name;
	const char *description;
	const char *time_zone;		/* NULL: that of jobs that name none */
	bool		paused;
	const char *valid_from;		/* NULL: from the day on which it is loaded */
	const char *valid_to;		/* NULL: for ever */
	int			max_running;	/* 0: any number */
	const ImportedStep *steps;
	int			nsteps;
	const char *on_error;		/* SQL that runs when one of the steps has failed; NULL: none */
	const char *semaphore;		/* that each of its nodes takes units of; NULL: none */
	int			units;
} ImportedJob;

/* import.c: on the days of a calendar of the schema (NULL: all dates), at these times. */
extern void josch_import_job_at(Import *import, const ImportedJob *job, const char *calendar, const CronSlot *slots, int nslots);

/* As cron says. */
extern void josch_import_job(Import *import, const ImportedJob *job, const Cron *cron);

/* Whether SQL cannot run in a transaction with others; that it does not parse is told. */
extern bool josch_import_sql_is_alone(Import *import, const char *source, const char *sql);

/* import_days.c: the calendar of the days of cron, which jobs with the same share; NULL: all dates. */
extern const char *josch_import_days(const Import *import, const Cron *cron, const CronPlan *plan);

/* The same without some dates, under a name of its own. */
extern void josch_import_days_but(const Import *import, const char *name, const char *calendar, const char *const *dates, int n);

/* The dates of any of the calendars (not NULL), under a name. */
extern void josch_import_days_of_any(const Import *import, const char *name, const char *const *calendars, int n);

/* A variable of all commands. */
extern void josch_import_variable(Import *import, const char *source, const char *name, const char *value);

/* crontab.c: the lines of a crontab */
extern void josch_import_crontab(Import *import, const char *crontab, bool has_user, const char *time_zone);

/* pg_cron.c, pgagent.c, pg_timetable.c: what is in their tables; josch_import_begin has been called */
extern void josch_import_pg_cron(Import *import);
extern void josch_import_pgagent(Import *import);
extern void josch_import_pg_timetable(Import *import);

#endif							/* JOSCH_IMPORT_H */
