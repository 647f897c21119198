/*
 * src/day/parent_results.c
 *	  Results of a node's parents, as variables of its command.
 *
 * RESULT_rows is the result "rows" of the parent that has one; where two have, the
 * name says which is meant: RESULT_Load_rows, by the parent "Load".  A variable that could
 * be either is not there: a command that uses it fails before it begins, which is
 * better than to count the rows of another load.
 */
#include "base/josch.h"

#include "day/parent_results.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "storage/bufmgr.h"
#include "utils/jsonb.h"
#include "utils/rel.h"

#include "node/node_table.h"

#define PREFIX "RESULT_"

/* A node that joins more others than so many is given none, and no node more bytes than so many. */
#define MAX_PARENTS 1000
#define MAX_BYTES (256 * 1024)

enum
{
	REPORT_RUN_ID, REPORT_RESULTS, REPORT_COLUMNS
};

static const JoschColumn report_columns[REPORT_COLUMNS] = {
	[REPORT_RUN_ID] = {"run_id", INT8OID}, [REPORT_RESULTS] = {"results", JSONBOID}
};
static AttrNumber report_numbers[REPORT_COLUMNS];
static JoschTable reports_table = JOSCH_TABLE("run_reports", report_columns, report_numbers);

/* What is gathered of one child. */
typedef struct Gathering
{
	ParentResult *all;
	int			n;
	int			space;
	Size		bytes;
} Gathering;

void
josch_parent_results_open(ParentResults *results)
{
	results->opened = false;
	josch_finder_open(&results->reports, &reports_table, 1, AccessShareLock);
	results->any = RelationGetNumberOfBlocks(results->reports.relation) > 0;
}

/* Only then: whoever has locked the dependencies keeps no node from starting that has none. */
static void
open_parents(ParentResults *results)
{
	if (!results->opened)
	{
		josch_finder_open_index(&results->parents, &josch_node_parents, JOSCH_NODE_KEYS, NULL, AccessShareLock);
		josch_finder_open(&results->nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
		results->opened = true;
	}
}

void
josch_parent_results_close(ParentResults *results)
{
	if (results->opened)
	{
		josch_finder_close(&results->nodes);
		josch_finder_close(&results->parents);
	}
	josch_finder_close(&results->reports);
}

/* What there is no room for keeps its name, so that nobody else's stands for it. */
static void
add(Gathering *gathering, char *name, char *value)
{
	gathering->bytes += strlen(name) + strlen(value) + 2;
	if (gathering->bytes > MAX_BYTES)
	{
		value = NULL;
	}
	if (gathering->n == gathering->space)
	{
		gathering->space = Max(gathering->space * 2, 16);
		gathering->all = gathering->all == NULL ? palloc(sizeof(ParentResult) * gathering->space) :
			repalloc(gathering->all, sizeof(ParentResult) * gathering->space);
	}
	gathering->all[gathering->n++] = (ParentResult) {name, value};
}

/* A node's name as a part of a variable's: whatever cannot be in one is an underscore. */
static char *
part_of_name(const char *node_name)
{
	char	   *part = palloc(strlen(node_name) + 1);
	char	   *to = part;

	for (const char *c = node_name; *c != '\0'; c += pg_mblen(c))
	{
		bool		fits = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9');

		*to++ = fits ? *c : '_';
	}
	*to = '\0';
	return part;
}

static void
add_results(Gathering *gathering, Jsonb *results, const char *node_name)
{
	JsonbIterator *all = JsonbIteratorInit(&results->root);
	JsonbValue	value;
	JsonbIteratorToken token;
	char	   *part = part_of_name(node_name);
	char	   *name = NULL;

	while ((token = JsonbIteratorNext(&all, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
		{
			name = pnstrdup(value.val.string.val, value.val.string.len);
		}
		else if (token == WJB_VALUE && value.type == jbvString)
		{
			char	   *text = pnstrdup(value.val.string.val, value.val.string.len);

			add(gathering, psprintf(PREFIX "%s", name), text);
			add(gathering, psprintf(PREFIX "%s_%s", part, name), text);
		}
	}
}

/* What the latest run of the parent has said. */
static void
add_parent(Gathering *gathering, ParentResults *results)
{
	bool		isnull;
	Datum		key[JOSCH_NODE_KEYS] = {
		josch_finder_get(&results->parents, PARENTS_P_DATE, &isnull), josch_finder_get(&results->parents, PARENTS_P_NODE_ID, &isnull)
	};
	Datum		run_id;

	if (!josch_finder_find(&results->nodes, key))
	{
		return;
	}
	run_id = josch_finder_get(&results->nodes, NODES_RUN_ID, &isnull);
	if (!isnull && josch_finder_find(&results->reports, &run_id))
	{
		add_results(gathering, DatumGetJsonbP(josch_finder_get(&results->reports, REPORT_RESULTS, &isnull)),
					josch_finder_get_text(&results->nodes, NODES_NODE_NAME));
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(((const ParentResult *) a)->name, ((const ParentResult *) b)->name);
}

/* Leaves out what could be either of several, and what there was no room for; returns how many are left. */
static int
leave_out_ambiguous(ParentResult *all, int n)
{
	int			left = 0;

	for (int i = 0, end; i < n; i = end)
	{
		for (end = i + 1; end < n && strcmp(all[end].name, all[i].name) == 0; end++)
		{
		}
		if (end == i + 1 && all[i].value != NULL)
		{
			all[left++] = all[i];
		}
	}
	return left;
}

ParentResult *
josch_parent_results_read(ParentResults *results, NodeKey child, int *n)
{
	Gathering	gathering = {0};
	Datum		key[JOSCH_NODE_KEYS];

	*n = 0;
	if (!results->any)
	{
		return NULL;
	}
	open_parents(results);
	josch_node_key_datums(child, key);
	josch_finder_seek(&results->parents, key);
	for (int parent = 0; josch_finder_next(&results->parents); parent++)
	{
		if (parent == MAX_PARENTS)
		{
			return NULL;
		}
		add_parent(&gathering, results);
	}
	if (gathering.n > 0)
	{
		qsort(gathering.all, gathering.n, sizeof(ParentResult), compare);
	}
	*n = leave_out_ambiguous(gathering.all, gathering.n);
	return gathering.all;
}
