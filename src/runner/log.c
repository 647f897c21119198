/*
 * src/runner/log.c
 *	  The runner's own log: runner.log in the spool.
 *
 * In the foreground it goes to stderr too, where a service manager picks it up.
 * Nobody may be there to read it for months, so it is cut at 10 MB and one former
 * file is kept.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_MAX (10 * 1024 * 1024)

static int	log_fd = -1;
static off_t log_size;

/* Opens (again) the log below the spool's folder. */
void
log_open(void)
{
	struct stat st;

	if (log_fd >= 0)
	{
		close(log_fd);
	}
	log_fd = openat(runner.spool_dir, "runner.log",
					O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	log_size = log_fd >= 0 && fstat(log_fd, &st) == 0 ? st.st_size : 0;
}

static void
rotate(void)
{
	if (renameat(runner.spool_dir, "runner.log", runner.spool_dir, "runner.log.1") == 0)
	{
		log_open();
	}
	else
	{
		log_size = 0;			/* try again after as much */
	}
}

/* Writes one line.  Leaves errno alone. */
void
log_line(const char *fmt,...)
{
	int			saved = errno;
	char		line[2048];
	time_t		now = time(NULL);
	struct tm	tm;
	size_t		head;
	int			n;
	va_list		args;

	localtime_r(&now, &tm);
	head = strftime(line, sizeof(line), "%Y-%m-%d %H:%M:%S %z ", &tm);
	head += (size_t) snprintf(line + head, sizeof(line) - head, "[%d] ", (int) getpid());
	va_start(args, fmt);
	errno = saved;
	n = vsnprintf(line + head, sizeof(line) - head - 1, fmt, args);
	va_end(args);
	head += n < 0 ? 0 : (size_t) n < sizeof(line) - head - 1 ? (size_t) n : sizeof(line) - head - 2;
	line[head++] = '\n';

	if (log_fd >= 0)
	{
		if (log_size > LOG_MAX)
		{
			rotate();
		}
		if (write_all(log_fd, line, head))
		{
			log_size += (off_t) head;
		}
	}
	if (!runner.options.daemon || log_fd < 0)
	{
		write_all(STDERR_FILENO, line, head);
	}
	errno = saved;
}
