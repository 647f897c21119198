/*
 * src/day/store_day_template.c
 *	  SQL on the templates: what a day is to be made of.
 *
 * Most dependencies are between two nodes of the day that is being made: these are
 * worked out here.  Only of those that reach beyond it does SQL ask which day is
 * meant, and whether it is expected.
 */
#include "base/josch.h"

#include "day/store_day.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/finder.h"
#include "base/node_key.h"
#include "base/spi_plan.h"
#include "base/table.h"
#include "day/job_end.h"
#include "graph/template_deps.h"

static const JoschRow job_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE));

static const JoschRow job_zone_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE),
	JOSCH_FIELD(DayJob, time_zone, TEXT));

/*
 * $1 job or NULL, $2 date or NULL, $3 zone of jobs that have none.  The one that
 * is named may be there now, and gone when whoever takes it back has committed.
 */
static JoschPlan requested_jobs = JOSCH_PLAN(
	"SELECT t.job_name, t.job_date, t.time_zone, CASE WHEN NOT josch.is_open(t.calendar_name, t.job_date) THEN t.calendar_name END"
	"  FROM (SELECT job_name, calendar_name, coalesce(time_zone, $3) AS time_zone,"
	"               coalesce($2, josch.today(coalesce(time_zone, $3))) AS job_date"
	"          FROM josch.tpl_jobs WHERE $1 IS NULL OR job_name = $1) t"
	" WHERE $1 IS NOT NULL"
	"    OR NOT EXISTS (SELECT FROM josch.jobs j"
	"                    WHERE j.job_name = t.job_name AND j.job_date = t.job_date)"
	" ORDER BY t.job_name COLLATE \"C\"",
	TEXTOID, DATEOID, TEXTOID);

static const JoschRow requested_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE),
	JOSCH_FIELD(DayJob, time_zone, TEXT),
	JOSCH_FIELD(DayJob, closed_by, TEXT));

/* From when on others wait for days of a job that are not there: what makes itself does so from a date on. */
#define FIRST_DAY(t) "greatest(" t ".days_after + 1, coalesce(" t ".valid_from, " t ".loaded_on))"

/* a day that the job's calendar does not have is never expected; of one that is being made nobody has said that it is not to be */
static JoschPlan missing_jobs = JOSCH_PLAN(
	"SELECT t.job_name, k.job_date, coalesce(t.time_zone, k.time_zone),"
	"       CASE WHEN NOT josch.is_open(t.calendar_name, k.job_date) OR k.job_date > t.valid_to THEN 'infinity' ELSE " FIRST_DAY("t") " END"
	"  FROM unnest($1, $2, $3) k (job_name, job_date, time_zone)"
	"  JOIN josch.tpl_jobs t ON t.job_name = k.job_name"
	" WHERE NOT EXISTS (SELECT FROM josch.jobs j"
	"                    WHERE j.job_name = k.job_name AND j.job_date = k.job_date)"
	" ORDER BY t.job_name COLLATE \"C\"",
	TEXTARRAYOID, DATEARRAYOID, TEXTARRAYOID);

static const JoschRow missing_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE),
	JOSCH_FIELD(DayJob, time_zone, TEXT),
	JOSCH_FIELD(DayJob, expected_from, DATE));

static JoschPlan has_template = JOSCH_PLAN(
	"SELECT FROM josch.tpl_jobs WHERE $1 IS NULL OR job_name = $1 LIMIT 1",
	TEXTOID);

static JoschPlan select_commands = JOSCH_PLAN(
	"SELECT n.node_id, c.command FROM josch.tpl_nodes n,"
	"       LATERAL (VALUES (n.exec_command), (n.ready_command)) c (command)"
	" WHERE n.job_name = ANY ($1) AND strpos(c.command, '$') > 0"
	" ORDER BY n.node_id",
	TEXTARRAYOID);

static const JoschRow command_row = JOSCH_ROW(
	DayCommand,
	JOSCH_FIELD(DayCommand, node_id, INT64),
	JOSCH_FIELD(DayCommand, command, TEXT));

static JoschPlan select_nodes = JOSCH_PLAN(
	"SELECT n.node_id, j.job_date, (j.number - 1)::integer, n.node_type = 'E'"
	"  FROM unnest($1, $2) WITH ORDINALITY j (job_name, job_date, number)"
	"  JOIN josch.tpl_nodes n ON n.job_name = j.job_name",
	TEXTARRAYOID, DATEARRAYOID);

static const JoschRow node_row = JOSCH_ROW(
	DayNode,
	JOSCH_FIELD_KEY(DayNode, key),
	JOSCH_FIELD(DayNode, job, INT32),
	JOSCH_FIELD(DayNode, ends_job, BOOL));

/* Of nodes: its key, and the job. */
enum
{
	PRESENT_DATE, PRESENT_NODE, PRESENT_JOB, PRESENT_COLUMNS
};

static const JoschColumn present_columns[PRESENT_COLUMNS] = {
	[PRESENT_DATE] = {"job_date", DATEOID}, [PRESENT_NODE] = {"node_id", INT8OID}, [PRESENT_JOB] = {"job_name", TEXTOID}
};
static AttrNumber present_numbers[PRESENT_COLUMNS];
static JoschTable present_nodes = JOSCH_TABLE("nodes", present_columns, present_numbers);

/* A template's dependency, for a date of the child. */
typedef struct Template
{
	int64		parent;
	int64		child;
	DateADT		job_date;
	int32		days;			/* from there to the parent's day */
	Condition	condition;
} Template;

static const JoschRow template_row = JOSCH_ROW(
	Template,
	JOSCH_FIELD(Template, parent, INT64),
	JOSCH_FIELD(Template, child, INT64),
	JOSCH_FIELD(Template, job_date, DATE),
	JOSCH_FIELD(Template, days, INT32),
	JOSCH_FIELD_WORDS(Template, condition, josch_conditions));

/*
 * Those that reach beyond what is being made.  By the calendar of the parent's job
 * a day is meant as it stands, whether it is made or not; where it has no such day
 * nobody waits.  Of a job without one, made days are followed.
 */
static JoschPlan select_dependencies = JOSCH_PLAN(
	"SELECT d.p_node_id, p.job_date, d.c_node_id, d.c_date,"
	"       CASE WHEN t.calendar_name IS NULL THEN d.days = 0 ELSE coalesce(josch.is_open(t.calendar_name, p.calendar_day), false) END"
	"       AND p.job_date >= " FIRST_DAY("t") " AND p.job_date <= coalesce(t.valid_to, p.job_date)"
	"       AND NOT EXISTS (SELECT FROM josch.job_days w WHERE w.job_name = t.job_name AND w.job_date = p.job_date AND w.outcome IN ('missed', 'declined')),"
	"       m.job_date IS NOT NULL,"
	"       CASE WHEN t.calendar_name IS NULL THEN -d.days ELSE 0 END, p.job_date, d.condition"
	"  FROM unnest($1, $2, $3, $4, $5) d (p_node_id, c_node_id, c_date, days, condition)"
	"  JOIN josch.tpl_nodes n ON n.node_id = d.p_node_id"
	"  JOIN josch.tpl_jobs t ON t.job_name = n.job_name"
	" CROSS JOIN LATERAL (SELECT k.calendar_day, CASE WHEN t.calendar_name IS NOT NULL THEN coalesce(k.calendar_day, d.c_date + d.days)"
	"          ELSE " JOSCH_SQL_DAY_OF("t.job_name", "d.p_node_id", "d.c_date", "d.days") " END AS job_date"
	"          FROM (SELECT josch.calendar_day(t.calendar_name, d.c_date, d.days) AS calendar_day OFFSET 0) k OFFSET 0) p"
	"  LEFT JOIN josch.jobs m ON m.job_name = t.job_name AND m.job_date = p.job_date",
	INT8ARRAYOID, INT8ARRAYOID, DATEARRAYOID, INT4ARRAYOID, TEXTARRAYOID);

/* Room for n elements of a result, in the caller's context; a day has no limit. */
static void *
allocate(MemoryContext caller, uint64 n, Size size)
{
	return MemoryContextAllocExtended(caller, Max(n, 1) * size, MCXT_ALLOC_HUGE);
}

/* ---- what is to be made ---- */

bool
josch_store_day_has_template(Snapshot templates, const char *job_name)
{
	JoschSpi	spi;
	Datum		args[1];
	char		nulls[1];
	bool		found;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, job_name);
	found = josch_spi_run_at(&has_template, templates, SPI_OK_SELECT, args, nulls) > 0;
	josch_spi_end(&spi);
	return found;
}

DayJob *
josch_store_day_requested(Snapshot templates, const DayRequest *request, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[3];
	char		nulls[3];
	DayJob	   *jobs;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, request->job_name);
	args[1] = DateADTGetDatum(request->job_date);
	nulls[1] = request->has_date ? ' ' : 'n';
	josch_spi_set_text(args, nulls, 2, request->default_zone);
	*n = (int) josch_spi_run_at(&requested_jobs, templates, SPI_OK_SELECT, args, nulls);
	jobs = josch_rows_fetch(&requested_row, *n, caller);
	josch_spi_end(&spi);
	return jobs;
}

DayJob *
josch_store_day_missing(Snapshot templates, const DayJob *jobs, int njobs, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[3];
	DayJob	   *missing;

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_zone_row, jobs, njobs, args);
	*n = (int) josch_spi_run_at(&missing_jobs, templates, SPI_OK_SELECT, args, NULL);
	missing = josch_rows_fetch(&missing_row, *n, caller);
	josch_spi_end(&spi);
	return missing;
}

DayCommand *
josch_store_day_commands(Snapshot templates, const DayJob *jobs, int njobs, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	DayCommand *result;

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, njobs, args);
	*n = (int) josch_spi_run_at(&select_commands, templates, SPI_OK_SELECT, args, NULL);
	result = josch_rows_fetch(&command_row, *n, caller);
	josch_spi_end(&spi);
	return result;
}

static int
compare_nodes(const void *a, const void *b)
{
	return josch_node_key_compare(((const DayNode *) a)->key, ((const DayNode *) b)->key);
}

/* Whether anything is there for a date: most days are made on empty ground. */
static bool
is_date_used(DateADT date)
{
	JoschFinder finder;
	Datum		key = DateADTGetDatum(date);
	bool		found;

	josch_finder_open(&finder, &present_nodes, 1, AccessShareLock);
	found = josch_finder_find(&finder, &key);
	josch_finder_close(&finder);
	return found;
}

/* Sets present_in of the nodes of a date. */
static void
find_present(DayNode *nodes, int n)
{
	JoschFinder finder;

	josch_finder_open(&finder, &present_nodes, 2, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key[] = {DateADTGetDatum(nodes[i].key.job_date), Int64GetDatum(nodes[i].key.node_id)};
		bool		isnull;

		if (josch_finder_find(&finder, key))
		{
			nodes[i].present_in = TextDatumGetCString(josch_finder_get(&finder, PRESENT_JOB, &isnull));
		}
	}
	josch_finder_close(&finder);
}

DayNode *
josch_store_day_nodes(Snapshot templates, const DayJob *jobs, int njobs, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	DayNode    *result;
	int			end;

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, njobs, args);
	*n = (int) josch_spi_run_at(&select_nodes, templates, SPI_OK_SELECT, args, NULL);
	result = josch_rows_fetch(&node_row, *n, caller);
	josch_spi_end(&spi);

	/* those that are in their order already take no time */
	qsort(result, *n, sizeof(DayNode), compare_nodes);
	for (int i = 0; i < *n; i = end)
	{
		for (end = i + 1; end < *n && result[end].key.job_date == result[i].key.job_date; end++)
			;
		if (is_date_used(result[i].key.job_date))
		{
			find_present(result + i, end - i);
		}
	}
	return result;
}

static int
compare_key_to_node(const void *key, const void *node)
{
	return josch_node_key_compare(*(const NodeKey *) key, ((const DayNode *) node)->key);
}

DayNode *
josch_store_day_find(const DayNode *nodes, int n, NodeKey key)
{
	return bsearch(&key, nodes, n, sizeof(DayNode), compare_key_to_node);
}

/* ---- their dependencies ---- */

/* By child, then by parent. */
static int
compare_dependencies(const void *a, const void *b)
{
	const DayDependency *x = a;
	const DayDependency *y = b;
	int			order = josch_node_key_compare(x->child, y->child);

	if (order == 0)
	{
		order = josch_node_key_compare(x->parent, y->parent);
	}
	return order != 0 ? order : (x->lag > y->lag) - (x->lag < y->lag);
}

/* The same, and of those that are one dependency of a day the first condition. */
static int
compare_dependencies_and_conditions(const void *a, const void *b)
{
	int			order = compare_dependencies(a, b);

	return order != 0 ? order : (int) ((const DayDependency *) a)->condition - (int) ((const DayDependency *) b)->condition;
}

/* Two template rows with the same lag are one dependency of a day. */
static int
leave_out_repeated(DayDependency *dependencies, int n)
{
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		if (kept == 0 || compare_dependencies(&dependencies[kept - 1], &dependencies[i]) != 0)
		{
			dependencies[kept++] = dependencies[i];
		}
	}
	return kept;
}

/* There may be millions. */
static Template *
read_templates(Snapshot templates, const DayNode *nodes, int nnodes, int *n)
{
	Size		space = Max(nnodes, 1);
	Template   *result = allocate(CurrentMemoryContext, space, sizeof(Template));
	JoschFinder deps;
	TemplateDep dep;

	*n = 0;
	josch_template_deps_open(&deps, templates);
	for (int i = 0; i < nnodes; i++)
	{
		josch_template_deps_seek(&deps, nodes[i].key.node_id);
		while (josch_template_deps_next(&deps, &dep))
		{
			if ((Size) *n == space)
			{
				space *= 2;
				result = repalloc_huge(result, space * sizeof(Template));
			}
			result[(*n)++] = (Template) {dep.parent, dep.child, nodes[i].key.job_date, dep.days, (Condition) dep.condition};
		}
	}
	josch_finder_close(&deps);
	return result;
}

/* Makes of a template a dependency between two nodes of the day that is being made; false when it reaches beyond. */
static bool
is_within(DayDependency *dependency, const Template *template, const DayJob *jobs, const DayNode *nodes, int nnodes)
{
	NodeKey		key = {template->parent, template->job_date};
	DayNode    *parent = template->days == 0 ? josch_store_day_find(nodes, nnodes, key) : NULL;

	if (parent == NULL)
	{
		return false;
	}
	dependency->parent = key;
	dependency->child.node_id = template->child;
	dependency->child.job_date = template->job_date;
	dependency->expected = template->job_date >= jobs[parent->job].expected_from;
	dependency->missed = false;
	dependency->lag = 0;
	dependency->moved_to = template->job_date;
	dependency->condition = template->condition;
	return true;
}

static DayDependency *
read_beyond(Snapshot templates, const Template *beyond, int nbeyond, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[5];
	DayDependency *result;

	josch_spi_begin(&spi);
	josch_rows_arrays(&template_row, beyond, nbeyond, args);
	*n = (int) josch_spi_run_at(&select_dependencies, templates, SPI_OK_SELECT, args, NULL);
	result = josch_rows_fetch(&josch_store_day_dependency_row, *n, caller);
	josch_spi_end(&spi);
	return result;
}

DayDependency *
josch_store_day_dependencies(Snapshot templates, const DayJob *jobs, const DayNode *nodes, int nnodes, int *n)
{
	int			nread;
	Template   *read = read_templates(templates, nodes, nnodes, &nread);
	DayDependency *result = allocate(CurrentMemoryContext, nread, sizeof(DayDependency));
	int			nbeyond = 0;

	*n = 0;
	for (int i = 0; i < nread; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (is_within(&result[*n], &read[i], jobs, nodes, nnodes))
		{
			(*n)++;
		}
		else
		{
			read[nbeyond++] = read[i];
		}
	}
	if (nbeyond > 0)
	{
		DayDependency *beyond = read_beyond(templates, read, nbeyond, &nbeyond);

		memcpy(result + *n, beyond, sizeof(DayDependency) * nbeyond);
		*n += nbeyond;
		pfree(beyond);
	}
	pfree(read);
	result = josch_job_end_add(result, n, jobs, nodes, nnodes);

	/* rows that go into an index in its order are written more quickly */
	qsort(result, *n, sizeof(DayDependency), compare_dependencies_and_conditions);
	*n = leave_out_repeated(result, *n);
	return result;
}
