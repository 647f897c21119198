/*
 * src/node/node_table.h
 *	  josch.nodes and its kin as those see them who go past the planner.
 *
 * The places of the columns, for base/finder.h and base/update.h; the first ones are
 * the primary key.
 */
#ifndef JOSCH_NODE_TABLE_H
#define JOSCH_NODE_TABLE_H

#include "base/josch.h"

#include "base/states.h"
#include "base/table.h"
#include "base/update.h"

typedef enum NodesColumn
{
	NODES_JOB_DATE, NODES_NODE_ID, NODES_NODE_TYPE, NODES_STATE, NODES_UNMET, NODES_IMPOSSIBLE, NODES_SATISFIED, NODES_FORCED,
	NODES_DUE_AT, NODES_RUN_ID, NODES_ATTEMPT, NODES_STARTED_AT, NODES_ENDED_AT, NODES_MESSAGE, NODES_EXEC_COMMAND, NODES_EXEC_SQL,
	NODES_EXEC_SQL_ATOMIC, NODES_READY_COMMAND, NODES_READY_AFTER, NODES_TIMEOUT, NODES_STOP_GRACE, NODES_WORK_DIR,
	NODES_OWNER, NODES_JOB_NAME, NODES_NODE_NAME, NODES_CHANGE_ID, NODES_JOIN_RULE, NODES_ON_FAILURE, NODES_SUCCESS_CODES,
	NODES_RETRY_CODES, NODES_RETRIES, NODES_RETRY_DELAY, NODES_RETRY_BACKOFF, NODES_RETRY_MAX_DELAY, NODES_RETRY_ON,
	NODES_REPEATABLE, NODES_NOT_BEFORE, NODES_RETRIED, NODES_REPEAT_EVERY, NODES_REPEAT_UNTIL, NODES_REPEATS_FROM, NODES_WAIT_FILE, NODES_WAIT_SQL,
	NODES_FILE_FOUND, NODES_SQL_TRUE_AT, NODES_SKIP_CODES, NODES_PRIORITY, NODES_LIMIT_GROUP, NODES_STATE_SINCE,
	NODES_WAIT_STABLE, NODES_WAIT_INTERVAL, NODES_MAX_DURATION, NODES_LATE_START_AT, NODES_LATE_END_AT,
	NODES_EXECUTOR, NODES_EXECUTOR_OPTIONS, NODES_COLUMNS
} NodesColumn;

typedef enum DepsColumn
{
	DEPS_P_DATE, DEPS_P_NODE_ID, DEPS_C_DATE, DEPS_C_NODE_ID, DEPS_EXPECTED, DEPS_CONDITION, DEPS_COLUMNS
} DepsColumn;

/* The same table, read by child. */
typedef enum ParentsColumn
{
	PARENTS_C_DATE, PARENTS_C_NODE_ID, PARENTS_P_DATE, PARENTS_P_NODE_ID, PARENTS_EXPECTED, PARENTS_CONDITION, PARENTS_COLUMNS
} ParentsColumn;

typedef enum RecountsColumn
{
	RECOUNTS_JOB_DATE, RECOUNTS_NODE_ID, RECOUNTS_NOTE, RECOUNTS_COLUMNS
} RecountsColumn;

typedef enum WaitingColumn
{
	WAITING_WAITS_FOR, WAITING_LIMIT_GROUP, WAITING_DUE_AT, WAITING_JOB_DATE, WAITING_NODE_ID, WAITING_COLUMNS
} WaitingColumn;

typedef enum NodeSemaphoresColumn
{
	NODE_SEMAPHORES_JOB_DATE, NODE_SEMAPHORES_NODE_ID, NODE_SEMAPHORES_SEMAPHORE_NAME, NODE_SEMAPHORES_UNITS,
	NODE_SEMAPHORES_JOB_NAME, NODE_SEMAPHORES_COLUMNS
} NodeSemaphoresColumn;

typedef enum UnitsColumn
{
	UNITS_JOB_DATE, UNITS_NODE_ID, UNITS_LIMIT_KIND, UNITS_LIMIT_NAME, UNITS_JOB_NAME, UNITS_UNITS, UNITS_TAKEN_AT, UNITS_COLUMNS
} UnitsColumn;

extern JoschTable josch_nodes;
extern JoschTable josch_node_deps;
extern JoschTable josch_node_parents;
extern JoschTable josch_recounts;
extern JoschTable josch_waiting;
extern JoschTable josch_node_semaphores;
extern JoschTable josch_units_in_use;

/* Columns of the primary key of nodes; as many of that of node_deps name the parent, and of the others the node. */
#define JOSCH_NODE_KEYS 2

/* The state that nodes.state says; a CHECK knows no other words. */
extern NodeState josch_node_state(Datum value);

/*
 * Sets what belongs to a change of the state of the row that was found: as the door does,
 * which then has only to say whether the change may be.  A row that is in that state stays.
 */
extern void josch_node_set_state(JoschUpdate *nodes, NodeState state);

/* The condition that node_deps.condition says; whether nodes.join_rule is "any", nodes.on_failure "abandon", nodes.node_type E. */
extern Condition josch_node_condition(Datum value);
extern bool josch_node_joins_any(Datum value);
extern bool josch_node_is_given_up(Datum value);
extern bool josch_node_ends_job(Datum value);

/* A key as the finders want it. */
static inline void
josch_node_key_datums(NodeKey key, Datum datums[JOSCH_NODE_KEYS])
{
	datums[0] = DateADTGetDatum(key.job_date);
	datums[1] = Int64GetDatum(key.node_id);
}

#endif							/* JOSCH_NODE_TABLE_H */
