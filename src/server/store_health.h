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

/* An executor with runs of which the other side does not answer. */
typedef struct StoreExecutorHealth
{
	char	   *name;
	int64		runs;
	char	   *words;			/* the last that its programs have said of that */
} StoreExecutorHealth;

extern StoreExecutorHealth *josch_store_health_unreachable(int *n);

#endif							/* JOSCH_STORE_HEALTH_H */
