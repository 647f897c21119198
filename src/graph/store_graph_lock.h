/*
 * src/graph/store_graph_lock.h
 *	  Locks of those who change templates' dependencies, and of those who make days.
 *
 * All are held until the transaction ends, and waited for as josch_wait does.
 */
#ifndef JOSCH_STORE_GRAPH_LOCK_H
#define JOSCH_STORE_GRAPH_LOCK_H

#include "base/josch.h"

#include "utils/snapshot.h"

/* Whoever replaces many templates: nobody else changes a template dependency. */
extern void josch_store_graph_lock_templates(void);

/*
 * Whoever has added or changed template dependencies of these nodes: nobody
 * else adds one to a job that is linked with theirs.
 */
extern void josch_store_graph_lock_linked(const int64 *node_ids, int n);

/* Whoever has added dependencies of these nodes to days. */
extern void josch_store_graph_lock_added(const NodeKey *keys, int n);

/* Whoever is about to add this node to a day of the job: asked for each row, so nothing is planned for it. */
extern void josch_store_graph_lock_node(NodeKey key, char *job_name);

/*
 * Whoever has given nodes of the templates to another job, or renamed one (the
 * names before and after), or adds nodes to days of these jobs.
 */
extern void josch_store_graph_lock_jobs(char *const *job_names, int n);

typedef enum DayLocks
{
	DAY_LOCKS_REFUSED,			/* others hold them */
	DAY_LOCKS_TAKEN,
	DAY_LOCKS_HELD				/* as before */
} DayLocks;

/*
 * Whoever makes days of all jobs: their turn, so that no two of them each have a
 * part of the locks that both want.  The error says why the turn did not come:
 * who has it does nothing, or the caller's lock_timeout has passed, or a deadlock.
 */
extern ErrorData *josch_store_graph_lock_all_days(void);

/*
 * Whoever makes or takes back days of these jobs, as the templates in a snapshot
 * have them: nobody else makes, takes back or adds to a day of these, and nobody
 * makes or takes back one of those that they depend on.  The only function that
 * waits without saying so: to be called in a josch_wait_attempt, or not to wait.
 * What is looked at under the locks has to be looked at after they were taken.
 */
extern DayLocks josch_store_graph_lock_days(Snapshot templates, char *const *job_names, int n,
											bool waits);

#endif							/* JOSCH_STORE_GRAPH_LOCK_H */
