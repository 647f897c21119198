/*
 * src/base/identity.c
 *	  Which server this is, and which installation of JOSCH in it.
 *
 * Two that could fire the same nodes must not have one identity.  So it names the
 * system (which tells a dump that was restored), the database (a template) and the
 * extension (DROP and CREATE, a dump that was restored in place), and the place of
 * the data directory: its inode (a copy of files), its path (a clone of the volume)
 * and the machine.  Nothing of that may change by a restart: not the number of the
 * device, which is given anew at each boot, nor the timeline, which a promotion
 * changes.
 *
 * Files that are put back in their own place are no other server.  They are told by
 * the control file, which the server writes for as long as it lives and never makes
 * anew: so what has another inode, or was born at another moment, came from a copy.  (Not seen: all
 * files written over in their places, a file system that is rolled back.)
 *
 * What a standby has is a copy, too, and yet it is to go on when it is promoted.
 * It is told by standby.signal, which is gone by then: so the postmaster looks at
 * its start, and every process inherits what it saw.
 */
#include "base/josch.h"

#include "base/identity.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/xlog.h"
#include "common/hashfn.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "storage/fd.h"

#define MACHINE_FILE "/etc/machine-id"
#define STANDBY_FILE "standby.signal"
#define CONTROL_FILE "global/pg_control"

static bool was_standby = false;

/* The machine's own word, where it has one; a container often has none. */
static void
append_machine(StringInfo place)
{
	char		word[64];
	FILE	   *file = AllocateFile(MACHINE_FILE, "r");

	if (file == NULL)
	{
		return;
	}
	if (fgets(word, sizeof(word), file) != NULL)
	{
		appendStringInfoString(place, word);
	}
	FreeFile(file);
}

/* Of the data directory, which is the working directory of all processes. */
static uint64
hash_place(void)
{
	struct stat st;
	char		path[PATH_MAX];
	StringInfoData place;
	uint64		hash;

	if (stat(DataDir, &st) != 0)
	{
		ereport(ERROR,
				(errcode_for_file_access(),
				 errmsg("could not stat data directory \"%s\": %m", DataDir)));
	}
	initStringInfo(&place);
	appendStringInfo(&place, "%llu %s ", (unsigned long long) st.st_ino,
					 realpath(DataDir, path) != NULL ? path : DataDir);
	append_machine(&place);
	hash = hash_bytes_extended((const unsigned char *) place.data, place.len, 0);
	pfree(place.data);
	return hash;
}

const char *
josch_identity_server(void)
{
	static char server[48] = "";

	if (server[0] == '\0')
	{
		snprintf(server, sizeof(server), UINT64_FORMAT "-%016llx", GetSystemIdentifier(), (unsigned long long) hash_place());
	}
	return server;
}

char *
josch_identity_installation(Oid extension)
{
	const char *server = josch_identity_server();
	const char *place = strchr(server, '-');

	return psprintf("%.*s-%u-%u%s", (int) (place - server), server, MyDatabaseId, extension, place);
}

int64
josch_identity_files(void)
{
	static int64 files = 0;
	struct statx st;

	if (files == 0 && statx(AT_FDCWD, CONTROL_FILE, 0, STATX_INO | STATX_BTIME, &st) == 0)
	{
		/* where no time of birth is kept it is 0, and the inode has to do */
		uint64		mark[3] = {st.stx_ino, (uint64) st.stx_btime.tv_sec, st.stx_btime.tv_nsec};

		files = (int64) (hash_bytes_extended((const unsigned char *) mark, sizeof(mark), 0) | 1);
	}
	return files;
}

bool
josch_identity_is_copy(const char *installation, const char *other)
{
	const char *place = strrchr(installation, '-');

	return place != NULL && strncmp(installation, other, place - installation + 1) == 0 &&
		strchr(other + (place - installation + 1), '-') == NULL;
}

bool
josch_identity_was_standby(void)
{
	return was_standby;
}

void
josch_identity_init(void)
{
	was_standby = process_shared_preload_libraries_in_progress && access(STANDBY_FILE, F_OK) == 0;
}
