/*
 * src/run/plan.h
 *	  What to do: structs in, actions out.
 *
 * Pure.  The engine reads the tables, asks here, and carries it out.
 */
#ifndef JOSCH_PLAN_H
#define JOSCH_PLAN_H

#include "base/josch.h"

#include "node/fsm.h"
#include "run/store_run.h"

/* How many more runs may start; josch_plan_ready takes from it. */
typedef struct PlanPlaces
{
	int			commands;
	int			sql;
} PlanPlaces;

typedef enum PlanAction
{
	PLAN_WAIT,					/* for its time, or for a place */
	PLAN_SUCCEED,				/* a milestone */
	PLAN_ASK_SIGNOFF,
	PLAN_ASK_REVIEW,
	PLAN_RUN_COMMAND,
	PLAN_RUN_SQL
} PlanAction;

extern PlanAction josch_plan_ready(const StoreReady *node, TimestampTz now, PlanPlaces *places);

/* How a run ended. */
typedef enum RunEndKind
{
	RUN_END_EXIT,				/* value: exit code; SQL: 0 */
	RUN_END_SIGNAL,				/* value: signal */
	RUN_END_NOT_STARTED,		/* text: why */
	RUN_END_ERROR,				/* text: the error (SQL) */
	RUN_END_UNKNOWN				/* text: what is known */
} RunEndKind;

typedef struct RunOutcome
{
	RunEndKind	kind;
	int			value;
	bool		timed_out;
	const char *stopped_by;		/* who asked for it to be stopped, or NULL */
	const char *text;			/* or NULL */
} RunOutcome;

typedef struct PlanEnd
{
	NodeState	state;			/* the node's next state */
	const char *status;			/* runs.status */
	char	   *message;		/* palloc'd; NULL when all is well */
} PlanEnd;

extern PlanEnd josch_plan_end(char node_type, const RunOutcome *outcome);

#endif							/* JOSCH_PLAN_H */
