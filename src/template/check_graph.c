/*
 * src/template/check_graph.c
 *	  Whether nodes can come to run, by what may become of those before them.
 *
 * Two questions about the day of the templates.  When all that runs succeeds, which nodes
 * are omitted?  And is there any outcome at all by which a node runs?  For the second,
 * each node has what must have been for it to run: which of the nodes whose failure
 * somebody waits for have succeeded, and which have failed; one that needs both of one node
 * never runs.  That is exact where nodes join all of their dependencies; where one joins
 * any, what all of its ways need is needed, so that what is said is true, if not all
 * that there is to say.  Of other days nothing is known: they may have been as they like.
 */
#include "base/josch.h"

#include "template/validate.h"

#include "graph/dag.h"
#include "graph/store_graph.h"
#include "node/join.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* A node, and what must have been for it to run. */
typedef struct Fate
{
	bool		omitted;		/* when all that runs succeeds */
	bool		never;			/* runs by no outcome */
	int			fork;			/* its number among those whose failure somebody waits for; -1: it is none */
	Bitmapset  *good;			/* forks that have succeeded, */
	Bitmapset  *bad;			/* and that have failed */
} Fate;

typedef struct Graph
{
	JoschFindings *findings;
	GraphNode  *nodes;			/* by id */
	int			n;
	GraphEdge  *edges;			/* by child */
	int			nedges;
	int		   *first;			/* of each node's edges; n + 1 of them */
	Fate	   *fates;
	int		   *forks;			/* the node of each */
	int			nforks;
	char	  **jobs;			/* those that are told of, in order; */
	int			njobs;			/* -1: all */
	int			never_told;
	int			omitted_told;
} Graph;

/* ---- the graph ---- */

static int
find_node(const Graph *graph, int64 id)
{
	int			low = 0;
	int			high = graph->n - 1;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (graph->nodes[middle].node_id < id)
		{
			low = middle + 1;
		}
		else
		{
			high = middle;
		}
	}
	return low;
}

static int
compare_nodes(const void *a, const void *b)
{
	int64		x = ((const GraphNode *) a)->node_id;
	int64		y = ((const GraphNode *) b)->node_id;

	return (x > y) - (x < y);
}

static int
compare_edges(const void *a, const void *b)
{
	const GraphEdge *x = a;
	const GraphEdge *y = b;

	return x->child.node_id != y->child.node_id ? (x->child.node_id > y->child.node_id ? 1 : -1) :
		(x->parent.node_id > y->parent.node_id) - (x->parent.node_id < y->parent.node_id);
}

/* The parents of each node, and which nodes have somebody who waits for their failure on the same day. */
static void
index_edges(Graph *graph)
{
	int			at = 0;

	qsort(graph->nodes, graph->n, sizeof(GraphNode), compare_nodes);
	qsort(graph->edges, graph->nedges, sizeof(GraphEdge), compare_edges);
	graph->first = palloc(sizeof(int) * (graph->n + 1));
	graph->fates = palloc_extended(sizeof(Fate) * Max(graph->n, 1), MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	graph->forks = palloc(sizeof(int) * Max(graph->n, 1));
	for (int i = 0; i < graph->n; i++)
	{
		graph->fates[i].fork = -1;
		graph->first[i] = at;
		while (at < graph->nedges && graph->edges[at].child.node_id == graph->nodes[i].node_id)
		{
			at++;
		}
	}
	graph->first[graph->n] = at;
	for (int i = 0; i < graph->nedges; i++)
	{
		Fate	   *parent = &graph->fates[find_node(graph, graph->edges[i].parent.node_id)];

		if (graph->edges[i].lag == 0 && graph->edges[i].condition == CONDITION_FAILURE && parent->fork < 0)
		{
			parent->fork = graph->nforks;
			graph->forks[graph->nforks++] = parent - graph->fates;
		}
	}
}

static Graph
read_graph(JoschFindings *findings)
{
	GraphScope	scope = {0};
	Graph		graph = {.findings = findings};

	graph.nodes = josch_store_graph_nodes(&scope, &graph.n);
	graph.edges = josch_store_graph_edges(&scope, &graph.nedges);
	index_edges(&graph);
	return graph;
}

/* An order in which parents of the same day come first: indexes of nodes. */
static int *
order_of(const Graph *graph)
{
	JoschDagEdges *edges = josch_dag_edges_create();
	JoschDagOrder *order;

	for (int i = 0; i < graph->n; i++)
	{
		josch_dag_add_node(edges, graph->nodes[i].node_id, 0);
	}
	for (int i = 0; i < graph->nedges; i++)
	{
		if (graph->edges[i].lag == 0)
		{
			josch_dag_add_edge(edges, graph->edges[i].parent.node_id, graph->edges[i].child.node_id, 0);
		}
	}
	order = josch_dag_sort(josch_dag_build(edges));
	if (order->count < graph->n)
	{
		elog(ERROR, "template nodes have a cycle");
	}
	return order->order;
}

/* ---- when all that runs succeeds ---- */

static const JoschState *
green_state(const Graph *graph, const GraphEdge *edge)
{
	bool		omitted = edge->lag == 0 && graph->fates[find_node(graph, edge->parent.node_id)].omitted;

	return &josch_states[omitted ? NODE_STATE_OMITTED : NODE_STATE_SUCCEEDED];
}

static void
find_omitted(Graph *graph, int node)
{
	JoschJoin	join = {.any = graph->nodes[node].joins_any};

	for (int i = graph->first[node]; i < graph->first[node + 1]; i++)
	{
		join.n[josch_join_parent(green_state(graph, &graph->edges[i]), graph->edges[i].condition, true)]++;
	}
	graph->fates[node].omitted = josch_join_omits(&join);
}

/* ---- whatever the outcome ---- */

/* What a dependency needs to be satisfied; false when it never is.  Sets are new. */
static bool
needs_of(const Graph *graph, const GraphEdge *edge, Bitmapset **good, Bitmapset **bad)
{
	const Fate *parent;

	*good = *bad = NULL;
	if (edge->lag != 0 || edge->condition == CONDITION_DONE)
	{
		return true;
	}
	parent = &graph->fates[find_node(graph, edge->parent.node_id)];
	if (edge->condition == CONDITION_WELL)
	{
		/* it may have been omitted, but has not failed */
		*good = parent->fork >= 0 ? bms_make_singleton(parent->fork) : NULL;
		return true;
	}
	if (parent->never)
	{
		return false;
	}
	*good = bms_copy(parent->good);
	*bad = bms_copy(parent->bad);
	if (edge->condition == CONDITION_FAILURE)
	{
		*bad = bms_add_member(*bad, parent->fork);
	}
	else if (parent->fork >= 0)
	{
		*good = bms_add_member(*good, parent->fork);
	}
	return true;
}

static void
find_never_all(Graph *graph, int node)
{
	Fate	   *fate = &graph->fates[node];

	for (int i = graph->first[node]; i < graph->first[node + 1] && !fate->never; i++)
	{
		Bitmapset  *good;
		Bitmapset  *bad;

		fate->never = !needs_of(graph, &graph->edges[i], &good, &bad);
		fate->good = bms_join(fate->good, good);
		fate->bad = bms_join(fate->bad, bad);
	}
	fate->never |= bms_overlap(fate->good, fate->bad);
}

static void
find_never_any(Graph *graph, int node)
{
	Fate	   *fate = &graph->fates[node];
	bool		has_way = graph->first[node] == graph->first[node + 1];
	bool		is_first = true;

	for (int i = graph->first[node]; i < graph->first[node + 1]; i++)
	{
		Bitmapset  *good;
		Bitmapset  *bad;

		if (!needs_of(graph, &graph->edges[i], &good, &bad))
		{
			continue;
		}
		has_way = true;
		fate->good = is_first ? good : bms_int_members(fate->good, good);
		fate->bad = is_first ? bad : bms_int_members(fate->bad, bad);
		is_first = false;
	}
	fate->never = !has_way;
}

/* ---- what is told ---- */

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool
is_told(const Graph *graph, const GraphNode *node)
{
	return graph->njobs < 0 ||
		bsearch(&node->job_name, graph->jobs, graph->njobs, sizeof(char *), compare_texts) != NULL;
}

/* Jobs of the load; of dependencies alone nobody says which. */
static void
find_told(Graph *graph, const Load *load)
{
	ArrayType  *array = DatumGetArrayTypeP(load->scope.jobs);
	Datum	   *names;

	graph->njobs = -1;
	if (load->batches[TEMPLATE_JOBS] == NULL && load->batches[TEMPLATE_NODES] == NULL)
	{
		return;
	}
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &graph->njobs);
	graph->jobs = palloc(sizeof(char *) * Max(graph->njobs, 1));
	for (int i = 0; i < graph->njobs; i++)
	{
		graph->jobs[i] = TextDatumGetCString(names[i]);
	}
	qsort(graph->jobs, graph->njobs, sizeof(char *), compare_texts);
}

/* 'node 5 "Fetch"' */
static char *
called(const GraphNode *node)
{
	return psprintf("node " INT64_FORMAT " \"%s\"", node->node_id, node->node_name);
}

/* The first parent that keeps the node from ever running, because it never does. */
static const GraphNode *
never_parent(const Graph *graph, int node)
{
	for (int i = graph->first[node]; i < graph->first[node + 1]; i++)
	{
		const GraphEdge *edge = &graph->edges[i];
		int			parent = find_node(graph, edge->parent.node_id);

		if (edge->lag == 0 && edge->condition != CONDITION_DONE && edge->condition != CONDITION_WELL && graph->fates[parent].never)
		{
			return &graph->nodes[parent];
		}
	}
	return NULL;
}

static void
tell(Graph *graph, int node, FindingSeverity severity, const char *message)
{
	const GraphNode *told = &graph->nodes[node];

	josch_findings_add_row(graph->findings, severity, josch_findings_node(told->node_id, told->node_name, told->job_name),
						   TEMPLATE_NODES, psprintf(INT64_FORMAT, told->node_id), "%s", message);
}

static void
tell_never(Graph *graph, int node)
{
	const Fate *fate = &graph->fates[node];
	const GraphNode *parent = never_parent(graph, node);
	int			fork = bms_next_member(bms_intersect(fate->good, fate->bad), -1);

	if (graph->never_told++ >= FINDINGS_OF_A_KIND)
	{
		return;
	}
	tell(graph, node, FINDING_ERROR, parent != NULL ?
		 psprintf("it can never run, as %s never does", called(parent)) :
		 psprintf("no outcome lets it run: it needs %s to succeed and to fail", called(&graph->nodes[graph->forks[fork]])));
}

/* Only where it begins: what comes below an omitted node is omitted, too. */
static void
tell_omitted(Graph *graph, int node)
{
	for (int i = graph->first[node]; i < graph->first[node + 1]; i++)
	{
		const GraphEdge *edge = &graph->edges[i];
		const JoschState *state = green_state(graph, edge);

		if (state == &josch_states[NODE_STATE_SUCCEEDED] && edge->condition == CONDITION_FAILURE &&
			graph->omitted_told++ < FINDINGS_OF_A_KIND)
		{
			tell(graph, node, FINDING_NOTE, psprintf("it is omitted when all goes well: it waits for %s to fail",
													 called(&graph->nodes[find_node(graph, edge->parent.node_id)])));
			return;
		}
	}
}

void
josch_check_graph(const Load *load, JoschFindings *findings)
{
	Graph		graph = read_graph(findings);
	int		   *order = order_of(&graph);

	find_told(&graph, load);
	for (int i = 0; i < graph.n; i++)
	{
		JOSCH_DAG_CHECK(i);
		find_omitted(&graph, order[i]);
		if (graph.nodes[order[i]].joins_any)
		{
			find_never_any(&graph, order[i]);
		}
		else
		{
			find_never_all(&graph, order[i]);
		}
	}
	for (int i = 0; i < graph.n; i++)
	{
		JOSCH_DAG_CHECK(i);
		if (!is_told(&graph, &graph.nodes[i]))
		{
			continue;
		}
		if (graph.fates[i].never)
		{
			tell_never(&graph, i);
		}
		else if (graph.fates[i].omitted)
		{
			tell_omitted(&graph, i);
		}
	}
}
