/*
 * src/graph/trigger_graph.c
 *	  Triggers that refuse cycles, on tpl_node_deps and node_deps.
 *
 * Locks are taken and the check is made at the end of the statement: which jobs
 * it is about is known by then, and a statement may pass through a cycle, but
 * not leave one.
 */
#include "base/josch.h"

#include "base/changes.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "graph/store_graph.h"
#include "graph/store_graph_lock.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "nodes/pg_list.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_trigger_graph_days);
PG_FUNCTION_INFO_V1(josch_trigger_graph_ends);
PG_FUNCTION_INFO_V1(josch_trigger_graph_lock_days);
PG_FUNCTION_INFO_V1(josch_trigger_graph_lock_renamed);
PG_FUNCTION_INFO_V1(josch_trigger_graph_templates);

/* Columns of both tables of dependencies; the dates are integers in one and dates in the other. */
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

enum
{
	JOB_NAME, NODE_ID, NODE_TYPE, NODE_COLUMNS
};

static const JoschColumn node_columns[NODE_COLUMNS] = {{"job_name", TEXTOID}, {"node_id", INT8OID}, {"node_type", TEXTOID}};
static AttrNumber node_numbers[NODE_COLUMNS];
static JoschTable tpl_nodes = JOSCH_TABLE("tpl_nodes", node_columns, node_numbers);

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
trigger_of(FunctionCallInfo fcinfo, JoschTable *table, const char *function_name)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, function_name);

	if (!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) || trigger->tg_newtable == NULL)
	{
		josch_report_trigger_misuse(function_name);
	}
	(void) josch_table_check(table, trigger->tg_relation, function_name);
	return trigger;
}

/* A restore brings the levels along; whoever makes a day sees to locks and levels himself. */
static bool
days_are_cared_for(void)
{
	return josch_mode.suspended || josch_mode_is_restore();
}

/* AFTER INSERT and UPDATE on tpl_node_deps */
Datum
josch_trigger_graph_templates(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, &tpl_node_deps, "josch.graph_check_templates");
	int			n;
	GraphEdge  *edges = added_edges(trigger, false, &n);

	if (n > 0)
	{
		int64	   *ids = palloc_extended((Size) n * 2 * sizeof(int64), MCXT_ALLOC_HUGE);

		for (int i = 0; i < n; i++)
		{
			ids[2 * i] = edges[i].parent.node_id;
			ids[2 * i + 1] = edges[i].child.node_id;
		}
		josch_store_graph_lock_linked(ids, 2 * n);
		josch_store_graph_check_templates(edges, n);
	}
	return PointerGetDatum(NULL);
}

/* AFTER INSERT and UPDATE on node_deps, before their parents are counted: row locks come later */
Datum
josch_trigger_graph_lock_days(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, &node_deps, "josch.graph_lock_days");

	if (!days_are_cared_for())
	{
		int			n;
		GraphEdge  *edges = added_edges(trigger, true, &n);
		NodeKey    *keys = palloc_extended(Max((Size) n, 1) * 2 * sizeof(NodeKey), MCXT_ALLOC_HUGE);

		for (int i = 0; i < n; i++)
		{
			keys[2 * i] = edges[i].parent;
			keys[2 * i + 1] = edges[i].child;
		}
		if (n > 0)
		{
			josch_store_graph_lock_added(keys, 2 * n);
		}
	}
	return PointerGetDatum(NULL);
}

Datum
josch_trigger_graph_days(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, &node_deps, "josch.graph_check_days");

	if (!days_are_cared_for())
	{
		int			n;
		GraphEdge  *edges = added_edges(trigger, true, &n);

		josch_store_graph_check_days(edges, n);
	}
	return PointerGetDatum(NULL);
}

/* The names of jobs that nodes have left, and to which they have come. */
static List *
changed_jobs(const TriggerData *trigger)
{
	List	   *names = NIL;
	JoschChanges changes;

	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		bool		isnull;
		char	   *before = TextDatumGetCString(slot_getattr(changes.before, node_numbers[JOB_NAME], &isnull));
		char	   *after = TextDatumGetCString(slot_getattr(changes.after, node_numbers[JOB_NAME], &isnull));

		if (strcmp(before, after) != 0)
		{
			names = lappend(lappend(names, before), after);
		}
	}
	josch_changes_close(&changes);
	return names;
}

static bool
is_other_text(const JoschChanges *changes, int column)
{
	bool		isnull;
	text	   *before = DatumGetTextPP(slot_getattr(changes->before, node_numbers[column], &isnull));
	text	   *after = DatumGetTextPP(slot_getattr(changes->after, node_numbers[column], &isnull));

	return VARSIZE_ANY_EXHDR(before) != VARSIZE_ANY_EXHDR(after) ||
		memcmp(VARDATA_ANY(before), VARDATA_ANY(after), VARSIZE_ANY_EXHDR(before)) != 0;
}

/* AFTER UPDATE on tpl_nodes: nodes that have another job now, or are its end or no more */
Datum
josch_trigger_graph_ends(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, &tpl_nodes, "josch.graph_check_ends");
	int64	   *ids = palloc_extended(Max(tuplestore_tuple_count(trigger->tg_newtable), 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	JoschChanges changes;
	GraphEdge  *edges;
	int			n = 0;
	int			nedges = 0;

	if (trigger->tg_oldtable == NULL)
	{
		josch_report_trigger_misuse("josch.graph_check_ends");
	}
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		bool		isnull;

		if (is_other_text(&changes, JOB_NAME) || is_other_text(&changes, NODE_TYPE))
		{
			ids[n++] = DatumGetInt64(slot_getattr(changes.after, node_numbers[NODE_ID], &isnull));
		}
	}
	josch_changes_close(&changes);
	if (n > 0)
	{
		josch_store_graph_lock_linked(ids, n);
		edges = josch_store_graph_end_edges(ids, n, &nedges);
		josch_store_graph_check_templates(edges, nedges);
	}
	return PointerGetDatum(NULL);
}

/* AFTER UPDATE on tpl_nodes: nodes that have another job now, also because it was renamed */
Datum
josch_trigger_graph_lock_renamed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, &tpl_nodes, "josch.graph_lock_renamed");
	List	   *changed;

	if (trigger->tg_oldtable == NULL)
	{
		josch_report_trigger_misuse("josch.graph_lock_renamed");
	}
	changed = changed_jobs(trigger);
	if (changed != NIL)
	{
		char	  **names = palloc(list_length(changed) * sizeof(char *));

		for (int i = 0; i < list_length(changed); i++)
		{
			names[i] = list_nth(changed, i);
		}
		josch_store_graph_lock_jobs(names, list_length(changed));
	}
	return PointerGetDatum(NULL);
}
