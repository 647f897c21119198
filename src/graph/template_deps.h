/*
 * src/graph/template_deps.h
 *	  The dependencies of template nodes, by child, past the planner.
 *
 * What a job depends on is read child by child, so that it takes no longer for all that
 * other jobs have, whatever statistics say of the tables.  "templates" is the snapshot in
 * which they are read; what the transaction itself has written is seen.
 */
#ifndef JOSCH_TEMPLATE_DEPS_H
#define JOSCH_TEMPLATE_DEPS_H

#include "base/josch.h"

#include "utils/snapshot.h"

#include "base/finder.h"

typedef struct TemplateDep
{
	int64		parent;
	int64		child;
	int32		days;			/* from the child's day to the parent's */
	int32		condition;		/* one of Condition */
} TemplateDep;

/* Closed by josch_finder_close. */
extern void josch_template_deps_open(JoschFinder *deps, Snapshot templates);
extern void josch_template_deps_seek(JoschFinder *deps, int64 child);
extern bool josch_template_deps_next(JoschFinder *deps, TemplateDep *dep);

/* The other jobs that these depend on, each once; palloc'd. */
extern char **josch_template_deps_parent_jobs(Snapshot templates, char *const *job_names, int n, int *nparents);

/* The other jobs that are one step from these, in either direction, as it is now. */
extern char **josch_template_deps_linked_jobs(char *const *job_names, int n, int *nlinked);

#endif							/* JOSCH_TEMPLATE_DEPS_H */
