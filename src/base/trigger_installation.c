/*
 * src/base/trigger_installation.c
 *	  The door to josch.installation: nobody writes its row but JOSCH.
 *
 * CREATE EXTENSION makes it, for the installation that it makes.  A dump brings the
 * row of the installation that was dumped, which takes the place of the one that is
 * there.  It may come after the days: foreign keys decide the order.  So what is
 * restored is a copy from its first row on: of the extension, or, where that is there
 * already, of jobs, without which there is no node.
 */
#include "base/josch.h"

#include "commands/extension.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "access/htup_details.h"

#include "base/identity.h"
#include "base/installation.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/store_installation.h"
#include "base/table.h"
#include "base/wake.h"

PG_FUNCTION_INFO_V1(josch_trigger_installation_guard);
PG_FUNCTION_INFO_V1(josch_trigger_installation_restored);

enum
{
	COLUMN_SERVER, COLUMN_FILES, COLUMN_COUNT
};

static const JoschColumn columns[COLUMN_COUNT] = {{"server", TEXTOID}, {"files", INT8OID}};
static AttrNumber numbers[COLUMN_COUNT];
static JoschTable installation = JOSCH_TABLE("installation", columns, numbers);

static HeapTuple
fill_in(TriggerData *trigger, Oid extension)
{
	int			where[] = {numbers[COLUMN_SERVER], numbers[COLUMN_FILES]};
	Datum		values[] = {CStringGetTextDatum(josch_identity_installation(extension)), Int64GetDatum(josch_identity_files())};
	bool		nulls[] = {false, false};

	return heap_modify_tuple_by_cols(trigger->tg_trigtuple, RelationGetDescr(trigger->tg_relation), COLUMN_COUNT, where, values, nulls);
}

/* The row of a dump, as it is; where it is this very installation's, of an extension that there is none of. */
static HeapTuple
replace(TriggerData *trigger, Oid extension)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		server = heap_getattr(trigger->tg_trigtuple, numbers[COLUMN_SERVER], desc, &isnull);

	josch_store_installation_clear();
	if (isnull || strcmp(TextDatumGetCString(server), josch_identity_installation(extension)) != 0)
	{
		return trigger->tg_trigtuple;
	}
	return fill_in(trigger, InvalidOid);
}

static HeapTuple
pass_insert(TriggerData *trigger)
{
	Oid			extension = get_extension_oid("josch", true);

	if (creating_extension && CurrentExtensionObject == extension)
	{
		if (!josch_mode_is_restore())
		{
			return fill_in(trigger, extension);
		}
		josch_installation_mark_restore();
		return fill_in(trigger, InvalidOid);
	}
	return josch_mode_is_restore() ? replace(trigger, extension) : NULL;
}

static HeapTuple
pass(TriggerData *trigger)
{
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		return pass_insert(trigger);
	}
	if (!josch_mode.engine)
	{
		return NULL;
	}
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
}

Datum
josch_trigger_installation_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.installation_guard");
	HeapTuple	row;

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.installation_guard");
	}
	josch_table_check(&installation, trigger->tg_relation, "josch.installation_guard");
	row = pass(trigger);
	if (row == NULL)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("josch.installation cannot be changed by SQL"),
				 errdetail("JOSCH keeps it itself."),
				 errhint(JOSCH_INSTALLATION_HINT)));
	}
	josch_wake_scheduler_at_commit();
	return PointerGetDatum(row);
}

/* BEFORE INSERT on jobs, each statement */
Datum
josch_trigger_installation_restored(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.installation_restored");

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.installation_restored");
	}
	if (josch_mode_is_restore())
	{
		josch_installation_mark_restore();
		josch_store_installation_doubt(get_extension_oid("josch", true));
	}
	return PointerGetDatum(NULL);
}
