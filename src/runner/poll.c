/*
 * src/runner/poll.c
 *	  What the process sleeps on: epoll.
 *
 * Whoever opens a descriptor says here what it is, and who turns the loop learns
 * here what has happened; so neither has to know of the other.
 */
#include "runner.h"

#include <sys/epoll.h>

static int	epoll_fd = -1;

/* Their addresses stand for what is neither a connection nor a run. */
static char marks[POLL_RUN];

/* Added to the address of a run. */
#define RUN_TAG 1

static void
control(int op, int fd, uint32_t events, void *mark)
{
	struct epoll_event event = {.events = events};

	event.data.ptr = mark;
	if (epoll_ctl(epoll_fd, op, fd, &event) != 0)
	{
		log_line("could not watch a descriptor: %m");
	}
}

void
poll_init(void)
{
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
}

/* Watches a descriptor that is no connection; the one that it replaces has been closed. */
void
poll_add(PollSource source, int fd)
{
	control(EPOLL_CTL_ADD, fd, EPOLLIN, &marks[source]);
}

void
poll_conn(Conn *conn)
{
	control(EPOLL_CTL_ADD, conn->fd, EPOLLIN, conn);
}

/* A run whose main process is no child of ours: its descriptor tells of its end. */
void
poll_run(Run *run)
{
	control(EPOLL_CTL_ADD, run->watch_fd, EPOLLIN, (char *) run + RUN_TAG);
}

/* The connection waits for its peer to read, or no longer. */
void
poll_change(Conn *conn)
{
	control(EPOLL_CTL_MOD, conn->fd, EPOLLIN | (conn->waits_writable ? EPOLLOUT : 0), conn);
}

/* Opens or shuts the door for new connections. */
void
poll_listen(bool on)
{
	control(EPOLL_CTL_MOD, runner.listen_fd, on ? EPOLLIN : 0, &marks[POLL_LISTEN]);
}

/* The lookout takes no more until it has read, or does again. */
void
poll_lookout(int fd, bool writable)
{
	control(EPOLL_CTL_MOD, fd, EPOLLIN | (writable ? EPOLLOUT : 0), &marks[POLL_LOOKOUT]);
}

/* How many of POLL_EVENTS events there are; sleeps until there is one, or does not. */
int
poll_wait(PollEvent *events, bool sleep)
{
	struct epoll_event found[POLL_EVENTS];
	int			n = epoll_wait(epoll_fd, found, POLL_EVENTS, sleep ? -1 : 0);
	int			count = 0;

	for (int i = 0; i < n; i++)
	{
		char	   *mark = found[i].data.ptr;
		PollEvent	event = {.source = POLL_CONN};

		if (mark >= marks && mark < marks + POLL_RUN)
		{
			event.source = (PollSource) (mark - marks);
		}
		else if ((uintptr_t) mark & RUN_TAG)
		{
			event = (PollEvent) {.source = POLL_RUN, .run = (Run *) (mark - RUN_TAG)};
		}
		else if (found[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		{
			event.conn = (Conn *) mark;
		}
		else
		{
			continue;			/* that a peer reads again is nothing to read: the end of each turn sends */
		}
		events[count++] = event;
	}
	return count;
}
