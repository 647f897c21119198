/*
 * src/runner/replace.c
 *	  The runner becomes another version of itself, and keeps its children.
 *
 * execve keeps the process, and so its parenthood.  The journal carries the state
 * across; only two descriptors are handed on (the listening socket, and the spool
 * with the lock on it).  Connections end: a scheduler connects again and asks for the list, as it
 * does after any other break.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void
keep_across_exec(bool keep)
{
	int			fds[] = {runner.listen_fd, runner.spool_dir};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
	{
		fcntl(fds[i], F_SETFD, keep ? 0 : FD_CLOEXEC);
	}
}

/* Ends, or begins again, what helps with live runs and cannot be handed on. */
void
replace_set_helpers(bool on)
{
	Owner	   *owner;
	Run		   *run;

	for (owner = owner_first(); owner != NULL; owner = owner->next)
	{
		for (run = owner->first; run != NULL; run = run->next)
		{
			if (run->phase != RUN_LIVE)
			{
				continue;
			}
			if (!on)
			{
				ready_cancel(run);
				watch_cancel(run);
			}
			else
			{
				if (run->flags & JOSCH_RUN_WATCHED)
				{
					run_watch(run);
				}
				ready_schedule(run);
			}
			timer_update(run);
		}
	}
}

static void
exec_program(const char *path)
{
	char	   *argv[2 * MAX_SERVER_USERS + 10];
	char		users[MAX_SERVER_USERS][16];
	char		umask[16];
	char		numbers[64];
	int			n = 0;

	snprintf(umask, sizeof(umask), "%03o", (unsigned int) runner.options.umask);
	snprintf(numbers, sizeof(numbers), "%d,%d", runner.listen_fd, runner.spool_dir);
	argv[n++] = (char *) path;
	argv[n++] = "--spool";
	argv[n++] = runner.spool;
	if (runner.options.daemon)
	{
		argv[n++] = "--daemon";
	}
	for (int i = 0; i < runner.options.server_user_count; i++)
	{
		snprintf(users[i], sizeof(users[i]), "%u", (unsigned int) runner.options.server_users[i]);
		argv[n++] = "--server-user";
		argv[n++] = users[i];
	}
	argv[n++] = "--umask";
	argv[n++] = umask;
	argv[n++] = "--resume";
	argv[n++] = numbers;
	argv[n] = NULL;
	execv(path, argv);
}

/* Does not return, unless it cannot be done: then everything is as before. */
void
replace_now(void)
{
	char	   *path;
	char	   *text;

	serve_drain();
	run_finish_lost();
	stop_sweep_sessions();
	conn_flush_all();
	path = runner.replace_by;
	runner.replace_by = NULL;
	if (journal_rewrite())
	{
		log_line("replacing ourselves by \"%s\"", path);
		replace_set_helpers(false);
		keep_across_exec(true);
		exec_program(path);
	}
	text = format("could not replace the runner by \"%s\": %s", path, strerror(errno));
	keep_across_exec(false);
	replace_set_helpers(true);
	if (runner.replace_asker != NULL)
	{
		conn_error(runner.replace_asker, text);
		conn_flush_all();
	}
	else
	{
		log_line("%s", text);
	}
	free(text);
	free(path);
}

/* Takes what a former program left to us. */
void
replace_adopt(void)
{
	runner.listen_fd = runner.options.resume_listen;
	runner.spool_dir = runner.options.resume_spool;
	keep_across_exec(false);
}
