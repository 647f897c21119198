/*
 * src/run/admit.h
 *	  What is ready goes on: milestones, and what finds a place to run.
 */
#ifndef JOSCH_ADMIT_H
#define JOSCH_ADMIT_H

#include "base/josch.h"

#include "run/engine.h"

/*
 * Begins what can be begun, until the time of the pass is up.  The launches are allocated
 * in the context of the caller; the current one is reset now and then.
 */
extern void josch_admit_all(EnginePass *pass, MemoryContext caller, TimestampTz since);

#endif							/* JOSCH_ADMIT_H */
