/*
 * src/node/fsm.c
 *	  The state machine of a node: the edges between the states of base/states.h.
 *
 * The table below is the only description of what may follow what.  The trigger
 * on josch.nodes enforces it, josch.fsm and josch.fsm_dot() show it, a test dumps
 * it, and another walks all of it.  An edge has no condition: what depends on
 * the moment (parents, time, places) is the engine's business.
 */
#include "base/josch.h"

#include "node/fsm.h"

#include "lib/stringinfo.h"

#define LABEL(symbol, label, ...) [NODE_STATE_##symbol] = label,
const char *const josch_fsm_labels[NODE_STATE_COUNT + 1] = {JOSCH_STATES(LABEL)};

#define ENGINE(from, to, types, action, comment) \
	{NODE_STATE_##from, NODE_STATE_##to, FSM_ENGINE, types, action, comment}
#define PERSON(from, to, types, action, comment) \
	{NODE_STATE_##from, NODE_STATE_##to, FSM_PERSON, types, action, comment}

const FsmEdge josch_fsm_edges[] = {
	/* the way of a day that needs nobody */
	ENGINE(PENDING, READY, "SLNRE", "parents_done", "all parents are done"),
	ENGINE(READY, PENDING, "SLNRE", "parent_undone", "a parent is to be done again, or a missing day was made"),
	ENGINE(PENDING, OMITTED, "SLNR", "omit", "a parent will not come to what it waits for"),
	ENGINE(OMITTED, PENDING, "SLNR", "take_back", "a parent may come to it after all: it runs again, or a person has answered"),
	ENGINE(PENDING, ABANDONED, "E", "end_badly", "all nodes of its job have ended, and not all of them well"),
	ENGINE(SUCCEEDED, ABANDONED, "E", "end_badly", "what one of them has ended with is no good end any more"),
	ENGINE(ABANDONED, PENDING, "E", "take_back", "a node of its job is to be done again, or was added, or a person has answered"),
	ENGINE(SUCCEEDED, PENDING, "E", "take_back", "a node of its job is to be done again, or was added"),
	ENGINE(PENDING, HELD, "SLNRE", "hold_back", "the data was taken back to an earlier moment: a person decides"),
	ENGINE(READY, HELD, "SLNRE", "hold_back", "the data was taken back to an earlier moment: a person decides"),
	ENGINE(READY, RUNNING, "LNR", "start", "its run is committed, then started"),
	ENGINE(READY, SUCCEEDED, "NE", "milestone", "there is nothing to run"),
	ENGINE(READY, SIGNOFF, "S", "ask", "its time has come: a person is asked to sign it off"),
	ENGINE(READY, REVIEW, "R", "ask", "there is nothing to run: a person is asked to judge"),
	ENGINE(READY, FAILED, "SLNRE", "error", "it could not be started"),
	ENGINE(RUNNING, SUCCEEDED, "LN", "done", "exit code 0, SQL committed, or L stopped on purpose"),
	ENGINE(RUNNING, UP, "L", "up", "it is found to be serving"),
	ENGINE(RUNNING, REVIEW, "R", "done", "exit code 0 or SQL committed: a person is asked to judge"),
	ENGINE(RUNNING, FAILED, "LNR", "failed", "any other exit, an error, a time-out, or stopped"),
	ENGINE(RUNNING, OMITTED, "LNR", "nothing_to_do", "it says so, by an exit code of skip_codes"),
	ENGINE(READY, ABANDONED, "SLNR", "give_up", "it could not be started, and is not waited for (on_failure)"),
	ENGINE(RUNNING, ABANDONED, "LNR", "give_up", "it failed, and is not waited for (on_failure)"),
	ENGINE(UP, ABANDONED, "L", "give_up", "it failed, and is not waited for (on_failure)"),
	ENGINE(RUNNING, UNKNOWN, "LNR", "lost", "how it ended cannot be known"),
	ENGINE(RUNNING, READY, "LNR", "try_again", "it has not ended well, and has retries left: it waits for its next attempt"),
	ENGINE(UP, SUCCEEDED, "L", "done", "stopped on purpose, or exit code 0"),
	ENGINE(UP, FAILED, "L", "failed", "any other exit"),
	ENGINE(UP, UNKNOWN, "L", "lost", "how it ended cannot be known"),
	ENGINE(UP, READY, "L", "try_again", "it has not ended well, and has retries left: it waits for its next attempt"),

	/* answers */
	PERSON(SIGNOFF, SUCCEEDED, "S", "signoff", "signs it off"),
	PERSON(REVIEW, SUCCEEDED, "R", "approve", "judges the output to be good"),
	PERSON(REVIEW, FAILED, "R", "reject", "judges the output to be bad"),
	PERSON(REVIEW, PENDING, "R", "retry", "wants it run again before judging"),
	PERSON(FAILED, PENDING, "SLNRE", "retry", "wants it run again"),
	PERSON(FAILED, SUCCEEDED, "SLNRE", "mark_success", "has repaired it by hand"),
	PERSON(UNKNOWN, SUCCEEDED, "LNR", "mark_success", "has found out that it succeeded"),
	PERSON(UNKNOWN, FAILED, "LNR", "mark_failed", "has found out that it failed"),
	PERSON(UNKNOWN, PENDING, "LNR", "retry", "wants it run again"),
	PERSON(FAILED, ABANDONED, "SLNR", "abandon", "gives it up: the day goes on as after a failure"),
	PERSON(UNKNOWN, ABANDONED, "LNR", "abandon", "gives it up: the day goes on as after a failure"),
	PERSON(ABANDONED, PENDING, "SLNR", "retry", "wants it run again after all"),
	PERSON(ABANDONED, SUCCEEDED, "SLNR", "mark_success", "has repaired it by hand after all"),

	/* steering */
	PERSON(PENDING, HELD, "SLNRE", "hold", "holds it back"),
	PERSON(READY, HELD, "SLNRE", "hold", "holds it back"),
	PERSON(HELD, PENDING, "SLNRE", "release", "lets it go on"),
	PERSON(PENDING, READY, "SLNRE", "force_start", "starts it without its parents, before its time"),
	PERSON(HELD, READY, "SLNRE", "force_start", "starts it without its parents, before its time"),
	PERSON(READY, READY, "SLNRE", "force_start", "starts it before its time"),
	PERSON(RUNNING, RUNNING, "LNR", "stop", "asks for its run to be stopped"),
	PERSON(UP, UP, "L", "stop", "asks for it to be stopped on purpose"),
	PERSON(PENDING, SKIPPED, "SLNRE", "skip", "goes on without it"),
	PERSON(READY, SKIPPED, "SLNRE", "skip", "goes on without it"),
	PERSON(HELD, SKIPPED, "SLNRE", "skip", "goes on without it"),
	PERSON(SIGNOFF, SKIPPED, "S", "skip", "goes on without it"),
	PERSON(REVIEW, SKIPPED, "R", "skip", "goes on without it"),
	PERSON(FAILED, SKIPPED, "SLNRE", "skip", "goes on without it"),
	PERSON(UNKNOWN, SKIPPED, "LNR", "skip", "goes on without it"),
	PERSON(ABANDONED, SKIPPED, "SLNRE", "skip", "goes on as if it had succeeded"),
	PERSON(OMITTED, SKIPPED, "SLNR", "skip", "goes on as if it had succeeded"),
	PERSON(OMITTED, READY, "SLNR", "force_start", "starts it all the same"),

	/* once more */
	PERSON(SUCCEEDED, PENDING, "SLNRE", "rerun", "wants it done once more"),
	PERSON(SKIPPED, PENDING, "SLNRE", "rerun", "wants it done after all"),
	PERSON(FAILED, PENDING, "SLNRE", "rerun", "wants it done once more"),
	PERSON(ABANDONED, PENDING, "SLNRE", "rerun", "wants it done once more"),
	PERSON(UNKNOWN, PENDING, "LNR", "rerun", "wants it done once more"),
	PERSON(REVIEW, PENDING, "R", "rerun", "wants it done once more"),
	PERSON(SIGNOFF, PENDING, "S", "rerun", "wants it asked once more"),

	/* when nobody is there any more who could tell how a run ended */
	PERSON(RUNNING, FAILED, "LNR", "mark_failed", "gives up its run, which was asked to stop"),
	PERSON(UP, FAILED, "L", "mark_failed", "gives up its run, which was asked to stop"),
};

const int	josch_fsm_edge_count = lengthof(josch_fsm_edges);

const char *
josch_fsm_label(NodeState state)
{
	Assert(state < NODE_STATE_COUNT);
	return josch_states[state].label;
}

bool
josch_fsm_parse(const char *label, NodeState *state)
{
	const JoschState *found = josch_states_find(label);

	if (found != NULL)
	{
		*state = (NodeState) (found - josch_states);
	}
	return found != NULL;
}

const FsmEdge *
josch_fsm_find(NodeState from, NodeState to, FsmActor actor, char node_type, const char *action)
{
	for (int i = 0; i < josch_fsm_edge_count; i++)
	{
		const FsmEdge *edge = &josch_fsm_edges[i];

		if (edge->from != from || edge->to != to || edge->actor != actor ||
			strchr(edge->types, node_type) == NULL)
		{
			continue;
		}
		if (action != NULL ? strcmp(edge->action, action) == 0 : from != to)
		{
			return edge;
		}
	}
	return NULL;
}

const FsmEdge *
josch_fsm_find_action(NodeState from, char node_type, const char *action)
{
	for (int i = 0; i < josch_fsm_edge_count; i++)
	{
		const FsmEdge *edge = &josch_fsm_edges[i];

		if (edge->from == from && edge->actor == FSM_PERSON &&
			strchr(edge->types, node_type) != NULL && strcmp(edge->action, action) == 0)
		{
			return edge;
		}
	}
	return NULL;
}

char *
josch_fsm_allowed(NodeState from, char node_type)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < josch_fsm_edge_count; i++)
	{
		const FsmEdge *edge = &josch_fsm_edges[i];

		if (edge->from == from && edge->actor == FSM_PERSON && strchr(edge->types, node_type) != NULL)
		{
			appendStringInfo(&text, "%s\"%s\" (%s)", text.len > 0 ? ", " : "",
							 josch_fsm_label(edge->to), edge->action);
		}
	}
	return text.data;
}
