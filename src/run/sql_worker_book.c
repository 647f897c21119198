/*
 * src/run/sql_worker_book.c
 *	  What a SQL worker writes down of its run: its start, its tries, its end.
 *
 * The SQL is a user's and runs as that user; what is written here is written as
 * the owner of the schema, in engine mode, and whatever the user's SQL or role
 * has set must not matter to it.  So little is written: the end of a run is one
 * new row in a table that nobody else touches (josch.sql_ends), which can neither
 * wait for anybody nor conflict, at any isolation level.  What follows from it for
 * the run, its node and the node's children is the scheduler's.
 */
#include "base/josch.h"

#include "run/sql_worker.h"
#include "run/sql_variables.h"

#include "access/xact.h"
#include "commands/discard.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timeout.h"

#include "base/clock.h"
#include "base/mode.h"
#include "base/wake.h"
#include "day/store_environment.h"
#include "run/store_sql_run.h"

#include <unistd.h>

#define HOST_MAX 256

/* ---- on behalf of the engine ---- */

/* What sit_down changed, for get_up. */
typedef struct Desk
{
	JoschMode	mode;
	bool		read_only;
	int			guc_level;
} Desk;

/*
 * Engine mode, free of what the user's SQL, or the user's role, has set: a
 * read-only transaction, a limit on waiting, the signs of a restore, a comment, a
 * taste in plans.
 */
static Desk
sit_down(void)
{
	static const char *const settings[][2] = {
		{"lock_timeout", "0"}, {"check_function_bodies", "on"}, {"row_security", "on"}, {"josch.comment", ""},
		{"session_replication_role", "origin"}, {"plan_cache_mode", "force_generic_plan"}, {"jit", "off"},
		{"enable_indexscan", "on"}, {"enable_seqscan", "off"}
	};
	Desk		desk;

	desk.guc_level = NewGUCNestLevel();
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		(void) set_config_option(settings[i][0], settings[i][1], PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
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

/* A transaction of the worker's own: whatever the user's defaults are. */
static void
start_transaction(void)
{
	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
#if PG_VERSION_NUM >= 170000
	disable_timeout(TRANSACTION_TIMEOUT, false);
	TransactionTimeoutPending = false;
#endif
	XactIsoLevel = XACT_READ_COMMITTED;
	PushActiveSnapshot(GetTransactionSnapshot());
}

static void
commit_transaction(void)
{
	PopActiveSnapshot();
	CommitTransactionCommand();
}

static void
set_for_transaction(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/* ---- the variables of a run ---- */

/* The same variables as a command has. */
static Environment *
read_variables(const StoreSqlRun *run)
{
	EnvironmentRequest request = {.key = run->key, .run_id = run->run_id, .attempt = run->attempt};

	return josch_store_environment_read(&request, 1);
}

static void
set_variables(const StoreSqlRun *run, const Environment *environment)
{
	josch_sql_variables_set(environment);
	(void) set_config_option("application_name", psprintf("josch run " INT64_FORMAT, run->run_id),
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
}

/* ---- the session ---- */

/*
 * A worker is kept for many runs, and each of them has the settings that a session
 * of the owner would have at that moment: one that has other settings leaves, and
 * the run is given to a new one.  The first call takes note.
 */
static bool
has_the_settings_of_now(Oid owner)
{
	static char *mine = NULL;
	char	   *now = josch_store_sql_run_settings(MyDatabaseId, owner);

	if (mine == NULL)
	{
		mine = MemoryContextStrdup(TopMemoryContext, now);
	}
	return strcmp(mine, now) == 0;
}

void
josch_sql_worker_reset_session(void)
{
	DiscardStmt discard = {.type = T_DiscardStmt, .target = DISCARD_ALL};

	start_transaction();
	DiscardCommand(&discard, true);
	commit_transaction();
}

/* ---- begin and end ---- */

static void
raise_over(int64 run_id)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("run " INT64_FORMAT " was ended by others", run_id)));
}

/* The run is for another worker; this one leaves. */
static void
give_back(JoschSqlSlot *slot)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	slot->again = true;
	LWLockRelease(josch_shared_lock);
}

static JoschRunKey
key_of(const JoschSqlSlot *slot)
{
	return (JoschRunKey) {slot->run_id, slot->nonce};
}

void
josch_sql_worker_begin(JoschSqlWork *work)
{
	char		host[HOST_MAX] = "";
	Environment *environment = NULL;
	MemoryContext former;
	Desk		desk;

	(void) gethostname(host, sizeof(host) - 1);
	start_transaction();
	desk = sit_down();
	former = MemoryContextSwitchTo(work->context);
	if (has_the_settings_of_now(work->slot->owner))
	{
		work->run = josch_store_sql_run_begin(key_of(work->slot), josch_clock_now(), MyProcPid, host, work->atomic);
	}
	else
	{
		give_back(work->slot);
	}
	MemoryContextSwitchTo(former);
	if (work->run != NULL)
	{
		environment = read_variables(work->run);
	}
	get_up(&desk);
	if (work->atomic)
	{
		/* not worth waiting for the disk: a crash that loses this loses the rest, too, and the run begins again */
		set_for_transaction("synchronous_commit", "off");
	}
	if (work->run != NULL)
	{
		set_variables(work->run, environment);
		if (work->run->has_timeout)
		{
			/* it is the scheduler that watches the time */
			josch_wake_scheduler_at_commit();
		}
	}
	commit_transaction();
}

void
josch_sql_worker_begin_again(JoschSqlWork *work, const char *message)
{
	Environment *environment;
	Desk		desk;

	josch_sql_worker_reset_session();
	start_transaction();
	desk = sit_down();
	if (!josch_store_sql_run_again(work->run, message))
	{
		raise_over(work->run->run_id);
	}
	environment = read_variables(work->run);
	get_up(&desk);
	set_for_transaction("synchronous_commit", "off");
	set_variables(work->run, environment);
	commit_transaction();
}

void
josch_sql_worker_end(const JoschSqlWork *work, const StoreSqlEnd *end)
{
	Desk		desk = sit_down();

	/* nobody may have given it up meanwhile */
	if (!josch_store_sql_run_end(end))
	{
		raise_over(end->run_id);
	}
	get_up(&desk);
}

void
josch_sql_worker_end_alone(const JoschSqlWork *work, const StoreSqlEnd *end)
{
	start_transaction();
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
	{
		set_for_transaction("synchronous_commit", "local");
	}
	josch_sql_worker_end(work, end);
	commit_transaction();
}
