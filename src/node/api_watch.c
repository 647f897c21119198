/*
 * src/node/api_watch.c
 *	  josch.watch(table), josch.unwatch(table), and the trigger that they are about.
 *
 * The trigger does nothing in the loader's transaction but to remember that its commit is
 * to wake the scheduler: it can neither fail, nor wait, nor see anything.  Who asks after
 * that asks as the owner of the node.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/report.h"
#include "base/wake.h"
#include "node/store_watch.h"

PG_FUNCTION_INFO_V1(josch_api_watch);
PG_FUNCTION_INFO_V1(josch_api_unwatch);
PG_FUNCTION_INFO_V1(josch_trigger_watch_changed);

/* Who may put a trigger on it may do this: it shows nobody anything, and slows its writers down by nothing. */
static void
check_table(Oid table)
{
	char	   *name = get_rel_name(table);
	char		kind = get_rel_relkind(table);

	if (name == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("relation with OID %u does not exist", table)));
	}
	if (kind != RELKIND_RELATION && kind != RELKIND_PARTITIONED_TABLE && kind != RELKIND_FOREIGN_TABLE)
	{
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("\"%s\" is not a table", name),
				 errhint("Watch the tables that it is made of.")));
	}
	if (pg_class_aclcheck(table, GetUserId(), ACL_TRIGGER) != ACLCHECK_OK)
	{
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, name);
	}
}

/* josch.watch(table) */
Datum
josch_api_watch(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	bool		put;

	check_table(table);
	put = !OidIsValid(josch_store_watch_find(table));
	if (put)
	{
		josch_store_watch_put(table);
	}
	PG_RETURN_BOOL(put);
}

/* josch.unwatch(table) */
Datum
josch_api_unwatch(PG_FUNCTION_ARGS)
{
	Oid			table = PG_GETARG_OID(0);
	Oid			trigger;

	check_table(table);
	trigger = josch_store_watch_find(table);
	if (OidIsValid(trigger))
	{
		josch_store_watch_take(table, trigger);
	}
	PG_RETURN_BOOL(OidIsValid(trigger));
}

/* AFTER STATEMENT on any table: queries are to be asked anew when this is committed. */
Datum
josch_trigger_watch_changed(PG_FUNCTION_ARGS)
{
	const TriggerData *trigger = (const TriggerData *) fcinfo->context;

	/* whoever puts it elsewhere by hand would lose rows */
	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		strcmp(trigger->tg_trigger->tgname, JOSCH_WATCH_TRIGGER) != 0)
	{
		josch_report_trigger_misuse("josch.table_changed");
	}
	josch_wake_data_at_commit();
	PG_RETURN_POINTER(NULL);
}
