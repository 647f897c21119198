/*
 * src/runner/tell.c
 * 	  What schedulers are told.
 *
 * All connections of a run's owner hear of it.  Nothing is sent here: the words
 * are put in line, and go out at the end of the turn.
 */
#include "runner.h"

#include <stdlib.h>

/* The start of a command may wait so long for its end. */
#define START_WAITS (20 * MS)

static bool
hears(const Conn *conn, const Run *run)
{
	return conn->owner == run->owner && !conn->broken;
}

/* Most commands end soon, and schedulers write down both at once when they hear of both at once. */
void
tell_started_soon(Run *run)
{
	run->tell_boot = now_boot() + START_WAITS;
	timer_update(run);
}

/* What has not been told yet of its start, before anything else is told of it. */
void
tell_started(Run *run)
{
	JoschStarted m = {run->id, run->nonce, run->pid, run->started_at};
	Conn	   *conn;

	if (run->tell_boot == 0)
	{
		return;
	}
	run->tell_boot = 0;
	timer_update(run);
	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			josch_encode_started(&conn->out, &m);
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
tell_up(Run *run)
{
	JoschUp		m = {run->id, run->nonce, run->up_at};
	Conn	   *conn;

	tell_started(run);
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
tell_report(Run *run, JoschSlice text)
{
	JoschReported m = {run->id, run->nonce, text};
	Conn	   *conn;

	tell_started(run);
	for (conn = conn_first(); conn != NULL; conn = conn->next)
	{
		if (hears(conn, run))
		{
			josch_encode_reported(&conn->out, &m);
		}
	}
}

void
tell_exited(Run *run)
{
	JoschExited m = {run->id, run->nonce, run->end, run->end_report};
	Conn	   *conn;

	tell_started(run);
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
