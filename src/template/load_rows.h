/*
 * src/template/load_rows.h
 *	  Rows of a load on their way into a table: in order, each with its line.
 *
 * They are kept as a statement keeps its transition tables: what work_mem does not
 * hold lies on disk, so that a load of millions of rows needs no more memory than a
 * small one.  Statements read them by name (store_template.c).
 */
#ifndef JOSCH_LOAD_ROWS_H
#define JOSCH_LOAD_ROWS_H

#include "base/josch.h"

#include "access/tupdesc.h"
#include "executor/tuptable.h"
#include "utils/tuplestore.h"

/* Of a table that is loaded. */
typedef struct TemplateColumn
{
	const char *name;
	Oid			type;
	bool		is_key;
} TemplateColumn;

/* What each row has beside its columns; no column of a table is called so. */
#define LOAD_ROW_NUMBER "row number"	/* from 1 on */
#define LOAD_ROW_LINE "row line"	/* of the file; 0: rows have no lines */
#define LOAD_ROW_EXTRA 2

typedef struct LoadRows
{
	TupleDesc	desc;			/* the columns, and the two of above */
	Tuplestorestate *store;
	int			n;
} LoadRows;

extern void josch_load_rows_begin(LoadRows *rows, const TemplateColumn *columns, int ncolumns);

/* The arrays have room for the two. */
extern void josch_load_rows_add(LoadRows *rows, Datum *values, bool *nulls, int line);

/* A row, by its place from 0 on, in a slot of its own.  For messages: it goes through all those before. */
extern TupleTableSlot *josch_load_rows_find(const LoadRows *rows, int row);

extern int	josch_load_rows_line(const LoadRows *rows, TupleTableSlot *slot);

/*
 * Goes through the rows and writes them anew: "change" is called for each, which lives until the next.
 */
typedef void (*LoadRowsChange) (void *arg, Datum *values, bool *nulls);
extern void josch_load_rows_change(LoadRows *rows, LoadRowsChange change, void *arg);

extern void josch_load_rows_end(LoadRows *rows);

#endif							/* JOSCH_LOAD_ROWS_H */
