/*
 * src/import/store_import.c
 *	  SQL on the tables of an import, and on those of other schedulers.
 *
 * The tables are of text, as a file would be: what the values are is the load's business.
 */
#include "base/josch.h"

#include "import/store_import.h"

#include "base/rows.h"
#include "base/spi_plan.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

static const struct
{
	const char *name;
	const char *columns;
}			tables[] = {
	{"environs", "var text, value text"},
	{"calendars", "calendar_name text, calendar_desc text, weekdays text, rule text"},
	{"calendar_parts", "calendar_name text, position text, operation text, part_name text"},
	{"holidays", "calendar_name text, holiday text, holiday_name text, open text"},
	{"semaphores", "semaphore_name text, capacity text, semaphore_desc text"},
	{"tpl_jobs", "job_name text, job_desc text, time_zone text, calendar_name text, schedule_at text, paused text, valid_from text, valid_to text,"
	" max_running text"},
	{"tpl_nodes", "node_id text, node_type text, job_name text, node_name text, exec_command text, exec_sql text, exec_sql_atomic text,"
	" start_time text, repeat_every text, repeat_until text, owner text, timeout text, join_rule text, on_failure text, success_codes text"},
	{"tpl_node_deps", "p_node_id text, p_date text, c_node_id text, c_date text, condition text"},
	{"tpl_node_semaphores", "node_id text, semaphore_name text, units text"}
};

static void
do_utility(const char *sql)
{
	if (SPI_execute(sql, false, 0) != SPI_OK_UTILITY)
	{
		elog(ERROR, "could not be done: %s", sql);
	}
}

void
josch_store_import_make_tables(const char *schema)
{
	Oid			oid = get_namespace_oid(schema, true);

	if (!OidIsValid(oid))
	{
		do_utility(psprintf("CREATE SCHEMA %s", quote_identifier(schema)));
		oid = get_namespace_oid(schema, false);
	}
	for (size_t i = 0; i < lengthof(tables); i++)
	{
		if (!OidIsValid(get_relname_relid(tables[i].name, oid)))
		{
			do_utility(psprintf("CREATE TABLE %s.%s (%s)", quote_identifier(schema), tables[i].name, tables[i].columns));
		}
	}
}

void
josch_store_import_insert(const char *schema, const char *table, const char *const *columns, const char *const *values, int n)
{
	Oid			types[IMPORT_MAX_COLUMNS];
	Datum		args[IMPORT_MAX_COLUMNS];
	char		nulls[IMPORT_MAX_COLUMNS];
	StringInfoData sql;
	int			nargs = 0;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s.%s (", quote_identifier(schema), table);
	for (int i = 0; i < n; i++)
	{
		if (values[i] != NULL)
		{
			appendStringInfo(&sql, "%s%s", nargs > 0 ? ", " : "", columns[i]);
			types[nargs] = TEXTOID;
			josch_spi_set_text(args, nulls, nargs++, values[i]);
		}
	}
	appendStringInfoString(&sql, ") VALUES (");
	for (int i = 0; i < nargs; i++)
	{
		appendStringInfo(&sql, "%s$%d", i > 0 ? ", " : "", i + 1);
	}
	appendStringInfoChar(&sql, ')');
	if (SPI_execute_with_args(sql.data, nargs, types, args, nulls, false, 0) != SPI_OK_INSERT)
	{
		elog(ERROR, "could not be done: %s", sql.data);
	}
}

char *
josch_store_import_value(const char *schema, const char *table, const char *column, const char *key, const char *value)
{
	Oid			types[1] = {TEXTOID};
	Datum		args[1] = {CStringGetTextDatum(value)};
	char	   *found;

	(void) SPI_execute_with_args(psprintf("SELECT %s FROM %s.%s WHERE %s = $1 LIMIT 1", column, quote_identifier(schema), table, key),
								 1, types, args, NULL, false, 0);
	found = SPI_processed == 0 ? NULL : josch_spi_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

char *
josch_store_import_node_id(const char *job_name, const char *node_name)
{
	Oid			types[2] = {TEXTOID, TEXTOID};
	Datum		args[2] = {CStringGetTextDatum(job_name), CStringGetTextDatum(node_name)};
	char	   *found;

	(void) SPI_execute_with_args("SELECT coalesce((SELECT n.node_id FROM josch.tpl_nodes AS n WHERE n.job_name = $1 AND n.node_name = $2), josch.new_node_id())::pg_catalog.text",
								 2, types, args, NULL, false, 0);
	found = josch_spi_text(0, 1);
	SPI_freetuptable(SPI_tuptable);
	return found;
}

char *
josch_store_import_session_zone(void)
{
	(void) SPI_execute("SELECT pg_catalog.current_setting('TimeZone')", true, 0);
	return josch_spi_text(0, 1);
}

/* ---- pg_cron ---- */

static const JoschRow pg_cron_row = JOSCH_ROW(
	PgCronJob,
	JOSCH_FIELD(PgCronJob, jobid, INT64),
	JOSCH_FIELD(PgCronJob, schedule, TEXT),
	JOSCH_FIELD(PgCronJob, command, TEXT),
	JOSCH_FIELD(PgCronJob, nodename, TEXT),
	JOSCH_FIELD(PgCronJob, database, TEXT),
	JOSCH_FIELD(PgCronJob, username, TEXT),
	JOSCH_FIELD(PgCronJob, active, BOOL),
	JOSCH_FIELD(PgCronJob, jobname, TEXT),
	JOSCH_FIELD(PgCronJob, is_here, BOOL),
	JOSCH_FIELD(PgCronJob, same_name, BOOL));

PgCronJob *
josch_store_import_pg_cron(int *n)
{
	Oid			schema = get_namespace_oid("cron", true);

	if (!OidIsValid(schema) || !OidIsValid(get_relname_relid("job", schema)))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table \"cron.job\" does not exist"),
				 errhint("Import in the database that has pg_cron (cron.database_name).")));
	}
	/* names of its tables have changed their type over time */
	(void) SPI_execute("SELECT j.jobid::pg_catalog.int8, j.schedule::pg_catalog.text, j.command::pg_catalog.text, j.nodename::pg_catalog.text,"
					   " j.database::pg_catalog.text, j.username::pg_catalog.text, j.active, j.jobname::pg_catalog.text,"
					   " j.database::pg_catalog.text = pg_catalog.current_database()::pg_catalog.text,"
					   " j.jobname IS NOT NULL AND pg_catalog.count(*) OVER (PARTITION BY j.jobname::pg_catalog.text) > 1"
					   " FROM cron.job AS j ORDER BY j.jobid", true, 0);
	*n = (int) SPI_processed;
	return josch_rows_fetch(&pg_cron_row, *n, CurrentMemoryContext);
}

char *
josch_store_import_pg_cron_zone(void)
{
	(void) SPI_execute("SELECT coalesce(nullif(pg_catalog.current_setting('cron.timezone', true), ''), 'GMT')", true, 0);
	return josch_spi_text(0, 1);
}
