/*
 * src/base/shared.c
 *	  The module's shared memory: asked for piece by piece, made in one place.
 *
 * The server hands out shared memory in two hooks, and both have to be chained
 * with care.  One file does that, so that those who own a piece only name it.
 *
 * After a crash of any process the postmaster makes shared memory anew and runs
 * the startup hook again: every piece starts from zeroes, and so forgets all
 * processes that died in that crash.
 */
#include "base/josch.h"

#include "base/shared.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define MAX_PIECES 8
#define TRANCHE "josch"

typedef struct Piece
{
	const char *name;
	Size		(*size) (void);
	void	  **place;
} Piece;

LWLock	   *josch_shared_lock = NULL;

static Piece pieces[MAX_PIECES];
static int	npieces = 0;

static shmem_request_hook_type former_request_hook = NULL;
static shmem_startup_hook_type former_startup_hook = NULL;

static void
request(void)
{
	if (former_request_hook != NULL)
	{
		former_request_hook();
	}
	for (int i = 0; i < npieces; i++)
	{
		RequestAddinShmemSpace(MAXALIGN(pieces[i].size()));
	}
	RequestNamedLWLockTranche(TRANCHE, 1);
}

static void
startup(void)
{
	if (former_startup_hook != NULL)
	{
		former_startup_hook();
	}
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	for (int i = 0; i < npieces; i++)
	{
		bool		found;
		Size		size = pieces[i].size();
		void	   *memory = ShmemInitStruct(pieces[i].name, size, &found);

		if (!found)
		{
			memset(memory, 0, size);
		}
		*pieces[i].place = memory;
	}
	josch_shared_lock = &GetNamedLWLockTranche(TRANCHE)->lock;
	LWLockRelease(AddinShmemInitLock);
}

void
josch_shared_add(const char *name, Size (*size) (void), void **place)
{
	if (!process_shared_preload_libraries_in_progress)
	{
		return;
	}
	if (npieces == MAX_PIECES)
	{
		elog(ERROR, "too many pieces of shared memory");
	}
	pieces[npieces++] = (Piece) {.name = name, .size = size, .place = place};
}

void
josch_shared_init(void)
{
	if (!process_shared_preload_libraries_in_progress)
	{
		return;
	}
	former_request_hook = shmem_request_hook;
	shmem_request_hook = request;
	former_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}
