/*
 * src/run/store_limit_book.c
 *	  What the tables say of limits: what is there, what is taken, who waits first.
 */
#include "base/josch.h"

#include "run/store_limit_book.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"

#include "base/config.h"
#include "node/node_table.h"
#include "node/units.h"
#include "node/waiting.h"

enum
{
	SEMAPHORE_NAME, CAPACITY, SEMAPHORE_COLUMNS
};

static const JoschColumn semaphore_columns[SEMAPHORE_COLUMNS] = {
	[SEMAPHORE_NAME] = {"semaphore_name", TEXTOID}, [CAPACITY] = {"capacity", INT4OID}
};
static AttrNumber semaphore_numbers[SEMAPHORE_COLUMNS];
static JoschTable semaphores_table = JOSCH_TABLE("semaphores", semaphore_columns, semaphore_numbers);

enum
{
	JOB_NAME, JOB_DATE, MAX_RUNNING, JOB_COLUMNS
};

static const JoschColumn job_columns[JOB_COLUMNS] = {
	[JOB_NAME] = {"job_name", TEXTOID}, [JOB_DATE] = {"job_date", DATEOID}, [MAX_RUNNING] = {"max_running", INT4OID}
};
static AttrNumber job_numbers[JOB_COLUMNS];
static JoschTable jobs_table = JOSCH_TABLE("jobs", job_columns, job_numbers);

#define JOB_KEYS 2

enum
{
	EXECUTOR_NAME, EXECUTOR_MAX_RUNNING, EXECUTOR_COLUMNS
};

static const JoschColumn executor_columns[EXECUTOR_COLUMNS] = {
	[EXECUTOR_NAME] = {"executor_name", TEXTOID}, [EXECUTOR_MAX_RUNNING] = {"max_running", INT4OID}
};
static AttrNumber executor_numbers[EXECUTOR_COLUMNS];
static JoschTable executors_table = JOSCH_TABLE("executors", executor_columns, executor_numbers);

/* ---- what there is, and what is taken ---- */

/* Pools whose kind and name have one hash. */
typedef struct Pools
{
	uint64		hash;			/* the hash key */
	LimitPool  *first;
} Pools;

static LimitPool *
find_pool(LimitBook *book, char kind, const char *name)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) name, (int) strlen(name), (uint64) kind);
	bool		found;
	Pools	   *pools = hash_search(book->pools, &hash, HASH_ENTER, &found);
	LimitPool  *pool;

	if (!found)
	{
		pools->first = NULL;
	}
	for (pool = pools->first; pool != NULL; pool = pool->next)
	{
		if (pool->kind == kind && strcmp(pool->name, name) == 0)
		{
			return pool;
		}
	}
	pool = palloc0(sizeof(LimitPool));
	pool->kind = kind;
	pool->name = pstrdup(name);
	pool->next = pools->first;
	pools->first = pool;
	return pool;
}

static void
read_units(LimitBook *book)
{
	JoschFinder taken;
	bool		isnull;

	josch_finder_open(&taken, &josch_units_in_use, 0, AccessShareLock);
	josch_finder_seek(&taken, NULL);
	while (josch_finder_next(&taken))
	{
		LimitPool  *pool = find_pool(book, DatumGetChar(josch_finder_get(&taken, UNITS_LIMIT_KIND, &isnull)),
									 josch_finder_get_text(&taken, UNITS_LIMIT_NAME));

		pool->used += DatumGetInt32(josch_finder_get(&taken, UNITS_UNITS, &isnull));
	}
	josch_finder_close(&taken);
}

void
josch_limit_book_open(LimitBook *book, const Pauses *pauses, LOCKMODE lock)
{
	HASHCTL		control = {.keysize = sizeof(uint64),.entrysize = sizeof(Pools),.hcxt = CurrentMemoryContext};

	memset(book, 0, sizeof(LimitBook));
	book->pauses = pauses;
	book->pools = hash_create("josch pools", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	read_units(book);
	josch_finder_open_range(&book->waiting, &josch_waiting, JOSCH_WAITING_KEYS, AccessShareLock);
	josch_finder_open(&book->nodes, &josch_nodes, JOSCH_NODE_KEYS, lock);
	josch_finder_open(&book->needs, &josch_node_semaphores, JOSCH_NODE_KEYS, AccessShareLock);
	josch_finder_open(&book->semaphores, &semaphores_table, 1, AccessShareLock);
	josch_finder_open(&book->jobs, &jobs_table, JOB_KEYS, AccessShareLock);
	josch_finder_open(&book->executors, &executors_table, 1, AccessShareLock);
}

void
josch_limit_book_close(LimitBook *book)
{
	josch_finder_close(&book->executors);
	josch_finder_close(&book->jobs);
	josch_finder_close(&book->semaphores);
	josch_finder_close(&book->needs);
	josch_finder_close(&book->nodes);
	josch_finder_close(&book->waiting);
}

static LimitPool *
semaphore(LimitBook *book, const char *name)
{
	LimitPool  *pool = find_pool(book, LIMIT_OF_SEMAPHORE, name);
	Datum		key = CStringGetTextDatum(name);
	bool		isnull;

	if (!pool->known)
	{
		pool->known = true;
		pool->there = josch_finder_find(&book->semaphores, &key);
		pool->capacity = pool->there ? DatumGetInt32(josch_finder_get(&book->semaphores, CAPACITY, &isnull)) : 0;
		pool->paused = josch_pauses_of_semaphore(book->pauses, name) != NULL;
	}
	return pool;
}

/* Where it has no limit its runs are counted all the same: one may come. */
static LimitPool *
executor(LimitBook *book, const char *name)
{
	LimitPool  *pool = find_pool(book, LIMIT_OF_EXECUTOR, name);
	Datum		key = CStringGetTextDatum(name);
	bool		isnull = true;

	if (!pool->known)
	{
		pool->known = true;
		pool->there = josch_finder_find(&book->executors, &key);
		pool->capacity = pool->there ? DatumGetInt32(josch_finder_get(&book->executors, EXECUTOR_MAX_RUNNING, &isnull)) : 0;
		pool->capacity = isnull ? PG_INT32_MAX : pool->capacity;
	}
	return pool;
}

/* ---- what a node needs ---- */

static void
add_need(LimitHead *head, LimitPool *pool, int64 capacity, int32 units)
{
	head->needs = head->needs == NULL ? palloc(sizeof(LimitNeed)) : repalloc(head->needs, sizeof(LimitNeed) * (head->nneeds + 1));
	head->needs[head->nneeds++] = (LimitNeed) {pool, capacity, units};
}

static void
read_needs(LimitBook *book, LimitHead *head)
{
	Datum		key[JOSCH_NODE_KEYS];
	Datum		job[JOB_KEYS] = {CStringGetTextDatum(head->job_name), DateADTGetDatum(head->key.job_date)};
	bool		isnull;
	int32		places;

	if (head->executor != NULL)
	{
		LimitPool  *pool = executor(book, head->executor);

		add_need(head, pool, pool->capacity, 1);
	}
	josch_node_key_datums(head->key, key);
	josch_finder_seek(&book->needs, key);
	while (josch_finder_next(&book->needs))
	{
		LimitPool  *pool = semaphore(book, josch_finder_get_text(&book->needs, NODE_SEMAPHORES_SEMAPHORE_NAME));

		add_need(head, pool, pool->capacity, DatumGetInt32(josch_finder_get(&book->needs, NODE_SEMAPHORES_UNITS, &isnull)));
	}
	if (!josch_finder_find(&book->jobs, job))
	{
		return;
	}
	places = DatumGetInt32(josch_finder_get(&book->jobs, MAX_RUNNING, &isnull));
	if (!isnull)
	{
		LimitPool  *pool = find_pool(book, LIMIT_OF_JOB, head->job_name);

		pool->there = true;
		add_need(head, pool, places, 1);
	}
}

/* The node in the slot of the finder, as a head. */
static bool
read_node(LimitBook *book, Waiting node, LimitHead *head)
{
	bool		isnull;
	int			priority = DatumGetInt32(josch_finder_get(&book->nodes, NODES_PRIORITY, &isnull));
	bool		limited = DatumGetInt64(josch_finder_get(&book->nodes, NODES_LIMIT_GROUP, &isnull)) != 0;

	memset(head, 0, sizeof(LimitHead));
	head->group = node.group;
	head->key = node.key;
	head->since = node.since;
	head->rank = josch_limits_rank(node.since, priority, josch_config_aging_interval);
	head->job_name = josch_finder_get_text(&book->nodes, NODES_JOB_NAME);
	head->executor = josch_finder_get_text(&book->nodes, NODES_EXECUTOR);
	(void) josch_finder_get(&book->nodes, NODES_EXEC_COMMAND, &head->sql);
	if (limited)
	{
		read_needs(book, head);
	}
	return true;
}

bool
josch_limit_book_find(LimitBook *book, NodeKey key, LimitHead *head)
{
	Datum		datums[JOSCH_NODE_KEYS];
	Waiting		node;

	josch_node_key_datums(key, datums);
	if (!josch_finder_find(&book->nodes, datums))
	{
		return false;
	}
	node = josch_waiting_of(book->nodes.slot);
	return node.turn == WAITS_FOR_LIMIT && read_node(book, node, head);
}

/* ---- who waits ---- */

/* The first row from there on that is true of its node; false: there is none in that group (or any, when it is the first that is looked for). */
static bool
find_from(LimitBook *book, const Waiting *from, bool after, bool any_group, LimitHead *head)
{
	Datum		datums[JOSCH_WAITING_KEYS];

	josch_waiting_datums(from, datums);
	josch_finder_seek_from(&book->waiting, datums);
	while (josch_finder_next(&book->waiting))
	{
		Waiting		row = josch_waiting_read_row(&book->waiting);
		Waiting		node;
		Datum		key[JOSCH_NODE_KEYS];

		if (!any_group && row.group != from->group)
		{
			return false;
		}
		if (after && row.since == from->since && josch_node_key_equal(row.key, from->key))
		{
			continue;
		}
		josch_node_key_datums(row.key, key);
		if (!josch_finder_find(&book->nodes, key))
		{
			continue;
		}
		node = josch_waiting_of(book->nodes.slot);
		if (node.turn == WAITS_FOR_LIMIT && node.group == row.group && node.since == row.since)
		{
			return read_node(book, node, head);
		}
	}
	return false;
}

LimitHead *
josch_limit_book_heads(LimitBook *book, int *n)
{
	static const NodeKey least = {PG_INT64_MIN, DATEVAL_NOBEGIN};
	Waiting		from = {.waits_for = WAITS_FOR_LIMIT, .group = PG_INT64_MIN, .since = DT_NOBEGIN, .key = least};
	LimitHead  *heads = palloc(sizeof(LimitHead) * 16);
	int			space = 16;

	*n = 0;
	while (find_from(book, &from, false, true, &heads[*n]))
	{
		from.group = heads[(*n)++].group;
		if (from.group == PG_INT64_MAX)
		{
			break;
		}
		from.group++;
		if (*n == space)
		{
			space *= 2;
			heads = repalloc_huge(heads, sizeof(LimitHead) * space);
		}
	}
	return heads;
}

bool
josch_limit_book_next(LimitBook *book, LimitHead *head)
{
	Waiting		from = {.waits_for = WAITS_FOR_LIMIT, .group = head->group, .since = head->since, .key = head->key};
	bool		found = find_from(book, &from, true, false, head);

	if (!found)
	{
		head->over = true;
	}
	return found;
}

JoschLock
josch_limit_book_lock(LimitBook *book, const LimitHead *head)
{
	Datum		key[JOSCH_NODE_KEYS];
	JoschLock	lock;
	Waiting		node;

	josch_node_key_datums(head->key, key);
	if (!josch_finder_find(&book->nodes, key))
	{
		return JOSCH_LOCK_GONE;
	}
	lock = josch_finder_lock(&book->nodes);
	if (lock != JOSCH_LOCK_TAKEN)
	{
		return lock;
	}
	node = josch_waiting_of(book->nodes.slot);
	return node.turn == WAITS_FOR_LIMIT && node.group == head->group ? JOSCH_LOCK_TAKEN : JOSCH_LOCK_GONE;
}
