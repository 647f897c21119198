/*
 * src/server/day_worker.h
 *	  The process that makes the days that are due, and leaves.
 */
#ifndef JOSCH_DAY_WORKER_H
#define JOSCH_DAY_WORKER_H

#include "base/josch.h"

#include "postmaster/bgworker.h"

/* Starts one for this database, palloc'd in TopMemoryContext; NULL: there is no background worker slot for it. */
extern BackgroundWorkerHandle *josch_day_worker_start(void);

/* Entry of the worker; the argument is the database's OID. */
extern PGDLLEXPORT void josch_day_worker_main(Datum database);

#endif							/* JOSCH_DAY_WORKER_H */
