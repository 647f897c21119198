/*
 * src/node/variables.h
 *	  Variables of commands that do not exist: told once a statement.
 */
#ifndef JOSCH_VARIABLES_H
#define JOSCH_VARIABLES_H

#include "base/josch.h"

#include "utils/snapshot.h"

typedef struct JoschVariables JoschVariables;

/* Against the environs of a snapshot. */
extern JoschVariables *josch_variables_begin(Snapshot snapshot);

/* These are known besides. */
extern void josch_variables_know(JoschVariables *variables, char **names, int n);

/* The variables of a command that do not exist; those of its parents' results are known only when it starts. */
extern char **josch_variables_unknown(const JoschVariables *variables, const char *command, int *n);

/* Looks at a command of a node; those of one node come one after the other. */
extern void josch_variables_check(JoschVariables *variables, int64 node_id, const char *command);

/* One WARNING about all that was found; none when nothing was. */
extern void josch_variables_warn(const JoschVariables *variables);

#endif							/* JOSCH_VARIABLES_H */
