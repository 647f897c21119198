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

#include "run/plan.h"
#include "run/store_run.h"

typedef enum EngineEventType
{
	ENGINE_RUN_STARTED,
	ENGINE_RUN_UP,
	ENGINE_RUN_ENDED
} EngineEventType;

/* Something that happened to a run. */
typedef struct EngineEvent
{
	EngineEventType type;
	int64		run_id;
	int32		pid;			/* 0: not known */
	TimestampTz started_at;		/* 0: not known */
	TimestampTz up_at;			/* UP */
	TimestampTz ended_at;		/* ENDED; 0: now */
	RunEndKind	kind;			/* ENDED */
	int			value;			/* ENDED: exit code or signal */
	bool		timed_out;
	double		cpu_seconds;	/* < 0: not known */
	int64		peak_memory;	/* bytes; < 0: not known */
	char	   *text;			/* reason, or NULL */
	char	   *output_tail;	/* or NULL */
	bool		utf8;			/* the two texts are UTF-8, not yet in the
								 * database's encoding; for the caller */
	bool		done;			/* set by the pass: applied, or of no concern any
								 * more; else it is to be given again */
} EngineEvent;

typedef struct EnginePass
{
	/* in */
	TimestampTz now;
	EngineEvent **events;
	int			nevents;
	int			max_commands;	/* commands that may run at once; 0: start none */
	int			max_sql;		/* SQL runs that may run at once; 0: start none */
	int			open_bound;		/* no more than so many runs are open; -1: not known */
	StoreRunner runner;

	/* out, palloc'd in the caller's context */
	StoreLaunch *launches;		/* to be sent after the commit */
	int			nlaunches;
	int			left;			/* nodes that were due and could be locked, and
								 * stay ready: for a place */
	int			set_aside;		/* nodes and events that somebody else holds */
	TimestampTz retry_at;		/* when to try again with what failed and could not
								 * be recorded as failed; DT_NOEND: nothing */
	int64	   *strays;			/* runs that are closed though their commands live:
								 * to be stopped after the commit */
	int			nstrays;
	int64		changes;		/* nodes and runs that were changed */

	StoreOutlook outlook;		/* set by josch_engine_look_ahead */
} EnginePass;

extern void josch_engine_pass(EnginePass *pass);

/*
 * What comes next: reads only, and is not needed for the launches, so it can
 * follow them in a transaction of its own.  Adds to set_aside what was locked.
 */
extern void josch_engine_look_ahead(EnginePass *pass);

#endif							/* JOSCH_ENGINE_H */
