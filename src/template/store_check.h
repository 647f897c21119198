/*
 * src/template/store_check.h
 *	  SQL on templates that have been loaded, for those who look whether they can be meant.
 *
 * All of it runs with the caller's rights, inside a bracket of josch_spi_begin_as_caller.
 */
#ifndef JOSCH_STORE_CHECK_H
#define JOSCH_STORE_CHECK_H

#include "base/josch.h"

#include "template/store_template.h"

/* The lines of rows of a batch, by its key of one column, as text; -1 for those that it does not have. */
extern void josch_store_check_lines(const TemplateBatch *batch, char *const *keys, int n, int *lines);

typedef struct CheckedNode
{
	int64		node_id;
	char	   *node_name;
	char	   *job_name;
	char	   *exec_command;
	char	   *ready_command;
	char	   *work_dir;
	char	   *wait_file;
	char	   *exec_sql;
	char	   *wait_sql;
	bool		exec_sql_atomic;
	bool		elsewhere;		/* an executor runs its command */
	bool		repeats_never;	/* its repeats end before the second run */
} CheckedNode;

/* Calls "take" for each node of the batch as it is stored, which lives until take returns. */
typedef void (*TakeCheckedNode) (const CheckedNode *node, void *arg);
extern void josch_store_check_nodes(const TemplateBatch *nodes, TakeCheckedNode take, void *arg);

/* The value of a variable for all commands; NULL when there is none. */
extern char *josch_store_check_variable(const char *name);

typedef struct CheckedJob
{
	char	   *job_name;
	char	   *calendar_name;	/* NULL: none */
	bool		makes_itself;	/* schedule_at */
	bool		paused;
	bool		says_catch_up;
	bool		has_nodes;
	bool		is_over;		/* valid_to has passed */
	DateADT		first;			/* the first day from today on that may be made */
	DateADT		last;			/* DATEVAL_NOEND: there is none */
} CheckedJob;

/* The jobs of those names, in their order. */
extern CheckedJob *josch_store_check_jobs(Datum job_names, int *n);

typedef struct CheckedCalendar
{
	char	   *calendar_name;
	DateADT		today;
} CheckedCalendar;

/* The calendars of those jobs, and those of a batch (NULL: none), in the order of their names. */
extern CheckedCalendar *josch_store_check_calendars(Datum job_names, const TemplateBatch *calendars, int *n);

/* Jobs of which one depends on the other. */
typedef struct CheckedLink
{
	int64		node_id;		/* the first node that depends, */
	char	   *node_name;
	char	   *job_name;		/* of this job */
	char	   *calendar_name;
	char	   *parent_job;
	char	   *parent_calendar;
	int32		days;			/* p_date - c_date */
	bool		makes_itself;
	bool		parent_makes_itself;
	bool		parent_is_over;
	DateADT		parent_last;
	DateADT		today;
} CheckedLink;

extern CheckedLink *josch_store_check_links(Datum job_names, int *n);

#endif							/* JOSCH_STORE_CHECK_H */
