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
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/spool.h"
#include "node/command.h"
#include "run/sql_worker.h"

/* Of the variables that a command misses, so many are named. */
#define MAX_NAMED 5

static JoschRunKey
key_of(const StoreLaunch *launch)
{
	return (JoschRunKey) {launch->run_id, launch->nonce};
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
		josch_scheduler_take_end(scheduler, key_of(launch), RUN_END_NOT_STARTED, reason);
		return;
	}
	start.key = key_of(launch);
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
		josch_scheduler_take_end(scheduler, key_of(launch), RUN_END_NOT_STARTED, "command and environment are larger than 4 MB");
	}
}

/* False: no worker is free now; try again later. */
static bool
send_sql(Scheduler *scheduler, const StoreLaunch *launch)
{
	if (!OidIsValid(launch->owner))
	{
		josch_scheduler_take_end(scheduler, key_of(launch), RUN_END_NOT_STARTED, psprintf("role \"%s\", the owner of the node, does not exist or was dropped", launch->owner_name));
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
	copy->nonce = launch->nonce;
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
	JoschRunKey key = {run->run_id, run->nonce};
	bool		sent;

	if (run->sql)
	{
		if (drop_unsent(scheduler, run->run_id))
		{
			josch_scheduler_take_end(scheduler, key, RUN_END_NOT_STARTED, "it was stopped before a worker was free");
		}
		else
		{
			josch_sql_worker_cancel(run->run_id);
		}
		return;
	}
	/* before both sides agree, a run may have to be sent again: its stop comes after that */
	if (scheduler->phase != RUNNER_READY)
	{
		return;
	}
	(void) hash_search(scheduler->stops_sent, &key, HASH_ENTER, &sent);
	if (!sent)
	{
		josch_runner_send_stop(scheduler->runner, JOSCH_SCOPE_OWN, key, run->grace_ms);
	}
}

/* ---- what is open here, and what the other side has ---- */

/* What the runner's word is worth; read once for all runs. */
typedef struct Witness
{
	const JoschRunnerInfo *info;
	bool		database_put_back;	/* it was given numbers that are not here */
	bool		ledger_put_back;	/* it does not have what it has told of */
} Witness;

static Witness
hear_witness(Scheduler *scheduler)
{
	Witness		witness = {josch_runner_info(scheduler->runner)};

	witness.database_put_back = !josch_store_run_counted(witness.info->highest);
	witness.ledger_put_back = josch_store_run_started_above(witness.info->given, witness.info->ledger);
	return witness;
}

/*
 * Why nothing can be known of an open command that the runner does not list; NULL
 * when it never came there, and may be sent again.  Only the very ledger that it was
 * given to can say so, and only when neither side has been put back since.
 */
static const char *
lost_command(Scheduler *scheduler, const Witness *witness, const StoreRunInfo *run)
{
	if (run->server == NULL || strcmp(run->server, scheduler->server) != 0)
	{
		return "it was started by another server, of which this one is a copy, or before this one was restored";
	}
	if (run->ledger == NULL || strcmp(run->ledger, witness->info->ledger) != 0)
	{
		return "it was given to another runner, or the machine or the runner's journal was lost since";
	}
	if (run->begun || witness->ledger_put_back)
	{
		return "the runner's journal was put back to an earlier moment";
	}
	if (witness->database_put_back)
	{
		return "the database was put back to an earlier moment";
	}
	return NULL;
}

/* The same for SQL that no worker has: an atomic one has left nothing. */
static const char *
lost_sql(const StoreRunInfo *run)
{
	return run->atomic || !run->begun ? NULL :
		"the server went down while its statements were being committed one by one";
}

static bool
is_missing(Scheduler *scheduler, const StoreRunInfo *run)
{
	JoschRunKey key = {run->run_id, run->nonce};

	return run->sql ? !josch_sql_worker_running(run->run_id) :
		hash_search(scheduler->listed, &key, HASH_FIND, NULL) == NULL;
}

static RunEvent
unknown_end(const StoreRunInfo *run, const char *reason)
{
	RunEvent	event = josch_run_event(RUN_ENDED, (JoschRunKey) {run->run_id, run->nonce});

	event.kind = RUN_END_UNKNOWN;
	event.text = unconstify(char *, reason);
	return event;
}

Reconciled
josch_scheduler_reconcile(Scheduler *scheduler, bool commands, bool sql)
{
	int			n;
	StoreRunInfo *open = josch_store_run_list_open(&n);
	int64	   *again = palloc(sizeof(int64) * Max(n, 1));
	int			nagain = 0;
	Reconciled	result = {.ends = palloc(sizeof(RunEvent) * Max(n, 1))};
	Witness		witness = {NULL};

	if (commands)
	{
		witness = hear_witness(scheduler);
	}
	for (int i = 0; i < n; i++)
	{
		const char *lost;

		CHECK_FOR_INTERRUPTS();
		if (!(open[i].sql ? sql : commands) || !is_missing(scheduler, &open[i]))
		{
			continue;
		}
		lost = open[i].orphan ? "its node does not exist any more" :
			open[i].sql ? lost_sql(&open[i]) : lost_command(scheduler, &witness, &open[i]);
		if (lost != NULL)
		{
			result.ends[result.nends++] = unknown_end(&open[i], lost);
		}
		else
		{
			again[nagain++] = open[i].run_id;
		}
	}
	if (nagain > 0)
	{
		result.again = josch_store_run_reload(again, nagain, &result.nagain);
	}
	return result;
}
