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

#include "access/xact.h"
#include "executor/executor.h"
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
	ExprState **compiled;
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

static void
compile(Checks *checks, const TupleConstr *constraints)
{
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);
	EState	   *estate = CreateExecutorState();

	checks->compiled = MemoryContextAllocZero(estate->es_query_cxt, sizeof(ExprState *) * constraints->num_check);
	for (int i = 0; i < constraints->num_check; i++)
	{
		if (is_enforced(&constraints->check[i]))
		{
			checks->compiled[i] = ExecPrepareExpr((Expr *) stringToNode(constraints->check[i].ccbin), estate);
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
