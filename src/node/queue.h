/*
 * src/node/queue.h
 *	  The nodes whose turn it is, as one pass takes them.
 *
 * They come from josch.waiting, and from the pass itself: what becomes ready in it, and is
 * taken in it, never gets there.  All calls between open and close belong to one
 * subtransaction; when that is rolled back the queue is closed.
 */
#ifndef JOSCH_QUEUE_H
#define JOSCH_QUEUE_H

#include "base/josch.h"

#include "node/waiting.h"

/* One for each kind of place that a node needs, and one for those that a rule moves. */
typedef enum QueueLine
{
	QUEUE_FREE,					/* it needs none */
	QUEUE_COMMANDS,
	QUEUE_SQL,
	QUEUE_RULES,				/* to be omitted, or taken back */
	QUEUE_LINES
} QueueLine;

/*
 * Where a pass begins to read: no row of the table comes before that, of those that the
 * former passes have seen.  Whatever others commit must reset it to "not known".
 */
typedef struct QueueMarks
{
	bool		known[QUEUE_LINES];
	NodeKey		from[QUEUE_LINES];
	bool		limits_settled; /* of those that have limits none can start, as far as was seen */
	bool		no_pauses;		/* nothing is paused, or was so until lately */
} QueueMarks;

/*
 * What becomes ready is kept here until the end.  Without marks it is written to the
 * table at once, and the pass sees it when it opens the queue anew.
 */
extern void josch_queue_open(const QueueMarks *marks);

/* The next ones of a line, up to so many, in the order of their keys; returns how many. */
extern int	josch_queue_take(QueueLine line, int limit, NodeKey *keys);

/* As many as josch_queue_take would give, left where they are. */
extern int	josch_queue_peek(QueueLine line, int limit, NodeKey *keys);

/* Those that have limits stand in the table alone.  Settled: they have been looked at, and nothing that they wait for has changed since. */
extern bool josch_queue_limits_settled(void);
extern void josch_queue_settle_limits(void);
extern void josch_queue_unsettle_limits(void);

/* Known from the marks, or noted for them. */
extern bool josch_queue_no_pauses(void);
extern void josch_queue_note_no_pauses(void);

/* Writes what is left into the table; sets the marks, if there are any. */
extern void josch_queue_close(QueueMarks *marks);

/* Nodes have left the list of what waits, and others have come into it: the changes of one statement, in a pass or not. */
extern void josch_queue_change(const Waiting *gone, int ngone, const Waiting *come, int ncome);

/*
 * Nodes whose time has come wait for their turn from now on: up to so many.  Returns how
 * many have come; what somebody holds is left, and counted.  Expects engine mode.
 */
extern int	josch_queue_come_due(TimestampTz now, int limit, int *held);

#endif							/* JOSCH_QUEUE_H */
