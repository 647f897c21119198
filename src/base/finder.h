/*
 * src/base/finder.h
 *	  Rows of the extension's own tables, found by key and locked without waiting.
 *
 * No statement is planned, so that no statistics, and no table that is locked while
 * it is small, can make a plan of it that reads all rows.
 */
#ifndef JOSCH_FINDER_H
#define JOSCH_FINDER_H

#include "base/josch.h"

#include "access/genam.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/snapshot.h"

#include "base/table.h"

#define JOSCH_FINDER_KEYS 5

typedef struct JoschFinder
{
	MemoryContext context;		/* of the scan, which keeps notes from row to row */
	JoschTable *table;
	Relation	relation;
	Relation	index;
	Snapshot	snapshot;
	IndexScanDesc scan;
	ScanKeyData keys[JOSCH_FINDER_KEYS];
	ScanKeyData from[JOSCH_FINDER_KEYS];	/* of josch_finder_seek_from */
	int			nkeys;
	TupleTableSlot *slot;		/* the row at hand */
} JoschFinder;

/* What became of the attempt to lock the row at hand. */
typedef enum JoschLock
{
	JOSCH_LOCK_TAKEN,
	JOSCH_LOCK_HELD,			/* somebody else has it */
	JOSCH_LOCK_GONE				/* it has been deleted meanwhile */
} JoschLock;

/*
 * Opens the table of that name, as josch_table_open does, to find rows by the first
 * nkeys columns of its primary key, which are the first of the JoschTable (0: all rows).  All that is committed now is seen, and what
 * this transaction's former commands have written.  The slot is the current context's.
 * An ERROR is cleared up by the abort of the (sub)transaction.
 */
extern void josch_finder_open(JoschFinder *finder, JoschTable *table, int nkeys, LOCKMODE lock);

/*
 * The same by any index, whatever its name, whose first columns are the first of the
 * JoschTable, and as a snapshot has the rows (NULL: as they are now).
 */
extern void josch_finder_open_index(JoschFinder *finder, JoschTable *table, int nkeys, Snapshot snapshot, LOCKMODE lock);

/* Looks for rows with this key; josch_finder_next gives the first and those after it. */
extern void josch_finder_seek(JoschFinder *finder, const Datum *key);
extern bool josch_finder_next(JoschFinder *finder);

/* The only row with this key. */
extern bool josch_finder_find(JoschFinder *finder, const Datum *key);

/*
 * The row beside: with the key's columns but the last, whose value is the nearest one
 * before (BackwardScanDirection) or after the key's (ForwardScanDirection).
 */
extern bool josch_finder_find_beside(JoschFinder *finder, const Datum *key, ScanDirection side);

/* Locks the row at hand as UPDATE does; it is read again, in its latest version. */
extern JoschLock josch_finder_lock(JoschFinder *finder);

/* The same for people, who wait for whoever has it; false when he has deleted it. */
extern bool josch_finder_wait(JoschFinder *finder);

/* Deletes the row at hand, which nobody else deletes: of a list, whose rows are their owner's.  No trigger fires. */
extern void josch_finder_delete(JoschFinder *finder);

/* A column of the row at hand, by its place in the JoschTable; it lives until the next row. */
extern Datum josch_finder_get(JoschFinder *finder, int column, bool *isnull);

/* The same of a text; palloc'd, NULL for SQL NULL. */
extern char *josch_finder_get_text(JoschFinder *finder, int column);

/*
 * The same for a range of rows: those whose first column is the key's, and whose other
 * columns are, as a row, not less.  josch_finder_next gives them in that order.
 */
extern void josch_finder_open_range(JoschFinder *finder, JoschTable *table, int nkeys, LOCKMODE lock);
extern void josch_finder_seek_from(JoschFinder *finder, const Datum *key);

/* A range for a node of the executor: what its snapshot sees, and nothing that was written since. */
extern void josch_finder_open_scan(JoschFinder *finder, JoschTable *table, int nkeys, Snapshot snapshot);

extern void josch_finder_close(JoschFinder *finder);

#endif							/* JOSCH_FINDER_H */
