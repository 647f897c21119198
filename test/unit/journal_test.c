/*
 * test/unit/journal_test.c
 *	  What a life of the runner leaves to the next: all that was written, and nothing else.
 *
 * What is known is told as text, and compared with what another process reads
 * out of the file.
 */
#include "unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_RECORDS 100
#define COMPACT_MIN (256 * 1024) /* of journal.c */

static JournalFound found;

/* ---- all that is known, as text ---- */

static JoschBuffer text = {NULL, 0, 0, xrealloc};

static void __attribute__((format(printf, 1, 2)))
say(const char *fmt,...)
{
	va_list		args;
	char	   *line;

	va_start(args, fmt);
	if (vasprintf(&line, fmt, args) >= 0)
	{
		josch_buffer_append(&text, line, strlen(line));
		free(line);
	}
	va_end(args);
}

static void
say_list(const char *name, char *const *items)
{
	say(" %s:", name);
	for (; items != NULL && *items != NULL; items++)
	{
		say(" [%s]", *items);
	}
}

/* The deadline of a run that has ended, and that it was watched, matter to nobody. */
static void
say_run(const Run *run, bool lives)
{
	bool		over = run->phase == RUN_EXITED;

	say("  run %lld phase %d flags %u pid %d started %lld/%lld up %lld kill %lld%s\n", (long long) run->id, (int) run->phase,
		run->flags & ~(uint32_t) JOSCH_RUN_WATCHED, (int) run->pid, (long long) run->started_at, (long long) run->started_boot,
		(long long) run->up_at, over ? 0LL : (long long) run->kill_boot, lives && run->former ? " former" : "");
	say("    log %s cwd %s timeout %llu grace %llu after %llu", run->log_path, run->cwd ? run->cwd : "",
		(unsigned long long) run->timeout_ms, (unsigned long long) run->grace_ms, (unsigned long long) run->ready_after_ms);
	say_list("env", run->env);
	say_list("ready", run->ready_argv);
	say("\n    end %d %u %lld %llu %llu %llu %u %.*s\n", run->end.kind, run->end.value, (long long) run->end.ended_at,
		(unsigned long long) run->end.cpu_user_us, (unsigned long long) run->end.cpu_sys_us,
		(unsigned long long) run->end.maxrss_kb, run->end.flags, (int) run->end.tail.len, run->end.tail.data);
}

/* With `lives`, also which runs are of a former life. */
static void
say_all(bool lives)
{
	text.len = 0;
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		say("owner %u %s %u %s floor %lld", owner->number, owner->identity, owner->database, owner->name, (long long) owner->forgotten.floor);
		for (int i = 0; i < owner->forgotten.count; i++)
		{
			say(" %lld-%lld", (long long) owner->forgotten.ranges[i].first, (long long) owner->forgotten.ranges[i].last);
		}
		say("\n");
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			say_run(run, lives);
		}
	}
	josch_buffer_append(&text, "", 1);
}

static void
remember(const char *file, bool lives)
{
	say_all(lives);
	unit_write(file, text.data, text.len);
}

/* True when what is known now is what the file says. */
static bool
is_as_in(const char *file, bool lives)
{
	size_t		len;
	uint8_t    *want = unit_read(file, &len);
	bool		same;

	say_all(lives);
	same = len == text.len && memcmp(want, text.data, len) == 0;
	if (!same)
	{
		fprintf(stderr, "---- wanted\n%s---- got\n%s", (char *) want, (char *) text.data);
	}
	free(want);
	return same;
}

/* ---- a life ---- */

static Run *
start(Owner *owner, int64_t id, const JoschStart *start)
{
	Run		   *run = run_add(owner, id);
	JoschStart	plain = {.timeout_ms = 60000, .grace_ms = 5000};
	char		path[32];

	snprintf(path, sizeof(path), "log/%lld", (long long) id);
	plain.log_path = josch_slice(path);
	run_set_request(run, start ? start : &plain);
	if (!journal_start(run))
	{
		OK(false, "run %lld is put on record", (long long) id);
	}
	return run;
}

static Run *
spawn(Run *run)
{
	run->phase = RUN_LIVE;
	run->pid = (pid_t) (1000 + run->id);
	run->started_at = 1700000000000000 + run->id;
	run->started_boot = 5000000 + run->id;
	journal_spawned(run);
	return run;
}

static Run *
stop(Run *run, uint32_t flag)
{
	run->flags |= flag;
	run->kill_boot = 99000000 + run->id;
	journal_stopping(run);
	return run;
}

static Run *
end(Run *run, uint8_t kind, uint32_t value, const char *tail)
{
	run->phase = RUN_EXITED;
	run->end = (JoschExit) {kind, value, 1700000001000000 + run->id, 11, 12, 13, run->flags, {NULL, (uint32_t) strlen(tail)}};
	run->end.tail.data = xstrdup(tail);
	journal_exit(run);
	return run;
}

static void
forget(Owner *owner, int64_t id)
{
	JoschBuffer ids = {NULL, 0, 0, xrealloc};
	JoschCodec	c = {&ids, NULL, 0, false};
	JoschSlice	slice;

	josch_code_i64(&c, &id);
	slice = (JoschSlice) {(const char *) ids.data, 8};
	seen_add(&owner->forgotten, id, id);
	if (run_find(owner, id) != NULL)
	{
		run_remove(run_find(owner, id));
	}
	journal_forget(owner, slice);
	free(ids.data);
}

/* A long-running one, with all that a later life needs to ask whether it is up. */
static Run *
start_service(Owner *owner, int64_t id)
{
	JoschBuffer env = {NULL, 0, 0, xrealloc};
	JoschBuffer ready = {NULL, 0, 0, xrealloc};
	JoschStart	m = {.timeout_ms = 0, .grace_ms = 7, .ready_after_ms = 42, .flags = JOSCH_START_LONG_RUNNING};
	Run		   *run;

	josch_strings_add(&env, &m.env, josch_slice("A=1"));
	josch_strings_add(&env, &m.env, josch_slice("B="));
	josch_strings_add(&ready, &m.ready_argv, josch_slice("test"));
	josch_strings_add(&ready, &m.ready_argv, josch_slice("-e"));
	m.cwd = josch_slice("/usr");
	m.log_path = josch_slice("log/service");
	run = start(owner, id, &m);
	free(env.data);
	free(ready.data);
	return run;
}

static void
begin(void)
{
	if (!life_begin())
	{
		OK(false, "a life begins");
	}
}

/* Runs in each state that a journal can speak of. */
static void
live(void)
{
	Owner	   *a;
	Owner	   *b;
	Run		   *run;

	begin();
	a = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"));
	b = owner_add(0, josch_slice("server-2"), 6, josch_slice(""));
	start(a, 1, NULL);
	spawn(start(a, 2, NULL));
	run = spawn(start_service(a, 3));
	run->flags |= JOSCH_RUN_UP;
	run->up_at = 1700000000500000;
	journal_up(run);
	stop(spawn(start(a, 4, NULL)), JOSCH_RUN_STOP_REQUESTED);
	stop(spawn(start(a, 5, NULL)), JOSCH_RUN_TIMED_OUT);
	end(spawn(start(a, 6, NULL)), JOSCH_EXIT_CODE, 3, "out\n");
	end(start(a, 7, NULL), JOSCH_EXIT_NOT_STARTED, 2, "no such program");
	end(spawn(start(a, 8, NULL)), JOSCH_EXIT_CODE, 0, "");
	forget(a, 8);
	forget(a, 12);
	end(stop(spawn(start(b, 2, NULL)), JOSCH_RUN_STOP_REQUESTED), JOSCH_EXIT_SIGNAL, 15, "bye");
	remember("known", false);
}

static void
load(void)
{
	journal_load(&found);
}

/* ---- tests ---- */

static void
read_what_was_written(void)
{
	size_t		len;
	uint8_t    *known = unit_read("known", &len);

	OK(strstr((char *) known, "run 8") == NULL && strstr((char *) known, "run 7") != NULL, "what is known is what has not been forgotten");
	free(known);
	load();
	OK(is_as_in("known", false), "the records, one after the other, say all that was known");
	OK(!found.broken, "and no word is broken");
}

static void
read_of_another_boot(void)
{
	snprintf(runner.boot_id, sizeof(runner.boot_id), "another boot");
	load();
	OK(runner.other_boot && !found.intact && !found.broken, "a journal of another boot is whole, but not intact");
}

static void
second_life(void)
{
	begin();
	OK(runner.journal_intact && !runner.other_boot, "a second life finds the journal intact");
	OK(is_as_in("known", false), "and knows what the first knew");
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			if (!run->former)
			{
				OK(false, "run %lld is of a former life", (long long) run->id);
			}
		}
	}
	spawn(start(owner_first(), 20, NULL));
	stop(run_find(owner_first(), 2), JOSCH_RUN_TIMED_OUT);
	remember("known", false);
	remember("lives", true);
}

static void
third_life(void)
{
	begin();
	OK(is_as_in("known", false), "a third life, after the journal was rewritten and added to, knows what the second knew");
	OK(runner.journal_intact, "and that nothing is missing");
	remember("known", false);
	OK(journal_rewrite(), "the journal is rewritten");
}

static void
fourth_life(void)
{
	load();
	OK(is_as_in("known", false), "rewritten twice, it still says the same: UP, STOPPING with its deadline, each end");
}

static void
test_lives(void)
{
	unit_apart(live);
	unit_apart(read_what_was_written);
	unit_apart(read_of_another_boot);
	unit_apart(second_life);
	unit_apart(third_life);
	unit_apart(fourth_life);
}

/* The process goes on as another program: the same life. */
static void
test_same_process(void)
{
	static char first[128];
	int64_t		since;
	int64_t		started;

	unit_apart(live);
	/* this process's own first life, which finds runs of a former one */
	begin();
	spawn(start(owner_first(), 30, NULL));
	remember("lives", true);
	snprintf(first, sizeof(first), "%s", runner.incarnation);
	since = runner.journal_since;
	started = runner.started_at;
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		while (owner->first != NULL)
		{
			run_remove(owner->first);
		}
		owner->number += 1000;	/* out of the way of what is read now */
	}
	runner.incarnation[0] = '\0';
	runner.started_at = 0;
	runner.journal_since = 0;
	runner.options.resume = true;
	begin();
	IS(strcmp(runner.incarnation, first), 0, "through REPLACE the life goes on");
	OK(runner.started_at == started && runner.journal_since == since && runner.journal_intact, "with its beginning");
	OK(!run_find(owner_by_number(1), 30)->former, "its own runs stay its own");
	OK(run_find(owner_by_number(1), 2)->former, "those of a former life stay former");
}

static void
resume_in_another_process(void)
{
	runner.options.resume = true;
	begin();
	OK(strstr(runner.incarnation, "/") != NULL && run_find(owner_first(), 2)->former, "a resumed program in another process is another life");
}

static void
resume_with_full_disk(void)
{
	struct stat st;

	begin();
	spawn(start(owner_first(), 30, NULL));
	fstatat(runner.spool_dir, "journal", &st, 0);
	runner.options.resume = true;
	unit_limit_files(100);
	OK(!journal_rewrite(), "a journal that does not fit is not rewritten");
	OK(faccessat(runner.spool_dir, "journal.tmp", F_OK, 0) != 0, "nothing of the attempt is left");
	OK(journal_append(), "but the old one can be gone on with");
	OK(!journal_start(run_add(owner_first(), 31)), "as far as there is room");
	unit_limit_files(0);
	spawn(start(owner_first(), 32, NULL));
	run_remove(run_find(owner_first(), 31));
	remember("known", false);
}

static void
test_resume(void)
{
	unit_apart(live);
	unit_apart(resume_in_another_process);
	unit_apart(resume_with_full_disk);
	unit_apart(fourth_life);
}

/* ---- what is torn, changed, or makes no sense ---- */

static uint8_t *whole;
static size_t whole_len;
static size_t boundary[MAX_RECORDS];
static int	boundaries;
static int	current;			/* index of the record that is damaged */
static bool may_seem_torn;

static void
find_boundaries(void)
{
	JoschFrame	frame;
	size_t		done = 0;

	whole = unit_read("journal", &whole_len);
	while (josch_frame_next(whole + done, whole_len - done, &frame) == JOSCH_FRAME_OK)
	{
		boundary[boundaries++] = done;
		done += frame.total;
	}
	IS(done, whole_len, "the journal is made of whole records");
}

static void
remember_prefix(void)
{
	char		name[32];

	snprintf(name, sizeof(name), "prefix-%d", current);
	load();
	remember(name, true);
}

static void
read_torn(void)
{
	char		name[32];

	snprintf(name, sizeof(name), "prefix-%d", current);
	load();
	if (!is_as_in(name, true) || found.broken || found.intact != (current > 0))
	{
		OK(false, "a journal cut short in record %d says what was before it: broken %d, intact %d", current, found.broken, found.intact);
	}
}

static void
read_changed(void)
{
	char		name[32];

	snprintf(name, sizeof(name), "prefix-%d", current);
	load();
	if (!is_as_in(name, true) || !(found.broken || may_seem_torn) || (found.broken && found.intact))
	{
		OK(false, "a journal with a changed byte in record %d says what was before it: broken %d, intact %d", current, found.broken, found.intact);
	}
}

static void
test_damage(void)
{
	int			cuts = 0;
	int			changes = 0;
	int			good = 0;

	unit_apart(live);
	find_boundaries();
	unit_write("pristine", whole, whole_len);
	for (current = 0; current < boundaries; current++)
	{
		unit_write("journal", whole, boundary[current]);
		unit_apart(remember_prefix);
	}
	for (current = 0; current < boundaries; current++)
	{
		size_t		next = current + 1 < boundaries ? boundary[current + 1] : whole_len;
		size_t		places[] = {boundary[current] + 1, boundary[current] + 4, boundary[current] + 5, next - 4, next - 1};

		for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++, cuts++)
		{
			unit_write("journal", whole, places[i]);
			good += unit_apart(read_torn);
		}
		for (size_t at = boundary[current]; at < next; at += 1 + unit_random(12), changes++)
		{
			whole[at] ^= (uint8_t) (1 << unit_random(8));
			may_seem_torn = at < boundary[current] + 4;
			unit_write("journal", whole, whole_len);
			good += unit_apart(read_changed);
			free(whole);
			unit_write("journal", whole = unit_read("pristine", &whole_len), whole_len);
		}
	}
	IS(good, cuts + changes, "%d cuts and %d changed bytes: what was before is known, what comes after is not", cuts, changes);
}

/* Appends a record that journal.c would not write. */
static void
add(JoschBuffer *out, JournalRecord *record)
{
	JoschCodec	c = {out, NULL, 0, false};
	size_t		start = josch_frame_begin(&c, record->type);
	uint32_t	sum;

	if (record->type <= JOURNAL_FORGET && record->type != 0)
	{
		journal_code(&c, record);
	}
	sum = journal_checksum(out->data + start + 4, out->len - start - 4);
	josch_code_u32(&c, &sum);
	josch_frame_end(&c, start);
}

static const char *case_name;
static bool case_is_good;

static void
read_case(void)
{
	load();
	OK(found.broken == !case_is_good && found.intact == case_is_good, "%s: %s", case_is_good ? "accepted" : "refused", case_name);
}

/* The header, owner 1, its run 1, and then this record. */
static void
try_record(const char *name, bool good, JournalRecord record)
{
	JoschBuffer out = {NULL, 0, 0, xrealloc};
	JournalRecord header = {.type = JOURNAL_HEADER, .format = 1, .text = josch_slice(runner.boot_id)};
	JournalRecord owner = {.type = JOURNAL_OWNER, .owner = 1, .text = josch_slice("s")};
	JournalRecord run = {.type = JOURNAL_START, .owner = 1};

	run.start.run_id = 1;
	run.start.log_path = josch_slice("log/1");
	add(&out, &header);
	add(&out, &owner);
	add(&out, &run);
	add(&out, &record);
	unit_write("journal", out.data, out.len);
	free(out.data);
	case_name = name;
	case_is_good = good;
	unit_apart(read_case);
}

static void
test_contradictions(void)
{
	JournalRecord other = {.type = JOURNAL_START, .owner = 1};
	JournalRecord again = {.type = JOURNAL_START, .owner = 1};
	JournalRecord stray = {.type = JOURNAL_START, .owner = 2};

	other.start.run_id = 2;
	other.start.log_path = again.start.log_path = stray.start.log_path = josch_slice("log/2");
	again.start.run_id = stray.start.run_id = 1;
	try_record("another run", true, other);
	try_record("a run that is there", false, again);
	try_record("a run of nobody", false, stray);
	try_record("another owner", true, (JournalRecord) {.type = JOURNAL_OWNER, .owner = 2, .text = josch_slice("t")});
	try_record("an owner's number that is taken", false, (JournalRecord) {.type = JOURNAL_OWNER, .owner = 1, .text = josch_slice("t")});
	try_record("an owner without a number", false, (JournalRecord) {.type = JOURNAL_OWNER, .owner = 0, .text = josch_slice("t")});
	try_record("a second header", false, (JournalRecord) {.type = JOURNAL_HEADER, .format = 1, .text = josch_slice(runner.boot_id)});
	try_record("a life", true, (JournalRecord) {.type = JOURNAL_LIFE, .text = josch_slice("x")});
	for (uint8_t type = JOURNAL_SPAWNED; type <= JOURNAL_EXIT; type++)
	{
		try_record("an event of the run", true, (JournalRecord) {.type = type, .owner = 1, .id = 1});
		try_record("an event of a run that is not there", false, (JournalRecord) {.type = type, .owner = 1, .id = 2});
		try_record("an event of nobody's run", false, (JournalRecord) {.type = type, .owner = 2, .id = 1});
	}
	try_record("what is forgotten", true, (JournalRecord) {.type = JOURNAL_FORGET, .owner = 1});
	try_record("what nobody has forgotten", false, (JournalRecord) {.type = JOURNAL_FORGET, .owner = 2});
	try_record("what nobody has seen", false, (JournalRecord) {.type = JOURNAL_SEEN, .owner = 2});
	try_record("type 0", false, (JournalRecord) {.type = 0});
	try_record("a type after the last", false, (JournalRecord) {.type = JOURNAL_FORGET + 1});
}

static void
read_headless(void)
{
	load();
	OK(found.broken && !found.intact && owner_first() == NULL, "a journal that does not begin with its header is none");
}

static void
read_tiny(void)
{
	load();
	OK(found.broken && !found.intact, "a frame too small for a checksum is no record");
}

static void
read_link(void)
{
	load();
	OK(!found.broken && !found.intact && owner_first() == NULL, "a symbolic link is no journal");
}

static void
read_nothing(void)
{
	load();
	OK(!found.broken && !found.intact, "nor is an empty file; nothing of it is broken");
}

static void
test_no_journal(void)
{
	JoschBuffer out = {NULL, 0, 0, xrealloc};
	JournalRecord owner = {.type = JOURNAL_OWNER, .owner = 1, .text = josch_slice("s")};

	add(&out, &owner);
	unit_write("journal", out.data, out.len);
	free(out.data);
	unit_apart(read_headless);
	unit_write("journal", "\0\0\0\3\1ab", 7);
	unit_apart(read_tiny);
	unit_write("journal", "", 0);
	unit_apart(read_nothing);
	unlinkat(runner.spool_dir, "journal", 0);
	unit_apart(live);
	renameat(runner.spool_dir, "journal", runner.spool_dir, "elsewhere");
	OK(symlinkat("elsewhere", runner.spool_dir, "journal") == 0, "a link in its place");
	unit_apart(read_link);
}

static void
keep_broken(void)
{
	size_t		len;
	uint8_t    *kept;

	begin();
	kept = unit_read("journal.broken", &len);
	OK(!runner.journal_intact && runner.journal_since >= runner.started_at - SECOND, "after a broken journal the record begins anew");
	IS(len, whole_len, "and the broken one is kept whole");
	free(kept);
}

static void
test_broken_is_kept(void)
{
	unit_apart(live);
	whole = unit_read("journal", &whole_len);
	whole[whole_len - 1] ^= 1;
	unit_write("journal", whole, whole_len);
	unit_apart(keep_broken);
}

/* ---- no room ---- */

static off_t
journal_length(void)
{
	struct stat st;

	return fstatat(runner.spool_dir, "journal", &st, 0) == 0 ? st.st_size : -1;
}

static void
write_without_room(void)
{
	Owner	   *owner;
	Run		   *run;
	off_t		before;

	begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"));
	spawn(start(owner, 1, NULL));
	before = journal_length();
	for (size_t room = 0; room < 60; room += 20)
	{
		unit_limit_files((size_t) before + room);
		run = run_add(owner, 2);
		run_set_request(run, &(JoschStart) {.log_path = {"log/a-name-that-is-longer-than-the-room-that-is-left", 52}});
		errno = 0;
		OK(!journal_start(run) && errno == EFBIG, "with room for %zu bytes a start is not put on record, and it is told why", room);
		IS(journal_length(), before, "what was written of it is taken back");
		run_remove(run);
	}
	unit_limit_files(0);
	owner = owner_add(0, josch_slice("server-2"), 5, josch_slice(""));
	unit_limit_files((size_t) journal_length() + 5);
	run = run_add(owner, 1);
	run_set_request(run, &(JoschStart) {.log_path = {"x", 1}});
	OK(!journal_start(run) && !owner->recorded, "nor is an owner that is new");
	unit_limit_files(0);
	OK(journal_start(run) && owner->recorded, "with room again, both are");
	remember("known", false);
}

static void
test_no_room(void)
{
	unit_apart(write_without_room);
	unit_apart(fourth_life);
}

static void
write_too_much(void)
{
	Owner	   *owner;
	Run		   *run;
	char	   *path = xcalloc(1, JOSCH_FRAME_MAX + 1);
	off_t		before;

	begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"));
	spawn(start(owner, 1, NULL));
	remember("known", false);
	before = journal_length();
	run = run_add(owner, 2);
	memset(path, 'x', JOSCH_FRAME_MAX);
	run_set_request(run, &(JoschStart) {.log_path = {path, JOSCH_FRAME_MAX}});
	errno = 0;
	OK(!journal_start(run) && errno == EMSGSIZE, "a start that no record can hold is refused");
	IS(journal_length(), before, "and leaves nothing in the journal");
	free(path);
}

static void
test_too_much(void)
{
	unit_apart(write_too_much);
	unit_apart(fourth_life);
}

/* ---- it does not grow for ever ---- */

static void
grow_and_shrink(void)
{
	Owner	   *owner;
	char		tail[JOSCH_TAIL_MAX + 1] = {0};
	off_t		largest = 0;
	off_t		kept;

	memset(tail, 'x', JOSCH_TAIL_MAX);
	begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"));
	for (int64_t id = 1; id <= 300; id++)
	{
		end(spawn(start(owner, id, NULL)), JOSCH_EXIT_CODE, 0, tail);
		forget(owner, id);
		largest = journal_length() > largest ? journal_length() : largest;
	}
	OK(largest > COMPACT_MIN - 5000 && largest <= COMPACT_MIN, "it is rewritten when it has grown to a quarter of a megabyte");
	OK(journal_length() < COMPACT_MIN - 5000, "and is small again");
	for (int64_t id = 1001; id <= 1100; id++)
	{
		end(spawn(start(owner, id, NULL)), JOSCH_EXIT_CODE, 0, tail);
	}
	OK(journal_rewrite(), "what is kept is rewritten");
	kept = journal_length();
	largest = 0;
	for (int64_t id = 2001; id <= 2400; id++)
	{
		end(spawn(start(owner, id, NULL)), JOSCH_EXIT_CODE, 0, tail);
		forget(owner, id);
		largest = journal_length() > largest ? journal_length() : largest;
	}
	OK(largest > 3 * kept - 5000 && largest <= 3 * kept, "with much to hold it may grow to three times that");
	remember("known", false);
}

static void
test_size(void)
{
	unit_apart(grow_and_shrink);
	unit_apart(fourth_life);
}

int
main(void)
{
	unit_test("lives", test_lives);
	unit_test("the same process", test_same_process);
	unit_test("resume", test_resume);
	unit_test("damage", test_damage);
	unit_test("contradictions", test_contradictions);
	unit_test("no journal", test_no_journal);
	unit_test("a broken journal", test_broken_is_kept);
	unit_test("no room", test_no_room);
	unit_test("too much", test_too_much);
	unit_test("size", test_size);
	return unit_result();
}
