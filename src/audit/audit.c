/*
 * src/audit/audit.c
 *	  Writes down what a statement changed.
 *
 * One trigger serves all tables: what it must know of a table is looked up once
 * and kept.  A day of tens of thousands of rows arrives as one statement: its rows
 * are written many as one (pack.h), and read as rows all the same (packed_scan.h).
 *
 * A row's "at" is when it was written, but others see it when the transaction
 * commits.  That moment is known only at the very end: the transaction callback
 * writes it, after all deferred triggers, whatever SET CONSTRAINTS says.
 */
#include "base/josch.h"

#include "audit/audit.h"

#include "access/xact.h"
#include "utils/tuplestore.h"

#include "audit/deferred.h"
#include "audit/pack.h"
#include "audit/packed_table.h"
#include "audit/record.h"
#include "audit/store_audit.h"
#include "base/clock.h"

/* Rows of a statement from which on they are written many as one. */
#define MIN_PACKED 32

/* What this transaction has written. */
static struct
{
	bool		wrote;
	SubTransactionId owner;		/* where the first row was written: its abort undoes "wrote" */
	AuditMark	first;			/* its rows have greater numbers */
	int64		last_id;		/* and none that is greater than this */
	TimestampTz last_at;
	bool		clock_was_moved;	/* at last_at, by josch.tick() */
} work;

static bool writing = false;

/* ---- writing ---- */

/* Notes that this transaction wrote, and takes the number that its rows follow: the first rows have those behind it. */
static void
note_work(Record *record)
{
	if (!work.wrote || !josch_store_audit_is_valid(work.first))
	{
		work.first = josch_store_audit_mark();
		work.last_id = work.first.id;
		work.owner = GetCurrentSubTransactionId();
		work.wrote = true;
		record->numbers = (AuditNumbers) {.last = work.first.id, .left = AUDIT_NUMBERS - 1};
	}
	record->numbers.sequence = work.first.sequence;
	work.last_at = record->act.at;
	work.clock_was_moved = josch_clock_is_moved();
}

static void
write_record(Record *record, int64 nrows)
{
	bool		within = writing;	/* a trigger of the record's own tables has changed something */

	josch_store_audit_begin(&record->line, &record->act);
	writing = true;
	record->table->users++;
	PG_TRY();
	{
		if (nrows >= MIN_PACKED && josch_pack_can_hold(record->table) &&
			josch_packed_table_takes(&record->table->target))
		{
			josch_record_write_packs(record);
		}
		else
		{
			josch_record_write_rows(record);
		}
	}
	PG_FINALLY();
	{
		record->table->users--;
		writing = within;
	}
	PG_END_TRY();
}

static void
write_deferred(void)
{
	writing = true;
	PG_TRY();
	{
		josch_deferred_write();
	}
	PG_FINALLY();
	{
		writing = false;
	}
	PG_END_TRY();
}

static void
put_on_record(Record *record, int64 nrows)
{
	note_work(record);
	if (nrows >= MIN_PACKED || !josch_deferred_is_open())
	{
		write_record(record, nrows);
	}
	else
	{
		josch_deferred_add(record);
		if (josch_deferred_is_full())
		{
			write_deferred();
		}
	}
	work.last_id = Max(work.last_id, record->numbers.last);	/* what a trigger of theirs changed meanwhile has greater ones */
}

void
josch_audit_statement(TriggerData *trigger)
{
	int64		nrows = tuplestore_tuple_count(trigger->tg_newtable != NULL ? trigger->tg_newtable : trigger->tg_oldtable);
	Record		record;

	if (nrows == 0)
	{
		return;
	}
	if (josch_record_begin(&record, trigger))
	{
		put_on_record(&record, nrows);
	}
	josch_record_end(&record);
}

void
josch_audit_defer(void)
{
	josch_deferred_begin();
}

void
josch_audit_write_deferred(void)
{
	write_deferred();
	josch_deferred_end();
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
		josch_store_audit_commit(work.first, work.last_id, at);
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
	josch_deferred_init();
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction, NULL);
}
