/*
 * src/run/store_held.h
 *	  SQL of what is held back when the data was taken back to an earlier moment.
 *
 * The nodes are told by their message, which is the reason that josch.installation
 * keeps: whoever acts on one of them changes it.
 */
#ifndef JOSCH_STORE_HELD_H
#define JOSCH_STORE_HELD_H

#include "base/josch.h"

/*
 * Holds all nodes back that could start by themselves, and has those bear the new
 * reason that the former one (or NULL) holds; returns how many hold now.  Runs that are
 * under way are not tried again by themselves either: their nodes have no retries left.
 * Waits for nobody: -1, and nothing was done, when somebody has one of them locked.
 */
extern int	josch_store_held_hold(const char *reason, const char *former);

/* How many the reason still holds. */
extern int	josch_store_held_count(const char *reason);

/* Lets them go, in the name of the session's user; returns how many. */
extern int	josch_store_held_release(const char *reason, const char *comment);

/* The next run has a number above this one; outlasts the abort of the transaction. */
extern void josch_store_held_raise_last_run(int64 run_id);

#endif							/* JOSCH_STORE_HELD_H */
