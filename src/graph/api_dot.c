/*
 * src/graph/api_dot.c
 *	  Pictures of graphs, in Graphviz' language.
 *
 * Names are anybody's text, and Graphviz gives meaning to quotes, backslashes
 * and ampersands in a label; all text goes through one function, so that a name
 * can't break a picture or add to it.
 *
 * The same rows give the same text, byte by byte: pictures can be compared.
 */
#include "base/josch.h"

#include "base/node_key.h"
#include "base/report.h"
#include "base/states.h"
#include "graph/store_graph.h"

#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(josch_api_dot);
PG_FUNCTION_INFO_V1(josch_api_dot_state_color);

#define REVIEW_COLOR "#d00000"
#define ABSENT_COLOR "#808080"
#define FAILURE_COLOR "#cc3311"

static const JoschState *
look_of(const char *label)
{
	const JoschState *state = josch_states_find(label);

	if (state == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("unrecognized node state: \"%s\"", label)));
	}
	return state;
}

/*
 * Appends a name as part of a label between double quotes; it has no control
 * characters (josch.is_one_line).
 */
static void
append_escaped(StringInfo out, const char *text)
{
	for (; *text != '\0'; text++)
	{
		switch (*text)
		{
			case '"':
				appendStringInfoString(out, "\\\"");
				break;
			case '\\':
				appendStringInfoString(out, "\\\\");
				break;
			case '&':
				appendStringInfoString(out, "&amp;");
				break;
			default:
				appendStringInfoChar(out, *text);
		}
	}
}

static void
append_id(StringInfo out, NodeKey key, bool is_day)
{
	if (is_day)
	{
		appendStringInfo(out, "\"" INT64_FORMAT "@%s\"", key.node_id, josch_report_date(key.job_date));
	}
	else
	{
		appendStringInfo(out, "\"" INT64_FORMAT "\"", key.node_id);
	}
}

/* The shape that tells the type. */
static const char *
shape_of(char node_type)
{
	switch (node_type)
	{
		case 'S':
			return "hexagon";
		case 'L':
			return "cylinder";
		case 'R':
			return "octagon";
		case 'E':
			return "box3d";
		default:
			return "box";
	}
}

static void
append_label(StringInfo out, const GraphNode *node, const GraphScope *scope)
{
	appendStringInfoString(out, "label=\"");
	if (node->exists)
	{
		append_escaped(out, node->job_name);
		appendStringInfo(out, "\\n" INT64_FORMAT " [%s]%s\\n", node->node_id, node->node_type, node->joins_any ? " any" : "");
		append_escaped(out, node->node_name);
	}
	else
	{
		appendStringInfo(out, INT64_FORMAT, node->node_id);
	}
	if (scope->is_day && node->job_date != scope->job_date)
	{
		appendStringInfo(out, "\\n%s", josch_report_date(node->job_date));
	}
	if (node->state != NULL)
	{
		appendStringInfo(out, "\\n%s", node->state);
	}
	else if (!node->exists)
	{
		appendStringInfoString(out, node->expected ? "\\nnot made yet" : "\\nabsent");
	}
	appendStringInfoChar(out, '"');
}

static void
append_node(StringInfo out, const GraphNode *node, const GraphScope *scope)
{
	NodeKey		key = {node->node_id, node->job_date};
	const char *outline = NULL;
	StringInfoData style;

	initStringInfo(&style);
	appendStringInfoString(&style, node->outside ? "dashed" : "solid");
	if (node->state != NULL)
	{
		appendStringInfoString(&style, ",filled");
	}
	if (!node->exists)
	{
		outline = ABSENT_COLOR;
	}
	else if (node->node_type[0] == 'R')
	{
		outline = REVIEW_COLOR;
	}
	else if (node->node_type[0] == 'N' && !node->outside)
	{
		appendStringInfoString(&style, ",rounded");
	}

	appendStringInfoString(out, "\t");
	append_id(out, key, scope->is_day);
	appendStringInfoString(out, " [");
	append_label(out, node, scope);
	appendStringInfo(out, ", shape=%s, style=\"%s\"",
					 node->outside ? "circle" : shape_of(node->node_type[0]), style.data);
	if (node->state != NULL)
	{
		const JoschState *look = look_of(node->state);

		appendStringInfo(out, ", fillcolor=\"%s\", fontcolor=\"%s\"", look->fill, look->text);
	}
	if (outline != NULL)
	{
		appendStringInfo(out, ", color=\"%s\"%s", outline,
						 node->exists ? ", penwidth=2" : ", fontcolor=\"" ABSENT_COLOR "\"");
	}
	appendStringInfoString(out, "];\n");
	pfree(style.data);
}

/* What a node waits for outside: a note, and a dashed edge from it. */
static void
append_world(StringInfo out, const GraphNode *node, const GraphScope *scope)
{
	NodeKey		key = {node->node_id, node->job_date};
	StringInfoData id;

	if (node->waits_for == NULL)
	{
		return;
	}
	initStringInfo(&id);
	append_id(&id, key, scope->is_day);
	appendStringInfo(out, "\t\"waits %s [label=\"", id.data + 1);
	append_escaped(out, node->waits_for);
	appendStringInfo(out, "\", shape=note, style=dashed];\n\t\"waits %s -> %s [style=dashed];\n", id.data + 1, id.data);
	pfree(id.data);
}

/* A picture's nodes by id, but for those outside, and its edges by parent. */
typedef struct Scene
{
	GraphNode  *nodes;
	int			nnodes;
	GraphEdge  *edges;
	int			nedges;
} Scene;

/* The place of the first of the nodes, which are in the order of ids, that has this one or a higher. */
static int
place_of(const GraphNode *nodes, int n, int64 node_id)
{
	int			low = 0;
	int			high = n;

	while (low < high)
	{
		int			middle = low + (high - low) / 2;

		if (nodes[middle].node_id < node_id)
		{
			low = middle + 1;
		}
		else
		{
			high = middle;
		}
	}
	return low;
}

static bool
contains(const GraphNode *nodes, int n, int64 node_id)
{
	int			place = place_of(nodes, n, node_id);

	return place < n && nodes[place].node_id == node_id;
}

/* What is written beside an edge: the parent's day, where it is another, and its condition, where it is not success. */
static char *
edge_label(const GraphEdge *edge, const GraphScope *scope)
{
	char	   *day = edge->lag == 0 ? "" :
		scope->is_day ? pstrdup(josch_report_date(edge->parent.job_date)) :
		psprintf("%+d day%s", -edge->lag, abs(edge->lag) == 1 ? "" : "s");
	const char *condition = edge->condition == CONDITION_SUCCESS ? "" : josch_conditions[edge->condition];

	return psprintf("%s%s%s", day, day[0] != '\0' && condition[0] != '\0' ? ", " : "", condition);
}

static const char *
edge_look(Condition condition)
{
	switch (condition)
	{
		case CONDITION_DONE:
			return ", arrowhead=empty";
		case CONDITION_FAILURE:
			return ", arrowhead=empty, color=\"" FAILURE_COLOR "\", fontcolor=\"" FAILURE_COLOR "\"";
		case CONDITION_WELL:
		case CONDITION_SUCCESS:
		case CONDITION_COUNT:
			break;
	}
	return "";
}

/*
 * An edge across days bears the parent's day.  Between two nodes inside a
 * template picture it must not pull one above the other: such edges may well
 * be part of a cycle.
 */
static void
append_edge(StringInfo out, const GraphEdge *edge, const GraphScope *scope, bool to_end, bool is_inside)
{
	appendStringInfoString(out, "\t");
	append_id(out, edge->parent, scope->is_day);
	appendStringInfoString(out, " -> ");
	append_id(out, edge->child, scope->is_day);
	if (to_end)
	{
		/* that it waits for all, and for what, its shape says */
		appendStringInfoString(out, " [arrowhead=none]");
	}
	else if (edge->lag != 0 || edge->condition != CONDITION_SUCCESS)
	{
		appendStringInfo(out, " [label=\"%s\"%s%s%s]", edge_label(edge, scope), edge->lag != 0 ? ", style=dashed" : "",
						 edge->lag != 0 && !scope->is_day && is_inside ? ", constraint=false" : "", edge_look(edge->condition));
	}
	appendStringInfoString(out, ";\n");
}

/* The node of the scope with that id, where its day is the scope's; or NULL. */
static const GraphNode *
node_of(const Scene *scene, NodeKey key)
{
	int			i = place_of(scene->nodes, scene->nnodes, key.node_id);

	return i < scene->nnodes && scene->nodes[i].node_id == key.node_id && scene->nodes[i].job_date == key.job_date ? &scene->nodes[i] : NULL;
}

/* The end of the job that the edge leads to, where it does so because it is one; or NULL. */
static const GraphNode *
end_of_job(const Scene *scene, const GraphEdge *edge)
{
	const GraphNode *child = edge->condition == CONDITION_WELL && edge->lag == 0 ? node_of(scene, edge->child) : NULL;

	return child != NULL && child->node_type[0] == 'E' ? child : NULL;
}

/* Whether a node of the job comes between the edge's parent and the end of that job: then the way over it is all that is drawn. */
static bool
is_implied(const Scene *scene, int edge)
{
	const GraphNode *end = end_of_job(scene, &scene->edges[edge]);
	int			first = edge;

	if (end == NULL)
	{
		return false;
	}
	while (first > 0 && josch_node_key_equal(scene->edges[first - 1].parent, scene->edges[edge].parent))
	{
		first--;
	}
	for (int i = first; i < scene->nedges && josch_node_key_equal(scene->edges[i].parent, scene->edges[edge].parent); i++)
	{
		const GraphNode *child = scene->edges[i].lag == 0 ? node_of(scene, scene->edges[i].child) : NULL;

		if (child != NULL && child->node_type[0] != 'E' && strcmp(child->job_name, end->job_name) == 0)
		{
			return true;
		}
	}
	return false;
}

static void
append_edges(StringInfo out, const Scene *scene, const GraphScope *scope)
{
	for (int i = 0; i < scene->nedges; i++)
	{
		const GraphEdge *edge = &scene->edges[i];

		CHECK_FOR_INTERRUPTS();
		if (!is_implied(scene, i))
		{
			append_edge(out, edge, scope, end_of_job(scene, edge) != NULL,
						contains(scene->nodes, scene->nnodes, edge->parent.node_id) && contains(scene->nodes, scene->nnodes, edge->child.node_id));
		}
	}
}

static void
append_title(StringInfo out, const GraphScope *scope)
{
	appendStringInfoString(out, "digraph josch {\n\tgraph [charset=\"UTF-8\", rankdir=TB, label=\"");
	append_escaped(out, scope->job_name == NULL ? "all jobs" : scope->job_name);
	appendStringInfo(out, ", %s\", labelloc=t, fontname=\"sans-serif\"];\n",
					 scope->is_day ? josch_report_date(scope->job_date) : "templates");
	appendStringInfoString(out,
						   "\tnode [fontname=\"sans-serif\", fontsize=10];\n"
						   "\tedge [fontname=\"sans-serif\", fontsize=9];\n");
}

static void
append_nodes(StringInfo out, const GraphNode *nodes, int n, const GraphScope *scope)
{
	for (int i = 0; i < n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		append_node(out, &nodes[i], scope);
		append_world(out, &nodes[i], scope);
	}
}

Datum
josch_api_dot(PG_FUNCTION_ARGS)
{
	GraphScope	scope = {0};
	StringInfoData out;
	GraphNode  *neighbours;
	Scene		scene;
	int			n;

	if (!PG_ARGISNULL(0))
	{
		scope.job_name = text_to_cstring(PG_GETARG_TEXT_PP(0));
	}
	if (!PG_ARGISNULL(1))
	{
		scope.is_day = true;
		scope.job_date = PG_GETARG_DATEADT(1);
	}
	initStringInfo(&out);
	append_title(&out, &scope);
	scene.nodes = josch_store_graph_nodes(&scope, &scene.nnodes);
	append_nodes(&out, scene.nodes, scene.nnodes, &scope);
	neighbours = josch_store_graph_neighbours(&scope, &n);
	append_nodes(&out, neighbours, n, &scope);
	scene.edges = josch_store_graph_edges(&scope, &scene.nedges);
	append_edges(&out, &scene, &scope);
	appendStringInfoString(&out, "}\n");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

Datum
josch_api_dot_state_color(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(look_of(text_to_cstring(PG_GETARG_TEXT_PP(0)))->fill));
}
