/*
 * src/run/step.h
 *	  One bad node never stops the others: how a pass applies what it does.
 *
 * A pass goes the short way first, as one subtransaction: rows are locked and changed in
 * it, so that no lock has to be kept beside a change.  Only when something fails in it, the
 * pass goes step by step, each in a subtransaction of its own; what fails is halved until
 * the culprit stands alone.
 */
#ifndef JOSCH_STEP_H
#define JOSCH_STEP_H

#include "base/josch.h"

#include "run/engine.h"

/* What a step works on: a node, and the step's own data about it. */
typedef struct Piece
{
	NodeKey		key;
	RunEvent *event;			/* NULL for nodes that are ready */
	StoreOpenRun *run;
	WorldFact  *fact;
	bool		leaves;			/* with this event the run gives its place back */
	bool		recount;		/* to be counted: in no state in which it could fail */
} Piece;

/* Returns how many of them it has changed. */
typedef int (*JoschStep) (EnginePass *pass, Piece *items, int n, void *argument);

/* Applies the step to all items that let it be applied. */
extern void josch_step_apply_all(EnginePass *pass, JoschStep apply, Piece *items, int n, void *argument);

/*
 * Reads and locks what a step works on.  False when somebody holds a whole
 * table: then the step, of n things, is set aside, and others go on.
 */
extern bool josch_step_reach(EnginePass *pass, void (*work) (void *argument), void *argument, int n);

/* Nodes that a step takes in at most: of a pass that may take its time, or of one that may not. */
extern int	josch_step_limit(const EnginePass *pass);

/* Whether the node is left alone for a while; also notes when to come back to it. */
extern bool josch_step_is_quarantined(EnginePass *pass, NodeKey key);

/* Raises: a node that stays ready for all that is done to it would be taken up again and again. */
extern void josch_step_complain_of_suppression(const char *state);

/* The keys of the items, palloc'd. */
extern NodeKey *josch_step_keys(const Piece *items, int n);

#endif							/* JOSCH_STEP_H */
