/*
 * test/unit/unit.c
 *	  The harness: see unit.h.
 */
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* exit code of a process that came to its end: unlike that of one that crashed */
#define SOME_FAILED 99

static bool failed;

static void
print_claim(bool good, const char *file, int line, const char *fmt, va_list args)
{
	printf("%s - ", good ? "ok" : "not ok");
	vprintf(fmt, args);
	printf("\n");
	if (!good)
	{
		printf("# at %s line %d\n", file, line);
		failed = true;
	}
}

bool
unit_claim(bool good, const char *file, int line, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	print_claim(good, file, line, fmt, args);
	va_end(args);
	return good;
}

bool
unit_same(long long got, long long want, const char *file, int line, const char *fmt,...)
{
	va_list		args;

	va_start(args, fmt);
	print_claim(got == want, file, line, fmt, args);
	va_end(args);
	if (got != want)
	{
		printf("# got %lld, wanted %lld\n", got, want);
	}
	return got == want;
}

bool
unit_apart(void (*part) (void))
{
	pid_t		pid;
	int			status = -1;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
	{
		failed = false;
		part();
		fflush(stdout);
		_exit(failed ? SOME_FAILED : 0);	/* what is left in memory at the end is no leak of the runner's */
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
	{
		failed = true;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != SOME_FAILED)
		{
			printf("not ok - a process of the test ended with wait status %d\n", status);
		}
	}
	return status == 0;
}

static int
remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void) st, (void) kind, (void) ftw;
	return remove(path);
}

/* That of this machine, as life.c reads it: a test may begin at its journal. */
static void
read_boot_id(void)
{
	FILE	   *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file == NULL || fscanf(file, "%63s", runner.boot_id) != 1)
	{
		OK(false, "this machine has a boot id");
	}
	if (file != NULL)
	{
		fclose(file);
	}
}

void
unit_test(const char *name, void (*test) (void))
{
	const char *folder = getenv("TMPDIR");
	char		spool[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("# %s\n", name);
	snprintf(spool, sizeof(spool), "%s/josch-unit-XXXXXX", folder ? folder : "/tmp");
	if (mkdtemp(spool) == NULL)
	{
		OK(false, "cannot make a folder like %s", spool);
		return;
	}
	memset(&runner, 0, sizeof(runner));
	runner.options.daemon = true;	/* its log is a file alone */
	runner.options.umask = 022;
	runner.spool = spool;
	runner.spool_dir = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	read_boot_id();
	snprintf(runner.incarnation, sizeof(runner.incarnation), "a-life");
	log_open();
	unit_apart(test);
	close(runner.spool_dir);
	nftw(spool, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

void
unit_limit_files(size_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes ? bytes : limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
}

uint8_t *
unit_read(const char *name, size_t *len)
{
	int			fd = openat(runner.spool_dir, name, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t    *data;

	if (fd < 0 || fstat(fd, &st) != 0)
	{
		OK(false, "there is no file \"%s\"", name);
		exit(1);
	}
	data = xcalloc(1, (size_t) st.st_size + 1);
	*len = (size_t) read(fd, data, (size_t) st.st_size);
	close(fd);
	return data;
}

void
unit_write(const char *name, const void *data, size_t len)
{
	int			fd = openat(runner.spool_dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || !write_all(fd, data, len))
	{
		OK(false, "cannot write \"%s\"", name);
		exit(1);
	}
	close(fd);
}

uint32_t
unit_random(uint32_t below)
{
	static uint64_t state = 88172645463325252ULL;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t) (state >> 32) % below;
}

int
unit_result(void)
{
	return failed ? 1 : 0;
}
