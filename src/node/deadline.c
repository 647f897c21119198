/*
 * src/node/deadline.c
 *	  josch.deadlines: what nodes are to have done by when, and have not.
 *
 * Nearly all nodes have no deadline: of these nothing is read but that.  A deadline
 * that has passed stays in the list until it is met, so that the alarm about it is
 * open for as long.
 */
#include "base/josch.h"

#include "node/deadline.h"

#include "access/table.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/timestamp.h"

#include "base/finder.h"
#include "base/node_key.h"
#include "base/shims.h"
#include "base/states.h"
#include "base/writer.h"
#include "node/node_table.h"

enum
{
	DUE_AT, JOB_DATE, NODE_ID, KIND, NCOLUMNS
};

static const JoschColumn columns[NCOLUMNS] = {
	[DUE_AT] = {"due_at", TIMESTAMPTZOID}, [JOB_DATE] = {"job_date", DATEOID}, [NODE_ID] = {"node_id", INT8OID},
	[KIND] = {"kind", CHAROID}
};
static AttrNumber numbers[NCOLUMNS];
static JoschTable table = JOSCH_TABLE("deadlines", columns, numbers);

/* ---- what a node owes ---- */

static Datum
column(TupleTableSlot *node, NodesColumn column, bool *isnull)
{
	return slot_getattr(node, josch_nodes.numbers[column], isnull);
}

/* As time elapses, whatever the clock on the wall does: as extract(epoch) counts. */
static int64
elapsed(const Interval *span)
{
	return span->time + (span->day + (int64) (span->month % MONTHS_PER_YEAR) * DAYS_PER_MONTH) * USECS_PER_DAY +
		(int64) (span->month / MONTHS_PER_YEAR * DAYS_PER_YEAR * USECS_PER_DAY);
}

/* It has never begun; one that is to begin anew has. */
static bool
is_fresh(TupleTableSlot *node, NodeState state)
{
	bool		isnull;

	return (state == NODE_STATE_PENDING || state == NODE_STATE_READY || state == NODE_STATE_HELD) &&
		DatumGetInt32(column(node, NODES_ATTEMPT, &isnull)) == 0;
}

/* What waits for its success waits no more, or never will: nothing is owed. */
static bool
is_done(NodeState state)
{
	return josch_states[state].final || josch_states[state].means[CONDITION_SUCCESS] == PARENT_SATISFIED;
}

static void
add(Deadline *deadlines, int *n, const Deadline *of, char kind, TimestampTz due_at)
{
	deadlines[*n] = *of;
	deadlines[*n].kind = kind;
	deadlines[(*n)++].due_at = due_at;
}

int
josch_deadline_of(TupleTableSlot *node, Deadline *deadlines)
{
	bool		no_start;
	bool		no_end;
	bool		no_limit;
	bool		isnull;
	int			n = 0;
	NodeState	state;
	Deadline	of = {0};
	Datum		limit = column(node, NODES_MAX_DURATION, &no_limit);
	Datum		start_by = column(node, NODES_LATE_START_AT, &no_start);
	Datum		finish_by = column(node, NODES_LATE_END_AT, &no_end);
	Datum		started_at;

	if (no_limit && no_start && no_end)
	{
		return 0;
	}
	state = josch_node_state(column(node, NODES_STATE, &isnull));
	of.key.job_date = DatumGetDateADT(column(node, NODES_JOB_DATE, &isnull));
	of.key.node_id = DatumGetInt64(column(node, NODES_NODE_ID, &isnull));
	if (!no_start && is_fresh(node, state))
	{
		add(deadlines, &n, &of, DEADLINE_START, DatumGetTimestampTz(start_by));
	}
	if (!no_end && !is_done(state))
	{
		add(deadlines, &n, &of, DEADLINE_END, DatumGetTimestampTz(finish_by));
	}
	started_at = column(node, NODES_STARTED_AT, &isnull);
	if (!no_limit && !isnull && state == NODE_STATE_RUNNING)
	{
		add(deadlines, &n, &of, DEADLINE_DURATION, DatumGetTimestampTz(started_at) + elapsed(DatumGetIntervalP(limit)));
	}
	return n;
}

/* ---- what changes ---- */

static bool
is_same(const Deadline *a, const Deadline *b)
{
	return a->kind == b->kind && a->due_at == b->due_at && josch_node_key_equal(a->key, b->key);
}

static bool
is_among(const Deadline *deadline, const Deadline *others, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (is_same(deadline, &others[i]))
		{
			return true;
		}
	}
	return false;
}

static void
make_room(DeadlineChanges *changes)
{
	if (Max(changes->ngone, changes->ncome) + DEADLINE_KINDS <= changes->capacity)
	{
		return;
	}
	changes->capacity = Max(changes->capacity * 2, 64);
	changes->gone = changes->gone == NULL ? palloc(sizeof(Deadline) * changes->capacity) :
		repalloc_huge(changes->gone, sizeof(Deadline) * changes->capacity);
	changes->come = changes->come == NULL ? palloc(sizeof(Deadline) * changes->capacity) :
		repalloc_huge(changes->come, sizeof(Deadline) * changes->capacity);
}

void
josch_deadline_note(DeadlineChanges *changes, TupleTableSlot *before, TupleTableSlot *after)
{
	Deadline	former[DEADLINE_KINDS];
	Deadline	next[DEADLINE_KINDS];
	int			nformer = TupIsNull(before) ? 0 : josch_deadline_of(before, former);
	int			nnext = TupIsNull(after) ? 0 : josch_deadline_of(after, next);

	if (nformer == 0 && nnext == 0)
	{
		return;
	}
	make_room(changes);
	for (int i = 0; i < nformer; i++)
	{
		if (!is_among(&former[i], next, nnext))
		{
			changes->gone[changes->ngone++] = former[i];
		}
	}
	for (int i = 0; i < nnext; i++)
	{
		if (!is_among(&next[i], former, nformer))
		{
			changes->come[changes->ncome++] = next[i];
		}
	}
}

/* ---- the table ---- */

static void
set_datums(const Deadline *deadline, Datum *datums)
{
	datums[DUE_AT] = TimestampTzGetDatum(deadline->due_at);
	datums[JOB_DATE] = DateADTGetDatum(deadline->key.job_date);
	datums[NODE_ID] = Int64GetDatum(deadline->key.node_id);
	datums[KIND] = CharGetDatum(deadline->kind);
}

static bool
find(JoschFinder *list, const Deadline *deadline)
{
	Datum		key[NCOLUMNS];

	set_datums(deadline, key);
	return josch_finder_find(list, key);
}

static void
take_out(const Deadline *rows, int n)
{
	JoschFinder list;

	if (n == 0)
	{
		return;
	}
	josch_finder_open(&list, &table, NCOLUMNS, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		if (find(&list, &rows[i]))
		{
			josch_finder_delete(&list);
		}
	}
	josch_finder_close(&list);
}

typedef struct Rows
{
	JoschFinder list;
	const Deadline *rows;
	int			n;
	int			at;
} Rows;

/* JoschNextRow: a stale row of the same key does as well */
static bool
next_row(void *arg, Datum *values, bool *nulls)
{
	Rows	   *rows = arg;

	while (rows->at < rows->n)
	{
		const Deadline *row = &rows->rows[rows->at++];

		if (!find(&rows->list, row))
		{
			set_datums(row, values);
			return true;
		}
	}
	return false;
}

static void
put_in(const Deadline *deadlines, int n)
{
	Rows		rows = {.rows = deadlines, .n = n};

	if (n == 0)
	{
		return;
	}
	josch_finder_open(&rows.list, &table, NCOLUMNS, RowExclusiveLock);
	josch_writer_insert(&table, NULL, next_row, &rows);
	josch_finder_close(&rows.list);
}

void
josch_deadline_write(const DeadlineChanges *changes)
{
	take_out(changes->gone, changes->ngone);
	put_in(changes->come, changes->ncome);
}

/* ---- nodes that were loaded with all triggers off ---- */

static Deadline
read_row(JoschFinder *list)
{
	bool		isnull;
	Deadline	row = {
		.due_at = DatumGetTimestampTz(josch_finder_get(list, DUE_AT, &isnull)),
		.kind = DatumGetChar(josch_finder_get(list, KIND, &isnull)),
		.key = {
			.node_id = DatumGetInt64(josch_finder_get(list, NODE_ID, &isnull)),
			.job_date = DatumGetDateADT(josch_finder_get(list, JOB_DATE, &isnull))
		}
	};

	return row;
}

/* Deadlines of nodes that the list leaves out. */
static void
find_left_out(JoschFinder *nodes, JoschFinder *list, DeadlineChanges *wrong)
{
	TableScanDesc scan = josch_table_beginscan(nodes->relation, nodes->snapshot);
	TupleTableSlot *slot = table_slot_create(nodes->relation, NULL);
	Deadline	owed[DEADLINE_KINDS];

	while (table_scan_getnextslot(scan, ForwardScanDirection, slot))
	{
		int			n = josch_deadline_of(slot, owed);

		CHECK_FOR_INTERRUPTS();
		for (int i = 0; i < n; i++)
		{
			if (!find(list, &owed[i]))
			{
				make_room(wrong);
				wrong->come[wrong->ncome++] = owed[i];
			}
		}
	}
	ExecDropSingleTupleTableSlot(slot);
	table_endscan(scan);
}

/* Rows that no node owes. */
static void
find_in_vain(JoschFinder *nodes, JoschFinder *list, DeadlineChanges *wrong)
{
	TableScanDesc scan = josch_table_beginscan(list->relation, list->snapshot);
	Deadline	owed[DEADLINE_KINDS];

	while (table_scan_getnextslot(scan, ForwardScanDirection, list->slot))
	{
		Deadline	row = read_row(list);
		Datum		key[JOSCH_NODE_KEYS];
		int			n;

		CHECK_FOR_INTERRUPTS();
		josch_node_key_datums(row.key, key);
		n = josch_finder_find(nodes, key) ? josch_deadline_of(nodes->slot, owed) : 0;
		if (!is_among(&row, owed, n))
		{
			make_room(wrong);
			wrong->gone[wrong->ngone++] = row;
		}
	}
	table_endscan(scan);
}

/* Says of the node of that row what is true; false when somebody holds it, who may say so meanwhile. */
static bool
mend(const Deadline *wrong)
{
	Deadline	owed[DEADLINE_KINDS];
	Datum		key[JOSCH_NODE_KEYS];
	JoschFinder nodes;
	JoschLock	lock = JOSCH_LOCK_GONE;
	int			n = 0;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	josch_node_key_datums(wrong->key, key);
	if (josch_finder_find(&nodes, key) && (lock = josch_finder_lock(&nodes)) == JOSCH_LOCK_TAKEN)
	{
		n = josch_deadline_of(nodes.slot, owed);
	}
	josch_finder_close(&nodes);
	if (lock == JOSCH_LOCK_HELD)
	{
		return false;
	}
	take_out(wrong, is_among(wrong, owed, n) ? 0 : 1);
	put_in(owed, n);
	return true;
}

int64
josch_deadline_mend(void)
{
	DeadlineChanges wrong = {0};
	JoschFinder nodes;
	JoschFinder list;
	int64		mended = 0;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	josch_finder_open(&list, &table, NCOLUMNS, RowExclusiveLock);
	find_left_out(&nodes, &list, &wrong);
	find_in_vain(&nodes, &list, &wrong);
	josch_finder_close(&list);
	josch_finder_close(&nodes);
	for (int i = 0; i < wrong.ncome; i++)
	{
		mended += mend(&wrong.come[i]);
	}
	for (int i = 0; i < wrong.ngone; i++)
	{
		mended += mend(&wrong.gone[i]);
	}
	return mended;
}
