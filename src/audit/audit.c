/*
 * src/audit/audit.c
 *	  Writes down what a statement changed.
 *
 * One trigger serves all tables: what it must know of a table is looked up once
 * and kept.  A day of tens of thousands of rows arrives as one statement, so
 * values are compared as datums, objects are built without text in between, and
 * rows are inserted a batch at a time by one kept plan.
 *
 * A row's "at" is when it was written, but others see it when the transaction
 * commits.  That moment is known only at the very end: the transaction callback
 * writes it, after all deferred triggers, whatever SET CONSTRAINTS says.
 */
#include "base/josch.h"

#include "audit/audit.h"

#include "access/xact.h"
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

#define BATCH_ROWS 1000
#define BATCH_BYTES (1024 * 1024)

/* Columns of an audit table that differ from row to row, after its key. */
enum
{
	OLD_VALUES, NEW_VALUES, COMMENT
};

/* Rows on their way into the audit table. */
typedef struct Batch
{
	AuditTable *table;
	AuditAct	act;
	int			n;
	Size		bytes;
	Datum	   *keys[AUDIT_MAX_KEYS];
	Datum	   *values[AUDIT_TRAILING_ARGS];
	bool	   *nulls[AUDIT_TRAILING_ARGS];
	JsonbPair  *pairs;			/* of the object that is being built */
	ValueFormat format;
	MemoryContext rows;			/* of what the datums point to */
} Batch;

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
build_object(Batch *batch, int npairs)
{
	JsonbValue	object;
	Jsonb	   *jsonb;

	object.type = jbvObject;
	object.val.object.nPairs = npairs;
	object.val.object.pairs = batch->pairs;
	jsonb = JsonbValueToJsonb(&object);
	batch->bytes += VARSIZE(jsonb);
	return JsonbPGetDatum(jsonb);
}

static void
put_pair(Batch *batch, int index, AuditColumn *column, TupleTableSlot *slot)
{
	JsonbPair  *pair = &batch->pairs[index];

	pair->key = column->value.name;
	pair->order = index;
	if (slot->tts_isnull[column->number - 1])
	{
		pair->value.type = jbvNull;
	}
	else
	{
		josch_value_to_json(&pair->value, &column->value, slot->tts_values[column->number - 1],
								&batch->format);
	}
}

/* All columns that are not NULL. */
static Datum
whole_row(Batch *batch, TupleTableSlot *slot)
{
	AuditTable *table = batch->table;
	int			n = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		if (!slot->tts_isnull[table->columns[i].number - 1])
		{
			put_pair(batch, n++, &table->columns[i], slot);
		}
	}
	return build_object(batch, n);
}

/* The given columns, NULL or not. */
static Datum
some_columns(Batch *batch, TupleTableSlot *slot, AuditColumn **columns, int n)
{
	for (int i = 0; i < n; i++)
	{
		put_pair(batch, i, columns[i], slot);
	}
	return build_object(batch, n);
}

static int
find_changes(AuditTable *table, TupleTableSlot *former, TupleTableSlot *row, AuditColumn **changed)
{
	int			n = 0;

	for (int i = 0; i < table->ncolumns; i++)
	{
		AuditColumn *column = &table->columns[i];
		int			at = column->number - 1;

		if (former->tts_isnull[at] != row->tts_isnull[at] ||
			(!row->tts_isnull[at] && !datum_image_eq(former->tts_values[at], row->tts_values[at],
													 column->by_value, column->length)))
		{
			changed[n++] = column;
		}
	}
	return n;
}

/* Whether a change, or a new row, says that somebody acted. */
static bool
tells_of_act(AuditTable *table, TupleTableSlot *former, TupleTableSlot *row, AuditColumn **changed, int nchanged)
{
	for (int i = 0; i < nchanged; i++)
	{
		if (changed[i]->is_act)
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
comment_of(Batch *batch, TupleTableSlot *row, bool is_act, bool *isnull)
{
	if (is_act && batch->table->comment != 0)
	{
		int			at = batch->table->comment - 1;

		*isnull = row->tts_isnull[at];
		return *isnull ? (Datum) 0 : datumCopy(row->tts_values[at], false, -1);
	}
	*isnull = josch_config_comment == NULL || josch_config_comment[0] == '\0';
	return *isnull ? (Datum) 0 : CStringGetTextDatum(josch_config_comment);
}

/* Adds one changed row; one of the slots may be NULL. */
static void
add_row(Batch *batch, TupleTableSlot *former, TupleTableSlot *row)
{
	AuditTable *table = batch->table;
	TupleTableSlot *any = row != NULL ? row : former;
	AuditColumn *changed[MaxHeapAttributeNumber];
	int			nchanged = 0;
	int			n = batch->n;

	if (former != NULL && row != NULL)
	{
		nchanged = find_changes(table, former, row, changed);
		if (nchanged == 0)
		{
			return;
		}
		batch->values[OLD_VALUES][n] = some_columns(batch, former, changed, nchanged);
		batch->values[NEW_VALUES][n] = some_columns(batch, row, changed, nchanged);
	}
	else if (row != NULL)
	{
		batch->values[NEW_VALUES][n] = whole_row(batch, row);
	}
	else
	{
		batch->values[OLD_VALUES][n] = whole_row(batch, former);
	}
	batch->nulls[OLD_VALUES][n] = former == NULL;
	batch->nulls[NEW_VALUES][n] = row == NULL;
	batch->values[COMMENT][n] = comment_of(batch, any, tells_of_act(table, former, row, changed, nchanged),
											&batch->nulls[COMMENT][n]);
	for (int i = 0; i < table->nkeys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(any->tts_tupleDescriptor, table->keys[i] - 1);

		batch->keys[i][n] = datumCopy(any->tts_values[table->keys[i] - 1],
									  attribute->attbyval, attribute->attlen);
	}
	batch->n++;
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

/* Inserts what the batch holds, and empties it. */
static void
flush(Batch *batch)
{
	MemoryContext former;

	if (batch->n == 0)
	{
		return;
	}
	former = MemoryContextSwitchTo(batch->rows);
	note_work(batch->act.at);
	writing = true;
	PG_TRY();
	{
		josch_store_audit_insert(batch->table, &batch->act, batch->n, batch->keys, batch->values, batch->nulls);
	}
	PG_FINALLY();
	{
		writing = false;
	}
	PG_END_TRY();
	MemoryContextSwitchTo(former);
	MemoryContextReset(batch->rows);
	batch->n = 0;
	batch->bytes = 0;
}

static void
begin_batch(Batch *batch, TriggerData *trigger, int64 expected)
{
	int			room = (int) Min(expected, BATCH_ROWS);

	memset(batch, 0, sizeof(Batch));
	batch->table = josch_store_audit_table(trigger->tg_relation, trigger->tg_trigger);
	batch->act.at = josch_clock_now();
	batch->act.operation = TRIGGER_FIRED_BY_INSERT(trigger->tg_event) ? "INSERT" :
		TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? "UPDATE" : "DELETE";
	batch->act.session_user = GetSessionUserId();
	batch->act.role = acting_role();
	batch->act.application = MyBgworkerEntry != NULL ? MyBgworkerEntry->bgw_name : application_name;
	for (int i = 0; i < batch->table->nkeys; i++)
	{
		batch->keys[i] = palloc(sizeof(Datum) * room);
	}
	for (int i = 0; i < AUDIT_TRAILING_ARGS; i++)
	{
		batch->values[i] = palloc0(sizeof(Datum) * room);
		batch->nulls[i] = palloc(sizeof(bool) * room);
	}
	batch->pairs = palloc0(sizeof(JsonbPair) * Max(batch->table->ncolumns, 1));
	batch->rows = AllocSetContextCreate(CurrentMemoryContext, "josch audit batch",
										ALLOCSET_DEFAULT_SIZES);
}

/* The row taken apart; NULL when there is none. */
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

void
josch_audit_statement(TriggerData *trigger)
{
	int64		expected = tuplestore_tuple_count(trigger->tg_newtable != NULL ? trigger->tg_newtable : trigger->tg_oldtable);
	MemoryContext former;
	JoschChanges changes;
	Batch		batch;

	if (expected == 0)
	{
		return;
	}
	begin_batch(&batch, trigger, expected);
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		former = MemoryContextSwitchTo(batch.rows);
		add_row(&batch, whole_slot(changes.before), whole_slot(changes.after));
		MemoryContextSwitchTo(former);
		if (batch.n == BATCH_ROWS || batch.bytes >= BATCH_BYTES)
		{
			flush(&batch);
		}
	}
	flush(&batch);
	josch_value_end_format(&batch.format);
	josch_changes_close(&changes);
	MemoryContextDelete(batch.rows);
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
