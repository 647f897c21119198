/*
 * src/run/api_log.c
 *	  josch.log(): what a run has printed.
 *
 * The log is a file in the runner's spool.  Where the runner has a user of its
 * own the server cannot read it, and asks the runner.
 *
 * A command prints what it likes; the caller gets text that the database can
 * hold.  Pages that follow each other, each at the offset where the one before
 * ends, make up the whole log: a character that two of them share belongs to the
 * first.
 */
#include "base/josch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/htup_details.h"
#include "commands/dbcommands.h"
#include "funcapi.h"
#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/clock.h"
#include "base/spool.h"
#include "base/encoding.h"
#include "run/runner_client.h"
#include "run/store_run.h"

PG_FUNCTION_INFO_V1(josch_api_log);
PG_FUNCTION_INFO_V1(josch_api_log_page);

#define MAX_BYTES (64 * 1024 * 1024)

/* The longest character of UTF-8, less one: what a page may need beyond its end. */
#define OVERLAP 3

/* How long the runner may take for a piece. */
#define RUNNER_LIMIT_MS 10000

/* A runner keeps apart what servers ask for; who reads logs has no runs. */
#define READER_IDENTITY "reader of logs"

static const char replacement[] = "\xEF\xBF\xBD";	/* U+FFFD */

/* What is asked for. */
typedef struct LogPage
{
	int64		run_id;
	const char *path;			/* relative to the spool */
	int64		offset;			/* below 0: from the end, until it is resolved */
	int			max_bytes;
	bool		hold;			/* leave out a character of which not all has been written yet */
	int64		next;			/* where the next page begins */
	int64		hole;			/* where the bytes end because what follows was not kept, ... */
	int64		hole_end;		/* ... and where it goes on; 0: they do not end so */
	int64		size;			/* of the whole; of what is known of it, a lower bound */
	StringInfoData bytes;		/* max_bytes + OVERLAP at most */
} LogPage;

/* ---- from the file ---- */

/* Whether a path stays below where it starts. */
static bool
is_below(const char *path)
{
	char	   *copy = pstrdup(path);
	char	   *rest = copy;
	char	   *name;

	while ((name = strsep(&rest, "/")) != NULL)
	{
		if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		{
			return false;
		}
	}
	return true;
}

/* Opens a file below the spool, following no symbolic link; -1 and errno. */
static int
open_below(const char *spool, const char *path)
{
	char	   *copy = pstrdup(path);
	char	   *rest = copy;
	int			fd;

	if (!is_below(path))
	{
		errno = EINVAL;
		return -1;
	}
	fd = open(spool, O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (fd >= 0 && rest != NULL)
	{
		char	   *name = strsep(&rest, "/");
		int			flags = rest != NULL ? O_PATH | O_DIRECTORY : O_RDONLY | O_NONBLOCK | O_NOCTTY;
		int			next = openat(fd, name, flags | O_NOFOLLOW | O_CLOEXEC);
		int			saved = errno;

		close(fd);
		errno = saved;
		fd = next;
	}
	return fd;
}

/* A page begins where there is something, and does not go on over a part that was not kept (josch.max_log_size). */
static void
keep_to_data(int fd, LogPage *page)
{
	off_t		data = lseek(fd, page->offset, SEEK_DATA);
	off_t		hole;

	if (data < 0)
	{
		return;					/* behind the end, or the file system does not tell */
	}
	page->offset = data;
	hole = lseek(fd, data, SEEK_HOLE);
	data = hole > 0 && hole < page->size ? lseek(fd, hole, SEEK_DATA) : -1;
	if (data > 0)
	{
		page->hole = hole;
		page->hole_end = data;
	}
}

/* Reads the page; false and errno when that fails.  Raises no error, so that the file is closed. */
static bool
read_page(int fd, LogPage *page)
{
	struct stat st;
	int			want = page->max_bytes + OVERLAP;

	if (fstat(fd, &st) != 0)
	{
		return false;
	}
	if (!S_ISREG(st.st_mode))
	{
		errno = EINVAL;
		return false;
	}
	page->size = st.st_size;
	if (page->offset < 0)
	{
		page->offset = Max(page->offset + st.st_size, 0);
	}
	keep_to_data(fd, page);
	want = (int) Min(Max((page->hole_end > 0 ? page->hole : st.st_size) - page->offset, 0), want);
	while (page->bytes.len < want)
	{
		ssize_t		n = pread(fd, page->bytes.data + page->bytes.len, want - page->bytes.len,
							  page->offset + page->bytes.len);

		if (n < 0 && errno == EINTR)
		{
			continue;
		}
		if (n < 0)
		{
			return false;
		}
		if (n == 0)
		{
			break;
		}
		page->bytes.len += n;
	}
	return true;
}

static bool
read_file(const char *spool, LogPage *page)
{
	int			fd = open_below(spool, page->path);
	bool		ok;
	int			saved;

	if (fd < 0)
	{
		return false;
	}
	ok = read_page(fd, page);
	saved = errno;
	close(fd);
	errno = saved;
	return ok;
}

/* ---- from the runner ---- */

static void
report_unreadable(const LogPage *page, const char *reason)
{
	ereport(ERROR,
			(errcode(ERRCODE_IO_ERROR),
			 errmsg("could not read the log of run " INT64_FORMAT, page->run_id),
			 errdetail("The server may not read file \"%s\" in josch.spool_directory, and the runner did not give it: %s.",
					   page->path, reason)));
}

static void
wait_for_runner(JoschRunner *runner, const LogPage *page)
{
#if PG_VERSION_NUM >= 170000
	WaitEventSet *set = CreateWaitEventSet(NULL, 3);
#else
	WaitEventSet *set = CreateWaitEventSet(CurrentMemoryContext, 3);
#endif
	WaitEvent	event;
	int			n;

	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(set, WL_SOCKET_READABLE | (josch_runner_wants_write(runner) ? WL_SOCKET_WRITEABLE : 0),
					  josch_runner_socket(runner), NULL, NULL);
	n = josch_clock_wait(set, DT_NOEND, RUNNER_LIMIT_MS, &event, 1, PG_WAIT_EXTENSION);
	FreeWaitEventSet(set);
	if (n == 0)
	{
		report_unreadable(page, "it does not answer");
	}
	if (event.events & WL_LATCH_SET)
	{
		ResetLatch(MyLatch);
		CHECK_FOR_INTERRUPTS();
	}
}

/* Takes a piece; true when the page is complete. */
static bool
take_piece(JoschRunner *runner, LogPage *page, const JoschRunnerEvent *event)
{
	int			want = page->max_bytes + OVERLAP;

	if (event->type == JOSCH_RUNNER_ERROR || event->type == JOSCH_RUNNER_LOST)
	{
		report_unreadable(page, event->text);
	}
	if (event->type != JOSCH_RUNNER_LOG_DATA)
	{
		return false;
	}
	if (page->bytes.len == 0)
	{
		page->offset = event->offset;
	}
	if (event->offset > page->offset + page->bytes.len)
	{
		page->hole = page->offset + page->bytes.len;
		page->hole_end = event->offset;
		return true;
	}
	appendBinaryStringInfo(&page->bytes, event->text, Min(event->text_len, want - page->bytes.len));
	page->size = page->offset + page->bytes.len + (event->eof ? 0 : 1);
	if (event->eof || event->text_len == 0 || page->bytes.len >= want)
	{
		return true;
	}
	josch_runner_send_log(runner, page->path, page->offset + page->bytes.len, want - page->bytes.len);
	return false;
}

static void
ask(JoschRunner *runner, LogPage *page)
{
	bool		complete = false;

	josch_runner_send_log(runner, page->path, page->offset, page->max_bytes + OVERLAP);
	while (!complete)
	{
		List	   *events;
		ListCell   *cell;

		josch_runner_flush(runner);
		events = josch_runner_read(runner, CurrentMemoryContext);
		foreach(cell, events)
		{
			complete |= take_piece(runner, page, lfirst(cell));
		}
		if (events == NIL)
		{
			wait_for_runner(runner, page);
		}
	}
}

static void
read_through_runner(const char *spool, LogPage *page)
{
	char	   *reason;
	JoschRunnerOwner reader = {READER_IDENTITY, MyDatabaseId, get_database_name(MyDatabaseId), "", 0};
	JoschRunner *runner = josch_runner_connect(spool, &reader, false, &reason);

	if (runner == NULL)
	{
		report_unreadable(page, reason);
	}
	PG_TRY();
	{
		ask(runner, page);
	}
	PG_FINALLY();
	{
		josch_runner_close(runner);
	}
	PG_END_TRY();
}

/* ---- the text ---- */

static bool
is_continuation(char c)
{
	return ((unsigned char) c & 0xC0) == 0x80;
}

/*
 * The page as valid UTF-8 without zeroes: what is no character becomes U+FFFD.
 * Continuation bytes at the start are the former page's, unless there is none.
 */
static char *
valid_text(LogPage *page)
{
	const char *bytes = page->bytes.data;
	int			len = page->bytes.len;
	int			i = 0;
	StringInfoData text;

	initStringInfo(&text);
	while (page->offset > 0 && i < OVERLAP && i < len && is_continuation(bytes[i]))
	{
		i++;
	}
	while (i < Min(len, page->max_bytes))
	{
		int			length = pg_utf_mblen((const unsigned char *) bytes + i);

		if (page->hold && page->hole_end == 0 && i + length > len)
		{
			break;
		}
		if (bytes[i] != '\0' && i + length <= len && pg_utf8_islegal((const unsigned char *) bytes + i, length))
		{
			appendBinaryStringInfo(&text, bytes + i, length);
			i += length;
		}
		else
		{
			appendStringInfoString(&text, replacement);
			i++;
		}
	}
	page->next = page->offset + i;
	if (page->hole_end > 0 && page->next == page->hole)
	{
		page->next = page->hole_end;
	}
	return text.data;
}

/* The page of a text that is in the database's encoding. */
static char *
part_of(const char *text, LogPage *page)
{
	int64		len = strlen(text);
	int			start = (int) Min(page->offset < 0 ? Max(len + page->offset, 0) : page->offset, len);
	char	   *part;

	/* to the next character */
	if (start > 0)
	{
		int			before = pg_mbcliplen(text, (int) len, start);

		start = before < start ? before + pg_mblen(text + before) : start;
	}
	part = pnstrdup(text + start, pg_mbcliplen(text + start, (int) len - start, page->max_bytes));
	page->offset = start;
	page->next = start + strlen(part);
	page->size = len;
	return part;
}

/* The log cannot be opened, and not for want of rights. */
static char *
without_file(const LogPage *page, const StoreRunLog *run)
{
	int			error = errno;

	if (error == ENOENT && run->open)
	{
		return pstrdup("");		/* not started yet */
	}
	errno = error;
	ereport(ERROR,
			(errcode_for_file_access(),
			 error == ENOENT ?
			 errmsg("there is no log of run " INT64_FORMAT " in josch.spool_directory", page->run_id) :
			 errmsg("could not read the log of run " INT64_FORMAT ": %m", page->run_id),
			 error == ENOENT ?
			 errdetail("File \"%s\" has been removed, or was never written, or lies where josch.spool_directory was before.", page->path) :
			 errdetail("It is file \"%s\" in josch.spool_directory.", page->path),
			 run->output_tail != NULL ? errhint("Its end is kept in josch.runs.output_tail.") : 0));
}

static void
check_max_bytes(int32 max_bytes)
{
	if (max_bytes < 1 || max_bytes > MAX_BYTES)
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_bytes must be between 1 and %d", MAX_BYTES)));
	}
}

/* Reads the page; where it begins and where the next one does is told in it. */
static char *
log_text(LogPage *page, bool hold)
{
	StoreRunLog run;
	char	   *spool;

	check_max_bytes(page->max_bytes);
	if (!josch_store_run_log(page->run_id, &run))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("run " INT64_FORMAT " does not exist", page->run_id),
				 errhint("josch.runs lists the runs.")));
	}
	if (run.log == NULL)
	{
		return part_of(run.output_tail != NULL ? run.output_tail : "", page);
	}
	page->path = run.log;
	page->hold = hold && run.open;
	initStringInfo(&page->bytes);
	enlargeStringInfo(&page->bytes, page->max_bytes + OVERLAP);
	spool = josch_spool_path();
	if (!read_file(spool, page))
	{
		if (errno != EACCES && errno != EPERM)
		{
			char	   *nothing = without_file(page, &run);

			page->offset = page->next = Max(page->offset, 0);
			return nothing;
		}
		read_through_runner(spool, page);
	}
	page->offset = Max(page->offset, 0);
	return josch_encoding_from_utf8(valid_text(page));
}

Datum
josch_api_log(PG_FUNCTION_ARGS)
{
	LogPage		page = {.run_id = PG_GETARG_INT64(0), .offset = PG_GETARG_INT64(1), .max_bytes = PG_GETARG_INT32(2)};

	char	   *text = log_text(&page, false);

	if (page.next < page.size)
	{
		ereport(NOTICE,
				(errmsg("there is more of the log of run " INT64_FORMAT, page.run_id),
				 errhint("It goes on with: SELECT josch.log(" INT64_FORMAT ", " INT64_FORMAT ");",
						 page.run_id, page.next)));
	}
	PG_RETURN_TEXT_P(cstring_to_text(text));
}

Datum
josch_api_log_page(PG_FUNCTION_ARGS)
{
	LogPage		page = {.run_id = PG_GETARG_INT64(0), .offset = PG_GETARG_INT64(1), .max_bytes = PG_GETARG_INT32(2)};
	char	   *text = log_text(&page, true);
	TupleDesc	row;
	Datum		values[3];
	bool		nulls[3] = {false, false, false};

	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
	{
		elog(ERROR, "return type must be a row type");
	}
	values[0] = Int64GetDatum(page.offset);
	values[1] = Int64GetDatum(page.next);
	values[2] = CStringGetTextDatum(text);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls)));
}
