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

#include "base/report.h"

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

/* The error is told, and kept for health. */
void
josch_scheduler_recover_alarms(Scheduler *scheduler)
{
	ErrorData  *error;

	MemoryContextSwitchTo(scheduler->scratch);
	error = CopyErrorData();
	EmitErrorReport();
	AbortCurrentTransaction();
	FlushErrorState();
	MemoryContextSwitchTo(scheduler->scratch);
	strlcpy(scheduler->status.alarms_wait, josch_report_cut(error->message, JOSCH_WAIT_MAX - 1), JOSCH_WAIT_MAX);
	josch_wake_report(&scheduler->status);
}
