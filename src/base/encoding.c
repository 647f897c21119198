/*
 * src/base/encoding.c
 *	  Text from outside, brought into the encoding of the database.
 *
 * What a command prints reaches the tables as the end of its output.  It must
 * not depend on the command's taste whether its exit can be recorded.
 */
#include "base/josch.h"

#include "base/encoding.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

char *
josch_encoding_from_utf8(const char *text)
{
	int			encoding = GetDatabaseEncoding();
	int			left = strlen(text);
	const unsigned char *from = (const unsigned char *) text;
	Oid			conversion;
	StringInfoData result;
	unsigned char *piece;

	if (encoding == PG_UTF8 || encoding == PG_SQL_ASCII)
	{
		return pstrdup(text);
	}
	conversion = FindDefaultConversionProc(PG_UTF8, encoding);
	initStringInfo(&result);
	piece = palloc((Size) left * MAX_CONVERSION_GROWTH + 1);
	while (left > 0)
	{
		int			done = 0;

		CHECK_FOR_INTERRUPTS();
		if (OidIsValid(conversion))
		{
			done = pg_do_encoding_conversion_buf(conversion, PG_UTF8, encoding,
												 unconstify(unsigned char *, from), left, piece,
												 left * MAX_CONVERSION_GROWTH + 1, true);
			appendStringInfoString(&result, (char *) piece);
		}
		from += done;
		left -= done;
		if (left > 0)
		{
			int			length = Min(pg_utf_mblen(from), left);

			appendStringInfoChar(&result, length == 1 && !IS_HIGHBIT_SET(*from) ? (char) *from : '?');
			from += length;
			left -= length;
		}
	}
	pfree(piece);
	return result.data;
}
