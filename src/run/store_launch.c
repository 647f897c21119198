/*
 * src/run/store_launch.c
 *	  Runs to be started: their intent written, and what is sent of them.
 *
 * Part of store_pass.h.  What is sent is read from the row of the run alone, whatever a
 * trigger made of it, and whatever has become of its node since.
 */
#include "base/josch.h"

#include "run/store_pass.h"

#include <math.h>

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/clock.h"
#include "base/finder.h"
#include "base/nonce.h"
#include "base/report.h"
#include "base/role.h"
#include "base/update.h"
#include "base/writer.h"
#include "day/store_environment.h"
#include "node/node_table.h"
#include "node/waiting.h"
#include "run/run_table.h"

/* A node that is to be started, and its run. */
typedef struct Intent
{
	NodeKey		key;
	int64		run_id;
	int			attempt;
} Intent;

/* The rows of runs that are being made. */
typedef struct Intents
{
	const StoreRunner *runner;
	JoschFinder nodes;
	const NodeKey *keys;
	int			nkeys;
	int			at;
	char		turn;			/* what they waited for */
	int			held;
	Oid			sequence;
	TimestampTz now;
	Intent	   *made;
	int			nmade;
} Intents;

enum
{
	EXECUTOR_NAME, EXECUTOR_START, EXECUTOR_ATTACH, EXECUTOR_STOP, EXECUTOR_COLUMNS
};

static const JoschColumn executor_columns[EXECUTOR_COLUMNS] = {
	[EXECUTOR_NAME] = {"executor_name", TEXTOID}, [EXECUTOR_START] = {"start_command", TEXTOID},
	[EXECUTOR_ATTACH] = {"attach_command", TEXTOID}, [EXECUTOR_STOP] = {"stop_command", TEXTOID}
};
static AttrNumber executor_numbers[EXECUTOR_COLUMNS];
static JoschTable executors_table = JOSCH_TABLE("executors", executor_columns, executor_numbers);

/* ---- the intent ---- */

/* What a run takes over from its node. */
static const struct
{
	int			runs;
	int			nodes;
} inherited[] = {
	{RUNS_NODE_ID, NODES_NODE_ID}, {RUNS_JOB_DATE, NODES_JOB_DATE}, {RUNS_NODE_TYPE, NODES_NODE_TYPE},
	{RUNS_EXEC_COMMAND, NODES_EXEC_COMMAND}, {RUNS_EXEC_SQL, NODES_EXEC_SQL},
	{RUNS_EXEC_SQL_ATOMIC, NODES_EXEC_SQL_ATOMIC}, {RUNS_READY_COMMAND, NODES_READY_COMMAND},
	{RUNS_READY_AFTER, NODES_READY_AFTER}, {RUNS_TIMEOUT, NODES_TIMEOUT}, {RUNS_STOP_GRACE, NODES_STOP_GRACE},
	{RUNS_WORK_DIR, NODES_WORK_DIR}, {RUNS_OWNER, NODES_OWNER},
	{RUNS_EXECUTOR, NODES_EXECUTOR}, {RUNS_EXECUTOR_OPTIONS, NODES_EXECUTOR_OPTIONS}
};

static void
set(Datum *values, bool *nulls, int column, bool given, Datum value)
{
	values[column] = value;
	nulls[column] = !given;
}

/* Where and by whom it will run: of a command; SQL runs in the server. */
static void
set_place(const Intents *intents, const Intent *intent, int64 nonce, Datum *values, bool *nulls)
{
	const StoreRunner *runner = intents->runner;
	bool		command = nulls[RUNS_EXEC_SQL];
	char	   *log = psprintf("log/%s/%s/" INT64_FORMAT ".%d." INT64_FORMAT "-%016llx.log", runner->log_folder,
							   josch_report_date(intent->key.job_date), intent->key.node_id, intent->attempt, intent->run_id,
							   (unsigned long long) nonce);

	set(values, nulls, RUNS_KIND, true, CStringGetTextDatum(command ? "command" : "sql"));
	if (nulls[RUNS_WORK_DIR] || !command)
	{
		set(values, nulls, RUNS_WORK_DIR, command, CStringGetTextDatum(runner->work_dir));
	}
	set(values, nulls, RUNS_LEDGER, command, CStringGetTextDatum(runner->ledger));
	set(values, nulls, RUNS_LOG, command, CStringGetTextDatum(log));
}

/* Goes to the next node that is ready and not held by somebody. */
static bool
next_ready(Intents *intents)
{
	while (intents->at < intents->nkeys)
	{
		Datum		key[JOSCH_NODE_KEYS];
		JoschLock	lock;

		josch_node_key_datums(intents->keys[intents->at++], key);
		if (!josch_finder_find(&intents->nodes, key))
		{
			continue;
		}
		lock = josch_finder_lock(&intents->nodes);
		if (lock == JOSCH_LOCK_TAKEN && josch_waiting_of(intents->nodes.slot).turn == intents->turn)
		{
			return true;
		}
		intents->held += lock == JOSCH_LOCK_HELD;
	}
	return false;
}

/* The row of the next run (JoschNextRow). */
static bool
next_run(void *arg, Datum *values, bool *nulls)
{
	Intents    *intents = arg;
	Intent	   *intent = &intents->made[intents->nmade];
	int64		nonce;
	bool		isnull;

	if (!next_ready(intents))
	{
		return false;
	}
	nonce = josch_nonce_new();
	for (int i = 0; i < (int) lengthof(inherited); i++)
	{
		values[inherited[i].runs] = josch_finder_get(&intents->nodes, inherited[i].nodes, &nulls[inherited[i].runs]);
	}
	*intent = (Intent) {
		.key = intents->keys[intents->at - 1],
		.run_id = nextval_internal(intents->sequence, false),
		.attempt = DatumGetInt32(josch_finder_get(&intents->nodes, NODES_ATTEMPT, &isnull)) + 1
	};
	intents->nmade++;
	set(values, nulls, RUNS_RUN_ID, true, Int64GetDatum(intent->run_id));
	set(values, nulls, RUNS_ATTEMPT, true, Int32GetDatum(intent->attempt));
	set(values, nulls, RUNS_REQUESTED_AT, true, TimestampTzGetDatum(intents->now));
	set(values, nulls, RUNS_HOST, true, CStringGetTextDatum(intents->runner->host));
	set(values, nulls, RUNS_SERVER, true, CStringGetTextDatum(intents->runner->server));
	set(values, nulls, RUNS_TOKEN, true, Int64GetDatum(intents->runner->token));
	set(values, nulls, RUNS_NONCE, true, Int64GetDatum(nonce));
	set(values, nulls, RUNS_STATUS, true, CStringGetTextDatum("starting"));
	set(values, nulls, RUNS_TIMED_OUT, true, BoolGetDatum(false));
	set_place(intents, intent, nonce, values, nulls);
	return true;
}

/* Of a node that is repeated the first start is the one from which the others count. */
static void
begin_repeats(JoschUpdate *nodes, TimestampTz now)
{
	bool		once;
	bool		first;

	(void) josch_update_get(nodes, NODES_REPEAT_EVERY, &once);
	(void) josch_update_get(nodes, NODES_REPEATS_FROM, &first);
	if (!once && first)
	{
		josch_update_set(nodes, NODES_REPEATS_FROM, TimestampTzGetDatum(now));
	}
}

static void
start_nodes(const Intents *intents)
{
	static const int changed[] = {
		NODES_STATE, NODES_RUN_ID, NODES_ATTEMPT, NODES_STARTED_AT, NODES_ENDED_AT, NODES_MESSAGE, NODES_NOT_BEFORE,
		NODES_REPEATS_FROM
	};
	JoschUpdate *nodes = josch_update_begin(&josch_nodes, JOSCH_NODE_KEYS, lengthof(changed), changed);

	for (int i = 0; i < intents->nmade; i++)
	{
		const Intent *intent = &intents->made[i];
		Datum		key[JOSCH_NODE_KEYS];

		josch_node_key_datums(intent->key, key);
		if (josch_update_find(nodes, key) == JOSCH_FOUND)
		{
			josch_node_set_state(nodes, NODE_STATE_RUNNING);
			josch_update_set(nodes, NODES_RUN_ID, Int64GetDatum(intent->run_id));
			josch_update_set(nodes, NODES_ATTEMPT, Int32GetDatum(intent->attempt));
			josch_update_set(nodes, NODES_STARTED_AT, TimestampTzGetDatum(intents->now));
			josch_update_set_null(nodes, NODES_ENDED_AT);
			josch_update_set_null(nodes, NODES_MESSAGE);
			josch_update_set_null(nodes, NODES_NOT_BEFORE);
			begin_repeats(nodes, intents->now);
			(void) josch_update_write(nodes);
		}
	}
	josch_update_end(nodes);
}

/* ---- what is sent ---- */

static int64
int64_of(JoschFinder *runs, int column)
{
	bool		isnull;
	Datum		value = josch_finder_get(runs, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static int32
int32_of(JoschFinder *runs, int column)
{
	bool		isnull;
	Datum		value = josch_finder_get(runs, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}

/* An interval in milliseconds, months and days as extract(epoch) counts them; 0 for NULL. */
static int64
milliseconds_of(JoschFinder *runs, int column)
{
	bool		isnull;
	Datum		value = josch_finder_get(runs, column, &isnull);

	if (isnull)
	{
		return 0;
	}
	value = DirectFunctionCall2(interval_part, CStringGetTextDatum("epoch"), value);
	return (int64) rint(DatumGetFloat8(value) * 1000);
}

static StoreLaunch
read_launch(JoschFinder *runs)
{
	bool		isnull;
	JoschRole  *owner = (JoschRole *) DatumGetPointer(josch_finder_get(runs, RUNS_OWNER, &isnull));
	char	   *message = josch_finder_get_text(runs, RUNS_MESSAGE);
	StoreLaunch launch = {
		.run_id = int64_of(runs, RUNS_RUN_ID),
		.nonce = int64_of(runs, RUNS_NONCE),
		.key = {int64_of(runs, RUNS_NODE_ID), DatumGetDateADT(josch_finder_get(runs, RUNS_JOB_DATE, &isnull))},
		.attempt = int32_of(runs, RUNS_ATTEMPT),
		.node_type = josch_finder_get_text(runs, RUNS_NODE_TYPE)[0],
		.sql = strcmp(josch_finder_get_text(runs, RUNS_KIND), "sql") == 0,
		.atomic = DatumGetBool(josch_finder_get(runs, RUNS_EXEC_SQL_ATOMIC, &isnull)),
		.owner = josch_role_oid(owner),
		.owner_name = pstrdup(josch_role_name(owner)),
		.delayed = message != NULL && strncmp(message, JOSCH_WAITS, strlen(JOSCH_WAITS)) == 0,
		.command = josch_finder_get_text(runs, RUNS_EXEC_COMMAND),
		.ready_command = josch_finder_get_text(runs, RUNS_READY_COMMAND),
		.executor = josch_finder_get_text(runs, RUNS_EXECUTOR),
		.executor_options = josch_finder_get_text(runs, RUNS_EXECUTOR_OPTIONS),
		.server = josch_finder_get_text(runs, RUNS_SERVER),
		.work_dir = josch_finder_get_text(runs, RUNS_WORK_DIR),
		.log = josch_finder_get_text(runs, RUNS_LOG),
		.timeout_ms = milliseconds_of(runs, RUNS_TIMEOUT),
		.grace_ms = milliseconds_of(runs, RUNS_STOP_GRACE),
		.ready_after_ms = milliseconds_of(runs, RUNS_READY_AFTER),
		.pid = int32_of(runs, RUNS_PID),
		.started_at = int64_of(runs, RUNS_STARTED_AT)
	};

	return launch;
}

/* The programs of the executors, as they are now. */
static void
add_executors(StoreLaunch *launches, int n)
{
	JoschFinder executors;
	bool		opened = false;

	for (int i = 0; i < n; i++)
	{
		Datum		key;

		if (launches[i].executor == NULL)
		{
			continue;
		}
		if (!opened)
		{
			josch_finder_open(&executors, &executors_table, 1, AccessShareLock);
			opened = true;
		}
		key = CStringGetTextDatum(launches[i].executor);
		if (josch_finder_find(&executors, &key))
		{
			launches[i].start_command = josch_finder_get_text(&executors, EXECUTOR_START);
			launches[i].attach_command = josch_finder_get_text(&executors, EXECUTOR_ATTACH);
			launches[i].stop_command = josch_finder_get_text(&executors, EXECUTOR_STOP);
		}
	}
	if (opened)
	{
		josch_finder_close(&executors);
	}
}

/* The environment of each that is a command, in one go. */
static void
add_environments(StoreLaunch *launches, int n)
{
	EnvironmentRequest *requests = palloc(sizeof(EnvironmentRequest) * Max(n, 1));
	Environment *environments;
	int			commands = 0;

	for (int i = 0; i < n; i++)
	{
		if (!launches[i].sql)
		{
			requests[commands++] = (EnvironmentRequest) {launches[i].key, launches[i].run_id, launches[i].attempt};
		}
	}
	if (commands == 0)
	{
		return;
	}
	environments = josch_store_environment_read(requests, commands);
	for (int i = 0; i < n; i++)
	{
		if (!launches[i].sql)
		{
			launches[i].environment = environments->found ? josch_store_environment_block(environments) : NULL;
			environments++;
		}
	}
}

StoreLaunch *
josch_store_pass_reload(const int64 *run_ids, int n, int *loaded)
{
	StoreLaunch *launches = palloc(sizeof(StoreLaunch) * Max(n, 1));
	JoschFinder runs;
	bool		isnull;

	*loaded = 0;
	josch_finder_open(&runs, &josch_runs, 1, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key = Int64GetDatum(run_ids[i]);

		if (josch_finder_find(&runs, &key))
		{
			(void) josch_finder_get(&runs, RUNS_ENDED_AT, &isnull);
			if (isnull)
			{
				launches[(*loaded)++] = read_launch(&runs);
			}
		}
	}
	josch_finder_close(&runs);
	add_executors(launches, *loaded);
	add_environments(launches, *loaded);
	return launches;
}

static void
complain_of_suppression(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("a trigger on josch.runs suppressed the run")));
}

StoreLaunch *
josch_store_pass_launch(const NodeKey *keys, int n, char turn, const StoreRunner *runner, int *launched, int *held)
{
	Intents		intents = {
		.runner = runner, .keys = keys, .nkeys = n, .turn = turn, .now = josch_clock_now(),
		.sequence = get_relname_relid("run_id_seq", get_namespace_oid(JOSCH_SCHEMA, false)),
		.made = palloc(sizeof(Intent) * (n + 1))
	};
	int64	   *ids;
	StoreLaunch *launches;

	josch_finder_open(&intents.nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	/* the nodes are locked: nobody takes them from under their runs */
	josch_writer_insert(&josch_runs_intent, josch_writer_is_foreign_key, next_run, &intents);
	josch_finder_close(&intents.nodes);
	*held = intents.held;
	ids = palloc(sizeof(int64) * Max(intents.nmade, 1));
	for (int i = 0; i < intents.nmade; i++)
	{
		ids[i] = intents.made[i].run_id;
	}
	start_nodes(&intents);
	launches = josch_store_pass_reload(ids, intents.nmade, launched);
	if (*launched < intents.nmade)
	{
		complain_of_suppression();
	}
	return launches;
}
