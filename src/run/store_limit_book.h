/*
 * src/run/store_limit_book.h
 *	  What the tables say of limits: what is there, what is taken, who waits first.
 *
 * Of a hundred thousand nodes that wait, the first of each group is read, and nothing of
 * the others: they stand in the table in the order in which they wait.
 */
#ifndef JOSCH_STORE_LIMIT_BOOK_H
#define JOSCH_STORE_LIMIT_BOOK_H

#include "base/josch.h"

#include "utils/hsearch.h"

#include "base/finder.h"
#include "run/limits.h"
#include "run/pauses.h"

typedef struct LimitBook
{
	const Pauses *pauses;
	HTAB	   *pools;			/* by kind and name */
	JoschFinder waiting;
	JoschFinder nodes;
	JoschFinder needs;
	JoschFinder semaphores;
	JoschFinder jobs;
	JoschFinder executors;
} LimitBook;

/* Opens the book as the tables are now; all that is read lives in the current context.  The lock is that on nodes: RowExclusiveLock for who locks some. */
extern void josch_limit_book_open(LimitBook *book, const Pauses *pauses, LOCKMODE lock);
extern void josch_limit_book_close(LimitBook *book);

/* The first of each group; palloc'd. */
extern LimitHead *josch_limit_book_heads(LimitBook *book, int *n);

/* The next of its group, in its place; false: there is none, and the group is over. */
extern bool josch_limit_book_next(LimitBook *book, LimitHead *head);

/* Locks the node of a head; it still waits for that when the lock is taken. */
extern JoschLock josch_limit_book_lock(LimitBook *book, const LimitHead *head);

/* A node as a head, whatever stands before it; false: it is not there, or has no limits. */
extern bool josch_limit_book_find(LimitBook *book, NodeKey key, LimitHead *head);

#endif							/* JOSCH_STORE_LIMIT_BOOK_H */
