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

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/jsonb.h"

#include "base/finder.h"
#include "base/report.h"
#include "day/parent_results.h"
#include "day/server_variables.h"
#include "node/command.h"

enum
{
	JOB_NAME, JOB_DATE, ENVIRON, PARAMS, CALENDAR, PREV_DATE, NEXT_DATE, JOB_COLUMNS
};

static const JoschColumn job_columns[JOB_COLUMNS] = {
	[JOB_NAME] = {"job_name", TEXTOID}, [JOB_DATE] = {"job_date", DATEOID}, [ENVIRON] = {"environ", JSONBOID},
	[PARAMS] = {"params", JSONBOID},
	[CALENDAR] = {"calendar_name", TEXTOID}, [PREV_DATE] = {"prev_date", DATEOID}, [NEXT_DATE] = {"next_date", DATEOID}
};
static AttrNumber job_numbers[JOB_COLUMNS];
static JoschTable jobs_table = JOSCH_TABLE("jobs", job_columns, job_numbers);

enum
{
	NODE_DATE, NODE_ID, NODE_JOB, NODE_NAME, NODE_RUN_ID, NODE_ATTEMPT, NODE_UNMET, NODE_SATISFIED, NODE_IMPOSSIBLE, NODE_COLUMNS
};

static const JoschColumn node_columns[NODE_COLUMNS] = {
	[NODE_DATE] = {"job_date", DATEOID}, [NODE_ID] = {"node_id", INT8OID}, [NODE_JOB] = {"job_name", TEXTOID},
	[NODE_NAME] = {"node_name", TEXTOID}, [NODE_RUN_ID] = {"run_id", INT8OID}, [NODE_ATTEMPT] = {"attempt", INT4OID},
	[NODE_UNMET] = {"unmet", INT4OID}, [NODE_SATISFIED] = {"satisfied", INT4OID}, [NODE_IMPOSSIBLE] = {"impossible", INT4OID}
};
static AttrNumber node_numbers[NODE_COLUMNS];
static JoschTable nodes_table = JOSCH_TABLE("nodes", node_columns, node_numbers);

/* The days of a node, in the order of the index that has them. */
enum
{
	DAY_NODE, DAY_DATE, DAY_COLUMNS
};

static const JoschColumn day_columns[DAY_COLUMNS] = {[DAY_NODE] = {"node_id", INT8OID}, [DAY_DATE] = {"job_date", DATEOID}};
static AttrNumber day_numbers[DAY_COLUMNS];
static JoschTable days_table = JOSCH_TABLE("nodes", day_columns, day_numbers);

/* What is read, and what all nodes of a job have in common. */
typedef struct JobVariables
{
	char	   *job_name;
	DateADT		job_date;
	DateADT		previous;		/* DATEVAL_NOBEGIN: none */
	DateADT		next;			/* DATEVAL_NOEND: none */
	bool		by_calendar;	/* the two, and not by the days that were made */
	int			n;
	int			space;
	EnvironmentVariable *variables;
} JobVariables;

typedef struct Reading
{
	JoschFinder nodes;
	JoschFinder days;
	JoschFinder jobs;
	ParentResults results;
	JobVariables *found;		/* jobs so far */
	int			nfound;
} Reading;

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

/* ---- what a job gives ---- */

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

/* As jsonb_each_text has it; a null is an empty text. */
static char *
text_of(JsonbValue *value)
{
	Jsonb	   *whole;

	if (value->type == jbvNull)
	{
		return "";
	}
	if (value->type == jbvString)
	{
		return pnstrdup(value->val.string.val, value->val.string.len);
	}
	whole = JsonbValueToJsonb(value);
	return JsonbToCString(NULL, &whole->root, VARSIZE(whole));
}

static int
compare_variables(const void *a, const void *b)
{
	return strcmp(((const EnvironmentVariable *) a)->name, ((const EnvironmentVariable *) b)->name);
}

static EnvironmentVariable *
find_variable(JobVariables *job, int n, const char *name)
{
	EnvironmentVariable wanted = {.name = name};

	return n == 0 ? NULL : bsearch(&wanted, job->variables, n, sizeof(EnvironmentVariable), compare_variables);
}

static void
sort_variables(JobVariables *job)
{
	if (job->n > 0)
	{
		qsort(job->variables, job->n, sizeof(EnvironmentVariable), compare_variables);
	}
}

/* The pairs of an object, which win over what is there. */
static void
add_object(JobVariables *job, Jsonb *object)
{
	JsonbIterator *all = JsonbIteratorInit(&object->root);
	JsonbValue	value;
	JsonbIteratorToken token;
	int			former = job->n;
	char	   *name = NULL;

	while ((token = JsonbIteratorNext(&all, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			name = pnstrdup(value.val.string.val, value.val.string.len);
		}
		else if (token == WJB_VALUE)
		{
			EnvironmentVariable *present = find_variable(job, former, name);

			if (present != NULL)
			{
				*present = assign(name, text_of(&value));
			}
			else
			{
				add_variable(job, name, text_of(&value));
			}
		}
	}
	sort_variables(job);
}

/* What nobody has written is as the server has it. */
static void
add_defaults(JobVariables *job)
{
	int			former = job->n;

	for (int i = 0; i < COMMAND_DEFAULT_COUNT; i++)
	{
		const char *value = josch_server_variable(i);

		if (value != NULL && find_variable(job, former, josch_command_defaults[i]) == NULL)
		{
			add_variable(job, josch_command_defaults[i], value);
		}
	}
	sort_variables(job);
}

/* The nearest day that the key has on that side, if it is nearer than the one that is known. */
static DateADT
nearer(JoschFinder *finder, const Datum *key, int column, ScanDirection side, DateADT known)
{
	DateADT		found;
	bool		isnull;

	if (!josch_finder_find_beside(finder, key, side))
	{
		return known;
	}
	found = DatumGetDateADT(josch_finder_get(finder, column, &isnull));
	return ScanDirectionIsBackward(side) ? Max(found, known) : Min(found, known);
}

/* Of a job that had a calendar when it was made: as it was then. */
static void
set_days_of_calendar(JobVariables *job, JoschFinder *row)
{
	bool		none;
	Datum		day;

	(void) josch_finder_get(row, CALENDAR, &none);
	job->by_calendar = !none;
	day = josch_finder_get(row, PREV_DATE, &none);
	job->previous = none ? DATEVAL_NOBEGIN : DatumGetDateADT(day);
	day = josch_finder_get(row, NEXT_DATE, &none);
	job->next = none ? DATEVAL_NOEND : DatumGetDateADT(day);
}

static JobVariables *
job_of(Reading *reading, const char *job_name, DateADT job_date)
{
	Datum		key[] = {CStringGetTextDatum(job_name), DateADTGetDatum(job_date)};
	JobVariables *job;
	bool		isnull;

	for (int i = reading->nfound - 1; i >= 0; i--)
	{
		job = &reading->found[i];
		if (job->job_date == job_date && strcmp(job->job_name, job_name) == 0)
		{
			return job;
		}
	}
	job = &reading->found[reading->nfound++];
	*job = (JobVariables) {.job_name = pstrdup(job_name), .job_date = job_date};
	if (josch_finder_find(&reading->jobs, key))
	{
		add_object(job, DatumGetJsonbP(josch_finder_get(&reading->jobs, ENVIRON, &isnull)));
		add_object(job, DatumGetJsonbP(josch_finder_get(&reading->jobs, PARAMS, &isnull)));
		add_defaults(job);
		set_days_of_calendar(job, &reading->jobs);
	}
	if (job->by_calendar)
	{
		return job;
	}
	job->previous = nearer(&reading->jobs, key, JOB_DATE, BackwardScanDirection, DATEVAL_NOBEGIN);
	job->next = nearer(&reading->jobs, key, JOB_DATE, ForwardScanDirection, DATEVAL_NOEND);
	return job;
}

/* ---- what a node has of its own ---- */

/* The days of a node are those of its job, and those that it has itself: the job may have had another name. */
static char *
day_beside(Reading *reading, const JobVariables *job, NodeKey key, ScanDirection side)
{
	DateADT		of_job = ScanDirectionIsBackward(side) ? job->previous : job->next;
	Datum		days[] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	DateADT		day = of_job;

	if (!job->by_calendar && of_job != key.job_date + (int) side)
	{
		day = nearer(&reading->days, days, DAY_DATE, side, of_job);
	}
	return DATE_NOT_FINITE(day) ? NULL : josch_report_date(day);
}

/* The built-in variables of the node at hand. */
static void
set_builtins(EnvironmentVariable *variables, Reading *reading, const JobVariables *job, const EnvironmentRequest *request)
{
	const char *values[COMMAND_BUILTIN_COUNT];
	bool		no_run;
	bool		isnull;
	Datum		latest = josch_finder_get(&reading->nodes, NODE_RUN_ID, &no_run);
	int64		run_id = request->run_id != 0 ? request->run_id : no_run ? 0 : DatumGetInt64(latest);
	int32		attempt = request->run_id != 0 ? request->attempt :
		DatumGetInt32(josch_finder_get(&reading->nodes, NODE_ATTEMPT, &isnull));

	values[COMMAND_DATE] = josch_report_date(request->key.job_date);
	values[COMMAND_PREV_DATE] = day_beside(reading, job, request->key, BackwardScanDirection);
	values[COMMAND_NEXT_DATE] = day_beside(reading, job, request->key, ForwardScanDirection);
	values[COMMAND_JOB_NAME] = job->job_name;
	values[COMMAND_NODE_ID] = psprintf(INT64_FORMAT, request->key.node_id);
	values[COMMAND_NODE_NAME] = TextDatumGetCString(josch_finder_get(&reading->nodes, NODE_NAME, &isnull));
	values[COMMAND_RUN_ID] = run_id != 0 ? psprintf(INT64_FORMAT, run_id) : NULL;
	values[COMMAND_ATTEMPT] = run_id != 0 ? psprintf("%d", attempt) : NULL;
	for (int i = 0; i < COMMAND_BUILTIN_COUNT; i++)
	{
		variables[i] = assign(josch_command_builtins[i], values[i]);
	}
}

/* By its counts: one without parents needs no look at the dependencies, which somebody may have locked. */
static bool
has_parents(Reading *reading)
{
	bool		isnull;

	return DatumGetInt32(josch_finder_get(&reading->nodes, NODE_UNMET, &isnull)) > 0 ||
		DatumGetInt32(josch_finder_get(&reading->nodes, NODE_SATISFIED, &isnull)) > 0 ||
		DatumGetInt32(josch_finder_get(&reading->nodes, NODE_IMPOSSIBLE, &isnull)) > 0;
}

static void
read_node(Reading *reading, const EnvironmentRequest *request, Environment *environment)
{
	Datum		key[] = {DateADTGetDatum(request->key.job_date), Int64GetDatum(request->key.node_id)};
	bool		isnull;
	JobVariables *job;
	ParentResult *results = NULL;
	int			nresults = 0;

	environment->found = josch_finder_find(&reading->nodes, key);
	if (!environment->found)
	{
		return;
	}
	job = job_of(reading, TextDatumGetCString(josch_finder_get(&reading->nodes, NODE_JOB, &isnull)), request->key.job_date);
	if (has_parents(reading))
	{
		results = josch_parent_results_read(&reading->results, request->key, &nresults);
	}
	environment->n = job->n;
	environment->variables = palloc(sizeof(EnvironmentVariable) * (job->n + nresults + COMMAND_BUILTIN_COUNT));
	if (job->n > 0)
	{
		memcpy(environment->variables, job->variables, sizeof(EnvironmentVariable) * job->n);
	}
	for (int i = 0; i < nresults; i++)
	{
		if (find_variable(job, job->n, results[i].name) == NULL)
		{
			environment->variables[environment->n++] = assign(results[i].name, results[i].value);
		}
	}
	set_builtins(environment->variables + environment->n, reading, job, request);
	environment->n += COMMAND_BUILTIN_COUNT;
}

Environment *
josch_store_environment_read(const EnvironmentRequest *requests, int n)
{
	Reading		reading = {.found = palloc(sizeof(JobVariables) * Max(n, 1))};
	Environment *result = palloc0(sizeof(Environment) * Max(n, 1));

	josch_finder_open(&reading.nodes, &nodes_table, 2, AccessShareLock);
	josch_finder_open_index(&reading.days, &days_table, 2, NULL, AccessShareLock);
	josch_finder_open(&reading.jobs, &jobs_table, 2, AccessShareLock);
	josch_parent_results_open(&reading.results);
	for (int i = 0; i < n; i++)
	{
		read_node(&reading, &requests[i], &result[i]);
	}
	josch_parent_results_close(&reading.results);
	josch_finder_close(&reading.jobs);
	josch_finder_close(&reading.days);
	josch_finder_close(&reading.nodes);
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
