/*
 * src/base/wake.c
 *	  Shared memory: who is there, and how a commit wakes the scheduler.
 *
 * A background worker cannot LISTEN, and must not poll.  So whoever changes
 * something that concerns the scheduler sets a flag of its own process, and the
 * commit callback sets the scheduler's latch.
 *
 * Latches of other processes are those inside their PGPROC, which exist as long
 * as shared memory does.  A latch that is set a moment too late therefore hits,
 * at worst, the next process with that PGPROC, and a wake without need is
 * harmless to any.  That is why the latch is read under the lock and set after.
 */
#include "base/josch.h"

#include "base/wake.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"

#include "base/clock.h"
#include "base/shared.h"

/* What this transaction asked for. */
static bool scheduler_flag = false;
static bool launcher_flag = false;
static bool announce_flag = false;
static bool days_flag = false;
static bool world_flag = false;
static bool data_flag = false;
static bool quiet_flag = false;

/* Whether this process is the scheduler of its database. */
static bool attached = false;

/* Whether this process has holds. */
static bool holding = false;

/* Where the database of this process was found last; verified at each use. */
static int	last_place = 0;

bool
josch_wake_is_preloaded(void)
{
	return josch_shared != NULL;
}

/* The place of a database, NULL when it has none.  Needs the lock. */
static JoschPlace *
find(Oid database)
{
	if (josch_shared->places[last_place].status.database == database)
	{
		return &josch_shared->places[last_place];
	}
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		if (josch_shared->places[i].status.database == database)
		{
			last_place = i;
			return &josch_shared->places[i];
		}
	}
	return NULL;
}

static bool
is_idle(const JoschPlace *place)
{
	const JoschNews *news = &place->news;

	return place->status.pid == 0 &&
		!news->announced && !news->present && !news->absent && !news->dismissed;
}

/*
 * The place of a database, found or made; NULL when all are taken.  A place that
 * was never used is preferred, so that what is known of a scheduler that is gone
 * lasts.  Needs the lock, exclusive.
 */
static JoschPlace *
find_or_make(Oid database)
{
	JoschPlace *place = find(database);

	if (place != NULL)
	{
		return place;
	}
	place = find(InvalidOid);
	for (int i = 0; place == NULL && i < JOSCH_MAX_DATABASES; i++)
	{
		if (is_idle(&josch_shared->places[i]))
		{
			place = &josch_shared->places[i];
		}
	}
	if (place != NULL)
	{
		memset(place, 0, sizeof(JoschPlace));
		pg_atomic_init_u32(&place->wakes, 0);
		pg_atomic_init_u32(&place->quiet_wakes, 0);
		pg_atomic_init_u32(&place->day_wakes, 1);
		pg_atomic_init_u32(&place->world_changes, 1);
		pg_atomic_init_u32(&place->data_changes, 1);
		place->status.database = database;
	}
	return place;
}

static void
set_latch(Latch *latch)
{
	if (latch != NULL)
	{
		SetLatch(latch);
	}
}

void
josch_wake_launcher_now(void)
{
	Latch	   *latch;

	if (josch_shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	latch = josch_shared->launcher_latch;
	LWLockRelease(josch_shared_lock);
	set_latch(latch);
}

typedef enum WakeReason
{
	WAKE_CHANGE,
	WAKE_FOR_DAYS,				/* days may be due at other times */
	WAKE_QUIETLY,
	WAKE_FOR_LOCKS				/* only one that waits for rows to be free */
} WakeReason;

static void
wake_scheduler(Oid database, WakeReason reason)
{
	Latch	   *latch = NULL;
	JoschPlace *place;

	if (josch_shared == NULL || !OidIsValid(database))
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	place = find(database);
	if (place != NULL && (reason != WAKE_FOR_LOCKS || place->status.set_aside > 0))
	{
		latch = place->latch;
		(void) pg_atomic_fetch_add_u32(reason == WAKE_QUIETLY ? &place->quiet_wakes : &place->wakes, 1);
		if (reason == WAKE_FOR_DAYS)
		{
			(void) pg_atomic_fetch_add_u32(&place->day_wakes, 1);
		}
	}
	LWLockRelease(josch_shared_lock);
	set_latch(latch);
}

/* What the scheduler is to look up when it is awake. */
static void
note_world(Oid database, bool others, bool data)
{
	JoschPlace *place;

	if (josch_shared == NULL || !OidIsValid(database) || !(others || data))
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	place = find(database);
	if (place != NULL)
	{
		(void) pg_atomic_fetch_add_u32(&place->world_changes, others ? 1 : 0);
		(void) pg_atomic_fetch_add_u32(&place->data_changes, data ? 1 : 0);
	}
	LWLockRelease(josch_shared_lock);
}

void
josch_wake_scheduler_now(Oid database)
{
	note_world(database, true, true);
	wake_scheduler(database, WAKE_FOR_DAYS);
}

void
josch_wake_scheduler_quietly(Oid database)
{
	wake_scheduler(database, WAKE_QUIETLY);
}

/* How often this process was woken; what it has heard of is left as it is where it has no place. */
typedef struct Wakes
{
	uint32		all;
	uint32		quiet;
} Wakes;

static Wakes heard = {0, 0};

static Wakes
count_wakes(void)
{
	Wakes		wakes = heard;
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	place = find(MyDatabaseId);
	if (place != NULL)
	{
		wakes.all = pg_atomic_read_u32(&place->wakes);
		wakes.quiet = pg_atomic_read_u32(&place->quiet_wakes);
	}
	LWLockRelease(josch_shared_lock);
	return wakes;
}

bool
josch_wake_is_unheard(void)
{
	Wakes		wakes = count_wakes();

	return wakes.all != heard.all || wakes.quiet != heard.quiet;
}

bool
josch_wake_was_for_more(void)
{
	Wakes		former = heard;

	heard = count_wakes();
	/* somebody else may set the latch, and does not say why */
	return heard.all != former.all || heard.quiet == former.quiet;
}

bool
josch_wake_was_for_days(void)
{
	static uint32 day_wakes = 0;
	uint32		former = day_wakes;
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	place = find(MyDatabaseId);
	if (place != NULL)
	{
		day_wakes = pg_atomic_read_u32(&place->day_wakes);
	}
	LWLockRelease(josch_shared_lock);
	return day_wakes != former;
}

void
josch_wake_was_for_world(bool *others, bool *data)
{
	static uint32 world_changes = 0;
	static uint32 data_changes = 0;
	uint32		former[2] = {world_changes, data_changes};
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	place = find(MyDatabaseId);
	if (place != NULL)
	{
		world_changes = pg_atomic_read_u32(&place->world_changes);
		data_changes = pg_atomic_read_u32(&place->data_changes);
	}
	LWLockRelease(josch_shared_lock);
	*others = world_changes != former[0];
	*data = data_changes != former[1];
}

void
josch_wake_tell_days(const JoschDaysFound *found)
{
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find(MyDatabaseId);
	if (place != NULL)
	{
		place->days_found = *found;
	}
	LWLockRelease(josch_shared_lock);
}

JoschDaysFound
josch_wake_take_days(void)
{
	JoschDaysFound found = {0};
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find(MyDatabaseId);
	if (place != NULL)
	{
		found = place->days_found;
		place->days_found = (JoschDaysFound) {0};
	}
	LWLockRelease(josch_shared_lock);
	return found;
}

void
josch_wake_days_at_commit(void)
{
	scheduler_flag = days_flag = true;
}

void
josch_wake_scheduler_at_commit(void)
{
	scheduler_flag = true;
}

void
josch_wake_world_at_commit(void)
{
	world_flag = true;
}

void
josch_wake_data_at_commit(void)
{
	data_flag = true;
}

void
josch_wake_quietly_at_commit(void)
{
	quiet_flag = true;
}

void
josch_wake_launcher_at_commit(void)
{
	launcher_flag = true;
}

void
josch_wake_announce_at_commit(void)
{
	announce_flag = true;
}

/* Tells the launcher that this database has the extension, and the scheduler, which may know, too. */
static void
announce(void)
{
	JoschPlace *place;

	if (josch_shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find_or_make(MyDatabaseId);
	if (place != NULL)
	{
		place->news.announced = true;
	}
	LWLockRelease(josch_shared_lock);
}

/* ---- holds ---- */

bool
josch_wake_hold(Oid database, pid_t *scheduler)
{
	bool		done = false;
	JoschPlace *place;

	*scheduler = 0;
	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; !done && i < JOSCH_MAX_HOLDS; i++)
	{
		if (!OidIsValid(josch_shared->holds[i].database))
		{
			josch_shared->holds[i] = (JoschHold) {.database = database, .pid = MyProcPid};
			done = holding = true;
		}
	}
	place = find(database);
	if (done && place != NULL && place->status.pid != 0)
	{
		*scheduler = place->status.pid;
		place->news.dismissed = true;
	}
	LWLockRelease(josch_shared_lock);
	return done;
}

/* Needs the lock. */
static bool
is_held(Oid database)
{
	for (int i = 0; i < JOSCH_MAX_HOLDS; i++)
	{
		if (josch_shared->holds[i].database == database)
		{
			return true;
		}
	}
	return false;
}

bool
josch_wake_is_held(Oid database)
{
	bool		held;

	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	held = is_held(database);
	LWLockRelease(josch_shared_lock);
	return held;
}

static void
release_holds(void)
{
	if (!holding)
	{
		return;
	}
	holding = false;
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < JOSCH_MAX_HOLDS; i++)
	{
		if (josch_shared->holds[i].pid == MyProcPid)
		{
			josch_shared->holds[i] = (JoschHold) {0};
		}
	}
	LWLockRelease(josch_shared_lock);
	josch_wake_launcher_now();
}

/* ---- who is there ---- */

static void
detach_scheduler(int code, Datum arg)
{
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find(MyDatabaseId);
	if (place != NULL && place->status.pid == MyProcPid)
	{
		place->status.pid = 0;
		place->latch = NULL;
	}
	LWLockRelease(josch_shared_lock);
	josch_wake_launcher_now();
}

bool
josch_wake_attach_scheduler(void)
{
	TimestampTz now = josch_clock_now();
	JoschPlace *place = NULL;

	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (!is_held(MyDatabaseId))
	{
		place = find_or_make(MyDatabaseId);
	}
	if (place != NULL && place->status.pid != 0)
	{
		place = NULL;
	}
	if (place != NULL)
	{
		place->status = (JoschSchedulerStatus)
		{
			.database = MyDatabaseId, .pid = MyProcPid, .started_at = now
		};
		place->latch = &MyProc->procLatch;
		place->uses_spool = true;
	}
	LWLockRelease(josch_shared_lock);
	attached = place != NULL;
	if (attached)
	{
		before_shmem_exit(detach_scheduler, (Datum) 0);
	}
	return attached;
}

bool
josch_wake_is_scheduler(void)
{
	return attached;
}

static void
detach_launcher(int code, Datum arg)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	josch_shared->launcher = (JoschLauncherStatus) {0};
	josch_shared->launcher_latch = NULL;
	josch_shared->scheduler_waits = false;
	LWLockRelease(josch_shared_lock);
}

bool
josch_wake_attach_launcher(void)
{
	TimestampTz now = josch_clock_now();
	bool		mine = false;

	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (josch_shared->launcher.pid == 0)
	{
		josch_shared->launcher = (JoschLauncherStatus) {.pid = MyProcPid, .started_at = now};
		josch_shared->launcher_latch = &MyProc->procLatch;
		mine = true;
	}
	LWLockRelease(josch_shared_lock);
	if (mine)
	{
		before_shmem_exit(detach_launcher, (Datum) 0);
	}
	return mine;
}

void
josch_wake_report_scheduler_waits(bool waits)
{
	if (josch_shared != NULL && josch_shared->scheduler_waits != waits)
	{
		LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
		josch_shared->scheduler_waits = waits;
		LWLockRelease(josch_shared_lock);
	}
}

bool
josch_wake_scheduler_waits(void)
{
	bool		waits;

	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	waits = josch_shared->scheduler_waits;
	LWLockRelease(josch_shared_lock);
	return waits;
}

void
josch_wake_report_extension(bool present)
{
	JoschPlace *place;

	if (josch_shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find(MyDatabaseId);
	if (place != NULL && place->status.pid == MyProcPid)
	{
		place->news.present = present;
		place->news.absent = !present;
		place->uses_spool = place->uses_spool && present;
	}
	LWLockRelease(josch_shared_lock);
	josch_wake_launcher_now();
}

JoschNews
josch_wake_take_news(Oid database)
{
	JoschNews	news = {0};
	JoschPlace *place;

	if (josch_shared == NULL)
	{
		return news;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find(database);
	if (place != NULL)
	{
		news = place->news;
		place->news = (JoschNews) {0};
	}
	LWLockRelease(josch_shared_lock);
	return news;
}

void
josch_wake_report(const JoschSchedulerStatus *status)
{
	JoschPlace *place;

	if (josch_shared == NULL)
	{
		return;
	}
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = find(MyDatabaseId);
	if (place != NULL && place->status.pid == MyProcPid)
	{
		JoschSchedulerStatus former = place->status;

		place->status = *status;
		place->status.database = former.database;
		place->status.pid = former.pid;
		place->status.started_at = former.started_at;
	}
	LWLockRelease(josch_shared_lock);
}

bool
josch_wake_read_scheduler(Oid database, JoschSchedulerStatus *status)
{
	JoschPlace *place = NULL;

	*status = (JoschSchedulerStatus) {.database = database};
	if (josch_shared == NULL || !OidIsValid(database))
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	place = find(database);
	if (place != NULL)
	{
		*status = place->status;
	}
	LWLockRelease(josch_shared_lock);
	return status->pid != 0;
}

bool
josch_wake_read_launcher(JoschLauncherStatus *status)
{
	*status = (JoschLauncherStatus) {0};
	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	*status = josch_shared->launcher;
	LWLockRelease(josch_shared_lock);
	return status->pid != 0;
}

/* ---- the transaction's end ---- */

static void
at_commit(void)
{
	if (announce_flag)
	{
		announce();
	}
	note_world(MyDatabaseId, world_flag, data_flag);
	if ((data_flag || quiet_flag) && !scheduler_flag)
	{
		wake_scheduler(MyDatabaseId, WAKE_QUIETLY);
	}
	if (scheduler_flag || announce_flag)
	{
		wake_scheduler(MyDatabaseId, days_flag ? WAKE_FOR_DAYS : WAKE_CHANGE);
	}
	if (launcher_flag || announce_flag)
	{
		josch_wake_launcher_now();
	}
}

/*
 * Runs after the transaction's rows can be seen, or not, by others, and before
 * its heavyweight locks are released.  A process that exits within a transaction
 * aborts it first, so holds need no exit callback of their own.
 */
static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
			at_commit();
			break;
		case XACT_EVENT_ABORT:
			if (scheduler_flag)
			{
				wake_scheduler(MyDatabaseId, WAKE_FOR_LOCKS);
			}
			break;
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	scheduler_flag = launcher_flag = announce_flag = days_flag = world_flag = data_flag = quiet_flag = false;
	release_holds();
}

void
josch_wake_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
}
