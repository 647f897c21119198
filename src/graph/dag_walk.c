/*
 * src/graph/dag_walk.c
 *	  Directed graphs in memory: topological order, walks.
 *
 * Indexes are in the order of ids, so that counting sorts and scans in the
 * order of indexes give the order that is promised, and no heap is needed.
 *
 * All loops are over arrays, in the order of memory where there is a choice: a
 * large graph is bound by cache misses.
 */
#include "base/josch.h"

#include "graph/dag.h"

/* ---- topological order ---- */

/* How many nodes ahead of the one at hand memory is asked for. */
#define AHEAD 8

/* Puts nodes in the order of (level, index) by a counting sort. */
static void
order_by_level(JoschDagOrder *order, int32 nnodes, int32 highest)
{
	int32	   *start = josch_dag_alloc_zero(CurrentMemoryContext, (int64) highest + 2, sizeof(int32));

	for (int32 v = 0; v < nnodes; v++)
	{
		if (order->level[v] >= 0)
		{
			start[order->level[v] + 1]++;
		}
	}
	for (int32 i = 1; i <= highest; i++)
	{
		start[i] += start[i - 1];
	}
	for (int32 v = 0; v < nnodes; v++)
	{
		if (order->level[v] >= 0)
		{
			order->order[start[order->level[v]]++] = v;
		}
	}
	pfree(start);
}

/*
 * Kahn's algorithm.  The queue takes nodes as they become free; levels do not
 * depend on the order of the queue, and the final order comes from the levels.
 */
JoschDagOrder *
josch_dag_sort(const JoschDag *dag)
{
	/* what an edge touches lies side by side: a large graph is bound by cache misses */
	struct Place
	{
		int32		waits_for;
		int32		level;
	}		   *place = josch_dag_alloc_zero(CurrentMemoryContext, dag->nnodes, sizeof(struct Place));
	JoschDagOrder *result = palloc(sizeof(JoschDagOrder));
	int32		filled = 0;
	int32		highest = 0;

	result->count = 0;
	result->order = josch_dag_alloc(CurrentMemoryContext, (int64) dag->nnodes + 1, sizeof(int32));
	result->level = josch_dag_alloc(CurrentMemoryContext, dag->nnodes, sizeof(int32));
	for (int32 e = 0; e < dag->nedges; e++)
	{
		place[dag->child[e]].waits_for++;
	}
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		place[v].level = dag->base == NULL ? 0 : dag->base[v];
		if (place[v].waits_for == 0)
		{
			result->order[filled++] = v;
		}
	}
	while (result->count < filled)
	{
		int32		v = result->order[result->count++];

		JOSCH_DAG_CHECK(result->count);
		if (result->count + AHEAD < filled)
		{
			int32		next = result->order[result->count + AHEAD];
			int32		near = result->order[result->count + AHEAD / 2];

			__builtin_prefetch(&dag->first[next]);
			__builtin_prefetch(&place[next]);
			__builtin_prefetch(&dag->child[dag->first[near]]);
		}
		highest = Max(highest, place[v].level);
		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			struct Place *child = &place[dag->child[e]];

			/* the place after the last is written in any case: no branch to be guessed */
			child->level = Max(child->level, place[v].level + 1);
			result->order[filled] = dag->child[e];
			filled += --child->waits_for == 0;
		}
	}
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		result->level[v] = place[v].waits_for == 0 ? place[v].level : -1;
	}
	pfree(place);
	order_by_level(result, dag->nnodes, highest);
	return result;
}

/* ---- walks ---- */

/*
 * Marks with "stamp" all that can be reached from "from" along nodes whose
 * level is below "limit": no path through the others leads back to that level.
 */
static void
mark_reach(const JoschDag *dag, const int32 *level, int32 from, int32 limit,
		   int32 *mark, int32 stamp, int32 *stack)
{
	int32		depth = 0;

	stack[depth++] = from;
	while (depth > 0)
	{
		int32		v = stack[--depth];

		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			int32		child = dag->child[e];

			if (mark[child] != stamp && level[child] <= limit)
			{
				mark[child] = stamp;
				if (level[child] < limit)
				{
					stack[depth++] = child;
				}
			}
		}
	}
	CHECK_FOR_INTERRUPTS();
}

/*
 * An edge to a child is superfluous when another child leads there.  What
 * leads there has a lower level, so all is marked from each child, up to the
 * highest level among them, before any child is looked at.
 */
int32
josch_dag_reduce(JoschDag *dag, const JoschDagOrder *order,
				 int32 **parents, int32 **children)
{
	int32	   *mark = josch_dag_alloc_zero(CurrentMemoryContext, dag->nnodes, sizeof(int32));
	int32	   *stack = josch_dag_alloc(CurrentMemoryContext, dag->nnodes, sizeof(int32));
	int32		kept = 0;

	Assert(order->count == dag->nnodes);
	josch_dag_sort_children(dag);
	*parents = josch_dag_alloc(CurrentMemoryContext, dag->nedges, sizeof(int32));
	*children = josch_dag_alloc(CurrentMemoryContext, dag->nedges, sizeof(int32));
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		int32		limit = 0;
		int32		former = -1;

		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			limit = Max(limit, order->level[dag->child[e]]);
		}
		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			/* a marked child was reached, and all behind it marked, already */
			if (mark[dag->child[e]] != v + 1 && order->level[dag->child[e]] < limit)
			{
				mark_reach(dag, order->level, dag->child[e], limit, mark, v + 1, stack);
			}
		}
		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			int32		child = dag->child[e];

			if (mark[child] != v + 1 && child != former)
			{
				(*parents)[kept] = v;
				(*children)[kept++] = child;
			}
			former = child;
		}
	}
	pfree(mark);
	pfree(stack);
	return kept;
}

int32
josch_dag_critical_path(const JoschDag *dag, const JoschDagOrder *order,
						const int64 *weight, JoschDagStop **stops)
{
	int64	   *finish = josch_dag_alloc(CurrentMemoryContext, dag->nnodes, sizeof(int64));
	int32	   *hops = josch_dag_alloc_zero(CurrentMemoryContext, dag->nnodes, sizeof(int32));
	int32	   *before = josch_dag_alloc(CurrentMemoryContext, dag->nnodes, sizeof(int32));
	int32		last = -1;
	int32		n;

	Assert(order->count == dag->nnodes);
#define IS_BETTER(a, b) \
	(finish[a] > finish[b] || \
	 (finish[a] == finish[b] && (hops[a] > hops[b] || (hops[a] == hops[b] && (a) < (b)))))

	/* before[] holds the best parent so far; finish is settled when its turn comes */
	memset(before, -1, dag->nnodes * sizeof(int32));
	for (int32 i = 0; i < order->count; i++)
	{
		int32		v = order->order[i];

		JOSCH_DAG_CHECK(i);
		finish[v] = weight[v];
		if (before[v] >= 0)
		{
			finish[v] += finish[before[v]];
			hops[v] = hops[before[v]] + 1;
		}
		if (last < 0 || IS_BETTER(v, last))
		{
			last = v;
		}
		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			int32		child = dag->child[e];

			if (before[child] < 0 || IS_BETTER(v, before[child]))
			{
				before[child] = v;
			}
		}
	}
#undef IS_BETTER
	n = last < 0 ? 0 : hops[last] + 1;
	*stops = josch_dag_alloc(CurrentMemoryContext, n, sizeof(JoschDagStop));
	for (int32 i = n - 1, v = last; i >= 0; i--, v = before[v])
	{
		(*stops)[i].node = v;
		(*stops)[i].finish = finish[v];
	}
	pfree(finish);
	pfree(hops);
	pfree(before);
	return n;
}
