/*
 * test/unit/attach_test.c
 *	  Runs that an executor has elsewhere, after the machine went down: what their programs say then.
 */
#include "unit.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 3000

static Owner *owner;

static void
begin(void)
{
	spawn_init();
	(void) report_init();
	if (!life_begin())
	{
		OK(false, "a life begins");
	}
	runner.other_boot = true;
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
}

/* One that was started an hour ago; "attach" and "stop" are what a shell does there, NULL for none. */
static Run *
add_run(int64_t id, const char *attach, const char *stop, uint64_t timeout_ms)
{
	JoschBuffer lists[2] = {{NULL, 0, 0, xrealloc}, {NULL, 0, 0, xrealloc}};
	JoschStart	start = {.timeout_ms = timeout_ms,.grace_ms = 60000,.flags = JOSCH_START_EXECUTOR};
	char		path[32];
	Run		   *run = run_add(owner, unit_key(id));

	snprintf(path, sizeof(path), "log/%lld.log", (long long) id);
	start.log_path = josch_slice(path);
	for (int i = 0; i < 2; i++)
	{
		const char *words[] = {"/bin/sh", "-c", i == 0 ? attach : stop};
		JoschStrings *list = i == 0 ? &start.attach_argv : &start.stop_argv;

		for (int w = 0; w < 3 && words[2] != NULL; w++)
		{
			josch_strings_add(&lists[i], list, josch_slice(words[w]));
		}
	}
	run_set_request(run, &start);
	run->phase = RUN_LIVE;
	run->former = true;
	run->pid = 1;
	run->start = 1;
	run->started_at = now_epoch() - 3600 * SECOND;
	run->started_boot = 1;
	free(lists[0].data);
	free(lists[1].data);
	return run;
}

/* The next runner goes on with all that it finds, until nothing of it lives. */
static void
go_on(void)
{
	struct timespec hundredth = {0, 10 * 1000 * 1000};
	bool		all = false;

	run_resume_all();
	for (int i = 0; i < PATIENCE && !all; i++)
	{
		run_reap();
		due_fire(now_boot());
		run_finish_drained();
		run_finish_lost();
		all = true;
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			all = all && run->phase == RUN_EXITED;
		}
		nanosleep(&hundredth, NULL);
	}
	OK(all, "all have ended");
}

static bool
says(JoschSlice text, const char *want)
{
	return text.len >= strlen(want) && memcmp(text.data, want, strlen(want)) == 0;
}

static void
test_words(void)
{
	Run		   *code;
	Run		   *death;
	Run		   *silent;
	Run		   *lost;
	Run		   *former;
	Run		   *alone;

	begin();
	code = add_run(1, "echo printed; echo ended >> $JOSCH_EXECUTOR_REPORT; exit 7", NULL, 0);
	death = add_run(2, "echo ended >> $JOSCH_EXECUTOR_REPORT; kill -SEGV $$", NULL, 0);
	silent = add_run(3, "exit 0", NULL, 0);
	lost = add_run(4, "echo unknown the cluster is gone >> $JOSCH_EXECUTOR_REPORT", NULL, 0);
	former = add_run(6, "exit 0", NULL, 0);
	OK(report_create(former, true) && report_note(former, JOSCH_SIDE_ENDED), "a program before has seen the end, and nobody has seen its own");
	alone = add_run(5, NULL, NULL, 0);
	go_on();
	OK(code->end.kind == JOSCH_EXIT_CODE && code->end.value == 7, "a code");
	OK(says(code->end.tail, "printed\n"), "what it prints is in the log");
	OK(code->started_at < now_epoch() - 3000 * SECOND, "it has begun when it had begun");
	OK(death->end.kind == JOSCH_EXIT_SIGNAL && death->end.value == SIGSEGV, "a signal");
	OK(silent->end.kind == JOSCH_EXIT_UNKNOWN && says(silent->end.reason, "the program of its executor ended by exit code 0"), "no word, no success");
	OK(former->end.kind == JOSCH_EXIT_UNKNOWN, "the word of the one before does not stand for its own");
	OK(lost->end.kind == JOSCH_EXIT_UNKNOWN && says(lost->end.reason, "the cluster is gone"), "what cannot be known");
	OK(alone->end.kind == JOSCH_EXIT_UNKNOWN, "nobody can be asked");
}

static void
test_time_is_up(void)
{
	Run		   *run;

	begin();
	run = add_run(1, "while [ ! -e stopped ]; do sleep 0.01; done; echo ended >> $JOSCH_EXECUTOR_REPORT; exit 3", "echo > stopped", 1000);
	run->cwd = xstrdup(runner.spool);
	go_on();
	OK(run->end.kind == JOSCH_EXIT_CODE && run->end.value == 3 && (run->end.flags & JOSCH_RUN_TIMED_OUT) != 0, "its time ran on meanwhile: the other side is asked to stop");
}

static void
test_no_program(void)
{
	Run		   *run;
	JoschSlice	text;

	begin();
	run = add_run(1, "echo ended >> $JOSCH_EXECUTOR_REPORT; exit 4", NULL, 0);
	run->attach_argv[0] = "/no/such/program";
	run_resume_all();
	run_finish_lost();
	text = report_text(run);
	OK(run->phase == RUN_LIVE && text.len > 0 && strstr(text.data, "unreachable could not execute \"/no/such/program\"") != NULL, "it is tried again, and said why");
	run->attach_argv[0] = "/bin/sh";
	due_fire(run->attach_boot);
	OK(run->pid > 0, "then it is there");
	text = report_text(run);
	OK(strstr(text.data, "unreachable") == NULL, "nothing is in the way any more");
	runner.other_boot = false;
	go_on();
	OK(run->end.kind == JOSCH_EXIT_CODE && run->end.value == 4, "and says how it ended");
}

int
main(void)
{
	unit_test("what programs say", test_words);
	unit_test("a time that is up", test_time_is_up);
	unit_test("no program", test_no_program);
	return unit_result();
}
