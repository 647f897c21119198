/*
 * bench/floor.c
 *
 * What the machine itself takes, with nobody in between.  A process is started by posix_spawn, which is the quickest way there
 * is; a write is one page at a place that the file has already, and fdatasync, as a server commits.
 *
 *	floor spawn N AT_ONCE	N processes of /bin/true, so many at a time
 *	floor hop N FILE		N times: a process, its end, a write
 *	floor sync N FILE		N times: a write
 *
 * Prints milliseconds: of all, the median of one, the 99th percentile of one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 8192
#define PAGES 2048

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void
fail(const char *what)
{
	perror(what);
	exit(1);
}

static void
start(void)
{
	char	   *argv[] = {"/bin/true", NULL};
	char	   *envp[] = {NULL};
	pid_t		pid;

	if (posix_spawn(&pid, argv[0], NULL, NULL, argv, envp) != 0)
		fail("posix_spawn");
}

static void
wait_for_one(void)
{
	if (wait(NULL) < 0)
		fail("wait");
}

/* a file that has all its pages, as a server's log has */
static int
open_pages(const char *name)
{
	static char page[PAGE];
	int			fd = open(name, O_CREAT | O_RDWR, 0600);

	if (fd < 0)
		fail(name);
	for (int i = 0; i < PAGES; i++)
		if (pwrite(fd, page, PAGE, (off_t) i * PAGE) != PAGE)
			fail(name);
	if (fsync(fd) != 0)
		fail(name);
	return fd;
}

static void
write_page(int fd, int n)
{
	static char page[PAGE];

	memset(page, n, sizeof(page));
	if (pwrite(fd, page, PAGE, (off_t) (n % PAGES) * PAGE) != PAGE || fdatasync(fd) != 0)
		fail("write");
}

static int
compare(const void *a, const void *b)
{
	double		x = *(const double *) a,
				y = *(const double *) b;

	return (x > y) - (x < y);
}

static void
print_times(double all, double *each, int n)
{
	qsort(each, n, sizeof(double), compare);
	printf("%.3f %.3f %.3f\n", all, each[n / 2], each[(int) (n * 0.99)]);
}

int
main(int argc, char **argv)
{
	const char *what = argc == 4 ? argv[1] : "";
	int			n = argc == 4 ? atoi(argv[2]) : 0;
	int			fd = strcmp(what, "hop") == 0 || strcmp(what, "sync") == 0 ? open_pages(argv[3]) : -1;
	int			at_once = strcmp(what, "spawn") == 0 ? atoi(argv[3]) : strcmp(what, "hop") == 0;
	double	   *each = calloc(n > 0 ? n : 1, sizeof(double));
	double		begin = now(),
				last = begin;

	if (n <= 0 || each == NULL)
		return 2;
	for (int i = 0, started = 0; i < n; i++)
	{
		for (; started < n && started < i + at_once; started++)
			start();
		if (at_once > 0)
			wait_for_one();
		if (fd >= 0)
			write_page(fd, i);
		each[i] = now() - last;
		last += each[i];
	}
	print_times(last - begin, each, n);
	return 0;
}
