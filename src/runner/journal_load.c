/*
 * src/runner/journal_load.c
 *	  Reads the journal of former lives into the tables.
 *
 * Whatever the file holds, this must end with something to go on with: it
 * takes every record up to the first that is none, and tells how it went.  A
 * record cut short at the very end may be the trace of a killed runner: its write
 * had not been done, so what it would have said has not happened.  Whether it is,
 * and nothing else is missing, says the mark.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The whole file; NULL when there is none. */
static uint8_t *
read_file(size_t *len)
{
	int			fd = openat(runner.spool_dir, "journal", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	uint8_t    *data = NULL;
	ssize_t		n = 1;

	*len = 0;
	if (fd < 0)
	{
		return NULL;
	}
	if (fstat(fd, &st) == 0)
	{
		data = xrealloc(NULL, (size_t) st.st_size + 1);
		while (*len < (size_t) st.st_size && n > 0)
		{
			n = read(fd, data + *len, (size_t) st.st_size - *len);
			*len += n > 0 ? (size_t) n : 0;
		}
	}
	close(fd);
	return data;
}

/* FORGET, and SEEN, of whose runs none is there any more. */
static void
apply_forget(Owner *owner, JoschSlice keys)
{
	JoschForget forget = {.keys = keys};

	for (uint32_t i = 0; i < josch_forget_count(&forget); i++)
	{
		JoschRunKey key = josch_forget_key(&forget, i);
		Run		   *run = run_find(owner, key);

		if (run != NULL)
		{
			run_remove(run);
		}
		seen_add(&owner->forgotten, key);
	}
}

static void
take_text(char *text, size_t size, JoschSlice slice)
{
	char	   *copy = slice_dup(slice);

	snprintf(text, size, "%s", copy);
	free(copy);
}

static bool
is_text(JoschSlice slice, const char *text)
{
	return slice.len == strlen(text) && memcmp(slice.data, text, slice.len) == 0;
}

static void
apply_header(const JournalRecord *r, JournalFound *found)
{
	char	   *place = journal_place();

	take_text(found->ledger, sizeof(found->ledger), r->name);
	found->generation = r->generation;
	found->elsewhere = !is_text(r->place, place);
	runner.other_boot = !is_text(r->text, runner.boot_id);
	free(place);
}

static void
apply_life(const JournalRecord *r, JournalFound *found)
{
	take_text(found->incarnation, sizeof(found->incarnation), r->text);
	found->pid = r->pid;
	found->started_at = r->at;
	run_all_former();
}

static bool
apply_start(Owner *owner, const JoschStart *start)
{
	JoschRunKey key = {start->run_id, start->nonce};

	if (run_find(owner, key) != NULL)
	{
		return false;
	}
	run_set_request(run_add(owner, key), start);
	owner_raise(owner, key.run_id, key.run_id);
	return true;
}

static void
apply_exit(Run *run, const JoschExit *end, JoschSlice report)
{
	char	   *tail = slice_dup(end->tail);
	char	   *survivors = slice_dup(end->survivors);
	char	   *reason = slice_dup(end->reason);

	free((void *) run->end.tail.data);
	free((void *) run->end.survivors.data);
	free((void *) run->end.reason.data);
	run->end = *end;
	free((void *) run->end_report.data);
	run->end_report = (JoschSlice) {slice_dup(report), report.len};
	run->end.tail.data = tail;
	run->end.survivors.data = survivors;
	run->end.reason.data = reason;
	run->phase = RUN_EXITED;
	run->flags |= end->flags;
}

/* A record that speaks of one run.  False when there is no such run. */
static bool
apply_to_run(Run *run, const JournalRecord *r)
{
	if (run == NULL)
	{
		return false;
	}
	switch (r->type)
	{
		case JOURNAL_SPAWNED:
			run->phase = RUN_LIVE;
			run->pid = (pid_t) r->pid;
			run->started_at = r->at;
			run->started_boot = r->boot;
			run->start = r->process_start;
			break;
		case JOURNAL_UP:
			run->up_at = r->at;
			run->flags |= JOSCH_RUN_UP;
			break;
		case JOURNAL_STOPPING:
			run->flags |= r->format;
			run->kill_boot = r->boot;
			break;
		case JOURNAL_EXIT:
			apply_exit(run, &r->end, r->report);
			break;
	}
	return true;
}

/* False when the record contradicts the ones before it. */
static bool
apply(const JournalRecord *r, JournalFound *found)
{
	Owner	   *owner = owner_by_number(r->owner);

	switch ((JournalType) r->type)
	{
		case JOURNAL_HEADER:
			apply_header(r, found);
			return true;
		case JOURNAL_LIFE:
			apply_life(r, found);
			return true;
		case JOURNAL_OWNER:
			if (owner == NULL && r->owner != 0)
			{
				owner_add(r->owner, r->text, r->database, r->name, r->token);
				return true;
			}
			return false;
		case JOURNAL_SEEN:
		case JOURNAL_FORGET:
			if (owner == NULL)
			{
				return false;
			}
			if (r->type == JOURNAL_SEEN)
			{
				owner->forgotten.floor = r->id;
			}
			apply_forget(owner, r->keys);
			return true;
		case JOURNAL_HIGHEST:
			if (owner != NULL)
			{
				owner_raise(owner, r->id, r->given);
			}
			return owner != NULL;
		case JOURNAL_START:
			return owner != NULL && apply_start(owner, &r->start);
		case JOURNAL_SPAWNED:
		case JOURNAL_UP:
		case JOURNAL_STOPPING:
		case JOURNAL_EXIT:
			return owner != NULL && apply_to_run(run_find(owner, (JoschRunKey) {r->id, r->nonce}), r);
	}
	return false;
}

static bool
read_record(const JoschFrame *frame, JournalRecord *r)
{
	JoschCodec	c = {NULL, frame->body, frame->body_len, false};
	JoschCodec	tail = {NULL, NULL, 4, false};
	uint32_t	sum = 0;

	if (frame->body_len < 4)
	{
		return false;
	}
	tail.in = frame->body + frame->body_len - 4;
	josch_code_u32(&tail, &sum);
	if (sum != journal_checksum(frame->body - 1, frame->body_len - 3))
	{
		return false;
	}
	c.in_len -= 4;
	memset(r, 0, sizeof(*r));
	r->type = frame->type;
	journal_code(&c, r);
	return !c.failed;
}

/* Fills the tables, and *found.  Without a journal: nothing was found, nothing is broken. */
void
journal_load(JournalFound *found)
{
	size_t		len;
	size_t		done = 0;
	uint8_t    *data = read_file(&len);
	JoschFrame	frame;
	JournalRecord record;
	JoschFrameStatus status = JOSCH_FRAME_MORE;

	memset(found, 0, sizeof(*found));
	while (data != NULL &&
		   (status = josch_frame_next(data + done, len - done, &frame)) == JOSCH_FRAME_OK)
	{
		if (!read_record(&frame, &record) || (done == 0) != (record.type == JOURNAL_HEADER) ||
			!apply(&record, found))
		{
			status = JOSCH_FRAME_BROKEN;
			break;
		}
		done += frame.total;
	}
	if (data != NULL && done < len)
	{
		log_line("the last %zu bytes of the journal are no whole record", len - done);
	}
	found->broken = status == JOSCH_FRAME_BROKEN;
	found->size = done;
	found->intact = done > 0 && !found->broken && !runner.other_boot && !found->elsewhere && mark_agrees(found);
	free(data);
}
