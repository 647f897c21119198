/*
 * src/audit/record.h
 *	  A statement on its way into the record: its rows, as rows of the audit table, or as packs.
 */
#ifndef JOSCH_RECORD_H
#define JOSCH_RECORD_H

#include "base/josch.h"

#include "commands/trigger.h"
#include "utils/jsonb.h"

#include "audit/store_audit.h"
#include "audit/value.h"
#include "base/changes.h"

typedef struct Record
{
	AuditTable *table;
	AuditAct	act;
	AuditLine	line;			/* for josch_store_audit_begin */
	AuditNumbers numbers;		/* the caller names the sequence */
	JoschChanges changes;
	bool		ahead;			/* the row at hand has not been written yet */
	AuditColumn **changed;		/* of the row at hand, an UPDATE's */
	int			nchanged;
	JsonbPair  *pairs;			/* of the object that is being built */
	ValueFormat format;
} Record;

/* Begins with the first row of which there is something to record; false when there is none. */
extern bool josch_record_begin(Record *record, TriggerData *trigger);

/* Writes all its rows, each as one of the audit table. */
extern void josch_record_write_rows(Record *record);

/* Writes all its rows, many as one; of a table that has packs.  Those that have too little in common are written one by one. */
extern void josch_record_write_packs(Record *record);

extern void josch_record_end(Record *record);

/* The next of its rows as one of the audit table (JoschNextRow, of a Record); what it points to lives as long as the row of the statement. */
extern bool josch_record_next_row(void *arg, Datum *values, bool *nulls);

/* ---- for the two that write ---- */

/* Goes to the next row, if the one at hand has been written; false after the last. */
extern bool josch_record_next(Record *record);

/* The row at hand as it was before, or is after; taken apart, NULL when there is none. */
extern TupleTableSlot *josch_record_former(Record *record);
extern TupleTableSlot *josch_record_row(Record *record);

/* What was written beside it. */
extern Datum josch_record_comment(Record *record, bool *isnull);

#endif							/* JOSCH_RECORD_H */
