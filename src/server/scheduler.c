/*
 * src/server/scheduler.c
 *	  The scheduler: one background worker for each database.
 *
 * The main path is one loop: collect what the runner says, ONE transaction that
 * applies it and writes down what is to be started, commit, send, wait.  It
 * waits for its latch (a commit that concerns it), the runner's socket and the
 * next due time; it never polls.
 *
 * What survives what: events live in the scheduler's own context until a pass
 * has committed them, and only then does the runner hear that it may forget
 * them.  A run is sent only after its intent is committed.  So whichever process
 * dies, one side still knows, and the two compare lists when they meet again
 * (reconcile).
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include <unistd.h>

#include "access/xact.h"
#include "commands/dbcommands.h"
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "libpq/pqsignal.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/proc.h"

#include "base/attempt.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/identity.h"
#include "base/report.h"
#include "base/spool.h"
#include "node/waiting_mend.h"
#include "run/sql_worker.h"
#include "run/store_sql_run.h"
#include "server/settings.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/wait_event.h"

/* Somebody holds a row: the commit wakes us, a rollback may not; so look again after this. */
#define SET_ASIDE_MIN_MS 50
#define SET_ASIDE_MAX_MS 1000

/* After a pass that failed as a whole: doubled each time, up to the last. */
#define ERROR_MIN_MS 1000
#define ERROR_MAX_MS 10000

/* From TERM to KILL, for a command whose node has failed of something else. */
#define STRAY_GRACE_MS 10000

/* How long, at the start, nothing is begun before the runner has told what it has. */
#define SETTLE_MS 2000

/* How often it is looked whether a restore is over. */
#define RESTORE_MS 1000

/* In a row of passes that nobody else has woken it for, how often it looks ahead. */
#define LOOK_MS 20
#define LOOK_MAX_MS 60000

/* And no oftener than that it takes this part of the time: under an old snapshot it reads all runs that have ended since. */
#define LOOK_SHARE 5

/* A pass that has taken so long ends, and comes again at once: whoever else wants something comes in between. */
#define PASS_MS 20

/* What SQL is taken to take before any has ended. */
#define SQL_UNKNOWN_MS 1000

/* Events that one pass takes. */
#define MAX_EVENTS 5000

/* The folder of its logs, in a spool that others may use, too. */
static void
name_log_folder(Scheduler *scheduler, Oid database)
{
	const unsigned char *server = (const unsigned char *) scheduler->server;

	snprintf(scheduler->log_folder, sizeof(scheduler->log_folder), "%u-%08x",
			 database, hash_bytes(server, strlen(scheduler->server)));
}

/* ---- one pass ---- */

/* What a transaction has decided, to be carried out after its commit. */
typedef struct Decisions
{
	Scheduler  *scheduler;
	EnginePass	pass;
	bool		reconciled;		/* nothing of that is left to do */
	Reconciled	compared;
	bool		sql_ends_read;	/* all ends of SQL runs are complete */
	JoschRunKey *delayed;		/* runs that are due to be tried again, */
	int			ndelayed;
	StoreLaunch *retries;		/* as far as they are still open */
	int			nretries;

	/* found after the launches were sent */
	StoreRunInfo *unanswered;
	int			nunanswered;
	StoreRunInfo *stops;
	int			nstops;
	StoreRunInfo *timeouts;
	int			ntimeouts;
} Decisions;

/* What has happened: what was heard, and what can be seen of the runs alone. */
static void
gather_events(Scheduler *scheduler, EnginePass *pass)
{
	int			n;
	RunEvent   *foreign = josch_scheduler_judge_foreign(scheduler, MAX_EVENTS, &n);
	ListCell   *cell;

	pass->events = palloc(sizeof(RunEvent *) * (list_length(scheduler->events) + n + 1));
	for (int i = 0; i < n; i++)
	{
		pass->events[pass->nevents++] = &foreign[i];
	}
	foreach(cell, scheduler->events)
	{
		RunEvent   *event = lfirst(cell);

		if (event->sql && !event->read)
		{
			continue;			/* what there is to read cannot be read now */
		}
		josch_scheduler_convert(scheduler, event);
		if (pass->nevents >= MAX_EVENTS)
		{
			scheduler->pass_wanted = true;
			break;
		}
		pass->events[pass->nevents++] = event;
	}
}

static void
prepare_pass(Scheduler *scheduler, Decisions *decisions)
{
	EnginePass *pass = &decisions->pass;
	const JoschRunnerInfo *info = scheduler->runner != NULL ? josch_runner_info(scheduler->runner) : NULL;
	bool		may_send;

	memset(pass, 0, sizeof(EnginePass));
	pass->now = josch_clock_now();
	pass->budget_ms = PASS_MS;
	gather_events(scheduler, pass);
	josch_scheduler_world_gather(scheduler, pass);
	/* only the scheduler opens runs; whoever closes one wakes it */
	pass->woken = scheduler->woken;
	pass->places_known = scheduler->status.passes > 0 && !scheduler->woken;
	memcpy(pass->open, scheduler->open, sizeof(pass->open));
	pass->marks = scheduler->marks;
	pass->runner.token = scheduler->installation;
	pass->runner.server = scheduler->server;
	pass->runner.ledger = info != NULL ? info->ledger : "";
	pass->runner.host = scheduler->host;
	pass->runner.log_folder = scheduler->log_folder;
	pass->runner.work_dir = josch_spool_work_path();
	may_send = josch_spool_use(scheduler->runner != NULL ? scheduler->spool : NULL);
	if (josch_config_scheduler)
	{
		pass->max_commands = scheduler->phase == RUNNER_READY && !scheduler->status.silent && may_send ? josch_config_max_running : 0;
		pass->max_sql = decisions->compared.nagain == 0 ? josch_scheduler_sql_places(scheduler) : 0;
	}
}

/*
 * A user's deferred constraint or trigger on our tables that fails at the commit
 * would fail the pass as a whole, and again at the next.  At the end of its
 * statement it fails the one node that is to blame.
 */
static void
check_constraints_at_once(void)
{
	ConstraintsSetStmt *all = makeNode(ConstraintsSetStmt);

	all->deferred = false;
	AfterTriggerSetState(all);
}

/* Of nodes that were loaded with all triggers off the list says nothing. */
static void
check_list(void *argument)
{
	int64		mended = josch_waiting_mend();

	if (mended > 0)
	{
		ereport(LOG, (errmsg("josch.waiting was not true of " INT64_FORMAT " nodes: it is now", mended)));
	}
}

/*
 * At the start, for a moment: the runner may be there, and has not told yet what it has.  That
 * none is there is known when it was tried to reach it, which the first pass makes possible.
 */
static bool
waits_for_list(Scheduler *scheduler)
{
	bool		nobody = scheduler->runner == NULL && scheduler->connect_at != 0;

	if (scheduler->phase == RUNNER_READY || nobody || josch_clock_is_due(scheduler->settle_at, SETTLE_MS))
	{
		scheduler->settle_at = 0;
	}
	return scheduler->settle_at != 0;
}

/* What is open here, compared with what the runner and the SQL workers have. */
static void
reconcile(void *argument)
{
	Decisions  *decisions = argument;
	Scheduler  *scheduler = decisions->scheduler;

	if (scheduler->highest < 0)
	{
		josch_scheduler_hooks_load(scheduler);
		scheduler->highest = josch_store_run_highest();
	}
	if (!scheduler->sql_reconciled)
	{
		josch_store_sql_run_forget_closed();
	}
	decisions->compared = josch_scheduler_reconcile(scheduler, scheduler->phase == RUNNER_LISTED, !scheduler->sql_reconciled);
	/* the runner knows best from when on; files alone tell it where none is there, or was put back with them */
	if (decisions->compared.put_back_from > 0 ||
		(scheduler->replaced && (scheduler->phase == RUNNER_LISTED || !waits_for_list(scheduler))))
	{
		/* should it fail, as when somebody has locked a node, nothing is begun until it has been done */
		scheduler->settle_at = TimestampTzPlusMilliseconds(josch_clock_now(), SETTLE_MS);
		josch_scheduler_take_back(scheduler, decisions->compared.put_back_from);
	}
}

/* The transaction's part; all of Decisions is in the scratch context. */
static void
decide(Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;
	bool		looked;
	bool		acts;

	josch_scheduler_check_extension(scheduler);
	check_constraints_at_once();
	looked = josch_scheduler_look_at_installation(scheduler);
	acts = looked && scheduler->installation != 0;
	decisions->reconciled = acts && ((scheduler->phase != RUNNER_LISTED && scheduler->sql_reconciled && scheduler->highest >= 0 && !scheduler->replaced) ||
									 josch_attempt_unless_locked(reconcile, decisions));
	if (decisions->reconciled && scheduler->phase == RUNNER_LISTED)
	{
		scheduler->phase = RUNNER_READY;
	}
	if (acts && !scheduler->list_checked && josch_attempt_unless_locked(check_list, scheduler))
	{
		scheduler->list_checked = true;
	}
	decisions->sql_ends_read = josch_scheduler_read_sql_ends(scheduler);
	decisions->retries = josch_scheduler_delay_take(scheduler, &decisions->delayed, &decisions->ndelayed, &decisions->nretries);
	prepare_pass(scheduler, decisions);
	/* until it is known whether the data was taken back, nothing is begun */
	decisions->pass.events_only = !acts || scheduler->replaced || waits_for_list(scheduler);
	josch_engine_pass(&decisions->pass);
	decisions->pass.set_aside += (looked && (decisions->reconciled || !acts) ? 0 : 1) + (decisions->sql_ends_read ? 0 : 1);
	if (acts && decisions->pass.changes > 0)
	{
		josch_scheduler_look_again(scheduler);
	}
}

/* As far as is known: a look counts them. */
static void
count_places(Scheduler *scheduler, const EnginePass *pass)
{
	for (int i = 0; i < QUEUE_LINES; i++)
	{
		scheduler->open[i] -= pass->ended[i];
	}
	for (int i = 0; i < pass->nlaunches; i++)
	{
		scheduler->open[pass->launches[i].sql ? QUEUE_SQL : QUEUE_COMMANDS]++;
	}
	scheduler->status.running += pass->nlaunches;
}

/* After the commit: what was decided becomes true. */
static void
carry_out(Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;
	EnginePass *pass = &decisions->pass;
	ListCell   *cell;

	if (decisions->compared.ends != NULL)
	{
		scheduler->status.strays = decisions->compared.strays;
	}
	scheduler->sql_reconciled |= decisions->reconciled;
	foreach(cell, scheduler->events)
	{
		josch_scheduler_delay_heard(scheduler, lfirst(cell));
	}
	josch_scheduler_world_forget_done(scheduler);
	scheduler->marks = pass->marks;
	count_places(scheduler, pass);
	for (int i = 0; i < decisions->compared.nends; i++)
	{
		josch_scheduler_take(scheduler, &decisions->compared.ends[i]);
	}
	for (int i = 0; i < decisions->compared.nagain; i++)
	{
		josch_scheduler_send(scheduler, &decisions->compared.again[i]);
	}
	josch_scheduler_delay_sent(scheduler, decisions->delayed, decisions->ndelayed, decisions->retries, decisions->nretries);
	for (int i = 0; i < decisions->nretries; i++)
	{
		josch_scheduler_send(scheduler, &decisions->retries[i]);
	}
	for (int i = 0; i < pass->nlaunches; i++)
	{
		josch_scheduler_send(scheduler, &pass->launches[i]);
		scheduler->highest = Max(scheduler->highest, pass->launches[i].run_id);
	}
	/* that can wait until they have been started */
	josch_scheduler_forget_done(scheduler);
	if (scheduler->runner != NULL)
	{
		for (int i = 0; i < pass->nstrays; i++)
		{
			josch_runner_send_stop(scheduler->runner, JOSCH_SCOPE_OWN, pass->strays[i], STRAY_GRACE_MS);
		}
		josch_runner_flush(scheduler->runner);
	}
}

static void
look(void *argument)
{
	Decisions  *decisions = argument;

	josch_engine_look_ahead(&decisions->pass);
	if (decisions->pass.outlook.stops > 0)
	{
		decisions->stops = josch_store_run_list_stops(&decisions->nstops);
	}
	if (decisions->pass.outlook.timeouts > 0)
	{
		decisions->timeouts = josch_store_run_list_timeouts(decisions->pass.now, &decisions->ntimeouts);
	}
	josch_scheduler_delay_look(decisions->scheduler, &decisions->unanswered, &decisions->nunanswered);
}

/*
 * What comes next, and what is to be stopped.  In a transaction of its own, while
 * the commands start: nothing that a launch waits for.
 */
static void
look_ahead(Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;
	const JoschSchedulerStatus *status = &scheduler->status;
	TimestampTz since = josch_clock_system_now();
	long		took;

	if (!josch_attempt_unless_locked(look, decisions))
	{
		decisions->nstops = decisions->ntimeouts = decisions->nunanswered = 0;
		decisions->pass.outlook = (StoreOutlook) {.next_due = DT_NOEND, .open = status->running};
		decisions->pass.set_aside++;
		return;
	}
	took = TimestampDifferenceMilliseconds(since, josch_clock_system_now());
	if (scheduler->woken)
	{
		scheduler->doubt_at = TimestampTzPlusMilliseconds(josch_clock_now(), (int64) josch_config_safety_interval * 1000);
	}
	scheduler->woken = false;
	scheduler->open[QUEUE_COMMANDS] = decisions->pass.outlook.commands;
	scheduler->open[QUEUE_SQL] = decisions->pass.outlook.sql;
	scheduler->next_due = decisions->pass.outlook.next_due;
	scheduler->look_at = TimestampTzPlusMilliseconds(josch_clock_now(), Max(LOOK_MS, took * LOOK_SHARE));
}

/*
 * What people do wakes the scheduler; what its own passes do, it knows.  So in a row of
 * these it looks now and then only: a look reads all that is open.  But while something is
 * set aside each looks, since it says what.
 */
static bool
may_put_off_look(const Scheduler *scheduler)
{
	const JoschSchedulerStatus *status = &scheduler->status;

	return !scheduler->woken && status->passes > 0 && status->set_aside == 0 && !josch_clock_is_due(scheduler->look_at, LOOK_MAX_MS) &&
		scheduler->phase == RUNNER_READY && scheduler->foreign == 0 && !status->silent && !scheduler->silence_untold &&
		!scheduler->ready_marked;
}

/* It is as it was, as far as anybody knows. */
static void
put_off_look(Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;

	decisions->pass.outlook =
		(StoreOutlook) {.next_due = Min(scheduler->next_due, scheduler->look_at), .open = scheduler->status.running};
}

static void
tell_silence(Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;

	scheduler->silence_untold = false;
	for (int i = 0; i < decisions->nunanswered; i++)
	{
		JoschRunKey key = {decisions->unanswered[i].run_id, decisions->unanswered[i].nonce};

		josch_scheduler_tell_delay(scheduler, key, josch_scheduler_silence());
	}
}

static void
carry_out_stops(Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;

	for (int i = 0; i < decisions->nstops; i++)
	{
		josch_scheduler_stop(scheduler, &decisions->stops[i]);
	}
	for (int i = 0; i < decisions->ntimeouts; i++)
	{
		josch_scheduler_stop(scheduler, &decisions->timeouts[i]);
	}
	if (scheduler->runner != NULL)
	{
		josch_runner_flush(scheduler->runner);
	}
}

/* When to come back, if nothing wakes us before. */
static void
set_next_pass(Scheduler *scheduler, const EnginePass *pass)
{
	TimestampTz now = josch_clock_now();

	scheduler->pass_at = TimestampTzPlusMilliseconds(now, (int64) josch_config_safety_interval * 1000);
	scheduler->pass_at = Min(scheduler->pass_at, pass->outlook.next_due);
	scheduler->pass_at = Min(scheduler->pass_at, pass->retry_at);
	scheduler->pass_at = Min(scheduler->pass_at, josch_scheduler_delay_due(scheduler));
	if (scheduler->settle_at != 0 && scheduler->installation != 0)
	{
		/* one that is disarmed begins nothing, however long it waits */
		scheduler->pass_at = Min(scheduler->pass_at, scheduler->settle_at);
	}
	if (scheduler->restoring)
	{
		/* nobody tells when it is over */
		scheduler->pass_at = Min(scheduler->pass_at, TimestampTzPlusMilliseconds(now, RESTORE_MS));
	}
	if (pass->set_aside > 0)
	{
		scheduler->set_aside_ms = scheduler->set_aside_ms == 0 ? SET_ASIDE_MIN_MS :
			Min(scheduler->set_aside_ms * 2, SET_ASIDE_MAX_MS);
		scheduler->pass_at = Min(scheduler->pass_at, TimestampTzPlusMilliseconds(now, scheduler->set_aside_ms));
	}
	else
	{
		scheduler->set_aside_ms = 0;
	}
}

static void
report(Scheduler *scheduler, const EnginePass *pass)
{
	scheduler->error_ms = 0;
	scheduler->alarms.wanted = true;
	strlcpy(scheduler->status.trouble, pass->trouble != NULL ? pass->trouble : "", JOSCH_WAIT_MAX);
	scheduler->status.last_pass_at = pass->now;
	scheduler->status.passes++;
	scheduler->status.running = pass->outlook.open;
	/* runs that a restore has brought, or more of them than one pass takes */
	scheduler->pass_wanted |= pass->outlook.foreign > 0 && (scheduler->foreign == 0 || pass->changes > 0);
	scheduler->foreign = pass->outlook.foreign;
	scheduler->status.set_aside = pass->set_aside;
	josch_scheduler_delay_report(scheduler);
	josch_wake_report(&scheduler->status);
	if (pass->outlook.open == 0 && scheduler->events == NIL)
	{
		josch_spool_release();
	}
	pgstat_report_stat(false);
}

/* A pass that failed as a whole is tried again; nothing of it has happened. */
static void
recover_from_error(Scheduler *scheduler, RunnerPhase phase)
{
	ErrorData  *error = josch_scheduler_recover(scheduler);

	if (scheduler->phase == RUNNER_READY)
	{
		scheduler->phase = phase;
	}
	scheduler->pass_wanted = false;
	scheduler->error_ms = scheduler->error_ms == 0 ? ERROR_MIN_MS : Min(scheduler->error_ms * 2, ERROR_MAX_MS);
	scheduler->pass_at = TimestampTzPlusMilliseconds(josch_clock_now(), scheduler->error_ms);
	memset(&scheduler->marks, 0, sizeof(QueueMarks));
	scheduler->woken = true;
	strlcpy(scheduler->status.trouble, josch_report_cut(error->message, JOSCH_WAIT_MAX - 1), JOSCH_WAIT_MAX);
	josch_wake_report(&scheduler->status);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Does the work in a transaction; false when it failed, of which then nothing is left. */
static bool
in_transaction(void (*work) (Decisions *), Decisions *decisions)
{
	Scheduler  *scheduler = decisions->scheduler;
	RunnerPhase phase = scheduler->phase;
	volatile bool committed = false;

	PG_TRY();
	{
		josch_scheduler_begin(scheduler);
		work(decisions);
		josch_scheduler_end(scheduler);
		committed = true;
	}
	PG_CATCH();
	{
		recover_from_error(scheduler, phase);
	}
	PG_END_TRY();
	return committed;
}

static void
run_pass(Scheduler *scheduler)
{
	Decisions  *decisions = palloc0(sizeof(Decisions));

	decisions->scheduler = scheduler;
	scheduler->pass_wanted = false;
	if (!in_transaction(decide, decisions))
	{
		return;
	}
	carry_out(decisions);
	scheduler->pass_wanted |= decisions->pass.more;
	if (may_put_off_look(scheduler))
	{
		put_off_look(decisions);
	}
	else if (!in_transaction(look_ahead, decisions))
	{
		return;
	}
	set_next_pass(scheduler, &decisions->pass);
	tell_silence(decisions);
	carry_out_stops(decisions);
	report(scheduler, &decisions->pass);
	if (scheduler->phase == RUNNER_READY && hash_get_num_entries(scheduler->listed) > 0)
	{
		josch_scheduler_empty_set(scheduler, &scheduler->listed);
	}
}

/* ---- the loop ---- */

/* Passes that follow each other without waiting must not be deaf to what others commit. */
static void
notice_wake(Scheduler *scheduler)
{
	if (MyLatch->is_set || josch_wake_is_unheard())
	{
		ResetLatch(MyLatch);
		scheduler->pass_wanted = true;
		scheduler->woken |= josch_wake_was_for_more();
	}
	/* were a wake ever lost, what is remembered would be false until the next */
	scheduler->woken |= josch_clock_is_due(scheduler->doubt_at, (int64) josch_config_safety_interval * 1000);
}

/* The places of a WaitEventSet, in the order in which they are added. */
enum
{
	WAITS_LATCH, WAITS_POSTMASTER, WAITS_RUNNER, WAITS
};

/* Lasts as long as the connection to the runner does, or the lack of one. */
static void
make_waits(Scheduler *scheduler)
{
#if PG_VERSION_NUM >= 170000
	scheduler->waits = CreateWaitEventSet(NULL, WAITS);
#else
	scheduler->waits = CreateWaitEventSet(scheduler->context, WAITS);
#endif
	AddWaitEventToSet(scheduler->waits, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(scheduler->waits, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	if (scheduler->runner != NULL)
	{
		AddWaitEventToSet(scheduler->waits, WL_SOCKET_READABLE, josch_runner_socket(scheduler->runner), NULL, NULL);
	}
}

static void
wait_for_something(Scheduler *scheduler)
{
	WaitEvent	events[WAITS];
	TimestampTz until = scheduler->pass_at;

	if (scheduler->runner == NULL && josch_scheduler_may_connect(scheduler))
	{
		until = Min(until, scheduler->connect_at);
	}
	if (scheduler->phase == RUNNER_READY && scheduler->status.strays > 0)
	{
		until = Min(until, scheduler->list_at);
	}
	until = Min(until, josch_scheduler_days_due(scheduler));
	until = Min(until, scheduler->progress_at);
	until = Min(until, josch_scheduler_world_due(scheduler));
	until = Min(until, josch_scheduler_judge_due(scheduler));
	until = Min(until, Min(josch_scheduler_alarms_due(scheduler), josch_scheduler_hooks_due(scheduler)));
	if (josch_sql_worker_retry_ms() >= 0)
	{
		until = Min(until, TimestampTzPlusMilliseconds(josch_clock_now(), josch_sql_worker_retry_ms()));
	}
	if (scheduler->waits == NULL)
	{
		make_waits(scheduler);
	}
	if (scheduler->runner != NULL)
	{
		ModifyWaitEvent(scheduler->waits, WAITS_RUNNER, WL_SOCKET_READABLE |
						(josch_runner_wants_write(scheduler->runner) ? WL_SOCKET_WRITEABLE : 0), NULL);
	}
	(void) josch_clock_wait(scheduler->waits, until, (long) josch_config_safety_interval * 1000,
							events, lengthof(events), PG_WAIT_EXTENSION);
}

static void
start_up(Scheduler *scheduler, Oid database)
{
	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0);
	if (!josch_wake_attach_scheduler())
	{
		proc_exit(0);
	}
	scheduler->context = AllocSetContextCreate(TopMemoryContext, "josch scheduler", ALLOCSET_DEFAULT_SIZES);
	scheduler->scratch = AllocSetContextCreate(scheduler->context, "josch scheduler turn", ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scheduler->context);
	scheduler->connect_ms = CONNECT_MIN_MS;
	if (gethostname(scheduler->host, sizeof(scheduler->host)) != 0)
	{
		strlcpy(scheduler->host, "localhost", sizeof(scheduler->host));
	}
	scheduler->host[sizeof(scheduler->host) - 1] = '\0';
	josch_settings_pin_scheduler();
	josch_settings_require_durable_commits();
	josch_scheduler_await_version(scheduler);
	josch_scheduler_begin(scheduler);
	scheduler->settle_at = TimestampTzPlusMilliseconds(josch_clock_now(), SETTLE_MS);
	scheduler->server = josch_identity_server();
	name_log_folder(scheduler, database);
	scheduler->highest = -1;
	scheduler->sql_took_ms = SQL_UNKNOWN_MS;
	josch_scheduler_empty_set(scheduler, &scheduler->listed);
	josch_scheduler_empty_set(scheduler, &scheduler->living);
	josch_scheduler_empty_set(scheduler, &scheduler->stops_sent);
	josch_scheduler_delay_init(scheduler);
	josch_scheduler_world_init(scheduler);
	josch_scheduler_hooks_init(scheduler);
	scheduler->database_name = MemoryContextStrdup(scheduler->context, get_database_name(database));
	(void) josch_scheduler_look_at_installation(scheduler);
	josch_scheduler_end(scheduler);
	scheduler->pass_wanted = true;
	scheduler->days_stale = true;
}

void
josch_scheduler_main(Datum database)
{
	Scheduler	scheduler = {0};

	start_up(&scheduler, DatumGetObjectId(database));
	for (;;)
	{
		MemoryContextSwitchTo(scheduler.scratch);
		MemoryContextReset(scheduler.scratch);
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
			josch_settings_require_durable_commits();
			scheduler.pass_wanted = scheduler.woken = scheduler.days_stale = true;
		}
		notice_wake(&scheduler);
		josch_scheduler_connect(&scheduler);
		josch_scheduler_hear(&scheduler);
		josch_scheduler_collect_sql(&scheduler);
		josch_scheduler_send_unsent(&scheduler);
		josch_scheduler_notice_silence(&scheduler);
		josch_scheduler_days(&scheduler);
		josch_scheduler_world(&scheduler);
		josch_scheduler_judge(&scheduler);
		if (scheduler.pass_wanted || josch_clock_is_due(scheduler.pass_at, (int64) josch_config_safety_interval * 1000))
		{
			run_pass(&scheduler);
		}
		josch_scheduler_alarms(&scheduler);
		josch_scheduler_hooks(&scheduler);
		josch_scheduler_tell(&scheduler);
		if (!scheduler.pass_wanted && !josch_wake_is_unheard())
		{
			wait_for_something(&scheduler);
		}
	}
}
