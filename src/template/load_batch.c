/*
 * src/template/load_batch.c
 *	  The rows of one source as values of one template table.
 *
 * People write the files by hand, and a load is refused as a whole: so whatever
 * is wrong is reported with file, line, column and value.  The columns, their
 * types and their defaults come from the catalog; a column that is added to a
 * template table can be loaded from then on.
 */
#include "base/josch.h"

#include "template/load_batch.h"

#include <ctype.h>

#include "access/table.h"
#include "catalog/pg_constraint.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/bitmapset.h"
#include "rewrite/rewriteHandler.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#define NO_FIELD (-1)

/* How the fields of a column become values. */
typedef struct Reader
{
	TemplateColumn *column;
	int			field;			/* its place in the source's rows; NO_FIELD: the default */
	FmgrInfo	input;
	Oid			typioparam;
	int32		typmod;
	bool		not_null;
	bool		has_default;
	bool		default_null;
	Datum		default_value;
	bool		may_be_empty;
	bool		is_number;		/* a row without it is known by its names */
} Reader;

typedef struct Reading
{
	LoadBatch  *batch;
	Reader	   *readers;
	Datum	   *values;			/* of the row at hand */
	bool	   *nulls;
	char	  **fields;			/* as the source has it */
	const Reader *reader;		/* of the value at hand, NULL: none */
	bool		in_row;			/* a row has come, and is not stored */
} Reading;

/* ---- places ---- */

/* 'File "x", line 7', 'Table "s.t", row (node_id) = (7)' */
char *
josch_load_batch_place(const LoadBatch *batch, int line, char *const *key)
{
	const TemplateTable *table = batch->rows.table;
	StringInfoData text;

	initStringInfo(&text);
	appendStringInfo(&text, "%s \"%s\"", batch->source->what, batch->source->name);
	if (line > 0)
	{
		appendStringInfo(&text, ", line %d", line);
		return text.data;
	}
	appendStringInfoString(&text, ", row (");
	for (int i = 0; i < table->nkeys; i++)
	{
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", table->keys[i]);
	}
	appendStringInfoString(&text, ") = (");
	for (int i = 0; i < table->nkeys; i++)
	{
		appendStringInfo(&text, "%s%s", i > 0 ? ", " : "", key[i] != NULL ? key[i] : "null");
	}
	appendStringInfoChar(&text, ')');
	return text.data;
}

static char *
value_text(const LoadBatch *batch, int column, TupleTableSlot *row)
{
	Oid			output;
	bool		is_varlena;

	if (row->tts_isnull[column])
	{
		return NULL;
	}
	getTypeOutputInfo(batch->rows.columns[column].type, &output, &is_varlena);
	return OidOutputFunctionCall(output, row->tts_values[column]);
}

static int
find_column(const TemplateBatch *rows, const char *name)
{
	for (int i = 0; i < rows->ncolumns; i++)
	{
		if (strcmp(rows->columns[i].name, name) == 0)
		{
			return i;
		}
	}
	elog(ERROR, "column \"%s\" is not in the batch", name);
}

static char *
place_of_row(const LoadBatch *batch, TupleTableSlot *row)
{
	const TemplateTable *table = batch->rows.table;
	char	   *key[TEMPLATE_MAX_KEYS];

	for (int i = 0; i < table->nkeys; i++)
	{
		key[i] = value_text(batch, find_column(&batch->rows, table->keys[i]), row);
	}
	return josch_load_batch_place(batch, josch_load_rows_line(&batch->rows.rows, row), key);
}

/* The place of the row that is being read: its key may not be a value yet. */
static char *
place_at_hand(const Reading *reading)
{
	const TemplateTable *table = reading->batch->rows.table;
	char	   *key[TEMPLATE_MAX_KEYS] = {NULL};

	for (int i = 0; i < table->nkeys; i++)
	{
		for (int j = 0; j < reading->batch->rows.ncolumns; j++)
		{
			const Reader *reader = &reading->readers[j];

			if (reader->field != NO_FIELD && strcmp(reader->column->name, table->keys[i]) == 0)
			{
				key[i] = reading->fields[reader->field];
			}
		}
	}
	return josch_load_batch_place(reading->batch, reading->batch->source->line, key);
}

/* ---- the header ---- */

static int
find_field(const JoschRowSource *source, const char *name)
{
	int			found = NO_FIELD;

	for (int i = 0; i < source->ncolumns; i++)
	{
		if (strcmp(source->columns[i], name) != 0)
		{
			continue;
		}
		if (found != NO_FIELD)
		{
			ereport(ERROR,
					(errcode(ERRCODE_DUPLICATE_COLUMN),
					 errmsg("column \"%s\" is named twice", name),
					 errdetail("%s \"%s\": columns %d and %d.", source->what, source->name,
							   found + 1, i + 1)));
		}
		found = i;
	}
	return found;
}

static void
notice_ignored(const JoschRowSource *source, Relation relation)
{
	StringInfoData names;
	int			n = 0;

	initStringInfo(&names);
	for (int i = 0; i < source->ncolumns; i++)
	{
		if (get_attnum(RelationGetRelid(relation), source->columns[i]) <= 0)
		{
			if (source->columns[i][0] != '\0')
			{
				(void) find_field(source, source->columns[i]);	/* refuses a name that comes twice */
			}
			appendStringInfo(&names, "%s\"%s\"", n++ > 0 ? ", " : "", source->columns[i]);
		}
	}
	if (n > 0)
	{
		ereport(NOTICE,
				(errmsg_plural("column %s is ignored", "columns %s are ignored", n, names.data),
				 errdetail("%s \"%s\": the table \"%s\" has no such column.",
						   source->what, source->name, RelationGetRelationName(relation))));
	}
}

/* The value of a column's default at this moment. */
static void
evaluate_default(Reader *reader, Relation relation, AttrNumber number)
{
	Node	   *expression = build_column_default(relation, number);
	EState	   *estate;
	ExprState  *state;
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), number - 1);

	reader->default_null = true;
	if (expression == NULL)
	{
		return;
	}
	estate = CreateExecutorState();
	state = ExecPrepareExpr((Expr *) expression, estate);
	reader->default_value = ExecEvalExprSwitchContext(state, GetPerTupleExprContext(estate),
													  &reader->default_null);
	if (!reader->default_null)
	{
		reader->default_value = datumCopy(reader->default_value, attribute->attbyval, attribute->attlen);
	}
	FreeExecutorState(estate);
}

static void
refuse_missing_column(const JoschRowSource *source, const char *name)
{
	StringInfoData header;

	initStringInfo(&header);
	for (int i = 0; i < source->ncolumns; i++)
	{
		appendStringInfo(&header, "%s\"%s\"", i > 0 ? ", " : "", source->columns[i]);
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\" is missing", name),
			 errdetail("%s \"%s\"%s has the columns %s.", source->what, source->name,
					   source->line > 0 ? ", line 1," : "",
					   source->ncolumns > 0 ? header.data : "(none)")));
}

/* Sets up a reader for the table's column; false when nothing is to be read or stored. */
static bool
prepare_reader(Reader *reader, LoadBatch *batch, Relation relation, int index)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), index);
	const char *name = NameStr(attribute->attname);
	TemplateColumn *column = &batch->rows.columns[batch->rows.ncolumns];
	Oid			input;

	if (attribute->attisdropped || josch_store_template_is_own_column(name))
	{
		return false;
	}
	reader->field = find_field(batch->source, name);
	reader->not_null = attribute->attnotnull;
	reader->has_default = attribute->atthasdef;
	reader->typmod = attribute->atttypmod;
	reader->may_be_empty = batch->rows.table->may_be_empty != NULL &&
		strcmp(name, batch->rows.table->may_be_empty) == 0;
	column->is_key = josch_store_template_is_key(batch->rows.table, name);
	reader->is_number = column->is_key && batch->rows.table->nnames > 0;
	if (reader->field == NO_FIELD)
	{
		if (reader->not_null && !reader->has_default)
		{
			refuse_missing_column(batch->source, name);
		}
		if (!column->is_key)
		{
			return false;
		}
	}
	column->name = pstrdup(name);
	column->type = attribute->atttypid;
	getTypeInputInfo(column->type, &input, &reader->typioparam);
	fmgr_info(input, &reader->input);
	if (reader->has_default && !reader->is_number)
	{
		evaluate_default(reader, relation, index + 1);
	}
	reader->column = column;
	return true;
}

static void
prepare(Reading *reading, Relation relation)
{
	int			natts = RelationGetNumberOfAttributes(relation);
	LoadBatch  *batch = reading->batch;

	notice_ignored(batch->source, relation);
	reading->readers = palloc0(sizeof(Reader) * natts);
	batch->rows.columns = palloc0(sizeof(TemplateColumn) * natts);
	for (int i = 0; i < natts; i++)
	{
		if (prepare_reader(&reading->readers[batch->rows.ncolumns], batch, relation, i))
		{
			batch->rows.ncolumns++;
		}
	}
	josch_load_rows_begin(&batch->rows.rows, batch->rows.columns, batch->rows.ncolumns);
	reading->values = palloc(sizeof(Datum) * batch->rows.rows.desc->natts);
	reading->nulls = palloc(sizeof(bool) * batch->rows.rows.desc->natts);
}

/* ---- the rows ---- */

static void
refuse_null(const Reading *reading, const Reader *reader)
{
	ereport(ERROR,
			(errcode(ERRCODE_NOT_NULL_VIOLATION),
			 errmsg("column \"%s\" needs a value", reader->column->name),
			 errdetail("%s, column %s: %s.", place_at_hand(reading), reader->column->name,
					   josch_load_source_quote(reading->fields[reader->field]))));
}

/* A field without a value: the default where NULL cannot be, else NULL. */
static void
set_absent(const Reading *reading, const Reader *reader, int at)
{
	reading->nulls[at] = !reader->not_null || reader->is_number;
	if (reading->nulls[at])
	{
		reading->values[at] = (Datum) 0;
		reading->batch->has_unnumbered |= reader->is_number;
		return;
	}
	if (!reader->has_default || reader->default_null)
	{
		refuse_null(reading, reader);
	}
	reading->values[at] = reader->default_value;
}

/* A pattern in which 0 stands for a digit and all else for itself. */
static const char *
match(const char *text, const char *pattern)
{
	for (; *pattern != '\0'; text++, pattern++)
	{
		if (*pattern == '0' ? !isdigit((unsigned char) *text) : *text != *pattern)
		{
			return NULL;
		}
	}
	return text;
}

static bool
is_iso_date(const char *text)
{
	const char *end = match(text, "0000-00-00");

	return end != NULL && *end == '\0';
}

/* 6:30, 06:30, 06:30:00, 06:30:00.5 and 126:30, but not 0630, which would be 630 seconds. */
static bool
is_iso_time(const char *text)
{
	const char *end = match(text, "00:00");
	const char *seconds;

	if (end == NULL && (end = match(text, "0:00")) == NULL && (end = match(text, "000:00")) == NULL)
	{
		return false;
	}
	seconds = match(end, ":00");
	if (seconds != NULL)
	{
		end = seconds;
		if (*end == '.')
		{
			end += 1 + strspn(end + 1, "0123456789");
		}
	}
	return *end == '\0';
}

static bool
is_time_of_day(const char *column)
{
	static const char *const columns[] = {"signoff_time", "start_time", "repeat_until", "start_by", "finish_by", "schedule_at"};

	for (int i = 0; i < lengthof(columns); i++)
	{
		if (strcmp(columns[i], column) == 0)
		{
			return true;
		}
	}
	return false;
}

/*
 * Dates and times of day are taken in one form, whatever DateStyle is: what
 * 03/04/2026 is, or whether today or infinity is a date, is no matter for a
 * setting of whoever loads.
 */
static void
refuse_what_is_not_iso(const Reading *reading, const Reader *reader)
{
	char	   *field = reading->fields[reader->field];
	const char *column = reader->column->name;
	const char *value = josch_load_source_quote(field);

	if (reader->column->type == DATEOID ? is_iso_date(field) :
		!is_time_of_day(column) || is_iso_time(field[0] == '-' && strcmp(column, "schedule_at") == 0 ? field + 1 : field))
	{
		return;
	}
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_DATETIME_FORMAT),
			 errmsg("invalid value %s for column \"%s\"", value, column),
			 errdetail("%s, column %s: %s.", place_at_hand(reading), column, value),
			 reader->column->type == DATEOID ?
			 errhint("A date is written as 2026-11-30.") :
			 errhint("A time of day is written as 06:30 or 06:30:00, and 26:30 on the day after, without a time zone: it is that of the job.")));
}

static void
set_value(Reading *reading, Reader *reader, int at)
{
	char	   *field = reader->field == NO_FIELD ? NULL : reading->fields[reader->field];

	if (field == NULL || (field[0] == '\0' && !reader->may_be_empty))
	{
		set_absent(reading, reader, at);
		return;
	}
	refuse_what_is_not_iso(reading, reader);
	reading->reader = reader;
	reading->values[at] = InputFunctionCall(&reader->input, field, reader->typioparam, reader->typmod);
	reading->nulls[at] = false;
	reading->reader = NULL;
}

static void
read_rows(Reading *reading)
{
	LoadBatch  *batch = reading->batch;
	MemoryContext row = AllocSetContextCreate(CurrentMemoryContext, "josch row of a load", ALLOCSET_DEFAULT_SIZES);
	MemoryContext former = MemoryContextSwitchTo(row);

	while (batch->source->next(batch->source, &reading->fields))
	{
		CHECK_FOR_INTERRUPTS();
		reading->in_row = true;
		for (int i = 0; i < batch->rows.ncolumns; i++)
		{
			set_value(reading, &reading->readers[i], i);
		}
		reading->in_row = false;
		josch_load_rows_add(&batch->rows.rows, reading->values, reading->nulls, batch->source->line);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(former);
	MemoryContextDelete(row);
}

/* Raises what an input function had to say about the value at hand. */
static void
refuse_value(const Reading *reading, const ErrorData *error)
{
	const char *column = reading->reader->column->name;
	const char *value = josch_load_source_quote(reading->fields[reading->reader->field]);

	ereport(ERROR,
			(errcode(error->sqlerrcode),
			 errmsg("invalid value %s for column \"%s\": %s", value, column, error->message),
			 errdetail("%s, column %s: %s.", place_at_hand(reading), column, value),
			 error->hint != NULL ? errhint("%s", error->hint) : 0));
}

/* Refuses rows that have the same values in the columns of a key. */
static void
refuse_duplicate(const LoadBatch *batch, const char *const *columns, int ncolumns)
{
	int			first;
	int			second;
	int			lines[2];
	TupleTableSlot *row;
	StringInfoData key;

	if (ncolumns == 0 || !josch_store_template_find_duplicate(&batch->rows, columns, ncolumns, &first, &second))
	{
		return;
	}
	lines[0] = josch_load_rows_line(&batch->rows.rows, josch_load_rows_find(&batch->rows.rows, first));
	row = josch_load_rows_find(&batch->rows.rows, second);
	lines[1] = josch_load_rows_line(&batch->rows.rows, row);
	initStringInfo(&key);
	for (int i = 0; i < ncolumns; i++)
	{
		appendStringInfo(&key, "%s%s %s", i > 0 ? ", " : "", columns[i],
						 josch_load_source_quote(value_text(batch, find_column(&batch->rows, columns[i]), row)));
	}
	ereport(ERROR,
			(errcode(ERRCODE_UNIQUE_VIOLATION),
			 errmsg("%s comes twice", key.data),
			 lines[1] > 0 ?
			 errdetail("%s \"%s\", lines %d and %d.", batch->source->what, batch->source->name, lines[0], lines[1]) :
			 errdetail("%s \"%s\" has two rows with this key.", batch->source->what, batch->source->name)));
}

/* In a PG_CATCH: raises, or tells, what an input function had to say about the value at hand. */
static void
take_value_error(const Reading *reading, JoschFindings *findings, MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
	{
		PG_RE_THROW();
	}
	FlushErrorState();
	PG_TRY();
	{
		refuse_value(reading, error);
	}
	PG_CATCH();
	{
		josch_findings_take_or_rethrow(findings, reading->batch->rows.table->name, context);
	}
	PG_END_TRY();
}

/*
 * Reads to the end of the source, or to an error that is told; after that of a row the next
 * one may be read.  Of a source that runs a query only its rows may be told: who knows what
 * an error leaves behind in it.  Returns whether there may be more.
 */
static bool
read_some(Reading *reading, JoschFindings *findings)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool told = false;

	reading->reader = NULL;
	reading->in_row = false;
	PG_TRY();
	{
		read_rows(reading);
	}
	PG_CATCH();
	{
		if (reading->reader != NULL)
		{
			take_value_error(reading, findings, context);
		}
		else
		{
			josch_findings_take_or_rethrow(reading->in_row || !reading->batch->source->is_query ? findings : NULL,
										   reading->batch->rows.table->name, context);
		}
		told = true;
	}
	PG_END_TRY();
	return told && reading->in_row;
}

static bool
try_prepare(Reading *reading, Relation relation, JoschFindings *findings)
{
	MemoryContext context = CurrentMemoryContext;
	volatile bool prepared = false;

	PG_TRY();
	{
		prepare(reading, relation);
		prepared = true;
	}
	PG_CATCH();
	{
		josch_findings_take_or_rethrow(findings, reading->batch->rows.table->name, context);
	}
	PG_END_TRY();
	return prepared;
}

static void
check_duplicates(const LoadBatch *batch, JoschFindings *findings)
{
	const TemplateTable *table = batch->rows.table;
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		refuse_duplicate(batch, table->keys, table->nkeys);
		refuse_duplicate(batch, table->names, table->nnames);
	}
	PG_CATCH();
	{
		josch_findings_take_or_rethrow(findings, table->name, context);
	}
	PG_END_TRY();
}

LoadBatch *
josch_load_batch_read(JoschRowSource *source, const TemplateTable *table, JoschFindings *findings, bool draws)
{
	Relation	relation = table_open(josch_store_template_relid(table), AccessShareLock);
	LoadBatch  *batch = palloc0(sizeof(LoadBatch));
	Reading		reading = {.batch = batch};
	int			former = findings == NULL ? 0 : findings->errors;

	batch->rows.table = table;
	batch->source = source;
	if (!try_prepare(&reading, relation, findings))
	{
		source->close(source);
		table_close(relation, NoLock);
		return NULL;
	}
	while (read_some(&reading, findings) && findings->errors - former < FINDINGS_OF_A_KIND)
	{
	}
	source->close(source);
	table_close(relation, NoLock);
	if (findings != NULL && findings->errors > former)
	{
		return batch;
	}
	if (batch->has_unnumbered)
	{
		josch_store_template_number_rows(&batch->rows, draws);
	}
	if (batch->rows.rows.n > 0)
	{
		check_duplicates(batch, findings);
	}
	return batch;
}

/* ---- what the table refuses ---- */

bool
josch_load_batch_is_about_a_row(const ErrorData *error)
{
	return error->constraint_name != NULL || error->column_name != NULL ||
		error->sqlerrcode == ERRCODE_INSUFFICIENT_PRIVILEGE ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_DATA_EXCEPTION;
}

/* The columns that an error is about, as far as it says so. */
static List *
columns_of(const LoadBatch *batch, const ErrorData *error)
{
	const TemplateBatch *rows = &batch->rows;
	Oid			relid = josch_store_template_relid(rows->table);
	Bitmapset  *numbers = NULL;
	List	   *columns = NIL;
	Oid			constraint;

	if (error->constraint_name != NULL)
	{
		numbers = get_relation_constraint_attnos(relid, error->constraint_name, true, &constraint);
	}
	for (int i = 0; i < rows->ncolumns; i++)
	{
		const char *name = rows->columns[i].name;

		if ((error->column_name != NULL && strcmp(name, error->column_name) == 0) ||
			bms_is_member(get_attnum(relid, name) - FirstLowInvalidHeapAttributeNumber, numbers))
		{
			columns = lappend_int(columns, i);
		}
	}
	return columns;
}

void
josch_load_batch_refuse_row(const LoadBatch *batch, int number, const ErrorData *error)
{
	TupleTableSlot *row = josch_load_rows_find(&batch->rows.rows, number);
	List	   *columns = columns_of(batch, error);
	char	   *message = error->message;
	int			category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	StringInfoData detail;
	ListCell   *cell;

	initStringInfo(&detail);
	appendStringInfoString(&detail, place_of_row(batch, row));
	foreach(cell, columns)
	{
		int			column = lfirst_int(cell);

		appendStringInfo(&detail, ", column %s: %s", batch->rows.columns[column].name,
						 josch_load_source_quote(value_text(batch, column, row)));
	}
	appendStringInfoChar(&detail, '.');
	if (category == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION && list_length(columns) == 1)
	{
		int			column = linitial_int(columns);

		message = psprintf("invalid value %s for column \"%s\": %s",
						   josch_load_source_quote(value_text(batch, column, row)), batch->rows.columns[column].name, message);
	}
	/* the detail of another constraint would be the row once more */
	if (error->detail != NULL &&
		(category != ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION || error->constraint_name == NULL ||
		 error->sqlerrcode == ERRCODE_FOREIGN_KEY_VIOLATION))
	{
		appendStringInfo(&detail, "\n%s", error->detail);
	}
	ereport(ERROR,
			(errcode(error->sqlerrcode),
			 errmsg_internal("%s", message),
			 errdetail_internal("%s", detail.data),
			 error->hint != NULL ? errhint("%s", error->hint) : 0,
			 error->column_name != NULL ? err_generic_string(PG_DIAG_COLUMN_NAME, error->column_name) : 0,
			 error->constraint_name != NULL ? err_generic_string(PG_DIAG_CONSTRAINT_NAME, error->constraint_name) : 0));
}

void
josch_load_batch_refuse(const LoadBatch *batch, ErrorData *error)
{
	error->context = psprintf("%s \"%s\"", batch->source->what, batch->source->name);
	ReThrowError(error);
}

void
josch_load_batch_end(LoadBatch *batch)
{
	josch_load_rows_end(&batch->rows.rows);
}
