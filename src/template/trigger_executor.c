/*
 * src/template/trigger_executor.c
 *	  Who may write executors, and which one a job has.
 *
 * Their words run as those of commands do, so that the same right is asked for.  To close
 * one, or let it run less at a time, is no more than an operator may do with a semaphore.
 */
#include "base/josch.h"

#include "base/mode.h"
#include "base/report.h"
#include "base/rights.h"
#include "base/table.h"
#include "base/wake.h"
#include "template/named_executor.h"
#include "template/store_executor.h"

#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/rel.h"

PG_FUNCTION_INFO_V1(josch_trigger_executor_rights);

/* Columns that decide what is executed; the first is the name. */
static const char *const deciding[] = {"executor_name", "start_command", "attach_command", "stop_command"};

static char *
value_of(const TriggerData *trigger, HeapTuple row, const char *column)
{
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);

	return SPI_getvalue(row, desc, SPI_fnumber(desc, column));
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* The column that decides what is executed and is written; NULL: there is none. */
static const char *
written(const TriggerData *trigger)
{
	for (int i = 0; i < (int) lengthof(deciding); i++)
	{
		if (!TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ||
			!is_same(value_of(trigger, trigger->tg_trigtuple, deciding[i]), value_of(trigger, trigger->tg_newtuple, deciding[i])))
		{
			return deciding[i];
		}
	}
	return NULL;
}

/* Without it what names it could not run any more. */
static void
check_named(const TriggerData *trigger, const char *name)
{
	bool		deleted = TRIGGER_FIRED_BY_DELETE(trigger->tg_event);

	if (!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) &&
		(deleted || !is_same(name, value_of(trigger, trigger->tg_newtuple, deciding[0]))) && josch_store_executor_is_named(name))
	{
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("executor \"%s\" cannot be %s, because templates name it", name, deleted ? "deleted" : "renamed"),
				 errhint("Name another one in josch.tpl_jobs and josch.tpl_nodes first.")));
	}
}

static void
check_executor(const TriggerData *trigger)
{
	char	   *name = value_of(trigger, trigger->tg_trigtuple, deciding[0]);
	const char *column = written(trigger);

	if (column != NULL)
	{
		josch_rights_check_program(column, psprintf("executor \"%s\"", name));
	}
	check_named(trigger, name);
}

static void
check_job(const TriggerData *trigger, HeapTuple row)
{
	char	   *name = value_of(trigger, row, "executor");
	char	   *job = psprintf("job \"%s\"", value_of(trigger, row, "job_name"));

	if (!is_same(name, TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? value_of(trigger, trigger->tg_trigtuple, "executor") : NULL))
	{
		josch_rights_check_program("executor", job);
		if (name != NULL)
		{
			josch_executor_check(name, job);
		}
	}
}

/* BEFORE ROW on josch.executors and josch.tpl_jobs. */
Datum
josch_trigger_executor_rights(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.executor_rights");
	const char *table = RelationGetRelationName(trigger->tg_relation);
	HeapTuple	row;

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		(strcmp(table, "executors") != 0 && strcmp(table, "tpl_jobs") != 0))
	{
		josch_report_trigger_misuse("josch.executor_rights");
	}
	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
	if (josch_mode_is_restore())
	{
		return PointerGetDatum(row);
	}
	if (strcmp(table, "executors") == 0)
	{
		check_executor(trigger);
		josch_wake_scheduler_at_commit();
	}
	else
	{
		check_job(trigger, row);
	}
	return PointerGetDatum(row);
}
