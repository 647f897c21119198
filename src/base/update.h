/*
 * src/base/update.h
 *	  Rows of the extension's own tables, changed one by one by their primary key.
 *
 * What UPDATE ... FROM unnest(...) does, without a plan: each row is found by the
 * index, locked without waiting, computed in C, and written as one version.  All
 * rows between begin and end are one statement to triggers and to the record.
 *
 *	JoschUpdate *nodes = josch_update_begin(&table, 2, lengthof(changed), changed);
 *	if (josch_update_find(nodes, key) == JOSCH_FOUND)
 *	{
 *		josch_update_set(nodes, NODE_STATE, state);
 *		josch_update_write(nodes);
 *	}
 *	josch_update_end(nodes);
 */
#ifndef JOSCH_UPDATE_H
#define JOSCH_UPDATE_H

#include "base/josch.h"

#include "executor/tuptable.h"

#include "base/table.h"

typedef struct JoschUpdate JoschUpdate;

typedef enum JoschFound
{
	JOSCH_FOUND,				/* and locked */
	JOSCH_HELD,					/* by somebody else: leave it */
	JOSCH_ABSENT
} JoschFound;

/*
 * Begins a statement that changes some of these columns (places in the JoschTable) of
 * rows which the first nkeys columns of the primary key name.  Needs an active snapshot.
 */
extern JoschUpdate *josch_update_begin(JoschTable *table, int nkeys, int ncolumns, const int *columns);

/* The row with this key, in its latest version. */
extern JoschFound josch_update_find(JoschUpdate *update, const Datum *key);

/* A column of the row that was found, as it is in the table; by its place in the JoschTable. */
extern Datum josch_update_get(JoschUpdate *update, int column, bool *isnull);

/* The whole of that row. */
extern TupleTableSlot *josch_update_row(JoschUpdate *update);

/* The column's next value; what is not set stays.  Only what josch_update_begin was told of may be set. */
extern void josch_update_set(JoschUpdate *update, int column, Datum value);
extern void josch_update_set_null(JoschUpdate *update, int column);
extern void josch_update_set_text(JoschUpdate *update, int column, const char *text);	/* NULL: SQL NULL */

/* Writes the row; false when a trigger keeps it as it is. */
extern bool josch_update_write(JoschUpdate *update);

extern void josch_update_end(JoschUpdate *update);

#endif							/* JOSCH_UPDATE_H */
