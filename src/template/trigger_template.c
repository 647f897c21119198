/*
 * src/template/trigger_template.c
 *	  Who may decide what the server executes: the rights on templates, on the
 *	  nodes of a day and on environs; and which variables a command misses.
 *
 * A right on a table's column cannot say "may write NULL but not a command", nor
 * "may name a role of which you are a member".  So these are row triggers; they
 * ask the current user, as a GRANT on the table would, and hold for every way
 * that a row comes in.  The values that were there before are nobody's business
 * but their writer's: only what a statement sets or changes is asked about.
 */
#include "base/josch.h"

#include "base/changes.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/rights.h"
#include "base/role.h"
#include "base/table.h"
#include "node/variables.h"
#include "template/named_executor.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(josch_trigger_template_node_rights);
PG_FUNCTION_INFO_V1(josch_trigger_template_environ_rights);
PG_FUNCTION_INFO_V1(josch_trigger_template_variables);

/* Columns of tpl_nodes and nodes that decide what the server executes. */
typedef enum RightsColumn
{
	NODE_ID, EXEC_COMMAND, READY_COMMAND, WORK_DIR, EXEC_SQL, OWNER, WAIT_FILE, WAIT_SQL, EXECUTOR, EXECUTOR_OPTIONS,
	NCOLUMNS
} RightsColumn;

static const JoschColumn columns[NCOLUMNS] = {
	{"node_id", INT8OID}, {"exec_command", TEXTOID}, {"ready_command", TEXTOID}, {"work_dir", TEXTOID},
	{"exec_sql", TEXTOID}, {"owner", JOSCH_ROLE_TYPE},
	{"wait_file", TEXTOID}, {"wait_sql", TEXTOID}, {"executor", TEXTOID}, {"executor_options", TEXTOID}
};
static AttrNumber template_numbers[NCOLUMNS];
static JoschTable tpl_nodes = JOSCH_TABLE("tpl_nodes", columns, template_numbers);
static AttrNumber day_numbers[NCOLUMNS];
static JoschTable nodes = JOSCH_TABLE("nodes", columns, day_numbers);

/* A row before and after; old is NULL for INSERT. */
typedef struct Change
{
	TupleDesc	desc;
	const AttrNumber *numbers;	/* of the columns */
	HeapTuple	old;
	HeapTuple	new;
} Change;

static Datum
new_value(const Change *change, RightsColumn column, bool *isnull)
{
	return heap_getattr(change->new, change->numbers[column], change->desc, isnull);
}

/* Whether the statement gives a text column a value that it did not have. */
static bool
sets_text(const Change *change, RightsColumn column)
{
	bool		isnull;
	Datum		after = new_value(change, column, &isnull);
	Datum		before;

	if (isnull || change->old == NULL)
	{
		return !isnull;
	}
	before = heap_getattr(change->old, change->numbers[column], change->desc, &isnull);
	return isnull ||
		!DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, before, after));
}

static int64
node_of(const Change *change)
{
	bool		isnull;
	Datum		value = new_value(change, NODE_ID, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static char *
describe(const Change *change)
{
	return psprintf("node " INT64_FORMAT, node_of(change));
}

static void
check_command(const Change *change, RightsColumn column)
{
	if (sets_text(change, column))
	{
		josch_rights_check_program(columns[column].name, describe(change));
	}
}

static void
check_executor(const Change *change)
{
	bool		isnull;

	if (sets_text(change, EXECUTOR))
	{
		josch_rights_check_program(columns[EXECUTOR].name, describe(change));
		josch_executor_check(TextDatumGetCString(new_value(change, EXECUTOR, &isnull)), describe(change));
	}
}

/*
 * Whether the row's owner has to be looked at.  The default, on a node that
 * runs no SQL, need not be: after SET ROLE the session user is somebody whom the
 * current user cannot become.
 */
static bool
concerns_owner(const Change *change, const JoschRole *owner)
{
	bool		isnull;
	Datum		before;

	if (sets_text(change, EXEC_SQL) || sets_text(change, WAIT_SQL))
	{
		return true;
	}
	if (change->old == NULL)
	{
		return josch_role_oid(owner) != GetSessionUserId();
	}
	before = heap_getattr(change->old, change->numbers[OWNER], change->desc, &isnull);
	return isnull || !josch_role_is_same(owner, (JoschRole *) DatumGetPointer(before));
}

static void
check_owner(const Change *change)
{
	bool		isnull;
	Datum		value = new_value(change, OWNER, &isnull);
	const JoschRole *role = (const JoschRole *) DatumGetPointer(value);

	if (isnull)
	{
		return;					/* NOT NULL refuses it */
	}
	if (concerns_owner(change, role))
	{
		josch_rights_check_owner(role, describe(change));
	}
}

static TriggerData *
trigger_of(FunctionCallInfo fcinfo, const char *name)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, name);

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event))
	{
		josch_report_trigger_misuse(name);
	}
	return trigger;
}

/* The row that a BEFORE ROW trigger hands on. */
static HeapTuple
row_of(const TriggerData *trigger)
{
	return TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
}

Datum
josch_trigger_template_node_rights(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, "josch.node_rights");
	Change		change;
	bool		of_day;

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) || TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
	{
		josch_report_trigger_misuse("josch.node_rights");
	}
	of_day = strcmp(RelationGetRelationName(trigger->tg_relation), nodes.name) == 0;
	(void) josch_table_check(of_day ? &nodes : &tpl_nodes, trigger->tg_relation, "josch.node_rights");
	change.numbers = of_day ? day_numbers : template_numbers;
	change.desc = RelationGetDescr(trigger->tg_relation);
	change.old = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_trigtuple : NULL;
	change.new = row_of(trigger);

	/* josch.schedule copies what was allowed; a dump's writer was asked when he wrote */
	if (!josch_mode.engine && !josch_mode_is_restore())
	{
		check_command(&change, EXEC_COMMAND);
		check_command(&change, READY_COMMAND);
		check_command(&change, WORK_DIR);
		check_command(&change, WAIT_FILE);
		check_command(&change, EXECUTOR_OPTIONS);
		check_executor(&change);
		check_owner(&change);
	}
	return PointerGetDatum(change.new);
}

Datum
josch_trigger_template_environ_rights(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_of(fcinfo, "josch.environ_rights");

	if (!josch_rights_to_programs())
	{
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("permission denied to write environs"),
				 errdetail("A command may consist of a variable, so only roles with the privileges of \"%s\" may write them.",
						   JOSCH_PROGRAM_ROLE),
				 errhint("GRANT %s TO %s, or let a role that has it make the change.",
						 JOSCH_PROGRAM_ROLE, josch_rights_user())));
	}
	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
	{
		return PointerGetDatum(NULL);
	}
	return PointerGetDatum(row_of(trigger));
}

/* ---- variables ---- */

static char *
text_of(TupleTableSlot *slot, AttrNumber column)
{
	bool		isnull;
	Datum		value = slot_getattr(slot, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Looks at a command that the statement has written. */
static void
check_variables(JoschVariables *variables, const JoschChanges *changes, RightsColumn column)
{
	AttrNumber	number = template_numbers[column];
	char	   *command = text_of(changes->after, number);
	char	   *former = TupIsNull(changes->before) ? NULL : text_of(changes->before, number);
	bool		isnull;

	if (command != NULL && strchr(command, '$') != NULL && (former == NULL || strcmp(former, command) != 0))
	{
		josch_variables_check(variables,
							  DatumGetInt64(slot_getattr(changes->after, template_numbers[NODE_ID], &isnull)),
							  command);
	}
}

/* AFTER STATEMENT on josch.tpl_nodes: a variable that does not exist is told, and nothing more. */
Datum
josch_trigger_template_variables(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.template_variables");
	MemoryContext scratch;
	MemoryContext outer;
	JoschVariables *variables;
	JoschChanges changes;

	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || trigger->tg_newtable == NULL)
	{
		josch_report_trigger_misuse("josch.template_variables");
	}
	(void) josch_table_check(&tpl_nodes, trigger->tg_relation, "josch.template_variables");
	if (josch_mode_is_restore())
	{
		return PointerGetDatum(NULL);
	}
	variables = josch_variables_begin(GetActiveSnapshot());
	scratch = AllocSetContextCreate(CurrentMemoryContext, "josch commands", ALLOCSET_DEFAULT_SIZES);
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		outer = MemoryContextSwitchTo(scratch);
		check_variables(variables, &changes, EXEC_COMMAND);
		check_variables(variables, &changes, READY_COMMAND);
		check_variables(variables, &changes, WAIT_FILE);
		check_variables(variables, &changes, EXECUTOR_OPTIONS);
		MemoryContextSwitchTo(outer);
		MemoryContextReset(scratch);
	}
	josch_changes_close(&changes);
	josch_variables_warn(variables);
	return PointerGetDatum(NULL);
}
