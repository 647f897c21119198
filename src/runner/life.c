/*
 * src/runner/life.c
 * 	  Where one life of the runner ends and the next begins.
 *
 * A life is one process, also through REPLACE.  What a former life started is
 * not a child of this one, and what it was told may not be whole: both are
 * found out here, before anything is done.
 */
#include "runner.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

static bool
read_boot_id(void)
{
	int			fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t		n = fd >= 0 ? read(fd, runner.boot_id, sizeof(runner.boot_id) - 1) : -1;

	if (fd >= 0)
	{
		close(fd);
	}
	if (n <= 0)
	{
		log_line("could not read the boot id of this machine: %m");
		return false;
	}
	runner.boot_id[n] = '\0';
	runner.boot_id[strcspn(runner.boot_id, "\n")] = '\0';
	return true;
}

/*
 * A journal keeps its word while nothing of it is missing: not torn, cut, changed or
 * put back to an earlier moment, in the same folder and boot.  Any other is begun
 * anew under another one: that something is not in it proves nothing of what the
 * former one was given.
 */
static void
name_ledger(const JournalFound *found)
{
	uint64_t	word[2];

	if (found->intact)
	{
		snprintf(runner.ledger, sizeof(runner.ledger), "%s", found->ledger);
		return;
	}
	while (getrandom(word, sizeof(word), 0) != sizeof(word))
	{
	}
	snprintf(runner.ledger, sizeof(runner.ledger), "%016llx%016llx",
			 (unsigned long long) word[0], (unsigned long long) word[1]);
}

/* Takes up the life that the former program led in this same process; false when it did not. */
static bool
continue_life(const JournalFound *found)
{
	if (!runner.options.resume || !found->intact || found->pid != getpid())
	{
		return false;
	}
	snprintf(runner.incarnation, sizeof(runner.incarnation), "%s", found->incarnation);
	runner.started_at = found->started_at;
	return true;
}

static void
begin_life(void)
{
	runner.started_at = now_epoch();
	snprintf(runner.incarnation, sizeof(runner.incarnation), "%s/%d/%lld",
			 runner.boot_id, (int) getpid(), (long long) runner.started_at);
	run_all_former();
}

/*
 * The journal is a copy, or its folder was copied here.  How runs ended stays true;
 * what had not ended may live on in the care of another runner, and is its own.
 */
static void
leave_to_others(void)
{
	log_line("the journal was written in another folder: what had not ended is left to the runner there");
	for (Owner *owner = owner_first(); owner != NULL; owner = owner->next)
	{
		Run		   *next;

		for (Run *run = owner->first; run != NULL; run = next)
		{
			next = run->next;
			if (run->phase != RUN_EXITED)
			{
				run_remove(run);
			}
		}
	}
}

/* Reads what former lives left, and starts the journal of this one.  False: it cannot be written. */
bool
life_begin(void)
{
	JournalFound found;

	if (!read_boot_id())
	{
		return false;
	}
	journal_load(&found);
	if (found.broken)
	{
		renameat(runner.spool_dir, "journal", runner.spool_dir, "journal.broken");
		log_line("the journal ends in something that is no record; kept as \"journal.broken\"");
	}
	name_ledger(&found);
	runner.generation = found.generation;
	if (continue_life(&found))
	{
		return journal_rewrite() || journal_append();
	}
	if (found.elsewhere)
	{
		leave_to_others();
	}
	begin_life();
	return journal_rewrite();
}
