/*
 * test/unit/past.c
 *	  A life of the runner, for tests of its journal: see past.h.
 */
#include "past.h"

#include <stdarg.h>
#include <stdlib.h>

JournalFound past_found;

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

	say("  run %lld-%llx phase %d flags %u pid %d started %lld/%lld/%lld up %lld kill %lld%s\n", (long long) run->id, (unsigned long long) run->nonce, (int) run->phase,
		run->flags & ~(uint32_t) JOSCH_RUN_WATCHED, (int) run->pid, (long long) run->started_at, (long long) run->started_boot,
		(long long) run->start,
		(long long) run->up_at, over ? 0LL : (long long) run->kill_boot, lives && run->former ? " former" : "");
	say("    log %s cwd %s timeout %llu grace %llu after %llu limit %llu", run->log_path, run->cwd ? run->cwd : "",
		(unsigned long long) run->timeout_ms, (unsigned long long) run->grace_ms, (unsigned long long) run->ready_after_ms,
		(unsigned long long) run->log_limit);
	say_list("env", run->env);
	say_list("ready", run->ready_argv);
	say_list(run->executor ? "executor's attach" : "attach", run->attach_argv);
	say_list("stop", run->stop_argv);
	say("\n    end %d %u %lld %llu %llu %llu %u %.*s/%.*s/%.*s/%.*s\n", run->end.kind, run->end.value, (long long) run->end.ended_at,
		(unsigned long long) run->end.cpu_user_us, (unsigned long long) run->end.cpu_sys_us,
		(unsigned long long) run->end.maxrss_kb, run->end.flags, (int) run->end.tail.len, run->end.tail.data,
		(int) run->end.survivors.len, run->end.survivors.data, (int) run->end.reason.len, run->end.reason.data,
		(int) run->end_report.len, run->end_report.data);
}

/* With `lives`, also which runs are of a former life. */
static void
say_all(bool lives)
{
	text.len = 0;
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		say("owner %u %s %u %s %s highest %lld given %lld floor %lld", owner->number, owner->identity, owner->database, owner->name, owner->token,
			(long long) owner->highest, (long long) owner->given, (long long) owner->forgotten.floor);
		for (int i = 0; i < owner->forgotten.count; i++)
		{
			say(" %lld-%llx", (long long) owner->forgotten.keys[i].run_id, (unsigned long long) owner->forgotten.keys[i].nonce);
		}
		say("\n");
		for (Run *run = owner->first; run != NULL; run = run->next)
		{
			say_run(run, lives);
		}
	}
	josch_buffer_append(&text, "", 1);
}

void
past_remember(const char *file, bool lives)
{
	say_all(lives);
	unit_write(file, text.data, text.len);
}

/* True when what is known now is what the file says. */
bool
past_is_as_in(const char *file, bool lives)
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

Run *
past_start(Owner *owner, int64_t id, const JoschStart *start)
{
	Run		   *run = run_add(owner, unit_key(id));
	JoschStart	plain = {.timeout_ms = 60000, .grace_ms = 5000};
	char		path[32];

	snprintf(path, sizeof(path), "log/%lld", (long long) id);
	plain.log_path = josch_slice(path);
	run_set_request(run, start ? start : &plain);
	if (!journal_start(run))
	{
		OK(false, "run %lld is put on record", (long long) id);
	}
	journal_flush();
	return run;
}

/* The turn goes on: it is not on record yet. */
Run *
past_spawn_in_turn(Run *run)
{
	run->phase = RUN_LIVE;
	run->pid = (pid_t) (1000 + run->id);
	run->started_at = 1700000000000000 + run->id;
	run->started_boot = 5000000 + run->id;
	run->start = 77 + run->id;
	journal_spawned(run);
	return run;
}

Run *
past_spawn(Run *run)
{
	past_spawn_in_turn(run);
	journal_flush();
	return run;
}

Run *
past_stop(Run *run, uint32_t flag)
{
	run->flags |= flag;
	run->kill_boot = 99000000 + run->id;
	journal_stopping(run);
	journal_flush();
	return run;
}

Run *
past_end(Run *run, uint8_t kind, uint32_t value, const char *tail)
{
	run->phase = RUN_EXITED;
	run->end = (JoschExit) {kind, value, 1700000001000000 + run->id, 11, 12, 13, run->flags, {NULL, (uint32_t) strlen(tail)},
		josch_slice(xstrdup("8 (sleep)")), josch_slice(xstrdup("its journal was lost"))};
	run->end.tail.data = xstrdup(tail);
	run->end_report = josch_slice(format("result tail=%s\n", tail));
	journal_exit(run);
	journal_flush();
	return run;
}

void
past_forget(Owner *owner, int64_t id)
{
	JoschBuffer keys = {NULL, 0, 0, xrealloc};
	JoschCodec	c = {&keys, NULL, 0, false};
	JoschRunKey key = unit_key(id);
	JoschSlice	slice;

	josch_code_key(&c, &key);
	slice = (JoschSlice) {(const char *) keys.data, 16};
	seen_add(&owner->forgotten, key);
	if (run_find(owner, unit_key(id)) != NULL)
	{
		run_remove(run_find(owner, unit_key(id)));
	}
	journal_forget(owner, slice);
	journal_flush();
	free(keys.data);
}

/* A long-running one, with all that a later life needs to ask whether it is up. */
static Run *
start_service(Owner *owner, int64_t id)
{
	JoschBuffer env = {NULL, 0, 0, xrealloc};
	JoschBuffer ready = {NULL, 0, 0, xrealloc};
	JoschStart	m = {.timeout_ms = 0, .grace_ms = 7, .ready_after_ms = 42, .log_limit = 1000, .flags = JOSCH_START_LONG_RUNNING};
	Run		   *run;

	josch_strings_add(&env, &m.env, josch_slice("A=1"));
	josch_strings_add(&env, &m.env, josch_slice("B="));
	josch_strings_add(&ready, &m.ready_argv, josch_slice("test"));
	josch_strings_add(&ready, &m.ready_argv, josch_slice("-e"));
	m.cwd = josch_slice("/usr");
	m.log_path = josch_slice("log/service");
	run = past_start(owner, id, &m);
	free(env.data);
	free(ready.data);
	return run;
}

/* One that an executor has, with all that a later life needs to attach to it. */
static Run *
start_elsewhere(Owner *owner, int64_t id)
{
	JoschBuffer env = {NULL, 0, 0, xrealloc};
	JoschBuffer attach = {NULL, 0, 0, xrealloc};
	JoschBuffer stop = {NULL, 0, 0, xrealloc};
	JoschStart	m = {.timeout_ms = 5, .grace_ms = 7, .flags = JOSCH_START_EXECUTOR};
	Run		   *run;

	josch_strings_add(&env, &m.env, josch_slice("JOSCH_EXECUTOR_RUN=josch-1-2-3"));
	josch_strings_add(&attach, &m.attach_argv, josch_slice("grid"));
	josch_strings_add(&attach, &m.attach_argv, josch_slice("attach"));
	josch_strings_add(&stop, &m.stop_argv, josch_slice("grid"));
	m.cwd = josch_slice("/usr");
	m.log_path = josch_slice("log/elsewhere");
	run = past_start(owner, id, &m);
	free(env.data);
	free(attach.data);
	free(stop.data);
	return run;
}

void
past_begin(void)
{
	if (!life_begin())
	{
		OK(false, "a life begins");
	}
}

/* Runs in each state that a journal can speak of. */
void
past_live(void)
{
	Owner	   *a;
	Owner	   *b;
	Run		   *run;

	past_begin();
	unit_write("ledger", runner.ledger, sizeof(runner.ledger));
	a = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
	b = owner_add(0, josch_slice("server-2"), 6, josch_slice(""), josch_slice("a token"));
	past_start(a, 1, NULL);
	past_spawn(past_start(a, 2, NULL));
	past_spawn(start_elsewhere(a, 9));
	run = past_spawn(start_service(a, 3));
	run->flags |= JOSCH_RUN_UP;
	run->up_at = 1700000000500000;
	journal_up(run);
	journal_flush();
	past_stop(past_spawn(past_start(a, 4, NULL)), JOSCH_RUN_STOP_REQUESTED);
	past_stop(past_spawn(past_start(a, 5, NULL)), JOSCH_RUN_TIMED_OUT);
	past_end(past_spawn(past_start(a, 6, NULL)), JOSCH_EXIT_CODE, 3, "out\n");
	past_end(past_start(a, 7, NULL), JOSCH_EXIT_NOT_STARTED, 2, "no such program");
	past_end(past_spawn(past_start(a, 8, NULL)), JOSCH_EXIT_CODE, 0, "");
	past_forget(a, 8);
	past_forget(a, 12);
	past_end(past_stop(past_spawn(past_start(b, 2, NULL)), JOSCH_RUN_STOP_REQUESTED), JOSCH_EXIT_SIGNAL, 15, "bye");
	owner_raise(b, 77, 0);
	journal_highest(b);
	journal_flush();
	past_remember("known", false);
}

void
past_load(void)
{
	journal_load(&past_found);
}
