/*
 * src/audit/packed_scan.c
 *	  The rows that packs of the record hold, one by one, for the executor.
 */
#include "base/josch.h"

#include "audit/packed_scan.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "audit/pack.h"
#include "audit/value.h"
#include "base/finder.h"

const PackedTable *
josch_packed_scan_table(Oid foreign_table)
{
	char	   *name = get_rel_name(foreign_table);
	const PackedTable *packed = name != NULL && get_rel_namespace(foreign_table) == get_namespace_oid(JOSCH_SCHEMA, true) ?
		josch_packed_table(name) : NULL;

	if (packed == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_FDW_TABLE_NOT_FOUND),
				 errmsg("foreign table \"%s\" is not one of JOSCH's own", name != NULL ? name : "?")));
	}
	return packed;
}

/* Where the value of a column comes from. */
typedef enum PackedSource
{
	FROM_NOWHERE,				/* somebody has added it, or nobody asks for it */
	FROM_PACK,					/* a column of the pack */
	FROM_ROW,					/* a column of the row that is recorded */
	FROM_NUMBER,				/* the pack's number and the row's place */
	FROM_OLD,					/* the row as it was, or what was changed of it */
	FROM_NEW
} PackedSource;

typedef struct PackedColumn
{
	PackedSource source;
	int			pack_column;
	const char *name;
	FmgrInfo	input;			/* FROM_ROW */
	Oid			io_parameter;
	int32		type_modifier;
} PackedColumn;

typedef struct PackedScan
{
	const PackedTable *packed;
	NameData	name;			/* of the audit table */
	PackedColumn *columns;
	int			ncolumns;
	List	   *values;			/* ExprStates, */
	List	   *keys;			/* and what they are compared with */
	bool		is_open;
	JoschFinder finder;			/* on the packs, when it is open */
	bool		is_by[PACKED_KEYS];
	Datum		wanted[PACKED_KEYS];
	MemoryContext context;		/* of the pack at hand */
	AuditOperation operation;
	PackRows	rows;			/* as they are now, or were, whole */
	PackRows	former;			/* what an UPDATE changed */
	int			row;			/* the next one of it */
	int			nrows;
} PackedScan;

static void
describe_column(PackedColumn *column, Form_pg_attribute attribute, AttrNumber last)
{
	static const struct
	{
		const char *name;
		PackedSource source;
		int			pack_column;
	}			known[] = {
		{"audit_id", FROM_NUMBER}, {"old_values", FROM_OLD}, {"new_values", FROM_NEW}, {"at", FROM_PACK, PACK_AT},
		{"xid", FROM_PACK, PACK_XID}, {"session_name", FROM_PACK, PACK_SESSION_NAME}, {"role_name", FROM_PACK, PACK_ROLE_NAME},
		{"client_addr", FROM_PACK, PACK_CLIENT_ADDR}, {"application", FROM_PACK, PACK_APPLICATION},
		{"operation", FROM_PACK, PACK_OPERATION}, {"comment", FROM_PACK, PACK_COMMENT}
	};
	Oid			function;

	if (attribute->attisdropped)
	{
		return;
	}
	column->name = pstrdup(NameStr(attribute->attname));
	for (int i = 0; i < (int) lengthof(known); i++)
	{
		if (strcmp(known[i].name, column->name) == 0)
		{
			column->source = known[i].source;
			column->pack_column = known[i].pack_column;
			return;
		}
	}
	if (attribute->attnum > last)
	{
		return;
	}
	column->source = FROM_ROW;
	column->type_modifier = attribute->atttypmod;
	getTypeInputInfo(attribute->atttypid, &function, &column->io_parameter);
	fmgr_info(function, &column->input);
}

/* The last column that JOSCH has made; people's follow. */
static AttrNumber
last_column(Relation relation)
{
	AttrNumber	last = get_attnum(RelationGetRelid(relation), "comment");

	if (last == InvalidAttrNumber)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("josch.%s has no column \"comment\"", RelationGetRelationName(relation)),
				 errtable(relation)));
	}
	return last;
}

void
josch_packed_scan_begin(ForeignScanState *node, int flags)
{
	TupleDesc	desc = RelationGetDescr(node->ss.ss_currentRelation);
	Oid			foreign_table = RelationGetRelid(node->ss.ss_currentRelation);
	ForeignScan *plan = (ForeignScan *) node->ss.ps.plan;
	PackedScan *scan;
	List	   *asked_for = lsecond(plan->fdw_private);
	AttrNumber	last;

	if (flags & EXEC_FLAG_EXPLAIN_ONLY)
	{
		return;
	}
	last = last_column(node->ss.ss_currentRelation);
	scan = palloc0(sizeof(PackedScan));
	scan->packed = josch_packed_scan_table(foreign_table);
	namestrcpy(&scan->name, scan->packed->name);
	scan->ncolumns = desc->natts;
	scan->columns = palloc0(sizeof(PackedColumn) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
	{
		if (list_member_int(asked_for, 0) || list_member_int(asked_for, i + 1))
		{
			describe_column(&scan->columns[i], TupleDescAttr(desc, i), last);
		}
	}
	scan->values = ExecInitExprList(plan->fdw_exprs, (PlanState *) node);
	scan->keys = linitial(plan->fdw_private);
	scan->context = AllocSetContextCreate(CurrentMemoryContext, "josch pack of the record", ALLOCSET_DEFAULT_SIZES);
	node->fdw_state = scan;
}

/* What the keys are now; false when one is NULL, which nothing is equal to. */
static bool
find_wanted(PackedScan *scan, ExprContext *context)
{
	ListCell   *value,
			   *key;

	forboth(value, scan->values, key, scan->keys)
	{
		bool		isnull;

		scan->wanted[lfirst_int(key)] = ExecEvalExpr(lfirst(value), context, &isnull);
		scan->is_by[lfirst_int(key)] = true;
		if (isnull)
		{
			return false;
		}
	}
	return true;
}

/* The packs of a table are read in the order of date and last node, from what is wanted on. */
static bool
open_packs(PackedScan *scan, ForeignScanState *node)
{
	MemoryContext former = MemoryContextSwitchTo(node->ss.ps.state->es_query_cxt);
	bool		wanted = find_wanted(scan, node->ss.ps.ps_ExprContext);

	if (wanted)
	{
		bool		is_one_date = scan->packed->date == NULL || scan->is_by[PACKED_DATE];
		Datum		from[] = {
			NameGetDatum(&scan->name),
			scan->is_by[PACKED_DATE] ? scan->wanted[PACKED_DATE] : DateADTGetDatum(PACKED_NO_DATE),
			is_one_date && scan->is_by[PACKED_ID] ? scan->wanted[PACKED_ID] : Int64GetDatum(PG_INT64_MIN)
		};

		josch_finder_open_scan(&scan->finder, &josch_packed_table_packs, lengthof(from), node->ss.ps.state->es_snapshot);
		josch_finder_seek_from(&scan->finder, from);
		scan->is_open = true;
	}
	MemoryContextSwitchTo(former);
	return wanted;
}

static Datum
pack_value(PackedScan *scan, int column)
{
	bool		isnull;

	return josch_finder_get(&scan->finder, column, &isnull);
}

/* Whether the pack at hand may hold what is wanted. */
static bool
is_in_range(PackedScan *scan)
{
	int64		id = DatumGetInt64(scan->wanted[PACKED_ID]);

	return !scan->is_by[PACKED_ID] ||
		(id >= DatumGetInt64(pack_value(scan, PACK_FIRST_ID)) && id <= DatumGetInt64(pack_value(scan, PACK_LAST_ID)));
}

static AuditOperation
operation_of(PackedScan *scan)
{
	char	   *word = josch_finder_get_text(&scan->finder, PACK_OPERATION);

	return strcmp(word, "INSERT") == 0 ? AUDIT_INSERT : strcmp(word, "UPDATE") == 0 ? AUDIT_UPDATE : AUDIT_DELETE;
}

static void
open_pack(PackedScan *scan)
{
	MemoryContext former;

	MemoryContextReset(scan->context);
	former = MemoryContextSwitchTo(scan->context);
	scan->operation = operation_of(scan);
	josch_pack_open(&scan->rows, DatumGetJsonbP(pack_value(scan, PACK_SAME)), DatumGetJsonbP(pack_value(scan, PACK_EACH)),
					scan->operation == AUDIT_UPDATE);
	if (scan->operation == AUDIT_UPDATE)
	{
		josch_pack_open(&scan->former, DatumGetJsonbP(pack_value(scan, PACK_OLD_SAME)),
						DatumGetJsonbP(pack_value(scan, PACK_OLD_EACH)), true);
	}
	MemoryContextSwitchTo(former);
	scan->row = 0;
	scan->nrows = DatumGetInt32(pack_value(scan, PACK_ROW_COUNT));
}

/* Goes to the next pack that may hold what is wanted; false after the last. */
static bool
next_pack(PackedScan *scan)
{
	while (josch_finder_next(&scan->finder))
	{
		CHECK_FOR_INTERRUPTS();
		if (scan->is_by[PACKED_DATE] && pack_value(scan, PACK_DATE) != scan->wanted[PACKED_DATE])
		{
			return false;
		}
		if (!is_in_range(scan))
		{
			continue;
		}
		open_pack(scan);
		return true;
	}
	return false;
}

static Datum
row_value(PackedScan *scan, PackedColumn *column, bool *isnull)
{
	const JsonbValue *value = josch_pack_value(&scan->rows, scan->row, column->name);

	*isnull = value == NULL;
	return *isnull ? (Datum) 0 :
		InputFunctionCall(&column->input, josch_value_to_text(value), column->io_parameter, column->type_modifier);
}

static Datum
old_values(PackedScan *scan, bool *isnull)
{
	*isnull = scan->operation == AUDIT_INSERT;
	return *isnull ? (Datum) 0 :
		JsonbPGetDatum(josch_pack_row(scan->operation == AUDIT_UPDATE ? &scan->former : &scan->rows, scan->row, NULL));
}

/* Of an UPDATE, without the key, which is there for us. */
static Datum
new_values(PackedScan *scan, bool *isnull)
{
	*isnull = scan->operation == AUDIT_DELETE;
	return *isnull ? (Datum) 0 :
		JsonbPGetDatum(josch_pack_row(&scan->rows, scan->row, scan->operation == AUDIT_UPDATE ? &scan->former : NULL));
}

static Datum
column_value(PackedScan *scan, PackedColumn *column, bool *isnull)
{
	*isnull = false;
	switch (column->source)
	{
		case FROM_NUMBER:
			return Int64GetDatum(DatumGetInt64(pack_value(scan, PACK_FIRST_AUDIT_ID)) + scan->row);
		case FROM_PACK:
			return josch_finder_get(&scan->finder, column->pack_column, isnull);
		case FROM_ROW:
			return row_value(scan, column, isnull);
		case FROM_OLD:
			return old_values(scan, isnull);
		case FROM_NEW:
			return new_values(scan, isnull);
		case FROM_NOWHERE:
			break;
	}
	*isnull = true;
	return (Datum) 0;
}

static bool
is_wanted(PackedScan *scan)
{
	const JsonbValue *id;

	if (!scan->is_by[PACKED_ID])
	{
		return true;
	}
	id = josch_pack_value(&scan->rows, scan->row, scan->packed->id);
	return id != NULL && id->type == jbvNumeric &&
		DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(id->val.numeric))) == DatumGetInt64(scan->wanted[PACKED_ID]);
}

static Datum
system_column(PackedScan *scan, AttrNumber number)
{
	bool		isnull;

	return slot_getsysattr(scan->finder.slot, number, &isnull);
}

/* The row whose columns are filled in; who asks for xmin and the like gets what its pack has. */
static TupleTableSlot *
store_row(PackedScan *scan, TupleTableSlot *slot, bool with_system_columns)
{
	HeapTuple	row;

	if (!with_system_columns)
	{
		return ExecStoreVirtualTuple(slot);
	}
	row = heap_form_tuple(slot->tts_tupleDescriptor, slot->tts_values, slot->tts_isnull);
	row->t_self = row->t_data->t_ctid = scan->finder.slot->tts_tid;
	HeapTupleHeaderSetXmin(row->t_data, DatumGetTransactionId(system_column(scan, MinTransactionIdAttributeNumber)));
	HeapTupleHeaderSetXmax(row->t_data, InvalidTransactionId);
	HeapTupleHeaderSetCmin(row->t_data, DatumGetCommandId(system_column(scan, MinCommandIdAttributeNumber)));
	return ExecStoreHeapTuple(row, slot, false);
}

TupleTableSlot *
josch_packed_scan_next(ForeignScanState *node)
{
	PackedScan *scan = node->fdw_state;
	TupleTableSlot *slot = ExecClearTuple(node->ss.ss_ScanTupleSlot);

	if (!scan->is_open && !open_packs(scan, node))
	{
		return slot;
	}
	for (; scan->row < scan->nrows || next_pack(scan); scan->row++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!is_wanted(scan))
		{
			continue;
		}
		for (int i = 0; i < scan->ncolumns; i++)
		{
			slot->tts_values[i] = column_value(scan, &scan->columns[i], &slot->tts_isnull[i]);
		}
		scan->row++;
		return store_row(scan, slot, ((ForeignScan *) node->ss.ps.plan)->fsSystemCol);
	}
	return slot;
}

void
josch_packed_scan_again(ForeignScanState *node)
{
	PackedScan *scan = node->fdw_state;

	if (scan != NULL && scan->is_open)
	{
		josch_finder_close(&scan->finder);
	}
	scan->is_open = false;
	scan->row = scan->nrows = 0;
}

void
josch_packed_scan_end(ForeignScanState *node)
{
	if (node->fdw_state != NULL)
	{
		josch_packed_scan_again(node);
	}
}
