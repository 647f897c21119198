/*
 * src/server/utility.h
 *	  What commands on databases and on the extension mean to JOSCH's processes.
 */
#ifndef JOSCH_UTILITY_H
#define JOSCH_UTILITY_H

#include "base/josch.h"

/* Installs the hooks; called once from _PG_init, after those of other modules. */
extern void josch_utility_init(void);

#endif							/* JOSCH_UTILITY_H */
