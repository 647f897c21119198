/*
 * src/node/command.h
 *	  What a command line needs: its variables, and whether it needs a shell.
 *
 * Pure.  A command is text for /bin/sh; nothing is ever pasted into it.
 */
#ifndef JOSCH_COMMAND_H
#define JOSCH_COMMAND_H

#include "base/josch.h"

/*
 * The variables that a command takes from its environment, each once, in the
 * order of their first use; palloc'd.  Left out are
 * - those in single quotes, in comments and after the start of a here-document;
 * - those that it uses only with an answer to their absence (${NAME:-x},
 *	 ${NAME-x}, and with = + ?);
 * - those that it may set itself: the name stands somewhere as a word (for NAME
 *	 in, read NAME, $((NAME + 1))), as NAME=, NAME+= or NAME[.
 * A command that reads in another file (".") or uses eval may set anything there,
 * so it gives none.  Takes time in proportion to the text, and can be cancelled.
 */
extern char **josch_command_variables(const char *command, int *n);

/*
 * Of these, the ones that nobody sets: neither JOSCH nor runner nor shell, nor
 * the known ones, "NAME" or "NAME=value" each, sorted by the function below.
 */
extern char **josch_command_unknown(const char *command, char *const *known, int nknown, int *n);
extern void josch_command_sort_variables(char **variables, int n);

/*
 * The words to execute, palloc'd, with a NULL after the last: those of the
 * command itself when it is a path and plain words, else /bin/sh, -c, command; the
 * command is preceded by "exec" when it is one program, which then meets the
 * signals itself and whose exit is the run's.
 * A file that the kernel does not know how to execute (ENOEXEC) is a script
 * without a first line: whoever executes the words gives it to /bin/sh then, as
 * the shell does.
 */
extern char **josch_command_argv(const char *command, int *argc);

/* DATE, PREV_DATE ... ATTEMPT: what JOSCH adds to each command's environment. */
typedef enum CommandBuiltin
{
	COMMAND_DATE,
	COMMAND_PREV_DATE,
	COMMAND_NEXT_DATE,
	COMMAND_JOB_NAME,
	COMMAND_NODE_ID,
	COMMAND_NODE_NAME,
	COMMAND_RUN_ID,
	COMMAND_ATTEMPT,
	COMMAND_BUILTIN_COUNT
} CommandBuiltin;

extern const char *const josch_command_builtins[COMMAND_BUILTIN_COUNT];

/* What a command inherits from the runner (PATH, HOME ...); ends with NULL. */
extern const char *const josch_command_inherited[];

/* PGHOST ... PYTHONUNBUFFERED: what a command has unless somebody has written otherwise. */
typedef enum CommandDefault
{
	COMMAND_PGHOST,
	COMMAND_PGPORT,
	COMMAND_PGDATABASE,
	COMMAND_PYTHONUNBUFFERED,
	COMMAND_DEFAULT_COUNT
} CommandDefault;

extern const char *const josch_command_defaults[COMMAND_DEFAULT_COUNT];

/* Whether nobody but JOSCH may give a variable of that name. */
extern bool josch_command_is_reserved(const char *name, int length);

#endif							/* JOSCH_COMMAND_H */
