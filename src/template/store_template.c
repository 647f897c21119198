/*
 * src/template/store_template.c
 *	  Template tables, written from batches of rows.
 *
 * A statement finds a batch by a name, as a trigger finds its transition tables, so
 * that a table takes two statements however many rows there are, statement triggers
 * see the whole, and no more of it is in memory than work_mem allows.
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
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/queryenvironment.h"

const TemplateTable josch_store_template_tables[TEMPLATE_TABLES] = {
	[TEMPLATE_ENVIRONS] = {
		.name = "environs",
		.nkeys = 1,.keys = {"var"},
		.nseed = 2,.seed = {"var", "value"},
	},
	[TEMPLATE_CALENDARS] = {
		.name = "calendars",
		.nkeys = 1,.keys = {"calendar_name"},
		.nseed = 3,.seed = {"calendar_name", "calendar_desc", "weekdays"},
		.may_be_empty = "calendar_desc",
		.is_optional = true,
		.own_reference = "calendars_of_calendar_fkey",
	},
	[TEMPLATE_CALENDAR_PARTS] = {
		.name = "calendar_parts",
		.nkeys = 2,.keys = {"calendar_name", "position"},
		.nseed = 4,.seed = {"calendar_name", "position", "operation", "part_name"},
		.is_optional = true,
	},
	[TEMPLATE_HOLIDAYS] = {
		.name = "holidays",
		.nkeys = 2,.keys = {"calendar_name", "holiday"},
		.nseed = 3,.seed = {"calendar_name", "holiday", "holiday_name"},
		.is_optional = true,
	},
	[TEMPLATE_SEMAPHORES] = {
		.name = "semaphores",
		.nkeys = 1,.keys = {"semaphore_name"},
		.nseed = 3,.seed = {"semaphore_name", "capacity", "semaphore_desc"},
		.may_be_empty = "semaphore_desc",
		.is_optional = true,
	},
	[TEMPLATE_EXECUTORS] = {
		.name = "executors",
		.nkeys = 1,.keys = {"executor_name"},
		.nseed = 4,.seed = {"executor_name", "start_command", "attach_command", "stop_command"},
		.may_be_empty = "executor_desc",
		.is_optional = true,
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
		.node = "node_id",
	},
	[TEMPLATE_NODE_DEPS] = {
		.name = "tpl_node_deps",
		.nkeys = 4,.keys = {"p_node_id", "p_date", "c_node_id", "c_date"},
		.nseed = 4,.seed = {"p_node_id", "p_date", "c_node_id", "c_date"},
		.node = "c_node_id",
	},
	[TEMPLATE_NODE_SEMAPHORES] = {
		.name = "tpl_node_semaphores",
		.nkeys = 2,.keys = {"node_id", "semaphore_name"},
		.nseed = 3,.seed = {"node_id", "semaphore_name", "units"},
		.is_optional = true,
		.node = "node_id",
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
	return strcmp(name, "loaded_on") == 0 || strcmp(name, "days_after") == 0;
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

#define ROWS_NAME "josch_rows"

/* The statement's rows, as "s". */
#define FROM_ROWS " FROM " ROWS_NAME " AS s"

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

/*
 * " AND the row is of the part", where that is not the whole: $1 rows come before it,
 * $2 with it.  Where it is, the planner must not think of it as a small part.
 */
static void
append_part(StringInfo sql, const TemplateBatch *batch, int count)
{
	if (count < batch->rows.n)
	{
		appendStringInfo(sql, " AND s.\"%s\" > $1 AND s.\"%s\" <= $2", LOAD_ROW_NUMBER, LOAD_ROW_NUMBER);
	}
}

static char *
update_text(const TemplateBatch *batch, int count)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "UPDATE %s.%s AS t SET ", JOSCH_SCHEMA, batch->table->name);
	append_columns(&sql, batch, OTHER_COLUMNS, "%s = s.%s", ", ");
	appendStringInfoString(&sql, FROM_ROWS " WHERE ");
	append_columns(&sql, batch, KEY_COLUMNS, "t.%s = s.%s", " AND ");
	appendStringInfoString(&sql, " AND ");
	append_difference(&sql, batch, "s");
	append_part(&sql, batch, count);
	return sql.data;
}

/* ON CONFLICT is for rows that somebody else inserts meanwhile. */
static char *
insert_text(const TemplateBatch *batch, int count)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "WITH i AS (INSERT INTO %s.%s AS t (", JOSCH_SCHEMA, batch->table->name);
	append_columns(&sql, batch, ALL_COLUMNS, "%s", ", ");
	appendStringInfoString(&sql, ") SELECT ");
	append_columns(&sql, batch, ALL_COLUMNS, "s.%s", ", ");
	appendStringInfo(&sql, FROM_ROWS " WHERE NOT EXISTS (SELECT FROM %s.%s AS e WHERE ",
					 JOSCH_SCHEMA, batch->table->name);
	append_columns(&sql, batch, KEY_COLUMNS, "e.%s = s.%s", " AND ");
	appendStringInfoChar(&sql, ')');
	append_part(&sql, batch, count);
	/* as they were written, whichever way the planner goes: they are stored, recorded and told of in this order */
	appendStringInfo(&sql, " ORDER BY s.\"%s\" ON CONFLICT (", LOAD_ROW_NUMBER);
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
	appendStringInfoString(&sql, " RETURNING t.xmax = 0 AS is_new) SELECT pg_catalog.count(*) FILTER (WHERE i.is_new),"
						   " pg_catalog.count(*) FILTER (WHERE NOT i.is_new) FROM i");
	return sql.data;
}

/* ---- execution ---- */

void
josch_store_template_name_rows(const TemplateBatch *batch, const char *name)
{
	EphemeralNamedRelation rows = palloc0(sizeof(EphemeralNamedRelationData));

	rows->md.name = pstrdup(name);
	rows->md.tupdesc = batch->rows.desc;
	rows->md.enrtype = ENR_NAMED_TUPLESTORE;
	rows->md.enrtuples = batch->rows.n;
	rows->reldata = batch->rows.store;
	/* where the last statement failed its name is still there, and the load goes on to find the row at fault */
	(void) SPI_unregister_relation(name);
	if (SPI_register_relation(rows) != SPI_OK_REL_REGISTER)
	{
		elog(ERROR, "the rows of a load could not be given a name");
	}
}

void
josch_store_template_forget_name(const char *name)
{
	(void) SPI_unregister_relation(name);
}

/* Runs a statement that knows the batch as josch_rows; returns the number of rows. */
static uint64
execute(const char *sql, int expect, const TemplateBatch *batch, int nargs, Oid *types, Datum *args)
{
	int			result;

	josch_store_template_name_rows(batch, ROWS_NAME);
	result = SPI_execute_with_args(sql, nargs, types, args, NULL, false, 0);
	josch_store_template_forget_name(ROWS_NAME);
	if (result != expect)
	{
		elog(ERROR, "SPI returned %s: %s", SPI_result_code_string(result), sql);
	}
	return SPI_processed;
}

static uint64
execute_within(const char *sql, int expect, const TemplateBatch *batch, const TemplateScope *scope)
{
	Oid			types[2] = {TEXTARRAYOID, INT8ARRAYOID};
	Datum		args[2];

	if (scope == NULL)
	{
		return execute(sql, expect, batch, 0, NULL, NULL);
	}
	args[0] = scope->jobs;
	args[1] = scope->nodes;
	return execute(sql, expect, batch, 2, types, args);
}

static uint64
execute_part(const char *sql, int expect, const TemplateBatch *batch, int from, int count)
{
	Oid			types[2] = {INT4OID, INT4OID};
	Datum		args[2] = {Int32GetDatum(from), Int32GetDatum(from + count)};

	return execute(sql, expect, batch, count < batch->rows.n ? 2 : 0, types, args);
}

/* A row may name one that another statement of the load brings; of a part of the rows nobody can say. */
static void
ask_own_reference(const TemplateBatch *batch, bool at_once)
{
	const char *constraint = batch->table->own_reference;

	if (constraint != NULL &&
		SPI_execute(psprintf("SET CONSTRAINTS %s.%s %s", JOSCH_SCHEMA, constraint, at_once ? "IMMEDIATE" : "DEFERRED"), false, 0) != SPI_OK_UTILITY)
	{
		elog(ERROR, "constraint \"%s\" could not be set", constraint);
	}
}

void
josch_store_template_upsert(const TemplateBatch *batch, int from, int count,
							int64 *inserted, int64 *updated)
{
	ask_own_reference(batch, false);
	if (has_other_columns(batch))
	{
		*updated += execute_part(update_text(batch, count), SPI_OK_UPDATE, batch, from, count);
	}
	(void) execute_part(insert_text(batch, count), SPI_OK_SELECT, batch, from, count);
	*inserted += josch_spi_int64(0, 1, 0);
	*updated += josch_spi_int64(0, 2, 0);
	if (count == batch->rows.n)
	{
		ask_own_reference(batch, true);
	}
}

/* All values of a column, as an array. */
static Datum
array_of(const TemplateBatch *batch, const char *column, Oid type, bool distinct)
{
	bool		isnull;
	Datum		array;

	if (batch == NULL)
	{
		return PointerGetDatum(construct_empty_array(type));
	}
	(void) execute(psprintf("SELECT coalesce(pg_catalog.array_agg(%ss.%s), '{}')" FROM_ROWS, distinct ? "DISTINCT " : "", column),
				   SPI_OK_SELECT, batch, 0, NULL, NULL);
	array = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	return PointerGetDatum(DatumGetArrayTypePCopy(array));
}

Datum
josch_store_template_names(const TemplateBatch *batch, const char *column)
{
	return array_of(batch, column, TEXTOID, true);
}

void
josch_store_template_scope(const TemplateBatch *jobs, const TemplateBatch *nodes, TemplateScope *scope)
{
	scope->jobs = DirectFunctionCall2(array_cat, josch_store_template_names(jobs, "job_name"),
									  josch_store_template_names(nodes, "job_name"));
	scope->nodes = array_of(nodes, "node_id", INT8OID, false);
}

/* " AND <node> is of the scope", in which the node is one of tpl_nodes with that alias. */
static void
append_scope(StringInfo sql, const char *node)
{
	appendStringInfo(sql, "(%s.job_name = ANY ($1) OR %s.node_id = ANY ($2))", node, node);
}

/* "NOT EXISTS (SELECT FROM <rows> WHERE <alias>'s key is that of the row)" */
static void
append_is_other(StringInfo sql, const TemplateBatch *batch, const char *alias)
{
	appendStringInfoString(sql, "NOT EXISTS (SELECT" FROM_ROWS " WHERE ");
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
						 batch->table->node);
		append_scope(&sql, "n");
		appendStringInfoChar(&sql, ')');
	}
	return execute_within(sql.data, SPI_OK_DELETE, batch, scope);
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
	append_scope(&sql, "p");
	appendStringInfoString(&sql, " AND NOT ");
	append_scope(&sql, "c");
	appendStringInfoString(&sql, " AND ");
	append_is_other(&sql, nodes, "p");
	appendStringInfoString(&sql, " ORDER BY 1, 2 LIMIT 1");
	if (execute_within(sql.data, SPI_OK_SELECT, nodes, scope) == 0)
	{
		return false;
	}
	*node_id = josch_spi_int64(0, 1, 0);
	*child_id = josch_spi_int64(0, 2, 0);
	*child_job = josch_spi_text(0, 3);
	return true;
}

/* "s.a, s.b" */
static void
append_names(StringInfo sql, const char *const *columns, int ncolumns)
{
	for (int i = 0; i < ncolumns; i++)
	{
		appendStringInfo(sql, "%ss.%s", i > 0 ? ", " : "", quote_identifier(columns[i]));
	}
}

/* Most have none, and that is asked for in the cheapest way. */
static bool
has_duplicate(const TemplateBatch *batch, const char *const *columns, int ncolumns)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT" FROM_ROWS " GROUP BY ");
	append_names(&sql, columns, ncolumns);
	appendStringInfoString(&sql, " HAVING pg_catalog.count(*) > 1 LIMIT 1");
	return execute(sql.data, SPI_OK_SELECT, batch, 0, NULL, NULL) > 0;
}

bool
josch_store_template_find_duplicate(const TemplateBatch *batch, const char *const *columns, int ncolumns,
									int *first, int *second)
{
	StringInfoData sql;

	if (!has_duplicate(batch, columns, ncolumns))
	{
		return false;
	}
	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT d.first, d.n FROM (SELECT s.\"%s\" AS n, pg_catalog.min(s.\"%s\") OVER (PARTITION BY ",
					 LOAD_ROW_NUMBER, LOAD_ROW_NUMBER);
	append_names(&sql, columns, ncolumns);
	appendStringInfoString(&sql, ") AS first" FROM_ROWS ") AS d WHERE d.n > d.first ORDER BY d.n LIMIT 1");
	if (execute(sql.data, SPI_OK_SELECT, batch, 0, NULL, NULL) == 0)
	{
		return false;
	}
	*first = josch_spi_int32(0, 1, 0) - 1;
	*second = josch_spi_int32(0, 2, 0) - 1;
	return true;
}

/* ---- numbers ---- */

/* The rows without a number, in their order, each with that of the stored row of the same names. */
static char *
numbers_text(const TemplateBatch *batch)
{
	const TemplateTable *table = batch->table;
	const char *number = quote_identifier(table->keys[0]);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT t.%s" FROM_ROWS " LEFT JOIN %s.%s AS t ON ", number, JOSCH_SCHEMA, table->name);
	for (int i = 0; i < table->nnames; i++)
	{
		const char *name = quote_identifier(table->names[i]);

		appendStringInfo(&sql, "%st.%s = s.%s", i > 0 ? " AND " : "", name, name);
	}
	appendStringInfo(&sql, " WHERE s.%s IS NULL ORDER BY s.\"%s\"", number, LOAD_ROW_NUMBER);
	return sql.data;
}

/* Numbers on their way to the rows that have none. */
typedef struct Numbering
{
	SPITupleTable *stored;		/* of those rows, in their order */
	uint64		next;
	int			column;			/* that of the number */
	bool		draws;
	int64		last;			/* that was given without being drawn */
} Numbering;

static void
number_row(void *arg, Datum *values, bool *nulls)
{
	Numbering  *numbering = arg;
	int			at = numbering->column;
	bool		is_new;
	HeapTuple	tuple;

	if (!nulls[at])
	{
		return;
	}
	tuple = numbering->stored->vals[numbering->next++];
	values[at] = SPI_getbinval(tuple, numbering->stored->tupdesc, 1, &is_new);
	if (is_new)
	{
		values[at] = Int64GetDatum(numbering->draws ? josch_store_template_new_node_id() : --numbering->last);
	}
	nulls[at] = false;
}

void
josch_store_template_number_rows(TemplateBatch *batch, bool draws)
{
	Numbering	numbering = {.draws = draws};

	while (!batch->columns[numbering.column].is_key)
	{
		numbering.column++;
	}
	(void) execute(numbers_text(batch), SPI_OK_SELECT, batch, 0, NULL, NULL);
	numbering.stored = SPI_tuptable;
	josch_load_rows_change(&batch->rows, number_row, &numbering);
	SPI_freetuptable(numbering.stored);
}
