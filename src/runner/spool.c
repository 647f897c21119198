/*
 * src/runner/spool.c
 *	  The spool: one runner in it, its socket, and what if it is taken away.
 *
 * The lock is on the folder itself, which nobody can remove and leave in place: so
 * there never are two runners for one spool, whatever is tidied away in it.  A
 * runner outlives its server, and so it may outlive its own folder.  inotify tells
 * of what is removed, so that there is nothing to poll.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define OTHER_TIMEOUT_MS 5000		/* longer than CHECK_AFTER: the other may have to make its socket anew */
#define OTHER_STEP_MS 20
#define CHECK_AFTER (3 * SECOND)	/* who removes the whole folder is not to be disturbed */

static int	inotify_fd = -1;
static int64_t check_boot;

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

/* True when the open folder is ours alone to write in: who can write there decides what is run. */
static bool
is_private(int dir)
{
	struct stat st;

	return fstat(dir, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 022) == 0;
}

/* Opens the spool, or ends the program. */
void
spool_enter(void)
{
	make_folders(runner.options.spool);
	runner.spool = realpath(runner.options.spool, NULL);
	runner.spool_dir = runner.spool ? open(runner.spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (runner.spool_dir < 0)
	{
		fprintf(stderr, "josch-runner: could not open directory \"%s\": %s\n",
				runner.options.spool, strerror(errno));
		exit(1);
	}
	if (!is_private(runner.spool_dir))
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

/* For people: kill $(cat runner.lock) */
static void
write_pid(void)
{
	char	   *text = format("%d\n", (int) getpid());
	int			fd = openat(runner.spool_dir, "runner.lock", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0 || !write_all(fd, text, strlen(text)))
	{
		log_line("could not write our process number into \"runner.lock\": %m");
	}
	if (fd >= 0)
	{
		close(fd);
	}
	free(text);
}

/* False when another folder, or none, bears its name now. */
bool
spool_is_ours(void)
{
	struct stat ours;
	struct stat there;

	return fstat(runner.spool_dir, &ours) == 0 && stat(runner.spool, &there) == 0 &&
		ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/*
 * One runner per spool.  When another holds the lock, see that it answers (it
 * may have begun just now) and leave to it; or take over when it goes.
 */
SpoolLock
spool_take_lock(void)
{
	for (int waited = 0; flock(runner.spool_dir, LOCK_EX | LOCK_NB) != 0; waited += OTHER_STEP_MS)
	{
		struct timespec step = {0, OTHER_STEP_MS * 1000000};

		if (errno != EWOULDBLOCK)
		{
			log_line("could not lock the spool: %m");
			return SPOOL_NOBODYS;
		}
		if (other_answers())
		{
			return SPOOL_OTHERS;
		}
		if (waited >= OTHER_TIMEOUT_MS)
		{
			log_line("another runner holds the spool, but does not answer");
			return SPOOL_NOBODYS;
		}
		nanosleep(&step, NULL);
	}
	if (!spool_is_ours())
	{
		log_line("the spool was removed while we took it");
		return SPOOL_NOBODYS;
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

static void
watch_folder(void)
{
	char	   *path = format("/proc/self/fd/%d", runner.spool_dir);

	if (inotify_fd < 0 || inotify_add_watch(inotify_fd, path, IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE |
											IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) < 0)
	{
		log_line("could not watch the spool: %m");
	}
	free(path);
}

/* A descriptor that becomes readable when something in the spool is taken out, replaced or written by others, or the spool itself is. */
int
spool_watch(void)
{
	inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watch_folder();
	if (runner.options.resume)
	{
		check_boot = now_boot();	/* what was taken out before we watched */
	}
	return inotify_fd;
}

/* One of the names that must be there; the spool itself; anything when events were lost. */
static bool
matters(const struct inotify_event *event)
{
	return event->len == 0 || strcmp(event->name, "runner.sock") == 0 ||
		strcmp(event->name, "runner.lock") == 0 || strcmp(event->name, "journal") == 0 ||
		strcmp(event->name, "journal.end") == 0;
}

static void
look_when_it_matters(const struct inotify_event *event, void *argument __attribute__((unused)))
{
	if (matters(event) && check_boot == 0)
	{
		check_boot = now_boot() + CHECK_AFTER;
	}
}

/* Something was taken out: notes when to look what is left. */
void
spool_changed(void)
{
	take_events(inotify_fd, look_when_it_matters, NULL);
}

/* 0: nothing to look at. */
int64_t
spool_check_due(void)
{
	return check_boot;
}

static bool
is_missing(const char *name)
{
	struct stat st;

	return fstatat(runner.spool_dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT;
}

/* The journal is there, and holds all that is known.  False: it is not, and cannot be written. */
static bool
restore_journal(void)
{
	if (journal_is_ours() && !is_missing("journal.end"))
	{
		return true;
	}
	log_line("the journal was removed, cut or replaced: made anew");
	return journal_rewrite();
}

static bool
restore_socket(void)
{
	if (!is_missing("runner.sock"))
	{
		return true;
	}
	log_line("\"runner.sock\" was removed: made anew");
	close(runner.listen_fd);
	if (!spool_listen())
	{
		return false;
	}
	poll_add(POLL_LISTEN, runner.listen_fd);
	return true;
}

/* Takes a folder of the spool's name for our own.  False when there is none to be had. */
static bool
move_in(void)
{
	struct stat former;
	int			dir;

	/* who was let pass there is let pass again */
	if (fstat(runner.spool_dir, &former) == 0 && mkdir(runner.spool, 0700) == 0)
	{
		chmod(runner.spool, former.st_mode & 07777);
	}
	dir = open(runner.spool, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0 && is_private(dir) && flock(dir, LOCK_EX | LOCK_NB) == 0)
	{
		dup3(dir, runner.spool_dir, O_CLOEXEC);
		close(dir);
		log_open();
		log_line("the spool was removed: made anew");
		watch_folder();
		return true;
	}
	if (dir >= 0)
	{
		close(dir);
	}
	return false;
}

/*
 * Another folder, or none, bears the spool's name.  Ours was moved: so have we.  It
 * was removed: make it anew, if there is something to keep, and nobody else has.
 * False: leave.  Whoever is connected has to find out anew whom he wants.
 */
static bool
follow_spool(void)
{
	char	   *link = format("/proc/self/fd/%d", runner.spool_dir);
	char	   *path = realpath(link, NULL);

	free(link);
	for (Conn *conn = conn_first(); conn != NULL; conn = conn->next)
	{
		conn_fail(conn, "the spool was moved or removed");
	}
	if (path == NULL)
	{
		return run_any() && move_in();
	}
	log_line("the spool is \"%s\" now", path);
	free(runner.spool);
	runner.spool = path;
	return true;
}

/* When it is time: sees what is left of the spool, and puts back what is ours. */
void
spool_check(void)
{
	if (check_boot == 0 || check_boot > now_boot())
	{
		return;
	}
	check_boot = 0;
	if (!spool_is_ours() && !follow_spool())
	{
		log_line("the spool was removed: leaving");
		runner.quit = true;
		return;
	}
	if (is_missing("runner.lock"))
	{
		write_pid();
	}
	if (!restore_journal() || !restore_socket())
	{
		check_boot = now_boot() + CHECK_AFTER;
	}
}

/* At the end: what lives must be found by the next one. */
void
spool_leave(void)
{
	if (spool_is_ours())
	{
		restore_journal();
		unlinkat(runner.spool_dir, "runner.sock", 0);
	}
}
