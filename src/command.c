/*
 * src/command.c
 *	  What a command line needs: its variables, and whether it needs a shell.
 *
 * This reads the text as sh does (POSIX, 2.2 Quoting to 2.10 Grammar), as far as
 * it takes to know which "$" stands for a variable.  It runs when a day is made,
 * so that a misspelt name is found then and not at the node's turn at night.
 * Where sh and its dialects differ it keeps to what lets a command pass.
 */
#include "josch.h"

#include "command.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"

#define BLANKS " \t"

/* What means nothing to a shell, anywhere in a word. */
#define PLAIN_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,@%+-"

/* A here-document whose body starts at the next line. */
typedef struct HereDoc
{
	char	   *end;			/* the line that ends it */
	bool		strip_tabs;		/* <<- */
	bool		literal;		/* <<'END': nothing is expanded */
} HereDoc;

/*
 * A text being read.  A text inside another (the inside of backquotes, the body
 * of a here-document) has a reader of its own that shares the lists.
 */
typedef struct Reader
{
	const char *at;
	List	  **used;			/* char *, may have duplicates */
	List	  **set;			/* char *, the names that the command sets */
	bool	   *opaque;			/* out: it runs text that is not here to read */
	List	   *here_docs;		/* of HereDoc, waiting for the end of the line */
} Reader;

/* What the next word of a command is. */
typedef enum WordRole
{
	ROLE_COMMAND,				/* the command's name, an assignment, a reserved word */
	ROLE_ARGUMENT,
	ROLE_LOOP_NAME,				/* after "for" */
	ROLE_NAMES					/* after "read": arguments are names to set */
} WordRole;

/* A word that has been read. */
typedef struct Word
{
	StringInfoData text;		/* without its quotes */
	bool		plain;			/* no quote and no expansion in it */
	char	   *assigned;		/* NAME of NAME=...; NULL when it is no assignment */
} Word;

const char *const josch_command_builtins[COMMAND_BUILTIN_COUNT] = {
	[COMMAND_DATE] = "DATE",
	[COMMAND_PREV_DATE] = "PREV_DATE",
	[COMMAND_NEXT_DATE] = "NEXT_DATE",
	[COMMAND_JOB_NAME] = "JOB_NAME",
	[COMMAND_NODE_ID] = "NODE_ID",
	[COMMAND_NODE_NAME] = "NODE_NAME",
	[COMMAND_RUN_ID] = "RUN_ID",
	[COMMAND_ATTEMPT] = "ATTEMPT",
};

const char *const josch_command_inherited[] = {
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", NULL
};

/* What sh sets by itself. */
static const char *const set_by_shell[] = {
	"IFS", "LINENO", "OLDPWD", "OPTARG", "OPTIND", "PPID", NULL
};

/* After these a command begins anew. */
static const char *const command_follows[] = {
	"if", "then", "else", "elif", "while", "until", "do", "!", "{", "time", NULL
};

static void read_commands(Reader *reader);
static void read_dollar(Reader *reader, bool quoted);
static void read_double_quoted(Reader *reader);
static void read_backquoted(Reader *reader, bool quoted);

static bool
is_one_of(const char *name, const char *const *names)
{
	for (; *names != NULL; names++)
	{
		if (strcmp(name, *names) == 0)
		{
			return true;
		}
	}
	return false;
}

static bool
is_in_list(const char *name, List *names)
{
	ListCell   *cell;

	foreach(cell, names)
	{
		if (strcmp(name, lfirst(cell)) == 0)
		{
			return true;
		}
	}
	return false;
}

bool
josch_command_is_given(const char *name)
{
	for (int i = 0; i < COMMAND_BUILTIN_COUNT; i++)
	{
		if (strcmp(name, josch_command_builtins[i]) == 0)
		{
			return true;
		}
	}
	return is_one_of(name, josch_command_inherited) || is_one_of(name, set_by_shell);
}

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

static bool
is_number(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789")] == '\0';
}

static int
name_length(const char *text)
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

static void
note(List **names, const char *name, int length)
{
	*names = lappend(*names, pnstrdup(name, length));
}

static Reader
inner_reader(const Reader *outer, const char *text)
{
	Reader		inner = {
		.at = text,
		.used = outer->used,
		.set = outer->set,
		.opaque = outer->opaque,
	};

	return inner;
}

/* Skips 'text'; the reader stands after the first quote. */
static void
skip_single_quoted(Reader *reader)
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
static void
read_quoted_character(Reader *reader)
{
	char		c = *reader->at++;

	if (c == '\\' && *reader->at != '\0')
	{
		reader->at++;
	}
	else if (c == '$')
	{
		read_dollar(reader, true);
	}
	else if (c == '`')
	{
		read_backquoted(reader, true);
	}
}

/* Reads up to the closing quote; the reader stands after the opening one. */
static void
read_double_quoted(Reader *reader)
{
	while (*reader->at != '\0' && *reader->at != '"')
	{
		read_quoted_character(reader);
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
static void
read_backquoted(Reader *reader, bool quoted)
{
	StringInfoData text;
	Reader		inner;

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
	inner = inner_reader(reader, text.data);
	read_commands(&inner);
}

/* Notes NAME of NAME=, NAME+= ... in arithmetic; the reader stands on the name. */
static void
read_arithmetic_name(Reader *reader)
{
	int			length = name_length(reader->at);
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
		note(reader->set, reader->at, length);
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
read_arithmetic(Reader *reader)
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
		read_quoted_character(reader);
	}
}

/*
 * Reads the word of ${NAME-word} and the closing brace.  Single quotes quote in
 * it unless the whole stands in double quotes and the word is a value.
 */
static void
read_brace_word(Reader *reader, bool single_quotes)
{
	while (*reader->at != '\0' && *reader->at != '}')
	{
		if (*reader->at == '"')
		{
			reader->at++;
			read_double_quoted(reader);
		}
		else if (*reader->at == '\'' && single_quotes)
		{
			reader->at++;
			skip_single_quoted(reader);
		}
		else
		{
			read_quoted_character(reader);
		}
	}
	if (*reader->at == '}')
	{
		reader->at++;
	}
}

/* Reads ${...}; the reader stands after the brace. */
static void
read_brace(Reader *reader, bool quoted)
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
	length = name_length(name);
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
			note(reader->used, name, length);
		}
		else if (*operator == '=')
		{
			note(reader->set, name, length);
		}
	}
	read_brace_word(reader, !quoted || !is_value);
}

/* Reads what follows a "$"; the reader stands after it. */
static void
read_dollar(Reader *reader, bool quoted)
{
	int			length = name_length(reader->at);

	check_stack_depth();
	if (length > 0)
	{
		note(reader->used, reader->at, length);
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
			read_commands(reader);
		}
	}
	else if (*reader->at != '\0' && strchr("@*#?-$!0123456789", *reader->at) != NULL)
	{
		reader->at++;
	}
}

/*
 * Reads one word, up to a blank or an operator.  NAME= counts only when the
 * name and the sign are bare.
 */
static Word
read_word(Reader *reader)
{
	Word		word = {.plain = true};
	int			length = name_length(reader->at);

	initStringInfo(&word.text);
	if (length > 0 && reader->at[length] == '=')
	{
		word.assigned = pnstrdup(reader->at, length);
	}
	while (*reader->at != '\0' && strchr(" \t\n;&|<>()", *reader->at) == NULL)
	{
		char		c = *reader->at++;

		word.plain &= strchr("\\'\"$`", c) == NULL;
		if (c == '\\')
		{
			if (*reader->at != '\0' && *reader->at++ != '\n')
			{
				appendStringInfoChar(&word.text, reader->at[-1]);
			}
		}
		else if (c == '\'')
		{
			const char *start = reader->at;

			skip_single_quoted(reader);
			appendBinaryStringInfo(&word.text, start,
								   reader->at - start - (reader->at[-1] == '\''));
		}
		else if (c == '"')
		{
			const char *start = reader->at;

			read_double_quoted(reader);
			appendBinaryStringInfo(&word.text, start,
								   reader->at - start - (reader->at[-1] == '"'));
		}
		else if (c == '$')
		{
			read_dollar(reader, false);
		}
		else if (c == '`')
		{
			read_backquoted(reader, false);
		}
		else
		{
			appendStringInfoChar(&word.text, c);
		}
	}
	return word;
}

static void
skip_blanks(Reader *reader)
{
	for (;;)
	{
		if (*reader->at == ' ' || *reader->at == '\t')
		{
			reader->at++;
		}
		else if (reader->at[0] == '\\' && reader->at[1] == '\n')
		{
			reader->at += 2;
		}
		else
		{
			return;
		}
	}
}

/* Reads the body of one here-document; the reader stands at its first line. */
static void
read_here_doc(Reader *reader, const HereDoc *doc)
{
	StringInfoData body;
	Reader		inner;

	initStringInfo(&body);
	while (*reader->at != '\0')
	{
		const char *line = reader->at;
		int			length = strcspn(line, "\n");

		reader->at += length + (line[length] == '\n');
		while (doc->strip_tabs && *line == '\t')
		{
			line++;
			length--;
		}
		if (length == strlen(doc->end) && strncmp(line, doc->end, length) == 0)
		{
			break;
		}
		appendBinaryStringInfo(&body, line, length);
		appendStringInfoChar(&body, '\n');
	}
	inner = inner_reader(reader, body.data);
	while (!doc->literal && *inner.at != '\0')
	{
		read_quoted_character(&inner);
	}
}

static void
read_here_docs(Reader *reader)
{
	ListCell   *cell;

	foreach(cell, reader->here_docs)
	{
		read_here_doc(reader, lfirst(cell));
	}
	reader->here_docs = NIL;
}

/* Reads an operator of redirection and its target; the reader stands on it. */
static void
read_redirection(Reader *reader)
{
	bool		here_doc = strncmp(reader->at, "<<", 2) == 0 && reader->at[2] != '<';
	bool		strip_tabs = here_doc && reader->at[2] == '-';
	Word		target;

	reader->at += strspn(reader->at, "<>");
	reader->at += strip_tabs;
	if (*reader->at != '\0' && strchr("&|", *reader->at) != NULL)
	{
		reader->at++;			/* >& <& >| */
	}
	skip_blanks(reader);
	target = read_word(reader);
	if (here_doc)
	{
		HereDoc    *doc = palloc(sizeof(HereDoc));

		doc->end = target.text.data;
		doc->strip_tabs = strip_tabs;
		doc->literal = !target.plain;
		reader->here_docs = lappend(reader->here_docs, doc);
	}
}

/*
 * Notes what a word sets, and tells what the next one is.  "case" and "esac"
 * change *cases, the number of case commands that are open.
 */
static WordRole
take_word(Reader *reader, const Word *word, WordRole role, int *cases)
{
	const char *text = word->text.data;

	if (word->assigned != NULL)
	{
		note(reader->set, word->assigned, strlen(word->assigned));
		return role;
	}
	if (role == ROLE_LOOP_NAME || role == ROLE_NAMES)
	{
		if (word->plain && text[0] != '\0' && name_length(text) == word->text.len)
		{
			note(reader->set, text, word->text.len);
		}
		return role == ROLE_NAMES ? ROLE_NAMES : ROLE_ARGUMENT;
	}
	if (role != ROLE_COMMAND || !word->plain)
	{
		return ROLE_ARGUMENT;
	}
	if (strcmp(text, "case") == 0)
	{
		(*cases)++;
	}
	else if (strcmp(text, "esac") == 0 && *cases > 0)
	{
		(*cases)--;
	}
	else if (strcmp(text, "for") == 0)
	{
		return ROLE_LOOP_NAME;
	}
	else if (strcmp(text, "read") == 0 || strcmp(text, "local") == 0 || strcmp(text, "getopts") == 0)
	{
		return ROLE_NAMES;
	}
	else if (strcmp(text, ".") == 0 || strcmp(text, "source") == 0 || strcmp(text, "eval") == 0)
	{
		*reader->opaque = true;
	}
	else if (is_one_of(text, command_follows))
	{
		return ROLE_COMMAND;
	}
	return ROLE_ARGUMENT;
}

/*
 * Reads commands up to the end of the text, or to the parenthesis that closes
 * them, which is read too.
 */
static void
read_commands(Reader *reader)
{
	WordRole	role = ROLE_COMMAND;
	int			cases = 0;

	check_stack_depth();
	for (;;)
	{
		char		c;

		CHECK_FOR_INTERRUPTS();
		skip_blanks(reader);
		c = *reader->at;
		if (c == '\0')
		{
			return;
		}
		if (c == '#')
		{
			reader->at += strcspn(reader->at, "\n");
		}
		else if (c == '<' || c == '>')
		{
			read_redirection(reader);
		}
		else if (strchr(";&|\n()", c) != NULL)
		{
			reader->at++;
			if (c == '\n')
			{
				read_here_docs(reader);
			}
			else if (c == '(')
			{
				read_commands(reader);
			}
			else if (c == ')' && cases == 0)
			{
				return;
			}
			role = ROLE_COMMAND;
		}
		else
		{
			Word		word = read_word(reader);

			/* the 2 of 2>file is no word of the command */
			if ((*reader->at == '<' || *reader->at == '>') && is_number(word.text.data))
			{
				continue;
			}
			role = take_word(reader, &word, role, &cases);
		}
	}
}

char **
josch_command_variables(const char *command, int *n)
{
	List	   *used = NIL;
	List	   *set = NIL;
	List	   *seen = NIL;
	bool		opaque = false;
	Reader		reader = {.at = command, .used = &used, .set = &set, .opaque = &opaque};
	char	  **names;
	ListCell   *cell;

	/* a parenthesis too many ends the commands, not the text */
	while (*reader.at != '\0')
	{
		read_commands(&reader);
	}
	foreach(cell, used)
	{
		if (!is_in_list(lfirst(cell), set) && !is_in_list(lfirst(cell), seen))
		{
			seen = lappend(seen, lfirst(cell));
		}
	}
	if (opaque)
	{
		seen = NIL;
	}
	names = palloc(sizeof(char *) * Max(list_length(seen), 1));
	*n = 0;
	foreach(cell, seen)
	{
		names[(*n)++] = lfirst(cell);
	}
	return names;
}

/*
 * True when a shell would do no more than to split the words: a path first, and
 * no character that means anything to it.
 */
static bool
is_plain(const char *command)
{
	const char *first = command + strspn(command, BLANKS);
	int			length = strcspn(first, BLANKS);

	return command[strspn(command, PLAIN_CHARACTERS BLANKS)] == '\0' &&
		memchr(first, '/', length) != NULL && memchr(first, '=', length) == NULL;
}

/*
 * True when the command is one program with its arguments, however many of them
 * the shell has to work out: a path or a variable first, then words, variables
 * and double quotes, nothing that joins commands or runs one inside another.
 */
static bool
is_one_program(const char *command)
{
	const char *first = command + strspn(command, BLANKS);
	int			length = strcspn(first, BLANKS);

	if (command[strspn(command, PLAIN_CHARACTERS BLANKS "${}\"")] != '\0' || memchr(first, '=', length) != NULL)
	{
		return false;
	}
	return *first == '$' || memchr(first, '/', length) != NULL;
}

char **
josch_command_argv(const char *command, int *argc)
{
	char	  **argv;
	char	   *rest;
	char	   *word;

	*argc = 0;
	if (!is_plain(command))
	{
		argv = palloc(sizeof(char *) * 4);
		argv[(*argc)++] = pstrdup("/bin/sh");
		argv[(*argc)++] = pstrdup("-c");
		/* then the program takes the shell's place, and its signals and exit */
		argv[(*argc)++] = is_one_program(command) ? psprintf("exec %s", command) : pstrdup(command);
		argv[*argc] = NULL;
		return argv;
	}
	/* no more words than half of the characters */
	argv = palloc(sizeof(char *) * (strlen(command) / 2 + 2));
	rest = pstrdup(command);
	while ((word = strsep(&rest, BLANKS)) != NULL)
	{
		if (*word != '\0')
		{
			argv[(*argc)++] = word;
		}
	}
	argv[*argc] = NULL;
	return argv;
}
