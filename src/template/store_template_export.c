/*
 * src/template/store_template_export.c
 *	  Template tables, read whole for an export.
 *
 * People keep exports in git: the order of rows must not depend on a locale, on
 * the plan or on when a row came in, and columns that say nothing would be noise
 * in every diff.  So a column beyond the seed's is there only when some row has
 * something else in it than the column's default.
 */
#include "base/josch.h"

#include "base/spi_plan.h"
#include "template/store_template.h"

#include "access/table.h"
#include "lib/stringinfo.h"
#include "nodes/nodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

/* What the rows are taken from, as t, and their order. */
static const char *const rows_in_order[TEMPLATE_TABLES] = {
	[TEMPLATE_ENVIRONS] =
	"josch.environs AS t ORDER BY t.var COLLATE \"C\"",
	[TEMPLATE_CALENDARS] =
	"josch.calendars AS t ORDER BY t.calendar_name COLLATE \"C\"",
	[TEMPLATE_CALENDAR_PARTS] =
	"josch.calendar_parts AS t ORDER BY t.calendar_name COLLATE \"C\", t.position",
	[TEMPLATE_HOLIDAYS] =
	"josch.holidays AS t ORDER BY t.calendar_name COLLATE \"C\", t.holiday",
	[TEMPLATE_SEMAPHORES] =
	"josch.semaphores AS t ORDER BY t.semaphore_name COLLATE \"C\"",
	[TEMPLATE_EXECUTORS] =
	"josch.executors AS t ORDER BY t.executor_name COLLATE \"C\"",
	[TEMPLATE_NODE_SEMAPHORES] =
	"josch.tpl_node_semaphores AS t JOIN josch.tpl_nodes AS n ON n.node_id = t.node_id "
	"ORDER BY n.job_name COLLATE \"C\", t.node_id, t.semaphore_name COLLATE \"C\"",
	[TEMPLATE_JOBS] =
	"josch.tpl_jobs AS t ORDER BY t.job_name COLLATE \"C\"",
	[TEMPLATE_NODES] =
	"josch.tpl_nodes AS t ORDER BY t.job_name COLLATE \"C\", t.node_id",
	[TEMPLATE_NODE_DEPS] =
	"josch.tpl_node_deps AS t JOIN josch.tpl_nodes AS p ON p.node_id = t.p_node_id "
	"ORDER BY p.job_name COLLATE \"C\", t.p_node_id, t.p_date, t.c_node_id, t.c_date",
};

/* All statements of an export see the snapshot of the statement that calls it. */
static void
select_rows(const char *sql)
{
	int			result = SPI_execute(sql, true, 0);

	if (result != SPI_OK_SELECT)
	{
		elog(ERROR, "SPI returned %s: %s", SPI_result_code_string(result), sql);
	}
}

/* The default of a column as SQL text. */
static char *
default_of(Relation relation, AttrNumber number)
{
	TupleConstr *constraints = RelationGetDescr(relation)->constr;

	for (int i = 0; constraints != NULL && i < constraints->num_defval; i++)
	{
		if (constraints->defval[i].adnum == number)
		{
			return deparse_expression(stringToNode(constraints->defval[i].adbin), NIL, false, false);
		}
	}
	return "NULL";
}

static bool
is_seed(const TemplateTable *table, const char *name)
{
	for (int i = 0; i < table->nseed; i++)
	{
		if (strcmp(table->seed[i], name) == 0)
		{
			return true;
		}
	}
	return false;
}

List *
josch_store_template_telling_columns(Relation relation, const char *sql_name, List *columns)
{
	List	   *telling = NIL;
	StringInfoData sql;
	ListCell   *cell;

	if (columns == NIL)
	{
		return NIL;
	}
	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	foreach(cell, columns)
	{
		const char *name = lfirst(cell);

		appendStringInfo(&sql, "%spg_catalog.bool_or(t.%s IS DISTINCT FROM (%s))",
						 foreach_current_index(cell) == 0 ? "" : ", ", quote_identifier(name),
						 default_of(relation, get_attnum(RelationGetRelid(relation), name)));
	}
	appendStringInfo(&sql, " FROM %s AS t", sql_name);
	select_rows(sql.data);
	foreach(cell, columns)
	{
		if (josch_spi_bool(0, foreach_current_index(cell) + 1, false))
		{
			telling = lappend(telling, lfirst(cell));
		}
	}
	return telling;
}

/* The columns beyond the seed's: all, or those that hold something else than their defaults. */
static List *
columns_beyond_seed(const TemplateTable *table, bool all)
{
	Relation	relation = table_open(josch_store_template_relid(table), AccessShareLock);
	TupleDesc	desc = RelationGetDescr(relation);
	List	   *columns = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		char	   *name = NameStr(attribute->attname);

		if (!attribute->attisdropped && !is_seed(table, name) && !josch_store_template_is_own_column(name))
		{
			columns = lappend(columns, pstrdup(name));
		}
	}
	if (!all)
	{
		columns = josch_store_template_telling_columns(relation, psprintf("%s.%s", JOSCH_SCHEMA, table->name), columns);
	}
	table_close(relation, NoLock);
	return columns;
}

static TemplateRows *
copy_rows(int ncolumns, MemoryContext context)
{
	MemoryContext former = MemoryContextSwitchTo(context);
	TemplateRows *rows = palloc(sizeof(TemplateRows));
	TupleDesc	desc = SPI_tuptable->tupdesc;

	rows->ncolumns = ncolumns;
	rows->columns = palloc(sizeof(char *) * ncolumns);
	rows->nrows = SPI_processed;
	rows->fields = palloc_extended(sizeof(char **) * Max(rows->nrows, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < ncolumns; i++)
	{
		rows->columns[i] = pstrdup(SPI_fname(desc, i + 1));
	}
	for (uint64 row = 0; row < rows->nrows; row++)
	{
		rows->fields[row] = palloc(sizeof(char *) * ncolumns);
		for (int i = 0; i < ncolumns; i++)
		{
			rows->fields[row][i] = SPI_getvalue(SPI_tuptable->vals[row], desc, i + 1);
		}
	}
	MemoryContextSwitchTo(former);
	return rows;
}

TemplateRows *
josch_store_template_export(const TemplateTable *table, bool all, MemoryContext context)
{
	StringInfoData sql;
	List	   *telling = columns_beyond_seed(table, all);
	ListCell   *cell;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < table->nseed; i++)
	{
		appendStringInfo(&sql, "%st.%s", i > 0 ? ", " : "", quote_identifier(table->seed[i]));
	}
	foreach(cell, telling)
	{
		appendStringInfo(&sql, ", t.%s", quote_identifier(lfirst(cell)));
	}
	appendStringInfo(&sql, " FROM %s", rows_in_order[table - josch_store_template_tables]);
	select_rows(sql.data);
	return copy_rows(table->nseed + list_length(telling), context);
}
