/*
 * src/node/deadline.h
 *	  josch.deadlines: what nodes are to have done by when, and have not.
 *
 * A row of the list follows from the row of its node alone, as those of
 * josch.waiting do: whoever changes the node has locked it, so that no two meet here.
 */
#ifndef JOSCH_DEADLINE_H
#define JOSCH_DEADLINE_H

#include "base/josch.h"

#include "executor/tuptable.h"

/* deadlines.kind */
#define DEADLINE_START 's'
#define DEADLINE_END 'e'
#define DEADLINE_DURATION 'd'

/* A node has at most one of each. */
#define DEADLINE_KINDS 3

typedef struct Deadline
{
	TimestampTz due_at;
	NodeKey		key;
	char		kind;
} Deadline;

/* Those of a node that are not met; returns how many. */
extern int	josch_deadline_of(TupleTableSlot *node, Deadline *deadlines);

/* What the rows of one statement change in the list; all zero to begin with. */
typedef struct DeadlineChanges
{
	Deadline   *gone;
	int			ngone;
	Deadline   *come;
	int			ncome;
	int			capacity;
} DeadlineChanges;

/* Notes one row, before and after; either may be empty.  Allocates in the current context. */
extern void josch_deadline_note(DeadlineChanges *changes, TupleTableSlot *before, TupleTableSlot *after);

/* Writes the list. */
extern void josch_deadline_write(const DeadlineChanges *changes);

/* Makes the list true of all nodes, of which somebody may have loaded some with all triggers off; returns how many rows were wrong. */
extern int64 josch_deadline_mend(void);

#endif							/* JOSCH_DEADLINE_H */
