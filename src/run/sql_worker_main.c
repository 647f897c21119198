/*
 * src/run/sql_worker_main.c
 *	  The process that executes SQL nodes: waits for a run, executes it, reports.
 *
 * It connects as the owner from the first moment: its session user is the owner,
 * so no SQL can make it become more, and that is also why a worker serves one
 * owner for all its life.
 *
 * Its slot has the run until the scheduler has collected it, so whatever ends the
 * process leaves the run where the scheduler finds it.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"

#include "base/clock.h"
#include "base/shared.h"
#include "base/wake.h"

/* An idle worker leaves after this time. */
#define IDLE_LIMIT_MS 60000

/* The worker's own slot. */
static JoschSqlSlot *mine = NULL;

/* At exit, after the transaction is aborted: gives the slot back, or leaves the run in it. */
static void
leave(int code, Datum arg)
{
	Oid			database;
	Oid			wanted_by;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	database = mine->database;
	wanted_by = mine->wanted_by;
	if (mine->state == SLOT_RUN || mine->state == SLOT_OVER)
	{
		mine->state = SLOT_LOST;
		mine->pid = 0;
		mine->latch = NULL;
		if (mine->result == SQL_RESULT_OPEN)
		{
			strlcpy(mine->reason, josch_sql_worker_output_error(), sizeof(mine->reason));
			mine->sqlstate = josch_sql_worker_output_sqlstate();
			mine->passing = !mine->begun && josch_sql_worker_output_shortage();
			if (mine->begun && josch_sql_worker_output_limit_reached())
			{
				mine->result = SQL_RESULT_FAILED;
			}
		}
	}
	else
	{
		memset(mine, 0, sizeof(JoschSqlSlot));
	}
	LWLockRelease(josch_shared_lock);
	josch_wake_scheduler_quietly(database);
	if (wanted_by != database)
	{
		josch_wake_scheduler_quietly(wanted_by);
	}
}

/* Finds the slot that this worker was started for; exits when it was given up meanwhile. */
static void
arrive(int place)
{
	int64		generation;
	JoschSqlSlot *slot;

	memcpy(&generation, MyBgworkerEntry->bgw_extra, sizeof(int64));
	if (josch_shared == NULL || place < 0 || place >= max_worker_processes)
	{
		proc_exit(0);
	}
	slot = &josch_shared->sql_slots[place];
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (slot->state == SLOT_RUN && slot->generation == generation && slot->pid == 0)
	{
		mine = slot;
		mine->pid = MyProcPid;
		mine->latch = &MyProc->procLatch;
	}
	LWLockRelease(josch_shared_lock);
	if (mine == NULL)
	{
		proc_exit(0);
	}
	/* before the connection is made, so that it runs when that fails, too */
	before_shmem_exit(leave, (Datum) 0);
}

/* Whether the slot has a run.  *leaving is set when the worker has to go. */
static bool
has_run(bool idle_too_long, bool *atomic, bool *leaving)
{
	bool		found;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (mine->state == SLOT_IDLE && idle_too_long)
	{
		mine->state = SLOT_LEAVING;
	}
	found = mine->state == SLOT_RUN;
	*atomic = mine->atomic;
	/* no scheduler has come for the outcome: it is in the table as well */
	*leaving = mine->state == SLOT_LEAVING || (mine->state == SLOT_OVER && idle_too_long);
	LWLockRelease(josch_shared_lock);
	return found;
}

/* Waits for the next run, and tells whether it is atomic; exits when none comes. */
static bool
wait_for_run(void)
{
	TimestampTz since = josch_clock_now();

	for (;;)
	{
		TimestampTz now = josch_clock_now();
		bool		atomic;
		bool		leaving;

		if (has_run(TimestampDifferenceExceeds(since, now, IDLE_LIMIT_MS), &atomic, &leaving))
		{
			return atomic;
		}
		if (leaving)
		{
			proc_exit(0);
		}
		josch_clock_wait_latch(Max(TimestampDifferenceMilliseconds(now,
																   TimestampTzPlusMilliseconds(since, IDLE_LIMIT_MS)), 1),
							   PG_WAIT_EXTENSION);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}

/* The end is recorded: when the scheduler has heard of it, the worker is free for another run. */
static void
finish_run(void)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	mine->state = SLOT_OVER;
	LWLockRelease(josch_shared_lock);
	josch_wake_scheduler_quietly(MyDatabaseId);
}

void
josch_sql_worker_main(Datum place)
{
	uint32		flags = 0;

#ifdef BGWORKER_BYPASS_ROLELOGINCHECK
	/* up to PostgreSQL 16 an owner has to be allowed to log in */
	flags = BGWORKER_BYPASS_ROLELOGINCHECK;
#endif
	arrive(DatumGetInt32(place));
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	pqsignal(SIGINT, josch_sql_worker_handle_cancel);
	BackgroundWorkerUnblockSignals();
	josch_sql_worker_output_start();
	BackgroundWorkerInitializeConnectionByOid(mine->database, mine->owner, flags);

	for (;;)
	{
		if (!josch_sql_worker_execute(mine, wait_for_run()))
		{
			/* the run stays in the slot; whoever collects it finds out what became of it */
			proc_exit(0);
		}
		finish_run();
	}
}
