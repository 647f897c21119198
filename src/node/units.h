/*
 * src/node/units.h
 *	  josch.units_in_use: what nodes have taken of semaphores, and of the places of their jobs and executors.
 *
 * A row is written with the run of its node, and goes with the node's state, whoever
 * changes that, in the same transaction.
 */
#ifndef JOSCH_UNITS_H
#define JOSCH_UNITS_H

#include "base/josch.h"

#include "base/node_key.h"
#include "base/table.h"
#include "datatype/timestamp.h"

/* units_in_use.limit_kind */
#define LIMIT_OF_SEMAPHORE 's'
#define LIMIT_OF_JOB 'j'
#define LIMIT_OF_EXECUTOR 'e'

/* What a node takes. */
typedef struct Units
{
	NodeKey		key;
	char		kind;
	const char *name;
	const char *job_name;
	int32		units;
} Units;

extern void josch_units_take(const Units *units, int n, TimestampTz now);

/* Of the first all that they have, of the others the places of their jobs.  The nodes are locked. */
extern void josch_units_give_back(const NodeKey *freed, int nfreed, const NodeKey *settled, int nsettled);

#endif							/* JOSCH_UNITS_H */
