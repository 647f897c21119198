/*
 * src/server/judge_worker.h
 *	  The process that asks the queries which nodes of one owner wait for, and leaves.
 */
#ifndef JOSCH_JUDGE_WORKER_H
#define JOSCH_JUDGE_WORKER_H

#include "base/josch.h"

#include "postmaster/bgworker.h"

/* The longest that a query may take. */
#define JOSCH_JUDGE_LIMIT_MS 10000

/* For the place of that number in josch_shared->judges; NULL when there is no slot. */
extern BackgroundWorkerHandle *josch_judge_worker_start(int place, int64 generation);

extern PGDLLEXPORT void josch_judge_worker_main(Datum place);

#endif							/* JOSCH_JUDGE_WORKER_H */
