/*
 * src/graph/dag.c
 *	  Directed graphs in memory: building.
 *
 * A graph of a million nodes is to be sorted in little more than the time of
 * reading it, so everything is an array: ids are replaced by their rank, edges
 * lie in compressed rows, and nothing is allocated per node or per edge.
 *
 * Ranks also settle the ties: the smaller id is the smaller index.
 */
#include "base/josch.h"

#include "graph/dag.h"

#include "port/pg_bitutils.h"

/*
 * Ids that fill their range at least this densely are ranked through a bitmap
 * of the range; others through a hash table.
 */
#define BITS_PER_EDGE 64

/* rank of an id in a sparse range, and its place of first appearance */
typedef struct IdEntry
{
	int64		id;
	int32		seen;
	char		status;
} IdEntry;

static inline uint32
hash_id(int64 id)
{
	return (uint32) (((uint64) id * UINT64CONST(0x9E3779B97F4A7C15)) >> 32);
}

#define SH_PREFIX idmap
#define SH_ELEMENT_TYPE IdEntry
#define SH_KEY_TYPE int64
#define SH_KEY id
#define SH_HASH_KEY(tb, key) hash_id(key)
#define SH_EQUAL(tb, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

/* ---- the list of edges ---- */

JoschDagEdges *
josch_dag_edges_create(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "josch edges",
												  ALLOCSET_DEFAULT_SIZES);
	JoschDagEdges *edges = MemoryContextAllocZero(context, sizeof(JoschDagEdges));

	edges->context = context;
	edges->smallest = PG_INT64_MAX;
	edges->largest = PG_INT64_MIN;
	return edges;
}

void
josch_dag_edges_free(JoschDagEdges *edges)
{
	MemoryContextDelete(edges->context);
}

static void
too_large(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("the graph has too many %s", what),
			 errdetail("The limit is %d.", PG_INT32_MAX - 1)));
}

static void
grow_edges(JoschDagEdges *edges)
{
	int64		space = Max(edges->space * 2, 256);

	if (edges->count >= PG_INT32_MAX - 1)
	{
		too_large("edges");
	}
	if (edges->space == 0)
	{
		edges->parent = josch_dag_alloc(edges->context, space, sizeof(int64));
		edges->child = josch_dag_alloc(edges->context, space, sizeof(int64));
	}
	else
	{
		edges->parent = repalloc_huge(edges->parent, space * sizeof(int64));
		edges->child = repalloc_huge(edges->child, space * sizeof(int64));
		if (edges->lag != NULL)
		{
			edges->lag = repalloc_huge(edges->lag, space * sizeof(int32));
		}
	}
	edges->space = space;
}

static inline void
widen_range(JoschDagEdges *edges, int64 id)
{
	if (id < edges->smallest)
	{
		edges->smallest = id;
	}
	if (id > edges->largest)
	{
		edges->largest = id;
	}
}

void
josch_dag_add_edge(JoschDagEdges *edges, int64 parent, int64 child, int32 lag)
{
	if (edges->count == edges->space)
	{
		grow_edges(edges);
	}
	if (lag != 0 && edges->lag == NULL)
	{
		edges->lag = josch_dag_alloc(edges->context, edges->space, sizeof(int32));
		memset(edges->lag, 0, edges->count * sizeof(int32));
	}
	edges->parent[edges->count] = parent;
	edges->child[edges->count] = child;
	if (edges->lag != NULL)
	{
		edges->lag[edges->count] = lag;
	}
	edges->count++;
	widen_range(edges, parent);
	widen_range(edges, child);
}

void
josch_dag_add_node(JoschDagEdges *edges, int64 id, int32 level)
{
	if (edges->node_count == edges->node_space)
	{
		int64		space = Max(edges->node_space * 2, 256);

		if (edges->node_space == 0)
		{
			edges->node = josch_dag_alloc(edges->context, space, sizeof(int64));
			edges->node_level = josch_dag_alloc(edges->context, space, sizeof(int32));
		}
		else
		{
			edges->node = repalloc_huge(edges->node, space * sizeof(int64));
			edges->node_level = repalloc_huge(edges->node_level, space * sizeof(int32));
		}
		edges->node_space = space;
	}
	edges->node[edges->node_count] = id;
	edges->node_level[edges->node_count] = level;
	edges->node_count++;
	widen_range(edges, id);
}

/* ---- ids to ranks ---- */

/* The edges of the list with indexes for ids, and the lone nodes likewise. */
typedef struct Ranked
{
	int32	   *parent;
	int32	   *child;
	int32	   *node;
} Ranked;

/*
 * Ranks ids of a dense range: a bitmap of those that exist, and the number of
 * bits before each word of it.
 */
static void
rank_dense(JoschDag *dag, const JoschDagEdges *edges, Ranked *ranked)
{
	int64		smallest = edges->smallest;
	int64		nwords = (int64) ((uint64) edges->largest - (uint64) smallest) / 64 + 1;
	uint64	   *bits = josch_dag_alloc_zero(CurrentMemoryContext, nwords, sizeof(uint64));
	int32	   *before = josch_dag_alloc(CurrentMemoryContext, nwords, sizeof(int32));
	int32		n = 0;

#define SET_BIT(value) \
	(bits[((value) - smallest) >> 6] |= UINT64CONST(1) << (((value) - smallest) & 63))
#define RANK_OF(value) \
	(before[((value) - smallest) >> 6] + \
	 pg_popcount64(bits[((value) - smallest) >> 6] & \
				   ((UINT64CONST(1) << (((value) - smallest) & 63)) - 1)))

	for (int64 i = 0; i < edges->count; i++)
	{
		JOSCH_DAG_CHECK(i);
		SET_BIT(edges->parent[i]);
		SET_BIT(edges->child[i]);
	}
	for (int64 i = 0; i < edges->node_count; i++)
	{
		SET_BIT(edges->node[i]);
	}
	for (int64 w = 0; w < nwords; w++)
	{
		before[w] = n;
		n += pg_popcount64(bits[w]);
	}

	dag->nnodes = n;
	dag->id = josch_dag_alloc(dag->context, n, sizeof(int64));
	n = 0;
	for (int64 w = 0; w < nwords; w++)
	{
		for (uint64 word = bits[w]; word != 0; word &= word - 1)
		{
			dag->id[n++] = smallest + w * 64 + pg_rightmost_one_pos64(word);
		}
	}

	for (int64 i = 0; i < edges->count; i++)
	{
		JOSCH_DAG_CHECK(i);
		ranked->parent[i] = RANK_OF(edges->parent[i]);
		ranked->child[i] = RANK_OF(edges->child[i]);
	}
	for (int64 i = 0; i < edges->node_count; i++)
	{
		ranked->node[i] = RANK_OF(edges->node[i]);
	}
#undef SET_BIT
#undef RANK_OF
	pfree(bits);
	pfree(before);
}

static int
compare_ids(const void *a, const void *b)
{
	int64		left = *(const int64 *) a;
	int64		right = *(const int64 *) b;

	return (left > right) - (left < right);
}

/* The number of an id in order of appearance. */
static inline int32
number_of(idmap_hash *map, int64 id)
{
	bool		found;
	IdEntry    *entry = idmap_insert(map, id, &found);

	if (!found)
	{
		if (map->members > PG_INT32_MAX - 1)
		{
			too_large("nodes");
		}
		entry->seen = map->members - 1;
	}
	return entry->seen;
}

/*
 * Ranks any ids: numbers them as they appear, sorts them, and replaces number
 * by rank, so that the hash table is probed only once for each end of an edge.
 */
static void
rank_sparse(JoschDag *dag, const JoschDagEdges *edges, Ranked *ranked)
{
	idmap_hash *map = idmap_create(CurrentMemoryContext,
								   Max(edges->count / 4, 64), NULL);
	idmap_iterator iterator;
	IdEntry    *entry;
	int32	   *rank;
	int32		n = 0;

	for (int64 i = 0; i < edges->count; i++)
	{
		JOSCH_DAG_CHECK(i);
		ranked->parent[i] = number_of(map, edges->parent[i]);
		ranked->child[i] = number_of(map, edges->child[i]);
	}
	for (int64 i = 0; i < edges->node_count; i++)
	{
		ranked->node[i] = number_of(map, edges->node[i]);
	}

	dag->nnodes = map->members;
	dag->id = josch_dag_alloc(dag->context, dag->nnodes, sizeof(int64));
	idmap_start_iterate(map, &iterator);
	while ((entry = idmap_iterate(map, &iterator)) != NULL)
	{
		dag->id[n++] = entry->id;
	}
	qsort(dag->id, n, sizeof(int64), compare_ids);

	rank = josch_dag_alloc(CurrentMemoryContext, n, sizeof(int32));
	for (int32 v = 0; v < n; v++)
	{
		JOSCH_DAG_CHECK(v);
		rank[idmap_lookup(map, dag->id[v])->seen] = v;
	}
	for (int64 i = 0; i < edges->count; i++)
	{
		ranked->parent[i] = rank[ranked->parent[i]];
		ranked->child[i] = rank[ranked->child[i]];
	}
	for (int64 i = 0; i < edges->node_count; i++)
	{
		ranked->node[i] = rank[ranked->node[i]];
	}
	pfree(rank);
	idmap_destroy(map);
}

/* ---- the graph ---- */

static JoschDag *
create_dag(void)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "josch graph",
												  ALLOCSET_DEFAULT_SIZES);
	JoschDag   *dag = MemoryContextAllocZero(context, sizeof(JoschDag));

	dag->context = context;
	return dag;
}

void
josch_dag_free(JoschDag *dag)
{
	MemoryContextDelete(dag->context);
}

/* Fills first, child and lag from edges between indexes, by a counting sort. */
static void
fill_rows(JoschDag *dag, int32 nedges, const int32 *parent, const int32 *child,
		  const int32 *lag)
{
	int32	   *first = josch_dag_alloc_zero(dag->context, (int64) dag->nnodes + 2, sizeof(int32));

	dag->nedges = nedges;
	dag->child = josch_dag_alloc(dag->context, nedges, sizeof(int32));
	dag->lag = lag == NULL ? NULL : josch_dag_alloc(dag->context, nedges, sizeof(int32));

	/* count one place further on: filling moves each start to its end */
	for (int32 i = 0; i < nedges; i++)
	{
		first[parent[i] + 2]++;
	}
	for (int32 v = 2; v <= dag->nnodes; v++)
	{
		first[v] += first[v - 1];
	}
	for (int32 i = 0; i < nedges; i++)
	{
		int32		place = first[parent[i] + 1]++;

		JOSCH_DAG_CHECK(i);
		dag->child[place] = child[i];
		if (lag != NULL)
		{
			dag->lag[place] = lag[i];
		}
	}
	dag->first = first;
}

JoschDag *
josch_dag_build(const JoschDagEdges *edges)
{
	JoschDag   *dag = create_dag();
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "josch graph build",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(scratch);
	int64		mentioned = edges->count + edges->node_count;
	Ranked		ranked;

	ranked.parent = josch_dag_alloc(scratch, edges->count, sizeof(int32));
	ranked.child = josch_dag_alloc(scratch, edges->count, sizeof(int32));
	ranked.node = josch_dag_alloc(scratch, edges->node_count, sizeof(int32));
	if (mentioned == 0)
	{
		dag->id = josch_dag_alloc(dag->context, 0, sizeof(int64));
	}
	else if ((uint64) edges->largest - (uint64) edges->smallest <
			 (uint64) mentioned * BITS_PER_EDGE)
	{
		rank_dense(dag, edges, &ranked);
	}
	else
	{
		rank_sparse(dag, edges, &ranked);
	}
	fill_rows(dag, edges->count, ranked.parent, ranked.child, edges->lag);

	for (int64 i = 0; i < edges->node_count; i++)
	{
		if (edges->node_level[i] > 0 && dag->base == NULL)
		{
			dag->base = josch_dag_alloc_zero(dag->context, dag->nnodes, sizeof(int32));
		}
		if (dag->base != NULL)
		{
			dag->base[ranked.node[i]] = Max(dag->base[ranked.node[i]], edges->node_level[i]);
		}
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
	return dag;
}

/* A new graph with every edge turned round; it shares the ids of the first. */
static JoschDag *
reverse(const JoschDag *dag)
{
	JoschDag   *reversed = create_dag();
	int32	   *parent = josch_dag_alloc(reversed->context, dag->nedges, sizeof(int32));

	for (int32 v = 0; v < dag->nnodes; v++)
	{
		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			parent[e] = v;
		}
	}
	reversed->nnodes = dag->nnodes;
	reversed->id = dag->id;
	fill_rows(reversed, dag->nedges, dag->child, parent, dag->lag);
	reversed->sorted = true;	/* they were met in ascending order */
	pfree(parent);
	return reversed;
}

void
josch_dag_sort_children(JoschDag *dag)
{
	JoschDag   *reversed;
	JoschDag   *again;

	if (dag->sorted)
	{
		return;
	}
	reversed = reverse(dag);
	again = reverse(reversed);
	memcpy(dag->child, again->child, dag->nedges * sizeof(int32));
	if (dag->lag != NULL)
	{
		memcpy(dag->lag, again->lag, dag->nedges * sizeof(int32));
	}
	dag->sorted = true;
	josch_dag_free(again);
	josch_dag_free(reversed);
}

JoschDag *
josch_dag_without_lags(const JoschDag *dag)
{
	JoschDag   *result = create_dag();
	int32		kept = 0;

	result->nnodes = dag->nnodes;
	result->id = dag->id;
	result->sorted = dag->sorted;
	result->first = josch_dag_alloc(result->context, (int64) dag->nnodes + 1, sizeof(int32));
	result->child = josch_dag_alloc(result->context, dag->nedges, sizeof(int32));
	for (int32 v = 0; v < dag->nnodes; v++)
	{
		result->first[v] = kept;
		for (int32 e = dag->first[v]; e < dag->first[v + 1]; e++)
		{
			if (dag->lag == NULL || dag->lag[e] == 0)
			{
				result->child[kept++] = dag->child[e];
			}
		}
	}
	result->first[dag->nnodes] = kept;
	result->nedges = kept;
	return result;
}
