/*
 * src/base/encoding.c
 *	  Text from outside, brought into the encoding of the database.
 *
 * What a command prints reaches the tables as the end of its output.  It must
 * not depend on the command's taste whether its exit can be recorded.
 *
 * And which characters are seen as they are.  Those that join or vary what is seen
 * (U+200C, U+200D, U+FE0F) are part of how words and signs are written.
 */
#include "base/josch.h"

#include "base/encoding.h"

#include "catalog/namespace.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"

/* Code points that are never shown as themselves, besides the control characters. */
static const struct
{
	pg_wchar	first;
	pg_wchar	last;
}			unseen[] = {
	{0x00AD, 0x00AD},			/* soft hyphen */
	{0x034F, 0x034F},			/* grapheme joiner */
	{0x061C, 0x061C},			/* Arabic letter mark */
	{0x115F, 0x1160},			/* fillers of Hangul */
	{0x17B4, 0x17B5},			/* inherent vowels of Khmer */
	{0x180E, 0x180E},			/* Mongolian vowel separator */
	{0x200B, 0x200B},			/* zero width space */
	{0x200E, 0x200F},			/* marks of direction */
	{0x2028, 0x202E},			/* ends of line and paragraph; embeddings and overrides of direction */
	{0x2060, 0x206F},			/* invisible operators; isolates of direction */
	{0x3164, 0x3164},			/* filler of Hangul */
	{0xFEFF, 0xFEFF},			/* byte order mark */
	{0xFFA0, 0xFFA0},			/* filler of Hangul, half as wide */
	{0xFFF0, 0xFFFB},			/* not given; interlinear annotation */
	{0x1BCA0, 0x1BCA3},			/* controls of shorthand */
	{0x1D173, 0x1D17A},			/* controls of musical notation */
	{0xE0000, 0xE007F}			/* tags */
};

bool
josch_encoding_is_seen(pg_wchar c, bool unicode)
{
	if (c < 0x20 || c == 0x7F || (unicode && c >= 0x80 && c < 0xA0))
	{
		return false;
	}
	for (int i = 0; unicode && i < (int) lengthof(unseen); i++)
	{
		if (c >= unseen[i].first && c <= unseen[i].last)
		{
			return false;
		}
	}
	return true;
}

/* The length of the first character; of ASCII alone where it is not Unicode. */
static int
take_character(const char *at, bool *seen)
{
	bool		unicode = GetDatabaseEncoding() == PG_UTF8;

	*seen = josch_encoding_is_seen(unicode ? utf8_to_unicode((const unsigned char *) at) : (unsigned char) *at, unicode);
	return unicode ? pg_utf_mblen((const unsigned char *) at) : 1;
}

bool
josch_encoding_is_one_line(const char *text, int length)
{
	bool		seen = true;

	for (int i = 0; i < length && seen;)
	{
		i += take_character(text + i, &seen);
	}
	return seen;
}

char *
josch_encoding_to_one_line(const char *text)
{
	char	   *line = pstrdup(text);
	bool		seen;
	int			length;

	for (char *at = line; *at != '\0'; at += length)
	{
		length = take_character(at, &seen);
		if (!seen)
		{
			memset(at, ' ', length);
		}
	}
	return line;
}

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
