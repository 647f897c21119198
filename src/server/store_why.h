/*
 * src/server/store_why.h
 *	  SQL for who asks why a node does not start.
 *
 * Results are palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_WHY_H
#define JOSCH_STORE_WHY_H

#include "base/josch.h"

/* Of which kind of place a node needs one. */
typedef enum WhyRuns
{
	WHY_RUNS_NOTHING,
	WHY_RUNS_COMMAND,
	WHY_RUNS_SQL
} WhyRuns;

/* What is on record of a node that is asked about, or that one of these waits for. */
typedef struct WhyNode
{
	NodeKey		key;
	bool		there;			/* false: its day is not made, or does not have it */
	bool		ends_job;		/* of type E: the whole job is waited for */
	char	   *job_name;		/* of one that is not there, from the templates; or NULL */
	char	   *node_name;
	char	   *state;
	TimestampTz since;
	TimestampTz due_at;			/* DT_NOBEGIN: none */
	TimestampTz not_before;		/* of the next attempt, or repetition; DT_NOBEGIN: none */
	bool		repeated;		/* it is no retry */
	char		waits_for;		/* as josch.waiting has it; WAITS_FOR_NOTHING */
	int32		runs;			/* WhyRuns */
	bool		ended;			/* it has run, and says itself what became of it */
	int32		unmet;			/* parents that it waits for */
	bool		recounted;		/* its parents are to be counted anew */
	char	   *wait_file;		/* as long as that is not found; or NULL */
	char	   *wait_sql;		/* as long as that is not true; or NULL */
	char	   *message;
	char	   *acted_by;
	char	   *claimed_by;
	char	   *day;			/* of one that is not there: what has become of its day (josch.job_days), or NULL */

	/* found on the way */
	int			below;			/* index of the node that waits for it; -1: it is asked about */
	int			depth;
} WhyNode;

/* The nodes, in the order of the keys. */
extern WhyNode *josch_store_why_nodes(const NodeKey *keys, int n);

/* A dependency that waits. */
typedef struct WhyParent
{
	int32		child;			/* index among the keys */
	NodeKey		parent;
} WhyParent;

/* What these wait for, by child; at most so many. */
extern WhyParent *josch_store_why_parents(const NodeKey *keys, int nkeys, int limit, int *n);

#endif							/* JOSCH_STORE_WHY_H */
