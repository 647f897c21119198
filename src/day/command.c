/*
 * src/day/command.c
 *	  What a command line needs: its variables, and whether it needs a shell.
 *
 * The text is read as sh does (command_sh.c) when a day is made, so that a
 * misspelt name is found then and not at the node's turn at night.  Where sh and
 * its dialects differ, or the text cannot tell, it keeps to what lets a command
 * pass.
 */
#include "base/josch.h"

#include "day/command.h"
#include "day/command_sh.h"

#define BLANKS " \t"

/* What means nothing to a shell, anywhere in a word. */
#define PLAIN_CHARACTERS \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,@%+-"

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
	return josch_command_sh_is_one_of(name, josch_command_inherited) || josch_command_sh_is_one_of(name, set_by_shell);
}

char **
josch_command_variables(const char *command, int *n)
{
	List	   *used = NIL;
	List	   *set = NIL;
	List	   *seen = NIL;
	bool		opaque = false;
	ShReader		reader = {.at = command, .used = &used, .set = &set, .opaque = &opaque};
	char	  **names;
	ListCell   *cell;

	/* a parenthesis too many ends the commands, not the text */
	while (*reader.at != '\0')
	{
		josch_command_sh_read(&reader);
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
