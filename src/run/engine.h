/*
 * src/run/engine.h
 *	  One pass: what happened is applied, what is ready is started.
 *
 * Runs inside the caller's transaction, READ COMMITTED, and leaves the
 * commit to it.  Never waits for a row lock; what others hold is set aside.
 * One node's error never stops another: a statement that fails for many is
 * narrowed down to the one, which goes to failed with the error's text.
 */
#ifndef JOSCH_ENGINE_H
#define JOSCH_ENGINE_H

#include "base/josch.h"

#include "node/queue.h"
#include "run/run_event.h"
#include "run/store_run.h"

/* run/world.h */
typedef struct WorldFact WorldFact;

typedef struct EnginePass
{
	/* in */
	TimestampTz now;
	RunEvent  **events;
	int			nevents;
	WorldFact **facts;			/* what nodes have waited for outside */
	int			nfacts;
	int			max_commands;	/* commands that may run at once; 0: start none */
	int			max_sql;		/* SQL runs that may run at once; 0: start none */
	bool		woken;			/* others have changed something: nodes may have been noted, and no mark holds */
	bool		places_known;	/* open[] is what runs take places, by QueueLine; else it is counted */
	int			open[QUEUE_LINES];
	QueueMarks	marks;			/* in and out: where to look for what is ready */
	StoreRunner runner;
	bool		events_only;	/* what happened is applied, and nothing is begun */
	int			budget_ms;		/* when it has taken so long it ends at the next occasion; 0: never */

	/* out, palloc'd in the caller's context */
	StoreLaunch *launches;		/* to be sent after the commit */
	int			nlaunches;
	bool		more;			/* its time was up, and more can be begun at once */
	int			ended[QUEUE_LINES];	/* runs that have given their places back */
	int			set_aside;		/* nodes and events that somebody else holds */
	TimestampTz retry_at;		/* when to try again with what failed and could not
								 * be recorded as failed; DT_NOEND: nothing */
	JoschRunKey *strays;		/* runs that are closed though their commands live:
								 * to be stopped after the commit */
	int			nstrays;
	const char *trouble;		/* why nodes are set aside that passing errors keep from being handled; or NULL */
	int64		changes;		/* nodes and runs that were changed */

	/* its own */
	bool		short_way;		/* one subtransaction (step.h) */
	bool		recounts_wait;	/* josch.recounts may have rows, from before this pass */
	int64		noted;			/* josch_recounts_noted() before it */
	int			free[QUEUE_LINES];	/* places that are left */

	StoreOutlook outlook;		/* set by josch_engine_look_ahead */
} EnginePass;

extern void josch_engine_pass(EnginePass *pass);

/*
 * What comes next: reads only, and is not needed for the launches, so it can
 * follow them in a transaction of its own.  Adds to set_aside what was locked.
 */
extern void josch_engine_look_ahead(EnginePass *pass);

#endif							/* JOSCH_ENGINE_H */
