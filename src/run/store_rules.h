/*
 * src/run/store_rules.h
 *	  What a node says of its ends, read from its row.
 */
#ifndef JOSCH_STORE_RULES_H
#define JOSCH_STORE_RULES_H

#include "base/josch.h"

#include "base/finder.h"
#include "run/verdict.h"

/*
 * Of the node at hand, found by josch_nodes; palloc'd.  NULL when it says what it was born
 * with, as nearly all do: that costs no more than a look.
 */
extern RetryRules *josch_store_rules_read(JoschFinder *nodes);

#endif							/* JOSCH_STORE_RULES_H */
