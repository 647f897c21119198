/*
 * src/base/target.h
 *	  A table that is written past parser and planner: what the executor does around the rows.
 *
 * One INSERT or UPDATE, as COPY and the apply of logical replication make it: it
 * must be as hard to tell from a statement as theirs, because people put columns,
 * constraints and triggers of their own on these tables.  Row security does not
 * apply: the rows are the owner's.
 */
#ifndef JOSCH_TARGET_H
#define JOSCH_TARGET_H

#include "base/josch.h"

#include "executor/executor.h"
#include "commands/trigger.h"

#include "base/spi_plan.h"

typedef struct JoschTarget
{
	Relation	relation;		/* the caller's, open and locked */
	EState	   *estate;
	ResultRelInfo *info;
	TransitionCaptureState *capture;
	CommandId	command;
	JoschSpi	owner;
} JoschTarget;

/*
 * Begins a statement as the owner of the tables: triggers before it fire.  Needs an
 * active snapshot.  "updated" are the columns that an UPDATE may change, offset as in
 * a range table entry; leave_out, or NULL, says which triggers do not fire.
 */
extern void josch_target_begin(JoschTarget *target, Relation relation, CmdType operation, Bitmapset *updated,
							   bool (*leave_out) (const Trigger *trigger));

/* What a row must satisfy, with what is computed from it; "before" is the version that it replaces, or NULL. */
extern void josch_target_check(JoschTarget *target, TupleTableSlot *before, TupleTableSlot *slot);

/* Entries in the indexes, and row triggers, of a row that is in the table now; former: of an UPDATE. */
extern void josch_target_inserted(JoschTarget *target, TupleTableSlot *slot);

/* Puts a new version in the place of the row "before", which is locked; false when a trigger keeps it from that. */
extern bool josch_target_update(JoschTarget *target, TupleTableSlot *before, TupleTableSlot *slot);

/* Triggers after the statement fire; the rows are there for the next command of the transaction. */
extern void josch_target_end(JoschTarget *target, CmdType operation);

#endif							/* JOSCH_TARGET_H */
