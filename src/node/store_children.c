/*
 * src/node/store_children.c
 *	  The children of nodes that changed, counted by differences.
 *
 * Part of store_node.h.  It is on the way from every end to the next start, so it goes
 * past the planner: dependencies by their key, each child locked without waiting and
 * written once.  A child that somebody holds is noted in josch.recounts instead.
 */
#include "base/josch.h"

#include "node/store_node.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include "base/finder.h"
#include "base/mode.h"
#include "base/node_key.h"
#include "base/update.h"
#include "base/wake.h"
#include "node/join.h"
#include "node/node_table.h"
#include "node/recounts.h"

/* A child, and by how much its counts change. */
typedef struct Child
{
	NodeKey		key;
	int			deltas[PARENT_MEANINGS];
	bool		held_back;		/* by a parent that let it run before */
} Child;

typedef struct Children
{
	Child	   *list;
	int			n;
	int			space;
} Children;

static void
add_child(Children *children, Child child)
{
	if (children->n == children->space)
	{
		children->space = Max(children->space * 2, 64);
		children->list = children->list == NULL ?
			palloc(sizeof(Child) * children->space) : repalloc_huge(children->list, sizeof(Child) * children->space);
	}
	children->list[children->n++] = child;
}

static int
compare_children(const void *a, const void *b)
{
	return josch_node_key_compare(((const Child *) a)->key, ((const Child *) b)->key);
}

static bool
is_changed(const Child *child)
{
	for (int i = 0; i < PARENT_MEANINGS; i++)
	{
		if (child->deltas[i] != 0)
		{
			return true;
		}
	}
	return false;
}

static void
add_deltas(Child *child, const Child *other)
{
	for (int i = 0; i < PARENT_MEANINGS; i++)
	{
		child->deltas[i] += other->deltas[i];
	}
	child->held_back |= other->held_back;
}

/* Each child once, with the sums of its differences, where they do not make up for each other. */
static void
merge(Children *children)
{
	int			n = 0;

	qsort(children->list, children->n, sizeof(Child), compare_children);
	for (int i = 0; i < children->n; i++)
	{
		if (n > 0 && josch_node_key_equal(children->list[n - 1].key, children->list[i].key))
		{
			add_deltas(&children->list[n - 1], &children->list[i]);
		}
		else
		{
			n += n == 0 || is_changed(&children->list[n - 1]);
			children->list[n - 1] = children->list[i];
		}
	}
	children->n = n - (n > 0 && !is_changed(&children->list[n - 1]));
}

/* What the change of a parent is to the dependency at hand; false: nothing. */
static bool
read_child(JoschFinder *deps, const ParentChange *change, Child *child)
{
	bool		isnull;
	bool		expected = DatumGetBool(josch_finder_get(deps, DEPS_EXPECTED, &isnull));
	Condition	condition = josch_node_condition(josch_finder_get(deps, DEPS_CONDITION, &isnull));
	ParentMeaning before = josch_join_parent(change->before, condition, expected);
	ParentMeaning after = josch_join_parent(change->after, condition, expected);

	if (before == after)
	{
		return false;
	}
	*child = (Child) {
		.key.node_id = DatumGetInt64(josch_finder_get(deps, DEPS_C_NODE_ID, &isnull)),
		.key.job_date = DatumGetDateADT(josch_finder_get(deps, DEPS_C_DATE, &isnull)),
		.held_back = before == PARENT_SATISFIED || (before == PARENT_NOTHING && after != PARENT_SATISFIED)
	};
	if (before != PARENT_NOTHING)
	{
		child->deltas[before]--;
	}
	if (after != PARENT_NOTHING)
	{
		child->deltas[after]++;
	}
	return true;
}

static Children
find_children(const ParentChange *changes, int n)
{
	Children	children = {0};
	JoschFinder deps;

	josch_finder_open(&deps, &josch_node_deps, JOSCH_NODE_KEYS, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		parent[JOSCH_NODE_KEYS];
		Child		child;

		josch_node_key_datums(changes[i].key, parent);
		josch_finder_seek(&deps, parent);
		while (josch_finder_next(&deps))
		{
			if (read_child(&deps, &changes[i], &child))
			{
				add_child(&children, child);
			}
		}
	}
	josch_finder_close(&deps);
	merge(&children);
	return children;
}

static void
set_counts(JoschUpdate *nodes, const JoschJoin *former, const JoschJoin *join)
{
	static const int columns[PARENT_MEANINGS] = {
		[PARENT_WAITS] = NODES_UNMET, [PARENT_SATISFIED] = NODES_SATISFIED, [PARENT_IMPOSSIBLE] = NODES_IMPOSSIBLE
	};

	for (int i = 0; i < PARENT_MEANINGS; i++)
	{
		if (join->n[i] != former->n[i])
		{
			josch_update_set(nodes, columns[i], Int32GetDatum(join->n[i]));
		}
	}
}

static void
count(JoschUpdate *nodes, const int *deltas)
{
	bool		isnull;
	JoschJoin		former = josch_join_of(josch_update_row(nodes));
	JoschJoin		join = former;
	NodeState	state = josch_node_state(josch_update_get(nodes, NODES_STATE, &isnull));
	bool		free;

	for (int i = 0; i < PARENT_MEANINGS; i++)
	{
		join.n[i] += deltas[i];
	}
	free = josch_join_lets_run(&join) || DatumGetBool(josch_update_get(nodes, NODES_FORCED, &isnull));
	set_counts(nodes, &former, &join);
	if (free && state == NODE_STATE_PENDING)
	{
		josch_node_set_state(nodes, NODE_STATE_READY);
	}
	else if (!free && state == NODE_STATE_READY)
	{
		josch_node_set_state(nodes, NODE_STATE_PENDING);
	}
	(void) josch_update_write(nodes);
}

/*
 * Whether the node, which we have locked, has a note.  One that is seen may have been taken away since they were
 * opened, by a count that did not see us; one that has come since is harmless: it is counted without us, or after us.
 */
static bool
is_noted(JoschFinder *recounts, NodeKey key)
{
	if (!josch_recounts_find(recounts, key))
	{
		return false;
	}
	josch_finder_close(recounts);
	josch_recounts_open(recounts);
	return josch_recounts_find(recounts, key);
}

/*
 * Counts the children that are free, and notes those that somebody holds.  One that has a note
 * already is locked and left: differences would be added to a count that is not true, and
 * until we commit nobody can count it without us.
 */
static void
count_children(const Children *children)
{
	static const int changed[] = {NODES_UNMET, NODES_IMPOSSIBLE, NODES_SATISFIED, NODES_STATE};
	NodeKey    *held = palloc_extended(sizeof(NodeKey) * Max(children->n, 1), MCXT_ALLOC_HUGE);
	int			nheld = 0;
	JoschUpdate *nodes;
	JoschFinder recounts;

	josch_recounts_open(&recounts);
	nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);
	for (int i = 0; i < children->n; i++)
	{
		const Child *child = &children->list[i];
		Datum		key[JOSCH_NODE_KEYS];
		JoschFound	found;

		josch_node_key_datums(child->key, key);
		found = josch_update_find(nodes, key);
		if (found == JOSCH_HELD)
		{
			held[nheld++] = child->key;
		}
		else if (found == JOSCH_FOUND && !is_noted(&recounts, child->key))
		{
			count(nodes, child->deltas);
		}
	}
	josch_update_end(nodes);
	josch_finder_close(&recounts);
	if (nheld > 0)
	{
		josch_recounts_note(held, nheld);
	}
}

/*
 * Whether a person waits for the children: what holds one back must be seen by whoever
 * would start it, and where no scheduler lives nobody would count what is noted.
 */
static bool
must_wait(const Children *children)
{
	JoschSchedulerStatus scheduler;

	for (int i = 0; i < children->n; i++)
	{
		if (children->list[i].held_back)
		{
			return true;
		}
	}
	return children->n > 0 && !josch_wake_read_scheduler(MyDatabaseId, &scheduler);
}

static void
wait_for(const Children *children)
{
	NodeKey    *keys = palloc_extended(sizeof(NodeKey) * Max(children->n, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < children->n; i++)
	{
		keys[i] = children->list[i].key;
	}
	josch_store_node_wait_for(keys, children->n);
	pfree(keys);
}

void
josch_store_node_propagate(const ParentChange *changes, int n)
{
	JoschMode	former;
	Children	children = find_children(changes, n);

	if (!josch_mode.engine && must_wait(&children))
	{
		wait_for(&children);
		/* some may have come, or gone, meanwhile */
		children = find_children(changes, n);
	}
	if (children.n == 0)
	{
		return;
	}
	former = josch_mode_enter_engine();
	count_children(&children);
	josch_mode = former;
}
