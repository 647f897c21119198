/*
 * src/page/html.c
 *	  Text of anybody's on a page.
 *
 * Whatever is not plain ASCII is written as the number of its character, so that
 * the page is the same in every encoding; what could end a tag, an attribute or
 * a comment never stands as itself.  Characters that are not seen, or turn the
 * direction of what follows, are shown as such, not obeyed.
 */
#include "base/josch.h"

#include "base/encoding.h"
#include "base/report.h"
#include "page/page.h"

#include "mb/pg_wchar.h"
#include "utils/date.h"
#include "utils/datetime.h"

static void
append_character(StringInfo out, pg_wchar c)
{
	if (c < 0x20 || c == 0x7f)
	{
		appendStringInfoChar(out, ' ');
	}
	else if (!josch_encoding_is_seen(c, true) || (c >= 0xd800 && c < 0xe000) || c > 0x10ffff)
	{
		appendStringInfoString(out, "&#xFFFD;");
	}
	else if (c >= 0x80 || strchr("&<>\"'`=/", (int) c) != NULL)
	{
		appendStringInfo(out, "&#x%X;", c);
	}
	else
	{
		appendStringInfoChar(out, (char) c);
	}
}

/* The characters of a text; returns their number. What is not of the database's encoding (SQL_ASCII) is read byte by byte. */
static int
characters_of(const char *text, pg_wchar **characters)
{
	int			length = strlen(text);
	const char *utf8 = text;
	pg_wchar   *result = palloc(sizeof(pg_wchar) * (length * MAX_CONVERSION_GROWTH + 1));

	*characters = result;
	if (GetDatabaseEncoding() == PG_SQL_ASCII && !pg_verify_mbstr(PG_UTF8, text, length, true))
	{
		for (int i = 0; i < length; i++)
		{
			result[i] = IS_HIGHBIT_SET(text[i]) ? 0xfffd : (unsigned char) text[i];
		}
		return length;
	}
	if (GetDatabaseEncoding() != PG_UTF8 && GetDatabaseEncoding() != PG_SQL_ASCII)
	{
		utf8 = pg_server_to_any(text, length, PG_UTF8);
	}
	return pg_encoding_mb2wchar_with_len(PG_UTF8, utf8, result, strlen(utf8));
}

void
josch_page_short_text(StringInfo out, const char *text, int limit)
{
	pg_wchar   *characters;
	int			n;
	int			tail = limit * 2 / 5;

	if (text == NULL)
	{
		return;
	}
	n = characters_of(text, &characters);
	for (int i = 0; i < n; i++)
	{
		if (n > limit && i == limit - tail - 1)
		{
			appendStringInfoString(out, "&#x2026;");
			i = n - tail;
		}
		append_character(out, characters[i]);
	}
	pfree(characters);
}

void
josch_page_text(StringInfo out, const char *text)
{
	josch_page_short_text(out, text, PAGE_MAX_TEXT);
}

void
josch_page_time(StringInfo out, TimestampTz at, DateADT day)
{
	const char *text;
	const char *time;

	if (TIMESTAMP_NOT_FINITE(at))
	{
		return;
	}
	text = timestamptz_to_str(at);
	time = strchr(text, ' ');
	if (time == NULL)
	{
		return;
	}
	if (strncmp(text, josch_report_date(day), time - text) != 0)
	{
		appendStringInfo(out, "%.*s ", (int) (time - text), text);
	}
	appendStringInfo(out, "%.8s", time + 1);
}

void
josch_page_bound(StringInfo out, int64 shown, int64 total, const char *what)
{
	if (shown < total)
	{
		appendStringInfo(out, "<p class=\"quiet\">Shown are " INT64_FORMAT " of " INT64_FORMAT " %s.</p>\n", shown, total, what);
	}
}
