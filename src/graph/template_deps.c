/*
 * src/graph/template_deps.c
 *	  The dependencies of template nodes, by child, past the planner.
 */
#include "base/josch.h"

#include "graph/template_deps.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"

#include "base/states.h"
#include "base/table.h"

enum
{
	DEP_CHILD, DEP_PARENT, DEP_P_DATE, DEP_C_DATE, DEP_CONDITION, DEP_COLUMNS
};

static const JoschColumn dep_columns[DEP_COLUMNS] = {
	[DEP_CHILD] = {"c_node_id", INT8OID}, [DEP_PARENT] = {"p_node_id", INT8OID}, [DEP_P_DATE] = {"p_date", INT4OID},
	[DEP_C_DATE] = {"c_date", INT4OID}, [DEP_CONDITION] = {"condition", TEXTOID}
};
static AttrNumber dep_numbers[DEP_COLUMNS];
static JoschTable deps_table = JOSCH_TABLE("tpl_node_deps", dep_columns, dep_numbers);

/* The same in the order of the primary key. */
enum
{
	CHILD_PARENT, CHILD_CHILD, CHILD_COLUMNS
};

static const JoschColumn child_columns[CHILD_COLUMNS] = {[CHILD_PARENT] = {"p_node_id", INT8OID}, [CHILD_CHILD] = {"c_node_id", INT8OID}};
static AttrNumber child_numbers[CHILD_COLUMNS];
static JoschTable children_table = JOSCH_TABLE("tpl_node_deps", child_columns, child_numbers);

/* Nodes in the order of their key, and in that of their names. */
enum
{
	NODE_ID, NODE_JOB, NODE_COLUMNS
};

static const JoschColumn node_columns[NODE_COLUMNS] = {[NODE_ID] = {"node_id", INT8OID}, [NODE_JOB] = {"job_name", TEXTOID}};
static AttrNumber node_numbers[NODE_COLUMNS];
static JoschTable nodes_table = JOSCH_TABLE("tpl_nodes", node_columns, node_numbers);

enum
{
	MEMBER_JOB, MEMBER_ID, MEMBER_COLUMNS
};

static const JoschColumn member_columns[MEMBER_COLUMNS] = {[MEMBER_JOB] = {"job_name", TEXTOID}, [MEMBER_ID] = {"node_id", INT8OID}};
static AttrNumber member_numbers[MEMBER_COLUMNS];
static JoschTable members_table = JOSCH_TABLE("tpl_nodes", member_columns, member_numbers);

void
josch_template_deps_open(JoschFinder *deps, Snapshot templates)
{
	josch_finder_open_index(deps, &deps_table, 1, templates, AccessShareLock);
}

void
josch_template_deps_seek(JoschFinder *deps, int64 child)
{
	Datum		key = Int64GetDatum(child);

	josch_finder_seek(deps, &key);
}

/* A CHECK knows no other words. */
static Condition
condition_at_hand(JoschFinder *deps)
{
	Condition	condition = CONDITION_SUCCESS;
	char	   *label = josch_finder_get_text(deps, DEP_CONDITION);

	(void) josch_conditions_parse(label, &condition);
	pfree(label);
	return condition;
}

bool
josch_template_deps_next(JoschFinder *deps, TemplateDep *dep)
{
	bool		isnull;

	if (!josch_finder_next(deps))
	{
		return false;
	}
	dep->parent = DatumGetInt64(josch_finder_get(deps, DEP_PARENT, &isnull));
	dep->child = DatumGetInt64(josch_finder_get(deps, DEP_CHILD, &isnull));
	dep->condition = condition_at_hand(deps);
	dep->days = DatumGetInt32(josch_finder_get(deps, DEP_P_DATE, &isnull)) - DatumGetInt32(josch_finder_get(deps, DEP_C_DATE, &isnull));
	return true;
}

/* ---- jobs ---- */

/* Nodes, in the order of their numbers. */
typedef struct Members
{
	int64	   *ids;
	int			n;
} Members;

static int
compare_ids(const void *a, const void *b)
{
	const int64 *x = a;
	const int64 *y = b;

	return (*x > *y) - (*x < *y);
}

static Members
members_of(Snapshot templates, char *const *job_names, int n)
{
	Members		members = {0};
	int			space = 0;
	JoschFinder nodes;
	bool		isnull;

	josch_finder_open_index(&nodes, &members_table, 1, templates, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key = CStringGetTextDatum(job_names[i]);

		josch_finder_seek(&nodes, &key);
		while (josch_finder_next(&nodes))
		{
			if (members.n == space)
			{
				space = Max(space * 2, 64);
				members.ids = members.ids == NULL ? palloc(sizeof(int64) * space) : repalloc_huge(members.ids, sizeof(int64) * space);
			}
			members.ids[members.n++] = DatumGetInt64(josch_finder_get(&nodes, MEMBER_ID, &isnull));
		}
	}
	josch_finder_close(&nodes);
	if (members.n > 0)
	{
		qsort(members.ids, members.n, sizeof(int64), compare_ids);
	}
	return members;
}

/* The bytes of the 200 characters that a job's name has at most. */
#define JOB_NAME_SIZE 801

/* Names of jobs that are collected. */
typedef struct Jobs
{
	JoschFinder nodes;
	HTAB	   *known;
	char	  **names;
	int			n;
	int			space;
} Jobs;

/* Adds the job of a node that is no member, if it is not there. */
static void
add_job_of(Jobs *jobs, const Members *members, int64 node_id)
{
	Datum		key = Int64GetDatum(node_id);
	char	   *name;
	bool		isnull;
	bool		known;

	if (bsearch(&node_id, members->ids, members->n, sizeof(int64), compare_ids) != NULL || !josch_finder_find(&jobs->nodes, &key))
	{
		return;
	}
	name = TextDatumGetCString(josch_finder_get(&jobs->nodes, NODE_JOB, &isnull));
	(void) hash_search(jobs->known, name, HASH_ENTER, &known);
	if (known)
	{
		pfree(name);
		return;
	}
	if (jobs->n == jobs->space)
	{
		jobs->space = Max(jobs->space * 2, 16);
		jobs->names = jobs->names == NULL ? palloc(sizeof(char *) * jobs->space) : repalloc(jobs->names, sizeof(char *) * jobs->space);
	}
	jobs->names[jobs->n++] = name;
}

/* The nodes at the other ends of the dependencies that a finder has of the members. */
static void
add_other_ends(Jobs *jobs, const Members *members, JoschFinder *deps, int other_end)
{
	bool		isnull;

	for (int i = 0; i < members->n; i++)
	{
		josch_template_deps_seek(deps, members->ids[i]);
		while (josch_finder_next(deps))
		{
			add_job_of(jobs, members, DatumGetInt64(josch_finder_get(deps, other_end, &isnull)));
		}
	}
}

static char **
other_jobs(Snapshot templates, char *const *job_names, int n, bool children, int *nfound)
{
	Members		members = members_of(templates, job_names, n);
	HASHCTL		control = {.keysize = JOB_NAME_SIZE, .entrysize = JOB_NAME_SIZE, .hcxt = CurrentMemoryContext};
	Jobs		jobs = {.known = hash_create("josch jobs", 64, &control, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT)};
	JoschFinder deps;

	josch_finder_open_index(&jobs.nodes, &nodes_table, 1, templates, AccessShareLock);
	josch_template_deps_open(&deps, templates);
	add_other_ends(&jobs, &members, &deps, DEP_PARENT);
	josch_finder_close(&deps);
	if (children)
	{
		josch_finder_open_index(&deps, &children_table, 1, templates, AccessShareLock);
		add_other_ends(&jobs, &members, &deps, CHILD_CHILD);
		josch_finder_close(&deps);
	}
	josch_finder_close(&jobs.nodes);
	hash_destroy(jobs.known);
	*nfound = jobs.n;
	return jobs.names;
}

char **
josch_template_deps_parent_jobs(Snapshot templates, char *const *job_names, int n, int *nparents)
{
	return other_jobs(templates, job_names, n, false, nparents);
}

char **
josch_template_deps_linked_jobs(char *const *job_names, int n, int *nlinked)
{
	return other_jobs(NULL, job_names, n, true, nlinked);
}
