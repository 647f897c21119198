/*
 * src/node/store_claim.h
 *	  SQL on josch.claims.
 */
#ifndef JOSCH_STORE_CLAIM_H
#define JOSCH_STORE_CLAIM_H

#include "base/josch.h"

typedef struct Claim
{
	char	   *job_name;
	char	   *claimed_by;
	TimestampTz claimed_at;
	TimestampTz claimed_until;
	const char *comment;		/* NULL for none */
} Claim;

/*
 * Makes the claim the node's, unless another person's is in force; *holder is the
 * one that is in force then.  The node is locked by the caller.
 */
extern void josch_store_claim_take(NodeKey key, const Claim *claim, Claim *holder);

/* The claim that is in force at a moment; false when there is none. */
extern bool josch_store_claim_find(NodeKey key, TimestampTz now, Claim *holder);

/* Ends it at that moment. */
extern void josch_store_claim_end(NodeKey key, TimestampTz now);

#endif							/* JOSCH_STORE_CLAIM_H */
