/*
 * src/page/store_page.c
 *	  What a page shows, out of the tables.
 *
 * With the caller's rights: who may not see a node does not find it on a page.
 * However many nodes a day has, what is read is bounded here.
 */
#include "base/josch.h"

#include "base/clock.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "page/page.h"

#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#define LIMIT(n) " LIMIT " CppAsString2(n)
#define SCOPE(alias) alias "job_date = $1 AND ($2 IS NULL OR " alias "job_name = $2)"

/* ---- how many ---- */

static JoschPlan counts = JOSCH_PLAN(
	"SELECT state, count(*) FROM josch.nodes WHERE " SCOPE("") " GROUP BY state", DATEOID, TEXTOID);

static JoschPlan waiting_elsewhere = JOSCH_PLAN(
	"SELECT count(*) FROM josch.attention WHERE job_date <> $1 AND ($2 IS NULL OR job_name = $2)", DATEOID, TEXTOID);

static JoschPlan job_count = JOSCH_PLAN(
	"SELECT count(*) FROM josch.jobs WHERE " SCOPE(""), DATEOID, TEXTOID);

static JoschPlan run_count = JOSCH_PLAN(
	"SELECT count(*)"
	"  FROM josch.runs r"
	"  JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"
	" WHERE " SCOPE("n.") " AND r.started_at IS NOT NULL", DATEOID, TEXTOID);

/* ---- the table ---- */

static const JoschRow node_row = JOSCH_ROW(
	PageNode,
	JOSCH_FIELD(PageNode, node_id, INT64),
	JOSCH_FIELD(PageNode, job_name, TEXT),
	JOSCH_FIELD(PageNode, node_name, TEXT),
	JOSCH_FIELD(PageNode, node_type, TEXT),
	JOSCH_FIELD(PageNode, state, TEXT),
	JOSCH_FIELD(PageNode, state_since, TIMESTAMPTZ),
	JOSCH_NULLABLE(PageNode, started_at, TIMESTAMPTZ, DT_NOBEGIN),
	JOSCH_NULLABLE(PageNode, ended_at, TIMESTAMPTZ, DT_NOBEGIN),
	JOSCH_FIELD(PageNode, message, TEXT),
	JOSCH_FIELD(PageNode, acted_by, TEXT),
	JOSCH_FIELD(PageNode, action, TEXT),
	JOSCH_FIELD(PageNode, comment, TEXT));

/* long texts stay in the table */
static JoschPlan nodes = JOSCH_PLAN(
	"SELECT n.node_id, n.job_name, n.node_name, n.node_type, n.state, n.state_since, n.started_at, n.ended_at,"
	"       left(n.message, 2000), n.acted_by, n.action, left(n.comment, 2000)"
	"  FROM josch.nodes n"
	"  JOIN josch.states() s ON s.state = n.state"
	" WHERE " SCOPE("n.")
	" ORDER BY s.urgency, n.level, n.node_id" LIMIT(PAGE_MAX_ROWS), DATEOID, TEXTOID);

/* ---- the picture ---- */

static const JoschRow box_row = JOSCH_ROW(
	PageBox,
	JOSCH_FIELD(PageBox, id, INT64),
	JOSCH_FIELD(PageBox, level, INT32),
	JOSCH_FIELD(PageBox, job_name, TEXT),
	JOSCH_FIELD(PageBox, node_name, TEXT),
	JOSCH_FIELD(PageBox, node_type, TEXT),
	JOSCH_FIELD(PageBox, state, TEXT),
	JOSCH_FIELD(PageBox, nodes, INT64),
	JOSCH_FIELD(PageBox, done, INT64),
	JOSCH_FIELD(PageBox, joins_any, BOOL),
	JOSCH_FIELD(PageBox, waits_for, TEXT));

static const JoschRow edge_row = JOSCH_ROW(
	PageEdge,
	JOSCH_FIELD(PageEdge, parent, INT64),
	JOSCH_FIELD(PageEdge, child, INT64),
	JOSCH_FIELD_WORDS(PageEdge, condition, josch_conditions));

static JoschPlan node_boxes = JOSCH_PLAN(
	"SELECT node_id, level, job_name, node_name, node_type, state, 1::bigint, 0::bigint, join_rule = 'any',"
	"       nullif(concat_ws(', ', left(wait_file, 1000), CASE WHEN wait_sql IS NOT NULL THEN 'query' END), '')"
	"  FROM josch.nodes WHERE " SCOPE("")
	" ORDER BY level, node_id" LIMIT(PAGE_MAX_BOXES), DATEOID, TEXTOID);

static JoschPlan node_edges = JOSCH_PLAN(
	"SELECT d.p_node_id, d.c_node_id, d.condition"
	"  FROM josch.nodes n"
	"  JOIN josch.drawn_deps d ON d.c_node_id = n.node_id AND d.c_date = n.job_date AND d.p_date = $1"
	" WHERE " SCOPE("n.")
	" ORDER BY 1, 2, 3" LIMIT(PAGE_MAX_EDGES), DATEOID, TEXTOID);

/* jobs have no level: that of their first node stands for it */
#define JOB_BOXES \
	"SELECT row_number() OVER (ORDER BY min(n.level), n.job_name) AS id, min(n.level) AS level, n.job_name," \
	"       min(s.urgency) AS urgency, count(*) AS nodes, count(*) FILTER (WHERE s.final) AS done" \
	"  FROM josch.nodes n" \
	"  JOIN josch.states() s ON s.state = n.state" \
	" WHERE " SCOPE("n.") \
	" GROUP BY n.job_name"

static JoschPlan job_boxes = JOSCH_PLAN(
	"SELECT b.id, b.level, b.job_name, NULL::text, NULL::text, s.state, b.nodes, b.done, false, NULL::text"
	"  FROM (" JOB_BOXES ") b"
	"  JOIN josch.states() s ON s.urgency = b.urgency"
	" ORDER BY b.id" LIMIT(PAGE_MAX_BOXES), DATEOID, TEXTOID);

static JoschPlan job_edges = JOSCH_PLAN(
	"WITH b AS (" JOB_BOXES ")"
	"SELECT DISTINCT pb.id, cb.id, 'success'"
	"  FROM josch.nodes c"
	"  JOIN josch.node_deps d ON d.c_node_id = c.node_id AND d.c_date = c.job_date AND d.p_date = $1"
	"  JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = $1"
	"  JOIN b pb ON pb.job_name = p.job_name"
	"  JOIN b cb ON cb.job_name = c.job_name"
	" WHERE c.job_date = $1 AND p.job_name <> c.job_name"
	" ORDER BY 1, 2" LIMIT(PAGE_MAX_EDGES), DATEOID, TEXTOID);

/* ---- the timeline ---- */

static const JoschRow bar_row = JOSCH_ROW(
	PageBar,
	JOSCH_FIELD(PageBar, node_name, TEXT),
	JOSCH_FIELD(PageBar, state, TEXT),
	JOSCH_FIELD(PageBar, started_at, TIMESTAMPTZ),
	JOSCH_NULLABLE(PageBar, ended_at, TIMESTAMPTZ, DT_NOBEGIN),
	JOSCH_FIELD(PageBar, attempt, INT32));

/* what a run came to is a state by its name, too; the latest one's is its node's */
static JoschPlan bars = JOSCH_PLAN(
	"SELECT n.node_name, CASE WHEN n.run_id = r.run_id THEN n.state"
	"                         WHEN r.ended_at IS NULL THEN 'running' ELSE r.status END,"
	"       r.started_at, r.ended_at, r.attempt"
	"  FROM josch.runs r"
	"  JOIN josch.nodes n ON n.node_id = r.node_id AND n.job_date = r.job_date"
	" WHERE " SCOPE("n.") " AND r.started_at IS NOT NULL"
	" ORDER BY r.started_at, r.run_id" LIMIT(PAGE_MAX_BARS), DATEOID, TEXTOID);

/* ---- all of it ---- */

/* What all statements have: the scope, and one version of the tables. */
typedef struct Reader
{
	Datum		args[2];
	char		nulls[3];
	Snapshot	snapshot;
	MemoryContext context;		/* of what is read */
} Reader;

static uint64
run(JoschPlan *plan, const Reader *reader)
{
	return josch_spi_run_at(plan, reader->snapshot, SPI_OK_SELECT, reader->args, reader->nulls);
}

static int64
count_of(JoschPlan *plan, const Reader *reader)
{
	run(plan, reader);
	return josch_spi_int64(0, 1, 0);
}

static void
read_counts(PageDay *day, const Reader *reader)
{
	uint64		n = run(&counts, reader);

	for (uint64 i = 0; i < n; i++)
	{
		const JoschState *state = josch_states_find(josch_spi_text(i, 1));

		if (state != NULL)
		{
			day->counts[state - josch_states] = josch_spi_int64(i, 2, 0);
			day->total += day->counts[state - josch_states];
		}
	}
}

/* The rows of a statement as structs, and their number. */
static void *
fetch(JoschPlan *plan, const Reader *reader, const JoschRow *row, int *n)
{
	*n = (int) run(plan, reader);
	return josch_rows_fetch(row, *n, reader->context);
}

PageDay *
josch_store_page_read(const PageScope *scope)
{
	PageDay    *day = palloc0(sizeof(PageDay));
	Reader		reader = {
		.args = {DateADTGetDatum(scope->job_date)},
		.nulls = "  ",
		.context = CurrentMemoryContext
	};
	JoschSpi	spi;

	day->scope = *scope;
	day->now = josch_clock_now();
	josch_spi_begin_as_caller(&spi);
	josch_spi_set_text(reader.args, reader.nulls, 1, scope->job_name);
	reader.snapshot = RegisterSnapshot(GetTransactionSnapshot());
	read_counts(day, &reader);
	day->elsewhere = count_of(&waiting_elsewhere, &reader);
	day->nodes = fetch(&nodes, &reader, &node_row, &day->nnodes);
	day->by_job = day->total > PAGE_MAX_BOXES;
	day->box_total = day->by_job ? count_of(&job_count, &reader) : day->total;
	day->boxes = fetch(day->by_job ? &job_boxes : &node_boxes, &reader, &box_row, &day->nboxes);
	day->edges = fetch(day->by_job ? &job_edges : &node_edges, &reader, &edge_row, &day->nedges);
	day->bar_total = count_of(&run_count, &reader);
	day->bars = fetch(&bars, &reader, &bar_row, &day->nbars);
	UnregisterSnapshot(reader.snapshot);
	josch_spi_end(&spi);
	return day;
}
