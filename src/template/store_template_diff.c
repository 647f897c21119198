/*
 * src/template/store_template_diff.c
 *	  How the rows of a batch differ from what is stored; nothing is written.
 *
 * By the same comparison as when they are written (store_template.c): what is no
 * difference here is not touched there.  Rows come one by one out of a cursor, in an
 * order in which one that goes and one of the same name that comes are neighbours.
 */
#include "base/josch.h"

#include "base/spi_plan.h"
#include "template/store_template.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#define ROWS_NAME "josch_rows"
#define NODES_NAME "josch_nodes_to_come"
#define FETCH_ROWS 1000

/* ---- the statement ---- */

static const TemplateColumn *
column_of(const TemplateBatch *batch, const char *name)
{
	for (int i = 0; i < batch->ncolumns; i++)
	{
		if (strcmp(batch->columns[i].name, name) == 0)
		{
			return &batch->columns[i];
		}
	}
	elog(ERROR, "column \"%s\" is not in the batch", name);
}

static bool
is_dependencies(const TemplateBatch *batch)
{
	return batch->table == &josch_store_template_tables[TEMPLATE_NODE_DEPS];
}

/* "coalesce(s.a, t.a)::text, " for each of the columns. */
static void
append_either(StringInfo sql, const char *const *columns, int n)
{
	for (int i = 0; i < n; i++)
	{
		const char *name = quote_identifier(columns[i]);

		appendStringInfo(sql, "coalesce(s.%s, t.%s)::pg_catalog.text, ", name, name);
	}
}

/* What the ends of a dependency are called: as they come, else as they are. */
static void
append_end_names(StringInfo sql, bool to_come)
{
	appendStringInfoString(sql, to_come ?
						   "coalesce(pn.node_name, p.node_name), coalesce(cn.node_name, c.node_name), " :
						   "p.node_name, c.node_name, ");
}

static void
append_end(StringInfo sql, const char *alias, const char *column, bool to_come)
{
	appendStringInfo(sql, " LEFT JOIN %s.tpl_nodes AS %s ON %s.node_id = coalesce(s.%s, t.%s)",
					 JOSCH_SCHEMA, alias, alias, column, column);
	if (to_come)
	{
		appendStringInfo(sql, " LEFT JOIN " NODES_NAME " AS %sn ON %sn.node_id = coalesce(s.%s, t.%s)",
						 alias, alias, column, column);
	}
}

/* "ROW(x.a, x.b)" of the columns that are no key. */
static void
append_row(StringInfo sql, const TemplateBatch *batch, const char *alias)
{
	const char *separator = "";

	appendStringInfoString(sql, "ROW(");
	for (int i = 0; i < batch->ncolumns; i++)
	{
		if (!batch->columns[i].is_key)
		{
			appendStringInfo(sql, "%s%s.%s", separator, alias, quote_identifier(batch->columns[i].name));
			separator = ", ";
		}
	}
	appendStringInfoChar(sql, ')');
}

static void
append_from(StringInfo sql, const TemplateBatch *batch, bool deletes, bool to_come)
{
	const TemplateTable *table = batch->table;

	appendStringInfo(sql, " FROM " ROWS_NAME " AS s %s JOIN %s.%s AS t ON ", deletes ? "FULL" : "LEFT", JOSCH_SCHEMA, table->name);
	for (int i = 0; i < table->nkeys; i++)
	{
		const char *name = quote_identifier(table->keys[i]);

		appendStringInfo(sql, "%ss.%s = t.%s", i > 0 ? " AND " : "", name, name);
	}
	if (is_dependencies(batch))
	{
		append_end(sql, "p", "p_node_id", to_come);
		append_end(sql, "c", "c_node_id", to_come);
	}
}

static void
append_where(StringInfo sql, const TemplateBatch *batch, bool scoped)
{
	const char *key = quote_identifier(batch->table->keys[0]);

	appendStringInfo(sql, " WHERE CASE WHEN t.%s IS NULL THEN true WHEN s.%s IS NULL THEN ", key, key);
	if (!scoped)
	{
		appendStringInfoString(sql, "true");
	}
	else if (is_dependencies(batch))
	{
		appendStringInfo(sql, "(c.job_name = ANY ($1) OR c.node_id = ANY ($2))");
	}
	else if (batch->table != &josch_store_template_tables[TEMPLATE_NODES])
	{
		appendStringInfo(sql, "EXISTS (SELECT FROM %s.tpl_nodes AS n WHERE n.node_id = t.%s AND (n.job_name = ANY ($1) OR n.node_id = ANY ($2)))",
						 JOSCH_SCHEMA, batch->table->node);
	}
	else
	{
		appendStringInfo(sql, "(t.job_name = ANY ($1) OR t.node_id = ANY ($2))");
	}
	appendStringInfoString(sql, " ELSE pg_catalog.record_image_ne(");
	append_row(sql, batch, "s");
	appendStringInfoString(sql, ", ");
	append_row(sql, batch, "t");
	appendStringInfoString(sql, ") END");
}

/* By the names, where there are any, then by the keys. */
static void
append_order(StringInfo sql, const TemplateBatch *batch)
{
	const TemplateTable *table = batch->table;
	const char *separator = " ORDER BY ";

	for (int i = 0; i < table->nnames + table->nkeys; i++)
	{
		const char *column = i < table->nnames ? table->names[i] : table->keys[i - table->nnames];
		const char *name = quote_identifier(column);

		appendStringInfo(sql, "%scoalesce(s.%s, t.%s)%s", separator, name, name,
						 column_of(batch, column)->type == TEXTOID ? " COLLATE pg_catalog.\"C\"" : "");
		separator = ", ";
	}
}

static char *
statement_text(const TemplateBatch *batch, bool deletes, bool scoped, bool to_come)
{
	const TemplateTable *table = batch->table;
	const char *key = quote_identifier(table->keys[0]);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	append_either(&sql, table->keys, table->nkeys);
	if (is_dependencies(batch))
	{
		append_end_names(&sql, to_come);
	}
	append_either(&sql, table->names, table->nnames);
	for (int i = 0; i < batch->ncolumns; i++)
	{
		const char *name = quote_identifier(batch->columns[i].name);

		if (!batch->columns[i].is_key)
		{
			appendStringInfo(&sql, "t.%s::pg_catalog.text, s.%s::pg_catalog.text, ", name, name);
		}
	}
	appendStringInfo(&sql, "t.%s IS NULL, s.%s IS NULL", key, key);
	append_from(&sql, batch, deletes, to_come);
	append_where(&sql, batch, scoped);
	append_order(&sql, batch);
	return sql.data;
}

/* ---- its rows ---- */

static void
read_difference(TemplateDifference *difference, const TemplateBatch *batch, uint64 row)
{
	const TemplateTable *table = batch->table;
	int			nnames = is_dependencies(batch) ? 2 : table->nnames;
	int			column = 1;

	for (int i = 0; i < table->nkeys; i++)
	{
		difference->key[i] = josch_spi_text(row, column++);
	}
	for (int i = 0; i < nnames; i++)
	{
		difference->names[i] = josch_spi_text(row, column++);
	}
	for (int i = 0; i < difference->ncolumns; i++)
	{
		difference->before[i] = josch_spi_text(row, column++);
		difference->after[i] = josch_spi_text(row, column++);
	}
	difference->is_new = josch_spi_bool(row, column++, false);
	difference->is_gone = josch_spi_bool(row, column, false);
}

static void
begin_difference(TemplateDifference *difference, const TemplateBatch *batch)
{
	const char **columns = palloc(sizeof(char *) * batch->ncolumns);

	*difference = (TemplateDifference) {0};
	for (int i = 0; i < batch->ncolumns; i++)
	{
		if (!batch->columns[i].is_key)
		{
			columns[difference->ncolumns++] = batch->columns[i].name;
		}
	}
	difference->columns = columns;
	difference->before = palloc0(sizeof(char *) * Max(difference->ncolumns, 1));
	difference->after = palloc0(sizeof(char *) * Max(difference->ncolumns, 1));
}

static void
read_cursor(Portal cursor, const TemplateBatch *batch, TakeTemplateDifference take, void *arg)
{
	MemoryContext scratch = AllocSetContextCreate(CurrentMemoryContext, "josch difference", ALLOCSET_DEFAULT_SIZES);
	TemplateDifference difference;

	begin_difference(&difference, batch);
	for (SPI_cursor_fetch(cursor, true, FETCH_ROWS); SPI_processed > 0; SPI_cursor_fetch(cursor, true, FETCH_ROWS))
	{
		SPITupleTable *rows = SPI_tuptable;
		uint64		n = SPI_processed;

		for (uint64 i = 0; i < n; i++)
		{
			MemoryContext former = MemoryContextSwitchTo(scratch);

			CHECK_FOR_INTERRUPTS();
			SPI_tuptable = rows;
			read_difference(&difference, batch, i);
			take(&difference, arg);
			MemoryContextSwitchTo(former);
			MemoryContextReset(scratch);
		}
		SPI_freetuptable(rows);
	}
	SPI_freetuptable(SPI_tuptable);
	MemoryContextDelete(scratch);
}

void
josch_store_template_differences(const TemplateBatch *batch, const TemplateBatch *nodes, bool deletes,
								 const TemplateScope *scope, TakeTemplateDifference take, void *arg)
{
	bool		to_come = is_dependencies(batch) && nodes != NULL;
	Oid			types[2] = {TEXTARRAYOID, INT8ARRAYOID};
	Datum		args[2];
	Portal		cursor;
	char	   *sql = statement_text(batch, deletes, deletes && scope != NULL, to_come);

	if (scope != NULL)
	{
		args[0] = scope->jobs;
		args[1] = scope->nodes;
	}
	josch_store_template_name_rows(batch, ROWS_NAME);
	if (to_come)
	{
		josch_store_template_name_rows(nodes, NODES_NAME);
	}
	cursor = SPI_cursor_open_with_args(NULL, sql, deletes && scope != NULL ? 2 : 0, types, args, NULL, true, 0);
	read_cursor(cursor, batch, take, arg);
	SPI_cursor_close(cursor);
	josch_store_template_forget_name(ROWS_NAME);
	josch_store_template_forget_name(NODES_NAME);
}
