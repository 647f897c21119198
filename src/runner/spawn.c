/*
 * src/runner/spawn.c
 *	  Turns a request into a process.
 *
 * A session of its own, default signals, the umask of commands, the descriptors
 * 0, 1, 2 and no other, and an environment built from scratch.  The child shares our
 * memory until it has exec'd, while we wait: starting costs the same however large the
 * runner is, and the child writes down which step went wrong.  This is what posix_spawn
 * does, but for the hundred system calls in which it sets every signal: we have no
 * handler, and know which signals we ignore.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_PATH "/usr/local/bin:/usr/bin:/bin"

static char *base_env[8];
static int	base_count;
static char *home;

/* Ignored by us, and not by commands. */
static int	ignored[NSIG];
static int	ignored_count;

/* Of the child, until it has exec'd. */
static char stack[32 * 1024] __attribute__((aligned(64)));

static void
find_ignored(void)
{
	for (int i = 1; i < NSIG; i++)
	{
		struct sigaction action;

		if (sigaction(i, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
		{
			ignored[ignored_count++] = i;
		}
	}
}

/* Prepares what all processes have in common. */
void
spawn_init(void)
{
	struct passwd *pw = getpwuid(getuid());
	const char *user = pw ? pw->pw_name : "";

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
	find_ignored();
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

static size_t
count_of(char *const *entries)
{
	size_t		n = 0;

	while (entries != NULL && entries[n] != NULL)
	{
		n++;
	}
	return n;
}

/* The base, the message's entries on top, then our own; the array is to be freed, its strings are not. */
static char **
build_env(char *const *entries, char *const *own)
{
	size_t		count = 0;
	size_t		capacity = (size_t) base_count + count_of(entries) + count_of(own) + 1;
	char	  **env = xcalloc(capacity, sizeof(char *));

	for (int i = 0; i < base_count; i++)
	{
		env[count++] = base_env[i];
	}
	for (; entries != NULL && *entries != NULL; entries++)
	{
		set_variable(env, &count, *entries);
	}
	for (; own != NULL && *own != NULL; own++)
	{
		set_variable(env, &count, *own);
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

typedef enum BirthStep
{
	BIRTH_PROCESS,
	BIRTH_DESCRIPTORS,
	BIRTH_FOLDER,
	BIRTH_PROGRAM
} BirthStep;

/* A child that is being made. */
typedef struct Birth
{
	const char *program;
	char *const *argv;
	char *const *env;
	const char *cwd;
	int			output_fd;
	/* by the child */
	volatile BirthStep step;
	volatile int error;			/* errno; 0: it has exec'd */
} Birth;

/* The descriptors 0, 1, 2. */
static bool
set_descriptors(int output_fd)
{
	int			in = open("/dev/null", O_RDONLY);
	int			out = output_fd >= 0 ? output_fd : open("/dev/null", O_WRONLY);

	return in >= 0 && out >= 0 && dup2(in, 0) == 0 && dup2(out, 1) == 1 && dup2(1, 2) == 2;
}

static bool
enter_folder(Birth *birth)
{
	birth->step = BIRTH_FOLDER;
	return chdir(birth->cwd) == 0;
}

/*
 * The child, in our memory: nothing here may allocate, or leave anything behind but what is in
 * the Birth.
 */
static int __attribute__((no_sanitize_address))
become_command(void *argument)
{
	Birth	   *birth = argument;
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigset_t	none;

	for (int i = 0; i < ignored_count; i++)
	{
		sigaction(ignored[i], &action, NULL);
	}
	setsid();
	umask((mode_t) runner.options.umask);
	birth->step = BIRTH_DESCRIPTORS;
	if (set_descriptors(birth->output_fd) && enter_folder(birth))
	{
		birth->step = BIRTH_PROGRAM;
		close_range(3, ~0U, 0);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(birth->program, birth->argv, birth->env);
	}
	birth->error = errno;
	_exit(127);
}

/* Makes the child; 0, or an errno, and then there is none. */
static int
give_birth(Birth *birth, pid_t *pid)
{
	birth->step = BIRTH_PROCESS;
	birth->error = 0;
	*pid = clone(become_command, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, birth);
	if (*pid < 0)
	{
		return errno;
	}
	if (birth->error != 0)
	{
		waitpid(*pid, NULL, 0);
	}
	return birth->error;
}

/*
 * A file that the kernel cannot execute is a script without a first line: given
 * to /bin/sh, as a shell does with it.
 */
static int
give_birth_to_script(Birth *birth, pid_t *pid)
{
	char *const *argv = birth->argv;
	size_t		n = count_of(argv);
	char	  **words;
	int			error;

	words = xcalloc(n + 2, sizeof(char *));
	words[0] = (char *) "/bin/sh";
	words[1] = (char *) birth->program;
	memcpy(words + 2, argv + 1, n * sizeof(char *));	/* its NULL too */
	birth->program = words[0];
	birth->argv = words;
	error = give_birth(birth, pid);
	birth->program = words[1];
	free(words);
	return error;
}

/* Says in words why there is no process. */
static char *
explain(const Birth *birth, int error)
{
	if (shortage_passes(error))
	{
		return shortage_text(error, "could not start a process");
	}
	switch (birth->step)
	{
		case BIRTH_PROCESS:
			return format("could not make a process: %s", strerror(error));
		case BIRTH_DESCRIPTORS:
			return format("could not open \"/dev/null\": %s", strerror(error));
		case BIRTH_FOLDER:
			return format("could not change to directory \"%s\": %s", birth->cwd, strerror(error));
		case BIRTH_PROGRAM:
			break;
	}
	return format("could not execute \"%s\": %s", birth->program, strerror(error));
}

/* Starts the process.  0, or an errno and *why, to be freed. */
int
spawn_process(const SpawnRequest *request, pid_t *pid, char **why)
{
	const char *cwd = request->cwd && request->cwd[0] ? request->cwd : home;
	char	  **env = build_env(request->env, request->own);
	const char *path = find_variable(env, "PATH");
	char	   *program = find_program(request->argv[0], path ? path : DEFAULT_PATH, cwd);
	Birth		birth = {program, request->argv, env, cwd, request->output_fd, BIRTH_PROCESS, 0};
	int			error = ENOENT;

	if (program == NULL)
	{
		*why = format("could not find program \"%s\" in PATH \"%s\"",
					  request->argv[0], path ? path : DEFAULT_PATH);
		free(env);
		return error;
	}
	error = give_birth(&birth, pid);
	if (error == ENOEXEC)
	{
		error = give_birth_to_script(&birth, pid);
	}
	if (error != 0)
	{
		*why = explain(&birth, error);
	}
	free(program);
	free(env);
	return error;
}

/* The same for a process of a run, which learns whose it is, and where it may say what is to be known of it. */
int
spawn_for_run(const Run *run, SpawnRequest *request, bool reports, pid_t *pid, char **why)
{
	char	   *own[5] = {process_mark(run)};
	int			n = 1;
	int			error;

	if (reports)
	{
		own[n++] = report_entry(run, "JOSCH_REPORT", JOSCH_REPORT_SUFFIX);
	}
	if (reports && run->executor)
	{
		own[n++] = report_entry(run, "JOSCH_EXECUTOR_REPORT", JOSCH_EXECUTOR_REPORT_SUFFIX);
		own[n++] = report_entry(run, "JOSCH_EXECUTOR_STATE", JOSCH_EXECUTOR_STATE_SUFFIX);
	}
	request->own = own;
	error = spawn_process(request, pid, why);
	while (n > 0)
	{
		free(own[--n]);
	}
	return error;
}
