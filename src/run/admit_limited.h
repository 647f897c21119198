/*
 * src/run/admit_limited.h
 *	  Nodes that have limits or a priority: those that can begin do so.
 */
#ifndef JOSCH_ADMIT_LIMITED_H
#define JOSCH_ADMIT_LIMITED_H

#include "base/josch.h"

#include "run/engine.h"
#include "run/pauses.h"

/*
 * Where nothing of what they wait for has changed, nothing is read.  They stand before
 * those that have none only where they have waited longer; sets *more when there may be more.
 */
extern void josch_admit_limited(EnginePass *pass, const Pauses *pauses, MemoryContext caller, bool *more);

#endif							/* JOSCH_ADMIT_LIMITED_H */
