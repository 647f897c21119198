/*
 * src/day/parent_results.h
 *	  Results of a node's parents, as variables of its command.
 */
#ifndef JOSCH_PARENT_RESULTS_H
#define JOSCH_PARENT_RESULTS_H

#include "base/josch.h"

#include "base/finder.h"

/* What they are read with; opened once for many nodes. */
typedef struct ParentResults
{
	bool		any;			/* some run has said something */
	JoschFinder reports;
	bool		opened;			/* the other two: where there are parents to be asked */
	JoschFinder parents;
	JoschFinder nodes;
} ParentResults;

typedef struct ParentResult
{
	char	   *name;			/* of the variable */
	char	   *value;
} ParentResult;

extern void josch_parent_results_open(ParentResults *results);

/*
 * Each result twice, by its name alone and with its node's, in the order of the names;
 * what more than one parent would give is none.  palloc'd.
 */
extern ParentResult *josch_parent_results_read(ParentResults *results, NodeKey child, int *n);

extern void josch_parent_results_close(ParentResults *results);

#endif							/* JOSCH_PARENT_RESULTS_H */
