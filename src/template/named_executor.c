/*
 * src/template/named_executor.c
 *	  The executor that a template, or a node of a day, names.
 */
#include "base/josch.h"

#include "template/named_executor.h"

#include "template/store_executor.h"

void
josch_executor_check(const char *name, const char *object)
{
	if (strcmp(name, JOSCH_EXECUTOR_LOCAL) != 0 && !josch_store_executor_exists(name))
	{
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("executor \"%s\" does not exist", name),
				 errdetail("It is to run what %s executes.", object),
				 errhint("Write it into josch.executors first, or name \"%s\".", JOSCH_EXECUTOR_LOCAL),
				 err_generic_string(PG_DIAG_COLUMN_NAME, "executor")));
	}
}
