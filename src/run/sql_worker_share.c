/*
 * src/run/sql_worker_share.c
 *	  What SQL waits for when the server has fewer background worker slots than
 *	  its databases want, and how these share what there is.
 *
 * A slot that is free goes to the database with the fewest workers, of these to
 * the one that has waited longest: so a backlog in one database does not keep the
 * SQL of another from ever beginning.  To one that has none at all, or two less, a
 * database gives the first of its workers whose run ends.
 *
 * With few slots there is a shortage and none by turns, with each run that ends;
 * for people it is one, from its beginning until nobody has waited for a while.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "miscadmin.h"

#include "base/clock.h"
#include "base/shared.h"

/* When the server has no background worker slot, nobody tells when it has one again. */
#define RETRY_MS 1000

/* A shortage is over when nothing has waited for so long. */
#define QUIET_MS 10000

/* A database that has not asked for so long does not wait any more. */
#define WAIT_LIMIT_MS 10000

/* Whether the last start found no background worker slot. */
static bool short_of_workers = false;

/* The last moment of a shortage that was told of; 0: there is none. */
static TimestampTz told_until = 0;

/* ---- what all databases see ---- */

/* Needs the lock, as all below. */
static JoschPlace *
own_place(void)
{
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		if (josch_shared->places[i].status.pid == MyProcPid)
		{
			return &josch_shared->places[i];
		}
	}
	return NULL;
}

static bool
waits(const JoschPlace *place, TimestampTz now)
{
	return place->status.pid != 0 && place->sql_waits_since != 0 &&
		!TimestampDifferenceExceeds(place->sql_asked_at, now, WAIT_LIMIT_MS);
}

/* Workers that stay: of the others the slots are as good as free. */
static int
count_workers(Oid database)
{
	int			n = 0;

	for (int i = 0; i < max_worker_processes; i++)
	{
		const JoschSqlSlot *slot = &josch_shared->sql_slots[i];

		n += slot->database == database && slot->state != SLOT_FREE && slot->state != SLOT_LEAVING &&
			slot->state != SLOT_LOST;
	}
	return n;
}

bool
josch_sql_worker_may_have_more(int taken, TimestampTz now)
{
	const JoschPlace *own = own_place();
	int			mine = count_workers(MyDatabaseId) - taken;
	TimestampTz since = own != NULL && waits(own, now) ? own->sql_waits_since : now;

	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		const JoschPlace *place = &josch_shared->places[i];
		int			theirs;

		if (place == own || !waits(place, now))
		{
			continue;
		}
		theirs = count_workers(place->status.database);
		if (theirs < mine || (theirs == mine && place->sql_waits_since < since))
		{
			return false;
		}
	}
	return true;
}

/* Whether one is on its way out for it already. */
static bool
is_served(Oid database)
{
	for (int i = 0; i < max_worker_processes; i++)
	{
		if (josch_shared->sql_slots[i].state == SLOT_LEAVING && josch_shared->sql_slots[i].wanted_by == database)
		{
			return true;
		}
	}
	return false;
}

Oid
josch_sql_worker_whose_turn(TimestampTz now)
{
	int			fewest = count_workers(MyDatabaseId);
	Oid			choice = InvalidOid;

	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		const JoschPlace *place = &josch_shared->places[i];
		Oid			database = place->status.database;
		int			theirs;

		if (database == MyDatabaseId || !waits(place, now) || is_served(database))
		{
			continue;
		}
		theirs = count_workers(database);
		if (theirs < fewest && (theirs == 0 || theirs + 1 < fewest))
		{
			fewest = theirs;
			choice = database;
		}
	}
	return choice;
}

/* From now on this database waits for a slot; or, with 0, does not. */
static void
tell_others(TimestampTz now)
{
	JoschPlace *place;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = own_place();
	if (place != NULL)
	{
		place->sql_waits_since = now == 0 || !waits(place, now) ? now : place->sql_waits_since;
		place->sql_asked_at = now;
	}
	LWLockRelease(josch_shared_lock);
}

/* ---- what this scheduler has found ---- */

void
josch_sql_worker_note_shortage(TimestampTz now)
{
	if (told_until == 0)
	{
		ereport(LOG,
				(errcode(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED),
				 errmsg("SQL nodes wait: no background worker slot is free"),
				 errhint("You might need to increase max_worker_processes.")));
	}
	told_until = now;
	short_of_workers = true;
	tell_others(now);
}

void
josch_sql_worker_note_start(void)
{
	if (short_of_workers)
	{
		short_of_workers = false;
		tell_others(0);
	}
}

/* How long nothing must wait until a shortage is over; -1: there is none. */
static long
quiet_ms(void)
{
	return told_until == 0 ? -1 :
		TimestampDifferenceMilliseconds(josch_clock_now(), TimestampTzPlusMilliseconds(told_until, QUIET_MS));
}

void
josch_sql_worker_note_rest(void)
{
	josch_sql_worker_note_start();
	if (quiet_ms() == 0)
	{
		told_until = 0;
		ereport(LOG, (errmsg("SQL nodes wait no longer for a background worker slot")));
	}
}

long
josch_sql_worker_retry_ms(void)
{
	return short_of_workers ? RETRY_MS : quiet_ms();
}

const char *
josch_sql_worker_shortage(void)
{
	return !short_of_workers ? NULL :
		psprintf("no background worker slot is free: max_worker_processes = %d", max_worker_processes);
}
