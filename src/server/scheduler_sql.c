/*
 * src/server/scheduler_sql.c
 *	  SQL runs: what the scheduler gives to the workers, and hears of them.
 *
 * A worker says in shared memory that it is done, or leaves its run there; how the
 * run ended stands in josch.sql_ends, where it was committed together with what
 * the SQL did.  So an end has two halves, and the row is the one that counts.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "utils/memutils.h"

#include "base/attempt.h"
#include "base/config.h"
#include "run/sql_worker.h"
#include "run/store_sql_run.h"

/* SQL that takes no longer than this is quick; then so many a worker are given out ahead. */
#define QUICK_MS 50
#define AHEAD 4

/* ---- to the workers ---- */

/*
 * Between the end of one run and the begin of the next a worker would wait for a pass and
 * its commit.  Where SQL is quick that is most of the time: so a pass makes some more runs,
 * and a worker that is free gets the next one at once.  Where it is not, nobody is to see
 * a node running that waits.
 */
int
josch_scheduler_sql_places(const Scheduler *scheduler)
{
	if (scheduler->unsent_sql != NIL && josch_sql_worker_shortage() != NULL)
	{
		return 0;
	}
	return scheduler->sql_took_ms > QUICK_MS ? josch_config_max_sql_workers : josch_config_max_sql_workers * (1 + AHEAD);
}

/* False: no worker is free now; try again later. */
static bool
send_sql(Scheduler *scheduler, const StoreLaunch *launch)
{
	JoschRunKey run = {launch->run_id, launch->nonce};

	if (!OidIsValid(launch->owner))
	{
		josch_scheduler_take_end(scheduler, run, RUN_END_NOT_STARTED, psprintf("role \"%s\", the owner of the node, does not exist or was dropped", launch->owner_name));
		return true;
	}
	if (!josch_sql_worker_start(run, launch->owner, launch->atomic))
	{
		return false;
	}
	if (launch->delayed)
	{
		josch_scheduler_tell_delay(scheduler, run, NULL);
	}
	return true;
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
	copy->delayed = launch->delayed;
	scheduler->unsent_sql = lappend(scheduler->unsent_sql, copy);
	MemoryContextSwitchTo(former);
}

static void
free_unsent(StoreLaunch *launch)
{
	pfree(launch->owner_name);
	pfree(launch);
}

/* Their nodes say so when it is more than the limit of SQL that keeps them. */
static void
tell_unsent(Scheduler *scheduler)
{
	ListCell   *cell;

	foreach(cell, scheduler->unsent_sql)
	{
		StoreLaunch *launch = lfirst(cell);

		if (!launch->delayed && josch_sql_worker_shortage() != NULL)
		{
			josch_scheduler_tell_delay(scheduler, (JoschRunKey) {launch->run_id, launch->nonce}, josch_sql_worker_shortage());
			launch->delayed = true;
		}
	}
}

void
josch_scheduler_send_unsent(Scheduler *scheduler)
{
	while (scheduler->unsent_sql != NIL && send_sql(scheduler, linitial(scheduler->unsent_sql)))
	{
		free_unsent(linitial(scheduler->unsent_sql));
		scheduler->unsent_sql = list_delete_first(scheduler->unsent_sql);
		scheduler->pass_wanted |= scheduler->unsent_sql == NIL;
	}
	if (scheduler->unsent_sql == NIL)
	{
		josch_sql_worker_note_rest();
	}
	tell_unsent(scheduler);
}

static bool
drop_unsent(Scheduler *scheduler, JoschRunKey key)
{
	ListCell   *cell;

	foreach(cell, scheduler->unsent_sql)
	{
		StoreLaunch *launch = lfirst(cell);

		if (launch->run_id == key.run_id && launch->nonce == key.nonce)
		{
			free_unsent(launch);
			scheduler->unsent_sql = foreach_delete_current(scheduler->unsent_sql, cell);
			return true;
		}
	}
	return false;
}

void
josch_scheduler_send_sql(Scheduler *scheduler, const StoreLaunch *launch)
{
	if (!send_sql(scheduler, launch))
	{
		keep_unsent(scheduler, launch);
	}
}

void
josch_scheduler_stop_sql(Scheduler *scheduler, const StoreRunInfo *run)
{
	JoschRunKey key = {run->run_id, run->nonce};
	TimestampTz again;

	if (drop_unsent(scheduler, key))
	{
		josch_scheduler_take_end(scheduler, key, RUN_END_NOT_STARTED, "it was stopped before a worker was free");
		return;
	}
	again = josch_sql_worker_cancel(key, run->grace_ms);
	scheduler->pass_at = Min(scheduler->pass_at, again);
}

/* ---- from the workers ---- */

/* A copy that lives as long as the event. */
static char *
keep(Scheduler *scheduler, const char *text)
{
	return text == NULL ? NULL : MemoryContextStrdup(scheduler->context, text);
}

/* A run that its worker gave back. */
static void
send_again(Scheduler *scheduler, const JoschSqlOutcome *outcome)
{
	StoreLaunch launch = {
		.run_id = outcome->run.run_id, .nonce = outcome->run.nonce, .sql = true, .atomic = outcome->atomic, .owner = outcome->owner, .owner_name = ""
	};

	keep_unsent(scheduler, &launch);
}

/* What a SQL worker leaves: how its run ended, as far as that can be told without the row that it may have written. */
static RunEvent
event_of_outcome(JoschSqlOutcome *outcome)
{
	RunEvent	event = josch_run_event(RUN_ENDED, outcome->run);

	event.sql = true;
	event.text = outcome->result == SQL_RESULT_DONE ? NULL : outcome->reason;
	event.sqlstate = outcome->sqlstate;
	if (outcome->result != SQL_RESULT_OPEN)
	{
		event.kind = outcome->result == SQL_RESULT_DONE ? RUN_END_DONE : RUN_END_ERROR;
	}
	else if (outcome->terminated)
	{
		event.kind = RUN_END_ERROR;
		event.text = "it was cancelled, did not end within stop_grace, and its worker was terminated";
	}
	else
	{
		/* whoever ended the worker: what was to end has ended */
		event.kind = !outcome->begun ? RUN_END_NOT_STARTED : outcome->atomic ? RUN_END_ERROR : RUN_END_WATCHED;
	}
	return event;
}

/* What SQL says of itself while it goes on. */
static void
hear_progress(Scheduler *scheduler)
{
	ListCell   *cell;
	List	   *progress = josch_sql_worker_progress(&scheduler->progress_at);

	foreach(cell, progress)
	{
		JoschSqlProgress *said = lfirst(cell);
		RunEvent	event = josch_run_event(RUN_REPORTED, said->run);

		event.report = said->lines;
		josch_scheduler_take(scheduler, &event);
	}
}

/* What the SQL workers have done with, and what they left undone. */
void
josch_scheduler_collect_sql(Scheduler *scheduler)
{
	ListCell   *cell;
	List	   *outcomes;

	hear_progress(scheduler);
	outcomes = josch_sql_worker_collect();
	foreach(cell, outcomes)
	{
		JoschSqlOutcome *outcome = lfirst(cell);

		scheduler->sql_took_ms = (scheduler->sql_took_ms * 7 + outcome->took_ms) / 8;	/* the last few count */
		if (outcome->again)
		{
			send_again(scheduler, outcome);
		}
		else if (outcome->never_came)
		{
			if (josch_scheduler_delay(scheduler, outcome->run, true, outcome->reason))
			{
				josch_scheduler_tell_delay(scheduler, outcome->run, outcome->reason);
			}
		}
		else
		{
			RunEvent	event = event_of_outcome(outcome);

			josch_scheduler_take(scheduler, &event);
		}
	}
}

static RunEvent *
find_unread(Scheduler *scheduler, const StoreSqlEnd *end)
{
	ListCell   *cell;

	foreach(cell, scheduler->events)
	{
		RunEvent   *event = lfirst(cell);

		if (event->sql && !event->read && event->run_id == end->run_id && event->nonce == end->nonce)
		{
			return event;
		}
	}
	return NULL;
}

/* What the row says is what counts. */
static void
fill_in(Scheduler *scheduler, RunEvent *event, const StoreSqlEnd *end)
{
	event->kind = end->succeeded ? RUN_END_DONE : RUN_END_ERROR;
	event->ended_at = end->ended_at;
	event->cpu_seconds = end->cpu_seconds;
	event->sqlstate = end->sqlstate;
	if (event->text != NULL)
	{
		pfree(event->text);
	}
	event->text = keep(scheduler, end->message);
	event->output_tail = keep(scheduler, end->output_tail);
	event->report = keep(scheduler, end->report);
}

static void
read_sql_ends(void *argument)
{
	Scheduler  *scheduler = argument;
	JoschRunKey *runs = palloc(sizeof(JoschRunKey) * (list_length(scheduler->events) + 1));
	StoreSqlEnd *ends;
	int			n = 0;
	int			found;
	ListCell   *cell;

	foreach(cell, scheduler->events)
	{
		RunEvent   *event = lfirst(cell);

		if (event->sql && !event->read)
		{
			runs[n++] = josch_run_event_key(event);
		}
	}
	if (n == 0)
	{
		return;
	}
	ends = josch_store_sql_run_ends(runs, n, &found);
	for (int i = 0; i < found; i++)
	{
		RunEvent   *event = find_unread(scheduler, &ends[i]);

		if (event != NULL)
		{
			fill_in(scheduler, event, &ends[i]);
		}
	}
	foreach(cell, scheduler->events)
	{
		((RunEvent *) lfirst(cell))->read = true;
	}
}

bool
josch_scheduler_read_sql_ends(Scheduler *scheduler)
{
	return josch_attempt_unless_locked(read_sql_ends, scheduler);
}

/* ---- after a restart ---- */

/* Whether it waits here: for a worker, or with what one left of it for a pass. */
static bool
waits_here(Scheduler *scheduler, const StoreRunInfo *run)
{
	ListCell   *cell;

	foreach(cell, scheduler->unsent_sql)
	{
		StoreLaunch *launch = lfirst(cell);

		if (launch->run_id == run->run_id && launch->nonce == run->nonce)
		{
			return true;
		}
	}
	foreach(cell, scheduler->events)
	{
		RunEvent   *event = lfirst(cell);

		if (event->run_id == run->run_id && event->nonce == run->nonce)
		{
			return true;
		}
	}
	return false;
}

bool
josch_scheduler_misses_sql(Scheduler *scheduler, const StoreRunInfo *run)
{
	JoschRunKey key = {run->run_id, run->nonce};

	return !josch_sql_worker_running(key) && !josch_scheduler_is_delayed(scheduler, key) && !waits_here(scheduler, run);
}

const char *
josch_scheduler_lost_sql(const StoreRunInfo *run)
{
	if (run->begun && !run->atomic)
	{
		return "the server went down while its statements were being committed one by one";
	}
	if (run->tries >= JOSCH_SQL_MAX_TRIES)
	{
		return psprintf("the server went down while it was executed for the %dth time", run->tries);
	}
	/* when it is recorded how it ended, that is what will be said */
	return run->recorded ? "its end is on record" : NULL;
}
