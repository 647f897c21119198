/*
 * src/base/api_nonce.c
 *	  josch.new_nonce(): what makes a run known, beside its number.
 */
#include "base/josch.h"

#include "base/nonce.h"

PG_FUNCTION_INFO_V1(josch_api_new_nonce);

Datum
josch_api_new_nonce(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(josch_nonce_new());
}
