/*
 * src/server/table_lock.h
 *	  LOCK TABLE on JOSCH's own tables is for their owner.
 */
#ifndef JOSCH_TABLE_LOCK_H
#define JOSCH_TABLE_LOCK_H

#include "base/josch.h"

#include "nodes/parsenodes.h"

/* Raises an ERROR when the statement would keep the scheduler from a table; called before it is executed. */
extern void josch_table_lock_check(const LockStmt *stmt);

#endif							/* JOSCH_TABLE_LOCK_H */
