/*
 * src/base/writer.c
 *	  Rows written into the extension's own tables, past parser and planner.
 *
 * This is the path of COPY: the same functions of the executor, in the same order
 * (base/target.h).
 */
#include "base/josch.h"

#include "base/writer.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/target.h"

/* Rows that are written together; one where a trigger may want to see the row before. */
#define BATCH_ROWS 500

typedef struct Writer
{
	JoschTable *table;
	Relation	relation;
	JoschTarget target;
	BulkInsertState bulk;		/* NULL: it is for a few */
	ExprState **defaults;		/* of each column of the relation; NULL: none is needed */
	Datum	   *values;			/* of the table's columns, of one row */
	bool	   *nulls;
	TupleTableSlot *slots[BATCH_ROWS];	/* made when they are needed */
	int			room;			/* slots in use, at most */
	int			n;
} Writer;

/* ---- the statement ---- */

/* Columns that somebody has added: NULL, unless they have a default. */
static void
find_defaults(Writer *writer)
{
	TupleDesc	desc = RelationGetDescr(writer->relation);
	Bitmapset  *known = NULL;

	for (int i = 0; i < writer->table->ncolumns; i++)
	{
		known = bms_add_member(known, writer->table->numbers[i]);
	}
	writer->defaults = palloc0(sizeof(ExprState *) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		Expr	   *value;

		if (attribute->attisdropped || attribute->attgenerated || bms_is_member(i + 1, known) ||
			(!attribute->atthasdef && attribute->atttypid < FirstGenbkiObjectId))	/* no type of the server's own has one */
		{
			continue;
		}
		value = (Expr *) build_column_default(writer->relation, i + 1);
		writer->defaults[i] = value != NULL ? ExecPrepareExpr(value, writer->target.estate) : NULL;
	}
}

bool
josch_writer_is_foreign_key(const Trigger *trigger)
{
	return RI_FKey_trigger_type(trigger->tgfoid) == RI_TRIGGER_FK;
}

static bool
has_before_row(const Writer *writer)
{
	TriggerDesc *triggers = writer->target.info->ri_TrigDesc;

	return triggers != NULL && triggers->trig_insert_before_row;
}

static void
begin(Writer *writer, JoschTable *table, bool (*leave_out) (const Trigger *trigger))
{
	memset(writer, 0, sizeof(Writer));
	writer->table = table;
	writer->relation = josch_table_open(table, RowExclusiveLock);
	josch_target_begin(&writer->target, writer->relation, CMD_INSERT, NULL, leave_out);
	MemoryContextSwitchTo(writer->target.estate->es_query_cxt);
	find_defaults(writer);
	writer->values = palloc(sizeof(Datum) * table->ncolumns);
	writer->nulls = palloc(sizeof(bool) * table->ncolumns);
	writer->room = has_before_row(writer) ? 1 : BATCH_ROWS;
}

static void
end(Writer *writer)
{
	if (writer->bulk != NULL)
	{
		FreeBulkInsertState(writer->bulk);
	}
	josch_target_end(&writer->target, CMD_INSERT);
	table_close(writer->relation, NoLock);
}

/* ---- the rows ---- */

/* What stands in the slots goes into the table and its indexes. */
static void
flush(Writer *writer)
{
	if (writer->n == 0)
	{
		return;
	}
	if (writer->bulk == NULL && writer->n == BATCH_ROWS)
	{
		writer->bulk = GetBulkInsertState();
	}
	table_multi_insert(writer->relation, writer->slots, writer->n, writer->target.command, 0, writer->bulk);
	for (int i = 0; i < writer->n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		josch_target_inserted(&writer->target, writer->slots[i]);
		ExecClearTuple(writer->slots[i]);
		ResetPerTupleExprContext(writer->target.estate);
	}
	writer->n = 0;
}

/* Takes the row that was filled in, with all that comes before it is in the table; false when a trigger leaves it out. */
static bool
take(Writer *writer, TupleTableSlot *slot)
{
	ExprContext *context = GetPerTupleExprContext(writer->target.estate);

	for (int i = 0; i < slot->tts_tupleDescriptor->natts; i++)
	{
		slot->tts_isnull[i] = true;
		if (writer->defaults[i] != NULL)
		{
			slot->tts_values[i] = ExecEvalExpr(writer->defaults[i], context, &slot->tts_isnull[i]);
		}
	}
	for (int i = 0; i < writer->table->ncolumns; i++)
	{
		int			at = writer->table->numbers[i] - 1;

		slot->tts_values[at] = writer->values[i];
		slot->tts_isnull[at] = writer->nulls[i];
	}
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(writer->relation);
	if (has_before_row(writer) && !ExecBRInsertTriggers(writer->target.estate, writer->target.info, slot))
	{
		return false;
	}
	josch_target_check(&writer->target, NULL, slot);
	ExecMaterializeSlot(slot);	/* what it was made of lives no longer than this row */
	return true;
}

static TupleTableSlot *
next_slot(Writer *writer)
{
	TupleTableSlot **slot = &writer->slots[writer->n];

	if (*slot == NULL)
	{
		*slot = table_slot_create(writer->relation, &writer->target.estate->es_tupleTable);
	}
	return ExecClearTuple(*slot);
}

/* False when there are no more rows. */
static bool
ask(Writer *writer, JoschNextRow next, void *arg)
{
	MemoryContext former = MemoryContextSwitchTo(GetPerTupleMemoryContext(writer->target.estate));
	bool		found;

	ResetPerTupleExprContext(writer->target.estate);
	memset(writer->nulls, false, sizeof(bool) * writer->table->ncolumns);
	found = next(arg, writer->values, writer->nulls);
	MemoryContextSwitchTo(former);
	return found;
}

uint64
josch_writer_insert(JoschTable *table, bool (*leave_out) (const Trigger *trigger), JoschNextRow next, void *arg)
{
	MemoryContext former = CurrentMemoryContext;
	Writer		writer;
	uint64		inserted = 0;

	begin(&writer, table, leave_out);
	while (ask(&writer, next, arg))
	{
		if (take(&writer, next_slot(&writer)))
		{
			inserted++;
			if (++writer.n == writer.room)
			{
				flush(&writer);
			}
		}
	}
	flush(&writer);
	MemoryContextSwitchTo(former);
	end(&writer);
	return inserted;
}
