/*
 * src/node/join.c
 *	  What the counts of its parents make of a node.
 */
#include "base/josch.h"

#include "node/join.h"

#include "node/node_table.h"

ParentMeaning
josch_join_parent(const JoschState *state, Condition condition, bool expected)
{
	return state != NULL ? state->means[condition] : expected ? PARENT_WAITS : PARENT_NOTHING;
}

/* One without parents runs, however it joins them. */
bool
josch_join_lets_run(const JoschJoin *join)
{
	return (join->n[PARENT_WAITS] == 0 && join->n[PARENT_IMPOSSIBLE] == 0) ||
		(join->any && join->n[PARENT_SATISFIED] > 0);
}

bool
josch_join_omits(const JoschJoin *join)
{
	return join->n[PARENT_IMPOSSIBLE] > 0 &&
		(!join->ends || join->n[PARENT_WAITS] == 0) &&
		(!join->any || (join->n[PARENT_WAITS] == 0 && join->n[PARENT_SATISFIED] == 0));
}

static int32
count(TupleTableSlot *node, NodesColumn column)
{
	bool		isnull;

	return DatumGetInt32(slot_getattr(node, josch_nodes.numbers[column], &isnull));
}

JoschJoin
josch_join_of(TupleTableSlot *node)
{
	bool		isnull;
	JoschJoin		join = {.n = {
		[PARENT_WAITS] = count(node, NODES_UNMET),
		[PARENT_SATISFIED] = count(node, NODES_SATISFIED),
		[PARENT_IMPOSSIBLE] = count(node, NODES_IMPOSSIBLE)
	}};

	join.any = josch_node_joins_any(slot_getattr(node, josch_nodes.numbers[NODES_JOIN_RULE], &isnull));
	join.ends = josch_node_ends_job(slot_getattr(node, josch_nodes.numbers[NODES_NODE_TYPE], &isnull));
	return join;
}
