/*
 * src/day/day.c
 *	  Makes days out of the templates.
 *
 * While the copies are made the triggers that count parents and search for
 * cycles are suspended: for a whole day at once both are cheaper to work out
 * here, before the rows are written, so that each row is written once.
 *
 * The order of locks is that of the rest: first the jobs (store_graph_lock.h),
 * then, in one statement, the rows of the parents and children that exist.  A
 * parent that is being marked done meanwhile is thus either seen done, or its
 * trigger sees the new children.  Whoever holds the locks looks at what is
 * committed by then, whatever the isolation level: an older snapshot would miss
 * the days of those before.
 *
 * Jobs are made all at once, and when that fails by halves, until those are
 * alone that cannot be made: each is made whole or not at all, and none keeps
 * another from being made.
 */
#include "base/josch.h"

#include "day/day.h"
#include "day/day_told.h"
#include "day/parameters.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/snapmgr.h"

#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/wait.h"
#include "base/wake.h"
#include "day/neighbours.h"
#include "day/store_due.h"
#include "graph/dag.h"
#include "graph/store_graph.h"
#include "graph/store_graph_lock.h"
#include "node/join.h"
#include "node/store_node.h"
#include "node/variables.h"

/* Of several nodes that an error is about, so many are named. */
#define MAX_NAMED 5

/* A day in the making. */
typedef struct Making
{
	Snapshot	templates;
	bool		by_itself;
	Jsonb	   *params;
	DayJob	   *jobs;
	int			njobs;
	DayNode    *nodes;			/* by date, then number */
	int			nnodes;
	DayDependency *dependencies;	/* of which the nodes are children */
	int			ndependencies;
	DayDependency *later;		/* of which they are parents, and existing nodes children */
	int			nlater;
	DayNeighbour *neighbours;	/* existing parents and children, by date, then number */
	int			nneighbours;
	bool		ordered;		/* the levels are right */
} Making;

static void
warn_of_variables(Snapshot templates, Jsonb *params, const DayJob *jobs, int njobs)
{
	JoschVariables *variables = josch_variables_begin(templates);
	int			n;
	DayCommand *commands = josch_store_day_commands(templates, jobs, njobs, &n);

	if (params != NULL)
	{
		int			nnames;
		char	  **names = josch_parameters_names(params, &nnames);

		josch_variables_know(variables, names, nnames);
	}
	for (int i = 0; i < n; i++)
	{
		josch_variables_check(variables, commands[i].node_id, commands[i].command);
	}
	josch_variables_warn(variables);
}

/* ---- what is to be made ---- */

/* Says that a part of a job, or all of it, is there under another name. */
static void
tell_present(const DayJob *job, int npresent, const char *present_in)
{
	ereport(NOTICE,
			(errmsg("job \"%s\" of %s: of its nodes so many are there already: %d, the first in job \"%s\"",
					job->job_name, josch_report_date(job->job_date), npresent, present_in)));
}

/*
 * Leaves out the nodes that are there already, since their job was renamed or
 * they were moved to it, and the jobs of which nothing else is left.
 */
static void
leave_out_present(Making *making)
{
	int		   *npresent = palloc0(Max(making->njobs, 1) * sizeof(int));
	int		   *nabsent = palloc0(Max(making->njobs, 1) * sizeof(int));
	char	  **present_in = palloc0(Max(making->njobs, 1) * sizeof(char *));
	int		   *place = palloc0(Max(making->njobs, 1) * sizeof(int));
	int			njobs = 0;
	int			nnodes = 0;

	for (int i = 0; i < making->nnodes; i++)
	{
		DayNode    *node = &making->nodes[i];

		CHECK_FOR_INTERRUPTS();
		if (node->present_in != NULL)
		{
			if (npresent[node->job]++ == 0)
			{
				present_in[node->job] = node->present_in;
			}
			continue;
		}
		nabsent[node->job]++;
		making->nodes[nnodes++] = *node;
	}
	making->nnodes = nnodes;
	for (int i = 0; i < making->njobs; i++)
	{
		if (npresent[i] > 0)
		{
			tell_present(&making->jobs[i], npresent[i], present_in[i]);
		}
		if (nabsent[i] > 0 || npresent[i] == 0)
		{
			place[i] = njobs;
			making->jobs[njobs++] = making->jobs[i];
		}
	}
	making->njobs = njobs;
	for (int i = 0; i < nnodes; i++)
	{
		making->nodes[i].job = place[making->nodes[i].job];
	}
}

/* ---- parents and levels ---- */

static DayNode *
find_node(const Making *making, NodeKey key)
{
	return josch_store_day_find(making->nodes, making->nnodes, key);
}

static void
read_and_lock(Making *making)
{
	NodeKey    *keys = josch_neighbours_keys(making->nnodes);
	int			n = 0;

	for (int i = 0; i < making->nnodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		keys[i] = making->nodes[i].key;
	}
	making->later = josch_store_day_children(keys, making->nnodes, &making->nlater);
	pfree(keys);

	keys = josch_neighbours_keys((Size) making->ndependencies + making->nlater);
	for (int i = 0; i < making->ndependencies; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (find_node(making, making->dependencies[i].parent) == NULL)
		{
			keys[n++] = making->dependencies[i].parent;
		}
	}
	for (int i = 0; i < making->nlater; i++)
	{
		keys[n++] = making->later[i].child;
	}
	making->neighbours = josch_store_day_lock(keys, n, &making->nneighbours);
	pfree(keys);
}

/* Of a parent that is not made together with the node. */
static void
count_parent(DayNode *child, const DayDependency *dependency, const DayNeighbour *existing)
{
	ParentMeaning meaning = josch_join_parent(existing != NULL ? &josch_states[existing->state] : NULL,
											  dependency->condition, dependency->expected);

	if (meaning != PARENT_NOTHING)
	{
		child->counts[meaning]++;
	}
}

/*
 * Counts the parents of each node, and notes what the levels follow from: a
 * node is above each of its parents, one that does not exist has level 0.
 */
static void
count_parents(Making *making, JoschDagEdges *edges)
{
	for (int i = 0; i < making->ndependencies; i++)
	{
		DayDependency *dependency = &making->dependencies[i];
		DayNode    *child = find_node(making, dependency->child);
		DayNode    *parent = find_node(making, dependency->parent);
		DayNeighbour *existing;

		CHECK_FOR_INTERRUPTS();
		making->jobs[child->job].dependencies++;
		if (parent != NULL)
		{
			child->counts[PARENT_WAITS]++;
			josch_dag_add_edge(edges, parent - making->nodes, child - making->nodes, 0);
			continue;
		}
		existing = josch_neighbours_find(making->neighbours, making->nneighbours, dependency->parent);
		if (existing == NULL && dependency->missed)
		{
			/* its job was made before the node was added to it */
			dependency->expected = false;
		}
		count_parent(child, dependency, existing);
		child->level = Max(child->level, (existing != NULL ? existing->level : 0) + 1);
	}
	for (int i = 0; i < making->nnodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		making->jobs[making->nodes[i].job].nodes++;
		josch_dag_add_node(edges, i, making->nodes[i].level);
	}
}

/* In a graph with a cycle the levels stay as they are: the check will tell. */
static void
set_levels(Making *making, JoschDagEdges *edges)
{
	JoschDag   *dag = josch_dag_build(edges);
	JoschDagOrder *order = josch_dag_sort(dag);

	making->ordered = order->count == dag->nnodes;
	for (int32 i = 0; making->ordered && i < dag->nnodes; i++)
	{
		making->nodes[dag->id[i]].level = order->level[i];
	}
	josch_dag_free(dag);
}

/* ---- the copies ---- */

/* Refuses cycles and raises the levels of children that were there before. */
static void
check_graph(const Making *making)
{
	GraphEdge  *edges = palloc_extended(((Size) making->ndependencies + making->nlater + 1) *
										sizeof(GraphEdge), MCXT_ALLOC_HUGE);
	int			n = 0;

	for (int i = 0; i < making->nlater; i++)
	{
		edges[n].parent = making->later[i].parent;
		edges[n].child = making->later[i].child;
		edges[n].lag = edges[n].child.job_date - edges[n].parent.job_date;
		n++;
	}
	for (int i = 0; !making->ordered && i < making->ndependencies; i++)
	{
		edges[n].parent = making->dependencies[i].parent;
		edges[n].child = making->dependencies[i].child;
		edges[n].lag = edges[n].child.job_date - edges[n].parent.job_date;
		n++;
	}
	if (n > 0)
	{
		josch_store_graph_check_days(edges, n);
	}
	pfree(edges);
}

static void
let_followers_of_new(const Making *making)
{
	NodeKey    *keys = josch_neighbours_keys(making->nnodes);
	char	  **names = palloc_extended(Max((Size) making->nnodes, 1) * sizeof(char *), MCXT_ALLOC_HUGE);

	for (int i = 0; i < making->nnodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		keys[i] = making->nodes[i].key;
		names[i] = making->jobs[making->nodes[i].job].job_name;
	}
	josch_neighbours_follow(keys, names, making->nnodes);
}

static void
write_copies(const Making *making)
{
	JoschMode	former = josch_mode_enter_suspended();
	bool		all_made;

	josch_store_day_insert_jobs(making->templates, making->jobs, making->njobs, making->by_itself, making->params);
	all_made = josch_store_day_insert_nodes(making->templates, making->jobs, making->njobs,
											making->nodes, making->nnodes) == making->nnodes;
	josch_store_day_insert_semaphores(making->templates, making->jobs, making->njobs);
	josch_store_day_insert_dependencies(making->dependencies, making->ndependencies, all_made);
	check_graph(making);
	josch_mode = former;
}

static void
copy_templates(Making *making)
{
	JoschDagEdges *edges = josch_dag_edges_create();

	making->nodes = josch_store_day_nodes(making->templates, making->jobs, making->njobs,
										  &making->nnodes);
	leave_out_present(making);
	making->dependencies = josch_store_day_dependencies(making->templates, making->jobs, making->nodes, making->nnodes,
														&making->ndependencies);
	read_and_lock(making);
	count_parents(making, edges);
	set_levels(making, edges);
	josch_dag_edges_free(edges);
	write_copies(making);
	josch_neighbours_recount(making->later, making->nlater);
	let_followers_of_new(making);
	josch_store_due_made(making->jobs, making->njobs);
}

/* ---- which of them can be made ---- */

/* Jobs that are made together or not at all, and what was made. */
typedef struct Together
{
	DayJob	   *jobs;
	int			njobs;
	Snapshot	locked;			/* when what it asks for was locked; NULL: it has not been */
	bool		by_itself;
	Jsonb	   *params;
	DayJob	   *made;
	int			nmade;
} Together;

static void
make_together(void *argument)
{
	Together   *together = argument;
	Making		making = {
		.templates = josch_neighbours_lock_jobs(together->jobs, together->njobs, together->locked),.by_itself = together->by_itself,
		.params = together->params
	};

	making.jobs = josch_store_day_missing(making.templates, together->jobs, together->njobs,
										  &making.njobs);
	if (making.njobs > 0)
	{
		copy_templates(&making);
	}
	UnregisterSnapshot(making.templates);
	together->made = making.jobs;
	together->nmade = making.njobs;
}

static void
warn_of_failure(const DayJob *job, const ErrorData *error)
{
	ereport(WARNING,
			(errcode(error->sqlerrcode),
			 errmsg("job \"%s\" of %s was not made: %s", job->job_name,
					josch_report_date(job->job_date), error->message),
			 error->detail != NULL ? errdetail_internal("%s", error->detail) : 0,
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
}

/* A deadlock or a serialization failure is the transaction's and no job's: whoever tries again must hear of it. */
static void
pass_on_rollback(ErrorData *error)
{
	if (error != NULL && ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_TRANSACTION_ROLLBACK)
	{
		ReThrowError(error);
	}
}

/* Puts what was made of the jobs, and what could not be made, behind the n results; returns the new n. */
static int
make_some(DayJob *jobs, int njobs, Snapshot locked, DayJob *results, int n)
{
	Together	together = {.jobs = jobs,.njobs = njobs,.locked = locked};
	ErrorData  *error;

	if (njobs == 0)
	{
		return n;
	}
	error = josch_wait_attempt(make_together, &together, "josch.schedule()", false);
	pass_on_rollback(error);
	if (error == NULL)
	{
		memcpy(results + n, together.made, together.nmade * sizeof(DayJob));
		return n + together.nmade;
	}
	if (njobs > 1)
	{
		n = make_some(jobs, njobs / 2, locked, results, n);
		return make_some(jobs + njobs / 2, njobs - njobs / 2, locked, results, n);
	}
	warn_of_failure(jobs, error);
	results[n] = *jobs;
	results[n].failed = true;
	return n + 1;
}

/* Puts the jobs first whose locks are free, so that nobody waits for the others; returns how many. */
static int
put_free_first(Snapshot templates, DayJob *jobs, int n)
{
	DayJob	   *taken = palloc(n * sizeof(DayJob));
	int			ntaken = 0;
	int			nfree = 0;

	for (int i = 0; i < n; i++)
	{
		if (josch_store_graph_lock_days(templates, &jobs[i].job_name, 1, false) == DAY_LOCKS_REFUSED)
		{
			taken[ntaken++] = jobs[i];
		}
		else
		{
			jobs[nfree++] = jobs[i];
		}
	}
	memcpy(jobs + nfree, taken, ntaken * sizeof(DayJob));
	return nfree;
}

static int
compare_job_names(const void *a, const void *b)
{
	return strcmp(((const DayJob *) a)->job_name, ((const DayJob *) b)->job_name);
}

static DayJob *
make_all(Snapshot templates, DayJob *jobs, int njobs, int *n)
{
	DayJob	   *results = palloc(njobs * sizeof(DayJob));
	int			nfree;

	/* without its turn it goes on too: whoever does nothing waits for nobody */
	pass_on_rollback(josch_store_graph_lock_all_days());
	nfree = put_free_first(templates, jobs, njobs);
	*n = make_some(jobs, nfree, templates, results, 0);
	for (int i = nfree; i < njobs; i++)
	{
		*n = make_some(&jobs[i], 1, NULL, results, *n);
	}
	qsort(results, *n, sizeof(DayJob), compare_job_names);
	return results;
}

static DayJob *
make_one(DayJob *job, const DayRequest *request, int *n)
{
	Together	together = {.jobs = job,.njobs = 1,.by_itself = request->by_itself,.params = request->params};

	if (request->by_itself)
	{
		ErrorData  *error = josch_wait_attempt(make_together, &together, "a day that makes itself", false);

		if (error != NULL)
		{
			ReThrowError(error);
		}
	}
	else
	{
		josch_wait(make_together, &together, "josch.schedule()");
	}
	*n = together.nmade;
	return together.made;
}

DayJob *
josch_day_make(const DayRequest *request, int *n)
{
	Snapshot	templates = RegisterSnapshot(GetLatestSnapshot());
	DayJob	   *jobs = josch_store_day_requested(templates, request, n);

	if (*n == 0)
	{
		josch_day_told_nothing(templates, request);
	}
	else if ((*n = josch_day_told_closed(request, jobs, *n)) > 0)
	{
		jobs = request->job_name != NULL ? make_one(jobs, request, n) : make_all(templates, jobs, *n, n);
		if (*n == 0)
		{
			josch_day_told_parameters(request);	/* somebody else has made it meanwhile */
		}
		warn_of_variables(templates, request->params, jobs, *n);
		josch_wake_scheduler_at_commit();
	}
	UnregisterSnapshot(templates);
	return jobs;
}
