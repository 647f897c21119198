/*
 * src/node/waiting.c
 *	  josch.waiting: the nodes that wait, each with what it waits for.
 *
 * Whoever changes a row of the list has locked the node, so that no two meet at a row.
 */
#include "base/josch.h"

#include "node/waiting.h"

#include "common/hashfn.h"
#include "miscadmin.h"

#include "base/finder.h"
#include "base/node_key.h"
#include "base/writer.h"
#include "node/join.h"
#include "node/node_table.h"

void
josch_waiting_datums(const Waiting *waiting, Datum datums[JOSCH_WAITING_KEYS])
{
	bool		limited = waiting->waits_for == WAITS_FOR_LIMIT;

	datums[WAITING_WAITS_FOR] = CharGetDatum(waiting->waits_for);
	datums[WAITING_LIMIT_GROUP] = Int64GetDatum(limited ? waiting->group : 0);
	datums[WAITING_DUE_AT] = TimestampTzGetDatum(limited ? waiting->since : waiting->waits_for == WAITS_FOR_TIME ? waiting->due_at : DT_NOBEGIN);
	datums[WAITING_JOB_DATE] = DateADTGetDatum(waiting->key.job_date);
	datums[WAITING_NODE_ID] = Int64GetDatum(waiting->key.node_id);
}

static Datum
column(TupleTableSlot *node, NodesColumn column, bool *isnull)
{
	return slot_getattr(node, josch_nodes.numbers[column], isnull);
}

/* Whether a file that it waits for is not there yet, or what it asks is not true. */
static bool
waits_for_world(TupleTableSlot *node)
{
	bool		no_file;
	bool		no_sql;
	bool		not_found;
	bool		not_true;

	(void) column(node, NODES_WAIT_FILE, &no_file);
	(void) column(node, NODES_WAIT_SQL, &no_sql);
	(void) column(node, NODES_FILE_FOUND, &not_found);
	(void) column(node, NODES_SQL_TRUE_AT, &not_true);
	return (!no_file && not_found) || (!no_sql && not_true);
}

/* One that runs something, and has limits or a priority. */
static void
set_group(Waiting *waiting, TupleTableSlot *node)
{
	bool		isnull;
	int64		group = DatumGetInt64(column(node, NODES_LIMIT_GROUP, &isnull));
	int32		priority = DatumGetInt32(column(node, NODES_PRIORITY, &isnull));
	uint64		hash;

	if (group == 0 && priority == 0)
	{
		return;
	}
	hash = hash_bytes_uint32_extended((uint32) priority << 8 | (unsigned char) waiting->turn, (uint64) group);
	waiting->group = hash == 0 ? 1 : (int64) hash;
	waiting->since = Max(DatumGetTimestampTz(column(node, NODES_STATE_SINCE, &isnull)), waiting->due_at);
	waiting->turn = WAITS_FOR_LIMIT;
}

/* What a node that is ready waits for. */
static void
set_turn(Waiting *waiting, TupleTableSlot *node)
{
	bool		isnull;
	bool		no_command;
	bool		no_sql;
	bool		forced = DatumGetBool(column(node, NODES_FORCED, &isnull));
	TimestampTz due_at = DatumGetTimestampTz(column(node, NODES_DUE_AT, &isnull));
	TimestampTz not_before;

	if (!isnull && !forced)
	{
		waiting->due_at = due_at;
	}
	not_before = DatumGetTimestampTz(column(node, NODES_NOT_BEFORE, &isnull));
	if (!isnull)
	{
		waiting->due_at = Max(waiting->due_at, not_before);	/* who forces it takes that away */
	}
	(void) column(node, NODES_EXEC_COMMAND, &no_command);
	(void) column(node, NODES_EXEC_SQL, &no_sql);
	waiting->turn = !forced && waits_for_world(node) ? WAITS_FOR_WORLD : !no_command ? WAITS_FOR_COMMAND : !no_sql ? WAITS_FOR_SQL : WAITS_FOR_TURN;
	if (waiting->turn == WAITS_FOR_COMMAND || waiting->turn == WAITS_FOR_SQL)
	{
		set_group(waiting, node);
	}
	waiting->waits_for = waiting->due_at > DT_NOBEGIN ? WAITS_FOR_TIME : waiting->turn;
}

/*
 * Whether the end of a job is to be taken back: what has become of its job's nodes is no longer what it says.  One that
 * a person has started by force has said so for good.
 */
static bool
is_end_no_more(TupleTableSlot *node, NodeState state)
{
	bool		isnull;
	JoschJoin	join;

	if (!josch_node_ends_job(column(node, NODES_NODE_TYPE, &isnull)))
	{
		return false;
	}
	join = josch_join_of(node);
	return state == NODE_STATE_ABANDONED ? !josch_join_omits(&join) :
		!josch_join_lets_run(&join) && !DatumGetBool(column(node, NODES_FORCED, &isnull));
}

/*
 * Whether the next pass is to omit it (of the end of a job: to say that it has not ended well), or to take that back.
 * One that has run says itself that it is omitted; one that a person has started by force, or has acted on otherwise, is
 * in neither state.
 */
static bool
waits_for_rule(TupleTableSlot *node, NodeState state)
{
	bool		isnull;
	JoschJoin		join;

	if (state == NODE_STATE_PENDING)
	{
		join = josch_join_of(node);
		return josch_join_omits(&join) && !DatumGetBool(column(node, NODES_FORCED, &isnull));
	}
	if (state == NODE_STATE_OMITTED)
	{
		join = josch_join_of(node);
		(void) column(node, NODES_ENDED_AT, &isnull);
		return isnull && !josch_join_omits(&join);
	}
	return (state == NODE_STATE_SUCCEEDED || state == NODE_STATE_ABANDONED) && is_end_no_more(node, state);
}

Waiting
josch_waiting_of(TupleTableSlot *node)
{
	bool		isnull;
	NodeState	state = josch_node_state(column(node, NODES_STATE, &isnull));
	Waiting		waiting = {.due_at = DT_NOBEGIN};

	waiting.key.job_date = DatumGetDateADT(column(node, NODES_JOB_DATE, &isnull));
	waiting.key.node_id = DatumGetInt64(column(node, NODES_NODE_ID, &isnull));
	if (state == NODE_STATE_READY)
	{
		set_turn(&waiting, node);
	}
	else if (josch_states[state].attention)
	{
		waiting.waits_for = WAITS_FOR_PERSON;
	}
	else if (state == NODE_STATE_HELD)
	{
		waiting.waits_for = WAITS_FOR_RELEASE;
	}
	else if (waits_for_rule(node, state))
	{
		waiting.waits_for = waiting.turn = WAITS_FOR_RULE;
	}
	return waiting;
}

bool
josch_waiting_equal(const Waiting *a, const Waiting *b)
{
	return a->waits_for == b->waits_for && a->due_at == b->due_at && a->group == b->group && a->since == b->since &&
		josch_node_key_equal(a->key, b->key);
}

/* ---- the table ---- */

static bool
find(JoschFinder *list, const Waiting *waiting)
{
	Datum		key[JOSCH_WAITING_KEYS];

	josch_waiting_datums(waiting, key);
	return josch_finder_find(list, key);
}

bool
josch_waiting_find(JoschFinder *list, Waiting waiting)
{
	if (find(list, &waiting))
	{
		return true;
	}
	if (waiting.turn == WAITS_FOR_NOTHING)
	{
		return false;
	}
	waiting.waits_for = waiting.turn;
	if (find(list, &waiting))
	{
		return true;
	}
	waiting.waits_for = WAITS_FOR_RESUME;
	return find(list, &waiting);
}

void
josch_waiting_take_out(const Waiting *rows, int n)
{
	JoschFinder list;

	if (n == 0)
	{
		return;
	}
	josch_finder_open(&list, &josch_waiting, JOSCH_WAITING_KEYS, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		if (josch_waiting_find(&list, rows[i]))
		{
			josch_finder_delete(&list);
		}
	}
	josch_finder_close(&list);
}

/* Rows that are to be there; a stale one of the same key does as well. */
typedef struct Rows
{
	JoschFinder list;
	const Waiting *rows;
	int			n;
	int			at;
} Rows;

static bool
next_row(void *arg, Datum *values, bool *nulls)
{
	Rows	   *rows = arg;

	while (rows->at < rows->n)
	{
		const Waiting *row = &rows->rows[rows->at++];

		if (!find(&rows->list, row))
		{
			josch_waiting_datums(row, values);
			return true;
		}
	}
	return false;
}

void
josch_waiting_put_in(const Waiting *rows, int n)
{
	Rows		all = {.rows = rows, .n = n};

	if (n == 0)
	{
		return;
	}
	josch_finder_open(&all.list, &josch_waiting, JOSCH_WAITING_KEYS, RowExclusiveLock);
	josch_writer_insert(&josch_waiting, NULL, next_row, &all);
	josch_finder_close(&all.list);
}

Waiting
josch_waiting_read_row(JoschFinder *list)
{
	bool		isnull;
	Waiting		row = {
		.waits_for = DatumGetChar(josch_finder_get(list, WAITING_WAITS_FOR, &isnull)),
		.due_at = DatumGetTimestampTz(josch_finder_get(list, WAITING_DUE_AT, &isnull)),
		.group = DatumGetInt64(josch_finder_get(list, WAITING_LIMIT_GROUP, &isnull)),
		.key = {
			.node_id = DatumGetInt64(josch_finder_get(list, WAITING_NODE_ID, &isnull)),
			.job_date = DatumGetDateADT(josch_finder_get(list, WAITING_JOB_DATE, &isnull))
		}
	};

	if (row.waits_for == WAITS_FOR_LIMIT)
	{
		row.since = row.due_at;
		row.due_at = DT_NOBEGIN;
	}
	return row;
}

Waiting *
josch_waiting_list_due(TimestampTz now, int limit, int *n)
{
	Waiting    *due = palloc(sizeof(Waiting) * limit);
	Waiting		first = {.waits_for = WAITS_FOR_TIME, .due_at = DT_NOBEGIN, .key = {PG_INT64_MIN, DATEVAL_NOBEGIN}};
	Datum		from[JOSCH_WAITING_KEYS];
	JoschFinder list;

	*n = 0;
	josch_waiting_datums(&first, from);
	josch_finder_open_range(&list, &josch_waiting, JOSCH_WAITING_KEYS, AccessShareLock);
	josch_finder_seek_from(&list, from);
	while (*n < limit && josch_finder_next(&list) && (due[*n] = josch_waiting_read_row(&list)).due_at <= now)
	{
		(*n)++;
	}
	josch_finder_close(&list);
	return due;
}
