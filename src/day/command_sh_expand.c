/*
 * src/day/command_sh_expand.c
 *	  What "$", quotes and backquotes do inside a word of sh.
 *
 * As POSIX has it, 2.2 Quoting and 2.6 Word Expansions, as far as it takes to know
 * which "$" stands for a variable and where each construct ends.
 */
#include "base/josch.h"

#include "day/command_sh.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

/* Letters are those of ASCII, whatever the locale: so says POSIX of names. */
static bool
starts_name(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool
continues_name(char c)
{
	return starts_name(c) || (c >= '0' && c <= '9');
}

int
josch_command_sh_expand_name(const char *text)
{
	int			length = 0;

	if (starts_name(text[0]))
	{
		while (continues_name(text[length]))
		{
			length++;
		}
	}
	return length;
}

void
josch_command_sh_expand_note(List **names, const char *name, int length)
{
	*names = lappend(*names, pnstrdup(name, length));
}

ShReader
josch_command_sh_expand_inner(const ShReader *outer, const char *text)
{
	ShReader		inner = {
		.at = text,
		.used = outer->used,
		.set = outer->set,
		.opaque = outer->opaque,
	};

	return inner;
}

/* Skips 'text'; the reader stands after the first quote. */
void
josch_command_sh_expand_single_quoted(ShReader *reader)
{
	while (*reader->at != '\0' && *reader->at != '\'')
	{
		reader->at++;
	}
	if (*reader->at == '\'')
	{
		reader->at++;
	}
}

/*
 * Reads one character of text in which "$", backquote and backslash mean
 * something and other characters do not: inside double quotes, in a
 * here-document, in arithmetic.
 */
void
josch_command_sh_expand_character(ShReader *reader)
{
	char		c = *reader->at++;

	if (c == '\\' && *reader->at != '\0')
	{
		reader->at++;
	}
	else if (c == '$')
	{
		josch_command_sh_expand_dollar(reader, true);
	}
	else if (c == '`')
	{
		josch_command_sh_expand_backquoted(reader, true);
	}
}

/* Reads up to the closing quote; the reader stands after the opening one. */
void
josch_command_sh_expand_double_quoted(ShReader *reader)
{
	while (*reader->at != '\0' && *reader->at != '"')
	{
		josch_command_sh_expand_character(reader);
	}
	if (*reader->at == '"')
	{
		reader->at++;
	}
}

/*
 * Reads `command`; the reader stands after the first backquote.  A backslash
 * before "$", a backquote or a backslash (and inside double quotes before a
 * double quote) is taken away before the command is read.
 */
void
josch_command_sh_expand_backquoted(ShReader *reader, bool quoted)
{
	StringInfoData text;
	ShReader		inner;

	initStringInfo(&text);
	while (*reader->at != '\0' && *reader->at != '`')
	{
		if (reader->at[0] == '\\' && reader->at[1] != '\0' &&
			(strchr("$`\\", reader->at[1]) != NULL || (quoted && reader->at[1] == '"')))
		{
			reader->at++;
		}
		appendStringInfoChar(&text, *reader->at++);
	}
	if (*reader->at == '`')
	{
		reader->at++;
	}
	inner = josch_command_sh_expand_inner(reader, text.data);
	josch_command_sh_read(&inner);
}

/* Notes NAME of NAME=, NAME+= ... in arithmetic; the reader stands on the name. */
static void
read_arithmetic_name(ShReader *reader)
{
	int			length = josch_command_sh_expand_name(reader->at);
	const char *after = reader->at + length;

	while (*after == ' ')
	{
		after++;
	}
	if (*after != '\0' && strchr("+-*/%&|^", *after) != NULL)
	{
		after++;
	}
	else if (strncmp(after, "<<", 2) == 0 || strncmp(after, ">>", 2) == 0)
	{
		after += 2;
	}
	if (after[0] == '=' && after[1] != '=')
	{
		josch_command_sh_expand_note(reader->set, reader->at, length);
	}
	reader->at += length;
}

/*
 * Tells $((1 + 2)) from $((echo a); (echo b)), a command in parentheses: "text"
 * is what follows the two, and arithmetic is what ends with two.  It looks ahead
 * and reads nothing twice, so that no nesting takes longer than its length asks.
 */
static bool
is_arithmetic(const char *text)
{
	int			depth = 0;

	for (; *text != '\0'; text++)
	{
		if (*text == ')' && depth == 0)
		{
			return text[1] == ')';
		}
		if (*text == '\\' && text[1] != '\0')
		{
			text++;
		}
		else if (*text == '\'' || *text == '"')
		{
			const char *end = strchr(text + 1, *text);

			text = end != NULL ? end : text;
		}
		depth += (*text == '(') - (*text == ')');
	}
	return true;
}

/* Reads $((...)); the reader stands after the second parenthesis. */
static void
read_arithmetic(ShReader *reader)
{
	int			depth = 0;

	while (*reader->at != '\0')
	{
		char		c = *reader->at;

		if (c == ')' && depth == 0)
		{
			reader->at++;
			reader->at += *reader->at == ')';
			return;
		}
		if (starts_name(c))
		{
			read_arithmetic_name(reader);
			continue;
		}
		depth += (c == '(') - (c == ')');
		josch_command_sh_expand_character(reader);
	}
}

/*
 * Reads the word of ${NAME-word} and the closing brace.  Single quotes quote in
 * it unless the whole stands in double quotes and the word is a value.
 */
static void
read_brace_word(ShReader *reader, bool single_quotes)
{
	while (*reader->at != '\0' && *reader->at != '}')
	{
		if (*reader->at == '"')
		{
			reader->at++;
			josch_command_sh_expand_double_quoted(reader);
		}
		else if (*reader->at == '\'' && single_quotes)
		{
			reader->at++;
			josch_command_sh_expand_single_quoted(reader);
		}
		else
		{
			josch_command_sh_expand_character(reader);
		}
	}
	if (*reader->at == '}')
	{
		reader->at++;
	}
}

/* Reads ${...}; the reader stands after the brace. */
static void
read_brace(ShReader *reader, bool quoted)
{
	const char *name;
	const char *operator;
	int			length;
	bool		is_value;

	/* ${#NAME} is a length; ${#}, ${#-x} are about $# */
	if (reader->at[0] == '#' && starts_name(reader->at[1]))
	{
		reader->at++;
	}
	name = reader->at;
	length = josch_command_sh_expand_name(name);
	if (length == 0 && *name != '\0' && *name != '}')
	{
		reader->at++;			/* a digit or one of @*#?-$! */
	}
	reader->at += length;
	operator = reader->at + (reader->at[0] == ':');
	is_value = *operator != '\0' && strchr("-=+?", *operator) != NULL;
	if (length > 0)
	{
		if (!is_value)
		{
			josch_command_sh_expand_note(reader->used, name, length);
		}
		else if (*operator == '=')
		{
			josch_command_sh_expand_note(reader->set, name, length);
		}
	}
	read_brace_word(reader, !quoted || !is_value);
}

/* Reads what follows a "$"; the reader stands after it. */
void
josch_command_sh_expand_dollar(ShReader *reader, bool quoted)
{
	int			length = josch_command_sh_expand_name(reader->at);

	check_stack_depth();
	if (length > 0)
	{
		josch_command_sh_expand_note(reader->used, reader->at, length);
		reader->at += length;
	}
	else if (*reader->at == '{')
	{
		reader->at++;
		read_brace(reader, quoted);
	}
	else if (*reader->at == '(')
	{
		reader->at++;
		if (*reader->at == '(' && is_arithmetic(reader->at + 1))
		{
			reader->at++;
			read_arithmetic(reader);
		}
		else
		{
			josch_command_sh_read(reader);
		}
	}
	else if (*reader->at != '\0' && strchr("@*#?-$!0123456789", *reader->at) != NULL)
	{
		reader->at++;
	}
}
