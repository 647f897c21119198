/*
 * src/node/api_name.c
 *	  Whether a text can be the name of a job or a node.
 *
 * A name stands in a line of its own in windows, logs and messages: what ends
 * the line, or turns the order of what follows, would make one thing look like
 * another.  It depends on the text and the database's encoding alone, because a
 * CHECK must give the same answer for ever.  In encodings other than UTF-8 only
 * the control characters of ASCII are known.
 */
#include "base/josch.h"

#include "utils/builtins.h"

#include "base/encoding.h"

PG_FUNCTION_INFO_V1(josch_api_name_is_one_line);

Datum
josch_api_name_is_one_line(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(josch_encoding_is_one_line(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)));
}
