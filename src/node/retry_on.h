/*
 * src/node/retry_on.h
 *	  The words of nodes.retry_on: after which ends of a run a node may be tried again.
 */
#ifndef JOSCH_RETRY_ON_H
#define JOSCH_RETRY_ON_H

#include "base/josch.h"

#include "utils/array.h"

#define JOSCH_RETRY_ON_MAX 32

typedef struct RetryOn
{
	bool		exit;
	bool		signal;
	bool		timeout;
	bool		start;
	int			nsqlstates;
	char		sqlstates[JOSCH_RETRY_ON_MAX][6];	/* two characters: a class; five: a code */
} RetryOn;

/* False when one of the words is none of them, or there are too many. */
extern bool josch_retry_on_parse(ArrayType *words, RetryOn *on);

/* Whether an SQLSTATE is named.  A class does not name those by which it is not known whether all was committed. */
extern bool josch_retry_on_sqlstate(const RetryOn *on, int sqlstate);

#endif							/* JOSCH_RETRY_ON_H */
