/*
 * src/server/scheduler_send.c
 *	  What the scheduler sends: runs to start and to stop; and what it compares
 *	  with the other side when they meet again.
 *
 * Everything here follows a commit: a run is sent when its intent is there for
 * all to see, so that after any crash one of the two still knows of it.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "base/spool.h"
#include "node/command.h"
#include "run/sql_worker.h"

/* Of the variables that a command misses, so many are named. */
#define MAX_NAMED 5

static bool
contains(List *run_ids, int64 run_id)
{
	ListCell   *cell;

	foreach(cell, run_ids)
	{
		if (*(int64 *) lfirst(cell) == run_id)
		{
			return true;
		}
	}
	return false;
}

static const char *const *
words_of(const char *command)
{
	int			n;

	return command != NULL ? (const char *const *) josch_command_argv(command, &n) : NULL;
}

/* Adds the names of a command's variables that its environment does not have. */
static void
append_unknown(StringInfo names, const char *command, char **environment)
{
	char	  **known;
	char	  **unknown;
	int			nknown = 0;
	int			n;

	if (command == NULL || strchr(command, '$') == NULL)
	{
		return;
	}
	while (environment[nknown] != NULL)
	{
		nknown++;
	}
	known = palloc(sizeof(char *) * (nknown + 1));
	memcpy(known, environment, sizeof(char *) * nknown);
	josch_command_sort_variables(known, nknown);
	unknown = josch_command_unknown(command, known, nknown, &n);
	for (int i = 0; i < Min(n, MAX_NAMED); i++)
	{
		appendStringInfo(names, "%s\"%s\"", names->len > 0 ? ", " : "", unknown[i]);
	}
	if (n > MAX_NAMED)
	{
		appendStringInfoString(names, ", ...");
	}
}

/* The reason for which a command cannot be started, or NULL. */
static char *
obstacle(const StoreLaunch *launch)
{
	StringInfoData names;

	if (launch->command == NULL)
	{
		return "its run has no command";
	}
	if (launch->environment == NULL)
	{
		return "the node's job does not exist any more";
	}
	initStringInfo(&names);
	append_unknown(&names, launch->command, launch->environment);
	append_unknown(&names, launch->ready_command, launch->environment);
	return names.len == 0 ? NULL :
		psprintf("its command uses variables that do not exist: %s", names.data);
}

/* Sends a run whose intent is committed, with its environment. */
static void
send_command(Scheduler *scheduler, const StoreLaunch *launch)
{
	JoschRunnerStart start = {0};
	char	   *reason = obstacle(launch);

	if (reason != NULL)
	{
		josch_scheduler_take_end(scheduler, launch->run_id, RUN_END_NOT_STARTED, reason);
		return;
	}
	start.run_id = launch->run_id;
	start.argv = words_of(launch->command);
	start.env = (const char *const *) launch->environment;
	start.cwd = launch->work_dir;
	start.log_path = launch->log;
	start.timeout_ms = launch->timeout_ms;
	start.grace_ms = launch->grace_ms;
	start.long_running = launch->node_type == 'L';
	start.ready_argv = words_of(launch->ready_command);
	start.ready_after_ms = launch->ready_after_ms;
	if (!josch_runner_send_start(scheduler->runner, &start))
	{
		josch_scheduler_take_end(scheduler, launch->run_id, RUN_END_NOT_STARTED, "command and environment are larger than 4 MB");
	}
}

/* False: no worker is free now; try again later. */
static bool
send_sql(Scheduler *scheduler, const StoreLaunch *launch)
{
	if (!OidIsValid(launch->owner))
	{
		josch_scheduler_take_end(scheduler, launch->run_id, RUN_END_NOT_STARTED, psprintf("role \"%s\", the owner of the node, does not exist or was dropped", launch->owner_name));
		return true;
	}
	return josch_sql_worker_start(launch->run_id, launch->owner, launch->atomic);
}

static void
keep_unsent(Scheduler *scheduler, const StoreLaunch *launch)
{
	MemoryContext former = MemoryContextSwitchTo(scheduler->context);
	StoreLaunch *copy = palloc0(sizeof(StoreLaunch));

	/* the rest lives no longer than the pass */
	copy->run_id = launch->run_id;
	copy->sql = launch->sql;
	copy->atomic = launch->atomic;
	copy->owner = launch->owner;
	copy->owner_name = pstrdup(launch->owner_name);
	scheduler->unsent_sql = lappend(scheduler->unsent_sql, copy);
	MemoryContextSwitchTo(former);
}

static void
free_unsent(StoreLaunch *launch)
{
	pfree(launch->owner_name);
	pfree(launch);
}

void
josch_scheduler_send_unsent(Scheduler *scheduler)
{
	while (scheduler->unsent_sql != NIL && send_sql(scheduler, linitial(scheduler->unsent_sql)))
	{
		free_unsent(linitial(scheduler->unsent_sql));
		scheduler->unsent_sql = list_delete_first(scheduler->unsent_sql);
		if (scheduler->unsent_sql == NIL)
		{
			scheduler->pass_wanted = true; /* no SQL was admitted while these waited */
		}
	}
}

static bool
drop_unsent(Scheduler *scheduler, int64 run_id)
{
	ListCell   *cell;

	foreach(cell, scheduler->unsent_sql)
	{
		if (((StoreLaunch *) lfirst(cell))->run_id == run_id)
		{
			free_unsent(lfirst(cell));
			scheduler->unsent_sql = foreach_delete_current(scheduler->unsent_sql, cell);
			return true;
		}
	}
	return false;
}

void
josch_scheduler_send(Scheduler *scheduler, const StoreLaunch *launch)
{
	if (!launch->sql)
	{
		send_command(scheduler, launch);
	}
	else if (!send_sql(scheduler, launch))
	{
		keep_unsent(scheduler, launch);
	}
}

void
josch_scheduler_stop(Scheduler *scheduler, const StoreRunInfo *run)
{
	MemoryContext former;
	int64	   *run_id;

	if (run->sql)
	{
		if (drop_unsent(scheduler, run->run_id))
		{
			josch_scheduler_take_end(scheduler, run->run_id, RUN_END_NOT_STARTED, "it was stopped before a worker was free");
		}
		else
		{
			josch_sql_worker_cancel(run->run_id);
		}
		return;
	}
	/* before both sides agree, a run may have to be sent again: its stop comes after that */
	if (scheduler->phase != RUNNER_READY || contains(scheduler->stops_sent, run->run_id))
	{
		return;
	}
	josch_runner_send_stop(scheduler->runner, run->run_id, run->grace_ms);
	former = MemoryContextSwitchTo(scheduler->context);
	run_id = palloc(sizeof(int64));
	*run_id = run->run_id;
	scheduler->stops_sent = lappend(scheduler->stops_sent, run_id);
	MemoryContextSwitchTo(former);
}

/* Decides about an open command that the runner does not know. */
static bool
may_send_again(Scheduler *scheduler, const StoreRunInfo *run)
{
	const JoschRunnerInfo *info = josch_runner_info(scheduler->runner);

	if (run->server == NULL || strcmp(run->server, scheduler->server) != 0)
	{
		josch_scheduler_take_end(scheduler, run->run_id, RUN_END_UNKNOWN, "it was started by another server, of which this one is a copy, or before this one was restored");
		return false;
	}
	if (run->orphan)
	{
		josch_scheduler_take_end(scheduler, run->run_id, RUN_END_UNKNOWN, "its node does not exist any more");
		return false;
	}
	/* the journal would know it, so it never started: the same runner, or one that found the journal of the other */
	if (run->runner != NULL && strcmp(run->runner, info->incarnation) == 0)
	{
		return true;
	}
	if (info->journal_intact && run->requested_at >= info->journal_since)
	{
		return true;
	}
	josch_scheduler_take_end(scheduler, run->run_id, RUN_END_UNKNOWN, "the runner or the machine went down while it ran");
	return false;
}

StoreLaunch *
josch_scheduler_reconcile(Scheduler *scheduler, int *nagain)
{
	int			n;
	StoreRunInfo *open = josch_store_run_list_open(&n);
	int64	   *again = palloc(sizeof(int64) * Max(n, 1));
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		if (!open[i].sql && !contains(scheduler->listed, open[i].run_id) && may_send_again(scheduler, &open[i]))
		{
			again[count++] = open[i].run_id;
		}
	}
	*nagain = 0;
	return count > 0 ? josch_store_run_reload(again, count, nagain) : NULL;
}

/*
 * SQL runs that are open while no worker has them: a worker ended without a
 * word, or the server was restarted.  An atomic one has left nothing, and starts
 * once more; of another nobody knows how far it came.
 */
void
josch_scheduler_reconcile_sql(Scheduler *scheduler)
{
	int			n;
	StoreRunInfo *open = josch_store_run_list_open(&n);

	scheduler->unsent_sql = NIL;		/* of a first pass that failed */
	for (int i = 0; i < n; i++)
	{
		if (!open[i].sql || josch_sql_worker_running(open[i].run_id))
		{
			continue;
		}
		if (open[i].atomic || !open[i].begun)
		{
			int			loaded;
			StoreLaunch *launch = josch_store_run_reload(&open[i].run_id, 1, &loaded);

			if (loaded == 1)
			{
				keep_unsent(scheduler, launch);
			}
		}
		else
		{
			josch_scheduler_take_end(scheduler, open[i].run_id, RUN_END_UNKNOWN, "the server went down while its statements were being committed one by one");
		}
	}
}
