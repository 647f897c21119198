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

/* Where a node of this type goes that is ready, and runs nothing. */
extern NodeState josch_plan_free(char node_type);

/* What becomes of a run that has ended, and of its node; "ahead" is by how much this clock was moved, and the runner's was not. */
extern StoreEnd josch_plan_end(const StoreOpenRun *run, const RunEvent *event, TimestampTz now, int64 ahead);

#endif							/* JOSCH_PLAN_H */
