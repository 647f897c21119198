/*
 * src/run/plan.h
 *	  What to do: structs in, actions out.
 *
 * Pure.  The engine reads the tables, asks here, and carries it out.
 */
#ifndef JOSCH_PLAN_H
#define JOSCH_PLAN_H

#include "base/josch.h"

#include "run/run_event.h"
#include "run/store_run.h"

/* How many more runs may start; josch_plan_ready takes from it. */
typedef struct PlanPlaces
{
	int			commands;
	int			sql;
} PlanPlaces;

typedef enum PlanAction
{
	PLAN_WAIT,					/* for a place */
	PLAN_SUCCEED,				/* a milestone */
	PLAN_ASK_SIGNOFF,
	PLAN_ASK_REVIEW,
	PLAN_RUN_COMMAND,
	PLAN_RUN_SQL
} PlanAction;

extern PlanAction josch_plan_ready(const StoreReady *node, PlanPlaces *places);

/* What becomes of a run that has ended, and of its node. */
extern StoreEnd josch_plan_end(const StoreOpenRun *run, const RunEvent *event, TimestampTz now);

#endif							/* JOSCH_PLAN_H */
