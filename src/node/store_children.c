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
#include "base/writer.h"
#include "node/node_table.h"

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

/* Each child once, with the sum of its differences. */
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
			children->list[n++] = children->list[i];
		}
	}
	children->n = n;
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

int
josch_store_node_leave_out_recounts(void *items, int n, size_t size)
{
	JoschFinder recounts;
	int			kept = 0;

	josch_finder_open(&recounts, &josch_recounts, JOSCH_NODE_KEYS, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		char	   *item = (char *) items + i * size;
		Datum		key[JOSCH_NODE_KEYS];

		josch_node_key_datums(*(NodeKey *) item, key);
		if (!josch_finder_find(&recounts, key))
		{
			memmove((char *) items + kept++ * size, item, size);
		}
	}
	josch_finder_close(&recounts);
	return kept;
}

/*
 * A node that is to be counted anew is never counted by differences: they would be
 * added to a count that is not true.
 */
static void
leave_out_recounts(Children *children)
{
	int			n = 0;

	for (int i = 0; i < children->n; i++)
	{
		if (children->list[i].delta != 0)
		{
			children->list[n++] = children->list[i];
		}
	}
	children->n = josch_store_node_leave_out_recounts(children->list, n, sizeof(Child));
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

/* Those that somebody holds come to stand at the front, and are returned. */
static int
count_children(Children *children)
{
	static const int changed[] = {NODES_UNMET, NODES_STATE};
	JoschUpdate *nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);
	int			held = 0;

	for (int i = 0; i < children->n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];

		josch_node_key_datums(children->list[i].key, key);
		switch (josch_update_find(nodes, key))
		{
			case JOSCH_FOUND:
				count(nodes, children->list[i].delta);
				break;
			case JOSCH_HELD:
				children->list[held++] = children->list[i];
				break;
			case JOSCH_ABSENT:
				break;
		}
	}
	josch_update_end(nodes);
	return held;
}

typedef struct Recounts
{
	const Child *children;
	int			n;
	int			at;
} Recounts;

static bool
next_recount(void *arg, Datum *values, bool *nulls)
{
	Recounts   *recounts = arg;

	if (recounts->at == recounts->n)
	{
		return false;
	}
	josch_node_key_datums(recounts->children[recounts->at++].key, values);
	return true;
}

/* How many this process has noted in josch.recounts. */
static int64 noted = 0;

int64
josch_store_node_noted(void)
{
	return noted;
}

void
josch_store_node_propagate(const ParentChange *changes, int n)
{
	JoschMode	former;
	Children	children;
	int			held;

	/* in engine mode nobody is waited for */
	if (!josch_mode.engine)
	{
		josch_store_node_lock_children(changes, n);
	}
	children = find_children(changes, n);
	leave_out_recounts(&children);
	if (children.n == 0)
	{
		return;
	}
	former = josch_mode_enter_engine();
	held = count_children(&children);
	if (held > 0)
	{
		Recounts	recounts = {children.list, held, 0};

		josch_writer_insert(&josch_recounts, NULL, next_recount, &recounts);
		noted += held;
	}
	josch_mode = former;
}
