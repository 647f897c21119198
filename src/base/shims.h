/*
 * src/base/shims.h
 *	  What the executor and the access methods are asked, in the words of each version.
 *
 * For those who go past the planner: base/finder.c, base/target.c, node/waiting_mend.c; and audit/api_packed.c, which it asks.
 */
#ifndef JOSCH_SHIMS_H
#define JOSCH_SHIMS_H

#include "base/josch.h"

#include "access/genam.h"
#include "access/tableam.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"

#if PG_VERSION_NUM >= 190000
#define josch_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0, 0)
#elif PG_VERSION_NUM >= 180000
#define josch_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, NULL, nkeys, 0)
#else
#define josch_index_beginscan(heap, index, snapshot, nkeys) \
	index_beginscan(heap, index, snapshot, nkeys, 0)
#endif

/* A path that reads a foreign table whole, of so many rows. */
#if PG_VERSION_NUM >= 180000
#define josch_foreign_path(root, rel, rows, cost) \
	create_foreignscan_path(root, rel, NULL, rows, 0, 0, cost, NIL, (rel)->lateral_relids, NULL, NIL, NIL)
#elif PG_VERSION_NUM >= 170000
#define josch_foreign_path(root, rel, rows, cost) \
	create_foreignscan_path(root, rel, NULL, rows, 0, cost, NIL, (rel)->lateral_relids, NULL, NIL, NIL)
#else
#define josch_foreign_path(root, rel, rows, cost) \
	create_foreignscan_path(root, rel, NULL, rows, 0, cost, NIL, (rel)->lateral_relids, NULL, NIL)
#endif

#if PG_VERSION_NUM >= 190000
#define josch_table_beginscan(relation, snapshot) table_beginscan(relation, snapshot, 0, NULL, 0)
#else
#define josch_table_beginscan(relation, snapshot) table_beginscan(relation, snapshot, 0, NULL)
#endif

/* A primary key that is deferrable finds rows as well as another. */
#if PG_VERSION_NUM >= 180000
#define josch_primary_key(relation) RelationGetPrimaryKeyIndex(relation, true)
#else
#define josch_primary_key(relation) RelationGetPrimaryKeyIndex(relation)
#endif

#if PG_VERSION_NUM >= 190000
#define josch_insert_index_tuples(target, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples(target, estate, \
						  ((update) ? EIIT_IS_UPDATE : 0) | ((only_summarizing) ? EIIT_ONLY_SUMMARIZING : 0), \
						  slot, NIL, NULL)
#elif PG_VERSION_NUM >= 160000
#define josch_insert_index_tuples(target, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples(target, slot, estate, update, false, NULL, NIL, only_summarizing)
#else
#define josch_insert_index_tuples(target, slot, estate, update, only_summarizing) \
	ExecInsertIndexTuples(target, slot, estate, update, false, NULL, NIL)
#endif

/* Which indexes get an entry for the new version of a row. */
#if PG_VERSION_NUM >= 160000
typedef TU_UpdateIndexes JoschNewEntries;
#define josch_any_entry(entries) ((entries) != TU_None)
#define josch_only_summarizing(entries) ((entries) == TU_Summarizing)
#else
typedef bool JoschNewEntries;
#define josch_any_entry(entries) (entries)
#define josch_only_summarizing(entries) false
#endif

#if PG_VERSION_NUM >= 190000
#define josch_table_tuple_update(relation, tid, slot, command, snapshot, failure, lock, entries) \
	table_tuple_update(relation, tid, slot, command, 0, snapshot, InvalidSnapshot, true, failure, lock, entries)
#else
#define josch_table_tuple_update(relation, tid, slot, command, snapshot, failure, lock, entries) \
	table_tuple_update(relation, tid, slot, command, snapshot, InvalidSnapshot, true, failure, lock, entries)
#endif

#if PG_VERSION_NUM >= 180000
#define josch_before_row_update(estate, epq, target, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, target, tid, NULL, slot, NULL, NULL, false)
#elif PG_VERSION_NUM >= 160000
#define josch_before_row_update(estate, epq, target, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, target, tid, NULL, slot, NULL, NULL)
#else
#define josch_before_row_update(estate, epq, target, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, target, tid, NULL, slot, NULL)
#endif

#if PG_VERSION_NUM >= 160000
#define josch_epq_init(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#else
#define josch_epq_init(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1)
#endif

/* The range table of a statement on one relation, which names the columns that it may change. */
static inline void
josch_init_range_table(EState *estate, RangeTblEntry *entry, Bitmapset *updated)
{
#if PG_VERSION_NUM >= 160000
	List	   *permissions = NIL;

	addRTEPermissionInfo(&permissions, entry)->updatedCols = updated;
#if PG_VERSION_NUM >= 180000
	ExecInitRangeTable(estate, list_make1(entry), permissions, bms_make_singleton(1));
#else
	ExecInitRangeTable(estate, list_make1(entry), permissions);
#endif
#else
	entry->updatedCols = updated;
	ExecInitRangeTable(estate, list_make1(entry));
#endif
}

#endif							/* JOSCH_SHIMS_H */
