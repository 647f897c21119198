/*
 * test/unit/journal_test.c
 *	  What a life of the runner leaves to the next: all that was written, also when there was no room.
 */
#include "past.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPACT_MIN (256 * 1024) /* of journal.c */

/* ---- one life after the other ---- */

/* The word that the first life wrote. */
static const char *
ledger(void)
{
	size_t		len;

	return (const char *) unit_read("ledger", &len);
}

static void
read_what_was_written(void)
{
	size_t		len;
	uint8_t    *known = unit_read("known", &len);

	OK(strstr((char *) known, "run 8") == NULL && strstr((char *) known, "run 7") != NULL, "what is known is what has not been forgotten");
	free(known);
	past_load();
	OK(past_is_as_in("known", false), "the records, one after the other, say all that was known");
	OK(!past_found.broken, "and no word is broken");
}

static void
read_of_another_boot(void)
{
	snprintf(runner.boot_id, sizeof(runner.boot_id), "another boot");
	past_load();
	OK(runner.other_boot && !past_found.intact && !past_found.broken, "a journal of another boot is whole, but not intact");
}

static void
second_life(void)
{
	past_begin();
	OK(strcmp(runner.ledger, ledger()) == 0 && !runner.other_boot, "a second life finds the journal intact");
	OK(past_is_as_in("known", false), "and knows what the first knew");
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
	/* so much was forgotten that of the oldest only the greatest number is known */
	owner_first()->next->forgotten.floor = 40;
	OK(journal_rewrite(), "the journal is rewritten in the middle of a life");
	past_spawn(past_start(owner_first(), 20, NULL));
	past_stop(run_find(owner_first(), unit_key(2)), JOSCH_RUN_TIMED_OUT);
	past_remember("known", false);
	past_remember("lives", true);
}

static void
third_life(void)
{
	past_begin();
	OK(past_is_as_in("known", false), "a third life, after the journal was rewritten and added to, knows what the second knew");
	IS(strcmp(runner.ledger, ledger()), 0, "and that nothing is missing");
	past_remember("known", false);
	OK(journal_rewrite(), "the journal is rewritten");
}

static void
fourth_life(void)
{
	past_load();
	OK(past_is_as_in("known", false), "rewritten twice, it still says the same: UP, STOPPING with its deadline, each end");
}

static void
test_lives(void)
{
	unit_apart(past_live);
	unit_apart(read_what_was_written);
	unit_apart(read_of_another_boot);
	unit_apart(second_life);
	unit_apart(third_life);
	unit_apart(fourth_life);
}

/* As after execve: nothing is known but what the journal says. */
static void
go_on_as_another_program(void)
{
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
	runner.ledger[0] = '\0';
	runner.options.resume = true;
}

/* The process goes on as another program: the same life. */
static void
test_same_process(void)
{
	static char first[128];
	char		word[sizeof(runner.ledger)];
	int64_t		started;

	unit_apart(past_live);
	/* this process's own first life, which finds runs of a former one */
	past_begin();
	past_spawn(past_start(owner_first(), 30, NULL));
	snprintf(first, sizeof(first), "%s", runner.incarnation);
	snprintf(word, sizeof(word), "%s", runner.ledger);
	started = runner.started_at;
	go_on_as_another_program();
	past_begin();
	IS(strcmp(runner.incarnation, first), 0, "through REPLACE the life goes on");
	OK(runner.started_at == started && strcmp(runner.ledger, word) == 0, "with its beginning");
	OK(!run_find(owner_by_number(1), unit_key(30))->former, "its own runs stay its own");
	OK(run_find(owner_by_number(1), unit_key(2))->former, "those of a former life stay former");
}

static void
resume_in_another_process(void)
{
	runner.options.resume = true;
	past_begin();
	OK(strstr(runner.incarnation, "/") != NULL && run_find(owner_first(), unit_key(2))->former, "a resumed program in another process is another life");
}

static void
resume_with_full_disk(void)
{
	struct stat st;

	past_begin();
	past_spawn(past_start(owner_first(), 30, NULL));
	fstatat(runner.spool_dir, "journal", &st, 0);
	runner.options.resume = true;
	unit_limit_files(100);
	OK(!journal_rewrite(), "a journal that does not fit is not rewritten");
	OK(faccessat(runner.spool_dir, "journal.tmp", F_OK, 0) != 0, "nothing of the attempt is left");
	OK(journal_append(), "but the old one can be gone on with");
	OK(!journal_start(run_add(owner_first(), unit_key(31))), "as far as there is room");
	unit_limit_files(0);
	past_spawn(past_start(owner_first(), 32, NULL));
	run_remove(run_find(owner_first(), unit_key(31)));
	past_remember("known", false);
	go_on_as_another_program();
	unit_limit_files(100);
	OK(life_begin(), "so that a program goes on in its own life, room or not");
}

static void
test_resume(void)
{
	unit_apart(past_live);
	unit_apart(resume_in_another_process);
	unit_apart(resume_with_full_disk);
	unit_apart(fourth_life);
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

	past_begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
	past_spawn(past_start(owner, 1, NULL));
	before = journal_length();
	for (size_t room = 0; room < 60; room += 20)
	{
		unit_limit_files((size_t) before + room);
		run = run_add(owner, unit_key(2));
		run_set_request(run, &(JoschStart) {.log_path = {"log/a-name-that-is-longer-than-the-room-that-is-left", 52}});
		errno = 0;
		OK(!journal_start(run) && errno == EFBIG, "with room for %zu bytes a start is not put on record, and it is told why", room);
		IS(journal_length(), before, "what was written of it is taken back");
		run_remove(run);
	}
	unit_limit_files(0);
	owner = owner_add(0, josch_slice("server-2"), 5, josch_slice(""), josch_slice(""));
	unit_limit_files((size_t) journal_length() + 5);
	run = run_add(owner, unit_key(1));
	run_set_request(run, &(JoschStart) {.log_path = {"x", 1}});
	OK(!journal_start(run) && !owner->recorded, "nor is an owner that is new");
	unit_limit_files(0);
	OK(journal_start(run) && owner->recorded, "with room again, both are");
	past_remember("known", false);
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

	past_begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
	past_spawn(past_start(owner, 1, NULL));
	past_remember("known", false);
	before = journal_length();
	run = run_add(owner, unit_key(2));
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

/* ---- what waits for the next record ---- */

static void
start_in_one_turn(void)
{
	Owner	   *owner;
	Run		   *run;
	off_t		before;

	past_begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
	run = past_start(owner, 1, NULL);
	before = journal_length();
	past_spawn_in_turn(run);
	IS(journal_length(), before, "a process waits for what comes next");
	run = run_add(owner, unit_key(2));
	run_set_request(run, &(JoschStart) {.log_path = {"log/2", 5}});
	OK(journal_start(run), "the next one is put on record");
	OK(journal_take_back(), "and taken back");
	run_remove(run);
	past_spawn_in_turn(past_start(owner, 3, NULL));
	journal_flush();
	past_remember("known", false);
}

static void
test_turn(void)
{
	unit_apart(start_in_one_turn);
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
	past_begin();
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
	for (int64_t id = 1; id <= 280; id++)
	{
		past_end(past_spawn(past_start(owner, id, NULL)), JOSCH_EXIT_CODE, 0, tail);
		past_forget(owner, id);
		largest = journal_length() > largest ? journal_length() : largest;
	}
	OK(largest > COMPACT_MIN - 5000 && largest <= COMPACT_MIN, "it is rewritten when it has grown to a quarter of a megabyte");
	OK(journal_length() < COMPACT_MIN - 5000, "and is small again");
	for (int64_t id = 1001; id <= 1100; id++)
	{
		past_end(past_spawn(past_start(owner, id, NULL)), JOSCH_EXIT_CODE, 0, tail);
	}
	OK(journal_rewrite(), "what is kept is rewritten");
	kept = journal_length();
	largest = 0;
	for (int64_t id = 2001; id <= 2400; id++)
	{
		past_end(past_spawn(past_start(owner, id, NULL)), JOSCH_EXIT_CODE, 0, tail);
		past_forget(owner, id);
		largest = journal_length() > largest ? journal_length() : largest;
	}
	OK(largest > 3 * kept - 5000 && largest <= 3 * kept, "with much to hold it may grow to three times that");
	past_remember("known", false);
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
	unit_test("no room", test_no_room);
	unit_test("too much", test_too_much);
	unit_test("turn", test_turn);
	unit_test("size", test_size);
	return unit_result();
}
