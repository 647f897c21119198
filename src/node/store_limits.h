/*
 * src/node/store_limits.h
 *	  SQL of what nodes need: which of them are alike, and to which job their needs belong.
 */
#ifndef JOSCH_STORE_LIMITS_H
#define JOSCH_STORE_LIMITS_H

#include "base/josch.h"

#include "base/node_key.h"

/* Works out nodes.limit_group of these, which are locked meanwhile, in the order of all locks. */
extern void josch_store_limits_regroup(const NodeKey *keys, int n);

/* The nodes of a day of a job; palloc'd. */
extern NodeKey *josch_store_limits_nodes(const char *job_name, DateADT job_date, int *n);

/* The limit_group of a node of that job, were it to have that executor, or with NULL none. */
extern int64 josch_store_limits_group(const char *job_name, NodeKey key, const char *executor);

/* The job of a node; NULL when it does not exist. */
extern char *josch_store_limits_job(NodeKey key);

/* Whether nodes of any day need the semaphore by that name, or have units of it. */
extern bool josch_store_limits_is_needed(const char *semaphore_name);

#endif							/* JOSCH_STORE_LIMITS_H */
