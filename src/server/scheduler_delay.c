/*
 * src/server/scheduler_delay.c
 *	  What never started for want of something: kept, and tried again.
 *
 * A passing shortage is nobody's failure.  A run that met one stays as it is, in
 * its place, and its node says what it waits for; it is sent again, one at first,
 * and ever more as long as that goes well.  One that is refused for a reason of its
 * own keeps nobody else from being started.
 *
 * What waits here has never started, whatever becomes of the connection: it may be
 * stopped without asking anybody.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "common/hashfn.h"

#include "base/attempt.h"
#include "base/clock.h"
#include "run/spool_room.h"
#include "run/sql_worker.h"
#include "run/store_pass.h"

/* Between two tries: doubled each time that one was in vain, up to the last. */
#define FIRST_DELAY_MS 250
#define LAST_DELAY_MS 10000

/* Between two tries when something has changed that may have made room. */
#define EARLY_DELAY_MS 100

/* A runner that has had something to say for so long, and has not, does not answer. */
#define SILENCE_MS 5000

/* Runs that are sent again together. */
#define MOST_AT_ONCE 1024

/* Nodes that are ready and are told of that. */
#define MARK_LIMIT 100

/* A run that waits. */
typedef struct Delayed
{
	JoschRunKey key;			/* the hash key */
	bool		sql;
	bool		sent;			/* once more, and not answered yet */
	int32		round;			/* in which it was tried last */
	uint32		told;			/* hash of the reason that its node has */
} Delayed;

void
josch_scheduler_delay_init(Scheduler *scheduler)
{
	HASHCTL		control = {.keysize = sizeof(JoschRunKey), .entrysize = sizeof(Delayed), .hcxt = scheduler->context};

	scheduler->delays = (Delays) {
		.runs = hash_create("josch delayed runs", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT), .window = 1
	};
	scheduler->silent_since = josch_clock_now();
}

static bool
anything_waits(const Delays *delays)
{
	return hash_get_num_entries(delays->runs) > 0;
}

/* How many wait: commands, and SQL. */
static void
count(const Delays *delays, int waiting[2])
{
	HASH_SEQ_STATUS all;
	Delayed    *delayed;

	waiting[0] = waiting[1] = 0;
	hash_seq_init(&all, delays->runs);
	while ((delayed = hash_seq_search(&all)) != NULL)
	{
		waiting[delayed->sql]++;
	}
}

/* Takes the run out; when it was the last one, the next shortage begins anew. */
static bool
take_out(Delays *delays, JoschRunKey key)
{
	bool		found = hash_search(delays->runs, &key, HASH_REMOVE, NULL) != NULL;

	if (!anything_waits(delays))
	{
		delays->window = 1;
		delays->delay_ms = 0;
		delays->due_at = 0;
	}
	return found;
}

bool
josch_scheduler_delay(Scheduler *scheduler, JoschRunKey key, bool sql, const char *reason)
{
	Delays	   *delays = &scheduler->delays;
	TimestampTz now = josch_clock_now();
	uint32		told = hash_bytes((const unsigned char *) reason, strlen(reason));
	bool		found;
	Delayed    *delayed = hash_search(delays->runs, &key, HASH_ENTER, &found);
	bool		news = !found || delayed->told != told;

	delayed->sql = sql;
	delayed->told = told;
	delayed->sent = false;
	delayed->round = delays->round;
	if (delays->due_at <= now)
	{
		/* the first of those that were sent together: they failed together */
		delays->delay_ms = delays->delay_ms == 0 ? FIRST_DELAY_MS : Min(delays->delay_ms * 2, LAST_DELAY_MS);
		delays->due_at = TimestampTzPlusMilliseconds(now, delays->delay_ms);
	}
	delays->window = 1;
	strlcpy(delays->reason[sql], reason, JOSCH_WAIT_MAX);
	return news;
}

/* Something has started or ended: there may be room for others. */
void
josch_scheduler_delay_heard(Scheduler *scheduler, const RunEvent *event)
{
	Delays	   *delays = &scheduler->delays;
	JoschRunKey key = josch_run_event_key(event);
	TimestampTz soon;

	if (!anything_waits(delays) || !event->done || event->type == RUN_DELAYED)
	{
		return;
	}
	if (take_out(delays, key) && event->type == RUN_STARTED)
	{
		delays->window = Min(delays->window * 2, MOST_AT_ONCE);
		delays->delay_ms = 0;
	}
	soon = TimestampTzPlusMilliseconds(josch_clock_now(), EARLY_DELAY_MS);
	delays->due_at = Min(delays->due_at, soon);
	scheduler->pass_wanted |= !anything_waits(delays);	/* to say so */
}

bool
josch_scheduler_is_delayed(const Scheduler *scheduler, JoschRunKey key)
{
	return hash_search(scheduler->delays.runs, &key, HASH_FIND, NULL) != NULL;
}

bool
josch_scheduler_delay_drop(Scheduler *scheduler, JoschRunKey key)
{
	Delayed    *delayed = hash_search(scheduler->delays.runs, &key, HASH_FIND, NULL);

	if (delayed == NULL || delayed->sent)
	{
		return false;
	}
	return take_out(&scheduler->delays, key);
}

/* The runner's list is here: what becomes of commands that it does not show is found out by comparing. */
void
josch_scheduler_delay_listed(Scheduler *scheduler)
{
	HASH_SEQ_STATUS all;
	Delayed    *delayed;

	hash_seq_init(&all, scheduler->delays.runs);
	while ((delayed = hash_seq_search(&all)) != NULL)
	{
		if (!delayed->sql)
		{
			(void) take_out(&scheduler->delays, delayed->key);
		}
	}
}

/* Takes as many as may be tried now, of those that were not in this round. */
static int
pick(Scheduler *scheduler, JoschRunKey *keys)
{
	Delays	   *delays = &scheduler->delays;
	bool		commands = scheduler->phase == RUNNER_READY && !scheduler->status.silent;
	HASH_SEQ_STATUS all;
	Delayed    *delayed;
	int			n = 0;

	hash_seq_init(&all, delays->runs);
	while (n < delays->window && (delayed = hash_seq_search(&all)) != NULL)
	{
		if (!delayed->sent && delayed->round != delays->round && (delayed->sql || commands))
		{
			keys[n++] = delayed->key;
		}
	}
	if (n == delays->window)
	{
		hash_seq_term(&all);
	}
	return n;
}

StoreLaunch *
josch_scheduler_delay_take(Scheduler *scheduler, JoschRunKey **keys, int *nkeys, int *n)
{
	Delays	   *delays = &scheduler->delays;
	int64	   *ids;

	*n = *nkeys = 0;
	if (!anything_waits(delays) || !josch_clock_is_due(delays->due_at, LAST_DELAY_MS))
	{
		return NULL;
	}
	*keys = palloc(sizeof(JoschRunKey) * delays->window);
	*nkeys = pick(scheduler, *keys);
	if (*nkeys == 0)
	{
		delays->round++;
		*nkeys = pick(scheduler, *keys);
	}
	delays->due_at = TimestampTzPlusMilliseconds(josch_clock_now(), Max(delays->delay_ms, EARLY_DELAY_MS));
	if (*nkeys == 0)
	{
		return NULL;			/* all are on their way, or nobody is there */
	}
	ids = palloc(sizeof(int64) * *nkeys);
	for (int i = 0; i < *nkeys; i++)
	{
		ids[i] = (*keys)[i].run_id;
	}
	return josch_store_pass_reload(ids, *nkeys, n);
}

void
josch_scheduler_delay_sent(Scheduler *scheduler, const JoschRunKey *keys, int nkeys, const StoreLaunch *launches, int n)
{
	Delays	   *delays = &scheduler->delays;

	for (int i = 0; i < nkeys; i++)
	{
		Delayed    *delayed = hash_search(delays->runs, &keys[i], HASH_FIND, NULL);
		int			place = 0;

		while (place < n && launches[place].run_id != keys[i].run_id)
		{
			place++;
		}
		/* it has ended meanwhile; or it is for a SQL worker, who tells nobody when it begins */
		if (place == n || (delayed != NULL && delayed->sql))
		{
			(void) take_out(delays, keys[i]);
		}
		else if (delayed != NULL)
		{
			delayed->sent = true;
			delayed->round = delays->round;
		}
	}
}

TimestampTz
josch_scheduler_delay_due(const Scheduler *scheduler)
{
	TimestampTz due = anything_waits(&scheduler->delays) ? scheduler->delays.due_at : DT_NOEND;

	return scheduler->silent_since == 0 || scheduler->status.silent || !josch_scheduler_may_connect(scheduler) ? due :
		Min(due, TimestampTzPlusMilliseconds(scheduler->silent_since, SILENCE_MS));
}

/* ---- a runner that does not answer ---- */

void
josch_scheduler_expect_answer(Scheduler *scheduler)
{
	if (scheduler->silent_since == 0)
	{
		scheduler->silent_since = josch_clock_now();
	}
}

void
josch_scheduler_hear_answer(Scheduler *scheduler)
{
	scheduler->silent_since = scheduler->phase >= RUNNER_LISTED ? 0 : josch_clock_now();
	scheduler->pass_wanted |= scheduler->status.silent;
	scheduler->status.silent = false;
}

void
josch_scheduler_notice_silence(Scheduler *scheduler)
{
	/* who may not ask, as a copy that is disarmed, waits for no answer */
	if (!scheduler->status.silent && scheduler->silent_since != 0 && josch_scheduler_may_connect(scheduler) &&
		TimestampDifferenceExceeds(scheduler->silent_since, josch_clock_now(), SILENCE_MS))
	{
		scheduler->status.silent = scheduler->silence_untold = scheduler->pass_wanted = true;
	}
}

const char *
josch_scheduler_silence(void)
{
	return josch_spool_room().full ? "the runner does not answer: no space is left in the spool's file system" :
		"the runner does not answer";
}

/* What was sent, or would be, and has no answer: its nodes say so. */
static void
mark_ready(void *argument)
{
	Scheduler  *scheduler = argument;

	josch_store_run_mark_ready(scheduler->status.silent ? psprintf(JOSCH_WAITS "%s", josch_scheduler_silence()) : NULL,
							   MARK_LIMIT);
}

/* Commands that it was given, and that do not wait for something else. */
static void
list_unanswered(Scheduler *scheduler, StoreRunInfo **unanswered, int *n)
{
	int			nopen;
	StoreRunInfo *open = josch_store_run_list_open(&nopen);

	for (int i = 0; i < nopen; i++)
	{
		JoschRunKey key = {open[i].run_id, open[i].nonce};

		if (!open[i].sql && !open[i].begun && !josch_scheduler_is_delayed(scheduler, key))
		{
			open[(*n)++] = open[i];
		}
	}
	*unanswered = open;
}

void
josch_scheduler_delay_look(Scheduler *scheduler, StoreRunInfo **unanswered, int *n)
{
	ErrorData  *error;

	*n = 0;
	if (scheduler->silence_untold)
	{
		list_unanswered(scheduler, unanswered, n);
	}
	if (scheduler->status.silent || scheduler->ready_marked)
	{
		/* it is only a word: whoever keeps it from being said must not keep the pass from its end */
		error = josch_attempt(mark_ready, scheduler);
		if (error != NULL)
		{
			ereport(LOG, (errmsg("nodes that wait for the runner cannot be told so: %s", error->message)));
		}
		scheduler->ready_marked = scheduler->status.silent;
	}
}

/* ---- what health and the server's log say ---- */

/* Once, before it is too late: commands may fill the file system of the data directory. */
static void
warn_of_room(Scheduler *scheduler)
{
	SpoolRoom	room = josch_spool_room();

	if (room.low && !scheduler->room_is_low)
	{
		ereport(WARNING,
				(errcode(ERRCODE_DISK_FULL),
				 errmsg("the file system of josch.spool_directory is nearly full"),
				 errdetail(UINT64_FORMAT " MB of " UINT64_FORMAT " MB are left; no command is started when less than " UINT64_FORMAT " MB are.",
						   room.left / JOSCH_MB, room.all / JOSCH_MB, room.to_start / JOSCH_MB),
				 errhint("Remove old logs of runs, or move the directory to a larger file system.")));
	}
	scheduler->room_is_low = room.low;
}

void
josch_scheduler_delay_report(Scheduler *scheduler)
{
	Delays	   *delays = &scheduler->delays;
	JoschSchedulerStatus *status = &scheduler->status;
	int			waiting[2];

	warn_of_room(scheduler);
	count(delays, waiting);
	strlcpy(status->commands_wait, status->silent ? josch_scheduler_silence() : waiting[0] > 0 ? delays->reason[0] : "", JOSCH_WAIT_MAX);
	strlcpy(status->sql_wait, waiting[1] > 0 ? delays->reason[1] : "", JOSCH_WAIT_MAX);
	if (scheduler->unsent_sql != NIL && josch_sql_worker_shortage() != NULL)
	{
		strlcpy(status->sql_wait, josch_sql_worker_shortage(), JOSCH_WAIT_MAX);
	}
}
