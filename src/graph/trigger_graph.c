/*
 * src/graph/trigger_graph.c
 *	  Triggers that refuse cycles, on tpl_node_deps and node_deps.
 *
 * The lock is taken before the statement touches a row, so that two sessions
 * that add the same dependency wait for the lock, and not for each other's row
 * with the lock held.  The check comes at the end of the statement: a statement
 * may pass through a cycle, but not leave one.
 */
#include "base/josch.h"

#include "base/changes.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "graph/store_graph.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_trigger_graph_lock);
PG_FUNCTION_INFO_V1(josch_trigger_graph_templates);
PG_FUNCTION_INFO_V1(josch_trigger_graph_days);

/* Columns of both tables; the dates are integers in one and dates in the other. */
enum
{
	P_NODE_ID, P_DATE, C_NODE_ID, C_DATE, NCOLUMNS
};

static const JoschColumn template_columns[NCOLUMNS] = {
	{"p_node_id", INT8OID}, {"p_date", INT4OID}, {"c_node_id", INT8OID}, {"c_date", INT4OID}
};
static AttrNumber template_numbers[NCOLUMNS];
static JoschTable tpl_node_deps = JOSCH_TABLE("tpl_node_deps", template_columns, template_numbers);

static const JoschColumn day_columns[NCOLUMNS] = {
	{"p_node_id", INT8OID}, {"p_date", DATEOID}, {"c_node_id", INT8OID}, {"c_date", DATEOID}
};
static AttrNumber day_numbers[NCOLUMNS];
static JoschTable node_deps = JOSCH_TABLE("node_deps", day_columns, day_numbers);

/* The four columns of a row; all of them are NOT NULL. */
static void
read_row(TupleTableSlot *slot, const AttrNumber *numbers, Datum *values)
{
	for (int i = 0; i < NCOLUMNS; i++)
	{
		bool		isnull;

		values[i] = slot_getattr(slot, numbers[i], &isnull);
	}
}

static bool
same_row(const Datum *a, const Datum *b)
{
	return DatumGetInt64(a[P_NODE_ID]) == DatumGetInt64(b[P_NODE_ID]) &&
		DatumGetInt32(a[P_DATE]) == DatumGetInt32(b[P_DATE]) &&
		DatumGetInt64(a[C_NODE_ID]) == DatumGetInt64(b[C_NODE_ID]) &&
		DatumGetInt32(a[C_DATE]) == DatumGetInt32(b[C_DATE]);
}

static GraphEdge
edge_of(const Datum *values, bool is_day)
{
	GraphEdge	edge = {
		.parent = {.node_id = DatumGetInt64(values[P_NODE_ID])},
		.child = {.node_id = DatumGetInt64(values[C_NODE_ID])},
	};

	/* a date is an int32 of days, so the difference is right for both */
	edge.lag = DatumGetInt32(values[C_DATE]) - DatumGetInt32(values[P_DATE]);
	if (is_day)
	{
		edge.parent.job_date = DatumGetDateADT(values[P_DATE]);
		edge.child.job_date = DatumGetDateADT(values[C_DATE]);
	}
	return edge;
}

/*
 * The dependencies that the statement has made: all rows of an INSERT, and those
 * of an UPDATE that are no longer the same dependency.
 */
static GraphEdge *
added_edges(const TriggerData *trigger, bool is_day, int *n)
{
	const AttrNumber *numbers = is_day ? day_numbers : template_numbers;
	int64		rows = tuplestore_tuple_count(trigger->tg_newtable);
	GraphEdge  *edges = palloc_extended(Max(rows, 1) * sizeof(GraphEdge), MCXT_ALLOC_HUGE);
	Datum		values[NCOLUMNS];
	Datum		former[NCOLUMNS];
	JoschChanges changes;

	*n = 0;
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		read_row(changes.after, numbers, values);
		if (!TupIsNull(changes.before))
		{
			read_row(changes.before, numbers, former);
		}
		if (TupIsNull(changes.before) || !same_row(values, former))
		{
			edges[(*n)++] = edge_of(values, is_day);
		}
	}
	josch_changes_close(&changes);
	return edges;
}

static TriggerData *
trigger_of(FunctionCallInfo fcinfo, const char *function_name, bool is_check)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, function_name);

	if (!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		(is_check && trigger->tg_newtable == NULL))
	{
		josch_report_trigger_misuse(function_name);
	}
	return trigger;
}

Datum
josch_trigger_graph_lock(PG_FUNCTION_ARGS)
{
	(void) trigger_of(fcinfo, "josch.graph_lock", false);
	josch_store_graph_lock();
	return PointerGetDatum(NULL);
}

Datum
josch_trigger_graph_templates(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, "josch.graph_check_templates", true);
	GraphEdge  *edges;
	int			n;

	(void) josch_table_check(&tpl_node_deps, trigger->tg_relation, "josch.graph_check_templates");
	edges = added_edges(trigger, false, &n);
	josch_store_graph_check_templates(edges, n);
	return PointerGetDatum(NULL);
}

Datum
josch_trigger_graph_days(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, "josch.graph_check_days", true);

	(void) josch_table_check(&node_deps, trigger->tg_relation, "josch.graph_check_days");
	/* a restore brings the levels along */
	if (!josch_mode.suspended && !josch_mode_is_restore())
	{
		int			n;
		GraphEdge  *edges = added_edges(trigger, true, &n);

		josch_store_graph_check_days(edges, n);
	}
	return PointerGetDatum(NULL);
}
