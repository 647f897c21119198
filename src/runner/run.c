/*
 * src/runner/run.c
 *	  The life of a run: START, its process, its end, FORGET.
 *
 * The order of the steps is what makes a run happen at most once and its end
 * known for certain: on record before there is a process, on record before
 * anybody is told, kept until the scheduler says that it has committed.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* How often to look whether the rest of a stopped group lives that was never ours. */
#define DRAIN_STEP SECOND

typedef struct RunList
{
	Run		  **runs;
	int			count;
	int			capacity;
} RunList;

static RunList draining;		/* main process gone, the rest of a stopped group not yet */
static RunList lost;			/* ended, and how is not known: to be finished by the end of the turn */
static bool reaped;				/* a child has ended since they were looked at */

/* Milliseconds from a message as microseconds; what is absurdly long means about for ever. */
static int64_t
span(uint64_t ms)
{
	return ms > (uint64_t) INT64_MAX / 4000 ? INT64_MAX / 4 : (int64_t) ms * MS;
}

static void
arm(Run *run)
{
	if (run->timeout_ms > 0 && !(run->flags & JOSCH_RUN_TIMED_OUT))
	{
		run->timeout_boot = run->started_boot + span(run->timeout_ms);
	}
	ready_schedule(run);
	trim_begin(run);
	timer_update(run);
}

static void
arm_unless_lost(Run *run)
{
	if (!run->lost)
	{
		arm(run);
	}
}

/* Why a run does not start. */
typedef struct Obstacle
{
	int			error;			/* errno; 0: none */
	bool		passing;		/* it is to be tried again */
	char	   *why;
} Obstacle;

/* A descriptor of the new log file.  -1 when there is none. */
static int
create_log(const Run *run, Obstacle *obstacle)
{
	int			fd;

	if (!spool_path_allowed(run->log_path))
	{
		obstacle->error = EINVAL;
		obstacle->why = format("log path \"%s\" is not a path to a file in a folder of the spool", run->log_path);
		return -1;
	}
	fd = spool_open(run->log_path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
	if (fd >= 0)
	{
		return fd;
	}
	obstacle->error = errno;
	obstacle->passing = shortage_of_spool_passes(errno);
	obstacle->why = obstacle->passing ? shortage_text(obstacle->error, "could not create the log file") :
		format("could not create log file \"%s\": %s%s", run->log_path,
			   obstacle->error == ELOOP || obstacle->error == ENOTDIR ? "a part of its path is no folder: " : "",
			   strerror(obstacle->error));
	return -1;
}

/* Where it may say what is to be known of it; false: nowhere.  Only what passes keeps it from starting. */
static bool
create_report(Run *run, Obstacle *obstacle)
{
	if (report_create(run, true))
	{
		return true;
	}
	if (errno == 0)
	{
		return false;
	}
	if (shortage_of_spool_passes(errno))
	{
		obstacle->error = errno;
		obstacle->passing = true;
		obstacle->why = shortage_text(obstacle->error, "could not create the file of its report");
	}
	else
	{
		log_line("could not create the file of the report of run %lld: %m", (long long) run->id);
	}
	return false;
}

static char *
check_start(const JoschStart *start, char *const *env)
{
	if (start->argv.count == 0)
	{
		return xstrdup("the command is empty");
	}
	for (; *env != NULL; env++)
	{
		if (strchr(*env, '=') == NULL || (*env)[0] == '=')
		{
			return format("environment entry \"%s\" is not of the form NAME=value", *env);
		}
	}
	return NULL;
}

/* Starts the process, or says what is in the way. */
static Obstacle
launch(Run *run, const JoschStart *start)
{
	char	  **argv = strings_dup(start->argv);
	char	  **env = strings_dup(start->env);
	char	   *cwd = slice_dup(start->cwd);
	SpawnRequest request = {argv, env, cwd, NULL, -1};
	Obstacle	obstacle = {.why = check_start(start, env)};
	bool		reports = false;

	if (obstacle.why != NULL)
	{
		obstacle.error = EINVAL;
	}
	else
	{
		request.output_fd = create_log(run, &obstacle);
	}
	if (obstacle.error == 0)
	{
		reports = create_report(run, &obstacle);
	}
	if (obstacle.error == 0)
	{
		run->started_at = now_epoch();
		run->started_boot = now_boot();
		obstacle.error = spawn_for_run(run, &request, reports, &run->pid, &obstacle.why);
		obstacle.passing = shortage_passes(obstacle.error);
	}
	if (request.output_fd >= 0)
	{
		close(request.output_fd);
		if (obstacle.error != 0)
		{
			log_remove(run->log_path);
			report_remove(run);
		}
	}
	free(argv);
	free(env);
	free(cwd);
	return obstacle;
}

static void
tell_obstacle(Run *run, const Obstacle *obstacle)
{
	run->pid = 0;
	run->started_at = 0;
	run->end.kind = JOSCH_EXIT_NOT_STARTED;
	run->end.value = (uint32_t) obstacle->error;
	run->end.ended_at = now_epoch();
	run->end.tail.data = utf8_clean(obstacle->why, strnlen(obstacle->why, JOSCH_TAIL_MAX), &run->end.tail.len);
	log_line("%s: run %lld did not start: %s", run->owner->name, (long long) run->id, obstacle->why);
	tell_start_failed(run, obstacle->passing);
}

/* It will never start: kept until FORGET, as any end. */
static void
fail_start(Run *run, const Obstacle *obstacle)
{
	run->phase = RUN_EXITED;
	tell_obstacle(run, obstacle);
	if (!journal_exit(run))
	{
		log_line("could not record that run %lld did not start: %m", (long long) run->id);
	}
}

/* It may be sent again: answer, and know nothing of it. */
static void
drop_start(Run *run, const Obstacle *obstacle)
{
	tell_obstacle(run, obstacle);
	run_remove(run);
}

/* It has a process: on record, with its deadlines, and told. */
static void
run_begun(Run *run)
{
	journal_spawned(run);
	arm(run);
	tell_started_soon(run);
}

/* From here on the run is on record. */
static void
start_recorded(Run *run, const JoschStart *start)
{
	Obstacle	obstacle = launch(run, start);

	if (obstacle.error != 0)
	{
		obstacle.passing = obstacle.passing && journal_take_back();
		(obstacle.passing ? drop_start : fail_start) (run, &obstacle);
		free(obstacle.why);
		return;
	}
	run->phase = RUN_LIVE;
	/* nobody has collected it yet: it is there, also when it has ended */
	run->start = process_start_of_child(run->pid, run->started_boot);
	child_add(run->pid, CHILD_COMMAND, run);
	run_begun(run);
}

/* The run cannot even be put on record. */
static void
refuse_start(Run *run, int error)
{
	Obstacle	obstacle = {error, shortage_of_spool_passes(error), shortage_text(error, "could not write the journal")};

	drop_start(run, &obstacle);
	free(obstacle.why);
}

/* START of a run that has not been seen. */
void
run_start(Conn *conn, const JoschStart *start)
{
	JoschRunKey key = {start->run_id, start->nonce};
	Run		   *run = run_add(conn->owner, key);

	int			error = shortage_of_room();

	run_set_request(run, start);
	if (error == 0 && !journal_start(run))
	{
		error = errno;
	}
	if (error != 0)
	{
		refuse_start(run, error);
	}
	else
	{
		start_recorded(run, start);
	}
}

static int64_t
micros(struct timeval tv)
{
	return (int64_t) tv.tv_sec * SECOND + tv.tv_usec;
}

static void
add_to(RunList *list, Run *run)
{
	if (list->count == list->capacity)
	{
		list->capacity = list->capacity ? list->capacity * 2 : 16;
		list->runs = xrealloc(list->runs, (size_t) list->capacity * sizeof(Run *));
	}
	list->runs[list->count++] = run;
}

/* How it ended is lost; the turn ends it, when it is known what lives of it. */
static void
lose(Run *run, JoschExitKind kind, int64_t ended_at)
{
	run->end.kind = kind;
	run->end.ended_at = ended_at;
	run->lost = true;
	add_to(&lost, run);
}

/* Another process may have taken the place of the one that is gone. */
static bool
goes_on(Run *run, bool attached)
{
	if (attached && run->pid != 0)
	{
		run_begun(run);
	}
	return attached;
}

/* The end is final, unless an executor is to be asked: record it, tell it, give up all that a live run has. */
static void
run_finish(Run *run)
{
	int64_t		log_size;

	if (goes_on(run, attach_instead(run)))
	{
		return;
	}
	if (run->executor && run->end.kind == JOSCH_EXIT_UNKNOWN && run->end.survivors.data == NULL)
	{
		lose(run, JOSCH_EXIT_UNKNOWN, run->end.ended_at);	/* what lives of it here is looked for first */
		return;
	}
	run->phase = RUN_EXITED;
	run->draining = false;
	run->end.flags = run->flags;
	run->timeout_boot = run->kill_boot = run->watch_boot = run->trim_boot = run->report_boot = run->attach_boot = 0;
	ready_cancel(run);
	watch_cancel(run);
	timer_update(run);
	/* whose numbers are whose is known of what was seen to end */
	if (run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT) && run->end.kind != JOSCH_EXIT_UNKNOWN)
	{
		stop_sweep_later(run);
	}
	free((void *) run->end.tail.data);
	run->end.tail.data = log_tail(run->log_path, &run->end.tail.len, &log_size);
	trim_end(run, log_size);
	report_end(run);
	if (!journal_exit(run))
	{
		log_line("could not record the end of run %lld: %m", (long long) run->id);
	}
	tell_exited(run);
}

/* It is time to try once more to attach, or to tell the one that has that the run is to stop. */
void
run_attach_due(Run *run)
{
	if (run->phase != RUN_LIVE || run->lost)
	{
		return;
	}
	if (run->pid != 0)
	{
		stop_term(run);
	}
	else
	{
		attach_again(run);
		(void) goes_on(run, true);
	}
}

/* Finishes the runs whose end is lost: one look at all processes for all of them that nobody else is asked about. */
void
run_finish_lost(void)
{
	int			kept = 0;

	for (int i = 0; i < lost.count; i++)
	{
		lost.runs[kept] = lost.runs[i];
		kept += !goes_on(lost.runs[i], attach_instead(lost.runs[i]));
	}
	lost.count = kept;
	if (lost.count > 0)
	{
		survivors_find(lost.runs, lost.count);
	}
	for (int i = 0; i < lost.count; i++)
	{
		log_line("run %lld ended, or is lost, while nobody watched", (long long) lost.runs[i]->id);
		lost.runs[i]->lost = false;
		run_finish(lost.runs[i]);
	}
	lost.count = 0;
}

static void
drain(Run *run)
{
	run->draining = true;
	add_to(&draining, run);
}

/* The main process of a run that a former runner started has ended. */
void
run_watched_ended(Run *run)
{
	watch_cancel(run);
	if ((run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT)) && !run->killed && stop_group_exists(run))
	{
		run->end.kind = JOSCH_EXIT_WATCHED;
		run->end.ended_at = now_epoch();
		run->watch_boot = now_boot() + DRAIN_STEP;
		drain(run);
	}
	else
	{
		lose(run, JOSCH_EXIT_WATCHED, now_epoch());
	}
	timer_update(run);
}

/* Watches a run that is no child of ours, to its end. */
void
run_watch(Run *run)
{
	bool		watched = run->phase == RUN_LIVE && run->flags & JOSCH_RUN_WATCHED;

	if (run->draining)
	{
		/* the rest of its group are no children of ours: nobody tells when they have ended */
		reaped = true;
		run->watch_boot = now_boot() + DRAIN_STEP;
		timer_update(run);
	}
	else if (watch_start(run))
	{
		return;
	}
	else if (watched)
	{
		run_watched_ended(run);
	}
	else
	{
		lose(run, JOSCH_EXIT_UNKNOWN, 0);
	}
}

/* START of a run that was started before, of which nothing is on record here: watch it, if it lives. */
void
run_adopt(Conn *conn, const JoschStart *start)
{
	Run		   *run = run_add(conn->owner, (JoschRunKey) {start->run_id, start->nonce});

	run_set_request(run, start);
	if (!journal_start(run))
	{
		log_line("could not record that run %lld is watched: %m", (long long) run->id);
	}
	if (!survivors_find_main(run, (pid_t) start->pid, start->started_at))
	{
		run->started_at = start->started_at;
		run->end.reason = josch_slice(slice_dup(start->reason));
		lose(run, JOSCH_EXIT_UNKNOWN, 0);
		return;
	}
	log_line("run %lld lives, and is not on record: watching it", (long long) run->id);
	journal_spawned(run);
	report_resume(run);
	run_watch(run);
	arm_unless_lost(run);
	tell_started_soon(run);
}

/*
 * The main process has ended.  Of a stopped run the others of its group still
 * have what is left of the grace; their end is the run's end.
 */
static void
run_ended(Run *run, int status, const struct rusage *usage)
{
	JoschExit  *end = &run->end;

	end->kind = WIFSIGNALED(status) ? JOSCH_EXIT_SIGNAL : JOSCH_EXIT_CODE;
	end->value = (uint32_t) (WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	end->ended_at = now_epoch();
	end->cpu_user_us = (uint64_t) micros(usage->ru_utime);
	end->cpu_sys_us = (uint64_t) micros(usage->ru_stime);
	end->maxrss_kb = (uint64_t) usage->ru_maxrss;
	if ((run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT)) && !run->killed)
	{
		drain(run);
	}
	else
	{
		run_finish(run);
	}
}

/*
 * Finishes the runs whose stopped group has been killed, or has no process
 * left: that can only be so when a child has ended.
 */
void
run_finish_drained(void)
{
	int			kept = 0;

	for (int i = 0; i < draining.count; i++)
	{
		Run		   *run = draining.runs[i];

		if (!run->killed && (!reaped || stop_group_exists(run)))
		{
			draining.runs[kept++] = run;
		}
		else if (run->end.kind == JOSCH_EXIT_WATCHED)
		{
			lose(run, JOSCH_EXIT_WATCHED, run->end.ended_at);
		}
		else
		{
			run_finish(run);
		}
	}
	draining.count = kept;
	reaped = false;
}

/* Collects all children that have ended: ours, and orphans that fell to us. */
void
run_reap(void)
{
	struct rusage usage;
	ChildKind	kind;
	Run		   *run;
	pid_t		pid;
	int			status;

	while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0)
	{
		reaped = true;
		if (!child_take(pid, &kind, &run))
		{
			continue;
		}
		switch (kind)
		{
			case CHILD_COMMAND:
				run_ended(run, status, &usage);
				break;
			case CHILD_PROBE:
				ready_probe_ended(run, status);
				break;
		}
	}
}

/* Whether there is a run that somebody will ask about. */
bool
run_any(void)
{
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		if (owner->first != NULL)
		{
			return true;
		}
	}
	return false;
}

/* True while a stopped run has lost its main process, which nobody could wait for again. */
bool
run_any_draining(void)
{
	return draining.count > 0;
}

/* Cuts the grace short, so that how their main processes ended gets on record. */
void
run_kill_draining(void)
{
	run_finish_drained();
	for (int i = 0; i < draining.count; i++)
	{
		stop_kill(draining.runs[i]);
	}
	run_finish_drained();
}

/* Drops an owner's runs among these; of the asker's own, also those that are not known are never to be started. */
static void
forget_of(Owner *owner, const JoschForget *forget, bool own)
{
	JoschBuffer keys = {NULL, 0, 0, xrealloc};
	JoschCodec	c = {&keys, NULL, 0, false};
	JoschSlice	slice;

	for (uint32_t i = 0; i < josch_forget_count(forget); i++)
	{
		JoschRunKey key = josch_forget_key(forget, i);
		Run		   *run = run_find(owner, key);

		if (run == NULL && !own)
		{
			continue;
		}
		if (key.run_id <= 0 || (run != NULL && run->phase != RUN_EXITED))
		{
			log_line("%s: run %lld is to be forgotten, but has not ended", owner->name, (long long) key.run_id);
			continue;
		}
		josch_code_key(&c, &key);
		seen_add(&owner->forgotten, key);
		if (run != NULL)
		{
			conn_forget_run(run);
			report_remove(run);
			run_remove(run);
		}
	}
	slice.data = (const char *) keys.data;
	slice.len = (uint32_t) keys.len;
	if (keys.len > 0 && !journal_forget(owner, slice))
	{
		log_line("could not record what is forgotten: %m");
	}
	free(keys.data);
}

/* Drops the runs whose end is committed.  A live run cannot be forgotten. */
void
run_forget(const Owner *asker, const JoschForget *forget)
{
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		if (owner_is_meant(owner, asker, forget->scope))
		{
			forget_of(owner, forget, owner == asker);
		}
	}
}

void
run_describe(const Run *run, JoschRun *out)
{
	memset(out, 0, sizeof(*out));
	out->run_id = run->id;
	out->nonce = run->nonce;
	out->log_path = josch_slice(run->log_path);
	out->flags = run->flags;
	out->pid = run->pid;
	out->started_at = run->started_at;
	out->up_at = run->up_at;
	out->report = report_text(run);
	switch (run->phase)
	{
		case RUN_STARTING:
		case RUN_LIVE:
			out->state = run->flags & JOSCH_RUN_WATCHED ? JOSCH_RUN_STATE_WATCHED :
				run->phase == RUN_STARTING ? JOSCH_RUN_STATE_STARTING :
				run->flags & JOSCH_RUN_UP ? JOSCH_RUN_STATE_UP : JOSCH_RUN_STATE_RUNNING;
			break;
		case RUN_EXITED:
			out->state = JOSCH_RUN_STATE_EXITED;
			out->end = run->end;
			break;
	}
}

static bool
is_our_child(pid_t pid)
{
	siginfo_t	info;

	return waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Goes on with what the journal gave: children of this process, or of a runner that died. */
void
run_resume_all(void)
{
	Owner	   *owner;
	Run		   *run;

	for (owner = owner_first(); owner != NULL; owner = owner->next)
	{
		for (run = owner->first; run != NULL; run = run->next)
		{
			if (run->phase == RUN_EXITED)
			{
				continue;
			}
			if (runner.other_boot)
			{
				lose(run, JOSCH_EXIT_UNKNOWN, 0);
				continue;
			}
			if (run->former || run->phase == RUN_STARTING || !is_our_child(run->pid))
			{
				run_watch(run);
			}
			else
			{
				child_add(run->pid, CHILD_COMMAND, run);
			}
			arm_unless_lost(run);
			report_resume(run);
		}
	}
}
