/*
 * src/base/outbox.h
 *	  Shared memory: what a commit leaves for the scheduler to tell with NOTIFY.
 *
 * Whoever commits with a notification of its own holds, until its commit is on
 * disk, a lock that all of the server's notifications share: fifty people who act
 * at once then commit one after the other.  So an act leaves its messages here,
 * and the scheduler of its database, which it wakes anyway, sends them.
 *
 * A place is reserved before the commit and filled after it, so that nothing has
 * to fail when it is too late to fail.  Where no place is to be had, there is no
 * scheduler to take it or a message is too long, the transaction notifies itself.
 */
#ifndef JOSCH_OUTBOX_H
#define JOSCH_OUTBOX_H

#include "base/josch.h"

#include "nodes/pg_list.h"

#define JOSCH_OUTBOX_MAX 1024	/* messages, of all databases */
#define JOSCH_OUTBOX_TEXT 240	/* bytes of one, with its end */

typedef struct JoschMessage
{
	Oid			database;		/* InvalidOid: free */
	int64		number;			/* in the order of commits */
	char		text[JOSCH_OUTBOX_TEXT];
} JoschMessage;

typedef struct JoschOutbox
{
	int			reserved;
	int			filled;
	int64		last;			/* the number that was given last */
	JoschMessage messages[JOSCH_OUTBOX_MAX];
} JoschOutbox;

/*
 * Reserves a place for each text; false when they have to be sent by the caller.
 * What is reserved must be filled or released before the transaction is over.
 */
extern bool josch_outbox_reserve(const List *texts);

/* Each in a place of its own; in a critical phase: raises nothing. */
extern void josch_outbox_fill(const List *texts);
extern void josch_outbox_release(const List *texts);

/* Whether there is something of this database; cheap. */
extern bool josch_outbox_has_mail(void);

/*
 * For the scheduler: the texts of its database, oldest first, in the current
 * memory context, and the number of the last; they stay until they are removed.
 */
extern List *josch_outbox_read(int64 *last);
extern void josch_outbox_remove(int64 last);

#endif							/* JOSCH_OUTBOX_H */
