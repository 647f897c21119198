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
#include "run/run_table.h"

enum
{
	REPORT_RUN_ID, REPORT_NODE_ID, REPORT_JOB_DATE, REPORT_PROGRESS, REPORT_PROGRESS_TEXT, REPORT_RESULTS, REPORT_PROBLEMS,
	REPORT_REPORTED_AT, REPORT_WAITS_FOR, REPORT_UNREACHABLE, REPORT_COLUMNS
};

static const JoschColumn columns[REPORT_COLUMNS] = {
	[REPORT_RUN_ID] = {"run_id", INT8OID}, [REPORT_NODE_ID] = {"node_id", INT8OID}, [REPORT_JOB_DATE] = {"job_date", DATEOID},
	[REPORT_PROGRESS] = {"progress", FLOAT8OID}, [REPORT_PROGRESS_TEXT] = {"progress_text", TEXTOID},
	[REPORT_RESULTS] = {"results", JSONBOID}, [REPORT_PROBLEMS] = {"problems", TEXTOID},
	[REPORT_REPORTED_AT] = {"reported_at", TIMESTAMPTZOID}, [REPORT_WAITS_FOR] = {"waits_for", TEXTOID},
	[REPORT_UNREACHABLE] = {"unreachable", TEXTOID}
};
static AttrNumber numbers[REPORT_COLUMNS];
static JoschTable reports_table = JOSCH_TABLE("run_reports", columns, numbers);

static const int changed[] = {
	REPORT_PROGRESS, REPORT_PROGRESS_TEXT, REPORT_RESULTS, REPORT_PROBLEMS, REPORT_REPORTED_AT, REPORT_WAITS_FOR, REPORT_UNREACHABLE
};

static void
fill_text(Datum *values, bool *nulls, int column, const char *text)
{
	values[column] = text != NULL ? CStringGetTextDatum(text) : (Datum) 0;
	nulls[column] = text == NULL;
}

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
	fill_text(values, nulls, REPORT_PROGRESS_TEXT, said.progress_text);
	values[REPORT_RESULTS] = DirectFunctionCall1(jsonb_in, CStringGetDatum(said.results));
	fill_text(values, nulls, REPORT_PROBLEMS, said.problems);
	fill_text(values, nulls, REPORT_WAITS_FOR, report->live ? said.waits_for : NULL);
	fill_text(values, nulls, REPORT_UNREACHABLE, report->live ? said.unreachable : NULL);
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

/* A row that has that already is left alone. */
static void
change_text(JoschUpdate *update, int column, const char *words)
{
	bool		isnull;
	Datum		value = josch_update_get(update, column, &isnull);
	char	   *former = isnull ? NULL : TextDatumGetCString(value);

	if (former == NULL || words == NULL ? former != words : strcmp(former, words) != 0)
	{
		josch_update_set_text(update, column, words);
		(void) josch_update_write(update);
	}
}

/* Where the run is, and what its node says while it goes on: the words of the executor, as they are now. */
static void
show_side(JoschUpdate *runs, JoschUpdate *nodes, const StoreReport *report)
{
	Datum		run = Int64GetDatum(report->run_id);
	Datum		key[JOSCH_NODE_KEYS];
	RunReport	said = josch_run_report_read(report->lines);
	bool		isnull;
	char	   *message = said.unreachable != NULL ? psprintf("%s does not answer: %s", report->executor, said.unreachable) :
		said.waits_for != NULL ? psprintf("%s: %s", report->executor, said.waits_for) : NULL;

	if (said.host != NULL && josch_update_find(runs, &run) == JOSCH_FOUND)
	{
		change_text(runs, RUNS_HOST, said.host);
	}
	josch_node_key_datums(report->key, key);
	if (report->live && josch_update_find(nodes, key) == JOSCH_FOUND &&
		DatumGetInt64(josch_update_get(nodes, NODES_RUN_ID, &isnull)) == report->run_id)
	{
		change_text(nodes, NODES_MESSAGE, message);
	}
}

static void
show_sides(const StoreReport *reports, int n)
{
	static const int of_runs[] = {RUNS_HOST};
	static const int of_nodes[] = {NODES_MESSAGE};
	JoschUpdate *runs = NULL;
	JoschUpdate *nodes = NULL;

	for (int i = 0; i < n; i++)
	{
		if (reports[i].executor == NULL)
		{
			continue;
		}
		if (runs == NULL)
		{
			runs = josch_update_begin(&josch_runs, 1, lengthof(of_runs), of_runs);
			nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(of_nodes), of_nodes);
		}
		show_side(runs, nodes, &reports[i]);
	}
	if (runs == NULL)
	{
		return;
	}
	josch_update_end(nodes);
	josch_update_end(runs);
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
	show_sides(reports, n);
	tell_clients(reports, n);
}
