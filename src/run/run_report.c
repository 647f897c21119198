/*
 * src/run/run_report.c
 *	  What a run says of itself, as it is stored.
 *
 * Runner and workers hand over the lines that they keep (wire/report.h); they are
 * read here by the same rules once more, since a runner may be anybody.
 */
#include "base/josch.h"

#include "run/run_report.h"

#include "lib/stringinfo.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/encoding.h"
#include "base/report.h"

#define PROBLEMS_MAX 1000

/* The block of a buffer keeps it in its context. */
static void *
grow(void *block, size_t size)
{
	return repalloc(block, size);
}

void
josch_run_report_begin(JoschReport *report, MemoryContext context)
{
	const size_t first = 256;

	memset(report, 0, sizeof(*report));
	report->results = (JoschBuffer) {MemoryContextAlloc(context, first), 0, first, grow};
}

/* As an object of strings. */
static char *
json_of(const JoschReport *report)
{
	StringInfoData json;
	const char *at = (const char *) report->results.data;
	const char *end = at + report->results.len;

	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	while (at < end)
	{
		const char *value = memchr(at, '=', end - at);
		const char *next = memchr(value, '\n', end - value);

		appendStringInfoString(&json, json.len > 1 ? ", " : "");
		escape_json(&json, pnstrdup(at, value - at));
		appendStringInfoString(&json, ": ");
		escape_json(&json, pnstrdup(value + 1, next - value - 1));
		at = next + 1;
	}
	appendStringInfoChar(&json, '}');
	return json.data;
}

/* A copy that is seen as it is; NULL for an empty one. */
static char *
one_line(const char *text, int length)
{
	return length == 0 ? NULL : josch_encoding_to_one_line(pnstrdup(text, length));
}

static char *
side_of(const JoschReport *report, JoschReportSide side)
{
	return one_line(report->sides[side].text, report->sides[side].len);
}

RunReport
josch_run_report_read(const char *lines)
{
	RunReport	result = {0};
	JoschReport report;
	const char *at = lines;

	josch_run_report_begin(&report, CurrentMemoryContext);
	report.executor = true;		/* where there is none the runner has let nothing of that pass */
	while (*at != '\0')
	{
		int			length = strcspn(at, "\n");

		if (strncmp(at, JOSCH_REPORT_PROBLEM, strlen(JOSCH_REPORT_PROBLEM)) == 0)
		{
			result.problems = one_line(at + strlen(JOSCH_REPORT_PROBLEM), Min(length - (int) strlen(JOSCH_REPORT_PROBLEM), PROBLEMS_MAX));
		}
		else
		{
			(void) josch_said_add(&report, at, length);
		}
		at += length + (at[length] == '\n');
	}
	result.has_progress = report.has_progress;
	result.progress = (double) report.progress / JOSCH_REPORT_WHOLE;
	result.progress_text = one_line(report.text, report.text_len);
	result.results = json_of(&report);
	result.host = side_of(&report, JOSCH_SIDE_HOST);
	result.waits_for = side_of(&report, JOSCH_SIDE_REASON);
	result.unreachable = side_of(&report, JOSCH_SIDE_UNREACHABLE);
	return result;
}

static void
append_problem(StringInfo out, uint64_t count, const char *what)
{
	if (count > 0)
	{
		appendStringInfo(out, "%s" UINT64_FORMAT " %s", out->len > 0 ? "; " : "", (uint64) count, what);
	}
}

char *
josch_run_report_lines(const JoschReport *report, bool progress_only)
{
	StringInfoData out;
	StringInfoData problems;
	const char *at = (const char *) report->results.data;
	const char *end = at + report->results.len;

	initStringInfo(&out);
	initStringInfo(&problems);
	if (report->has_progress)
	{
		appendStringInfo(&out, "progress %u.%06u %s\n", report->progress / JOSCH_REPORT_WHOLE, report->progress % JOSCH_REPORT_WHOLE,
						 pnstrdup(report->text, report->text_len));
	}
	while (!progress_only && at < end)
	{
		const char *next = (const char *) memchr(at, '\n', end - at) + 1;

		appendStringInfoString(&out, "result ");
		appendBinaryStringInfo(&out, at, next - at);
		at = next;
	}
	append_problem(&problems, report->too_many, "results too many, which were not kept");
	append_problem(&problems, report->too_long, "values cut, which were too long");
	if (!progress_only && problems.len > 0)
	{
		appendStringInfo(&out, JOSCH_REPORT_PROBLEM "%s\n", problems.data);
	}
	return out.len > 0 ? out.data : NULL;
}
