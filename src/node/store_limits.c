/*
 * src/node/store_limits.c
 *	  SQL of what nodes need: which of them are alike, and to which job their needs belong.
 */
#include "base/josch.h"

#include "node/store_limits.h"

#include "base/mode.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "node/store_node.h"

/* What runs may have units, which it gives back by this number: it keeps one. */
static JoschPlan regroup = JOSCH_PLAN(
	"UPDATE josch.nodes n SET limit_group = g.limit_group"
	"  FROM (SELECT m.job_date, m.node_id, CASE WHEN l.limit_group = 0 AND m.state IN ('running', 'up', 'unknown') THEN 1 ELSE l.limit_group END AS limit_group"
	"          FROM unnest($1, $2) k (node_id, job_date), LATERAL (SELECT * FROM josch.nodes m WHERE m.job_date = k.job_date AND m.node_id = k.node_id OFFSET 0) m,"
	"               LATERAL (SELECT * FROM josch.jobs j WHERE j.job_name = m.job_name AND j.job_date = m.job_date OFFSET 0) j,"
	"               LATERAL (SELECT josch.limit_group(CASE WHEN j.max_running IS NOT NULL THEN j.job_name END,"
	"                 (SELECT string_agg(s.semaphore_name || ' ' || s.units, ', ' ORDER BY s.semaphore_name COLLATE \"C\")"
	"                    FROM josch.node_semaphores s WHERE s.job_date = m.job_date AND s.node_id = m.node_id), m.executor) AS limit_group OFFSET 0) l) g"
	" WHERE n.job_date = g.job_date AND n.node_id = g.node_id AND n.limit_group <> g.limit_group",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan select_nodes = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date FROM josch.nodes n WHERE n.job_name = $1 AND n.job_date = $2",
	TEXTOID, DATEOID);

static JoschPlan select_group = JOSCH_PLAN(
	"SELECT josch.limit_group(CASE WHEN j.max_running IS NOT NULL THEN j.job_name END, (SELECT string_agg(s.semaphore_name || ' ' || s.units, ', ' ORDER BY s.semaphore_name COLLATE \"C\")"
	"   FROM josch.node_semaphores s WHERE s.job_date = $2 AND s.node_id = $3), $4) FROM josch.jobs j WHERE j.job_name = $1 AND j.job_date = $2",
	TEXTOID, DATEOID, INT8OID, TEXTOID);

static JoschPlan select_job = JOSCH_PLAN(
	"SELECT n.job_name FROM josch.nodes n WHERE n.job_date = $2 AND n.node_id = $1",
	INT8OID, DATEOID);

static JoschPlan select_needed = JOSCH_PLAN(
	"SELECT EXISTS (SELECT FROM josch.node_semaphores s WHERE s.semaphore_name = $1)"
	" OR EXISTS (SELECT FROM josch.units_in_use u WHERE u.limit_kind = 's' AND u.limit_name = $1)",
	TEXTOID);

void
josch_store_limits_regroup(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	Datum		args[2];
	JoschMode	former;

	if (n == 0)
	{
		return;
	}
	josch_store_node_wait_for(keys, n);
	former = josch_mode_enter_engine();
	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	josch_spi_change_latest(&regroup, SPI_OK_UPDATE, args, NULL);
	josch_spi_end(&spi);
	josch_mode = former;
}

NodeKey *
josch_store_limits_nodes(const char *job_name, DateADT job_date, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	char		nulls[2] = {' ', ' '};
	NodeKey    *keys;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, job_name);
	args[1] = DateADTGetDatum(job_date);
	*n = (int) josch_spi_run_latest(&select_nodes, args, nulls);
	keys = josch_rows_fetch(&josch_rows_key, *n, caller);
	josch_spi_end(&spi);
	return keys;
}

int64
josch_store_limits_group(const char *job_name, NodeKey key, const char *executor)
{
	JoschSpi	spi;
	Datum		args[4];
	char		nulls[4] = {' ', ' ', ' ', ' '};
	int64		group;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, job_name);
	args[1] = DateADTGetDatum(key.job_date);
	args[2] = Int64GetDatum(key.node_id);
	josch_spi_set_text(args, nulls, 3, executor);
	group = josch_spi_run_latest(&select_group, args, nulls) > 0 ? josch_spi_int64(0, 1, 0) : 0;
	josch_spi_end(&spi);
	return group;
}

char *
josch_store_limits_job(NodeKey key)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	char	   *job_name = NULL;

	josch_spi_begin(&spi);
	if (josch_spi_run_latest(&select_job, args, NULL) > 0)
	{
		MemoryContext inner = MemoryContextSwitchTo(caller);

		job_name = josch_spi_text(0, 1);
		MemoryContextSwitchTo(inner);
	}
	josch_spi_end(&spi);
	return job_name;
}

bool
josch_store_limits_is_needed(const char *semaphore_name)
{
	JoschSpi	spi;
	Datum		args[1];
	char		nulls[1] = {' '};
	bool		needed;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, semaphore_name);
	(void) josch_spi_run_latest(&select_needed, args, nulls);
	needed = josch_spi_bool(0, 1, false);
	josch_spi_end(&spi);
	return needed;
}
