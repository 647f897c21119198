/*
 * src/server/scheduler_judge.c
 *	  Who asks the queries that nodes wait for: a worker for each owner, a few at a time.
 *
 * A query is another's text, so it is never asked in the scheduler's process, and one that
 * hangs keeps only its owner's others waiting: they have a worker of their own, which is
 * ended when it does not come on.
 */
#include "base/josch.h"

#include "server/scheduler.h"

#include "miscadmin.h"
#include "postmaster/bgworker.h"
#include "storage/ipc.h"

#include "base/clock.h"
#include "base/shared.h"
#include "run/sql_worker.h"
#include "server/judge_worker.h"

/* Workers of one database at a time. */
#define MOST_JUDGES 2

/* Between two workers at the least, and otherwise so many times what the last has taken: a loader that commits all the time keeps no core busy. */
#define REST_MS 20
#define REST_SHARE 4
#define LONGEST_REST_MS 1000

/* What cannot be asked now, for want of a worker. */
#define AGAIN_MS 1000

/* Where the owner could not even connect, at the most. */
#define CONNECT_AGAIN_MS 60000

/* A query whose limit is over has this time to end by itself. */
#define GRACE_MS 5000

typedef struct Judge
{
	BackgroundWorkerHandle *worker; /* NULL: free */
	int			place;
	int64		generation;
	Oid			owner;
	TimestampTz begun_at;		/* by the system's clock */
	TimestampTz since;			/* of the query that is asked */
	int			seen;			/* results that were taken */
	bool		ended;			/* by us */
} Judge;

static Judge judges[MOST_JUDGES];

/* ---- places in shared memory ---- */

static void
give_back(Judge *judge)
{
	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	if (josch_shared->judges[judge->place].generation == judge->generation)
	{
		josch_shared->judges[judge->place] = (JoschJudge) {0};
	}
	LWLockRelease(josch_shared_lock);
}

/* False when all are taken. */
static bool
take_place(Judge *judge, const JoschJudge *work)
{
	bool		found = false;

	LWLockAcquire(josch_shared_lock, LW_EXCLUSIVE);
	for (int i = 0; i < JOSCH_JUDGES && !found; i++)
	{
		if (!OidIsValid(josch_shared->judges[i].database))
		{
			judge->place = i;
			judge->generation = ++josch_shared->judge_generations;
			josch_shared->judges[i] = *work;
			josch_shared->judges[i].generation = judge->generation;
			found = true;
		}
	}
	LWLockRelease(josch_shared_lock);
	return found;
}

/* Nobody would end them when the database is to be dropped. */
static void
end_all(int code, Datum unused)
{
	for (int i = 0; i < MOST_JUDGES; i++)
	{
		if (judges[i].worker != NULL)
		{
			TerminateBackgroundWorker(judges[i].worker);
			give_back(&judges[i]);
		}
	}
}

/* ---- what was found ---- */

static void
ask_at(World *world, Waited *waited, TimestampTz at)
{
	waited->judge_at = waited->again ? josch_clock_now() : at;
	waited->again = waited->judging = false;
	world->judge_at = Min(world->judge_at, waited->judge_at);
}

/* One that was asked: what that says to its node, and when it is to be asked again. */
static void
take_judgement(Scheduler *scheduler, const JoschJudge *result, int i)
{
	Waited	   *waited = josch_scheduler_world_find(scheduler, result->keys[i]);
	TimestampTz later;
	WorldFact	fact = {.key = result->keys[i],.kind = WORLD_SQL,.asked = result->queries[i],.at = josch_clock_now()};

	if (waited == NULL)
	{
		return;
	}
	later = TimestampTzPlusMilliseconds(josch_clock_now(), waited->interval_ms);
	if (waited->query != result->queries[i])
	{
		waited->again = true;
	}
	else if (result->judgements[i] == JUDGEMENT_TRUE)
	{
		waited->again = false;
		waited->told = 0;
		later = DT_NOEND;
		josch_scheduler_world_take(scheduler, &fact);
	}
	else if (result->judgements[i] == JUDGEMENT_ERROR)
	{
		josch_scheduler_world_tell(scheduler, waited, result->texts[i], false);
	}
	else if (result->judgements[i] == JUDGEMENT_FALSE && waited->file == 0)
	{
		josch_scheduler_world_tell(scheduler, waited, NULL, false);
	}
	ask_at(&scheduler->world, waited, later);
}

/*
 * One that the worker has not come to, or not come to the end of.  Whose query has ended it is asked when its
 * time comes again; the others have been due for longer then, and so come before it.
 */
static void
take_unasked(Scheduler *scheduler, const Judge *judge, const JoschJudge *result, int i)
{
	Waited	   *waited = josch_scheduler_world_find(scheduler, result->keys[i]);
	bool		connected = result->since != 0;
	TimestampTz at;

	if (waited == NULL)
	{
		return;
	}
	at = waited->judge_at;
	if (i == result->at || !connected)
	{
		josch_scheduler_world_tell(scheduler, waited, judge->ended ? "its wait_sql failed: it took longer than 10 seconds, and could not be cancelled" :
								   "its wait_sql was not asked: the worker of its owner has ended, as the server's log says", false);
		at = TimestampTzPlusMilliseconds(josch_clock_now(), connected ? waited->interval_ms : Min(waited->interval_ms, CONNECT_AGAIN_MS));
	}
	ask_at(&scheduler->world, waited, at);
}

static JoschJudge
read_place(const Judge *judge)
{
	JoschJudge	result;

	LWLockAcquire(josch_shared_lock, LW_SHARED);
	result = josch_shared->judges[judge->place];
	LWLockRelease(josch_shared_lock);
	return result;
}

static void
collect(Scheduler *scheduler, Judge *judge)
{
	World	   *world = &scheduler->world;
	JoschJudge	result = read_place(judge);
	pid_t		pid;
	bool		over = GetBackgroundWorkerPid(judge->worker, &pid) == BGWH_STOPPED;

	if (over)
	{
		result = read_place(judge);
	}
	for (; judge->seen < result.at; judge->seen++)
	{
		take_judgement(scheduler, &result, judge->seen);
	}
	judge->since = result.since;
	if (!over)
	{
		return;
	}
	for (int i = result.at; i < result.n; i++)
	{
		take_unasked(scheduler, judge, &result, i);
	}
	world->judge_at = Min(world->judge_at, josch_clock_now());	/* its owner may have others */
	world->judged_at = josch_clock_system_now();
	world->judging_ms = (world->judged_at - judge->begun_at) / 1000;
	give_back(judge);
	pfree(judge->worker);
	*judge = (Judge) {0};
}

/* It has caught the cancel of the timer, or never came to where that is heard. */
static void
end_late(Judge *judge)
{
	if (judge->worker != NULL && !judge->ended && judge->since != 0 &&
		TimestampDifferenceExceeds(judge->since, josch_clock_system_now(), JOSCH_JUDGE_LIMIT_MS + GRACE_MS))
	{
		judge->ended = true;
		TerminateBackgroundWorker(judge->worker);
	}
}

/* ---- what is asked ---- */

static bool
has_judge(Oid owner)
{
	for (int i = 0; i < MOST_JUDGES; i++)
	{
		if (judges[i].worker != NULL && judges[i].owner == owner)
		{
			return true;
		}
	}
	return false;
}

/* Whose turn it is: the owner of the query that is due the longest; sets when the next is, or would be. */
static Waited *
find_next(Scheduler *scheduler, TimestampTz now)
{
	World	   *world = &scheduler->world;
	HASH_SEQ_STATUS all;
	Waited	   *waited;
	Waited	   *next = NULL;

	world->judge_at = DT_NOEND;
	hash_seq_init(&all, world->waited);
	while ((waited = hash_seq_search(&all)) != NULL)
	{
		if (waited->judging || has_judge(waited->owner))
		{
			continue;			/* its end brings us here again */
		}
		world->judge_at = Min(world->judge_at, waited->judge_at);
		if (waited->judge_at <= now && (next == NULL || waited->judge_at < next->judge_at))
		{
			next = waited;
		}
	}
	return next;
}

/* Whoever has been due longer than some of these comes before them; of those that have no room the last ones stay behind. */
static void
line_up(const Waited *waited, const Waited **line, int *n)
{
	int			at = *n;

	while (at > 0 && waited->judge_at < line[at - 1]->judge_at)
	{
		at--;
	}
	if (at < JOSCH_JUDGE_KEYS)
	{
		*n = Min(*n + 1, JOSCH_JUDGE_KEYS);
		memmove(&line[at + 1], &line[at], sizeof(line[0]) * (*n - at - 1));
		line[at] = waited;
	}
}

/* All that are due of that owner, as far as they have room, the longest first: nobody who is asked often keeps another from being asked. */
static void
gather(Scheduler *scheduler, TimestampTz now, Oid owner, JoschJudge *work)
{
	const Waited *line[JOSCH_JUDGE_KEYS];
	int			n = 0;
	HASH_SEQ_STATUS all;
	Waited	   *waited;

	*work = (JoschJudge) {.database = MyDatabaseId,.owner = owner};
	hash_seq_init(&all, scheduler->world.waited);
	while ((waited = hash_seq_search(&all)) != NULL)
	{
		if (waited->owner == owner && waited->judge_at <= now && !waited->judging)
		{
			line_up(waited, line, &n);
		}
	}
	for (; work->n < n; work->n++)
	{
		work->keys[work->n] = line[work->n]->key;
		work->queries[work->n] = line[work->n]->query;
	}
}

static bool
start(Judge *judge, const JoschJudge *work)
{
	static bool registered = false;

	if (!registered)
	{
		before_shmem_exit(end_all, 0);
		registered = true;
	}
	*judge = (Judge) {.owner = work->owner,.begun_at = josch_clock_system_now()};
	if (!take_place(judge, work))
	{
		return false;
	}
	judge->worker = josch_judge_worker_start(judge->place, judge->generation);
	if (judge->worker == NULL)
	{
		josch_sql_worker_make_room(true);
		give_back(judge);
	}
	return judge->worker != NULL;
}

static void
report_shortage(Scheduler *scheduler, const char *reason)
{
	if (strcmp(scheduler->status.judges_wait, reason) != 0)
	{
		strlcpy(scheduler->status.judges_wait, reason, JOSCH_WAIT_MAX);
		josch_wake_report(&scheduler->status);
	}
}

/* Those that a worker is started for are on their way; the others are tried again. */
static void
begin(Scheduler *scheduler, Judge *judge, TimestampTz now, Oid owner)
{
	JoschJudge	work;
	bool		started;

	gather(scheduler, now, owner, &work);
	started = OidIsValid(owner) && start(judge, &work);
	if (OidIsValid(owner))
	{
		report_shortage(scheduler, started ? "" : "no background worker slot is free");
	}
	for (int i = 0; i < work.n; i++)
	{
		Waited	   *waited = josch_scheduler_world_find(scheduler, work.keys[i]);

		waited->judging = started;
		if (!OidIsValid(owner))
		{
			josch_scheduler_world_tell(scheduler, waited, "its wait_sql was not asked: the owner of the node does not exist or was dropped", false);
		}
		if (!started)
		{
			waited->judge_at = TimestampTzPlusMilliseconds(now, OidIsValid(owner) ? AGAIN_MS : waited->interval_ms);
		}
	}
}

/* By the system's clock, whatever clock the queries go by. */
static int64
rest_left(const World *world)
{
	int64		rest = Min(Max(world->judging_ms * REST_SHARE, REST_MS), LONGEST_REST_MS);
	int64		passed = (josch_clock_system_now() - world->judged_at) / 1000;

	return passed < 0 || passed >= rest ? 0 : rest - passed;
}

void
josch_scheduler_judge(Scheduler *scheduler)
{
	World	   *world = &scheduler->world;
	TimestampTz now = josch_clock_now();
	Waited	   *next;

	if (!josch_scheduler_may_ask_world(scheduler))
	{
		return;
	}
	for (int i = 0; i < MOST_JUDGES; i++)
	{
		if (judges[i].worker != NULL)
		{
			collect(scheduler, &judges[i]);
			end_late(&judges[i]);
		}
	}
	for (int i = 0; i < MOST_JUDGES && world->judge_at <= now && rest_left(world) == 0; i++)
	{
		if (judges[i].worker == NULL && (next = find_next(scheduler, now)) != NULL)
		{
			begin(scheduler, &judges[i], now, next->owner);
			(void) find_next(scheduler, now);
		}
	}
}

TimestampTz
josch_scheduler_judge_due(const Scheduler *scheduler)
{
	const World *world = &scheduler->world;
	TimestampTz now = josch_clock_now();
	TimestampTz due = DT_NOEND;
	bool		free = false;

	if (!josch_scheduler_may_ask_world(scheduler))
	{
		return DT_NOEND;
	}
	for (int i = 0; i < MOST_JUDGES; i++)
	{
		free |= judges[i].worker == NULL;
		if (judges[i].worker != NULL && judges[i].since != 0 && !judges[i].ended)
		{
			int64		left = JOSCH_JUDGE_LIMIT_MS + GRACE_MS - (josch_clock_system_now() - judges[i].since) / 1000;

			due = Min(due, TimestampTzPlusMilliseconds(now, Max(left, 0)));
		}
	}
	if (free && !TIMESTAMP_IS_NOEND(world->judge_at))
	{
		due = Min(due, Max(world->judge_at, TimestampTzPlusMilliseconds(now, rest_left(world))));
	}
	return due;
}
