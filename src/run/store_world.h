/*
 * src/run/store_world.h
 *	  Nodes that are ready and due, and wait for a file or a query.
 *
 * Results are palloc'd in the current context.
 */
#ifndef JOSCH_STORE_WORLD_H
#define JOSCH_STORE_WORLD_H

#include "base/josch.h"

#include "run/world.h"

typedef struct StoreWaited
{
	NodeKey		key;
	char	   *wait_file;		/* NULL: none, or it is there */
	int64		stable_ms;
	int64		interval_ms;
	uint64		query;			/* hash of wait_sql; 0: none, or it is true */
	Oid			owner;			/* InvalidOid: there is no such role */
	char	   *message;
} StoreWaited;

/* Of a wait_file or wait_sql; never 0. */
extern uint64 josch_store_world_hash(const char *text);

/* So many of them at most, in the order of their keys. */
extern StoreWaited *josch_store_world_list(int limit, int *n);

/* Puts facts into their nodes; returns how many rows were changed.  Those that are held are not done. */
extern int	josch_store_world_apply(WorldFact **facts, int n, int *held);

/* The wait_sql of that hash for which the node waits; NULL: it does not any more. */
extern char *josch_store_world_query(NodeKey key, uint64 query);

#endif							/* JOSCH_STORE_WORLD_H */
