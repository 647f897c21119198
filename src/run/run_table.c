/*
 * src/run/run_table.c
 *	  josch.runs as those see it who go past the planner.
 */
#include "base/josch.h"

#include "run/run_table.h"

#include "catalog/pg_type.h"

#include "base/role.h"

static const JoschColumn columns[RUNS_COLUMNS] = {
	[RUNS_RUN_ID] = {"run_id", INT8OID}, [RUNS_NODE_ID] = {"node_id", INT8OID}, [RUNS_JOB_DATE] = {"job_date", DATEOID},
	[RUNS_ATTEMPT] = {"attempt", INT4OID}, [RUNS_KIND] = {"kind", TEXTOID}, [RUNS_NODE_TYPE] = {"node_type", TEXTOID},
	[RUNS_EXEC_COMMAND] = {"exec_command", TEXTOID}, [RUNS_EXEC_SQL] = {"exec_sql", TEXTOID},
	[RUNS_EXEC_SQL_ATOMIC] = {"exec_sql_atomic", BOOLOID}, [RUNS_READY_COMMAND] = {"ready_command", TEXTOID},
	[RUNS_READY_AFTER] = {"ready_after", INTERVALOID}, [RUNS_TIMEOUT] = {"timeout", INTERVALOID},
	[RUNS_STOP_GRACE] = {"stop_grace", INTERVALOID}, [RUNS_WORK_DIR] = {"work_dir", TEXTOID},
	[RUNS_OWNER] = {"owner", JOSCH_ROLE_TYPE}, [RUNS_REQUESTED_AT] = {"requested_at", TIMESTAMPTZOID},
	[RUNS_HOST] = {"host", TEXTOID}, [RUNS_SERVER] = {"server", TEXTOID}, [RUNS_TOKEN] = {"token", INT8OID},
	[RUNS_LEDGER] = {"ledger", TEXTOID}, [RUNS_NONCE] = {"nonce", INT8OID}, [RUNS_LOG] = {"log", TEXTOID},
	[RUNS_EXECUTOR] = {"executor", TEXTOID}, [RUNS_EXECUTOR_OPTIONS] = {"executor_options", TEXTOID},
	[RUNS_STATUS] = {"status", TEXTOID}, [RUNS_STARTED_AT] = {"started_at", TIMESTAMPTZOID},
	[RUNS_ENDED_AT] = {"ended_at", TIMESTAMPTZOID}, [RUNS_PID] = {"pid", INT4OID}, [RUNS_EXIT_CODE] = {"exit_code", INT4OID},
	[RUNS_EXIT_SIGNAL] = {"exit_signal", INT4OID}, [RUNS_MESSAGE] = {"message", TEXTOID},
	[RUNS_TIMED_OUT] = {"timed_out", BOOLOID}, [RUNS_CPU_SECONDS] = {"cpu_seconds", FLOAT8OID},
	[RUNS_PEAK_MEMORY] = {"peak_memory", INT8OID}, [RUNS_OUTPUT_TAIL] = {"output_tail", TEXTOID},
	[RUNS_SURVIVORS] = {"survivors", TEXTOID}, [RUNS_STOP_REQUESTED_BY] = {"stop_requested_by", TEXTOID},
	[RUNS_UP_AT] = {"up_at", TIMESTAMPTZOID}, [RUNS_TRIES] = {"tries", INT4OID},
	[RUNS_SQLSTATE] = {"sqlstate", TEXTOID}
};
static AttrNumber numbers[RUNS_COLUMNS];
JoschTable	josch_runs = JOSCH_TABLE("runs", columns, numbers);

static AttrNumber intent_numbers[RUNS_INTENT];
JoschTable	josch_runs_intent = {
	.name = "runs", .columns = columns, .ncolumns = RUNS_INTENT, .numbers = intent_numbers
};
