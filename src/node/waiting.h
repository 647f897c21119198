/*
 * src/node/waiting.h
 *	  josch.waiting: the nodes that wait, each with what it waits for.
 *
 * The rows of josch.nodes are the truth.  This list follows from them, and is kept by the
 * trigger on that table, whoever changes it: so no index of nodes needs to know a state,
 * and a node may go through all its states in place.
 */
#ifndef JOSCH_WAITING_H
#define JOSCH_WAITING_H

#include "base/josch.h"

#include "executor/tuptable.h"

#include "base/finder.h"

/* waiting.waits_for */
#define WAITS_FOR_NOTHING '\0'	/* it does not stand in the list */
#define WAITS_FOR_TURN 'f'		/* free: ready, and needs no place */
#define WAITS_FOR_COMMAND 'c'	/* ready, and needs a place for a command */
#define WAITS_FOR_SQL 's'		/* ready, and needs a place for SQL */
#define WAITS_FOR_TIME 't'		/* ready, and not known to be due */
#define WAITS_FOR_WORLD 'w'		/* ready and due, and waits for a file, or for wait_sql */
#define WAITS_FOR_PERSON 'p'
#define WAITS_FOR_RELEASE 'h'	/* held */
#define WAITS_FOR_RULE 'o'		/* it is to be omitted, or is omitted and not to be so any more */
#define WAITS_FOR_LIMIT 'l'		/* ready, and needs units, or has a priority, besides a place */
#define WAITS_FOR_RESUME 'x'	/* ready, and its job or day was paused when its turn came */

typedef struct Waiting
{
	char		waits_for;
	char		turn;			/* the line in which it stands, of one that is ready when it is due; else WAITS_FOR_NOTHING */
	TimestampTz due_at;			/* of such a node; DT_NOBEGIN: at once */
	NodeKey		key;
	int64		group;			/* of one whose turn is WAITS_FOR_LIMIT: the same for all that are alike in need and priority, and of a kind */
	TimestampTz since;			/* of such a node: from when on it could have started */
} Waiting;

/* A row as the finders want it: those that wait for their time are in its order, those with limits by group, and by how long they wait. */
#define JOSCH_WAITING_KEYS 5
extern void josch_waiting_datums(const Waiting *waiting, Datum datums[JOSCH_WAITING_KEYS]);

/*
 * What the node in the slot, a row of josch.nodes, waits for; josch_nodes has been looked up.
 * Whatever the clock says: one that has a time waits for it, and a pass finds that it has come.
 */
extern Waiting josch_waiting_of(TupleTableSlot *node);

/* Whether both say the same: one row of the list does for them. */
extern bool josch_waiting_equal(const Waiting *a, const Waiting *b);

/* Finds the row of a node; of one whose time has come, or that is paused, it says so no more. */
extern bool josch_waiting_find(JoschFinder *list, Waiting waiting);

/* The row at hand. */
extern Waiting josch_waiting_read_row(JoschFinder *list);

/* Up to so many whose time has come, the first ones first; palloc'd. */
extern Waiting *josch_waiting_list_due(TimestampTz now, int limit, int *n);

/* Rows of the table; those that are there, or not there, already are left so. */
extern void josch_waiting_take_out(const Waiting *rows, int n);
extern void josch_waiting_put_in(const Waiting *rows, int n);

#endif							/* JOSCH_WAITING_H */
