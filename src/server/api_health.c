/*
 * src/server/api_health.c
 *	  josch.health(): whether the parts of JOSCH are up, in rows.
 *
 * It must have an answer above all when something is missing, so it asks shared
 * memory and waits for no process; without shared memory it says what to do.  What
 * cannot be told (the tables are those of another version, or locked) is a row that
 * says why, and keeps none of the others away.
 */
#include "base/josch.h"

#include "commands/dbcommands.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"
#include "utils/wait_event.h"

#include "alarm/store_alarm.h"
#include "base/attempt.h"
#include "base/config.h"
#include "base/report.h"
#include "base/spool.h"
#include "base/store_blocker.h"
#include "base/store_installation.h"
#include "base/version.h"
#include "base/wake.h"
#include "run/pauses.h"
#include "run/spool_room.h"
#include "run/sql_worker.h"
#include "run/store_held.h"
#include "server/store_health.h"

PG_FUNCTION_INFO_V1(josch_api_health);

/* How long one part may wait for a lock. */
#define LOCK_LIMIT "1s"

/* What is found on the way is for the parts that follow. */
typedef struct Health
{
	ReturnSetInfo *result;
	bool		acts;			/* as far as is known, it may start something */
	bool		up;				/* the scheduler */
	JoschSchedulerStatus status;
} Health;

/* One row; pid 0 and since 0 are NULL. */
static void
add_row(Health *health, const char *component, bool up, pid_t pid, TimestampTz since, const char *detail)
{
	ReturnSetInfo *result = health->result;
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
add_launcher(Health *health)
{
	JoschLauncherStatus launcher;
	bool		up = josch_wake_read_launcher(&launcher);

	add_row(health, "launcher", up, launcher.pid, launcher.started_at,
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
	char	   *discord = josch_version_discord(josch_store_version());

	if (discord != NULL)
	{
		return psprintf("it stands still: %s", discord);
	}
	if (process != NULL && process->wait_event_info == WAIT_EVENT_SYNC_REP)
	{
		return "a commit waits for a synchronous standby: see synchronous_standby_names";
	}
	return status->trouble[0] == '\0' ? NULL : psprintf("what failed is tried again: %s", status->trouble);
}

static void
add_scheduler(Health *health)
{
	const JoschSchedulerStatus *status = &health->status;
	bool		up = health->up;
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
	add_row(health, "scheduler", up && trouble == NULL, up ? status->pid : 0, up ? status->started_at : 0, detail);
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
add_armed(Health *health)
{
	JoschInstallation installation = josch_store_installation_read();
	JoschArming arming = josch_installation_judge(&installation);
	int			held = arming == JOSCH_TAKEN_BACK ? josch_store_held_count(installation.disarmed) : 0;

	health->acts = josch_installation_acts(arming);
	if (arming == JOSCH_ARMED || (arming == JOSCH_TAKEN_BACK && held == 0))
	{
		add_row(health, "armed", true, 0, 0, NULL);
	}
	else if (held > 0)
	{
		add_row(health, "armed", false, 0, 0,
				psprintf("Disarmed: %d node%s held back, because %s. Release each, or all: josch.arm() does, with a comment that says why.",
						 held, held == 1 ? " is" : "s are", josch_installation_reason(&installation)));
	}
	else
	{
		add_row(health, "armed", arming == JOSCH_TO_BE_PROMOTED, 0, 0,
				psprintf(arming == JOSCH_TO_BE_PROMOTED ? "%s." : "Disarmed: %s. Nothing is started until somebody says so. " JOSCH_INSTALLATION_HINT,
						 josch_installation_reason(&installation)));
	}
}

static void
add_runner(Health *health)
{
	const JoschSchedulerStatus *status = &health->status;
	bool		there = health->up && status->runner_pid != 0;
	bool		waits = there && status->commands_wait[0] != '\0';

	if (!health->acts)
	{
		add_row(health, "runner", false, 0, 0, "It is not asked, because this installation is disarmed.");
		return;
	}
	add_row(health, "runner", there && !waits, there ? status->runner_pid : 0, there ? status->runner_since : 0,
			there ? psprintf("version %s%s%s%s", status->runner_version, waits ? "; commands wait: " : "",
							 waits ? status->commands_wait : "", describe_waiting()) :
			health->up ? psprintf("None answers on the socket in the spool directory: no command is started%s.", describe_waiting()) :
			"Only a scheduler knows.");
}

static void
add_sql_workers(Health *health)
{
	const JoschSchedulerStatus *status = &health->status;
	bool		waits = status->pid != 0 && status->sql_wait[0] != '\0';
	int			present;
	int			busy;

	josch_sql_worker_count(MyDatabaseId, &present, &busy);
	add_row(health, "sql workers", josch_wake_is_preloaded() && !waits, 0, 0,
			psprintf("%d busy of %d, at most %d%s%s", busy, present, josch_config_max_sql_workers,
					 waits ? "; SQL nodes wait: " : "", waits ? status->sql_wait : ""));
}

/* Whether days that were to make themselves have; a row only where somebody has to look. */
static void
add_days(Health *health)
{
	StoreDayHealth days = josch_store_health_days();
	bool		waits = health->up && health->status.days_wait[0] != '\0';

	if (days.asked > 0 || days.failed > 0)
	{
		add_row(health, "days", false, 0, 0,
				psprintf("Did not make themselves: " INT64_FORMAT " that somebody is asked about, " INT64_FORMAT " that could not be made: josch.job_days lists, josch.make_missed() and josch.decline_missed() answer.",
						 days.asked, days.failed));
	}
	if (waits)
	{
		add_row(health, "days", false, 0, 0, psprintf("Days that are due wait: %s: max_worker_processes = %d.", health->status.days_wait, max_worker_processes));
	}
}

/* What is paused, each with who did it; nothing is wrong with that. */
static void
add_pauses(Health *health)
{
	Pauses		pauses = josch_pauses_read();

	for (int i = 0; i < pauses.n; i++)
	{
		const Pause *pause = &pauses.list[i];

		if (!pause->resumed)
		{
			add_row(health, "paused", false, 0, pause->paused_at,
					psprintf("%s%s is paused %s: nothing of it starts until josch.resume().",
							 pause->what == PAUSE_DATABASE ? "The database" : psprintf("%s \"%s\"", pause->what == PAUSE_SEMAPHORE ? "Semaphore" : "Job", pause->name),
							 pause->what == PAUSE_DAY ? psprintf(" of %s", josch_report_date(pause->job_date)) : "",
							 josch_pauses_text(pause)));
		}
	}
}

/* What nodes wait for outside; a row only where the system is short of something. */
static void
add_world(Health *health)
{
	if (health->up && health->status.files_wait[0] != '\0')
	{
		add_row(health, "files", false, 0, 0, psprintf("Files that are waited for are looked for at wait_interval only: %s.", health->status.files_wait));
	}
	if (health->up && health->status.judges_wait[0] != '\0')
	{
		add_row(health, "queries", false, 0, 0, psprintf("Queries that are waited for are not asked: %s: max_worker_processes = %d.", health->status.judges_wait, max_worker_processes));
	}
}

/* Executors whose other side does not answer; their runs go on, as far as anybody knows. */
static void
add_executors(Health *health)
{
	int			n;
	StoreExecutorHealth *executors = josch_store_health_unreachable(&n);

	for (int i = 0; i < n; i++)
	{
		add_row(health, "executor", false, 0, 0,
				psprintf("Executor \"%s\" cannot be reached for " INT64_FORMAT " run%s: %s", executors[i].name, executors[i].runs,
						 executors[i].runs == 1 ? "" : "s", executors[i].words));
	}
}

/* Whether alarms can be raised and told; a row only where there are any, or something keeps them from it. */
static void
add_alarms(Health *health)
{
	AlarmHealth alarms = josch_store_alarm_health();
	const char *trouble = health->up ? health->status.alarms_wait : "";
	bool		good = trouble[0] == '\0' && alarms.failing == 0;

	if (alarms.open == 0 && good)
	{
		return;
	}
	add_row(health, "alarms", good, 0, 0,
			psprintf("open " INT64_FORMAT ", of these not acknowledged " INT64_FORMAT "%s%s%s", alarms.open, alarms.unacked,
					 trouble[0] != '\0' ? "; what failed is tried again: " : "", trouble,
					 alarms.failing == 0 ? "" :
					 psprintf("; hooks that fail: " INT64_FORMAT ", the first, \"%s\": %s; josch.alarm_deliveries has more", alarms.failing,
							  alarms.hook_name, josch_report_words(alarms.message))));
}

/* How full the file system is that what commands print goes to. */
static void
add_spool(Health *health)
{
	SpoolRoom	room = josch_spool_room();

	if (!room.known)
	{
		add_row(health, "spool", false, 0, 0, "Its file system cannot be seen: the server may not go there.");
		return;
	}
	add_row(health, "spool", !room.low, 0, 0,
			psprintf(UINT64_FORMAT " MB of " UINT64_FORMAT " MB are left in its file system%s", room.left / JOSCH_MB, room.all / JOSCH_MB,
					 room.full ? ": no command is started until there is more." :
					 room.low ? ": remove old logs, or move josch.spool_directory to a larger one." : ""));
}

static void
add_version(Health *health)
{
	char	   *extension = josch_store_version();
	char	   *discord = josch_version_discord(extension);

	add_row(health, "version", discord == NULL, 0, 0,
			discord == NULL ? josch_version : psprintf("Of two versions: %s. %s", discord, josch_version_hint(extension)));
}

static void
add_strays(Health *health)
{
	int			strays = health->up ? health->status.strays : 0;

	if (strays > 0)
	{
		add_row(health, "strays", false, 0, 0,
				psprintf("%d command%s, which the runner has for nobody: josch.strays() lists, josch.end_stray() ends them.",
						 strays, strays == 1 ? " lives" : "s live"));
	}
}

static void
add_preload(Health *health)
{
	add_row(health, "preload", josch_wake_is_preloaded(), 0, 0,
			josch_wake_is_preloaded() ? NULL : JOSCH_REPORT_PRELOAD);
}

/* One row for each session that waits for another on something of JOSCH's. */
static void
add_waits(Health *health)
{
	int			n;
	JoschWaiter *waiters = josch_store_blocker_waiters(&n);

	for (int i = 0; i < n; i++)
	{
		add_row(health, "wait", false, waiters[i].pid, waiters[i].since,
				psprintf("user \"%s\" waits for %s", waiters[i].user_name != NULL ? waiters[i].user_name : "?",
						 josch_store_blocker_text(&waiters[i].blocker)));
	}
}

/* The scheduler waits for nobody, but sets aside what somebody holds: who that may be. */
static void
add_holders(Health *health)
{
	int			n = 0;
	JoschBlocker *holders = health->up && health->status.set_aside > 0 ? josch_store_blocker_table_holders(&n) : NULL;

	for (int i = 0; i < n; i++)
	{
		add_row(health, "held", false, holders[i].pid, holders[i].since,
				psprintf("what the scheduler has set aside may be held by %s", josch_store_blocker_text(&holders[i])));
	}
}

/* In this order. */
static const struct Part
{
	const char *component;
	void		(*add) (Health *health);
}			parts[] = {
	{"armed", add_armed}, {"launcher", add_launcher}, {"scheduler", add_scheduler}, {"runner", add_runner},
	{"sql workers", add_sql_workers}, {"days", add_days}, {"files", add_world}, {"executor", add_executors}, {"alarms", add_alarms}, {"paused", add_pauses}, {"spool", add_spool}, {"version", add_version}, {"strays", add_strays},
	{"preload", add_preload}, {"wait", add_waits}, {"held", add_holders}
};

typedef struct Asking
{
	const struct Part *part;
	Health	   *health;
} Asking;

/* An error leaves the setting to the abort of the subtransaction. */
static void
ask(void *argument)
{
	Asking	   *asking = argument;
	int			level = NewGUCNestLevel();

	if (LockTimeout == 0 || LockTimeout > 1000)
	{
		(void) set_config_option("lock_timeout", LOCK_LIMIT, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
	asking->part->add(asking->health);
	AtEOXact_GUC(false, level);
}

/* What the library asks for in vain is most often of another version. */
static char *
describe_error(const ErrorData *error)
{
	const char *hint = error->hint;

	if (hint == NULL && ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION)
	{
		hint = JOSCH_REPORT_VERSIONS;
	}
	return psprintf("It cannot be told: %s.%s%s", error->message, hint != NULL ? " " : "", hint != NULL ? hint : "");
}

Datum
josch_api_health(PG_FUNCTION_ARGS)
{
	Health		health = {.result = (ReturnSetInfo *) fcinfo->resultinfo,.acts = true};

	InitMaterializedSRF(fcinfo, 0);
	health.up = josch_wake_read_scheduler(MyDatabaseId, &health.status);
	for (int i = 0; i < lengthof(parts); i++)
	{
		Asking		asking = {&parts[i], &health};
		ErrorData  *error = josch_attempt(ask, &asking);

		if (error != NULL)
		{
			add_row(&health, parts[i].component, false, 0, 0, describe_error(error));
		}
	}
	return (Datum) 0;
}
