/*
 * src/base/table.h
 *	  The extension's own tables, and their columns.
 *
 * A trigger function may be put on any table by whoever may execute it, and
 * believes what the table's rows say.  So each asks here first: for a table that
 * is not the extension's, or whose columns are not those that the function
 * reads, nothing is done but an error raised.
 */
#ifndef JOSCH_TABLE_H
#define JOSCH_TABLE_H

#include "base/josch.h"

#include "commands/trigger.h"
#include "storage/lockdefs.h"

typedef struct JoschColumn
{
	const char *name;
	Oid			type;
} JoschColumn;

/* A table as C expects it. */
typedef struct JoschTable
{
	const char *name;			/* in schema josch */
	const JoschColumn *columns;
	int			ncolumns;
	AttrNumber *numbers;		/* of the columns; filled in */
	Oid			relation;		/* that the numbers belong to; filled in */
	uint64		generation;		/* when they were looked up; filled in */
} JoschTable;

/* The members come from static arrays columns[] and numbers[] of one length. */
#define JOSCH_TABLE(table, columns_array, numbers_array) \
	{ .name = (table), .columns = (columns_array), .ncolumns = lengthof(columns_array), \
	  .numbers = (numbers_array) }

/* Raises unless the table that fired the trigger is a member of the extension, in its schema. */
extern TriggerData *josch_table_own_trigger(FunctionCallInfo fcinfo, const char *function_name);

/*
 * Raises unless it is this very table, with these columns.  Returns true when
 * the columns were looked up anew.
 */
extern bool josch_table_check(JoschTable *table, Relation relation, const char *function_name);

/* Another one after each change of a table or an index: what was looked up before counts no longer. */
extern uint64 josch_table_generation(void);

/* Opens and locks the table of that name; raises unless it has these columns. */
extern Relation josch_table_open(JoschTable *table, LOCKMODE lock);

/* Registers the callback that forgets; called once from _PG_init. */
extern void josch_table_init(void);

#endif							/* JOSCH_TABLE_H */
