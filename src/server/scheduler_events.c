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
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/encoding.h"
#include "run/sql_worker.h"

/* A start that is told alone waits so long for the end to come with it: one commit for both. */
#define LAZY_MS 20

/* How long to leave a runner alone that did not answer: doubled each time, up to this. */
#define CONNECT_MAX_MS 10000

/* A new event of a run, to be filled in; a pass is due soon. */
static EngineEvent *
new_event(EngineEventType type, int64 run_id)
{
	MemoryContext former = MemoryContextSwitchTo(josch_scheduler.context);
	EngineEvent *event = palloc0(sizeof(EngineEvent));

	event->type = type;
	event->run_id = run_id;
	event->cpu_seconds = -1;
	event->peak_memory = -1;
	josch_scheduler.events = lappend(josch_scheduler.events, event);
	MemoryContextSwitchTo(former);
	if (type != ENGINE_RUN_STARTED)
	{
		josch_scheduler.pass_wanted = true;
	}
	else
	{
		josch_scheduler.pass_at = Min(josch_scheduler.pass_at, TimestampTzPlusMilliseconds(josch_clock_now(), LAZY_MS));
	}
	return event;
}

static void
free_event(EngineEvent *event)
{
	if (event->text != NULL)
	{
		pfree(event->text);
	}
	if (event->output_tail != NULL)
	{
		pfree(event->output_tail);
	}
	pfree(event);
}

/* A copy that lives as long as the event; NULL for an empty text. */
static char *
keep_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : MemoryContextStrdup(josch_scheduler.context, text);
}

static void
take_started(const JoschRunnerEvent *from)
{
	EngineEvent *event = new_event(ENGINE_RUN_STARTED, from->run_id);

	event->pid = (int32) from->pid;
	event->started_at = from->started_at;
}

static void
take_up(const JoschRunnerEvent *from)
{
	EngineEvent *event = new_event(ENGINE_RUN_UP, from->run_id);

	event->up_at = from->up_at;
}

static void
take_end(const JoschRunnerEvent *from)
{
	EngineEvent *event = new_event(ENGINE_RUN_ENDED, from->run_id);

	event->pid = (int32) from->pid;
	event->started_at = from->started_at;
	event->ended_at = from->ended_at;
	event->value = from->exit_value;
	event->timed_out = (from->flags & JOSCH_RUN_TIMED_OUT) != 0;
	event->utf8 = true;
	switch (from->exit_kind)
	{
		case JOSCH_EXIT_CODE:
		case JOSCH_EXIT_SIGNAL:
			event->kind = from->exit_kind == JOSCH_EXIT_CODE ? RUN_END_EXIT : RUN_END_SIGNAL;
			event->cpu_seconds = (from->cpu_user_us + from->cpu_sys_us) / 1e6;
			event->peak_memory = (int64) from->maxrss_kb * 1024;
			event->output_tail = keep_text(from->text);
			break;
		case JOSCH_EXIT_NOT_STARTED:
			event->kind = RUN_END_NOT_STARTED;
			event->text = keep_text(from->text);
			break;
		case JOSCH_EXIT_NONE:
		case JOSCH_EXIT_UNKNOWN:
			event->kind = RUN_END_UNKNOWN;
			event->text = keep_text("the runner was not there when it ended");
			event->output_tail = keep_text(from->text);
			break;
	}
}

void
josch_scheduler_not_started(int64 run_id, const char *reason)
{
	EngineEvent *event = new_event(ENGINE_RUN_ENDED, run_id);

	event->kind = RUN_END_NOT_STARTED;
	event->text = keep_text(reason);
}

void
josch_scheduler_unknown(int64 run_id, const char *reason)
{
	EngineEvent *event = new_event(ENGINE_RUN_ENDED, run_id);

	event->kind = RUN_END_UNKNOWN;
	event->text = keep_text(reason);
}

/* One entry of the runner's list: the same as if each event had just come. */
static void
take_listed(const JoschRunnerEvent *from)
{
	MemoryContext former = MemoryContextSwitchTo(josch_scheduler.context);
	int64	   *run_id = palloc(sizeof(int64));

	*run_id = from->run_id;
	josch_scheduler.listed = lappend(josch_scheduler.listed, run_id);
	MemoryContextSwitchTo(former);
	if (from->pid != 0)
	{
		take_started(from);
	}
	if ((from->flags & JOSCH_RUN_UP) != 0)
	{
		take_up(from);
	}
	if (from->state == JOSCH_RUN_STATE_EXITED)
	{
		take_end(from);
	}
}

static void
complain(const char *reason)
{
	if (josch_scheduler.complaint != NULL && strcmp(josch_scheduler.complaint, reason) == 0)
	{
		return;					/* say it once */
	}
	ereport(LOG, (errmsg("josch-runner does not answer: %s", reason)));
	if (josch_scheduler.complaint != NULL)
	{
		pfree(josch_scheduler.complaint);
	}
	josch_scheduler.complaint = MemoryContextStrdup(josch_scheduler.context, reason);
}

static void
lose_runner(const char *reason)
{
	complain(reason);
	josch_runner_close(josch_scheduler.runner);
	josch_scheduler.runner = NULL;
	josch_scheduler.phase = RUNNER_ABSENT;
	list_free_deep(josch_scheduler.listed);
	josch_scheduler.listed = NIL;
	list_free_deep(josch_scheduler.stops_sent);
	josch_scheduler.stops_sent = NIL;
	josch_scheduler.status.runner_pid = 0;
	josch_wake_report(&josch_scheduler.status);
	josch_scheduler.connect_at = TimestampTzPlusMilliseconds(josch_clock_now(), josch_scheduler.connect_ms);
	josch_scheduler.connect_ms = Min(josch_scheduler.connect_ms * 2, CONNECT_MAX_MS);
}

static void
greet_runner(void)
{
	const JoschRunnerInfo *info = josch_runner_info(josch_scheduler.runner);

	josch_scheduler.status.runner_pid = (pid_t) info->pid;
	josch_scheduler.status.runner_since = info->started_at;
	strlcpy(josch_scheduler.status.runner_version, info->version, sizeof(josch_scheduler.status.runner_version));
	josch_wake_report(&josch_scheduler.status);
	josch_scheduler.connect_ms = CONNECT_MIN_MS;
	if (josch_scheduler.complaint != NULL)
	{
		pfree(josch_scheduler.complaint);
		josch_scheduler.complaint = NULL;
	}
	josch_scheduler.phase = RUNNER_LISTING;
	josch_runner_send_list(josch_scheduler.runner);
}

/*
 * It has seen the run before.  If it still knows it, its list tells the rest; if
 * it was told to forget it, the record of how it ended was committed once, and
 * is not in this database: a backup was restored over it.
 */
static void
take_refusal(const JoschRunnerEvent *event)
{
	ereport(LOG, (errmsg("josch-runner refused run " INT64_FORMAT ": %s", event->run_id, event->text)));
	if (event->exit_value == JOSCH_REFUSED_FORGOTTEN)
	{
		josch_scheduler_unknown(event->run_id, "it ran once before, and the record of its end is not here");
		return;
	}
	if (josch_scheduler.phase != RUNNER_LISTING)
	{
		josch_scheduler.phase = RUNNER_LISTING;
		josch_runner_send_list(josch_scheduler.runner);
	}
}

static void
take_runner_event(const JoschRunnerEvent *event)
{
	switch (event->type)
	{
		case JOSCH_RUNNER_WELCOME:
			greet_runner();
			break;
		case JOSCH_RUNNER_STARTED:
			take_started(event);
			break;
		case JOSCH_RUNNER_START_FAILED:
			josch_scheduler_not_started(event->run_id, event->text);
			break;
		case JOSCH_RUNNER_UP:
			take_up(event);
			break;
		case JOSCH_RUNNER_EXITED:
			take_end(event);
			break;
		case JOSCH_RUNNER_RUN:
			take_listed(event);
			break;
		case JOSCH_RUNNER_LIST_END:
			josch_scheduler.phase = RUNNER_LISTED;
			josch_scheduler.pass_wanted = true;
			break;
		case JOSCH_RUNNER_REFUSED:
			take_refusal(event);
			break;
		case JOSCH_RUNNER_LOG_DATA:
			break;				/* asked for by sessions, not here */
		case JOSCH_RUNNER_ERROR:
			ereport(LOG, (errmsg("josch-runner: %s", event->text)));
			break;
		case JOSCH_RUNNER_LOST:
			lose_runner(event->text);
			break;
	}
}

void
josch_scheduler_connect(void)
{
	char	   *reason = NULL;

	if (josch_scheduler.runner != NULL || josch_scheduler.connect_at > josch_clock_now())
	{
		return;
	}
	josch_scheduler.runner = josch_runner_connect(josch_config_spool_path(), josch_scheduler.server, MyDatabaseId,
									 josch_scheduler.database_name, josch_config_start_runner, &reason);
	if (josch_scheduler.runner == NULL)
	{
		complain(reason);
		josch_scheduler.connect_at = TimestampTzPlusMilliseconds(josch_clock_now(), josch_scheduler.connect_ms);
		josch_scheduler.connect_ms = Min(josch_scheduler.connect_ms * 2, CONNECT_MAX_MS);
	}
}

void
josch_scheduler_hear(void)
{
	ListCell   *cell;
	List	   *heard;

	if (josch_scheduler.runner == NULL)
	{
		return;
	}
	josch_runner_flush(josch_scheduler.runner);
	heard = josch_runner_read(josch_scheduler.runner, josch_scheduler.scratch);
	foreach(cell, heard)
	{
		take_runner_event(lfirst(cell));
	}
	if (josch_scheduler.runner != NULL)
	{
		josch_runner_flush(josch_scheduler.runner);
	}
}

/* SQL workers that ended without a word. */
void
josch_scheduler_collect_sql(void)
{
	ListCell   *cell;
	List	   *lost = josch_sql_worker_collect();

	foreach(cell, lost)
	{
		JoschSqlLost *loss = lfirst(cell);
		EngineEvent *event = new_event(ENGINE_RUN_ENDED, loss->run_id);

		event->text = keep_text(loss->reason);
		event->kind = !loss->begun ? RUN_END_NOT_STARTED :
			loss->atomic ? RUN_END_ERROR : RUN_END_UNKNOWN;
	}
}

static void
convert_text(char **text)
{
	char	   *former = *text;

	if (former != NULL)
	{
		*text = keep_text(josch_encoding_from_utf8(former));
		pfree(former);
	}
}

/* Conversion needs a transaction, so it is done here and not when the event comes. */
void
josch_scheduler_convert(EngineEvent *event)
{
	if (event->utf8)
	{
		convert_text(&event->text);
		convert_text(&event->output_tail);
		event->utf8 = false;
	}
}

static void
drop_stop(int64 run_id)
{
	ListCell   *cell;

	foreach(cell, josch_scheduler.stops_sent)
	{
		if (*(int64 *) lfirst(cell) == run_id)
		{
			pfree(lfirst(cell));
			josch_scheduler.stops_sent = foreach_delete_current(josch_scheduler.stops_sent, cell);
			return;
		}
	}
}

/* Drops the events that are committed, and lets the runner forget their runs. */
void
josch_scheduler_forget_done(void)
{
	int64	   *ids = palloc(sizeof(int64) * (list_length(josch_scheduler.events) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, josch_scheduler.events)
	{
		EngineEvent *event = lfirst(cell);

		if (!event->done)
		{
			continue;
		}
		if (event->type == ENGINE_RUN_ENDED)
		{
			ids[n++] = event->run_id;
			drop_stop(event->run_id);
		}
		free_event(event);
		josch_scheduler.events = foreach_delete_current(josch_scheduler.events, cell);
	}
	if (n > 0 && josch_scheduler.runner != NULL)
	{
		josch_runner_send_forget(josch_scheduler.runner, ids, n);
	}
}
