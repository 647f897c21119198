/*
 * src/alarm/trigger_alarm.c
 *	  The triggers on alarm hooks: who may write one, and who is to know.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"

#include "base/mode.h"
#include "base/report.h"
#include "base/rights.h"
#include "base/table.h"
#include "base/wake.h"

PG_FUNCTION_INFO_V1(josch_trigger_alarm_hook_rights);
PG_FUNCTION_INFO_V1(josch_trigger_alarm_hook_changed);

enum
{
	HOOK_NAME, EXEC_COMMAND, EXEC_SQL, OWNER, NCOLUMNS
};

static const JoschColumn columns[NCOLUMNS] = {
	{"hook_name", TEXTOID}, {"exec_command", TEXTOID}, {"exec_sql", TEXTOID}, {"owner", JOSCH_ROLE_TYPE}
};
static AttrNumber numbers[NCOLUMNS];
static JoschTable hooks = JOSCH_TABLE("alarm_hooks", columns, numbers);

/* Whether the statement gives a text that was not there before: an old one is nobody's business but its writer's. */
static bool
sets_text(const TriggerData *trigger, HeapTuple old, HeapTuple new, int column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	Datum		after = heap_getattr(new, numbers[column], desc, &isnull);
	Datum		before;

	if (isnull || old == NULL)
	{
		return !isnull;
	}
	before = heap_getattr(old, numbers[column], desc, &isnull);
	return isnull || !DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, before, after));
}

/* The owner, where it has to be looked at; NULL: NOT NULL refuses it, or it is the one that it was. */
static JoschRole *
new_owner(const TriggerData *trigger, HeapTuple old, HeapTuple new)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	bool		isnull;
	JoschRole  *owner = (JoschRole *) DatumGetPointer(heap_getattr(new, numbers[OWNER], desc, &isnull));
	JoschRole  *before;

	if (isnull)
	{
		return NULL;
	}
	if (sets_text(trigger, old, new, EXEC_SQL))
	{
		return owner;
	}
	if (old == NULL)
	{
		return josch_role_oid(owner) != GetSessionUserId() ? owner : NULL;
	}
	before = (JoschRole *) DatumGetPointer(heap_getattr(old, numbers[OWNER], desc, &isnull));
	return isnull || !josch_role_is_same(owner, before) ? owner : NULL;
}

static char *
describe(const TriggerData *trigger, HeapTuple row)
{
	bool		isnull;
	Datum		name = heap_getattr(row, numbers[HOOK_NAME], RelationGetDescr(trigger->tg_relation), &isnull);

	return psprintf("hook \"%s\"", isnull ? "" : TextDatumGetCString(name));
}

/* BEFORE INSERT OR UPDATE on josch.alarm_hooks, each row */
Datum
josch_trigger_alarm_hook_rights(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.hook_rights");
	bool		update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	old = update ? trigger->tg_trigtuple : NULL;
	HeapTuple	new = update ? trigger->tg_newtuple : trigger->tg_trigtuple;
	JoschRole  *owner;

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.hook_rights");
	}
	(void) josch_table_check(&hooks, trigger->tg_relation, "josch.hook_rights");
	if (josch_mode_is_restore())
	{
		return PointerGetDatum(new);	/* a dump's writer was asked when he wrote */
	}
	if (sets_text(trigger, old, new, EXEC_COMMAND))
	{
		josch_rights_check_program(columns[EXEC_COMMAND].name, describe(trigger, new));
	}
	owner = new_owner(trigger, old, new);
	if (owner != NULL)
	{
		josch_rights_check_owner(owner, describe(trigger, new));
	}
	return PointerGetDatum(new);
}

/* AFTER INSERT OR UPDATE OR DELETE on josch.alarm_hooks, each statement */
Datum
josch_trigger_alarm_hook_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.hook_changed");

	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.hook_changed");
	}
	(void) josch_table_check(&hooks, trigger->tg_relation, "josch.hook_changed");
	josch_wake_scheduler_at_commit();
	return PointerGetDatum(NULL);
}
