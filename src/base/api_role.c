/*
 * src/base/api_role.c
 *	  The type josch.role to SQL: in and out by name, in the order of the names.
 */
#include "base/josch.h"

#include "base/role.h"

#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/acl.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(josch_api_role_in);
PG_FUNCTION_INFO_V1(josch_api_role_out);
PG_FUNCTION_INFO_V1(josch_api_role_recv);
PG_FUNCTION_INFO_V1(josch_api_role_send);
PG_FUNCTION_INFO_V1(josch_api_role_oid);
PG_FUNCTION_INFO_V1(josch_api_role_compare);
PG_FUNCTION_INFO_V1(josch_api_role_hash);

#define ROLE_ARG(n) ((const JoschRole *) PG_GETARG_POINTER(n))

/* A name without a role is kept: a dump comes back before or without its roles. */
static Datum
role_of(const char *name)
{
	JoschRole  *role = palloc0(sizeof(JoschRole));

	if (strlen(name) >= NAMEDATALEN)
	{
		ereport(ERROR,
				(errcode(ERRCODE_NAME_TOO_LONG),
				 errmsg("the name of a role is too long"),
				 errdetail("It has %zu bytes; %d is the most.", strlen(name), NAMEDATALEN - 1)));
	}
	role->oid = get_role_oid(name, true);
	namestrcpy(&role->name, name);
	return PointerGetDatum(role);
}

Datum
josch_api_role_in(PG_FUNCTION_ARGS)
{
	return role_of(PG_GETARG_CSTRING(0));
}

Datum
josch_api_role_out(PG_FUNCTION_ARGS)
{
	PG_RETURN_CSTRING(pstrdup(josch_role_name(ROLE_ARG(0))));
}

Datum
josch_api_role_recv(PG_FUNCTION_ARGS)
{
	StringInfo	message = (StringInfo) PG_GETARG_POINTER(0);
	int			length;

	return role_of(pq_getmsgtext(message, message->len - message->cursor, &length));
}

Datum
josch_api_role_send(PG_FUNCTION_ARGS)
{
	const char *name = josch_role_name(ROLE_ARG(0));
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendtext(&message, name, strlen(name));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* josch.role_oid(role): 0 when there is no such role, or no longer */
Datum
josch_api_role_oid(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(josch_role_oid(ROLE_ARG(0)));
}

static int
compare(FunctionCallInfo fcinfo)
{
	const char *name = pstrdup(josch_role_name(ROLE_ARG(0)));

	return strcmp(name, josch_role_name(ROLE_ARG(1)));
}

Datum
josch_api_role_compare(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare(fcinfo));
}

#define COMPARISON(function, operator) \
	PG_FUNCTION_INFO_V1(function); \
	Datum \
	function(PG_FUNCTION_ARGS) \
	{ \
		PG_RETURN_BOOL(compare(fcinfo) operator 0); \
	}

COMPARISON(josch_api_role_lt, <)
COMPARISON(josch_api_role_le, <=)
COMPARISON(josch_api_role_eq, ==)
COMPARISON(josch_api_role_ne, !=)
COMPARISON(josch_api_role_ge, >=)
COMPARISON(josch_api_role_gt, >)

Datum
josch_api_role_hash(PG_FUNCTION_ARGS)
{
	const char *name = josch_role_name(ROLE_ARG(0));

	return hash_any((const unsigned char *) name, strlen(name));
}
