/*
 * src/runner/lookout.c
 *	  josch-runner --lookout: the process that looks for files.
 *
 * A loop of its own, since a look may hang for as long as a file server does: then those
 * who wait for files wait, and no command does.  It sleeps until something is told, or
 * until a file that has come has not changed for long enough.
 */
#include "lookout.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIPE 0
#define READ_SIZE (64 * 1024)
#define PATH_LIMIT 4000

static Watch *watches;
static JoschBuffer in = {.grow = xrealloc};

static void
let_go(Watch *watch)
{
	folder_leave(watch);
	free(watch->folder);
	free(watch->name);
	free(watch->sightings);
	free(watch);
}

static bool
take_watch(const JoschFrame *frame)
{
	JoschWatch	m;
	Watch	   *watch;

	if (!josch_decode_watch(frame, &m) || m.folder.len == 0 || m.folder.data[0] != '/' || m.folder.len > PATH_LIMIT ||
		m.name.len == 0 || m.name.len > PATH_LIMIT)
	{
		return false;
	}
	watch = xcalloc(1, sizeof(Watch));
	watch->number = m.number;
	watch->folder = slice_dup(m.folder);
	watch->name = slice_dup(m.name);
	watch->pattern = m.pattern != 0;
	watch->stable = (int64_t) m.stable_ms * MS;
	watch->interval = (int64_t) (m.interval_ms > 0 ? m.interval_ms : 1000) * MS;
	watch->wd = -1;
	watch->stale = true;
	watch->next = watches;
	watches = watch;
	return true;
}

static bool
take_unwatch(const JoschFrame *frame)
{
	JoschUnwatch m;

	if (!josch_decode_unwatch(frame, &m))
	{
		return false;
	}
	for (Watch **link = &watches; *link != NULL; link = &(*link)->next)
	{
		if ((*link)->number == m.number)
		{
			Watch	   *watch = *link;

			*link = watch->next;
			let_go(watch);
			break;
		}
	}
	return true;
}

/* False: the runner is gone, or does not speak as it should. */
static bool
take_input(void)
{
	ssize_t		n;
	size_t		done = 0;
	JoschFrame	frame;
	JoschFrameStatus status;

	josch_buffer_reserve(&in, READ_SIZE);
	n = read(PIPE, in.data + in.len, READ_SIZE);
	if (n <= 0)
	{
		return n < 0 && (errno == EINTR || errno == EAGAIN);
	}
	in.len += (size_t) n;
	while ((status = josch_frame_next(in.data + done, in.len - done, &frame)) == JOSCH_FRAME_OK)
	{
		if (!(frame.type == JOSCH_MSG_WATCH ? take_watch(&frame) : take_unwatch(&frame)))
		{
			return false;
		}
		done += frame.total;
	}
	josch_buffer_consume(&in, done);
	return status != JOSCH_FRAME_BROKEN;
}

/* Looks for those that are stale or due, and lets go of what is there. */
static void
look_around(void)
{
	int64_t		now = now_boot();

	for (Watch **link = &watches; *link != NULL;)
	{
		Watch	   *watch = *link;

		if (watch->stale || watch->due_boot <= now)
		{
			watch->stale = watch->hindered = false;
			folder_place(watch);
			if ((watch->there || watch->polls) && file_look(watch))
			{
				*link = watch->next;
				let_go(watch);
				continue;
			}
			if (watch->told != 0 && !watch->hindered)
			{
				lookout_tell(watch, JOSCH_LOOKED_WELL, NULL, NULL);
			}
		}
		link = &watch->next;
	}
}

/* Milliseconds until the next is due; -1: none is. */
static int
patience(void)
{
	int64_t		due = INT64_MAX;
	int64_t		left;

	for (Watch *watch = watches; watch != NULL; watch = watch->next)
	{
		due = watch->due_boot < due ? watch->due_boot : due;
	}
	if (due == INT64_MAX)
	{
		return -1;
	}
	left = (due - now_boot() + MS - 1) / MS;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int) left;
}

/* Ends when its input does. */
int
lookout_main(void)
{
	bool		goes_on = true;

	while (goes_on)
	{
		struct pollfd fds[2] = {{.fd = PIPE, .events = POLLIN}, {.fd = folder_fd(), .events = POLLIN}};

		if (poll(fds, 2, patience()) < 0 && errno != EINTR)
		{
			return 1;
		}
		if (fds[0].revents != 0)
		{
			goes_on = take_input();
		}
		folder_take_events(watches);
		look_around();
		goes_on = goes_on && lookout_send(PIPE);
	}
	return 0;
}
