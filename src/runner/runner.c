/*
 * src/runner/runner.c
 * 	  What there is one of, and the one thing that everything writes with.
 *
 * The log needs these, and everything else needs the log: so they know of
 * nothing.
 */
#include "runner.h"

#include <errno.h>
#include <unistd.h>

Runner		runner;

bool
write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0)
	{
		ssize_t		n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
		{
			continue;
		}
		if (n <= 0)
		{
			return false;
		}
		p += n;
		len -= (size_t) n;
	}
	return true;
}
