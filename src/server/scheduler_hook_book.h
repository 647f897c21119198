/*
 * src/server/scheduler_hook_book.h
 *	  What is on its way to hooks, and what was heard of it: between the files of hooks.
 */
#ifndef JOSCH_SCHEDULER_HOOK_BOOK_H
#define JOSCH_SCHEDULER_HOOK_BOOK_H

#include "base/josch.h"

#include "alarm/store_delivery.h"
#include "server/scheduler.h"

/* How one ended; kept until that is committed. */
typedef struct HookEnd
{
	int64		delivery_id;
	RunEvent	event;
} HookEnd;

/* A command that is sent. */
extern void josch_hook_book_remember(Scheduler *scheduler, const Delivery *delivery);

/* It has failed, and this is all that is known. */
extern void josch_hook_book_fail(Scheduler *scheduler, const Delivery *delivery, const char *reason);

/* What is committed is forgotten, by the runner, too. */
extern void josch_hook_book_forget_ends(Scheduler *scheduler);

#endif							/* JOSCH_SCHEDULER_HOOK_BOOK_H */
