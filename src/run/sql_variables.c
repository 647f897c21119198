/*
 * src/run/sql_variables.c
 *	  The variables of a command, as settings for SQL: current_setting('josch_run.DATE').
 */
#include "base/josch.h"

#include "run/sql_variables.h"

#include "utils/guc.h"

/* A value is passed as such, never pasted into any text. */
void
josch_sql_variables_set_one(const char *name, const char *value)
{
	char	   *setting = psprintf(JOSCH_VARIABLE_CLASS "%s", name);

	(void) set_config_option(setting, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SET, true, 0, false);
	pfree(setting);
}

/* The built-in ones come last and win: the names of settings do not tell "date" from "DATE". */
void
josch_sql_variables_set(const Environment *environment)
{
	for (int i = 0; i < environment->n; i++)
	{
		const EnvironmentVariable *variable = &environment->variables[i];

		/* a setting that was never set is an error to whoever asks for it */
		josch_sql_variables_set_one(variable->name, variable->value != NULL ? variable->value : "");
	}
}
