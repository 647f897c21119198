/*
 * src/api_schedule.c
 *	  SQL functions about days and their commands.
 *
 * Layer 6: arguments in, rows out.
 */
#include "josch.h"

#include "command.h"
#include "spi_plan.h"

#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(josch_api_command_variables);
PG_FUNCTION_INFO_V1(josch_api_command_argv);

/* josch.command_variables(command) */
Datum
josch_api_command_variables(PG_FUNCTION_ARGS)
{
	int			n;
	char	  **names = josch_command_variables(text_to_cstring(PG_GETARG_TEXT_PP(0)), &n);

	PG_RETURN_DATUM(josch_spi_text_array(names, n));
}

/* josch.command_argv(command) */
Datum
josch_api_command_argv(PG_FUNCTION_ARGS)
{
	int			argc;
	char	  **argv = josch_command_argv(text_to_cstring(PG_GETARG_TEXT_PP(0)), &argc);

	PG_RETURN_DATUM(josch_spi_text_array(argv, argc));
}
