/*
 * src/base/outbox.c
 *	  Shared memory: what a commit leaves for the scheduler to tell with NOTIFY.
 *
 * What was left for a scheduler that is gone waits for the next one of that
 * database, until somebody else needs the place: where none comes, nobody
 * listens for long either.
 */
#include "base/josch.h"

#include "base/outbox.h"

#include "miscadmin.h"

#include "base/shared.h"
#include "base/wake.h"

static bool
has_scheduler(Oid database)
{
	JoschSchedulerStatus status;

	return josch_wake_read_scheduler(database, &status);
}

static bool
fit(const List *texts)
{
	ListCell   *cell;

	foreach(cell, texts)
	{
		if (strlen(lfirst(cell)) >= JOSCH_OUTBOX_TEXT)
		{
			return false;
		}
	}
	return list_length(texts) <= JOSCH_OUTBOX_MAX;
}

static bool
reserve(int n)
{
	JoschOutbox *outbox = &josch_shared->outbox;
	bool		done;

	LWLockAcquire(josch_outbox_lock, LW_EXCLUSIVE);
	done = outbox->filled + outbox->reserved + n <= JOSCH_OUTBOX_MAX;
	outbox->reserved += done ? n : 0;
	LWLockRelease(josch_outbox_lock);
	return done;
}

/* Needs the lock, exclusive. */
static void
empty(JoschMessage *message)
{
	message->database = InvalidOid;
	josch_shared->outbox.filled--;
}

/* What waits for schedulers that are not there. */
static void
make_room(void)
{
	for (int i = 0; i < JOSCH_OUTBOX_MAX; i++)
	{
		JoschMessage *message = &josch_shared->outbox.messages[i];
		Oid			database = message->database;

		if (OidIsValid(database) && !has_scheduler(database))
		{
			LWLockAcquire(josch_outbox_lock, LW_EXCLUSIVE);
			if (message->database == database)
			{
				empty(message);
			}
			LWLockRelease(josch_outbox_lock);
		}
	}
}

bool
josch_outbox_reserve(const List *texts)
{
	if (josch_shared == NULL || josch_wake_is_scheduler() || !fit(texts) || !has_scheduler(MyDatabaseId))
	{
		return false;
	}
	if (reserve(list_length(texts)))
	{
		return true;
	}
	make_room();
	return reserve(list_length(texts));
}

void
josch_outbox_fill(const List *texts)
{
	JoschOutbox *outbox = &josch_shared->outbox;
	int			place = 0;
	ListCell   *cell;

	LWLockAcquire(josch_outbox_lock, LW_EXCLUSIVE);
	foreach(cell, texts)
	{
		while (OidIsValid(outbox->messages[place].database))
		{
			place++;
		}
		outbox->messages[place].database = MyDatabaseId;
		outbox->messages[place].number = ++outbox->last;
		strlcpy(outbox->messages[place].text, lfirst(cell), JOSCH_OUTBOX_TEXT);
		outbox->reserved--;
		outbox->filled++;
	}
	LWLockRelease(josch_outbox_lock);
}

void
josch_outbox_release(const List *texts)
{
	LWLockAcquire(josch_outbox_lock, LW_EXCLUSIVE);
	josch_shared->outbox.reserved -= list_length(texts);
	LWLockRelease(josch_outbox_lock);
}

bool
josch_outbox_has_mail(void)
{
	bool		found = false;

	if (josch_shared == NULL)
	{
		return false;
	}
	LWLockAcquire(josch_outbox_lock, LW_SHARED);
	for (int i = 0; !found && josch_shared->outbox.filled > 0 && i < JOSCH_OUTBOX_MAX; i++)
	{
		found = josch_shared->outbox.messages[i].database == MyDatabaseId;
	}
	LWLockRelease(josch_outbox_lock);
	return found;
}

static int
compare_numbers(const ListCell *a, const ListCell *b)
{
	const JoschMessage *left = lfirst(a);
	const JoschMessage *right = lfirst(b);

	return left->number < right->number ? -1 : left->number > right->number;
}

List *
josch_outbox_read(int64 *last)
{
	JoschMessage *copies = palloc(sizeof(josch_shared->outbox.messages));
	int			n = 0;
	List	   *found = NIL;
	ListCell   *cell;

	LWLockAcquire(josch_outbox_lock, LW_SHARED);
	for (int i = 0; i < JOSCH_OUTBOX_MAX; i++)
	{
		if (josch_shared->outbox.messages[i].database == MyDatabaseId)
		{
			copies[n++] = josch_shared->outbox.messages[i];
		}
	}
	LWLockRelease(josch_outbox_lock);
	*last = 0;
	for (int i = 0; i < n; i++)
	{
		found = lappend(found, &copies[i]);
		*last = Max(*last, copies[i].number);
	}
	list_sort(found, compare_numbers);
	foreach(cell, found)
	{
		lfirst(cell) = ((JoschMessage *) lfirst(cell))->text;
	}
	return found;
}

void
josch_outbox_remove(int64 last)
{
	LWLockAcquire(josch_outbox_lock, LW_EXCLUSIVE);
	for (int i = 0; i < JOSCH_OUTBOX_MAX; i++)
	{
		JoschMessage *message = &josch_shared->outbox.messages[i];

		if (message->database == MyDatabaseId && message->number <= last)
		{
			empty(message);
		}
	}
	LWLockRelease(josch_outbox_lock);
}
