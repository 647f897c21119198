/*
 * src/node/act.h
 *	  What a person does to a node.
 */
#ifndef JOSCH_ACT_H
#define JOSCH_ACT_H

#include "base/josch.h"

#include "node/fsm.h"
#include "node/store_node.h"

typedef struct ActDetails
{
	const char *comment;		/* NULL for none */
	bool		descendants;	/* rerun: those too */
	int64		seen;			/* change_id of the node that was looked at; 0: whatever it is */
} ActDetails;

/* Does the act, or raises why not; returns the state after. */
extern NodeState josch_act(NodeKey key, const char *action, const ActDetails *details);

/*
 * Raises when somebody looked at the node as it was at an earlier change, and the act
 * would fit what it is now: it has failed a second time since.
 */
extern void josch_act_check_seen(NodeKey key, const NodeInfo *info, int64 seen);

#endif							/* JOSCH_ACT_H */
