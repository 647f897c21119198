/*
 * src/run/store_world.c
 *	  Nodes that are ready and due, and wait for a file or a query.
 *
 * All by keys, past the planner: thousands may wait at once.
 */
#include "base/josch.h"

#include "run/store_world.h"

#include "common/hashfn.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/finder.h"
#include "base/role.h"
#include "base/update.h"
#include "node/node_table.h"
#include "node/waiting.h"

uint64
josch_store_world_hash(const char *text)
{
	uint64		hash = hash_bytes_extended((const unsigned char *) text, (int) strlen(text), 0);

	return hash != 0 ? hash : 1;
}

/* Months and days count as in extract(epoch), but no interval of these has any. */
static int64
milliseconds(JoschFinder *nodes, int column)
{
	bool		isnull;
	Interval   *interval = DatumGetIntervalP(josch_finder_get(nodes, column, &isnull));

	return (interval->time + ((int64) interval->month * DAYS_PER_MONTH + interval->day) * USECS_PER_DAY) / 1000;
}

static bool
is_null(JoschFinder *nodes, int column)
{
	bool		isnull;

	(void) josch_finder_get(nodes, column, &isnull);
	return isnull;
}

static StoreWaited
read_waited(JoschFinder *nodes, NodeKey key)
{
	StoreWaited waited = {.key = key};
	bool		isnull;
	char	   *query = is_null(nodes, NODES_SQL_TRUE_AT) ? josch_finder_get_text(nodes, NODES_WAIT_SQL) : NULL;

	waited.wait_file = is_null(nodes, NODES_FILE_FOUND) ? josch_finder_get_text(nodes, NODES_WAIT_FILE) : NULL;
	waited.stable_ms = milliseconds(nodes, NODES_WAIT_STABLE);
	waited.interval_ms = milliseconds(nodes, NODES_WAIT_INTERVAL);
	waited.query = query != NULL ? josch_store_world_hash(query) : 0;
	waited.owner = josch_role_oid((JoschRole *) DatumGetPointer(josch_finder_get(nodes, NODES_OWNER, &isnull)));
	waited.message = josch_finder_get_text(nodes, NODES_MESSAGE);
	return waited;
}

StoreWaited *
josch_store_world_list(int limit, int *n)
{
	Waiting		first = {.waits_for = WAITS_FOR_WORLD, .key = {PG_INT64_MIN, DATEVAL_NOBEGIN}};
	StoreWaited *list = NULL;
	int			space = 0;
	Datum		from[JOSCH_WAITING_KEYS];
	Datum		key[JOSCH_NODE_KEYS];
	JoschFinder waiting;
	JoschFinder nodes;

	*n = 0;
	josch_waiting_datums(&first, from);
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	josch_finder_open_range(&waiting, &josch_waiting, JOSCH_WAITING_KEYS, AccessShareLock);
	josch_finder_seek_from(&waiting, from);
	while (*n < limit && josch_finder_next(&waiting))
	{
		NodeKey		at = josch_waiting_read_row(&waiting).key;

		josch_node_key_datums(at, key);
		if (!josch_finder_find(&nodes, key) || josch_waiting_of(nodes.slot).turn != WAITS_FOR_WORLD)
		{
			continue;
		}
		if (*n == space)
		{
			space = Max(space * 2, 64);
			list = list == NULL ? palloc(sizeof(StoreWaited) * space) : repalloc_huge(list, sizeof(StoreWaited) * space);
		}
		list[(*n)++] = read_waited(&nodes, at);
	}
	josch_finder_close(&waiting);
	josch_finder_close(&nodes);
	return list;
}

char *
josch_store_world_query(NodeKey key, uint64 query)
{
	JoschFinder nodes;
	Datum		datums[JOSCH_NODE_KEYS];
	char	   *text = NULL;

	josch_node_key_datums(key, datums);
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	if (josch_finder_find(&nodes, datums) && josch_waiting_of(nodes.slot).turn == WAITS_FOR_WORLD && is_null(&nodes, NODES_SQL_TRUE_AT))
	{
		text = josch_finder_get_text(&nodes, NODES_WAIT_SQL);
	}
	josch_finder_close(&nodes);
	return text != NULL && josch_store_world_hash(text) == query ? text : NULL;
}

/* ---- what is found ---- */

/* Whether the node at hand still waits for what the fact is about. */
static bool
is_asked(JoschUpdate *nodes, const WorldFact *fact)
{
	bool		isnull;
	Datum		asked;

	if (josch_waiting_of(josch_update_row(nodes)).turn != WAITS_FOR_WORLD)
	{
		return false;
	}
	if (fact->asked == 0)
	{
		return true;
	}
	asked = josch_update_get(nodes, fact->kind == WORLD_FILE ? NODES_WAIT_FILE : NODES_WAIT_SQL, &isnull);
	return !isnull && josch_store_world_hash(TextDatumGetCString(asked)) == fact->asked;
}

static bool
put(JoschUpdate *nodes, const WorldFact *fact)
{
	switch (fact->kind)
	{
		case WORLD_FILE:
			josch_update_set_text(nodes, NODES_FILE_FOUND, fact->text);
			josch_update_set_null(nodes, NODES_MESSAGE);
			break;
		case WORLD_SQL:
			josch_update_set(nodes, NODES_SQL_TRUE_AT, TimestampTzGetDatum(fact->at));
			josch_update_set_null(nodes, NODES_MESSAGE);
			break;
		case WORLD_TROUBLE:
			josch_update_set_text(nodes, NODES_MESSAGE, fact->text);
			break;
	}
	return josch_update_write(nodes);
}

int
josch_store_world_apply(WorldFact **facts, int n, int *held)
{
	static const int changed[] = {NODES_FILE_FOUND, NODES_SQL_TRUE_AT, NODES_MESSAGE};
	JoschUpdate *nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);
	bool	   *done = palloc0(sizeof(bool) * Max(n, 1));
	int			written = 0;

	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];
		JoschFound	found;

		josch_node_key_datums(facts[i]->key, key);
		found = josch_update_find(nodes, key);
		done[i] = found != JOSCH_HELD;
		*held += found == JOSCH_HELD;
		if (found == JOSCH_FOUND && is_asked(nodes, facts[i]))
		{
			written += put(nodes, facts[i]);
		}
	}
	josch_update_end(nodes);
	for (int i = 0; i < n; i++)
	{
		facts[i]->done = done[i];
	}
	return written;
}
