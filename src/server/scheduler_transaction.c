/*
 * src/server/scheduler_transaction.c
 *	  A transaction of the scheduler, and what is left of one that failed.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/clock.h"
#include "base/outbox.h"
#include "base/report.h"
#include "node/notify.h"

#define TELL_AGAIN_MS 1000

void
josch_scheduler_begin(Scheduler *scheduler)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "josch pass");
	MemoryContextSwitchTo(scheduler->scratch);
}

void
josch_scheduler_end(Scheduler *scheduler)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	MemoryContextSwitchTo(scheduler->scratch);
	pgstat_report_activity(STATE_IDLE, NULL);
}

ErrorData *
josch_scheduler_recover(Scheduler *scheduler)
{
	ErrorData  *error;

	MemoryContextSwitchTo(scheduler->scratch);
	error = CopyErrorData();
	EmitErrorReport();
	AbortCurrentTransaction();
	FlushErrorState();
	MemoryContextSwitchTo(scheduler->scratch);
	return error;
}

/* The error is kept for health. */
void
josch_scheduler_recover_alarms(Scheduler *scheduler)
{
	ErrorData  *error = josch_scheduler_recover(scheduler);

	strlcpy(scheduler->status.alarms_wait, josch_report_cut(error->message, JOSCH_WAIT_MAX - 1), JOSCH_WAIT_MAX);
	josch_wake_report(&scheduler->status);
}

/* What others have left to be told, and no transaction has taken with it. */
void
josch_scheduler_tell(Scheduler *scheduler)
{
	if (!josch_outbox_has_mail())
	{
		return;
	}
	PG_TRY();
	{
		josch_scheduler_begin(scheduler);
		josch_notify_handed();
		josch_scheduler_end(scheduler);
	}
	PG_CATCH();
	{
		(void) josch_scheduler_recover(scheduler);
		scheduler->pass_at = Min(scheduler->pass_at, TimestampTzPlusMilliseconds(josch_clock_now(), TELL_AGAIN_MS));
	}
	PG_END_TRY();
}
