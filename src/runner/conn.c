/*
 * src/runner/conn.c
 *	  Connections: who may come in, bytes in, bytes out.
 *
 * Nothing here ever waits for a peer.  What it does not read is kept for it up
 * to a limit, and beyond that the connection ends: all that matters is kept
 * until FORGET, and LIST tells it again.
 */
#include "runner.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CONNECTIONS 256
#define READ_SIZE (64 * 1024)
#define OUT_MAX (64 * 1024 * 1024)

static Conn *conns;
static int	conn_count;
static bool listening = true;

Conn *
conn_first(void)
{
	return conns;
}

/* Only our own user, and who was named on the command line. */
static bool
peer_allowed(uid_t uid)
{
	for (int i = 0; i < runner.options.server_user_count; i++)
	{
		if (runner.options.server_users[i] == uid)
		{
			return true;
		}
	}
	return uid == geteuid();
}

static void
listen_again(bool on)
{
	if (listening != on)
	{
		listening = on;
		poll_listen(on);
	}
}

static void
welcome_peer(int fd)
{
	struct ucred peer;
	socklen_t	len = sizeof(peer);
	Conn	   *conn;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 || !peer_allowed(peer.uid))
	{
		log_line("refused a connection of user %d (process %d)", (int) peer.uid, (int) peer.pid);
		close(fd);
		return;
	}
	conn = xcalloc(1, sizeof(Conn));
	conn->fd = fd;
	conn->in.grow = conn->out.grow = xrealloc;
	conn->next = conns;
	conns = conn;
	conn_count++;
	poll_conn(conn);
}

/* Takes in all who wait at the door. */
void
conn_accept(void)
{
	while (conn_count < MAX_CONNECTIONS)
	{
		int			fd = accept4(runner.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
		{
			welcome_peer(fd);
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
		{
			return;
		}
		if (errno != EINTR && errno != ECONNABORTED)
		{
			/* the machine is short of something: slow down, the door stays open */
			log_line("could not accept a connection: %m");
			poll(NULL, 0, 10);
			return;
		}
	}
	listen_again(false);		/* until one of them has left */
}

/* Ends the connection at the end of this turn. */
void
conn_fail(Conn *conn, const char *why)
{
	if (!conn->broken && why != NULL)
	{
		log_line("connection of %s ended: %s", conn->owner ? conn->owner->name : "nobody", why);
	}
	conn->broken = true;
}

/* Tells the peer of a mistake. */
void
conn_error(Conn *conn, const char *text)
{
	JoschError	m;

	m.text = josch_slice(text);
	log_line("%s: %s", conn->owner ? conn->owner->name : "nobody", text);
	josch_encode_error(&conn->out, &m);
}

void
conn_readable(Conn *conn)
{
	ssize_t		n;

	if (conn->broken || conn->unread)
	{
		return;
	}
	josch_buffer_reserve(&conn->in, READ_SIZE);
	n = recv(conn->fd, conn->in.data + conn->in.len, READ_SIZE, MSG_DONTWAIT);
	if (n > 0)
	{
		conn->in.len += (size_t) n;
	}
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
	{
		conn_fail(conn, NULL);
	}
}

/* Sends what the peer takes; to one whose connection is ending, the last words. */
static void
flush(Conn *conn)
{
	size_t		sent = 0;
	bool		waits;

	while (sent < conn->out.len)
	{
		ssize_t		n = send(conn->fd, conn->out.data + sent, conn->out.len - sent,
							 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
		{
			sent += (size_t) n;
		}
		else if (errno == EAGAIN)
		{
			break;
		}
		else if (errno != EINTR)
		{
			conn_fail(conn, strerror(errno));
			break;
		}
	}
	josch_buffer_consume(&conn->out, sent);
	if (conn->out.len > OUT_MAX)
	{
		conn_fail(conn, "it does not read what it is sent");
	}
	waits = conn->out.len > 0;
	if (waits != conn->waits_writable && !conn->broken)
	{
		conn->waits_writable = waits;
		poll_change(conn);
	}
}

static void
free_conn(Conn *conn)
{
	if (runner.replace_asker == conn)
	{
		runner.replace_asker = NULL;
	}
	relay_forget(conn);
	close(conn->fd);
	free(conn->in.data);
	free(conn->out.data);
	free(conn);
	conn_count--;
	listen_again(true);
}

/* Sends what the peers take, and lets go of broken connections. */
void
conn_flush_all(void)
{
	Conn	  **link = &conns;

	while (*link != NULL)
	{
		Conn	   *conn = *link;

		flush(conn);
		if (conn->broken)
		{
			*link = conn->next;
			free_conn(conn);
		}
		else
		{
			link = &conn->next;
		}
	}
}

/* The run is about to be freed: no answer to LIST may stop at it. */
void
conn_forget_run(const Run *run)
{
	Conn	   *conn;

	for (conn = conns; conn != NULL; conn = conn->next)
	{
		if (conn->list_next == run)
		{
			conn->list_next = run->next;
		}
	}
}
