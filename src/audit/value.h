/*
 * src/audit/value.h
 *	  A column's value as JSON.
 *
 * Knows types, not tables.
 */
#ifndef JOSCH_VALUE_H
#define JOSCH_VALUE_H

#include "base/josch.h"

#include "utils/jsonb.h"

typedef enum ValueKind
{
	VALUE_BOOL, VALUE_INT16, VALUE_INT32, VALUE_INT64, VALUE_NUMERIC, VALUE_FLOAT4, VALUE_FLOAT8,
	VALUE_TEXT, VALUE_NAME, VALUE_JSONB, VALUE_DATETIME, VALUE_INTERVAL, VALUE_ROLE, VALUE_OTHER
} ValueKind;

/* A column as a key of a JSON object. */
typedef struct ValueColumn
{
	JsonbValue	name;
	ValueKind	kind;
	Oid			type;
	FmgrInfo	output;			/* VALUE_OTHER only */
} ValueColumn;

/* Fixed output settings, once they are needed; start with {0}. */
typedef struct ValueFormat
{
	int			guc_level;
} ValueFormat;

/* Fills in a column; what it needs is allocated in the current context. */
extern void josch_value_column(ValueColumn *column, const char *name, Oid type);

/* Order of the keys of a jsonb object, as its storage wants it. */
extern int	josch_value_compare_names(const JsonbValue *a, const JsonbValue *b);

/*
 * The value as JSON: numbers as numbers, text as strings, jsonb as it is, dates
 * and times in ISO 8601 (timestamptz in UTC), others as their type writes them.
 * It never depends on the session's settings.  The result may point into the
 * datum.
 */
extern void josch_value_to_json(JsonbValue *json, ValueColumn *column, Datum value, ValueFormat *format);

/* A string, number or boolean as text; of anything else, its JSON. */
extern char *josch_value_to_text(const JsonbValue *json);

/*
 * The contents of a stored jsonb, unfolded with all that is in it: the server's own
 * builder takes a nested container only so.
 */
extern void josch_value_unfold(JsonbValue *json, JsonbContainer *container);

/* Puts back the settings that the output of some types needed. */
extern void josch_value_end_format(ValueFormat *format);

#endif							/* JOSCH_VALUE_H */
