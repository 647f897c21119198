/*
 * src/node/notify.h
 *	  Tells the clients which nodes changed.
 *
 * Changes are collected during the transaction and sent when it
 * commits, by the scheduler where one lives, on channel "josch": one JSON object a change
 *	{"date","node","job","from","to","by","id"}
 * or, when a transaction changes more than JOSCH_NOTIFY_MAX nodes of a date,
 *	{"date","changed":n}
 * "by" is null for the engine; "id" is nodes.change_id.  A claim is told as a change
 * from the state to itself.  A payload is a hint:
 * clients read the rows again.
 */
#ifndef JOSCH_NOTIFY_H
#define JOSCH_NOTIFY_H

#include "base/josch.h"

#include "node/fsm.h"

#define JOSCH_NOTIFY_MAX 20

/*
 * Notes one change; forgotten again when the (sub)transaction aborts.  by is
 * NULL for the engine.
 */
extern void josch_notify_change(NodeKey key, const char *job_name, NodeState from, NodeState to,
								const char *by, int64 change_id);

/* Alarms were raised, cleared or acknowledged: {"alarms":true}, once. */
extern void josch_notify_alarms(void);

/*
 * For the scheduler, in a transaction: sends what others have left for it to tell.
 * Its transactions that write anything do so by themselves.
 */
extern void josch_notify_handed(void);

/* Registers the transaction callbacks; called once from _PG_init, after josch_wake_init. */
extern void josch_notify_init(void);

#endif							/* JOSCH_NOTIFY_H */
