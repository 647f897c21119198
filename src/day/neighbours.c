/*
 * src/day/neighbours.c
 *	  What exists beside the days that are made or taken back.
 */
#include "base/josch.h"

#include "day/neighbours.h"

#include "utils/snapmgr.h"

#include "base/mode.h"
#include "base/node_key.h"
#include "graph/store_graph.h"
#include "graph/store_graph_lock.h"
#include "node/store_node.h"

static char **
names_of(const DayJob *jobs, int n)
{
	char	  **names = palloc(Max(n, 1) * sizeof(char *));

	for (int i = 0; i < n; i++)
	{
		names[i] = jobs[i].job_name;
	}
	return names;
}

/* Whether nobody has committed between the two; false also when that is not known. */
static bool
is_same_time(Snapshot a, Snapshot b)
{
	return a != NULL && !a->suboverflowed && !b->suboverflowed &&
		a->xmin == b->xmin && a->xmax == b->xmax && a->curcid == b->curcid &&
		a->xcnt == b->xcnt && (a->xcnt == 0 || memcmp(a->xip, b->xip, a->xcnt * sizeof(TransactionId)) == 0) &&
		a->subxcnt == b->subxcnt &&
		(a->subxcnt == 0 || memcmp(a->subxip, b->subxip, a->subxcnt * sizeof(TransactionId)) == 0);
}

Snapshot
josch_neighbours_lock_jobs(const DayJob *jobs, int n, Snapshot locked)
{
	char	  **names = names_of(jobs, n);
	Snapshot	templates = RegisterSnapshot(GetLatestSnapshot());
	Snapshot	former = NULL;

	while (!is_same_time(locked, templates) &&
		   josch_store_graph_lock_days(templates, names, n, true) != DAY_LOCKS_HELD)
	{
		UnregisterSnapshot(former);
		locked = former = templates;
		templates = RegisterSnapshot(GetLatestSnapshot());
	}
	UnregisterSnapshot(former);
	return templates;
}

static int
compare_key_to_neighbour(const void *key, const void *neighbour)
{
	return josch_node_key_compare(*(const NodeKey *) key, ((const DayNeighbour *) neighbour)->key);
}

DayNeighbour *
josch_neighbours_find(const DayNeighbour *neighbours, int n, NodeKey key)
{
	return bsearch(&key, neighbours, n, sizeof(DayNeighbour), compare_key_to_neighbour);
}

NodeKey *
josch_neighbours_keys(Size n)
{
	return palloc_extended(Max(n, 1) * sizeof(NodeKey), MCXT_ALLOC_HUGE);
}

void
josch_neighbours_recount(const DayDependency *later, int nlater)
{
	NodeKey    *keys = josch_neighbours_keys(nlater);

	for (int i = 0; i < nlater; i++)
	{
		keys[i] = later[i].child;
	}
	if (nlater > 0)
	{
		josch_store_node_recount_locked(keys, nlater);
	}
	pfree(keys);
}

void
josch_neighbours_follow(const NodeKey *nodes, char *const *job_names, int nnodes)
{
	int			n;
	DayDependency *followers = josch_store_day_followers(nodes, job_names, nnodes, &n);
	NodeKey    *ends = josch_neighbours_keys((Size) n * 3);
	GraphEdge  *edges = palloc_extended(Max((Size) n, 1) * sizeof(GraphEdge), MCXT_ALLOC_HUGE);
	DayNeighbour *known = NULL;
	int			nknown = 0;
	JoschMode	former;
	int			nmoved = 0;

	for (int i = 0; i < n; i++)
	{
		ends[3 * i] = followers[i].child;
		ends[3 * i + 1].node_id = followers[i].parent.node_id;
		ends[3 * i + 1].job_date = followers[i].moved_to;
		/* who changes it now counts the child, too */
		ends[3 * i + 2] = followers[i].parent;
	}
	if (n > 0)
	{
		known = josch_store_day_lock(ends, 3 * n, &nknown);
	}
	for (int i = 0; i < n; i++)
	{
		DayNeighbour *child = josch_neighbours_find(known, nknown, followers[i].child);

		if (child != NULL && child->waits)
		{
			edges[nmoved].parent = ends[3 * i + 1];
			edges[nmoved].child = followers[i].child;
			edges[nmoved].lag = edges[nmoved].child.job_date - edges[nmoved].parent.job_date;
			followers[nmoved++] = followers[i];
		}
	}
	if (nmoved > 0)
	{
		former = josch_mode_enter_suspended();
		josch_store_day_follow(followers, nmoved);
		josch_store_graph_check_days(edges, nmoved);
		josch_mode = former;
		josch_neighbours_recount(followers, nmoved);
	}
}
