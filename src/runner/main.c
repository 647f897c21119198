/*
 * src/runner/main.c
 *	  josch-runner: starts commands, and remembers how they ended.
 *
 * It serves the schedulers of one server, and forgets an end when they say that it
 * is committed.  It outlives the server, and it is the parent of every command.  So
 * it must not depend on anything that can fail with the server: no library of
 * PostgreSQL, one thread, and no state that its journal cannot give back.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_TIMEOUT_MS 10000

#define REPORT_READY 'r'
#define REPORT_FAILED 'f'

static int	report_fd = -1;		/* of a daemon: tells the one who called */

/* Tells the caller of a daemon how it went; only the first word counts. */
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

	do
	{
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= 2);
	close_range(3, ~0U, 0);
	for (int i = 1; i < NSIG; i++)
	{
		sigaction(i, &action, NULL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
	{
		write_all(fd, "0", 1);	/* the server's own protection is not for us */
		close(fd);
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

/* Takes the spool, or leaves it to the runner that is there. */
static void
take_lock(void)
{
	switch (spool_take_lock())
	{
		case SPOOL_OURS:
			return;
		case SPOOL_OTHERS:
			report(REPORT_READY);
			exit(0);
		case SPOOL_NOBODYS:
			leave();
	}
}

/* Our own files are for us alone; what we were started with is for commands, unless an option says otherwise. */
static void
part_umasks(void)
{
	mode_t		given = umask(077);

	if (runner.options.umask < 0)
	{
		runner.options.umask = (int) given;
	}
}

/* Everything up to the socket. */
static void
begin(void)
{
	part_umasks();
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
		spool_enter();
		if (runner.options.daemon)
		{
			go_to_background();
		}
		log_open();
		take_lock();
	}
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* no room is an error like others */
	if (chdir("/") != 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
	{
		log_line("could not set up the process: %m");
	}
	if (!life_begin() && !runner.options.resume)
	{
		leave();
	}
	if (!runner.options.resume && !spool_listen())
	{
		leave();
	}
}

int
main(int argc, char **argv)
{
	options_parse(&runner.options, argc, argv);
	if (runner.options.lookout)
	{
		return lookout_main();
	}
	begin();
	spawn_init();
	loop_init();
	run_resume_all();
	run_finish_lost();
	report(REPORT_READY);
	log_line("runner %s is ready, incarnation %s", JOSCH_VERSION, runner.incarnation);
	loop_run();
	run_reap();					/* ends that are known need not become unknown */
	run_kill_draining();
	run_finish_lost();
	stop_sweep_sessions();
	journal_flush();
	replace_set_helpers(false);
	spool_leave();
	log_line("runner leaves; running commands go on");
	return 0;
}
