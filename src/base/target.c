/*
 * src/base/target.c
 *	  A table that is written past parser and planner: what the executor does around the rows.
 */
#include "base/josch.h"

#include "base/target.h"

#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "executor/nodeModifyTable.h"
#include "storage/lmgr.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/checks.h"
#include "base/shims.h"

static void
init_range_table(JoschTarget *target, Bitmapset *updated)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);

	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(target->relation);
	entry->relkind = target->relation->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	josch_init_range_table(target->estate, entry, updated);
}

/* Whether rows must be shown to a trigger before they are written, which is asked at each row. */
static bool
has_before_row(const TriggerDesc *triggers)
{
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		if (TRIGGER_TYPE_MATCHES(triggers->triggers[i].tgtype, TRIGGER_TYPE_ROW, TRIGGER_TYPE_BEFORE, TRIGGER_TYPE_INSERT))
		{
			return true;
		}
	}
	return false;
}

/* "triggers" is the statement's own copy. */
static void
leave_out_triggers(TriggerDesc *triggers, bool (*leave_out) (const Trigger *trigger))
{
	int			n = 0;

	for (int i = 0; i < triggers->numtriggers; i++)
	{
		if (!leave_out(&triggers->triggers[i]))
		{
			triggers->triggers[n++] = triggers->triggers[i];
		}
	}
	triggers->numtriggers = n;
	triggers->trig_insert_before_row = has_before_row(triggers);
}

/* With locks that stay to the end of the transaction: to give them back, and take them anew, costs more than a row. */
static void
open_indexes(JoschTarget *target)
{
	MemoryContext former = MemoryContextSwitchTo(target->estate->es_query_cxt);

	ExecOpenIndices(target->info, false);
	for (int i = 0; i < target->info->ri_NumIndices; i++)
	{
		LockRelationOid(RelationGetRelid(target->info->ri_IndexRelationDescs[i]), RowExclusiveLock);
	}
	MemoryContextSwitchTo(former);
}

void
josch_target_begin(JoschTarget *target, Relation relation, CmdType operation, Bitmapset *updated,
				   bool (*leave_out) (const Trigger *trigger))
{
	MemoryContext former;

	josch_spi_become_owner(&target->owner);
	target->relation = relation;
	target->estate = CreateExecutorState();
	former = MemoryContextSwitchTo(target->estate->es_query_cxt);
	init_range_table(target, updated);
	target->info = makeNode(ResultRelInfo);
	InitResultRelInfo(target->info, relation, 1, NULL, 0);
	if (leave_out != NULL && target->info->ri_TrigDesc != NULL)
	{
		leave_out_triggers(target->info->ri_TrigDesc, leave_out);
	}
	josch_checks_give(target->info);
	target->estate->es_opened_result_relations = list_make1(target->info);
	target->estate->es_snapshot = GetActiveSnapshot();
	target->command = target->estate->es_output_cid = GetCurrentCommandId(true);
	AfterTriggerBeginQuery();
	target->capture = MakeTransitionCaptureState(target->info->ri_TrigDesc, RelationGetRelid(relation), operation);
	if (operation == CMD_INSERT)
	{
		open_indexes(target);
		ExecBSInsertTriggers(target->estate, target->info);
	}
	else
	{
		ExecBSUpdateTriggers(target->estate, target->info);
	}
	MemoryContextSwitchTo(former);
}

void
josch_target_check(JoschTarget *target, TupleTableSlot *before, TupleTableSlot *slot)
{
	TupleConstr *constraints = RelationGetDescr(target->relation)->constr;

	if (constraints == NULL)
	{
		return;
	}
	if (constraints->has_generated_stored)
	{
		ExecComputeStoredGenerated(target->info, target->estate, slot, before != NULL ? CMD_UPDATE : CMD_INSERT);
	}
	if (before != NULL)
	{
		josch_checks_choose(target->info, before, slot);
	}
	ExecConstraints(target->info, slot, target->estate);
}

void
josch_target_inserted(JoschTarget *target, TupleTableSlot *slot)
{
	List	   *recheck = NIL;

	if (target->info->ri_NumIndices > 0)
	{
		recheck = josch_insert_index_tuples(target->info, slot, target->estate, false, false);
	}
	ExecARInsertTriggers(target->estate, target->info, slot, recheck, target->capture);
	list_free(recheck);
}

/* A row that is locked by this transaction is changed by nobody else. */
static void
replace(JoschTarget *target, ItemPointer former, TupleTableSlot *slot)
{
	TM_FailureData failure;
	LockTupleMode lock;
	JoschNewEntries entries;
	List	   *recheck = NIL;
	TM_Result	result = josch_table_tuple_update(target->relation, former, slot, target->command,
												  target->estate->es_snapshot, &failure, &lock, &entries);

	if (result != TM_Ok)
	{
		elog(ERROR, "unexpected result of changing a row of \"%s\": %d",
			 RelationGetRelationName(target->relation), (int) result);
	}
	if (josch_any_entry(entries))
	{
		if (target->info->ri_IndexRelationDescs == NULL)
		{
			open_indexes(target);	/* most rows are changed in place */
		}
		recheck = josch_insert_index_tuples(target->info, slot, target->estate, true, josch_only_summarizing(entries));
	}
	ExecARUpdateTriggers(target->estate, target->info, NULL, NULL, former, NULL, slot, recheck, target->capture, false);
	list_free(recheck);
}

bool
josch_target_update(JoschTarget *target, TupleTableSlot *before, TupleTableSlot *slot)
{
	TriggerDesc *triggers = target->info->ri_TrigDesc;
	ItemPointerData former = before->tts_tid;

	if (triggers != NULL && triggers->trig_update_before_row)
	{
		EPQState	epq;
		bool		goes_on;

		josch_epq_init(&epq, target->estate);
		goes_on = josch_before_row_update(target->estate, &epq, target->info, &former, slot);
		EvalPlanQualEnd(&epq);
		if (!goes_on)
		{
			return false;
		}
	}
	josch_target_check(target, before, slot);
	replace(target, &former, slot);
	return true;
}

void
josch_target_end(JoschTarget *target, CmdType operation)
{
	if (operation == CMD_INSERT)
	{
		ExecASInsertTriggers(target->estate, target->info, target->capture);
	}
	else
	{
		ExecASUpdateTriggers(target->estate, target->info, target->capture);
	}
	AfterTriggerEndQuery(target->estate);
	ExecResetTupleTable(target->estate->es_tupleTable, false);
	ExecCloseResultRelations(target->estate);
	FreeExecutorState(target->estate);
	CommandCounterIncrement();
	josch_spi_put_back(&target->owner);
}
