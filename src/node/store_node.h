/*
 * src/node/store_node.h
 *	  SQL on josch.nodes and josch.node_deps: parents counted, rows locked, acts.
 *
 * Every function opens and closes SPI itself, as the schema's owner.
 */
#ifndef JOSCH_STORE_NODE_H
#define JOSCH_STORE_NODE_H

#include "base/josch.h"

#include "node/fsm.h"

/* A parent, before and after a change: its state, or NULL where there was or is no such node. */
typedef struct ParentChange
{
	NodeKey		key;
	const JoschState *before;
	const JoschState *after;
} ParentChange;

/*
 * Waits for these nodes, and locks them, in the order of (level, job_date, node_id); every
 * path that waits for several nodes uses this order, so no two of them can wait for each
 * other (a plain UPDATE of several nodes locks these in the order in which it finds them,
 * as any UPDATE does).
 */
extern void josch_store_node_wait_for(const NodeKey *keys, int n);

/*
 * Counts the parents of all children of the changed nodes by what has changed, and moves
 * children between pending and ready; which of them are to be omitted the scheduler finds
 * in the list of what waits.  The engine waits for nobody, nor does a person whose
 * change lets the children go on, where a scheduler lives: a child that somebody holds is
 * noted in josch.recounts, and the count of a node that stands there is not true: it is
 * left alone, and will be made from nothing.
 */
extern void josch_store_node_propagate(const ParentChange *changes, int n);

/* Moves those of the nodes that are pending or ready to where their count says. */
extern void josch_store_node_settle(const NodeKey *keys, int n);

/*
 * Counts the parents of the given nodes from nothing: their dependencies changed.  Those that
 * are their parents no more are locked, too: whoever changes one may have read that they are.
 */
extern void josch_store_node_recount(const NodeKey *keys, int n, const NodeKey *parted, int nparted);

/* The same for nodes that are locked already, and whose dependencies did not change. */
extern void josch_store_node_recount_locked(const NodeKey *keys, int n);

/* What an act needs to know of a node. */
typedef struct NodeInfo
{
	NodeState	state;
	char		node_type;
	char	   *action;			/* last act, NULL when nobody has acted */
	char	   *acted_by;
	TimestampTz acted_at;
	char	   *comment;
	int64		run_id;			/* 0 when it never ran */
	int64		change_id;
} NodeInfo;

/*
 * Locks the node against other changes, waiting for whoever holds it, and reads
 * it; false when it does not exist.  Texts are palloc'd in the caller's context.
 */
extern bool josch_store_node_lock(NodeKey key, NodeInfo *info);

/* The state of a node that this transaction has locked, after what it has done. */
extern NodeState josch_store_node_state(NodeKey key);

/* Locks nodes in lock order, those that exist: for who acts on one after the other. */
extern void josch_store_node_lock_all(const NodeKey *keys, int n);

/*
 * The same act on nodes in one statement: UPDATE of state and comment (NULL for
 * none); the trigger does the rest.
 */
extern void josch_store_node_act(const NodeKey *keys, int n, NodeState to, const char *comment);

/* Records on the open run of a node that its stop was asked for by this session. */
extern void josch_store_node_request_stop(NodeKey key);

/*
 * A person has moved these nodes on.  Their runs that are open are given up, which
 * needs that they were asked to stop; a WARNING tells of each whose processes may
 * live beside the next run.
 */
extern void josch_store_node_leave_runs(const NodeKey *keys, int n);

/*
 * Locks the node and all its descendants, in lock order; returns those that have
 * an edge of this action (palloc'd in the caller's context), in that order.  A
 * descendant that has to be stopped first is an ERROR.
 */
extern NodeKey *josch_store_node_lock_descendants(NodeKey key, const char *action, int *n);

#endif							/* JOSCH_STORE_NODE_H */
