/*
 * src/audit/value.c
 *	  A column's value as JSON.
 *
 * What is recorded today is read for years, by sessions with other settings, and
 * compared with what others recorded: so the text of a value must not depend on
 * DateStyle, TimeZone and the like.  Common types are written without asking
 * the settings; only for the rest are they pinned.
 */
#include "base/josch.h"

#include "audit/value.h"

#include "catalog/pg_type.h"
#include "common/shortest_dec.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/datetime.h"
#include "utils/guc.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/role.h"
#include "base/spi_plan.h"

static ValueKind
kind_of(Oid type)
{
	switch (type)
	{
		case BOOLOID:
			return VALUE_BOOL;
		case INT2OID:
			return VALUE_INT16;
		case INT4OID:
			return VALUE_INT32;
		case INT8OID:
			return VALUE_INT64;
		case NUMERICOID:
			return VALUE_NUMERIC;
		case FLOAT4OID:
			return VALUE_FLOAT4;
		case FLOAT8OID:
			return VALUE_FLOAT8;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			return VALUE_TEXT;
		case NAMEOID:
			return VALUE_NAME;
		case JSONBOID:
			return VALUE_JSONB;
		case DATEOID:
		case TIMEOID:
		case TIMETZOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			return VALUE_DATETIME;
		case INTERVALOID:
			return VALUE_INTERVAL;
		default:
			return type == josch_role_type() ? VALUE_ROLE : VALUE_OTHER;
	}
}

void
josch_value_column(ValueColumn *column, const char *name, Oid type)
{
	column->name.type = jbvString;
	column->name.val.string.val = pstrdup(name);
	column->name.val.string.len = strlen(name);
	column->type = type;
	column->kind = kind_of(type);
	if (column->kind == VALUE_OTHER)
	{
		Oid			function;
		bool		is_varlena;

		getTypeOutputInfo(type, &function, &is_varlena);
		fmgr_info_cxt(function, &column->output, CurrentMemoryContext);
	}
}

int
josch_value_compare_names(const JsonbValue *a, const JsonbValue *b)
{
	if (a->val.string.len != b->val.string.len)
	{
		return a->val.string.len > b->val.string.len ? 1 : -1;
	}
	return memcmp(a->val.string.val, b->val.string.val, a->val.string.len);
}

static void
set_string(JsonbValue *json, char *text, int length)
{
	json->type = jbvString;
	json->val.string.val = text;
	json->val.string.len = length;
}

static void
set_number(JsonbValue *json, Numeric number)
{
	if (numeric_is_nan(number) || numeric_is_inf(number))
	{
		/* JSON has no such numbers */
		char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));

		set_string(json, text, strlen(text));
		return;
	}
	json->type = jbvNumeric;
	json->val.numeric = number;
}

/* The shortest decimal that reads back as the same number, whatever extra_float_digits is. */
static void
set_float(JsonbValue *json, const char *decimal)
{
	set_number(json, DatumGetNumeric(DirectFunctionCall3(numeric_in, CStringGetDatum(decimal),
														 ObjectIdGetDatum(InvalidOid),
														 Int32GetDatum(-1))));
}

void
josch_value_unfold(JsonbValue *json, JsonbContainer *container)
{
	JsonbIterator *iterator = JsonbIteratorInit(container);
	JsonbValue	item;
	JsonbIteratorToken token = JsonbIteratorNext(&iterator, &item, true);
	bool		is_object = token == WJB_BEGIN_OBJECT;
	bool		is_scalar = token == WJB_BEGIN_ARRAY && item.val.array.rawScalar;
	int			size = JsonContainerSize(container);
	int			n = 0;

	check_stack_depth();
	memset(json, 0, sizeof(JsonbValue));
	json->type = is_object ? jbvObject : jbvArray;
	if (is_object)
	{
		json->val.object.nPairs = size;
		json->val.object.pairs = palloc0(sizeof(JsonbPair) * Max(size, 1));
	}
	else
	{
		json->val.array.nElems = size;
		json->val.array.elems = palloc0(sizeof(JsonbValue) * Max(size, 1));
	}
	while ((token = JsonbIteratorNext(&iterator, &item, true)) != WJB_DONE)
	{
		JsonbValue *target;

		CHECK_FOR_INTERRUPTS();
		if (token == WJB_KEY)
		{
			json->val.object.pairs[n].key = item;
			json->val.object.pairs[n].order = n;
			continue;
		}
		if (token != WJB_VALUE && token != WJB_ELEM)
		{
			continue;
		}
		target = is_object ? &json->val.object.pairs[n].value : &json->val.array.elems[n];
		n++;
		if (item.type == jbvBinary)
		{
			josch_value_unfold(target, item.val.binary.data);
		}
		else
		{
			*target = item;
		}
	}
	if (is_scalar)
	{
		item = json->val.array.elems[0];
		*json = item;
	}
}

/* Pins the settings on which output functions depend, until the end of the statement. */
static void
pin_settings(ValueFormat *format)
{
	static const char *const settings[][2] = {
		{"DateStyle", "ISO, YMD"},
		{"IntervalStyle", "postgres"},
		{"TimeZone", "UTC"},
		{"extra_float_digits", "1"},
		{"bytea_output", "hex"},
		{"search_path", JOSCH_SEARCH_PATH}
	};

	if (format->guc_level != 0)
	{
		return;
	}
	format->guc_level = NewGUCNestLevel();
	for (int i = 0; i < (int) lengthof(settings); i++)
	{
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_SESSION,
								 GUC_ACTION_SAVE, true, 0, false);
	}
}

void
josch_value_end_format(ValueFormat *format)
{
	if (format->guc_level != 0)
	{
		AtEOXact_GUC(true, format->guc_level);
		format->guc_level = 0;
	}
}

static void
set_datetime(JsonbValue *json, Datum value, Oid type)
{
	const int	utc = 0;
	char	   *text = palloc(MAXDATELEN + 1);

	JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &utc : NULL);
	set_string(json, text, strlen(text));
}

/* As the type writes it with IntervalStyle "postgres". */
static void
set_interval(JsonbValue *json, const Interval *span)
{
	char	   *text = palloc(MAXDATELEN + 1);
	struct pg_itm parts;

#if PG_VERSION_NUM >= 170000
	if (INTERVAL_NOT_FINITE(span))
	{
		strcpy(text, INTERVAL_IS_NOEND(span) ? "infinity" : "-infinity");
		set_string(json, text, strlen(text));
		return;
	}
#endif
	interval2itm(*span, &parts);
	EncodeInterval(&parts, INTSTYLE_POSTGRES, text);
	set_string(json, text, strlen(text));
}

static void
set_text(JsonbValue *json, Datum value)
{
	text	   *string = DatumGetTextPP(value);

	set_string(json, VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
}

static void
set_other(JsonbValue *json, ValueColumn *column, Datum value, ValueFormat *format)
{
	char	   *text;

	pin_settings(format);
	text = OutputFunctionCall(&column->output, value);
	set_string(json, text, strlen(text));
}

void
josch_value_to_json(JsonbValue *json, ValueColumn *column, Datum value, ValueFormat *format)
{
	char		decimal[DOUBLE_SHORTEST_DECIMAL_LEN];
	char	   *text;

	switch (column->kind)
	{
		case VALUE_BOOL:
			json->type = jbvBool;
			json->val.boolean = DatumGetBool(value);
			break;
		case VALUE_INT16:
			set_number(json, int64_to_numeric(DatumGetInt16(value)));
			break;
		case VALUE_INT32:
			set_number(json, int64_to_numeric(DatumGetInt32(value)));
			break;
		case VALUE_INT64:
			set_number(json, int64_to_numeric(DatumGetInt64(value)));
			break;
		case VALUE_NUMERIC:
			set_number(json, DatumGetNumeric(value));
			break;
		case VALUE_FLOAT4:
			float_to_shortest_decimal_buf(DatumGetFloat4(value), decimal);
			set_float(json, decimal);
			break;
		case VALUE_FLOAT8:
			double_to_shortest_decimal_buf(DatumGetFloat8(value), decimal);
			set_float(json, decimal);
			break;
		case VALUE_TEXT:
			set_text(json, value);
			break;
		case VALUE_NAME:
			set_string(json, NameStr(*DatumGetName(value)), strlen(NameStr(*DatumGetName(value))));
			break;
		case VALUE_JSONB:
			josch_value_unfold(json, &DatumGetJsonbP(value)->root);
			break;
		case VALUE_DATETIME:
			set_datetime(json, value, column->type);
			break;
		case VALUE_INTERVAL:
			set_interval(json, DatumGetIntervalP(value));
			break;
		case VALUE_ROLE:
			text = unconstify(char *, josch_role_name((JoschRole *) DatumGetPointer(value)));
			set_string(json, text, strlen(text));
			break;
		case VALUE_OTHER:
			set_other(json, column, value, format);
			break;
	}
}

char *
josch_value_to_text(const JsonbValue *json)
{
	switch (json->type)
	{
		case jbvString:
			return pnstrdup(json->val.string.val, json->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(json->val.numeric)));
		case jbvBool:
			return pstrdup(json->val.boolean ? "true" : "false");
		case jbvBinary:
			return JsonbToCString(NULL, json->val.binary.data, json->val.binary.len);
		default:
			elog(ERROR, "unexpected kind of JSON value: %d", (int) json->type);
	}
	return NULL;				/* not reached */
}
