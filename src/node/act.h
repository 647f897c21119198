/*
 * src/node/act.h
 *	  What a person does to a node.
 */
#ifndef JOSCH_ACT_H
#define JOSCH_ACT_H

#include "base/josch.h"

#include "node/fsm.h"

typedef struct ActDetails
{
	const char *comment;		/* NULL for none */
	bool		descendants;	/* rerun: those too */
	int64		seen;			/* change_id of the node that was looked at; 0: whatever it is */
} ActDetails;

/* Does the act, or raises why not; returns the state after. */
extern NodeState josch_act(NodeKey key, const char *action, const ActDetails *details);

#endif							/* JOSCH_ACT_H */
