/*
 * src/server/scheduler_events.c
 *	  What the scheduler hears: from the runner, and of SQL workers that died.
 *
 * Events live in the scheduler's own context until a pass has committed them,
 * and only then does the runner hear that it may forget them: whichever process
 * dies, one side still knows.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "miscadmin.h"
#include "storage/latch.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/encoding.h"
#include "base/spool.h"

/* While it has runs for nobody, it is asked again after this. */
#define STRAYS_MS 15000

/* How long to leave a runner alone that did not answer: doubled each time, up to this. */
#define CONNECT_MAX_MS 10000

static void
free_event(RunEvent *event)
{
	if (event->text != NULL)
	{
		pfree(event->text);
	}
	if (event->output_tail != NULL)
	{
		pfree(event->output_tail);
	}
	if (event->survivors != NULL)
	{
		pfree(event->survivors);
	}
	if (event->report != NULL)
	{
		pfree(event->report);
	}
	pfree(event);
}

/* A copy that lives as long as the event; NULL for an empty text. */
static char *
keep_text(Scheduler *scheduler, const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : MemoryContextStrdup(scheduler->context, text);
}

/* What a run has said before is of no concern any more. */
static void
drop_reported(Scheduler *scheduler, JoschRunKey key)
{
	ListCell   *cell;

	foreach(cell, scheduler->events)
	{
		RunEvent   *event = lfirst(cell);

		if (event->type == RUN_REPORTED && event->run_id == key.run_id && event->nonce == key.nonce)
		{
			free_event(event);
			scheduler->events = foreach_delete_current(scheduler->events, cell);
			return;
		}
	}
}

void
josch_scheduler_take(Scheduler *scheduler, const RunEvent *event)
{
	MemoryContext former = MemoryContextSwitchTo(scheduler->context);
	RunEvent   *kept;

	if (event->type == RUN_REPORTED)
	{
		drop_reported(scheduler, josch_run_event_key(event));
	}
	kept = palloc(sizeof(RunEvent));
	*kept = *event;
	kept->text = keep_text(scheduler, event->text);
	kept->output_tail = keep_text(scheduler, event->output_tail);
	kept->survivors = keep_text(scheduler, event->survivors);
	kept->report = keep_text(scheduler, event->report);
	scheduler->events = lappend(scheduler->events, kept);
	MemoryContextSwitchTo(former);
	scheduler->pass_wanted = true;
}

void
josch_scheduler_take_end(Scheduler *scheduler, JoschRunKey key, RunEndKind kind, const char *reason)
{
	RunEvent	event = josch_run_event(RUN_ENDED, key);

	event.kind = kind;
	event.text = unconstify(char *, reason);
	josch_scheduler_take(scheduler, &event);
}

void
josch_scheduler_tell_delay(Scheduler *scheduler, JoschRunKey key, const char *reason)
{
	RunEvent	event = josch_run_event(RUN_DELAYED, key);

	event.text = reason != NULL ? psprintf(JOSCH_WAITS "%s", reason) : NULL;
	josch_scheduler_take(scheduler, &event);
}

static void
delay(Scheduler *scheduler, JoschRunKey key, bool sql, const char *reason)
{
	if (josch_scheduler_delay(scheduler, key, sql, reason))
	{
		josch_scheduler_tell_delay(scheduler, key, reason);
	}
}

/* Makes a set of runs that is empty. */
void
josch_scheduler_empty_set(Scheduler *scheduler, HTAB **set)
{
	HASHCTL		control = {.keysize = sizeof(JoschRunKey), .entrysize = sizeof(JoschRunKey), .hcxt = scheduler->context};

	if (*set != NULL)
	{
		hash_destroy(*set);
	}
	*set = hash_create("josch runs", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static void
complain(Scheduler *scheduler, const char *reason)
{
	if (scheduler->complaint != NULL && strcmp(scheduler->complaint, reason) == 0)
	{
		return;					/* say it once */
	}
	ereport(LOG, (errmsg("josch-runner does not answer: %s", reason)));
	if (scheduler->complaint != NULL)
	{
		pfree(scheduler->complaint);
	}
	scheduler->complaint = MemoryContextStrdup(scheduler->context, reason);
}

/* There is another connection to wait for, or none. */
static void
drop_waits(Scheduler *scheduler)
{
	if (scheduler->waits != NULL)
	{
		FreeWaitEventSet(scheduler->waits);
		scheduler->waits = NULL;
	}
}

void
josch_scheduler_leave_runner(Scheduler *scheduler)
{
	if (scheduler->runner == NULL)
	{
		return;
	}
	drop_waits(scheduler);
	josch_runner_close(scheduler->runner);
	scheduler->runner = NULL;
	scheduler->phase = RUNNER_ABSENT;
	josch_scheduler_empty_set(scheduler, &scheduler->listed);
	josch_scheduler_empty_set(scheduler, &scheduler->stops_sent);
	scheduler->status.runner_pid = 0;
	scheduler->status.strays = 0;
	josch_scheduler_world_lose_runner(scheduler);
	josch_scheduler_expect_answer(scheduler);
	josch_wake_report(&scheduler->status);
}

static void
lose_runner(Scheduler *scheduler, const char *reason)
{
	complain(scheduler, reason);
	josch_scheduler_leave_runner(scheduler);
	scheduler->connect_at = TimestampTzPlusMilliseconds(josch_clock_now(), scheduler->connect_ms);
	scheduler->connect_ms = Min(scheduler->connect_ms * 2, CONNECT_MAX_MS);
}

static void
ask_for_list(Scheduler *scheduler)
{
	josch_scheduler_empty_set(scheduler, &scheduler->listed);
	josch_scheduler_empty_set(scheduler, &scheduler->living);
	scheduler->others = 0;
	scheduler->list_at = TimestampTzPlusMilliseconds(josch_clock_now(), STRAYS_MS);
	scheduler->phase = RUNNER_LISTING;
	josch_runner_send_list(scheduler->runner, JOSCH_SCOPE_DATABASE);
}

void
josch_scheduler_list_again(Scheduler *scheduler)
{
	if (scheduler->phase == RUNNER_READY)
	{
		ask_for_list(scheduler);
	}
}

static void
greet_runner(Scheduler *scheduler)
{
	const JoschRunnerInfo *info = josch_runner_info(scheduler->runner);

	scheduler->status.runner_pid = (pid_t) info->pid;
	scheduler->status.runner_since = info->started_at;
	strlcpy(scheduler->status.runner_version, info->version, sizeof(scheduler->status.runner_version));
	josch_wake_report(&scheduler->status);
	scheduler->connect_ms = CONNECT_MIN_MS;
	if (scheduler->complaint != NULL)
	{
		pfree(scheduler->complaint);
		scheduler->complaint = NULL;
	}
	ask_for_list(scheduler);
}

/*
 * It has seen the run before.  If it still knows it, its list tells the rest; if
 * it was told to forget it, the record of how it ended was committed once, and
 * is not in this database: a backup was restored over it.
 */
static void
take_refusal(Scheduler *scheduler, const JoschRunnerEvent *event)
{
	ereport(LOG, (errmsg("josch-runner refused run " INT64_FORMAT ": %s", event->run.run_id, event->text)));
	if (event->refusal == JOSCH_REFUSED_FORGOTTEN)
	{
		RunEvent	end = josch_run_event(RUN_ENDED, josch_run_event_key(&event->run));

		end.kind = RUN_END_UNKNOWN;
		end.text = "it ran once before, and the record of its end is not here";
		end.for_people = true;
		josch_scheduler_take(scheduler, &end);
		return;
	}
	if (scheduler->phase != RUNNER_LISTING)
	{
		ask_for_list(scheduler);
	}
}

/* What another installation of this database has left is nobody's any more. */
static void
note_listed(Scheduler *scheduler, const JoschRunnerEvent *event)
{
	JoschRunKey key = josch_run_event_key(&event->run);

	if (event->listed.other)
	{
		scheduler->others += event->listed.ended ? 0 : 1;
		if (event->listed.ended)
		{
			josch_runner_send_forget(scheduler->runner, JOSCH_SCOPE_DATABASE, &key, 1);
		}
		return;
	}
	(void) hash_search(scheduler->listed, &key, HASH_ENTER, NULL);
	if (!event->listed.ended)
	{
		(void) hash_search(scheduler->living, &key, HASH_ENTER, NULL);
	}
}

static void
take_runner_event(Scheduler *scheduler, const JoschRunnerEvent *event)
{
	JoschRunKey key = josch_run_event_key(&event->run);

	if ((event->type == JOSCH_RUNNER_EVENT || event->type == JOSCH_RUNNER_REFUSED) && josch_scheduler_hooks_take(scheduler, event))
	{
		return;
	}
	switch (event->type)
	{
		case JOSCH_RUNNER_WELCOME:
			greet_runner(scheduler);
			break;
		case JOSCH_RUNNER_EVENT:
			if (event->run.type == RUN_DELAYED)
			{
				delay(scheduler, key, false, event->run.text != NULL ? event->run.text : "no reason given");
			}
			else
			{
				josch_scheduler_take(scheduler, &event->run);
			}
			break;
		case JOSCH_RUNNER_LISTED:
			note_listed(scheduler, event);
			break;
		case JOSCH_RUNNER_LIST_END:
			scheduler->phase = RUNNER_LISTED;
			scheduler->pass_wanted = true;
			josch_scheduler_delay_listed(scheduler);
			josch_scheduler_hooks_listed(scheduler);
			break;
		case JOSCH_RUNNER_REFUSED:
			take_refusal(scheduler, event);
			break;
		case JOSCH_RUNNER_LOOKED:
			josch_scheduler_world_hear(scheduler, event);
			break;
		case JOSCH_RUNNER_LOG_DATA:
			break;				/* asked for by sessions, not here */
		case JOSCH_RUNNER_ERROR:
			ereport(LOG, (errmsg("josch-runner: %s", event->text)));
			break;
		case JOSCH_RUNNER_LOST:
			lose_runner(scheduler, event->text);
			break;
	}
}

/* The spool in use is another one: so is the runner, from now on. */
static void
follow_spool(Scheduler *scheduler, const char *spool)
{
	josch_scheduler_leave_runner(scheduler);
	if (scheduler->spool != NULL)
	{
		pfree(scheduler->spool);
	}
	scheduler->spool = MemoryContextStrdup(scheduler->context, spool);
	scheduler->connect_at = 0;
	scheduler->connect_ms = CONNECT_MIN_MS;
}

void
josch_scheduler_connect(Scheduler *scheduler)
{
	char	   *reason = NULL;
	char	   *spool = josch_spool_path();
	JoschRunnerOwner owner;

	if (scheduler->spool == NULL || strcmp(scheduler->spool, spool) != 0)
	{
		follow_spool(scheduler, spool);
	}
	if (scheduler->runner != NULL || !josch_scheduler_may_connect(scheduler) || !josch_clock_is_due(scheduler->connect_at, CONNECT_MAX_MS))
	{
		return;
	}
	owner = (JoschRunnerOwner) {
		scheduler->server, MyDatabaseId, scheduler->database_name, scheduler->token, scheduler->highest
	};
	drop_waits(scheduler);
	scheduler->runner = josch_runner_connect(spool, &owner, josch_config_start_runner, &reason);
	if (scheduler->runner == NULL)
	{
		complain(scheduler, reason);
		scheduler->connect_at = TimestampTzPlusMilliseconds(josch_clock_now(), scheduler->connect_ms);
		scheduler->connect_ms = Min(scheduler->connect_ms * 2, CONNECT_MAX_MS);
		/* nobody will tell what he has: what has waited for that may begin */
		scheduler->pass_wanted |= scheduler->settle_at != 0;
	}
}

void
josch_scheduler_hear(Scheduler *scheduler)
{
	ListCell   *cell;
	List	   *heard;

	if (scheduler->runner == NULL)
	{
		return;
	}
	if (scheduler->phase == RUNNER_READY && scheduler->status.strays > 0 && josch_clock_is_due(scheduler->list_at, STRAYS_MS))
	{
		ask_for_list(scheduler);
	}
	josch_runner_flush(scheduler->runner);
	heard = josch_runner_read(scheduler->runner, scheduler->scratch);
	foreach(cell, heard)
	{
		take_runner_event(scheduler, lfirst(cell));
	}
	if (scheduler->runner != NULL && heard != NIL)
	{
		josch_scheduler_hear_answer(scheduler);
	}
	if (scheduler->runner != NULL)
	{
		josch_runner_flush(scheduler->runner);
	}
}

static void
convert_text(Scheduler *scheduler, char **text)
{
	char	   *former = *text;

	if (former != NULL)
	{
		*text = keep_text(scheduler, josch_encoding_from_utf8(former));
		pfree(former);
	}
}

/* Conversion needs a transaction, so it is done here and not when the event comes. */
void
josch_scheduler_convert(Scheduler *scheduler, RunEvent *event)
{
	if (event->utf8)
	{
		convert_text(scheduler, &event->text);
		convert_text(scheduler, &event->output_tail);
		convert_text(scheduler, &event->survivors);
		convert_text(scheduler, &event->report);
		event->utf8 = false;
	}
}

/* Drops the events that are committed, and lets the runner forget their runs. */
void
josch_scheduler_forget_done(Scheduler *scheduler)
{
	JoschRunKey *keys = palloc(sizeof(JoschRunKey) * (list_length(scheduler->events) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, scheduler->events)
	{
		RunEvent *event = lfirst(cell);

		if (!event->done)
		{
			continue;
		}
		if (event->type == RUN_ENDED && event->nonce != 0)
		{
			keys[n] = josch_run_event_key(event);
			(void) hash_search(scheduler->stops_sent, &keys[n++], HASH_REMOVE, NULL);
		}
		free_event(event);
		scheduler->events = foreach_delete_current(scheduler->events, cell);
	}
	if (n > 0 && scheduler->runner != NULL)
	{
		josch_runner_send_forget(scheduler->runner, JOSCH_SCOPE_OWN, keys, n);
	}
}
