/*
 * src/server/scheduler_hooks.c
 *	  Alarms told to hooks: commands by the runner, SQL by a worker.
 *
 * A delivery is taken in a transaction of its own, and sent after its commit, as a run
 * is; but it takes no place from nodes, and it is told at least once: of what nobody
 * knows how it ended it is taken to have failed, and tried again.  Whether it goes well
 * or not, nothing else depends on it.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"

#include "alarm/store_delivery.h"
#include "base/attempt.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/spool.h"
#include "day/server_variables.h"
#include "node/command.h"
#include "server/hook_worker.h"
#include "server/scheduler_hook_book.h"

/* Commands at once, and of one hook. */
#define MOST_COMMANDS 8
#define MOST_OF_A_HOOK 2

/* From TERM to KILL, of one that takes too long. */
#define GRACE_MS 10000

/* When the table could not be read, or written. */
#define AGAIN_MS 1000

/* The worker that executes the SQL of one, as long as it is there. */
static struct
{
	BackgroundWorkerHandle *handle;
	Delivery	delivery;
	TimestampTz until;
	bool		told_to_end;
}			worker;

/* ---- the worker ---- */

/* Nobody would end it when the database is to be dropped. */
static void
end_worker(int code, Datum unused)
{
	if (worker.handle != NULL)
	{
		TerminateBackgroundWorker(worker.handle);
	}
}

/* What it has not written down itself has failed. */
static void
watch_worker(Scheduler *scheduler)
{
	pid_t		pid;

	if (worker.handle == NULL)
	{
		return;
	}
	if (GetBackgroundWorkerPid(worker.handle, &pid) == BGWH_STOPPED)
	{
		pfree(worker.handle);
		worker.handle = NULL;
		josch_hook_book_fail(scheduler, &worker.delivery, worker.told_to_end ? "it took longer than its timeout" : "its worker has ended: the log of the server says why");
	}
	else if (!worker.told_to_end && josch_clock_system_now() >= worker.until)
	{
		worker.told_to_end = true;
		TerminateBackgroundWorker(worker.handle);
	}
}

static void
start_worker(Scheduler *scheduler, const Delivery *delivery)
{
	static bool registered = false;

	if (!registered)
	{
		before_shmem_exit(end_worker, 0);
		registered = true;
	}
	worker.delivery = (Delivery) {.delivery_id = delivery->delivery_id,.run_id = delivery->run_id,.nonce = delivery->nonce};
	worker.until = TimestampTzPlusMilliseconds(josch_clock_system_now(), delivery->timeout_ms + GRACE_MS);
	worker.told_to_end = false;
	worker.handle = josch_hook_worker_start(delivery);
	if (worker.handle == NULL)
	{
		josch_hook_book_fail(scheduler, delivery, "no background worker slot is free, or its owner does not exist");
	}
}

/* What nobody has written is as the server has it, as for a node's command. */
static char **
add_defaults(char **variables)
{
	int			n = 0;
	int			known;

	while (variables[n] != NULL)
	{
		n++;
	}
	known = n;
	variables = repalloc(variables, sizeof(char *) * (n + COMMAND_DEFAULT_COUNT + 1));
	for (int i = 0; i < COMMAND_DEFAULT_COUNT; i++)
	{
		const char *value = josch_server_variable(i);
		char	   *assignment = psprintf("%s=%s", josch_command_defaults[i], value != NULL ? value : "");
		size_t		length = strlen(josch_command_defaults[i]) + 1;
		bool		given = value == NULL;

		for (int k = 0; k < known && !given; k++)
		{
			given = strncmp(variables[k], assignment, length) == 0;
		}
		if (!given)
		{
			variables[n++] = assignment;
		}
	}
	variables[n] = NULL;
	return variables;
}

/* ---- one turn ---- */

typedef struct Turn
{
	Scheduler  *scheduler;
	bool		commands;		/* may be sent */
	Delivery   *taken;
	int			ntaken;
	char	 ***environments;	/* of the commands */
	Delivery   *sql;
	int			nsql;
	TimestampTz next;
} Turn;

/* NULL: it was delivered. */
static char *
describe(const RunEvent *event)
{
	switch (event->kind)
	{
		case RUN_END_EXIT:
			return event->timed_out ? "it took longer than its timeout" : event->value == 0 ? NULL : psprintf("exit code %d", event->value);
		case RUN_END_SIGNAL:
			return event->timed_out ? "it took longer than its timeout" : psprintf("signal %d", event->value);
		default:
			return event->text != NULL ? event->text : "how it ended is not known";
	}
}

static void
write_ends(Scheduler *scheduler)
{
	ListCell   *cell;

	foreach(cell, scheduler->hooks.ends)
	{
		HookEnd    *end = lfirst(cell);
		DeliveryEnd ending = {.delivery_id = end->delivery_id,.nonce = end->event.nonce,.exit_code = -1};

		josch_scheduler_convert(scheduler, &end->event);
		ending.exit_code = end->event.kind == RUN_END_EXIT ? end->event.value : -1;
		ending.message = describe(&end->event);
		ending.output_tail = end->event.output_tail;
		(void) josch_store_delivery_end(&ending, josch_clock_now());
	}
}

static void
take_turn(void *argument)
{
	Turn	   *turn = argument;
	Scheduler  *scheduler = turn->scheduler;
	TimestampTz now = josch_clock_now();
	int			room = MOST_COMMANDS - (int) hash_get_num_entries(scheduler->hooks.sent) + list_length(scheduler->hooks.ends);

	write_ends(scheduler);
	if (turn->commands && room > 0)
	{
		turn->taken = josch_store_delivery_take(now, false, Min(room, MOST_COMMANDS), MOST_OF_A_HOOK, scheduler->log_folder, &turn->ntaken);
		turn->environments = palloc(sizeof(char **) * (turn->ntaken + 1));
		for (int i = 0; i < turn->ntaken; i++)
		{
			turn->environments[i] = add_defaults(josch_store_delivery_variables(&turn->taken[i], true));
		}
	}
	if (worker.handle == NULL)
	{
		turn->sql = josch_store_delivery_take(now, true, 1, 1, scheduler->log_folder, &turn->nsql);
	}
	turn->next = josch_store_delivery_next();
}

static bool
in_transaction(Turn *turn)
{
	volatile bool done = false;

	PG_TRY();
	{
		josch_scheduler_begin(turn->scheduler);
		done = josch_attempt_unless_locked(take_turn, turn);
		josch_scheduler_end(turn->scheduler);
	}
	PG_CATCH();
	{
		done = false;
		josch_scheduler_recover_alarms(turn->scheduler);
	}
	PG_END_TRY();
	return done;
}

static void
send(Scheduler *scheduler, const Delivery *delivery, char **environment)
{
	int			argc;
	JoschRunnerStart start = {
		.key = {delivery->run_id, delivery->nonce},
		.argv = (const char *const *) josch_command_argv(delivery->text, &argc),
		.env = (const char *const *) environment,
		.cwd = josch_spool_work_path(),
		.log_path = delivery->log,
		.timeout_ms = delivery->timeout_ms,
		.grace_ms = GRACE_MS,
		.log_limit = (uint64) josch_config_max_log_size * 1024 * 1024
	};

	josch_hook_book_remember(scheduler, delivery);
	scheduler->highest = Max(scheduler->highest, delivery->run_id);
	if (josch_runner_send_start(scheduler->runner, &start))
	{
		josch_scheduler_expect_answer(scheduler);
		return;
	}
	josch_hook_book_fail(scheduler, delivery, "command and environment are larger than 4 MB");
}

static void
carry_out(Turn *turn)
{
	Scheduler  *scheduler = turn->scheduler;

	josch_hook_book_forget_ends(scheduler);
	scheduler->hooks.due_at = turn->next;
	for (int i = 0; i < turn->ntaken; i++)
	{
		send(scheduler, &turn->taken[i], turn->environments[i]);
	}
	if (turn->nsql > 0)
	{
		start_worker(scheduler, &turn->sql[0]);
	}
	if (scheduler->runner != NULL)
	{
		josch_runner_flush(scheduler->runner);
	}
}

static bool
may_tell(const Scheduler *scheduler)
{
	return scheduler->installation != 0 && scheduler->settle_at == 0 && !scheduler->replaced && !scheduler->restoring &&
		scheduler->hooks.loaded && josch_config_scheduler;
}

void
josch_scheduler_hooks(Scheduler *scheduler)
{
	Turn		turn = {.scheduler = scheduler};

	watch_worker(scheduler);
	if (josch_scheduler_hooks_due(scheduler) > josch_clock_now())
	{
		return;
	}
	turn.commands = scheduler->phase == RUNNER_READY && !scheduler->status.silent;
	if (in_transaction(&turn))
	{
		carry_out(&turn);
		/* what could not be taken waits for what is on its way, or for a runner */
		scheduler->hooks.blocked = turn.next <= josch_clock_now();
	}
	else
	{
		scheduler->hooks.again_at = TimestampTzPlusMilliseconds(josch_clock_system_now(), AGAIN_MS);
	}
}

TimestampTz
josch_scheduler_hooks_due(const Scheduler *scheduler)
{
	const HookBook *hooks = &scheduler->hooks;
	TimestampTz now = josch_clock_now();
	TimestampTz system = josch_clock_system_now();
	TimestampTz due = hooks->ends != NIL ? now : hooks->blocked ? DT_NOEND : hooks->due_at;

	if (!may_tell(scheduler))
	{
		return DT_NOEND;
	}
	if (worker.handle != NULL && !worker.told_to_end)
	{
		due = Min(due, now + Max(worker.until - system, 0));
	}
	return Max(due, now + Max(hooks->again_at - system, 0));
}
