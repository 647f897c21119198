/*
 * src/page/page.h
 *	  A day as one HTML page: for people without windows, and for a file or a web server.
 *
 * store_page.c reads what is shown, with the caller's rights, all of it bounded;
 * html.c writes text so that nobody's name can add to the page; graph.c,
 * timeline.c and listing.c write its parts; api_page.c puts it together.
 *
 * The page is ASCII, has no script, asks for nothing from anywhere, and follows
 * the reader's choice of light or dark.
 */
#ifndef JOSCH_PAGE_H
#define JOSCH_PAGE_H

#include "base/josch.h"

#include "base/states.h"

#include "lib/stringinfo.h"
#include "utils/timestamp.h"

/* What is shown at most; beyond it the page says how much there is. */
#define PAGE_MAX_ROWS 1000
#define PAGE_MAX_BARS 300
#define PAGE_MAX_BOXES 300
#define PAGE_MAX_EDGES 3000
#define PAGE_MAX_TEXT 300		/* characters of a name or a message */

typedef struct PageScope
{
	DateADT		job_date;
	const char *job_name;		/* NULL: all jobs */
} PageScope;

/* A node, in the table. */
typedef struct PageNode
{
	int64		node_id;
	char	   *job_name;
	char	   *node_name;
	char	   *node_type;
	char	   *state;
	TimestampTz state_since;
	TimestampTz started_at;		/* DT_NOBEGIN: never */
	TimestampTz ended_at;
	char	   *message;
	char	   *acted_by;
	char	   *action;
	char	   *comment;
} PageNode;

/* A box of the picture: a node, or, where there are too many of them, a job with all of its nodes. */
typedef struct PageBox
{
	int64		id;
	int32		level;
	char	   *job_name;
	char	   *node_name;		/* NULL: a job */
	char	   *node_type;		/* NULL: a job */
	char	   *state;			/* of a job the most urgent of its nodes */
	int64		nodes;
	int64		done;
	bool		joins_any;
	char	   *waits_for;		/* outside: a file, "query"; NULL: nothing */
} PageBox;

typedef struct PageEdge
{
	int64		parent;
	int64		child;
	Condition	condition;
} PageEdge;

/* A run, in the timeline. */
typedef struct PageBar
{
	char	   *node_name;
	char	   *state;			/* of the node, for an open run and a former one too: what the run came to */
	TimestampTz started_at;
	TimestampTz ended_at;		/* DT_NOBEGIN: it goes on */
	int32		attempt;
} PageBar;

typedef struct PageDay
{
	PageScope	scope;
	TimestampTz now;
	int64		counts[NODE_STATE_COUNT];
	int64		total;
	int64		elsewhere;		/* nodes that wait for people on other days */
	PageNode   *nodes;			/* the most urgent first */
	int			nnodes;
	bool		by_job;			/* boxes are jobs */
	PageBox    *boxes;			/* by level and id */
	int			nboxes;
	int64		box_total;
	PageEdge   *edges;
	int			nedges;
	PageBar    *bars;			/* in the order of their start */
	int			nbars;
	int64		bar_total;
} PageDay;

/* store_page.c */
extern PageDay *josch_store_page_read(const PageScope *scope);

/* html.c */

/* Text of anybody's, as content or as the value of an attribute in double quotes: ASCII, at most PAGE_MAX_TEXT characters. */
extern void josch_page_text(StringInfo out, const char *text);

/* The same, of at most so many characters: its middle is left out. */
extern void josch_page_short_text(StringInfo out, const char *text, int limit);

/* "22:04:31", with the date where that is not the day's; nothing for DT_NOBEGIN. */
extern void josch_page_time(StringInfo out, TimestampTz at, DateADT day);

/* "1,000 of 100,000 nodes" when not all are shown, else nothing. */
extern void josch_page_bound(StringInfo out, int64 shown, int64 total, const char *what);

/* graph.c, timeline.c, listing.c */
extern void josch_page_graph(StringInfo out, const PageDay *day);
extern void josch_page_timeline(StringInfo out, const PageDay *day);
extern void josch_page_waiting(StringInfo out, const PageDay *day);
extern void josch_page_table(StringInfo out, const PageDay *day);

#endif							/* JOSCH_PAGE_H */
