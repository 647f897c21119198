/*
 * src/base/wait.c
 *	  Waits for locks, and says for whom.
 *
 * While the server waits for a lock nothing of ours can run but a timer, and
 * when the wait is given up nothing is left of it.  So a timer remembers what is
 * being waited for, the wait is cut off, and who holds that lock is looked up
 * before the work begins anew.
 */
#include "base/josch.h"

#include "base/wait.h"

#include "storage/lock.h"
#include "storage/proc.h"
#include "utils/guc.h"
#include "utils/timeout.h"

#include "base/attempt.h"
#include "base/store_blocker.h"

#define NEXT_WAIT_MS 60000
#define SAMPLES 10			/* looks at what is waited for, in the time that it may take */

/* What the timer has seen; the lock stays as long as we wait for it. */
static volatile bool waited;
static LOCKTAG waited_for;

typedef struct Limited
{
	void		(*work) (void *argument);
	void	   *argument;
	int			milliseconds;
} Limited;

static void
sample_wait(void)
{
	LOCK	   *lock = MyProc->waitLock;

	if (lock != NULL)
	{
		waited_for = lock->tag;
		waited = true;
	}
}

static TimeoutId
sampler(void)
{
	static TimeoutId id = MAX_TIMEOUTS;

	if (id == MAX_TIMEOUTS)
	{
		id = RegisterTimeout(USER_TIMEOUT, sample_wait);
	}
	return id;
}

/* An error leaves the setting to the abort of the subtransaction. */
static void
work_limited(void *argument)
{
	Limited    *limited = argument;
	int			level = NewGUCNestLevel();

	(void) set_config_option("lock_timeout", psprintf("%dms", limited->milliseconds), PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	limited->work(limited->argument);
	AtEOXact_GUC(false, level);
}

static ErrorData *
attempt_limited(Limited *limited)
{
	EnableTimeoutParams params = {.id = sampler(),.type = TMPARAM_EVERY};
	ErrorData  *error = NULL;

	waited = false;
	params.delay_ms = Max(Min(limited->milliseconds, 1000) / SAMPLES, 1);
	enable_timeouts(&params, 1);
	PG_TRY();
	{
		error = josch_attempt(work_limited, limited);
	}
	PG_FINALLY();
	{
		disable_timeout(params.id, false);
	}
	PG_END_TRY();
	return error;
}

static bool
any_at_work(const JoschBlocker *blockers, int n)
{
	for (int i = 0; i < n; i++)
	{
		if (!blockers[i].idle)
		{
			return true;
		}
	}
	return n == 0;				/* gone, or not to be found: try again */
}

static void
tell(const JoschBlocker *blockers, int n, const char *waiter)
{
	if (n > 0)
	{
		ereport(NOTICE,
				(errmsg("%s waits for %s", waiter, josch_store_blocker_text(&blockers[0])),
				 n > 1 ? errdetail("So many more hold the same lock: %d.", n - 1) : 0));
	}
}

/* What the server says of a wait that was cut off, with the name of who held the lock. */
static ErrorData *
complete(ErrorData *error, const JoschBlocker *blockers, int n, const char *waiter)
{
	if (n > 0)
	{
		error->message = psprintf("%s would have to wait for %s", waiter, josch_store_blocker_text(&blockers[0]));
		error->hint = pstrdup("Try again when that transaction has ended; pg_terminate_backend() ends a session.");
	}
	return error;
}

ErrorData *
josch_wait_attempt(void (*work) (void *argument), void *argument, const char *waiter, bool patient)
{
	Limited		limited = {.work = work,.argument = argument,.milliseconds = DeadlockTimeout};
	int			allowed = LockTimeout;	/* of the session; 0: no limit */
	int			spent = 0;

	for (;;)
	{
		LOCKTAG		tag;
		JoschBlocker *blockers;
		int			n;
		ErrorData  *error;

		if (allowed > 0)
		{
			limited.milliseconds = Min(limited.milliseconds, allowed - spent);
		}
		error = attempt_limited(&limited);
		if (error == NULL || error->sqlerrcode != ERRCODE_LOCK_NOT_AVAILABLE || !waited)
		{
			return error;
		}
		tag = waited_for;
		spent += limited.milliseconds;
		blockers = josch_store_blockers(&tag, &n);
		if ((allowed > 0 && spent >= allowed) || (!patient && !any_at_work(blockers, n)))
		{
			return complete(error, blockers, n, waiter);
		}
		if (patient || spent == limited.milliseconds)
		{
			tell(blockers, n, waiter);
		}
		/* longer than deadlock_timeout: a limit that ends with it would take the place of a deadlock that is found */
		limited.milliseconds = patient ? NEXT_WAIT_MS : 2 * DeadlockTimeout;
	}
}

void
josch_wait(void (*work) (void *argument), void *argument, const char *waiter)
{
	ErrorData  *error = josch_wait_attempt(work, argument, waiter, true);

	if (error != NULL)
	{
		ReThrowError(error);
	}
}
