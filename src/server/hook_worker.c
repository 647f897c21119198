/*
 * src/server/hook_worker.c
 *	  The process that executes the SQL of a hook, as its owner, and leaves.
 *
 * It connects as the owner from the first moment, so no SQL can make it become more.
 * The SQL and the record that it was delivered are one transaction: what was done is on
 * record, and what is on record was done.
 */
#include "base/josch.h"

#include "server/hook_worker.h"

#include "access/xact.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "base/clock.h"
#include "base/mode.h"
#include "base/report.h"
#include "run/sql_worker.h"

/* What the worker is told at its start. */
typedef struct Order
{
	Oid			owner;
	int64		delivery_id;
	int64		nonce;
} Order;

StaticAssertDecl(sizeof(Order) <= BGW_EXTRALEN, "an order fits into a worker's start");

BackgroundWorkerHandle *
josch_hook_worker_start(const Delivery *delivery)
{
	Order		order = {.delivery_id = delivery->delivery_id,.nonce = delivery->nonce};
	BackgroundWorker start = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = ObjectIdGetDatum(MyDatabaseId),
		.bgw_notify_pid = MyProcPid
	};
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	BackgroundWorkerHandle *handle = NULL;

	order.owner = delivery->owner_oid;
	memcpy(start.bgw_extra, &order, sizeof(Order));
	strlcpy(start.bgw_library_name, "josch", sizeof(start.bgw_library_name));
	strlcpy(start.bgw_function_name, "josch_hook_worker_main", sizeof(start.bgw_function_name));
	strlcpy(start.bgw_name, "josch hook worker", sizeof(start.bgw_name));
	strlcpy(start.bgw_type, "josch hook worker", sizeof(start.bgw_type));
	if (!OidIsValid(order.owner) || !RegisterDynamicBackgroundWorker(&start, &handle))
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
}

static void
end(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* A value is passed as such, never pasted into any text. */
static void
set_variable(char *assignment)
{
	char	   *equals = strchr(assignment, '=');

	*equals = '\0';
	(void) set_config_option(psprintf("josch_run.%s", assignment), equals + 1, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
}

/* What is to be done, and the settings that it reads; false when it is not to be done any more. */
static bool
prepare(const Order *order, Delivery *delivery)
{
	MemoryContext former;
	bool		found;

	begin();
	former = MemoryContextSwitchTo(TopMemoryContext);
	found = josch_store_delivery_read(order->delivery_id, order->nonce, delivery) && delivery->sql && delivery->text != NULL;
	if (found)
	{
		char	  **variables = josch_store_delivery_variables(delivery, false);

		for (int i = 0; variables[i] != NULL; i++)
		{
			set_variable(variables[i]);
		}
		(void) set_config_option("application_name", psprintf("josch hook %s", delivery->hook_name), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
		(void) set_config_option("statement_timeout", psprintf(INT64_FORMAT, delivery->timeout_ms), PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
	}
	MemoryContextSwitchTo(former);
	end();
	return found;
}

/* Written by the owner of the tables; who has another attempt by now raises, and nothing of this one stays. */
static void
write_end(const Delivery *delivery, char *message)
{
	DeliveryEnd ending = {.delivery_id = delivery->delivery_id,.nonce = delivery->nonce,.exit_code = -1,.message = message};
	JoschMode	former = josch_mode_enter_engine();

	ending.output_tail = josch_sql_worker_output_tail();
	if (!josch_store_delivery_end(&ending, josch_clock_now()))
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("delivery " INT64_FORMAT " was ended by others", delivery->delivery_id)));
	}
	josch_mode = former;
}

static void
write_success(void *argument)
{
	write_end(argument, NULL);
}

/* NULL: it is done, and on record. */
static char *
execute(Delivery *delivery)
{
	char	   *volatile error = NULL;

	debug_query_string = delivery->text;
	pgstat_report_activity(STATE_RUNNING, delivery->text);
	PG_TRY();
	{
		josch_sql_worker_execute_text(delivery->text, true, write_success, delivery);
	}
	PG_CATCH();
	{
		EmitErrorReport();
		MemoryContextSwitchTo(TopMemoryContext);
		error = josch_report_cut(CopyErrorData()->message, 4000);
		FlushErrorState();
		disable_all_timeouts(false);
		AbortOutOfAnyTransaction();
	}
	PG_END_TRY();
	return error;
}

void
josch_hook_worker_main(Datum database)
{
	Order		order;
	Delivery	delivery;
	char	   *error;
	uint32		flags = 0;

#ifdef BGWORKER_BYPASS_ROLELOGINCHECK
	/* up to PostgreSQL 16 an owner has to be allowed to log in */
	flags = BGWORKER_BYPASS_ROLELOGINCHECK;
#endif
	memcpy(&order, MyBgworkerEntry->bgw_extra, sizeof(Order));
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	josch_sql_worker_output_start();
	BackgroundWorkerInitializeConnectionByOid(DatumGetObjectId(database), order.owner, flags);
	josch_sql_worker_output_reset();
	if (!prepare(&order, &delivery))
	{
		return;
	}
	error = execute(&delivery);
	if (error != NULL)
	{
		josch_sql_worker_reset_session();
		begin();
		write_end(&delivery, error);
		end();
	}
}
