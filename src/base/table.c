/*
 * src/base/table.c
 *	  The extension's own tables, and their columns.
 *
 * "Own" is asked of the catalog, and not of a name alone: the table is a member
 * of the extension, and stands in its schema.  The owner of the extension, who
 * may be no superuser, can make tables of his own members of it; but nobody
 * else's rights reach into the schema.
 */
#include "base/josch.h"

#include "base/role.h"
#include "base/table.h"

#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "commands/extension.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/report.h"

/* The extension has fewer tables; one more costs a look into the catalog each time. */
#define MAX_OWN 64

/* Raised by each invalidation: what was looked up before counts no longer. */
static uint64 generation = 1;

/* Tables that were found to be the extension's own in this generation. */
static struct
{
	uint64		generation;
	int			n;
	Oid			relations[MAX_OWN];
} own;

static bool
look_up_own(Relation relation)
{
	Oid			extension = get_extension_oid("josch", true);

	return relation->rd_rel->relkind == RELKIND_RELATION && OidIsValid(extension) &&
		RelationGetNamespace(relation) == get_namespace_oid(JOSCH_SCHEMA, true) &&
		getExtensionOfObject(RelationRelationId, RelationGetRelid(relation)) == extension;
}

static bool
is_own(Relation relation)
{
	uint64		asked_in = generation;

	if (own.generation != generation)
	{
		own.generation = generation;
		own.n = 0;
	}
	for (int i = 0; i < own.n; i++)
	{
		if (own.relations[i] == RelationGetRelid(relation))
		{
			return true;
		}
	}
	if (!look_up_own(relation))
	{
		return false;
	}
	if (own.n < MAX_OWN && asked_in == generation)
	{
		own.relations[own.n++] = RelationGetRelid(relation);
	}
	return true;
}

static void
refuse_table(Relation relation, const char *function_name)
{
	ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function \"%s\" was not called by the trigger that it is made for", function_name),
			 errdetail("Relation \"%s\" is not a table of the extension \"josch\" that it knows.",
					   RelationGetRelationName(relation)),
			 errtable(relation)));
}

TriggerData *
josch_table_own_trigger(FunctionCallInfo fcinfo, const char *function_name)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
	{
		josch_report_trigger_misuse(function_name);
	}
	if (!is_own(trigger->tg_relation))
	{
		refuse_table(trigger->tg_relation, function_name);
	}
	return trigger;
}

static AttrNumber
find_column(Relation relation, const JoschColumn *column)
{
	TupleDesc	desc = RelationGetDescr(relation);
	AttrNumber	number = SPI_fnumber(desc, column->name);
	Oid			type = column->type == JOSCH_ROLE_TYPE ? josch_role_type() : column->type;

	if (number <= 0 || TupleDescAttr(desc, number - 1)->atttypid != type)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("column \"%s\" of josch.%s is not as JOSCH made it", column->name,
						RelationGetRelationName(relation)),
				 errdetail("It is expected to be of type %s.", format_type_be(type)),
				 errhint(JOSCH_REPORT_VERSIONS),
				 errtable(relation)));
	}
	return number;
}

static bool
is_known(const JoschTable *table, Relation relation)
{
	return table->generation == generation && table->relation == RelationGetRelid(relation);
}

static void
look_up(JoschTable *table, Relation relation)
{
	uint64		asked_in = generation;

	table->relation = InvalidOid;
	for (int i = 0; i < table->ncolumns; i++)
	{
		table->numbers[i] = find_column(relation, &table->columns[i]);
	}
	table->relation = RelationGetRelid(relation);
	table->generation = asked_in;
}

bool
josch_table_check(JoschTable *table, Relation relation, const char *function_name)
{
	if (is_known(table, relation))
	{
		return false;
	}
	if (strcmp(RelationGetRelationName(relation), table->name) != 0 || !is_own(relation))
	{
		refuse_table(relation, function_name);
	}
	look_up(table, relation);
	return true;
}

uint64
josch_table_generation(void)
{
	return generation;
}

Relation
josch_table_open(JoschTable *table, LOCKMODE lock)
{
	/* whoever drops or renames a table invalidates what is known of it */
	Oid			found = table->generation == generation && OidIsValid(table->relation) ? table->relation :
		get_relname_relid(table->name, get_namespace_oid(JOSCH_SCHEMA, false));
	Relation	relation;

	if (!OidIsValid(found))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("table josch.%s does not exist", table->name),
				 errhint(JOSCH_REPORT_VERSIONS)));
	}
	relation = table_open(found, lock);
	if (!is_known(table, relation))
	{
		look_up(table, relation);
	}
	return relation;
}

/* Some table was altered, renamed, dropped. */
static void
forget(Datum arg, Oid relation)
{
	generation++;
}

void
josch_table_init(void)
{
	CacheRegisterRelcacheCallback(forget, (Datum) 0);
}
