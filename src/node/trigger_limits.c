/*
 * src/node/trigger_limits.c
 *	  What follows from a change of limits: nodes are grouped anew, the scheduler looks.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "base/changes.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "base/wake.h"
#include "node/node_table.h"
#include "node/store_limits.h"

PG_FUNCTION_INFO_V1(josch_trigger_limits_job);
PG_FUNCTION_INFO_V1(josch_trigger_limits_regroup);
PG_FUNCTION_INFO_V1(josch_trigger_limits_executor);
PG_FUNCTION_INFO_V1(josch_trigger_limits_wake);

enum
{
	JOBS_JOB_NAME, JOBS_JOB_DATE, JOBS_MAX_RUNNING, JOBS_COLUMNS
};

static const JoschColumn jobs_columns[JOBS_COLUMNS] = {
	[JOBS_JOB_NAME] = {"job_name", TEXTOID}, [JOBS_JOB_DATE] = {"job_date", DATEOID}, [JOBS_MAX_RUNNING] = {"max_running", INT4OID}
};
static AttrNumber jobs_numbers[JOBS_COLUMNS];
static JoschTable jobs_table = JOSCH_TABLE("jobs", jobs_columns, jobs_numbers);

static void
expect(bool good, const char *function)
{
	if (!good)
	{
		josch_report_trigger_misuse(function);
	}
}

/* BEFORE INSERT OR UPDATE on node_semaphores, each row: of which job the node is. */
Datum
josch_trigger_limits_job(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.node_semaphores_job");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	HeapTuple	row;
	NodeKey		key;
	Datum		job;
	bool		nulls[3] = {false};
	int			number;
	char	   *name;

	expect(TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
		   !TRIGGER_FIRED_BY_DELETE(trigger->tg_event), "josch.node_semaphores_job");
	(void) josch_table_check(&josch_node_semaphores, trigger->tg_relation, "josch.node_semaphores_job");
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	key.node_id = DatumGetInt64(heap_getattr(row, josch_node_semaphores.numbers[NODE_SEMAPHORES_NODE_ID], desc, &nulls[0]));
	key.job_date = DatumGetDateADT(heap_getattr(row, josch_node_semaphores.numbers[NODE_SEMAPHORES_JOB_DATE], desc, &nulls[1]));
	if (josch_mode_is_restore() || josch_mode.suspended || nulls[0] || nulls[1])
	{
		return PointerGetDatum(row);
	}
	name = josch_store_limits_job(key);
	if (name == NULL)
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	job = CStringGetTextDatum(name);
	number = josch_node_semaphores.numbers[NODE_SEMAPHORES_JOB_NAME];
	return PointerGetDatum(heap_modify_tuple_by_cols(row, desc, 1, &number, &job, &nulls[2]));
}

/* ---- nodes that are alike ---- */

typedef struct Keys
{
	NodeKey    *list;
	int			n;
	int			space;
} Keys;

static void
add(Keys *keys, NodeKey key)
{
	if (keys->n == keys->space)
	{
		keys->space = Max(keys->space * 2, 64);
		keys->list = keys->list == NULL ? palloc(sizeof(NodeKey) * keys->space) : repalloc_huge(keys->list, sizeof(NodeKey) * keys->space);
	}
	keys->list[keys->n++] = key;
}

static void
add_node(Keys *keys, TupleTableSlot *slot)
{
	bool		isnull;

	if (!TupIsNull(slot))
	{
		add(keys, (NodeKey) {
			.node_id = DatumGetInt64(slot_getattr(slot, josch_node_semaphores.numbers[NODE_SEMAPHORES_NODE_ID], &isnull)),
			.job_date = DatumGetDateADT(slot_getattr(slot, josch_node_semaphores.numbers[NODE_SEMAPHORES_JOB_DATE], &isnull))
		});
	}
}

/* All of the day, where it got a limit, or lost it. */
static void
add_job(Keys *keys, TupleTableSlot *former, TupleTableSlot *row)
{
	bool		isnull;
	bool		had_none;
	bool		has_none;
	NodeKey    *nodes;
	int			n;

	(void) slot_getattr(former, jobs_numbers[JOBS_MAX_RUNNING], &had_none);
	(void) slot_getattr(row, jobs_numbers[JOBS_MAX_RUNNING], &has_none);
	if (had_none == has_none)
	{
		return;
	}
	nodes = josch_store_limits_nodes(TextDatumGetCString(slot_getattr(row, jobs_numbers[JOBS_JOB_NAME], &isnull)),
									 DatumGetDateADT(slot_getattr(row, jobs_numbers[JOBS_JOB_DATE], &isnull)), &n);
	for (int i = 0; i < n; i++)
	{
		add(keys, nodes[i]);
	}
}

/* AFTER a statement on node_semaphores, or an UPDATE of jobs. */
Datum
josch_trigger_limits_regroup(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.limits_regroup");
	bool		of_jobs = strcmp(RelationGetRelationName(trigger->tg_relation), "jobs") == 0;
	Keys		keys = {0};
	JoschChanges changes;

	expect(TRIGGER_FIRED_AFTER(trigger->tg_event) && TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event), "josch.limits_regroup");
	(void) josch_table_check(of_jobs ? &jobs_table : &josch_node_semaphores, trigger->tg_relation, "josch.limits_regroup");
	if (josch_mode_is_restore() || josch_mode.suspended)
	{
		return PointerGetDatum(NULL);
	}
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		if (of_jobs)
		{
			add_job(&keys, changes.before, changes.after);
		}
		else
		{
			add_node(&keys, changes.before);
			add_node(&keys, changes.after);
		}
	}
	josch_changes_close(&changes);
	josch_store_limits_regroup(keys.list, keys.n);
	josch_wake_scheduler_at_commit();
	return PointerGetDatum(NULL);
}

/* What runs may have units, which it gives back by this number: it keeps one. */
static int64
group_of(HeapTuple row, TupleDesc desc)
{
	bool		isnull;
	const AttrNumber *numbers = josch_nodes.numbers;
	NodeKey		key = {
		.node_id = DatumGetInt64(heap_getattr(row, numbers[NODES_NODE_ID], desc, &isnull)),
		.job_date = DatumGetDateADT(heap_getattr(row, numbers[NODES_JOB_DATE], desc, &isnull))
	};
	NodeState	state = josch_node_state(heap_getattr(row, numbers[NODES_STATE], desc, &isnull));
	char	   *job_name = TextDatumGetCString(heap_getattr(row, numbers[NODES_JOB_NAME], desc, &isnull));
	Datum		executor = heap_getattr(row, numbers[NODES_EXECUTOR], desc, &isnull);
	int64		group = josch_store_limits_group(job_name, key, isnull ? NULL : TextDatumGetCString(executor));

	return group == 0 && state != NODE_STATE_PENDING && state != NODE_STATE_READY ? 1 : group;
}

/* BEFORE UPDATE of the executor of nodes, each row. */
Datum
josch_trigger_limits_executor(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.limits_executor");
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	Datum		group;
	bool		isnull = false;
	int			number;

	expect(TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
		   TRIGGER_FIRED_BY_UPDATE(trigger->tg_event), "josch.limits_executor");
	(void) josch_table_check(&josch_nodes, trigger->tg_relation, "josch.limits_executor");
	if (josch_mode_is_restore() || josch_mode.suspended)
	{
		return PointerGetDatum(trigger->tg_newtuple);
	}
	group = Int64GetDatum(group_of(trigger->tg_newtuple, desc));
	number = josch_nodes.numbers[NODES_LIMIT_GROUP];
	return PointerGetDatum(heap_modify_tuple_by_cols(trigger->tg_newtuple, desc, 1, &number, &group, &isnull));
}

/* By its name days need it, and runs have taken units: under another one there would be as many units again. */
static HeapTuple
keep_name(TriggerData *trigger)
{
	Relation	relation = trigger->tg_relation;
	int			number = SPI_fnumber(RelationGetDescr(relation), "semaphore_name");
	char	   *name = SPI_getvalue(trigger->tg_trigtuple, RelationGetDescr(relation), number);

	if (strcmp(name, SPI_getvalue(trigger->tg_newtuple, RelationGetDescr(relation), number)) != 0 && josch_store_limits_is_needed(name))
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("semaphore \"%s\" cannot be renamed", name),
				 errdetail("Nodes of days need units of it, or have some, by this name."),
				 errhint("Make another semaphore, and let the templates need that."),
				 errtablecol(relation, number)));
	}
	return trigger->tg_newtuple;
}

/* AFTER a statement on semaphores or pauses; BEFORE UPDATE of the name of a semaphore, each row. */
Datum
josch_trigger_limits_wake(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.limits_wake");
	const char *table = RelationGetRelationName(trigger->tg_relation);
	bool		of_semaphores = strcmp(table, "semaphores") == 0;

	if (of_semaphores && TRIGGER_FIRED_BEFORE(trigger->tg_event) && TRIGGER_FIRED_FOR_ROW(trigger->tg_event) &&
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
	{
		return PointerGetDatum(keep_name(trigger));
	}
	expect(TRIGGER_FIRED_AFTER(trigger->tg_event) && TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) &&
		   (of_semaphores || strcmp(table, "pauses") == 0), "josch.limits_wake");
	josch_wake_scheduler_at_commit();
	return PointerGetDatum(NULL);
}
