/*
 * src/base/checks.h
 *	  The CHECKs of a table, compiled once.
 *
 * To read them from the catalog and to compile them costs more than to write a row.
 */
#ifndef JOSCH_CHECKS_H
#define JOSCH_CHECKS_H

#include "base/josch.h"

#include "nodes/execnodes.h"

/*
 * Gives the statement's target the CHECKs of its relation as they were kept; where that
 * cannot be, the executor compiles them itself.  They are compiled anew when the table
 * is altered.
 */
extern void josch_checks_give(ResultRelInfo *target);

/*
 * Of these, leaves those to the next row that it may not satisfy: an expression of columns that are as they
 * were says what it said of the row before.  One that was not valid for all rows when it was made says nothing
 * of that row, and is asked.
 */
extern void josch_checks_choose(ResultRelInfo *target, TupleTableSlot *before, TupleTableSlot *after);

#endif							/* JOSCH_CHECKS_H */
