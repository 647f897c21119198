/*
 * src/run/sql_variables.h
 *	  The variables of a command, as settings for SQL: current_setting('josch_run.DATE').
 */
#ifndef JOSCH_SQL_VARIABLES_H
#define JOSCH_SQL_VARIABLES_H

#include "base/josch.h"

#include "day/store_environment.h"

#define JOSCH_VARIABLE_CLASS "josch_run."

/* Sets one, as long as the transaction is not rolled back. */
extern void josch_sql_variables_set_one(const char *name, const char *value);

/* All of an environment: one that has no value is empty. */
extern void josch_sql_variables_set(const Environment *environment);

#endif							/* JOSCH_SQL_VARIABLES_H */
