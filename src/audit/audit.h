/*
 * src/audit/audit.h
 *	  Writes down what a statement changed.
 */
#ifndef JOSCH_AUDIT_H
#define JOSCH_AUDIT_H

#include "base/josch.h"

#include "commands/trigger.h"

/*
 * Writes one row into <table>_audit for each row that the statement changed.
 * The trigger is AFTER, FOR EACH STATEMENT, with all its transition tables.
 */
extern void josch_audit_statement(TriggerData *trigger);

/*
 * What statements of this subtransaction changed, a few rows each, is written no sooner than
 * at josch_audit_write_deferred, which it must not end without.
 */
extern void josch_audit_defer(void);
extern void josch_audit_write_deferred(void);

/* True while josch_audit_statement or the end of the transaction writes. */
extern bool josch_audit_is_writing(void);

/* Registers the transaction callbacks; called once from _PG_init. */
extern void josch_audit_init(void);

#endif							/* JOSCH_AUDIT_H */
