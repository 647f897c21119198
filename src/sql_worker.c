/*
 * src/sql_worker.c
 *	  Background workers that execute SQL nodes, each as the node's owner.
 *
 * A worker connects as the owner from the first moment: its session user is the
 * owner, so no SQL can make it become more, and that is also why a worker serves
 * one owner for all its life.  Workers are kept for a while, because to start
 * one costs more than most SQL does.
 *
 * Scheduler and worker meet in a slot of shared memory.  A slot has a run from
 * the moment it is given until the worker has recorded the outcome; a worker
 * that ends in between leaves the run behind in its slot (SLOT_LOST), where the
 * scheduler of the day finds it, even one that was started after.
 */
#include "josch.h"

#include "sql_worker.h"

#include "clock.h"
#include "config.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "shared.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "wake.h"

/* An idle worker leaves after this time. */
#define IDLE_LIMIT_MS 60000

/* A worker that was registered by a scheduler which is gone, and has not come after this time, will not come. */
#define ARRIVAL_LIMIT_MS 60000

/* When the server has no background worker slot, nobody tells when it has one again. */
#define RETRY_MS 1000

typedef enum SlotState
{
	SLOT_FREE,
	SLOT_RUN,					/* has a run; pid 0: the worker has not come yet */
	SLOT_IDLE,
	SLOT_LEAVING,				/* idle, and asked to go */
	SLOT_LOST					/* the worker is gone, the run was not finished */
} SlotState;

typedef struct Slot
{
	SlotState	state;
	int64		generation;		/* counts the workers of this slot */
	Oid			database;
	Oid			owner;
	pid_t		pid;
	Latch	   *latch;
	pid_t		registrar;		/* the scheduler that registered the worker */
	TimestampTz registered_at;
	int64		run_id;
	bool		atomic;
	bool		begun;			/* the worker took the run */
	bool		cancel;			/* it is to be cancelled */
	Oid			wanted_by;		/* a database that waits for the worker to go */
	char		reason[JOSCH_SQL_REASON_MAX];
} Slot;

typedef struct Shared
{
	int64		generations;	/* workers registered so far */
	Slot		slots[FLEXIBLE_ARRAY_MEMBER];	/* max_worker_processes */
} Shared;

static Shared *shared = NULL;

/* Of the workers that this scheduler registered and that have not come yet. */
static BackgroundWorkerHandle **handles = NULL;

/* Runs that could not even be given to a worker. */
static List *refused = NIL;

/* Whether the last start found no background worker slot. */
static bool short_of_workers = false;

/* The worker's own slot. */
static Slot *mine = NULL;

static Size
shared_size(void)
{
	return offsetof(Shared, slots) + sizeof(Slot) * max_worker_processes;
}

void
josch_sql_worker_init(void)
{
	josch_shared_add("josch SQL workers", shared_size, (void **) &shared);
}

/* ---- the scheduler's side ---- */

static void
free_slot(Slot *slot)
{
	memset(slot, 0, sizeof(Slot));
}

/*
 * A slot that nobody will ask about: its database has no scheduler.  Needs no
 * lock of its own; the answer is only a hint.
 */
static bool
is_orphaned(const Slot *slot, TimestampTz now)
{
	JoschSchedulerStatus status;
	bool		over = slot->state == SLOT_LOST ||
		(slot->state == SLOT_RUN && slot->pid == 0 &&
		 TimestampDifferenceExceeds(slot->registered_at, now, ARRIVAL_LIMIT_MS));

	return over && slot->database != MyDatabaseId && !josch_wake_read_scheduler(slot->database, &status);
}

/* Frees slots that were left behind in databases without scheduler, dropped ones for instance. */
static void
free_orphans(TimestampTz now)
{
	for (int i = 0; i < max_worker_processes; i++)
	{
		Slot		seen = shared->slots[i];

		if (is_orphaned(&seen, now))
		{
			LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
			if (shared->slots[i].generation == seen.generation && shared->slots[i].state == seen.state && shared->slots[i].pid == seen.pid)
			{
				free_slot(&shared->slots[i]);
			}
			LWLockRelease(josch_shared_lock);
		}
	}
}

static void
refuse(int64 run_id, bool atomic, const char *reason)
{
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	JoschSqlLost *lost = palloc0(sizeof(JoschSqlLost));

	lost->run_id = run_id;
	lost->atomic = atomic;
	strlcpy(lost->reason, reason, sizeof(lost->reason));
	refused = lappend(refused, lost);
	MemoryContextSwitchTo(former);
}

/* Gives the run to an idle worker of the owner; false when there is none. */
static bool
give_to_idle(int64 run_id, Oid owner, bool atomic)
{
	Latch	   *latch = NULL;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; latch == NULL && i < max_worker_processes; i++)
	{
		Slot	   *slot = &shared->slots[i];

		if (slot->state == SLOT_IDLE && slot->database == MyDatabaseId && slot->owner == owner)
		{
			slot->state = SLOT_RUN;
			slot->run_id = run_id;
			slot->atomic = atomic;
			latch = slot->latch;
		}
	}
	LWLockRelease(josch_shared_lock);
	if (latch != NULL)
	{
		SetLatch(latch);
	}
	return latch != NULL;
}

/* Takes a free slot for a new worker; -1 when the database has as many as it may have, or all are taken. */
static int
take_slot(int64 run_id, Oid owner, bool atomic, TimestampTz now)
{
	int			present = 0;
	int			place = -1;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < max_worker_processes; i++)
	{
		if (shared->slots[i].state == SLOT_FREE)
		{
			place = place < 0 ? i : place;
		}
		else if (shared->slots[i].database == MyDatabaseId && shared->slots[i].state != SLOT_LOST)
		{
			present++;
		}
	}
	if (present >= josch_config_max_sql_workers)
	{
		place = -1;
	}
	if (place >= 0)
	{
		shared->slots[place] = (Slot)
		{
			.state = SLOT_RUN, .generation = ++shared->generations, .database = MyDatabaseId, .owner = owner,
			.registrar = MyProcPid, .registered_at = now, .run_id = run_id, .atomic = atomic
		};
	}
	LWLockRelease(josch_shared_lock);
	return place;
}

static bool
register_worker(int place)
{
	BackgroundWorker worker = {
		.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION,
		.bgw_start_time = BgWorkerStart_RecoveryFinished,
		.bgw_restart_time = BGW_NEVER_RESTART,
		.bgw_main_arg = Int32GetDatum(place),
		.bgw_notify_pid = MyProcPid
	};
	MemoryContext former;
	bool		registered;

	strlcpy(worker.bgw_library_name, "josch", sizeof(worker.bgw_library_name));
	strlcpy(worker.bgw_function_name, "josch_sql_worker_main", sizeof(worker.bgw_function_name));
	strlcpy(worker.bgw_name, "josch sql worker", sizeof(worker.bgw_name));
	strlcpy(worker.bgw_type, "josch sql worker", sizeof(worker.bgw_type));
	memcpy(worker.bgw_extra, &shared->slots[place].generation, sizeof(int64));

	former = MemoryContextSwitchTo(TopMemoryContext);
	if (handles == NULL)
	{
		handles = palloc0(sizeof(BackgroundWorkerHandle *) * max_worker_processes);
	}
	if (handles[place] != NULL)
	{
		pfree(handles[place]);
		handles[place] = NULL;
	}
	registered = RegisterDynamicBackgroundWorker(&worker, &handles[place]);
	MemoryContextSwitchTo(former);
	if (!registered)
	{
		handles[place] = NULL;
	}
	return registered;
}

/*
 * Asks one idle worker to go, unless one is on its way out already: one of this
 * database, or of any when the server as a whole has no more.
 */
static void
make_room(bool anywhere)
{
	Slot	   *choice = NULL;
	Latch	   *latch = NULL;
	bool		leaving = false;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < max_worker_processes; i++)
	{
		Slot	   *slot = &shared->slots[i];
		bool		here = slot->database == MyDatabaseId;

		leaving |= slot->state == SLOT_LEAVING && here;
		if (slot->state == SLOT_IDLE && (here || (anywhere && choice == NULL)))
		{
			choice = slot;
		}
	}
	if (choice != NULL && !leaving)
	{
		choice->state = SLOT_LEAVING;
		choice->wanted_by = MyDatabaseId;
		latch = choice->latch;
	}
	LWLockRelease(josch_shared_lock);
	if (latch != NULL)
	{
		SetLatch(latch);
	}
}

bool
josch_sql_worker_start(int64 run_id, Oid owner, bool atomic)
{
	TimestampTz now = josch_clock_now();
	int			place;

	short_of_workers = false;
	if (shared == NULL)
	{
		refuse(run_id, atomic, "josch is not loaded at server start");
		return true;
	}
	if (!OidIsValid(owner))
	{
		/* to a background worker, no user means the superuser */
		refuse(run_id, atomic, "the role that owns the node does not exist");
		return true;
	}
	if (give_to_idle(run_id, owner, atomic))
	{
		return true;
	}
	free_orphans(now);
	place = take_slot(run_id, owner, atomic, now);
	if (place < 0)
	{
		make_room(false);
		return false;
	}
	if (register_worker(place))
	{
		return true;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	free_slot(&shared->slots[place]);
	LWLockRelease(josch_shared_lock);
	make_room(true);
	short_of_workers = true;
	return false;
}

long
josch_sql_worker_retry_ms(void)
{
	return short_of_workers ? RETRY_MS : -1;
}

/* The slot of a run of this database; NULL when it is in none.  Needs the lock. */
static Slot *
find_run(int64 run_id)
{
	for (int i = 0; i < max_worker_processes; i++)
	{
		if (shared->slots[i].state == SLOT_RUN && shared->slots[i].run_id == run_id && shared->slots[i].database == MyDatabaseId)
		{
			return &shared->slots[i];
		}
	}
	return NULL;
}

bool
josch_sql_worker_running(int64 run_id)
{
	bool		found;

	if (shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	found = find_run(run_id) != NULL;
	LWLockRelease(josch_shared_lock);
	return found;
}

void
josch_sql_worker_cancel(int64 run_id)
{
	Slot	   *slot;

	if (shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	slot = find_run(run_id);
	if (slot != NULL)
	{
		/* the flag is for a worker that has not come yet, or is about to begin */
		slot->cancel = true;
		if (slot->pid != 0)
		{
			(void) kill(slot->pid, SIGINT);
		}
	}
	LWLockRelease(josch_shared_lock);
}

/* Whether a worker that was registered will never come.  Needs the lock. */
static bool
will_not_come(int place, TimestampTz now)
{
	const Slot *slot = &shared->slots[place];
	pid_t		pid;

	if (slot->state != SLOT_RUN || slot->pid != 0)
	{
		return false;
	}
	if (slot->registrar == MyProcPid && handles != NULL && handles[place] != NULL)
	{
		return GetBackgroundWorkerPid(handles[place], &pid) == BGWH_STOPPED;
	}
	return TimestampDifferenceExceeds(slot->registered_at, now, ARRIVAL_LIMIT_MS);
}

List *
josch_sql_worker_collect(void)
{
	TimestampTz now = josch_clock_now();
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, refused)
	{
		result = lappend(result, memcpy(palloc(sizeof(JoschSqlLost)), lfirst(cell), sizeof(JoschSqlLost)));
	}
	list_free_deep(refused);
	refused = NIL;
	for (int i = 0; shared != NULL && i < max_worker_processes; i++)
	{
		JoschSqlLost *lost;

		if (shared->slots[i].database != MyDatabaseId)
		{
			continue;
		}
		lost = palloc0(sizeof(JoschSqlLost));
		LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
		if (shared->slots[i].database == MyDatabaseId && (shared->slots[i].state == SLOT_LOST || will_not_come(i, now)))
		{
			lost->run_id = shared->slots[i].run_id;
			lost->atomic = shared->slots[i].atomic;
			lost->begun = shared->slots[i].begun;
			strlcpy(lost->reason, shared->slots[i].reason[0] != '\0' ? shared->slots[i].reason :
					shared->slots[i].begun ? "the background worker ended" : "the background worker could not be started",
					sizeof(lost->reason));
			free_slot(&shared->slots[i]);
		}
		LWLockRelease(josch_shared_lock);
		if (lost->run_id != 0)
		{
			result = lappend(result, lost);
		}
	}
	return result;
}

void
josch_sql_worker_count(Oid database, int *present, int *busy)
{
	*present = *busy = 0;
	if (shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	for (int i = 0; i < max_worker_processes; i++)
	{
		if (shared->slots[i].database == database && shared->slots[i].state != SLOT_FREE && shared->slots[i].state != SLOT_LOST)
		{
			*present += 1;
			*busy += shared->slots[i].state == SLOT_RUN ? 1 : 0;
		}
	}
	LWLockRelease(josch_shared_lock);
}

int
josch_sql_worker_dismiss(Oid database)
{
	int			leaving = 0;

	if (shared == NULL)
	{
		return 0;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < max_worker_processes; i++)
	{
		Slot	   *slot = &shared->slots[i];

		if (slot->database == database && slot->state == SLOT_IDLE)
		{
			slot->state = SLOT_LEAVING;
			SetLatch(slot->latch);
		}
		if (slot->database == database && slot->state == SLOT_LEAVING)
		{
			leaving++;
		}
	}
	LWLockRelease(josch_shared_lock);
	return leaving;
}

/* ---- the worker's side ---- */

/* At exit, after the transaction is aborted: gives the slot back, or leaves the run in it. */
static void
leave(int code, Datum arg)
{
	Oid			database;
	Oid			wanted_by;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	database = mine->database;
	wanted_by = mine->wanted_by;
	if (mine->state == SLOT_RUN)
	{
		mine->state = SLOT_LOST;
		mine->pid = 0;
		mine->latch = NULL;
		strlcpy(mine->reason, josch_sql_worker_output_error(), sizeof(mine->reason));
	}
	else
	{
		free_slot(mine);
	}
	LWLockRelease(josch_shared_lock);
	josch_wake_scheduler_now(database);
	if (wanted_by != database)
	{
		josch_wake_scheduler_now(wanted_by);
	}
}

/* Finds the slot that this worker was started for; exits when it was given up meanwhile. */
static void
arrive(int place)
{
	int64		generation;

	memcpy(&generation, MyBgworkerEntry->bgw_extra, sizeof(int64));
	if (shared == NULL || place < 0 || place >= max_worker_processes)
	{
		proc_exit(0);
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (shared->slots[place].state == SLOT_RUN && shared->slots[place].generation == generation && shared->slots[place].pid == 0)
	{
		mine = &shared->slots[place];
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

/* Takes the run that the slot has; 0 for none.  *leaving is set when the worker has to go. */
static int64
take_run(bool idle_too_long, bool *atomic, bool *leaving)
{
	int64		run_id = 0;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (mine->state == SLOT_IDLE && idle_too_long)
	{
		mine->state = SLOT_LEAVING;
	}
	if (mine->state == SLOT_RUN)
	{
		run_id = mine->run_id;
		*atomic = mine->atomic;
		mine->begun = true;
	}
	*leaving = mine->state == SLOT_LEAVING;
	LWLockRelease(josch_shared_lock);
	return run_id;
}

/* Waits for the next run; exits when none comes. */
static int64
wait_for_run(bool *atomic)
{
	TimestampTz since = josch_clock_now();

	for (;;)
	{
		TimestampTz now = josch_clock_now();
		int64		run_id;
		bool		leaving;

		run_id = take_run(TimestampDifferenceExceeds(since, now, IDLE_LIMIT_MS), atomic, &leaving);
		if (run_id != 0)
		{
			return run_id;
		}
		if (leaving)
		{
			proc_exit(0);
		}
		josch_clock_wait_latch(Max(TimestampDifferenceMilliseconds(now,
																   TimestampTzPlusMilliseconds(since, IDLE_LIMIT_MS)), 1),
							   PG_WAIT_EXTENSION);
		/* a cancel that came too late for the last run is nobody's */
		QueryCancelPending = false;
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}

/* The outcome is recorded: the worker is free for another run. */
static void
finish_run(void)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	mine->state = SLOT_IDLE;
	mine->run_id = 0;
	mine->begun = false;
	mine->cancel = false;
	LWLockRelease(josch_shared_lock);
	josch_wake_scheduler_now(MyDatabaseId);
}

void
josch_sql_worker_check_cancel(void)
{
	bool		cancel;

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	cancel = mine->cancel;
	LWLockRelease(josch_shared_lock);
	if (cancel)
	{
		ereport(ERROR,
				(errcode(ERRCODE_QUERY_CANCELED),
				 errmsg("canceling statement due to user request")));
	}
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
	BackgroundWorkerUnblockSignals();
	josch_sql_worker_output_start();
	BackgroundWorkerInitializeConnectionByOid(mine->database, mine->owner, flags);

	for (;;)
	{
		bool		atomic = true;
		int64		run_id = wait_for_run(&atomic);

		QueryCancelPending = false;
		if (!josch_sql_worker_execute(run_id, atomic))
		{
			/* the run stays in the slot; whoever collects it finds out what became of it */
			proc_exit(0);
		}
		finish_run();
	}
}
