/*
 * src/base/api_nonce.c
 *	  josch.new_nonce(): what makes a run known, beside its number.
 *
 * A number is given again when a database is put back to an earlier moment, and a
 * copy of it counts on from the same one.  So chance alone must not let two be the
 * same: the source is the one that makes keys.
 */
#include "base/josch.h"

#include "port.h"

PG_FUNCTION_INFO_V1(josch_api_new_nonce);

Datum
josch_api_new_nonce(PG_FUNCTION_ARGS)
{
	int64		nonce = 0;

	while (nonce == 0)
	{
		if (!pg_strong_random(&nonce, sizeof(nonce)))
		{
			ereport(ERROR,
					(errcode(ERRCODE_INTERNAL_ERROR),
					 errmsg("could not generate a random number")));
		}
		nonce &= PG_INT64_MAX;	/* people read it, too */
	}
	PG_RETURN_INT64(nonce);
}
