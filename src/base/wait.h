/*
 * src/base/wait.h
 *	  Waits for locks, and says for whom.
 */
#ifndef JOSCH_WAIT_H
#define JOSCH_WAIT_H

#include "base/josch.h"

/*
 * Does the work as josch_attempt does, from the start again when it waits for a
 * lock for long: after deadlock_timeout (a second), and then once a minute, a
 * NOTICE names who holds the lock.  It ends when the work is done or the caller's own
 * lock_timeout has passed; when he is not patient, also as soon as those who
 * hold the lock do nothing.  The error says then for whom it waited.
 *
 * waiter is the subject of the message: "josch.schedule()".
 */
extern ErrorData *josch_wait_attempt(void (*work) (void *argument), void *argument,
									 const char *waiter, bool patient);

/* The same for those who cannot go on: patient, and the error is raised. */
extern void josch_wait(void (*work) (void *argument), void *argument, const char *waiter);

#endif							/* JOSCH_WAIT_H */
