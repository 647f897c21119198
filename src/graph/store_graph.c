/*
 * src/graph/store_graph.c
 *	  Graphs out of the tables, for people to look at.
 *
 * Everything here is read with the caller's own rights: who may not see a table
 * does not see its graph either.  An edge list of a million rows comes from any
 * query, so its rows go straight from the executor into the graph, and are
 * never kept as tuples.
 */
#include "base/josch.h"

#include "base/node_key.h"
#include "base/report.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "graph/dag.h"
#include "graph/store_graph.h"

#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "tcop/dest.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/plancache.h"

/* ---- edges from any query ---- */

typedef struct EdgeReceiver
{
	DestReceiver pub;
	JoschDagEdges *edges;
	Oid			type[2];
} EdgeReceiver;

static void
receive_startup(DestReceiver *self, int operation, TupleDesc desc)
{
	EdgeReceiver *receiver = (EdgeReceiver *) self;

	receiver->type[0] = TupleDescAttr(desc, 0)->atttypid;
	receiver->type[1] = TupleDescAttr(desc, 1)->atttypid;
}

static inline int64
receive_id(const EdgeReceiver *receiver, const TupleTableSlot *slot, int column)
{
	Datum		value = slot->tts_values[column];

	if (slot->tts_isnull[column])
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("an edge cannot have a null end"),
				 errdetail("Column %d of row " INT64_FORMAT " of the query for edges is null.",
						   column + 1, receiver->edges->count + 1)));
	}
	switch (receiver->type[column])
	{
		case INT8OID:
			return DatumGetInt64(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt16(value);
	}
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	EdgeReceiver *receiver = (EdgeReceiver *) self;
	int64		parent;

	slot_getsomeattrs(slot, 2);
	parent = receive_id(receiver, slot, 0);
	josch_dag_add_edge(receiver->edges, parent, receive_id(receiver, slot, 1), 0);
	return true;
}

static void
receive_nothing(DestReceiver *self)
{
}

/* The columns of the query must be two integers. */
static void
check_columns(TupleDesc desc)
{
	if (desc->natts != 2)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query for edges must have two columns, parent and child"),
				 errdetail("It has %d.", desc->natts)));
	}
	for (int i = 0; i < 2; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;

		if (type != INT8OID && type != INT4OID && type != INT2OID)
		{
			ereport(ERROR,
					(errcode(ERRCODE_DATATYPE_MISMATCH),
					 errmsg("the query for edges must have two columns of type bigint"),
					 errdetail("Column %d is of type %s.", i + 1, format_type_be(type)),
					 errhint("integer and smallint will do as well.")));
		}
	}
}

static SPIPlanPtr
prepare_edges(const char *query)
{
	SPIPlanPtr	plan = SPI_prepare_cursor(query, 0, NULL, CURSOR_OPT_PARALLEL_OK);
	CachedPlanSource *source = NULL;
	Query	   *parsed;

	if (plan != NULL && SPI_is_cursor_plan(plan))
	{
		source = linitial(SPI_plan_get_plan_sources(plan));
	}
	parsed = source == NULL ? NULL : linitial(source->query_list);
	if (parsed == NULL || parsed->commandType != CMD_SELECT ||
		parsed->hasModifyingCTE || parsed->rowMarks != NIL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the query for edges must be one statement that only reads, such as SELECT, VALUES or TABLE")));
	}
	check_columns(source->resultDesc);
	return plan;
}

void
josch_store_graph_read_query(const char *query, JoschDagEdges *edges)
{
	EdgeReceiver receiver = {
		.pub = {
			.receiveSlot = receive_row,
			.rStartup = receive_startup,
			.rShutdown = receive_nothing,
			.rDestroy = receive_nothing,
			.mydest = DestNone,
		},
		.edges = edges,
	};
	SPIExecuteOptions options = {.read_only = true,.dest = &receiver.pub};
	JoschSpi	spi;

	josch_spi_begin_callers_query(&spi);
	if (SPI_execute_plan_extended(prepare_edges(query), &options) < 0)
	{
		elog(ERROR, "SPI returned %s for the query for edges",
			 SPI_result_code_string(SPI_result));
	}
	josch_spi_end(&spi);
}

/* ---- nodes ---- */

static JoschPlan template_job = JOSCH_PLAN(
	"SELECT FROM josch.tpl_jobs WHERE job_name = $1", TEXTOID);

static JoschPlan day_job = JOSCH_PLAN(
	"SELECT FROM josch.jobs WHERE job_name = $1 AND job_date = $2", TEXTOID, DATEOID);

/* of all statements that give nodes */
static const JoschRow node_row = JOSCH_ROW(
	GraphNode,
	JOSCH_FIELD(GraphNode, node_id, INT64),
	JOSCH_FIELD(GraphNode, job_date, DATE),
	JOSCH_FIELD(GraphNode, node_type, TEXT),
	JOSCH_FIELD(GraphNode, job_name, TEXT),
	JOSCH_FIELD(GraphNode, node_name, TEXT),
	JOSCH_FIELD(GraphNode, state, TEXT),
	JOSCH_FIELD(GraphNode, exists, BOOL),
	JOSCH_NULLABLE(GraphNode, expected, BOOL, true),
	JOSCH_FIELD(GraphNode, duration, INT64),
	JOSCH_FIELD(GraphNode, joins_any, BOOL),
	JOSCH_FIELD(GraphNode, waits_for, TEXT));

/* what a node waits for outside */
#define WAITED_FOR "nullif(concat_ws(', ', wait_file, CASE WHEN wait_sql IS NOT NULL THEN 'wait_sql' END), '')"

static JoschPlan template_nodes = JOSCH_PLAN(
	"SELECT node_id, NULL::date, node_type, job_name, node_name, NULL::text, true, true, 0::bigint, join_rule = 'any', " WAITED_FOR
	"  FROM josch.tpl_nodes"
	" WHERE $1 IS NULL OR job_name = $1"
	" ORDER BY node_id", TEXTOID);

static JoschPlan day_nodes = JOSCH_PLAN(
	"SELECT node_id, job_date, node_type, job_name, node_name, state, true, true, 0::bigint, join_rule = 'any', " WAITED_FOR
	"  FROM josch.nodes"
	" WHERE job_date = $2 AND ($1 IS NULL OR job_name = $1)"
	" ORDER BY node_id", TEXTOID, DATEOID);

/* a long-running node lets its children go when it is up, not when it ends */
#define RUN_DURATION "coalesce(r.up_at, r.ended_at) - r.started_at"
#define MEDIAN_OF_FORMER \
	"SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY " RUN_DURATION ") AS d" \
	"  FROM josch.runs r" \
	" WHERE r.node_id = n.node_id AND r.status <> 'unknown'"
#define MICROSECONDS(interval) \
	"greatest((extract(epoch FROM " interval ") * 1000000)::bigint, 0)"

static JoschPlan template_durations = JOSCH_PLAN(
	"SELECT n.node_id, NULL::date, n.node_type, n.job_name, n.node_name, NULL::text, true, true,"
	"       " MICROSECONDS("former.d") ", n.join_rule = 'any', NULL::text"
	"  FROM josch.tpl_nodes n"
	"  LEFT JOIN LATERAL (" MEDIAN_OF_FORMER ") former ON true"
	" WHERE $1 IS NULL OR n.job_name = $1"
	" ORDER BY n.node_id", TEXTOID);

static JoschPlan day_durations = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date, n.node_type, n.job_name, n.node_name, n.state, true, true,"
	"       " MICROSECONDS("coalesce(own.d, former.d)") ", n.join_rule = 'any', NULL::text"
	"  FROM josch.nodes n"
	"  LEFT JOIN LATERAL (SELECT " RUN_DURATION " AS d"
	"                       FROM josch.runs r"
	"                      WHERE r.node_id = n.node_id AND r.job_date = n.job_date"
	"                        AND r.status <> 'unknown' AND " RUN_DURATION " IS NOT NULL"
	"                      ORDER BY r.attempt DESC LIMIT 1) own ON true"
	"  LEFT JOIN LATERAL (" MEDIAN_OF_FORMER " AND r.job_date < n.job_date) former"
	"         ON own.d IS NULL"
	" WHERE n.job_date = $2 AND ($1 IS NULL OR n.job_name = $1)"
	" ORDER BY n.node_id", TEXTOID, DATEOID);

/* ---- edges, and what lies at their other ends ---- */

static JoschPlan template_inner_edges = JOSCH_PLAN(
	"SELECT d.p_node_id, d.c_node_id"
	"  FROM " JOSCH_SQL_TEMPLATE_DEPS " d"
	"  JOIN josch.tpl_nodes p ON p.node_id = d.p_node_id"
	"  JOIN josch.tpl_nodes c ON c.node_id = d.c_node_id"
	" WHERE d.p_date = d.c_date AND ($1 IS NULL OR (p.job_name = $1 AND c.job_name = $1))",
	TEXTOID);

static JoschPlan day_inner_edges = JOSCH_PLAN(
	"SELECT d.p_node_id, d.c_node_id"
	"  FROM josch.nodes c"
	"  JOIN josch.node_deps d ON d.c_node_id = c.node_id AND d.c_date = c.job_date"
	"  JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date"
	" WHERE c.job_date = $2 AND d.p_date = $2"
	"   AND ($1 IS NULL OR (p.job_name = $1 AND c.job_name = $1))",
	TEXTOID, DATEOID);

/* of those that are one dependency of a day the first condition holds */
static JoschPlan template_edges = JOSCH_PLAN(
	"SELECT DISTINCT ON (1, 3, 5) d.p_node_id, NULL::date, d.c_node_id, NULL::date, d.c_date - d.p_date, d.condition"
	"  FROM " JOSCH_SQL_TEMPLATE_DEPS " d"
	"  JOIN josch.tpl_nodes p ON p.node_id = d.p_node_id"
	"  JOIN josch.tpl_nodes c ON c.node_id = d.c_node_id"
	" WHERE $1 IS NULL OR $1 IN (p.job_name, c.job_name)"
	" ORDER BY 1, 3, 5, array_position(ARRAY['success', 'done', 'failure', 'well'], d.condition)", TEXTOID);

#define DAY_EDGES \
	"SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date, d.expected, d.condition" \
	"  FROM josch.nodes n" \
	"  JOIN josch.node_deps d ON d.c_node_id = n.node_id AND d.c_date = n.job_date" \
	" WHERE n.job_date = $2 AND ($1 IS NULL OR n.job_name = $1)" \
	" UNION " \
	"SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date, d.expected, d.condition" \
	"  FROM josch.nodes n" \
	"  JOIN josch.node_deps d ON d.p_node_id = n.node_id AND d.p_date = n.job_date" \
	" WHERE n.job_date = $2 AND ($1 IS NULL OR n.job_name = $1)"

static JoschPlan day_edges = JOSCH_PLAN(
	"SELECT p_node_id, p_date, c_node_id, c_date, c_date - p_date, condition"
	"  FROM (" DAY_EDGES ") d"
	" ORDER BY 1, 2, 3, 4, 6", TEXTOID, DATEOID);

static const JoschRow edge_row = JOSCH_ROW(
	GraphEdge,
	JOSCH_FIELD_KEY(GraphEdge, parent),
	JOSCH_FIELD_KEY(GraphEdge, child),
	JOSCH_FIELD(GraphEdge, lag, INT32),
	JOSCH_FIELD_WORDS(GraphEdge, condition, josch_conditions));

static JoschPlan template_neighbours = JOSCH_PLAN(
	"SELECT n.node_id, NULL::date, n.node_type, n.job_name, n.node_name, NULL::text, true, true, 0::bigint, n.join_rule = 'any', NULL::text"
	"  FROM josch.tpl_nodes n"
	" WHERE n.job_name <> $1"
	"   AND n.node_id IN (SELECT unnest(ARRAY[d.p_node_id, d.c_node_id])"
	"                       FROM " JOSCH_SQL_TEMPLATE_DEPS " d"
	"                       JOIN josch.tpl_nodes p ON p.node_id = d.p_node_id"
	"                       JOIN josch.tpl_nodes c ON c.node_id = d.c_node_id"
	"                      WHERE $1 IN (p.job_name, c.job_name))"
	" ORDER BY n.node_id", TEXTOID);

static JoschPlan day_neighbours = JOSCH_PLAN(
	"SELECT e.node_id, e.job_date, n.node_type, n.job_name, n.node_name, n.state,"
	"       n.node_id IS NOT NULL, e.expected, 0::bigint, coalesce(n.join_rule = 'any', false), NULL::text"
	"  FROM (SELECT ends.node_id, ends.job_date, bool_or(d.expected) AS expected"
	"          FROM (" DAY_EDGES ") d,"
	"               LATERAL (VALUES (d.p_node_id, d.p_date), (d.c_node_id, d.c_date)) ends (node_id, job_date)"
	"         GROUP BY 1, 2) e"
	"  LEFT JOIN josch.nodes n ON n.node_id = e.node_id AND n.job_date = e.job_date"
	" WHERE n.node_id IS NULL OR n.job_date <> $2 OR n.job_name <> $1"
	" ORDER BY 1, 2", TEXTOID, DATEOID);

/* Runs the plan of the scope with its arguments: job ($1), and date ($2) for a day. */
static int
run_scope(JoschPlan *of_templates, JoschPlan *of_day, const GraphScope *scope)
{
	Datum		args[2];
	char		nulls[3] = "  ";

	if (scope->job_name == NULL)
	{
		args[0] = (Datum) 0;
		nulls[0] = 'n';
	}
	else
	{
		args[0] = CStringGetTextDatum(scope->job_name);
	}
	args[1] = DateADTGetDatum(scope->job_date);
	return (int) josch_spi_run(scope->is_day ? of_day : of_templates, SPI_OK_SELECT, args, nulls);
}

/* An empty answer to a question about a job that does not exist is an error. */
static void
check_job(const GraphScope *scope)
{
	if (scope->job_name != NULL && run_scope(&template_job, &day_job, scope) == 0)
	{
		if (scope->is_day)
		{
			josch_report_no_job(scope->job_name, scope->job_date);
		}
		josch_report_no_template_job(scope->job_name);
	}
}

static GraphNode *
read_nodes(JoschPlan *of_templates, JoschPlan *of_day, const GraphScope *scope,
		   bool outside, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	GraphNode  *nodes;
	JoschSpi	spi;

	josch_spi_begin_as_caller(&spi);
	check_job(scope);
	*n = run_scope(of_templates, of_day, scope);
	nodes = josch_rows_fetch(&node_row, *n, caller);
	for (int i = 0; i < *n; i++)
	{
		nodes[i].outside = outside;
	}
	josch_spi_end(&spi);
	return nodes;
}

GraphNode *
josch_store_graph_nodes(const GraphScope *scope, int *n)
{
	return read_nodes(&template_nodes, &day_nodes, scope, false, n);
}

GraphNode *
josch_store_graph_durations(const GraphScope *scope, int *n)
{
	return read_nodes(&template_durations, &day_durations, scope, false, n);
}

GraphNode *
josch_store_graph_neighbours(const GraphScope *scope, int *n)
{
	return read_nodes(&template_neighbours, &day_neighbours, scope, true, n);
}

void
josch_store_graph_inner_edges(const GraphScope *scope, JoschDagEdges *edges)
{
	JoschSpi	spi;
	int			n;

	josch_spi_begin_as_caller(&spi);
	n = run_scope(&template_inner_edges, &day_inner_edges, scope);
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		josch_dag_add_edge(edges, josch_spi_int64(i, 1, 0), josch_spi_int64(i, 2, 0), 0);
	}
	josch_spi_end(&spi);
}

GraphEdge *
josch_store_graph_edges(const GraphScope *scope, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	GraphEdge  *edges;
	JoschSpi	spi;

	josch_spi_begin_as_caller(&spi);
	*n = run_scope(&template_edges, &day_edges, scope);
	edges = josch_rows_fetch(&edge_row, *n, caller);
	josch_spi_end(&spi);
	return edges;
}

/* ---- walks ---- */

static JoschPlan template_node = JOSCH_PLAN(
	"SELECT FROM josch.tpl_nodes WHERE node_id = $1", INT8OID);

static JoschPlan day_node = JOSCH_PLAN(
	"SELECT FROM josch.nodes WHERE node_id = $1 AND job_date = $2", INT8OID, DATEOID);

/* from a set of nodes one step up or down: [is_day][upwards] */
static JoschPlan step[2][2] = {
	{
		JOSCH_PLAN("SELECT DISTINCT d.c_node_id, NULL::date FROM " JOSCH_SQL_TEMPLATE_DEPS " d"
				   " WHERE d.p_node_id = ANY ($1)", INT8ARRAYOID),
		JOSCH_PLAN("SELECT DISTINCT d.p_node_id, NULL::date FROM " JOSCH_SQL_TEMPLATE_DEPS " d"
				   " WHERE d.c_node_id = ANY ($1)", INT8ARRAYOID),
	},
	{
		JOSCH_PLAN("SELECT DISTINCT d.c_node_id, d.c_date"
				   "  FROM unnest($1, $2) f (node_id, job_date)"
				   "  JOIN josch.node_deps d ON d.p_node_id = f.node_id AND d.p_date = f.job_date",
				   INT8ARRAYOID, DATEARRAYOID),
		JOSCH_PLAN("SELECT DISTINCT d.p_node_id, d.p_date"
				   "  FROM unnest($1, $2) f (node_id, job_date)"
				   "  JOIN josch.node_deps d ON d.c_node_id = f.node_id AND d.c_date = f.job_date",
				   INT8ARRAYOID, DATEARRAYOID),
	},
};

static const JoschRow step_row = JOSCH_ROW(GraphStep, JOSCH_FIELD_KEY(GraphStep, key));

typedef struct SeenEntry
{
	NodeKey		key;
	char		status;
} SeenEntry;

#define SH_PREFIX seen
#define SH_ELEMENT_TYPE SeenEntry
#define SH_KEY_TYPE NodeKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) josch_node_key_hash(key)
#define SH_EQUAL(tb, a, b) josch_node_key_equal(a, b)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* The steps found so far; a round takes those from "from" on. */
typedef struct Walk
{
	seen_hash  *seen;
	GraphStep  *steps;
	int			count;
	int			space;
} Walk;

/* The key as a step, unless it was seen before. */
static void
add_step(Walk *walk, NodeKey key, int32 distance)
{
	bool		found;

	seen_insert(walk->seen, key, &found);
	if (found)
	{
		return;
	}
	if (walk->count == walk->space)
	{
		walk->space *= 2;
		walk->steps = repalloc_huge(walk->steps, walk->space * sizeof(GraphStep));
	}
	walk->steps[walk->count].key = key;
	walk->steps[walk->count++].distance = distance;
}

/* Adds all that lies one step from steps[from ...]. */
static void
take_round(Walk *walk, JoschPlan *plan, int from, MemoryContext scratch)
{
	MemoryContext former = MemoryContextSwitchTo(scratch);
	int32		distance = walk->steps[from].distance + 1;
	Datum		args[2];
	NodeKey    *keys;
	int			rows;

	josch_rows_arrays(&step_row, walk->steps + from, walk->count - from, args);
	rows = (int) josch_spi_run(plan, SPI_OK_SELECT, args, NULL);
	keys = josch_rows_fetch(&josch_rows_key, rows, scratch);
	for (int i = 0; i < rows; i++)
	{
		CHECK_FOR_INTERRUPTS();
		add_step(walk, keys[i], distance);
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextSwitchTo(former);
	MemoryContextReset(scratch);
}

static void
check_node(int64 node_id, bool is_day, DateADT job_date)
{
	Datum		args[2] = {Int64GetDatum(node_id), DateADTGetDatum(job_date)};

	if (josch_spi_run(is_day ? &day_node : &template_node, SPI_OK_SELECT, args, NULL) == 0)
	{
		if (is_day)
		{
			josch_report_no_node(node_id, job_date);
		}
		josch_report_no_template_node(node_id);
	}
}

static int
compare_steps(const void *a, const void *b)
{
	const GraphStep *x = a;
	const GraphStep *y = b;

	if (x->distance != y->distance)
	{
		return x->distance < y->distance ? -1 : 1;
	}
	if (x->key.node_id != y->key.node_id)
	{
		return x->key.node_id < y->key.node_id ? -1 : 1;
	}
	return (x->key.job_date > y->key.job_date) - (x->key.job_date < y->key.job_date);
}

GraphStep *
josch_store_graph_walk(int64 node_id, bool is_day, DateADT job_date, bool upwards, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	NodeKey		start = {node_id, is_day ? job_date : 0};
	Walk		walk = {.space = 64};
	MemoryContext scratch;
	JoschSpi	spi;

	walk.seen = seen_create(caller, 64, NULL);
	walk.steps = MemoryContextAlloc(caller, walk.space * sizeof(GraphStep));
	josch_spi_begin_as_caller(&spi);
	check_node(node_id, is_day, job_date);
	scratch = AllocSetContextCreate(CurrentMemoryContext, "josch walk", ALLOCSET_DEFAULT_SIZES);
	add_step(&walk, start, 0);
	for (int from = 0, to; from < walk.count; from = to)
	{
		to = walk.count;
		take_round(&walk, &step[is_day][upwards], from, scratch);
	}
	josch_spi_end(&spi);

	/* the start itself is no result */
	*n = walk.count - 1;
	qsort(walk.steps + 1, *n, sizeof(GraphStep), compare_steps);
	return walk.steps + 1;
}
