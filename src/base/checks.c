/*
 * src/base/checks.c
 *	  The CHECKs of a table, compiled once.
 *
 * An invalidation may come at any time, also of a table that nobody has altered (when it
 * is vacuumed), and in the middle of a statement that uses what was kept.  So it only
 * marks; what is marked is freed by a later transaction than the one that used it last.
 */
#include "base/josch.h"

#include "base/checks.h"

#include "access/sysattr.h"
#include "access/xact.h"
#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#if PG_VERSION_NUM >= 180000
#define checks_of(target) (target)->ri_CheckConstraintExprs
#define is_enforced(check) (check)->ccenforced
#define may_be_kept(constraints) (!(constraints)->has_generated_virtual)	/* these are put in when they are compiled */
#else
#define checks_of(target) (target)->ri_ConstraintExprs
#define is_enforced(check) true
#define may_be_kept(constraints) true
#endif

typedef struct Checks
{
	Oid			relation;
	bool		stale;
	TransactionId used_in;
	EState	   *estate;			/* in which they were compiled; NULL: none are there */
	int			n;
	ExprState **compiled;
	Bitmapset **columns;		/* of each, offset as in pull_varattnos; NULL: it is always asked */
	ExprState **chosen;			/* for the row at hand */
	struct Checks *next;
} Checks;

/* in TopMemoryContext; an entry for each table that was written in this process */
static Checks *kept = NULL;

static void
mark(Datum arg, Oid relation)
{
	for (Checks *checks = kept; checks != NULL; checks = checks->next)
	{
		checks->stale |= relation == InvalidOid || checks->relation == relation;
	}
}

static Checks *
find(Oid relation)
{
	Checks	   *checks = kept;

	while (checks != NULL && checks->relation != relation)
	{
		checks = checks->next;
	}
	if (checks == NULL)
	{
		if (kept == NULL)
		{
			CacheRegisterRelcacheCallback(mark, (Datum) 0);
		}
		checks = MemoryContextAllocZero(TopMemoryContext, sizeof(Checks));
		checks->relation = relation;
		checks->next = kept;
		kept = checks;
	}
	return checks;
}

/* NULL where the whole row is looked at, or no column. */
static Bitmapset *
columns_of(Node *check)
{
	Bitmapset  *columns = NULL;

	pull_varattnos(check, 1, &columns);
	return bms_next_member(columns, -1) > -FirstLowInvalidHeapAttributeNumber ? columns : NULL;
}

static void
compile(Checks *checks, const TupleConstr *constraints)
{
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	EState	   *estate = CreateExecutorState();

	MemoryContextSwitchTo(estate->es_query_cxt);
	checks->n = constraints->num_check;
	checks->compiled = palloc0(sizeof(ExprState *) * checks->n);
	checks->columns = palloc0(sizeof(Bitmapset *) * checks->n);
	checks->chosen = palloc0(sizeof(ExprState *) * checks->n);
	for (int i = 0; i < checks->n; i++)
	{
		if (is_enforced(&constraints->check[i]))
		{
			Node	   *check = stringToNode(constraints->check[i].ccbin);

			checks->columns[i] = constraints->check[i].ccvalid ? columns_of(check) : NULL;
			checks->compiled[i] = ExecPrepareExpr((Expr *) check, estate);
		}
	}
	checks->estate = estate;
	MemoryContextSwitchTo(former);
}

void
josch_checks_give(ResultRelInfo *target)
{
	const TupleConstr *constraints = RelationGetDescr(target->ri_RelationDesc)->constr;
	Checks	   *checks;

	if (constraints == NULL || constraints->num_check == 0 || !may_be_kept(constraints))
	{
		return;
	}
	checks = find(RelationGetRelid(target->ri_RelationDesc));
	if (checks->estate != NULL && checks->stale)
	{
		if (checks->used_in == GetTopTransactionId())
		{
			return;
		}
		FreeExecutorState(checks->estate);
		checks->estate = NULL;
	}
	if (checks->estate == NULL)
	{
		checks->stale = false;
		compile(checks, constraints);
	}
	checks->used_in = GetTopTransactionId();
	checks_of(target) = checks->compiled;
}

/* Byte for byte: what looks otherwise, and is the same, is asked about once more. */
static bool
is_changed(TupleTableSlot *before, TupleTableSlot *after, int at)
{
	Form_pg_attribute attribute = TupleDescAttr(after->tts_tupleDescriptor, at);
	Datum		former = before->tts_values[at];
	Datum		value = after->tts_values[at];

	if (before->tts_isnull[at] || after->tts_isnull[at])
	{
		return before->tts_isnull[at] != after->tts_isnull[at];
	}
	if (attribute->attbyval)
	{
		return former != value;
	}
	if (attribute->attlen == -1)
	{
		return VARSIZE_ANY(DatumGetPointer(former)) != VARSIZE_ANY(DatumGetPointer(value)) ||
			memcmp(DatumGetPointer(former), DatumGetPointer(value), VARSIZE_ANY(DatumGetPointer(former))) != 0;
	}
	return attribute->attlen < 0 || memcmp(DatumGetPointer(former), DatumGetPointer(value), attribute->attlen) != 0;
}

void
josch_checks_choose(ResultRelInfo *target, TupleTableSlot *before, TupleTableSlot *after)
{
	Checks	   *checks = kept != NULL ? find(RelationGetRelid(target->ri_RelationDesc)) : NULL;
	Bitmapset  *changed = NULL;

	if (checks == NULL || checks->estate == NULL ||
		(checks_of(target) != checks->compiled && checks_of(target) != checks->chosen))
	{
		return;
	}
	slot_getallattrs(before);
	slot_getallattrs(after);
	for (int i = 0; i < after->tts_tupleDescriptor->natts; i++)
	{
		if (is_changed(before, after, i))
		{
			changed = bms_add_member(changed, i + 1 - FirstLowInvalidHeapAttributeNumber);
		}
	}
	for (int i = 0; i < checks->n; i++)
	{
		checks->chosen[i] = checks->columns[i] == NULL || bms_overlap(checks->columns[i], changed) ? checks->compiled[i] : NULL;
	}
	bms_free(changed);
	checks_of(target) = checks->chosen;
}
