/*
 * src/server/day_worker.c
 *	  The process that makes the days that are due, and leaves.
 *
 * A day may have a million nodes, and whoever changes its templates may hold its
 * locks: neither may keep the scheduler from its passes.  Each day is a transaction
 * of its own, so that one that fails, or has to wait, keeps no other from being
 * made; those of the same job that follow it are left to the next worker.  At last it
 * tells the scheduler when the next are due.
 */
#include "base/josch.h"

#include "server/day_worker.h"

#include "access/xact.h"
#include "commands/extension.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/clock.h"
#include "base/store_installation.h"
#include "base/wake.h"
#include "day/due.h"
#include "server/settings.h"

/*
 * It waits for whoever does something, as josch.schedule() does.  But other jobs have
 * days, too: whoever makes it wait in vain halves its patience with all that follow.
 */
#define MOST_PATIENCE_MS 10000
#define LEAST_PATIENCE_MS 10

/*
 * The first day of each job is tried, however long it takes; of those that follow, what
 * can be done in this time.  Then the next worker looks whether others have come due.
 */
#define ROUND_MS 10000

BackgroundWorkerHandle *
josch_day_worker_start(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId),
		.bgw_notify_pid = MyProcPid
	};
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	BackgroundWorkerHandle *handle = NULL;

	strlcpy(worker.bgw_library_name, "josch", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "josch_day_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "josch day worker", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "josch day worker", sizeof(worker.bgw_type));
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		handle = NULL;
	}
	MemoryContextSwitchTo(former);
	return handle;
}

static void
begin(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	PushActiveSnapshot(GetTransactionSnapshot());
	pgstat_report_activity(STATE_RUNNING, "josch days");
}

static void
end(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* In a copy no day makes itself. */
static bool
acts(void)
{
	JoschInstallation installation = josch_store_installation_read();

	return josch_installation_acts(josch_installation_judge(&installation));
}

/* The days that are due, in a context that outlives the transaction. */
static DueDay *
list(int *n)
{
	DueDay	   *days = NULL;

	*n = 0;
	begin();
	if (OidIsValid(get_extension_oid("josch", true)) && acts())
	{
		MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);

		days = josch_due_list(josch_clock_now(), n);
		MemoryContextSwitchTo(former);
	}
	end();
	return days;
}

/* What is done in a transaction of its own. */
typedef struct Work
{
	void		(*act) (struct Work *work);
	DueDay	   *day;
	const ErrorData *cause;
	bool		settled;
} Work;

static void
act_settle(Work *work)
{
	work->settled = josch_due_settle(work->day, josch_clock_now());
}

static void
act_fail(Work *work)
{
	josch_due_fail(work->day, josch_clock_now(), work->cause);
}

/* An error is returned, in TopMemoryContext, and nothing of the work is left. */
static ErrorData *
attempt(Work *work)
{
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		begin();
		if (acts())
		{
			work->act(work);
		}
		end();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(TopMemoryContext);
		error = CopyErrorData();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	return error;
}

/* Those of which days had to be left: of thousands that somebody has locked the log has one line. */
typedef struct Left
{
	List	   *jobs;
	const ErrorData *cause;		/* of the first of which one is known, */
	const char *cause_of;		/* and its job */
} Left;

static void
leave(Left *left, char *job_name, const ErrorData *cause)
{
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);

	left->jobs = lappend(left->jobs, job_name);
	if (cause != NULL && left->cause == NULL)
	{
		left->cause = cause;
		left->cause_of = job_name;
	}
	MemoryContextSwitchTo(former);
}

static void
tell(const Left *left)
{
	if (left->cause != NULL)
	{
		ereport(LOG,
				(errmsg("days that are due are tried again later: so many jobs have some: %d", list_length(left->jobs)),
				 errdetail("The first, \"%s\": %s", left->cause_of, left->cause->message)));
	}
}

/* A day that cannot be settled leaves those of its job that follow. */
static void
settle(DueDay *day, Left *left, int *patience)
{
	Work		work = {.act = act_settle,.day = day};
	ErrorData  *error;

	josch_settings_set_patience(*patience);
	error = attempt(&work);
	if (error != NULL && error->sqlerrcode == ERRCODE_LOCK_NOT_AVAILABLE)
	{
		*patience = Max(*patience / 2, LEAST_PATIENCE_MS);
	}
	if (error != NULL && !josch_due_may_pass(error))
	{
		work.act = act_fail;
		work.cause = error;
		work.settled = true;
		error = attempt(&work);
	}
	if (error != NULL || !work.settled)
	{
		leave(left, day->job_name, error);
	}
}

/* False when it ended before it had tried all. */
static bool
settle_all(void)
{
	TimestampTz until = TimestampTzPlusMilliseconds(josch_clock_system_now(), ROUND_MS);
	Left		left = {0};
	int			patience = MOST_PATIENCE_MS;
	int			n;
	DueDay	   *days = list(&n);
	bool		all = true;

	for (int i = 0; i < n && all; i++)
	{
		CHECK_FOR_INTERRUPTS();
		all = days[i].number == 1 || josch_clock_system_now() <= until;
		if (all && !josch_due_is_left(left.jobs, &days[i]))
		{
			settle(&days[i], &left, &patience);
		}
	}
	tell(&left);
	return all;
}

static void
find_next(bool more)
{
	JoschDaysFound found = {.more = more};
	DueNext		next;

	begin();
	found.found_at = josch_clock_now();
	next = josch_store_due_next(found.found_at);
	end();
	found.overdue = next.overdue;
	found.due_at = next.due_at;
	josch_wake_tell_days(&found);
}

void
josch_day_worker_main(Datum database)
{
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
	josch_settings_pin_worker();
	josch_settings_set_patience(MOST_PATIENCE_MS);
	find_next(!settle_all());
}
