/*
 * src/template/found_command.c
 *	  Whether this host has the program that a command begins with, where that can be told.
 *
 * A command is a shell's text, and this is no shell: only what is plain is judged, all
 * else is left to the day that runs it.
 */
#include "base/josch.h"

#include "template/found_command.h"

#include <ctype.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS " \t\n"
#define PLAIN "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-:@%,"

/* Words that a shell does by itself, or that begin something which is no program. */
static const char *const own_words[] = {
	".", ":", "alias", "bg", "break", "case", "cd", "command", "continue", "do", "done", "elif", "else", "esac", "eval", "exec", "exit",
	"export", "false", "fc", "fg", "fi", "for", "function", "getopts", "hash", "if", "jobs", "kill", "local", "pwd", "read", "readonly",
	"return", "select", "set", "shift", "source", "test", "then", "time", "times", "trap", "true", "type", "ulimit", "umask", "unalias",
	"unset", "until", "wait", "while"
};

static int
compare_words(const void *word, const void *own)
{
	return strcmp(word, *(const char *const *) own);
}

static bool
is_own_word(const char *word)
{
	return bsearch(word, own_words, lengthof(own_words), sizeof(char *), compare_words) != NULL;
}

/* The end of NAME= with a plain value, which stands before a program; NULL when there is none. */
static const char *
skip_assignment(const char *text)
{
	const char *at = text;

	while (isalnum((unsigned char) *at) || *at == '_')
	{
		at++;
	}
	if (at == text || isdigit((unsigned char) *text) || *at != '=')
	{
		return NULL;
	}
	at++;
	at += strspn(at, PLAIN);
	return *at != '\0' && strchr(BLANKS, *at) != NULL ? at : NULL;
}

/* "$NAME" or "${NAME}": the name, and where it ends. */
static char *
take_variable(const char *text, const char **end)
{
	bool		braced = text[1] == '{';
	const char *name = text + 1 + braced;
	const char *at = name;

	while (isalnum((unsigned char) *at) || *at == '_')
	{
		at++;
	}
	if (at == name || (braced && *at != '}'))
	{
		return NULL;
	}
	*end = at + braced;
	return pnstrdup(name, at - name);
}

/* The word that is executed; NULL when it cannot be told. */
static char *
take_program(const char *command, ValueOfVariable value, void *arg)
{
	const char *at = command + strspn(command, BLANKS);
	const char *end;
	char	   *word;

	while ((end = skip_assignment(at)) != NULL)
	{
		at = end + strspn(end, BLANKS);
	}
	if (*at == '$')
	{
		char	   *name = take_variable(at, &end);
		const char *known = name == NULL ? NULL : value(name, arg);

		/* a value of several words is split */
		if (known == NULL || *known == '\0' || known[strspn(known, PLAIN)] != '\0')
		{
			return NULL;
		}
		word = pstrdup(known);
	}
	else
	{
		end = at + strspn(at, PLAIN);
		word = pnstrdup(at, end - at);
	}
	if (*word == '\0' || (*end != '\0' && strchr(BLANKS ";&|<>", *end) == NULL))
	{
		return NULL;
	}
	return word;
}

static bool
is_program(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, X_OK) == 0;
}

static bool
is_on_path(const char *program, const char *path)
{
	for (const char *at = path; at != NULL; at = strchr(at, ':') == NULL ? NULL : strchr(at, ':') + 1)
	{
		int			length = strcspn(at, ":");

		if (length == 0 || *at != '/' || is_program(psprintf("%.*s/%s", length, at, program)))
		{
			return true;		/* or nobody knows */
		}
	}
	return false;
}

char *
josch_missing_program(const char *command, const char *path, const char *work_dir, ValueOfVariable value, void *arg)
{
	char	   *program = take_program(command, value, arg);
	bool		found;

	if (program == NULL || is_own_word(program))
	{
		return NULL;
	}
	if (*program == '/')
	{
		found = is_program(program);
	}
	else if (strchr(program, '/') != NULL)
	{
		found = work_dir == NULL || is_program(psprintf("%s/%s", work_dir, program));
	}
	else
	{
		found = path == NULL || is_on_path(program, path);
	}
	return found ? NULL : program;
}
