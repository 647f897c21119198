/*
 * src/base/shared.h
 *	  The module's shared memory: asked for piece by piece, made in one place.
 *
 * There is shared memory only when the library is loaded by
 * shared_preload_libraries; else the pieces stay NULL and every owner of one
 * has to do without.
 */
#ifndef JOSCH_SHARED_H
#define JOSCH_SHARED_H

#include "base/josch.h"

#include "storage/lwlock.h"

/*
 * Guards every piece.  Held for a few memory accesses only: never across
 * anything that may wait, raise an error or run for long.
 */
extern LWLock *josch_shared_lock;

/*
 * Asks for a piece that is there, zeroed, as *place when the server is up.  The
 * size is asked for late, when max_worker_processes and the like are known.
 * Called from _PG_init; does nothing when there will be no shared memory.
 */
extern void josch_shared_add(const char *name, Size (*size) (void), void **place);

/* Installs the hooks; called once from _PG_init, before the first josch_shared_add. */
extern void josch_shared_init(void);

#endif							/* JOSCH_SHARED_H */
