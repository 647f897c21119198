/*
 * src/node/command.c
 *	  What a command line needs: its variables, and whether it needs a shell.
 *
 * The shell's grammar is the shell's business.  A scanner that knows quotes, the
 * backslash and "$" finds the names that a misspelling would leave empty; where
 * only a grammar could tell (does the command set the name itself? is this the
 * text of another program?) it keeps to what lets a command pass, because a node
 * fails that uses what does not exist.  One way through the text, no recursion:
 * anybody may hand in megabytes.
 */
#include "base/josch.h"

#include "node/command.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"

#define BLANKS " \t"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

/* What a word of the shell may begin and end at. */
#define BREAKS " \t\n;&|(){}<>\"'`"

/* What means nothing to a shell, anywhere in a word. */
#define PLAIN_CHARACTERS NAME_CHARACTERS "./:=,@%+-"

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

const char *const josch_command_defaults[COMMAND_DEFAULT_COUNT] = {
	[COMMAND_PGHOST] = "PGHOST",
	[COMMAND_PGPORT] = "PGPORT",
	[COMMAND_PGDATABASE] = "PGDATABASE",
	[COMMAND_PYTHONUNBUFFERED] = "PYTHONUNBUFFERED",
};

const char *const josch_command_inherited[] = {
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "PWD", "JOSCH_RUN", "JOSCH_REPORT", NULL
};

/* Set by the runner, whatever its environment has. */
static const char *const set_by_runner[] = {"JOSCH_RUN", "JOSCH_REPORT", NULL};

/* What the shell sets by itself, whichever of them /bin/sh is. */
static const char *const set_by_shell[] = {
	"EUID", "HOSTNAME", "IFS", "LINENO", "OLDPWD", "OPTARG", "OPTIND", "PIPESTATUS", "PPID", "RANDOM", "REPLY",
	"SECONDS", "UID", NULL
};

/* A name in the text. */
typedef struct CommandName
{
	const char *at;
	int			length;
} CommandName;

typedef struct NameList
{
	CommandName *names;
	int			n;
	int			space;
} NameList;

typedef struct Scanner
{
	const char *text;
	const char *at;				/* the next character */
	StringInfoData open;		/* the double quotes, backquotes and $( that are open */
	bool		looking;		/* false once a here-document has begun */
	bool		opaque;			/* it runs text that is not here to read */
	NameList	used;
	NameList	set;
} Scanner;

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
is_built_in(const char *name)
{
	for (int i = 0; i < COMMAND_BUILTIN_COUNT; i++)
	{
		if (strcmp(name, josch_command_builtins[i]) == 0)
		{
			return true;
		}
	}
	return false;
}

static bool
is_default(const char *name)
{
	for (int i = 0; i < COMMAND_DEFAULT_COUNT; i++)
	{
		if (strcmp(name, josch_command_defaults[i]) == 0)
		{
			return true;
		}
	}
	return false;
}

/* DATE ... ATTEMPT, and what JOSCH, the runner or the shell sets: there whatever josch.environs has. */
static bool
is_given(const char *name)
{
	return is_built_in(name) || is_default(name) || is_one_of(name, josch_command_inherited) || is_one_of(name, set_by_shell);
}

bool
josch_command_is_reserved(const char *name, int length)
{
	char	   *copy = pnstrdup(name, length);
	bool		reserved = is_built_in(copy) || is_one_of(copy, set_by_runner);

	pfree(copy);
	return reserved;
}

/* ---- scanning ---- */

/* Length of the name that the text starts with; 0 when it starts with none. */
static int
name_length(const char *text)
{
	int			length = strspn(text, NAME_CHARACTERS);

	return *text >= '0' && *text <= '9' ? 0 : length;
}

static void
add_name(NameList *list, const char *at, int length)
{
	if (list->n == list->space)
	{
		list->space = Max(list->space * 2, 16);
		list->names = list->names == NULL ? palloc(list->space * sizeof(CommandName)) :
			repalloc_huge(list->names, list->space * sizeof(CommandName));
	}
	list->names[list->n++] = (CommandName) {at, length};
}

static bool
is_open(const Scanner *scanner, char c)
{
	return scanner->open.len > 0 && scanner->open.data[scanner->open.len - 1] == c;
}

static void
close_or_open(Scanner *scanner, char c, bool close)
{
	if (!close)
	{
		appendStringInfoChar(&scanner->open, c);
	}
	else if (is_open(scanner, c))
	{
		scanner->open.data[--scanner->open.len] = '\0';
	}
}

static bool
begins_word(const Scanner *scanner)
{
	return scanner->at == scanner->text || strchr(BREAKS, scanner->at[-1]) != NULL;
}

/* Whether what follows the name in "${" says what to do without it: - = + ? after a colon or not. */
static bool
has_answer(const char *rest)
{
	rest += *rest == ':';
	return *rest != '\0' && strchr("-=+?", *rest) != NULL;
}

/* The scanner stands on "$". */
static void
scan_dollar(Scanner *scanner)
{
	const char *name = scanner->at + 1;
	bool		braces = *name == '{';
	int			length;

	if (*name == '(')
	{
		close_or_open(scanner, '(', false);
	}
	name += braces;
	name += braces && (*name == '#' || *name == '!') && name_length(name + 1) > 0;
	length = name_length(name);
	if (length > 0 && scanner->looking && !(braces && has_answer(name + length)))
	{
		add_name(&scanner->used, name, length);
	}
	/* $$ and $( are two characters; of $' the quote is still to be read */
	scanner->at = length > 0 || braces ? name + length : name + (*name == '$' || *name == '(');
}

/*
 * The scanner stands on any other character.  A word that is a name, or NAME=,
 * NAME+= or NAME[: the command may set it, by assignment, for, read, in arithmetic ...
 */
static void
scan_word(Scanner *scanner)
{
	const char *word = scanner->at;
	bool		begins = begins_word(scanner);
	int			length = begins ? name_length(word) : 0;
	const char *rest = word + length;

	/* the rest of a longer word is no beginning of one */
	scanner->at = word + Max(strspn(word, NAME_CHARACTERS), 1);
	if (length > 0 && (strchr(BREAKS "=[", *rest) != NULL || strncmp(rest, "+=", 2) == 0))
	{
		add_name(&scanner->set, word, length);
		scanner->opaque |= strncmp(word, "eval", Max(length, 4)) == 0 || strncmp(word, "source", Max(length, 6)) == 0;
	}
	else if (begins && *word == '.' && word[1] != '\0' && strchr(BLANKS, word[1]) != NULL)
	{
		/* ". file" as against "cp file ." and "find . -name" */
		rest = word + 1 + strspn(word + 1, BLANKS);
		scanner->opaque |= *rest != '\0' && strchr("-\n;&|)<>", *rest) == NULL;
	}
}

/* Reads one character, or as many as belong together. */
static void
scan_next(Scanner *scanner)
{
	const char *at = scanner->at;
	bool		quoted = is_open(scanner, '"');

	switch (*at)
	{
		case '\\':
			scanner->at += at[1] != '\0' ? 2 : 1;
			return;
		case '$':
			scan_dollar(scanner);
			return;
		case '"':
		case '`':
			close_or_open(scanner, *at, is_open(scanner, *at));
			break;
		case '(':
		case ')':
			/* only inside $( does one of them close what the other opened */
			if (is_open(scanner, '('))
			{
				close_or_open(scanner, '(', *at == ')');
			}
			break;
		case '\'':
			if (!quoted)
			{
				scanner->at += 1 + strcspn(at + 1, "'");
			}
			scanner->at += *scanner->at != '\0';
			return;
		case '#':
			scanner->at += !quoted && begins_word(scanner) ? strcspn(at, "\n") : 1;
			return;
		case '<':
			scanner->looking &= at[1] != '<' || at[2] == '<' || (at > scanner->text && at[-1] == '<');
			break;
		default:
			scan_word(scanner);
			return;
	}
	scanner->at++;
}

/* ---- names ---- */

static int
compare_names(const CommandName *a, const CommandName *b)
{
	int			order = memcmp(a->at, b->at, Min(a->length, b->length));

	CHECK_FOR_INTERRUPTS();
	return order != 0 ? order : (a->length > b->length) - (a->length < b->length);
}

static int
compare_texts(const void *a, const void *b)
{
	return compare_names(a, b);
}

static int
compare_places(const void *a, const void *b)
{
	const char *x = ((const CommandName *) a)->at;
	const char *y = ((const CommandName *) b)->at;

	CHECK_FOR_INTERRUPTS();
	return (x > y) - (x < y);
}

/* By text, then by place: of each name the first is kept. */
static int
compare_uses(const void *a, const void *b)
{
	int			order = compare_names(a, b);

	return order != 0 ? order : compare_places(a, b);
}

/* Leaves of the uses the first of each name that is not set, in the order of the text. */
static void
keep_wanted(NameList *used, NameList *set)
{
	int			n = 0;

	qsort(set->names, set->n, sizeof(CommandName), compare_texts);
	qsort(used->names, used->n, sizeof(CommandName), compare_uses);
	for (int i = 0; i < used->n; i++)
	{
		if ((n == 0 || compare_names(&used->names[n - 1], &used->names[i]) != 0) &&
			bsearch(&used->names[i], set->names, set->n, sizeof(CommandName), compare_texts) == NULL)
		{
			used->names[n++] = used->names[i];
		}
	}
	used->n = n;
	qsort(used->names, used->n, sizeof(CommandName), compare_places);
}

char **
josch_command_variables(const char *command, int *n)
{
	Scanner		scanner = {.text = command, .at = command, .looking = true};
	char	  **names;

	initStringInfo(&scanner.open);
	while (*scanner.at != '\0')
	{
		CHECK_FOR_INTERRUPTS();
		scan_next(&scanner);
	}
	if (scanner.opaque)
	{
		scanner.used.n = 0;
	}
	keep_wanted(&scanner.used, &scanner.set);
	*n = scanner.used.n;
	names = palloc_extended(sizeof(char *) * Max(*n, 1), MCXT_ALLOC_HUGE);
	for (int i = 0; i < *n; i++)
	{
		names[i] = pnstrdup(scanner.used.names[i].at, scanner.used.names[i].length);
	}
	return names;
}

/* Of "NAME" or "NAME=value" only the name counts. */
static int
compare_variables(const void *a, const void *b)
{
	const char *x = *(const char *const *) a;
	const char *y = *(const char *const *) b;
	CommandName x_name = {x, strcspn(x, "=")};
	CommandName y_name = {y, strcspn(y, "=")};

	return compare_names(&x_name, &y_name);
}

void
josch_command_sort_variables(char **variables, int n)
{
	qsort(variables, n, sizeof(char *), compare_variables);
}

char **
josch_command_unknown(const char *command, char *const *known, int nknown, int *n)
{
	int			nused;
	char	  **used = josch_command_variables(command, &nused);

	*n = 0;
	for (int i = 0; i < nused; i++)
	{
		if (!is_given(used[i]) && bsearch(&used[i], known, nknown, sizeof(char *), compare_variables) == NULL)
		{
			used[(*n)++] = used[i];
		}
	}
	return used;
}

/* ---- execution ---- */

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
