/*
 * src/server/launcher.c
 *	  Keeps one scheduler alive in each database that has the extension.
 *
 * Which databases have it cannot be seen from outside: pg_extension belongs to
 * each database.  So the launcher, which is connected to none, starts a
 * scheduler in every database that it knows nothing of; one that does not find
 * the extension says so and leaves, and the launcher remembers.  It looks again
 * when CREATE EXTENSION announces a database at its commit.
 *
 * It sleeps on its latch: processes that end, commits and the commands of
 * utility.c wake it.  It uses a timer only while a start is put off.
 */
#include "base/josch.h"

#include "server/launcher.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_database.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "utils/guc.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/clock.h"
#include "base/spool.h"
#include "base/wake.h"
#include "run/sql_worker.h"

/* The launcher itself comes back after so many seconds. */
#define LAUNCHER_RESTART 5

/* A scheduler that ended is started again after the first delay, then ever later. */
#define FIRST_DELAY_MS 1000
#define LAST_DELAY_MS 15000

/* One that found no background worker slot: idle SQL workers make room, and nobody tells when a slot is free. */
#define NO_SLOT_DELAY_MS 500

/*
 * Databases looked into at the same time, because each takes one of
 * max_worker_processes; and how long one may keep the others waiting.
 */
#define MAX_LOOKS 2
#define LOOK_LIMIT_MS 10000

/* What the launcher knows of a database. */
typedef struct Database
{
	Oid			oid;			/* key */
	char		name[NAMEDATALEN];
	bool		listed;			/* exists, and allows connections */
	bool		known;			/* whether the extension is there ... */
	bool		present;		/* ... and this is the answer */
	bool		look_again;		/* announced while a scheduler was there */
	bool		attached;		/* a scheduler was there at the last look */
	bool		dismissed;		/* it was asked to step aside */
	BackgroundWorkerHandle *handle; /* of the one that was started last */
	TimestampTz launched_at;
	TimestampTz due_at;			/* no start before */
	int			delay_ms;		/* what the last start was put off by */
	bool		no_slot;		/* the last start found no background worker slot */
} Database;

static HTAB *databases = NULL;

static void
make_table(void)
{
	HASHCTL		control = {.keysize = sizeof(Oid), .entrysize = sizeof(Database), .hcxt = TopMemoryContext};

	databases = hash_create("josch databases", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* ---- which databases there are ---- */

static void
note_database(Form_pg_database row)
{
	bool		found;
	Database   *database = hash_search(databases, &row->oid, HASH_ENTER, &found);

	if (!found)
	{
		memset(database, 0, sizeof(Database));
		database->oid = row->oid;
	}
	strlcpy(database->name, NameStr(row->datname), NAMEDATALEN);
	database->listed = row->datallowconn && !database_is_invalid_form(row);
}

/* Reads pg_database in a transaction of its own. */
static void
list_databases(void)
{
	HASH_SEQ_STATUS all;
	Database   *database;
	Relation	relation;
	TableScanDesc scan;
	HeapTuple	tuple;

	hash_seq_init(&all, databases);
	while ((database = hash_seq_search(&all)) != NULL)
	{
		database->listed = false;
	}

	SetCurrentStatementStartTimestamp();
	StartTransactionCommand();
	(void) GetTransactionSnapshot();
	relation = table_open(DatabaseRelationId, AccessShareLock);
	scan = table_beginscan_catalog(relation, 0, NULL);
	while (HeapTupleIsValid(tuple = heap_getnext(scan, ForwardScanDirection)))
	{
		note_database((Form_pg_database) GETSTRUCT(tuple));
	}
	table_endscan(scan);
	table_close(relation, AccessShareLock);
	CommitTransactionCommand();
}

/* ---- what became of a scheduler ---- */

static void
put_off(Database *database, TimestampTz now)
{
	database->delay_ms = database->delay_ms == 0 ? FIRST_DELAY_MS : Min(database->delay_ms * 2, LAST_DELAY_MS);
	database->due_at = TimestampTzPlusMilliseconds(now, database->delay_ms);
}

/* The scheduler is gone: decides when the next may come. */
static void
note_end(Database *database, TimestampTz now)
{
	if (database->look_again)
	{
		database->look_again = false;
		database->known = false;
		database->due_at = 0;
	}
	else if (database->dismissed || (database->known && !database->present))
	{
		database->delay_ms = 0;
		database->due_at = 0;
	}
	else
	{
		if (TimestampDifferenceExceeds(database->launched_at, now, LAST_DELAY_MS))
		{
			database->delay_ms = 0;
		}
		put_off(database, now);
		if (database->listed)
		{
			ereport(LOG,
					(errmsg("scheduler of database \"%s\" ended, next start in %d s",
							database->name, database->delay_ms / 1000)));
		}
	}
	database->dismissed = false;
}

static bool
is_there(Database *database)
{
	return database->attached || database->handle != NULL;
}

/* Compares what was known with what is so now. */
static void
refresh(Database *database, TimestampTz now)
{
	JoschSchedulerStatus status;
	bool		was_there = is_there(database);
	pid_t		pid;
	JoschNews	news;

	/* first who is there, then the news: what a process says before it leaves is not missed */
	database->attached = josch_wake_read_scheduler(database->oid, &status);
	if (database->handle != NULL && GetBackgroundWorkerPid(database->handle, &pid) == BGWH_STOPPED)
	{
		pfree(database->handle);
		database->handle = NULL;
	}
	news = josch_wake_take_news(database->oid);
	if (news.present || news.absent)
	{
		database->known = true;
		database->present = news.present;
	}
	database->dismissed |= news.dismissed;
	if (news.announced)
	{
		database->look_again = true;
	}
	if (!is_there(database) && (was_there || database->look_again))
	{
		note_end(database, now);
	}
}

/* ---- starting ---- */

static void
start(Database *database, TimestampTz now)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = ObjectIdGetDatum(database->oid),
		.bgw_notify_pid = MyProcPid
	};

	strlcpy(worker.bgw_library_name, "josch", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "josch_scheduler_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_type, "josch scheduler", sizeof(worker.bgw_type));
	snprintf(worker.bgw_name, sizeof(worker.bgw_name), "josch scheduler %s", database->name);

	if (RegisterDynamicBackgroundWorker(&worker, &database->handle))
	{
		database->launched_at = now;
		database->no_slot = false;
		return;
	}
	database->handle = NULL;
	database->due_at = TimestampTzPlusMilliseconds(now, NO_SLOT_DELAY_MS);
	josch_sql_worker_make_room(true);
	if (!database->no_slot)
	{
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("the scheduler of database \"%s\" waits: no background worker slot is free", database->name),
				 errdetail("max_worker_processes is %d.", max_worker_processes),
				 errhint("You might need to increase max_worker_processes.")));
	}
	database->no_slot = true;
}

/* A database that no longer takes connections, but has a scheduler that was started here. */
static void
stop(Database *database)
{
	if (database->handle != NULL)
	{
		TerminateBackgroundWorker(database->handle);
	}
}

static bool
is_look_in_progress(Database *database, TimestampTz now)
{
	return database->handle != NULL && !database->known &&
		!TimestampDifferenceExceeds(database->launched_at, now, LOOK_LIMIT_MS);
}

static bool
is_wanted(Database *database)
{
	return database->listed && !is_there(database) && (!database->known || database->present) &&
		!josch_wake_is_held(database->oid);
}

/*
 * One turn: sees what happened, starts what is due.  Returns the moment at which
 * something more is due, DT_NOEND when nothing is.
 */
static TimestampTz
turn(TimestampTz now)
{
	HASH_SEQ_STATUS all;
	Database   *database;
	int			looks = 0;
	bool		waits = false;
	TimestampTz next = DT_NOEND;

	hash_seq_init(&all, databases);
	while ((database = hash_seq_search(&all)) != NULL)
	{
		refresh(database, now);
		if (is_look_in_progress(database, now))
		{
			looks++;
			next = Min(next, TimestampTzPlusMilliseconds(database->launched_at, LOOK_LIMIT_MS + 1));
		}
	}

	hash_seq_init(&all, databases);
	while ((database = hash_seq_search(&all)) != NULL)
	{
		if (is_wanted(database) && database->due_at > now)
		{
			next = Min(next, database->due_at);
			waits |= database->no_slot;
		}
		else if (is_wanted(database) && (database->known || looks < MAX_LOOKS))
		{
			looks += database->known ? 0 : 1;
			start(database, now);
			waits |= database->no_slot;
			next = Min(next, database->handle == NULL ? database->due_at :
					   TimestampTzPlusMilliseconds(now, LOOK_LIMIT_MS + 1));
		}
		else if (!database->listed && is_there(database))
		{
			stop(database);
		}
		else if (!database->listed)
		{
			(void) hash_search(databases, &database->oid, HASH_REMOVE, NULL);
		}
	}
	josch_wake_report_scheduler_waits(waits);
	return next;
}

/* Whether a scheduler is in each database that has the extension: who is not there may have runs open. */
static bool
all_are_there(void)
{
	HASH_SEQ_STATUS all;
	Database   *database;
	bool		there = true;

	hash_seq_init(&all, databases);
	while ((database = hash_seq_search(&all)) != NULL)
	{
		there = there && (!database->listed || (database->known && (!database->present || database->attached)));
	}
	return there;
}

/* ---- the process ---- */

void
josch_launcher_main(Datum unused)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(NULL, NULL, 0);
	if (!josch_wake_attach_launcher())
	{
		proc_exit(1);
	}
	make_table();
	josch_spool_begin();

	for (;;)
	{
		TimestampTz now;
		TimestampTz next;

		CHECK_FOR_INTERRUPTS();
		if (ShutdownRequestPending)
		{
			/* exit code 0 would mean "never start again" */
			proc_exit(1);
		}
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
		list_databases();
		now = josch_clock_now();
		next = turn(now);
		if (all_are_there())
		{
			josch_spool_change_over();
		}
		josch_clock_wait_latch(TIMESTAMP_IS_NOEND(next) ? -1 : TimestampDifferenceMilliseconds(now, next),
							   PG_WAIT_EXTENSION);
	}
}

void
josch_launcher_init(void)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = LAUNCHER_RESTART
	};

	/* pg_upgrade must find the databases at rest */
	if (!process_shared_preload_libraries_in_progress || IsBinaryUpgrade)
	{
		return;
	}
	strlcpy(worker.bgw_library_name, "josch", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "josch_launcher_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "josch launcher", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "josch launcher", sizeof(worker.bgw_type));
	RegisterBackgroundWorker(&worker);
}
