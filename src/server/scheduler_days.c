/*
 * src/server/scheduler_days.c
 *	  When the next days are due, and who makes them.
 *
 * The scheduler keeps the one moment at which the next day is due, looked up anew
 * when templates, calendars or settings have changed.  Then it starts a worker that
 * makes all that are due; what that one had to leave is tried again a while later.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"
#include "utils/snapmgr.h"

#include "base/attempt.h"
#include "base/clock.h"
#include "base/config.h"
#include "day/store_due.h"
#include "run/sql_worker.h"
#include "server/day_worker.h"

/* What could not be looked up, or found no background worker slot, is tried again after this. */
#define RETRY_MS 1000

/* What a worker has left is tried again after the first delay, then ever later. */
#define FIRST_DELAY_MS 1000
#define LAST_DELAY_MS 15000

/* The worker, as long as it is there. */
static BackgroundWorkerHandle *worker = NULL;

/* Nobody would end it when the database is to be dropped. */
static void
end_worker(int code, Datum unused)
{
	if (worker != NULL)
	{
		TerminateBackgroundWorker(worker);
	}
}

/* True when it has ended since it was asked last. */
static bool
has_ended(void)
{
	pid_t		pid;

	if (worker == NULL || GetBackgroundWorkerPid(worker, &pid) != BGWH_STOPPED)
	{
		return false;
	}
	pfree(worker);
	worker = NULL;
	return true;
}

static void
look(void *next)
{
	*(DueNext *) next = josch_store_due_next(josch_clock_now());
}

/* False when it cannot be told now: somebody has locked a table, or it failed. */
static bool
look_up(Scheduler *scheduler, DueNext *next)
{
	volatile bool found = false;

	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		found = josch_attempt_unless_locked(look, next);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		found = false;
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(scheduler->scratch);
	return found;
}

/* What can be done at once later on is tried again then: a wait, whatever clock the days go by. */
static void
put_off(Scheduler *scheduler, int ms)
{
	scheduler->days_retry_at = TimestampTzPlusMilliseconds(josch_clock_system_now(), ms);
}

static bool
may_try(const Scheduler *scheduler)
{
	return josch_clock_system_now() >= scheduler->days_retry_at;
}

/* After a worker, what is overdue still is what it had to leave. */
static void
find_next(Scheduler *scheduler, bool after_worker)
{
	DueNext		next;

	if (!look_up(scheduler, &next))
	{
		put_off(scheduler, RETRY_MS);
		return;
	}
	scheduler->days_stale = false;
	scheduler->days_at = next.due_at;
	scheduler->days_overdue = !TIMESTAMP_IS_NOEND(next.overdue);
	if (!scheduler->days_overdue)
	{
		scheduler->days_delay_ms = 0;
	}
	else if (after_worker)
	{
		scheduler->days_delay_ms = Min(Max(scheduler->days_delay_ms * 2, FIRST_DELAY_MS), LAST_DELAY_MS);
		put_off(scheduler, scheduler->days_delay_ms);
	}
}

static void
start(Scheduler *scheduler)
{
	static bool registered = false;

	if (!registered)
	{
		before_shmem_exit(end_worker, 0);
		registered = true;
	}
	worker = josch_day_worker_start();
	if (worker == NULL)
	{
		josch_sql_worker_make_room(true);
		scheduler->days_overdue = true;
		scheduler->days_at = DT_NOEND;
		put_off(scheduler, RETRY_MS);
	}
	if ((worker == NULL) != (scheduler->status.days_wait[0] != '\0'))
	{
		strlcpy(scheduler->status.days_wait, worker != NULL ? "" : "no background worker slot is free", JOSCH_WAIT_MAX);
		josch_wake_report(&scheduler->status);
	}
}

void
josch_scheduler_days(Scheduler *scheduler)
{
	bool		after_worker = has_ended();

	if (josch_wake_was_for_days() || after_worker)
	{
		scheduler->days_stale = true;
		scheduler->days_retry_at = 0;
	}
	if (scheduler->installation == 0 || !josch_config_scheduler || worker != NULL)
	{
		/* an arming wakes it, a setting does, the worker's end does */
		scheduler->days_stale = true;
		return;
	}
	if (scheduler->days_stale && may_try(scheduler))
	{
		find_next(scheduler, after_worker);
	}
	if (!scheduler->days_stale && (josch_clock_now() >= scheduler->days_at || (scheduler->days_overdue && may_try(scheduler))))
	{
		start(scheduler);
	}
}

TimestampTz
josch_scheduler_days_due(const Scheduler *scheduler)
{
	TimestampTz due = scheduler->days_stale ? DT_NOEND : scheduler->days_at;

	if (scheduler->installation == 0 || !josch_config_scheduler || worker != NULL)
	{
		return DT_NOEND;
	}
	if (scheduler->days_stale || scheduler->days_overdue)
	{
		due = Min(due, josch_clock_now() + Max(scheduler->days_retry_at - josch_clock_system_now(), 0));
	}
	return due;
}
