/*
 * src/wire/report.h
 *	  What a program says of itself: the lines of its report, and what is kept of them.
 *
 *	progress 0.4 reading book 3
 *	result rows=1042
 *
 * The program of an executor says more, of the other side:
 *
 *	host node17
 *	reason Priority
 *	unreachable connection refused
 *	reachable
 *	unknown the node has failed
 *	ended
 *
 * The runner reads them from a file of the command's, the server from what SQL
 * says; what is kept travels as the same lines, and is read by the same function.
 * A program may write anything: lines without end, bytes that are no text, millions
 * of them.  So all that is kept is bounded, and the rest is counted.
 */
#ifndef JOSCH_REPORT_LINES_H
#define JOSCH_REPORT_LINES_H

#include "wire/codec.h"

#define JOSCH_REPORT_LINE_MAX	8192	/* bytes of a line that are looked at */
#define JOSCH_REPORT_TEXT_MAX	200		/* of what is said with progress */
#define JOSCH_REPORT_NAME_MAX	63		/* of a result's name */
#define JOSCH_REPORT_VALUE_MAX	4000	/* of its value */
#define JOSCH_REPORT_RESULTS	100		/* results of a run */
#define JOSCH_REPORT_BYTES_MAX	16000	/* of all of them, with their names */
#define JOSCH_REPORT_SIDE_MAX	200		/* of each word of an executor on the other side */
#define JOSCH_REPORT_SAMPLE_MAX	80		/* of the first line that was not understood */
#define JOSCH_REPORT_WHOLE		1000000	/* progress is counted in millionths */

/* How the one line begins that the runner adds: what was not kept, in words. */
#define JOSCH_REPORT_PROBLEM "problem "

typedef enum JoschReportKind
{
	JOSCH_REPORT_NOTHING,		/* an empty line, or a comment */
	JOSCH_REPORT_PROGRESS,
	JOSCH_REPORT_RESULT,
	JOSCH_REPORT_SIDE,			/* of the other side */
	JOSCH_REPORT_UNKNOWN
} JoschReportKind;

/* What executors say of the other side. */
typedef enum JoschReportSide
{
	JOSCH_SIDE_HOST,			/* where it runs */
	JOSCH_SIDE_REASON,			/* why it waits; empty: it does not any more */
	JOSCH_SIDE_UNREACHABLE,		/* why the other side does not answer; empty: it does */
	JOSCH_SIDE_UNKNOWN,			/* why it cannot be known how it ended */
	JOSCH_SIDE_TEXTS,			/* those above have a text each */
	JOSCH_SIDE_REACHABLE = JOSCH_SIDE_TEXTS,
	JOSCH_SIDE_ENDED,			/* the program's exit is now that of the command */
	JOSCH_SIDE_ATTACHED,		/* written by the runner: what was said of the end holds no longer */
	JOSCH_SIDE_WORDS
} JoschReportSide;

static const char *const josch_report_sides[JOSCH_SIDE_WORDS] = {
	"host", "reason", "unreachable", "unknown", "reachable", "ended", "attached"
};

typedef struct JoschReportText
{
	uint32_t	len;
	char		text[JOSCH_REPORT_SIDE_MAX];
} JoschReportText;

typedef struct JoschReportLine
{
	JoschReportKind kind;
	uint32_t	progress;		/* of JOSCH_REPORT_WHOLE */
	JoschReportSide side;
	JoschSlice	name;
	JoschSlice	text;			/* what is said with it; the value of a result */
} JoschReportLine;

/* What is kept. */
typedef struct JoschReport
{
	bool		executor;		/* set by who reads: it is an executor's program that speaks, too */
	bool		ended;
	JoschReportText sides[JOSCH_SIDE_TEXTS];
	bool		has_progress;
	uint32_t	progress;
	uint32_t	text_len;
	char		text[JOSCH_REPORT_TEXT_MAX];
	JoschBuffer results;		/* "NAME=VALUE\n" each, the latest last */
	uint32_t	result_count;

	/* what is not */
	uint64_t	not_understood;
	uint64_t	too_many;		/* results */
	uint64_t	too_long;		/* values that were cut */
	uint64_t	not_read;		/* bytes */
	uint32_t	sample_len;
	char		sample[JOSCH_REPORT_SAMPLE_MAX];
} JoschReport;

/* ---- a line ---- */

static inline bool
josch_said_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static inline bool
josch_said_is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool
josch_said_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline JoschSlice
josch_said_trim(JoschSlice text)
{
	while (text.len > 0 && josch_said_is_blank(text.data[0]))
	{
		text.data++;
		text.len--;
	}
	while (text.len > 0 && josch_said_is_blank(text.data[text.len - 1]))
	{
		text.len--;
	}
	return text;
}

/* Takes the first word off the text. */
static inline JoschSlice
josch_said_word(JoschSlice *text)
{
	JoschSlice	word = {text->data, 0};

	while (word.len < text->len && !josch_said_is_blank(text->data[word.len]))
	{
		word.len++;
	}
	text->data += word.len;
	text->len -= word.len;
	*text = josch_said_trim(*text);
	return word;
}

static inline bool
josch_said_is(JoschSlice word, const char *text)
{
	return word.len == strlen(text) && memcmp(word.data, text, word.len) == 0;
}

/* "0.4", ".4", "1", "40%", "12.5%": a part of the whole, in millionths.  False for all else. */
static inline bool
josch_said_part(JoschSlice word, uint32_t *part)
{
	bool		percent = word.len > 0 && word.data[word.len - 1] == '%';
	uint64_t	unit = percent ? JOSCH_REPORT_WHOLE / 100 : JOSCH_REPORT_WHOLE;
	uint64_t	value = 0;
	uint32_t	digits = 0;
	uint32_t	i = 0;

	word.len -= percent;
	for (; i < word.len && josch_said_is_digit(word.data[i]); i++, digits++)
	{
		value = value * 10 + (uint64_t) (word.data[i] - '0');
		if (value > 100)
		{
			return false;
		}
	}
	value *= unit;
	if (i < word.len && word.data[i] == '.')
	{
		for (i++; i < word.len && josch_said_is_digit(word.data[i]); i++, digits++)
		{
			unit /= 10;
			value += (uint64_t) (word.data[i] - '0') * unit;
		}
	}
	if (digits == 0 || i < word.len || value > JOSCH_REPORT_WHOLE)
	{
		return false;
	}
	*part = (uint32_t) value;
	return true;
}

static inline bool
josch_said_result(JoschSlice text, JoschReportLine *line)
{
	uint32_t	n = 0;

	if (text.len == 0 || !josch_said_is_letter(text.data[0]))
	{
		return false;
	}
	while (n < text.len && (josch_said_is_letter(text.data[n]) || josch_said_is_digit(text.data[n])))
	{
		n++;
	}
	if (n == text.len || text.data[n] != '=' || n > JOSCH_REPORT_NAME_MAX)
	{
		return false;
	}
	line->kind = JOSCH_REPORT_RESULT;
	line->name = (JoschSlice) {text.data, n};
	line->text = (JoschSlice) {text.data + n + 1, text.len - n - 1};
	return true;
}

static inline bool
josch_said_side(JoschSlice word, JoschReportSide *side)
{
	for (int i = 0; i < JOSCH_SIDE_WORDS; i++)
	{
		if (josch_said_is(word, josch_report_sides[i]))
		{
			*side = (JoschReportSide) i;
			return true;
		}
	}
	return false;
}

/* What a line says; it is without its end.  Pure: the slices point into it. */
static inline JoschReportLine
josch_said_read(const char *data, size_t len)
{
	JoschReportLine line = {JOSCH_REPORT_UNKNOWN, 0, JOSCH_SIDE_WORDS, {NULL, 0}, {NULL, 0}};
	JoschSlice	text = josch_said_trim((JoschSlice) {data, (uint32_t) len});
	JoschSlice	word;

	if (text.len == 0 || text.data[0] == '#')
	{
		line.kind = JOSCH_REPORT_NOTHING;
		return line;
	}
	word = josch_said_word(&text);
	if (josch_said_is(word, "result"))
	{
		(void) josch_said_result(text, &line);
	}
	else if (josch_said_is(word, "progress"))
	{
		word = josch_said_word(&text);
		if (josch_said_part(word, &line.progress))
		{
			line.kind = JOSCH_REPORT_PROGRESS;
			line.text = text;
		}
	}
	else if (josch_said_side(word, &line.side))
	{
		line.kind = JOSCH_REPORT_SIDE;
		line.text = text;
	}
	return line;
}

/* ---- what is kept ---- */

/* So many of the bytes, and no half of a character. */
static inline uint32_t
josch_said_cut(JoschSlice text, uint32_t most)
{
	uint32_t	len = text.len;

	if (len > most)
	{
		for (len = most; len > 0 && most - len < 3 && ((unsigned char) text.data[len] & 0xc0) == 0x80; len--)
		{
		}
	}
	return len;
}

/* Where the result of that name is: its first byte and its length with its end; false when it is not there. */
static inline bool
josch_said_find(const JoschReport *report, JoschSlice name, size_t *at, size_t *len)
{
	const char *all = (const char *) report->results.data;
	size_t		i = 0;

	while (i < report->results.len)
	{
		const char *end = memchr(all + i, '\n', report->results.len - i);
		size_t		next = (size_t) (end - all) + 1;

		if (next - i > name.len && memcmp(all + i, name.data, name.len) == 0 && all[i + name.len] == '=')
		{
			*at = i;
			*len = next - i;
			return true;
		}
		i = next;
	}
	return false;
}

static inline void
josch_said_keep_result(JoschReport *report, const JoschReportLine *line)
{
	uint32_t	value = josch_said_cut(line->text, JOSCH_REPORT_VALUE_MAX);
	size_t		at;
	size_t		len = 0;
	bool		there = josch_said_find(report, line->name, &at, &len);

	report->too_long += value < line->text.len;
	if ((!there && report->result_count >= JOSCH_REPORT_RESULTS) ||
		report->results.len - len + line->name.len + value + 2 > JOSCH_REPORT_BYTES_MAX ||
		!josch_buffer_reserve(&report->results, line->name.len + value + 2))
	{
		report->too_many++;
		return;
	}
	if (there)
	{
		memmove(report->results.data + at, report->results.data + at + len, report->results.len - at - len);
		report->results.len -= len;
	}
	report->result_count += !there;
	(void) josch_buffer_append(&report->results, line->name.data, line->name.len);
	(void) josch_buffer_append(&report->results, "=", 1);
	(void) josch_buffer_append(&report->results, line->text.data, value);
	(void) josch_buffer_append(&report->results, "\n", 1);
}

static inline void
josch_said_keep_side(JoschReport *report, JoschReportSide side, JoschSlice text)
{
	if (side < JOSCH_SIDE_TEXTS)
	{
		report->sides[side].len = josch_said_cut(text, JOSCH_REPORT_SIDE_MAX);
		if (report->sides[side].len > 0)
		{
			memcpy(report->sides[side].text, text.data, report->sides[side].len);
		}
	}
	else if (side == JOSCH_SIDE_REACHABLE)
	{
		report->sides[JOSCH_SIDE_UNREACHABLE].len = 0;
	}
	else
	{
		report->ended = side == JOSCH_SIDE_ENDED;
		report->sides[JOSCH_SIDE_UNKNOWN].len = 0;
	}
}

static inline void
josch_said_count_unknown(JoschReport *report, const char *data, size_t len)
{
	if (report->not_understood++ == 0)
	{
		report->sample_len = josch_said_cut((JoschSlice) {data, (uint32_t) len}, JOSCH_REPORT_SAMPLE_MAX);
		memcpy(report->sample, data, report->sample_len);
	}
}

/* Takes a line in; false when it says nothing that is understood. */
static inline bool
josch_said_add(JoschReport *report, const char *data, size_t len)
{
	JoschReportLine line = josch_said_read(data, len);

	switch (line.kind)
	{
		case JOSCH_REPORT_NOTHING:
			break;
		case JOSCH_REPORT_PROGRESS:
			report->has_progress = true;
			report->progress = line.progress;
			report->text_len = josch_said_cut(line.text, JOSCH_REPORT_TEXT_MAX);
			memcpy(report->text, line.text.data, report->text_len);
			break;
		case JOSCH_REPORT_RESULT:
			josch_said_keep_result(report, &line);
			break;
		case JOSCH_REPORT_SIDE:
			if (report->executor)
			{
				josch_said_keep_side(report, line.side, line.text);
				break;
			}
			josch_said_count_unknown(report, data, len);
			return false;
		case JOSCH_REPORT_UNKNOWN:
			josch_said_count_unknown(report, data, len);
			return false;
	}
	return true;
}

#endif							/* JOSCH_REPORT_LINES_H */
