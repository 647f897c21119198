/*
 * src/graph/store_graph.h
 *	  Graphs out of the tables, and the levels of days back into them.
 *
 * store_graph.c reads graphs for people; store_graph_check.c refuses
 * cycles, for templates and for days, and keeps nodes.level.
 */
#ifndef JOSCH_STORE_GRAPH_H
#define JOSCH_STORE_GRAPH_H

#include "base/josch.h"

#include "base/states.h"

#include "graph/dag.h"

/* Which graph is meant: the templates or a day, whole or one job of it. */
typedef struct GraphScope
{
	const char *job_name;		/* NULL: all jobs */
	bool		is_day;
	DateADT		job_date;		/* of a day */
} GraphScope;

typedef struct GraphNode
{
	int64		node_id;
	DateADT		job_date;		/* of a day */
	bool		outside;		/* not in the scope, but a neighbour of a node that is */
	bool		exists;			/* false: a parent whose day was never made */
	bool		expected;		/* of one that does not exist: its children wait for it */
	char	   *node_type;		/* these four are NULL for one that does not exist */
	char	   *job_name;
	char	   *node_name;
	char	   *state;			/* of a day */
	int64		duration;		/* in microseconds; josch_store_graph_durations only */
	bool		joins_any;		/* join_rule */
	char	   *waits_for;		/* a file, a query: of one in the scope; NULL: nothing */
} GraphNode;

typedef struct GraphEdge
{
	NodeKey		parent;			/* job_date is set for days only */
	NodeKey		child;
	int32		lag;			/* c_date - p_date */
	Condition	condition;		/* josch_store_graph_edges only */
} GraphEdge;

typedef struct GraphStep
{
	NodeKey		key;
	int32		distance;
} GraphStep;

/* All dependencies of the templates: those that are written, and those by which the end of a job (E) waits for all others of it. */
#define JOSCH_SQL_TEMPLATE_DEPS \
	"(SELECT p_node_id, p_date, c_node_id, c_date, condition FROM josch.tpl_node_deps" \
	" UNION ALL SELECT n.node_id, 0, e.node_id, 0, 'well'" \
	"  FROM josch.tpl_nodes e JOIN josch.tpl_nodes n ON n.job_name = e.job_name AND n.node_type <> 'E'" \
	" WHERE e.node_type = 'E')"

/* store_graph.c: all run with the caller's rights; results are palloc'd */

/* Adds the rows of a query with two columns of integers to edges. */
extern void josch_store_graph_read_query(const char *query, JoschDagEdges *edges);

/* The nodes of the scope by id; a job that does not exist is an error. */
extern GraphNode *josch_store_graph_nodes(const GraphScope *scope, int *n);

/* The same with durations: of the latest run that day, else the median of former days, else 0. */
extern GraphNode *josch_store_graph_durations(const GraphScope *scope, int *n);

/* Dependencies between nodes of the scope within one day. */
extern void josch_store_graph_inner_edges(const GraphScope *scope, JoschDagEdges *edges);

/* Dependencies that touch the scope, and the nodes outside that they touch; both in key order. */
extern GraphEdge *josch_store_graph_edges(const GraphScope *scope, int *n);
extern GraphNode *josch_store_graph_neighbours(const GraphScope *scope, int *n);

/*
 * All that leads to a node (or, not upwards, that it leads to), by distance and
 * key, of the templates or of days.  A node that does not exist is an error.
 */
extern GraphStep *josch_store_graph_walk(int64 node_id, bool is_day, DateADT job_date,
										 bool upwards, int *n);

/* store_graph_check.c: all run as the owner */

/*
 * Refuses a template cycle whose lags sum up to 0 or less.  edges are the
 * dependencies that were added, and are in the table already.
 */
extern void josch_store_graph_check_templates(const GraphEdge *edges, int n);

/* By which the ends of jobs wait for these nodes, or these, where they are ends, for others; palloc'd. */
extern GraphEdge *josch_store_graph_end_edges(const int64 *node_ids, int nnodes, int *n);

/*
 * For dependencies that were added to days, and are in the table already:
 * raises nodes.level where a child is not above its parent, and refuses a cycle.
 * A parent that does not exist counts as one of level 0.
 *
 * Whoever inserts dependencies with josch_mode suspended calls this, with the
 * rows of their parents and children locked before.  Edges whose child was
 * inserted with a level above its parent's may be left out.
 */
extern void josch_store_graph_check_days(const GraphEdge *edges, int n);

#endif							/* JOSCH_STORE_GRAPH_H */
