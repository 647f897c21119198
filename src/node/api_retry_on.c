/*
 * src/node/api_retry_on.c
 *	  Whether words can stand in nodes.retry_on.
 */
#include "base/josch.h"

#include "node/retry_on.h"

PG_FUNCTION_INFO_V1(josch_api_retry_on_is);

Datum
josch_api_retry_on_is(PG_FUNCTION_ARGS)
{
	RetryOn		on;

	PG_RETURN_BOOL(josch_retry_on_parse(PG_GETARG_ARRAYTYPE_P(0), &on));
}
