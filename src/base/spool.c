/*
 * src/base/spool.c
 *	  The spool directory in use: one for all processes, changed over at one moment.
 *
 * A run belongs to the runner that it was given to, and to the folder where its
 * log is.  Were each process to follow the setting at its own reload, or at a
 * restart, then runs would be asked for where nobody has heard of them.  So the
 * path in use lies in shared memory, and in a file, which survives a restart; and
 * the launcher alone replaces it, while no scheduler has a run open.
 *
 * The file names the data directory, too: a copy of it follows its own setting.
 */
#include "base/josch.h"

#include "base/spool.h"

#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

#include "base/config.h"
#include "base/identity.h"
#include "base/shared.h"

#define FILE_NAME "josch.spool"
#define TEMPORARY_NAME "josch.spool.tmp"

/* What the setting says, as an absolute path. */
static char *
configured_path(void)
{
	if (is_absolute_path(josch_config_spool_directory))
	{
		return pstrdup(josch_config_spool_directory);
	}
	return psprintf("%s/%s", DataDir, josch_config_spool_directory);
}

char *
josch_spool_path(void)
{
	char		path[MAXPGPATH] = "";

	if (josch_shared != NULL)
	{
		LWLockAcquire(josch_shared_lock, LW_SHARED);
		strlcpy(path, josch_shared->spool.path, MAXPGPATH);
		LWLockRelease(josch_shared_lock);
	}
	return path[0] != '\0' ? pstrdup(path) : configured_path();
}

char *
josch_spool_wanted(void)
{
	char	   *wanted = configured_path();

	return strcmp(wanted, josch_spool_path()) != 0 ? wanted : NULL;
}

char *
josch_spool_work_path(void)
{
	return josch_config_work_directory[0] != '\0' ? pstrdup(josch_config_work_directory) : josch_spool_path();
}

static bool
is_user(const JoschPlace *place)
{
	return place->status.pid != 0 && place->uses_spool;
}

List *
josch_spool_users(void)
{
	Oid			found[JOSCH_MAX_DATABASES];
	int			n = 0;
	List	   *users = NIL;

	if (josch_shared == NULL)
	{
		return NIL;
	}
	LWLockAcquire(josch_shared_lock, LW_SHARED);
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		if (is_user(&josch_shared->places[i]))
		{
			found[n++] = josch_shared->places[i].status.database;
		}
	}
	LWLockRelease(josch_shared_lock);
	for (int i = 0; i < n; i++)
	{
		users = lappend_oid(users, found[i]);
	}
	return users;
}

/* ---- a scheduler's part ---- */

/* Needs the lock. */
static JoschPlace *
own_place(void)
{
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		if (josch_shared->places[i].status.pid == MyProcPid)
		{
			return &josch_shared->places[i];
		}
	}
	return NULL;
}

bool
josch_spool_use(const char *path)
{
	JoschPlace *place;
	bool		same = false;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = own_place();
	if (place != NULL && !josch_shared->spool.changing)
	{
		place->uses_spool = true;
		same = path != NULL && strcmp(path, josch_shared->spool.path) == 0;
	}
	LWLockRelease(josch_shared_lock);
	return same;
}

void
josch_spool_release(void)
{
	JoschPlace *place;
	Latch	   *launcher = NULL;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	place = own_place();
	if (place != NULL)
	{
		place->uses_spool = false;
	}
	if (josch_shared->spool.waiting)
	{
		launcher = josch_shared->launcher_latch;
	}
	LWLockRelease(josch_shared_lock);
	if (launcher != NULL)
	{
		SetLatch(launcher);
	}
}

/* ---- the launcher's part ---- */

/* The path of the file, in *path; false when it has none for this directory. */
static bool
read_file(char *path)
{
	char		directory[128];
	bool		found;
	FILE	   *file = AllocateFile(FILE_NAME, PG_BINARY_R);

	if (file == NULL)
	{
		return false;
	}
	found = fgets(directory, sizeof(directory), file) != NULL && strcmp(directory, psprintf("%s\n", josch_identity_server())) == 0 &&
		fgets(path, MAXPGPATH, file) != NULL && path[0] != '\0';
	FreeFile(file);
	return found;
}

static bool
write_file(const char *path)
{
	FILE	   *file = AllocateFile(TEMPORARY_NAME, PG_BINARY_W);
	bool		written;

	written = file != NULL && fprintf(file, "%s\n%s", josch_identity_server(), path) > 0 &&
		fflush(file) == 0 && pg_fsync(fileno(file)) == 0;
	if (!written)
	{
		ereport(LOG,
				(errcode_for_file_access(),
				 errmsg("could not write file \"%s\": %m", TEMPORARY_NAME)));
	}
	if (file != NULL)
	{
		FreeFile(file);
	}
	return written && durable_rename(TEMPORARY_NAME, FILE_NAME, LOG) == 0;
}

static void
take_path(const char *path)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (path != NULL)
	{
		strlcpy(josch_shared->spool.path, path, MAXPGPATH);
	}
	josch_shared->spool.changing = josch_shared->spool.waiting = false;
	LWLockRelease(josch_shared_lock);
}

void
josch_spool_begin(void)
{
	char		path[MAXPGPATH];
	char	   *wanted = configured_path();

	if (josch_shared->spool.path[0] != '\0')
	{
		take_path(NULL);		/* a launcher before this one has begun */
	}
	else if (read_file(path))
	{
		take_path(path);
	}
	else
	{
		(void) write_file(wanted);
		take_path(wanted);
	}
}

/* Nobody may begin to use the spool from here on.  False when somebody does already. */
static bool
begin_change(void)
{
	bool		used = false;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		used = used || is_user(&josch_shared->places[i]);
	}
	josch_shared->spool.changing = !used;
	josch_shared->spool.waiting = used;
	LWLockRelease(josch_shared_lock);
	return !used;
}

static void
wake_schedulers(void)
{
	Latch	   *latches[JOSCH_MAX_DATABASES];

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		latches[i] = josch_shared->places[i].latch;
	}
	LWLockRelease(josch_shared_lock);
	for (int i = 0; i < JOSCH_MAX_DATABASES; i++)
	{
		if (latches[i] != NULL)
		{
			SetLatch(latches[i]);
		}
	}
}

void
josch_spool_change_over(void)
{
	char	   *wanted = josch_spool_wanted();

	if (wanted == NULL || !begin_change())
	{
		return;
	}
	if (write_file(wanted))
	{
		take_path(wanted);
		ereport(LOG, (errmsg("spool directory \"%s\" is in use from now on", wanted)));
	}
	else
	{
		take_path(NULL);
	}
	wake_schedulers();
}
