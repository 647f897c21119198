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

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(josch_api_name_is_one_line);

/* Code points that are never shown as themselves, besides the control characters. */
static const struct
{
	pg_wchar	first;
	pg_wchar	last;
}			unseen[] = {
	{0x061C, 0x061C},			/* Arabic letter mark */
	{0x200B, 0x200B},			/* zero width space */
	{0x200E, 0x200F},			/* marks of direction */
	{0x2028, 0x202E},			/* ends of line and paragraph; embeddings and overrides of direction */
	{0x2060, 0x206F},			/* invisible operators; isolates of direction */
	{0xFEFF, 0xFEFF},			/* byte order mark */
	{0xFFF9, 0xFFFB},			/* interlinear annotation */
	{0xE0000, 0xE007F}			/* tags */
};

static bool
is_seen(pg_wchar c, bool unicode)
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

Datum
josch_api_name_is_one_line(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	const char *at = VARDATA_ANY(value);
	const char *end = at + VARSIZE_ANY_EXHDR(value);
	bool		unicode = GetDatabaseEncoding() == PG_UTF8;

	for (; at < end; at += unicode ? pg_utf_mblen((const unsigned char *) at) : 1)
	{
		pg_wchar	c = unicode ? utf8_to_unicode((const unsigned char *) at) : (unsigned char) *at;

		if (!is_seen(c, unicode))
		{
			PG_RETURN_BOOL(false);
		}
	}
	PG_RETURN_BOOL(true);
}
