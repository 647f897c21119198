/*
 * src/runner/loop.c
 *	  The one loop: sockets, signals, one timer, in that order and nothing else.
 *
 * A turn first takes in what happened, then tells of it with one send per
 * connection.  Between turns the process sleeps in epoll_wait without a
 * time-out: idle, it is never woken.
 */
#include "runner.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

static int	signal_fd = -1;
static int	timer_fd = -1;
static int64_t armed;			/* what the timer is set to */

/* Signals become readable from a descriptor; each is blocked, so none is lost. */
void
loop_init(void)
{
	sigset_t	set;
	int			logs_fd;
	int			reports_fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_SETMASK, &set, NULL);
	poll_init();
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	poll_add(POLL_SIGNALS, signal_fd);
	poll_add(POLL_TIMER, timer_fd);
	poll_add(POLL_LISTEN, runner.listen_fd);
	poll_add(POLL_SPOOL, spool_watch());
	logs_fd = trim_init();
	if (logs_fd >= 0)
	{
		poll_add(POLL_LOGS, logs_fd);
	}
	reports_fd = report_init();
	if (reports_fd >= 0)
	{
		poll_add(POLL_REPORTS, reports_fd);
	}
}

static void
take_signals(void)
{
	struct signalfd_siginfo infos[4];	/* as many as can wait, each once */
	ssize_t		n = read(signal_fd, infos, sizeof(infos));
	bool		reap = false;

	for (ssize_t i = 0; i < n / (ssize_t) sizeof(infos[0]); i++)
	{
		switch (infos[i].ssi_signo)
		{
			case SIGCHLD:
				reap = true;
				break;
			case SIGHUP:
				free(runner.replace_by);
				runner.replace_by = xstrdup(runner.program);
				runner.replace_asker = NULL;
				break;
			default:
				runner.quit = true;
				break;
		}
	}
	if (reap)
	{
		run_reap();
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* One that is set to an earlier moment is left alone: most deadlines are given up before they come. */
static void
arm_timer(void)
{
	int64_t		next = earlier(spool_check_due(), earlier(timer_next(), relay_due()));
	struct itimerspec when = {{0, 0}, {0, 0}};

	if (next == 0 || (armed != 0 && armed <= next))
	{
		return;
	}
	when.it_value.tv_sec = next / SECOND;
	when.it_value.tv_nsec = next % SECOND * 1000;
	timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
	armed = next;
}

static void
take_timer(void)
{
	uint64_t	times;

	if (read(timer_fd, &times, sizeof(times)) == (ssize_t) sizeof(times))
	{
		armed = 0;
	}
}

static void
take_event(const PollEvent *event)
{
	switch (event->source)
	{
		case POLL_LISTEN:
			conn_accept();
			return;
		case POLL_SIGNALS:
			take_signals();
			return;
		case POLL_TIMER:
			take_timer();
			return;
		case POLL_SPOOL:
			spool_changed();
			return;
		case POLL_RUN:
			run_watched_ended(event->run);
			return;
		case POLL_LOGS:
			trim_changed();
			return;
		case POLL_REPORTS:
			report_changed();
			return;
		case POLL_LOOKOUT:
			relay_readable();
			return;
		case POLL_CONN:
			conn_readable(event->conn);
			return;
	}
}

/* Runs until SIGTERM, or until there is no spool and nothing to wait for. */
void
loop_run(void)
{
	PollEvent	events[POLL_EVENTS];
	bool		more = false;

	run_reap();					/* what ended while a former program replaced itself */
	journal_flush();
	while (!runner.quit)
	{
		int			n;

		arm_timer();
		n = poll_wait(events, !more);
		for (int i = 0; i < n; i++)
		{
			take_event(&events[i]);
		}
		due_fire(now_boot());
		spool_check();
		more = serve_all();
		run_finish_drained();
		run_finish_lost();
		stop_sweep_sessions();
		journal_flush();
		relay_flush();
		conn_flush_all();
		if (runner.replace_by != NULL && !run_any_draining())
		{
			replace_now();
		}
	}
}
