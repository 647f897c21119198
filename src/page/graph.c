/*
 * src/page/graph.c
 *	  The day's graph as inline SVG.
 *
 * A layout is to be had cheaply here: each node knows its level, which is its
 * row; a level that is too wide is broken into several.  Within a row nodes
 * stand in the order of the middle of their parents, one pass from above.
 */
#include "base/josch.h"

#include "page/page.h"

#include "miscadmin.h"

#define ROW_BOXES 6				/* in a row at most */
#define BOX_WIDTH 176
#define BOX_HEIGHT 50
#define GAP_X 18
#define GAP_Y 34
#define NAME_LETTERS 22			/* as many as a box has room for */
#define JOB_LETTERS 10			/* the same where more is to stand beside it */
#define WAIT_LETTERS 16

typedef struct Spot
{
	double		middle;			/* of its parents, in boxes; what orders a row */
	int			row;
	int			column;
	int			columns;		/* of its row */
	int			parents;
} Spot;

typedef struct Picture
{
	const PageDay *day;
	Spot	   *spots;			/* of each box */
	int32	   *level;			/* of each box */
	int		   *by_id;			/* boxes in the order of their ids */
	int		   *order;			/* boxes as they stand, row by row */
	int			rows;
} Picture;

static int
compare_ids(const void *a, const void *b, void *arg)
{
	const PageBox *boxes = arg;
	int64		one = boxes[*(const int *) a].id;
	int64		other = boxes[*(const int *) b].id;

	return one < other ? -1 : one > other;
}

static int
compare_levels(const void *a, const void *b, void *arg)
{
	const int32 *level = arg;
	int			one = *(const int *) a;
	int			other = *(const int *) b;

	return level[one] != level[other] ? (level[one] < level[other] ? -1 : 1) : one - other;
}

static int
compare_middles(const void *a, const void *b, void *arg)
{
	const Spot *spots = arg;
	double		one = spots[*(const int *) a].middle;
	double		other = spots[*(const int *) b].middle;

	if (one != other)
	{
		return one < other ? -1 : 1;
	}
	return *(const int *) a - *(const int *) b;
}

/* The box with that id, -1 when it is not drawn. */
static int
find(const Picture *picture, int64 id)
{
	int			low = 0;
	int			high = picture->day->nboxes - 1;

	while (low <= high)
	{
		int			middle = low + (high - low) / 2;
		int64		found = picture->day->boxes[picture->by_id[middle]].id;

		if (found == id)
		{
			return picture->by_id[middle];
		}
		if (found < id)
		{
			low = middle + 1;
		}
		else
		{
			high = middle - 1;
		}
	}
	return -1;
}

static double
x_of(const Spot *spot)
{
	return ((ROW_BOXES - spot->columns) / 2.0 + spot->column) * (BOX_WIDTH + GAP_X);
}

static int
y_of(const Spot *spot)
{
	return spot->row * (BOX_HEIGHT + GAP_Y);
}

/* Gives the boxes order[first .. end - 1], which are of one level, their places. */
static void
place_level(Picture *picture, int first, int end)
{
	int			n = end - first;
	int			lines = (n + ROW_BOXES - 1) / ROW_BOXES;
	int			length = (n + lines - 1) / lines;

	qsort_arg(picture->order + first, n, sizeof(int), compare_middles, picture->spots);
	for (int i = 0; i < n; i++)
	{
		Spot	   *spot = &picture->spots[picture->order[first + i]];

		spot->row = picture->rows + i / length;
		spot->column = i % length;
		spot->columns = Min(length, n - i / length * length);
	}
	picture->rows += lines;
}

/* Adds the places of a level's boxes to the middles of their children; edges are in the order of their parents. */
static void
tell_children(Picture *picture, int first, int end)
{
	const PageDay *day = picture->day;

	for (int i = first; i < end; i++)
	{
		int			parent = picture->order[i];
		int64		id = day->boxes[parent].id;
		int			low = 0;
		int			high = day->nedges;

		while (low < high)
		{
			int			middle = low + (high - low) / 2;

			if (day->edges[middle].parent < id)
			{
				low = middle + 1;
			}
			else
			{
				high = middle;
			}
		}
		for (; low < day->nedges && day->edges[low].parent == id; low++)
		{
			int			child = find(picture, day->edges[low].child);

			if (child >= 0)
			{
				Spot	   *spot = &picture->spots[child];

				spot->middle = (spot->middle * spot->parents + x_of(&picture->spots[parent])) / (spot->parents + 1);
				spot->parents++;
			}
		}
	}
}

/*
 * The levels of boxes.  A job has none: it comes below those jobs that its nodes
 * wait for, as far as their numbers say so (jobs may well wait for each other).
 * Edges are in the order of their parents.
 */
static void
find_levels(Picture *picture)
{
	const PageDay *day = picture->day;

	for (int i = 0; i < day->nboxes; i++)
	{
		picture->level[i] = day->by_job ? 0 : day->boxes[i].level;
	}
	for (int i = 0; day->by_job && i < day->nedges; i++)
	{
		int			parent = find(picture, day->edges[i].parent);
		int			child = find(picture, day->edges[i].child);

		if (parent >= 0 && child >= 0 && day->edges[i].parent < day->edges[i].child)
		{
			picture->level[child] = Max(picture->level[child], picture->level[parent] + 1);
		}
	}
}

static void
place_all(Picture *picture)
{
	const PageDay *day = picture->day;
	int			space = Max(day->nboxes, 1);
	int			first = 0;

	picture->spots = palloc0(sizeof(Spot) * space);
	picture->level = palloc(sizeof(int32) * space);
	picture->by_id = palloc(sizeof(int) * space);
	picture->order = palloc(sizeof(int) * space);
	for (int i = 0; i < day->nboxes; i++)
	{
		picture->by_id[i] = picture->order[i] = i;
	}
	qsort_arg(picture->by_id, day->nboxes, sizeof(int), compare_ids, day->boxes);
	find_levels(picture);
	qsort_arg(picture->order, day->nboxes, sizeof(int), compare_levels, picture->level);
	while (first < day->nboxes)
	{
		int			end = first;

		while (end < day->nboxes && picture->level[picture->order[end]] == picture->level[picture->order[first]])
		{
			end++;
		}
		place_level(picture, first, end);
		tell_children(picture, first, end);
		first = end;
	}
}

static const char *
class_of(Condition condition)
{
	switch (condition)
	{
		case CONDITION_DONE:
			return " class=\"ended\"";
		case CONDITION_FAILURE:
			return " class=\"bad\"";
		case CONDITION_WELL:
		case CONDITION_SUCCESS:
		case CONDITION_COUNT:
			break;
	}
	return "";
}

static void
append_edge(StringInfo out, const Picture *picture, const PageEdge *edge)
{
	int			parent = find(picture, edge->parent);
	int			child = find(picture, edge->child);

	if (parent >= 0 && child >= 0)
	{
		double		x1 = x_of(&picture->spots[parent]) + BOX_WIDTH / 2.0;
		int			y1 = y_of(&picture->spots[parent]) + BOX_HEIGHT;
		double		x2 = x_of(&picture->spots[child]) + BOX_WIDTH / 2.0;
		int			y2 = y_of(&picture->spots[child]);
		int			bend = Max(GAP_Y / 2, (y2 - y1) / 2);

		appendStringInfo(out, "<path%s d=\"M%.0f %d C%.0f %d %.0f %d %.0f %d\"/>\n", class_of(edge->condition),
						 x1, y1, x1, y1 + bend, x2, y2 - bend, x2, y2);
	}
}

/* The shape tells the type, as everywhere: S hexagon, R octagon, L with round ends, E two boxes, N a box. */
static void
append_shape(StringInfo out, const PageBox *box, double x, int y)
{
	char		type = box->node_type == NULL ? 'J' : box->node_type[0];
	int			cut = type == 'S' ? 18 : 12;
	double		right = x + BOX_WIDTH;
	int			bottom = y + BOX_HEIGHT;

	if (type == 'S')
	{
		appendStringInfo(out, "<path d=\"M%.0f %d L%.0f %d L%.0f %d L%.0f %d L%.0f %d L%.0f %d Z\"/>",
						 x, (y + bottom) / 2, x + cut, y, right - cut, y, right, (y + bottom) / 2, right - cut, bottom,
						 x + cut, bottom);
	}
	else if (type == 'R')
	{
		appendStringInfo(out, "<path class=\"rim\" d=\"M%.0f %d H%.0f L%.0f %d V%d L%.0f %d H%.0f L%.0f %d V%d Z\"/>",
						 x + cut, y, right - cut, right, y + cut, bottom - cut, right - cut, bottom, x + cut, x, bottom - cut,
						 y + cut);
	}
	else
	{
		if (type == 'E')
		{
			appendStringInfo(out, "<rect x=\"%.0f\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"4\"/>", x + 4, y - 4, BOX_WIDTH, BOX_HEIGHT);
		}
		appendStringInfo(out, "<rect x=\"%.0f\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"%d\"/>",
						 x, y, BOX_WIDTH, BOX_HEIGHT, type == 'L' ? BOX_HEIGHT / 2 : type == 'J' ? 0 : 4);
	}
}

/* What it is called, for whoever points at it, and what it waits for outside. */
static void
append_title(StringInfo out, const PageBox *box)
{
	appendStringInfoString(out, "<title>");
	josch_page_text(out, box->node_name == NULL ? box->job_name : box->node_name);
	if (box->waits_for != NULL)
	{
		appendStringInfoString(out, " waits for ");
		josch_page_text(out, box->waits_for);
	}
	appendStringInfoString(out, "</title>");
}

/* The job, and after a dashed arrow what the node waits for outside. */
static void
append_job(StringInfo out, const PageBox *box)
{
	josch_page_short_text(out, box->job_name, box->waits_for == NULL ? NAME_LETTERS : JOB_LETTERS);
	if (box->waits_for != NULL)
	{
		appendStringInfoString(out, " &#x21E2; ");
		josch_page_short_text(out, box->waits_for, WAIT_LETTERS);
	}
}

static void
append_box(StringInfo out, const PageBox *box, const Spot *spot)
{
	double		x = x_of(spot);
	int			y = y_of(spot);

	appendStringInfo(out, "<g class=\"%s\">", box->state);
	append_title(out, box);
	append_shape(out, box, x, y);
	x += BOX_WIDTH / 2.0;
	if (box->node_name == NULL)
	{
		appendStringInfo(out, "<text x=\"%.0f\" y=\"%d\">", x, y + 21);
		josch_page_short_text(out, box->job_name, NAME_LETTERS);
		appendStringInfo(out, "</text><text class=\"note\" x=\"%.0f\" y=\"%d\">%s &#xB7; " INT64_FORMAT " of " INT64_FORMAT " done",
						 x, y + 38, box->state, box->done, box->nodes);
	}
	else
	{
		appendStringInfo(out, "<text class=\"note\" x=\"%.0f\" y=\"%d\">", x, y + 14);
		append_job(out, box);
		appendStringInfo(out, "</text><text x=\"%.0f\" y=\"%d\">", x, y + 29);
		josch_page_short_text(out, box->node_name, NAME_LETTERS);
		appendStringInfo(out, "</text><text class=\"note\" x=\"%.0f\" y=\"%d\">" INT64_FORMAT " [%s]%s %s", x, y + 43, box->id,
						 box->node_type, box->joins_any ? " any" : "", box->state);
	}
	appendStringInfoString(out, "</text></g>\n");
}

void
josch_page_graph(StringInfo out, const PageDay *day)
{
	Picture		picture = {.day = day};
	int			width = ROW_BOXES * (BOX_WIDTH + GAP_X);

	if (day->nboxes == 0)
	{
		return;
	}
	place_all(&picture);
	appendStringInfoString(out, "<h2>Graph</h2>\n");
	if (day->by_job)
	{
		appendStringInfo(out, "<p class=\"quiet\">Of " INT64_FORMAT " nodes each box is a job, in the colour of its most urgent node.</p>\n",
						 day->total);
	}
	josch_page_bound(out, day->nboxes, day->box_total, day->by_job ? "jobs" : "nodes");
	appendStringInfo(out, "<div class=\"wide\"><svg viewBox=\"-4 -4 %d %d\" width=\"%d\" role=\"img\" aria-label=\"The graph of the day\">\n"
					 "<g class=\"edges\">\n", width + 8, picture.rows * (BOX_HEIGHT + GAP_Y) - GAP_Y + 8, width);
	for (int i = 0; i < day->nedges; i++)
	{
		CHECK_FOR_INTERRUPTS();
		append_edge(out, &picture, &day->edges[i]);
	}
	appendStringInfoString(out, "</g>\n");
	for (int i = 0; i < day->nboxes; i++)
	{
		append_box(out, &day->boxes[i], &picture.spots[i]);
	}
	appendStringInfoString(out, "</svg></div>\n");
}
