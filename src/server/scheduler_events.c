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
	pfree(event);
}

/* A copy that lives as long as the event; NULL for an empty text. */
static char *
keep_text(const char *text)
{
	return text == NULL || text[0] == '\0' ? NULL : MemoryContextStrdup(josch_scheduler.context, text);
}

void
josch_scheduler_take(const RunEvent *event)
{
	MemoryContext former = MemoryContextSwitchTo(josch_scheduler.context);
	RunEvent   *kept = palloc(sizeof(RunEvent));

	*kept = *event;
	kept->text = keep_text(event->text);
	kept->output_tail = keep_text(event->output_tail);
	josch_scheduler.events = lappend(josch_scheduler.events, kept);
	MemoryContextSwitchTo(former);
	if (event->type != RUN_STARTED)
	{
		josch_scheduler.pass_wanted = true;
	}
	else
	{
		josch_scheduler.pass_at = Min(josch_scheduler.pass_at, TimestampTzPlusMilliseconds(josch_clock_now(), LAZY_MS));
	}
}

void
josch_scheduler_take_end(int64 run_id, RunEndKind kind, const char *reason)
{
	RunEvent	event = josch_run_event(RUN_ENDED, run_id);

	event.kind = kind;
	event.text = unconstify(char *, reason);
	josch_scheduler_take(&event);
}

static void
note_listed(int64 run_id)
{
	MemoryContext former = MemoryContextSwitchTo(josch_scheduler.context);
	int64	   *listed = palloc(sizeof(int64));

	*listed = run_id;
	josch_scheduler.listed = lappend(josch_scheduler.listed, listed);
	MemoryContextSwitchTo(former);
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
	ereport(LOG, (errmsg("josch-runner refused run " INT64_FORMAT ": %s", event->run.run_id, event->text)));
	if (event->refusal == JOSCH_REFUSED_FORGOTTEN)
	{
		josch_scheduler_take_end(event->run.run_id, RUN_END_UNKNOWN, "it ran once before, and the record of its end is not here");
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
		case JOSCH_RUNNER_EVENT:
			josch_scheduler_take(&event->run);
			break;
		case JOSCH_RUNNER_LISTED:
			note_listed(event->run.run_id);
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

		josch_scheduler_take_end(loss->run_id, !loss->begun ? RUN_END_NOT_STARTED :
								 loss->atomic ? RUN_END_ERROR : RUN_END_UNKNOWN, loss->reason);
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
josch_scheduler_convert(RunEvent *event)
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
		RunEvent *event = lfirst(cell);

		if (!event->done)
		{
			continue;
		}
		if (event->type == RUN_ENDED)
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
