/*
 * src/runner/spawn.c
 *	  Turns a request into a process.
 *
 * A session of its own, default signals, the umask of commands, the descriptors
 * 0, 1, 2 and no other, and an environment built from scratch.  posix_spawn shares
 * the memory with the child until it has exec'd, so that starting costs the same
 * however large the runner is.  What it cannot do is say which step went wrong, and
 * search the PATH of the child instead of ours; both are done here.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static char *base_env[8];
static int	base_count;
static char *home;
static posix_spawnattr_t attributes;

/* Prepares what all processes have in common. */
void
spawn_init(void)
{
	struct passwd *pw = getpwuid(getuid());
	const char *user = pw ? pw->pw_name : "";
	sigset_t	none;
	sigset_t	all;

	home = xstrdup(pw && access(pw->pw_dir, X_OK) == 0 ? pw->pw_dir : "/");
	base_env[base_count++] = xstrdup("PATH=" DEFAULT_PATH);
	base_env[base_count++] = format("HOME=%s", home);
	if (pw != NULL)
	{
		base_env[base_count++] = format("USER=%s", user);
		base_env[base_count++] = format("LOGNAME=%s", user);
	}
	base_env[base_count++] = xstrdup("SHELL=/bin/sh");
	base_env[base_count++] = xstrdup("LANG=C.UTF-8");

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes,
							 POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

static size_t
name_length(const char *entry)
{
	return strcspn(entry, "=");
}

static const char *
find_variable(char *const *env, const char *name)
{
	size_t		len = strlen(name);

	for (; *env != NULL; env++)
	{
		if (strncmp(*env, name, len) == 0 && (*env)[len] == '=')
		{
			return *env + len + 1;
		}
	}
	return NULL;
}

/* Sets the entry in env[0..*count); a later one wins. */
static void
set_variable(char **env, size_t *count, char *entry)
{
	size_t		len = name_length(entry);

	for (size_t i = 0; i < *count; i++)
	{
		if (name_length(env[i]) == len && strncmp(env[i], entry, len) == 0)
		{
			env[i] = entry;
			return;
		}
	}
	env[(*count)++] = entry;
}

/* The base, the message's entries on top, then the mark; the array is to be freed, its strings are not. */
static char **
build_env(char *const *entries, char *mark)
{
	size_t		count = 0;
	size_t		entry_count = 0;
	char	  **env;

	while (entries != NULL && entries[entry_count] != NULL)
	{
		entry_count++;
	}
	env = xcalloc((size_t) base_count + entry_count + 2, sizeof(char *));
	for (int i = 0; i < base_count; i++)
	{
		env[count++] = base_env[i];
	}
	for (; entries != NULL && *entries != NULL; entries++)
	{
		set_variable(env, &count, *entries);
	}
	if (mark != NULL)
	{
		set_variable(env, &count, mark);
	}
	env[count] = NULL;
	return env;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/*
 * The program's path, to be freed; NULL when PATH does not lead to it.  A
 * relative part of PATH, and a name with a slash, mean the run's folder.
 */
static char *
find_program(const char *name, const char *path, const char *cwd)
{
	if (strchr(name, '/') != NULL)
	{
		return xstrdup(name);
	}
	while (name[0] != '\0')
	{
		int			len = (int) strcspn(path, ":");
		char	   *found = format("%s%s%.*s%s%s", path[0] == '/' ? "" : cwd, path[0] == '/' ? "" : "/",
								   len, path, len > 0 ? "/" : "", name);

		if (is_program(found))
		{
			return found;
		}
		free(found);
		if (path[len] == '\0')
		{
			break;
		}
		path += len + 1;
	}
	return NULL;
}

/* Says in words why spawning gave `error`. */
static char *
explain(int error, const char *program, const char *cwd)
{
	int			dir;

	if (shortage_passes(error))
	{
		return shortage_text(error, "could not start a process");
	}
	dir = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || faccessat(dir, ".", X_OK, AT_EACCESS) != 0)
	{
		char	   *why = format("could not change to directory \"%s\": %s", cwd, strerror(errno));

		if (dir >= 0)
		{
			close(dir);
		}
		return why;
	}
	close(dir);
	return format("could not execute \"%s\": %s", program, strerror(error));
}

/*
 * A file that the kernel cannot execute is a script without a first line: given
 * to /bin/sh, as a shell does with it.
 */
static int
spawn_script(pid_t *pid, const char *program, posix_spawn_file_actions_t *actions,
			 char *const *argv, char **env)
{
	size_t		n = 0;
	char	  **words;
	int			error;

	while (argv[n] != NULL)
	{
		n++;
	}
	words = xcalloc(n + 2, sizeof(char *));
	words[0] = (char *) "/bin/sh";
	words[1] = (char *) program;
	memcpy(words + 2, argv + 1, n * sizeof(char *));	/* its NULL too */
	error = posix_spawn(pid, "/bin/sh", actions, &attributes, words, env);
	free(words);
	return error;
}

/* With the umask of commands, which the process takes from us as we are. */
static int
spawn_with_umask(const SpawnRequest *request, pid_t *pid, const char *program,
				 posix_spawn_file_actions_t *actions, char **env)
{
	mode_t		own = umask((mode_t) runner.options.umask);
	int			error = posix_spawn(pid, program, actions, &attributes, request->argv, env);

	if (error == ENOEXEC)
	{
		error = spawn_script(pid, program, actions, request->argv, env);
	}
	umask(own);
	return error;
}

/* Starts the process.  0, or an errno and *why, to be freed. */
int
spawn_process(const SpawnRequest *request, pid_t *pid, char **why)
{
	posix_spawn_file_actions_t actions;
	const char *cwd = request->cwd && request->cwd[0] ? request->cwd : home;
	char	  **env = build_env(request->env, request->mark);
	const char *path = find_variable(env, "PATH");
	char	   *program = find_program(request->argv[0], path ? path : DEFAULT_PATH, cwd);
	int			error = ENOENT;

	if (program == NULL)
	{
		*why = format("could not find program \"%s\" in PATH \"%s\"",
					  request->argv[0], path ? path : DEFAULT_PATH);
		free(env);
		return error;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	if (request->output_fd >= 0)
	{
		posix_spawn_file_actions_adddup2(&actions, request->output_fd, 1);
	}
	else
	{
		posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	}
	posix_spawn_file_actions_adddup2(&actions, 1, 2);
	posix_spawn_file_actions_addchdir_np(&actions, cwd);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	error = spawn_with_umask(request, pid, program, &actions, env);
	posix_spawn_file_actions_destroy(&actions);
	if (error != 0)
	{
		*why = explain(error, program, cwd);
	}
	free(program);
	free(env);
	return error;
}
