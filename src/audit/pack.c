/*
 * src/audit/pack.c
 *	  Many whole rows of a table as two JSON objects, and back.
 */
#include "base/josch.h"

#include "audit/pack.h"

#include "access/detoast.h"
#include "utils/datum.h"

/* Of values, in one pack: a reader has them all in memory. */
#define PACK_BYTES (1024 * 1024)

/* ---- filling ---- */

bool
josch_pack_can_hold(const AuditTable *table)
{
	for (int i = 0; i < table->ncolumns; i++)
	{
		if (table->columns[i].value.kind == VALUE_JSONB)
		{
			return false;
		}
	}
	return true;
}

void
josch_pack_begin(AuditPack *pack, AuditColumn **columns, int ncolumns, bool keeps_nulls, ValueFormat *format)
{
	pack->of = columns;
	pack->ncolumns = ncolumns;
	pack->keeps_nulls = keeps_nulls;
	pack->format = format;
	pack->columns = palloc0(sizeof(PackColumn) * Max(ncolumns, 1));
	pack->n = 0;
	pack->bytes = 0;
}

bool
josch_pack_is_full(const AuditPack *pack)
{
	return pack->n == JOSCH_PACK_ROWS || pack->bytes >= PACK_BYTES;
}

static bool
is_first(const AuditColumn *column, const PackColumn *kept, TupleTableSlot *row)
{
	int			at = column->number - 1;

	return kept->is_null == row->tts_isnull[at] &&
		(kept->is_null || datum_image_eq(kept->first, row->tts_values[at], column->by_value, column->length));
}

/* The value, which is the pack's own, as JSON; null for SQL NULL. */
static void
put_value(AuditPack *pack, AuditColumn *column, JsonbValue *json, Datum value, bool isnull)
{
	if (isnull)
	{
		json->type = jbvNull;
	}
	else
	{
		josch_value_to_json(json, &column->value, value, pack->format);
	}
}

/* A row differs: from now on each has a value of its own, also those before. */
static void
tell_apart(AuditPack *pack, AuditColumn *column, PackColumn *kept)
{
	kept->each = palloc(sizeof(JsonbValue) * JOSCH_PACK_ROWS);
	put_value(pack, column, &kept->each[0], kept->first, kept->is_null);
	for (int i = 1; i < pack->n; i++)
	{
		kept->each[i] = kept->each[0];
	}
}

/* The pack's own copy of a value. */
static Datum
keep(AuditPack *pack, const AuditColumn *column, Datum value, bool isnull)
{
	if (isnull)
	{
		return (Datum) 0;
	}
	pack->bytes += column->length == -1 ? toast_raw_datum_size(value) : sizeof(Datum);
	return datumCopy(value, column->by_value, column->length);
}

static void
add_value(AuditPack *pack, AuditColumn *column, PackColumn *kept, TupleTableSlot *row)
{
	int			at = column->number - 1;
	bool		isnull = row->tts_isnull[at];

	if (pack->n > 0 && kept->each == NULL)
	{
		if (is_first(column, kept, row))
		{
			return;
		}
		tell_apart(pack, column, kept);
	}
	if (pack->n == 0)
	{
		kept->is_null = isnull;
		kept->first = keep(pack, column, row->tts_values[at], isnull);
		return;
	}
	put_value(pack, column, &kept->each[pack->n], keep(pack, column, row->tts_values[at], isnull), isnull);
}

void
josch_pack_add(AuditPack *pack, TupleTableSlot *row)
{
	Assert(!josch_pack_is_full(pack));
	for (int i = 0; i < pack->ncolumns; i++)
	{
		add_value(pack, pack->of[i], &pack->columns[i], row);
	}
	pack->n++;
}

/* The columns, which are in the order of jsonb's keys, for which "is_each" holds. */
static Datum
build(AuditPack *pack, bool is_each)
{
	JsonbValue	object = {.type = jbvObject};
	JsonbPair  *pairs = palloc0(sizeof(JsonbPair) * Max(pack->ncolumns, 1));
	int			n = 0;

	for (int i = 0; i < pack->ncolumns; i++)
	{
		AuditColumn *column = pack->of[i];
		PackColumn *kept = &pack->columns[i];

		if ((kept->each != NULL) != is_each || (!is_each && kept->is_null && !pack->keeps_nulls))
		{
			continue;
		}
		pairs[n].key = column->value.name;
		pairs[n].order = n;
		if (is_each)
		{
			pairs[n].value.type = jbvArray;
			pairs[n].value.val.array.nElems = pack->n;
			pairs[n].value.val.array.elems = kept->each;
			pairs[n].value.val.array.rawScalar = false;
		}
		else
		{
			put_value(pack, column, &pairs[n].value, kept->first, kept->is_null);
		}
		n++;
	}
	object.val.object.nPairs = n;
	object.val.object.pairs = pairs;
	return JsonbPGetDatum(JsonbValueToJsonb(&object));
}

void
josch_pack_end(AuditPack *pack, Datum *same, Datum *each)
{
	*same = build(pack, false);
	*each = build(pack, true);
}

/* ---- reading ---- */

void
josch_pack_open(PackRows *rows, Jsonb *same, Jsonb *each, bool keeps_nulls)
{
	josch_value_unfold(&rows->same, &same->root);
	josch_value_unfold(&rows->each, &each->root);
	rows->keeps_nulls = keeps_nulls;
	rows->pairs = palloc(sizeof(JsonbPair) * Max(rows->same.val.object.nPairs + rows->each.val.object.nPairs, 1));
}

static const JsonbValue *
element(const JsonbPair *pair, int row)
{
	const JsonbValue *value = &pair->value;

	if (value->type != jbvArray || row >= value->val.array.nElems)
	{
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("the record has no row %d of column \"%.*s\" in its pack", row, pair->key.val.string.len,
						pair->key.val.string.val)));
	}
	return &value->val.array.elems[row];
}

static const JsonbPair *
find_pair(const JsonbValue *object, const JsonbValue *key)
{
	for (int i = 0; i < object->val.object.nPairs; i++)
	{
		const JsonbPair *pair = &object->val.object.pairs[i];

		if (josch_value_compare_names(&pair->key, key) == 0)
		{
			return pair;
		}
	}
	return NULL;
}

/* The next pair of the row's object, unless it is left out. */
static int
put_pair(PackRows *rows, int n, const JsonbValue *key, const JsonbValue *value, const PackRows *only)
{
	if ((value->type == jbvNull && !rows->keeps_nulls) ||
		(only != NULL && find_pair(&only->same, key) == NULL && find_pair(&only->each, key) == NULL))
	{
		return n;
	}
	rows->pairs[n].key = *key;
	rows->pairs[n].value = *value;
	rows->pairs[n].order = n;
	return n + 1;
}

/* Both objects have their keys in order: they are merged. */
Jsonb *
josch_pack_row(PackRows *rows, int row, const PackRows *only)
{
	JsonbPair  *same = rows->same.val.object.pairs;
	JsonbPair  *each = rows->each.val.object.pairs;
	JsonbPair  *same_end = same + rows->same.val.object.nPairs;
	JsonbPair  *each_end = each + rows->each.val.object.nPairs;
	JsonbValue	object = {.type = jbvObject};
	int			n = 0;

	while (same < same_end || each < each_end)
	{
		if (each == each_end || (same < same_end && josch_value_compare_names(&same->key, &each->key) < 0))
		{
			n = put_pair(rows, n, &same->key, &same->value, only);
			same++;
		}
		else
		{
			n = put_pair(rows, n, &each->key, element(each, row), only);
			each++;
		}
	}
	object.val.object.nPairs = n;
	object.val.object.pairs = rows->pairs;
	return JsonbValueToJsonb(&object);
}

const JsonbValue *
josch_pack_value(const PackRows *rows, int row, const char *column)
{
	JsonbValue	key = {.type = jbvString, .val.string = {strlen(column), unconstify(char *, column)}};
	const JsonbPair *pair = find_pair(&rows->each, &key);
	const JsonbValue *value;

	if (pair != NULL)
	{
		value = element(pair, row);
	}
	else
	{
		pair = find_pair(&rows->same, &key);
		value = pair == NULL ? NULL : &pair->value;
	}
	return value == NULL || value->type == jbvNull ? NULL : value;
}
