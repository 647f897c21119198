/*
 * src/node/api_act.c
 *	  What people do to nodes: josch.signoff(), approve(), ... rerun(), claim(),
 *	  unclaim(), and josch.act() for many at once.
 *
 * EXECUTE is granted to josch_operator, so the rights are those of the function;
 * who may not call an act's function may not do it to many either.
 */
#include "base/josch.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "base/attempt.h"
#include "base/report.h"
#include "base/states.h"
#include "node/act.h"
#include "node/claim.h"
#include "node/fsm.h"
#include "node/store_node.h"

PG_FUNCTION_INFO_V1(josch_api_act);
PG_FUNCTION_INFO_V1(josch_api_act_many);
PG_FUNCTION_INFO_V1(josch_api_claim);
PG_FUNCTION_INFO_V1(josch_api_unclaim);

static void
forbid_null(FunctionCallInfo fcinfo, int argument, const char *name)
{
	if (PG_ARGISNULL(argument))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("%s must not be null", name)));
	}
}

/* The first two arguments of each of them. */
static NodeKey
key_arguments(FunctionCallInfo fcinfo)
{
	josch_report_if_read_only(fcinfo);
	forbid_null(fcinfo, 0, "node_id");
	forbid_null(fcinfo, 1, "job_date");
	return (NodeKey) {PG_GETARG_INT64(0), PG_GETARG_DATEADT(1)};
}

/* josch.signoff(node_id, job_date, comment) and its like; the function's name is the act's. */
Datum
josch_api_act(PG_FUNCTION_ARGS)
{
	NodeKey		key = key_arguments(fcinfo);
	ActDetails	details = {0};

	details.comment = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	details.descendants = PG_NARGS() > 3 && !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
	PG_RETURN_TEXT_P(cstring_to_text(josch_fsm_label(josch_act(key, get_func_name(fcinfo->flinfo->fn_oid), &details))));
}

/* josch.claim(node_id, job_date, comment) */
Datum
josch_api_claim(PG_FUNCTION_ARGS)
{
	NodeKey		key = key_arguments(fcinfo);
	ActDetails	details = {0};

	details.comment = PG_ARGISNULL(2) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(2));
	PG_RETURN_TIMESTAMPTZ(josch_claim(key, &details));
}

/* josch.unclaim(node_id, job_date) */
Datum
josch_api_unclaim(PG_FUNCTION_ARGS)
{
	josch_unclaim(key_arguments(fcinfo));
	PG_RETURN_VOID();
}

/* ---- many at once ---- */

typedef struct ManyActs
{
	const char *action;
	const char *comment;
	NodeKey    *keys;
	int64	   *seen;			/* NULL when nobody says what was looked at */
	int			n;
} ManyActs;

/* One of them, as josch_attempt wants it. */
typedef struct OneAct
{
	const ManyActs *all;
	int			at;
	NodeState	after;
} OneAct;

static void
act_once(void *argument)
{
	OneAct	   *one = argument;
	ActDetails	details = {.comment = one->all->comment, .seen = one->all->seen != NULL ? one->all->seen[one->at] : 0};

	one->after = (josch_claim_is(one->all->action) ? josch_claim_act : josch_act)
		(one->all->keys[one->at], one->all->action, &details);
}

/* The elements of an array argument, none of them NULL; counts them. */
static Datum *
elements(FunctionCallInfo fcinfo, int argument, const char *name, Oid type, int *n)
{
	Datum	   *values;
	bool	   *nulls;

	forbid_null(fcinfo, argument, name);
	deconstruct_array(PG_GETARG_ARRAYTYPE_P(argument), type, type == INT8OID ? sizeof(int64) : sizeof(DateADT),
					  type != INT8OID || FLOAT8PASSBYVAL, type == INT8OID ? TYPALIGN_DOUBLE : TYPALIGN_INT, &values, &nulls, n);
	for (int i = 0; i < *n; i++)
	{
		if (nulls[i])
		{
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s must not contain null", name)));
		}
	}
	return values;
}

static void
check_length(const char *name, int n, int wanted)
{
	if (n != wanted)
	{
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("there are %d node_ids and %d %s", wanted, n, name),
				 errhint("Give one for each of node_ids.")));
	}
}

/* An act that there is, or a claim, and whose own function the caller may call. */
static void
check_action(const char *action)
{
	Oid			any = InvalidOid;	/* types of arguments, which are not asked for, but may not be NULL */
	Oid			function;

	if (josch_acts_find(action) == NULL && !josch_claim_is(action))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no act \"%s\"", action),
				 errhint("josch.acts() lists them; besides there are claim and unclaim.")));
	}
	function = LookupFuncName(list_make2(makeString(pstrdup(JOSCH_SCHEMA)), makeString(pstrdup(action))), -1, &any, false);
	if (!DatumGetBool(DirectFunctionCall2(has_function_privilege_id, ObjectIdGetDatum(function),
										  CStringGetTextDatum("EXECUTE"))))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied for function %s", action)));
	}
}

static ManyActs
many_arguments(FunctionCallInfo fcinfo)
{
	ManyActs	all = {0};
	Datum	   *ids;
	Datum	   *dates;
	int			ndates;

	forbid_null(fcinfo, 0, "action");
	all.action = text_to_cstring(PG_GETARG_TEXT_PP(0));
	check_action(all.action);
	ids = elements(fcinfo, 1, "node_ids", INT8OID, &all.n);
	dates = elements(fcinfo, 2, "job_dates", DATEOID, &ndates);
	if (ndates != 1)
	{
		check_length("job_dates", ndates, all.n);
	}
	all.comment = PG_ARGISNULL(3) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(3));
	all.keys = palloc(sizeof(NodeKey) * Max(all.n, 1));
	for (int i = 0; i < all.n; i++)
	{
		all.keys[i] = (NodeKey) {DatumGetInt64(ids[i]), DatumGetDateADT(dates[ndates == 1 ? 0 : i])};
	}
	if (!PG_ARGISNULL(4))
	{
		int			nseen;
		Datum	   *seen = elements(fcinfo, 4, "seen", INT8OID, &nseen);

		check_length("seen", nseen, all.n);
		all.seen = palloc(sizeof(int64) * Max(all.n, 1));
		for (int i = 0; i < all.n; i++)
		{
			all.seen[i] = DatumGetInt64(seen[i]);
		}
	}
	return all;
}

/*
 * josch.act(action, node_ids, job_dates, comment, seen): each in a subtransaction,
 * with a row that says what came of it.
 */
Datum
josch_api_act_many(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ManyActs	all;

	josch_report_if_read_only(fcinfo);
	all = many_arguments(fcinfo);
	InitMaterializedSRF(fcinfo, 0);
	josch_store_node_lock_all(all.keys, all.n);
	for (int i = 0; i < all.n; i++)
	{
		OneAct		one = {.all = &all, .at = i};
		ErrorData  *error = josch_attempt(act_once, &one);
		const char *texts[5] = {0};
		Datum		values[7] = {Int64GetDatum(all.keys[i].node_id), DateADTGetDatum(all.keys[i].job_date)};
		bool		nulls[7] = {false};

		CHECK_FOR_INTERRUPTS();
		if (error == NULL)
		{
			texts[0] = josch_fsm_label(one.after);
		}
		else
		{
			texts[1] = unpack_sql_state(error->sqlerrcode);
			texts[2] = error->message;
			texts[3] = error->detail;
			texts[4] = error->hint;
		}
		for (int column = 0; column < 5; column++)
		{
			nulls[column + 2] = texts[column] == NULL;
			values[column + 2] = nulls[column + 2] ? (Datum) 0 : CStringGetTextDatum(texts[column]);
		}
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
