/*
 * src/run/store_report.c
 *	  josch.run_reports: what runs have said of themselves.
 *
 * A table of its own: what comes each second while a run goes on is not on record,
 * and makes no new version of a row that others look at or hold.
 */
#include "base/josch.h"

#include "run/store_report.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/clock.h"
#include "base/finder.h"
#include "base/update.h"
#include "base/writer.h"
#include "node/node_table.h"
#include "node/notify.h"
#include "run/run_report.h"

enum
{
	REPORT_RUN_ID, REPORT_NODE_ID, REPORT_JOB_DATE, REPORT_PROGRESS, REPORT_PROGRESS_TEXT, REPORT_RESULTS, REPORT_PROBLEMS,
	REPORT_REPORTED_AT, REPORT_COLUMNS
};

static const JoschColumn columns[REPORT_COLUMNS] = {
	[REPORT_RUN_ID] = {"run_id", INT8OID}, [REPORT_NODE_ID] = {"node_id", INT8OID}, [REPORT_JOB_DATE] = {"job_date", DATEOID},
	[REPORT_PROGRESS] = {"progress", FLOAT8OID}, [REPORT_PROGRESS_TEXT] = {"progress_text", TEXTOID},
	[REPORT_RESULTS] = {"results", JSONBOID}, [REPORT_PROBLEMS] = {"problems", TEXTOID},
	[REPORT_REPORTED_AT] = {"reported_at", TIMESTAMPTZOID}
};
static AttrNumber numbers[REPORT_COLUMNS];
static JoschTable reports_table = JOSCH_TABLE("run_reports", columns, numbers);

static const int changed[] = {REPORT_PROGRESS, REPORT_PROGRESS_TEXT, REPORT_RESULTS, REPORT_PROBLEMS, REPORT_REPORTED_AT};

/* The values of a row, in the order of the columns. */
static void
fill(const StoreReport *report, TimestampTz now, Datum *values, bool *nulls)
{
	RunReport	said = josch_run_report_read(report->lines);

	values[REPORT_RUN_ID] = Int64GetDatum(report->run_id);
	values[REPORT_NODE_ID] = Int64GetDatum(report->key.node_id);
	values[REPORT_JOB_DATE] = DateADTGetDatum(report->key.job_date);
	values[REPORT_PROGRESS] = Float8GetDatum(said.progress);
	nulls[REPORT_PROGRESS] = !said.has_progress;
	values[REPORT_PROGRESS_TEXT] = said.progress_text != NULL ? CStringGetTextDatum(said.progress_text) : (Datum) 0;
	nulls[REPORT_PROGRESS_TEXT] = said.progress_text == NULL;
	values[REPORT_RESULTS] = DirectFunctionCall1(jsonb_in, CStringGetDatum(said.results));
	values[REPORT_PROBLEMS] = said.problems != NULL ? CStringGetTextDatum(said.problems) : (Datum) 0;
	nulls[REPORT_PROBLEMS] = said.problems == NULL;
	values[REPORT_REPORTED_AT] = TimestampTzGetDatum(now);
}

/* Those that have no row yet. */
typedef struct NewReports
{
	const StoreReport **reports;
	int			n;
	int			at;
	TimestampTz now;
} NewReports;

/* JoschNextRow */
static bool
next_new(void *arg, Datum *values, bool *nulls)
{
	NewReports *fresh = arg;

	if (fresh->at == fresh->n)
	{
		return false;
	}
	fill(fresh->reports[fresh->at++], fresh->now, values, nulls);
	return true;
}

/* In the place of what was said before; those that have said nothing before are noted. */
static void
renew(const StoreReport *reports, int n, NewReports *fresh)
{
	JoschUpdate *update = josch_update_begin(&reports_table, 1, lengthof(changed), changed);

	for (int i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(reports[i].run_id);
		JoschFound	found = josch_update_find(update, &key);
		Datum		values[REPORT_COLUMNS] = {0};
		bool		nulls[REPORT_COLUMNS] = {0};

		if (found == JOSCH_ABSENT)
		{
			fresh->reports[fresh->n++] = &reports[i];
		}
		if (found != JOSCH_FOUND)
		{
			continue;
		}
		fill(&reports[i], fresh->now, values, nulls);
		for (int c = 0; c < (int) lengthof(changed); c++)
		{
			if (nulls[changed[c]])
			{
				josch_update_set_null(update, changed[c]);
			}
			else
			{
				josch_update_set(update, changed[c], values[changed[c]]);
			}
		}
		(void) josch_update_write(update);
	}
	josch_update_end(update);
}

/* As a change from the state to itself: who looks at the node reads it again. */
static void
tell_clients(const StoreReport *reports, int n)
{
	JoschFinder nodes;
	bool		isnull;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];

		josch_node_key_datums(reports[i].key, key);
		if (reports[i].live && josch_finder_find(&nodes, key))
		{
			NodeState	state = josch_node_state(josch_finder_get(&nodes, NODES_STATE, &isnull));

			josch_notify_change(reports[i].key, josch_finder_get_text(&nodes, NODES_JOB_NAME), state, state, NULL,
								DatumGetInt64(josch_finder_get(&nodes, NODES_CHANGE_ID, &isnull)));
		}
	}
	josch_finder_close(&nodes);
}

void
josch_store_report_put(const StoreReport *reports, int n)
{
	NewReports	fresh = {.reports = palloc(sizeof(StoreReport *) * Max(n, 1)), .now = josch_clock_now()};

	renew(reports, n, &fresh);
	if (fresh.n > 0)
	{
		josch_writer_insert(&reports_table, NULL, next_new, &fresh);
	}
	tell_clients(reports, n);
}
