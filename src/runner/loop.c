/*
 * src/runner/loop.c
 *
 * The one loop: sockets, signals, one timer, in that order and nothing else.
 *
 * A turn first takes in what happened, then tells of it with one send per
 * connection.  Between turns the process sleeps in epoll_wait without a
 * time-out: idle, it is never woken.
 */
#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define EVENTS_A_TURN 64

static int	epoll_fd = -1;
static int	signal_fd = -1;
static int	timer_fd = -1;
static int64_t armed;			/* what the timer is set to */

/* Addresses that stand for what is no connection. */
static char listen_mark;
static char signal_mark;
static char timer_mark;
static char spool_mark;

static void
watch_fd(int op, int fd, uint32_t events, void *mark)
{
	struct epoll_event event = {.events = events};

	event.data.ptr = mark;
	if (epoll_ctl(epoll_fd, op, fd, &event) != 0)
	{
		log_line("could not watch a descriptor: %m");
	}
}

/* Signals become readable from a descriptor; each is blocked, so none is lost. */
void
loop_init(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_SETMASK, &set, NULL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	watch_fd(EPOLL_CTL_ADD, signal_fd, EPOLLIN, &signal_mark);
	watch_fd(EPOLL_CTL_ADD, timer_fd, EPOLLIN, &timer_mark);
	watch_fd(EPOLL_CTL_ADD, runner.listen_fd, EPOLLIN, &listen_mark);
	watch_fd(EPOLL_CTL_ADD, spool_watch(), EPOLLIN, &spool_mark);
}

void
loop_add(Conn *conn)
{
	watch_fd(EPOLL_CTL_ADD, conn->fd, EPOLLIN, conn);
}

void
loop_change(Conn *conn)
{
	watch_fd(EPOLL_CTL_MOD, conn->fd, EPOLLIN | (conn->waits_writable ? EPOLLOUT : 0), conn);
}

/* Opens or shuts the door for new connections. */
void
loop_listen(bool on)
{
	watch_fd(EPOLL_CTL_MOD, runner.listen_fd, on ? EPOLLIN : 0, &listen_mark);
}

/* The listening socket is another one; the old one has been closed. */
void
loop_listen_anew(void)
{
	watch_fd(EPOLL_CTL_ADD, runner.listen_fd, EPOLLIN, &listen_mark);
}

static void
take_signals(void)
{
	struct signalfd_siginfo info;
	bool		reap = false;

	while (read(signal_fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
	{
		switch (info.ssi_signo)
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

static void
arm_timer(void)
{
	int64_t		check = spool_check_due();
	int64_t		runs = timer_next();
	int64_t		next = check == 0 || (runs != 0 && runs < check) ? runs : check;
	struct itimerspec when = {{0, 0}, {0, 0}};

	if (next == armed)
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
take_event(const struct epoll_event *event)
{
	if (event->data.ptr == &listen_mark)
	{
		conn_accept();
	}
	else if (event->data.ptr == &signal_mark)
	{
		take_signals();
	}
	else if (event->data.ptr == &timer_mark)
	{
		take_timer();
	}
	else if (event->data.ptr == &spool_mark)
	{
		spool_changed();
	}
	else if (event->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
	{
		conn_readable(event->data.ptr);
	}
}

/* Runs until SIGTERM, or until there is no spool and nothing to wait for. */
void
loop_run(void)
{
	struct epoll_event events[EVENTS_A_TURN];
	bool		more = false;

	run_reap();					/* what ended while a former program replaced itself */
	while (!runner.quit)
	{
		int			n;
		int			i;

		arm_timer();
		n = epoll_wait(epoll_fd, events, EVENTS_A_TURN, more ? 0 : -1);
		for (i = 0; i < n; i++)
		{
			take_event(&events[i]);
		}
		timer_fire(now_boot());
		spool_check();
		more = conn_work_all();
		stop_sweep_sessions();
		conn_flush_all();
		if (runner.replace_by != NULL && !run_any_draining())
		{
			replace_now();
		}
		if (spool_is_gone() && !run_any_live())
		{
			log_line("the spool has been removed, and no command runs");
			runner.quit = true;
		}
	}
}
