/*
 * src/run/admit_paused.h
 *	  Nodes of jobs and days that are paused: put aside when their turn comes, and brought back.
 */
#ifndef JOSCH_ADMIT_PAUSED_H
#define JOSCH_ADMIT_PAUSED_H

#include "base/josch.h"

#include "run/pauses.h"
#include "run/step.h"

/* Puts these aside in josch.waiting, once, so that no pass reads them again before somebody resumes. */
extern void josch_admit_paused_put_aside(EnginePass *pass, const NodeKey *keys, int n);

/* Puts those of them aside that are paused; returns how many are left, in their order. */
extern int	josch_admit_paused_leave_out(EnginePass *pass, const Pauses *pauses, Piece *items, int n);

/* Something was resumed: those that are not paused any more wait for their turn again, so many at a time. */
extern void josch_admit_paused_bring_back(EnginePass *pass, const Pauses *pauses);

#endif							/* JOSCH_ADMIT_PAUSED_H */
