/*
 * src/server/scheduler_days.c
 *	  When the next days are due, and who makes them.
 *
 * The scheduler keeps the one moment at which the next day is due.  Then it starts a
 * worker that makes all that are, and finds out when the next will be: of ten
 * thousand jobs that takes longer than a pass may.  So a worker looks, too, when
 * templates, calendars or settings have changed, and when the clock was set back.
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

/* Workers follow each other after this at the earliest: whoever changes one template after the other keeps no core busy. */
#define REST_MS 1000

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
look(void *any)
{
	*(bool *) any = josch_store_due_any();
}

/* Whether days of any job make themselves: where none do, no worker is started.  False when it cannot be told now. */
static bool
look_up(Scheduler *scheduler, bool *any)
{
	volatile bool found = false;

	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		PushActiveSnapshot(GetTransactionSnapshot());
		found = josch_attempt_unless_locked(look, any);
		PopActiveSnapshot();
		CommitTransactionCommand();
	}
	PG_CATCH();
	{
		found = false;
		(void) josch_scheduler_recover(scheduler);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(scheduler->scratch);
	return found;
}

/* Waits go by the system's clock, whatever clock the days go by; it may have been set back since. */
static int
left_of(TimestampTz begun_at, int ms)
{
	int64		passed = (josch_clock_system_now() - begun_at) / 1000;

	return passed < 0 || passed >= ms ? 0 : ms - (int) passed;
}

static void
take_result(Scheduler *scheduler)
{
	JoschDaysFound found = josch_wake_take_days();

	scheduler->days_ended_at = josch_clock_system_now();
	scheduler->days_found_at = found.found_at;
	scheduler->days_at = found.found_at != 0 ? found.due_at : DT_NOEND;
	scheduler->days_overdue = found.found_at == 0 || !TIMESTAMP_IS_NOEND(found.overdue);
	scheduler->days_stale |= found.more;
	scheduler->days_delay_ms = scheduler->days_overdue && !found.more ? Min(Max(scheduler->days_delay_ms * 2, FIRST_DELAY_MS), LAST_DELAY_MS) : 0;
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
	(void) josch_wake_take_days();
	worker = josch_day_worker_start();
	if (worker == NULL)
	{
		josch_sql_worker_make_room(true);
		scheduler->days_ended_at = josch_clock_system_now();
	}
	scheduler->days_stale = worker == NULL;
	if ((worker == NULL) != (scheduler->status.days_wait[0] != '\0'))
	{
		strlcpy(scheduler->status.days_wait, worker != NULL ? "" : "no background worker slot is free", JOSCH_WAIT_MAX);
		josch_wake_report(&scheduler->status);
	}
}

/* Something has changed, or nothing is known: starts a worker, where it would find anything. */
static void
look_again(Scheduler *scheduler)
{
	bool		any;

	if (!look_up(scheduler, &any))
	{
		scheduler->days_ended_at = josch_clock_system_now();
	}
	else if (any)
	{
		start(scheduler);
	}
	else
	{
		scheduler->days_stale = scheduler->days_overdue = false;
		scheduler->days_at = DT_NOEND;
	}
}

void
josch_scheduler_days(Scheduler *scheduler)
{
	if (has_ended())
	{
		take_result(scheduler);
	}
	if (josch_wake_was_for_days() || josch_clock_now() < scheduler->days_found_at ||
		scheduler->installation == 0 || !josch_config_scheduler)
	{
		scheduler->days_stale = true;
	}
	if (josch_scheduler_days_due(scheduler) > josch_clock_now())
	{
		return;
	}
	if (scheduler->days_stale)
	{
		look_again(scheduler);
	}
	else
	{
		start(scheduler);
	}
}

/* Where the data was taken back to an earlier moment days may have been made already: that must be known before. */
static bool
may_start(const Scheduler *scheduler)
{
	return scheduler->installation != 0 && scheduler->settle_at == 0 && !scheduler->replaced && josch_config_scheduler && worker == NULL;
}

TimestampTz
josch_scheduler_days_due(const Scheduler *scheduler)
{
	TimestampTz now = josch_clock_now();
	TimestampTz rested = TimestampTzPlusMilliseconds(now, left_of(scheduler->days_ended_at, REST_MS));
	TimestampTz due = scheduler->days_stale ? now : scheduler->days_at;

	if (!may_start(scheduler))
	{
		return DT_NOEND;		/* an arming wakes it, a setting does, the worker's end does */
	}
	if (scheduler->days_overdue)
	{
		due = Min(due, TimestampTzPlusMilliseconds(now, left_of(scheduler->days_ended_at, scheduler->days_delay_ms)));
	}
	return Max(due, rested);
}
