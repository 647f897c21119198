/*
 * src/base/nonce.c
 *	  A random number that no other run, and no other installation, has.
 *
 * A number is given again when a database is put back to an earlier moment, and a
 * copy of it counts on from the same one.  So chance alone must not let two be the
 * same: the source is the one that makes keys.
 */
#include "base/josch.h"

#include "base/nonce.h"

#include "port.h"

int64
josch_nonce_new(void)
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
		nonce &= PG_INT64_MAX;
	}
	return nonce;
}
