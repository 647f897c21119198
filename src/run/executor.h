/*
 * src/run/executor.h
 *	  A run that an executor has elsewhere: what the runner executes in place of its command.
 */
#ifndef JOSCH_RUN_EXECUTOR_H
#define JOSCH_RUN_EXECUTOR_H

#include "base/josch.h"

#include "run/store_run.h"

/* Lists are palloc'd, with a NULL after the last. */
typedef struct ExecutorCall
{
	char	  **environment;	/* the command's, and what the executor's programs are told */
	char	  **start;			/* with the words of the command */
	char	  **attach;			/* NULL: none */
	char	  **stop;
	char	   *fault;			/* why it cannot be executed; or NULL */
} ExecutorCall;

/* Of a run that has an executor, and an environment. */
extern ExecutorCall josch_executor_call(const StoreLaunch *launch);

#endif							/* JOSCH_RUN_EXECUTOR_H */
