/*
 * src/runner/journal.c
 *	  The journal: each start before it happens, each end before it is told.
 *
 * It has to survive the death of this process, not that of the machine (then
 * the commands are gone too, and the boot id in the header says so).  So a
 * record is written without fsync, and costs microseconds.  A process that was
 * just made is put on record with what comes next, at the end of the turn at the
 * latest: were it lost before, it would be found by its mark.  A record is a
 * frame of protocol.h whose last four bytes are a checksum, because after a
 * crash of the machine the file may hold anything, and success is never
 * guessed.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_FORMAT 3
#define COMPACT_MIN (256 * 1024)

static int	journal_fd = -1;
static size_t journal_size;
static size_t size_before_start;
static size_t size_after_rewrite;
static bool mark_is_behind;

/* Records that wait for the next write. */
static JoschBuffer waiting = {NULL, 0, 0, xrealloc};

/* While the journal is rewritten, records go here instead of the file. */
static JoschBuffer *sink;

/* The fields of each type of record, in order, for both directions. */
void
journal_code(JoschCodec *c, JournalRecord *r)
{
	switch ((JournalType) r->type)
	{
		case JOURNAL_HEADER:
			josch_code_u32(c, &r->format);
			josch_code_slice(c, &r->text);
			josch_code_slice(c, &r->name);
			josch_code_slice(c, &r->place);
			josch_code_u64(c, &r->generation);
			return;
		case JOURNAL_LIFE:
			josch_code_slice(c, &r->text);
			josch_code_i64(c, &r->pid);
			josch_code_i64(c, &r->at);
			return;
		case JOURNAL_OWNER:
			josch_code_u32(c, &r->owner);
			josch_code_slice(c, &r->text);
			josch_code_u32(c, &r->database);
			josch_code_slice(c, &r->name);
			josch_code_slice(c, &r->token);
			return;
		case JOURNAL_SEEN:
		case JOURNAL_FORGET:
			josch_code_u32(c, &r->owner);
			josch_code_i64(c, &r->id);
			josch_code_slice(c, &r->keys);
			return;
		case JOURNAL_HIGHEST:
			josch_code_u32(c, &r->owner);
			josch_code_i64(c, &r->id);
			josch_code_i64(c, &r->given);
			return;
		case JOURNAL_START:
			josch_code_u32(c, &r->owner);
			josch_code_start(c, &r->start);
			return;
		case JOURNAL_SPAWNED:
		case JOURNAL_UP:
		case JOURNAL_STOPPING:
			josch_code_u32(c, &r->owner);
			josch_code_i64(c, &r->id);
			josch_code_i64(c, &r->nonce);
			josch_code_u32(c, &r->format);
			josch_code_i64(c, &r->pid);
			josch_code_i64(c, &r->at);
			josch_code_i64(c, &r->boot);
			josch_code_i64(c, &r->process_start);
			return;
		case JOURNAL_EXIT:
			josch_code_u32(c, &r->owner);
			josch_code_i64(c, &r->id);
			josch_code_i64(c, &r->nonce);
			josch_code_exit(c, &r->end);
			josch_code_later_slice(c, &r->report);
			return;
	}
	c->failed = true;
}

uint32_t
journal_checksum(const uint8_t *data, size_t len)
{
	uint64_t	hash = hash_bytes(data, len);

	return (uint32_t) (hash ^ hash >> 32);
}

/* Appends the record's bytes.  False (errno): nothing was added. */
static bool
encode(JournalRecord *record, JoschBuffer *out)
{
	JoschCodec	c = {out, NULL, 0, false};
	size_t		start = josch_frame_begin(&c, record->type);
	uint32_t	sum;

	journal_code(&c, record);
	sum = journal_checksum(out->data + start + 4, out->len - start - 4);
	josch_code_u32(&c, &sum);
	if (!josch_frame_end(&c, start))
	{
		errno = EMSGSIZE;
		return false;
	}
	return true;
}

/* Writes what waits.  False (errno): nothing of it is in the file. */
static bool
write_waiting(void)
{
	if (!write_all(journal_fd, waiting.data, waiting.len))
	{
		int			saved = errno;

		if (ftruncate(journal_fd, (off_t) journal_size) != 0)
		{
			log_line("could not cut the journal back: %m");
		}
		errno = saved;
		return false;
	}
	journal_size += waiting.len;
	waiting.len = 0;
	mark_is_behind = true;
	return true;
}

/* Puts the record, and those that wait, in the file, or in the sink.  False (errno): it was not added. */
static bool
emit(JournalRecord *record)
{
	size_t		before = waiting.len;
	bool		ok;

	if (sink != NULL)
	{
		return encode(record, sink);
	}
	ok = encode(record, &waiting) && write_waiting();
	if (!ok)
	{
		waiting.len = before;
	}
	return ok;
}

/* The turn is over: all that is known is on record, and how much that is. */
void
journal_flush(void)
{
	if (waiting.len > 0 && !write_waiting())
	{
		log_line("could not record what was started: %m");
	}
	if (mark_is_behind)
	{
		mark_set(runner.generation, journal_size);
		mark_is_behind = false;
	}
}

/* Which folder this is: a copy of it is another one. */
char *
journal_place(void)
{
	struct stat st = {0};

	fstat(runner.spool_dir, &st);
	return format("%llx-%llx", (unsigned long long) st.st_dev, (unsigned long long) st.st_ino);
}

static bool
emit_header(void)
{
	JournalRecord r = {.type = JOURNAL_HEADER, .format = JOURNAL_FORMAT, .generation = runner.generation + 1};
	char	   *place = journal_place();
	bool		ok;

	r.text = josch_slice(runner.boot_id);
	r.name = josch_slice(runner.ledger);
	r.place = josch_slice(place);
	ok = emit(&r);
	free(place);
	return ok;
}

/* All runs that were started before this record are of former runners. */
static bool
emit_life(void)
{
	JournalRecord r = {.type = JOURNAL_LIFE};

	r.text = josch_slice(runner.incarnation);
	r.pid = getpid();
	r.at = runner.started_at;
	return emit(&r);
}

static bool
emit_owner(const Owner *owner)
{
	JournalRecord r = {.type = JOURNAL_OWNER, .owner = owner->number, .database = owner->database};

	r.text = josch_slice(owner->identity);
	r.name = josch_slice(owner->name);
	r.token = josch_slice(owner->token);
	return emit(&r);
}

/* An owner is put on record when there is something of its to say. */
static bool
ensure_owner(Owner *owner)
{
	if (sink == NULL && !owner->recorded)
	{
		owner->recorded = emit_owner(owner);
		return owner->recorded;
	}
	return true;
}

/* What a later runner needs: not argv, and env only where readiness is asked, or an executor attached to, with it. */
bool
journal_start(Run *run)
{
	static JoschBuffer env = {NULL, 0, 0, xrealloc};
	static JoschBuffer ready = {NULL, 0, 0, xrealloc};
	static JoschBuffer attach = {NULL, 0, 0, xrealloc};
	static JoschBuffer stop = {NULL, 0, 0, xrealloc};
	JournalRecord r = {.type = JOURNAL_START, .owner = run->owner->number};

	env.len = ready.len = attach.len = stop.len = 0;
	r.start.run_id = run->id;
	r.start.nonce = run->nonce;
	strings_pack(run->env, &env, &r.start.env);
	strings_pack(run->ready_argv, &ready, &r.start.ready_argv);
	strings_pack(run->attach_argv, &attach, &r.start.attach_argv);
	strings_pack(run->stop_argv, &stop, &r.start.stop_argv);
	r.start.cwd = josch_slice(run->cwd);
	r.start.log_path = josch_slice(run->log_path);
	r.start.timeout_ms = run->timeout_ms;
	r.start.grace_ms = run->grace_ms;
	r.start.ready_after_ms = run->ready_after_ms;
	r.start.log_limit = run->log_limit;
	r.start.flags = (run->flags & JOSCH_RUN_LONG_RUNNING ? JOSCH_START_LONG_RUNNING : 0) | (run->executor ? JOSCH_START_EXECUTOR : 0);
	if (!ensure_owner(run->owner))
	{
		return false;
	}
	size_before_start = journal_size + waiting.len;
	if (!emit(&r))
	{
		return false;
	}
	owner_raise(run->owner, run->id, run->id);
	return true;
}

/* Takes the START back that was written last: its process could not be started, and nothing of it is left. */
bool
journal_take_back(void)
{
	mark_set(runner.generation, size_before_start);	/* first: a journal that is behind its mark has lost something */
	if (ftruncate(journal_fd, (off_t) size_before_start) != 0)
	{
		return false;
	}
	journal_size = size_before_start;
	return true;
}

static JournalRecord
event_of(const Run *run, JournalType type, int64_t pid, int64_t at, int64_t boot, int64_t start)
{
	JournalRecord r = {.type = type, .owner = run->owner->number, .id = run->id, .nonce = run->nonce};

	r.format = run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT);
	r.pid = pid;
	r.at = at;
	r.boot = boot;
	r.process_start = start;
	return r;
}

void
journal_spawned(const Run *run)
{
	JournalRecord r = event_of(run, JOURNAL_SPAWNED, run->pid, run->started_at, run->started_boot, run->start);

	(void) encode(&r, sink != NULL ? sink : &waiting);
}

bool
journal_up(const Run *run)
{
	JournalRecord r = event_of(run, JOURNAL_UP, 0, run->up_at, 0, 0);

	return emit(&r);
}

bool
journal_stopping(const Run *run)
{
	JournalRecord r = event_of(run, JOURNAL_STOPPING, 0, 0, run->kill_boot, 0);

	return emit(&r);
}

bool
journal_exit(const Run *run)
{
	JournalRecord r = {.type = JOURNAL_EXIT, .owner = run->owner->number, .id = run->id, .nonce = run->nonce};

	r.end = run->end;
	r.report = run->end_report;
	return emit(&r);
}

/* Compacts the journal too, when it has grown to a multiple of what it has to hold. */
bool
journal_forget(Owner *owner, JoschSlice keys)
{
	JournalRecord r = {.type = JOURNAL_FORGET, .owner = owner->number};

	r.keys = keys;
	if (!ensure_owner(owner) || !emit(&r))
	{
		return false;
	}
	if (journal_size > COMPACT_MIN && journal_size > 3 * size_after_rewrite)
	{
		journal_rewrite();
	}
	return true;
}

static bool
emit_seen(const Owner *owner)
{
	static JoschBuffer keys = {NULL, 0, 0, xrealloc};
	JoschCodec	c = {&keys, NULL, 0, false};
	JournalRecord r = {.type = JOURNAL_SEEN, .owner = owner->number, .id = owner->forgotten.floor};

	keys.len = 0;
	for (int i = 0; i < owner->forgotten.count; i++)
	{
		josch_code_key(&c, &owner->forgotten.keys[i]);
	}
	r.keys.data = (const char *) keys.data;
	r.keys.len = (uint32_t) keys.len;
	return emit(&r);
}

static bool
emit_highest(const Owner *owner)
{
	JournalRecord r = {.type = JOURNAL_HIGHEST, .owner = owner->number, .id = owner->highest, .given = owner->given};

	return emit(&r);
}

/* What an owner says to have given, beyond what it gave to us. */
bool
journal_highest(Owner *owner)
{
	return ensure_owner(owner) && emit_highest(owner);
}

static bool
emit_run(Run *run)
{
	bool		ok = journal_start(run);

	if (run->pid != 0)
	{
		journal_spawned(run);
	}
	if (run->flags & JOSCH_RUN_UP)
	{
		ok = ok && journal_up(run);
	}
	if (run->phase == RUN_EXITED)
	{
		return ok && journal_exit(run);
	}
	if (run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT))
	{
		ok = ok && journal_stopping(run);
	}
	return ok;
}

static bool
emit_runs(bool former)
{
	Owner	   *owner;
	Run		   *run;
	bool		ok = true;

	for (owner = owner_first(); owner != NULL; owner = owner->next)
	{
		for (run = owner->first; run != NULL; run = run->next)
		{
			if (run->former == former)
			{
				ok = ok && emit_run(run);
			}
		}
	}
	return ok;
}

/* Everything that is known, as a new journal in memory. */
static bool
take_snapshot(JoschBuffer *out)
{
	Owner	   *owner;
	bool		ok;

	sink = out;
	ok = emit_header();
	for (owner = owner_first(); owner != NULL; owner = owner->next)
	{
		ok = ok && emit_owner(owner) && emit_seen(owner) && emit_highest(owner);
	}
	ok = ok && emit_runs(true) && emit_life() && emit_runs(false);
	sink = NULL;
	return ok;
}

/* Puts a journal of what is known now in the place of the old one.  False: the old one stays. */
bool
journal_rewrite(void)
{
	JoschBuffer content = {NULL, 0, 0, xrealloc};
	Owner	   *owner;
	int			fd = openat(runner.spool_dir, "journal.tmp",
							O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
	{
		log_line("could not create \"journal.tmp\": %m");
		return false;
	}
	if (!take_snapshot(&content) || !write_all(fd, content.data, content.len) ||
		renameat(runner.spool_dir, "journal.tmp", runner.spool_dir, "journal") != 0)
	{
		log_line("could not rewrite the journal: %m");
		unlinkat(runner.spool_dir, "journal.tmp", 0);
		close(fd);
		free(content.data);
		return false;
	}
	if (journal_fd >= 0)
	{
		close(journal_fd);
	}
	journal_fd = fd;
	runner.generation++;
	journal_size = size_after_rewrite = content.len;
	mark_open();
	mark_set(runner.generation, journal_size);
	mark_is_behind = false;
	waiting.len = 0;			/* all of it is there */
	free(content.data);
	for (owner = owner_first(); owner != NULL; owner = owner->next)
	{
		owner->recorded = true;
	}
	return true;
}

/* False when somebody removed the journal, put another one in its place, or cut it. */
bool
journal_is_ours(void)
{
	struct stat ours;
	struct stat there;

	return fstat(journal_fd, &ours) == 0 && fstatat(runner.spool_dir, "journal", &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_dev == there.st_dev && ours.st_ino == there.st_ino && ours.st_size == (off_t) journal_size;
}

/* Goes on with the journal as it is: whole, of this life, but the disk is full. */
bool
journal_append(void)
{
	Owner	   *owner;

	journal_fd = openat(runner.spool_dir, "journal", O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	journal_size = journal_fd >= 0 ? (size_t) lseek(journal_fd, 0, SEEK_END) : 0;
	mark_open();
	for (owner = owner_first(); owner != NULL; owner = owner->next)
	{
		owner->recorded = true;
	}
	return journal_fd >= 0;
}
