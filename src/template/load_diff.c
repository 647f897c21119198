/*
 * src/template/load_diff.c
 *	  What a load would change, in words.
 *
 * For a person who is about to say yes: what comes or goes is named as people call it,
 * and of a text that is long only the part is shown in which it differs.
 */
#include "base/josch.h"

#include "template/load_diff.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"

#define SHOWN_LENGTH 80			/* bytes of a value */
#define SHOWN_BEFORE 20			/* bytes before the first difference */

typedef struct Diff
{
	TemplateTableNumber number;
	TakeLoadDiff take;
	void	   *arg;
} Diff;

/* ---- values ---- */

/* How many bytes of whole characters both begin with. */
static int
common_length(const char *a, const char *b)
{
	int			n = 0;

	while (a[n] != '\0' && a[n] == b[n])
	{
		n++;
	}
	return pg_mbcliplen(a, strlen(a), n);
}

/* A value, from about "from" on, in one line. */
static void
append_value(StringInfo words, const char *value, int from)
{
	int			length;
	int			shown;

	if (value == NULL)
	{
		appendStringInfoString(words, "none");
		return;
	}
	length = strlen(value);
	from = from > SHOWN_BEFORE && length > SHOWN_LENGTH ? pg_mbcliplen(value, length, from - SHOWN_BEFORE) : 0;
	shown = pg_mbcliplen(value + from, length - from, SHOWN_LENGTH);
	appendStringInfo(words, "\"%s", from > 0 ? "..." : "");
	for (int i = from; i < from + shown; i++)
	{
		unsigned char c = value[i];

		if (c < ' ')
		{
			appendStringInfoString(words, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
		}
		else
		{
			appendStringInfoChar(words, c);
		}
	}
	appendStringInfo(words, "%s\"", from + shown < length ? "..." : "");
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* 'exec_command from "a" to "b"; retries from "0" to "2"' */
static char *
words_of_change(const TemplateDifference *difference)
{
	StringInfoData words;

	initStringInfo(&words);
	for (int i = 0; i < difference->ncolumns; i++)
	{
		const char *before = difference->before[i];
		const char *after = difference->after[i];
		int			from = before != NULL && after != NULL ? common_length(before, after) : 0;

		if (is_same(before, after))
		{
			continue;
		}
		appendStringInfo(&words, "%s%s from ", words.len > 0 ? "; " : "", difference->columns[i]);
		append_value(&words, before, from);
		appendStringInfoString(&words, " to ");
		append_value(&words, after, from);
	}
	return words.data;
}

/* 'node_type "N", exec_command "a"': what the load says of it; what its object tells already is left out. */
static char *
words_of_addition(const Diff *diff, const TemplateDifference *difference)
{
	const TemplateTable *table = &josch_store_template_tables[diff->number];
	StringInfoData words;

	initStringInfo(&words);
	for (int i = 0; i < difference->ncolumns; i++)
	{
		bool		is_told = difference->after[i] == NULL;

		for (int j = 0; j < table->nnames; j++)
		{
			is_told |= strcmp(table->names[j], difference->columns[i]) == 0;
		}
		if (!is_told)
		{
			appendStringInfo(&words, "%s%s ", words.len > 0 ? ", " : "", difference->columns[i]);
			append_value(&words, difference->after[i], 0);
		}
	}
	return words.len > 0 ? words.data : NULL;
}

/* ---- objects ---- */

/* 'node 12 "Fetch"'; one that has no number yet is called by its name alone. */
static char *
node_words(const char *number, const char *name)
{
	return psprintf("node%s%s%s%s%s", number[0] == '-' ? "" : " ", number[0] == '-' ? "" : number,
					name != NULL ? " \"" : "", name != NULL ? name : "", name != NULL ? "\"" : "");
}

/* " (p_date -1, c_date 1)"; the same day is not told. */
static char *
days_words(const char *p_date, const char *c_date)
{
	bool		has_p = strcmp(p_date, "0") != 0;
	bool		has_c = strcmp(c_date, "0") != 0;

	return psprintf("%s%s%s%s%s%s", has_p || has_c ? " (" : "", has_p ? psprintf("p_date %s", p_date) : "", has_p && has_c ? ", " : "",
					has_c ? psprintf("c_date %s", c_date) : "", has_p || has_c ? ")" : "", "");
}

static char *
object_of(const Diff *diff, const TemplateDifference *difference)
{
	char	   *const *key = difference->key;

	switch (diff->number)
	{
		case TEMPLATE_ENVIRONS:
			return psprintf("variable %s", key[0]);
		case TEMPLATE_CALENDARS:
			return psprintf("calendar \"%s\"", key[0]);
		case TEMPLATE_CALENDAR_PARTS:
			return psprintf("part %s of calendar \"%s\"", key[1], key[0]);
		case TEMPLATE_HOLIDAYS:
			return psprintf("%s in calendar \"%s\"", key[1], key[0]);
		case TEMPLATE_SEMAPHORES:
			return psprintf("semaphore \"%s\"", key[0]);
		case TEMPLATE_EXECUTORS:
			return psprintf("executor \"%s\"", key[0]);
		case TEMPLATE_NODE_SEMAPHORES:
			return psprintf("node %s needs semaphore \"%s\"", key[0], key[1]);
		case TEMPLATE_JOBS:
			return josch_findings_job(key[0]);
		case TEMPLATE_NODES:
			return psprintf("%s of job \"%s\"", node_words(key[0], difference->names[1]), difference->names[0]);
		case TEMPLATE_NODE_DEPS:
			return psprintf("%s waits for %s%s", node_words(key[2], difference->names[1]), node_words(key[0], difference->names[0]),
							days_words(key[1], key[3]));
		case TEMPLATE_TABLES:
			break;
	}
	elog(ERROR, "there is no template table %d", diff->number);
}

static void
take_difference(const TemplateDifference *difference, void *arg)
{
	Diff	   *diff = arg;
	char	   *texts[LOAD_DIFF_COLUMNS];

	texts[0] = (char *) josch_store_template_tables[diff->number].name;
	texts[1] = object_of(diff, difference);
	texts[2] = difference->is_new ? "added" : difference->is_gone ? "removed" : "changed";
	texts[3] = difference->is_new ? words_of_addition(diff, difference) :
		difference->is_gone ? NULL : words_of_change(difference);
	diff->take(texts, diff->arg);
}

/* ---- the whole ---- */

static bool
deletes(const Load *load, TemplateTableNumber number)
{
	return load->mode == LOAD_REPLACE ||
		(load->mode == LOAD_REPLACE_JOBS && josch_store_template_tables[number].node != NULL);
}

void
josch_load_diff(Load *load, TakeLoadDiff take, void *arg)
{
	Diff		diff = {.take = take,.arg = arg};
	LoadBatch  *nodes = load->batches[TEMPLATE_NODES];

	if (load->mode == LOAD_REPLACE_JOBS)
	{
		josch_load_find_scope(load);
	}
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		if (load->batches[i] != NULL)
		{
			diff.number = i;
			josch_store_template_differences(&load->batches[i]->rows, nodes != NULL ? &nodes->rows : NULL, deletes(load, i),
											 load->mode == LOAD_REPLACE_JOBS ? &load->scope : NULL, take_difference, &diff);
		}
	}
}
