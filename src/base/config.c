/*
 * src/base/config.c
 *	  The settings (GUCs) of JOSCH, in alphabetical order.
 *
 * A setting can be reloaded unless that is impossible; nothing here needs a
 * restart.  README.md has the same table, and a lint test compares the two.
 */
#include "base/josch.h"

#include "base/config.h"

#include "miscadmin.h"
#include "utils/guc.h"

#include "base/clock.h"

#define DEFAULT_AGING_INTERVAL 300
#define MAX_AGING_INTERVAL 86400
#define DEFAULT_CALENDAR_WARNING 90
#define MAX_CALENDAR_WARNING 36500
#define DEFAULT_CLAIM_TIME 1800
#define MAX_CLAIM_TIME 86400
#define DEFAULT_MAX_LOG_SIZE 100
#define MAX_MAX_LOG_SIZE (1024 * 1024)
#define DEFAULT_MAX_RUNNING 64
#define MAX_MAX_RUNNING 100000
#define DEFAULT_MAX_SQL_WORKERS 4
#define MAX_MAX_SQL_WORKERS 64
#define DEFAULT_RESERVE_AFTER 600
#define MAX_RESERVE_AFTER 86400
#define DEFAULT_SAFETY_INTERVAL 300
#define MAX_SAFETY_INTERVAL 86400
#define MAX_COMMENT 10000		/* bytes, as in the CHECK of josch.nodes */

/* How long one that waits needs to rise by a point of priority. */
int			josch_config_aging_interval = DEFAULT_AGING_INTERVAL;

/* So many days before what is known of a business calendar ends its alarm is raised. */
int			josch_config_calendar_warning = DEFAULT_CALENDAR_WARNING;

/* How long a person has a node that he or she claimed. */
int			josch_config_claim_time = DEFAULT_CLAIM_TIME;

/* What is written beside an act or an edit that is made by plain SQL. */
char	   *josch_config_comment = NULL;

/* What is kept of a log. */
int			josch_config_max_log_size = DEFAULT_MAX_LOG_SIZE;

/* Commands that run at the same time; nodes that are up do not count. */
int			josch_config_max_running = DEFAULT_MAX_RUNNING;

/* Background workers for SQL nodes, taken from max_worker_processes. */
int			josch_config_max_sql_workers = DEFAULT_MAX_SQL_WORKERS;

/* For how long others may overtake one that waits for units. */
int			josch_config_reserve_after = DEFAULT_RESERVE_AFTER;

/* The longest that an idle scheduler sleeps. */
int			josch_config_safety_interval = DEFAULT_SAFETY_INTERVAL;

/* Whether this database's scheduler acts at all. */
bool		josch_config_scheduler = true;

/* Where the runner keeps its socket, its journal and the log files. */
char	   *josch_config_spool_directory = NULL;

/* Whether the scheduler starts a runner when none answers. */
bool		josch_config_start_runner = true;

/* Time zone of jobs that name none. */
char	   *josch_config_time_zone = NULL;

/* Directory in which commands run, unless the node names one. */
char	   *josch_config_work_directory = NULL;

/*
 * Words that somebody else put into the configuration, or into the defaults of a
 * database or role, are nobody's comment: a person says them in the session or
 * with the connection.
 */
static bool
check_comment(char **newval, void **extra, GucSource source)
{
	if (source > PGC_S_DEFAULT && source < PGC_S_CLIENT)
	{
		(*newval)[0] = '\0';
	}
	if (strlen(*newval) > MAX_COMMENT)
	{
		GUC_check_errdetail("A comment has at most %d bytes.", MAX_COMMENT);
		return false;
	}
	return true;
}

static bool
check_time_zone(char **newval, void **extra, GucSource source)
{
	if (**newval != '\0' && pg_tzset(*newval) == NULL)
	{
		GUC_check_errdetail("The server does not know the time zone \"%s\".", *newval);
		return false;
	}
	return true;
}

static bool
check_work_directory(char **newval, void **extra, GucSource source)
{
	if (**newval != '\0' && !is_absolute_path(*newval))
	{
		GUC_check_errdetail("An absolute path is needed.");
		return false;
	}
	return true;
}

static void
define_integers(void)
{
	DefineCustomIntVariable("josch.aging_interval",
							"Sets how long a node that waits needs to rise by a point of priority.",
							"Of nodes that wait for places or units the one with the highest priority starts first, with one point more for each of these intervals.",
							&josch_config_aging_interval,
							DEFAULT_AGING_INTERVAL, 1, MAX_AGING_INTERVAL,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.calendar_warning",
							"Sets how many days before the end of what is known of a business calendar an alarm is raised.",
							"For calendars with known_until that some job has.",
							&josch_config_calendar_warning,
							DEFAULT_CALENDAR_WARNING, 0, MAX_CALENDAR_WARNING,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.claim_time",
							"Sets how long a person has a node that he or she claimed.",
							"A claim (josch.claim) ends with the state that it was made for, and after this time.",
							&josch_config_claim_time,
							DEFAULT_CLAIM_TIME, 1, MAX_CLAIM_TIME,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.max_log_size",
							"Sets how much of what a command prints is kept.",
							"Of a longer log the first and the last half are kept, and a line between them says so. 0 keeps all.",
							&josch_config_max_log_size,
							DEFAULT_MAX_LOG_SIZE, 0, MAX_MAX_LOG_SIZE,
							PGC_SIGHUP, GUC_UNIT_MB, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.max_running",
							"Sets how many commands may run at the same time.",
							"Long-running nodes that are up do not count. A node that is due waits in state ready for a free place.",
							&josch_config_max_running,
							DEFAULT_MAX_RUNNING, 1, MAX_MAX_RUNNING,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.max_sql_workers",
							"Sets how many SQL nodes may run at the same time in a database.",
							"Each takes one of max_worker_processes. A node that finds none waits in state ready.",
							&josch_config_max_sql_workers,
							DEFAULT_MAX_SQL_WORKERS, 1, MAX_MAX_SQL_WORKERS,
							PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.reserve_after",
							"Sets for how long others may overtake a node that waits for units of semaphores.",
							"After that, what it needs is kept for it.",
							&josch_config_reserve_after,
							DEFAULT_RESERVE_AFTER, 0, MAX_RESERVE_AFTER,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);

	DefineCustomIntVariable("josch.safety_interval",
							"Sets the longest time that an idle scheduler sleeps.",
							"The scheduler is woken by commits and due times; this pass is for what neither can tell, such as a clock that was set.",
							&josch_config_safety_interval,
							DEFAULT_SAFETY_INTERVAL, 1, MAX_SAFETY_INTERVAL,
							PGC_SIGHUP, GUC_UNIT_S, NULL, NULL, NULL);
}

static void
define_strings(void)
{
	DefineCustomStringVariable("josch.comment",
							   "Sets the comment that is kept with the acts and edits of this session.",
							   "For changes by plain SQL; the functions take the comment as an argument. As a default of a database or role it is empty.",
							   &josch_config_comment,
							   "", PGC_USERSET, 0, check_comment, NULL, NULL);

	DefineCustomStringVariable("josch.now",
							   "Sets the moment that JOSCH takes for the present, for tests.",
							   "Empty: the system's clock.",
							   &josch_clock_setting,
							   "", PGC_SUSET, GUC_NOT_IN_SAMPLE,
							   josch_clock_check_setting, josch_clock_assign_setting, NULL);

	DefineCustomStringVariable("josch.spool_directory",
							   "Sets the directory of the runner's socket, its journal and the log files.",
							   "A relative path is taken from the data directory. All processes change over at one moment, when no run is open.",
							   &josch_config_spool_directory,
							   "josch", PGC_SIGHUP, GUC_SUPERUSER_ONLY, NULL, NULL, NULL);

	DefineCustomStringVariable("josch.time_zone",
							   "Sets the time zone of jobs that name none.",
							   "Empty: that of log_timezone, which is the server's, not a session's.",
							   &josch_config_time_zone,
							   "", PGC_SIGHUP, 0, check_time_zone, NULL, NULL);

	DefineCustomStringVariable("josch.work_directory",
							   "Sets the directory in which commands run, unless the node names one.",
							   "Empty: the spool directory.",
							   &josch_config_work_directory,
							   "", PGC_SIGHUP, 0, check_work_directory, NULL, NULL);
}

void
josch_config_init(void)
{
	define_integers();
	define_strings();

	DefineCustomBoolVariable("josch.scheduler",
							 "Lets the scheduler start nodes.",
							 "Off: nothing is started; what runs goes on and its end is recorded.",
							 &josch_config_scheduler,
							 true, PGC_SIGHUP, 0, NULL, NULL, NULL);

	DefineCustomBoolVariable("josch.start_runner",
							 "Starts a runner when none answers on the socket.",
							 "Off where the runner is a service of its own.",
							 &josch_config_start_runner,
							 true, PGC_SIGHUP, 0, NULL, NULL, NULL);

	MarkGUCPrefixReserved("josch");
}
