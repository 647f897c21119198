/*
 * src/run/executor.c
 *	  A run that an executor has elsewhere: what the runner executes in place of its command.
 *
 * The name under which the other side has it is made of what the run alone has: whoever
 * attaches to it, on whatever host, finds it by the same one, and never another.
 */
#include "base/josch.h"

#include "run/executor.h"

#include "lib/stringinfo.h"

#include "node/command.h"
#include "node/words.h"

/* What the executor's programs are told. */
#define OWN_VARIABLES 3

/* Of its system, number and nonce; a nonce is used once, whatever becomes of the database. */
static char *
name_of(const StoreLaunch *launch)
{
	int			length = launch->server != NULL ? (int) strspn(launch->server, "0123456789") : 0;

	return psprintf("josch-%.*s-" INT64_FORMAT "-%016llx", length, length > 0 ? launch->server : "", launch->run_id,
					(unsigned long long) launch->nonce);
}

/* One a line. */
static char *
lines_of(const JoschWords *words)
{
	StringInfoData lines;

	initStringInfo(&lines);
	for (int i = 0; i < words->n; i++)
	{
		appendStringInfo(&lines, "%s%s", i > 0 ? "\n" : "", words->list[i]);
	}
	return lines.data;
}

/* The words, unless there is a fault in them, which is told once. */
static JoschWords
words_of(ExecutorCall *call, const char *what, const char *text, char *const *environment)
{
	JoschWords	words = josch_words(text, environment);

	if (words.fault != NULL && call->fault == NULL)
	{
		call->fault = psprintf("%s: %s", what, words.fault);
	}
	return words;
}

/* Its program is told a word a line: one that has more would be several, options that nobody wrote among them. */
static JoschWords
options_of(ExecutorCall *call, const StoreLaunch *launch)
{
	JoschWords	words = words_of(call, "its executor_options", launch->executor_options, launch->environment);

	for (int i = 0; i < words.n; i++)
	{
		if (strchr(words.list[i], '\n') != NULL && call->fault == NULL)
		{
			call->fault = pstrdup("its executor_options: a word has more than one line");
		}
	}
	return words;
}

static char **
list_of(JoschWords words)
{
	return words.n > 0 && words.fault == NULL ? words.list : NULL;
}

static void
set_environment(ExecutorCall *call, const StoreLaunch *launch)
{
	JoschWords	options;
	int			n = 0;

	while (launch->environment[n] != NULL)
	{
		n++;
	}
	call->environment = palloc(sizeof(char *) * (n + OWN_VARIABLES + 1));
	memcpy(call->environment, launch->environment, sizeof(char *) * (n + 1));
	options = options_of(call, launch);
	call->environment[n++] = psprintf("JOSCH_EXECUTOR_RUN=%s", name_of(launch));
	call->environment[n++] = psprintf("JOSCH_EXECUTOR_OPTIONS=%s", lines_of(&options));
	call->environment[n++] = psprintf("JOSCH_STOP_GRACE=" INT64_FORMAT, launch->grace_ms / 1000);
	call->environment[n] = NULL;
}

ExecutorCall
josch_executor_call(const StoreLaunch *launch)
{
	ExecutorCall call = {NULL};
	JoschWords	start;
	char	  **command;
	int			n;

	set_environment(&call, launch);
	start = words_of(&call, psprintf("start_command of its executor \"%s\"", launch->executor), launch->start_command, call.environment);
	call.attach = list_of(words_of(&call, psprintf("attach_command of its executor \"%s\"", launch->executor), launch->attach_command, call.environment));
	call.stop = list_of(words_of(&call, psprintf("stop_command of its executor \"%s\"", launch->executor), launch->stop_command, call.environment));
	if (launch->start_command == NULL)
	{
		call.fault = psprintf("its executor \"%s\" does not exist", launch->executor);
	}
	command = josch_command_argv(launch->command, &n);
	call.start = palloc(sizeof(char *) * (start.n + n + 1));
	memcpy(call.start, start.list, sizeof(char *) * start.n);
	memcpy(call.start + start.n, command, sizeof(char *) * (n + 1));
	return call;
}
