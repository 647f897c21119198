/*
 * src/run/sql_worker_run.c
 *	  Executes one run of a SQL node, and records its outcome.
 *
 * The statements go the way of a client's simple query: parsed as a whole, each
 * analysed when the one before is done.  Atomic: all are in one transaction
 * block, and so is the success of the run; a crash leaves both or nothing.  Else
 * each commits on its own at top level, and the outcome comes last.
 *
 * The SQL is a user's, and runs as that user; the outcome is written as the
 * owner of the schema, in engine mode.  The two never mix: before the switch all
 * that the user's SQL has put off (deferred triggers, open cursors) has come to
 * its end, and settings by which it could reach further do not apply after it.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "access/xact.h"
#include "commands/discard.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "executor/executor.h"
#include "jit/jit.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/analyze.h"
#include "pgstat.h"
#include "postmaster/interrupt.h"
#include "tcop/cmdtag.h"
#include "tcop/pquery.h"
#include "tcop/tcopprot.h"
#include "tcop/utility.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/portal.h"
#include "utils/snapmgr.h"

#include "base/clock.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/shared.h"
#include "base/wake.h"
#include "day/store_environment.h"
#include "node/store_node.h"
#include "run/plan.h"
#include "run/store_run.h"
#include "run/store_sql_run.h"

#include <sys/resource.h>
#include <unistd.h>

#define VARIABLE_CLASS "josch_run."
#define HOST_MAX 256

/* Bytes of an error that are kept: the message that names it has some more words. */
#define ERROR_MAX (JOSCH_MESSAGE_MAX - 200)

/*
 * What fails for a reason that passes by itself is executed so often, after
 * pauses that grow: about 0.1, 0.4, 1.6, 6.4 and 25.6 s.
 */
#define MAX_TRIES 6
#define PAUSE_MS 100
#define PAUSE_GROWTH 4
#define PAUSE_MAX_MS 60000

/* One run, from begin to end. */
typedef struct Work
{
	StoreSqlRun *run;
	JoschSqlSlot *slot;			/* of this worker, in shared memory */
	bool		atomic;
	int			tries;			/* executions so far */
	char	   *error;			/* of the last execution that failed, in words */
	int			sqlstate;		/* its code; 0: the last execution succeeded */
	double		cpu_before;
	MemoryContext context;		/* lasts until the outcome is recorded */
} Work;

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

/* ---- bookkeeping: on behalf of the engine ---- */

typedef struct Desk
{
	JoschMode	mode;
	bool		read_only;
	int			guc_level;
} Desk;

static void
set_local(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Engine mode, free of what the user's SQL, or the user's role, has set: a
 * read-only transaction, a limit on waiting, the signs of a restore.
 */
static Desk
sit_down(void)
{
	Desk		desk;

	desk.guc_level = NewGUCNestLevel();
	set_local("lock_timeout", "0");
	set_local("check_function_bodies", "on");
	set_local("row_security", "on");
	desk.read_only = XactReadOnly;
	XactReadOnly = false;
	desk.mode = josch_mode_enter_engine();
	return desk;
}

static void
get_up(Desk *desk)
{
	josch_mode = desk->mode;
	XactReadOnly = desk->read_only;
	AtEOXact_GUC(true, desk->guc_level);
}

static void
start_transaction(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	XactIsoLevel = XACT_READ_COMMITTED;
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit_transaction(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
}

/* ---- the variables of a run ---- */

/* A value is passed as such, never pasted into any text. */
static void
set_variable(const char *name, const char *value)
{
	char	   *setting = psprintf(VARIABLE_CLASS "%s", name);

	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
	pfree(setting);
}

/*
 * The same variables as a command has.  The built-in ones come last and win: the
 * names of settings do not tell "date" from "DATE".
 */
static void
set_variables(const StoreSqlRun *run)
{
	EnvironmentRequest request = {.key = run->key, .run_id = run->run_id, .attempt = run->attempt};
	Environment *environment = josch_store_environment_read(&request, 1);

	for (int i = 0; i < environment->n; i++)
	{
		const EnvironmentVariable *variable = &environment->variables[i];

		/* a setting that was never set is an error to whoever asks for it */
		set_variable(variable->name, variable->value != NULL ? variable->value : "");
	}
	(void) set_config_option("application_name", psprintf("josch run " INT64_FORMAT, run->run_id),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
}

/* ---- begin and end ---- */

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
	cancel = slot->cancel;
	LWLockRelease(josch_shared_lock);
	if (cancel)
	{
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	}
}

static void
wait_before_next_try(const Work *work)
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

/* Records the start, and sets the variables; work->run stays NULL when the run is not to be executed. */
static void
begin(Work *work)
{
	char		host[HOST_MAX] = "";
	MemoryContext former;
	Desk		desk;

	(void) gethostname(host, sizeof(host) - 1);
	start_transaction();
	desk = sit_down();
	former = MemoryContextSwitchTo(work->context);
	work->run = josch_store_sql_run_begin(work->slot->run_id, josch_clock_now(), MyProcPid, host, work->atomic);
	MemoryContextSwitchTo(former);
	get_up(&desk);
	if (work->atomic)
	{
		/* not worth waiting for the disk: a crash that loses this loses the rest, too, and the run begins again */
		(void) set_config_option("synchronous_commit", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
	}
	if (work->run != NULL)
	{
		set_variables(work->run);
		if (work->run->has_timeout)
		{
			/* it is the scheduler that watches the time */
			josch_wake_scheduler_at_commit();
		}
	}
	commit_transaction();
}

/* From now on something of it may be there; until now a failure leaves a run that never started. */
static void
note_begun(JoschSqlSlot *slot)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	slot->begun = true;
	LWLockRelease(josch_shared_lock);
}

static void
raise_over(const Work *work)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("run " INT64_FORMAT " was ended by others", work->run->run_id)));
}

/* Leaves nothing of a run to the next one: settings, temporary tables, advisory locks, prepared statements. */
static void
reset_session(void)
{
	DiscardStmt discard = {.type = T_DiscardStmt, .target = DISCARD_ALL};

	HOLD_CANCEL_INTERRUPTS();
	start_transaction();
	DiscardCommand(&discard, true);
	commit_transaction();
	RESUME_CANCEL_INTERRUPTS();
}

/* Prepares the next execution of the same run: nothing of the last is left, and people can see why there is another. */
static void
begin_again(Work *work)
{
	char	   *message;
	Desk		desk;
	bool		open;

	reset_session();
	MemoryContextSwitchTo(work->context);
	message = psprintf("executed again (%d of %d): %s", work->tries + 1, MAX_TRIES, work->error);
	start_transaction();
	desk = sit_down();
	open = josch_store_sql_run_again(work->run, message);
	get_up(&desk);
	if (open)
	{
		set_variables(work->run);
	}
	commit_transaction();
	if (!open)
	{
		raise_over(work);
	}
	josch_sql_worker_output_line(message);
	wait_before_next_try(work);
}

/*
 * Records how the run ended; in the current transaction.  error is NULL for
 * success, which needs an open run: nobody may have given it up meanwhile.
 */
static void
record(Work *work, char *error)
{
	Desk		desk = sit_down();
	StoreOpenRun open;
	bool		is_open = josch_store_sql_run_lock(work->run->run_id, work->run->key, &open);

	if (!is_open && error == NULL)
	{
		raise_over(work);
	}
	if (is_open)
	{
		RunEvent	event = josch_run_event(RUN_ENDED, (JoschRunKey) {work->run->run_id, 0});
		StoreEnd	end;

		event.kind = error != NULL ? RUN_END_ERROR : RUN_END_DONE;
		event.text = error != NULL || work->tries <= 1 ? error :
			psprintf("executed %d times; before: %s", work->tries, work->error);
		event.cpu_seconds = cpu_seconds() - work->cpu_before;
		event.output_tail = josch_sql_worker_output_tail();
		end = josch_plan_end(&open, &event, josch_clock_now());
		josch_store_node_lock_children(&work->run->key, 1);
		josch_store_run_end(&end, 1);
	}
	get_up(&desk);
	josch_wake_scheduler_at_commit();
}

/* The same in a transaction of its own, which nobody cancels. */
static void
record_alone(Work *work, char *error)
{
	HOLD_CANCEL_INTERRUPTS();
	start_transaction();
	record(work, error);
	commit_transaction();
	RESUME_CANCEL_INTERRUPTS();
}

/* ---- the SQL ---- */

static void
check_statement(RawStmt *raw, bool atomic)
{
	if (atomic && IsA(raw->stmt, TransactionStmt))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_TRANSACTION_TERMINATION),
				 errmsg("transaction control is not allowed in an atomic SQL node"),
				 errdetail("All its statements and its success are one transaction."),
				 errhint("Set exec_sql_atomic to false to let each statement commit on its own.")));
	}
	if (IsA(raw->stmt, CopyStmt))
	{
		CopyStmt   *copy = (CopyStmt *) raw->stmt;

		if (copy->is_from && copy->filename == NULL)
		{
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("cannot copy from stdin in a SQL node"),
					 errdetail("There is no client to read from.")));
		}
	}
}

static void
print_tag(const QueryCompletion *completion)
{
	const char *name = GetCommandTagName(completion->commandTag);
	char	   *line;

	if (completion->commandTag == CMDTAG_UNKNOWN)
	{
		return;
	}
	if (!command_tag_display_rowcount(completion->commandTag))
	{
		line = pstrdup(name);
	}
	else if (completion->commandTag == CMDTAG_INSERT)
	{
		line = psprintf("%s 0 " UINT64_FORMAT, name, completion->nprocessed);
	}
	else
	{
		line = psprintf("%s " UINT64_FORMAT, name, completion->nprocessed);
	}
	josch_sql_worker_output_line(line);
	pfree(line);
}

static void
run_portal(Portal portal, DestReceiver *receiver, QueryCompletion *completion)
{
#if PG_VERSION_NUM >= 180000
	(void) PortalRun(portal, FETCH_ALL, true, receiver, receiver, completion);
#else
	(void) PortalRun(portal, FETCH_ALL, true, true, receiver, receiver, completion);
#endif
}

/* One statement, within a transaction command; its trees live in the given context. */
static void
execute_statement(RawStmt *raw, const char *sql, MemoryContext context)
{
	MemoryContext transaction = MemoryContextSwitchTo(context);
	bool		snapshot = analyze_requires_snapshot(raw);
	QueryCompletion completion;
	DestReceiver *receiver;
	List	   *plans;
	Portal		portal;

	InitializeQueryCompletion(&completion);
	if (snapshot)
	{
		PushActiveSnapshot(GetTransactionSnapshot());
	}
	plans = pg_plan_queries(pg_analyze_and_rewrite_fixedparams(raw, sql, NULL, 0, NULL),
							sql, CURSOR_OPT_PARALLEL_OK, NULL);
	if (snapshot)
	{
		PopActiveSnapshot();
	}
	CHECK_FOR_INTERRUPTS();

	portal = CreatePortal("", true, true);
	portal->visible = false;
	PortalDefineQuery(portal, NULL, sql, CreateCommandTag(raw->stmt), plans, NULL);
	PortalStart(portal, NULL, 0, InvalidSnapshot);
	receiver = josch_sql_worker_output_receiver();
	MemoryContextSwitchTo(transaction);
	run_portal(portal, receiver, &completion);
	receiver->rDestroy(receiver);
	PortalDrop(portal, false);
	print_tag(&completion);
}

/* Turns the transaction that has begun into a block, so that nothing can commit a part of it. */
static void
begin_block(void)
{
	StartTransactionCommand();
	BeginTransactionBlock();
	CommitTransactionCommand();
}

/*
 * The end of an atomic run: all that was put off is done now, as the user; then
 * the success is recorded, and one commit makes both true.
 */
static void
end_block(Work *work)
{
	ConstraintsSetStmt immediate = {.type = T_ConstraintsSetStmt, .constraints = NIL, .deferred = false};

	StartTransactionCommand();
	PortalHashTableDeleteAll();
	AfterTriggerSetState(&immediate);
	CHECK_FOR_INTERRUPTS();
	PushActiveSnapshot(GetTransactionSnapshot());
	record(work, NULL);
	PopActiveSnapshot();
	if (!EndTransactionBlock(false))
	{
		elog(ERROR, "transaction of run " INT64_FORMAT " is aborted", work->run->run_id);
	}
	CommitTransactionCommand();
}

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

static void
execute_all(Work *work)
{
	const char *sql = work->run->sql;
	MemoryContext context;
	List	   *statements;
	ListCell   *cell;

	check_run(work->run);
	MemoryContextSwitchTo(work->context);
	statements = pg_parse_query(sql);
	foreach(cell, statements)
	{
		check_statement(lfirst_node(RawStmt, cell), work->atomic);
	}
	check_cancel(work->slot);
	if (work->atomic)
	{
		begin_block();
	}
	context = AllocSetContextCreate(work->context, "josch statement", ALLOCSET_DEFAULT_SIZES);
	foreach(cell, statements)
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		execute_statement(lfirst_node(RawStmt, cell), sql, context);
		CommitTransactionCommand();
		MemoryContextReset(context);
	}
	if (work->atomic)
	{
		end_block(work);
	}
	else if (IsTransactionBlock())
	{
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("the SQL ended within a transaction block"),
				 errhint("Add COMMIT.")));
	}
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

/* Puts the process in order after an error, as the main loop of a session does. */
static void
clean_up(void)
{
	AbortOutOfAnyTransaction();
	PortalErrorCleanup();
	jit_reset_after_error();
	MemoryContextSwitchTo(TopMemoryContext);
}

/* Notes the error that was raised, and puts the process in order. */
static void
take_error(Work *work)
{
	ErrorData  *error;

	HOLD_CANCEL_INTERRUPTS();
	EmitErrorReport();
	MemoryContextSwitchTo(work->context);
	error = CopyErrorData();
	work->error = josch_report_cut(describe_error(error, work->run != NULL ? work->run->sql : NULL), ERROR_MAX);
	work->sqlstate = error->sqlerrcode;
	FlushErrorState();
	clean_up();
	RESUME_CANCEL_INTERRUPTS();
}

/* Takes the step; false when it raised an error, which is noted then. */
static bool
succeeds(Work *work, void (*step) (Work *))
{
	work->sqlstate = 0;
	PG_TRY();
	{
		step(work);
	}
	PG_CATCH();
	{
		take_error(work);
	}
	PG_END_TRY();
	return work->sqlstate == 0;
}

/* One execution of the SQL. */
static void
execute(Work *work)
{
	debug_query_string = work->run->sql;
	pgstat_report_activity(STATE_RUNNING, work->run->sql);
	if (work->tries > 0)
	{
		begin_again(work);
	}
	work->tries++;
	execute_all(work);
}

/* Whether what has just failed is worth another try. */
static bool
is_worth_a_try(const Work *work, int tries)
{
	return is_passing(work->sqlstate) && tries < MAX_TRIES;
}

static void
wait_to_begin(Work *work)
{
	wait_before_next_try(work);
}

/* Begins the run; false when it is not to be executed, or cannot be begun for a reason that lasts. */
static bool
begins(Work *work)
{
	while (!succeeds(work, begin))
	{
		work->tries++;
		if (!is_worth_a_try(work, work->tries) || !succeeds(work, wait_to_begin))
		{
			return false;
		}
	}
	work->tries = 0;
	return work->run != NULL;
}

/* How the run ended, in words, when it failed. */
static char *
describe_failure(const Work *work)
{
	return work->tries <= 1 ? work->error : psprintf("%s\nIt was executed %d times.", work->error, work->tries);
}

bool
josch_sql_worker_execute(JoschSqlSlot *slot, bool atomic)
{
	Work		work = {.slot = slot, .atomic = atomic, .cpu_before = cpu_seconds()};

	work.context = AllocSetContextCreate(TopMemoryContext, "josch run", ALLOCSET_DEFAULT_SIZES);
	josch_sql_worker_output_reset();
	if (!begins(&work))
	{
		return false;
	}
	note_begun(slot);
	while (!succeeds(&work, execute) && atomic && is_worth_a_try(&work, work.tries))
	{
	}
	debug_query_string = NULL;
	pgstat_report_activity(STATE_IDLE, NULL);
	/* before the outcome of its own: that must not depend on what the SQL has set */
	reset_session();
	if (work.sqlstate != 0 || !atomic)
	{
		record_alone(&work, work.sqlstate != 0 ? describe_failure(&work) : NULL);
	}
	MemoryContextSwitchTo(TopMemoryContext);
	MemoryContextDelete(work.context);
	pgstat_report_stat(true);
	return true;
}
