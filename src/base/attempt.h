/*
 * src/base/attempt.h
 *	  Does something in a subtransaction, and hands its error back.
 *
 * For those who go on after an error of a part: one bad row, one bad node.
 */
#ifndef JOSCH_ATTEMPT_H
#define JOSCH_ATTEMPT_H

#include "base/josch.h"

/*
 * NULL when all is done; else the error, after which nothing of it is left.  A
 * cancel is meant for the whole and not for the part: it is raised again.
 */
extern ErrorData *josch_attempt(void (*work) (void *argument), void *argument);

/*
 * The same, but nothing stays of it in any case: what it is to find out is put into a
 * context that outlives it.
 */
extern ErrorData *josch_attempt_and_undo(void (*work) (void *argument), void *argument);

/*
 * False when somebody holds a whole table that the work needs, longer than
 * lock_timeout: nothing of it is left, and it is to be tried again later.  Any
 * other error is raised again.
 */
extern bool josch_attempt_unless_locked(void (*work) (void *argument), void *argument);

#endif							/* JOSCH_ATTEMPT_H */
