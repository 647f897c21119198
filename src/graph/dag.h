/*
 * src/graph/dag.h
 *	  Directed graphs in memory.
 *
 * Pure: memory and interrupts, no table.  dag.c builds graphs,
 * dag_walk.c orders and walks them, dag_cycle.c finds cycles.
 *
 * Every result is the same for the same set of edges, in whatever order they
 * were added: nodes are numbered in the order of their ids, and ties go to the
 * smaller id.
 *
 *	JoschDagEdges *edges = josch_dag_edges_create();
 *	josch_dag_add_edge(edges, parent, child, lag);		(any number of times)
 *	JoschDag *dag = josch_dag_build(edges);				(edges may be freed now)
 *	JoschDagOrder *order = josch_dag_sort(dag);
 *	if (order->count < dag->nnodes)
 *		cycle = josch_dag_find_cycle(dag);
 */
#ifndef JOSCH_DAG_H
#define JOSCH_DAG_H

#include "base/josch.h"

#include "miscadmin.h"
#include "utils/memutils.h"

/* A growing list of edges, and of nodes that need not have any. */
typedef struct JoschDagEdges
{
	MemoryContext context;		/* everything of the list lives here */
	int64		count;
	int64		space;
	int64	   *parent;
	int64	   *child;
	int32	   *lag;			/* NULL while all lags are 0 */
	int64		node_count;
	int64		node_space;
	int64	   *node;			/* NULL until a node is added by itself */
	int32	   *node_level;		/* the lowest level that node[i] may have */
	int64		smallest;		/* of the ids seen so far */
	int64		largest;
} JoschDagEdges;

/*
 * A graph in compressed rows: the children of node v, an index, are
 * child[first[v] .. first[v + 1] - 1].  Indexes are in the order of ids.
 */
typedef struct JoschDag
{
	MemoryContext context;
	int32		nnodes;
	int32		nedges;
	int64	   *id;				/* of each node, ascending */
	int32	   *first;			/* nnodes + 1 of them */
	int32	   *child;			/* nedges of them */
	int32	   *lag;			/* of each edge, or NULL when all are 0 */
	int32	   *base;			/* lowest level of each node, or NULL when all are 0 */
	bool		sorted;			/* children of a node are in ascending order */
} JoschDag;

/*
 * A topological order: by level, then by id.  The level of a node is the
 * number of edges on the longest path to it, or more when its base or that of
 * a node before it asks for more.
 */
typedef struct JoschDagOrder
{
	int32		count;			/* nodes in order; fewer than nnodes when there is a cycle */
	int32	   *order;			/* their indexes */
	int32	   *level;			/* of each node by index; -1 for those that are not in order */
} JoschDagOrder;

/* A cycle: node[0] -> node[1] -> ... -> node[length], which is node[0] again. */
typedef struct JoschDagCycle
{
	int32		length;
	int64	   *node;			/* starts at the smallest id of the cycle */
	int32	   *lag;			/* lag[i] is that of node[i] -> node[i + 1] */
} JoschDagCycle;

/* One stop of a critical path. */
typedef struct JoschDagStop
{
	int32		node;			/* index */
	int64		finish;			/* sum of the weights up to and with this node */
} JoschDagStop;

/* dag.c */
extern JoschDagEdges *josch_dag_edges_create(void);
extern void josch_dag_edges_free(JoschDagEdges *edges);
extern void josch_dag_add_edge(JoschDagEdges *edges, int64 parent, int64 child, int32 lag);

/* A node by itself, whose level shall be "level" or above (0: no demand). */
extern void josch_dag_add_node(JoschDagEdges *edges, int64 id, int32 level);

/*
 * Builds the graph.  It lives in the current memory context until it is freed,
 * and so do the results of the functions below.
 */
extern JoschDag *josch_dag_build(const JoschDagEdges *edges);
extern void josch_dag_free(JoschDag *dag);

/* A new graph with the edges of lag 0 only; it shares the ids of the first. */
extern JoschDag *josch_dag_without_lags(const JoschDag *dag);

/* Puts the children of each node in ascending order. */
extern void josch_dag_sort_children(JoschDag *dag);

/* dag_walk.c */
extern JoschDagOrder *josch_dag_sort(const JoschDag *dag);

/*
 * The edges that no other path implies, by parent and then child, as pairs of
 * indexes.  The graph must have no cycle; order is that of the graph.
 */
extern int32 josch_dag_reduce(JoschDag *dag, const JoschDagOrder *order,
							  int32 **parents, int32 **children);

/*
 * The path with the largest sum of weights (none negative); of equal sums the
 * one with more nodes, then the one whose nodes have smaller ids, compared
 * from the end.  Returns the number of stops.
 */
extern int32 josch_dag_critical_path(const JoschDag *dag, const JoschDagOrder *order,
									 const int64 *weight, JoschDagStop **stops);

/* dag_cycle.c */

/* The shortest cycle through the smallest id that is on any, or NULL. */
extern JoschDagCycle *josch_dag_find_cycle(JoschDag *dag);

/* A cycle whose lags sum up to 0 or less, or NULL. */
extern JoschDagCycle *josch_dag_find_stuck_cycle(JoschDag *dag);

/* How a node is called, palloc'd. */
typedef char *(*JoschDagNamer) (int64 id, const void *names);

/*
 * "100000 -> 100110 -> 100120 -> 100000"; a step with a lag is written as
 * "100110 -(+1)-> 100120".  The middle of a very long cycle is left out.
 * Without a namer a node is called by its id.
 */
extern char *josch_dag_cycle_text(const JoschDagCycle *cycle, JoschDagNamer namer,
								  const void *names);

/* ---- for the files of dag ---- */

/* How many steps of a loop pass between two looks at interrupts. */
#define JOSCH_DAG_STEPS 65536
#define JOSCH_DAG_CHECK(i) \
	do { \
		if (((i) & (JOSCH_DAG_STEPS - 1)) == 0) \
			CHECK_FOR_INTERRUPTS(); \
	} while (0)

/* An array of n elements of that size; never of no byte at all. */
static inline void *
josch_dag_alloc(MemoryContext context, int64 n, size_t size)
{
	return MemoryContextAllocHuge(context, Max(n, 1) * size);
}

static inline void *
josch_dag_alloc_zero(MemoryContext context, int64 n, size_t size)
{
	void	   *result = josch_dag_alloc(context, n, size);

	memset(result, 0, Max(n, 1) * size);
	return result;
}

#endif							/* JOSCH_DAG_H */
