/*
 * src/node/retry_on.c
 *	  The words of nodes.retry_on: after which ends of a run a node may be tried again.
 *
 * The CHECK on the column and whoever decides by it read them here.
 */
#include "base/josch.h"

#include "node/retry_on.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/elog.h"

#define SQLSTATE_WORD "sqlstate:"
#define DEFAULT_CLASS "40"		/* where no SQLSTATE is named, but something else */
#define CLASS_LENGTH 2
#define CODE_LENGTH 5

static bool
is_sqlstate(const char *code)
{
	size_t		length = strlen(code);

	return (length == CLASS_LENGTH || length == CODE_LENGTH) &&
		strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

static bool
take_word(RetryOn *on, const char *word)
{
	const char *code = word + strlen(SQLSTATE_WORD);
	bool	   *flag = strcmp(word, "exit") == 0 ? &on->exit : strcmp(word, "signal") == 0 ? &on->signal :
		strcmp(word, "timeout") == 0 ? &on->timeout : strcmp(word, "start") == 0 ? &on->start : NULL;

	if (flag != NULL)
	{
		*flag = true;
		return true;
	}
	if (strncmp(word, SQLSTATE_WORD, strlen(SQLSTATE_WORD)) != 0 || !is_sqlstate(code))
	{
		return false;
	}
	strlcpy(on->sqlstates[on->nsqlstates++], code, sizeof(on->sqlstates[0]));
	return true;
}

bool
josch_retry_on_parse(ArrayType *words, RetryOn *on)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	memset(on, 0, sizeof(RetryOn));
	if (ARR_NDIM(words) > 1)
	{
		return false;
	}
	deconstruct_array(words, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls, &n);
	if (n > JOSCH_RETRY_ON_MAX)
	{
		return false;
	}
	for (int i = 0; i < n; i++)
	{
		if (nulls[i] || !take_word(on, TextDatumGetCString(values[i])))
		{
			return false;
		}
	}
	if (n > 0 && on->nsqlstates == 0)
	{
		strlcpy(on->sqlstates[on->nsqlstates++], DEFAULT_CLASS, sizeof(on->sqlstates[0]));
	}
	return true;
}

bool
josch_retry_on_sqlstate(const RetryOn *on, int sqlstate)
{
	const char *code = unpack_sql_state(sqlstate);
	bool		may_be_done = sqlstate == ERRCODE_T_R_STATEMENT_COMPLETION_UNKNOWN ||
		sqlstate == ERRCODE_TRANSACTION_RESOLUTION_UNKNOWN;

	for (int i = 0; i < on->nsqlstates; i++)
	{
		if (strcmp(on->sqlstates[i], code) == 0 ||
			(!may_be_done && strlen(on->sqlstates[i]) == CLASS_LENGTH && strncmp(on->sqlstates[i], code, CLASS_LENGTH) == 0))
		{
			return true;
		}
	}
	return false;
}
