/*
 * src/audit/api_packed.c
 *	  The wrapper of josch.<table>_audit_packed: how the rows that packs of the record hold are found.
 *
 * The foreign table is a child of the audit table, so that whoever reads that one reads
 * all that is recorded.  A condition on the date picks the packs, one on the id rows of
 * them; all conditions are asked again by the executor, so that none needs to be
 * understood here.
 */
#include "base/josch.h"

#include "access/sysattr.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "foreign/fdwapi.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/planmain.h"
#include "optimizer/restrictinfo.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "audit/packed_scan.h"
#include "audit/packed_table.h"
#include "base/shims.h"

PG_FUNCTION_INFO_V1(josch_api_packed_handler);

/* What a scan costs, and each row that is taken out of a pack, in the planner's units. */
#define SCAN_COST 10
#define ROW_COST 0.05
/* What a condition leaves to be read, about. */
#define DATE_PART 0.01
#define ID_PART 0.05
/* Rows of a page of packs, about. */
#define PAGE_ROWS 5000

/* ---- planning ---- */

static bool
is_column(Node *node, Index relid, AttrNumber number)
{
	return IsA(node, Var) && ((Var *) node)->varno == (int) relid && ((Var *) node)->varattno == number &&
		((Var *) node)->varlevelsup == 0;
}

static bool
is_equality(PackedKey key, Oid operator)
{
	RegProcedure function = get_opcode(operator);

	return key == PACKED_DATE ? function == F_DATE_EQ :
		function == F_INT8EQ || function == F_INT84EQ || function == F_INT48EQ;
}

/* What the column is to be equal to; NULL: the clause is of another kind. */
static Expr *
compared_with(Node *clause, PackedKey key, Index relid, AttrNumber number)
{
	OpExpr	   *condition = (OpExpr *) clause;
	Node	   *left,
			   *right,
			   *value;

	if (!IsA(clause, OpExpr) || list_length(condition->args) != 2 || !is_equality(key, condition->opno))
	{
		return NULL;
	}
	left = linitial(condition->args);
	right = lsecond(condition->args);
	value = is_column(left, relid, number) ? right : is_column(right, relid, number) ? left : NULL;
	if (value == NULL || contain_var_clause(value) || contain_volatile_functions(value))
	{
		return NULL;
	}
	return exprType(value) != INT4OID ? (Expr *) value :
		(Expr *) makeFuncExpr(F_INT8_INT4, INT8OID, list_make1(value), InvalidOid, InvalidOid, COERCE_EXPLICIT_CALL);
}

/* What a key is to be equal to, by the clauses; NULL: anything. */
static Expr *
find_value(const PackedTable *packed, PackedKey key, Oid foreign_table, Index relid, List *clauses)
{
	const char *name = key == PACKED_DATE ? packed->date : packed->id;
	AttrNumber	number = name != NULL ? get_attnum(foreign_table, name) : InvalidAttrNumber;
	Expr	   *value = NULL;
	ListCell   *cell;

	foreach(cell, clauses)
	{
		value = number != InvalidAttrNumber && value == NULL ? compared_with(lfirst(cell), key, relid, number) : value;
	}
	return value;
}

/*
 * Rows that are read, by the size of the table alone; they are what a scan costs, whatever
 * other conditions leave of them.
 */
static void
estimate_size(PlannerInfo *root, RelOptInfo *rel, Oid foreign_table)
{
	const PackedTable *packed = josch_packed_scan_table(foreign_table);
	List	   *clauses = extract_actual_clauses(rel->baserestrictinfo, false);
	Relation	packs = josch_table_open(&josch_packed_table_packs, AccessShareLock);

	rel->tuples = PAGE_ROWS * (double) RelationGetNumberOfBlocks(packs);
	table_close(packs, AccessShareLock);
	if (find_value(packed, PACKED_DATE, foreign_table, rel->relid, clauses) != NULL)
	{
		rel->tuples *= DATE_PART;
	}
	if (find_value(packed, PACKED_ID, foreign_table, rel->relid, clauses) != NULL)
	{
		rel->tuples *= ID_PART;
	}
	rel->rows = clamp_row_est(rel->tuples / 2);
}

static void
add_paths(PlannerInfo *root, RelOptInfo *rel, Oid foreign_table)
{
	add_path(rel, (Path *) josch_foreign_path(root, rel, rel->rows, SCAN_COST + rel->tuples * ROW_COST));
}

/* Their numbers; 0 for the whole row. */
static List *
columns_asked_for(RelOptInfo *rel, List *clauses)
{
	Bitmapset  *columns = NULL;
	List	   *numbers = NIL;
	int			column = -1;

	pull_varattnos((Node *) rel->reltarget->exprs, rel->relid, &columns);
	pull_varattnos((Node *) clauses, rel->relid, &columns);
	while ((column = bms_next_member(columns, column)) >= 0)
	{
		if (column + FirstLowInvalidHeapAttributeNumber >= 0)
		{
			numbers = lappend_int(numbers, column + FirstLowInvalidHeapAttributeNumber);
		}
	}
	return numbers;
}

static ForeignScan *
make_plan(PlannerInfo *root, RelOptInfo *rel, Oid foreign_table, ForeignPath *path, List *targets, List *clauses, Plan *outer)
{
	const PackedTable *packed = josch_packed_scan_table(foreign_table);
	List	   *values = NIL,
			   *keys = NIL;

	clauses = extract_actual_clauses(clauses, false);
	for (int key = 0; key < PACKED_KEYS; key++)
	{
		Expr	   *value = find_value(packed, key, foreign_table, rel->relid, clauses);

		if (value != NULL)
		{
			values = lappend(values, value);
			keys = lappend_int(keys, key);
		}
	}
	return make_foreignscan(targets, clauses, rel->relid, values, list_make2(keys, columns_asked_for(rel, clauses)), NIL, NIL, outer);
}

/* ---- writing, which the triggers of the audit table have refused before ---- */

static TupleTableSlot *
refuse_row(EState *estate, ResultRelInfo *target, TupleTableSlot *slot, TupleTableSlot *plan_slot)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("josch.%s is append-only", RelationGetRelationName(target->ri_RelationDesc))));
	return NULL;				/* not reached */
}

static void
refuse_truncate(List *relations, DropBehavior behavior, bool restart_sequences)
{
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("josch.%s is append-only", RelationGetRelationName((Relation) linitial(relations)))));
}

/* josch.audit_packed_handler() */
Datum
josch_api_packed_handler(PG_FUNCTION_ARGS)
{
	FdwRoutine *routine = makeNode(FdwRoutine);

	routine->GetForeignRelSize = estimate_size;
	routine->GetForeignPaths = add_paths;
	routine->GetForeignPlan = make_plan;
	routine->BeginForeignScan = josch_packed_scan_begin;
	routine->IterateForeignScan = josch_packed_scan_next;
	routine->ReScanForeignScan = josch_packed_scan_again;
	routine->EndForeignScan = josch_packed_scan_end;
	routine->ExecForeignUpdate = refuse_row;
	routine->ExecForeignDelete = refuse_row;
	routine->ExecForeignTruncate = refuse_truncate;
	return PointerGetDatum(routine);
}
