/*
 * src/server/store_health.h
 *	  SQL for those who look: how much is ready, and which days are open.
 *
 * Results are palloc'd in the caller's context.
 */
#ifndef JOSCH_STORE_HEALTH_H
#define JOSCH_STORE_HEALTH_H

#include "base/josch.h"

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
