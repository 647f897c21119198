/*
 * src/import/store_import.h
 *	  SQL on the tables of an import, and on those of other schedulers; with the caller's rights.
 */
#ifndef JOSCH_STORE_IMPORT_H
#define JOSCH_STORE_IMPORT_H

#include "base/josch.h"

/* Makes the schema, and those of the tables that are not there. */
extern void josch_store_import_make_tables(const char *schema);

/* A row of a table; values are texts, those that are NULL are left out. */
#define IMPORT_MAX_COLUMNS 16
extern void josch_store_import_insert(const char *schema, const char *table, const char *const *columns, const char *const *values, int n);

/* The value of a column in the row that has the text in another; NULL when there is none. */
extern char *josch_store_import_value(const char *schema, const char *table, const char *column, const char *key, const char *value);

/* The number of the stored node of the name in a job, or else one that no node has. */
extern char *josch_store_import_node_id(const char *job_name, const char *node_name);

/* The zone in which this session has its times. */
extern char *josch_store_import_session_zone(void);

/* A row of cron.job; texts may be NULL. */
typedef struct PgCronJob
{
	int64		jobid;
	char	   *schedule;
	char	   *command;
	char	   *nodename;
	char	   *database;
	char	   *username;
	bool		active;
	char	   *jobname;
	bool		is_here;		/* of this database */
	bool		same_name;		/* another has it, too */
} PgCronJob;

/* ERROR when pg_cron is not there. */
extern PgCronJob *josch_store_import_pg_cron(int *n);

/* The zone of its schedules. */
extern char *josch_store_import_pg_cron_zone(void);

#endif							/* JOSCH_STORE_IMPORT_H */
