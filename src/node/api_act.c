/*
 * src/node/api_act.c
 *	  What people do to nodes: josch.signoff(), approve(), ... rerun().
 *
 * A function locks the node, finds the edge that bears its name, and changes
 * state and comment; the trigger on josch.nodes does the rest, as for a plain
 * UPDATE.  EXECUTE is granted to josch_operator, so the rights are those of the
 * function.
 */
#include "base/josch.h"

#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/mode.h"
#include "base/report.h"
#include "node/fsm.h"
#include "node/store_node.h"

PG_FUNCTION_INFO_V1(josch_api_act);

typedef struct ActCall
{
	NodeKey		key;
	const char *comment;		/* NULL for none */
	bool		descendants;	/* rerun: those too */
} ActCall;

static ActCall
arguments(FunctionCallInfo fcinfo)
{
	ActCall		call;

	for (int i = 0; i < 2; i++)
	{
		if (PG_ARGISNULL(i))
		{
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not be null", i == 0 ? "node_id" : "job_date")));
		}
	}
	call.key.node_id = PG_GETARG_INT64(0);
	call.key.job_date = PG_GETARG_DATEADT(1);
	call.comment = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	call.descendants = PG_NARGS() > 3 && !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	return call;
}

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
					   info->comment != NULL ? info->comment : "") : 0,
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

/* josch.signoff(node_id, job_date, comment) and its like; the function's name is the act's. */
Datum
josch_api_act(PG_FUNCTION_ARGS)
{
	ActCall		call;
	NodeInfo	info;
	const FsmEdge *edge;
	NodeKey    *keys = &call.key;
	int			n = 1;
	JoschMode	former;

	josch_report_if_read_only(fcinfo);
	call = arguments(fcinfo);
	edge = find_edge(call.key, get_func_name(fcinfo->flinfo->fn_oid), &info);
	if (call.descendants)
	{
		keys = josch_store_node_lock_descendants(call.key, edge->action, &n);
	}
	former = josch_mode_enter_act(edge->action);
	josch_store_node_act(keys, n, edge->to, call.comment);
	josch_mode = former;
	if (strcmp(edge->action, "stop") == 0)
	{
		/* the state stays as it is; the run bears the request, the scheduler carries it out */
		josch_store_node_request_stop(call.key);
	}
	if (!josch_store_node_lock(call.key, &info))
	{
		josch_report_no_node(call.key.node_id, call.key.job_date);
	}
	PG_RETURN_TEXT_P(cstring_to_text(josch_fsm_label(info.state)));
}
