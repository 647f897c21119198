/*
 * src/template/store_template_table.c
 *	  Rows of a load out of a table, a view or a foreign table.
 *
 * Somebody else made the table: its columns may have other types and another
 * order, and there may be more of them.  So every value comes as text, as from
 * a file, and only what can be loaded is read.
 */
#include "base/josch.h"

#include "base/spi_plan.h"
#include "template/store_template.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#define FETCH_ROWS 1000

typedef struct TableSource
{
	JoschRowSource base;
	Portal		cursor;
	SPITupleTable *rows;		/* the rows at hand */
	uint64		nrows;
	uint64		position;
	char	  **fields;
} TableSource;

/* Fetches the next rows; false when there are none. */
static bool
fetch(TableSource *table)
{
	if (table->rows != NULL)
	{
		SPI_freetuptable(table->rows);
	}
	SPI_cursor_fetch(table->cursor, true, FETCH_ROWS);
	table->rows = SPI_tuptable;
	table->nrows = SPI_processed;
	table->position = 0;
	return table->nrows > 0;
}

static bool
next_row(JoschRowSource *source, char ***fields)
{
	TableSource *table = (TableSource *) source;

	if (table->position >= table->nrows && !fetch(table))
	{
		return false;
	}
	for (int i = 0; i < source->ncolumns; i++)
	{
		if (table->fields[i] != NULL)
		{
			pfree(table->fields[i]);
		}
		table->fields[i] = SPI_getvalue(table->rows->vals[table->position],
										table->rows->tupdesc, i + 1);
	}
	table->position++;
	*fields = table->fields;
	return true;
}

static void
close_table(JoschRowSource *source)
{
	TableSource *table = (TableSource *) source;

	SPI_cursor_close(table->cursor);
}

static void
refuse_what_has_no_rows(Relation relation, const char *name)
{
	switch (relation->rd_rel->relkind)
	{
		case RELKIND_RELATION:
		case RELKIND_PARTITIONED_TABLE:
		case RELKIND_VIEW:
		case RELKIND_MATVIEW:
		case RELKIND_FOREIGN_TABLE:
			return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a table, a view or a foreign table", name)));
}

static bool
can_be_loaded(const char *column, Oid target)
{
	return !josch_store_template_is_own_column(column) &&
		get_attnum(target, column) > 0;
}

static bool
is_known(const List *names, const char *name)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(lfirst(cell), name) == 0)
		{
			return true;
		}
	}
	return false;
}

/*
 * A temporary table with defaults (LIKE ... INCLUDING DEFAULTS) is a form that
 * COPY or INSERT fills in, in part: where a column has nothing but its default,
 * nobody named it, and what is stored is to stay.
 */
static bool
is_form(Relation relation)
{
	TupleConstr *constraints = RelationGetDescr(relation)->constr;

	return relation->rd_rel->relpersistence == RELPERSISTENCE_TEMP &&
		constraints != NULL && constraints->num_defval > 0;
}

/* The columns of the source that are to be loaded. */
static List *
columns_to_load(Relation relation, const TemplateTable *template, const char *sql_name)
{
	Oid			target = josch_store_template_relid(template);
	TupleDesc	desc = RelationGetDescr(relation);
	List	   *needed = NIL;
	List	   *others = NIL;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		char	   *column = NameStr(attribute->attname);

		if (attribute->attisdropped || !can_be_loaded(column, target))
		{
			continue;
		}
		if (is_form(relation) && !josch_store_template_is_key(template, column) &&
			(!attribute->attnotnull || attribute->atthasdef))
		{
			others = lappend(others, pstrdup(column));
		}
		else
		{
			needed = lappend(needed, pstrdup(column));
		}
	}
	return list_concat(needed, josch_store_template_telling_columns(relation, sql_name, others));
}

/* Takes the names of the columns; returns the query, in which what is not loaded is NULL. */
static char *
list_columns(TableSource *table, Relation relation, const TemplateTable *template, const char *name)
{
	Oid			target = josch_store_template_relid(template);
	TupleDesc	desc = RelationGetDescr(relation);
	List	   *loaded = columns_to_load(relation, template, name);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	table->base.columns = palloc(sizeof(char *) * Max(desc->natts, 1));
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		char	   *column = NameStr(attribute->attname);
		bool		is_loaded = is_known(loaded, column);

		if (attribute->attisdropped || (!is_loaded && can_be_loaded(column, target)))
		{
			continue;
		}
		if (table->base.ncolumns > 0)
		{
			appendStringInfoString(&sql, ", ");
		}
		appendStringInfoString(&sql, is_loaded ? quote_identifier(column) : "NULL");
		table->base.columns[table->base.ncolumns++] = pstrdup(column);
	}
	appendStringInfo(&sql, " FROM %s", name);
	return sql.data;
}

JoschRowSource *
josch_store_template_open_table(Oid schema, const TemplateTable *table)
{
	Oid			relid = get_relname_relid(table->name, schema);
	const char *schema_name = isTempNamespace(schema) ? "pg_temp" : get_namespace_name(schema);
	TableSource *source;
	Relation	relation;
	char	   *sql;

	if (!OidIsValid(relid))
	{
		return NULL;
	}
	source = palloc0(sizeof(TableSource));
	source->base.what = "Table";
	source->base.name = psprintf("%s.%s", schema_name, table->name);
	source->base.is_query = true;
	source->base.next = next_row;
	source->base.close = close_table;
	relation = relation_open(relid, AccessShareLock);
	refuse_what_has_no_rows(relation, source->base.name);
	sql = list_columns(source, relation, table,
					   quote_qualified_identifier(schema_name, table->name));
	relation_close(relation, AccessShareLock);
	source->fields = palloc0(sizeof(char *) * Max(source->base.ncolumns, 1));
	source->cursor = SPI_cursor_open_with_args(NULL, sql, 0, NULL, NULL, NULL, false, 0);
	return &source->base;
}
