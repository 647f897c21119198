/*
 * src/base/shared.c
 *	  The module's shared memory: one struct, all that processes tell each other.
 *
 * The server hands out shared memory in two hooks, and both have to be chained
 * with care.
 *
 * After a crash of any process the postmaster makes shared memory anew and runs
 * the startup hook again: all starts from zeroes, and so forgets the processes
 * that died in that crash.
 */
#include "base/josch.h"

#include "base/shared.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/shmem.h"

#define NAME "josch"

JoschShared *josch_shared = NULL;
LWLock	   *josch_shared_lock = NULL;
LWLock	   *josch_outbox_lock = NULL;

static shmem_request_hook_type former_request_hook = NULL;
static shmem_startup_hook_type former_startup_hook = NULL;

/* Asked for late, when max_worker_processes is known. */
static Size
shared_size(void)
{
	return offsetof(JoschShared, sql_slots) + sizeof(JoschSqlSlot) * max_worker_processes;
}

static void
request(void)
{
	if (former_request_hook != NULL)
	{
		former_request_hook();
	}
	RequestAddinShmemSpace(MAXALIGN(shared_size()));
	RequestNamedLWLockTranche(NAME, 2);
}

static void
startup(void)
{
	bool		found;

	if (former_startup_hook != NULL)
	{
		former_startup_hook();
	}
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	josch_shared = ShmemInitStruct(NAME, shared_size(), &found);
	if (!found)
	{
		memset(josch_shared, 0, shared_size());
	}
	josch_shared_lock = &GetNamedLWLockTranche(NAME)[0].lock;
	josch_outbox_lock = &GetNamedLWLockTranche(NAME)[1].lock;
	LWLockRelease(AddinShmemInitLock);
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
