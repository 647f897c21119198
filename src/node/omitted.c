/*
 * src/node/omitted.c
 *	  Why a node is omitted, or a job has not ended well, in words.
 *
 * The reason is the state of a parent, and stays on the node as its message: whoever
 * wonders in the morning finds the way up to what failed, name by name.
 */
#include "base/josch.h"

#include "node/omitted.h"

#include "utils/builtins.h"

#include "base/node_key.h"
#include "base/report.h"
#include "node/fsm.h"
#include "node/join.h"
#include "node/node_table.h"

void
josch_omitted_open(JoschOmitted *omitted)
{
	josch_finder_open_index(&omitted->parents, &josch_node_parents, JOSCH_NODE_KEYS, NULL, AccessShareLock);
	josch_finder_open(&omitted->nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
}

void
josch_omitted_close(JoschOmitted *omitted)
{
	josch_finder_close(&omitted->nodes);
	josch_finder_close(&omitted->parents);
}

static bool
find_node(JoschOmitted *omitted, NodeKey key)
{
	Datum		datums[JOSCH_NODE_KEYS];

	josch_node_key_datums(key, datums);
	return josch_finder_find(&omitted->nodes, datums);
}

/* Whether the parent of the dependency at hand makes it impossible. */
static bool
is_impossible(JoschOmitted *omitted, NodeKey parent)
{
	bool		isnull;
	Condition	condition = josch_node_condition(josch_finder_get(&omitted->parents, PARENTS_CONDITION, &isnull));

	return find_node(omitted, parent) &&
		josch_states[josch_node_state(josch_finder_get(&omitted->nodes, NODES_STATE, &isnull))].means[condition] == PARENT_IMPOSSIBLE;
}

/* False when no parent does. */
static bool
find_parent(JoschOmitted *omitted, NodeKey child, NodeKey *found)
{
	Datum		key[JOSCH_NODE_KEYS];
	bool		any = false;
	bool		isnull;

	josch_node_key_datums(child, key);
	josch_finder_seek(&omitted->parents, key);
	while (josch_finder_next(&omitted->parents))
	{
		NodeKey		parent = {
			DatumGetInt64(josch_finder_get(&omitted->parents, PARENTS_P_NODE_ID, &isnull)),
			DatumGetDateADT(josch_finder_get(&omitted->parents, PARENTS_P_DATE, &isnull))
		};

		if ((!any || josch_node_key_compare(parent, *found) < 0) && is_impossible(omitted, parent))
		{
			any = true;
			*found = parent;
		}
	}
	return any;
}

/* A parent's state, as a sentence has it. */
static const char *
is_what(NodeState state)
{
	switch (state)
	{
		case NODE_STATE_SUCCEEDED:
			return "has succeeded";
		case NODE_STATE_SKIPPED:
			return "was skipped";
		default:
			return psprintf("is %s", josch_fsm_label(state));
	}
}

static char *
slot_text(TupleTableSlot *slot, NodesColumn column)
{
	bool		isnull;

	return TextDatumGetCString(slot_getattr(slot, josch_nodes.numbers[column], &isnull));
}

char *
josch_omitted_why(JoschOmitted *omitted, TupleTableSlot *node)
{
	bool		isnull;
	NodeKey		child = {
		DatumGetInt64(slot_getattr(node, josch_nodes.numbers[NODES_NODE_ID], &isnull)),
		DatumGetDateADT(slot_getattr(node, josch_nodes.numbers[NODES_JOB_DATE], &isnull))
	};
	NodeKey		parent;
	char	   *job;

	if (!find_parent(omitted, child, &parent) || !find_node(omitted, parent))
	{
		return pstrdup("omitted");
	}
	job = slot_text(omitted->nodes.slot, NODES_JOB_NAME);
	if (strcmp(job, slot_text(node, NODES_JOB_NAME)) == 0)
	{
		job = NULL;
	}
	return psprintf("%s \"%s\"%s%s%s%s%s %s",
					josch_node_ends_job(slot_getattr(node, josch_nodes.numbers[NODES_NODE_TYPE], &isnull)) ? "node" : "omitted: parent",
					slot_text(omitted->nodes.slot, NODES_NODE_NAME), job != NULL ? " of job \"" : "", job != NULL ? job : "", job != NULL ? "\"" : "",
					parent.job_date != child.job_date ? " of " : "",
					parent.job_date != child.job_date ? josch_report_date(parent.job_date) : "",
					is_what(josch_node_state(josch_finder_get(&omitted->nodes, NODES_STATE, &isnull))));
}
