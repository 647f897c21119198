/*
 * src/runner/attach.c
 *	  Runs that an executor has elsewhere: their programs, and what is asked when one is gone.
 *
 * The program that runs here in place of the command is a witness, and no more: when it has
 * ended without saying that the command has, when the runner or the machine has died, or
 * when another server has taken over, the command may go on.  So its executor is asked, by a
 * program that starts nothing, before anybody says that it cannot be known.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_GAP_MS 1000
#define LONGEST_GAP_MS 10000

static bool
is_to_stop(const Run *run)
{
	return (run->flags & (JOSCH_RUN_STOP_REQUESTED | JOSCH_RUN_TIMED_OUT)) != 0;
}

/* Starts one of the executor's programs, whose output is added to the log.  0, or an errno and *why. */
static int
start_program(Run *run, char *const *argv, pid_t *pid, char **why)
{
	SpawnRequest request = {argv, run->env, run->cwd, NULL, -1};
	int			error;

	request.output_fd = spool_path_allowed(run->log_path) ? spool_open(run->log_path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK) : -1;
	if (request.output_fd < 0)
	{
		error = errno;
		*why = format("could not open log \"%s\": %s", run->log_path, strerror(error));
		return error;
	}
	error = spawn_for_run(run, &request, report_create(run, false), pid, why);
	close(request.output_fd);
	return error;
}

/* The other side is asked to end it, now that nobody is there who has passed a signal on. */
static void
ask_to_stop(Run *run)
{
	char	   *why = NULL;
	pid_t		pid;

	if (run->stop_argv == NULL)
	{
		/* by the one that attaches, when it has had time to be ready for a signal */
		run->attach_boot = now_boot() + FIRST_GAP_MS * MS;
	}
	else if (start_program(run, run->stop_argv, &pid, &why) != 0)
	{
		log_line("%s: stop command of run %lld: %s", run->owner->name, (long long) run->id, why);
	}
	free(why);
}

/* How it ended cannot be known, and why: a text that is freed. */
static void
set_unknown(Run *run, char *why)
{
	free((void *) run->end.reason.data);
	run->end.kind = JOSCH_EXIT_UNKNOWN;
	run->end.value = 0;
	run->end.reason.data = utf8_clean(why, strlen(why), &run->end.reason.len);
	free(why);
}

/* It goes on as it was before the process that is gone. */
static void
forget_process(Run *run)
{
	JoschSlice	tail = run->end.tail;

	watch_cancel(run);
	free((void *) run->end.reason.data);
	free((void *) run->end.survivors.data);
	run->end = (JoschExit) {.tail = tail};
	run->flags &= ~(uint32_t) JOSCH_RUN_WATCHED;
	run->phase = RUN_LIVE;
	run->former = run->killed = run->draining = run->lost = false;
	run->kill_boot = run->attach_boot = 0;
	run->pid = 0;
	run->start = 0;
	if (run->started_at == 0)
	{
		run->started_at = now_epoch();
	}
	/* what is left of its time counts from its start, in whatever boot that was */
	run->started_boot = now_boot() - (now_epoch() - run->started_at);
}

/* People see why: where a program is not there yet, somebody can put it there. */
static void
try_later(Run *run, const char *why)
{
	char	   *line = format("%s %s", josch_report_sides[JOSCH_SIDE_UNREACHABLE], why);

	log_line("%s: attaching to run %lld waits: %s", run->owner->name, (long long) run->id, why);
	report_say(run, line);
	free(line);
	run->attach_boot = now_boot() + run->attach_gap_ms * MS;
	run->attach_gap_ms = run->attach_gap_ms * 2 > LONGEST_GAP_MS ? LONGEST_GAP_MS : run->attach_gap_ms * 2;
	timer_update(run);
}

/* Starts the program that attaches; without a process then it waits for another try. */
void
attach_again(Run *run)
{
	char	   *why = NULL;
	int64_t		before = now_boot();

	if (start_program(run, run->attach_argv, &run->pid, &why) != 0)
	{
		run->pid = 0;
		try_later(run, why);
		free(why);
		return;
	}
	run->attached = true;
	run->killed = false;
	run->start = process_start_of_child(run->pid, before);
	child_add(run->pid, CHILD_COMMAND, run);
	log_line("%s: attached to run %lld", run->owner->name, (long long) run->id);
	if (run->attach_gap_ms > FIRST_GAP_MS)
	{
		report_say(run, josch_report_sides[JOSCH_SIDE_REACHABLE]);
	}
	if (is_to_stop(run))
	{
		ask_to_stop(run);
	}
}

/* What its program has said of the end; sets the end where that is the last word, and says whether it is. */
static bool
is_told(Run *run)
{
	const JoschReport *said;

	report_catch_up(run);
	said = run->report != NULL ? &run->report->kept : NULL;
	if (said != NULL && said->sides[JOSCH_SIDE_UNKNOWN].len > 0)
	{
		const JoschReportText *text = &said->sides[JOSCH_SIDE_UNKNOWN];

		set_unknown(run, format("%.*s", (int) text->len, text->text));
		return true;
	}
	return said != NULL && said->ended && (run->end.kind == JOSCH_EXIT_CODE || run->end.kind == JOSCH_EXIT_SIGNAL);
}

/* It could not say anything any more. */
static bool
was_killed(const Run *run)
{
	return run->end.kind == JOSCH_EXIT_SIGNAL && run->end.value == SIGKILL;
}

/* Another program is to say how the run ends; false: there is none. */
static bool
ask(Run *run)
{
	bool		again = run->attached;

	if (run->attach_argv == NULL)
	{
		if (is_to_stop(run))
		{
			ask_to_stop(run);
		}
		return false;
	}
	if (again && !was_killed(run))
	{
		set_unknown(run, format("the program of its executor ended by %s %u, and has not said how the run did",
								run->end.kind == JOSCH_EXIT_SIGNAL ? "signal" : "exit code", run->end.value));
		return false;
	}
	if (!report_note(run, JOSCH_SIDE_ATTACHED))
	{
		log_line("could not write into the report of run %lld, of which there may be none here: %m", (long long) run->id);
	}
	forget_process(run);
	if (run->timeout_ms > 0 && now_boot() - run->started_boot >= (int64_t) run->timeout_ms * MS)
	{
		run->flags |= JOSCH_RUN_TIMED_OUT;
	}
	if (again)
	{
		try_later(run, "the program that was attached was killed");
		return true;
	}
	run->attach_gap_ms = FIRST_GAP_MS;
	attach_again(run);
	return true;
}

/*
 * The process of a run has ended, or is lost.  True when another one has begun to say how
 * the run ends, or will; else the end is what it is, and of an executor's program that
 * has not said so it is not known.
 */
bool
attach_instead(Run *run)
{
	if (!run->executor || run->asked || run->end.kind == JOSCH_EXIT_NOT_STARTED)
	{
		return false;
	}
	run->asked = is_told(run) || !ask(run);
	return !run->asked;
}
