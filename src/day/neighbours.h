/*
 * src/day/neighbours.h
 *	  What exists beside the days that are made or taken back: their jobs'
 *	  locks, their parents and children, and who follows another day now.
 */
#ifndef JOSCH_NEIGHBOURS_H
#define JOSCH_NEIGHBOURS_H

#include "base/josch.h"

#include "day/store_day.h"

/*
 * Locks the jobs; returns the templates as they were when all locks were held.
 * Which locks these are the templates say, so these are read again unless nobody
 * can have changed them since.  "locked", or NULL: the locks of that moment are held.
 */
extern Snapshot josch_neighbours_lock_jobs(const DayJob *jobs, int n, Snapshot locked);

/* Room for so many keys, which may be millions. */
extern NodeKey *josch_neighbours_keys(Size n);

/* One of those that josch_store_day_lock() returned; NULL: it is not among them. */
extern DayNeighbour *josch_neighbours_find(const DayNeighbour *neighbours, int n, NodeKey key);

/* Counts the parents of nodes that are locked and whose parents have come or gone. */
extern void josch_neighbours_recount(const DayDependency *later, int nlater);

/*
 * Dependencies on a previous day stand for another one now that days of these
 * nodes have been made or taken back.  Where the child has started they stay
 * what they were: what it has waited for.
 */
extern void josch_neighbours_follow(const NodeKey *nodes, char *const *job_names, int nnodes);

#endif							/* JOSCH_NEIGHBOURS_H */
