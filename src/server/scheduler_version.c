/*
 * src/server/scheduler_version.c
 *	  The extension as the scheduler finds it: dropped, made anew, or of another version than the library.
 *
 * With tables of another version it touches none, talks to no runner and waits; it only
 * sends what people's acts leave to be told.
 * What runs goes on, as while a server is down, and its end is heard afterwards.
 * ALTER EXTENSION makes the scheduler step aside (utility.c): the one that comes
 * then begins anew.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "storage/ipc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/wait_event.h"

#include "base/clock.h"
#include "base/version.h"
#include "base/wake.h"

/* Nobody tells when a version was changed by other means. */
#define LOOK_AGAIN_MS 60000

void
josch_scheduler_check_extension(Scheduler *scheduler)
{
	Oid			extension = get_extension_oid("josch", true);
	bool		first = !OidIsValid(scheduler->extension);

	if (first)
	{
		scheduler->extension = extension;
	}
	if (first || !OidIsValid(extension))
	{
		josch_wake_report_extension(OidIsValid(extension));
	}
	if (!OidIsValid(extension) || extension != scheduler->extension)
	{
		PopActiveSnapshot();
		CommitTransactionCommand();
		proc_exit(0);
	}
}

static void
tell(const char *discord, const char *extension)
{
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("josch of database \"%s\" stands still: %s", get_database_name(MyDatabaseId), discord),
			 errdetail("Nothing is started, asked for or taken up. What runs goes on, and its end is taken up afterwards."),
			 errhint("%s", josch_version_hint(extension))));
}

void
josch_scheduler_await_version(Scheduler *scheduler)
{
	bool		told = false;

	for (;;)
	{
		char	   *extension;
		char	   *discord;

		CHECK_FOR_INTERRUPTS();
		josch_scheduler_begin(scheduler);
		josch_scheduler_check_extension(scheduler);
		extension = josch_store_version();
		discord = josch_version_discord(extension);
		if (discord != NULL && !told)
		{
			tell(discord, extension);
			told = true;
		}
		josch_scheduler_end(scheduler);
		if (discord == NULL)
		{
			return;
		}
		/* people go on, and leave it to a scheduler that is there to tell of it */
		josch_scheduler_tell(scheduler);
		josch_clock_wait_latch(LOOK_AGAIN_MS, PG_WAIT_EXTENSION);
		MemoryContextReset(scheduler->scratch);
	}
}
