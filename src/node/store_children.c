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
#include "node/node_table.h"
#include "node/recounts.h"

/* A child, and by how much its count changes. */
typedef struct Child
{
	NodeKey		key;
	int			delta;
} Child;

typedef struct Children
{
	Child	   *list;
	int			n;
	int			space;
} Children;

/* By how much a parent of that class holds back the child of a dependency. */
static int
contribution(ParentClass class, bool expected)
{
	switch (class)
	{
		case PARENT_ABSENT:
			return expected ? 1 : 0;
		case PARENT_UNSATISFIED:
			return 1;
		case PARENT_SATISFIED:
			break;
	}
	return 0;
}

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

/* Each child once, with the sum of its differences, where they do not make up for each other. */
static void
merge(Children *children)
{
	int			n = 0;

	qsort(children->list, children->n, sizeof(Child), compare_children);
	for (int i = 0; i < children->n; i++)
	{
		if (n > 0 && josch_node_key_equal(children->list[n - 1].key, children->list[i].key))
		{
			children->list[n - 1].delta += children->list[i].delta;
		}
		else
		{
			n += n == 0 || children->list[n - 1].delta != 0;
			children->list[n - 1] = children->list[i];
		}
	}
	children->n = n - (n > 0 && children->list[n - 1].delta == 0);
}

static Children
find_children(const ParentChange *changes, int n)
{
	Children	children = {0};
	JoschFinder deps;
	bool		isnull;

	josch_finder_open(&deps, &josch_node_deps, JOSCH_NODE_KEYS, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		parent[JOSCH_NODE_KEYS];

		josch_node_key_datums(changes[i].key, parent);
		josch_finder_seek(&deps, parent);
		while (josch_finder_next(&deps))
		{
			bool		expected = DatumGetBool(josch_finder_get(&deps, DEPS_EXPECTED, &isnull));
			Child		child = {.delta = contribution(changes[i].after, expected) - contribution(changes[i].before, expected)};

			child.key.node_id = DatumGetInt64(josch_finder_get(&deps, DEPS_C_NODE_ID, &isnull));
			child.key.job_date = DatumGetDateADT(josch_finder_get(&deps, DEPS_C_DATE, &isnull));
			if (child.delta != 0)
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
count(JoschUpdate *nodes, int delta)
{
	bool		isnull;
	int			unmet = DatumGetInt32(josch_update_get(nodes, NODES_UNMET, &isnull)) + delta;
	bool		free = unmet == 0 || DatumGetBool(josch_update_get(nodes, NODES_FORCED, &isnull));
	NodeState	state = josch_node_state(josch_update_get(nodes, NODES_STATE, &isnull));

	josch_update_set(nodes, NODES_UNMET, Int32GetDatum(unmet));
	if (free && state == NODE_STATE_PENDING)
	{
		josch_update_set_text(nodes, NODES_STATE, josch_fsm_label(NODE_STATE_READY));
	}
	else if (!free && state == NODE_STATE_READY)
	{
		josch_update_set_text(nodes, NODES_STATE, josch_fsm_label(NODE_STATE_PENDING));
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
	static const int changed[] = {NODES_UNMET, NODES_STATE};
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
			count(nodes, child->delta);
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
must_wait(const ParentChange *changes, int n)
{
	JoschSchedulerStatus scheduler;

	for (int i = 0; i < n; i++)
	{
		if (changes[i].after != PARENT_SATISFIED)
		{
			return true;
		}
	}
	return !josch_wake_read_scheduler(MyDatabaseId, &scheduler);
}

void
josch_store_node_propagate(const ParentChange *changes, int n)
{
	JoschMode	former;
	Children	children;

	if (!josch_mode.engine && must_wait(changes, n))
	{
		josch_store_node_lock_children(changes, n);
	}
	children = find_children(changes, n);
	if (children.n == 0)
	{
		return;
	}
	former = josch_mode_enter_engine();
	count_children(&children);
	josch_mode = former;
}
