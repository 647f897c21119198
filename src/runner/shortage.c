/*
 * src/runner/shortage.c
 *	  What there is not enough of, and what of it passes by itself.
 *
 * A command that could not be started for want of something has not failed:
 * it is to be sent again.  So such a start must leave nothing behind, neither
 * on record nor in the spool, and whatever the spool itself refuses is never
 * the command's fault.
 */
#include "runner.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

/* Whether it was not the command's own fault that its process could not be started. */
bool
shortage_passes(int error)
{
	return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE;
}

/* The same for the spool's own files: nobody's command is to blame, but for what its path or its size says. */
bool
shortage_of_spool_passes(int error)
{
	return error != EINVAL && error != ENAMETOOLONG && error != EEXIST && error != ELOOP &&
		error != ENOTDIR && error != EMSGSIZE;
}

/* In words, to be freed; `what` says what failed, where the error alone does not tell. */
char *
shortage_text(int error, const char *what)
{
	switch (error)
	{
		case ENOSPC:
			return xstrdup("no space is left in the spool's file system");
		case EDQUOT:
			return xstrdup("the quota of the spool's file system is used up");
		case EMFILE:
			return xstrdup("the runner has no file descriptor left (ulimit -n)");
		case ENFILE:
			return xstrdup("the machine has no file descriptor left");
		case EAGAIN:
			return xstrdup("no more processes can be started (ulimit -u, or a limit of the machine)");
		case ENOMEM:
			return xstrdup("no memory is left");
	}
	return format("%s: %s", what, strerror(error));
}

/* 0, or ENOSPC: a command that starts now could not write down what it does. */
int
shortage_of_room(void)
{
	struct statvfs fs;

	if (fstatvfs(runner.spool_dir, &fs) != 0)
	{
		return 0;
	}
	return (uint64_t) fs.f_bavail * fs.f_frsize < josch_room_to_start((uint64_t) fs.f_blocks * fs.f_frsize) ? ENOSPC : 0;
}
