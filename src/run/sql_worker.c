/*
 * src/run/sql_worker.c
 *	  Background workers that execute SQL nodes, each as the node's owner.
 *
 * The scheduler's side: which worker gets a run, and which runs were lost.
 * Workers are kept for a while, because to start one costs more than most SQL
 * does; each serves one owner only (sql_worker_main.c has the reason).
 *
 * Scheduler and worker meet in a slot of shared memory.  A slot has a run from
 * the moment it is given until the scheduler has collected its outcome; a worker
 * that ends in between leaves the run behind in its slot (SLOT_LOST), where the
 * scheduler of the day finds it, even one that was started after.
 *
 * A run is known by its nonce: an extension that is dropped and made anew counts
 * its runs from 1 again, while a worker still has one of the former.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/latch.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/shared.h"
#include "base/wake.h"

/* A worker that was registered by a scheduler which is gone, and has not come after this time, will not come. */
#define ARRIVAL_LIMIT_MS 60000

/* So many are named in a WARNING. */
#define MAX_NAMED 10

/* Of the workers that this scheduler registered and that have not come yet. */
static BackgroundWorkerHandle **handles = NULL;

/* Runs that could not even be given to a worker. */
static List *refused = NIL;

static void
free_slot(JoschSqlSlot *slot)
{
	memset(slot, 0, sizeof(JoschSqlSlot));
}

/* Puts a run into a slot; of number 0 for none.  Needs the lock. */
static void
set_run(JoschSqlSlot *slot, JoschRunKey run, bool atomic)
{
	slot->run_id = run.run_id;
	slot->nonce = run.nonce;
	slot->given_at = josch_clock_system_now();
	slot->atomic = atomic;
	slot->begun = slot->passing = slot->again = slot->terminated = false;
	slot->cancelled_at = 0;
	slot->result = SQL_RESULT_OPEN;
	slot->sqlstate = 0;
	slot->reason[0] = '\0';
	slot->progress_is_new = false;
	slot->progress_heard_at = 0;
}

/*
 * A slot that nobody will ask about: its database has no scheduler.  Needs no
 * lock of its own; the answer is only a hint.
 */
static bool
is_orphaned(const JoschSqlSlot *slot, TimestampTz now)
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
		JoschSqlSlot *slot = &josch_shared->sql_slots[i];
		JoschSqlSlot seen = *slot;

		if (is_orphaned(&seen, now))
		{
			LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
			if (slot->generation == seen.generation && slot->state == seen.state && slot->pid == seen.pid)
			{
				free_slot(slot);
			}
			LWLockRelease(josch_shared_lock);
		}
	}
}

static void
refuse(JoschRunKey run, bool atomic, const char *reason)
{
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	JoschSqlOutcome *outcome = palloc0(sizeof(JoschSqlOutcome));

	outcome->run = run;
	outcome->atomic = atomic;
	strlcpy(outcome->reason, reason, sizeof(outcome->reason));
	refused = lappend(refused, outcome);
	MemoryContextSwitchTo(former);
}

/* Gives the run to an idle worker of the owner; false when there is none. */
static bool
give_to_idle(JoschRunKey run, Oid owner, bool atomic)
{
	Latch	   *latch = NULL;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; latch == NULL && i < max_worker_processes; i++)
	{
		JoschSqlSlot *slot = &josch_shared->sql_slots[i];

		if (slot->state == SLOT_IDLE && slot->database == MyDatabaseId && slot->owner == owner)
		{
			slot->state = SLOT_RUN;
			set_run(slot, run, atomic);
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
take_slot(JoschRunKey run, Oid owner, bool atomic, TimestampTz now)
{
	int			present = 0;
	int			place = -1;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < max_worker_processes; i++)
	{
		if (josch_shared->sql_slots[i].state == SLOT_FREE)
		{
			place = place < 0 ? i : place;
		}
		else if (josch_shared->sql_slots[i].database == MyDatabaseId && josch_shared->sql_slots[i].state != SLOT_LOST)
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
		josch_shared->sql_slots[place] = (JoschSqlSlot)
		{
			.state = SLOT_RUN, .generation = ++josch_shared->sql_generations, .database = MyDatabaseId, .owner = owner,
			.registrar = MyProcPid, .registered_at = now
		};
		set_run(&josch_shared->sql_slots[place], run, atomic);
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
	memcpy(worker.bgw_extra, &josch_shared->sql_slots[place].generation, sizeof(int64));

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

void
josch_sql_worker_make_room(bool anywhere)
{
	JoschSqlSlot *choice = NULL;
	Latch	   *latch = NULL;
	bool		leaving = false;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < max_worker_processes; i++)
	{
		JoschSqlSlot *slot = &josch_shared->sql_slots[i];
		bool		here = slot->database == MyDatabaseId;

		leaving |= slot->state == SLOT_LEAVING && (here || anywhere);
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

/* A scheduler that waits for a slot comes first, then the database that has the fewest workers. */
static bool
may_register(TimestampTz now)
{
	bool		may;

	if (josch_wake_scheduler_waits())
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	/* the slot that was just taken is not yet one more */
	may = josch_sql_worker_may_have_more(1, now);
	LWLockRelease(josch_shared_lock);
	return may;
}

/* In the slot that was taken for it; false, and the slot is free again, when the server has none. */
static bool
start_worker(int place, TimestampTz now)
{
	if (may_register(now) && register_worker(place))
	{
		return true;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	free_slot(&josch_shared->sql_slots[place]);
	LWLockRelease(josch_shared_lock);
	return false;
}

bool
josch_sql_worker_start(JoschRunKey run, Oid owner, bool atomic)
{
	TimestampTz now = josch_clock_now();
	int			place;

	if (josch_shared == NULL)
	{
		refuse(run, atomic, "josch is not loaded at server start");
		return true;
	}
	if (!OidIsValid(owner))
	{
		/* to a background worker, no user means the superuser */
		refuse(run, atomic, "the role that owns the node does not exist");
		return true;
	}
	if (give_to_idle(run, owner, atomic))
	{
		josch_sql_worker_note_start();
		return true;
	}
	free_orphans(now);
	place = take_slot(run, owner, atomic, now);
	if (place < 0)
	{
		josch_sql_worker_make_room(false);
		return false;
	}
	if (!start_worker(place, now))
	{
		josch_sql_worker_make_room(true);
		josch_sql_worker_note_shortage(now);
		return false;
	}
	josch_sql_worker_note_start();
	return true;
}

/* The slot of a run of this database; NULL when it is in none.  Needs the lock. */
static JoschSqlSlot *
find_run(JoschRunKey run)
{
	for (int i = 0; i < max_worker_processes; i++)
	{
		JoschSqlSlot *slot = &josch_shared->sql_slots[i];

		if (slot->run_id == run.run_id && slot->nonce == run.nonce && slot->database == MyDatabaseId)
		{
			return slot;
		}
	}
	return NULL;
}

bool
josch_sql_worker_running(JoschRunKey run)
{
	bool		found;

	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	found = find_run(run) != NULL;
	LWLockRelease(josch_shared_lock);
	return found;
}

/*
 * What there is to do with a run that is to end: a signal to send to its worker, or
 * 0; *next is when to look again.  Needs the lock, exclusive.
 */
static int
press(JoschSqlSlot *slot, int64 grace_ms, TimestampTz now, TimestampTz *next)
{
	TimestampTz limit;

	if (slot->cancelled_at == 0)
	{
		/* for a worker that has not come yet, or is about to begin, this is all it takes */
		slot->cancelled_at = now;
		*next = TimestampTzPlusMilliseconds(now, grace_ms);
		return SIGINT;
	}
	limit = TimestampTzPlusMilliseconds(slot->cancelled_at, grace_ms);
	if (!josch_clock_is_due(limit, grace_ms))
	{
		*next = limit;
		return 0;
	}
	if (slot->terminated || slot->pid == 0)
	{
		return 0;
	}
	slot->terminated = true;
	return SIGTERM;
}

TimestampTz
josch_sql_worker_cancel(JoschRunKey run, int64 grace_ms)
{
	TimestampTz next = DT_NOEND;
	JoschSqlSlot *slot;
	int			signal;

	if (josch_shared == NULL)
	{
		return next;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	slot = find_run(run);
	if (slot != NULL && slot->state == SLOT_RUN)
	{
		signal = press(slot, grace_ms, josch_clock_now(), &next);
		if (signal != 0 && slot->pid != 0)
		{
			(void) kill(slot->pid, signal);
		}
	}
	LWLockRelease(josch_shared_lock);
	return next;
}

/* Whether a worker that was registered will never come.  Needs the lock. */
static bool
will_not_come(int place, TimestampTz now)
{
	const JoschSqlSlot *slot = &josch_shared->sql_slots[place];
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

/* The reason that is not there: a worker that came to nothing, or went without a word. */
static const char *
reason_of(const JoschSqlSlot *slot)
{
	return slot->reason[0] != '\0' ? slot->reason :
		slot->begun ? "the background worker ended" : "the background worker could not be started";
}

/* Takes the run out of a slot when there is nothing more to come of it; false when there is. */
static bool
take_outcome(int place, TimestampTz now, JoschSqlOutcome *outcome)
{
	JoschSqlSlot *slot = &josch_shared->sql_slots[place];
	bool		over = slot->state == SLOT_OVER;

	if (!over && slot->state != SLOT_LOST && !will_not_come(place, now))
	{
		return false;
	}
	*outcome = (JoschSqlOutcome)
	{
		.run = {slot->run_id, slot->nonce}, .owner = slot->owner, .atomic = slot->atomic, .begun = slot->begun,
		.took_ms = TimestampDifferenceMilliseconds(slot->given_at, josch_clock_system_now()),
		.never_came = slot->state == SLOT_RUN || (slot->passing && !slot->terminated), .again = slot->again, .terminated = slot->terminated, .result = slot->result,
		.sqlstate = slot->sqlstate
	};
	strlcpy(outcome->reason, reason_of(slot), sizeof(outcome->reason));
	if (over)
	{
		slot->wanted_by = josch_sql_worker_whose_turn(now);
		slot->state = OidIsValid(slot->wanted_by) || josch_shared->scheduler_waits ? SLOT_LEAVING : SLOT_IDLE;
		set_run(slot, (JoschRunKey) {0, 0}, false);
		SetLatch(slot->latch);
	}
	else
	{
		free_slot(slot);
	}
	return true;
}

List *
josch_sql_worker_collect(void)
{
	TimestampTz now = josch_clock_now();
	List	   *result = NIL;
	ListCell   *cell;

	foreach(cell, refused)
	{
		result = lappend(result, memcpy(palloc(sizeof(JoschSqlOutcome)), lfirst(cell), sizeof(JoschSqlOutcome)));
	}
	list_free_deep(refused);
	refused = NIL;
	for (int i = 0; josch_shared != NULL && i < max_worker_processes; i++)
	{
		JoschSqlOutcome outcome;
		bool		taken;

		if (josch_shared->sql_slots[i].database != MyDatabaseId)
		{
			continue;
		}
		LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
		taken = josch_shared->sql_slots[i].database == MyDatabaseId && take_outcome(i, now, &outcome);
		LWLockRelease(josch_shared_lock);
		if (taken)
		{
			result = lappend(result, memcpy(palloc(sizeof(JoschSqlOutcome)), &outcome, sizeof(JoschSqlOutcome)));
		}
	}
	return result;
}

void
josch_sql_worker_count(Oid database, int *present, int *busy)
{
	*present = *busy = 0;
	if (josch_shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	for (int i = 0; i < max_worker_processes; i++)
	{
		const JoschSqlSlot *slot = &josch_shared->sql_slots[i];

		if (slot->database == database && slot->state != SLOT_FREE && slot->state != SLOT_LOST)
		{
			*present += 1;
			*busy += slot->state == SLOT_RUN ? 1 : 0;
		}
	}
	LWLockRelease(josch_shared_lock);
}

char *
josch_sql_worker_names(Oid database, int *n)
{
	JoschSqlSlot *busy = palloc(sizeof(JoschSqlSlot) * Max(max_worker_processes, 1));
	StringInfoData names;

	*n = 0;
	initStringInfo(&names);
	if (josch_shared == NULL)
	{
		return names.data;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	for (int i = 0; i < max_worker_processes; i++)
	{
		if (josch_shared->sql_slots[i].database == database && josch_shared->sql_slots[i].state == SLOT_RUN)
		{
			busy[(*n)++] = josch_shared->sql_slots[i];
		}
	}
	LWLockRelease(josch_shared_lock);
	for (int i = 0; i < Min(*n, MAX_NAMED); i++)
	{
		appendStringInfo(&names, "%srun " INT64_FORMAT " (process %d)", i > 0 ? ", " : "", busy[i].run_id, (int) busy[i].pid);
	}
	appendStringInfoString(&names, *n > MAX_NAMED ? ", ..." : "");
	return names.data;
}

int
josch_sql_worker_dismiss(Oid database)
{
	int			leaving = 0;

	if (josch_shared == NULL)
	{
		return 0;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < max_worker_processes; i++)
	{
		JoschSqlSlot *slot = &josch_shared->sql_slots[i];

		/* an outcome that nobody has collected is in the table as well */
		if (slot->database == database && (slot->state == SLOT_IDLE || slot->state == SLOT_OVER))
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
