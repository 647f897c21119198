/*
 * src/server/why_limits.h
 *	  What limits and pauses say of a node that is ready: the answer of the engine's own function.
 */
#ifndef JOSCH_WHY_LIMITS_H
#define JOSCH_WHY_LIMITS_H

#include "base/josch.h"

#include "run/pauses.h"
#include "run/store_limit_book.h"
#include "server/why.h"

/* Opened at the first question; what would start now is thought to have started. */
typedef struct WhyBook
{
	Pauses		pauses;
	bool		opened;
	LimitBook	book;
	LimitHead  *heads;
	int			nheads;
	NodeKey    *begun;
	int			nbegun;
	TimestampTz now;
} WhyBook;

extern void josch_why_limits_open(WhyBook *book, TimestampTz now);
extern void josch_why_limits_close(WhyBook *book);

/* Why no SQL and no command of the database is started; NULL: it is not paused. */
extern char *josch_why_limits_database(const WhyBook *book);

/* WhyLimits */
extern Why	josch_why_limits_of(void *argument, const WhyNode *node);

#endif							/* JOSCH_WHY_LIMITS_H */
