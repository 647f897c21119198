/*
 * src/base/finder.c
 *	  Rows of the extension's own tables, found by key and locked without waiting.
 */
#include "base/josch.h"

#include "base/finder.h"

#include "access/nbtree.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/shims.h"

/* Of a range: one that is equal, and one that compares the rest as a row. */
#define RANGE_KEYS 2

/* The function of the index's family that compares that column so. */
static RegProcedure
comparison(const JoschFinder *finder, int column, StrategyNumber strategy)
{
	Oid			type = finder->index->rd_opcintype[column];
	Oid			op = get_opfamily_member(finder->index->rd_opfamily[column], type, type, strategy);

	return OidIsValid(op) ? get_opcode(op) : InvalidOid;
}

static void
describe_key(const JoschFinder *finder, ScanKey key, int column, StrategyNumber strategy, Datum value)
{
	ScanKeyEntryInitialize(key, 0, column + 1, strategy, finder->index->rd_opcintype[column],
						   finder->index->rd_indcollation[column], comparison(finder, column, strategy), value);
}

/* Keys that were described, one after the other for a place; made of what the catalog says, some look-ups each. */
static struct
{
	uint64		generation;		/* of tables; 0: none is here */
	const JoschTable *table;
	Oid			index;
	int			n;
	ScanKeyData keys[JOSCH_FINDER_KEYS];
}			described[64];

/* The table's first columns are those of the index. */
static void
describe_all(JoschFinder *finder)
{
	for (int i = 0; i < finder->nkeys; i++)
	{
		if (finder->index->rd_index->indnatts <= i || finder->index->rd_index->indkey.values[i] != finder->table->numbers[i] ||
			!OidIsValid(comparison(finder, i, BTEqualStrategyNumber)))
		{
			ereport(ERROR,
					(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
					 errmsg("the %s of josch.%s is not as JOSCH made it", finder->index->rd_index->indisprimary ?
							"primary key" : psprintf("index %s", RelationGetRelationName(finder->index)),
							RelationGetRelationName(finder->relation)),
					 errtable(finder->relation)));
		}
		describe_key(finder, &finder->keys[i], i, BTEqualStrategyNumber, (Datum) 0);
	}
}

/* The keys of the scan, but for their values. */
static void
describe_keys(JoschFinder *finder)
{
	int			place = (RelationGetRelid(finder->index) + (uintptr_t) finder->table / sizeof(JoschTable)) % lengthof(described);
	uint64		generation = josch_table_generation();
	MemoryContext former;

	if (described[place].generation != generation || described[place].table != finder->table ||
		described[place].index != RelationGetRelid(finder->index) || described[place].n < finder->nkeys)
	{
		described[place].generation = 0;
		former = MemoryContextSwitchTo(TopMemoryContext);
		describe_all(finder);
		MemoryContextSwitchTo(former);
		memcpy(described[place].keys, finder->keys, sizeof(ScanKeyData) * finder->nkeys);
		described[place].table = finder->table;
		described[place].index = RelationGetRelid(finder->index);
		described[place].n = finder->nkeys;
		described[place].generation = generation;
	}
	memcpy(finder->keys, described[place].keys, sizeof(ScanKeyData) * finder->nkeys);
}

static void
complain_of_missing(Relation relation, const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table josch.%s has no %s", RelationGetRelationName(relation), what),
			 errtable(relation)));
}

static Relation
open_primary_key(Relation relation)
{
	Oid			index = josch_primary_key(relation);

	if (!OidIsValid(index))
	{
		complain_of_missing(relation, "primary key");
	}
	return index_open(index, AccessShareLock);
}

/* Whether all rows are found by it, by these columns, which come first in it. */
static bool
has_columns(Relation relation, Relation index, const JoschTable *table, int n)
{
	if (!index->rd_index->indisvalid || index->rd_rel->relam != BTREE_AM_OID || index->rd_index->indnkeyatts < n ||
		RelationGetIndexPredicate(index) != NIL)
	{
		return false;
	}
	for (int i = 0; i < n; i++)
	{
		AttrNumber	number = table->numbers[i];

		if (index->rd_index->indkey.values[i] != number ||
			index->rd_indcollation[i] != TupleDescAttr(RelationGetDescr(relation), number - 1)->attcollation)
		{
			return false;
		}
	}
	return true;
}

/* Whatever its name is: who makes an index anew may give it another. */
static Relation
open_index_on(Relation relation, const JoschTable *table, int n)
{
	List	   *indexes = RelationGetIndexList(relation);
	ListCell   *cell;

	foreach(cell, indexes)
	{
		Relation	index = index_open(lfirst_oid(cell), AccessShareLock);

		if (has_columns(relation, index, table, n))
		{
			list_free(indexes);
			return index;
		}
		index_close(index, AccessShareLock);
	}
	complain_of_missing(relation, psprintf("index of all its rows that begins with \"%s\"", table->columns[0].name));
	return NULL;
}

/* With what this transaction has written; NULL: as it is now. */
static Snapshot
register_snapshot(Snapshot snapshot)
{
	Snapshot	registered;

	CommandCounterIncrement();	/* what the statement has changed whose trigger we may be */
	if (snapshot == NULL)
	{
		return RegisterSnapshot(GetLatestSnapshot());
	}
	PushCopiedSnapshot(snapshot);
	UpdateActiveSnapshotCommandId();
	registered = RegisterSnapshot(GetActiveSnapshot());
	PopActiveSnapshot();
	return registered;
}

/* The snapshot is taken when the table is locked: who waited for it sees what the other has done. */
static void
open_scan(JoschFinder *finder, JoschTable *table, bool by_primary_key, int nkeys, int nscankeys,
		  Snapshot (*take) (Snapshot), Snapshot snapshot, LOCKMODE lock)
{
	memset(finder, 0, sizeof(JoschFinder));
	finder->context = CurrentMemoryContext;
	finder->table = table;
	finder->nkeys = nkeys;
	finder->relation = josch_table_open(table, lock);
	finder->index = by_primary_key ? open_primary_key(finder->relation) : open_index_on(finder->relation, table, nkeys);
	describe_keys(finder);
	finder->snapshot = take(snapshot);
	finder->scan = josch_index_beginscan(finder->relation, finder->index, finder->snapshot, nscankeys);
	finder->slot = table_slot_create(finder->relation, NULL);
}

void
josch_finder_open(JoschFinder *finder, JoschTable *table, int nkeys, LOCKMODE lock)
{
	open_scan(finder, table, true, nkeys, nkeys, register_snapshot, NULL, lock);
}

void
josch_finder_open_index(JoschFinder *finder, JoschTable *table, int nkeys, Snapshot snapshot, LOCKMODE lock)
{
	open_scan(finder, table, false, nkeys, nkeys, register_snapshot, snapshot, lock);
}

void
josch_finder_open_range(JoschFinder *finder, JoschTable *table, int nkeys, LOCKMODE lock)
{
	open_scan(finder, table, true, nkeys, RANGE_KEYS, register_snapshot, NULL, lock);
}

void
josch_finder_open_scan(JoschFinder *finder, JoschTable *table, int nkeys, Snapshot snapshot)
{
	open_scan(finder, table, true, nkeys, RANGE_KEYS, RegisterSnapshot, snapshot, AccessShareLock);
}

void
josch_finder_seek(JoschFinder *finder, const Datum *key)
{
	MemoryContext former = MemoryContextSwitchTo(finder->context);

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < finder->nkeys; i++)
	{
		finder->keys[i].sk_argument = key[i];
	}
	index_rescan(finder->scan, finder->keys, finder->nkeys, NULL, 0);
	MemoryContextSwitchTo(former);
}

/* The columns after the first, compared as one row. */
static void
describe_rest(JoschFinder *finder, const Datum *key)
{
	for (int i = 1; i < finder->nkeys; i++)
	{
		Oid			type = finder->index->rd_opcintype[i];
		Oid			compare = get_opfamily_proc(finder->index->rd_opfamily[i], type, type, BTORDER_PROC);

		ScanKeyEntryInitialize(&finder->from[i], SK_ROW_MEMBER | (i == finder->nkeys - 1 ? SK_ROW_END : 0), i + 1,
							   BTGreaterEqualStrategyNumber, type, finder->index->rd_indcollation[i], compare, key[i]);
	}
}

void
josch_finder_seek_from(JoschFinder *finder, const Datum *key)
{
	MemoryContext former = MemoryContextSwitchTo(finder->context);
	ScanKeyData keys[RANGE_KEYS] = {finder->keys[0]};

	CHECK_FOR_INTERRUPTS();
	keys[0].sk_argument = key[0];
	describe_rest(finder, key);
	keys[1].sk_flags = SK_ROW_HEADER;
	keys[1].sk_attno = finder->from[1].sk_attno;
	keys[1].sk_strategy = BTGreaterEqualStrategyNumber;
	keys[1].sk_argument = PointerGetDatum(&finder->from[1]);
	index_rescan(finder->scan, keys, RANGE_KEYS, NULL, 0);
	MemoryContextSwitchTo(former);
}

bool
josch_finder_next(JoschFinder *finder)
{
	MemoryContext former = MemoryContextSwitchTo(finder->context);
	bool		found = index_getnext_slot(finder->scan, ForwardScanDirection, finder->slot);

	MemoryContextSwitchTo(former);
	return found;
}

bool
josch_finder_find(JoschFinder *finder, const Datum *key)
{
	josch_finder_seek(finder, key);
	return josch_finder_next(finder);
}

bool
josch_finder_find_beside(JoschFinder *finder, const Datum *key, ScanDirection side)
{
	MemoryContext former = MemoryContextSwitchTo(finder->context);
	int			last = finder->nkeys - 1;
	ScanKeyData keys[JOSCH_FINDER_KEYS];
	bool		found;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < last; i++)
	{
		keys[i] = finder->keys[i];
		keys[i].sk_argument = key[i];
	}
	describe_key(finder, &keys[last], last, ScanDirectionIsBackward(side) ? BTLessStrategyNumber : BTGreaterStrategyNumber, key[last]);
	index_rescan(finder->scan, keys, finder->nkeys, NULL, 0);
	found = index_getnext_slot(finder->scan, side, finder->slot);
	MemoryContextSwitchTo(former);
	return found;
}

static JoschLock
lock_row(JoschFinder *finder, LockWaitPolicy policy)
{
	TM_FailureData failure;
	ItemPointerData tid = finder->slot->tts_tid;
	TM_Result	result = table_tuple_lock(finder->relation, &tid, finder->snapshot, finder->slot,
										  GetCurrentCommandId(false), LockTupleNoKeyExclusive, policy,
										  TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure);

	switch (result)
	{
		case TM_Ok:
			return JOSCH_LOCK_TAKEN;
		case TM_WouldBlock:
			return JOSCH_LOCK_HELD;
		case TM_Deleted:
			return JOSCH_LOCK_GONE;
		default:
			elog(ERROR, "unexpected result of locking a row of \"%s\": %d",
				 RelationGetRelationName(finder->relation), (int) result);
	}
}

JoschLock
josch_finder_lock(JoschFinder *finder)
{
	return lock_row(finder, LockWaitSkip);
}

bool
josch_finder_wait(JoschFinder *finder)
{
	return lock_row(finder, LockWaitBlock) == JOSCH_LOCK_TAKEN;
}

void
josch_finder_delete(JoschFinder *finder)
{
	simple_table_tuple_delete(finder->relation, &finder->slot->tts_tid, finder->snapshot);
}

Datum
josch_finder_get(JoschFinder *finder, int column, bool *isnull)
{
	return slot_getattr(finder->slot, finder->table->numbers[column], isnull);
}

char *
josch_finder_get_text(JoschFinder *finder, int column)
{
	bool		isnull;
	Datum		value = josch_finder_get(finder, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

void
josch_finder_close(JoschFinder *finder)
{
	ExecDropSingleTupleTableSlot(finder->slot);
	index_endscan(finder->scan);
	UnregisterSnapshot(finder->snapshot);
	index_close(finder->index, NoLock);
	table_close(finder->relation, NoLock);
}
