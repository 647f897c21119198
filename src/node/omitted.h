/*
 * src/node/omitted.h
 *	  Why a node is omitted, or a job has not ended well, in words.
 */
#ifndef JOSCH_OMITTED_H
#define JOSCH_OMITTED_H

#include "base/josch.h"

#include "executor/tuptable.h"

#include "base/finder.h"

/* For several nodes, one after the other. */
typedef struct JoschOmitted
{
	JoschFinder parents;
	JoschFinder nodes;
} JoschOmitted;

extern void josch_omitted_open(JoschOmitted *omitted);
extern void josch_omitted_close(JoschOmitted *omitted);

/*
 * Of the node in the slot, a row of josch.nodes: the first parent, by date and number, that keeps
 * it from running, and what that parent is; palloc'd.
 */
extern char *josch_omitted_why(JoschOmitted *omitted, TupleTableSlot *node);

#endif							/* JOSCH_OMITTED_H */
