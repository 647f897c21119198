/*
 * src/calendar/book.c
 *	  The calendars that this session knows, by name.
 *
 * A million questions in one statement must not read a table, and yet each
 * statement is to see what its snapshot sees: also what its own transaction has
 * changed, and has taken back again.  So:
 *
 * - Within one snapshot nothing changes: what was read with it is believed.
 * - With another one it is believed as long as nobody has said that a calendar was
 *   changed.  Whoever changes one tells all sessions when that is committed, and its
 *   own at once (trigger_calendar.c), as catalogs are invalidated.
 * - Once somebody has said so, what is read counts for later snapshots only when it
 *   was read by one that is not older than the moment at which that was heard: the
 *   snapshot of a cursor, or of a REPEATABLE READ transaction, may be.
 *
 * Snapshots of one database have an order in time: the later one has the higher
 * xmax, or the same and no more transactions that were running.
 */
#include "base/josch.h"

#include "calendar/book.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "storage/sinval.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/report.h"
#include "calendar/store_calendar.h"

/* What tells a snapshot from others of this session. */
typedef struct Moment
{
	TransactionId xmin;
	TransactionId xmax;
	int64		running;
	CommandId	command;
} Moment;

/* The bytes of 200 characters. */
#define MAX_NAME 801

typedef struct Entry
{
	char		name[MAX_NAME]; /* the key */
	Calendar   *calendar;
} Entry;

static struct
{
	MemoryContext context;		/* all that is known */
	HTAB	   *entries;
	Calendar   *last;			/* that was asked for */
	Size		last_length;
	bool		loading;		/* left true by an error on the way: what was read is not whole */
	Moment		seen;			/* what is known is right for it */
	bool		has_seen;
	bool		changed;		/* somebody has changed a calendar since "since" */
	bool		fresh;			/* what is known is right for all that are not older than "since" */
	Moment		since;
}			book = {.changed = true};

/* ---- moments ---- */

static Moment
moment_of(Snapshot snapshot)
{
	return (Moment)
	{
		snapshot->xmin, snapshot->xmax, (int64) snapshot->xcnt + snapshot->subxcnt, snapshot->curcid
	};
}

static bool
is_same(Moment a, Moment b)
{
	return a.xmin == b.xmin && a.xmax == b.xmax && a.running == b.running && a.command == b.command;
}

/* "command" counts from 0 in each transaction, and is put back when one ends. */
static bool
is_older(Moment a, Moment b)
{
	if (a.xmax != b.xmax)
	{
		return TransactionIdPrecedes(a.xmax, b.xmax);
	}
	return a.running > b.running || a.command < b.command;
}

/* ---- what makes it forget ---- */

static void
forget(Datum arg, Oid relation)
{
	if (!OidIsValid(relation) || josch_store_calendar_is_table(relation))
	{
		book.changed = true;
	}
}

/* The commands of the next transaction are counted anew. */
static void
at_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PARALLEL_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			return;
		default:
			book.has_seen = false;
			book.since.command = FirstCommandId;
	}
}

/* What a subtransaction has changed is no longer seen by a snapshot that looks the same; and an error may have left things half known. */
static void
at_end_of_subtransaction(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		book.has_seen = false;
	}
}

void
josch_book_init(void)
{
	CacheRegisterRelcacheCallback(forget, (Datum) 0);
	RegisterXactCallback(at_end, NULL);
	RegisterSubXactCallback(at_end_of_subtransaction, NULL);
}

/* ---- what is known ---- */

static void
begin_anew(Moment now)
{
	HASHCTL		control = {.keysize = MAX_NAME,.entrysize = sizeof(Entry)};

	if (book.context == NULL)
	{
		book.context = AllocSetContextCreate(TopMemoryContext, "josch calendars", ALLOCSET_DEFAULT_SIZES);
	}
	book.loading = true;
	book.last = NULL;
	MemoryContextReset(book.context);
	josch_store_calendar_find_tables();
	control.hcxt = book.context;
	book.entries = hash_create("josch calendars", 16, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);
	book.seen = now;
	book.has_seen = true;
	book.fresh = !book.changed && !is_older(now, book.since);
	book.loading = false;
}

/* Takes note of what others have said, and of when that was. */
static void
hear_of_changes(void)
{
	AcceptInvalidationMessages();
	/* a parallel worker cannot ask what is committed by now, and believes one snapshot only */
	if (book.changed && !IsInParallelMode())
	{
		book.since = moment_of(GetLatestSnapshot());
		book.changed = false;
		book.fresh = false;
	}
}

/* Makes sure that what is known is what the running statement sees. */
static void
open_for(Snapshot snapshot)
{
	Moment		now = moment_of(snapshot);

	if (book.has_seen && is_same(now, book.seen))
	{
		return;
	}
	hear_of_changes();
	if (book.fresh && !book.changed && !book.loading && !is_older(now, book.since))
	{
		book.seen = now;
		book.has_seen = true;
		return;
	}
	begin_anew(now);
}

static void
refuse_circle(const Calendar *calendar)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("calendar \"%s\" is a part of itself", calendar->name)));
}

static void
refuse_unknown(const char *name)
{
	ereport(ERROR,
			(errcode(ERRCODE_NO_DATA_FOUND),
			 errmsg("calendar \"%s\" does not exist", josch_report_words(name)),
			 errhint("josch.calendars lists the calendars.")));
}

static Calendar *find(const char *name);

/* What it is made of, and what follows from that. */
static void
complete(Calendar *calendar)
{
	if (calendar->rule_text != NULL)
	{
		josch_rule_parse(&calendar->rule, calendar->rule_text);
	}
	if (calendar->of_name != NULL)
	{
		calendar->of = find(calendar->of_name);
		calendar->known_until = Min(calendar->known_until, calendar->of->known_until);
	}
	for (int i = 0; i < calendar->nparts; i++)
	{
		CalendarPart *part = &calendar->parts[i];

		part->calendar = find(part->name);
		calendar->known_until = Min(calendar->known_until, part->calendar->known_until);
	}
}

static Calendar *
find(const char *name)
{
	Entry	   *entry;
	bool		found;

	check_stack_depth();
	entry = hash_search(book.entries, name, HASH_ENTER, &found);
	if (found)
	{
		if (entry->calendar->loading)
		{
			refuse_circle(entry->calendar);
		}
		return entry->calendar;
	}
	entry->calendar = josch_store_calendar_read(name, book.context);
	if (entry->calendar == NULL)
	{
		refuse_unknown(name);
	}
	entry->calendar->loading = true;
	complete(entry->calendar);
	entry->calendar->loading = false;
	return entry->calendar;
}

Calendar *
josch_book_find(const char *name, Size length)
{
	char	   *key;

	open_for(GetActiveSnapshot());
	if (book.last != NULL && book.last_length == length && memcmp(book.last->name, name, length) == 0)
	{
		return book.last;
	}
	key = pnstrdup(name, length);
	if (length >= MAX_NAME)
	{
		refuse_unknown(key);
	}
	book.loading = true;
	book.last = find(key);
	book.last_length = length;
	book.loading = false;
	pfree(key);
	return book.last;
}
