/*
 * test/unit/process_test.c
 *	  Signals, probes and looks: whom they reach, and whom they must not.
 *
 * Whether a number of a process still means the one that was started cannot be
 * arranged with a whole runner: here a run is said to have started at another
 * time than its process.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
	char	   *own[2] = {NULL};
	SpawnRequest request = {argv, NULL, NULL, own, -1};
	char		path[32];
	JoschStart	start = {0};
	Process		process;
	char	   *why = NULL;
	Run		   *run = run_add(owner, unit_key(id));

	snprintf(path, sizeof(path), "log/%lld", (long long) id);
	start.log_path = josch_slice(path);
	run_set_request(run, &start);
	run->started_at = now_epoch();
	run->started_boot = now_boot();
	own[0] = process_mark(run);
	IS(spawn_process(&request, &run->pid, &why), 0, "a process sleeps");
	free(own[0]);
	run->start = process_look(run->pid, &process) ? process.start : 0;
	run->phase = RUN_LIVE;
	return run;
}

/* Whether all children of this process have been collected. */
static bool
has_no_child(void)
{
	return waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD;
}

/* What cannot be executed leaves nothing, and says at which step it failed. */
static void
test_stillborn(void)
{
	static const struct
	{
		const char *program;
		const char *cwd;
		int			error;
		const char *why;
	}			cases[] = {
		{"/no/such", "/", ENOENT, "could not execute \"/no/such\": No such file or directory"},
		{"/bin/true", "/no/folder", ENOENT, "could not change to directory \"/no/folder\": No such file or directory"},
		{"/etc/passwd", "/", EACCES, "could not execute \"/etc/passwd\": Permission denied"}
	};

	begin();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char	   *argv[] = {(char *) cases[i].program, NULL};
		SpawnRequest request = {argv, NULL, cases[i].cwd, NULL, -1};
		char	   *why = NULL;
		pid_t		pid;

		IS(spawn_process(&request, &pid, &why), cases[i].error, "an error");
		OK(why != NULL && strcmp(why, cases[i].why) == 0, "in words: %s", why);
		OK(has_no_child(), "and no child");
		free(why);
	}
}

/* Whenever it was made, the start time of a child is that which /proc has. */
static void
test_start_times(void)
{
	int			same = 0;

	begin();
	for (int i = 0; i < 50; i++)
	{
		struct timespec pause = {0, 1000 * (long) unit_random(9000)};
		int64_t		before;
		Run		   *run;

		nanosleep(&pause, NULL);
		before = now_boot();
		run = sleeper(i + 1);
		same += process_start_of_child(run->pid, before) == run->start;
		/* it may have been made at any time since: /proc is asked */
		same += process_start_of_child(run->pid, before - SECOND) == run->start;
		kill(run->pid, SIGKILL);
		waitpid(run->pid, NULL, 0);
	}
	IS(same, 100, "the same, of all children");
}

/* So many steps are waited for what must come; what does not come in a minute does not come. */
#define PATIENCE 6000

static void
step(void)
{
	struct timespec hundredth = {0, 10 * 1000 * 1000};

	nanosleep(&hundredth, NULL);
}

static char
state_of(pid_t pid)
{
	char		path[64];
	char		line[256];
	char		state = 0;
	FILE	   *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
	status = fopen(path, "re");
	while (status != NULL && state == 0 && fgets(line, sizeof(line), status) != NULL)
	{
		sscanf(line, "State: %c", &state);
	}
	if (status != NULL)
	{
		fclose(status);
	}
	return state;
}

/* The signal that ended it, 0 while it lives. */
static int
signal_of(pid_t pid)
{
	int			status;

	for (int i = 0; i < 20; i++)
	{
		if (waitpid(pid, &status, WNOHANG) == pid)
		{
			return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
		}
		step();
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

static Run *
add_run(int64_t id)
{
	Run		   *run = run_add(owner, unit_key(id));

	run_set_request(run, &(JoschStart) {0});
	return run;
}

/* ---- a number that was given to another process ---- */

static void
test_numbers(void)
{
	static const struct
	{
		int64_t		off;		/* from when the process began to when the run says that it did, in ticks */
		bool		ours;
	}			cases[] = {{0, true}, {-1, false}, {1, false}, {-360000, false}, {360000, false}};
	Run		   *run;
	int64_t		began;

	begin();
	run = sleeper(1);
	began = run->start;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		run->start = began + cases[i].off;
		IS(stop_group_exists(run), cases[i].ours, "begun %lld ticks off: its process or not", (long long) cases[i].off);
		IS(!process_is_over(run->pid, run->start), cases[i].ours, "and lives or does not");
	}
	run->start = began - 360000;
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
	run->start = began;
	stop_kill(run);
	IS(end_of(run->pid), SIGKILL, "its own group is killed");
	OK(!stop_group_exists(run), "and is gone then");
}

static void
test_dead_in_the_group(void)
{
	Run		   *run;

	begin();
	run = sleeper(9);
	OK(stop_group_exists(run), "a group is there while somebody of it lives");
	kill(run->pid, SIGKILL);
	for (int i = 0; i < PATIENCE && state_of(run->pid) != 'Z'; i++)
	{
		step();
	}
	OK(stop_group_exists(run), "of our own, until its dead are collected");
	run->flags |= JOSCH_RUN_WATCHED;
	OK(!stop_group_exists(run), "of a former runner, not for its dead, whom perhaps nobody collects");
	end_of(run->pid);
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
	Process		process;
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
	run->start = process_look(pid, &process) ? process.start : 0;
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
	SpawnRequest request = {argv, NULL, NULL, NULL, -1};
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

/* ---- what is no child of this runner ---- */

/* What a later runner knows of the run: all, but that its process is a child. */
static Run *
left_behind(int64_t id)
{
	return sleeper(id);
}

static void
test_watching(void)
{
	struct pollfd ended = {.events = POLLIN};
	Run		   *run;

	begin();
	run = left_behind(1);
	OK(watch_start(run) && run->phase == RUN_LIVE && run->former && (run->flags & JOSCH_RUN_WATCHED), "what lives is watched");
	ended.fd = run->watch_fd;
	IS(poll(&ended, 1, 0), 0, "its descriptor says nothing while it lives");
	kill(run->pid, SIGSTOP);
	IS(poll(&ended, 1, 50), 0, "nor when it is suspended");
	OK(watch_start(run), "which is no end");
	kill(run->pid, SIGKILL);
	ended.fd = run->watch_fd;
	IS(poll(&ended, 1, 20000), 1, "but at its end");
	OK(!watch_start(run) && run->watch_fd < 0, "one that nobody has collected does not live");
	end_of(run->pid);
	OK(!watch_start(run) && run->watch_fd < 0, "nor one that somebody has");

	run = left_behind(2);
	run->start++;
	OK(!watch_start(run) && run->watch_fd < 0, "nor one whose number another process has");
	run->start--;
	OK(watch_start(run), "which is told by its start");
	watch_cancel(run);
	OK(run->watch_fd < 0, "it can be let go");
	end(run);
}

/* Without a descriptor to spare it is looked at again and again, and never said to have ended. */
static void
test_no_descriptor(void)
{
	struct rlimit limit;
	rlim_t		before;
	Run		   *run;

	begin();
	run = left_behind(1);
	getrlimit(RLIMIT_NOFILE, &limit);
	before = limit.rlim_cur;
	for (rlim_t spare = 1; spare < 2; spare--)
	{
		limit.rlim_cur = (rlim_t) open("/dev/null", O_RDONLY) + spare;
		close((int) (limit.rlim_cur - spare));
		setrlimit(RLIMIT_NOFILE, &limit);
		OK(watch_start(run) && run->watch_fd < 0, "%d descriptors left: it lives all the same", (int) spare);
		OK(run->watch_boot > now_boot() && timer_next() == run->watch_boot, "and is looked at later");
	}
	limit.rlim_cur = before;
	setrlimit(RLIMIT_NOFILE, &limit);
	OK(watch_start(run) && run->watch_fd >= 0 && run->watch_boot == 0, "until there are more");
	end(run);
}

/* A process whose first thread has ended lives as long as the others. */
static void *
wait_for_ever(void *argument)
{
	pause();
	return argument;
}

static void
test_threads(void)
{
	Process		process;
	Run		   *run;
	pid_t		pid;

	begin();
	run = add_run(1);
	pid = fork();
	if (pid == 0)
	{
		pthread_t	thread;

		pthread_create(&thread, NULL, wait_for_ever, NULL);
		pthread_exit(NULL);
	}
	run->pid = pid;
	for (int i = 0; i < PATIENCE && state_of(pid) != 'Z'; i++)
	{
		step();
	}
	OK(process_look(pid, &process) && !process.ended, "it is no zombie, though its first thread is");
	run->start = process.start;
	OK(watch_start(run), "and is watched");
	kill(pid, SIGKILL);
	end_of(pid);
	OK(!process_look(pid, &process), "to its end");
}

/* ---- what lives of a run ---- */

static int
count_of(JoschSlice names)
{
	int			count = 0;

	for (uint32_t i = 0; i < names.len; i++)
	{
		count += names.len - i >= 7 && memcmp(names.data + i, "(sleep)", 7) == 0;
	}
	return count;
}

static bool
survives(Run *run, pid_t pid)
{
	char	   *wanted = format("%d (", (int) pid);
	bool		found;

	survivors_find(&run, 1);
	found = run->end.survivors.len > 0 && strstr(run->end.survivors.data, wanted) != NULL;
	free(wanted);
	return found;
}

static void
test_survivors(void)
{
	char	   *argv[] = {"/bin/sh", "-c", "setsid sh -c 'exec >/dev/null 2>&1; sleep 1000 & exec sleep 1000' & env -i sleep 1000 & exec sleep 1000", NULL};
	char	   *own[2] = {NULL};
	SpawnRequest request = {argv, NULL, NULL, own, -1};
	DIR		   *proc = opendir("/proc");
	JoschRunKey key;
	Process		process;
	char	   *why = NULL;
	Run		   *other;
	Run		   *run;
	Run		   *both[2];

	begin();
	other = sleeper(7);
	run = add_run(8);
	own[0] = process_mark(run);
	spawn_process(&request, &run->pid, &why);
	free(own[0]);
	run->start = process_look(run->pid, &process) ? process.start : 0;
	for (int i = 0; i < PATIENCE && (!survives(run, run->pid) || count_of(run->end.survivors) < 4); i++)
	{
		step();
	}
	OK(survives(run, run->pid), "the main process is named");
	IS(count_of(run->end.survivors), 4, "as are those in another session, without descriptors, and those without environment: %s", run->end.survivors.data);
	OK(!survives(run, other->pid) && survives(other, other->pid), "and those of no other run");
	both[0] = run;
	both[1] = other;
	survivors_find(both, 2);
	IS(count_of(run->end.survivors) + count_of(other->end.survivors), 5, "when several are asked about, each has its own");
	run->nonce++;
	run->start = 0;
	survivors_find(&run, 1);
	IS(run->end.survivors.len, 0, "the same number with another nonce is another run");
	run->nonce--;
	run->pid = 0;
	OK(survivors_find_main(run, 0, 0) && survives(run, run->pid), "the main process can be found without its number");
	IS(run->start, process.start, "it is the one that began first");
	OK(run->started_boot > now_boot() - 60 * SECOND && run->started_boot <= now_boot(), "when it started is known, too");
	OK(!survivors_find_main(run, other->pid, run->started_at), "but not under the number of another");
	stop_kill(other);
	end_of(other->pid);
	end(run);
	while (process_next(proc, &process, &key))
	{
		if (key.run_id == 8 && key.nonce == unit_key(8).nonce)
		{
			kill(process.pid, SIGKILL);
		}
	}
}

int
main(void)
{
	unit_test("stillborn", test_stillborn);
	unit_test("start times", test_start_times);
	unit_test("a number that was given to another process", test_numbers);
	unit_test("dead in the group", test_dead_in_the_group);
	unit_test("no number", test_no_number);
	unit_test("sessions", test_sessions);
	unit_test("graces", test_graces);
	unit_test("one TERM", test_one_term);
	unit_test("probes", test_probes);
	unit_test("up", test_up);
	unit_test("lives for a while", test_lives_for_a_while);
	unit_test("watching", test_watching);
	unit_test("no descriptor", test_no_descriptor);
	unit_test("threads", test_threads);
	unit_test("survivors", test_survivors);
	return unit_result();
}
