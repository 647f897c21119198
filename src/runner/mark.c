/*
 * src/runner/mark.c
 *	  How far the journal has been written, told beside it.
 *
 * A journal that was put back from a copy of an earlier moment, or cut, is as whole
 * as any other; only that it is shorter than it has been gives it away.  So its
 * length stands in a file of its own, written after each record: a runner that dies
 * between the two leaves a mark that is behind, which is no harm.  It is a line of
 * one size: written in its place, it needs no new room on the disk.
 */
#include "runner.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MARK_NAME "journal.end"
#define MARK_LENGTH (LEDGER_SIZE - 1 + 1 + 16 + 1 + 16 + 1)

static int	mark_fd = -1;

/* Opens the file, which somebody may have removed. */
void
mark_open(void)
{
	int			fd = openat(runner.spool_dir, MARK_NAME, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (mark_fd >= 0)
	{
		close(mark_fd);
	}
	mark_fd = fd;
	if (fd < 0)
	{
		log_line("could not open \"%s\": %m", MARK_NAME);
	}
}

void
mark_set(uint64_t generation, uint64_t size)
{
	char		line[MARK_LENGTH + 1];

	snprintf(line, sizeof(line), "%s %016llx %016llx\n", runner.ledger,
			 (unsigned long long) generation, (unsigned long long) size);
	if (mark_fd >= 0 && pwrite(mark_fd, line, MARK_LENGTH, 0) != MARK_LENGTH)
	{
		log_line("could not write \"%s\": %m", MARK_NAME);
	}
}

/* Whether what was read is all that its own mark speaks of. */
bool
mark_agrees(const JournalFound *found)
{
	int			fd = openat(runner.spool_dir, MARK_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char		line[MARK_LENGTH + 1] = "";
	char		ledger[LEDGER_SIZE];
	unsigned long long generation;
	unsigned long long size;
	bool		whole;

	if (fd < 0)
	{
		return false;
	}
	whole = read(fd, line, MARK_LENGTH) == MARK_LENGTH &&
		sscanf(line, "%32s %16llx %16llx", ledger, &generation, &size) == 3;
	close(fd);
	return whole && strcmp(ledger, found->ledger) == 0 &&
		(generation < found->generation || (generation == found->generation && size <= found->size));
}
