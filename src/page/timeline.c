/*
 * src/page/timeline.c
 *	  The day's runs over time, as inline SVG: a line a run, in the order of their start.
 */
#include "base/josch.h"

#include "page/page.h"

#include "miscadmin.h"

#define NAME_WIDTH 230
#define BODY_WIDTH 900
#define LINE_HEIGHT 18
#define TICKS 6
#define NAME_LETTERS 34

typedef struct Axis
{
	TimestampTz from;
	TimestampTz to;
} Axis;

static Axis
axis_of(const PageDay *day)
{
	Axis		axis = {day->bars[0].started_at, day->bars[0].started_at};

	for (int i = 0; i < day->nbars; i++)
	{
		TimestampTz end = TIMESTAMP_IS_NOBEGIN(day->bars[i].ended_at) ? day->now : day->bars[i].ended_at;

		axis.to = Max(axis.to, end);
	}
	axis.to = Max(axis.to, axis.from + USECS_PER_SEC);
	return axis;
}

static double
x_of(const Axis *axis, TimestampTz at)
{
	double		part = (double) (at - axis->from) / (double) (axis->to - axis->from);

	return NAME_WIDTH + BODY_WIDTH * Min(Max(part, 0.0), 1.0);
}

static void
append_ticks(StringInfo out, const Axis *axis, const PageDay *day)
{
	for (int i = 0; i <= TICKS; i++)
	{
		TimestampTz at = axis->from + (axis->to - axis->from) / TICKS * i;
		double		x = x_of(axis, at);

		appendStringInfo(out, "<path d=\"M%.0f 20 V%d\"/><text class=\"note\" x=\"%.0f\" y=\"13\">", x, 24 + day->nbars * LINE_HEIGHT, x);
		josch_page_time(out, at, day->scope.job_date);
		appendStringInfoString(out, "</text>\n");
	}
}

static void
append_bar(StringInfo out, const Axis *axis, const PageDay *day, int line)
{
	const PageBar *bar = &day->bars[line];
	bool		is_open = TIMESTAMP_IS_NOBEGIN(bar->ended_at);
	double		x = x_of(axis, bar->started_at);
	double		width = x_of(axis, is_open ? day->now : bar->ended_at) - x;
	int			y = 24 + line * LINE_HEIGHT;

	appendStringInfo(out, "<g class=\"%s\"><title>", bar->state);
	josch_page_text(out, bar->node_name);
	appendStringInfo(out, ", run %d: %s, ", bar->attempt, bar->state);
	josch_page_time(out, bar->started_at, day->scope.job_date);
	appendStringInfoString(out, " to ");
	if (is_open)
	{
		appendStringInfoString(out, "now");
	}
	else
	{
		josch_page_time(out, bar->ended_at, day->scope.job_date);
	}
	appendStringInfo(out, "</title><rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/></g><text class=\"name\" x=\"%d\" y=\"%d\">",
					 x, y + 2, Max(width, 3.0), LINE_HEIGHT - 5, NAME_WIDTH - 8, y + 13);
	josch_page_short_text(out, bar->node_name, NAME_LETTERS);
	appendStringInfoString(out, "</text>\n");
}

void
josch_page_timeline(StringInfo out, const PageDay *day)
{
	Axis		axis;

	if (day->nbars == 0)
	{
		return;
	}
	axis = axis_of(day);
	appendStringInfoString(out, "<h2>Timeline</h2>\n");
	josch_page_bound(out, day->nbars, day->bar_total, "runs, the first ones");
	appendStringInfo(out, "<div class=\"wide\"><svg class=\"time\" viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"The runs of the day\">\n"
					 "<g class=\"edges\">\n", NAME_WIDTH + BODY_WIDTH + 50, 28 + day->nbars * LINE_HEIGHT, NAME_WIDTH + BODY_WIDTH + 50);
	append_ticks(out, &axis, day);
	appendStringInfoString(out, "</g>\n");
	for (int i = 0; i < day->nbars; i++)
	{
		CHECK_FOR_INTERRUPTS();
		append_bar(out, &axis, day, i);
	}
	appendStringInfoString(out, "</svg></div>\n");
}
