/*
 * src/runner/tell.c
 * 	  What schedulers are told.
 *
 * All connections of a run's owner hear of it.  Nothing is sent here: the words
 * are put in line, and go out at the end of the turn.
 */
#include "runner.h"

#include <stdlib.h>

static bool
hears(const Conn *conn, const Run *run)
{
	return conn->owner == run->owner && !conn->broken;
}

/* Most commands end soon, and most schedulers want to hear of both at once. */
void
tell_started(const Run *run)
{
	JoschStarted m = {run->id, run->nonce, run->pid, run->started_at};
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			bool		alone = conn->out.len == conn->held;

			josch_encode_started(&conn->out, &m);
			if (alone)
			{
				conn_hold(conn);
			}
		}
	}
}

void
tell_start_failed(const Run *run, bool passing)
{
	JoschStartFailed m = {run->id, run->nonce, run->end.value, run->end.tail, passing};
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			josch_encode_start_failed(&conn->out, &m);
		}
	}
}

void
tell_up(const Run *run)
{
	JoschUp		m = {run->id, run->nonce, run->up_at};
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			josch_encode_up(&conn->out, &m);
		}
	}
}

/* What it says of itself, so far. */
void
tell_report(const Run *run, JoschSlice text)
{
	JoschReported m = {run->id, run->nonce, text};
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			josch_encode_reported(&conn->out, &m);
		}
	}
}

void
tell_exited(const Run *run)
{
	JoschExited m = {run->id, run->nonce, run->end, run->end_report};
	Conn	   *conn;

	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			josch_encode_exited(&conn->out, &m);
		}
	}
}

void
tell_refused(Conn *conn, JoschRunKey key, JoschRefusal reason)
{
	JoschRefused m = {key.run_id, key.nonce, (uint8_t) reason, {NULL, 0}};
	char	   *text = format(reason == JOSCH_REFUSED_KNOWN ? "run %lld is known already" :
							  "run %lld has been known before", (long long) key.run_id);

	m.text = josch_slice(text);
	josch_encode_refused(&conn->out, &m);
	log_line("%s: refused to start: %s", conn->owner->name, text);
	free(text);
}
