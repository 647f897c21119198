/*
 * src/audit/pack.h
 *	  Many whole rows of a table as two JSON objects, and back.
 *
 * What all rows have in common stands once, what differs stands column by column:
 *
 *	same	{"job_date": "2026-11-20", "state": "pending"}
 *	each	{"node_id": [1, 2, 3], "exec_command": ["sh a", null, "sh c"]}
 *
 * so that it costs little to write, is small, and can be read without knowing what the
 * table looked like.  A column that is NULL is not there, as in a row of its own; but what
 * an UPDATE made NULL is, in both.
 */
#ifndef JOSCH_PACK_H
#define JOSCH_PACK_H

#include "base/josch.h"

#include "executor/tuptable.h"
#include "utils/jsonb.h"

#include "audit/store_audit.h"
#include "audit/value.h"

/* Rows in one pack, at most. */
#define JOSCH_PACK_ROWS 1000

typedef struct PackColumn
{
	bool		is_null;		/* in the first row */
	Datum		first;
	JsonbValue *each;			/* NULL: all rows have what the first one has */
} PackColumn;

/* A pack that is being filled; made, and filled, in the current context. */
typedef struct AuditPack
{
	AuditColumn **of;			/* the table's, in the order of jsonb's keys */
	int			ncolumns;
	bool		keeps_nulls;	/* what is NULL is there, as null: it was changed to that */
	ValueFormat *format;
	PackColumn *columns;		/* as "of" */
	int			n;				/* rows */
	Size		bytes;			/* of the values that it holds, about */
} AuditPack;

/* Whether rows of the table can be told from a pack: in one, null of SQL and of JSON are the same. */
extern bool josch_pack_can_hold(const AuditTable *table);

extern void josch_pack_begin(AuditPack *pack, AuditColumn **columns, int ncolumns, bool keeps_nulls, ValueFormat *format);

/* Adds a row, taken apart, where it is not full. */
extern void josch_pack_add(AuditPack *pack, TupleTableSlot *row);
extern bool josch_pack_is_full(const AuditPack *pack);

/* What was filled in, in the current context. */
extern void josch_pack_end(AuditPack *pack, Datum *same, Datum *each);

/* A pack that is being read. */
typedef struct PackRows
{
	JsonbValue	same;
	JsonbValue	each;
	bool		keeps_nulls;
	JsonbPair  *pairs;			/* of the row that is put together */
} PackRows;

/* Allocated in the current context, as what is read of it. */
extern void josch_pack_open(PackRows *rows, Jsonb *same, Jsonb *each, bool keeps_nulls);

/* A row, numbered from 0, as one object, with the columns that another pack has too (NULL: with all). */
extern Jsonb *josch_pack_row(PackRows *rows, int row, const PackRows *only);

/* One of its columns; NULL for SQL NULL. */
extern const JsonbValue *josch_pack_value(const PackRows *rows, int row, const char *column);

#endif							/* JOSCH_PACK_H */
