/*
 * src/node/store_variables.h
 *	  SQL on josch.environs.
 */
#ifndef JOSCH_STORE_VARIABLES_H
#define JOSCH_STORE_VARIABLES_H

#include "base/josch.h"

#include "utils/snapshot.h"

/* The names in environs, palloc'd in the caller's context; as of a snapshot, read as the schema's owner. */
extern char **josch_store_variables_names(Snapshot snapshot, int *n);

#endif							/* JOSCH_STORE_VARIABLES_H */
