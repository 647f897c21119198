/*
 * src/base/changes.c
 *	  What a statement changed: its transition tables, read in step.
 *
 * The two tables of an UPDATE have the versions of a row at the same place.  All
 * triggers of a statement read the same tables, one after the other.
 */
#include "base/josch.h"

#include "base/changes.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

static TupleTableSlot *
open_rows(Tuplestorestate *rows, TupleDesc desc)
{
	if (rows != NULL)
	{
		tuplestore_rescan(rows);
	}
	return MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
}

void
josch_changes_open(JoschChanges *changes, const TriggerData *trigger)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);

	changes->context = CurrentMemoryContext;
	changes->old_rows = trigger->tg_oldtable;
	changes->new_rows = trigger->tg_newtable;
	changes->before = open_rows(changes->old_rows, desc);
	changes->after = open_rows(changes->new_rows, desc);
}

static bool
next_row(Tuplestorestate *rows, TupleTableSlot *slot)
{
	return rows != NULL && tuplestore_gettupleslot(rows, true, false, slot);
}

bool
josch_changes_next(JoschChanges *changes)
{
	/* a row that was on disk belongs to the current context, and the slot frees it at the next one */
	MemoryContext former = MemoryContextSwitchTo(changes->context);
	bool		before = next_row(changes->old_rows, changes->before);
	bool		after = next_row(changes->new_rows, changes->after);

	MemoryContextSwitchTo(former);
	CHECK_FOR_INTERRUPTS();
	return before || after;
}

void
josch_changes_close(JoschChanges *changes)
{
	ExecDropSingleTupleTableSlot(changes->before);
	ExecDropSingleTupleTableSlot(changes->after);
}
