/*
 * src/runner/files.c
 *	  Files below the spool: the logs.
 *
 * Commands run as the same user and may put anything in their way.  So each
 * path begins at the spool's descriptor, no symbolic link is followed anywhere
 * on it, and a log is only ever created, never reused.
 */
#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

/*
 * Relative, no empty part, no "." or "..", and not one of the runner's own
 * files, which all lie directly in the spool.
 */
bool
spool_path_allowed(const char *path)
{
	const char *part = path;

	if (strchr(path, '/') == NULL)
	{
		return false;
	}
	while (part != NULL)
	{
		size_t		len = strcspn(part, "/");

		if (len == 0 || len > 255 || (len == 1 && part[0] == '.') ||
			(len == 2 && part[0] == '.' && part[1] == '.'))
		{
			return false;
		}
		part = part[len] == '/' ? part + len + 1 : NULL;
	}
	return true;
}

static int
open_folder(int parent, const char *name, bool make)
{
	int			flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int			fd = openat(parent, name, flags);

	if (fd < 0 && errno == ENOENT && make &&
		(mkdirat(parent, name, 0700) == 0 || errno == EEXIST))
	{
		fd = openat(parent, name, flags);
	}
	return fd;
}

/* Descriptor of the folder that holds the last part of `path`, and that part. */
static int
open_parent(const char *path, bool make, const char **last)
{
	int			dir = fcntl(runner.spool_dir, F_DUPFD_CLOEXEC, 3);
	const char *part = path;
	const char *slash;

	while (dir >= 0 && (slash = strchr(part, '/')) != NULL)
	{
		char		name[256];
		int			next;
		int			saved;

		snprintf(name, sizeof(name), "%.*s", (int) (slash - part), part);
		next = open_folder(dir, name, make);
		saved = errno;
		close(dir);
		errno = saved;
		dir = next;
		part = slash + 1;
	}
	*last = part;
	return dir;
}

/* open(2) below the spool, folder by folder; with O_CREAT, missing ones are made. */
int
spool_walk(const char *path, int flags)
{
	const char *last;
	int			dir = open_parent(path, (flags & O_CREAT) != 0, &last);
	int			fd;
	int			saved;

	if (dir < 0)
	{
		return -1;
	}
	fd = openat(dir, last, flags | O_NOFOLLOW | O_CLOEXEC, 0600);
	saved = errno;
	close(dir);
	errno = saved;
	return fd;
}

/* By one system call, where all folders are there; -1 (ENOSYS) where the kernel has none that minds links. */
static int
open_at_once(const char *path, int flags)
{
#ifdef SYS_openat2
	struct open_how how = {
		.flags = (uint64_t) (flags | O_NOFOLLOW | O_CLOEXEC), .mode = flags & O_CREAT ? 0600 : 0,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS
	};

	return (int) syscall(SYS_openat2, runner.spool_dir, path, &how, sizeof(how));
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* Whether walking the path folder by folder may do better. */
static bool
asks_for_walk(int error, int flags)
{
	return error == ENOSYS || error == EPERM || error == EAGAIN || (error == ENOENT && (flags & O_CREAT) != 0);
}

/* open(2) below the spool; with O_CREAT, missing folders are made.  -1 (errno) as open(2). */
int
spool_open(const char *path, int flags)
{
	int			at_once = open_at_once(path, flags);

	return at_once >= 0 || !asks_for_walk(errno, flags) ? at_once : spool_walk(path, flags);
}

/* The folder that holds the last part of a path; -1 when it is not there. */
static int
open_folder_of(const char *path, const char **last)
{
	char	   *folder = xstrdup(path);
	int			dir;

	*last = strrchr(path, '/') + 1;
	folder[*last - path - 1] = '\0';
	dir = open_at_once(folder, O_PATH | O_DIRECTORY);
	free(folder);
	return dir >= 0 || !asks_for_walk(errno, 0) ? dir : open_parent(path, false, last);
}

/* Takes a file of a run away: the log of one that did not start, so that it can be created again, or its report. */
void
log_remove(const char *path)
{
	const char *last;
	int			dir = spool_path_allowed(path) ? open_folder_of(path, &last) : -1;

	if (dir >= 0)
	{
		unlinkat(dir, last, 0);
		close(dir);
	}
}

/* The last JOSCH_TAIL_MAX bytes of a log as clean UTF-8, to be freed, and its size; NULL when it cannot be read. */
char *
log_tail(const char *path, uint32_t *len, int64_t *size)
{
	char		raw[JOSCH_TAIL_MAX];
	struct stat st = {0};
	ssize_t		n = -1;
	size_t		skip = 0;
	bool		cut = false;
	int			fd = spool_path_allowed(path) ? spool_open(path, O_RDONLY | O_NONBLOCK) : -1;

	*len = 0;
	*size = 0;
	if (fd < 0)
	{
		return NULL;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
	{
		*size = st.st_size;
		cut = st.st_size > JOSCH_TAIL_MAX;
		n = st.st_size == 0 ? 0 : pread(fd, raw, sizeof(raw), cut ? st.st_size - JOSCH_TAIL_MAX : 0);
	}
	close(fd);
	if (n < 0)
	{
		return NULL;
	}
	while (cut && skip < 3 && skip < (size_t) n && ((unsigned char) raw[skip] & 0xc0) == 0x80)
	{
		skip++;
	}
	return utf8_clean(raw + skip, (size_t) n - skip, len);
}
