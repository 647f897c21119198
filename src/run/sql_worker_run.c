/*
 * src/run/sql_worker_run.c
 *	  One run of a SQL node: begin, execute, once more if need be, end.
 *
 * What fails for a reason that passes by itself, and has left nothing, is executed
 * again; with the start of a run it is the same.  The end is told in two ways:
 * as a row (sql_worker_book.c), for an atomic run in the very transaction of its
 * SQL; and in the worker's slot, so that even when that row could not be written
 * the scheduler knows what is known.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "jit/jit.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/timeout.h"

#include "base/clock.h"
#include "base/report.h"
#include "base/shared.h"
#include "run/run_event.h"
#include "run/store_sql_run.h"

#include <signal.h>
#include <sys/resource.h>

/* Bytes of an error that are kept: the message that names it has some more words. */
#define ERROR_MAX (JOSCH_MESSAGE_MAX - 200)

/* After each execution that failed for a reason that passes: about 0.1, 0.4, 1.6, 6.4 and 25.6 s. */
#define PAUSE_MS 100
#define PAUSE_GROWTH 4
#define PAUSE_MAX_MS 60000

/* While this is set a cancel is meant for the user's SQL; at other times it is nobody's. */
static volatile sig_atomic_t text_runs = false;

void
josch_sql_worker_handle_cancel(SIGNAL_ARGS)
{
	if (text_runs)
	{
#if PG_VERSION_NUM >= 190000
		StatementCancelHandler(postgres_signal_arg, pg_siginfo);
#else
		StatementCancelHandler(postgres_signal_arg);
#endif
	}
}

static double
cpu_seconds(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
	{
		return 0;
	}
	return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
		(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* ---- errors ---- */

/* "line 3, column 15": where in the text the error is; palloc'd, NULL when that is not known. */
static char *
describe_place(const char *sql, int cursorpos)
{
	int			line = 1;
	int			column = 1;
	const char *p = sql;

	if (cursorpos <= 0 || sql == NULL)
	{
		return NULL;
	}
	for (int i = 1; i < cursorpos && *p != '\0'; i++)
	{
		column++;
		if (*p == '\n')
		{
			line++;
			column = 1;
		}
		p += pg_mblen(p);
	}
	return psprintf("line %d, column %d", line, column);
}

static char *
describe_error(const ErrorData *error, const char *sql)
{
	StringInfoData text;
	char	   *place = describe_place(sql, error->cursorpos);

	initStringInfo(&text);
	appendStringInfoString(&text, error->message != NULL ? error->message : "missing error text");
	if (place != NULL)
	{
		appendStringInfo(&text, " (%s)", place);
	}
	if (error->detail != NULL)
	{
		appendStringInfo(&text, "\n%s", error->detail);
	}
	return text.data;
}

/*
 * Reasons that pass by themselves: the next time it may well succeed.  Not among
 * them is what may have been done all the same.
 */
static bool
is_passing(int sqlstate)
{
	int			class = ERRCODE_TO_CATEGORY(sqlstate);

	return (class == ERRCODE_TRANSACTION_ROLLBACK && sqlstate != ERRCODE_T_R_STATEMENT_COMPLETION_UNKNOWN) ||
		(class == ERRCODE_CONNECTION_EXCEPTION && sqlstate != ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN);
}

/* Puts the process in order after an error, as the main loop of a session does. */
static void
clean_up(void)
{
	disable_all_timeouts(false);
	AbortOutOfAnyTransaction();
	PortalErrorCleanup();
	jit_reset_after_error();
	MemoryContextSwitchTo(TopMemoryContext);
}

/* Notes the error that was raised, and puts the process in order. */
static void
take_error(JoschSqlWork *work)
{
	ErrorData  *error;

	EmitErrorReport();
	MemoryContextSwitchTo(work->context);
	error = CopyErrorData();
	work->error = josch_report_cut(describe_error(error, work->run != NULL ? work->run->sql : NULL), ERROR_MAX);
	work->sqlstate = error->sqlerrcode;
	FlushErrorState();
	clean_up();
}

/* Takes the step; false when it raised an error, which is noted then. */
static bool
succeeds(JoschSqlWork *work, void (*step) (JoschSqlWork *))
{
	work->sqlstate = 0;
	MemoryContextSwitchTo(work->context);
	PG_TRY();
	{
		step(work);
	}
	PG_CATCH();
	{
		text_runs = false;
		QueryCancelPending = false;
		take_error(work);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(work->context);
	return work->sqlstate == 0;
}

/* ---- another try ---- */

static bool
is_worth_a_try(const JoschSqlWork *work, int tries)
{
	return is_passing(work->sqlstate) && tries < JOSCH_SQL_MAX_TRIES;
}

/* Milliseconds to wait after so many tries; no two runs that met wait equally long. */
static int
pause_after(int tries, int64 run_id)
{
	int			ms = PAUSE_MS;

	for (int i = 1; i < tries; i++)
	{
		ms *= PAUSE_GROWTH;
	}
	return ms * 3 / 4 + (int) (hash_bytes_uint32((uint32) run_id + tries) % (ms / 2));
}

/* Raises an ERROR when the run was cancelled while there was nothing to interrupt. */
static void
check_cancel(const JoschSqlSlot *slot)
{
	bool		cancel;

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	cancel = slot->cancelled_at != 0;
	LWLockRelease(josch_shared_lock);
	if (cancel)
	{
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	}
}

static void
wait_before_next_try(JoschSqlWork *work)
{
	TimestampTz until = TimestampTzPlusMilliseconds(josch_clock_now(), pause_after(work->tries, work->slot->run_id));

	for (;;)
	{
		CHECK_FOR_INTERRUPTS();
		check_cancel(work->slot);
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		if (josch_clock_is_due(until, PAUSE_MAX_MS))
		{
			return;
		}
		josch_clock_wait_latch(Max(TimestampDifferenceMilliseconds(josch_clock_now(), until), 1), PG_WAIT_EXTENSION);
	}
}

/* ---- begin ---- */

/* From now on something of it may be there; until now a failure leaves a run that never started. */
static void
note_begun(JoschSqlSlot *slot)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	slot->begun = true;
	LWLockRelease(josch_shared_lock);
}

/* Begins the run; false when it is not to be executed, or cannot be begun for a reason that lasts. */
static bool
begins(JoschSqlWork *work)
{
	for (work->tries = 1; !succeeds(work, josch_sql_worker_begin); work->tries++)
	{
		if (!is_worth_a_try(work, work->tries) || !succeeds(work, wait_before_next_try))
		{
			return false;
		}
	}
	if (work->run == NULL)
	{
		return false;
	}
	work->tries = work->run->tries;
	work->error = NULL;
	note_begun(work->slot);
	return true;
}

/* ---- the end ---- */

/* In words, what is to be said of the end; NULL for nothing. */
static char *
describe_end(const JoschSqlWork *work)
{
	if (work->error == NULL || work->tries <= 1)
	{
		return work->error;
	}
	return work->sqlstate != 0 ? psprintf("%s\nIt was executed %d times.", work->error, work->tries) :
		psprintf("executed %d times; before: %s", work->tries, work->error);
}

/* Writes the end down: of an atomic run that has succeeded, in its transaction. */
static void
write_end(void *argument)
{
	JoschSqlWork *work = argument;
	StoreSqlEnd end = {
		.run_id = work->run->run_id,
		.nonce = work->run->nonce,
		.succeeded = work->sqlstate == 0,
		.sqlstate = work->sqlstate,
		.ended_at = josch_clock_now(),
		.cpu_seconds = cpu_seconds() - work->cpu_before,
		.message = describe_end(work),
		.output_tail = josch_sql_worker_output_tail(),
		.report = josch_sql_worker_report_lines()
	};

	if (IsTransactionState())
	{
		josch_sql_worker_end(work, &end);
	}
	else
	{
		josch_sql_worker_end_alone(work, &end);
	}
}

/* What is known of the end from now on, whatever becomes of this process. */
static void
note_result(const JoschSqlWork *work)
{
	JoschSqlSlot *slot = work->slot;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	slot->result = work->sqlstate == 0 ? SQL_RESULT_DONE : SQL_RESULT_FAILED;
	slot->sqlstate = work->sqlstate;
	if (work->sqlstate != 0)
	{
		strlcpy(slot->reason, work->error, pg_mbcliplen(work->error, strlen(work->error), sizeof(slot->reason) - 1) + 1);
	}
	LWLockRelease(josch_shared_lock);
}

/* ---- the run ---- */

static void
check_run(const StoreSqlRun *run)
{
	StartTransactionCommand();
	if (run->sql == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node %s has no SQL any more", josch_report_key(run->key.node_id, run->key.job_date))));
	}
	if (run->owner != GetSessionUserId())
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("the owner of node %s was changed while it was being started",
						josch_report_key(run->key.node_id, run->key.job_date))));
	}
	CommitTransactionCommand();
}

/* One execution of the SQL. */
static void
execute(JoschSqlWork *work)
{
	debug_query_string = work->run->sql;
	pgstat_report_activity(STATE_RUNNING, work->run->sql);
	text_runs = true;
	if (work->error != NULL)
	{
		char	   *message;

		work->tries++;
		message = psprintf("executed again (%d of %d): %s", work->tries, JOSCH_SQL_MAX_TRIES, work->error);
		josch_sql_worker_output_line(message);
		josch_sql_worker_begin_again(work, message);
		wait_before_next_try(work);
	}
	check_run(work->run);
	josch_sql_worker_report_begin(work->slot);
	check_cancel(work->slot);
	MemoryContextSwitchTo(work->context);
	josch_sql_worker_execute_text(work->run->sql, work->atomic, write_end, work);
	text_runs = false;
	QueryCancelPending = false;
}

bool
josch_sql_worker_execute(JoschSqlSlot *slot, bool atomic)
{
	JoschSqlWork work = {.slot = slot, .atomic = atomic, .cpu_before = cpu_seconds()};

	work.context = AllocSetContextCreate(TopMemoryContext, "josch run", ALLOCSET_DEFAULT_SIZES);
	josch_sql_worker_output_reset();
	if (!begins(&work))
	{
		return false;
	}
	while (!succeeds(&work, execute) && atomic && is_worth_a_try(&work, work.tries))
	{
	}
	note_result(&work);
	debug_query_string = NULL;
	pgstat_report_activity(STATE_IDLE, NULL);
	/* before the end is written: that must not depend on what the SQL has set */
	josch_sql_worker_reset_session();
	if (work.sqlstate != 0 || !atomic)
	{
		write_end(&work);
	}
	josch_sql_worker_report_end();
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(work.context);
	pgstat_report_stat(true);
	return true;
}
