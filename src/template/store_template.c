/*
 * src/template/store_template.c
 *	  Template tables, written from batches of rows.
 *
 * A batch goes to the server as one array a column, so that a table takes two
 * statements however many rows there are, and statement triggers see the whole.
 *
 * Existing rows are updated before the others are inserted, instead of by
 * INSERT ... ON CONFLICT alone: that would check a row which has only some of the
 * columns as if the others had their defaults, and refuse rows that are good
 * together with what is stored.  It would also ask for the right to write
 * commands that do not change.
 */
#include "base/josch.h"

#include "base/spi_plan.h"
#include "template/store_template.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

const TemplateTable josch_store_template_tables[TEMPLATE_TABLES] = {
	[TEMPLATE_ENVIRONS] = {
		.name = "environs",
		.nkeys = 1,.keys = {"var"},
		.nseed = 2,.seed = {"var", "value"},
	},
	[TEMPLATE_JOBS] = {
		.name = "tpl_jobs",
		.nkeys = 1,.keys = {"job_name"},
		.nseed = 2,.seed = {"job_name", "job_desc"},
		.may_be_empty = "job_desc",
	},
	[TEMPLATE_NODES] = {
		.name = "tpl_nodes",
		.nkeys = 1,.keys = {"node_id"},
		.nnames = 2,.names = {"job_name", "node_name"},
		.nseed = 6,.seed = {"node_id", "node_type", "job_name", "node_name", "exec_command", "signoff_time"},
	},
	[TEMPLATE_NODE_DEPS] = {
		.name = "tpl_node_deps",
		.nkeys = 4,.keys = {"p_node_id", "p_date", "c_node_id", "c_date"},
		.nseed = 4,.seed = {"p_node_id", "p_date", "c_node_id", "c_date"},
	},
};

bool
josch_store_template_is_key(const TemplateTable *table, const char *name)
{
	for (int i = 0; i < table->nkeys; i++)
	{
		if (strcmp(table->keys[i], name) == 0)
		{
			return true;
		}
	}
	return false;
}

bool
josch_store_template_is_own_column(const char *name)
{
	return strcmp(name, "loaded_on") == 0;
}

Oid
josch_store_template_relid(const TemplateTable *table)
{
	Oid			relid = get_relname_relid(table->name, get_namespace_oid(JOSCH_SCHEMA, false));

	if (!OidIsValid(relid))
	{
		elog(ERROR, "table \"%s.%s\" does not exist", JOSCH_SCHEMA, table->name);
	}
	return relid;
}

/* ---- statements ---- */

typedef enum ColumnChoice
{
	ALL_COLUMNS,
	KEY_COLUMNS,
	OTHER_COLUMNS
} ColumnChoice;

static bool
is_chosen(const TemplateColumn *column, ColumnChoice choice)
{
	return choice == ALL_COLUMNS || column->is_key == (choice == KEY_COLUMNS);
}

/*
 * Appends the chosen columns, each as the format says, in which "%s" is the
 * column (twice at most).
 */
static void
append_columns(StringInfo sql, const TemplateBatch *batch, ColumnChoice choice,
			   const char *format, const char *separator)
{
	bool		first = true;

	for (int i = 0; i < batch->ncolumns; i++)
	{
		const char *name = quote_identifier(batch->columns[i].name);

		if (is_chosen(&batch->columns[i], choice))
		{
			if (!first)
			{
				appendStringInfoString(sql, separator);
			}
			appendStringInfo(sql, format, name, name);
			first = false;
		}
	}
}

static bool
has_other_columns(const TemplateBatch *batch)
{
	for (int i = 0; i < batch->ncolumns; i++)
	{
		if (!batch->columns[i].is_key)
		{
			return true;
		}
	}
	return false;
}

/* "ROWS FROM (unnest($1), unnest($2)) [WITH ORDINALITY] AS s (a, b[, row_number])" */
static void
append_rows(StringInfo sql, const TemplateBatch *batch, bool numbered)
{
	appendStringInfoString(sql, "ROWS FROM (");
	for (int i = 0; i < batch->ncolumns; i++)
	{
		appendStringInfo(sql, "%spg_catalog.unnest($%d)", i > 0 ? ", " : "", i + 1);
	}
	appendStringInfo(sql, ") %sAS s (", numbered ? "WITH ORDINALITY " : "");
	append_columns(sql, batch, ALL_COLUMNS, "%s", ", ");
	appendStringInfoString(sql, numbered ? ", row_number)" : ")");
}

/*
 * "record_image_ne(ROW(t.a, t.b), ROW(s.a, s.b))": differs in a byte.  Equality
 * would be too lax, as it takes 1 day and 24 hours for the same.
 */
static void
append_difference(StringInfo sql, const TemplateBatch *batch, const char *source)
{
	appendStringInfoString(sql, "pg_catalog.record_image_ne(ROW(");
	append_columns(sql, batch, OTHER_COLUMNS, "t.%s", ", ");
	appendStringInfoString(sql, "), ROW(");
	append_columns(sql, batch, OTHER_COLUMNS, psprintf("%s.%%s", source), ", ");
	appendStringInfoString(sql, "))");
}

static char *
update_text(const TemplateBatch *batch)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s.%s AS t SET ", JOSCH_SCHEMA, batch->table->name);
	append_columns(&sql, batch, OTHER_COLUMNS, "%s = s.%s", ", ");
	appendStringInfoString(&sql, " FROM ");
	append_rows(&sql, batch, false);
	appendStringInfoString(&sql, " WHERE ");
	append_columns(&sql, batch, KEY_COLUMNS, "t.%s = s.%s", " AND ");
	appendStringInfoString(&sql, " AND ");
	append_difference(&sql, batch, "s");
	return sql.data;
}

/* ON CONFLICT is for rows that somebody else inserts meanwhile. */
static char *
insert_text(const TemplateBatch *batch)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO %s.%s AS t (", JOSCH_SCHEMA, batch->table->name);
	append_columns(&sql, batch, ALL_COLUMNS, "%s", ", ");
	appendStringInfoString(&sql, ") SELECT ");
	append_columns(&sql, batch, ALL_COLUMNS, "s.%s", ", ");
	appendStringInfoString(&sql, " FROM ");
	append_rows(&sql, batch, false);
	appendStringInfo(&sql, " WHERE NOT EXISTS (SELECT FROM %s.%s AS e WHERE ",
					 JOSCH_SCHEMA, batch->table->name);
	append_columns(&sql, batch, KEY_COLUMNS, "e.%s = s.%s", " AND ");
	appendStringInfoString(&sql, ") ON CONFLICT (");
	append_columns(&sql, batch, KEY_COLUMNS, "%s", ", ");
	if (has_other_columns(batch))
	{
		appendStringInfoString(&sql, ") DO UPDATE SET ");
		append_columns(&sql, batch, OTHER_COLUMNS, "%s = excluded.%s", ", ");
		appendStringInfoString(&sql, " WHERE ");
		append_difference(&sql, batch, "excluded");
	}
	else
	{
		appendStringInfoString(&sql, ") DO NOTHING");
	}
	appendStringInfoString(&sql, " RETURNING t.xmax = 0");
	return sql.data;
}

/* ---- execution ---- */

/*
 * Runs a statement whose parameters are the columns' arrays, and then those of
 * the scope, if there is one; returns the number of rows.
 */
static uint64
execute_within(const char *sql, int expect, const TemplateBatch *batch, int from, int count, const TemplateScope *scope)
{
	int			nargs = batch->ncolumns + (scope != NULL ? 2 : 0);
	Oid		   *types = palloc(sizeof(Oid) * nargs);
	Datum	   *values = palloc(sizeof(Datum) * nargs);
	int			dims[1] = {count};
	int			lower[1] = {1};
	int			result;

	for (int i = 0; i < batch->ncolumns; i++)
	{
		TemplateColumn *column = &batch->columns[i];
		int16		length;
		bool		by_value;
		char		align;

		types[i] = get_array_type(column->type);
		get_typlenbyvalalign(column->type, &length, &by_value, &align);
		values[i] = count == 0 ? PointerGetDatum(construct_empty_array(column->type)) :
			PointerGetDatum(construct_md_array(column->values + from, column->nulls + from, 1,
											   dims, lower, column->type, length, by_value, align));
	}
	if (scope != NULL)
	{
		types[nargs - 2] = TEXTARRAYOID;
		values[nargs - 2] = scope->jobs;
		types[nargs - 1] = INT8ARRAYOID;
		values[nargs - 1] = scope->nodes;
	}
	result = SPI_execute_with_args(sql, nargs, types, values, NULL, false, 0);
	if (result != expect)
	{
		elog(ERROR, "SPI returned %s: %s", SPI_result_code_string(result), sql);
	}
	return SPI_processed;
}

static uint64
execute(const char *sql, int expect, const TemplateBatch *batch, int from, int count)
{
	return execute_within(sql, expect, batch, from, count, NULL);
}

void
josch_store_template_upsert(const TemplateBatch *batch, int from, int count,
							int64 *inserted, int64 *updated)
{
	uint64		n;

	if (has_other_columns(batch))
	{
		*updated += execute(update_text(batch), SPI_OK_UPDATE, batch, from, count);
	}
	n = execute(insert_text(batch), SPI_OK_INSERT_RETURNING, batch, from, count);
	for (uint64 row = 0; row < n; row++)
	{
		if (josch_spi_bool(row, 1, false))
		{
			(*inserted)++;
		}
		else
		{
			(*updated)++;
		}
	}
}

static const TemplateColumn *
column_named(const TemplateBatch *batch, const char *name)
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

void
josch_store_template_scope(const TemplateBatch *jobs, const TemplateBatch *nodes, TemplateScope *scope)
{
	int			n = jobs->nrows + nodes->nrows;
	Datum	   *names = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int i = 0; i < n; i++)
	{
		names[i] = i < jobs->nrows ? column_named(jobs, "job_name")->values[i] :
			column_named(nodes, "job_name")->values[i - jobs->nrows];
	}
	scope->jobs = josch_spi_array(names, NULL, n, TEXTOID);
	scope->nodes = josch_spi_array(column_named(nodes, "node_id")->values, NULL, nodes->nrows, INT8OID);
}

/* " AND <node> is of the scope", in which the node is one of tpl_nodes with that alias. */
static void
append_scope(StringInfo sql, const TemplateBatch *batch, const char *node)
{
	appendStringInfo(sql, "(%s.job_name = ANY ($%d) OR %s.node_id = ANY ($%d))",
					 node, batch->ncolumns + 1, node, batch->ncolumns + 2);
}

/* "NOT EXISTS (SELECT FROM <rows> WHERE <alias>'s key is that of the row)" */
static void
append_is_other(StringInfo sql, const TemplateBatch *batch, const char *alias)
{
	appendStringInfoString(sql, "NOT EXISTS (SELECT FROM ");
	append_rows(sql, batch, false);
	appendStringInfoString(sql, " WHERE ");
	append_columns(sql, batch, KEY_COLUMNS, psprintf("%s.%%s = s.%%s", alias), " AND ");
	appendStringInfoChar(sql, ')');
}

int64
josch_store_template_delete_others(const TemplateBatch *batch, const TemplateScope *scope)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "DELETE FROM %s.%s AS t WHERE ", JOSCH_SCHEMA, batch->table->name);
	append_is_other(&sql, batch, "t");
	if (scope != NULL)
	{
		appendStringInfo(&sql, " AND EXISTS (SELECT FROM %s.tpl_nodes AS n WHERE n.node_id = t.%s AND ", JOSCH_SCHEMA,
						 batch->table == &josch_store_template_tables[TEMPLATE_NODES] ? "node_id" : "c_node_id");
		append_scope(&sql, batch, "n");
		appendStringInfoChar(&sql, ')');
	}
	return execute_within(sql.data, SPI_OK_DELETE, batch, 0, batch->nrows, scope);
}

bool
josch_store_template_find_outsider(const TemplateBatch *nodes, const TemplateScope *scope,
								   int64 *node_id, int64 *child_id, char **child_job)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT p.node_id, c.node_id, c.job_name FROM %s.tpl_node_deps AS d"
					 " JOIN %s.tpl_nodes AS p ON p.node_id = d.p_node_id JOIN %s.tpl_nodes AS c ON c.node_id = d.c_node_id WHERE ",
					 JOSCH_SCHEMA, JOSCH_SCHEMA, JOSCH_SCHEMA);
	append_scope(&sql, nodes, "p");
	appendStringInfoString(&sql, " AND NOT ");
	append_scope(&sql, nodes, "c");
	appendStringInfoString(&sql, " AND ");
	append_is_other(&sql, nodes, "p");
	appendStringInfoString(&sql, " ORDER BY 1, 2 LIMIT 1");
	if (execute_within(sql.data, SPI_OK_SELECT, nodes, 0, nodes->nrows, scope) == 0)
	{
		return false;
	}
	*node_id = josch_spi_int64(0, 1, 0);
	*child_id = josch_spi_int64(0, 2, 0);
	*child_job = josch_spi_text(0, 3);
	return true;
}

bool
josch_store_template_find_duplicate(const TemplateBatch *batch, const char *const *columns, int ncolumns,
									int *first, int *second)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT d.first, d.row_number FROM (SELECT s.row_number, pg_catalog.min(s.row_number) OVER (PARTITION BY ");
	for (int i = 0; i < ncolumns; i++)
	{
		appendStringInfo(&sql, "%ss.%s", i > 0 ? ", " : "", quote_identifier(columns[i]));
	}
	appendStringInfoString(&sql, ") AS first FROM ");
	append_rows(&sql, batch, true);
	appendStringInfoString(&sql, ") AS d WHERE d.row_number > d.first ORDER BY d.row_number LIMIT 1");
	if (execute(sql.data, SPI_OK_SELECT, batch, 0, batch->nrows) == 0)
	{
		return false;
	}
	*first = (int) josch_spi_int64(0, 1, 0) - 1;
	*second = (int) josch_spi_int64(0, 2, 0) - 1;
	return true;
}

/* The rows without a number, in their order, each with that of the stored row of the same names. */
static char *
numbers_text(const TemplateBatch *batch)
{
	const TemplateTable *table = batch->table;
	const char *number = quote_identifier(table->keys[0]);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT s.row_number, t.%s FROM ", number);
	append_rows(&sql, batch, true);
	appendStringInfo(&sql, " LEFT JOIN %s.%s AS t ON ", JOSCH_SCHEMA, table->name);
	for (int i = 0; i < table->nnames; i++)
	{
		const char *name = quote_identifier(table->names[i]);

		appendStringInfo(&sql, "%st.%s = s.%s", i > 0 ? " AND " : "", name, name);
	}
	appendStringInfo(&sql, " WHERE s.%s IS NULL ORDER BY s.row_number", number);
	return sql.data;
}

void
josch_store_template_number_rows(TemplateBatch *batch)
{
	TemplateColumn *column = batch->columns;
	uint64		n;
	SPITupleTable *found;

	while (!column->is_key)
	{
		column++;
	}
	n = execute(numbers_text(batch), SPI_OK_SELECT, batch, 0, batch->nrows);
	found = SPI_tuptable;
	for (uint64 i = 0; i < n; i++)
	{
		int			row;
		int64		number;

		SPI_tuptable = found;	/* drawing a number brought its own */
		row = (int) josch_spi_int64(i, 1, 0) - 1;
		number = josch_spi_int64(i, 2, 0);
		column->values[row] = Int64GetDatum(number != 0 ? number : josch_store_template_new_node_id());
		column->nulls[row] = false;
	}
}
