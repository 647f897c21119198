/*
 * src/server/day_worker.c
 *	  The process that makes the days that are due, and leaves.
 *
 * A day may have a million nodes, and whoever changes its templates may hold its
 * locks: neither may keep the scheduler from its passes.  Each day is a transaction
 * of its own, so that one that fails, or has to wait, keeps no other from being
 * made; those of the same job that follow it are left to the next worker.
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
#include "day/due.h"
#include "server/settings.h"

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

/* Settles a day; an error is returned, in TopMemoryContext, and nothing of it is left. */
static ErrorData *
settle(DueDay *day)
{
	ErrorData  *volatile error = NULL;

	PG_TRY();
	{
		begin();
		if (acts())
		{
			josch_due_settle(day, josch_clock_now());
		}
		end();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(TopMemoryContext);
		error = CopyErrorData();
		EmitErrorReport();
		AbortCurrentTransaction();
		FlushErrorState();
	}
	PG_END_TRY();
	return error;
}

void
josch_day_worker_main(Datum database)
{
	List	   *left = NIL;
	DueDay	   *days;
	int			n;

	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), InvalidOid, 0);
	josch_settings_pin_worker();
	days = list(&n);
	for (int i = 0; i < n; i++)
	{
		ErrorData  *error;

		CHECK_FOR_INTERRUPTS();
		error = josch_due_is_left(left, &days[i]) ? NULL : settle(&days[i]);
		if (error != NULL && josch_due_may_pass(error))
		{
			MemoryContextSwitchTo(TopMemoryContext);
			left = lappend(left, days[i].job_name);
		}
		else if (error != NULL)
		{
			begin();
			josch_due_fail(&days[i], josch_clock_now(), error);
			end();
		}
	}
}
