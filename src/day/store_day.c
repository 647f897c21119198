/*
 * src/day/store_day.c
 *	  SQL on the days that are there: what a new one meets, and what takes one back.
 *
 * A day may have a million nodes, so each step is one statement over all of
 * them.  What is to be made comes from store_day_template.c, and is written by
 * store_day_copy.c.
 */
#include "base/josch.h"

#include "day/store_day.h"

#include "utils/builtins.h"

#include "base/node_key.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "base/states.h"
#include "node/fsm.h"

static const JoschRow job_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE));

static const JoschRow job_zone_row = JOSCH_ROW(
	DayJob,
	JOSCH_FIELD(DayJob, job_name, TEXT),
	JOSCH_FIELD(DayJob, job_date, DATE),
	JOSCH_FIELD(DayJob, time_zone, TEXT));

const JoschRow josch_store_day_dependency_row = JOSCH_ROW(
	DayDependency,
	JOSCH_FIELD_KEY(DayDependency, parent),
	JOSCH_FIELD_KEY(DayDependency, child),
	JOSCH_FIELD(DayDependency, expected, BOOL),
	JOSCH_FIELD(DayDependency, missed, BOOL),
	JOSCH_FIELD(DayDependency, lag, INT32),
	JOSCH_FIELD(DayDependency, moved_to, DATE),
	JOSCH_FIELD_WORDS(DayDependency, condition, josch_conditions));

/* $3: the dates of the nodes; the rows of a date lie together, and are read instead of all days */
static JoschPlan select_children = JOSCH_PLAN(
	"SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date, d.expected, false, d.lag, d.p_date, d.condition"
	"  FROM unnest($1, $2) p (node_id, job_date)"
	"  JOIN josch.node_deps d ON d.p_node_id = p.node_id AND d.p_date = p.job_date"
	" WHERE d.p_date = ANY ($3)",
	INT8ARRAYOID, DATEARRAYOID, DATEARRAYOID);

/*
 * $3 the jobs of the nodes.  What their days lie between, the child and the day
 * that its dependency stands for, or where it stands for none.  Node by node: of all
 * days together there are many that wait for an earlier one.
 */
static JoschPlan select_followers = JOSCH_PLAN(
	"SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date, d.expected, false, d.lag, p.job_date, d.condition"
	"  FROM (SELECT k.job_name, k.job_date, d.*"
	"          FROM unnest($1, $2, $3) k (node_id, job_date, job_name), LATERAL (SELECT * FROM josch.node_deps d"
	"           WHERE d.p_node_id = k.node_id AND d.lag > 0 AND d.c_date > k.job_date OFFSET 0) d"
	"        UNION ALL"
	"        SELECT k.job_name, k.job_date, d.*"
	"          FROM unnest($1, $2, $3) k (node_id, job_date, job_name), LATERAL (SELECT * FROM josch.node_deps d"
	"           WHERE d.p_node_id = k.node_id AND d.lag < 0 AND d.c_date < k.job_date OFFSET 0) d) d"
	" CROSS JOIN LATERAL (SELECT " JOSCH_SQL_DAY_OF("d.job_name", "d.p_node_id", "d.c_date", "-d.lag") " AS job_date OFFSET 0) p"
	" WHERE (sign(d.lag) * (d.job_date - d.p_date) >= 0"
	"        OR NOT EXISTS (SELECT FROM josch.jobs j WHERE j.job_name = d.job_name AND j.job_date = d.p_date))"
	"   AND p.job_date <> d.p_date",
	INT8ARRAYOID, DATEARRAYOID, TEXTARRAYOID);

static JoschPlan follow = JOSCH_PLAN(
	"UPDATE josch.node_deps d SET p_date = f.moved_to"
	"  FROM unnest($1, $2, $3, $4, $5, $6) f (p_node_id, p_date, c_node_id, c_date, lag, moved_to)"
	" WHERE d.p_node_id = f.p_node_id AND d.p_date = f.p_date AND d.c_node_id = f.c_node_id AND d.c_date = f.c_date"
	"   AND d.lag = f.lag",
	INT8ARRAYOID, DATEARRAYOID, INT8ARRAYOID, DATEARRAYOID, INT4ARRAYOID, DATEARRAYOID);

static const JoschRow follow_row = JOSCH_ROW(
	DayDependency,
	JOSCH_FIELD_KEY(DayDependency, parent),
	JOSCH_FIELD_KEY(DayDependency, child),
	JOSCH_FIELD(DayDependency, lag, INT32),
	JOSCH_FIELD(DayDependency, moved_to, DATE));

/*
 * One statement for parents and children, for one order; so parents, which are
 * not changed, are locked as strongly as children are.
 */
static JoschPlan lock_nodes = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date, n.state, n.level,"
	"       n.state IN ('pending', 'ready', 'held') OR (n.state = 'omitted' AND n.ended_at IS NULL)"
	"       OR (n.node_type = 'E' AND n.state IN ('succeeded', 'abandoned'))"
	"  FROM (SELECT DISTINCT * FROM unnest($1, $2)) k (node_id, job_date)"
	"  JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	" ORDER BY n.level, n.job_date, n.node_id"
	"   FOR NO KEY UPDATE OF n",
	INT8ARRAYOID, DATEARRAYOID);

static const JoschRow neighbour_row = JOSCH_ROW(
	DayNeighbour,
	JOSCH_FIELD_KEY(DayNeighbour, key),
	JOSCH_FIELD_WORDS(DayNeighbour, state, josch_fsm_labels),
	JOSCH_FIELD(DayNeighbour, level, INT32),
	JOSCH_FIELD(DayNeighbour, waits, BOOL));

/* an end waits for all others of its job, and what is no end is waited for: of the ends there are few, and an index */
static JoschPlan end_waits = JOSCH_PLAN(
	"WITH added AS MATERIALIZED (SELECT n.job_date, n.job_name, n.node_id, n.node_type FROM unnest($1, $2) k (node_id, job_date)"
	"   JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date)"
	" INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, condition)"
	" SELECT a.node_id, a.job_date, e.node_id, e.job_date, 'well' FROM added a"
	"  JOIN josch.nodes e ON e.job_date = a.job_date AND e.job_name = a.job_name AND e.node_type = 'E' WHERE a.node_type <> 'E'"
	" UNION SELECT n.node_id, n.job_date, a.node_id, a.job_date, 'well' FROM added a"
	"  JOIN josch.nodes n ON n.job_date = a.job_date AND n.job_name = a.job_name AND n.node_type <> 'E' WHERE a.node_type = 'E'"
	" ON CONFLICT DO NOTHING",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan jobs_of_date = JOSCH_PLAN(
	"SELECT job_name, job_date, time_zone FROM josch.jobs"
	" WHERE job_date = $2 AND ($1 IS NULL OR job_name = $1)"
	" ORDER BY job_name COLLATE \"C\"",
	TEXTOID, DATEOID);

static JoschPlan keys_of_jobs = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date, n.job_name"
	"  FROM unnest($1, $2) j (job_name, job_date)"
	"  JOIN josch.nodes n ON n.job_name = j.job_name AND n.job_date = j.job_date"
	" ORDER BY n.job_date, n.node_id",
	TEXTARRAYOID, DATEARRAYOID);

typedef struct NamedKey
{
	NodeKey		key;
	char	   *job_name;
} NamedKey;

static const JoschRow named_key_row = JOSCH_ROW(
	NamedKey,
	JOSCH_FIELD_KEY(NamedKey, key),
	JOSCH_FIELD(NamedKey, job_name, TEXT));

/* With EXISTS the runs of all days would be read into a hash. */
static JoschPlan select_started = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date, n.job_name, n.state, r.found,"
	"       (SELECT format('run %s%s', o.run_id, ', process ' || o.pid) FROM josch.runs o"
	"         WHERE o.run_id = n.run_id AND o.ended_at IS NULL) AS running"
	"  FROM unnest($1, $2) j (job_name, job_date)"
	"  JOIN josch.nodes n ON n.job_name = j.job_name AND n.job_date = j.job_date,"
	"       LATERAL (SELECT coalesce((SELECT true FROM josch.runs r"
	"                 WHERE r.node_id = n.node_id AND r.job_date = n.job_date LIMIT 1), false) AS found) r"
	" WHERE r.found OR " JOSCH_SQL_BEGUN("n.state")
	" ORDER BY n.job_name COLLATE \"C\", n.node_id LIMIT $3",
	TEXTARRAYOID, DATEARRAYOID, INT4OID);

static const JoschRow begun_row = JOSCH_ROW(
	DayStarted,
	JOSCH_FIELD_KEY(DayStarted, key),
	JOSCH_FIELD(DayStarted, job_name, TEXT),
	JOSCH_FIELD(DayStarted, state, TEXT),
	JOSCH_FIELD(DayStarted, has_run, BOOL),
	JOSCH_FIELD(DayStarted, running, TEXT));

static JoschPlan delete_dependencies = JOSCH_PLAN(
	"WITH gone AS ("
	"  DELETE FROM josch.node_deps d"
	"   USING unnest($1, $2) WITH ORDINALITY j (job_name, job_date, number), josch.nodes n"
	"   WHERE n.job_name = j.job_name AND n.job_date = j.job_date"
	"     AND d.c_node_id = n.node_id AND d.c_date = n.job_date"
	"  RETURNING j.number)"
	" SELECT (number - 1)::integer, count(*) FROM gone GROUP BY number",
	TEXTARRAYOID, DATEARRAYOID);

static JoschPlan delete_nodes = JOSCH_PLAN(
	"WITH gone AS ("
	"  DELETE FROM josch.nodes n"
	"   USING unnest($1, $2) WITH ORDINALITY j (job_name, job_date, number)"
	"   WHERE n.job_name = j.job_name AND n.job_date = j.job_date"
	"  RETURNING j.number)"
	" SELECT (number - 1)::integer, count(*) FROM gone GROUP BY number",
	TEXTARRAYOID, DATEARRAYOID);

static JoschPlan delete_jobs = JOSCH_PLAN(
	"DELETE FROM josch.jobs WHERE (job_name, job_date) IN (SELECT * FROM unnest($1, $2))",
	TEXTARRAYOID, DATEARRAYOID);

/* No foreign key takes them along: a day without any must not ask for each node. */
static JoschPlan delete_semaphores = JOSCH_PLAN(
	"DELETE FROM josch.node_semaphores s USING unnest($1, $2) j (job_name, job_date) WHERE s.job_date = j.job_date AND s.job_name = j.job_name",
	TEXTARRAYOID, DATEARRAYOID);

/* Room for n elements of a result, in the caller's context; a day has no limit. */
static void *
allocate(MemoryContext caller, uint64 n, Size size)
{
	return MemoryContextAllocExtended(caller, Max(n, 1) * size, MCXT_ALLOC_HUGE);
}

/* ---- what is there ---- */

DayDependency *
josch_store_day_children(const NodeKey *nodes, int nnodes, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[3];
	DateADT    *dates;
	int			ndates = 0;
	DayDependency *result;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(nodes, nnodes, args);
	dates = allocate(CurrentMemoryContext, nnodes, sizeof(DateADT));
	for (int i = 0; i < nnodes; i++)
	{
		if (ndates == 0 || dates[ndates - 1] != nodes[i].job_date)
		{
			dates[ndates++] = nodes[i].job_date;
		}
	}
	args[2] = josch_spi_date_array(dates, ndates);
	*n = (int) josch_spi_run_latest(&select_children, args, NULL);
	result = josch_rows_fetch(&josch_store_day_dependency_row, *n, caller);
	josch_spi_end(&spi);
	return result;
}

DayDependency *
josch_store_day_followers(const NodeKey *nodes, char *const *job_names, int nnodes, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[3];
	DayDependency *result;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(nodes, nnodes, args);
	args[2] = josch_spi_text_array(job_names, nnodes);
	*n = (int) josch_spi_run_latest(&select_followers, args, NULL);
	result = josch_rows_fetch(&josch_store_day_dependency_row, *n, caller);
	josch_spi_end(&spi);
	return result;
}

void
josch_store_day_follow(const DayDependency *followers, int n)
{
	JoschSpi	spi;
	Datum		args[6];

	josch_spi_begin(&spi);
	josch_rows_arrays(&follow_row, followers, n, args);
	josch_spi_change_latest(&follow, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
}

static int
compare_neighbours(const void *a, const void *b)
{
	return josch_node_key_compare(((const DayNeighbour *) a)->key, ((const DayNeighbour *) b)->key);
}

DayNeighbour *
josch_store_day_lock(const NodeKey *nodes, int nnodes, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	DayNeighbour *result;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(nodes, nnodes, args);
	*n = (int) josch_spi_change_latest(&lock_nodes, SPI_OK_SELECT, args, NULL);
	result = josch_rows_fetch(&neighbour_row, *n, caller);
	josch_spi_end(&spi);
	qsort(result, *n, sizeof(DayNeighbour), compare_neighbours);
	return result;
}

/* ---- taking back, and adding to ---- */

char *
josch_store_day_zone(const char *job_name, DateADT job_date)
{
	int			n;
	DayJob	   *job = josch_store_day_jobs(job_date, job_name, &n);

	return n > 0 ? job->time_zone : NULL;
}

void
josch_store_day_end_waits(const NodeKey *added, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(added, n, args);
	(void) josch_spi_change_latest(&end_waits, SPI_OK_INSERT, args, NULL);
	josch_spi_end(&spi);
}

DayJob *
josch_store_day_jobs(DateADT job_date, const char *job_name, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	char		nulls[2];
	DayJob	   *jobs;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, job_name);
	args[1] = DateADTGetDatum(job_date);
	nulls[1] = ' ';
	*n = (int) josch_spi_run_latest(&jobs_of_date, args, nulls);
	jobs = josch_rows_fetch(&job_zone_row, *n, caller);
	josch_spi_end(&spi);
	return jobs;
}

NodeKey *
josch_store_day_keys(const DayJob *jobs, int njobs, char ***job_names, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	NodeKey    *keys;
	NamedKey   *found;

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, njobs, args);
	*n = (int) josch_spi_run_latest(&keys_of_jobs, args, NULL);
	found = josch_rows_fetch(&named_key_row, *n, caller);
	keys = allocate(caller, *n, sizeof(NodeKey));
	*job_names = allocate(caller, *n, sizeof(char *));
	for (int i = 0; i < *n; i++)
	{
		(*job_names)[i] = found[i].job_name;
		keys[i] = found[i].key;
	}
	josch_spi_end(&spi);
	return keys;
}

DayStarted *
josch_store_day_started(const DayJob *jobs, int njobs, int limit, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[3];
	DayStarted *result;

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, njobs, args);
	args[2] = Int32GetDatum(limit);
	*n = (int) josch_spi_run_latest(&select_started, args, NULL);
	result = josch_rows_fetch(&begun_row, *n, caller);
	josch_spi_end(&spi);
	return result;
}

void
josch_store_day_delete(DayJob *jobs, int n)
{
	JoschSpi	spi;
	Datum		args[2];
	uint64		rows;

	josch_spi_begin(&spi);
	josch_rows_arrays(&job_row, jobs, n, args);
	rows = josch_spi_change_latest(&delete_dependencies, SPI_OK_SELECT, args, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		jobs[josch_spi_int32(i, 1, 0)].dependencies = josch_spi_int64(i, 2, 0);
	}
	josch_spi_change_latest(&delete_semaphores, SPI_OK_DELETE, args, NULL);
	rows = josch_spi_change_latest(&delete_nodes, SPI_OK_SELECT, args, NULL);
	for (uint64 i = 0; i < rows; i++)
	{
		jobs[josch_spi_int32(i, 1, 0)].nodes = josch_spi_int64(i, 2, 0);
	}
	josch_spi_change_latest(&delete_jobs, SPI_OK_DELETE, args, NULL);
	josch_spi_end(&spi);
}
