/*
 * src/audit/deferred.h
 *	  Rows of the record that wait for the end of a pass.
 *
 * A pass changes a few rows in each of many statements.  What is recorded of them is
 * made and numbered with the statement, and written at the end, as one statement for
 * each audit table.
 */
#ifndef JOSCH_DEFERRED_H
#define JOSCH_DEFERRED_H

#include "base/josch.h"

#include "audit/record.h"

/* From now on rows may wait; the abort of this subtransaction drops them. */
extern void josch_deferred_begin(void);

/* Whether rows of a statement can wait now: not those of a subtransaction within. */
extern bool josch_deferred_is_open(void);

/* Keeps what is left of the record, with its numbers. */
extern void josch_deferred_add(Record *record);

/* There are so many that they had better be written. */
extern bool josch_deferred_is_full(void);

/* Writes those that wait. */
extern void josch_deferred_write(void);

/* No row waits any more. */
extern void josch_deferred_end(void);

/* Registers the callback that drops; called once from josch_audit_init. */
extern void josch_deferred_init(void);

#endif							/* JOSCH_DEFERRED_H */
