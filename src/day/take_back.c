/*
 * src/day/take_back.c
 *	  Takes days back of which nothing has started.
 */
#include "base/josch.h"

#include "day/day.h"

#include "lib/stringinfo.h"
#include "utils/snapmgr.h"

#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/wait.h"
#include "base/wake.h"
#include "day/neighbours.h"
#include "day/store_due.h"

#define MAX_NAMED 5

static void
check_not_started(const DayJob *jobs, int njobs)
{
	int			n;
	DayStarted *started = josch_store_day_started(jobs, njobs, MAX_NAMED + 1, &n);
	StringInfoData detail;

	if (n == 0)
	{
		return;
	}
	initStringInfo(&detail);
	for (int i = 0; i < Min(n, MAX_NAMED); i++)
	{
		appendStringInfo(&detail, "%sNode %s is \"%s\"%s%s.", i > 0 ? "\n" : "",
						 josch_report_key(started[i].key.node_id, started[i].key.job_date), started[i].state,
						 started[i].running != NULL ? ": " : started[i].has_run ? " and has a run" : "",
						 started[i].running != NULL ? started[i].running : "");
	}
	if (n > MAX_NAMED)
	{
		appendStringInfoString(&detail, "\nThere are more.");
	}
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("job \"%s\" of %s has started", started[0].job_name,
					josch_report_date(started[0].key.job_date)),
			 errdetail("%s", detail.data),
			 errhint("Only a job of which nothing has started can be taken back. Nodes that are not to run can be skipped or held.")));
}

static int
compare_key_to_key(const void *a, const void *b)
{
	return josch_node_key_compare(*(const NodeKey *) a, *(const NodeKey *) b);
}

/* Takes out the dependencies of which the child is one of the keys; returns how many are left. */
static int
leave_children_outside(DayDependency *later, int nlater, const NodeKey *keys, int nkeys)
{
	int			n = 0;

	for (int i = 0; i < nlater; i++)
	{
		if (bsearch(&later[i].child, keys, nkeys, sizeof(NodeKey), compare_key_to_key) == NULL)
		{
			later[n++] = later[i];
		}
	}
	return n;
}

typedef struct TakingBack
{
	const DayRequest *request;
	DayJob	   *jobs;
	int			njobs;
} TakingBack;

static void
take_back(void *argument)
{
	TakingBack *taking = argument;
	const DayRequest *request = taking->request;
	NodeKey    *keys;
	NodeKey    *touched;
	char	  **names;
	DayDependency *later;
	JoschMode	former;
	int			before;
	int			nkeys;
	int			nlater;
	int			nlocked;

	taking->njobs = -1;
	do
	{
		before = taking->njobs;
		taking->jobs = josch_store_day_jobs(request->job_date, request->job_name, &taking->njobs);
		UnregisterSnapshot(josch_neighbours_lock_jobs(taking->jobs, taking->njobs, NULL));
	} while (taking->njobs != before);	/* who came while it was waited for others? */
	keys = josch_store_day_keys(taking->jobs, taking->njobs, &names, &nkeys);
	later = josch_store_day_children(keys, nkeys, &nlater);
	nlater = leave_children_outside(later, nlater, keys, nkeys);

	touched = josch_neighbours_keys((Size) nkeys + nlater);
	memcpy(touched, keys, nkeys * sizeof(NodeKey));
	for (int i = 0; i < nlater; i++)
	{
		touched[nkeys + i] = later[i].child;
	}
	(void) josch_store_day_lock(touched, nkeys + nlater, &nlocked);
	check_not_started(taking->jobs, taking->njobs);

	former = josch_mode_enter_suspended();
	josch_store_day_delete(taking->jobs, taking->njobs);
	josch_mode = former;
	josch_store_due_taken_back(taking->jobs, taking->njobs);
	josch_neighbours_recount(later, nlater);
	josch_neighbours_follow(keys, names, nkeys);
}

DayJob *
josch_day_take_back(const DayRequest *request, int *n)
{
	TakingBack	taking = {.request = request};

	josch_wait(take_back, &taking, "josch.unschedule()");
	if (taking.njobs == 0 && request->job_name != NULL)
	{
		josch_report_no_job(request->job_name, request->job_date);
	}
	josch_wake_scheduler_at_commit();
	*n = taking.njobs;
	return taking.jobs;
}
