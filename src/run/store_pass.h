/*
 * src/run/store_pass.h
 *	  What a pass reads and writes: nodes and runs by their keys.
 *
 * The path that every hop takes.  Each function is one statement for each table that it
 * writes, of as many rows as the pass has; no plan is made.  All expect engine mode and
 * an active snapshot, and wait for no row: what is locked by others is left out, and the
 * caller comes back to it.  Results are palloc'd in the current context.
 */
#ifndef JOSCH_STORE_PASS_H
#define JOSCH_STORE_PASS_H

#include "base/josch.h"

#include "run/store_run.h"

/*
 * Of the given runs, in ascending order, locks those that are open, with their nodes, and
 * returns them.  closed[i] is set for those that are not open (any more), or do not exist;
 * a run that is neither returned nor closed is locked by somebody.  A run whose node is
 * gone is returned as one that is not current.
 */
extern StoreOpenRun *josch_store_pass_lock(const int64 *run_ids, int n, bool *closed, int *found);

/* The commands of these runs, which are locked, have started. */
extern void josch_store_pass_started(const RunEvent *events, int n);

/* The locked runs have ended; so have their nodes, where these are moved. */
extern void josch_store_pass_end(const StoreEnd *ends, int n);

/* What became of nodes whose turn it was; those that have gone on meanwhile are none of these. */
typedef struct StoreTaken
{
	int			done;
	int			held;			/* by somebody */
	NodeState	suppressed;		/* a trigger has kept one from going there; READY: none */
} StoreTaken;

/* Moves nodes that are ready, and run nothing, to the state that their type says. */
extern StoreTaken josch_store_pass_move(const NodeKey *keys, int n, NodeState (*state_for) (char node_type));

/* Omits those of the nodes that wait, with the reason, and takes those back that are omitted, as the counts of their parents say. */
extern StoreTaken josch_store_pass_omit(const NodeKey *keys, int n);

/* Writes the intent: a run for each of the nodes that are ready, and wait for that (waiting.h), and those to running. */
extern StoreLaunch *josch_store_pass_launch(const NodeKey *keys, int n, char turn, const StoreRunner *runner, int *launched, int *held);

/* The same data for runs that are open already (to send them again). */
extern StoreLaunch *josch_store_pass_reload(const int64 *run_ids, int n, int *loaded);

#endif							/* JOSCH_STORE_PASS_H */
