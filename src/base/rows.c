/*
 * src/base/rows.c
 *	  Rows and structs: ONE list names the fields in the order of the columns.
 *
 * A day may have tens of thousands of rows, so a row costs one heap_deform_tuple
 * and a switch a field; nothing is looked up by name, and results and arrays may
 * be larger than palloc's limit.
 */
#include "base/josch.h"

#include "base/rows.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"

#include "base/spi_plan.h"

const JoschRow josch_rows_key = JOSCH_ROW(NodeKey,
										  JOSCH_FIELD(NodeKey, node_id, INT64),
										  JOSCH_FIELD(NodeKey, job_date, DATE));

static const Oid kind_types[] = {
	[JOSCH_FIELD_INT64] = INT8OID,
	[JOSCH_FIELD_INT32] = INT4OID,
	[JOSCH_FIELD_BOOL] = BOOLOID,
	[JOSCH_FIELD_FLOAT8] = FLOAT8OID,
	[JOSCH_FIELD_DATE] = DATEOID,
	[JOSCH_FIELD_TIMESTAMPTZ] = TIMESTAMPTZOID,
	[JOSCH_FIELD_TEXT] = TEXTOID,
	[JOSCH_FIELD_LETTER] = TEXTOID,
	[JOSCH_FIELD_WORD] = TEXTOID,
	[JOSCH_FIELD_JSONB] = JSONBOID,
};

static void
check_columns(const JoschRow *map, TupleDesc desc)
{
	if (desc->natts != map->nfields)
	{
		elog(ERROR, "a row of %d columns came where %d were expected", desc->natts, map->nfields);
	}
	for (int i = 0; i < map->nfields; i++)
	{
		Oid			type = TupleDescAttr(desc, i)->atttypid;
		Oid			expected = kind_types[map->fields[i].kind];

		if (type != expected && !(type == XID8OID && expected == INT8OID))
		{
			elog(ERROR, "column %d is of type %u where %u was expected", i + 1, type, expected);
		}
	}
}

/* ---- rows to structs ---- */

static int
number_of_word(const JoschField *field, const text *value)
{
	Size		length = VARSIZE_ANY_EXHDR(value);

	for (int i = 0; field->words[i] != NULL; i++)
	{
		if (strlen(field->words[i]) == length && memcmp(field->words[i], VARDATA_ANY(value), length) == 0)
		{
			return i;
		}
	}
	elog(ERROR, "unrecognized word: \"%s\"", text_to_cstring(value));
}

static char
letter_of(const text *value)
{
	return VARSIZE_ANY_EXHDR(value) > 0 ? *VARDATA_ANY(value) : '\0';
}

/* SQL NULL comes as what stands for it. */
static void
set_member(const JoschField *field, void *member, Datum value, bool isnull)
{
	switch (field->kind)
	{
		case JOSCH_FIELD_INT64:
		case JOSCH_FIELD_TIMESTAMPTZ:
			*(int64 *) member = isnull ? field->null : DatumGetInt64(value);
			break;
		case JOSCH_FIELD_INT32:
		case JOSCH_FIELD_DATE:
			*(int32 *) member = isnull ? (int32) field->null : DatumGetInt32(value);
			break;
		case JOSCH_FIELD_BOOL:
			*(bool *) member = isnull ? field->null != 0 : DatumGetBool(value);
			break;
		case JOSCH_FIELD_FLOAT8:
			*(double *) member = isnull ? (double) field->null : DatumGetFloat8(value);
			break;
		case JOSCH_FIELD_TEXT:
			*(char **) member = isnull ? NULL : TextDatumGetCString(value);
			break;
		case JOSCH_FIELD_LETTER:
			*(char *) member = isnull ? (char) field->null : letter_of(DatumGetTextPP(value));
			break;
		case JOSCH_FIELD_WORD:
			*(int *) member = isnull ? (int) field->null : number_of_word(field, DatumGetTextPP(value));
			break;
		case JOSCH_FIELD_JSONB:
			*(Jsonb **) member = isnull ? NULL : DatumGetJsonbPCopy(value);
			break;
	}
}

static void
set_struct(const JoschRow *map, char *row, HeapTuple tuple, TupleDesc desc)
{
	Datum		values[JOSCH_ROW_MAX_FIELDS];
	bool		nulls[JOSCH_ROW_MAX_FIELDS];

	heap_deform_tuple(tuple, desc, values, nulls);
	for (int i = 0; i < map->nfields; i++)
	{
		set_member(&map->fields[i], row + map->fields[i].offset, values[i], nulls[i]);
	}
}

static void
set_structs(const JoschRow *map, char *rows, uint64 n, MemoryContext context)
{
	SPITupleTable *table = SPI_tuptable;
	MemoryContext former = MemoryContextSwitchTo(context);

	if (table == NULL || n > table->numvals)
	{
		elog(ERROR, UINT64_FORMAT " rows were expected", n);
	}
	check_columns(map, table->tupdesc);
	for (uint64 i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		set_struct(map, rows + i * map->size, table->vals[i], table->tupdesc);
	}
	MemoryContextSwitchTo(former);
}

void *
josch_rows_fetch(const JoschRow *map, uint64 n, MemoryContext context)
{
	char	   *rows = MemoryContextAllocExtended(context, Max(n, 1) * map->size,
												  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	set_structs(map, rows, n, context);
	return rows;
}

void
josch_rows_fetch_one(const JoschRow *map, void *row, MemoryContext context)
{
	set_structs(map, row, 1, context);
}

/* ---- structs to arrays ---- */

static Datum
datum_of_text(const char *text, bool *isnull)
{
	*isnull = text == NULL;
	return *isnull ? (Datum) 0 : CStringGetTextDatum(text);
}

static Datum
datum_of_number(const JoschField *field, int64 number, bool *isnull)
{
	*isnull = field->nullable && number == field->null;
	return Int64GetDatum(number);
}

static Datum
datum_of_member(const JoschField *field, const void *member, bool *isnull)
{
	switch (field->kind)
	{
		case JOSCH_FIELD_INT64:
		case JOSCH_FIELD_TIMESTAMPTZ:
			return datum_of_number(field, *(const int64 *) member, isnull);
		case JOSCH_FIELD_INT32:
		case JOSCH_FIELD_DATE:
			(void) datum_of_number(field, *(const int32 *) member, isnull);
			return Int32GetDatum(*(const int32 *) member);
		case JOSCH_FIELD_BOOL:
			*isnull = false;
			return BoolGetDatum(*(const bool *) member);
		case JOSCH_FIELD_FLOAT8:
			*isnull = field->nullable && *(const double *) member == (double) field->null;
			return Float8GetDatum(*(const double *) member);
		case JOSCH_FIELD_TEXT:
			return datum_of_text(*(char *const *) member, isnull);
		case JOSCH_FIELD_LETTER:
			*isnull = false;
			return PointerGetDatum(cstring_to_text_with_len(member, 1));
		case JOSCH_FIELD_WORD:
			return datum_of_text(field->words[*(const int *) member], isnull);
		case JOSCH_FIELD_JSONB:
			*isnull = *(Jsonb *const *) member == NULL;
			return JsonbPGetDatum(*(Jsonb *const *) member);
	}
	elog(ERROR, "unrecognized kind of field: %d", (int) field->kind);
}

void
josch_rows_arrays(const JoschRow *map, const void *rows, int n, Datum *args)
{
	Datum	   *values = palloc_extended(sizeof(Datum) * Max(n, 1), MCXT_ALLOC_HUGE);
	bool	   *nulls = palloc_extended(sizeof(bool) * Max(n, 1), MCXT_ALLOC_HUGE);

	for (int f = 0; f < map->nfields; f++)
	{
		const JoschField *field = &map->fields[f];
		const char *member = (const char *) rows + field->offset;

		for (int i = 0; i < n; i++, member += map->size)
		{
			CHECK_FOR_INTERRUPTS();
			values[i] = datum_of_member(field, member, &nulls[i]);
		}
		args[f] = josch_spi_array(values, nulls, n, kind_types[field->kind]);
	}
	pfree(nulls);
	pfree(values);
}
