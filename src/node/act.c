/*
 * src/node/act.c
 *	  What a person does to a node.
 *
 * Locks the node, finds the edge that bears the act's name, and changes state and
 * comment; the trigger on josch.nodes does the rest, as for a plain UPDATE.
 */
#include "base/josch.h"

#include "base/mode.h"
#include "base/report.h"
#include "node/act.h"
#include "node/fsm.h"
#include "node/store_node.h"

/* Tells the second of two people who was first, or anybody what can be done instead. */
static void
refuse(NodeKey key, const NodeInfo *info, const char *action)
{
	char	   *allowed = josch_fsm_allowed(info->state, info->node_type);

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot do \"%s\" on node %s in state \"%s\"", action,
					josch_report_key(key.node_id, key.job_date), josch_fsm_label(info->state)),
			 info->action != NULL ?
			 errdetail("The last act was \"%s\" by \"%s\" at %s%s%s.", info->action, info->acted_by,
					   timestamptz_to_str(info->acted_at),
					   info->comment != NULL ? ": " : "",
					   info->comment != NULL ? josch_report_words(info->comment) : "") : 0,
			 allowed[0] != '\0' ?
			 errhint("From \"%s\" people can change it to: %s.", josch_fsm_label(info->state), allowed) :
			 errhint("From \"%s\" only the scheduler changes it.", josch_fsm_label(info->state))));
}

/* Locks the node and finds the edge of this action, or refuses. */
static const FsmEdge *
find_edge(NodeKey key, const char *action, NodeInfo *info)
{
	const FsmEdge *edge;

	if (!josch_store_node_lock(key, info))
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	edge = josch_fsm_find_action(info->state, info->node_type, action);
	if (edge == NULL)
	{
		refuse(key, info, action);
	}
	return edge;
}

void
josch_act_check_seen(NodeKey key, const NodeInfo *info, int64 seen)
{
	if (seen != 0 && info->change_id > seen)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node %s has changed since it was looked at", josch_report_key(key.node_id, key.job_date)),
				 errdetail("It is in state \"%s\" now.", josch_fsm_label(info->state)),
				 errhint("Look at it again, and then decide.")));
	}
}

NodeState
josch_act(NodeKey key, const char *action, const ActDetails *details)
{
	NodeInfo	info;
	const FsmEdge *edge = find_edge(key, action, &info);
	NodeKey    *keys = &key;
	int			n = 1;
	JoschMode	former;

	josch_act_check_seen(key, &info, details->seen);
	if (details->descendants)
	{
		keys = josch_store_node_lock_descendants(key, edge->action, &n);
	}
	former = josch_mode_enter_act(edge->action);
	josch_store_node_act(keys, n, edge->to, details->comment);
	josch_mode = former;
	if (strcmp(edge->action, "stop") == 0)
	{
		/* the state stays as it is; the run bears the request, the scheduler carries it out */
		josch_store_node_request_stop(key);
	}
	return josch_store_node_state(key);
}
