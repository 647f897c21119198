/*
 * src/server/hook_worker.h
 *	  The process that executes the SQL of a hook, as its owner, and leaves.
 */
#ifndef JOSCH_HOOK_WORKER_H
#define JOSCH_HOOK_WORKER_H

#include "base/josch.h"

#include "postmaster/bgworker.h"

#include "alarm/store_delivery.h"

/*
 * Starts it for a delivery that was taken; whoever starts it hears of its end by his
 * latch.  NULL when no slot is free, or the owner is not there.  Palloc'd in TopMemoryContext.
 */
extern BackgroundWorkerHandle *josch_hook_worker_start(const Delivery *delivery);

extern PGDLLEXPORT void josch_hook_worker_main(Datum database);

#endif							/* JOSCH_HOOK_WORKER_H */
