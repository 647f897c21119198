/*
 * src/template/store_check.c
 *	  SQL on templates that have been loaded, for those who look whether they can be meant.
 */
#include "base/josch.h"

#include "template/store_check.h"

#include "base/rows.h"
#include "base/spi_plan.h"

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define ROWS_NAME "josch_rows"
#define FETCH_ROWS 1000

void
josch_store_check_lines(const TemplateBatch *batch, char *const *keys, int n, int *lines)
{
	Oid			types[1] = {TEXTARRAYOID};
	Datum		args[1] = {josch_spi_text_array(keys, n)};
	char	   *sql = psprintf("SELECT k.i::int, s.\"%s\" FROM pg_catalog.unnest($1) WITH ORDINALITY AS k (key, i)"
							   " JOIN " ROWS_NAME " AS s ON s.%s::pg_catalog.text = k.key",
							   LOAD_ROW_LINE, quote_identifier(batch->table->keys[0]));

	for (int i = 0; i < n; i++)
	{
		lines[i] = -1;
	}
	josch_store_template_name_rows(batch, ROWS_NAME);
	if (SPI_execute_with_args(sql, 1, types, args, NULL, true, 0) != SPI_OK_SELECT)
	{
		elog(ERROR, "the rows of a load could not be read");
	}
	josch_store_template_forget_name(ROWS_NAME);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		lines[josch_spi_int32(i, 1, 1) - 1] = josch_spi_int32(i, 2, 0);
	}
}

/* ---- nodes ---- */

static const JoschRow node_row = JOSCH_ROW(
	CheckedNode,
	JOSCH_FIELD(CheckedNode, node_id, INT64),
	JOSCH_FIELD(CheckedNode, node_name, TEXT),
	JOSCH_FIELD(CheckedNode, job_name, TEXT),
	JOSCH_FIELD(CheckedNode, exec_command, TEXT),
	JOSCH_FIELD(CheckedNode, ready_command, TEXT),
	JOSCH_FIELD(CheckedNode, work_dir, TEXT),
	JOSCH_FIELD(CheckedNode, wait_file, TEXT),
	JOSCH_FIELD(CheckedNode, exec_sql, TEXT),
	JOSCH_FIELD(CheckedNode, wait_sql, TEXT),
	JOSCH_FIELD(CheckedNode, exec_sql_atomic, BOOL),
	JOSCH_FIELD(CheckedNode, elsewhere, BOOL),
	JOSCH_FIELD(CheckedNode, repeats_never, BOOL));

void
josch_store_check_nodes(const TemplateBatch *nodes, TakeCheckedNode take, void *arg)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "josch nodes", ALLOCSET_DEFAULT_SIZES);
	Portal		cursor;

	josch_store_template_name_rows(nodes, ROWS_NAME);
	cursor = SPI_cursor_open_with_args(NULL,
									   "SELECT n.node_id, n.node_name, n.job_name, n.exec_command, n.ready_command, n.work_dir, n.wait_file, n.exec_sql, n.wait_sql, n.exec_sql_atomic,"
									   " coalesce(n.executor, (SELECT j.executor FROM josch.tpl_jobs AS j WHERE j.job_name = n.job_name), 'local') <> 'local',"
									   " coalesce(n.start_time + n.repeat_every > n.repeat_until, false)"
									   " FROM josch.tpl_nodes AS n WHERE n.node_id IN (SELECT s.node_id FROM " ROWS_NAME " AS s)"
									   " ORDER BY n.job_name COLLATE pg_catalog.\"C\", n.node_id",
									   0, NULL, NULL, NULL, true, 0);
	for (SPI_cursor_fetch(cursor, true, FETCH_ROWS); SPI_processed > 0; SPI_cursor_fetch(cursor, true, FETCH_ROWS))
	{
		int			n = (int) SPI_processed;
		CheckedNode *checked = josch_rows_fetch(&node_row, n, scratch);

		SPI_freetuptable(SPI_tuptable);
		for (int i = 0; i < n; i++)
		{
			CHECK_FOR_INTERRUPTS();
			take(&checked[i], arg);
		}
		MemoryContextReset(scratch);
	}
	SPI_cursor_close(cursor);
	josch_store_template_forget_name(ROWS_NAME);
	MemoryContextDelete(scratch);
}

static JoschPlan variable = JOSCH_PLAN("SELECT value FROM josch.environs WHERE var = $1", TEXTOID);

char *
josch_store_check_variable(const char *name)
{
	Datum		args[1] = {CStringGetTextDatum(name)};

	char	   *value = josch_spi_run(&variable, SPI_OK_SELECT, args, NULL) == 0 ? NULL : josch_spi_text(0, 1);

	SPI_freetuptable(SPI_tuptable);
	return value;
}

/* ---- jobs and calendars ---- */

#define TODAY(job) "josch.today(coalesce(" job ".time_zone, josch.default_time_zone()))"

static JoschPlan jobs = JOSCH_PLAN(
	"SELECT j.job_name, j.calendar_name, j.schedule_at IS NOT NULL, j.paused, j.catch_up <> 'all' OR j.catch_up_grace <> interval '10 minutes',"
	"	EXISTS (SELECT FROM josch.tpl_nodes n WHERE n.job_name = j.job_name), coalesce(j.valid_to < " TODAY("j") ", false),"
	"	greatest(coalesce(j.valid_from, j.loaded_on), " TODAY("j") "), j.valid_to"
	"  FROM josch.tpl_jobs j WHERE j.job_name = ANY ($1)"
	" ORDER BY j.job_name COLLATE \"C\"", TEXTARRAYOID);

static const JoschRow job_row = JOSCH_ROW(
	CheckedJob,
	JOSCH_FIELD(CheckedJob, job_name, TEXT),
	JOSCH_FIELD(CheckedJob, calendar_name, TEXT),
	JOSCH_FIELD(CheckedJob, makes_itself, BOOL),
	JOSCH_FIELD(CheckedJob, paused, BOOL),
	JOSCH_FIELD(CheckedJob, says_catch_up, BOOL),
	JOSCH_FIELD(CheckedJob, has_nodes, BOOL),
	JOSCH_FIELD(CheckedJob, is_over, BOOL),
	JOSCH_FIELD(CheckedJob, first, DATE),
	JOSCH_NULLABLE(CheckedJob, last, DATE, DATEVAL_NOEND));

static void *
fetch(JoschPlan *plan, const JoschRow *map, Datum *args, int *n)
{
	*n = (int) josch_spi_run(plan, SPI_OK_SELECT, args, NULL);
	return josch_rows_fetch(map, *n, CurrentMemoryContext);
}

CheckedJob *
josch_store_check_jobs(Datum job_names, int *n)
{
	return fetch(&jobs, &job_row, &job_names, n);
}

static JoschPlan calendars = JOSCH_PLAN(
	"SELECT c.calendar_name, josch.today() FROM josch.calendars c"
	" WHERE c.calendar_name = ANY ($2) OR c.calendar_name IN (SELECT j.calendar_name FROM josch.tpl_jobs j WHERE j.job_name = ANY ($1))"
	" ORDER BY c.calendar_name COLLATE \"C\"", TEXTARRAYOID, TEXTARRAYOID);

static const JoschRow calendar_row = JOSCH_ROW(
	CheckedCalendar,
	JOSCH_FIELD(CheckedCalendar, calendar_name, TEXT),
	JOSCH_FIELD(CheckedCalendar, today, DATE));

CheckedCalendar *
josch_store_check_calendars(Datum job_names, const TemplateBatch *batch, int *n)
{
	Datum		args[2] = {job_names};

	args[1] = josch_store_template_names(batch, "calendar_name");
	return fetch(&calendars, &calendar_row, args, n);
}

static JoschPlan links = JOSCH_PLAN(
	"SELECT l.node_id, n.node_name, c.job_name, c.calendar_name, p.job_name, p.calendar_name, l.days, c.schedule_at IS NOT NULL, p.schedule_at IS NOT NULL,"
	"	coalesce(p.valid_to < " TODAY("p") ", false), p.valid_to, " TODAY("c")
	"  FROM (SELECT pn.job_name AS parent, cn.job_name AS child, d.p_date - d.c_date AS days, min(d.c_node_id) AS node_id"
	"		   FROM josch.tpl_node_deps d JOIN josch.tpl_nodes pn ON pn.node_id = d.p_node_id JOIN josch.tpl_nodes cn ON cn.node_id = d.c_node_id"
	"		  WHERE pn.job_name <> cn.job_name AND cn.job_name = ANY ($1) GROUP BY 1, 2, 3) l"
	"  JOIN josch.tpl_jobs p ON p.job_name = l.parent JOIN josch.tpl_jobs c ON c.job_name = l.child JOIN josch.tpl_nodes n ON n.node_id = l.node_id"
	" ORDER BY c.job_name COLLATE \"C\", p.job_name COLLATE \"C\", l.days", TEXTARRAYOID);

static const JoschRow link_row = JOSCH_ROW(
	CheckedLink,
	JOSCH_FIELD(CheckedLink, node_id, INT64),
	JOSCH_FIELD(CheckedLink, node_name, TEXT),
	JOSCH_FIELD(CheckedLink, job_name, TEXT),
	JOSCH_FIELD(CheckedLink, calendar_name, TEXT),
	JOSCH_FIELD(CheckedLink, parent_job, TEXT),
	JOSCH_FIELD(CheckedLink, parent_calendar, TEXT),
	JOSCH_FIELD(CheckedLink, days, INT32),
	JOSCH_FIELD(CheckedLink, makes_itself, BOOL),
	JOSCH_FIELD(CheckedLink, parent_makes_itself, BOOL),
	JOSCH_FIELD(CheckedLink, parent_is_over, BOOL),
	JOSCH_NULLABLE(CheckedLink, parent_last, DATE, DATEVAL_NOEND),
	JOSCH_FIELD(CheckedLink, today, DATE));

CheckedLink *
josch_store_check_links(Datum job_names, int *n)
{
	return fetch(&links, &link_row, &job_names, n);
}
