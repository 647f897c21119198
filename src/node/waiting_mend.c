/*
 * src/node/waiting_mend.c
 *	  josch.waiting made true where it is not: nodes were loaded with all triggers off.
 */
#include "base/josch.h"

#include "node/waiting_mend.h"

#include "access/table.h"
#include "miscadmin.h"

#include "base/finder.h"
#include "base/shims.h"
#include "node/node_table.h"
#include "node/waiting.h"

/* Nodes of which the list does not say what it ought to. */
typedef struct Mending
{
	JoschFinder nodes;
	JoschFinder list;
	Waiting    *wrong;
	int64		n;
	int64		space;
} Mending;

static void
note_wrong(Mending *mending, Waiting waiting)
{
	if (mending->n == mending->space)
	{
		mending->space = Max(mending->space * 2, 64);
		mending->wrong = mending->wrong == NULL ? palloc(sizeof(Waiting) * mending->space) :
			repalloc_huge(mending->wrong, sizeof(Waiting) * mending->space);
	}
	mending->wrong[mending->n++] = waiting;
}

/* Nodes that the list leaves out. */
static void
find_left_out(Mending *mending)
{
	TableScanDesc scan = josch_table_beginscan(mending->nodes.relation, mending->nodes.snapshot);
	TupleTableSlot *slot = table_slot_create(mending->nodes.relation, NULL);

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		Waiting		waiting = josch_waiting_of(slot);

		CHECK_FOR_INTERRUPTS();
		if (waiting.waits_for != WAITS_FOR_NOTHING && !josch_waiting_find(&mending->list, waiting))
		{
			note_wrong(mending, waiting);
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
}

/* Whether the row says what the node waits for, or waited for until its time had come, or its job was paused. */
static bool
is_true(const Waiting *row, const Waiting *node)
{
	bool		starts = node->turn == WAITS_FOR_COMMAND || node->turn == WAITS_FOR_SQL || node->turn == WAITS_FOR_LIMIT;

	if (row->waits_for == WAITS_FOR_LIMIT && node->turn == WAITS_FOR_LIMIT)
	{
		return row->group == node->group && row->since == node->since;
	}
	return (row->waits_for == node->waits_for && (row->waits_for != WAITS_FOR_TIME || row->due_at == node->due_at)) ||
		row->waits_for == node->turn || (row->waits_for == WAITS_FOR_RESUME && starts);
}

/* Rows of nodes that are gone, or do not wait for that. */
static void
find_in_vain(Mending *mending)
{
	TableScanDesc scan = josch_table_beginscan(mending->list.relation, mending->list.snapshot);
	Datum		key[JOSCH_NODE_KEYS];

	while (table_scan_getnextslot(scan, ForwardScanDirection, mending->list.slot))
	{
		Waiting		row = josch_waiting_read_row(&mending->list);
		Waiting		waiting = {0};

		CHECK_FOR_INTERRUPTS();
		josch_node_key_datums(row.key, key);
		if (josch_finder_find(&mending->nodes, key))
		{
			waiting = josch_waiting_of(mending->nodes.slot);
		}
		if (!is_true(&row, &waiting))
		{
			note_wrong(mending, row);
		}
	}
	table_endscan(scan);
}

/* Says of one node what is true; false when somebody holds it, who may say so meanwhile. */
static bool
mend(Waiting wrong)
{
	static const char all[] = {WAITS_FOR_TURN, WAITS_FOR_COMMAND, WAITS_FOR_SQL, WAITS_FOR_WORLD, WAITS_FOR_PERSON,
	WAITS_FOR_RELEASE, WAITS_FOR_RULE, WAITS_FOR_RESUME};
	Waiting		rows[lengthof(all) + 2];
	Waiting		come = {0};
	Datum		key[JOSCH_NODE_KEYS];
	JoschFinder nodes;
	JoschLock	lock = JOSCH_LOCK_GONE;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	josch_node_key_datums(wrong.key, key);
	if (josch_finder_find(&nodes, key) && (lock = josch_finder_lock(&nodes)) == JOSCH_LOCK_TAKEN)
	{
		come = josch_waiting_of(nodes.slot);
	}
	josch_finder_close(&nodes);
	if (lock == JOSCH_LOCK_HELD)
	{
		return false;
	}
	for (int i = 0; i < (int) lengthof(all); i++)
	{
		rows[i] = (Waiting) {.waits_for = all[i], .due_at = DT_NOBEGIN, .key = wrong.key};
	}
	rows[lengthof(all)] = wrong;
	rows[lengthof(all) + 1] = come;
	josch_waiting_take_out(rows, lengthof(rows) - (come.waits_for == WAITS_FOR_NOTHING));
	josch_waiting_put_in(&come, come.waits_for != WAITS_FOR_NOTHING);
	return true;
}

int64
josch_waiting_mend(void)
{
	Mending		mending = {0};
	int64		mended = 0;

	josch_finder_open(&mending.nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	josch_finder_open(&mending.list, &josch_waiting, JOSCH_WAITING_KEYS, RowExclusiveLock);
	find_left_out(&mending);
	find_in_vain(&mending);
	josch_finder_close(&mending.list);
	josch_finder_close(&mending.nodes);
	for (int64 i = 0; i < mending.n; i++)
	{
		mended += mend(mending.wrong[i]);
	}
	return mended;
}
