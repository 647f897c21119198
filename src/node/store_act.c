/*
 * src/node/store_act.c
 *	  What a person changes: the node itself, and the locks of what is held back by it.
 *
 * Part of store_node.h.  A statement that is planned each time would be most of an act.
 * Rows are found by their key, and no statistics can make it a search.
 */
#include "base/josch.h"

#include "node/store_node.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/finder.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/update.h"
#include "node/node_table.h"

/* Of nodes: the key, and what is asked or changed here. */
enum
{
	ACT_JOB_DATE, ACT_NODE_ID, ACT_LEVEL, ACT_STATE, ACT_COMMENT, ACT_COLUMNS
};

static const JoschColumn columns[ACT_COLUMNS] = {
	[ACT_JOB_DATE] = {"job_date", DATEOID}, [ACT_NODE_ID] = {"node_id", INT8OID}, [ACT_LEVEL] = {"level", INT4OID},
	[ACT_STATE] = {"state", TEXTOID}, [ACT_COMMENT] = {"comment", TEXTOID}
};
static AttrNumber numbers[ACT_COLUMNS];
static JoschTable nodes_table = JOSCH_TABLE("nodes", columns, numbers);

/* A node that is to be locked, in the order of all locks. */
typedef struct Place
{
	int32		level;
	NodeKey		key;
} Place;

static int
compare_places(const void *a, const void *b)
{
	const Place *x = a;
	const Place *y = b;

	return x->level != y->level ? (x->level < y->level ? -1 : 1) : josch_node_key_compare(x->key, y->key);
}

void
josch_store_node_wait_for(const NodeKey *keys, int n)
{
	Place	   *places = palloc_extended(sizeof(Place) * Max(n, 1), MCXT_ALLOC_HUGE);
	JoschFinder nodes;
	Datum		key[JOSCH_NODE_KEYS];
	bool		isnull;

	josch_finder_open(&nodes, &nodes_table, JOSCH_NODE_KEYS, RowShareLock);
	for (int i = 0; i < n; i++)
	{
		josch_node_key_datums(keys[i], key);
		places[i].key = keys[i];
		places[i].level = josch_finder_find(&nodes, key) ?
			DatumGetInt32(josch_finder_get(&nodes, ACT_LEVEL, &isnull)) : 0;
	}
	qsort(places, n, sizeof(Place), compare_places);
	for (int i = 0; i < n; i++)
	{
		josch_node_key_datums(places[i].key, key);
		if (josch_finder_find(&nodes, key))
		{
			(void) josch_finder_wait(&nodes);
		}
	}
	josch_finder_close(&nodes);
}

void
josch_store_node_act(const NodeKey *keys, int n, NodeState to, const char *comment)
{
	static const int changed[] = {ACT_STATE, ACT_COMMENT};
	JoschUpdate *nodes = josch_update_begin(&nodes_table, JOSCH_NODE_KEYS, lengthof(changed), changed);
	Datum		key[JOSCH_NODE_KEYS];

	for (int i = 0; i < n; i++)
	{
		josch_node_key_datums(keys[i], key);
		if (josch_update_find(nodes, key) == JOSCH_FOUND)
		{
			josch_update_set_text(nodes, ACT_STATE, josch_fsm_label(to));
			josch_update_set_text(nodes, ACT_COMMENT, comment);
			(void) josch_update_write(nodes);
		}
	}
	josch_update_end(nodes);
}

NodeState
josch_store_node_state(NodeKey key)
{
	JoschFinder nodes;
	Datum		datums[JOSCH_NODE_KEYS];
	NodeState	state;
	bool		isnull;

	josch_node_key_datums(key, datums);
	josch_finder_open(&nodes, &nodes_table, JOSCH_NODE_KEYS, AccessShareLock);
	if (!josch_finder_find(&nodes, datums) ||
		!josch_fsm_parse(TextDatumGetCString(josch_finder_get(&nodes, ACT_STATE, &isnull)), &state))
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	josch_finder_close(&nodes);
	return state;
}
