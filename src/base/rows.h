/*
 * src/base/rows.h
 *	  Rows and structs: ONE list names the fields in the order of the columns.
 *
 * What src/wire/protocol.h is for messages, this is for statements.  A map says
 * where in a struct each column goes; the same map reads the result of a SELECT
 * into structs and makes of structs the arrays of an unnest().
 *
 *	static const JoschRow started_row = JOSCH_ROW(StoreStarted,
 *		JOSCH_FIELD(StoreStarted, run_id, INT64),
 *		JOSCH_NULLABLE(StoreStarted, pid, INT32, 0),
 *		JOSCH_FIELD(StoreStarted, started_at, TIMESTAMPTZ));
 *
 * A map names all columns of its statement; members that it does not name are
 * left zero.  Kinds and types are checked once a result, not once a row.
 */
#ifndef JOSCH_ROWS_H
#define JOSCH_ROWS_H

#include "base/josch.h"

#define JOSCH_ROW_MAX_FIELDS 24

/* What a column is in SQL, and its member in C. */
typedef enum JoschFieldKind
{
	JOSCH_FIELD_INT64,			/* bigint, or xid8: int64, uint64 */
	JOSCH_FIELD_INT32,			/* integer: int32, or an enum */
	JOSCH_FIELD_BOOL,
	JOSCH_FIELD_FLOAT8,			/* double */
	JOSCH_FIELD_DATE,
	JOSCH_FIELD_TIMESTAMPTZ,
	JOSCH_FIELD_TEXT,			/* char *; SQL NULL is a NULL pointer */
	JOSCH_FIELD_LETTER,			/* text of one letter: char */
	JOSCH_FIELD_WORD,			/* text, one of a list of words: an enum, the word's number */
	JOSCH_FIELD_JSONB			/* Jsonb *; SQL NULL is a NULL pointer */
} JoschFieldKind;

typedef struct JoschField
{
	JoschFieldKind kind;
	Size		offset;
	bool		nullable;
	int64		null;			/* the member's value that stands for SQL NULL */
	const char *const *words;	/* of a WORD, ended by NULL */
} JoschField;

typedef struct JoschRow
{
	Size		size;			/* of the struct */
	int			nfields;
	JoschField	fields[JOSCH_ROW_MAX_FIELDS];
} JoschRow;

#define JOSCH_ROW(type, ...) \
	{ .size = sizeof(type), \
	  .nfields = (int) (sizeof((const JoschField[]){__VA_ARGS__}) / sizeof(JoschField)), \
	  .fields = {__VA_ARGS__} }

/* Where the member is; does not compile when it has not the size of its kind. */
#define JOSCH_MEMBER(type, member, bytes) \
	(offsetof(type, member) + 0 * sizeof(char[sizeof(((type *) 0)->member) == (bytes) ? 1 : -1]))

#define JOSCH_SIZE_INT64 8
#define JOSCH_SIZE_INT32 4
#define JOSCH_SIZE_BOOL sizeof(bool)
#define JOSCH_SIZE_FLOAT8 8
#define JOSCH_SIZE_DATE 4
#define JOSCH_SIZE_TIMESTAMPTZ 8
#define JOSCH_SIZE_TEXT sizeof(char *)
#define JOSCH_SIZE_LETTER 1
#define JOSCH_SIZE_JSONB sizeof(void *)

/* A column that is read as 0, false or NULL when it is NULL. */
#define JOSCH_FIELD(type, member, what) \
	{ .kind = JOSCH_FIELD_##what, .offset = JOSCH_MEMBER(type, member, JOSCH_SIZE_##what) }

/* A column whose NULL is that value of the member, both ways. */
#define JOSCH_NULLABLE(type, member, what, value) \
	{ .kind = JOSCH_FIELD_##what, .offset = JOSCH_MEMBER(type, member, JOSCH_SIZE_##what), \
	  .nullable = true, .null = (int64) (value) }

/* An enum that is stored as one of the words; a word that is not among them is an ERROR. */
#define JOSCH_FIELD_WORDS(type, member, list) \
	{ .kind = JOSCH_FIELD_WORD, .offset = JOSCH_MEMBER(type, member, sizeof(int)), .words = (list) }

/* The two columns of a NodeKey. */
#define JOSCH_FIELD_KEY(type, member) \
	JOSCH_FIELD(type, member.node_id, INT64), JOSCH_FIELD(type, member.job_date, DATE)

/* The first n rows of SPI_tuptable as structs, with their texts, palloc'd in a context. */
extern void *josch_rows_fetch(const JoschRow *map, uint64 n, MemoryContext context);

/* The first row, into a struct that is there. */
extern void josch_rows_fetch_one(const JoschRow *map, void *row, MemoryContext context);

/* One array a field, for unnest(), from args[0] on; palloc'd in the current context. */
extern void josch_rows_arrays(const JoschRow *map, const void *rows, int n, Datum *args);

/* A NodeKey alone: node_id, job_date. */
extern const JoschRow josch_rows_key;

#endif							/* JOSCH_ROWS_H */
