/*
 * src/server/api_health.c
 *	  josch.health(): whether the parts of JOSCH are up, in rows.
 *
 * It must have an answer above all when something is missing, so it asks shared
 * memory and waits for no process; without shared memory it says what to do.
 */
#include "base/josch.h"

#include "commands/dbcommands.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/wait_event.h"

#include "base/config.h"
#include "base/report.h"
#include "base/spool.h"
#include "base/store_blocker.h"
#include "base/store_installation.h"
#include "base/wake.h"
#include "run/spool_room.h"
#include "run/sql_worker.h"
#include "run/store_held.h"
#include "server/store_health.h"

PG_FUNCTION_INFO_V1(josch_api_health);

/* One row; pid 0 and since 0 are NULL. */
static void
add_row(ReturnSetInfo *result, const char *component, bool up, pid_t pid, TimestampTz since, const char *detail)
{
	Datum		values[5];
	bool		nulls[5] = {false, false, pid == 0, since == 0, detail == NULL};

	values[0] = CStringGetTextDatum(component);
	values[1] = BoolGetDatum(up);
	values[2] = Int32GetDatum(pid);
	values[3] = TimestampTzGetDatum(since);
	values[4] = detail != NULL ? CStringGetTextDatum(detail) : (Datum) 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static void
add_launcher(ReturnSetInfo *result)
{
	JoschLauncherStatus launcher;
	bool		up = josch_wake_read_launcher(&launcher);

	add_row(result, "launcher", up, launcher.pid, launcher.started_at,
			up ? NULL : josch_wake_is_preloaded() ?
			"The server starts it again within seconds; on a standby, after the promotion." :
			"josch is not preloaded.");
}

static char *
describe_no_slot(void)
{
	return psprintf("It waits: no background worker slot is free: max_worker_processes = %d.", max_worker_processes);
}

static char *
describe_scheduler(const JoschSchedulerStatus *status)
{
	if (status->last_pass_at == 0)
	{
		return pstrdup("no pass yet");
	}
	return psprintf("passes " INT64_FORMAT ", last pass %s, queued " INT64_FORMAT ", running %d, set aside %d%s",
					status->passes, timestamptz_to_str(status->last_pass_at),
					josch_store_health_queued(), status->running, status->set_aside,
					josch_config_scheduler ? "" : "; josch.scheduler is off: nothing is started");
}

/* What keeps a scheduler that is there from its work; NULL: nothing. */
static char *
describe_trouble(const JoschSchedulerStatus *status)
{
	PGPROC	   *process = BackendPidGetProc(status->pid);

	if (process != NULL && process->wait_event_info == WAIT_EVENT_SYNC_REP)
	{
		return "a commit waits for a synchronous standby: see synchronous_standby_names";
	}
	return status->trouble[0] == '\0' ? NULL : psprintf("what failed is tried again: %s", status->trouble);
}

static void
add_scheduler(ReturnSetInfo *result, const JoschSchedulerStatus *status, bool up)
{
	char	   *trouble = up ? describe_trouble(status) : NULL;
	char	   *detail;

	if (up)
	{
		detail = psprintf("%s%s%s", describe_scheduler(status), trouble != NULL ? "; " : "", trouble != NULL ? trouble : "");
	}
	else if (!josch_wake_is_preloaded())
	{
		detail = pstrdup("josch is not preloaded.");
	}
	else if (josch_wake_scheduler_waits())
	{
		detail = describe_no_slot();
	}
	else if (status->last_pass_at != 0)
	{
		detail = psprintf("It has ended; the last pass was at %s. The launcher starts it again; the server's log has the reason.",
						  timestamptz_to_str(status->last_pass_at));
	}
	else
	{
		detail = pstrdup("It was not seen yet; the launcher starts it. The server's log has the reason when it cannot.");
	}
	add_row(result, "scheduler", up && trouble == NULL, up ? status->pid : 0, up ? status->started_at : 0, detail);
}

/* For whom a change of the spool directory waits.  No path: it is not for everybody to see. */
static char *
describe_waiting(void)
{
	StringInfoData databases;
	ListCell   *cell;

	if (josch_spool_wanted() == NULL)
	{
		return "";
	}
	initStringInfo(&databases);
	foreach(cell, josch_spool_users())
	{
		char	   *name = get_database_name(lfirst_oid(cell));

		if (name != NULL)
		{
			appendStringInfo(&databases, "%s \"%s\"", databases.len > 0 ? "," : " of database", name);
		}
	}
	return psprintf("; the new josch.spool_directory waits until no run%s is open", databases.data);
}

/* A standby is not disarmed: it is nobody's yet. */
static void
add_armed(ReturnSetInfo *result, const JoschInstallation *installation, JoschArming arming)
{
	int			held = arming == JOSCH_TAKEN_BACK ? josch_store_held_count(installation->disarmed) : 0;

	if (arming == JOSCH_ARMED || (arming == JOSCH_TAKEN_BACK && held == 0))
	{
		add_row(result, "armed", true, 0, 0, NULL);
	}
	else if (held > 0)
	{
		add_row(result, "armed", false, 0, 0,
				psprintf("Disarmed: %d node%s held back, because %s. Release each, or all: josch.arm() does, with a comment that says why.",
						 held, held == 1 ? " is" : "s are", josch_installation_reason(installation)));
	}
	else
	{
		add_row(result, "armed", arming == JOSCH_TO_BE_PROMOTED, 0, 0,
				psprintf(arming == JOSCH_TO_BE_PROMOTED ? "%s." : "Disarmed: %s. Nothing is started until somebody says so. " JOSCH_INSTALLATION_HINT,
						 josch_installation_reason(installation)));
	}
}

static void
add_runner(ReturnSetInfo *result, const JoschSchedulerStatus *status, bool scheduler_up, bool acts)
{
	bool		there = scheduler_up && status->runner_pid != 0;
	bool		waits = there && status->commands_wait[0] != '\0';

	if (!acts)
	{
		add_row(result, "runner", false, 0, 0, "It is not asked, because this installation is disarmed.");
		return;
	}
	add_row(result, "runner", there && !waits, there ? status->runner_pid : 0, there ? status->runner_since : 0,
			there ? psprintf("version %s%s%s%s", status->runner_version, waits ? "; commands wait: " : "",
							 waits ? status->commands_wait : "", describe_waiting()) :
			scheduler_up ? psprintf("None answers on the socket in the spool directory: no command is started%s.", describe_waiting()) :
			"Only a scheduler knows.");
}

static void
add_sql_workers(ReturnSetInfo *result, const JoschSchedulerStatus *status)
{
	bool		waits = status->pid != 0 && status->sql_wait[0] != '\0';
	int			present;
	int			busy;

	josch_sql_worker_count(MyDatabaseId, &present, &busy);
	add_row(result, "sql workers", josch_wake_is_preloaded() && !waits, 0, 0,
			psprintf("%d busy of %d, at most %d%s%s", busy, present, josch_config_max_sql_workers,
					 waits ? "; SQL nodes wait: " : "", waits ? status->sql_wait : ""));
}

/* How full the file system is that what commands print goes to. */
static void
add_spool(ReturnSetInfo *result)
{
	SpoolRoom	room = josch_spool_room();

	if (!room.known)
	{
		add_row(result, "spool", false, 0, 0, "Its file system cannot be seen: the server may not go there.");
		return;
	}
	add_row(result, "spool", !room.low, 0, 0,
			psprintf(UINT64_FORMAT " MB of " UINT64_FORMAT " MB are left in its file system%s", room.left / JOSCH_MB, room.all / JOSCH_MB,
					 room.full ? ": no command is started until there is more." :
					 room.low ? ": remove old logs, or move josch.spool_directory to a larger one." : ""));
}

static void
add_version(ReturnSetInfo *result)
{
	char	   *extension = josch_store_health_version();
	bool		same = extension != NULL && strcmp(extension, JOSCH_VERSION) == 0;

	add_row(result, "version", same, 0, 0,
			same ? JOSCH_VERSION :
			psprintf("The library is %s, the extension is %s: restart the server after an installation, then ALTER EXTENSION josch UPDATE.",
					 JOSCH_VERSION, extension != NULL ? extension : "not created"));
}

/* One row for each session that waits for another on something of JOSCH's. */
static void
add_waits(ReturnSetInfo *result)
{
	int			n;
	JoschWaiter *waiters = josch_store_blocker_waiters(&n);

	for (int i = 0; i < n; i++)
	{
		add_row(result, "wait", false, waiters[i].pid, waiters[i].since,
				psprintf("user \"%s\" waits for %s", waiters[i].user_name != NULL ? waiters[i].user_name : "?",
						 josch_store_blocker_text(&waiters[i].blocker)));
	}
}

/* The scheduler waits for nobody, but sets aside what somebody holds: who that may be. */
static void
add_holders(ReturnSetInfo *result)
{
	int			n;
	JoschBlocker *holders = josch_store_blocker_table_holders(&n);

	for (int i = 0; i < n; i++)
	{
		add_row(result, "held", false, holders[i].pid, holders[i].since,
				psprintf("what the scheduler has set aside may be held by %s", josch_store_blocker_text(&holders[i])));
	}
}

Datum
josch_api_health(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	JoschInstallation installation = josch_store_installation_read();
	JoschArming arming = josch_installation_judge(&installation);
	JoschSchedulerStatus status;
	bool		up;

	InitMaterializedSRF(fcinfo, 0);
	up = josch_wake_read_scheduler(MyDatabaseId, &status);
	add_armed(result, &installation, arming);
	add_launcher(result);
	add_scheduler(result, &status, up);
	add_runner(result, &status, up, josch_installation_acts(arming));
	add_sql_workers(result, &status);
	add_spool(result);
	add_version(result);
	if (up && status.strays > 0)
	{
		add_row(result, "strays", false, 0, 0,
				psprintf("%d command%s, which the runner has for nobody: josch.strays() lists, josch.end_stray() ends them.",
						 status.strays, status.strays == 1 ? " lives" : "s live"));
	}
	add_row(result, "preload", josch_wake_is_preloaded(), 0, 0,
			josch_wake_is_preloaded() ? NULL : JOSCH_REPORT_PRELOAD);
	add_waits(result);
	if (up && status.set_aside > 0)
	{
		add_holders(result);
	}
	return (Datum) 0;
}
