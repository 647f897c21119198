/*
 * src/calendar/circles.c
 *	  No calendar is a part of itself, over however many steps.
 *
 * Two transactions that each add half of a circle must not both commit: whoever adds
 * a part holds a lock until the end of its transaction, and looks at what is
 * committed by then.
 */
#include "base/josch.h"

#include "calendar/circles.h"

#include "calendar/store_calendar.h"
#include "graph/dag.h"

/* The names in links, in order. */
typedef struct Names
{
	char	  **names;
	int			n;
} Names;

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *) a, *(char *const *) b);
}

static Names
names_of(const CalendarLink *links, int n)
{
	Names		names = {.names = palloc(sizeof(char *) * Max(2 * n, 1))};
	int			kept = 0;

	for (int i = 0; i < n; i++)
	{
		names.names[names.n++] = links[i].whole;
		names.names[names.n++] = links[i].part;
	}
	qsort(names.names, names.n, sizeof(char *), compare_names);
	for (int i = 0; i < names.n; i++)
	{
		if (kept == 0 || strcmp(names.names[kept - 1], names.names[i]) != 0)
		{
			names.names[kept++] = names.names[i];
		}
	}
	names.n = kept;
	return names;
}

static int64
number_of(const Names *names, char *name)
{
	char	  **found = bsearch(&name, names->names, names->n, sizeof(char *), compare_names);

	return found - names->names;
}

/* JoschDagNamer */
static char *
name_of(int64 number, const void *names)
{
	return psprintf("\"%s\"", ((const Names *) names)->names[number]);
}

void
josch_circles_refuse(void)
{
	int			n;
	CalendarLink *links;
	Names		names;
	JoschDagEdges *edges = josch_dag_edges_create();
	JoschDagCycle *cycle;

	josch_store_calendar_lock();
	links = josch_store_calendar_links(&n);
	names = names_of(links, n);
	for (int i = 0; i < n; i++)
	{
		josch_dag_add_edge(edges, number_of(&names, links[i].whole), number_of(&names, links[i].part), 0);
	}
	cycle = josch_dag_find_cycle(josch_dag_build(edges));
	if (cycle != NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("a calendar cannot be a part of itself"),
				 errdetail("The circle is %s.", josch_dag_cycle_text(cycle, name_of, &names))));
	}
}
