/*
 * src/server/store_why.c
 *	  SQL for who asks why a node does not start.
 *
 * Each row is found by its key, whatever the planner knows of the tables.
 */
#include "base/josch.h"

#include "server/store_why.h"

#include "base/rows.h"
#include "base/spi_plan.h"

/* josch.waiting is in the order of what is waited for, and of the moment: all that there are are tried */
static JoschPlan select_nodes = JOSCH_PLAN(
	"SELECT k.node_id, k.job_date, n.node_id IS NOT NULL, coalesce(n.node_type, t.node_type) = 'E', coalesce(n.job_name, t.job_name), coalesce(n.node_name, t.node_name),"
	"       n.state, n.state_since, n.due_at, n.not_before, n.repeats_from IS NOT NULL AND n.retried = 0,"
	"       (SELECT w.waits_for::text FROM josch.waiting w"
	"         WHERE w.waits_for = ANY ('{f,c,s,t,w,p,h,o,x}') AND w.limit_group = 0 AND w.due_at = ANY (ARRAY['-infinity', n.due_at, n.not_before])"
	"           AND w.job_date = n.job_date AND w.node_id = n.node_id LIMIT 1),"
	"       CASE WHEN n.exec_command IS NOT NULL THEN 1 WHEN n.exec_sql IS NOT NULL THEN 2 ELSE 0 END, n.ended_at IS NOT NULL, n.unmet,"
	"       EXISTS (SELECT FROM josch.recounts r WHERE r.job_date = n.job_date AND r.node_id = n.node_id OFFSET 0),"
	"       CASE WHEN n.file_found IS NULL THEN n.wait_file END, CASE WHEN n.sql_true_at IS NULL THEN n.wait_sql END,"
	"       n.message, n.acted_by, (SELECT c.claimed_by FROM josch.claims c WHERE c.job_date = n.job_date AND c.node_id = n.node_id"
	"         AND c.change_id = n.change_id AND c.claimed_until > josch.now()),"
	"       (SELECT d.outcome FROM josch.job_days d WHERE d.job_name = t.job_name AND d.job_date = k.job_date)"
	"  FROM unnest($1, $2) WITH ORDINALITY k (node_id, job_date, number)"
	"  LEFT JOIN LATERAL (SELECT * FROM josch.nodes n WHERE n.job_date = k.job_date AND n.node_id = k.node_id OFFSET 0) n ON true"
	"  LEFT JOIN LATERAL (SELECT * FROM josch.tpl_nodes t WHERE t.node_id = k.node_id AND n.node_id IS NULL OFFSET 0) t ON true"
	" ORDER BY k.number",
	INT8ARRAYOID, DATEARRAYOID);

static const JoschRow node_row = JOSCH_ROW(
	WhyNode,
	JOSCH_FIELD_KEY(WhyNode, key),
	JOSCH_FIELD(WhyNode, there, BOOL),
	JOSCH_NULLABLE(WhyNode, ends_job, BOOL, false),
	JOSCH_FIELD(WhyNode, job_name, TEXT),
	JOSCH_FIELD(WhyNode, node_name, TEXT),
	JOSCH_FIELD(WhyNode, state, TEXT),
	JOSCH_FIELD(WhyNode, since, TIMESTAMPTZ),
	JOSCH_NULLABLE(WhyNode, due_at, TIMESTAMPTZ, DT_NOBEGIN),
	JOSCH_NULLABLE(WhyNode, not_before, TIMESTAMPTZ, DT_NOBEGIN),
	JOSCH_FIELD(WhyNode, repeated, BOOL),
	JOSCH_FIELD(WhyNode, waits_for, LETTER),
	JOSCH_FIELD(WhyNode, runs, INT32),
	JOSCH_FIELD(WhyNode, ended, BOOL),
	JOSCH_FIELD(WhyNode, unmet, INT32),
	JOSCH_FIELD(WhyNode, recounted, BOOL),
	JOSCH_FIELD(WhyNode, wait_file, TEXT),
	JOSCH_FIELD(WhyNode, wait_sql, TEXT),
	JOSCH_FIELD(WhyNode, message, TEXT),
	JOSCH_FIELD(WhyNode, acted_by, TEXT),
	JOSCH_FIELD(WhyNode, claimed_by, TEXT),
	JOSCH_FIELD(WhyNode, day, TEXT));

/* What somebody has to do something about comes first: of a hundred thousand parents few are read. */
static JoschPlan select_parents = JOSCH_PLAN(
	"SELECT (k.number - 1)::integer, d.p_node_id, d.p_date"
	"  FROM unnest($1, $2) WITH ORDINALITY k (node_id, job_date, number),"
	"       LATERAL (SELECT * FROM josch.node_deps d WHERE d.c_date = k.job_date AND d.c_node_id = k.node_id OFFSET 0) d"
	"  LEFT JOIN LATERAL (SELECT n.state FROM josch.nodes n WHERE n.job_date = d.p_date AND n.node_id = d.p_node_id OFFSET 0) p ON true"
	"  LEFT JOIN josch.states() s ON s.state = p.state"
	" WHERE josch.parent_is(p.state, d.condition) = 'waits' AND (p.state IS NOT NULL OR d.expected)"
	" ORDER BY k.number, coalesce(s.urgency, 0), d.p_date, d.p_node_id LIMIT $3",
	INT8ARRAYOID, DATEARRAYOID, INT4OID);

static const JoschRow parent_row = JOSCH_ROW(
	WhyParent,
	JOSCH_FIELD(WhyParent, child, INT32),
	JOSCH_FIELD_KEY(WhyParent, parent));

WhyNode *
josch_store_why_nodes(const NodeKey *keys, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	WhyNode    *nodes;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	(void) josch_spi_read(&select_nodes, args, NULL);
	nodes = josch_rows_fetch(&node_row, n, caller);
	josch_spi_end(&spi);
	return nodes;
}

WhyParent *
josch_store_why_parents(const NodeKey *keys, int nkeys, int limit, int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[3];
	WhyParent  *parents;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, nkeys, args);
	args[2] = Int32GetDatum(limit);
	*n = (int) josch_spi_read(&select_parents, args, NULL);
	parents = josch_rows_fetch(&parent_row, *n, caller);
	josch_spi_end(&spi);
	return parents;
}
