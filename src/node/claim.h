/*
 * src/node/claim.h
 *	  "I look at it": who has taken a node that waits for a person.
 */
#ifndef JOSCH_CLAIM_H
#define JOSCH_CLAIM_H

#include "base/josch.h"

#include "node/act.h"

/* Whether it is claim or unclaim, which are done like acts and move no node. */
extern bool josch_claim_is(const char *action);

/* Claims a node for the session user, or raises why not; returns until when. */
extern TimestampTz josch_claim(NodeKey key, const ActDetails *details);

/* Takes that back. */
extern void josch_unclaim(NodeKey key);

/* One of the two by its name, as josch_act does an act; returns the state that the node is in. */
extern NodeState josch_claim_act(NodeKey key, const char *action, const ActDetails *details);

#endif							/* JOSCH_CLAIM_H */
