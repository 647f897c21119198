/*
 * src/base/writer.c
 *	  Rows written into the extension's own tables, past parser and planner.
 *
 * This is the path of COPY: the same functions of the executor, in the same
 * order.  It must be as hard to tell from an INSERT as COPY is, because people
 * put columns, constraints and triggers of their own on these tables.
 */
#include "base/josch.h"

#include "base/writer.h"

#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "rewrite/rewriteHandler.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/spi_plan.h"

/* Rows that are written together; one where a trigger may want to see the row before. */
#define BATCH_ROWS 500

typedef struct Writer
{
	JoschTable *table;
	Relation	relation;
	EState	   *estate;
	ResultRelInfo *target;
	TransitionCaptureState *capture;
	BulkInsertState bulk;
	CommandId	command;
	ExprState **defaults;		/* of each column of the relation; NULL: none is needed */
	Datum	   *values;			/* of the table's columns, of one row */
	bool	   *nulls;
	TupleTableSlot *slots[BATCH_ROWS];	/* made when they are needed */
	int			room;			/* slots in use, at most */
	int			n;
} Writer;

#if PG_VERSION_NUM >= 190000
#define insert_index_tuples(writer, slot) \
	ExecInsertIndexTuples((writer)->target, (writer)->estate, 0, slot, NIL, NULL)
#elif PG_VERSION_NUM >= 160000
#define insert_index_tuples(writer, slot) \
	ExecInsertIndexTuples((writer)->target, slot, (writer)->estate, false, false, NULL, NIL, false)
#else
#define insert_index_tuples(writer, slot) \
	ExecInsertIndexTuples((writer)->target, slot, (writer)->estate, false, false, NULL, NIL)
#endif

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

		if (attribute->attisdropped || attribute->attgenerated || bms_is_member(i + 1, known))
		{
			continue;
		}
		value = (Expr *) build_column_default(writer->relation, i + 1);
		writer->defaults[i] = value != NULL ? ExecPrepareExpr(value, writer->estate) : NULL;
	}
}

/* The triggers of foreign keys that look for the other end; "triggers" is the statement's own copy. */
static void
leave_out_foreign_keys(TriggerDesc *triggers)
{
	int			n = 0;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++)
	{
		if (RI_FKey_trigger_type(triggers->triggers[i].tgfoid) != RI_TRIGGER_FK)
		{
			triggers->triggers[n++] = triggers->triggers[i];
		}
	}
	if (triggers != NULL)
	{
		triggers->numtriggers = n;
	}
}

static void
begin(Writer *writer, JoschTable *table, bool parents_made)
{
	TriggerDesc *triggers;

	memset(writer, 0, sizeof(Writer));
	writer->table = table;
	writer->relation = josch_table_open(table, RowExclusiveLock);
	writer->estate = CreateExecutorState();
	MemoryContextSwitchTo(writer->estate->es_query_cxt);
	writer->target = makeNode(ResultRelInfo);
	InitResultRelInfo(writer->target, writer->relation, 0, NULL, 0);
	if (parents_made)
	{
		leave_out_foreign_keys(writer->target->ri_TrigDesc);
	}
	ExecOpenIndices(writer->target, false);
	writer->estate->es_opened_result_relations = list_make1(writer->target);
	writer->command = writer->estate->es_output_cid = GetCurrentCommandId(true);
	writer->bulk = GetBulkInsertState();
	find_defaults(writer);
	writer->values = palloc(sizeof(Datum) * table->ncolumns);
	writer->nulls = palloc(sizeof(bool) * table->ncolumns);
	triggers = writer->target->ri_TrigDesc;
	writer->room = triggers != NULL && triggers->trig_insert_before_row ? 1 : BATCH_ROWS;
	AfterTriggerBeginQuery();
	writer->capture = MakeTransitionCaptureState(triggers, RelationGetRelid(writer->relation), CMD_INSERT);
	ExecBSInsertTriggers(writer->estate, writer->target);
}

static void
end(Writer *writer)
{
	ExecASInsertTriggers(writer->estate, writer->target, writer->capture);
	AfterTriggerEndQuery(writer->estate);
	FreeBulkInsertState(writer->bulk);
	ExecResetTupleTable(writer->estate->es_tupleTable, false);
	ExecCloseResultRelations(writer->estate);
	FreeExecutorState(writer->estate);
	table_close(writer->relation, NoLock);
	CommandCounterIncrement();
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
	table_multi_insert(writer->relation, writer->slots, writer->n, writer->command, 0, writer->bulk);
	for (int i = 0; i < writer->n; i++)
	{
		TupleTableSlot *slot = writer->slots[i];
		List	   *recheck = NIL;

		CHECK_FOR_INTERRUPTS();
		if (writer->target->ri_NumIndices > 0)
		{
			recheck = insert_index_tuples(writer, slot);
		}
		ExecARInsertTriggers(writer->estate, writer->target, slot, recheck, writer->capture);
		list_free(recheck);
		ExecClearTuple(slot);
		ResetPerTupleExprContext(writer->estate);
	}
	writer->n = 0;
}

/* Takes the row that was filled in, with all that comes before it is in the table; false when a trigger leaves it out. */
static bool
take(Writer *writer, TupleTableSlot *slot)
{
	ExprContext *context = GetPerTupleExprContext(writer->estate);
	TriggerDesc *triggers = writer->target->ri_TrigDesc;
	TupleConstr *constraints = RelationGetDescr(writer->relation)->constr;

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
	if (triggers != NULL && triggers->trig_insert_before_row &&
		!ExecBRInsertTriggers(writer->estate, writer->target, slot))
	{
		return false;
	}
	if (constraints != NULL)
	{
		if (constraints->has_generated_stored)
		{
			ExecComputeStoredGenerated(writer->target, writer->estate, slot, CMD_INSERT);
		}
		ExecConstraints(writer->target, slot, writer->estate);
	}
	ExecMaterializeSlot(slot);	/* what it was made of lives no longer than this row */
	return true;
}

static TupleTableSlot *
next_slot(Writer *writer)
{
	TupleTableSlot **slot = &writer->slots[writer->n];

	if (*slot == NULL)
	{
		*slot = table_slot_create(writer->relation, &writer->estate->es_tupleTable);
	}
	return ExecClearTuple(*slot);
}

/* False when there are no more rows. */
static bool
ask(Writer *writer, JoschNextRow next, void *arg)
{
	MemoryContext former = MemoryContextSwitchTo(GetPerTupleMemoryContext(writer->estate));
	bool		found;

	ResetPerTupleExprContext(writer->estate);
	memset(writer->nulls, false, sizeof(bool) * writer->table->ncolumns);
	found = next(arg, writer->values, writer->nulls);
	MemoryContextSwitchTo(former);
	return found;
}

void
josch_writer_insert(JoschTable *table, bool parents_made, JoschNextRow next, void *arg)
{
	MemoryContext former = CurrentMemoryContext;
	JoschSpi	owner;
	Writer		writer;

	josch_spi_become_owner(&owner);
	begin(&writer, table, parents_made);
	while (ask(&writer, next, arg))
	{
		if (take(&writer, next_slot(&writer)) && ++writer.n == writer.room)
		{
			flush(&writer);
		}
	}
	flush(&writer);
	MemoryContextSwitchTo(former);
	end(&writer);
	josch_spi_put_back(&owner);
}
