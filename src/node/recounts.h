/*
 * src/node/recounts.h
 *	  josch.recounts: nodes whose parents are to be counted anew, because somebody held them.
 *
 * Whoever changes a parent and does not wait for the child leaves a note, of his own, that
 * becomes valid with his change.  The engine counts when the child is free.  It takes the
 * notes away first, and counts then: what it has not counted still has its note.
 */
#ifndef JOSCH_RECOUNTS_H
#define JOSCH_RECOUNTS_H

#include "base/josch.h"

#include "base/finder.h"

/* Notes that these are to be counted anew; expects engine mode. */
extern void josch_recounts_note(const NodeKey *keys, int n);

/* How many this process has noted so far. */
extern int64 josch_recounts_noted(void);

/* The notes, to be asked of several nodes; closed by josch_finder_close. */
extern void josch_recounts_open(JoschFinder *recounts);
extern bool josch_recounts_find(JoschFinder *recounts, NodeKey key);

/* Leaves out those of the items, each of which begins with a NodeKey, whose count is not true; returns how many are kept. */
extern int	josch_recounts_leave_out(void *items, int n, size_t size);

/* Up to so many noted nodes that nobody holds, each once: they are locked; palloc'd.  Notes of nodes that are gone are taken away. */
extern NodeKey *josch_recounts_list(int limit, int *n);

/* Takes away the notes of nodes that are locked, and are counted after that. */
extern void josch_recounts_take_away(const NodeKey *keys, int n);

#endif							/* JOSCH_RECOUNTS_H */
