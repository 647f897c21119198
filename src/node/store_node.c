/*
 * src/node/store_node.c
 *	  SQL on josch.nodes and josch.node_deps: parents counted, rows locked, acts.
 *
 * nodes.unmet is the number of dependency rows that hold a node back; impossible and
 * satisfied are those of the others that count (join.h).  They are changed by differences in the transaction that changes the parent, under the
 * child's row lock, so that two parents that finish together both count.  Nobody
 * waits for that lock, but a person whose change holds the child back: a child that
 * is not free is noted in josch.recounts, from then on neither counted by differences
 * nor started, by whomever, and counted from nothing when it is free.
 *
 * A REPEATABLE READ transaction does not see the children that a day has which
 * was made since its snapshot; so what counts sees all that is committed.
 *
 * Deadlocks: a change of a node locks the node, then its children.  Locks are
 * thus always taken from parents to children; among the children of one
 * statement the order is nodes.level, which grows along every dependency.  One
 * order for all means that nobody can wait in a circle.
 */
#include "base/josch.h"

#include "node/store_node.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/clock.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "node/join.h"

#define SETTLED(unmet, impossible, satisfied) \
	"CASE WHEN c.state = 'pending' AND (" JOSCH_SQL_LETS_RUN("c", unmet, impossible, satisfied) " OR c.forced) THEN 'ready'" \
	" WHEN c.state = 'ready' AND NOT (" JOSCH_SQL_LETS_RUN("c", unmet, impossible, satisfied) " OR c.forced) THEN 'pending'" \
	" ELSE c.state END"

static JoschPlan settle = JOSCH_PLAN(
	"UPDATE josch.nodes c SET state = " SETTLED("c.unmet", "c.impossible", "c.satisfied")
	" FROM unnest($1, $2) AS k(node_id, job_date)"
	" WHERE c.node_id = k.node_id AND c.job_date = k.job_date"
	" AND c.state IN ('pending', 'ready')",
	INT8ARRAYOID, DATEARRAYOID);

/*
 * Nodes and their parents, and $3, $4 those that were parents until now, in one order: parents
 * first would meet those who go from node to node in a circle.
 */
static JoschPlan lock_with_parents = JOSCH_PLAN(
	"SELECT 1 FROM josch.nodes n"
	" WHERE (n.node_id, n.job_date) IN (SELECT * FROM unnest($1, $2) UNION SELECT * FROM unnest($3, $4)"
	"  UNION SELECT d.p_node_id, d.p_date FROM unnest($1, $2) AS k(node_id, job_date)"
	"  JOIN josch.node_deps d ON d.c_node_id = k.node_id AND d.c_date = k.job_date)"
	" ORDER BY n.level, n.job_date, n.node_id FOR NO KEY UPDATE",
	INT8ARRAYOID, DATEARRAYOID, INT8ARRAYOID, DATEARRAYOID);

/* a parent that is absent and expected is waited for, whatever the condition */
static JoschPlan recount = JOSCH_PLAN(
	"UPDATE josch.nodes c SET unmet = s.unmet, impossible = s.impossible, satisfied = s.satisfied,"
	" state = " SETTLED("s.unmet", "s.impossible", "s.satisfied")
	" FROM (SELECT k.node_id, k.job_date,"
	"  count(*) FILTER (WHERE CASE WHEN p.node_id IS NULL THEN d.expected"
	"   ELSE " JOSCH_SQL_PARENT_IS(WAITS, "d.condition", "p.state") " END)::int AS unmet,"
	"  count(*) FILTER (WHERE " JOSCH_SQL_PARENT_IS(IMPOSSIBLE, "d.condition", "p.state") ")::int AS impossible,"
	"  count(*) FILTER (WHERE " JOSCH_SQL_PARENT_IS(SATISFIED, "d.condition", "p.state") ")::int AS satisfied"
	"  FROM (SELECT DISTINCT * FROM unnest($1, $2)) AS k(node_id, job_date)"
	"  LEFT JOIN josch.node_deps d ON d.c_node_id = k.node_id AND d.c_date = k.job_date"
	"  LEFT JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date"
	"  GROUP BY k.node_id, k.job_date) s"
	" WHERE c.node_id = s.node_id AND c.job_date = s.job_date"
	" AND (c.unmet <> s.unmet OR c.impossible <> s.impossible OR c.satisfied <> s.satisfied)",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan lock_one = JOSCH_PLAN(
	"SELECT state, node_type, action, acted_by, acted_at, comment, run_id, change_id FROM josch.nodes"
	" WHERE node_id = $1 AND job_date = $2 FOR NO KEY UPDATE",
	INT8OID, DATEOID);

static const JoschRow info_row = JOSCH_ROW(
	NodeInfo,
	JOSCH_FIELD_WORDS(NodeInfo, state, josch_fsm_labels),
	JOSCH_FIELD(NodeInfo, node_type, LETTER),
	JOSCH_FIELD(NodeInfo, action, TEXT),
	JOSCH_FIELD(NodeInfo, acted_by, TEXT),
	JOSCH_FIELD(NodeInfo, acted_at, TIMESTAMPTZ),
	JOSCH_FIELD(NodeInfo, comment, TEXT),
	JOSCH_FIELD(NodeInfo, run_id, INT64),
	JOSCH_FIELD(NodeInfo, change_id, INT64));

static JoschPlan request_stop = JOSCH_PLAN(
	"UPDATE josch.runs SET stop_requested_at = $3, stop_requested_by = $4"
	" WHERE node_id = $1 AND job_date = $2 AND ended_at IS NULL",
	INT8OID, DATEOID, TIMESTAMPTZOID, TEXTOID);

/* a person has ended the node: only now, that its state tells nothing of the run any more */
static JoschPlan give_up = JOSCH_PLAN(
	"UPDATE josch.runs r SET status = 'unknown', ended_at = josch.now(), message = n.message"
	" FROM unnest($1, $2) AS k(node_id, job_date)"
	" JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	" WHERE n.state = 'failed' AND r.run_id = n.run_id AND r.ended_at IS NULL AND r.stop_requested_at IS NOT NULL",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan not_asked = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date FROM unnest($1, $2) AS k(node_id, job_date)"
	" JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	" JOIN josch.runs r ON r.run_id = n.run_id"
	" WHERE n.state = 'failed' AND r.ended_at IS NULL ORDER BY n.job_date, n.node_id LIMIT 1",
	INT8ARRAYOID, DATEARRAYOID);

typedef struct Survivors
{
	NodeKey		key;
	int64		run_id;
	char	   *who;
} Survivors;

static const JoschRow survivors_row = JOSCH_ROW(
	Survivors,
	JOSCH_FIELD_KEY(Survivors, key),
	JOSCH_FIELD(Survivors, run_id, INT64),
	JOSCH_FIELD(Survivors, who, TEXT));

static JoschPlan survivors = JOSCH_PLAN(
	"SELECT n.node_id, n.job_date, r.run_id, r.survivors FROM unnest($1, $2) AS k(node_id, job_date)"
	" JOIN josch.nodes n ON n.node_id = k.node_id AND n.job_date = k.job_date"
	" JOIN josch.runs r ON r.run_id = n.run_id"
	" WHERE n.state IN ('pending', 'ready') AND r.survivors IS NOT NULL ORDER BY n.job_date, n.node_id",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan lock_all = JOSCH_PLAN(
	"SELECT FROM josch.nodes n"
	" WHERE (n.node_id, n.job_date) IN (SELECT k.node_id, k.job_date FROM unnest($1, $2) AS k(node_id, job_date))"
	" ORDER BY n.level, n.job_date, n.node_id FOR NO KEY UPDATE",
	INT8ARRAYOID, DATEARRAYOID);

static JoschPlan lock_descendants = JOSCH_PLAN(
	"WITH RECURSIVE below(node_id, job_date) AS ("
	"  SELECT $1, $2"
	"  UNION SELECT d.c_node_id, d.c_date FROM below b"
	"  JOIN josch.node_deps d ON d.p_node_id = b.node_id AND d.p_date = b.job_date)"
	" SELECT n.node_id, n.job_date, n.node_type, n.state FROM josch.nodes n"
	" WHERE (n.node_id, n.job_date) IN (SELECT * FROM below)"
	" ORDER BY n.level, n.job_date, n.node_id FOR NO KEY UPDATE",
	INT8OID, DATEOID);

typedef struct Descendant
{
	NodeKey		key;
	char		node_type;
	NodeState	state;
} Descendant;

static const JoschRow descendant_row = JOSCH_ROW(
	Descendant,
	JOSCH_FIELD_KEY(Descendant, key),
	JOSCH_FIELD(Descendant, node_type, LETTER),
	JOSCH_FIELD_WORDS(Descendant, state, josch_fsm_labels));

void
josch_store_node_settle(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	JoschMode	former;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	former = josch_mode_enter_engine();
	josch_spi_run(&settle, SPI_OK_UPDATE, args, NULL);
	josch_mode = former;
	josch_spi_end(&spi);
}

void
josch_store_node_recount(const NodeKey *keys, int n, const NodeKey *parted, int nparted)
{
	JoschSpi	spi;
	Datum		args[4];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	josch_spi_key_arrays(parted, nparted, args + 2);
	/* a parent that is being changed now is waited for, then seen as it is; one that was a parent may be counted by whoever changes it */
	josch_spi_change_latest(&lock_with_parents, SPI_OK_SELECT, args, NULL);
	josch_spi_end(&spi);
	josch_store_node_recount_locked(keys, n);
}

void
josch_store_node_recount_locked(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	JoschMode	former;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	former = josch_mode_enter_engine();
	josch_spi_change_latest(&recount, SPI_OK_UPDATE, args, NULL);
	josch_mode = former;
	josch_spi_end(&spi);
}

bool
josch_store_node_lock(NodeKey key, NodeInfo *info)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	bool		found;

	josch_spi_begin(&spi);
	found = josch_spi_run(&lock_one, SPI_OK_SELECT, args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&info_row, info, caller);
	}
	josch_spi_end(&spi);
	return found;
}

void
josch_store_node_request_stop(NodeKey key)
{
	JoschSpi	spi;
	JoschMode	former;
	Datum		args[4];

	josch_spi_begin(&spi);
	args[0] = Int64GetDatum(key.node_id);
	args[1] = DateADTGetDatum(key.job_date);
	args[2] = TimestampTzGetDatum(josch_clock_now());
	args[3] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	former = josch_mode_enter_engine();
	josch_spi_run(&request_stop, SPI_OK_UPDATE, args, NULL);
	josch_mode = former;
	josch_spi_end(&spi);
}

static void
warn_of_survivors(const Survivors *found, uint64 n)
{
	for (uint64 i = 0; i < n; i++)
	{
		ereport(WARNING,
				(errmsg("processes of run " INT64_FORMAT " of node %s may still live", found[i].run_id,
						josch_report_key(found[i].key.node_id, found[i].key.job_date)),
				 errdetail("When it was last looked for them, these were found: %s.", found[i].who),
				 errhint("End them, or they will work beside the next run.")));
	}
}

static void
complain_of_run(const NodeKey *key)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("the run of node %s has not been asked to stop", josch_report_key(key->node_id, key->job_date)),
			 errdetail("A run is given up only when its stop is heard by nobody."),
			 errhint("Stop it first: SELECT josch.stop(" INT64_FORMAT ", '%s');",
					 key->node_id, josch_report_date(key->job_date))));
}

void
josch_store_node_leave_runs(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	JoschMode	former;
	Datum		args[2];
	uint64		rows;

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	former = josch_mode_enter_engine();
	josch_spi_run(&give_up, SPI_OK_UPDATE, args, NULL);
	josch_mode = former;
	if (josch_spi_run(&not_asked, SPI_OK_SELECT, args, NULL) > 0)
	{
		complain_of_run(josch_rows_fetch(&josch_rows_key, 1, CurrentMemoryContext));
	}
	rows = josch_spi_run(&survivors, SPI_OK_SELECT, args, NULL);
	warn_of_survivors(josch_rows_fetch(&survivors_row, rows, CurrentMemoryContext), rows);
	josch_spi_end(&spi);
}

static void
complain_of_running(NodeKey key, NodeState state)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot rerun descendant node %s in state \"%s\"",
					josch_report_key(key.node_id, key.job_date), josch_fsm_label(state)),
			 errhint("Stop it first: SELECT josch.stop(" INT64_FORMAT ", '%s');",
					 key.node_id, josch_report_date(key.job_date))));
}

void
josch_store_node_lock_all(const NodeKey *keys, int n)
{
	JoschSpi	spi;
	Datum		args[2];

	josch_spi_begin(&spi);
	josch_spi_key_arrays(keys, n, args);
	josch_spi_change_latest(&lock_all, SPI_OK_SELECT, args, NULL);
	josch_spi_end(&spi);
}

NodeKey *
josch_store_node_lock_descendants(NodeKey key, const char *action, int *n)
{
	JoschSpi	spi;
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[2] = {Int64GetDatum(key.node_id), DateADTGetDatum(key.job_date)};
	Descendant *found;
	NodeKey    *keys;
	uint64		rows;

	*n = 0;
	josch_spi_begin(&spi);
	rows = josch_spi_run(&lock_descendants, SPI_OK_SELECT, args, NULL);
	found = josch_rows_fetch(&descendant_row, rows, CurrentMemoryContext);
	keys = MemoryContextAllocExtended(caller, sizeof(NodeKey) * Max(rows, 1), MCXT_ALLOC_HUGE);
	for (uint64 i = 0; i < rows; i++)
	{
		Descendant *each = &found[i];

		/* what has neither edge has not begun: it will wait by itself for its parents */
		if (josch_fsm_find_action(each->state, each->node_type, "stop") != NULL)
		{
			complain_of_running(each->key, each->state);
		}
		if (josch_fsm_find_action(each->state, each->node_type, action) != NULL)
		{
			keys[(*n)++] = each->key;
		}
	}
	josch_spi_end(&spi);
	return keys;
}
