/*
 * src/run/run_table.h
 *	  josch.runs as those see it who go past the planner.
 */
#ifndef JOSCH_RUN_TABLE_H
#define JOSCH_RUN_TABLE_H

#include "base/josch.h"

#include "base/table.h"

/* The first is the primary key; those up to RUNS_INTENT are written when a run is made. */
typedef enum RunsColumn
{
	RUNS_RUN_ID, RUNS_NODE_ID, RUNS_JOB_DATE, RUNS_ATTEMPT, RUNS_KIND, RUNS_NODE_TYPE, RUNS_EXEC_COMMAND, RUNS_EXEC_SQL,
	RUNS_EXEC_SQL_ATOMIC, RUNS_READY_COMMAND, RUNS_READY_AFTER, RUNS_TIMEOUT, RUNS_STOP_GRACE, RUNS_WORK_DIR, RUNS_OWNER,
	RUNS_REQUESTED_AT, RUNS_HOST, RUNS_SERVER, RUNS_TOKEN, RUNS_LEDGER, RUNS_NONCE, RUNS_LOG, RUNS_EXECUTOR, RUNS_EXECUTOR_OPTIONS,
	RUNS_STATUS, RUNS_TIMED_OUT,
	RUNS_INTENT, RUNS_STARTED_AT = RUNS_INTENT, RUNS_ENDED_AT, RUNS_PID, RUNS_EXIT_CODE, RUNS_EXIT_SIGNAL, RUNS_MESSAGE,
	RUNS_CPU_SECONDS, RUNS_PEAK_MEMORY, RUNS_OUTPUT_TAIL, RUNS_SURVIVORS, RUNS_STOP_REQUESTED_BY, RUNS_UP_AT,
	RUNS_TRIES, RUNS_SQLSTATE,
	RUNS_COLUMNS
} RunsColumn;

extern JoschTable josch_runs;

/* The same as it is when a run is made: the other columns are NULL, but for those that people have added. */
extern JoschTable josch_runs_intent;

#endif							/* JOSCH_RUN_TABLE_H */
