/*
 * src/runner/main.c
 *
 * josch-runner: starts commands for the schedulers of one server, and
 * remembers how they ended until a scheduler says that it is committed.
 *
 * It outlives the server, and it is the parent of every command.  So it must
 * not depend on anything that can fail with the server: no library of
 * PostgreSQL, one thread, and no state that its journal cannot give back.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define START_TIMEOUT_MS 10000
#define OTHER_TIMEOUT_MS 3000
#define OTHER_STEP_MS 20

static int	report_fd = -1;		/* of a daemon: tells the one who called */

/* What the caller of a daemon is told. */
#define REPORT_READY 'r'
#define REPORT_FAILED 'f'

static void
report(char what)
{
	if (report_fd >= 0)
	{
		write_all(report_fd, &what, 1);
		close(report_fd);
		report_fd = -1;
	}
}

/*
 * Could not begin.  A daemon ends with 0, as always; the program that its
 * caller waits for ends with 1.
 */
static void
leave(void)
{
	report(REPORT_FAILED);
	exit(runner.options.daemon ? 0 : 1);
}

/* The descriptors 0, 1, 2 exist, and no other that somebody left open. */
static void
tidy_process(void)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t	none;
	int			fd;
	int			i;

	do
	{
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	close_range(3, ~0U, 0);
	for (i = 1; i < NSIG; i++)
	{
		sigaction(i, &action, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(077);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
	{
		write_all(fd, "0", 1);	/* the server's own protection is not for us */
		close(fd);
	}
}

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

/* Opens the spool.  It must be ours: who can write there decides what is run. */
static void
open_spool(void)
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

/*
 * One runner per spool.  When another holds the lock, see that it answers (it
 * may have begun just now) and leave to it; or take over when it goes.
 */
static void
take_lock(void)
{
	int			waited;

	runner.lock_fd = openat(runner.spool_dir, "runner.lock",
							O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (runner.lock_fd < 0)
	{
		log_line("could not open \"runner.lock\": %m");
		leave();
	}
	for (waited = 0; flock(runner.lock_fd, LOCK_EX | LOCK_NB) != 0; waited += OTHER_STEP_MS)
	{
		struct timespec step = {0, OTHER_STEP_MS * 1000000};

		if (other_answers())
		{
			report(REPORT_READY);
			exit(0);
		}
		if (waited >= OTHER_TIMEOUT_MS)
		{
			log_line("another runner holds \"runner.lock\", but does not answer");
			leave();
		}
		nanosleep(&step, NULL);
	}
}

/* With --server-user the socket's mode lets all in, and SO_PEERCRED decides. */
static void
open_socket(void)
{
	struct sockaddr_un address = socket_address();
	bool		others = runner.options.server_user_count > 0;

	runner.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlinkat(runner.spool_dir, "runner.sock", 0);
	if (runner.listen_fd < 0 ||
		bind(runner.listen_fd, (struct sockaddr *) &address, sizeof(address)) != 0 ||
		listen(runner.listen_fd, 128) != 0)
	{
		log_line("could not listen on \"%s/runner.sock\": %m", runner.spool);
		leave();
	}
	if (fchmodat(runner.spool_dir, "runner.sock", others ? 0666 : 0600, 0) != 0)
	{
		log_line("could not set the mode of \"runner.sock\": %m");
	}
}

/* Waits for the daemon's word. */
static int
wait_for_daemon(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char		word = REPORT_FAILED;

	if (poll(&poll_fd, 1, START_TIMEOUT_MS) == 1 && read(fd, &word, 1) == 1 && word == REPORT_READY)
	{
		return 0;
	}
	fprintf(stderr, "josch-runner: could not start, see \"%s/runner.log\"\n", runner.spool);
	return 1;
}

static void
go_to_background(void)
{
	int			fds[2];
	int			null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t		pid;

	if (null_fd < 0 || pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0)
	{
		fprintf(stderr, "josch-runner: could not go to the background: %s\n", strerror(errno));
		exit(1);
	}
	if (pid > 0)
	{
		close(fds[1]);
		exit(wait_for_daemon(fds[0]));
	}
	close(fds[0]);
	report_fd = fds[1];
	setsid();
	if (fork() != 0)
	{
		_exit(0);
	}
	dup2(null_fd, 0);
	dup2(null_fd, 1);
	dup2(null_fd, 2);
	close(null_fd);
}

/* Everything up to the socket. */
static void
begin(void)
{
	runner.program = realpath("/proc/self/exe", NULL);
	if (runner.options.resume)
	{
		replace_adopt();
		runner.spool = xstrdup(runner.options.spool);
		log_open();
	}
	else
	{
		tidy_process();
		open_spool();
		if (runner.options.daemon)
		{
			go_to_background();
		}
		log_open();
		take_lock();
	}
	signal(SIGPIPE, SIG_IGN);
	if (chdir("/") != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
	{
		log_line("could not set up the process: %m");
	}
	if (!journal_open() && !runner.options.resume)
	{
		leave();
	}
	if (!runner.options.resume)
	{
		open_socket();
	}
}

int
main(int argc, char **argv)
{
	options_parse(&runner.options, argc, argv);
	begin();
	spawn_init();
	loop_init();
	run_resume_all();
	report(REPORT_READY);
	log_line("runner %s is ready, incarnation %s", JOSCH_VERSION, runner.incarnation);
	loop_run();
	run_reap();					/* ends that are known need not become unknown */
	run_kill_draining();
	stop_sweep_sessions();
	replace_set_helpers(false);
	unlinkat(runner.spool_dir, "runner.sock", 0);
	log_line("runner leaves; running commands go on");
	return 0;
}
