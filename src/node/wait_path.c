/*
 * src/node/wait_path.c
 *	  The file that a node waits for: its wait_file, with the values of its variables.
 *
 * What is written is a pattern, and what a variable has is a name: so values are escaped
 * on their way in, and the folder, which is none, is freed of that again.
 */
#include "base/josch.h"

#include "node/wait_path.h"

#include <ctype.h>

#include "lib/stringinfo.h"

static bool
is_special(char c)
{
	return c == '*' || c == '?' || c == '[' || c == '\\';
}

static bool
is_of_name(char c, bool first)
{
	return c == '_' || isalpha((unsigned char) c) || (!first && isdigit((unsigned char) c));
}

static const char *
value_of(char *const *environment, const char *name, size_t len)
{
	for (; *environment != NULL; environment++)
	{
		if (strncmp(*environment, name, len) == 0 && (*environment)[len] == '=')
		{
			return *environment + len + 1;
		}
	}
	return NULL;
}

/* Appends the value, with each "from" replaced by "to" (an empty one: by nothing). */
static void
append_value(StringInfo out, const char *value, const char *from, size_t from_len, const char *to, size_t to_len)
{
	while (*value != '\0')
	{
		bool		replaced = from_len > 0 && strncmp(value, from, from_len) == 0;
		const char *piece = replaced ? to : value;

		for (size_t i = 0; i < (replaced ? to_len : 1); i++)
		{
			if (is_special(piece[i]))
			{
				appendStringInfoChar(out, '\\');
			}
			appendStringInfoChar(out, piece[i]);
		}
		value += replaced ? from_len : 1;
	}
}

/* A variable, of which "p" is after the $.  Returns where it ends; NULL, and the fault, when it is none. */
static const char *
take_variable(StringInfo out, const char *p, char *const *environment, char **fault)
{
	bool		braces = *p == '{';
	const char *name = braces ? p + 1 : p;
	const char *end = name;
	const char *value;
	const char *from = "";
	const char *to = "";
	size_t		from_len = 0;
	size_t		to_len = 0;

	while (is_of_name(*end, end == name))
	{
		end++;
	}
	p = end;
	if (braces && p[0] == '/' && p[1] == '/')
	{
		from = p + 2;
		from_len = strcspn(from, "/}");
		p = from + from_len;
		if (*p == '/')
		{
			to = p + 1;
			to_len = strcspn(to, "}");
			p = to + to_len;
		}
	}
	if (end == name || (braces && *p != '}'))
	{
		*fault = pstrdup("its wait_file has a $ that begins no variable: there are $NAME, ${NAME} and ${NAME//from/to}");
		return NULL;
	}
	value = value_of(environment, name, end - name);
	if (value == NULL)
	{
		*fault = psprintf("its wait_file uses a variable that does not exist: \"%s\"", pnstrdup(name, end - name));
		return NULL;
	}
	append_value(out, value, from, from_len, to, to_len);
	return braces ? p + 1 : p;
}

/* As it is, without escapes; sets whether there was anything of a pattern in it. */
static char *
unescape(const char *text, bool *pattern)
{
	StringInfoData out;

	initStringInfo(&out);
	*pattern = false;
	for (const char *p = text; *p != '\0'; p++)
	{
		*pattern |= *p == '*' || *p == '?' || *p == '[';
		if (*p == '\\' && p[1] != '\0')
		{
			p++;
		}
		appendStringInfoChar(&out, *p);
	}
	return out.data;
}

static void
split(WaitPath *result, const char *escaped)
{
	const char *slash = strrchr(escaped, '/');
	bool		pattern;

	if (escaped[0] != '/')
	{
		result->fault = psprintf("its wait_file is no absolute path: \"%s\"", escaped);
		return;
	}
	if (slash[1] == '\0')
	{
		result->fault = psprintf("its wait_file ends with a /: \"%s\"", escaped);
		return;
	}
	result->path = unescape(escaped, &pattern);
	result->folder = unescape(slash == escaped ? "/" : pnstrdup(escaped, slash - escaped), &pattern);
	if (pattern)
	{
		result->fault = psprintf("only the last part of its wait_file may be a pattern: \"%s\"", result->path);
		return;
	}
	result->name = unescape(slash + 1, &result->pattern);
	if (result->pattern)
	{
		result->name = pstrdup(slash + 1);
	}
}

WaitPath
josch_wait_path(const char *text, char *const *environment)
{
	WaitPath	result = {0};
	StringInfoData out;

	initStringInfo(&out);
	while (text != NULL && *text != '\0')
	{
		if (*text != '$')
		{
			appendStringInfoChar(&out, *text++);
			continue;
		}
		text = take_variable(&out, text + 1, environment, &result.fault);
	}
	if (result.fault == NULL)
	{
		split(&result, out.data);
	}
	return result;
}
