/*
 * src/graph/store_graph_lock.c
 *	  Locks of those who change templates' dependencies, and of those who make days.
 *
 * The locks are on numbers that belong to no row, so that no SQL can take them.
 * Held are, of kinds that do not know of each other:
 *
 * - Templates.  Two transactions must not each add half of a cycle.  All that
 *   a new dependency could close a cycle with lies in jobs that are linked with
 *   its own, by dependencies of any direction: whoever adds one locks all of
 *   these.  Who joins two such groups holds both.
 * - Days.  Whoever makes a day looks at the days of the jobs that it depends
 *   on, and whoever makes one of those looks for who waits for it; if neither
 *   sees the other's rows both are wrong.  So who makes or takes back a day
 *   locks its job, and shares the jobs of its parents, as do those who add to a
 *   day.  Who gives a node of the templates to another job locks both.  Those who
 *   make days of all jobs take turns, as they take what is free first and would
 *   each end with a part.
 *
 * Each takes all of its locks in the order of their numbers.  A number is a hash
 * of the job's name, so that thousands of jobs do not fill the lock table; two
 * names with one number wait for each other now and then, and nothing worse.
 */
#include "base/josch.h"

#include "graph/store_graph_lock.h"

#include "catalog/namespace.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/finder.h"
#include "base/spi_plan.h"
#include "base/table.h"
#include "base/wait.h"
#include "graph/template_deps.h"

#define NUMBERS 4096

typedef enum LockKind
{
	LOCK_ALL_TEMPLATES, LOCK_TEMPLATES, LOCK_ALL_DAYS, LOCK_DAYS
} LockKind;

/* Numbers to be locked. */
typedef struct Numbers
{
	LockKind	kind;
	Bitmapset  *own;			/* alone */
	Bitmapset  *shared;
} Numbers;

/* $1 node ids */
static JoschPlan jobs_of_nodes = JOSCH_PLAN(
	"SELECT DISTINCT job_name FROM josch.tpl_nodes WHERE node_id = ANY ($1)",
	INT8ARRAYOID);

/* Of templates and of days: the key of a node, and its job. */
static const JoschColumn template_columns[] = {{"node_id", INT8OID}, {"job_name", TEXTOID}};
static AttrNumber template_numbers[lengthof(template_columns)];
static JoschTable tpl_nodes = JOSCH_TABLE("tpl_nodes", template_columns, template_numbers);

static const JoschColumn day_columns[] = {{"job_date", DATEOID}, {"node_id", INT8OID}, {"job_name", TEXTOID}};
static AttrNumber day_numbers[lengthof(day_columns)];
static JoschTable nodes = JOSCH_TABLE("nodes", day_columns, day_numbers);

/* the jobs of nodes in templates and, where they are there, in days */
static JoschPlan jobs_of_keys = JOSCH_PLAN(
	"SELECT job_name FROM josch.tpl_nodes WHERE node_id = ANY ($1)"
	" UNION "
	"SELECT n.job_name FROM unnest($1, $2) k (node_id, job_date)"
	"  JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date",
	INT8ARRAYOID, DATEARRAYOID);

/* ---- numbers ---- */

static LOCKTAG
tag_of(LockKind kind, int number)
{
	LOCKTAG		tag;

	/* the class of an object's lock is a catalog; this one is no catalog, so nobody else comes here */
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId,
					   get_relname_relid("tpl_jobs", get_namespace_oid(JOSCH_SCHEMA, false)),
					   number, kind);
	return tag;
}

static int
number_of(const char *job_name)
{
	return hash_bytes((const unsigned char *) job_name, strlen(job_name)) % NUMBERS;
}

static Bitmapset *
add_names(Bitmapset *numbers, char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		numbers = bms_add_member(numbers, number_of(names[i]));
	}
	return numbers;
}

/* Takes the locks in the order of their numbers. */
static DayLocks
lock_numbers(const Numbers *numbers, bool waits)
{
	Bitmapset  *all = bms_union(numbers->own, numbers->shared);
	DayLocks	result = DAY_LOCKS_HELD;

	for (int number = -1; (number = bms_next_member(all, number)) >= 0;)
	{
		LOCKTAG		tag = tag_of(numbers->kind, number);
		LOCKMODE	mode = bms_is_member(number, numbers->own) ? ExclusiveLock : ShareLock;

		switch (LockAcquire(&tag, mode, false, !waits))
		{
			case LOCKACQUIRE_NOT_AVAIL:
				return DAY_LOCKS_REFUSED;
			case LOCKACQUIRE_OK:
				result = DAY_LOCKS_TAKEN;
				break;
			default:
				break;
		}
	}
	return result;
}

static void
release_numbers(const Numbers *numbers)
{
	for (int number = -1; (number = bms_next_member(numbers->own, number)) >= 0;)
	{
		LOCKTAG		tag = tag_of(numbers->kind, number);

		(void) LockRelease(&tag, ExclusiveLock, false);
	}
}

static void
wait_for_numbers(void *argument)
{
	(void) lock_numbers(argument, true);
}

/* ---- names ---- */

/* The names of a result, in the current context. */
static char **
fetch_names(uint64 rows)
{
	char	  **names = palloc(sizeof(char *) * Max(rows, 1));

	for (uint64 i = 0; i < rows; i++)
	{
		names[i] = josch_spi_text(i, 1);
	}
	return names;
}

/* The numbers of the jobs in a result. */
static Bitmapset *
fetch_numbers(MemoryContext caller, uint64 rows)
{
	char	  **names = fetch_names(rows);
	MemoryContext inner = MemoryContextSwitchTo(caller);
	Bitmapset  *numbers = add_names(NULL, names, (int) rows);

	MemoryContextSwitchTo(inner);
	return numbers;
}

static bool
is_among(const char *name, char *const *names, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (strcmp(names[i], name) == 0)
		{
			return true;
		}
	}
	return false;
}

/* The numbers of the nodes' jobs and of all that are linked with them, over however many steps. */
static Bitmapset *
numbers_of_linked(Datum node_ids)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Bitmapset  *numbers = NULL;
	char	  **names;
	int			from = 0;
	int			n;

	josch_spi_begin(&spi);
	n = (int) josch_spi_run_latest(&jobs_of_nodes, &node_ids, NULL);
	names = fetch_names(n);
	while (from < n)
	{
		int			more;
		char	  **linked = josch_template_deps_linked_jobs(names + from, n - from, &more);

		from = n;
		names = repalloc_huge(names, sizeof(char *) * Max(n + more, 1));
		for (int i = 0; i < more; i++)
		{
			if (!is_among(linked[i], names, n))
			{
				names[n++] = linked[i];
			}
		}
	}
	MemoryContextSwitchTo(caller);
	numbers = add_names(NULL, names, n);
	josch_spi_end(&spi);
	return numbers;
}

/* ---- templates ---- */

void
josch_store_graph_lock_templates(void)
{
	Numbers		numbers = {.kind = LOCK_ALL_TEMPLATES,.own = bms_make_singleton(0)};

	josch_wait(wait_for_numbers, &numbers, "the load");
}

/* Whether a load of this transaction keeps out all who change templates' dependencies. */
static bool
holds_all_templates(void)
{
	LOCKTAG		tag = tag_of(LOCK_ALL_TEMPLATES, 0);

	return josch_lock_held_by_me(&tag, ExclusiveLock);
}

/* While it waits others may link more jobs to those that it waits for. */
static void
lock_linked(void *argument)
{
	Datum		node_ids = *(Datum *) argument;
	Numbers		all = {.kind = LOCK_ALL_TEMPLATES,.shared = bms_make_singleton(0)};
	Numbers		numbers = {.kind = LOCK_TEMPLATES,.own = numbers_of_linked(node_ids)};

	(void) lock_numbers(&all, true);
	for (;;)
	{
		Bitmapset  *now;

		(void) lock_numbers(&numbers, true);
		now = numbers_of_linked(node_ids);
		if (bms_is_subset(now, numbers.own))
		{
			return;
		}
		release_numbers(&numbers);
		numbers.own = now;
	}
}

void
josch_store_graph_lock_linked(const int64 *node_ids, int n)
{
	if (!holds_all_templates())
	{
		Datum		ids = josch_spi_int64_array(node_ids, n);

		josch_wait(lock_linked, &ids, "a change of template dependencies");
	}
}

/* ---- days ---- */

/* Most find their locks free, and need no subtransaction. */
static void
lock_or_wait(Numbers *numbers, const char *waiter)
{
	if (lock_numbers(numbers, false) == DAY_LOCKS_REFUSED)
	{
		josch_wait(wait_for_numbers, numbers, waiter);
	}
}

void
josch_store_graph_lock_jobs(char *const *job_names, int n)
{
	Numbers		numbers = {.kind = LOCK_DAYS,.own = add_names(NULL, job_names, n)};

	lock_or_wait(&numbers, "the change of a job");
}

void
josch_store_graph_lock_added(const NodeKey *keys, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	Numbers		numbers = {.kind = LOCK_DAYS};
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	numbers.own = fetch_numbers(caller, josch_spi_run_latest(&jobs_of_keys, args, NULL));
	josch_spi_end(&spi);
	lock_or_wait(&numbers, "the change of a day");
}

/* Adds the number of the job that the row with that key has, whose name comes after the key; there may be none. */
static Bitmapset *
add_job_of(Bitmapset *numbers, JoschTable *table, int nkeys, const Datum *key)
{
	JoschFinder finder;
	bool		isnull;

	josch_finder_open(&finder, table, nkeys, AccessShareLock);
	if (josch_finder_find(&finder, key))
	{
		char	   *name = TextDatumGetCString(josch_finder_get(&finder, nkeys, &isnull));

		numbers = add_names(numbers, &name, 1);
	}
	josch_finder_close(&finder);
	return numbers;
}

void
josch_store_graph_lock_node(NodeKey key, char *job_name)
{
	Numbers		numbers = {.kind = LOCK_DAYS,.own = add_names(NULL, &job_name, 1)};
	Datum		of_template[] = {Int64GetDatum(key.node_id)};
	Datum		of_day[] = {DateADTGetDatum(key.job_date), Int64GetDatum(key.node_id)};

	numbers.own = add_job_of(numbers.own, &tpl_nodes, lengthof(of_template), of_template);
	numbers.own = add_job_of(numbers.own, &nodes, lengthof(of_day), of_day);
	lock_or_wait(&numbers, "the change of a day");
}

ErrorData *
josch_store_graph_lock_all_days(void)
{
	Numbers		numbers = {.kind = LOCK_ALL_DAYS,.own = bms_make_singleton(0)};

	return josch_wait_attempt(wait_for_numbers, &numbers, "josch.schedule()", false);
}

DayLocks
josch_store_graph_lock_days(Snapshot templates, char *const *job_names, int n, bool waits)
{
	Numbers		numbers = {.kind = LOCK_DAYS,.own = add_names(NULL, job_names, n)};
	int			nparents;
	char	  **parents = josch_template_deps_parent_jobs(templates, job_names, n, &nparents);

	numbers.shared = add_names(NULL, parents, nparents);
	return lock_numbers(&numbers, waits);
}
