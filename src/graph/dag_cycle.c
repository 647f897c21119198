/*
 * src/graph/dag_cycle.c
 *	  Directed graphs in memory: cycles.
 *
 * A cycle is shown to a person, so it is always the same one for the same
 * edges, and a short one where that costs nothing.
 *
 * The common answer is "none", and Kahn's algorithm gives it in O(V + E).  Only
 * what it leaves over is looked at more closely, and only strongly connected
 * components of that which have a negative lag inside need more than O(V + E).
 */
#include "base/josch.h"

#include "graph/dag.h"

#include "lib/stringinfo.h"

/* Nodes of a cycle that its text names; the middle of a longer one is left out. */
#define CYCLE_TEXT_NODES 40

/* State of Tarjan's algorithm. */
typedef struct Tarjan
{
	const JoschDag *dag;
	const int32 *level;			/* of Kahn's order: nodes with a level are left aside */
	int32	   *number;			/* of each node in order of discovery, 0 before */
	int32	   *low;			/* smallest number that it leads back to */
	int32	   *next;			/* edge to follow next */
	int32	   *component;
	int32	   *path;			/* nodes being visited, outermost first */
	int32		path_length;
	int32	   *open;			/* nodes found whose component is not known yet */
	int32		open_count;
	int32		found;
} Tarjan;

static int32 *
array_of(int32 n, int32 value)
{
	int32	   *result = josch_dag_alloc(CurrentMemoryContext, n, sizeof(int32));

	for (int32 i = 0; i < n; i++)
	{
		result[i] = value;
	}
	return result;
}

static bool
has_self_edge(const JoschDag *dag, int32 v)
{
	for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
	{
		if (dag->child[e] == v)
		{
			return true;
		}
	}
	return false;
}

/* Takes the component that v closes off the open nodes; a node by itself is none. */
static void
close_component(Tarjan *t, int32 v)
{
	bool		single = t->open[t->open_count - 1] == v;
	int32		w;

	do
	{
		w = t->open[--t->open_count];
		t->component[w] = single && !has_self_edge(t->dag, v) ? -1 : v;
		t->low[w] = PG_INT32_MAX;	/* closed: leads back to nothing that is open */
	} while (w != v);
}

static void
enter(Tarjan *t, int32 v)
{
	t->number[v] = t->low[v] = ++t->found;
	t->next[v] = t->dag->first[v];
	t->path[t->path_length++] = v;
	t->open[t->open_count++] = v;
}

/* Visits all that root leads to; a path of its own in place of recursion. */
static void
visit(Tarjan *t, int32 root)
{
	enter(t, root);
	while (t->path_length > 0)
	{
		int32		v = t->path[t->path_length - 1];

		if (t->next[v] < t->dag->first[v + 1])
		{
			int32		child = t->dag->child[t->next[v]++];

			if (t->level[child] >= 0)
			{
				continue;
			}
			if (t->number[child] == 0)
			{
				enter(t, child);
			}
			else
			{
				t->low[v] = Min(t->low[v], t->low[child]);
			}
		}
		else
		{
			int32		low = t->low[v];

			t->path_length--;
			if (low == t->number[v])
			{
				close_component(t, v);
			}
			else
			{
				int32		before = t->path[t->path_length - 1];

				t->low[before] = Min(t->low[before], low);
			}
		}
	}
	CHECK_FOR_INTERRUPTS();
}

/* The component of each node, -1 for a node that is on no cycle. */
static int32 *
find_components(const JoschDag *dag, const JoschDagOrder *order)
{
	Tarjan		t = {.dag = dag, .level = order->level};

	t.number = array_of(dag->nnodes, 0);
	t.low = array_of(dag->nnodes, 0);
	t.next = array_of(dag->nnodes, 0);
	t.component = array_of(dag->nnodes, -1);
	t.path = array_of(dag->nnodes, 0);
	t.open = array_of(dag->nnodes, 0);
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		if (order->level[v] < 0 && t.number[v] == 0)
		{
			visit(&t, v);
		}
	}
	pfree(t.number);
	pfree(t.low);
	pfree(t.next);
	pfree(t.path);
	pfree(t.open);
	return t.component;
}

/*
 * Makes a cycle of the nodes that lead backwards from "last" to itself, turned
 * so that it starts at its smallest id.  lag_before[v] is the lag of the edge
 * from before[v] to v, NULL when all are 0.
 */
static JoschDagCycle *
cycle_from(const JoschDag *dag, int32 last, const int32 *before, const int32 *lag_before)
{
	JoschDagCycle *cycle = palloc0(sizeof(JoschDagCycle));
	int32		smallest = last;
	int32		v = last;

	do
	{
		cycle->length++;
		smallest = Min(smallest, v);
		v = before[v];
	} while (v != last);

	cycle->node = josch_dag_alloc(CurrentMemoryContext, (int64) cycle->length + 1, sizeof(int64));
	cycle->lag = array_of(cycle->length, 0);
	v = smallest;
	for (int32 i = cycle->length; i > 0; i--)
	{
		cycle->node[i] = dag->id[v];
		cycle->lag[i - 1] = lag_before == NULL ? 0 : lag_before[v];
		v = before[v];
	}
	cycle->node[0] = dag->id[smallest];
	return cycle;
}

/* The shortest way from start back to itself within its component. */
static JoschDagCycle *
shortest_through(const JoschDag *dag, const int32 *component, int32 start)
{
	int32	   *before = array_of(dag->nnodes, -1);
	int32	   *queue = array_of(dag->nnodes, 0);
	int32		filled = 0;

	queue[filled++] = start;
	for (int32 i = 0; i < filled; i++)
	{
		int32		v = queue[i];

		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			int32		child = dag->child[e];

			if (component[child] != component[start] || before[child] >= 0)
			{
				continue;
			}
			before[child] = v;
			if (child == start)
			{
				return cycle_from(dag, start, before, NULL);
			}
			queue[filled++] = child;
		}
	}
	elog(ERROR, "node " INT64_FORMAT " is in a component without a cycle", dag->id[start]);
}

/* The cycle that is promised by josch_dag_find_cycle; order is that of the graph. */
static JoschDagCycle *
find_in_rest(JoschDag *dag, const JoschDagOrder *order)
{
	int32	   *component;

	if (order->count == dag->nnodes)
	{
		return NULL;
	}
	josch_dag_sort_children(dag);
	component = find_components(dag, order);
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		if (component[v] >= 0)
		{
			return shortest_through(dag, component, v);
		}
	}
	elog(ERROR, "a graph without a cycle could not be sorted");
}

JoschDagCycle *
josch_dag_find_cycle(JoschDag *dag)
{
	return find_in_rest(dag, josch_dag_sort(dag));
}

/* ---- lags ---- */

/*
 * Length of the best walk that ends in a node: smallest sum of lags, and of
 * equal sums the most edges.  A cycle whose lags sum up to 0 or less is what
 * makes a walk better and better, as a negative cycle does in Bellman-Ford's
 * algorithm; the pair stands for the weight lag * (N + 1) - 1 of an edge, and
 * can't overflow.
 */
typedef struct Walk
{
	int64		lag;
	int64		edges;
} Walk;

typedef struct WalkTree
{
	Walk	   *best;
	int32	   *before;
	int32	   *lag_before;
} WalkTree;

static bool
has_negative_lag(const JoschDag *dag, const int32 *component)
{
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		for (int32 e = dag->first[v]; component[v] >= 0 && e < dag->first[v + 1]; e++)
		{
			if (dag->lag[e] < 0 && component[dag->child[e]] == component[v])
			{
				return true;
			}
		}
	}
	return false;
}

/* One round of Bellman-Ford over the edges inside components; false: all settled. */
static bool
improve_walks(const JoschDag *dag, const int32 *component, const int32 *order, WalkTree *tree)
{
	bool		improved = false;

	for (int32 i = 0; i < dag->nnodes; i++)
	{
		int32		v = order[i];

		for (int32 e = dag->first[v]; component[v] >= 0 && e < dag->first[v + 1]; e++)
		{
			int32		child = dag->child[e];
			Walk	   *best = &tree->best[child];
			int64		lag = tree->best[v].lag + dag->lag[e];
			int64		edges = tree->best[v].edges + 1;

			if (component[child] == component[v] &&
				(lag < best->lag || (lag == best->lag && edges > best->edges)))
			{
				best->lag = lag;
				best->edges = edges;
				tree->before[child] = v;
				tree->lag_before[child] = dag->lag[e];
				improved = true;
			}
		}
	}
	return improved;
}

/* A node on a cycle of before[], -1 when that is a forest. */
static int32
node_on_cycle(const int32 *before, int32 nnodes)
{
	int32	   *seen_from = array_of(nnodes, -1);
	int32		result = -1;

	for (int32 start = 0; start < nnodes && result < 0; start++)
	{
		int32		v = start;

		while (v >= 0 && seen_from[v] < 0)
		{
			seen_from[v] = start;
			v = before[v];
		}
		if (v >= 0 && seen_from[v] == start)
		{
			result = v;
		}
	}
	pfree(seen_from);
	return result;
}

/*
 * Finds a stuck cycle in a graph whose edges of lag 0 make none by themselves.
 * Nodes are taken in the order of those edges, so that few rounds are needed.
 */
static JoschDagCycle *
find_by_walks(const JoschDag *dag, const int32 *component, const int32 *order)
{
	WalkTree	tree;

	tree.best = josch_dag_alloc_zero(CurrentMemoryContext, dag->nnodes, sizeof(Walk));
	tree.before = array_of(dag->nnodes, -1);
	tree.lag_before = array_of(dag->nnodes, 0);
	while (improve_walks(dag, component, order, &tree))
	{
		int32		v = node_on_cycle(tree.before, dag->nnodes);

		CHECK_FOR_INTERRUPTS();
		if (v >= 0)
		{
			return cycle_from(dag, v, tree.before, tree.lag_before);
		}
	}
	return NULL;
}

JoschDagCycle *
josch_dag_find_stuck_cycle(JoschDag *dag)
{
	JoschDagOrder *order = josch_dag_sort(dag);
	JoschDagOrder *same_day_order;
	JoschDag   *same_day;
	JoschDagCycle *cycle;
	int32	   *component;

	if (order->count == dag->nnodes)
	{
		return NULL;
	}
	if (dag->lag == NULL)
	{
		return find_in_rest(dag, order);
	}
	same_day = josch_dag_without_lags(dag);
	same_day_order = josch_dag_sort(same_day);
	cycle = find_in_rest(same_day, same_day_order);
	if (cycle == NULL)
	{
		josch_dag_sort_children(dag);
		component = find_components(dag, order);
		if (has_negative_lag(dag, component))
		{
			cycle = find_by_walks(dag, component, same_day_order->order);
		}
	}
	josch_dag_free(same_day);
	return cycle;
}

static void
append_node(StringInfo text, int64 id, JoschDagNamer namer, const void *names)
{
	if (namer == NULL)
	{
		appendStringInfo(text, INT64_FORMAT, id);
	}
	else
	{
		appendStringInfoString(text, namer(id, names));
	}
}

char *
josch_dag_cycle_text(const JoschDagCycle *cycle, JoschDagNamer namer, const void *names)
{
	StringInfoData text;
	int32		head = cycle->length;	/* the last that is named before a gap */
	int32		tail = cycle->length + 1;	/* the first after it */

	if (cycle->length > CYCLE_TEXT_NODES)
	{
		head = CYCLE_TEXT_NODES / 2;
		tail = cycle->length - CYCLE_TEXT_NODES / 2 + 1;
	}
	initStringInfo(&text);
	append_node(&text, cycle->node[0], namer, names);
	for (int32 i = 1; i <= cycle->length; i++)
	{
		if (i == head + 1)
		{
			appendStringInfo(&text, " -> ... (%d more)", tail - i);
			i = tail;
		}
		if (cycle->lag[i - 1] == 0)
		{
			appendStringInfoString(&text, " -> ");
		}
		else
		{
			appendStringInfo(&text, " -(%+d)-> ", cycle->lag[i - 1]);
		}
		append_node(&text, cycle->node[i], namer, names);
	}
	return text.data;
}
