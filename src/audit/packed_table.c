/*
 * src/audit/packed_table.c
 *	  The table of packs, and whose rows it holds.
 */
#include "base/josch.h"

#include "audit/packed_table.h"

#include "access/table.h"
#include "catalog/pg_inherits.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/reltrigger.h"

/* What an audit table, and the table of packs, have as JOSCH makes them (sql/install/25_audit.sql). */
#define OWN_TRIGGERS 2
#define OWN_CHECKS 1
#define OWN_INDEXES 2
#define OWN_PACKS_CHECKS 2
#define OWN_PACKS_INDEXES 1

static const PackedTable packed[] = {
	{"environs_audit", "environs_audit_packed", NULL, NULL},
	{"nodes_audit", "nodes_audit_packed", "job_date", "node_id"},
	{"node_deps_audit", "node_deps_audit_packed", "c_date", "c_node_id"},
	{"tpl_nodes_audit", "tpl_nodes_audit_packed", NULL, "node_id"},
	{"tpl_node_deps_audit", "tpl_node_deps_audit_packed", NULL, "c_node_id"}
};

static const JoschColumn columns[PACK_COLUMNS] = {
	[PACK_TABLE] = {"table_name", NAMEOID}, [PACK_DATE] = {"job_date", DATEOID}, [PACK_LAST_ID] = {"last_id", INT8OID},
	[PACK_FIRST_AUDIT_ID] = {"first_audit_id", INT8OID}, [PACK_FIRST_ID] = {"first_id", INT8OID},
	[PACK_ROW_COUNT] = {"row_count", INT4OID}, [PACK_AT] = {"at", TIMESTAMPTZOID}, [PACK_XID] = {"xid", XID8OID},
	[PACK_SESSION_NAME] = {"session_name", TEXTOID}, [PACK_ROLE_NAME] = {"role_name", TEXTOID},
	[PACK_CLIENT_ADDR] = {"client_addr", INETOID}, [PACK_APPLICATION] = {"application", TEXTOID},
	[PACK_OPERATION] = {"operation", TEXTOID}, [PACK_SAME] = {"same", JSONBOID}, [PACK_EACH] = {"each", JSONBOID},
	[PACK_OLD_SAME] = {"old_same", JSONBOID}, [PACK_OLD_EACH] = {"old_each", JSONBOID}, [PACK_COMMENT] = {"comment", TEXTOID}
};
static AttrNumber numbers[PACK_COLUMNS];

JoschTable	josch_packed_table_packs = JOSCH_TABLE("audit_packs", columns, numbers);

const PackedTable *
josch_packed_table(const char *name)
{
	for (int i = 0; i < (int) lengthof(packed); i++)
	{
		if (strcmp(packed[i].name, name) == 0 || strcmp(packed[i].child, name) == 0)
		{
			return &packed[i];
		}
	}
	return NULL;
}

static int
count_columns(TupleDesc desc)
{
	int			n = 0;

	for (int i = 0; i < desc->natts; i++)
	{
		n += TupleDescAttr(desc, i)->attisdropped ? 0 : 1;
	}
	return n;
}

/* Whether the table has what JOSCH has put on it, and nothing else. */
static bool
is_plain(Relation relation, int ncolumns, int nchecks, int nindexes)
{
	const TupleConstr *constraints = RelationGetDescr(relation)->constr;
	const TriggerDesc *triggers = relation->trigdesc;

	return count_columns(RelationGetDescr(relation)) == ncolumns &&
		constraints != NULL && constraints->num_check == nchecks &&
		triggers != NULL && triggers->numtriggers == OWN_TRIGGERS &&
		list_length(RelationGetIndexList(relation)) == nindexes &&
		!relation->rd_rel->relrowsecurity && relation->rd_rules == NULL;
}

/* Whether who reads the table reads what is in packs: people may have taken its child away. */
static bool
shows_packs(Relation relation, const char *child)
{
	List	   *children = find_inheritance_children(RelationGetRelid(relation), NoLock);

	return list_member_oid(children, get_relname_relid(child, RelationGetNamespace(relation)));
}

static bool
packs_are_plain(void)
{
	Relation	packs = josch_table_open(&josch_packed_table_packs, RowExclusiveLock);
	bool		plain = is_plain(packs, PACK_COLUMNS, OWN_PACKS_CHECKS, OWN_PACKS_INDEXES);

	table_close(packs, NoLock);
	return plain;
}

bool
josch_packed_table_takes(JoschTable *table)
{
	const PackedTable *of = josch_packed_table(table->name);
	Relation	relation;
	bool		takes;

	if (of == NULL)
	{
		return false;
	}
	relation = josch_table_open(table, RowExclusiveLock);
	takes = is_plain(relation, table->ncolumns, OWN_CHECKS, OWN_INDEXES) && shows_packs(relation, of->child) && packs_are_plain();
	table_close(relation, NoLock);
	return takes;
}
