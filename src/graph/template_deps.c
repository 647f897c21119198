/*
 * src/graph/template_deps.c
 *	  The dependencies of template nodes, by child, past the planner.
 */
#include "base/josch.h"

#include "graph/template_deps.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/table.h"

enum
{
	DEP_CHILD, DEP_PARENT, DEP_P_DATE, DEP_C_DATE, DEP_COLUMNS
};

static const JoschColumn dep_columns[DEP_COLUMNS] = {
	[DEP_CHILD] = {"c_node_id", INT8OID}, [DEP_PARENT] = {"p_node_id", INT8OID}, [DEP_P_DATE] = {"p_date", INT4OID},
	[DEP_C_DATE] = {"c_date", INT4OID}
};
static AttrNumber dep_numbers[DEP_COLUMNS];
static JoschTable deps_table = JOSCH_TABLE("tpl_node_deps", dep_columns, dep_numbers);

/* The same table in the order of its key, and in that of its names. */
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
	josch_finder_open_index(deps, &deps_table, "tpl_node_deps_child_idx", 1, templates, AccessShareLock);
}

void
josch_template_deps_seek(JoschFinder *deps, int64 child)
{
	Datum		key = Int64GetDatum(child);

	josch_finder_seek(deps, &key);
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

	josch_finder_open_index(&nodes, &members_table, "tpl_nodes_node_name_is_unique_in_its_job", 1, templates, AccessShareLock);
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

/* Adds the job of a node, if it is not there. */
static void
add_job_of(char ***jobs, int *njobs, JoschFinder *nodes, int64 node_id)
{
	Datum		key = Int64GetDatum(node_id);
	char	   *name;
	bool		isnull;

	if (!josch_finder_find(nodes, &key))
	{
		return;
	}
	name = TextDatumGetCString(josch_finder_get(nodes, NODE_JOB, &isnull));
	for (int i = *njobs - 1; i >= 0; i--)
	{
		if (strcmp((*jobs)[i], name) == 0)
		{
			pfree(name);
			return;
		}
	}
	*jobs = *jobs == NULL ? palloc(sizeof(char *)) : repalloc(*jobs, sizeof(char *) * (*njobs + 1));
	(*jobs)[(*njobs)++] = name;
}

char **
josch_template_deps_parent_jobs(Snapshot templates, char *const *job_names, int n, int *nparents)
{
	Members		members = members_of(templates, job_names, n);
	char	  **parents = NULL;
	JoschFinder deps;
	JoschFinder nodes;
	TemplateDep dep;

	*nparents = 0;
	josch_template_deps_open(&deps, templates);
	josch_finder_open_index(&nodes, &nodes_table, NULL, 1, templates, AccessShareLock);
	for (int i = 0; i < members.n; i++)
	{
		josch_template_deps_seek(&deps, members.ids[i]);
		while (josch_template_deps_next(&deps, &dep))
		{
			if (bsearch(&dep.parent, members.ids, members.n, sizeof(int64), compare_ids) == NULL)
			{
				add_job_of(&parents, nparents, &nodes, dep.parent);
			}
		}
	}
	josch_finder_close(&nodes);
	josch_finder_close(&deps);
	return parents;
}
