/*
 * src/server/judge_worker.c
 *	  The process that asks the queries which nodes of one owner wait for, and leaves.
 *
 * It connects as that owner, so that no query can make it become more.  Each is asked in a
 * read-only transaction that is always rolled back, settings and all, and that a timer
 * cancels; one that catches that is ended with its worker by the scheduler.  What it has
 * found stands in shared memory; the scheduler alone writes.
 */
#include "base/josch.h"

#include "server/judge_worker.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "libpq/pqsignal.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/ipc.h"
#include "storage/lock.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "base/clock.h"
#include "base/shared.h"
#include "base/wake.h"
#include "day/store_environment.h"
#include "run/sql_variables.h"
#include "run/store_world.h"

BackgroundWorkerHandle *
josch_judge_worker_start(int place, int64 generation)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = Int32GetDatum(place),
		.bgw_notify_pid = MyProcPid
	};
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	BackgroundWorkerHandle *handle = NULL;

	strlcpy(worker.bgw_library_name, "josch", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "josch_judge_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "josch judge worker", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "josch judge worker", sizeof(worker.bgw_type));
	memcpy(worker.bgw_extra, &generation, sizeof(int64));
	if (!RegisterDynamicBackgroundWorker(&worker, &handle))
	{
		handle = NULL;
	}
	MemoryContextSwitchTo(former);
	return handle;
}

/* ---- its place ---- */

typedef struct Desk
{
	int			place;
	JoschJudge	work;			/* a copy */
} Desk;

/* False when the scheduler has given it up. */
static bool
read_work(Desk *desk)
{
	int64		generation;
	bool		mine;

	memcpy(&generation, MyBgworkerEntry->bgw_extra, sizeof(int64));
	if (josch_shared == NULL || desk->place < 0 || desk->place >= JOSCH_JUDGES)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	desk->work = josch_shared->judges[desk->place];
	mine = OidIsValid(desk->work.database) && desk->work.generation == generation;
	LWLockRelease(josch_shared_lock);
	return mine;
}

/* It goes on to the query of that number, having found that of the one before. */
static void
note(Desk *desk, int next, JoschJudgement judgement, const char *text)
{
	JoschJudge *judge = &josch_shared->judges[desk->place];
	TimestampTz now = josch_clock_system_now();
	bool		news = next > 0 && judgement != JUDGEMENT_FALSE;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (judge->generation == desk->work.generation)
	{
		judge->at = next;
		judge->since = now;
		if (next > 0)
		{
			judge->judgements[next - 1] = judgement;
			strlcpy(judge->texts[next - 1], text != NULL ? text : "", JOSCH_JUDGE_TEXT);
		}
	}
	LWLockRelease(josch_shared_lock);
	if (news)
	{
		josch_wake_scheduler_quietly(desk->work.database);
	}
}

/* ---- a query ---- */

static bool
ask(const char *query)
{
	bool		isnull;
	Datum		value;
	int			code;

	if (list_length(pg_parse_query(query)) != 1)
	{
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("it is not one query")));
	}
	SPI_connect();
	code = SPI_execute(query, true, 2);
	if (code != SPI_OK_SELECT || SPI_tuptable->tupdesc->natts != 1 || SPI_gettypeid(SPI_tuptable->tupdesc, 1) != BOOLOID)
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("it is no query of one boolean")));
	}
	if (SPI_processed > 1)
	{
		ereport(ERROR,
				(errcode(ERRCODE_CARDINALITY_VIOLATION),
				 errmsg("it has more than one row")));
	}
	if (SPI_processed == 0)
	{
		return false;
	}
	value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return !isnull && DatumGetBool(value);
}

static JoschJudgement
judge(const Desk *desk, int i)
{
	EnvironmentRequest request = {.key = desk->work.keys[i]};
	char	   *query = josch_store_world_query(desk->work.keys[i], desk->work.queries[i]);
	bool		is_true;

	if (query == NULL)
	{
		return JUDGEMENT_OVER;
	}
	josch_sql_variables_set(josch_store_environment_read(&request, 1));
	debug_query_string = query;
	pgstat_report_activity(STATE_RUNNING, query);
	enable_timeout_after(STATEMENT_TIMEOUT, JOSCH_JUDGE_LIMIT_MS);
	is_true = ask(query);
	disable_timeout(STATEMENT_TIMEOUT, false);
	return is_true ? JUDGEMENT_TRUE : JUDGEMENT_FALSE;
}

/* Nothing is to be left of it: neither a setting, nor a lock, nor anything that its functions did. */
static void
clean_up(void)
{
	disable_all_timeouts(false);
	QueryCancelPending = false;
	debug_query_string = NULL;
	AbortOutOfAnyTransaction();
	LockReleaseAll(USER_LOCKMETHOD, true);	/* those of a session, which no abort ends */
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	MemoryContextSwitchTo(TopMemoryContext);
}

static void
judge_apart(Desk *desk, int i)
{
	volatile JoschJudgement judgement = JUDGEMENT_ERROR;
	char		text[JOSCH_JUDGE_TEXT] = "";

	PG_TRY();
	{
		SetCurrentStatementStartTimestamp();
		StartTransactionCommand();
		XactIsoLevel = XACT_READ_COMMITTED;
		XactReadOnly = true;
		PushActiveSnapshot(GetTransactionSnapshot());
		judgement = judge(desk, i);
	}
	PG_CATCH();
	{
		ErrorData  *error;

		MemoryContextSwitchTo(TopMemoryContext);
		error = CopyErrorData();
		FlushErrorState();
		snprintf(text, sizeof(text), "its wait_sql failed: %s", error->sqlerrcode == ERRCODE_QUERY_CANCELED ?
				 "it took longer than 10 seconds" : error->message);
		text[pg_mbcliplen(text, (int) strlen(text), JOSCH_JUDGE_TEXT - 4)] = '\0';
		FreeErrorData(error);
	}
	PG_END_TRY();
	clean_up();
	note(desk, i + 1, judgement, text);
}

void
josch_judge_worker_main(Datum place)
{
	static Desk desk;
	uint32		flags = 0;

#ifdef BGWORKER_BYPASS_ROLELOGINCHECK
	/* up to PostgreSQL 16 an owner has to be allowed to log in */
	flags = BGWORKER_BYPASS_ROLELOGINCHECK;
#endif
	desk.place = DatumGetInt32(place);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	if (!read_work(&desk))
	{
		proc_exit(0);
	}
	BackgroundWorkerInitializeConnectionByOid(desk.work.database, desk.work.owner, flags);
	note(&desk, 0, JUDGEMENT_NONE, NULL);
	for (int i = 0; i < desk.work.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		judge_apart(&desk, i);
	}
}
