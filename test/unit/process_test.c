/*
 * test/unit/process_test.c
 *	  Signals, probes and watchers: whom they reach, and whom they must not.
 *
 * Whether a number of a process still means the one that was started cannot be
 * arranged with a whole runner: here a run is said to have started at another
 * time than its process.
 */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static Owner *owner;

static void
begin(void)
{
	signal(SIGPIPE, SIG_IGN);
	setpgid(0, 0);				/* a signal that goes astray ends this test alone */
	spawn_init();
	if (!life_begin())
	{
		OK(false, "a life begins");
	}
	owner = owner_add(0, josch_slice("server-1"), 5, josch_slice("postgres"), josch_slice(""));
}

/* A run whose process, with a session of its own, sleeps. */
static Run *
sleeper(int64_t id)
{
	char	   *argv[] = {"sleep", "1000", NULL};
	SpawnRequest request = {argv, NULL, NULL, -1, -1};
	char		path[32];
	JoschStart	start = {0};
	char	   *why = NULL;
	Run		   *run = run_add(owner, unit_key(id));

	snprintf(path, sizeof(path), "log/%lld", (long long) id);
	start.log_path = josch_slice(path);
	run_set_request(run, &start);
	run->started_at = now_epoch();
	run->started_boot = now_boot();
	IS(spawn_process(&request, &run->pid, &why), 0, "a process sleeps");
	run->phase = RUN_LIVE;
	return run;
}

/* The signal that ended it, 0 while it lives. */
static int
signal_of(pid_t pid)
{
	struct timespec step = {0, 10 * 1000 * 1000};
	int			status;

	for (int i = 0; i < 20; i++)
	{
		if (waitpid(pid, &status, WNOHANG) == pid)
		{
			return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
		}
		nanosleep(&step, NULL);
	}
	return 0;
}

/* The same, waited for as long as it takes; below 0: of somebody in that group. */
static int
end_of(pid_t pid)
{
	int			status;

	return waitpid(pid, &status, 0) > 0 && WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

static void
end(Run *run)
{
	kill(-run->pid, SIGKILL);
	end_of(run->pid);
}

/* ---- a number that was given to another process ---- */

static void
test_numbers(void)
{
	static const struct
	{
		int64_t		off;		/* from when the process began to when the run says that it did */
		bool		ours;
	}			cases[] = {
		{0, true}, {-5 * SECOND, true}, {-3600 * SECOND, false}, {-11 * SECOND, false}, {1 * SECOND, false}, {3600 * SECOND, false}
	};
	Run		   *run;
	int64_t		began;

	begin();
	run = sleeper(1);
	began = run->started_boot;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		run->started_boot = began + cases[i].off;
		IS(stop_group_exists(run), cases[i].ours, "begun %lld s off: its process or not", (long long) (cases[i].off / SECOND));
	}
	run->started_boot = began - 3600 * SECOND;
	run->former = true;
	stop_run(run, 10000, JOSCH_RUN_STOP_REQUESTED);
	IS(signal_of(run->pid), 0, "TERM does not reach the process that has the number of a former runner's run");
	stop_kill(run);
	stop_sweep_sessions();
	IS(signal_of(run->pid), 0, "nor does KILL, nor the sweep of its session");
	run->former = run->killed = false;
	run->draining = true;
	stop_kill(run);
	stop_sweep_sessions();
	IS(signal_of(run->pid), 0, "nor when the main process has been reaped");
	run->killed = false;
	run->started_boot = began;
	stop_kill(run);
	IS(end_of(run->pid), SIGKILL, "its own group is killed");
	OK(!stop_group_exists(run), "and is gone then");
}

static void
test_no_number(void)
{
	Run		   *run;

	begin();
	run = run_add(owner, unit_key(1));
	run_set_request(run, &(JoschStart) {0});
	stop_run(run, 1000, JOSCH_RUN_STOP_REQUESTED);
	run->phase = RUN_LIVE;
	stop_kill(run);
	stop_sweep_sessions();
	OK(run->killed, "a run without a process that is known: nobody is signalled, least of all we");
}

static void
test_sessions(void)
{
	Run		   *run;
	Run		   *other;
	pid_t		pid;
	int			status = 0;

	begin();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run = sleeper(1);
	other = sleeper(2);
	kill(-run->pid, SIGKILL);
	end_of(run->pid);

	/* somebody in the session, in a group of its own */
	pid = fork();
	if (pid == 0)
	{
		setsid();
		if (fork() == 0)
		{
			setpgid(0, 0);
			kill(getppid(), SIGUSR1);
			pause();
		}
		pause();
		_exit(0);
	}
	run->pid = pid;
	run->started_boot = now_boot();
	IS(end_of(pid), SIGUSR1, "the leader of a session ends, and leaves one in a group of its own");
	stop_sweep_later(run);
	stop_sweep_sessions();
	OK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "which the sweep of the session finds");
	IS(signal_of(other->pid), 0, "and nobody of another session");
	end(other);
}

/* ---- the order of stopping ---- */

static void
test_graces(void)
{
	Run		   *run;
	int64_t		deadline;

	begin();
	run = sleeper(1);
	kill(run->pid, SIGSTOP);
	stop_run(run, 60000, JOSCH_RUN_STOP_REQUESTED);
	IS(end_of(run->pid), SIGTERM, "a suspended process goes on, to hear TERM");
	deadline = run->kill_boot;
	OK(deadline > now_boot() + 59 * SECOND && deadline <= now_boot() + 60 * SECOND, "KILL comes after the grace");
	IS(timer_next(), deadline, "at the time of the timer");
	stop_run(run, 120000, JOSCH_RUN_STOP_REQUESTED);
	IS(run->kill_boot, deadline, "a later STOP cannot lengthen it");
	stop_run(run, 30000, JOSCH_RUN_TIMED_OUT);
	OK(run->kill_boot < deadline && run->kill_boot > now_boot() + 29 * SECOND, "but shorten it");
	IS(run->flags, JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT, "both reasons are kept");

	run = sleeper(2);
	stop_run(run, UINT64_MAX, JOSCH_RUN_STOP_REQUESTED);
	OK(run->kill_boot > now_boot() + 86400 * SECOND, "an absurd grace is a long one");
	end(run);

	run = sleeper(3);
	stop_run(run, 0, JOSCH_RUN_STOP_REQUESTED);
	IS(end_of(run->pid), SIGKILL, "without a grace it is killed at once");
	OK(run->killed && run->kill_boot == 0, "once");
	deadline = timer_next();
	stop_run(run, 5, JOSCH_RUN_TIMED_OUT);
	OK(run->flags == JOSCH_RUN_STOP_REQUESTED && run->kill_boot == 0 && timer_next() == deadline, "what is killed is not stopped again");
	run->phase = RUN_EXITED;
	run->killed = false;
	stop_run(run, 5, JOSCH_RUN_TIMED_OUT);
	IS(run->flags, JOSCH_RUN_STOP_REQUESTED, "nor what has ended");
	stop_kill(run);
	OK(!run->killed, "nor is that killed");
}

/* TERM is sent once: a command that cleans up would be hit in the middle of it. */
static void
test_one_term(void)
{
	char	   *argv[] = {"/bin/sh", "-c", "trap 'n=x$n; echo' TERM; echo; while [ \"$n\" != xx ]; do sleep 0.01; done; exit 9", NULL};
	int			out[2];
	SpawnRequest request = {argv, NULL, NULL, -1, -1};
	char	   *why = NULL;
	char		byte;
	Run		   *run;

	begin();
	OK(pipe(out) == 0, "a pipe");
	request.output_fd = out[1];
	run = run_add(owner, unit_key(1));
	run_set_request(run, &(JoschStart) {0});
	run->started_boot = now_boot();
	spawn_process(&request, &run->pid, &why);
	run->phase = RUN_LIVE;
	IS(read(out[0], &byte, 1), 1, "a shell waits for TERM");
	stop_run(run, 60000, JOSCH_RUN_STOP_REQUESTED);
	IS(read(out[0], &byte, 1), 1, "and hears it");
	stop_run(run, 50000, JOSCH_RUN_STOP_REQUESTED);
	IS(signal_of(run->pid), 0, "a second STOP sends no second TERM");
	end(run);
}

/* ---- readiness ---- */

static Run *
service(int64_t id, const char *ready)
{
	Run		   *run = sleeper(id);

	run->flags |= JOSCH_RUN_LONG_RUNNING;
	if (ready != NULL)
	{
		JoschBuffer packed = {NULL, 0, 0, xrealloc};
		JoschStrings list = {0};

		josch_strings_add(&packed, &list, josch_slice("/bin/sh"));
		josch_strings_add(&packed, &list, josch_slice("-c"));
		josch_strings_add(&packed, &list, josch_slice(ready));
		run->ready_argv = strings_dup(list);
		free(packed.data);
	}
	return run;
}

static int
reap_probe(Run *run)
{
	ChildKind	kind = CHILD_COMMAND;
	Run		   *same = NULL;
	pid_t		pid = run->probe_pid;
	int			status = 0;

	if (waitpid(pid, &status, 0) != pid || !child_take(pid, &kind, &same) || kind != CHILD_PROBE || same != run)
	{
		OK(false, "a probe is a child that is known");
	}
	ready_probe_ended(run, status);
	return status;
}

static void
start_probe(Run *run)
{
	run->ready_boot = now_boot();
	ready_due(run);
}

static void
test_probes(void)
{
	static const int gaps[] = {150, 225, 337, 505, 757, 1000, 1000};
	Run		   *run;
	pid_t		pid;

	begin();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run = service(1, "exit 1");
	ready_schedule(run);
	OK(run->ready_boot > now_boot() && run->ready_boot <= now_boot() + 100 * MS, "the first probe comes after a tenth of a second");
	ready_due(run);
	IS(run->probe_pid, 0, "and not before");
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
	{
		start_probe(run);
		reap_probe(run);
		IS(run->probe_gap_ms, gaps[i], "then they come at growing gaps, up to a second");
	}
	OK(!(run->flags & JOSCH_RUN_UP) && run->probe_pid == 0, "one that fails says nothing");
	OK(run->ready_boot > now_boot() + 900 * MS && timer_next() == run->ready_boot, "but that another has to come");
	end(run);

	/* one that hangs */
	run = service(2, "sleep 1000 & sleep 1000");
	ready_schedule(run);
	start_probe(run);
	OK(run->probe_kill_boot > now_boot() + 9 * SECOND && run->probe_kill_boot <= now_boot() + 10 * SECOND, "a probe has ten seconds");
	ready_due(run);
	IS(signal_of(run->probe_pid), 0, "in which it is left alone");
	pid = run->probe_pid;
	run->probe_kill_boot = now_boot() - 1;
	ready_due(run);
	IS(WTERMSIG(reap_probe(run)), SIGKILL, "then it is killed");
	IS(end_of(-pid), SIGKILL, "with all of its group");
	OK(!(run->flags & JOSCH_RUN_UP) && run->ready_boot != 0 && run->probe_kill_boot == 0, "which is no success, and another follows");
	end(run);
}

static void
test_up(void)
{
	Run		   *run;

	begin();
	run = service(1, "exit 0");
	ready_schedule(run);
	start_probe(run);
	reap_probe(run);
	OK((run->flags & JOSCH_RUN_UP) && run->up_at > 0 && run->ready_boot == 0 && run->probe_kill_boot == 0, "a probe that succeeds: it is up, and asked no more");
	ready_schedule(run);
	IS(run->ready_boot, 0, "also by a later life");
	end(run);

	run = service(2, "kill -9 $$");
	start_probe(run);
	reap_probe(run);
	OK(!(run->flags & JOSCH_RUN_UP), "a probe that is killed has not succeeded");
	stop_run(run, 60000, JOSCH_RUN_STOP_REQUESTED);
	OK(run->ready_boot == 0, "a run that is to stop is asked no more");
	end_of(run->pid);

	run = service(3, "exit 0");
	start_probe(run);
	run->flags |= JOSCH_RUN_TIMED_OUT;
	reap_probe(run);
	OK(!(run->flags & JOSCH_RUN_UP), "nor does it become up when its time is over");
	end(run);

	run = service(4, "sleep 1000");
	start_probe(run);
	{
		pid_t		pid = run->probe_pid;
		ChildKind	kind;
		Run		   *same;

		ready_cancel(run);
		IS(end_of(pid), SIGKILL, "a probe that nobody waits for is killed");
		OK(!child_take(pid, &kind, &same), "and is nobody's child");
	}
	OK(run->probe_pid == 0 && run->probe_kill_boot == 0 && run->ready_boot == 0, "with its deadlines");
	end(run);
}

static void
test_lives_for_a_while(void)
{
	Run		   *run;

	begin();
	run = service(1, NULL);
	run->ready_after_ms = 5000;
	ready_schedule(run);
	IS(run->ready_boot, run->started_boot + 5 * SECOND, "without a probe: up when it has lived for as long as was said");
	ready_due(run);
	OK(!(run->flags & JOSCH_RUN_UP), "not before");
	run->ready_boot = now_boot();
	ready_due(run);
	OK((run->flags & JOSCH_RUN_UP) && run->up_at > 0, "but then");
	end(run);
	run = service(2, NULL);
	run->ready_after_ms = UINT64_MAX;
	ready_schedule(run);
	OK(run->ready_boot > now_boot() + 86400 * SECOND, "an absurd time is a long one");
	end(run);
	run = sleeper(3);
	ready_schedule(run);
	IS(run->ready_boot, 0, "what is not long-running is not asked");
	end(run);
}

/* ---- watching ---- */

/* A process that holds the locks of a run as a command of a former runner does; a byte in *told says so. */
static pid_t
holder(int64_t id, bool lock, bool log, int *told)
{
	int			fds[2];
	pid_t		pid;
	char		byte = 0;

	if (pipe(fds) != 0 || (pid = fork()) < 0)
	{
		OK(false, "a process that holds locks");
		exit(1);
	}
	if (pid == 0)
	{
		char		path[32];

		if (lock)
		{
			lock_create(owner, unit_key(id));
		}
		snprintf(path, sizeof(path), "log/%lld", (long long) id);
		if (log)
		{
			flock(spool_open(path, O_WRONLY | O_CREAT | O_APPEND), LOCK_EX);
		}
		close(fds[0]);
		*told = (int) write(fds[1], &byte, 1);
		pause();
		_exit(0);
	}
	close(fds[1]);
	*told = (int) read(fds[0], &byte, 1);
	close(fds[0]);
	return pid;
}

static Run *
left_behind(int64_t id)
{
	JoschStart	start = {0};
	char		path[32];
	Run		   *run = run_add(owner, unit_key(id));

	snprintf(path, sizeof(path), "log/%lld", (long long) id);
	start.log_path = josch_slice(path);
	run_set_request(run, &start);
	return run;
}

static void
test_watching(void)
{
	static const struct
	{
		bool		lock;
		bool		log;
		const char *what;
	}			cases[] = {{true, true, "both files"}, {true, false, "its lock file"}, {false, true, "its log"}};
	Run		   *run;
	int			told;

	begin();
	for (int64_t i = 0; i < 3; i++)
	{
		pid_t		pid = holder(i + 1, cases[i].lock, cases[i].log, &told);
		int			status = 0;

		run = left_behind(i + 1);
		OK(watch_start(run) && run->phase == RUN_LIVE && run->former && (run->flags & JOSCH_RUN_WATCHED), "a run that holds %s lives", cases[i].what);
		OK(run->started_boot > now_boot() - SECOND, "its time-out counts from now, if nothing is known");
		IS(signal_of(run->watcher_pid), 0, "somebody waits for it");
		kill(pid, SIGKILL);
		end_of(pid);
		OK(waitpid(run->watcher_pid, &status, 0) == run->watcher_pid && status == 0, "and ends when it has gone");
	}
	run = left_behind(4);
	run->started_boot = 7;
	OK(!watch_start(run) && run->watcher_pid == 0 && run->started_boot == 7, "one that holds nothing does not live");
}

/* Until the process waits for a lock, as /proc/locks has it. */
static void
wait_for_waiter(pid_t pid)
{
	struct timespec step = {0, 10 * 1000 * 1000};
	char		wanted[64];
	bool		waits = false;

	snprintf(wanted, sizeof(wanted), "-> FLOCK  ADVISORY  WRITE %d ", (int) pid);
	while (!waits)
	{
		FILE	   *locks = fopen("/proc/locks", "re");
		char		line[256];

		while (locks != NULL && fgets(line, sizeof(line), locks) != NULL)
		{
			waits = waits || strstr(line, wanted) != NULL;
		}
		if (locks != NULL)
		{
			fclose(locks);
		}
		nanosleep(&step, NULL);
	}
}

static void
test_watchers(void)
{
	Run		   *run;
	pid_t		pid;
	pid_t		watcher;
	pid_t		parent;
	ChildKind	kind;
	Run		   *same;
	int			told;
	int			fds[2];

	begin();
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid = holder(1, true, true, &told);
	run = left_behind(1);
	watch_start(run);
	watcher = run->watcher_pid;
	watch_cancel(run);
	IS(end_of(watcher), SIGKILL, "a watcher that is not needed any more is killed");
	OK(run->watcher_pid == 0 && !child_take(watcher, &kind, &same), "and is nobody's child");
	OK(pipe(fds) == 0, "a pipe");
	parent = fork();
	if (parent == 0)
	{
		watch_start(run);
		wait_for_waiter(run->watcher_pid);
		_exit(write(fds[1], &run->watcher_pid, sizeof(pid_t)) < 0);
	}
	OK(read(fds[0], &watcher, sizeof(pid_t)) == sizeof(pid_t) && waitpid(parent, &told, 0) == parent, "a runner dies while somebody watches for it");
	kill(pid, SIGKILL);
	end_of(pid);
	IS(end_of(watcher), SIGKILL, "and the watcher with it");
}

int
main(void)
{
	unit_test("a number that was given to another process", test_numbers);
	unit_test("no number", test_no_number);
	unit_test("sessions", test_sessions);
	unit_test("graces", test_graces);
	unit_test("one TERM", test_one_term);
	unit_test("probes", test_probes);
	unit_test("up", test_up);
	unit_test("lives for a while", test_lives_for_a_while);
	unit_test("watching", test_watching);
	unit_test("watchers", test_watchers);
	return unit_result();
}
