/*
 * src/day/store_environment.c
 *	  The environment of a node's command.
 *
 * A variable reaches a command as its environment and in no other way.  A pass
 * may start a thousand commands of one job: what the job gives is read and
 * written out once for all of them.
 */
#include "base/josch.h"

#include "day/store_environment.h"

#include "base/report.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "node/command.h"

/* $1, $2: nodes.  Both statements have jobs in the same order. */
static JoschPlan select_variables = JOSCH_PLAN(
	"SELECT j.job_name, j.job_date, e.key, coalesce(e.value, '')"
	"  FROM josch.jobs j, jsonb_each_text(j.environ) e"
	" WHERE (j.job_name, j.job_date) IN ("
	"   SELECT n.job_name, n.job_date FROM unnest($1, $2) k (node_id, job_date)"
	"     JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date)"
	" ORDER BY j.job_name COLLATE \"C\", j.job_date, e.key COLLATE \"C\"",
	INT8ARRAYOID, DATEARRAYOID);

/* josch.made_days() of one day, written out: a function in SQL is planned at each call */
#define NEAREST(side, order, nearer) \
	nearer "((SELECT d.job_date FROM josch.jobs d WHERE d.job_name = g.job_name AND d.job_date " side " g.job_date" \
	"   ORDER BY d.job_date " order " LIMIT 1)," \
	" (SELECT d.job_date FROM josch.nodes d WHERE d.node_id = g.node_id AND d.job_date " side " g.job_date" \
	"   ORDER BY d.job_date " order " LIMIT 1))"

static JoschPlan select_nodes = JOSCH_PLAN(
	"SELECT n.job_name, n.job_date, (k.number - 1)::integer, n.node_name, n.run_id, n.attempt,"
	"       j.previous, j.next"
	"  FROM unnest($1, $2) WITH ORDINALITY k (node_id, job_date, number)"
	"  JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	"  JOIN (SELECT g.job_name, g.job_date, " NEAREST("<", "DESC", "greatest") " AS previous, " NEAREST(">", "ASC", "least") " AS next"
	"          FROM (SELECT n.job_name, n.job_date, min(n.node_id) AS node_id"
	"                  FROM unnest($1, $2) k (node_id, job_date)"
	"                  JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	"                 GROUP BY n.job_name, n.job_date) g) j ON j.job_name = n.job_name AND j.job_date = n.job_date"
	" ORDER BY n.job_name COLLATE \"C\", n.job_date, k.number",
	INT8ARRAYOID, DATEARRAYOID);

static const JoschRow request_row = JOSCH_ROW(EnvironmentRequest, JOSCH_FIELD_KEY(EnvironmentRequest, key));

/* What all nodes of a job have in common. */
typedef struct JobVariables
{
	char	   *job_name;
	DateADT		job_date;
	int			n;
	int			space;
	EnvironmentVariable *variables;
} JobVariables;

static EnvironmentVariable
assign(const char *name, const char *value)
{
	EnvironmentVariable variable = {name, value, NULL};

	if (value != NULL)
	{
		variable.assignment = psprintf("%s=%s", name, value);
	}
	return variable;
}

static void
add_variable(JobVariables *job, const char *name, const char *value)
{
	if (job->n == job->space)
	{
		job->space = Max(job->space * 2, 16);
		job->variables = job->variables == NULL ?
			palloc(job->space * sizeof(EnvironmentVariable)) :
			repalloc(job->variables, job->space * sizeof(EnvironmentVariable));
	}
	job->variables[job->n++] = assign(name, value);
}

/* Groups the rows of select_variables by job. */
static JobVariables *
fetch_jobs(uint64 rows, int *n)
{
	JobVariables *jobs = palloc0(sizeof(JobVariables) * Max(rows, 1));

	*n = 0;
	for (uint64 i = 0; i < rows; i++)
	{
		char	   *job_name = josch_spi_text(i, 1);
		DateADT		job_date = josch_spi_date(i, 2, 0);
		JobVariables *job = *n > 0 ? &jobs[*n - 1] : NULL;

		if (job == NULL || job->job_date != job_date || strcmp(job->job_name, job_name) != 0)
		{
			job = &jobs[(*n)++];
			job->job_name = job_name;
			job->job_date = job_date;
		}
		add_variable(job, josch_spi_text(i, 3), josch_spi_text(i, 4));
	}
	return jobs;
}

static char *
date_or_null(uint64 row, int column)
{
	DateADT		date = josch_spi_date(row, column, DATEVAL_NOEND);

	return date == DATEVAL_NOEND ? NULL : josch_report_date(date);
}

/* The built-in variables of the node in a row of select_nodes. */
static void
set_builtins(EnvironmentVariable *variables, uint64 row, const EnvironmentRequest *request)
{
	const char *values[COMMAND_BUILTIN_COUNT];
	int64		run_id = request->run_id != 0 ? request->run_id : josch_spi_int64(row, 5, 0);
	int32		attempt = request->run_id != 0 ? request->attempt : josch_spi_int32(row, 6, 0);

	values[COMMAND_DATE] = josch_report_date(request->key.job_date);
	values[COMMAND_PREV_DATE] = date_or_null(row, 7);
	values[COMMAND_NEXT_DATE] = date_or_null(row, 8);
	values[COMMAND_JOB_NAME] = josch_spi_text(row, 1);
	values[COMMAND_NODE_ID] = psprintf(INT64_FORMAT, request->key.node_id);
	values[COMMAND_NODE_NAME] = josch_spi_text(row, 4);
	values[COMMAND_RUN_ID] = run_id != 0 ? psprintf(INT64_FORMAT, run_id) : NULL;
	values[COMMAND_ATTEMPT] = run_id != 0 ? psprintf("%d", attempt) : NULL;
	for (int i = 0; i < COMMAND_BUILTIN_COUNT; i++)
	{
		variables[i] = assign(josch_command_builtins[i], values[i]);
	}
}

/* Puts the rows of select_nodes, which are in the order of the jobs, into the result. */
static void
fetch_nodes(uint64 rows, const JobVariables *jobs, int njobs, const EnvironmentRequest *requests,
			Environment *result)
{
	const JobVariables *job = jobs;

	for (uint64 i = 0; i < rows; i++)
	{
		int			number = josch_spi_int32(i, 3, 0);
		Environment *environment = &result[number];
		char	   *job_name = josch_spi_text(i, 1);
		DateADT		job_date = josch_spi_date(i, 2, 0);
		int			shared = 0;

		/* a job without variables has no place among the jobs */
		while (job < jobs + njobs &&
			   (strcmp(job->job_name, job_name) < 0 ||
				(strcmp(job->job_name, job_name) == 0 && job->job_date < job_date)))
		{
			job++;
		}
		if (job < jobs + njobs && job->job_date == job_date && strcmp(job->job_name, job_name) == 0)
		{
			shared = job->n;
		}
		environment->found = true;
		environment->n = shared + COMMAND_BUILTIN_COUNT;
		environment->variables = palloc(sizeof(EnvironmentVariable) * environment->n);
		if (shared > 0)
		{
			memcpy(environment->variables, job->variables, sizeof(EnvironmentVariable) * shared);
		}
		set_builtins(environment->variables + shared, i, &requests[number]);
	}
}

Environment *
josch_store_environment_read(const EnvironmentRequest *requests, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext inner;
	JoschSpi	spi;
	Datum		args[2];
	Environment *result = palloc0(sizeof(Environment) * Max(n, 1));
	JobVariables *jobs;
	int			njobs;
	uint64		rows;

	josch_spi_begin(&spi);
	josch_rows_arrays(&request_row, requests, n, args);

	rows = josch_spi_run(&select_variables, SPI_OK_SELECT, args, NULL);
	inner = MemoryContextSwitchTo(caller);
	jobs = fetch_jobs(rows, &njobs);
	MemoryContextSwitchTo(inner);

	rows = josch_spi_run(&select_nodes, SPI_OK_SELECT, args, NULL);
	inner = MemoryContextSwitchTo(caller);
	fetch_nodes(rows, jobs, njobs, requests, result);
	MemoryContextSwitchTo(inner);

	josch_spi_end(&spi);
	return result;
}

char **
josch_store_environment_block(const Environment *environment)
{
	char	  **block = palloc(sizeof(char *) * (environment->n + 1));
	int			n = 0;

	for (int i = 0; i < environment->n; i++)
	{
		if (environment->variables[i].assignment != NULL)
		{
			block[n++] = unconstify(char *, environment->variables[i].assignment);
		}
	}
	block[n] = NULL;
	return block;
}
