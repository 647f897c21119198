/*
 * src/base/update.c
 *	  Rows of the extension's own tables, changed one by one by their primary key.
 */
#include "base/josch.h"

#include "base/update.h"

#include "access/sysattr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/finder.h"
#include "base/target.h"

struct JoschUpdate
{
	JoschTable *table;
	JoschFinder finder;
	JoschTarget target;
	TupleTableSlot *row;		/* the next version */
	bool		begun;			/* row has the values of the one that was found */
};

static Bitmapset *
updated_columns(const JoschTable *table, int n, const int *columns)
{
	Bitmapset  *updated = NULL;

	for (int i = 0; i < n; i++)
	{
		updated = bms_add_member(updated, table->numbers[columns[i]] - FirstLowInvalidHeapAttributeNumber);
	}
	return updated;
}

JoschUpdate *
josch_update_begin(JoschTable *table, int nkeys, int ncolumns, const int *columns)
{
	JoschUpdate *update = palloc0(sizeof(JoschUpdate));

	update->table = table;
	josch_finder_open(&update->finder, table, nkeys, RowExclusiveLock);
	josch_target_begin(&update->target, update->finder.relation, CMD_UPDATE,
					   updated_columns(table, ncolumns, columns), NULL);
	update->row = table_slot_create(update->finder.relation, &update->target.estate->es_tupleTable);
	return update;
}

JoschFound
josch_update_find(JoschUpdate *update, const Datum *key)
{
	update->begun = false;
	if (!josch_finder_find(&update->finder, key))
	{
		return JOSCH_ABSENT;
	}
	switch (josch_finder_lock(&update->finder))
	{
		case JOSCH_LOCK_TAKEN:
			return JOSCH_FOUND;
		case JOSCH_LOCK_HELD:
			return JOSCH_HELD;
		case JOSCH_LOCK_GONE:
			break;
	}
	return JOSCH_ABSENT;
}

Datum
josch_update_get(JoschUpdate *update, int column, bool *isnull)
{
	return josch_finder_get(&update->finder, column, isnull);
}

TupleTableSlot *
josch_update_row(JoschUpdate *update)
{
	return update->finder.slot;
}

/* The next version begins as a copy of the one that was found. */
static void
begin_row(JoschUpdate *update)
{
	TupleTableSlot *former = update->finder.slot;
	int			n = former->tts_tupleDescriptor->natts;

	if (update->begun)
	{
		return;
	}
	slot_getallattrs(former);
	ExecClearTuple(update->row);
	memcpy(update->row->tts_values, former->tts_values, sizeof(Datum) * n);
	memcpy(update->row->tts_isnull, former->tts_isnull, sizeof(bool) * n);
	update->begun = true;
}

void
josch_update_set(JoschUpdate *update, int column, Datum value)
{
	int			at = update->table->numbers[column] - 1;

	begin_row(update);
	update->row->tts_values[at] = value;
	update->row->tts_isnull[at] = false;
}

void
josch_update_set_null(JoschUpdate *update, int column)
{
	int			at = update->table->numbers[column] - 1;

	begin_row(update);
	update->row->tts_values[at] = (Datum) 0;
	update->row->tts_isnull[at] = true;
}

void
josch_update_set_text(JoschUpdate *update, int column, const char *text)
{
	if (text != NULL)
	{
		josch_update_set(update, column, CStringGetTextDatum(text));
	}
	else
	{
		josch_update_set_null(update, column);
	}
}

bool
josch_update_write(JoschUpdate *update)
{
	bool		written;

	CHECK_FOR_INTERRUPTS();
	begin_row(update);
	ExecStoreVirtualTuple(update->row);
	update->row->tts_tableOid = RelationGetRelid(update->finder.relation);
	ExecMaterializeSlot(update->row);
	written = josch_target_update(&update->target, update->finder.slot, update->row);
	ExecClearTuple(update->row);
	ResetPerTupleExprContext(update->target.estate);
	return written;
}

void
josch_update_end(JoschUpdate *update)
{
	josch_target_end(&update->target, CMD_UPDATE);
	josch_finder_close(&update->finder);
	pfree(update);
}
