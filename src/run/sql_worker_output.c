/*
 * src/run/sql_worker_output.c
 *	  What the SQL of a run says: notices, errors, command tags, first rows.
 *
 * A background worker has no client, and the server drops what a client would be
 * told.  So the worker takes that place itself: messages to the client end here,
 * by the same switch that parallel workers use.  This is also how the reason is
 * caught for which a connection was refused.
 *
 * Of the output the end is kept, as of a command's log; of each result only the
 * first rows, so that a large one does not push out the rest.
 */
#include "base/josch.h"

#include "run/sql_worker.h"

#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"

#include "base/report.h"
#include "wire/protocol.h"

/*
 * These two make libpq.h include the headers of GSSAPI and OpenSSL, which nobody
 * needs to have to build JOSCH; all they change here is the struct of a client's
 * connection, and there is none.
 */
#undef ENABLE_GSS
#undef USE_OPENSSL
#include "libpq/libpq.h"

/* Bytes of each text of an error, as long as somebody may want to read. */
#define MAX_REPORT 65536

#define MAX_ROWS 100
#define MAX_VALUE 500

/* The output so far; cut at the front when it has grown to twice of what is kept. */
static StringInfoData output;

static emit_log_hook_type former_log_hook = NULL;

/* Message of the last error. */
static char last_error[JOSCH_SQL_REASON_MAX];
static int	last_sqlstate = 0;

/* Whether it ended the process, and not because somebody wanted the process to end. */
static bool limit_reached = false;

/* Whether it is a FATAL for which the next worker need not end. */
static bool shortage = false;

/* A result that is being printed. */
typedef struct Printer
{
	DestReceiver pub;
	MemoryContext context;		/* of a row */
	uint64		rows;
} Printer;

/* ---- the text ---- */

/* Leaves the last JOSCH_TAIL_MAX bytes, from the start of a line when there is one. */
static void
cut(void)
{
	char	   *from;
	char	   *newline;

	if (output.len <= JOSCH_TAIL_MAX)
	{
		return;
	}
	from = output.data + output.len - JOSCH_TAIL_MAX;
	newline = memchr(from, '\n', JOSCH_TAIL_MAX - 1);
	if (newline != NULL)
	{
		from = newline + 1;
	}
	else
	{
		/* one very long line: start at a character */
		char	   *p = output.data;

		while (p < from)
		{
			p += pg_mblen(p);
		}
		from = p;
	}
	output.len -= from - output.data;
	memmove(output.data, from, output.len + 1);
}

static void
append(const char *text, int len)
{
	if (output.len > 2 * JOSCH_TAIL_MAX)
	{
		cut();
	}
	appendBinaryStringInfo(&output, text, len);
}

void
josch_sql_worker_output_line(const char *line)
{
	append(line, strlen(line));
	append("\n", 1);
}

char *
josch_sql_worker_output_tail(void)
{
	cut();
	return output.len > 0 ? pnstrdup(output.data, output.len) : NULL;
}

const char *
josch_sql_worker_output_error(void)
{
	return last_error;
}

void
josch_sql_worker_output_reset(void)
{
	resetStringInfo(&output);
	last_error[0] = '\0';
	last_sqlstate = 0;
	limit_reached = shortage = false;
}

int
josch_sql_worker_output_sqlstate(void)
{
	return last_sqlstate;
}

bool
josch_sql_worker_output_limit_reached(void)
{
	return limit_reached;
}

bool
josch_sql_worker_output_shortage(void)
{
	return shortage;
}

static int
sqlstate_of(const char *code)
{
	return code != NULL && strlen(code) == 5 ? MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]) : 0;
}

/* Of resources, of a connection, or somebody has ended the process: by its code, the next may well do better. */
static bool
is_shortage(const char *code)
{
	return strncmp(code, "53", 2) == 0 || strncmp(code, "08", 2) == 0 || strncmp(code, "57P", 3) == 0;
}

/* ---- messages to the client ---- */

/* Bytes of a string that fit, ending with a character. */
static int
clip(const char *text, int limit)
{
	int			len = strlen(text);

	return len <= limit ? len : pg_mbcliplen(text, len, limit);
}

static void
append_field(const char *label, const char *text)
{
	if (text != NULL)
	{
		int			len = clip(text, JOSCH_TAIL_MAX / 2);

		append(label, strlen(label));
		append(text, len);
		append("\n", 1);
	}
}

/*
 * Prints a NoticeResponse or ErrorResponse: fields, each a letter and a string,
 * and a zero at the end.
 */
static void
print_message(const char *body, size_t len, bool error)
{
	const char *fields[128] = {0};
	const char *end = body + len;
	char		label[32];
	bool		fatal;

	while (body < end && *body != '\0')
	{
		unsigned char letter = *body++;

		if (letter < lengthof(fields))
		{
			/* the server has converted it for a client, which is itself */
			fields[letter] = pg_client_to_server(body, strlen(body));
		}
		body += strlen(body) + 1;
	}
	if (fields['M'] == NULL)
	{
		return;
	}
	snprintf(label, sizeof(label), "%s:  ", fields['S'] != NULL ? fields['S'] : "MESSAGE");
	append_field(label, fields['M']);
	append_field("DETAIL:  ", fields['D']);
	append_field("HINT:  ", fields['H']);
	if (error)
	{
		append_field("CONTEXT:  ", fields['W']);
		strlcpy(last_error, fields['M'], clip(fields['M'], sizeof(last_error) - 1) + 1);
		last_sqlstate = sqlstate_of(fields['C']);
		fatal = fields['V'] != NULL && strcmp(fields['V'], "FATAL") == 0 && fields['C'] != NULL;
		limit_reached = fatal && strcmp(fields['C'], unpack_sql_state(ERRCODE_ADMIN_SHUTDOWN)) != 0;
		shortage = fatal && is_shortage(fields['C']);
	}
}

static int
put_message(char type, const char *body, size_t len)
{
	switch (type)
	{
		case 'N':
			print_message(body, len, false);
			break;
		case 'E':
			print_message(body, len, true);
			break;
		case 'd':
			/* COPY ... TO STDOUT */
			append(body, len);
			break;
		default:
			break;
	}
	return 0;
}

static void
put_message_noblock(char type, const char *body, size_t len)
{
	(void) put_message(type, body, len);
}

static void
do_nothing(void)
{
}

static int
succeed(void)
{
	return 0;
}

static bool
have_nothing(void)
{
	return false;
}

static const PQcommMethods methods = {
	.comm_reset = do_nothing,
	.flush = succeed,
	.flush_if_writable = succeed,
	.is_send_pending = have_nothing,
	.putmessage = put_message,
	.putmessage_noblock = put_message_noblock
};

/* ---- what is too long ---- */

static void
cut_text(char **text)
{
	char	   *former = *text;

	if (former != NULL && strlen(former) > MAX_REPORT)
	{
		*text = josch_report_cut(former, MAX_REPORT);
		pfree(former);
	}
}

/*
 * An error's text may have a gigabyte, and each place that it goes to (the server's
 * log, the output, the message) would make copies of it.  So it is cut before the
 * first.
 */
static void
cut_report(ErrorData *report)
{
	cut_text(&report->message);
	cut_text(&report->detail);
	cut_text(&report->detail_log);
	cut_text(&report->hint);
	cut_text(&report->context);
	cut_text(&report->internalquery);
	if (former_log_hook != NULL)
	{
		former_log_hook(report);
	}
}

void
josch_sql_worker_output_start(void)
{
	MemoryContext former = MemoryContextSwitchTo(TopMemoryContext);

	initStringInfo(&output);
	MemoryContextSwitchTo(former);
	former_log_hook = emit_log_hook;
	emit_log_hook = cut_report;
	PqCommMethods = &methods;
	whereToSendOutput = DestRemote;
	FrontendProtocol = PG_PROTOCOL_LATEST;
}

/* ---- results ---- */

static void
print_value(const char *value, bool first)
{
	if (!first)
	{
		append("|", 1);
	}
	append(value, clip(value, MAX_VALUE));
}

static void
start_result(DestReceiver *self, int operation, TupleDesc desc)
{
	bool		first = true;

	((Printer *) self)->rows = 0;
	for (int i = 0; i < desc->natts; i++)
	{
		if (!TupleDescAttr(desc, i)->attisdropped)
		{
			print_value(NameStr(TupleDescAttr(desc, i)->attname), first);
			first = false;
		}
	}
	append("\n", 1);
}

static bool
print_row(TupleTableSlot *slot, DestReceiver *self)
{
	Printer    *printer = (Printer *) self;
	TupleDesc	desc = slot->tts_tupleDescriptor;
	MemoryContext former;
	bool		first = true;

	if (++printer->rows > MAX_ROWS)
	{
		return true;
	}
	former = MemoryContextSwitchTo(printer->context);
	slot_getallattrs(slot);
	for (int i = 0; i < desc->natts; i++)
	{
		Oid			function;
		bool		is_varlena;

		if (TupleDescAttr(desc, i)->attisdropped)
		{
			continue;
		}
		if (slot->tts_isnull[i])
		{
			print_value("", first);
		}
		else
		{
			getTypeOutputInfo(TupleDescAttr(desc, i)->atttypid, &function, &is_varlena);
			print_value(OidOutputFunctionCall(function, slot->tts_values[i]), first);
		}
		first = false;
	}
	append("\n", 1);
	MemoryContextSwitchTo(former);
	MemoryContextReset(printer->context);
	return true;
}

static void
end_result(DestReceiver *self)
{
	Printer    *printer = (Printer *) self;
	char		line[64];

	if (printer->rows > MAX_ROWS)
	{
		snprintf(line, sizeof(line), "(... " UINT64_FORMAT " more rows)", printer->rows - MAX_ROWS);
		josch_sql_worker_output_line(line);
	}
}

static void
forget_printer(DestReceiver *self)
{
	MemoryContextDelete(((Printer *) self)->context);
	pfree(self);
}

/* A receiver that prints results; allocated in the current context. */
DestReceiver *
josch_sql_worker_output_receiver(void)
{
	Printer    *printer = palloc0(sizeof(Printer));

	printer->pub.receiveSlot = print_row;
	printer->pub.rStartup = start_result;
	printer->pub.rShutdown = end_result;
	printer->pub.rDestroy = forget_printer;
	printer->pub.mydest = DestNone;
	printer->context = AllocSetContextCreate(CurrentMemoryContext, "josch printed row", ALLOCSET_DEFAULT_SIZES);
	return (DestReceiver *) printer;
}
