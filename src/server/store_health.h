/*
 * src/server/store_health.h
 *	  SQL for those who look: the extension's version, and how much is ready.
 *
 * Results are palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_HEALTH_H
#define JOSCH_STORE_HEALTH_H

#include "base/josch.h"

/* The version of the extension's SQL in this database; NULL when it is not created. */
extern char *josch_store_health_version(void);

/* Nodes in state ready. */
extern int64 josch_store_health_queued(void);

/* Days that were to make themselves: those that somebody is asked about, those that could not be made. */
typedef struct StoreDayHealth
{
	int64		asked;
	int64		failed;
} StoreDayHealth;

extern StoreDayHealth josch_store_health_days(void);

#endif							/* JOSCH_STORE_HEALTH_H */
