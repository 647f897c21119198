/*
 * src/base/changes.h
 *	  What a statement changed: its transition tables, read in step.
 */
#ifndef JOSCH_CHANGES_H
#define JOSCH_CHANGES_H

#include "base/josch.h"

#include "commands/trigger.h"
#include "executor/tuptable.h"

typedef struct JoschChanges
{
	MemoryContext context;		/* in which the rows are read */
	Tuplestorestate *old_rows;	/* NULL: there is none */
	Tuplestorestate *new_rows;
	TupleTableSlot *before;		/* the row before and after; one is empty in an INSERT or DELETE */
	TupleTableSlot *after;
} JoschChanges;

extern void josch_changes_open(JoschChanges *changes, const TriggerData *trigger);

/* The next row of the statement, which lives until the next call, in any context; false after the last. */
extern bool josch_changes_next(JoschChanges *changes);

extern void josch_changes_close(JoschChanges *changes);

#endif							/* JOSCH_CHANGES_H */
