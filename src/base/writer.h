/*
 * src/base/writer.h
 *	  Rows written into the extension's own tables, past parser and planner.
 *
 * What is made many rows at a time, or at every turn, is written as COPY writes
 * it: no statement is planned, no array is built and taken apart again.  All
 * that people may rely on holds as for an INSERT: defaults of columns that they
 * added, constraints, unique indexes, triggers of every kind with their
 * transition tables.  Row security does not: the rows are the owner's.
 */
#ifndef JOSCH_WRITER_H
#define JOSCH_WRITER_H

#include "base/josch.h"

#include "utils/reltrigger.h"

#include "base/table.h"

/*
 * Gives the next row: a value for each column of the JoschTable, in its order;
 * false when there is none.  nulls comes all false.  The current context is
 * the row's own: what is allocated there needs no thought.
 */
typedef bool (*JoschNextRow) (void *arg, Datum *values, bool *nulls);

/*
 * Inserts the rows as one statement, as the owner of the tables; needs an
 * active snapshot.  They are there for the next command of the transaction.
 * leave_out, or NULL, says which triggers do not fire.  Returns how many were
 * inserted: a trigger may have kept some from it.
 */
extern uint64 josch_writer_insert(JoschTable *table, bool (*leave_out) (const Trigger *trigger), JoschNextRow next, void *arg);

/*
 * A trigger that looks for the other end of a foreign key.  It may be left out where this
 * transaction has just made all that the rows refer to, so that nobody else can take it away.
 */
extern bool josch_writer_is_foreign_key(const Trigger *trigger);

#endif							/* JOSCH_WRITER_H */
