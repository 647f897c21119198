/*
 * src/run/runner_sense.c
 *	  What the runner says, brought into what can be.
 *
 * It may be another user's, newer, older, or no runner at all: its texts are stored
 * and shown, its numbers decide.  So all that comes is bounded, valid in its encoding,
 * within its range; and an end that is not understood is never a success.
 */
#include "base/josch.h"

#include "run/runner_sense.h"

#include "mb/pg_wchar.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "wire/report.h"

/* The year 10000. */
#define UNIX_END_US INT64CONST(253402300800000000)

/* What a run says of itself is no longer than its parts may be. */
#define REPORT_MAX (JOSCH_REPORT_BYTES_MAX + JOSCH_REPORT_RESULTS * 8 + 1000)

#define MAX_EXIT_CODE 255
#define MAX_SIGNAL 127

/* ---- texts ---- */

/* A byte that fits nowhere becomes "?", which every encoding of a database has. */
static char *
clean(const char *from, uint32 len)
{
	char	   *text = palloc(len + 1);
	uint32		i = 0;

	while (i < len)
	{
		int			length = pg_utf_mblen((const unsigned char *) from + i);

		if (from[i] == '\0' || i + length > len || !pg_utf8_islegal((const unsigned char *) from + i, length))
		{
			text[i++] = '?';
			continue;
		}
		memcpy(text + i, from + i, length);
		i += length;
	}
	text[len] = '\0';
	return text;
}

static bool
is_continuation(char c)
{
	return ((unsigned char) c & 0xC0) == 0x80;
}

char *
josch_runner_sense_text(JoschSlice slice, uint32 limit)
{
	uint32		len = slice.len;

	if (len > limit)
	{
		for (len = limit; len > 0 && limit - len < 4 && is_continuation(slice.data[len]); len--)
		{
		}
	}
	return clean(slice.data, len);
}

char *
josch_runner_sense_tail(JoschSlice slice, uint32 limit)
{
	uint32		skip = slice.len > limit ? slice.len - limit : 0;

	for (int i = 0; skip > 0 && i < 4 && skip < slice.len && is_continuation(slice.data[skip]); i++)
	{
		skip++;
	}
	return clean(slice.data + skip, slice.len - skip);
}

char *
josch_runner_sense_line(JoschSlice slice, uint32 limit)
{
	char	   *line = josch_runner_sense_text(slice, limit);
	int			length;

	for (char *c = line; *c != '\0'; c += length)
	{
		length = pg_utf_mblen((unsigned char *) c);
		if (!josch_encoding_is_seen(utf8_to_unicode((unsigned char *) c), true))
		{
			memset(c, '?', length);
		}
	}
	return line;
}

/* NULL for an empty text. */
static char *
unless_empty(char *text)
{
	return text[0] != '\0' ? text : NULL;
}

char *
josch_runner_sense_report(JoschSlice lines)
{
	return unless_empty(josch_runner_sense_text(lines, REPORT_MAX));
}

/* ---- numbers ---- */

TimestampTz
josch_runner_sense_time(int64 unix_us)
{
	return unix_us <= 0 || unix_us >= UNIX_END_US ? 0 : unix_us - JOSCH_UNIX_TO_POSTGRES_US;
}

TimestampTz
josch_runner_sense_moment(int64 unix_us)
{
	TimestampTz time = josch_runner_sense_time(unix_us);

	return time != 0 ? time : josch_clock_now();
}

int32
josch_runner_sense_pid(int64 pid)
{
	return pid > 0 && pid <= PG_INT32_MAX ? (int32) pid : 0;
}

/* ---- ends ---- */

static void
take_exit(RunEvent *event, const JoschExit *end)
{
	event->kind = end->kind == JOSCH_EXIT_CODE ? RUN_END_EXIT : RUN_END_SIGNAL;
	event->cpu_seconds = ((double) end->cpu_user_us + (double) end->cpu_sys_us) / 1e6;
	event->peak_memory = end->maxrss_kb <= PG_INT64_MAX / 1024 ? (int64) end->maxrss_kb * 1024 : -1;
}

static void
take_unseen(RunEvent *event, const JoschExit *end)
{
	event->kind = end->kind == JOSCH_EXIT_WATCHED ? RUN_END_WATCHED : RUN_END_UNKNOWN;
	event->text = end->kind == JOSCH_EXIT_WATCHED ? pstrdup("the runner that had started it was gone before") :
		end->reason.len > 0 ? josch_runner_sense_line(end->reason, JOSCH_MESSAGE_MAX) :
		pstrdup("no runner was there when it ended");
	event->looked = true;
	event->survivors = unless_empty(josch_runner_sense_line(end->survivors, JOSCH_MESSAGE_MAX));
}

static bool
can_be(const JoschExit *end)
{
	return (end->kind == JOSCH_EXIT_CODE && end->value <= MAX_EXIT_CODE) ||
		(end->kind == JOSCH_EXIT_SIGNAL && end->value > 0 && end->value <= MAX_SIGNAL);
}

void
josch_runner_sense_end(RunEvent *event, const JoschExit *end, uint32 flags)
{
	event->ended_at = josch_runner_sense_time(end->ended_at);
	event->value = (int32) end->value;
	event->timed_out = (flags & JOSCH_RUN_TIMED_OUT) != 0;
	event->stopped = (flags & JOSCH_RUN_STOP_REQUESTED) != 0;
	if (end->kind == JOSCH_EXIT_NOT_STARTED)
	{
		event->kind = RUN_END_NOT_STARTED;
		event->text = unless_empty(josch_runner_sense_text(end->tail, JOSCH_MESSAGE_MAX));
		return;
	}
	event->output_tail = unless_empty(josch_runner_sense_tail(end->tail, JOSCH_TAIL_MAX));
	if (can_be(end))
	{
		take_exit(event, end);
	}
	else if (end->kind == JOSCH_EXIT_WATCHED || end->kind == JOSCH_EXIT_NONE || end->kind == JOSCH_EXIT_UNKNOWN)
	{
		take_unseen(event, end);
	}
	else
	{
		event->kind = RUN_END_UNKNOWN;
		event->timed_out = false;
		event->text = psprintf("the runner says what cannot be: end %u, value %u", end->kind, end->value);
	}
}
