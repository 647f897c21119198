/*
 * src/runner/report.c
 *	  What commands say of themselves: the file that each of them finds as JOSCH_REPORT.
 *
 * It lies beside the log, and the command may do with it whatever it can do with a
 * file of its own: so what is read is never more than a piece at a time, only what
 * is bounded is kept (wire/report.h), and what is no file any more is not read.
 * Nobody waits for it: inotify tells when a file was written to, once; then it is
 * looked at, once a second while it goes on, and watched again when it does not.
 * What is known is told when it has changed, and for the last time with the end.
 *
 * Of an executor's run there are two: the program that runs here says in one of its
 * own where the command is and how it ends, and no command can say that for it.
 *
 * A program that writes the file anew instead of adding to it is understood too:
 * what was read last is not there any more then, and all is read once more.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LOOK (50 * MS)
#define NEXT_LOOK SECOND

/* Bytes that a look reads, and the last one. */
#define LOOK_MAX (1024 * 1024)
#define LAST_LOOK_MAX (4 * 1024 * 1024)
#define CATCH_UP 64				/* looks */
#define PIECE (64 * 1024)

/* So many bytes before the place that was reached tell whether the file is the one that was read. */
#define REMEMBERED 256

static const char *const suffixes[REPORT_FILES] = {JOSCH_REPORT_SUFFIX, JOSCH_EXECUTOR_REPORT_SUFFIX};

static int	inotify_fd = -1;

/* The descriptor that becomes readable when a report was written to; -1: there is none. */
int
report_init(void)
{
	inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inotify_fd < 0)
	{
		log_line("could not watch reports, and looks at them by the clock: %m");
	}
	return inotify_fd;
}

/* The place below the spool of a file beside the log; to be freed.  NULL: the run has none. */
static char *
path_beside_log(const Run *run, const char *suffix)
{
	size_t		len = strlen(run->log_path);

	if (!spool_path_allowed(run->log_path) || len < 5 || strcmp(run->log_path + len - 4, ".log") != 0)
	{
		return NULL;
	}
	return format("%.*s%s", (int) (len - 4), run->log_path, suffix);
}

/* NAME= and the place of such a file, for the environment; to be freed. */
char *
report_entry(const Run *run, const char *name, const char *suffix)
{
	char	   *path = path_beside_log(run, suffix);
	char	   *entry = path != NULL ? format("%s=%s/%s", name, runner.spool, path) : NULL;

	free(path);
	return entry;
}

static void
look_after(Run *run, int64_t us)
{
	run->report_boot = now_boot() + us;
	timer_update(run);
}

/* ---- the file ---- */

/* How many there are of it. */
static int
files_of(const Run *run)
{
	return run->executor ? REPORT_FILES : REPORT_OF_COMMAND + 1;
}

/* -1 with errno: it cannot be opened; with 0: the run has none. */
static int
open_file(const Run *run, int file, int flags)
{
	char	   *path = path_beside_log(run, suffixes[file]);
	int			fd;

	errno = 0;
	fd = path != NULL ? spool_open(path, flags) : -1;
	free(path);
	return fd;
}

/* False when the file cannot be watched. */
static bool
watch_file(Run *run, int file, int fd)
{
	char		path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run->report_watches[file] = inotify_fd >= 0 ?
		inotify_add_watch(inotify_fd, path, IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB | IN_ONESHOT) : -1;
	return run->report_watches[file] >= 0;
}

/* Makes the files, which are not there yet when it is a new one.  False with errno: there are none; with 0: none are wanted. */
bool
report_create(Run *run, bool anew)
{
	for (int file = 0; file < files_of(run); file++)
	{
		int			fd = open_file(run, file, O_RDWR | O_CREAT | (anew ? O_EXCL : O_NONBLOCK));

		if (fd < 0)
		{
			return false;
		}
		if (!watch_file(run, file, fd))
		{
			look_after(run, NEXT_LOOK);
		}
		close(fd);
	}
	return true;
}

/* Adds a word of our own, behind what an executor's program has said. */
bool
report_note(const Run *run, JoschReportSide word)
{
	char	   *line = format("\n%s\n", josch_report_sides[word]);
	int			fd = open_file(run, REPORT_OF_EXECUTOR, O_WRONLY | O_APPEND | O_NONBLOCK);
	bool		ok = fd >= 0 && write_all(fd, line, strlen(line));

	if (fd >= 0)
	{
		close(fd);
	}
	free(line);
	return ok;
}

static void
remove_beside_log(const Run *run, const char *suffix)
{
	char	   *path = path_beside_log(run, suffix);

	if (path != NULL)
	{
		log_remove(path);
		free(path);
	}
}

/* With what an executor's program has kept beside it. */
void
report_remove(const Run *run)
{
	for (int file = 0; file < files_of(run); file++)
	{
		remove_beside_log(run, suffixes[file]);
	}
	if (run->executor)
	{
		remove_beside_log(run, JOSCH_EXECUTOR_STATE_SUFFIX);
	}
}

/* Whether it is a file still that may be read; -1 when it is not. */
static int
open_report(const Run *run, int file, struct stat *st)
{
	int			fd = open_file(run, file, O_RDONLY | O_NONBLOCK);

	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)))
	{
		close(fd);
		fd = -1;
	}
	return fd;
}

static uint64_t
hash_before(int fd, int64_t offset)
{
	char		bytes[REMEMBERED];
	int64_t		from = offset > REMEMBERED ? offset - REMEMBERED : 0;
	ssize_t		n = pread(fd, bytes, (size_t) (offset - from), from);

	return n < 0 ? 0 : hash_bytes(bytes, (size_t) n);
}

/* ---- its lines ---- */

static RunReport *
report_of(Run *run)
{
	if (run->report == NULL)
	{
		run->report = xcalloc(1, sizeof(RunReport));
		run->report->kept.results.grow = xrealloc;
	}
	return run->report;
}

/* Takes in the whole lines of a piece; how many bytes that were.  The last one may have no end. */
static size_t
take_lines(RunReport *report, ReportPlace *place, const char *data, size_t len, bool last)
{
	size_t		done = 0;

	while (done < len)
	{
		const char *line = data + done;
		const char *end = memchr(line, '\n', len - done);
		size_t		size = end != NULL ? (size_t) (end - line) : len - done;

		if (end == NULL && !last && size < JOSCH_REPORT_LINE_MAX)
		{
			break;
		}
		if (place->skipping || size > JOSCH_REPORT_LINE_MAX || (end == NULL && !last))
		{
			/* one that is too long says nothing */
			report->kept.not_read += size;
			place->skipping = end == NULL;
		}
		else
		{
			(void) josch_said_add(&report->kept, line, size);
		}
		report->changed = true;
		done += size + (end != NULL);
	}
	return done;
}

/* Reads what has come, up to so many bytes; false when there was nothing. */
static bool
read_on(Run *run, int file, int fd, int64_t most, bool last)
{
	static char piece[PIECE];
	RunReport  *report = report_of(run);
	ReportPlace *place = &report->places[file];
	int64_t		end = place->offset + most;
	int64_t		begun;
	ssize_t		n;
	size_t		done = 1;

	report->kept.executor = file == REPORT_OF_EXECUTOR;
	if (place->offset > 0 && hash_before(fd, place->offset) != place->before)
	{
		place->offset = 0;		/* it was written anew */
		place->skipping = false;
		end = most;
	}
	begun = place->offset;
	while (done > 0 && place->offset < end && (n = pread(fd, piece, sizeof(piece), place->offset)) > 0)
	{
		done = take_lines(report, place, piece, (size_t) n, last && (size_t) n < sizeof(piece));
		place->offset += (int64_t) done;
	}
	if (place->offset != begun)
	{
		place->before = hash_before(fd, place->offset);
	}
	return place->offset != begun;
}

/* ---- what is told ---- */

static void
append(JoschBuffer *out, const char *text)
{
	(void) josch_buffer_append(out, text, strlen(text));
}

static void
append_problem(JoschBuffer *out, uint64_t count, const char *what)
{
	char	   *text;

	if (count == 0)
	{
		return;
	}
	text = format("%s%llu %s", out->len > strlen(JOSCH_REPORT_PROBLEM) ? "; " : "", (unsigned long long) count, what);
	append(out, text);
	free(text);
}

/* What was not kept, as the last line. */
static void
append_problems(JoschBuffer *out, const JoschReport *kept)
{
	JoschBuffer line = {NULL, 0, 0, xrealloc};

	append(&line, JOSCH_REPORT_PROBLEM);
	append_problem(&line, kept->not_understood, "not understood");
	if (kept->not_understood > 0)
	{
		append(&line, ", the first: ");
		(void) josch_buffer_append(&line, kept->sample, kept->sample_len);
	}
	append_problem(&line, kept->too_many, "results too many, which were not kept");
	append_problem(&line, kept->too_long, "values cut, which were too long");
	append_problem(&line, kept->not_read, "bytes not read");
	if (line.len > strlen(JOSCH_REPORT_PROBLEM))
	{
		(void) josch_buffer_append(out, line.data, line.len);
		append(out, "\n");
	}
	free(line.data);
}

static void
append_results(JoschBuffer *out, const JoschReport *kept)
{
	const char *all = (const char *) kept->results.data;
	size_t		i = 0;

	while (i < kept->results.len)
	{
		const char *end = memchr(all + i, '\n', kept->results.len - i);
		size_t		len = (size_t) (end - (all + i)) + 1;

		append(out, "result ");
		(void) josch_buffer_append(out, all + i, len);
		i += len;
	}
}

static void
append_sides(JoschBuffer *out, const JoschReport *kept, bool executor)
{
	for (int i = 0; i < JOSCH_SIDE_TEXTS; i++)
	{
		/* of an executor's there is always one: that it waits no more is to be told, too */
		if (kept->sides[i].len > 0 || (i == JOSCH_SIDE_REASON && executor))
		{
			char	   *line = format("%s %.*s\n", josch_report_sides[i], (int) kept->sides[i].len, kept->sides[i].text);

			append(out, line);
			free(line);
		}
	}
}

/* What is kept, as lines in clean UTF-8; to be freed.  Without text: nothing is. */
static JoschSlice
condense(const Run *run)
{
	const RunReport *report = run->report;
	JoschBuffer out = {NULL, 0, 0, xrealloc};
	JoschSlice	clean = {NULL, 0};

	if (report == NULL)
	{
		return clean;
	}
	if (report->kept.has_progress)
	{
		char	   *text = format("progress %u.%06u %.*s\n", report->kept.progress / JOSCH_REPORT_WHOLE,
								  report->kept.progress % JOSCH_REPORT_WHOLE, (int) report->kept.text_len, report->kept.text);

		append(&out, text);
		free(text);
	}
	append_results(&out, &report->kept);
	append_sides(&out, &report->kept, run->executor);
	append_problems(&out, &report->kept);
	if (out.len > 0)
	{
		clean.data = utf8_clean((const char *) out.data, out.len, &clean.len);
	}
	free(out.data);
	return clean;
}

/* As a run shows it at present: the end's, or what is known by now.  To be freed. */
JoschSlice
report_text(const Run *run)
{
	if (run->phase == RUN_EXITED)
	{
		return josch_slice(run->end_report.len > 0 ? slice_dup(run->end_report) : NULL);
	}
	return condense(run);
}

static void
tell(Run *run)
{
	JoschSlice	text;

	if (run->report != NULL && run->report->changed)
	{
		run->report->changed = false;
		text = condense(run);
		if (text.len > 0)
		{
			tell_report(run, text);
		}
		free((void *) text.data);
	}
}

/* ---- when ---- */

/* Looks at a file; false when it is watched again. */
static bool
look_on(Run *run, int file)
{
	struct stat st;
	int			fd = open_report(run, file, &st);
	int64_t		size;
	bool		grown;

	if (fd < 0)
	{
		return false;			/* whatever was put in its place */
	}
	size = st.st_size;
	grown = read_on(run, file, fd, LOOK_MAX, false) || !watch_file(run, file, fd) || fstat(fd, &st) != 0 || st.st_size != size;
	close(fd);
	return grown;
}

/* It is time to look at the run's report. */
void
report_due(Run *run)
{
	bool		grown = false;

	for (int file = 0; file < files_of(run); file++)
	{
		grown |= look_on(run, file);
	}
	tell(run);
	if (grown)
	{
		look_after(run, NEXT_LOOK);
	}
}

/* Reads so many pieces of what a file says up to now. */
static void
look(Run *run, int file, int most)
{
	struct stat st;
	int			fd = open_report(run, file, &st);

	if (fd >= 0)
	{
		if (st.st_size > 0)
		{
			while (most-- > 0 && read_on(run, file, fd, LOOK_MAX, false))
			{
			}
			tell(run);
		}
		close(fd);
	}
}

/* What it says up to now is to be known before something else is told. */
void
report_look(Run *run)
{
	for (int file = 0; file < files_of(run); file++)
	{
		look(run, file, 1);
	}
}

/* All that an executor's program has said: what it said last decides. */
void
report_catch_up(Run *run)
{
	look(run, REPORT_OF_EXECUTOR, CATCH_UP);
}

/* What is to be known of it, said by us in its place. */
void
report_say(Run *run, const char *line)
{
	report_of(run)->kept.executor = true;
	(void) josch_said_add(&run->report->kept, line, strlen(line));
	run->report->changed = true;
	tell(run);
}

/* The run was started by a former program: its report is read from the beginning. */
void
report_resume(Run *run)
{
	look_after(run, 0);
}

static void
look_last(Run *run, int file)
{
	struct stat st;
	int			fd = open_report(run, file, &st);

	if (fd < 0)
	{
		return;
	}
	if (st.st_size > 0)
	{
		(void) read_on(run, file, fd, LAST_LOOK_MAX, true);
	}
	if (run->report != NULL && st.st_size > run->report->places[file].offset)
	{
		run->report->kept.not_read += (uint64_t) (st.st_size - run->report->places[file].offset);
	}
	close(fd);
}

/* The run has ended: what it has said is what it says. */
void
report_end(Run *run)
{
	for (int file = 0; file < files_of(run); file++)
	{
		look_last(run, file);
	}
	free((void *) run->end_report.data);
	run->end_report = condense(run);
	run_drop_report(run);
}

static void
look_at_watched(const struct inotify_event *event, void *argument __attribute__((unused)))
{
	if (event->mask & IN_IGNORED)
	{
		return;
	}
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			if ((run->report_watches[REPORT_OF_COMMAND] == event->wd || run->report_watches[REPORT_OF_EXECUTOR] == event->wd) && run->phase == RUN_LIVE)
			{
				look_after(run, FIRST_LOOK);
				return;
			}
		}
	}
}

/* Reports have been written to. */
void
report_changed(void)
{
	take_events(inotify_fd, look_at_watched, NULL);
}
