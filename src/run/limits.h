/*
 * src/run/limits.h
 *	  Which of the nodes that have limits starts next, and why another does not.
 *
 * Pure: what is there of each semaphore, and the first of each group of nodes that wait,
 * in; the answer out.  The engine and josch.why() ask here, and nobody decides elsewhere.
 * A node gets all that it needs at once, or nothing: nobody waits while it holds.
 */
#ifndef JOSCH_LIMITS_H
#define JOSCH_LIMITS_H

#include "base/josch.h"

#include "datatype/timestamp.h"

#include "base/node_key.h"

/* A semaphore, or the places of a job or an executor. */
typedef struct LimitPool
{
	char		kind;			/* as units_in_use.limit_kind */
	char	   *name;
	bool		known;			/* the semaphore has been looked for */
	bool		there;			/* and found */
	bool		paused;
	int64		capacity;
	int64		used;
	int64		kept;			/* for one that has waited too long */
	NodeKey		keeper;			/* that one */
	struct LimitPool *next;		/* of those that share a place in the book's index */
} LimitPool;

typedef struct LimitNeed
{
	LimitPool  *pool;
	int64		capacity;		/* of the places of a job its day says how many */
	int32		units;
} LimitNeed;

typedef enum LimitAnswer
{
	LIMIT_FITS,
	LIMIT_NEVER_FITS,			/* it needs more than there are */
	LIMIT_CLOSED,				/* there are none at present */
	LIMIT_PAUSED,
	LIMIT_TAKEN,
	LIMIT_KEPT					/* there are enough, but for one that was first */
} LimitAnswer;

typedef struct LimitVerdict
{
	LimitAnswer answer;
	const LimitNeed *need;		/* that is not met; NULL: all are */
} LimitVerdict;

/* The first that waits of those that are alike. */
typedef struct LimitHead
{
	int64		group;
	NodeKey		key;
	TimestampTz since;
	int64		rank;			/* the lower, the sooner */
	bool		sql;
	char	   *job_name;
	char	   *executor;		/* or NULL */
	LimitNeed  *needs;
	int			nneeds;
	LimitVerdict verdict;
	bool		over;			/* none of its group starts any more */
	bool		placeless;		/* for want of a place alone */
} LimitHead;

/* From when on it waits, as if a point of priority were so much time. */
extern int64 josch_limits_rank(TimestampTz since, int priority, int aging_seconds);

extern LimitVerdict josch_limits_judge(const LimitNeed *needs, int n);

extern void josch_limits_take(const LimitNeed *needs, int n);

/*
 * The index of the one that starts next, of those whose groups are not over; -1: none.
 * Those before it that cannot are over, with their verdicts; one of them that has waited
 * for so long has what it needs kept from those behind.  has_place, or NULL, says whether there is
 * a place to run for it.
 */
extern int	josch_limits_next(LimitHead *heads, int n, TimestampTz now, int reserve_seconds,
							  bool (*has_place) (void *argument, const LimitHead *head), void *argument);

#endif							/* JOSCH_LIMITS_H */
