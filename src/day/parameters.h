/*
 * src/day/parameters.h
 *	  The parameters of a day: variables that whoever makes it gives to it alone.
 */
#ifndef JOSCH_PARAMETERS_H
#define JOSCH_PARAMETERS_H

#include "base/josch.h"

#include "fmgr.h"
#include "utils/jsonb.h"

/* As the constraint on josch.jobs has it: an object of strings, each with the name of a variable. */
extern bool josch_parameters_are_valid(Jsonb *parameters);

/*
 * What a caller gives, as it is stored: numbers and booleans become strings.
 * Raises for what is no object of such, for a name that no variable may have, and
 * where the current user may not say what commands find in their environment.
 */
extern Jsonb *josch_parameters_take(Jsonb *given);

/* The argument of a function that makes days of a job; NULL: there is none. */
extern Jsonb *josch_parameters_argument(FunctionCallInfo fcinfo, int number, const char *job_name);

/* Their names, palloc'd. */
extern char **josch_parameters_names(Jsonb *parameters, int *n);

#endif							/* JOSCH_PARAMETERS_H */
