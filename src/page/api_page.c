/*
 * src/page/api_page.c
 *	  josch.page(): head, style, and the parts in their order.
 */
#include "base/josch.h"

#include "base/report.h"
#include "page/page.h"

#include "fmgr.h"
#include "pgtime.h"
#include "utils/builtins.h"
#include "utils/date.h"

PG_FUNCTION_INFO_V1(josch_api_page);

/* Without scripts, and nothing is fetched: a page that lies in a file asks for no server. */
#define HEAD \
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n" \
	"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n" \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n" \
	"<meta name=\"color-scheme\" content=\"light dark\">\n"

#define STYLE \
	":root{--ground:#f4f5f7;--panel:#fff;--text:#1f2429;--quiet:#5c6670;--line:#ccd1d8;--edge:#8b949e;--rim:#d00000}\n" \
	"body{margin:0 auto;padding:1rem;max-width:1200px;font:15px/1.45 system-ui,sans-serif;background:var(--ground);color:var(--text)}\n" \
	"h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}p{margin:.4rem 0}.quiet{color:var(--quiet)}\n" \
	"table{border-collapse:collapse;width:100%;background:var(--panel);font-size:.87rem}\n" \
	"th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere;min-width:3.5rem}\n" \
	"th{color:var(--quiet);font-weight:normal;white-space:nowrap}.num{font-variant-numeric:tabular-nums;white-space:nowrap}\n" \
	".chip{padding:.05rem .5rem;border-radius:3px;border:1px solid var(--line);white-space:nowrap;display:inline-block}\n" \
	".wide{overflow-x:auto;background:var(--panel);border:1px solid var(--line);padding:.5rem}svg{display:block;max-width:none;height:auto}\n" \
	"svg text{font:12px system-ui,sans-serif;text-anchor:middle;unicode-bidi:isolate}svg text.note{font-size:10px}\n" \
	"svg .name{text-anchor:end;fill:var(--text);font-size:11px}svg .edges{fill:none;stroke:var(--edge)}svg .edges text{stroke:none;fill:var(--quiet)}\n" \
	"svg .edges .ended{stroke-dasharray:5 3}svg .edges .bad{stroke:var(--rim);stroke-dasharray:2 2}\n" \
	"svg g>rect,svg g>path{stroke:var(--edge)}svg g>path.rim{stroke:var(--rim);stroke-width:2}\n"

#define STYLE_DARK \
	":root{--ground:#23262b;--panel:#2b2f36;--text:#e4e7eb;--quiet:#a3acb7;--line:#454b55;--edge:#8b949e;--rim:#ff6b6b}\n"

static void
append_colors(StringInfo out, bool dark)
{
	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		const JoschState *state = &josch_states[i];
		const char *fill = dark ? state->dark_fill : state->fill;
		const char *text = dark ? state->dark_text : state->text;

		appendStringInfo(out, ".%s{background:%s;color:%s;fill:%s}.%s text{fill:%s}\n", state->label, fill, text, fill,
						 state->label, text);
	}
}

static void
append_head(StringInfo out, const PageDay *day)
{
	appendStringInfoString(out, HEAD "<title>");
	appendStringInfo(out, "%s", josch_report_date(day->scope.job_date));
	if (day->scope.job_name != NULL)
	{
		appendStringInfoString(out, ", ");
		josch_page_text(out, day->scope.job_name);
	}
	appendStringInfoString(out, " &#x2013; JOSCH</title>\n<style>\n" STYLE);
	append_colors(out, false);
	appendStringInfoString(out, "@media (prefers-color-scheme:dark){\n" STYLE_DARK);
	append_colors(out, true);
	appendStringInfoString(out, "}\n</style></head>\n<body>\n");
}

/* The date, how far the day is, and how many nodes are in which state, the most urgent first. */
static void
append_summary(StringInfo out, const PageDay *day)
{
	int64		done = 0;

	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		done += josch_states[i].final ? day->counts[i] : 0;
	}
	appendStringInfo(out, "<h1>%s", josch_report_date(day->scope.job_date));
	if (day->scope.job_name != NULL)
	{
		appendStringInfoString(out, ", <bdi>");
		josch_page_text(out, day->scope.job_name);
		appendStringInfoString(out, "</bdi>");
	}
	appendStringInfo(out, "</h1>\n<p>" INT64_FORMAT " of " INT64_FORMAT " nodes are done.", done, day->total);
	for (int urgency = 1; urgency <= NODE_STATE_COUNT; urgency++)
	{
		for (int i = 0; i < NODE_STATE_COUNT; i++)
		{
			if (josch_states[i].urgency == urgency && day->counts[i] > 0)
			{
				appendStringInfo(out, " <span class=\"%s chip\">%s " INT64_FORMAT "</span>", josch_states[i].label,
								 josch_states[i].label, day->counts[i]);
			}
		}
	}
	appendStringInfoString(out, "</p>\n<p class=\"quiet\">As it stood at ");
	josch_page_time(out, day->now, day->scope.job_date);
	appendStringInfoString(out, "; times are those of ");
	josch_page_text(out, pg_get_timezone_name(session_timezone));
	appendStringInfoString(out, ".</p>\n");
}

Datum
josch_api_page(PG_FUNCTION_ARGS)
{
	PageScope	scope = {0};
	PageDay    *day;
	StringInfoData out;

	if (PG_ARGISNULL(0))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("the date of a page cannot be null"),
				 errhint("josch.today() is the date that people work on.")));
	}
	scope.job_date = PG_GETARG_DATEADT(0);
	if (!PG_ARGISNULL(1))
	{
		scope.job_name = text_to_cstring(PG_GETARG_TEXT_PP(1));
	}
	day = josch_store_page_read(&scope);
	initStringInfo(&out);
	append_head(&out, day);
	append_summary(&out, day);
	if (day->total == 0)
	{
		appendStringInfoString(&out, "<p>There are no nodes on this day that you may see.</p>\n");
	}
	josch_page_waiting(&out, day);
	josch_page_graph(&out, day);
	josch_page_timeline(&out, day);
	josch_page_table(&out, day);
	appendStringInfoString(&out, "</body></html>\n");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
