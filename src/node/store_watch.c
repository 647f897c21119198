/*
 * src/node/store_watch.c
 *	  The trigger that josch.watch() puts on a table.
 *
 * It is the table's, so that a dump has it and DROP TABLE takes it; and it goes with the
 * extension, so that DROP EXTENSION need not ask for more.
 */
#include "base/josch.h"

#include "node/store_watch.h"

#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "commands/trigger.h"
#include "nodes/value.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/spi_plan.h"

/* By what it calls: one of that name that is somebody else's is not ours to take away. */
Oid
josch_store_watch_find(Oid table)
{
	Oid			ours = LookupFuncName(list_make2(makeString(pstrdup(JOSCH_SCHEMA)), makeString(pstrdup("table_changed"))), 0, NULL, false);
	Relation	relation = table_open(table, AccessShareLock);
	Oid			found = InvalidOid;

	for (int i = 0; relation->trigdesc != NULL && i < relation->trigdesc->numtriggers; i++)
	{
		const Trigger *trigger = &relation->trigdesc->triggers[i];

		if (trigger->tgfoid == ours && strcmp(trigger->tgname, JOSCH_WATCH_TRIGGER) == 0)
		{
			found = trigger->tgoid;
		}
	}
	table_close(relation, AccessShareLock);
	return found;
}

void
josch_store_watch_put(Oid table)
{
	JoschSpi	spi;
	ObjectAddress trigger = {.classId = TriggerRelationId};
	ObjectAddress extension = {.classId = ExtensionRelationId};
	char	   *name = quote_qualified_identifier(get_namespace_name(get_rel_namespace(table)), get_rel_name(table));
	int			code;

	josch_spi_begin_as_caller(&spi);
	code = SPI_execute(psprintf("CREATE TRIGGER " JOSCH_WATCH_TRIGGER " AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s"
								" FOR EACH STATEMENT EXECUTE FUNCTION josch.table_changed()", name), false, 0);
	if (code != SPI_OK_UTILITY)
	{
		elog(ERROR, "CREATE TRIGGER: %s", SPI_result_code_string(code));
	}
	josch_spi_end(&spi);
	trigger.objectId = get_trigger_oid(table, JOSCH_WATCH_TRIGGER, false);
	extension.objectId = get_extension_oid("josch", false);
	recordDependencyOn(&trigger, &extension, DEPENDENCY_AUTO_EXTENSION);
}

void
josch_store_watch_take(Oid table, Oid trigger)
{
	ObjectAddress address = {.classId = TriggerRelationId,.objectId = trigger};

	performDeletion(&address, DROP_RESTRICT, 0);
}
