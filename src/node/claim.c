/*
 * src/node/claim.c
 *	  "I look at it": who has taken a node that waits for a person.
 *
 * A claim tells the others, and keeps nobody from anything: whoever may act still
 * does.  It is for the node as it was at one change (change_id), so that it ends
 * with the state that it was made for, whoever moves the node, without anybody
 * having to end it; and it ends after josch.claim_time, so that one who goes home
 * does not have it for ever.
 */
#include "base/josch.h"

#include "miscadmin.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/report.h"
#include "base/states.h"
#include "node/claim.h"
#include "node/notify.h"
#include "node/store_claim.h"
#include "node/store_node.h"

bool
josch_claim_is(const char *action)
{
	return strcmp(action, "claim") == 0 || strcmp(action, "unclaim") == 0;
}

/* Locks the node, which has to wait for a person. */
static void
lock_waiting(NodeKey key, NodeInfo *info)
{
	if (!josch_store_node_lock(key, info))
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	if (!josch_states[info->state].attention)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("node %s in state \"%s\" waits for nobody", josch_report_key(key.node_id, key.job_date),
						josch_fsm_label(info->state)),
				 info->action != NULL ?
				 errdetail("The last act was \"%s\" by \"%s\" at %s.", info->action, info->acted_by,
						   timestamptz_to_str(info->acted_at)) : 0));
	}
}

/* Tells the second of two people who was first. */
static void
refuse(NodeKey key, const Claim *other)
{
	char	   *since = pstrdup(timestamptz_to_str(other->claimed_at));
	bool		said = other->comment != NULL && other->comment[0] != '\0';

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("\"%s\" looks at node %s", other->claimed_by, josch_report_key(key.node_id, key.job_date)),
			 errdetail("Since %s, until %s%s%s.", since, timestamptz_to_str(other->claimed_until),
					   said ? ": " : "", said ? josch_report_words(other->comment) : ""),
			 errhint("Who may act on it may do so all the same.")));
}

/* All see who has it: the node is told of, in the state that it is in. */
static void
tell(NodeKey key, const NodeInfo *info, const Claim *claim)
{
	josch_notify_change(key, claim->job_name, info->state, info->state, claim->claimed_by, info->change_id);
}

TimestampTz
josch_claim(NodeKey key, const ActDetails *details)
{
	Claim		claim = {.claimed_by = GetUserNameFromId(GetSessionUserId(), false), .comment = details->comment};
	Claim		holder;
	NodeInfo	info;

	lock_waiting(key, &info);
	josch_act_check_seen(key, &info, details->seen);
	claim.claimed_at = josch_clock_now();
	claim.claimed_until = claim.claimed_at + josch_config_claim_time * USECS_PER_SEC;
	josch_store_claim_take(key, &claim, &holder);
	if (strcmp(holder.claimed_by, claim.claimed_by) != 0)
	{
		refuse(key, &holder);
	}
	tell(key, &info, &holder);
	return holder.claimed_until;
}

void
josch_unclaim(NodeKey key)
{
	Claim		holder;
	NodeInfo	info;
	TimestampTz now = josch_clock_now();

	lock_waiting(key, &info);
	if (!josch_store_claim_find(key, now, &holder))
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("nobody looks at node %s", josch_report_key(key.node_id, key.job_date))));
	}
	if (strcmp(holder.claimed_by, GetUserNameFromId(GetSessionUserId(), false)) != 0)
	{
		refuse(key, &holder);
	}
	josch_store_claim_end(key, now);
	tell(key, &info, &holder);
}

NodeState
josch_claim_act(NodeKey key, const char *action, const ActDetails *details)
{
	NodeInfo	info;

	if (strcmp(action, "claim") == 0)
	{
		(void) josch_claim(key, details);
	}
	else
	{
		josch_unclaim(key);
	}
	(void) josch_store_node_lock(key, &info);
	return info.state;
}
