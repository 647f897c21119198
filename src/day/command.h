/*
 * src/day/command.h
 *	  What a command line needs: its variables, and whether it needs a shell.
 *
 * Pure.  A command is text for /bin/sh; nothing is ever pasted into it.
 */
#ifndef JOSCH_COMMAND_H
#define JOSCH_COMMAND_H

#include "base/josch.h"

/*
 * The variables that a command takes from its environment, each once, in the
 * order of their first use; palloc'd.  Left out are those that the command sets
 * itself, anywhere in its text, and those that it uses only with an answer to
 * their absence (${NAME:-x}, ${NAME-x}, ${NAME:=x}, ${NAME=x}, ${NAME:+x},
 * ${NAME+x}, ${NAME:?x}, ${NAME?x}).  A command that reads in another file (".") or
 * uses eval may set anything there, so it gives none.  A text that no shell
 * accepts gives what can be read of it: the shell will complain.
 */
extern char **josch_command_variables(const char *command, int *n);

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

/* True when a command finds this variable set whatever josch.environs has. */
extern bool josch_command_is_given(const char *name);

#endif							/* JOSCH_COMMAND_H */
