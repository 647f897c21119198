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

#include "base/config.h"
#include "base/spool.h"
#include "node/command.h"
#include "run/executor.h"
#include "run/store_pass.h"

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

/* What an executor's program does in place of the command; returns the reason for which that cannot be, or NULL. */
static char *
hand_to_executor(const StoreLaunch *launch, JoschRunnerStart *start)
{
	ExecutorCall call;

	if (launch->executor == NULL || launch->command == NULL || launch->environment == NULL)
	{
		return NULL;
	}
	call = josch_executor_call(launch);
	start->executor = true;
	start->argv = (const char *const *) call.start;
	start->env = (const char *const *) call.environment;
	start->attach_argv = (const char *const *) call.attach;
	start->stop_argv = (const char *const *) call.stop;
	return call.fault;
}

/* Sends a run whose intent is committed, with its environment; one that is lost is only looked for. */
static void
send_command(Scheduler *scheduler, const StoreLaunch *launch)
{
	JoschRunnerStart start = {0};
	char	   *reason = launch->lost == NULL ? obstacle(launch) : NULL;
	char	   *fault;

	start.argv = words_of(launch->command);
	start.env = (const char *const *) launch->environment;
	fault = hand_to_executor(launch, &start);
	reason = reason != NULL || launch->lost != NULL ? reason : fault;
	if (reason != NULL)
	{
		josch_scheduler_take_end(scheduler, key_of(launch), RUN_END_NOT_STARTED, reason);
		return;
	}
	start.key = key_of(launch);
	start.cwd = launch->work_dir;
	start.log_path = launch->log;
	start.timeout_ms = launch->timeout_ms;
	start.grace_ms = launch->grace_ms;
	start.long_running = launch->node_type == 'L';
	start.ready_argv = words_of(launch->ready_command);
	start.ready_after_ms = launch->ready_after_ms;
	start.log_limit = (uint64) josch_config_max_log_size * 1024 * 1024;
	start.lost = launch->lost;
	start.pid = launch->pid;
	start.started_at = launch->started_at;
	if (!josch_runner_send_start(scheduler->runner, &start))
	{
		josch_scheduler_take_end(scheduler, key_of(launch), launch->lost != NULL ? RUN_END_UNKNOWN : RUN_END_NOT_STARTED, "command and environment are larger than 4 MB");
		return;
	}
	josch_scheduler_expect_answer(scheduler);
}

void
josch_scheduler_send(Scheduler *scheduler, const StoreLaunch *launch)
{
	if (launch->sql)
	{
		josch_scheduler_send_sql(scheduler, launch);
	}
	else
	{
		send_command(scheduler, launch);
	}
}

void
josch_scheduler_stop(Scheduler *scheduler, const StoreRunInfo *run)
{
	JoschRunKey key = {run->run_id, run->nonce};
	bool		sent;

	if (josch_scheduler_delay_drop(scheduler, key))
	{
		josch_scheduler_take_end(scheduler, key, RUN_END_NOT_STARTED, "it was stopped before there was enough to start it");
		return;
	}
	if (run->sql)
	{
		josch_scheduler_stop_sql(scheduler, run);
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
	bool		numbers_missing;	/* it was given numbers that are not here */
	bool		database_put_back;	/* that is so, or the files themselves tell it */
	bool		ledger_put_back;	/* it does not have what it has told of */
} Witness;

static Witness
hear_witness(Scheduler *scheduler)
{
	Witness		witness = {josch_runner_info(scheduler->runner)};

	witness.numbers_missing = !josch_store_run_counted(witness.info->highest);
	witness.database_put_back = witness.numbers_missing || scheduler->replaced;
	witness.ledger_put_back = josch_store_run_started_above(witness.info->given, witness.info->ledger);
	return witness;
}

/*
 * Why nothing can be known of an open command that the runner does not list; NULL
 * when it never came there, and may be sent again.  Only the very ledger that it was
 * given to can say so, and only when neither side has been put back since.
 */
static const char *
lost_command(const Witness *witness, const StoreRunInfo *run)
{
	if (run->ledger == NULL || strcmp(run->ledger, witness->info->ledger) != 0)
	{
		return "it was given to another runner, or the machine or the runner's journal was lost since";
	}
	if (run->begun)
	{
		return "it had started, and the runner that it was given to does not know it any more";
	}
	if (witness->ledger_put_back)
	{
		return "the runner's journal was put back to an earlier moment";
	}
	if (witness->database_put_back)
	{
		return "the database was put back to an earlier moment";
	}
	return NULL;
}

static bool
is_missing(Scheduler *scheduler, const StoreRunInfo *run)
{
	JoschRunKey key = {run->run_id, run->nonce};

	return run->sql ? josch_scheduler_misses_sql(scheduler, run) :
		hash_search(scheduler->listed, &key, HASH_FIND, NULL) == NULL;
}

static bool
lives(Scheduler *scheduler, const StoreRunInfo *run)
{
	JoschRunKey key = {run->run_id, run->nonce};

	return run->token == scheduler->installation && hash_search(scheduler->living, &key, HASH_FIND, NULL) != NULL;
}

static RunEvent
end_of(const StoreRunInfo *run, const char *reason)
{
	RunEvent	event = josch_run_event(RUN_ENDED, (JoschRunKey) {run->run_id, run->nonce});

	event.sql = run->sql;
	event.kind = run->sql && run->atomic && !run->orphan ? RUN_END_ERROR : RUN_END_UNKNOWN;
	event.text = unconstify(char *, reason);
	event.sqlstate = event.kind == RUN_END_ERROR ? ERRCODE_CRASH_SHUTDOWN : 0;
	return event;
}

Reconciled
josch_scheduler_reconcile(Scheduler *scheduler, bool commands, bool sql)
{
	int			n;
	StoreRunInfo *open = josch_store_run_list_open(&n);
	int64	   *again = palloc(sizeof(int64) * Max(n, 1));
	const char **reasons = palloc(sizeof(char *) * Max(n, 1));
	int			nagain = 0;
	Reconciled	result = {.ends = palloc(sizeof(RunEvent) * Max(n, 1))};
	Witness		witness = {NULL};

	if (commands)
	{
		witness = hear_witness(scheduler);
		result.put_back_from = witness.numbers_missing ? witness.info->highest : 0;
	}
	result.strays = commands ? scheduler->others + (int) hash_get_num_entries(scheduler->living) - josch_scheduler_hooks_living(scheduler) :
		scheduler->status.strays;
	for (int i = 0; i < n; i++)
	{
		const char *lost;

		CHECK_FOR_INTERRUPTS();
		result.strays -= commands && lives(scheduler, &open[i]) ? 1 : 0;
		if (open[i].token != scheduler->installation || !(open[i].sql ? sql : commands) || !is_missing(scheduler, &open[i]))
		{
			continue;
		}
		lost = open[i].orphan ? "its node does not exist any more" :
			open[i].sql ? josch_scheduler_lost_sql(&open[i]) : lost_command(&witness, &open[i]);
		if (lost != NULL && (open[i].orphan || open[i].sql))
		{
			result.ends[result.nends++] = end_of(&open[i], lost);
		}
		else
		{
			/* a command of which nothing is known may live: the runner looks for it */
			reasons[nagain] = lost;
			again[nagain++] = open[i].run_id;
		}
	}
	if (nagain > 0)
	{
		result.again = josch_store_pass_reload(again, nagain, &result.nagain);
	}
	/* both in the order of their numbers */
	for (int i = 0, j = 0; i < result.nagain; i++)
	{
		while (again[j] < result.again[i].run_id)
		{
			j++;
		}
		result.again[i].lost = reasons[j];
	}
	return result;
}
