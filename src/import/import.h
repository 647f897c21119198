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

/* One that is due as cron says, and does one thing. */
typedef struct ImportedJob
{
	const char *source;			/* "line 7", for what is told of it */
	const char *name;
	const char *description;
	const char *time_zone;		/* NULL: that of jobs that name none */
	bool		paused;
	const char *command;		/* either of these */
	const char *sql;
	bool		sql_atomic;
	const char *owner;			/* NULL: who loads */
} ImportedJob;

extern void josch_import_job(Import *import, const ImportedJob *job, const Cron *cron);

/* A variable of all commands. */
extern void josch_import_variable(Import *import, const char *source, const char *name, const char *value);

/* crontab.c: the lines of a crontab */
extern void josch_import_crontab(Import *import, const char *crontab, bool has_user, const char *time_zone);

/* pg_cron.c: josch_import_begin has been called */
extern void josch_import_pg_cron(Import *import);

#endif							/* JOSCH_IMPORT_H */
