/*
 * src/day/parameters.c
 *	  The parameters of a day: variables that whoever makes it gives to it alone.
 *
 * The rules are those of josch.environs, since a parameter is a variable like
 * any other once a command has it: its name, its length, and who may write it.
 */
#include "base/josch.h"

#include "catalog/pg_authid.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/numeric.h"

#include "day/parameters.h"
#include "node/command.h"

/* As the constraints on josch.environs have them. */
#define NAME_MAX_CHARACTERS 200
#define VALUE_MAX_BYTES 100000

/* As the constraint on josch.jobs has it. */
#define ALL_MAX_BYTES 1000000

/* What is wrong with a parameter. */
typedef enum Fault
{
	FAULT_NONE, FAULT_NAME, FAULT_BUILT_IN, FAULT_LENGTH, FAULT_KIND
} Fault;

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static Fault
fault_of_name(const char *name, int length)
{
	if (length == 0 || length > NAME_MAX_CHARACTERS || !is_letter(name[0]))
	{
		return FAULT_NAME;
	}
	for (int i = 1; i < length; i++)
	{
		if (!is_letter(name[i]) && (name[i] < '0' || name[i] > '9'))
		{
			return FAULT_NAME;
		}
	}
	return josch_command_is_reserved(name, length) ? FAULT_BUILT_IN : FAULT_NONE;
}

static Fault
fault_of(const JsonbPair *pair, bool strings_only)
{
	const JsonbValue *value = &pair->value;
	Fault		fault = fault_of_name(pair->key.val.string.val, pair->key.val.string.len);

	if (fault != FAULT_NONE)
	{
		return fault;
	}
	if (value->type == jbvString)
	{
		return value->val.string.len > VALUE_MAX_BYTES ? FAULT_LENGTH : FAULT_NONE;
	}
	return !strings_only && (value->type == jbvNumeric || value->type == jbvBool) ? FAULT_NONE : FAULT_KIND;
}

/* The pairs of an object, palloc'd; NULL when it is none. */
static JsonbPair *
pairs_of(Jsonb *object, int *n)
{
	JsonbIterator *all;
	JsonbIteratorToken token;
	JsonbValue	value;
	JsonbPair  *pairs;

	*n = 0;
	if (!JB_ROOT_IS_OBJECT(object))
	{
		return NULL;
	}
	pairs = palloc0(Max(JB_ROOT_COUNT(object), 1) * sizeof(JsonbPair));
	all = JsonbIteratorInit(&object->root);
	while ((token = JsonbIteratorNext(&all, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			pairs[*n].key = value;
		}
		else if (token == WJB_VALUE)
		{
			pairs[(*n)++].value = value;
		}
	}
	return pairs;
}

bool
josch_parameters_are_valid(Jsonb *parameters)
{
	int			n;
	JsonbPair  *pairs = pairs_of(parameters, &n);

	for (int i = 0; i < n; i++)
	{
		if (fault_of(&pairs[i], true) != FAULT_NONE)
		{
			return false;
		}
	}
	return pairs != NULL;
}

static void
complain(Fault fault, const JsonbPair *pair)
{
	char	   *name = pnstrdup(pair->key.val.string.val, Min(pair->key.val.string.len, NAME_MAX_CHARACTERS));

	switch (fault)
	{
		case FAULT_NONE:
			break;
		case FAULT_NAME:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_NAME),
					 errmsg("\"%s\" cannot be the name of a parameter", name),
					 errdetail("It is a variable of the commands: letters, digits and underscores, no digit first, %d characters at most.",
							   NAME_MAX_CHARACTERS)));
			break;
		case FAULT_BUILT_IN:
			ereport(ERROR,
					(errcode(ERRCODE_RESERVED_NAME),
					 errmsg("a parameter cannot be named \"%s\"", name),
					 errdetail("JOSCH gives this variable itself.")));
			break;
		case FAULT_LENGTH:
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("parameter \"%s\" is too long", name),
					 errdetail("A variable has %d bytes at most.", VALUE_MAX_BYTES)));
			break;
		case FAULT_KIND:
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("parameter \"%s\" must be a string, a number or a boolean", name)));
			break;
	}
}

/* As a text; palloc'd. */
static char *
text_of(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "true" : "false");
		default:
			elog(ERROR, "a parameter of an unexpected kind");
	}
}

static void
check_rights(void)
{
	if (!has_privs_of_role(GetUserId(), ROLE_PG_EXECUTE_SERVER_PROGRAM))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to give parameters to a day"),
				 errdetail("A command may consist of a variable, so only roles with the privileges of \"%s\" may give them, as with josch.environs.",
						   "pg_execute_server_program")));
	}
}

Jsonb *
josch_parameters_take(Jsonb *given)
{
	StringInfoData object;
	int			n;
	JsonbPair  *pairs = pairs_of(given, &n);

	if (pairs == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("params must be an object"),
				 errhint("Write '{\"NAME\": \"value\"}'.")));
	}
	if (n > 0)
	{
		check_rights();
	}
	initStringInfo(&object);
	for (int i = 0; i < n; i++)
	{
		char	   *value;

		complain(fault_of(&pairs[i], false), &pairs[i]);
		value = text_of(&pairs[i].value);
		complain(strlen(value) > VALUE_MAX_BYTES ? FAULT_LENGTH : FAULT_NONE, &pairs[i]);
		appendStringInfoString(&object, i > 0 ? ", " : "{");
		escape_json(&object, pnstrdup(pairs[i].key.val.string.val, pairs[i].key.val.string.len));
		appendStringInfoString(&object, ": ");
		escape_json(&object, value);
	}
	appendStringInfoString(&object, n > 0 ? "}" : "{}");
	if (object.len > ALL_MAX_BYTES)
	{
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("the parameters are too long together"),
				 errdetail("Those of a day have %d bytes at most.", ALL_MAX_BYTES)));
	}
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(object.data)));
}

Jsonb *
josch_parameters_argument(FunctionCallInfo fcinfo, int number, const char *job_name)
{
	if (PG_ARGISNULL(number))
	{
		return NULL;
	}
	if (job_name == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("job_name must not be null where params are given")));
	}
	return josch_parameters_take(PG_GETARG_JSONB_P(number));
}

char **
josch_parameters_names(Jsonb *parameters, int *n)
{
	JsonbPair  *pairs = pairs_of(parameters, n);
	char	  **names = palloc(Max(*n, 1) * sizeof(char *));

	for (int i = 0; i < *n; i++)
	{
		names[i] = pnstrdup(pairs[i].key.val.string.val, pairs[i].key.val.string.len);
	}
	return names;
}
