/*
 * src/audit/trigger_audit.c
 *	  The trigger functions josch.audit() and josch.audit_guard().
 *
 * They only check how they were called and who may pass; audit.c does the work.
 * A superuser passes no less than others: a record that its keeper can mend by
 * plain SQL is none.
 */
#include "base/josch.h"

#include "commands/trigger.h"
#include "utils/rel.h"

#include "audit/audit.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"

PG_FUNCTION_INFO_V1(josch_trigger_audit);
PG_FUNCTION_INFO_V1(josch_trigger_audit_guard);

static TriggerData *
called_for_statement(FunctionCallInfo fcinfo, const char *function_name)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, function_name);

	if (!TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event))
	{
		josch_report_trigger_misuse(function_name);
	}
	return trigger;
}

static void
refuse_truncate(Relation relation)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("cannot truncate josch.%s", RelationGetRelationName(relation)),
			 errdetail("Every change is recorded row by row, and TRUNCATE has no rows to record."),
			 errhint("Use DELETE."),
			 errtable(relation)));
}

/* josch.audit() */
Datum
josch_trigger_audit(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_for_statement(fcinfo, "josch.audit");
	TriggerEvent event = trigger->tg_event;

	if (josch_mode_is_restore())
	{
		return PointerGetDatum(NULL);
	}
	if (TRIGGER_FIRED_BY_TRUNCATE(event))
	{
		refuse_truncate(trigger->tg_relation);
	}
	if (!TRIGGER_FIRED_AFTER(event) ||
		(trigger->tg_oldtable == NULL && !TRIGGER_FIRED_BY_INSERT(event)) ||
		(trigger->tg_newtable == NULL && !TRIGGER_FIRED_BY_DELETE(event)))
	{
		josch_report_trigger_misuse("josch.audit");
	}
	josch_audit_statement(trigger);
	return PointerGetDatum(NULL);
}

/* josch.audit_guard() */
Datum
josch_trigger_audit_guard(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_for_statement(fcinfo, "josch.audit_guard");

	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		(josch_audit_is_writing() || josch_mode_is_restore()))
	{
		return PointerGetDatum(NULL);
	}
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("josch.%s is append-only", RelationGetRelationName(trigger->tg_relation)),
			 errdetail("Only the audit triggers write it; nobody changes or deletes what is written."),
			 errhint("Change the audited table: the change is recorded by itself."),
			 errtable(trigger->tg_relation)));
	return PointerGetDatum(NULL);	/* not reached */
}
