/*
 * src/audit/packed_scan.h
 *	  The rows that packs of the record hold, one by one, for the executor.
 */
#ifndef JOSCH_PACKED_SCAN_H
#define JOSCH_PACKED_SCAN_H

#include "base/josch.h"

#include "nodes/execnodes.h"

#include "audit/packed_table.h"

/* What an expression of the plan is compared with. */
typedef enum PackedKey
{
	PACKED_DATE, PACKED_ID, PACKED_KEYS
} PackedKey;

/* Which of the tables it is; raises for one that is not JOSCH's own. */
extern const PackedTable *josch_packed_scan_table(Oid foreign_table);

/*
 * As a foreign data wrapper's.  The plan's expressions are what the keys are equal to;
 * its private list has which keys these are, and the numbers of the columns that are
 * asked for, 0 for all: others are NULL.
 */
extern void josch_packed_scan_begin(ForeignScanState *node, int flags);
extern TupleTableSlot *josch_packed_scan_next(ForeignScanState *node);
extern void josch_packed_scan_again(ForeignScanState *node);
extern void josch_packed_scan_end(ForeignScanState *node);

#endif							/* JOSCH_PACKED_SCAN_H */
