/*
 * src/runner/process.c
 *	  Processes that are no children of ours: who they are, and whether they live.
 *
 * The number of a process may be given to another one.  Number and start time
 * together are given once a boot, no process can give them up, and no other can
 * come to have them.  Which processes belong to a run, in whatever session they
 * are, is told by a variable of their environment, which children inherit.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Descriptors that are left for what does not go on for long. */
#define SPARE_DESCRIPTORS 32

/* So much of an environment is searched. */
#define ENVIRONMENT_MAX (256 * 1024)

#define MARK "JOSCH_RUN="

static ssize_t
read_file(pid_t pid, const char *name, char *data, size_t size)
{
	char		path[64];
	size_t		len = 0;
	ssize_t		n = -1;
	int			fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && len < size && (n = read(fd, data + len, size - len)) > 0)
	{
		len += (size_t) n;
	}
	if (fd >= 0)
	{
		close(fd);
	}
	return n < 0 && len == 0 ? -1 : (ssize_t) len;
}

/*
 * False (errno) when it cannot be seen: ESRCH, there is no such process.  One whose
 * threads have all ended, and whom nobody has collected, is there.
 */
bool
process_look(pid_t pid, Process *process)
{
	char		text[1024];
	ssize_t		n = pid > 0 ? read_file(pid, "stat", text, sizeof(text) - 1) : -1;
	char	   *name;
	char	   *p;
	char		state = 0;
	int			group = 0;
	int			session = 0;
	int			threads = 0;
	long long	start = 0;

	if (n <= 0)
	{
		errno = n == 0 || pid <= 0 || errno == ENOENT ? ESRCH : errno;
		return false;
	}
	text[n] = '\0';
	name = strchr(text, '(');
	p = strrchr(text, ')');		/* the name may hold anything */
	if (name == NULL || p == NULL || p < name ||
		sscanf(p + 1, " %c %*d %d %d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %d %*d %lld",
			   &state, &group, &session, &threads, &start) != 5)
	{
		errno = EINVAL;
		return false;
	}
	process->pid = pid;
	process->group = (pid_t) group;
	process->session = (pid_t) session;
	process->start = start;
	process->ended = (state == 'Z' || state == 'X') && threads <= 1;
	process->stuck = state == 'D';
	snprintf(process->name, sizeof(process->name), "%.*s", (int) (p - name - 1), name + 1);
	return true;
}

/* True when the very process that bore the number at that start time has ended, for certain. */
bool
process_is_over(pid_t pid, int64_t start)
{
	Process		process;

	return process_look(pid, &process) ? process.start != start || process.ended : errno == ESRCH;
}

/* When it started, as microseconds of CLOCK_BOOTTIME; a little before it really did. */
int64_t
process_started_boot(int64_t start)
{
	return start * (SECOND / sysconf(_SC_CLK_TCK));
}

/*
 * The start time of a child that was made since `before` and has not been collected.  Where that
 * moment and this one lie in one tick of /proc, it is that one; unless /proc has been seen to
 * count otherwise.
 */
int64_t
process_start_of_child(pid_t pid, int64_t before)
{
	static bool counts_so;
	int64_t		tick = SECOND / sysconf(_SC_CLK_TCK);
	int64_t		start = before / tick;
	bool		known = start == now_boot() / tick;
	Process		process;

	if (known && counts_so)
	{
		return start;
	}
	if (!process_look(pid, &process))
	{
		return 0;
	}
	counts_so = known ? process.start == start : counts_so;
	return process.start;
}

/*
 * A descriptor that becomes readable when the process has ended.  -1: none is to
 * be had, or not without taking the last ones from all else.
 */
int
process_open(pid_t pid)
{
	int			fd = (int) syscall(SYS_pidfd_open, pid, 0);
	struct rlimit limit;

	if (fd >= 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t) fd + SPARE_DESCRIPTORS >= limit.rlim_cur)
	{
		close(fd);
		return -1;
	}
	return fd;
}

/* The variable that all processes of the run have, to be freed. */
char *
process_mark(const Run *run)
{
	return format(MARK "%lld-%016llx", (long long) run->id, (unsigned long long) run->nonce);
}

/* Whether the process belongs to a run, and to which; what belongs to another user does not tell. */
static bool
read_mark(pid_t pid, JoschRunKey *key)
{
	static char environment[ENVIRONMENT_MAX + 1];
	ssize_t		n = read_file(pid, "environ", environment, ENVIRONMENT_MAX);
	long long	run_id;
	unsigned long long nonce;

	if (n <= 0)
	{
		return false;
	}
	environment[n] = '\0';
	for (char *p = environment; p < environment + n; p += strlen(p) + 1)
	{
		if (strncmp(p, MARK, strlen(MARK)) == 0 && sscanf(p + strlen(MARK), "%lld-%16llx", &run_id, &nonce) == 2)
		{
			*key = (JoschRunKey) {run_id, (int64_t) nonce};
			return true;
		}
	}
	return false;
}

/* A process that lives.  With a key, also the run that it says to be of, {0, 0} where it says nothing. */
bool
process_read(pid_t pid, Process *process, JoschRunKey *key)
{
	if (!process_look(pid, process) || process->ended)
	{
		return false;
	}
	/* to read the memory of one that is stuck may take as long */
	if (key != NULL && (process->stuck || !read_mark(process->pid, key)))
	{
		*key = (JoschRunKey) {0, 0};
	}
	return true;
}

/* The next one.  False: there are no more, and the folder is closed. */
bool
process_next(DIR *proc, Process *process, JoschRunKey *key)
{
	struct dirent *entry;

	while (proc != NULL && (entry = readdir(proc)) != NULL)
	{
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && process_read((pid_t) atoi(entry->d_name), process, key))
		{
			return true;
		}
	}
	if (proc != NULL)
	{
		closedir(proc);
	}
	return false;
}
