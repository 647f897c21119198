/*
 * src/node/node_table.c
 *	  josch.nodes and its kin as those see them who go past the planner.
 */
#include "base/josch.h"

#include "node/node_table.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "base/clock.h"
#include "base/role.h"

static const JoschColumn nodes_columns[NODES_COLUMNS] = {
	[NODES_JOB_DATE] = {"job_date", DATEOID}, [NODES_NODE_ID] = {"node_id", INT8OID},
	[NODES_NODE_TYPE] = {"node_type", TEXTOID}, [NODES_STATE] = {"state", TEXTOID},
	[NODES_UNMET] = {"unmet", INT4OID}, [NODES_IMPOSSIBLE] = {"impossible", INT4OID},
	[NODES_SATISFIED] = {"satisfied", INT4OID}, [NODES_FORCED] = {"forced", BOOLOID}, [NODES_DUE_AT] = {"due_at", TIMESTAMPTZOID},
	[NODES_RUN_ID] = {"run_id", INT8OID}, [NODES_ATTEMPT] = {"attempt", INT4OID},
	[NODES_STARTED_AT] = {"started_at", TIMESTAMPTZOID}, [NODES_ENDED_AT] = {"ended_at", TIMESTAMPTZOID},
	[NODES_MESSAGE] = {"message", TEXTOID}, [NODES_EXEC_COMMAND] = {"exec_command", TEXTOID},
	[NODES_EXEC_SQL] = {"exec_sql", TEXTOID}, [NODES_EXEC_SQL_ATOMIC] = {"exec_sql_atomic", BOOLOID},
	[NODES_READY_COMMAND] = {"ready_command", TEXTOID}, [NODES_READY_AFTER] = {"ready_after", INTERVALOID},
	[NODES_TIMEOUT] = {"timeout", INTERVALOID}, [NODES_STOP_GRACE] = {"stop_grace", INTERVALOID},
	[NODES_WORK_DIR] = {"work_dir", TEXTOID}, [NODES_OWNER] = {"owner", JOSCH_ROLE_TYPE},
	[NODES_JOB_NAME] = {"job_name", TEXTOID}, [NODES_NODE_NAME] = {"node_name", TEXTOID},
	[NODES_CHANGE_ID] = {"change_id", INT8OID}, [NODES_JOIN_RULE] = {"join_rule", TEXTOID},
	[NODES_ON_FAILURE] = {"on_failure", TEXTOID},
	[NODES_SUCCESS_CODES] = {"success_codes", INT4MULTIRANGEOID}, [NODES_RETRY_CODES] = {"retry_codes", INT4MULTIRANGEOID},
	[NODES_RETRIES] = {"retries", INT4OID}, [NODES_RETRY_DELAY] = {"retry_delay", INTERVALOID},
	[NODES_RETRY_BACKOFF] = {"retry_backoff", NUMERICOID}, [NODES_RETRY_MAX_DELAY] = {"retry_max_delay", INTERVALOID},
	[NODES_RETRY_ON] = {"retry_on", TEXTARRAYOID}, [NODES_REPEATABLE] = {"repeatable", BOOLOID},
	[NODES_NOT_BEFORE] = {"not_before", TIMESTAMPTZOID}, [NODES_RETRIED] = {"retried", INT4OID},
	[NODES_REPEAT_EVERY] = {"repeat_every", INTERVALOID}, [NODES_REPEAT_UNTIL] = {"repeat_until", INTERVALOID},
	[NODES_REPEATS_FROM] = {"repeats_from", TIMESTAMPTZOID},
	[NODES_WAIT_FILE] = {"wait_file", TEXTOID}, [NODES_WAIT_SQL] = {"wait_sql", TEXTOID},
	[NODES_FILE_FOUND] = {"file_found", TEXTOID}, [NODES_SQL_TRUE_AT] = {"sql_true_at", TIMESTAMPTZOID},
	[NODES_SKIP_CODES] = {"skip_codes", INT4MULTIRANGEOID}, [NODES_PRIORITY] = {"priority", INT4OID},
	[NODES_LIMIT_GROUP] = {"limit_group", INT8OID}, [NODES_STATE_SINCE] = {"state_since", TIMESTAMPTZOID},
	[NODES_WAIT_STABLE] = {"wait_stable", INTERVALOID}, [NODES_WAIT_INTERVAL] = {"wait_interval", INTERVALOID},
	[NODES_MAX_DURATION] = {"max_duration", INTERVALOID},
	[NODES_LATE_START_AT] = {"late_start_at", TIMESTAMPTZOID}, [NODES_LATE_END_AT] = {"late_end_at", TIMESTAMPTZOID},
	[NODES_EXECUTOR] = {"executor", TEXTOID}, [NODES_EXECUTOR_OPTIONS] = {"executor_options", TEXTOID}
};
static AttrNumber nodes_numbers[NODES_COLUMNS];
JoschTable	josch_nodes = JOSCH_TABLE("nodes", nodes_columns, nodes_numbers);

static const JoschColumn deps_columns[DEPS_COLUMNS] = {
	[DEPS_P_DATE] = {"p_date", DATEOID}, [DEPS_P_NODE_ID] = {"p_node_id", INT8OID},
	[DEPS_C_DATE] = {"c_date", DATEOID}, [DEPS_C_NODE_ID] = {"c_node_id", INT8OID}, [DEPS_EXPECTED] = {"expected", BOOLOID},
	[DEPS_CONDITION] = {"condition", TEXTOID}
};
static AttrNumber deps_numbers[DEPS_COLUMNS];
JoschTable	josch_node_deps = JOSCH_TABLE("node_deps", deps_columns, deps_numbers);

static const JoschColumn parents_columns[PARENTS_COLUMNS] = {
	[PARENTS_C_DATE] = {"c_date", DATEOID}, [PARENTS_C_NODE_ID] = {"c_node_id", INT8OID},
	[PARENTS_P_DATE] = {"p_date", DATEOID}, [PARENTS_P_NODE_ID] = {"p_node_id", INT8OID},
	[PARENTS_EXPECTED] = {"expected", BOOLOID}, [PARENTS_CONDITION] = {"condition", TEXTOID}
};
static AttrNumber parents_numbers[PARENTS_COLUMNS];
JoschTable	josch_node_parents = JOSCH_TABLE("node_deps", parents_columns, parents_numbers);

static const JoschColumn recounts_columns[RECOUNTS_COLUMNS] = {
	[RECOUNTS_JOB_DATE] = {"job_date", DATEOID}, [RECOUNTS_NODE_ID] = {"node_id", INT8OID},
	[RECOUNTS_NOTE] = {"note", INT8OID}
};
static AttrNumber recounts_numbers[RECOUNTS_COLUMNS];
JoschTable	josch_recounts = JOSCH_TABLE("recounts", recounts_columns, recounts_numbers);

static const JoschColumn waiting_columns[WAITING_COLUMNS] = {
	[WAITING_WAITS_FOR] = {"waits_for", CHAROID}, [WAITING_LIMIT_GROUP] = {"limit_group", INT8OID},
	[WAITING_DUE_AT] = {"due_at", TIMESTAMPTZOID},
	[WAITING_JOB_DATE] = {"job_date", DATEOID}, [WAITING_NODE_ID] = {"node_id", INT8OID}
};
static AttrNumber waiting_numbers[WAITING_COLUMNS];
JoschTable	josch_waiting = JOSCH_TABLE("waiting", waiting_columns, waiting_numbers);

static const JoschColumn node_semaphores_columns[NODE_SEMAPHORES_COLUMNS] = {
	[NODE_SEMAPHORES_JOB_DATE] = {"job_date", DATEOID}, [NODE_SEMAPHORES_NODE_ID] = {"node_id", INT8OID},
	[NODE_SEMAPHORES_SEMAPHORE_NAME] = {"semaphore_name", TEXTOID}, [NODE_SEMAPHORES_UNITS] = {"units", INT4OID},
	[NODE_SEMAPHORES_JOB_NAME] = {"job_name", TEXTOID}
};
static AttrNumber node_semaphores_numbers[NODE_SEMAPHORES_COLUMNS];
JoschTable	josch_node_semaphores = JOSCH_TABLE("node_semaphores", node_semaphores_columns, node_semaphores_numbers);

static const JoschColumn units_columns[UNITS_COLUMNS] = {
	[UNITS_JOB_DATE] = {"job_date", DATEOID}, [UNITS_NODE_ID] = {"node_id", INT8OID}, [UNITS_LIMIT_KIND] = {"limit_kind", CHAROID},
	[UNITS_LIMIT_NAME] = {"limit_name", TEXTOID}, [UNITS_JOB_NAME] = {"job_name", TEXTOID}, [UNITS_UNITS] = {"units", INT4OID},
	[UNITS_TAKEN_AT] = {"taken_at", TIMESTAMPTZOID}
};
static AttrNumber units_numbers[UNITS_COLUMNS];
JoschTable	josch_units_in_use = JOSCH_TABLE("units_in_use", units_columns, units_numbers);

/* On the way of every row: nothing is copied. */
static bool
is_word(Datum value, const char *word)
{
	text	   *label = DatumGetTextPP(value);
	size_t		length = VARSIZE_ANY_EXHDR(label);

	return strlen(word) == length && memcmp(word, VARDATA_ANY(label), length) == 0;
}

NodeState
josch_node_state(Datum value)
{
	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		if (is_word(value, josch_states[i].label))
		{
			return (NodeState) i;
		}
	}
	return NODE_STATE_PENDING;
}

void
josch_node_set_state(JoschUpdate *nodes, NodeState state)
{
	static uint64 generation = 0;
	static Oid	sequence;
	bool		isnull;

	if (josch_node_state(josch_update_get(nodes, NODES_STATE, &isnull)) == state)
	{
		return;
	}
	if (generation != josch_table_generation())
	{
		generation = josch_table_generation();
		sequence = get_relname_relid("change_id_seq", get_namespace_oid(JOSCH_SCHEMA, false));
	}
	josch_update_set_text(nodes, NODES_STATE, josch_states[state].label);
	josch_update_set(nodes, NODES_STATE_SINCE, TimestampTzGetDatum(josch_clock_now()));
	josch_update_set(nodes, NODES_CHANGE_ID, Int64GetDatum(nextval_internal(sequence, false)));
}

Condition
josch_node_condition(Datum value)
{
	for (int i = 0; i < CONDITION_COUNT; i++)
	{
		if (is_word(value, josch_conditions[i]))
		{
			return (Condition) i;
		}
	}
	return CONDITION_SUCCESS;
}

bool
josch_node_joins_any(Datum value)
{
	return is_word(value, "any");
}

bool
josch_node_is_given_up(Datum value)
{
	return is_word(value, "abandon");
}

bool
josch_node_ends_job(Datum value)
{
	return is_word(value, "E");
}
