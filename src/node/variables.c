/*
 * src/node/variables.c
 *	  Variables of commands that do not exist: told once a statement.
 *
 * A misspelt name is told when the template is written and when the day is made,
 * and never keeps either from being done: a day that makes itself has nobody who
 * reads an ERROR, and one bad node is not the others' business.  It fails by
 * itself when it would start.
 */
#include "base/josch.h"

#include "node/variables.h"

#include "lib/stringinfo.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"

#include "node/command.h"
#include "node/store_variables.h"

/* Of several nodes and of the names of one, so many are named. */
#define MAX_NAMED 5

/* Variables of results of a node's parents (day/parent_results.c). */
#define RESULT_PREFIX "RESULT_"

struct JoschVariables
{
	char	  **known;
	int			nknown;
	MemoryContext context;		/* of what is gathered */
	MemoryContext scratch;
	int			nodes;			/* that use variables which do not exist */
	int64		node_id;		/* the last of these */
	int64		first_node;
	char	   *first_name;
	List	   *names;			/* of the last node */
	StringInfoData detail;
};

JoschVariables *
josch_variables_begin(Snapshot snapshot)
{
	JoschVariables *variables = palloc0(sizeof(JoschVariables));

	variables->known = josch_store_variables_names(snapshot, &variables->nknown);
	josch_command_sort_variables(variables->known, variables->nknown);
	variables->context = CurrentMemoryContext;
	variables->scratch = AllocSetContextCreate(CurrentMemoryContext, "josch command", ALLOCSET_DEFAULT_SIZES);
	initStringInfo(&variables->detail);
	return variables;
}

void
josch_variables_know(JoschVariables *variables, char **names, int n)
{
	char	  **all = palloc(sizeof(char *) * (variables->nknown + n + 1));

	if (variables->nknown > 0)
	{
		memcpy(all, variables->known, sizeof(char *) * variables->nknown);
	}
	if (n > 0)
	{
		memcpy(all + variables->nknown, names, sizeof(char *) * n);
	}
	variables->known = all;
	variables->nknown += n;
	josch_command_sort_variables(all, variables->nknown);
}

/* The first use of a node that has such variables. */
static void
note_node(JoschVariables *variables, int64 node_id, const char *name)
{
	if (variables->nodes++ == 0)
	{
		variables->first_node = node_id;
		variables->first_name = pstrdup(name);
	}
	variables->node_id = node_id;
	variables->names = NIL;
	if (variables->nodes <= MAX_NAMED)
	{
		appendStringInfo(&variables->detail, "%sNode " INT64_FORMAT " uses ",
						 variables->nodes > 1 ? ".\n" : "", node_id);
	}
}

static void
note_name(JoschVariables *variables, const char *name)
{
	int			known = list_length(variables->names);
	ListCell   *cell;

	foreach(cell, variables->names)
	{
		if (strcmp(lfirst(cell), name) == 0)
		{
			return;				/* its other command uses it too */
		}
	}
	if (known > MAX_NAMED || variables->nodes > MAX_NAMED)
	{
		return;
	}
	variables->names = lappend(variables->names, pstrdup(name));
	if (known == MAX_NAMED)
	{
		appendStringInfoString(&variables->detail, " and others");
	}
	else
	{
		appendStringInfo(&variables->detail, "%s\"%s\"", known > 0 ? ", " : "", name);
	}
}

char **
josch_variables_unknown(const JoschVariables *variables, const char *command, int *n)
{
	int			nunknown;
	char	  **names = josch_command_unknown(command, variables->known, variables->nknown, &nunknown);

	*n = 0;
	for (int i = 0; i < nunknown; i++)
	{
		if (strncmp(names[i], RESULT_PREFIX, strlen(RESULT_PREFIX)) != 0)
		{
			names[(*n)++] = names[i];
		}
	}
	return names;
}

void
josch_variables_check(JoschVariables *variables, int64 node_id, const char *command)
{
	MemoryContext former = MemoryContextSwitchTo(variables->scratch);
	int			n;
	char	  **names = josch_variables_unknown(variables, command, &n);

	MemoryContextSwitchTo(variables->context);
	for (int i = 0; i < n; i++)
	{
		if (variables->nodes == 0 || variables->node_id != node_id)
		{
			note_node(variables, node_id, names[i]);
		}
		note_name(variables, names[i]);
	}
	MemoryContextSwitchTo(former);
	MemoryContextReset(variables->scratch);
}

void
josch_variables_warn(const JoschVariables *variables)
{
	const char *detail = variables->detail.data;
	int			others = variables->nodes - MAX_NAMED;

	if (variables->nodes == 0)
	{
		return;
	}
	ereport(WARNING,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("node " INT64_FORMAT " uses the variable \"%s\", which does not exist",
					variables->first_node, variables->first_name),
			 strchr(detail, ',') == NULL && variables->nodes == 1 ? 0 :
			 others > 0 ? errdetail("%s.\n%d more nodes use such variables.", detail, others) :
			 errdetail("%s.", detail),
			 errhint("Add it to josch.environs before the day is made, or give it a default in the command: ${%s:-value}. Else the node fails when it would start.",
					 variables->first_name)));
}
