/*
 * src/node/join.h
 *	  What the counts of its parents make of a node.
 *
 * Pure, but for josch_join_of, which reads a row of josch.nodes.  The same rule in SQL: JOSCH_SQL_LETS_RUN.
 */
#ifndef JOSCH_JOIN_H
#define JOSCH_JOIN_H

#include "base/josch.h"

#include "executor/tuptable.h"

#include "base/states.h"

/* A node's dependencies, counted by what their parents are; those of PARENT_NOTHING are in none of the counts. */
typedef struct JoschJoin
{
	int32		n[PARENT_MEANINGS];
	bool		any;			/* join_rule */
	bool		ends;			/* the end of its job: nothing is said of it before all of them have ended */
} JoschJoin;

/* What a parent is to a dependency: in this state, or NULL where there is no such node. */
extern ParentMeaning josch_join_parent(const JoschState *state, Condition condition, bool expected);

/* A node that waits is to run; it is to be omitted.  Neither is said of one that a person has started by force. */
extern bool josch_join_lets_run(const JoschJoin *join);
extern bool josch_join_omits(const JoschJoin *join);

/* The counts in a row of josch.nodes; josch_nodes has been looked up. */
extern JoschJoin josch_join_of(TupleTableSlot *node);

/* josch_join_lets_run, of a row with that alias, with the counts given. */
#define JOSCH_SQL_LETS_RUN(alias, unmet, impossible, satisfied) \
	"(" unmet " = 0 AND " impossible " = 0 OR " alias ".join_rule = 'any' AND " satisfied " > 0)"

#endif							/* JOSCH_JOIN_H */
