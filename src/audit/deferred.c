/*
 * src/audit/deferred.c
 *	  Rows of the record that wait for the end of a pass.
 */
#include "base/josch.h"

#include "audit/deferred.h"

#include "access/xact.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include "base/writer.h"

/* In memory, at most. */
#define MAX_ROWS 1000

typedef struct DeferredRow
{
	struct DeferredRow *next;
	Datum	   *values;			/* of the audit table's columns */
	bool	   *nulls;
} DeferredRow;

/* The rows of an audit table, in the order of their numbers. */
typedef struct DeferredTable
{
	struct DeferredTable *next;
	AuditTable *table;
	DeferredRow *first;
	DeferredRow **last;
} DeferredTable;

static struct
{
	SubTransactionId subid;		/* whose statements' rows wait */
	MemoryContext context;		/* of all that follows; the subtransaction's */
	DeferredTable *tables;
	int			nrows;
} deferred;

static void
forget(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB && mine == deferred.subid)
	{
		deferred.subid = InvalidSubTransactionId;
	}
}

void
josch_deferred_init(void)
{
	RegisterSubXactCallback(forget, NULL);
}

static void
clear(void)
{
	MemoryContextReset(deferred.context);
	deferred.tables = NULL;
	deferred.nrows = 0;
}

void
josch_deferred_begin(void)
{
	deferred.context = AllocSetContextCreate(CurTransactionContext, "josch deferred record", ALLOCSET_DEFAULT_SIZES);
	deferred.subid = GetCurrentSubTransactionId();
	clear();
}

bool
josch_deferred_is_open(void)
{
	return deferred.subid != InvalidSubTransactionId && deferred.subid == GetCurrentSubTransactionId();
}

bool
josch_deferred_is_full(void)
{
	return deferred.nrows >= MAX_ROWS;
}

static DeferredTable *
find(AuditTable *table)
{
	DeferredTable *found = deferred.tables;

	while (found != NULL && found->table != table)
	{
		found = found->next;
	}
	if (found == NULL)
	{
		found = palloc(sizeof(DeferredTable));
		*found = (DeferredTable) {deferred.tables, table, NULL, &found->first};
		deferred.tables = found;
	}
	return found;
}

/* What the row has of the statement's own rows, which go. */
static void
keep_values(const AuditTable *table, const Record *record, DeferredRow *row)
{
	TupleDesc	desc = record->changes.after->tts_tupleDescriptor;
	int			comment = AUDIT_FIXED + table->nkeys + AUDIT_COMMENT;

	for (int i = 0; i < table->nkeys; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, table->keys[i] - 1);

		row->values[AUDIT_FIXED + i] = datumCopy(row->values[AUDIT_FIXED + i], attribute->attbyval, attribute->attlen);
	}
	if (!row->nulls[comment])
	{
		row->values[comment] = datumCopy(row->values[comment], false, -1);
	}
}

void
josch_deferred_add(Record *record)
{
	MemoryContext former = MemoryContextSwitchTo(deferred.context);
	DeferredTable *rows = find(record->table);
	int			n = record->table->target.ncolumns;

	josch_store_audit_begin(&record->line, &record->act);
	for (;;)
	{
		DeferredRow *row = palloc(sizeof(DeferredRow));

		*row = (DeferredRow) {NULL, palloc(sizeof(Datum) * n), palloc0(sizeof(bool) * n)};
		if (!josch_record_next_row(record, row->values, row->nulls))
		{
			break;
		}
		keep_values(record->table, record, row);
		*rows->last = row;
		rows->last = &row->next;
		deferred.nrows++;
	}
	MemoryContextSwitchTo(former);
}

/* The next row (JoschNextRow). */
static bool
next_row(void *arg, Datum *values, bool *nulls)
{
	DeferredTable *rows = arg;
	DeferredRow *row = rows->first;
	int			n = rows->table->target.ncolumns;

	if (row == NULL)
	{
		return false;
	}
	memcpy(values, row->values, sizeof(Datum) * n);
	memcpy(nulls, row->nulls, sizeof(bool) * n);
	rows->first = row->next;
	return true;
}

void
josch_deferred_write(void)
{
	SubTransactionId mine = deferred.subid;

	deferred.subid = InvalidSubTransactionId;	/* what triggers of the record change meanwhile is written at once */
	for (DeferredTable *rows = deferred.tables; rows != NULL; rows = rows->next)
	{
		josch_writer_insert(&rows->table->target, NULL, next_row, rows);
	}
	clear();
	deferred.subid = mine;
}

void
josch_deferred_end(void)
{
	MemoryContextDelete(deferred.context);
	deferred.subid = InvalidSubTransactionId;
}
