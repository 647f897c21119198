/*
 * test/unit/files_test.c
 *	  Files below the spool: which paths, which text, how large.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_MAX (10 * 1024 * 1024)	/* of log.c */

static off_t
size_of(const char *name)
{
	struct stat st;

	return fstatat(runner.spool_dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size : -1;
}

static void
test_paths(void)
{
	static const char *const good[] = {"log/1", "a/b/c", "log/..a", "log/.hidden", "log/a..", "locks/1", "lock.d/x"};
	static const char *const bad[] = {"", "a", "/a", "/etc/passwd", "a/", "a//b", "./a", "a/.", "../a", "a/..", "a/../b", "a/./b", "journal"};
	char		name[300] = "log/";

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
	{
		OK(spool_path_allowed(good[i]), "allowed: \"%s\"", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
	{
		OK(!spool_path_allowed(bad[i]), "not allowed: \"%s\"", bad[i]);
	}
	memset(name + 4, 'x', 255);
	OK(spool_path_allowed(name), "a name may have 255 bytes");
	name[259] = 'x';
	OK(!spool_path_allowed(name), "and not 256");
}

/* By either way, in a folder of its own: at once, where the kernel can, or folder by folder. */
static void
test_open(int (*open_file) (const char *path, int flags), const char *top, const char *how)
{
	char		path[7][32];
	static const char *const names[] = {"b/c", "link/c", "b/file", "link/d", "b", "link", "b/d"};
	struct stat st;
	int			fd;

	for (int i = 0; i < 7; i++)
	{
		snprintf(path[i], sizeof(path[i]), "%s/%s", top, names[i]);
	}
	fd = open_file(path[0], O_WRONLY | O_CREAT | O_EXCL);
	OK(fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & 07777) == 0600, "%s: a file is made with its folders, for us alone", how);
	OK(fcntl(fd, F_GETFD) == FD_CLOEXEC, "%s: commands do not get it", how);
	OK(fstatat(runner.spool_dir, path[4], &st, 0) == 0 && (st.st_mode & 07777) == 0700, "%s: the folders too", how);
	close(fd);
	OK(open_file(path[0], O_WRONLY | O_CREAT | O_EXCL) < 0 && errno == EEXIST, "%s: what is there is not made again", how);
	OK(open_file("no/such", O_RDONLY) < 0 && errno == ENOENT && size_of("no") < 0, "%s: to read makes no folder", how);
	OK(symlinkat("b", runner.spool_dir, path[5]) == 0 && symlinkat("c", runner.spool_dir, path[2]) == 0, "%s: links", how);
	OK(open_file(path[1], O_RDONLY) < 0 && (errno == ENOTDIR || errno == ELOOP), "%s: a link to a folder is not followed", how);
	OK(open_file(path[2], O_RDONLY) < 0 && errno == ELOOP, "%s: nor one to a file", how);
	OK(open_file(path[3], O_WRONLY | O_CREAT) < 0 && size_of(path[6]) < 0, "%s: not even to make one", how);
}

/* The tail of a log of `len` bytes of `unit`, repeated. */
static char *
tail_of(const char *unit, size_t len, uint32_t *tail_len)
{
	size_t		width = strlen(unit);
	char	   *bytes = xrealloc(NULL, len + 1);
	int			fd;
	char	   *tail;
	int64_t		size;

	for (size_t i = 0; i < len; i++)
	{
		bytes[i] = unit[i % width];
	}
	unlinkat(runner.spool_dir, "log/1", 0);
	fd = spool_open("log/1", O_WRONLY | O_CREAT | O_EXCL);
	write_all(fd, bytes, len);
	close(fd);
	free(bytes);
	tail = log_tail("log/1", tail_len, &size);
	IS(size, (int64_t) len, "its size");
	return tail;
}

static void
test_tails(void)
{
	uint32_t	len = 99;
	int64_t		size = 99;

	OK(log_tail("log/1", &len, &size) == NULL && len == 0 && size == 0, "a log that is not there has no tail");
	OK(log_tail("../log", &len, &size) == NULL, "nor has one elsewhere");
	OK(mkdirat(runner.spool_dir, "fifo", 0700) == 0 && mkfifoat(runner.spool_dir, "fifo/1", 0600) == 0, "a pipe");
	OK(log_tail("fifo/1", &len, &size) == NULL, "is no log, and is not waited for");
	free(tail_of("x", 0, &len));
	IS(len, 0, "nothing");
	free(tail_of("x", JOSCH_TAIL_MAX, &len));
	IS(len, JOSCH_TAIL_MAX, "all of 4096 bytes");
	free(tail_of("x", JOSCH_TAIL_MAX + 1, &len));
	IS(len, JOSCH_TAIL_MAX, "4096 of 4097");
	free(tail_of("\xe2\x98\x83", 3 * 2000, &len));	/* 4096 is not a multiple of 3 */
	IS(len, 4095, "no half character at the beginning");
	{
		char	   *tail = tail_of("\xe2\x98\x83", 4096, &len);

		OK(len == 4096 && tail[0] == (char) 0xe2 && tail[4095] == '?', "but one at the end is shown as a question mark");
		free(tail);
		tail = tail_of("\x80", 5000, &len);
		OK(len == 4093 && tail[0] == '?', "what is no text at all loses three bytes at most");
		free(tail);
	}
}

static void
test_text(void)
{
	static const struct
	{
		const char *in;
		size_t		len;
		const char *out;
	}			cases[] = {
		{"plain", 5, "plain"}, {"a\0b", 3, "a?b"}, {"\x7f", 1, "\x7f"},
		{"\xc2\x80", 2, "\xc2\x80"}, {"\xc1\xbf", 2, "??"}, {"\xc0\x80", 2, "??"}, {"\xdf\xbf", 2, "\xdf\xbf"},
		{"\xe0\xa0\x80", 3, "\xe0\xa0\x80"}, {"\xe0\x9f\xbf", 3, "???"},
		{"\xed\x9f\xbf", 3, "\xed\x9f\xbf"}, {"\xed\xa0\x80", 3, "???"}, {"\xef\xbf\xbf", 3, "\xef\xbf\xbf"},
		{"\xf0\x90\x80\x80", 4, "\xf0\x90\x80\x80"}, {"\xf0\x8f\xbf\xbf", 4, "????"},
		{"\xf4\x8f\xbf\xbf", 4, "\xf4\x8f\xbf\xbf"}, {"\xf4\x90\x80\x80", 4, "????"}, {"\xf5\x80\x80\x80", 4, "????"},
		{"\xe2\x98", 2, "??"}, {"\xe2x", 2, "?x"}, {"\xc3\xc3\xa4", 3, "?\xc3\xa4"}, {"\x80", 1, "?"}, {"", 0, ""}
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		uint32_t	len;
		char	   *clean = utf8_clean(cases[i].in, cases[i].len, &len);

		OK(len == strlen(cases[i].out) && memcmp(clean, cases[i].out, len + 1) == 0, "text number %zu is made clean", i);
		free(clean);
	}
}

static void
fill(off_t size)
{
	int			fd = openat(runner.spool_dir, "runner.log", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	OK(ftruncate(fd, size) == 0, "a log of %lld bytes", (long long) size);
	close(fd);
	log_open();
}

static void
test_rotation(void)
{
	struct stat st;

	fill(LOG_MAX);
	log_line("first");
	OK(size_of("runner.log") > LOG_MAX && size_of("runner.log.1") < 0, "10 MB are kept in one file");
	errno = ENOTDIR;
	log_line("second, and %s: %m", "more");
	IS(errno, ENOTDIR, "errno is left alone");
	OK(size_of("runner.log.1") > LOG_MAX && size_of("runner.log") > 0 && size_of("runner.log") < 200, "then it is put aside, and another begins");
	OK(fstatat(runner.spool_dir, "runner.log", &st, 0) == 0 && (st.st_mode & 07777) == 0600, "for us alone");
	{
		size_t		len;
		char	   *line = (char *) unit_read("runner.log", &len);

		OK(strstr(line, "second, and more: Not a directory\n") != NULL, "with what was to be said");
		free(line);
	}
	fill(LOG_MAX + 1);
	log_line("third");
	OK(size_of("runner.log.1") == LOG_MAX + 1 && size_of("runner.log") < 200, "one former file is kept, not two");
	IS(size_of("runner.log.2"), -1, "and no other name is taken");

	/* it cannot be put aside: the lines matter more */
	unlinkat(runner.spool_dir, "runner.log.1", 0);
	OK(mkdirat(runner.spool_dir, "runner.log.1", 0700) == 0 && mkdirat(runner.spool_dir, "runner.log.1/x", 0700) == 0, "something is in the way");
	fill(LOG_MAX + 1);
	log_line("fourth");
	OK(size_of("runner.log") > LOG_MAX + 1, "then it grows on");
}

static void
test_long_lines(void)
{
	char	   *text = xcalloc(1, 10001);
	size_t		len;
	char	   *line;

	memset(text, 'x', 10000);
	log_line("%s", text);
	log_line("after");
	line = (char *) unit_read("runner.log", &len);
	OK(strchr(line, '\n') - line < 2048 && strchr(line, '\n') - line > 2000, "a long line is cut, and is a line");
	OK(strstr(line, "] after\n") != NULL, "and the next one is whole");
	free(line);
	free(text);
}

static void
test_open_at_once(void)
{
	test_open(spool_open, "a", "at once");
}

static void
test_open_by_folders(void)
{
	test_open(spool_walk, "w", "folder by folder");
}

int
main(void)
{
	unit_test("paths", test_paths);
	unit_test("open at once", test_open_at_once);
	unit_test("open folder by folder", test_open_by_folders);
	unit_test("tails", test_tails);
	unit_test("text", test_text);
	unit_test("rotation", test_rotation);
	unit_test("long lines", test_long_lines);
	return unit_result();
}
