/*
 * src/import/crontab.c
 *	  The lines of a crontab, as jobs and variables.
 */
#include "base/josch.h"

#include "import/import.h"

#include <ctype.h>

#include "lib/stringinfo.h"

#define BLANKS " \t"

typedef struct Crontab
{
	Import	   *import;
	bool		has_user;
	char	   *time_zone;		/* CRON_TZ of the lines that follow */
	char	   *source;			/* "line 7" */
	int			line;
	StringInfoData carried;		/* "3, 4": lines that became jobs */
} Crontab;

static void
told(Crontab *crontab, FindingSeverity severity, const char *message)
{
	josch_findings_add(crontab->import->findings, severity, crontab->source, NULL, "%s", message);
}

/* A word from the place on, which is moved to the next one; palloc'd. */
static char *
take_word(const char **at)
{
	int			length = strcspn(*at, BLANKS);
	char	   *word = pnstrdup(*at, length);

	*at += length;
	*at += strspn(*at, BLANKS);
	return word;
}

/* ---- variables ---- */

/* NAME = value, with quotation marks around either or not; false when it is none. */
static bool
split_variable(const char *line, char **name, char **value)
{
	const char *equals = strchr(line, '=');
	Size		length;

	if (equals == NULL || !(isalpha((unsigned char) *line) || *line == '_' || *line == '"' || *line == '\''))
	{
		return false;
	}
	length = strcspn(line, BLANKS "=");
	if (line + length + strspn(line + length, BLANKS) != equals)
	{
		return false;
	}
	if (length > 1 && (*line == '"' || *line == '\'') && line[length - 1] == *line)
	{
		line++;
		length -= 2;
	}
	*name = pnstrdup(line, length);
	equals++;
	equals += strspn(equals, BLANKS);
	length = strlen(equals);
	while (length > 0 && strchr(BLANKS, equals[length - 1]) != NULL)
	{
		length--;
	}
	if (length > 1 && (*equals == '"' || *equals == '\'') && equals[length - 1] == *equals)
	{
		equals++;
		length -= 2;
	}
	*value = pnstrdup(equals, length);
	return true;
}

static void
take_variable(Crontab *crontab, const char *name, char *value)
{
	if (strcmp(name, "CRON_TZ") == 0)
	{
		crontab->time_zone = value;
	}
	else if (strcmp(name, "MAILTO") == 0 || strcmp(name, "MAILFROM") == 0)
	{
		told(crontab, FINDING_NOTE, "no mail is sent: what a command prints is in josch.log(), and who is to act sees it in a window");
	}
	else if (strcmp(name, "SHELL") == 0)
	{
		if (strcmp(value, "/bin/sh") != 0)
		{
			told(crontab, FINDING_WARNING, psprintf("commands are run by /bin/sh, not by %s", value));
		}
	}
	else if (strcmp(name, "RANDOM_DELAY") == 0 || strcmp(name, "START_HOURS_RANGE") == 0)
	{
		told(crontab, FINDING_WARNING, psprintf("%s has no effect", name));
	}
	else
	{
		josch_import_variable(crontab->import, crontab->source, name, value);
	}
}

/* ---- jobs ---- */

/* A % ends the command, and is the line's end in what follows, which it reads; \% is a %. */
static char *
command_of(const char *text)
{
	StringInfoData command;
	bool		reads = false;

	initStringInfo(&command);
	for (; *text != '\0'; text++)
	{
		if (*text == '\\' && text[1] == '%')
		{
			appendStringInfoChar(&command, *++text);
		}
		else if (*text != '%')
		{
			appendStringInfoChar(&command, *text);
		}
		else if (reads)
		{
			appendStringInfoChar(&command, '\n');
		}
		else
		{
			char	   *program = pstrdup(command.data);

			reads = true;
			resetStringInfo(&command);
			appendStringInfo(&command, "{ %s\n} <<'END_OF_INPUT'\n", program);
		}
	}
	if (reads)
	{
		appendStringInfoString(&command, "\nEND_OF_INPUT");
	}
	return command.data;
}

/* "line 7: backup.sh" */
static char *
name_of(const Crontab *crontab, const char *command)
{
	const char *at = command;
	char	   *word = take_word(&at);
	char	   *base = strrchr(word, '/');

	return psprintf("line %d: %s", crontab->line, base != NULL && base[1] != '\0' ? base + 1 : word);
}

static void
take_job(Crontab *crontab, const char *line)
{
	const char *at = line;
	StringInfoData when;
	ImportedStep step = {.name = "run"};
	ImportedJob job = {.source = crontab->source,.description = line,.time_zone = crontab->time_zone,.steps = &step,.nsteps = 1};
	Cron		cron;
	char	   *wrong;

	initStringInfo(&when);
	for (int i = 0; i < (*line == '@' ? 1 : 5); i++)
	{
		appendStringInfo(&when, "%s%s", i > 0 ? " " : "", take_word(&at));
	}
	wrong = josch_cron_parse(when.data, CRON_OF_CROND, &cron);
	if (wrong != NULL)
	{
		told(crontab, FINDING_ERROR, psprintf("not carried over: %s", wrong));
		return;
	}
	if (crontab->has_user)
	{
		told(crontab, FINDING_WARNING, psprintf("it ran as %s: commands run as the user of the runner", take_word(&at)));
	}
	if (*at == '\0')
	{
		told(crontab, FINDING_ERROR, "not carried over: there is no command");
		return;
	}
	step.command = command_of(at);
	job.name = name_of(crontab, at);
	josch_import_job(crontab->import, &job, &cron);
	appendStringInfo(&crontab->carried, "%s%d", crontab->carried.len > 0 ? ", " : "", crontab->line);
}

void
josch_import_crontab(Import *import, const char *text, bool has_user, const char *time_zone)
{
	Crontab		crontab = {.import = import,.has_user = has_user,.time_zone = time_zone == NULL ? NULL : pstrdup(time_zone)};
	char	   *rest = pstrdup(text);
	char	   *line;

	initStringInfo(&crontab.carried);
	while ((line = strsep(&rest, "\n")) != NULL)
	{
		char	   *name;
		char	   *value;

		crontab.source = psprintf("line %d", ++crontab.line);
		line += strspn(line, BLANKS);
		if (strlen(line) > 0 && line[strlen(line) - 1] == '\r')
		{
			line[strlen(line) - 1] = '\0';
		}
		if (*line == '\0' || *line == '#')
		{
			continue;
		}
		if (split_variable(line, &name, &value))
		{
			take_variable(&crontab, name, value);
		}
		else
		{
			take_job(&crontab, line);
		}
	}
	if (crontab.carried.len > 0)
	{
		josch_findings_add(import->findings, FINDING_NOTE, "crontab", NULL,
						   "when it is loaded, switch the old one off: put # before the lines %s (crontab -e)", crontab.carried.data);
	}
}
