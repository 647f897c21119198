/*
 * src/node/fsm.h
 *	  The state machine of a node: the edges between the states of base/states.h.
 *
 * Pure: knows neither tables nor transactions.
 */
#ifndef JOSCH_FSM_H
#define JOSCH_FSM_H

#include "base/josch.h"

#include "base/states.h"

typedef enum FsmActor
{
	FSM_ENGINE,					/* the scheduler, a SQL worker, a trigger */
	FSM_PERSON					/* whoever runs a josch.*() function or an UPDATE */
} FsmActor;

typedef struct FsmEdge
{
	NodeState	from;
	NodeState	to;
	FsmActor	actor;
	const char *types;			/* node types that have this edge: of "SLNR" */
	const char *action;
	const char *comment;		/* what people read in josch.fsm */
} FsmEdge;

extern const FsmEdge josch_fsm_edges[];
extern const int josch_fsm_edge_count;

/* The labels: "pending" ..., by number, ended by NULL. */
extern const char *const josch_fsm_labels[NODE_STATE_COUNT + 1];

/* The label of one; a constant string. */
extern const char *josch_fsm_label(NodeState state);

/* False when no state has this label. */
extern bool josch_fsm_parse(const char *label, NodeState *state);

/*
 * The first edge from one state to another for this actor and node type, with
 * this action unless it is NULL; NULL when there is none.  An edge from a state
 * to itself (stop, force_start) is found only with its action.
 */
extern const FsmEdge *josch_fsm_find(NodeState from, NodeState to, FsmActor actor,
									 char node_type, const char *action);

/* The person's edge from a state by its action; NULL when there is none. */
extern const FsmEdge *josch_fsm_find_action(NodeState from, char node_type, const char *action);

/* What people may do in a state: "held" (hold), "skipped" (skip); palloc'd, "" when nothing. */
extern char *josch_fsm_allowed(NodeState from, char node_type);

#endif							/* JOSCH_FSM_H */
