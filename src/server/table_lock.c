/*
 * src/server/table_lock.c
 *	  LOCK TABLE on JOSCH's own tables is for their owner.
 *
 * Whoever may delete a row of a table may also lock all of it, for as long as he
 * likes; no grant tells the two apart.  Authors take dependencies out of a day,
 * and must not stop the day by it.  A view is as good as the tables below it.
 */
#include "base/josch.h"

#include "server/table_lock.h"

#include "access/relation.h"
#include "catalog/namespace.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rewriteHandler.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/spi_plan.h"

static bool concerns(Oid relation, Oid schema);

typedef struct Search
{
	Oid			schema;
	Oid			view;			/* names itself among its tables, as OLD and NEW */
} Search;

static bool
walk(Node *node, void *argument)
{
	Search	   *search = argument;

	if (node == NULL)
	{
		return false;
	}
	if (IsA(node, Query))
	{
		ListCell   *cell;

		foreach(cell, ((Query *) node)->rtable)
		{
			RangeTblEntry *entry = lfirst_node(RangeTblEntry, cell);

			if (entry->rtekind == RTE_RELATION && entry->relid != search->view &&
				concerns(entry->relid, search->schema))
			{
				return true;
			}
		}
		return query_tree_walker((Query *) node, walk, search, QTW_IGNORE_JOINALIASES);
	}
	return expression_tree_walker(node, walk, search);
}

/* Whether it is a table of the schema, or a view of one. */
static bool
concerns(Oid relation, Oid schema)
{
	Search		search = {schema, relation};
	Relation	view;
	bool		found;

	check_stack_depth();
	if (get_rel_relkind(relation) != RELKIND_VIEW)
	{
		return get_rel_namespace(relation) == schema;
	}
	view = relation_open(relation, AccessShareLock);
	found = walk((Node *) get_view_query(view), &search);
	relation_close(view, NoLock);
	return found;
}

void
josch_table_lock_check(const LockStmt *stmt)
{
	ListCell   *cell;

	if (stmt->mode <= RowExclusiveLock || !OidIsValid(get_extension_oid("josch", true)) ||
		has_privs_of_role(GetUserId(), josch_spi_owner()))
	{
		return;
	}
	foreach(cell, stmt->relations)
	{
		Oid			relation = RangeVarGetRelid(lfirst_node(RangeVar, cell), NoLock, true);

		if (OidIsValid(relation) && concerns(relation, get_namespace_oid(JOSCH_SCHEMA, false)))
		{
			ereport(ERROR,
					(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
					 errmsg("permission denied to lock \"%s\" as a whole", get_rel_name(relation)),
					 errdetail("The scheduler needs the tables of josch at any time."),
					 errhint("Rows are locked by those who change them; SELECT ... FOR UPDATE locks some.")));
		}
	}
}
