/*
 * src/day/job_end.c
 *	  The end of a job (a node of type E) waits for all other nodes of its job.
 *
 * All of them, not the last ones alone: a node that has failed and was abandoned may have children that have ended well.
 * Two ends of one job do not wait for each other.  So who depends on a whole job costs one dependency, however many nodes
 * that has, and one that is added to the day later is one more that its end waits for (trigger_job_end.c).
 */
#include "base/josch.h"

#include "day/job_end.h"

#include "miscadmin.h"

/* The ends of each job, as a list: the first of the job, and the next one of the same; -1: there is none. */
typedef struct Ends
{
	int		   *first;
	int		   *next;
} Ends;

static Ends
find_ends(const DayNode *nodes, int nnodes)
{
	Ends		ends;
	int			njobs = 0;

	for (int i = 0; i < nnodes; i++)
	{
		njobs = Max(njobs, nodes[i].job + 1);
	}
	ends.first = palloc(sizeof(int) * Max(njobs, 1));
	ends.next = palloc_extended(sizeof(int) * Max((Size) nnodes, 1), MCXT_ALLOC_HUGE);
	memset(ends.first, -1, sizeof(int) * njobs);
	for (int i = 0; i < nnodes; i++)
	{
		if (nodes[i].ends_job)
		{
			ends.next[i] = ends.first[nodes[i].job];
			ends.first[nodes[i].job] = i;
		}
	}
	return ends;
}

/* How many dependencies that makes. */
static Size
count_all(const Ends *ends, const DayNode *nodes, int nnodes)
{
	Size		n = 0;

	for (int i = 0; i < nnodes; i++)
	{
		for (int end = nodes[i].ends_job ? -1 : ends->first[nodes[i].job]; end >= 0; end = ends->next[end])
		{
			n++;
		}
	}
	return n;
}

static DayDependency
wait_for(const DayNode *node, const DayNode *end, const DayJob *job)
{
	return (DayDependency) {
		.parent = node->key,.child = end->key,.expected = node->key.job_date >= job->expected_from,
		.moved_to = node->key.job_date,.condition = CONDITION_WELL
	};
}

DayDependency *
josch_job_end_add(DayDependency *dependencies, int *n, const DayJob *jobs, const DayNode *nodes, int nnodes)
{
	Ends		ends = find_ends(nodes, nnodes);
	Size		nmore = count_all(&ends, nodes, nnodes);

	if (nmore > 0)
	{
		if (nmore > (Size) (PG_INT32_MAX - *n))
		{
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("a day cannot have more than %d dependencies", PG_INT32_MAX)));
		}
		dependencies = repalloc_huge(dependencies, sizeof(DayDependency) * (*n + nmore));
	}
	for (int i = 0; nmore > 0 && i < nnodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		for (int end = nodes[i].ends_job ? -1 : ends.first[nodes[i].job]; end >= 0; end = ends.next[end])
		{
			dependencies[(*n)++] = wait_for(&nodes[i], &nodes[end], &jobs[nodes[i].job]);
		}
	}
	pfree(ends.first);
	pfree(ends.next);
	return dependencies;
}
