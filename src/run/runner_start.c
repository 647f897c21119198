/*
 * src/run/runner_start.c
 *	  Finds the socket of a spool's runner; starts one where none answers.
 *
 * A runner outlives the server, so it is a process of its own from the first
 * moment: nothing of ours goes along, and it is done when it has gone to the
 * background.
 */
#include "base/josch.h"

#include "run/runner_start.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

#define RUNNER_PROGRAM "josch/josch-runner"

/* that of a login; the server's own, 077, is for the data directory, and would keep what commands make from everybody */
#define COMMAND_UMASK "022"

void
josch_runner_program(char *path)
{
	snprintf(path, MAXPGPATH, "%s/%s", pkglib_path, RUNNER_PROGRAM);
}

/* A connected socket, or PGINVALID_SOCKET and errno. */
static pgsocket
open_socket(const char *spool)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int			dir = BasicOpenFile(spool, O_PATH | O_DIRECTORY | O_CLOEXEC);
	pgsocket	fd;
	int			saved;

	if (dir < 0)
	{
		return PGINVALID_SOCKET;
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* through the descriptor: the spool's path may be longer than an address can be */
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/runner.sock", dir);
	if (fd != PGINVALID_SOCKET && connect(fd, (struct sockaddr *) &address, sizeof(address)) != 0)
	{
		saved = errno;
		close(fd);
		errno = saved;
		fd = PGINVALID_SOCKET;
	}
	saved = errno;
	close(dir);
	errno = saved;
	return fd;
}

/*
 * Spawns the program with nothing of ours but stderr, which is the server's
 * log until the runner has gone to the background.
 */
static int
spawn_runner(const char *path, const char *spool, pid_t *pid)
{
	char	   *argv[] = {(char *) path, "--daemon", "--spool", (char *) spool, "--umask", COMMAND_UMASK, NULL};
	char	   *env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t	none;
	sigset_t	all;
	int			error;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes,
							 POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	error = posix_spawn(pid, path, &actions, &attributes, argv, env);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

/* Starts a runner and waits until it listens.  NULL, or why it does not. */
static char *
start_runner(const char *spool)
{
	char		path[MAXPGPATH];
	pid_t		pid;
	int			status = 0;
	int			error;

	josch_runner_program(path);
	error = spawn_runner(path, spool, &pid);
	if (error != 0)
	{
		return psprintf("could not execute \"%s\": %s", path, strerror(error));
	}
	while (waitpid(pid, &status, 0) < 0)
	{
		if (errno != EINTR)
		{
			return psprintf("could not wait for \"%s\": %s", path, strerror(errno));
		}
	}
	if (status != 0)
	{
		return psprintf("\"%s\" could not start in directory \"%s\"", path, spool);
	}
	return NULL;
}

pgsocket
josch_runner_open(const char *spool, bool may_start, char **reason)
{
	pgsocket	fd = open_socket(spool);

	*reason = NULL;
	if (fd == PGINVALID_SOCKET && may_start && (errno == ENOENT || errno == ECONNREFUSED))
	{
		*reason = start_runner(spool);
		if (*reason != NULL)
		{
			return PGINVALID_SOCKET;
		}
		fd = open_socket(spool);
	}
	if (fd == PGINVALID_SOCKET)
	{
		*reason = psprintf("no runner answers in directory \"%s\": %s", spool, strerror(errno));
	}
	return fd;
}
