/*
 * src/node/trigger_propagate.c
 *	  What follows from a change of nodes, whichever way it comes.
 *
 * josch_trigger_node_propagate (AFTER STATEMENT on josch.nodes) keeps the list of what
 * waits, counts the parents of the children, moves nodes between pending and ready, and
 * notes what to tell the clients and the scheduler.  josch_trigger_node_recount (AFTER
 * STATEMENT on josch.node_deps) counts the children of dependencies that changed.
 *
 * The list is kept in every mode: it follows from the rows alone, and a dump leaves it out.
 */
#include "base/josch.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/changes.h"
#include "base/mode.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/table.h"
#include "base/wake.h"
#include "node/deadline.h"
#include "node/fsm.h"
#include "node/join.h"
#include "node/node_table.h"
#include "node/notify.h"
#include "node/queue.h"
#include "node/store_node.h"
#include "node/units.h"
#include "node/waiting.h"

PG_FUNCTION_INFO_V1(josch_trigger_node_propagate);
PG_FUNCTION_INFO_V1(josch_trigger_node_recount);

/* What one statement changed. */
typedef struct Consequences
{
	ParentChange *parents;		/* whose children count differently now */
	int			nparents;
	NodeKey    *unsettled;		/* pending or ready against their count */
	int			nunsettled;
	NodeKey    *left;			/* of whose run a person thinks no more */
	int			nleft;
	NodeKey    *freed;			/* that may have had units, and give back all */
	int			nfreed;
	NodeKey    *settled;		/* ... or the place of their job */
	int			nsettled;
	Waiting    *gone;			/* what they waited for, and no more */
	int			ngone;
	Waiting    *come;			/* what they wait for, and did not before */
	int			ncome;
	bool		world;			/* some of them wait for a file or a query, or did */
	DeadlineChanges deadlines;
	bool		list_only;		/* nothing else is to follow */
	int			nrows;
	int			capacity;
} Consequences;

static void *
grow(void *array, size_t size)
{
	return array == NULL ? palloc_extended(size, MCXT_ALLOC_HUGE) : repalloc_huge(array, size);
}

/* For one more row. */
static void
make_room(Consequences *c)
{
	/* nothing is noted more than once a row */
	if (c->nrows++ < c->capacity)
	{
		return;
	}
	c->capacity = c->capacity == 0 ? 64 : c->capacity * 2;
	c->parents = grow(c->parents, sizeof(ParentChange) * c->capacity);
	c->unsettled = grow(c->unsettled, sizeof(NodeKey) * c->capacity);
	c->left = grow(c->left, sizeof(NodeKey) * c->capacity);
	c->freed = grow(c->freed, sizeof(NodeKey) * c->capacity);
	c->settled = grow(c->settled, sizeof(NodeKey) * c->capacity);
	c->gone = grow(c->gone, sizeof(Waiting) * c->capacity);
	c->come = grow(c->come, sizeof(Waiting) * c->capacity);
}

static Datum
slot_column(TupleTableSlot *slot, NodesColumn column)
{
	bool		isnull;

	return slot_getattr(slot, josch_nodes.numbers[column], &isnull);
}

/* NULL: no such node. */
static const JoschState *
state_of(TupleTableSlot *slot)
{
	return TupIsNull(slot) ? NULL : &josch_states[josch_node_state(slot_column(slot, NODES_STATE))];
}

/* Whether a parent is the same to all its children. */
static bool
is_alike(const JoschState *before, const JoschState *after)
{
	return before == after ||
		(before != NULL && after != NULL && memcmp(before->means, after->means, sizeof(before->means)) == 0);
}

/* States in which there is a run that may live. */
static bool
may_live(NodeState state)
{
	return state == NODE_STATE_RUNNING || state == NODE_STATE_UP || state == NODE_STATE_UNKNOWN;
}

/* What the row waited for, and what it waits for. */
static void
note_waiting(Consequences *c, TupleTableSlot *former, TupleTableSlot *row)
{
	Waiting		none = {WAITS_FOR_NOTHING};
	Waiting		before = TupIsNull(former) ? none : josch_waiting_of(former);
	Waiting		after = TupIsNull(row) ? none : josch_waiting_of(row);

	c->world |= before.turn == WAITS_FOR_WORLD || after.turn == WAITS_FOR_WORLD;
	if (josch_waiting_equal(&before, &after))
	{
		return;
	}
	if (before.waits_for != WAITS_FOR_NOTHING)
	{
		c->gone[c->ngone++] = before;
	}
	if (after.waits_for != WAITS_FOR_NOTHING)
	{
		c->come[c->ncome++] = after;
	}
}

/* Units that it gives back: of what runs nothing, and of what lives on without a place. */
static void
note_units(Consequences *c, TupleTableSlot *former, TupleTableSlot *row, NodeKey key)
{
	NodeState	from = josch_node_state(slot_column(former, NODES_STATE));
	NodeState	to = TupIsNull(row) ? NODE_STATE_PENDING : josch_node_state(slot_column(row, NODES_STATE));

	if (!may_live(from) || from == to || DatumGetInt32(slot_column(former, NODES_LIMIT_GROUP)) == 0)
	{
		return;
	}
	if (!may_live(to))
	{
		c->freed[c->nfreed++] = key;
	}
	else if (from == NODE_STATE_RUNNING)
	{
		c->settled[c->nsettled++] = key;
	}
}

/* Notes what else follows from one changed row; one of the slots may be empty. */
static void
note_row(Consequences *c, TupleTableSlot *former, TupleTableSlot *row)
{
	TupleTableSlot *any = TupIsNull(row) ? former : row;
	ParentChange change;
	NodeState	to;

	change.key.node_id = DatumGetInt64(slot_column(any, NODES_NODE_ID));
	change.key.job_date = DatumGetDateADT(slot_column(any, NODES_JOB_DATE));
	change.before = state_of(former);
	change.after = state_of(row);
	if (!is_alike(change.before, change.after))
	{
		c->parents[c->nparents++] = change;
	}
	if (!TupIsNull(former))
	{
		note_units(c, former, row, change.key);
	}
	if (TupIsNull(row))
	{
		return;
	}
	to = (NodeState) (change.after - josch_states);
	if (to == NODE_STATE_PENDING || to == NODE_STATE_READY)
	{
		JoschJoin		join = josch_join_of(row);
		bool		free = josch_join_lets_run(&join) || DatumGetBool(slot_column(row, NODES_FORCED));

		if (free != (to == NODE_STATE_READY))
		{
			c->unsettled[c->nunsettled++] = change.key;
		}
	}
	if (!TupIsNull(former) && DatumGetInt64(slot_column(former, NODES_CHANGE_ID)) !=
		DatumGetInt64(slot_column(row, NODES_CHANGE_ID)))
	{
		if (!josch_mode.engine && may_live(josch_node_state(slot_column(former, NODES_STATE))) && !may_live(to))
		{
			c->left[c->nleft++] = change.key;
		}
		josch_notify_change(change.key, TextDatumGetCString(slot_column(row, NODES_JOB_NAME)),
							josch_node_state(slot_column(former, NODES_STATE)), to,
							josch_mode.engine ? NULL : GetUserNameFromId(GetSessionUserId(), false),
							DatumGetInt64(slot_column(row, NODES_CHANGE_ID)));
	}
}

static void
note_statement(Consequences *c, TriggerData *trigger)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "josch node changes",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext outer = CurrentMemoryContext;
	JoschChanges changes;

	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		make_room(c);
		josch_deadline_note(&c->deadlines, changes.before, changes.after);
		MemoryContextSwitchTo(scratch);
		note_waiting(c, changes.before, changes.after);
		if (!c->list_only)
		{
			note_row(c, changes.before, changes.after);
		}
		MemoryContextSwitchTo(outer);
		MemoryContextReset(scratch);
	}
	josch_changes_close(&changes);
	MemoryContextDelete(scratch);
}

Datum
josch_trigger_node_propagate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.node_propagate");
	Consequences consequences = {0};

	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.node_propagate");
	}
	(void) josch_table_check(&josch_nodes, trigger->tg_relation, "josch.node_propagate");
	consequences.list_only = josch_mode_is_restore() || josch_mode.suspended;
	note_statement(&consequences, trigger);
	if (consequences.ngone + consequences.ncome > 0)
	{
		josch_queue_change(consequences.gone, consequences.ngone, consequences.come, consequences.ncome);
	}
	josch_deadline_write(&consequences.deadlines);
	if (consequences.world)
	{
		josch_wake_world_at_commit();
	}
	if (consequences.list_only)
	{
		return PointerGetDatum(NULL);
	}
	josch_units_give_back(consequences.freed, consequences.nfreed, consequences.settled, consequences.nsettled);
	if (consequences.nleft > 0)
	{
		josch_store_node_leave_runs(consequences.left, consequences.nleft);
	}
	if (consequences.nparents > 0)
	{
		josch_store_node_propagate(consequences.parents, consequences.nparents);
	}
	/* after that: one of these may be a child of another, which it waits for again */
	if (consequences.nunsettled > 0)
	{
		josch_store_node_settle(consequences.unsettled, consequences.nunsettled);
	}
	if (!josch_mode.engine)
	{
		josch_wake_scheduler_at_commit();
	}
	return PointerGetDatum(NULL);
}

/* An end of a dependency, which those two columns name; nothing when there is no such row. */
static int
note_end(NodeKey *key, TupleTableSlot *slot, DepsColumn node_id, DepsColumn job_date)
{
	bool		isnull;

	if (TupIsNull(slot))
	{
		return 0;
	}
	key->node_id = DatumGetInt64(slot_getattr(slot, josch_node_deps.numbers[node_id], &isnull));
	key->job_date = DatumGetDateADT(slot_getattr(slot, josch_node_deps.numbers[job_date], &isnull));
	return 1;
}

/* Rows of the transition tables: no more children than these. */
static int64
count_rows(const TriggerData *trigger)
{
	return (trigger->tg_oldtable != NULL ? tuplestore_tuple_count(trigger->tg_oldtable) : 0) +
		(trigger->tg_newtable != NULL ? tuplestore_tuple_count(trigger->tg_newtable) : 0);
}

static NodeKey *
allocate_keys(const TriggerData *trigger)
{
	return palloc_extended(sizeof(NodeKey) * Max(count_rows(trigger), 1), MCXT_ALLOC_HUGE);
}

/* AFTER STATEMENT on josch.node_deps: the children of the changed rows count anew. */
Datum
josch_trigger_node_recount(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.node_recount");
	JoschChanges changes;
	NodeKey    *children;
	NodeKey    *parted;
	int			n = 0;
	int			nparted = 0;

	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.node_recount");
	}
	(void) josch_table_check(&josch_node_deps, trigger->tg_relation, "josch.node_recount");
	if (josch_mode_is_restore() || josch_mode.suspended)
	{
		return PointerGetDatum(NULL);
	}
	children = allocate_keys(trigger);
	parted = allocate_keys(trigger);
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		n += note_end(&children[n], changes.before, DEPS_C_NODE_ID, DEPS_C_DATE);
		n += note_end(&children[n], changes.after, DEPS_C_NODE_ID, DEPS_C_DATE);
		nparted += note_end(&parted[nparted], changes.before, DEPS_P_NODE_ID, DEPS_P_DATE);
	}
	josch_changes_close(&changes);
	if (n > 0)
	{
		josch_store_node_recount(children, n, parted, nparted);
		josch_wake_scheduler_at_commit();
	}
	return PointerGetDatum(NULL);
}
