/*
 * src/run/begin.h
 *	  Nodes that begin to run, in a pass.
 */
#ifndef JOSCH_BEGIN_H
#define JOSCH_BEGIN_H

#include "base/josch.h"

#include "run/step.h"

/* A step: writes the intents of nodes that wait for that turn (waiting.h); the launches are kept in the context. */
extern int	josch_begin_launch(EnginePass *pass, Piece *items, int n, MemoryContext context, char turn);

#endif							/* JOSCH_BEGIN_H */
