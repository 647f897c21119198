/*
 * src/graph/api_dag.c
 *	  SQL functions that order, search and shorten graphs.
 *
 * The functions dag_*() take any edge list; the others ask about templates
 * or a day.  A result may have a million rows, so rows go into a tuplestore as
 * they are computed, and graphs in memory are freed before the call returns.
 */
#include "base/josch.h"

#include "base/report.h"
#include "graph/dag.h"
#include "graph/store_graph.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

PG_FUNCTION_INFO_V1(josch_api_dag_topological_sort);
PG_FUNCTION_INFO_V1(josch_api_dag_find_cycle);
PG_FUNCTION_INFO_V1(josch_api_dag_transitive_reduction);
PG_FUNCTION_INFO_V1(josch_api_dag_sort_nodes);
PG_FUNCTION_INFO_V1(josch_api_dag_ancestors);
PG_FUNCTION_INFO_V1(josch_api_dag_descendants);
PG_FUNCTION_INFO_V1(josch_api_dag_critical_path);

#define MAX_COLUMNS 6

static void
put_row(ReturnSetInfo *result, Datum *values, bool *nulls)
{
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static JoschDag *
build_and_free(JoschDagEdges *edges)
{
	JoschDag   *dag = josch_dag_build(edges);

	josch_dag_edges_free(edges);
	return dag;
}

/* The graph of a query for edges. */
static JoschDag *
dag_of_query(text *query)
{
	JoschDagEdges *edges = josch_dag_edges_create();

	josch_store_graph_read_query(text_to_cstring(query), edges);
	return build_and_free(edges);
}

/* The order of a graph; one with a cycle is an error that names it. */
static JoschDagOrder *
order_of(JoschDag *dag)
{
	JoschDagOrder *order = josch_dag_sort(dag);

	if (order->count < dag->nnodes)
	{
		char	   *cycle = josch_dag_cycle_text(josch_dag_find_cycle(dag), NULL, NULL);

		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("the graph has a cycle"),
				 errdetail("The cycle is %s.", cycle),
				 errhint("josch.dag_find_cycle() returns a cycle as an array.")));
	}
	return order;
}

/* ---- any edge list ---- */

Datum
josch_api_dag_topological_sort(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	JoschDag   *dag;
	JoschDagOrder *order;
	Datum		values[3];
	bool		nulls[3] = {false};

	InitMaterializedSRF(fcinfo, 0);
	dag = dag_of_query(PG_GETARG_TEXT_PP(0));
	order = order_of(dag);
	for (int32 i = 0; i < order->count; i++)
	{
		int32		v = order->order[i];

		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum((int64) i + 1);
		values[1] = Int32GetDatum(order->level[v]);
		values[2] = Int64GetDatum(dag->id[v]);
		put_row(result, values, nulls);
	}
	josch_dag_free(dag);
	return (Datum) 0;
}

Datum
josch_api_dag_find_cycle(PG_FUNCTION_ARGS)
{
	JoschDag   *dag = dag_of_query(PG_GETARG_TEXT_PP(0));
	JoschDagCycle *cycle = josch_dag_find_cycle(dag);
	Datum	   *nodes;

	josch_dag_free(dag);
	if (cycle == NULL)
	{
		PG_RETURN_NULL();
	}
	nodes = palloc_extended(((Size) cycle->length + 1) * sizeof(Datum), MCXT_ALLOC_HUGE);
	for (int32 i = 0; i <= cycle->length; i++)
	{
		nodes[i] = Int64GetDatum(cycle->node[i]);
	}
	PG_RETURN_ARRAYTYPE_P(construct_array(nodes, cycle->length + 1, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

Datum
josch_api_dag_transitive_reduction(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	JoschDag   *dag;
	int32	   *parents;
	int32	   *children;
	int32		n;
	Datum		values[2];
	bool		nulls[2] = {false};

	InitMaterializedSRF(fcinfo, 0);
	dag = dag_of_query(PG_GETARG_TEXT_PP(0));
	n = josch_dag_reduce(dag, order_of(dag), &parents, &children);
	for (int32 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(dag->id[parents[i]]);
		values[1] = Int64GetDatum(dag->id[children[i]]);
		put_row(result, values, nulls);
	}
	josch_dag_free(dag);
	return (Datum) 0;
}

/* ---- templates and days ---- */

/* The scope that two arguments (job_name, job_date) ask for; NULL is the default of both. */
static GraphScope
scope_of(FunctionCallInfo fcinfo)
{
	GraphScope	scope = {0};

	if (!PG_ARGISNULL(0))
	{
		scope.job_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	}
	if (!PG_ARGISNULL(1))
	{
		scope.is_day = true;
		scope.job_date = PG_GETARG_DATEADT(1);
	}
	return scope;
}

/* The graph of the nodes, index for index, and their dependencies within one day. */
static JoschDag *
dag_of_scope(const GraphScope *scope, const GraphNode *nodes, int n)
{
	JoschDagEdges *edges = josch_dag_edges_create();
	JoschDag   *dag;

	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		josch_dag_add_node(edges, nodes[i].node_id, 0);
	}
	josch_store_graph_inner_edges(scope, edges);
	dag = build_and_free(edges);
	if (dag->nnodes != n)
	{
		/* two statements, so a volatile caller may see a change between them */
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg("could not read the graph because it was changed at the same time")));
	}
	return dag;
}

Datum
josch_api_dag_sort_nodes(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GraphScope	scope = scope_of(fcinfo);
	GraphNode  *nodes;
	JoschDag   *dag;
	JoschDagOrder *order;
	int			n;
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS] = {false};

	InitMaterializedSRF(fcinfo, 0);
	nodes = josch_store_graph_nodes(&scope, &n);
	dag = dag_of_scope(&scope, nodes, n);
	order = order_of(dag);
	nulls[3] = !scope.is_day;
	for (int32 i = 0; i < order->count; i++)
	{
		const GraphNode *node = &nodes[order->order[i]];

		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum((int64) i + 1);
		values[1] = Int32GetDatum(order->level[order->order[i]]);
		values[2] = Int64GetDatum(node->node_id);
		values[3] = DateADTGetDatum(node->job_date);
		values[4] = CStringGetTextDatum(node->job_name);
		values[5] = CStringGetTextDatum(node->node_name);
		put_row(result, values, nulls);
	}
	return (Datum) 0;
}

static Datum
walk(FunctionCallInfo fcinfo, bool upwards)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	bool		is_day = !PG_ARGISNULL(1);
	GraphStep  *steps;
	int			n;
	Datum		values[3];
	bool		nulls[3] = {false, !is_day, false};

	InitMaterializedSRF(fcinfo, 0);
	if (PG_ARGISNULL(0))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("node_id cannot be null")));
	}
	steps = josch_store_graph_walk(PG_GETARG_INT64(0), is_day,
								   is_day ? PG_GETARG_DATEADT(1) : 0, upwards, &n);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		values[0] = Int64GetDatum(steps[i].key.node_id);
		values[1] = DateADTGetDatum(steps[i].key.job_date);
		values[2] = Int32GetDatum(steps[i].distance);
		put_row(result, values, nulls);
	}
	return (Datum) 0;
}

Datum
josch_api_dag_ancestors(PG_FUNCTION_ARGS)
{
	return walk(fcinfo, true);
}

Datum
josch_api_dag_descendants(PG_FUNCTION_ARGS)
{
	return walk(fcinfo, false);
}

static Datum
interval_of(int64 microseconds)
{
	Interval   *interval = palloc0(sizeof(Interval));

	interval->time = microseconds;
	return IntervalPGetDatum(interval);
}

Datum
josch_api_dag_critical_path(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	GraphScope	scope = scope_of(fcinfo);
	GraphNode  *nodes;
	JoschDag   *dag;
	JoschDagStop *stops;
	int64	   *durations;
	int			n;
	int32		length;
	Datum		values[MAX_COLUMNS];
	bool		nulls[MAX_COLUMNS] = {false};

	InitMaterializedSRF(fcinfo, 0);
	nodes = josch_store_graph_durations(&scope, &n);
	dag = dag_of_scope(&scope, nodes, n);
	durations = palloc_extended(Max((Size) n, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		durations[i] = nodes[i].duration;
	}
	length = josch_dag_critical_path(dag, order_of(dag), durations, &stops);
	for (int32 i = 0; i < length; i++)
	{
		const GraphNode *node = &nodes[stops[i].node];

		values[0] = Int64GetDatum((int64) i + 1);
		values[1] = Int64GetDatum(node->node_id);
		values[2] = CStringGetTextDatum(node->job_name);
		values[3] = CStringGetTextDatum(node->node_name);
		values[4] = interval_of(node->duration);
		values[5] = interval_of(stops[i].finish);
		put_row(result, values, nulls);
	}
	return (Datum) 0;
}
