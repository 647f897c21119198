/*
 * src/runner/spool.c
 *	  The spool: one runner in it, its socket, and what if it is taken away.
 *
 * A runner outlives its server, and so it may outlive its own folder, as when a
 * server is thrown away.  Then nobody can ever reach it again, and it has to leave
 * by itself; but when only its socket or its lock file was removed, by somebody who
 * tidied up, a second runner must not come to stand beside it.  inotify tells of
 * both, so that there is nothing to poll.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define OTHER_TIMEOUT_MS 3000
#define OTHER_STEP_MS 20
#define CHECK_AFTER (3 * SECOND)	/* who removes the whole folder is not to be disturbed */

static int	inotify_fd = -1;
static int64_t check_boot;
static bool gone;

static void
make_folders(const char *path)
{
	char	   *part = xstrdup(path);
	char	   *p;

	for (p = part + 1; *p != '\0'; p++)
	{
		if (*p == '/')
		{
			*p = '\0';
			mkdir(part, 0700);
			*p = '/';
		}
	}
	mkdir(part, 0700);
	free(part);
}

/* Opens the spool, or ends the program.  It must be ours: who can write there decides what is run. */
void
spool_enter(void)
{
	struct stat st;

	make_folders(runner.options.spool);
	runner.spool = realpath(runner.options.spool, NULL);
	runner.spool_dir = runner.spool ? open(runner.spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (runner.spool_dir < 0 || fstat(runner.spool_dir, &st) != 0)
	{
		fprintf(stderr, "josch-runner: could not open directory \"%s\": %s\n",
				runner.options.spool, strerror(errno));
		exit(1);
	}
	if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
	{
		fprintf(stderr, "josch-runner: directory \"%s\" must belong to the runner's user,"
				" and nobody else may write there\n", runner.spool);
		exit(1);
	}
}

static struct sockaddr_un
socket_address(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	/* the spool's own path may be longer than an address can be */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/runner.sock",
			 runner.spool_dir);
	return address;
}

static bool
other_answers(void)
{
	struct sockaddr_un address = socket_address();
	int			fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool		answers = connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0;

	close(fd);
	return answers;
}

/* The descriptor of the lock file, which may not be locked yet. */
static int
open_lock_file(void)
{
	return openat(runner.spool_dir, "runner.lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* For people: kill $(cat runner.lock) */
static void
write_pid(void)
{
	char	   *text = format("%d\n", (int) getpid());

	if (ftruncate(runner.lock_fd, 0) != 0 || !write_all(runner.lock_fd, text, strlen(text)))
	{
		log_line("could not write our process number into \"runner.lock\": %m");
	}
	free(text);
}

/*
 * One runner per spool.  When another holds the lock, see that it answers (it
 * may have begun just now) and leave to it; or take over when it goes.
 */
SpoolLock
spool_take_lock(void)
{
	int			waited;

	runner.lock_fd = open_lock_file();
	if (runner.lock_fd < 0)
	{
		log_line("could not open \"runner.lock\": %m");
		return SPOOL_NOBODYS;
	}
	for (waited = 0; flock(runner.lock_fd, LOCK_EX | LOCK_NB) != 0; waited += OTHER_STEP_MS)
	{
		struct timespec step = {0, OTHER_STEP_MS * 1000000};

		if (other_answers())
		{
			return SPOOL_OTHERS;
		}
		if (waited >= OTHER_TIMEOUT_MS)
		{
			log_line("another runner holds \"runner.lock\", but does not answer");
			return SPOOL_NOBODYS;
		}
		nanosleep(&step, NULL);
	}
	write_pid();
	return SPOOL_OURS;
}

/* Opens the door.  With --server-user the socket's mode lets all in, and SO_PEERCRED decides. */
bool
spool_listen(void)
{
	struct sockaddr_un address = socket_address();
	bool		others = runner.options.server_user_count > 0;

	runner.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlinkat(runner.spool_dir, "runner.sock", 0);
	if (runner.listen_fd < 0 ||
		bind(runner.listen_fd, (struct sockaddr *) &address, sizeof(address)) != 0 ||
		fchmodat(runner.spool_dir, "runner.sock", others ? 0666 : 0600, 0) != 0 ||
		listen(runner.listen_fd, 128) != 0)
	{
		log_line("could not listen on \"%s/runner.sock\": %m", runner.spool);
		return false;
	}
	return true;
}

/* A descriptor that becomes readable when something in the spool is taken out, replaced or written by others. */
int
spool_watch(void)
{
	char	   *path = format("/proc/self/fd/%d", runner.spool_dir);

	inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (inotify_fd < 0 ||
		inotify_add_watch(inotify_fd, path, IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR) < 0)
	{
		log_line("could not watch the spool: %m");
	}
	free(path);
	if (runner.options.resume)
	{
		check_boot = now_boot();	/* what was taken out before we watched */
	}
	return inotify_fd;
}

/* One of the names that must be there; anything when events were lost. */
static bool
matters(const struct inotify_event *event)
{
	return event->len == 0 || strcmp(event->name, "runner.sock") == 0 ||
		strcmp(event->name, "runner.lock") == 0 || strcmp(event->name, "journal") == 0 ||
		strcmp(event->name, "journal.end") == 0;
}

/* Something was taken out: notes when to look what is left. */
void
spool_changed(void)
{
	char		buffer[8192] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t		n;

	while ((n = read(inotify_fd, buffer, sizeof(buffer))) > 0)
	{
		char	   *p = buffer;

		while (p < buffer + n)
		{
			const struct inotify_event *event = (const struct inotify_event *) p;

			if (matters(event) && check_boot == 0 && !gone)
			{
				check_boot = now_boot() + CHECK_AFTER;
			}
			p += sizeof(struct inotify_event) + event->len;
		}
	}
}

/* 0: nothing to look at. */
int64_t
spool_check_due(void)
{
	return check_boot;
}

bool
spool_is_gone(void)
{
	return gone;
}

/* False when another runner has taken our place. */
static bool
restore_lock(void)
{
	struct stat ours;
	struct stat there;
	int			fd;

	if (fstat(runner.lock_fd, &ours) == 0 &&
		fstatat(runner.spool_dir, "runner.lock", &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_ino == there.st_ino)
	{
		return true;
	}
	fd = open_lock_file();
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
	{
		log_line("\"runner.lock\" was removed, and belongs to another runner now: leaving to it");
		return false;
	}
	log_line("\"runner.lock\" was removed: made anew");
	close(runner.lock_fd);
	runner.lock_fd = fd;
	write_pid();
	return true;
}

static bool
is_missing(const char *name)
{
	struct stat st;

	return fstatat(runner.spool_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

/* When it is time: sees what is left of the spool, and puts back what is ours. */
void
spool_check(void)
{
	struct stat st;

	if (check_boot == 0 || check_boot > now_boot())
	{
		return;
	}
	check_boot = 0;
	gone = fstat(runner.spool_dir, &st) != 0 || st.st_nlink == 0;
	if (gone)
	{
		return;
	}
	if (!restore_lock())
	{
		runner.quit = runner.displaced = true;
		return;
	}
	if (!journal_is_ours() || is_missing("journal.end"))
	{
		log_line("the journal was removed, cut or replaced: made anew");
		if (!journal_rewrite())
		{
			check_boot = now_boot() + CHECK_AFTER;
		}
	}
	if (is_missing("runner.sock"))
	{
		log_line("\"runner.sock\" was removed: made anew");
		close(runner.listen_fd);
		if (spool_listen())
		{
			poll_add(POLL_LISTEN, runner.listen_fd);
		}
		else
		{
			check_boot = now_boot() + CHECK_AFTER;
		}
	}
}
