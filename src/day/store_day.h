/*
 * src/day/store_day.h
 *	  SQL that makes days out of templates, and takes them back.
 *
 * Every function opens and closes SPI itself, as the schema's owner;
 * results are palloc'd in the caller's context.  "templates" is the snapshot in
 * which the templates are read: one for all functions, so that a day is made
 * from one version of them.
 */
#ifndef JOSCH_STORE_DAY_H
#define JOSCH_STORE_DAY_H

#include "base/josch.h"

#include "utils/jsonb.h"
#include "utils/snapshot.h"

#include "base/rows.h"
#include "base/states.h"

/* A job of a date. */
typedef struct DayJob
{
	char	   *job_name;
	DateADT		job_date;
	char	   *time_zone;
	DateADT		expected_from;	/* others wait for its days from then on, also where they are not made */
	char	   *closed_by;		/* its calendar, where that has no such day; NULL */
	int64		nodes;			/* how many were made, or taken back */
	int64		dependencies;	/* of these, as children */
	bool		failed;			/* it could not be made */
} DayJob;

/* A node that is to be made. */
typedef struct DayNode
{
	NodeKey		key;
	int32		job;			/* index of its DayJob */
	bool		ends_job;		/* of type E */
	char	   *present_in;		/* the job in which it exists already, NULL: none */
	int32		counts[PARENT_MEANINGS];	/* of its parents */
	int32		level;
} DayNode;

typedef struct DayDependency
{
	NodeKey		parent;
	NodeKey		child;
	bool		expected;
	bool		missed;			/* the parent's job has been made for that date: what it
								 * does not have will not come */
	int32		lag;			/* in days of the parent's job; 0: the very date */
	DateADT		moved_to;		/* the parent's date, of a dependency that is to follow another day */
	Condition	condition;
} DayDependency;

/* The columns: parent and its date, child and its date, and the rest in the order of the struct. */
extern const JoschRow josch_store_day_dependency_row;

/*
 * The day of a parent that lies so many days from a date.  When there are not so
 * many, as many dates beyond the last: one that is not made, and holds nobody
 * back until it is.
 */
#define JOSCH_SQL_DAY_OF(job, node, date, days) \
	"CASE WHEN " days " = 0 THEN " date " ELSE" \
	" (SELECT coalesce(m.d[abs(" days ")], coalesce(m.d[cardinality(m.d)], " date ")" \
	"         + sign(" days ")::integer * (abs(" days ") - coalesce(cardinality(m.d), 0)))" \
	"    FROM (SELECT josch.made_days(" job ", " node ", " date ", " days ") AS d) m) END"

/* A command of a template node. */
typedef struct DayCommand
{
	int64		node_id;
	char	   *command;
} DayCommand;

/* A node that exists, and is locked now. */
typedef struct DayNeighbour
{
	NodeKey		key;
	NodeState	state;
	bool		waits;			/* it has not started */
	int32		level;
} DayNeighbour;

/* A node that has started. */
typedef struct DayStarted
{
	NodeKey		key;
	char	   *job_name;
	char	   *state;
	bool		has_run;
	char	   *running;		/* its run that has not ended, in words; or NULL */
} DayStarted;

/* Whether templates have that job; any job when the name is NULL. */
extern bool josch_store_day_has_template(Snapshot templates, const char *job_name);

/* What is to be made or taken back. */
typedef struct DayRequest
{
	const char *job_name;		/* NULL: all jobs */
	bool		has_date;		/* false: today in each job's own zone */
	DateADT		job_date;
	const char *default_zone;	/* of jobs that have none */
	bool		by_itself;		/* nobody has asked for it: then nobody is waited for who does nothing */
	Jsonb	   *params;			/* of the one job that is named; NULL: none */
} DayRequest;

/* The job that is requested, or all those that do not exist yet, by name. */
extern DayJob *josch_store_day_requested(Snapshot templates, const DayRequest *request, int *n);

/* Those of the jobs that do not exist yet; the templates may have changed since. */
extern DayJob *josch_store_day_missing(Snapshot templates, const DayJob *jobs, int njobs, int *n);

/* Commands of the jobs' nodes with a "$" in them, by node. */
extern DayCommand *josch_store_day_commands(Snapshot templates, const DayJob *jobs, int njobs,
											int *n);

/* Nodes of the jobs, by date, then by number. */
extern DayNode *josch_store_day_nodes(Snapshot templates, const DayJob *jobs, int njobs, int *n);

/* The one with that key; NULL when it is not among them. */
extern DayNode *josch_store_day_find(const DayNode *nodes, int n, NodeKey key);

/* Dependencies of the nodes, which are to be made, by child, then by parent. */
extern DayDependency *josch_store_day_dependencies(Snapshot templates, const DayJob *jobs,
												   const DayNode *nodes, int nnodes, int *n);

/* Dependencies of days in which the nodes, in the order of their dates, are parents. */
extern DayDependency *josch_store_day_children(const NodeKey *nodes, int nnodes, int *n);

/*
 * Dependencies with a lag on these nodes, whose days have been made or taken
 * back, that stand for another day now.
 */
extern DayDependency *josch_store_day_followers(const NodeKey *nodes, char *const *job_names, int nnodes,
												int *n);

/* Lets them stand for it. */
extern void josch_store_day_follow(const DayDependency *followers, int n);

/*
 * Locks those of the nodes that exist, in the order of (level, job_date,
 * node_id), waiting for whoever changes them; returns them by date and number.
 */
extern DayNeighbour *josch_store_day_lock(const NodeKey *nodes, int nnodes, int *n);

/* The copies.  They expect the suspended mode. */
extern void josch_store_day_insert_jobs(Snapshot templates, const DayJob *jobs, int n, bool by_itself, Jsonb *params);
extern int	josch_store_day_insert_nodes(Snapshot templates, const DayJob *jobs, int njobs,
										 const DayNode *nodes, int n);	/* how many */

/* What the nodes need that have been made. */
extern void josch_store_day_insert_semaphores(Snapshot templates, const DayJob *jobs, int njobs);

/* With children_made the foreign key to their children is not asked for, row by row. */
extern void josch_store_day_insert_dependencies(const DayDependency *dependencies, int n, bool children_made);

/* Lets the ends of jobs wait for these nodes, which were added to days, and for all others where they are ends themselves. */
extern void josch_store_day_end_waits(const NodeKey *added, int n);

/* The time zone of a job of a date; NULL when it does not exist. */
extern char *josch_store_day_zone(const char *job_name, DateADT job_date);

/* The jobs of a date, by name: the one with that name, or all when it is NULL. */
extern DayJob *josch_store_day_jobs(DateADT job_date, const char *job_name, int *n);

/* The nodes of the jobs, by date and number, and the names of their jobs. */
extern NodeKey *josch_store_day_keys(const DayJob *jobs, int njobs, char ***job_names, int *n);

/*
 * Up to limit nodes of the jobs that have started: that are neither waiting nor
 * skipped, or have a run.
 */
extern DayStarted *josch_store_day_started(const DayJob *jobs, int njobs, int limit, int *n);

/* Deletes the jobs with all that is in them, and sets their numbers.  Expects the suspended mode. */
extern void josch_store_day_delete(DayJob *jobs, int n);

#endif							/* JOSCH_STORE_DAY_H */
