/*
 * src/template/store_template_id.c
 *	  Numbers for template nodes that are written without one.
 *
 * People give numbers too, and load files whose numbers were drawn elsewhere.  A
 * number that any of them has, or ever had, is not drawn: whoever merged a file
 * by it would write over somebody else's node, and the days of two nodes would
 * read as those of one.
 */
#include "base/josch.h"

#include "base/spi_plan.h"
#include "template/store_template.h"

#include "access/genam.h"
#include "access/skey.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

static JoschPlan draw = JOSCH_PLAN0(
	"SELECT n.node_id, EXISTS (SELECT FROM josch.tpl_nodes_audit AS a WHERE a.node_id = n.node_id)"
	" FROM (SELECT pg_catalog.nextval('josch.node_id_seq'::pg_catalog.regclass) AS node_id) AS n");

/* Whether a node has the number, be it one of a transaction that has not committed. */
static bool
is_taken(Relation nodes, Oid key_index, int64 node_id)
{
	SnapshotData dirty;
	ScanKeyData key;
	SysScanDesc scan;
	bool		found;

	InitDirtySnapshot(dirty);
	ScanKeyInit(&key, get_attnum(RelationGetRelid(nodes), "node_id"), BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(node_id));
	scan = systable_beginscan(nodes, key_index, true, &dirty, 1, &key);
	found = HeapTupleIsValid(systable_getnext(scan));
	systable_endscan(scan);
	return found;
}

int64
josch_store_template_new_node_id(void)
{
	Oid			schema = get_namespace_oid(JOSCH_SCHEMA, false);
	Relation	nodes = table_open(get_relname_relid("tpl_nodes", schema), AccessShareLock);
	Oid			key_index = get_relname_relid("tpl_nodes_pkey", schema);
	int64		node_id;
	bool		was_used;
	JoschSpi	spi;

	josch_spi_begin(&spi);
	do
	{
		CHECK_FOR_INTERRUPTS();
		josch_spi_run_latest(&draw, NULL, NULL);
		node_id = josch_spi_int64(0, 1, 0);
		was_used = josch_spi_bool(0, 2, true);
		SPI_freetuptable(SPI_tuptable);
	} while (was_used || is_taken(nodes, key_index, node_id));
	josch_spi_end(&spi);
	table_close(nodes, AccessShareLock);
	return node_id;
}
