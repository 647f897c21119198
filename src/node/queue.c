/*
 * src/node/queue.c
 *	  The nodes whose turn it is, as one pass takes them.
 *
 * Under a snapshot that somebody holds open every row that has left the table is still in
 * its index.  So a pass begins where the last one has left something, and what it makes
 * ready itself goes on without having been there.
 */
#include "base/josch.h"

#include "node/queue.h"

#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "base/finder.h"
#include "base/node_key.h"
#include "base/wake.h"
#include "node/node_table.h"

/* Keys in the order of a line; those before "at" are taken. */
typedef struct Keys
{
	NodeKey    *list;
	int			n;
	int			at;
	int			space;
} Keys;

typedef struct Line
{
	Keys		rows;			/* of the table */
	Keys		fresh;			/* that have come in this pass */
	bool		sorted;			/* fresh, from "at" on */
	bool		exhausted;		/* the table has no more */
	bool		known;			/* as in QueueMarks */
	NodeKey		from;
} Line;

/* A node that stands, or stood, in the queue. */
typedef struct Place
{
	NodeKey		key;			/* the hash key */
	int32		line;
	bool		in_table;
	bool		gone;
} Place;

/* Behind all others: a line that begins here has no row in the table. */
static const NodeKey last_key = {PG_INT64_MAX, DATEVAL_NOEND};

static const char letters[QUEUE_LINES] = {WAITS_FOR_TURN, WAITS_FOR_COMMAND, WAITS_FOR_SQL, WAITS_FOR_RULE};

static struct
{
	bool		open;
	bool		collects;
	bool		limits_settled;
	bool		no_pauses;
	bool		doubtful;		/* a subtransaction of somebody's trigger was rolled back */
	SubTransactionId subid;
	MemoryContext context;
	HTAB	   *places;
	Line		lines[QUEUE_LINES];
} queue;

/* What was put in and taken out is so no more. */
static void
forget(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (queue.open && event == SUBXACT_EVENT_ABORT_SUB)
	{
		queue.open = mine != queue.subid;
		queue.doubtful = true;
	}
}

static void
forget_all(XactEvent event, void *arg)
{
	queue.open = false;
}

static void
make_context(void)
{
	if (queue.context == NULL)
	{
		queue.context = AllocSetContextCreate(TopMemoryContext, "josch queue", ALLOCSET_DEFAULT_SIZES);
		RegisterSubXactCallback(forget, NULL);
		RegisterXactCallback(forget_all, NULL);
	}
	MemoryContextReset(queue.context);
}

static int
compare(const void *a, const void *b)
{
	return josch_node_key_compare(*(const NodeKey *) a, *(const NodeKey *) b);
}

void
josch_queue_open(const QueueMarks *marks)
{
	HASHCTL		control = {.keysize = sizeof(NodeKey), .entrysize = sizeof(Place)};

	make_context();
	control.hcxt = queue.context;
	queue.places = hash_create("josch queue", 256, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	memset(queue.lines, 0, sizeof(queue.lines));
	for (int i = 0; i < QUEUE_LINES && marks != NULL; i++)
	{
		queue.lines[i].known = marks->known[i];
		queue.lines[i].from = marks->from[i];
		queue.lines[i].exhausted = marks->known[i] && compare(&marks->from[i], &last_key) == 0;
	}
	queue.limits_settled = marks != NULL && marks->limits_settled;
	queue.no_pauses = marks != NULL && marks->no_pauses;
	queue.collects = marks != NULL;
	queue.doubtful = false;
	queue.subid = GetCurrentSubTransactionId();
	queue.open = true;
}

static void
add(Keys *keys, NodeKey key)
{
	if (keys->n == keys->space)
	{
		keys->space = Max(keys->space * 2, 64);
		keys->list = keys->list == NULL ? MemoryContextAlloc(queue.context, sizeof(NodeKey) * keys->space) :
			repalloc_huge(keys->list, sizeof(NodeKey) * keys->space);
	}
	keys->list[keys->n++] = key;
}

/* The hash key has no bytes that are not set. */
static Place *
place_of(NodeKey key, HASHACTION action, bool *found)
{
	NodeKey		clean;

	memset(&clean, 0, sizeof(clean));
	clean.node_id = key.node_id;
	clean.job_date = key.job_date;
	return hash_search(queue.places, &clean, action, found);
}

static void
enter(NodeKey key, QueueLine line, bool in_table)
{
	Place	   *place = place_of(key, HASH_ENTER, NULL);

	place->line = line;
	place->in_table = in_table;
	place->gone = false;
}

/* ---- what comes from the table ---- */

/* Reads up to so many rows, those after the last one that was read. */
static void
refill(QueueLine index, int limit)
{
	Line	   *line = &queue.lines[index];
	NodeKey		none = {PG_INT64_MIN, DATEVAL_NOBEGIN};
	NodeKey		after = line->rows.n > 0 ? line->rows.list[line->rows.n - 1] : line->known ? line->from : none;
	bool		skip = line->rows.n > 0;
	Waiting		first = {.waits_for = letters[index], .key = after};
	Datum		from[JOSCH_WAITING_KEYS];
	JoschFinder list;
	int			n = 0;

	josch_waiting_datums(&first, from);
	josch_finder_open_range(&list, &josch_waiting, JOSCH_WAITING_KEYS, AccessShareLock);
	josch_finder_seek_from(&list, from);
	while (n < limit && josch_finder_next(&list))
	{
		bool		isnull;
		NodeKey		key = {
			DatumGetInt64(josch_finder_get(&list, WAITING_NODE_ID, &isnull)),
			DatumGetDateADT(josch_finder_get(&list, WAITING_JOB_DATE, &isnull))
		};

		if (!skip || !josch_node_key_equal(key, after))
		{
			enter(key, index, true);
			add(&line->rows, key);
			n++;
		}
	}
	line->exhausted = n < limit;
	josch_finder_close(&list);
}

/* ---- what is taken ---- */

/* The next one that still stands there; NULL: none. */
static NodeKey *
head(Keys *keys, QueueLine line, bool in_table)
{
	for (; keys->at < keys->n; keys->at++)
	{
		Place	   *place = place_of(keys->list[keys->at], HASH_FIND, NULL);

		if (!place->gone && place->line == (int32) line && place->in_table == in_table)
		{
			return &keys->list[keys->at];
		}
	}
	return NULL;
}

/* Takes the next one; false when there is none. */
static bool
take(QueueLine index, int limit, NodeKey *key)
{
	Line	   *line = &queue.lines[index];
	NodeKey    *row = head(&line->rows, index, true);
	NodeKey    *fresh = head(&line->fresh, index, false);

	if (row == NULL && !line->exhausted)
	{
		refill(index, limit);
		row = head(&line->rows, index, true);
	}
	if (row == NULL && fresh == NULL)
	{
		return false;
	}
	if (fresh == NULL || (row != NULL && compare(row, fresh) < 0))
	{
		*key = *row;
		line->rows.at++;
	}
	else
	{
		*key = *fresh;
		line->fresh.at++;
	}
	return true;
}

int
josch_queue_take(QueueLine line, int limit, NodeKey *keys)
{
	Keys	   *fresh = &queue.lines[line].fresh;
	int			n = 0;

	if (!queue.lines[line].sorted && fresh->n > fresh->at)
	{
		qsort(fresh->list + fresh->at, fresh->n - fresh->at, sizeof(NodeKey), compare);
	}
	queue.lines[line].sorted = true;
	while (n < limit && take(line, limit, &keys[n]))
	{
		n++;
	}
	return n;
}

int
josch_queue_peek(QueueLine index, int limit, NodeKey *keys)
{
	Line	   *line = &queue.lines[index];
	int			rows;
	int			fresh;
	int			n;

	(void) josch_queue_take(index, 0, keys);	/* sorts what is fresh */
	rows = line->rows.at;
	fresh = line->fresh.at;
	n = josch_queue_take(index, limit, keys);
	line->rows.at = rows;
	line->fresh.at = fresh;
	return n;
}

bool
josch_queue_limits_settled(void)
{
	return queue.limits_settled;
}

void
josch_queue_settle_limits(void)
{
	queue.limits_settled = true;
}

void
josch_queue_unsettle_limits(void)
{
	queue.limits_settled = false;
}

bool
josch_queue_no_pauses(void)
{
	return queue.open && queue.no_pauses;
}

void
josch_queue_note_no_pauses(void)
{
	queue.no_pauses = true;
}

/* ---- what changes meanwhile ---- */

/* What a subtransaction of a trigger does may be undone alone: it goes to the table, and the end takes care. */
static bool
is_mine(void)
{
	if (queue.open && queue.subid != GetCurrentSubTransactionId())
	{
		queue.doubtful = true;
		return false;
	}
	return queue.open;
}

static bool
put_into_queue(const Waiting *waiting)
{
	if (waiting->waits_for == WAITS_FOR_LIMIT)
	{
		queue.limits_settled = false;
		return false;
	}
	if (!is_mine() || !queue.collects)
	{
		return false;
	}
	for (int i = 0; i < QUEUE_LINES; i++)
	{
		if (waiting->waits_for == letters[i])
		{
			enter(waiting->key, i, false);
			add(&queue.lines[i].fresh, waiting->key);
			queue.lines[i].sorted = false;
			return true;
		}
	}
	return false;
}

static bool
take_from_queue(const Waiting *waiting)
{
	Place	   *place = is_mine() && waiting->turn != WAITS_FOR_NOTHING ? place_of(waiting->key, HASH_FIND, NULL) : NULL;

	if (place == NULL || place->gone)
	{
		return false;
	}
	place->gone = true;
	return !place->in_table;
}

/* Those that the queue of the pass does not answer for; returns how many. */
static int
leave_to_table(bool (*answer) (const Waiting *waiting), const Waiting *rows, int n, Waiting *left)
{
	int			nleft = 0;

	for (int i = 0; i < n; i++)
	{
		if (!answer(&rows[i]))
		{
			left[nleft++] = rows[i];
		}
	}
	return nleft;
}

void
josch_queue_change(const Waiting *gone, int ngone, const Waiting *come, int ncome)
{
	Waiting    *left = palloc_extended(sizeof(Waiting) * Max(Max(ngone, ncome), 1), MCXT_ALLOC_HUGE);

	josch_waiting_take_out(left, leave_to_table(take_from_queue, gone, ngone, left));
	josch_waiting_put_in(left, leave_to_table(put_into_queue, come, ncome, left));
	pfree(left);
}

int
josch_queue_come_due(TimestampTz now, int limit, int *held)
{
	int			ndue;
	int			n = 0;
	Waiting    *due = josch_waiting_list_due(now, limit, &ndue);
	Waiting    *come = palloc(sizeof(Waiting) * Max(ndue, 1));
	JoschFinder nodes;

	if (ndue == 0)
	{
		return 0;
	}
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	for (int i = 0; i < ndue; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];
		JoschLock	lock;

		josch_node_key_datums(due[i].key, key);
		if (!josch_finder_find(&nodes, key) || (lock = josch_finder_lock(&nodes)) == JOSCH_LOCK_GONE)
		{
			continue;
		}
		*held += lock == JOSCH_LOCK_HELD;
		come[n] = josch_waiting_of(nodes.slot);
		if (lock == JOSCH_LOCK_TAKEN && come[n].waits_for == WAITS_FOR_TIME && come[n].due_at == due[i].due_at)
		{
			due[n] = due[i];
			come[n].waits_for = come[n].turn;
			n++;
		}
	}
	josch_finder_close(&nodes);
	for (int i = 0; i < n; i++)
	{
		if (come[i].turn == WAITS_FOR_WORLD)
		{
			josch_wake_world_at_commit();
		}
	}
	josch_queue_change(due, n, come, n);
	return n;
}

/* ---- the end ---- */

/* Whether the node still waits for that. */
static bool
is_true(JoschFinder *nodes, const Place *place)
{
	Datum		key[JOSCH_NODE_KEYS];

	josch_node_key_datums(place->key, key);
	return josch_finder_find(nodes, key) && josch_waiting_of(nodes->slot).turn == letters[place->line];
}

/*
 * Whether this transaction may have changed nodes: then it has that lock already.  Somebody who
 * has locked the table as a whole is not waited for: nothing of what was done has stayed.
 */
static bool
holds_nodes(void)
{
	return OidIsValid(josch_nodes.relation) && ConditionalLockRelationOid(josch_nodes.relation, RowExclusiveLock);
}

/* Those that have come, and are there no more than in memory. */
static Waiting *
list_fresh(int *n)
{
	Waiting    *fresh = palloc_extended(sizeof(Waiting) * Max(hash_get_num_entries(queue.places), 1), MCXT_ALLOC_HUGE);
	HASH_SEQ_STATUS all;
	Place	   *place;
	JoschFinder nodes;

	*n = 0;
	if (queue.doubtful && !holds_nodes())
	{
		return fresh;
	}
	if (queue.doubtful)
	{
		josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	}
	hash_seq_init(&all, queue.places);
	while ((place = hash_seq_search(&all)) != NULL)
	{
		if (!place->in_table && (queue.doubtful ? is_true(&nodes, place) : !place->gone))
		{
			fresh[(*n)++] = (Waiting) {letters[place->line], letters[place->line], DT_NOBEGIN, place->key};
		}
	}
	if (queue.doubtful)
	{
		josch_finder_close(&nodes);
	}
	return fresh;
}

/* No row of the table is before what has been left, or else before the last one that was seen. */
static void
set_marks(QueueMarks *marks)
{
	HASH_SEQ_STATUS all;
	Place	   *place;

	memset(marks, 0, sizeof(QueueMarks));
	if (!queue.open)
	{
		return;
	}
	marks->limits_settled = queue.limits_settled && !queue.doubtful;
	marks->no_pauses = queue.no_pauses;
	for (int i = 0; i < QUEUE_LINES; i++)
	{
		Line	   *line = &queue.lines[i];

		marks->known[i] = !queue.doubtful && (line->known || line->rows.n > 0 || line->exhausted);
		marks->from[i] = line->exhausted ? last_key : line->rows.n > 0 ? line->rows.list[line->rows.n - 1] : line->from;
	}
	hash_seq_init(&all, queue.places);
	while ((place = hash_seq_search(&all)) != NULL)
	{
		if (!place->gone && compare(&place->key, &marks->from[place->line]) < 0)
		{
			marks->from[place->line] = place->key;
		}
	}
}

void
josch_queue_close(QueueMarks *marks)
{
	int			n;
	Waiting    *fresh;

	if (marks != NULL)
	{
		set_marks(marks);
	}
	if (!queue.open)
	{
		return;
	}
	fresh = list_fresh(&n);
	queue.open = false;
	josch_waiting_put_in(fresh, n);
}
