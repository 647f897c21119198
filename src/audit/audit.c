/*
 * src/audit/audit.c
 *	  Writes down what a statement changed.
 *
 * One trigger serves all tables: what it must know of a table is looked up once
 * and kept.  A day of tens of thousands of rows arrives as one statement, so
 * values are compared as datums, objects are built without text in between, and
 * rows go into the table without a statement of their own.
 *
 * A row's "at" is when it was written, but others see it when the transaction
 * commits.  That moment is known only at the very end: the transaction callback
 * writes it, after all deferred triggers, whatever SET CONSTRAINTS says.
 */
#include "base/josch.h"

#include "audit/audit.h"

#include "access/xact.h"
#include "commands/sequence.h"
#include "executor/tuptable.h"
#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/tuplestore.h"

#include "audit/store_audit.h"
#include "base/changes.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/spi_plan.h"
#include "base/writer.h"

/* A statement on its way into the audit table. */
typedef struct Record
{
	AuditTable *table;
	AuditAct	act;
	AuditLine	line;
	JoschChanges changes;
	bool		ahead;			/* the row at hand has not been written yet */
	AuditColumn **changed;		/* of the row at hand, an UPDATE's */
	int			nchanged;
	JsonbPair  *pairs;			/* of the object that is being built */
	ValueFormat format;
} Record;

/* What this transaction has written. */
static struct
{
	bool		wrote;
	SubTransactionId owner;		/* where the first row was written: its abort undoes "wrote" */
	AuditMark	first;			/* its rows have greater numbers */
	TimestampTz last_at;
	bool		clock_was_moved;	/* at last_at, by josch.tick() */
} work;

static bool writing = false;

/* ---- rows ---- */

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
static Datum
comment_of(const Record *record, TupleTableSlot *former, TupleTableSlot *row, bool *isnull)
{
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

/* The row before or after, taken apart; NULL when there is none. */
static TupleTableSlot *
whole_slot(TupleTableSlot *slot)
{
	if (TupIsNull(slot))
	{
		return NULL;
	}
	slot_getallattrs(slot);
	return slot;
}

/* Goes to the next row of which there is something to record. */
static bool
advance(Record *record)
{
	while (josch_changes_next(&record->changes))
	{
		if (whole_slot(record->changes.before) == NULL || whole_slot(record->changes.after) == NULL ||
			find_changes(record))
		{
			return true;
		}
	}
	return false;
}

static void
set_values(Record *record, Datum *values, bool *nulls)
{
	TupleTableSlot *former = whole_slot(record->changes.before);
	TupleTableSlot *row = whole_slot(record->changes.after);

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
	values[AUDIT_COMMENT] = comment_of(record, former, row, &nulls[AUDIT_COMMENT]);
}

/* The next row of the audit table (JoschNextRow). */
static bool
next_row(void *arg, Datum *values, bool *nulls)
{
	Record	   *record = arg;
	AuditTable *table = record->table;
	TupleTableSlot *any;

	if (!record->ahead && !advance(record))
	{
		return false;
	}
	record->ahead = false;
	any = whole_slot(TupIsNull(record->changes.after) ? record->changes.before : record->changes.after);
	memcpy(values, record->line.fixed, sizeof(record->line.fixed));
	memcpy(nulls, record->line.null, sizeof(record->line.null));
	values[AUDIT_ID] = Int64GetDatum(nextval_internal(work.first.sequence, false));
	for (int i = 0; i < table->nkeys; i++)
	{
		values[AUDIT_FIXED + i] = any->tts_values[table->keys[i] - 1];
	}
	set_values(record, values + AUDIT_FIXED + table->nkeys, nulls + AUDIT_FIXED + table->nkeys);
	return true;
}

/* ---- writing ---- */

/* The role as the caller had it: one of our own functions may have switched to the owner. */
static Oid
acting_role(void)
{
	return GetUserId() == josch_spi_owner() ? GetOuterUserId() : GetUserId();
}

/* Notes that this transaction wrote, and takes the number that its rows follow. */
static void
note_work(TimestampTz at)
{
	if (!work.wrote || !josch_store_audit_is_valid(work.first))
	{
		work.first = josch_store_audit_mark();
		work.owner = GetCurrentSubTransactionId();
		work.wrote = true;
	}
	work.last_at = at;
	work.clock_was_moved = josch_clock_is_moved();
}

static void
begin_record(Record *record, TriggerData *trigger)
{
	memset(record, 0, sizeof(Record));
	record->table = josch_store_audit_table(trigger->tg_relation, trigger->tg_trigger);
	record->act.at = josch_clock_now();
	record->act.operation = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "INSERT" :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" : "DELETE";
	record->act.session_user = GetSessionUserId();
	record->act.role = acting_role();
	record->act.application = MyBgworkerEntry != NULL ? MyBgworkerEntry->bgw_name : application_name;
	record->pairs = palloc0(sizeof(JsonbPair) * Max(record->table->ncolumns, 1));
	record->changed = palloc(sizeof(AuditColumn *) * Max(record->table->ncolumns, 1));
	josch_changes_open(&record->changes, trigger);
}

static void
write_record(Record *record)
{
	josch_store_audit_begin(&record->line, &record->act);
	note_work(record->act.at);
	writing = true;
	record->table->users++;
	PG_TRY();
	{
		josch_writer_insert(&record->table->target, NULL, next_row, record);
	}
	PG_FINALLY();
	{
		record->table->users--;
		writing = false;
	}
	PG_END_TRY();
}

void
josch_audit_statement(TriggerData *trigger)
{
	Record		record;

	if (tuplestore_tuple_count(trigger->tg_newtable != NULL ? trigger->tg_newtable : trigger->tg_oldtable) == 0)
	{
		return;
	}
	begin_record(&record, trigger);
	record.ahead = advance(&record);
	if (record.ahead)
	{
		write_record(&record);
	}
	josch_value_end_format(&record.format);
	josch_changes_close(&record.changes);
}

bool
josch_audit_is_writing(void)
{
	return writing;
}

/* ---- the transaction ---- */

/* Writes down when the transaction commits. */
static void
write_commit(void)
{
	TimestampTz at = work.clock_was_moved ? work.last_at : Max(josch_clock_now(), work.last_at);

	writing = true;
	PG_TRY();
	{
		josch_store_audit_commit(work.first, at);
	}
	PG_FINALLY();
	{
		writing = false;
	}
	PG_END_TRY();
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
		case XACT_EVENT_PRE_PREPARE:
			if (work.wrote && josch_store_audit_is_valid(work.first))
			{
				write_commit();
			}
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			work.wrote = false;
			break;
		default:
			break;
	}
}

static void
at_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (!work.wrote || work.owner != mine)
	{
		return;
	}
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		work.wrote = false;
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		work.owner = parent;
	}
}

void
josch_audit_init(void)
{
	josch_store_audit_init();
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction, NULL);
}
