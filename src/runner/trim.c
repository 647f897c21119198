/*
 * src/runner/trim.c
 *	  Logs of runs that have a limit: what is printed beyond it is given back.
 *
 * Commands write to their log themselves, at its end, and no byte goes through
 * this process.  So a log that has grown too large loses its middle where it
 * lies: the blocks between its first and its last half are taken out, and every
 * byte that is left keeps its place, for those who write and those who read.  A
 * line at the end of the first half says so.  On file systems that cannot do that,
 * all behind the first half is cut off, as often as needed.
 *
 * A log that does not grow wakes nobody: it is watched until it is written to
 * again.  One that grows is looked at by the clock.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LOOK (500 * MS)
#define SLOW_LOOK (1000 * MS)
#define FAST_LOOK (50 * MS)

/* A hole begins and ends where a block of any usual file system does. */
#define BLOCK 4096

static const char mark[] = "\n[josch.max_log_size: what was printed here has not been kept]\n";

static int	inotify_fd = -1;

/* The descriptor that becomes readable when a log grows that had not; -1: there is none. */
int
trim_init(void)
{
	inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inotify_fd < 0)
	{
		log_line("could not watch logs, and looks at them by the clock: %m");
	}
	return inotify_fd;
}

static void
look_after(Run *run, int64_t us)
{
	run->trim_boot = now_boot() + us;
	timer_update(run);
}

/* From now on the run's log is kept within its limit. */
void
trim_begin(Run *run)
{
	if (run->log_limit > 0)
	{
		look_after(run, FIRST_LOOK);
	}
}

static int64_t
first_half(const Run *run)
{
	int64_t		half = (int64_t) (run->log_limit / 2);

	return half < BLOCK ? BLOCK : half - half % BLOCK;
}

/* The mark takes the place of the last bytes of the first half. */
static void
write_mark(int fd, int64_t end)
{
	ssize_t		len = (ssize_t) strlen(mark);

	if (pwrite(fd, mark, (size_t) len, end - len) != len)
	{
		log_line("could not mark where a log has lost its middle: %m");
	}
}

/* Takes the middle out of a log of that size, if it is too large.  The descriptor does not append. */
static void
cut(Run *run, int fd, int64_t size)
{
	int64_t		start = first_half(run);
	int64_t		end = size - start;

	end -= end % BLOCK;
	if (size <= (int64_t) run->log_limit || end <= start || end <= run->hole_end)
	{
		return;
	}
	if (run->hole_end == 0)
	{
		write_mark(fd, start);
	}
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, end - start) == 0)
	{
		run->hole_end = end;
	}
	else if (ftruncate(fd, start) != 0)
	{
		log_line("could not shorten the log of run %lld: %m", (long long) run->id);
	}
}

/* The log, to be changed anywhere; -1 when it cannot be had. */
static int
open_log(const Run *run, struct stat *st)
{
	int			fd = spool_path_allowed(run->log_path) ? spool_open(run->log_path, O_WRONLY | O_NONBLOCK) : -1;

	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode)))
	{
		close(fd);
		fd = -1;
	}
	return fd;
}

/* Notices when the file is written to; false when that cannot be. */
static bool
watch_file(Run *run, int fd)
{
	char		path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	run->log_watch = inotify_fd >= 0 ? inotify_add_watch(inotify_fd, path, IN_MODIFY | IN_ONESHOT) : -1;
	return run->log_watch >= 0;
}

/* It is time to look at the run's log. */
void
trim_due(Run *run)
{
	struct stat st;
	int64_t		grown;
	int			fd = open_log(run, &st);

	if (fd < 0)
	{
		look_after(run, SLOW_LOOK);	/* nothing to be done about it now, perhaps later */
		return;
	}
	grown = st.st_size - run->log_size;
	run->log_size = st.st_size;
	cut(run, fd, st.st_size);
	if (grown == 0 && watch_file(run, fd) && fstat(fd, &st) == 0 && st.st_size == run->log_size)
	{
		close(fd);
		return;
	}
	close(fd);
	look_after(run, grown > (int64_t) run->log_limit / 16 ? FAST_LOOK : SLOW_LOOK);
}

/* The run has ended, with a log of that size: for the last time. */
void
trim_end(Run *run, int64_t size)
{
	struct stat st;
	int			fd = run->log_limit > 0 && size > (int64_t) run->log_limit ? open_log(run, &st) : -1;

	if (fd >= 0)
	{
		cut(run, fd, st.st_size);
		close(fd);
	}
}

static void
look_at_watched(const struct inotify_event *event, void *argument __attribute__((unused)))
{
	if (!(event->mask & IN_MODIFY))
	{
		return;
	}
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			if (run->log_watch == event->wd && run->phase == RUN_LIVE)
			{
				look_after(run, FAST_LOOK);
				return;
			}
		}
	}
}

/* Logs have been written to. */
void
trim_changed(void)
{
	take_events(inotify_fd, look_at_watched, NULL);
}

/* What may be read from the offset: it is moved on to what was kept, and the piece ends where that does. */
size_t
trim_piece(int fd, int64_t *offset, size_t most)
{
	off_t		data = lseek(fd, *offset, SEEK_DATA);
	off_t		hole = data >= 0 ? lseek(fd, data, SEEK_HOLE) : -1;

	if (data < 0 || hole < 0)
	{
		return most;			/* behind the end, or the file system does not tell */
	}
	*offset = data;
	return (size_t) (hole - data) < most ? (size_t) (hole - data) : most;
}
