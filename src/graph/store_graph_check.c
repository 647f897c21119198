/*
 * src/graph/store_graph_check.c
 *	  Refuses dependencies that close a cycle, and keeps nodes.level.
 *
 * A new dependency can only close a cycle that runs through it, so a few new
 * ones are checked by what their children lead to; many at once by loading the
 * graph.  In days each node has a level above those of its parents, and a
 * dependency that agrees with the levels closes no cycle: nothing is searched.
 *
 * Two transactions could each add half of a cycle.  Of templates, those who
 * could are kept apart (store_graph_lock.h).  Of days, whoever adds a dependency
 * holds the rows of its parent, its child and all whose level he raises until he
 * ends, and looks for their children anew once he holds them: so a dependency
 * that is committed agrees with the levels, and levels that grow along every
 * dependency leave no room for a cycle.  All see what is committed by then,
 * whatever the isolation level.
 */
#include "base/josch.h"

#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "graph/dag.h"
#include "graph/store_graph.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* So many edges are read at a time. */
#define FETCH_ROWS 1000

/* A template statement with more rows than this loads the whole graph, ... */
#define LOCAL_ROWS 64
/* ... and so does a local search that meets more edges or takes more rounds. */
#define LOCAL_EDGES 4096
#define LOCAL_ROUNDS 64

/* A node that a check has met.  Templates have the date 0. */
typedef struct MetNode
{
	NodeKey		key;
	int32		base;			/* its level in the table */
	int32		level;			/* the level that it needs */
	bool		wanted;			/* its children are, or shall be, among the edges */
	int32		rank;			/* in the order of keys; the id in the dag */
} MetNode;

typedef struct MetEdge
{
	int32		parent;			/* indexes of nodes */
	int32		child;
	int32		lag;
} MetEdge;

typedef struct IndexEntry
{
	NodeKey		key;
	int32		index;
	char		status;
} IndexEntry;

#define SH_PREFIX keyindex
#define SH_ELEMENT_TYPE IndexEntry
#define SH_KEY_TYPE NodeKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) josch_node_key_hash(key)
#define SH_EQUAL(tb, a, b) josch_node_key_equal(a, b)
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* The part of a graph that a check looks at. */
typedef struct Part
{
	keyindex_hash *index;
	MetNode    *nodes;
	int32		nnodes;
	int32		node_space;
	int32	   *wanted;			/* nodes whose children are asked for, in order */
	int32		nwanted;
	int32		nfetched;		/* so many of them have been fetched */
	MetEdge    *edges;
	int32		nedges;
	int32		edge_space;
	const GraphEdge *added;		/* what the statement added */
	int			nadded;
	bool		is_day;
} Part;

static JoschPlan template_name = JOSCH_PLAN(
	"SELECT node_name FROM josch.tpl_nodes WHERE node_id = $1",
	INT8OID);

static JoschPlan day_name = JOSCH_PLAN(
	"SELECT node_name FROM josch.nodes WHERE node_id = $1 AND job_date = $2",
	INT8OID, DATEOID);

static JoschPlan template_all = JOSCH_PLAN0(
	"SELECT p_node_id, NULL::date, c_node_id, NULL::date, c_date - p_date, 0"
	"  FROM " JOSCH_SQL_TEMPLATE_DEPS " d");

static JoschPlan template_children = JOSCH_PLAN(
	"SELECT p_node_id, NULL::date, c_node_id, NULL::date, c_date - p_date, 0"
	"  FROM " JOSCH_SQL_TEMPLATE_DEPS " d"
	" WHERE p_node_id = ANY ($1)", INT8ARRAYOID);

/* of nodes that are ends of jobs, and of those that are none */
static JoschPlan template_ends = JOSCH_PLAN(
	"SELECT n.node_id, date '2000-01-01', e.node_id, date '2000-01-01' FROM josch.tpl_nodes e JOIN josch.tpl_nodes n ON n.job_name = e.job_name"
	" WHERE e.node_id = ANY ($1) AND e.node_type = 'E' AND n.node_type <> 'E'"
	" UNION SELECT n.node_id, date '2000-01-01', e.node_id, date '2000-01-01' FROM josch.tpl_nodes n JOIN josch.tpl_nodes e ON e.job_name = n.job_name"
	" WHERE n.node_id = ANY ($1) AND n.node_type <> 'E' AND e.node_type = 'E'",
	INT8ARRAYOID);

static JoschPlan day_children = JOSCH_PLAN(
	"SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date, 0, c.level"
	"  FROM unnest($1, $2) f (node_id, job_date)"
	"  JOIN josch.node_deps d ON d.p_node_id = f.node_id AND d.p_date = f.job_date"
	"  JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date",
	INT8ARRAYOID, DATEARRAYOID);

static const JoschRow ends_row = JOSCH_ROW(
	GraphEdge,
	JOSCH_FIELD_KEY(GraphEdge, parent),
	JOSCH_FIELD_KEY(GraphEdge, child));

/* those of the given dependencies that disagree with the levels: number, level of parent, of child */
static JoschPlan day_disagreeing = JOSCH_PLAN(
	"SELECT e.i::int, coalesce(p.level, 0), c.level"
	"  FROM unnest($1, $2, $3, $4) WITH ORDINALITY e (p_id, p_date, c_id, c_date, i)"
	"  JOIN josch.nodes c ON c.node_id = e.c_id AND c.job_date = e.c_date"
	"  LEFT JOIN josch.nodes p ON p.node_id = e.p_id AND p.job_date = e.p_date"
	" WHERE c.level <= coalesce(p.level, 0)",
	INT8ARRAYOID, DATEARRAYOID, INT8ARRAYOID, DATEARRAYOID);

/* dependencies of raised nodes whose children are not above them, because others have added them meanwhile */
static JoschPlan day_missed = JOSCH_PLAN(
	"SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date"
	"  FROM unnest($1, $2) f (node_id, job_date)"
	"  JOIN josch.node_deps d ON d.p_node_id = f.node_id AND d.p_date = f.job_date"
	"  JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date"
	"  JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date"
	" WHERE c.level <= p.level",
	INT8ARRAYOID, DATEARRAYOID);

/* locks rows in the order of their former levels, as everywhere */
static JoschPlan day_raise = JOSCH_PLAN(
	"WITH raised AS MATERIALIZED ("
	"	SELECT n.node_id, n.job_date, r.level"
	"	  FROM unnest($1, $2, $3) r (node_id, job_date, level)"
	"	  JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"
	"	 ORDER BY n.level, n.job_date, n.node_id"
	"	   FOR NO KEY UPDATE OF n)"
	"UPDATE josch.nodes n SET level = r.level"
	"  FROM raised r"
	" WHERE n.node_id = r.node_id AND n.job_date = r.job_date",
	INT8ARRAYOID, DATEARRAYOID, INT4ARRAYOID);

static const JoschRow raised_row = JOSCH_ROW(
	MetNode,
	JOSCH_FIELD_KEY(MetNode, key),
	JOSCH_FIELD(MetNode, level, INT32));

/* ---- the part ---- */

static Part
create_part(const GraphEdge *added, int nadded, bool is_day)
{
	Part		part = {.node_space = 64,.edge_space = 64};

	part.index = keyindex_create(CurrentMemoryContext, 64, NULL);
	part.nodes = palloc(part.node_space * sizeof(MetNode));
	part.wanted = palloc(part.node_space * sizeof(int32));
	part.edges = palloc(part.edge_space * sizeof(MetEdge));
	part.added = added;
	part.nadded = nadded;
	part.is_day = is_day;
	return part;
}

/* The index of the node, which is added when it is new. */
static int32
meet_node(Part *part, NodeKey key, int32 level)
{
	bool		found;
	IndexEntry *entry = keyindex_insert(part->index, key, &found);
	MetNode    *node;

	if (found)
	{
		return entry->index;
	}
	if (part->nnodes == part->node_space)
	{
		part->node_space *= 2;
		part->nodes = repalloc_huge(part->nodes, part->node_space * sizeof(MetNode));
		part->wanted = repalloc_huge(part->wanted, part->node_space * sizeof(int32));
	}
	entry->index = part->nnodes;
	node = &part->nodes[part->nnodes++];
	node->key = key;
	node->base = node->level = level;
	node->wanted = false;
	return entry->index;
}

/* Asks for the children of a node: of days, only of one that is raised. */
static void
want_children(Part *part, int32 index)
{
	MetNode    *node = &part->nodes[index];

	if (!node->wanted && (!part->is_day || node->level > node->base))
	{
		node->wanted = true;
		part->wanted[part->nwanted++] = index;
	}
}

static void
meet_edge(Part *part, int32 parent, int32 child, int32 lag)
{
	MetEdge    *edge;

	if (part->nedges == part->edge_space)
	{
		part->edge_space *= 2;
		part->edges = repalloc_huge(part->edges, part->edge_space * sizeof(MetEdge));
	}
	edge = &part->edges[part->nedges++];
	edge->parent = parent;
	edge->child = child;
	edge->lag = lag;

	/* a first guess, which settle_levels puts right */
	part->nodes[child].level = Max(part->nodes[child].level, part->nodes[parent].level + 1);
	want_children(part, child);
}

static void
meet_fetched(Part *part, int rows)
{
	for (int i = 0; i < rows; i++)
	{
		NodeKey		parent = {josch_spi_int64(i, 1, 0), josch_spi_date(i, 2, 0)};
		NodeKey		child = {josch_spi_int64(i, 3, 0), josch_spi_date(i, 4, 0)};
		int32		p = meet_node(part, parent, 0);
		int32		c = meet_node(part, child, josch_spi_int32(i, 6, 0));

		CHECK_FOR_INTERRUPTS();
		meet_edge(part, p, c, josch_spi_int32(i, 5, 0));
	}
}

/*
 * Runs a statement that gives edges (parent, child, lag, level of the child) and
 * adds them, which may be all that there are.  Those of templates have NULL for the dates.
 */
static void
meet_rows(Part *part, JoschPlan *plan, const Datum *args)
{
	Snapshot	latest = RegisterSnapshot(GetLatestSnapshot());
	Portal		portal = josch_spi_open_at(plan, latest, args, NULL);
	bool		more;

	do
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		meet_fetched(part, (int) SPI_processed);
		more = SPI_processed > 0;
		SPI_freetuptable(SPI_tuptable);
	} while (more);
	SPI_cursor_close(portal);
	UnregisterSnapshot(latest);
}

/* Adds the edges to the children that are asked for; returns of how many nodes. */
static int
fetch_children(Part *part)
{
	int			n = part->nwanted - part->nfetched;
	NodeKey    *keys;
	Datum		args[2];

	if (n == 0)
	{
		return 0;
	}
	keys = palloc_extended(n * sizeof(NodeKey), MCXT_ALLOC_HUGE);
	for (int i = 0; i < n; i++)
	{
		keys[i] = part->nodes[part->wanted[part->nfetched + i]].key;
	}
	part->nfetched = part->nwanted;
	josch_spi_key_arrays(keys, n, args);
	meet_rows(part, part->is_day ? &day_children : &template_children, args);
	pfree(DatumGetPointer(args[0]));
	pfree(DatumGetPointer(args[1]));
	pfree(keys);
	return n;
}

static int
compare_met_nodes(const void *a, const void *b)
{
	return josch_node_key_compare((*(MetNode *const *) a)->key, (*(MetNode *const *) b)->key);
}

/* The nodes in the order of their keys, with their ranks set. */
static MetNode **
rank_nodes(Part *part)
{
	MetNode   **ranked = palloc_extended(Max((Size) part->nnodes, 1) * sizeof(MetNode *),
										 MCXT_ALLOC_HUGE);

	for (int32 i = 0; i < part->nnodes; i++)
	{
		ranked[i] = &part->nodes[i];
	}
	qsort(ranked, part->nnodes, sizeof(MetNode *), compare_met_nodes);
	for (int32 i = 0; i < part->nnodes; i++)
	{
		ranked[i]->rank = i;
	}
	return ranked;
}

/* The part as a dag, in which a node's id is its rank and its base its level. */
static JoschDag *
build_dag(const Part *part)
{
	JoschDagEdges *edges = josch_dag_edges_create();
	JoschDag   *dag;

	for (int32 i = 0; i < part->nnodes; i++)
	{
		josch_dag_add_node(edges, part->nodes[i].rank, part->nodes[i].base);
	}
	for (int32 i = 0; i < part->nedges; i++)
	{
		const MetEdge *edge = &part->edges[i];

		josch_dag_add_edge(edges, part->nodes[edge->parent].rank,
						   part->nodes[edge->child].rank, edge->lag);
	}
	dag = josch_dag_build(edges);
	josch_dag_edges_free(edges);
	return dag;
}

/* ---- the refusal ---- */

typedef struct Names
{
	MetNode   **ranked;
	bool		is_day;
	bool		with_dates;
} Names;

/* By number and name, as people know them: 42 "Load prices" */
static char *
name_node(int64 id, const void *names)
{
	const Names *known = names;
	NodeKey		key = known->ranked[id]->key;
	Datum		args[] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	MemoryContext caller = CurrentMemoryContext;
	char	   *number = known->with_dates ? josch_report_key(key.node_id, key.job_date) : psprintf(INT64_FORMAT, key.node_id);
	char	   *name = NULL;
	JoschSpi	spi;

	josch_spi_begin(&spi);
	if (josch_spi_run_latest(known->is_day ? &day_name : &template_name, args, NULL) > 0)
	{
		name = MemoryContextStrdup(caller, josch_spi_text(0, 1));
	}
	josch_spi_end(&spi);
	return name != NULL ? psprintf("%s \"%s\"", number, name) : number;
}

/* Whether the edge is a step of the cycle. */
static bool
is_step(const JoschDagCycle *cycle, const GraphEdge *edge, const int32 *place,
		MetNode **ranked, Part *part)
{
	IndexEntry *entry = keyindex_lookup(part->index, edge->parent);
	int32		at = entry == NULL ? -1 : place[part->nodes[entry->index].rank];

	return at >= 0 &&
		josch_node_key_equal(ranked[cycle->node[at + 1]]->key, edge->child) &&
		(part->is_day || cycle->lag[at] == edge->lag);
}

/* The one added dependency that closes the cycle, NULL when it takes several. */
static const GraphEdge *
find_closing(Part *part, const JoschDagCycle *cycle, MetNode **ranked)
{
	int32	   *place = palloc_extended(part->nnodes * sizeof(int32), MCXT_ALLOC_HUGE);
	const GraphEdge *closing = NULL;

	memset(place, -1, part->nnodes * sizeof(int32));
	for (int32 i = 0; i < cycle->length; i++)
	{
		place[cycle->node[i]] = i;
	}
	for (int i = 0; i < part->nadded; i++)
	{
		if (is_step(cycle, &part->added[i], place, ranked, part))
		{
			if (closing != NULL)
			{
				return NULL;
			}
			closing = &part->added[i];
		}
	}
	return closing;
}

static char *
describe_cycle(const Part *part, const JoschDagCycle *cycle, MetNode **ranked)
{
	Names		names = {.ranked = ranked, .is_day = part->is_day};
	DateADT		first_date = ranked[cycle->node[0]]->key.job_date;
	int64		total = 0;
	bool		has_lag = false;
	char	   *text;

	for (int32 i = 0; i < cycle->length; i++)
	{
		total += cycle->lag[i];
		has_lag |= cycle->lag[i] != 0;
		names.with_dates |= ranked[cycle->node[i]]->key.job_date != first_date;
	}
	text = josch_dag_cycle_text(cycle, name_node, &names);
	if (has_lag)
	{
		return psprintf("The cycle is %s, with a total lag (c_date - p_date) of " INT64_FORMAT " days.",
						text, total);
	}
	if (part->is_day && !names.with_dates)
	{
		return psprintf("The cycle on %s is %s.", josch_report_date(first_date), text);
	}
	return psprintf("The cycle is %s.", text);
}

static void
refuse(Part *part, const JoschDagCycle *cycle, MetNode **ranked)
{
	const GraphEdge *closing = find_closing(part, cycle, ranked);
	char	   *detail = describe_cycle(part, cycle, ranked);
	const char *hint = part->is_day ?
		"Each node of a cycle would wait for itself: take out one of its dependencies." :
		"A cycle is accepted when its total lag is above zero: take out one of its dependencies, or let a child depend on an earlier day (p_date = -1).";

	if (closing != NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("dependency of node %s on node %s would close a cycle",
						part->is_day ? josch_report_key(closing->child.node_id, closing->child.job_date)
						: psprintf(INT64_FORMAT, closing->child.node_id),
						part->is_day ? josch_report_key(closing->parent.node_id, closing->parent.job_date)
						: psprintf(INT64_FORMAT, closing->parent.node_id)),
				 errdetail_internal("%s", detail),
				 errhint("%s", hint)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_CHECK_VIOLATION),
			 errmsg("dependencies would close a cycle"),
			 errdetail_internal("%s", detail),
			 errhint("%s", hint)));
}

/* ---- templates ---- */

/* Adds what the new edges lead to; false when that is too much to look for. */
static bool
meet_surroundings(Part *part)
{
	if (part->nadded > LOCAL_ROWS)
	{
		return false;
	}
	for (int i = 0; i < part->nadded; i++)
	{
		const GraphEdge *edge = &part->added[i];
		int32		child = meet_node(part, edge->child, 0);

		meet_edge(part, meet_node(part, edge->parent, 0), child, edge->lag);
	}
	for (int round = 0; fetch_children(part) > 0; round++)
	{
		if (round >= LOCAL_ROUNDS || part->nedges > LOCAL_EDGES)
		{
			return false;
		}
	}
	return true;
}

GraphEdge *
josch_store_graph_end_edges(const int64 *node_ids, int nnodes, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[1] = {josch_spi_int64_array(node_ids, nnodes)};
	JoschSpi	spi;
	GraphEdge  *edges;

	josch_spi_begin(&spi);
	*n = (int) josch_spi_run_latest(&template_ends, args, NULL);
	edges = josch_rows_fetch(&ends_row, *n, caller);
	josch_spi_end(&spi);
	return edges;
}

void
josch_store_graph_check_templates(const GraphEdge *edges, int n)
{
	MetNode   **ranked;
	JoschDag   *dag;
	JoschDagCycle *cycle;
	JoschSpi	spi;
	Part		part;

	if (n == 0)
	{
		return;
	}
	josch_spi_begin(&spi);
	part = create_part(edges, n, false);
	if (!meet_surroundings(&part))
	{
		part = create_part(edges, n, false);
		meet_rows(&part, &template_all, NULL);
	}
	ranked = rank_nodes(&part);
	dag = build_dag(&part);
	cycle = josch_dag_find_stuck_cycle(dag);
	if (cycle != NULL)
	{
		refuse(&part, cycle, ranked);
	}
	josch_spi_end(&spi);
}

/* ---- days ---- */

/* Adds those of the edges that disagree with the levels; returns how many. */
static int
meet_disagreeing(Part *part, const GraphEdge *edges, int n)
{
	Datum		args[4];
	int			rows;

	josch_rows_arrays(&ends_row, edges, n, args);
	rows = (int) josch_spi_run_latest(&day_disagreeing, args, NULL);
	for (int i = 0; i < rows; i++)
	{
		const GraphEdge *edge = &edges[josch_spi_int32(i, 1, 0) - 1];
		int32		parent = meet_node(part, edge->parent, josch_spi_int32(i, 2, 0));

		CHECK_FOR_INTERRUPTS();
		meet_edge(part, parent, meet_node(part, edge->child, josch_spi_int32(i, 3, 0)), 0);
	}
	SPI_freetuptable(SPI_tuptable);
	return rows;
}

/* Gives the nodes the levels that the edges met so far ask for. */
static void
settle_levels(Part *part)
{
	MetNode   **ranked = rank_nodes(part);
	JoschDag   *dag = build_dag(part);
	JoschDagOrder *order = josch_dag_sort(dag);

	if (order->count < dag->nnodes)
	{
		refuse(part, josch_dag_find_cycle(dag), ranked);
	}
	for (int32 i = 0; i < part->nnodes; i++)
	{
		ranked[i]->level = order->level[i];
	}
	for (int32 i = 0; i < part->nnodes; i++)
	{
		want_children(part, i);
	}
	josch_dag_free(dag);
	pfree(ranked);
}

/*
 * Writes the levels that have changed, all in one statement.  Returns the
 * dependencies that others have added before the rows could be locked, and that
 * disagree with the levels now.
 */
static GraphEdge *
write_levels(const Part *part, int *nmissed)
{
	GraphEdge  *missed;
	MetNode    *raised = palloc_extended(part->nnodes * sizeof(MetNode), MCXT_ALLOC_HUGE);
	JoschMode	former;
	Datum		args[3];
	int			n = 0;

	for (int32 i = 0; i < part->nnodes; i++)
	{
		const MetNode *node = &part->nodes[i];

		if (node->level > node->base)
		{
			raised[n++] = *node;
		}
	}
	josch_rows_arrays(&raised_row, raised, n, args);
	former = josch_mode_enter_engine();
	(void) josch_spi_change_latest(&day_raise, SPI_OK_UPDATE, args, NULL);
	josch_mode = former;

	*nmissed = (int) josch_spi_run_latest(&day_missed, args, NULL);
	missed = josch_rows_fetch(&ends_row, *nmissed, CurrentMemoryContext);
	SPI_freetuptable(SPI_tuptable);
	return missed;
}

/*
 * The levels that are guessed while edges come in may be too low where paths
 * of different lengths meet; when nothing more comes in they are settled, and
 * what that raises is fetched in turn.  Each node is fetched once, so a cycle
 * does not keep this from its end, where settling finds it.
 */
void
josch_store_graph_check_days(const GraphEdge *edges, int n)
{
	const GraphEdge *unsettled = edges;
	int			nunsettled = n;
	JoschSpi	spi;

	josch_spi_begin(&spi);
	while (nunsettled > 0)
	{
		Part		part = create_part(edges, n, true);

		if (meet_disagreeing(&part, unsettled, nunsettled) == 0)
		{
			break;
		}
		while (fetch_children(&part) > 0)
		{
			while (fetch_children(&part) > 0)
				;
			settle_levels(&part);
		}
		unsettled = write_levels(&part, &nunsettled);
	}
	josch_spi_end(&spi);
}
