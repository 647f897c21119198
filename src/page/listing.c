/*
 * src/page/listing.c
 *	  What waits for people, and the table of all nodes.
 *
 * Both are of the same rows, the most urgent first, so that what waits is their
 * beginning.
 */
#include "base/josch.h"

#include "page/page.h"

#include "miscadmin.h"

#define HEAD \
	"<table><thead><tr><th>State<th>Node<th>Job<th>Type<th>Id<th>Since<th>Started<th>Ended<th>Message</tr></thead><tbody>\n"

/* A cell whose text is somebody's; it keeps its direction to itself. */
static void
append_cell(StringInfo out, const char *text)
{
	appendStringInfoString(out, "<td><bdi>");
	josch_page_text(out, text);
	appendStringInfoString(out, "</bdi>");
}

static void
append_time(StringInfo out, TimestampTz at, const PageDay *day)
{
	appendStringInfoString(out, "<td class=\"num\">");
	josch_page_time(out, at, day->scope.job_date);
}

static void
append_row(StringInfo out, const PageNode *node, const PageDay *day)
{
	appendStringInfo(out, "<tr><td><span class=\"%s chip\">%s</span>", node->state, node->state);
	append_cell(out, node->node_name);
	append_cell(out, node->job_name);
	appendStringInfo(out, "<td>%s<td class=\"num\">" INT64_FORMAT, node->node_type, node->node_id);
	append_time(out, node->state_since, day);
	append_time(out, node->started_at, day);
	append_time(out, node->ended_at, day);
	append_cell(out, node->message);
	if (node->acted_by != NULL && node->action != NULL)
	{
		appendStringInfoString(out, " <span class=\"quiet\">(<bdi>");
		josch_page_text(out, node->acted_by);
		appendStringInfo(out, "</bdi>: %s", node->action);
		if (node->comment != NULL)
		{
			appendStringInfoString(out, " &#x2013; <bdi>");
			josch_page_text(out, node->comment);
			appendStringInfoString(out, "</bdi>");
		}
		appendStringInfoString(out, ")</span>");
	}
	appendStringInfoString(out, "</tr>\n");
}

static bool
is_asking(const PageNode *node)
{
	const JoschState *state = josch_states_find(node->state);

	return state != NULL && state->attention;
}

void
josch_page_waiting(StringInfo out, const PageDay *day)
{
	int64		waiting = 0;
	int			shown = 0;

	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		waiting += josch_states[i].attention ? day->counts[i] : 0;
	}
	appendStringInfoString(out, "<h2>Waits for people</h2>\n");
	if (waiting == 0)
	{
		appendStringInfoString(out, "<p>Nobody is waited for on this day.</p>\n");
	}
	else
	{
		while (shown < day->nnodes && is_asking(&day->nodes[shown]))
		{
			shown++;
		}
		josch_page_bound(out, shown, waiting, "nodes that wait");
		appendStringInfoString(out, HEAD);
		for (int i = 0; i < shown; i++)
		{
			append_row(out, &day->nodes[i], day);
		}
		appendStringInfoString(out, "</tbody></table>\n");
	}
	if (day->elsewhere > 0)
	{
		appendStringInfo(out, "<p>On other days: " INT64_FORMAT ".</p>\n", day->elsewhere);
	}
}

void
josch_page_table(StringInfo out, const PageDay *day)
{
	if (day->nnodes == 0)
	{
		return;
	}
	appendStringInfoString(out, "<h2>Nodes</h2>\n");
	josch_page_bound(out, day->nnodes, day->total, "nodes, the most urgent first");
	appendStringInfoString(out, HEAD);
	for (int i = 0; i < day->nnodes; i++)
	{
		CHECK_FOR_INTERRUPTS();
		append_row(out, &day->nodes[i], day);
	}
	appendStringInfoString(out, "</tbody></table>\n");
}
