/*
 * src/day/store_day_copy.c
 *	  The copies of templates that a day is made of.
 *
 * Nodes and dependencies are written past parser and planner.  What the templates
 * say of a node streams from a cursor into the rows, so that it is never held in
 * memory as a whole; what has been worked out (who blocks whom, the levels) comes
 * from the caller's arrays.
 */
#include "base/josch.h"

#include "day/store_day.h"

#include "access/htup_details.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/clock.h"
#include "base/role.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "base/table.h"
#include "base/writer.h"
#include "node/fsm.h"
#include "node/join.h"
#include "node/node_table.h"

#define FETCH_ROWS 500

static const JoschRow job_zone_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE),
	JOSCH_FIELD(DayJob, time_zone, TEXT));

static const JoschRow job_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE));

/* ---- jobs ---- */

static JoschPlan insert_jobs = JOSCH_PLAN(
	"INSERT INTO josch.jobs (job_name, job_date, job_desc, time_zone, environ, calendar_name, prev_date, next_date, calendar_known, max_running, scheduled_by, params)"
	" SELECT t.job_name, j.job_date, t.job_desc, j.time_zone, e.environ, t.calendar_name,"
	"        josch.calendar_day(t.calendar_name, j.job_date, -1), josch.calendar_day(t.calendar_name, j.job_date, 1),"
	"        coalesce(j.job_date <= josch.known_until(t.calendar_name), true), t.max_running, CASE WHEN NOT $4 THEN SESSION_USER END, coalesce($5, '{}')"
	"   FROM unnest($1, $2, $3) j (job_name, job_date, time_zone)"
	"   JOIN josch.tpl_jobs t ON t.job_name = j.job_name,"
	"        (SELECT coalesce(jsonb_object_agg(var, value), '{}') AS environ FROM josch.environs) e",
	TEXTARRAYOID, DATEARRAYOID, TEXTARRAYOID, BOOLOID, JSONBOID);

void
josch_store_day_insert_jobs(Snapshot templates, const DayJob *jobs, int n, bool by_itself, Jsonb *params)
{
	JoschSpi	spi;
	Datum		args[5];

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_zone_row, jobs, n, args);
	args[3] = BoolGetDatum(by_itself);
	args[4] = params != NULL ? JsonbPGetDatum(params) : (Datum) 0;
	josch_spi_run_at(&insert_jobs, templates, SPI_OK_INSERT, args, params != NULL ? NULL : "    n");
	josch_spi_end(&spi);
}

/* ---- nodes ---- */

/* What a copy takes from its template, in the order of copied_nodes; then what has been worked out for it. */
enum
{
	JOB_DATE, NODE_ID, NODE_TYPE, JOB_NAME, NODE_NAME, EXEC_COMMAND, SIGNOFF_TIME, START_TIME, EXEC_SQL, EXEC_SQL_ATOMIC,
	READY_COMMAND, READY_AFTER, TIMEOUT, STOP_GRACE, WORK_DIR, OWNER, SUCCESS_CODES, RETRY_CODES, RETRIES, RETRY_DELAY,
	RETRY_BACKOFF, RETRY_MAX_DELAY, RETRY_ON, REPEATABLE, JOIN_RULE, ON_FAILURE, REPEAT_EVERY, REPEAT_UNTIL,
	START_BY, FINISH_BY, MAX_DURATION, WAIT_FILE, WAIT_STABLE, WAIT_SQL, WAIT_INTERVAL, SKIP_CODES, PRIORITY, EXECUTOR, EXECUTOR_OPTIONS, DUE_AT,
	LATE_START_AT, LATE_END_AT, LIMIT_GROUP,
	TEMPLATE_COLUMNS,
	STATE = TEMPLATE_COLUMNS, STATE_SINCE, UNMET, IMPOSSIBLE, SATISFIED, LEVEL, NODE_COLUMNS
};

static JoschPlan copied_nodes = JOSCH_PLAN(
	"SELECT j.job_date, t.node_id, t.node_type, t.job_name, t.node_name, t.exec_command, t.signoff_time, t.start_time,"
	"       t.exec_sql, t.exec_sql_atomic, t.ready_command, t.ready_after, t.timeout, t.stop_grace, t.work_dir, t.owner,"
	"       t.success_codes, t.retry_codes, t.retries, t.retry_delay, t.retry_backoff, t.retry_max_delay, t.retry_on, t.repeatable,"
	"       t.join_rule, t.on_failure, t.repeat_every, t.repeat_until, t.start_by, t.finish_by, t.max_duration,"
	"       t.wait_file, t.wait_stable, t.wait_sql, t.wait_interval, t.skip_codes, t.priority, e.executor, t.executor_options,"
	"       josch.instant(j.job_date, coalesce(t.signoff_time, t.start_time), j.time_zone),"
	"       josch.instant(j.job_date, t.start_by, j.time_zone), josch.instant(j.job_date, t.finish_by, j.time_zone),"
	"       CASE WHEN j.max_running IS NULL AND e.executor IS NULL THEN 0"
	"         ELSE josch.limit_group(CASE WHEN j.max_running IS NOT NULL THEN j.job_name END, NULL, e.executor) END"
	"  FROM unnest($1, $2) k (job_name, job_date)"
	"  JOIN josch.jobs j ON j.job_name = k.job_name AND j.job_date = k.job_date"
	"  JOIN josch.tpl_jobs o ON o.job_name = j.job_name"
	"  JOIN josch.tpl_nodes t ON t.job_name = j.job_name,"
	"       LATERAL (SELECT CASE WHEN t.exec_command IS NOT NULL THEN nullif(coalesce(t.executor, o.executor), 'local') END AS executor) e",
	TEXTARRAYOID, DATEARRAYOID);

static const JoschColumn node_columns[NODE_COLUMNS] = {
	[JOB_DATE] = {"job_date", DATEOID}, [NODE_ID] = {"node_id", INT8OID}, [NODE_TYPE] = {"node_type", TEXTOID},
	[JOB_NAME] = {"job_name", TEXTOID}, [NODE_NAME] = {"node_name", TEXTOID}, [EXEC_COMMAND] = {"exec_command", TEXTOID},
	[SIGNOFF_TIME] = {"signoff_time", INTERVALOID}, [START_TIME] = {"start_time", INTERVALOID}, [EXEC_SQL] = {"exec_sql", TEXTOID},
	[EXEC_SQL_ATOMIC] = {"exec_sql_atomic", BOOLOID}, [READY_COMMAND] = {"ready_command", TEXTOID},
	[READY_AFTER] = {"ready_after", INTERVALOID}, [TIMEOUT] = {"timeout", INTERVALOID},
	[STOP_GRACE] = {"stop_grace", INTERVALOID}, [WORK_DIR] = {"work_dir", TEXTOID}, [OWNER] = {"owner", JOSCH_ROLE_TYPE},
	[SUCCESS_CODES] = {"success_codes", INT4MULTIRANGEOID}, [RETRY_CODES] = {"retry_codes", INT4MULTIRANGEOID},
	[RETRIES] = {"retries", INT4OID}, [RETRY_DELAY] = {"retry_delay", INTERVALOID}, [RETRY_BACKOFF] = {"retry_backoff", NUMERICOID},
	[RETRY_MAX_DELAY] = {"retry_max_delay", INTERVALOID}, [RETRY_ON] = {"retry_on", TEXTARRAYOID}, [REPEATABLE] = {"repeatable", BOOLOID},
	[DUE_AT] = {"due_at", TIMESTAMPTZOID}, [STATE] = {"state", TEXTOID}, [STATE_SINCE] = {"state_since", TIMESTAMPTZOID},
	[JOIN_RULE] = {"join_rule", TEXTOID}, [ON_FAILURE] = {"on_failure", TEXTOID},
	[REPEAT_EVERY] = {"repeat_every", INTERVALOID}, [REPEAT_UNTIL] = {"repeat_until", INTERVALOID},
	[START_BY] = {"start_by", INTERVALOID}, [FINISH_BY] = {"finish_by", INTERVALOID}, [MAX_DURATION] = {"max_duration", INTERVALOID},
	[LATE_START_AT] = {"late_start_at", TIMESTAMPTZOID}, [LATE_END_AT] = {"late_end_at", TIMESTAMPTZOID},
	[WAIT_FILE] = {"wait_file", TEXTOID}, [WAIT_STABLE] = {"wait_stable", INTERVALOID}, [WAIT_SQL] = {"wait_sql", TEXTOID},
	[WAIT_INTERVAL] = {"wait_interval", INTERVALOID},
	[SKIP_CODES] = {"skip_codes", INT4MULTIRANGEOID}, [PRIORITY] = {"priority", INT4OID},
	[EXECUTOR] = {"executor", TEXTOID}, [EXECUTOR_OPTIONS] = {"executor_options", TEXTOID}, [LIMIT_GROUP] = {"limit_group", INT8OID},
	[UNMET] = {"unmet", INT4OID},
	[IMPOSSIBLE] = {"impossible", INT4OID}, [SATISFIED] = {"satisfied", INT4OID}, [LEVEL] = {"level", INT4OID}
};
static AttrNumber node_numbers[NODE_COLUMNS];
static JoschTable nodes_table = JOSCH_TABLE("nodes", node_columns, node_numbers);

/* A node that needs units of semaphores. */
typedef struct Limited
{
	int64		node_id;
	int64		limit_group;
} Limited;

static const JoschRow limited_row = JOSCH_ROW(
	Limited,
	JOSCH_FIELD(Limited, node_id, INT64),
	JOSCH_FIELD(Limited, limit_group, INT64));

static JoschPlan has_semaphores = JOSCH_PLAN0(
	"SELECT EXISTS (SELECT FROM josch.tpl_node_semaphores)");

static JoschPlan limited_nodes = JOSCH_PLAN(
	"SELECT s.node_id, josch.limit_group(CASE WHEN t.max_running IS NOT NULL THEN t.job_name END,"
	"         string_agg(s.semaphore_name || ' ' || s.units, ', ' ORDER BY s.semaphore_name COLLATE \"C\"),"
	"         CASE WHEN n.exec_command IS NOT NULL THEN nullif(coalesce(n.executor, t.executor), 'local') END)"
	"  FROM (SELECT DISTINCT t.job_name, t.max_running, t.executor FROM unnest($1) k (job_name) JOIN josch.tpl_jobs t ON t.job_name = k.job_name) t"
	"  JOIN josch.tpl_nodes n ON n.job_name = t.job_name"
	"  JOIN josch.tpl_node_semaphores s ON s.node_id = n.node_id"
	" GROUP BY s.node_id, t.job_name, t.max_running, t.executor, n.exec_command, n.executor ORDER BY s.node_id",
	TEXTARRAYOID);

static JoschPlan insert_semaphores = JOSCH_PLAN(
	"INSERT INTO josch.node_semaphores (job_date, node_id, semaphore_name, units, job_name)"
	" SELECT n.job_date, n.node_id, s.semaphore_name, s.units, n.job_name"
	"   FROM unnest($1, $2) k (job_name, job_date)"
	"   JOIN josch.tpl_nodes t ON t.job_name = k.job_name"
	"   JOIN josch.tpl_node_semaphores s ON s.node_id = t.node_id"
	"   JOIN josch.nodes n ON n.job_date = k.job_date AND n.node_id = s.node_id AND n.job_name = k.job_name"
	" ON CONFLICT DO NOTHING",
	TEXTARRAYOID, DATEARRAYOID);

/* Template rows on their way into nodes. */
typedef struct Copying
{
	Portal		portal;
	SPITupleTable *rows;		/* those fetched last; NULL: none yet */
	uint64		next;			/* of these */
	const DayNode *nodes;		/* that are to be made, by date and number */
	int			nnodes;
	Limited    *limited;		/* by number */
	int			nlimited;
	TimestampTz now;
	Datum		pending;
	Datum		ready;
	int			made;
} Copying;

static bool
fetch(Copying *copying)
{
	if (copying->rows != NULL)
	{
		SPI_freetuptable(copying->rows);
	}
	SPI_cursor_fetch(copying->portal, true, FETCH_ROWS);
	copying->rows = SPI_tuptable;
	copying->next = 0;
	return SPI_processed > 0;
}

/* The next template row of a node that is to be made; NULL: there is none. */
static const DayNode *
next_template(Copying *copying, Datum *values, bool *nulls)
{
	const DayNode *node;

	do
	{
		NodeKey		key;

		if ((copying->rows == NULL || copying->next == copying->rows->numvals) && !fetch(copying))
		{
			return NULL;
		}
		heap_deform_tuple(copying->rows->vals[copying->next++], copying->rows->tupdesc, values, nulls);
		key.node_id = DatumGetInt64(values[NODE_ID]);
		key.job_date = DatumGetDateADT(values[JOB_DATE]);
		node = josch_store_day_find(copying->nodes, copying->nnodes, key);
	} while (node == NULL);
	return node;
}

static int
compare_limited(const void *a, const void *b)
{
	int64		x = ((const Limited *) a)->node_id;
	int64		y = ((const Limited *) b)->node_id;

	return x < y ? -1 : x > y;
}

static void
set_limit_group(const Copying *copying, Datum *values)
{
	Limited		wanted = {.node_id = DatumGetInt64(values[NODE_ID])};
	const Limited *found = bsearch(&wanted, copying->limited, copying->nlimited, sizeof(Limited), compare_limited);

	if (found != NULL)
	{
		values[LIMIT_GROUP] = Int64GetDatum(found->limit_group);
	}
}

/* JoschNextRow */
static bool
next_node(void *arg, Datum *values, bool *nulls)
{
	Copying    *copying = arg;
	const DayNode *node = next_template(copying, values, nulls);
	JoschJoin		join;

	if (node == NULL)
	{
		return false;
	}
	memcpy(join.n, node->counts, sizeof(join.n));
	join.any = josch_node_joins_any(values[JOIN_RULE]);
	values[STATE] = josch_join_lets_run(&join) ? copying->ready : copying->pending;
	values[STATE_SINCE] = TimestampTzGetDatum(copying->now);
	values[UNMET] = Int32GetDatum(join.n[PARENT_WAITS]);
	values[IMPOSSIBLE] = Int32GetDatum(join.n[PARENT_IMPOSSIBLE]);
	values[SATISFIED] = Int32GetDatum(join.n[PARENT_SATISFIED]);
	values[LEVEL] = Int32GetDatum(node->level);
	if (copying->nlimited > 0)
	{
		set_limit_group(copying, values);
	}
	return true;
}

static Oid
function_oid(const char *name)
{
	oidvector  *no_arguments = buildoidvector(NULL, 0);

	return GetSysCacheOid3(PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name), PointerGetDatum(no_arguments),
						   ObjectIdGetDatum(get_namespace_oid(JOSCH_SCHEMA, false)));
}

/*
 * Triggers that have nothing to say: the foreign key to the job, which this
 * transaction has just made, and those that ask what people insert.  One row trigger
 * before an INSERT, and rows could not be written together.
 */
static bool
is_idle_for_copies(const Trigger *trigger)
{
	return josch_writer_is_foreign_key(trigger) || trigger->tgfoid == function_oid("node_door") ||
		trigger->tgfoid == function_oid("day_add") || trigger->tgfoid == function_oid("node_rights");
}

static bool
needs_semaphores(Snapshot templates)
{
	josch_spi_run_at(&has_semaphores, templates, SPI_OK_SELECT, NULL, NULL);
	return josch_spi_bool(0, 1, false);
}

int
josch_store_day_insert_nodes(Snapshot templates, const DayJob *jobs, int njobs, const DayNode *nodes, int n)
{
	JoschSpi	spi;
	Datum		args[2];
	Copying		copying = {
		.nodes = nodes,.nnodes = n,.now = josch_clock_now(),
		.pending = CStringGetTextDatum(josch_fsm_label(NODE_STATE_PENDING)),
		.ready = CStringGetTextDatum(josch_fsm_label(NODE_STATE_READY))
	};

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, njobs, args);
	if (needs_semaphores(templates))
	{
		copying.nlimited = (int) josch_spi_run_at(&limited_nodes, templates, SPI_OK_SELECT, args, NULL);
		copying.limited = josch_rows_fetch(&limited_row, copying.nlimited, CurrentMemoryContext);
	}
	copying.portal = josch_spi_open_at(&copied_nodes, templates, args, NULL);
	n = (int) josch_writer_insert(&nodes_table, is_idle_for_copies, next_node, &copying);
	SPI_cursor_close(copying.portal);
	josch_spi_end(&spi);
	return n;
}

void
josch_store_day_insert_semaphores(Snapshot templates, const DayJob *jobs, int njobs)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	if (needs_semaphores(templates))
	{
		josch_rows_arrays(&job_row, jobs, njobs, args);
		josch_spi_run_at(&insert_semaphores, templates, SPI_OK_INSERT, args, NULL);
	}
	josch_spi_end(&spi);
}

/* ---- dependencies ---- */

enum
{
	P_NODE_ID, P_DATE, C_NODE_ID, C_DATE, EXPECTED, LAG, CONDITION, DEPENDENCY_COLUMNS
};

typedef struct Insertion
{
	const DayDependency *next;
	int			left;
	Datum		conditions[CONDITION_COUNT];	/* their labels */
} Insertion;

/* JoschNextRow */
static bool
next_dependency(void *arg, Datum *values, bool *nulls)
{
	Insertion  *insertion = arg;
	const DayDependency *dependency = insertion->next++;

	if (insertion->left-- == 0)
	{
		return false;
	}
	values[P_NODE_ID] = Int64GetDatum(dependency->parent.node_id);
	values[P_DATE] = DateADTGetDatum(dependency->parent.job_date);
	values[C_NODE_ID] = Int64GetDatum(dependency->child.node_id);
	values[C_DATE] = DateADTGetDatum(dependency->child.job_date);
	values[EXPECTED] = BoolGetDatum(dependency->expected);
	values[LAG] = Int32GetDatum(dependency->lag);
	values[CONDITION] = insertion->conditions[dependency->condition];
	return true;
}

void
josch_store_day_insert_dependencies(const DayDependency *dependencies, int n, bool children_made)
{
	static const JoschColumn columns[DEPENDENCY_COLUMNS] = {
		[P_NODE_ID] = {"p_node_id", INT8OID}, [P_DATE] = {"p_date", DATEOID}, [C_NODE_ID] = {"c_node_id", INT8OID},
		[C_DATE] = {"c_date", DATEOID}, [EXPECTED] = {"expected", BOOLOID}, [LAG] = {"lag", INT4OID},
		[CONDITION] = {"condition", TEXTOID}
	};
	static AttrNumber numbers[DEPENDENCY_COLUMNS];
	static JoschTable node_deps = JOSCH_TABLE("node_deps", columns, numbers);
	Insertion	insertion = {dependencies, n};

	for (int i = 0; i < CONDITION_COUNT; i++)
	{
		insertion.conditions[i] = CStringGetTextDatum(josch_conditions[i]);
	}
	josch_writer_insert(&node_deps, children_made ? josch_writer_is_foreign_key : NULL, next_dependency, &insertion);
}
