/*
 * src/audit/record.c
 *	  A statement on its way into the record: its rows, as rows of the audit table.
 *
 * Values are compared as datums, objects are built without text in between, and rows
 * go into the table without a statement of their own.
 */
#include "base/josch.h"

#include "audit/record.h"

#include "executor/tuptable.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/spi_plan.h"
#include "base/writer.h"

/* ---- the rows of the statement ---- */

static TupleTableSlot *
taken_apart(TupleTableSlot *slot)
{
	if (TupIsNull(slot))
	{
		return NULL;
	}
	slot_getallattrs(slot);
	return slot;
}

TupleTableSlot *
josch_record_former(Record *record)
{
	return taken_apart(record->changes.before);
}

TupleTableSlot *
josch_record_row(Record *record)
{
	return taken_apart(record->changes.after);
}

/* Whether an UPDATE changed anything that is recorded, and what. */
static bool
find_changes(Record *record)
{
	AuditTable *table = record->table;
	TupleTableSlot *former = record->changes.before;
	TupleTableSlot *row = record->changes.after;

	record->nchanged = 0;
	for (int i = 0; i < table->ncolumns; i++)
	{
		AuditColumn *column = &table->columns[i];
		int			at = column->number - 1;

		if (former->tts_isnull[at] != row->tts_isnull[at] ||
			(!row->tts_isnull[at] && !datum_image_eq(former->tts_values[at], row->tts_values[at],
													 column->by_value, column->length)))
		{
			record->changed[record->nchanged++] = column;
		}
	}
	return record->nchanged > 0;
}

bool
josch_record_next(Record *record)
{
	if (record->ahead)
	{
		record->ahead = false;
		return true;
	}
	while (josch_changes_next(&record->changes))
	{
		if (josch_record_former(record) == NULL || josch_record_row(record) == NULL || find_changes(record))
		{
			return true;
		}
	}
	return false;
}

/* Whether the change, or the new row, says that somebody acted. */
static bool
tells_of_act(const Record *record, TupleTableSlot *former, TupleTableSlot *row)
{
	AuditTable *table = record->table;

	for (int i = 0; i < record->nchanged; i++)
	{
		if (record->changed[i]->is_act)
		{
			return true;
		}
	}
	for (int i = 0; i < table->ncolumns && former == NULL; i++)
	{
		if (table->columns[i].is_act && !row->tts_isnull[table->columns[i].number - 1])
		{
			return true;
		}
	}
	return false;
}

/* The comment of the act, when the row says that somebody acted; else the setting's. */
Datum
josch_record_comment(Record *record, bool *isnull)
{
	TupleTableSlot *former = josch_record_former(record);
	TupleTableSlot *row = josch_record_row(record);
	int			at = record->table->comment - 1;

	if (at >= 0 && tells_of_act(record, former, row))
	{
		TupleTableSlot *any = row != NULL ? row : former;

		*isnull = any->tts_isnull[at];
		return any->tts_values[at];
	}
	*isnull = josch_config_comment == NULL || josch_config_comment[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(josch_config_comment);
}

/* ---- as rows of the audit table ---- */

static Datum
build_object(Record *record, int npairs)
{
	JsonbValue	object;

	object.type = jbvObject;
	object.val.object.nPairs = npairs;
	object.val.object.pairs = record->pairs;
	return JsonbPGetDatum(JsonbValueToJsonb(&object));
}

static void
put_pair(Record *record, int index, AuditColumn *column, TupleTableSlot *slot)
{
	JsonbPair  *pair = &record->pairs[index];

	pair->key = column->value.name;
	pair->order = index;
	if (slot->tts_isnull[column->number - 1])
	{
		pair->value.type = jbvNull;
	}
	else
	{
		josch_value_to_json(&pair->value, &column->value, slot->tts_values[column->number - 1],
								&record->format);
	}
}

/* All columns that are not NULL. */
static Datum
whole_row(Record *record, TupleTableSlot *slot)
{
	AuditTable *table = record->table;
	int			n = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		if (!slot->tts_isnull[table->columns[i].number - 1])
		{
			put_pair(record, n++, &table->columns[i], slot);
		}
	}
	return build_object(record, n);
}

/* The columns that an UPDATE changed, NULL or not. */
static Datum
changed_columns(Record *record, TupleTableSlot *slot)
{
	for (int i = 0; i < record->nchanged; i++)
	{
		put_pair(record, i, record->changed[i], slot);
	}
	return build_object(record, record->nchanged);
}

static void
set_values(Record *record, Datum *values, bool *nulls)
{
	TupleTableSlot *former = josch_record_former(record);
	TupleTableSlot *row = josch_record_row(record);

	nulls[AUDIT_OLD_VALUES] = former == NULL;
	nulls[AUDIT_NEW_VALUES] = row == NULL;
	if (former != NULL)
	{
		values[AUDIT_OLD_VALUES] = row == NULL ? whole_row(record, former) : changed_columns(record, former);
	}
	if (row != NULL)
	{
		values[AUDIT_NEW_VALUES] = former == NULL ? whole_row(record, row) : changed_columns(record, row);
	}
	values[AUDIT_COMMENT] = josch_record_comment(record, &nulls[AUDIT_COMMENT]);
}

bool
josch_record_next_row(void *arg, Datum *values, bool *nulls)
{
	Record	   *record = arg;
	AuditTable *table = record->table;
	TupleTableSlot *any;

	if (!josch_record_next(record))
	{
		josch_value_end_format(&record->format);	/* before the writer ends its own settings, which are the outer ones */
		return false;
	}
	any = josch_record_row(record) != NULL ? josch_record_row(record) : josch_record_former(record);
	memcpy(values, record->line.fixed, sizeof(record->line.fixed));
	memcpy(nulls, record->line.null, sizeof(record->line.null));
	values[AUDIT_ID] = Int64GetDatum(josch_store_audit_number(&record->numbers, 1));
	for (int i = 0; i < table->nkeys; i++)
	{
		values[AUDIT_FIXED + i] = any->tts_values[table->keys[i] - 1];
	}
	set_values(record, values + AUDIT_FIXED + table->nkeys, nulls + AUDIT_FIXED + table->nkeys);
	return true;
}

void
josch_record_write_rows(Record *record)
{
	josch_writer_insert(&record->table->target, NULL, josch_record_next_row, record);
}

/* ---- the statement ---- */

/* The role as the caller had it: one of our own functions may have switched to the owner. */
static Oid
acting_role(void)
{
	return GetUserId() == josch_spi_owner() ? GetOuterUserId() : GetUserId();
}

bool
josch_record_begin(Record *record, TriggerData *trigger)
{
	memset(record, 0, sizeof(Record));
	record->table = josch_store_audit_table(trigger->tg_relation, trigger->tg_trigger);
	record->act.at = josch_clock_now();
	record->act.operation = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "INSERT" :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" : "DELETE";
	record->act.session_user = GetSessionUserId();
	record->act.role = acting_role();
	record->act.application = MyBgworkerEntry != NULL ? MyBgworkerEntry->bgw_name : application_name;
	record->pairs = palloc(sizeof(JsonbPair) * Max(record->table->ncolumns, 1));
	record->changed = palloc(sizeof(AuditColumn *) * Max(record->table->ncolumns, 1));
	josch_changes_open(&record->changes, trigger);
	record->ahead = josch_record_next(record);
	return record->ahead;
}

void
josch_record_end(Record *record)
{
	josch_value_end_format(&record->format);
	josch_changes_close(&record->changes);
}
