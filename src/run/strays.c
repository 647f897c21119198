/*
 * src/run/strays.c
 *	  What the runner still has for nobody.
 *
 * A command outlives the row of its run: the extension or the database was dropped,
 * the data was taken back, a person has given the run up.  Whoever asks here talks to
 * the runner itself, on a connection of its own, and for a moment only.
 *
 * What another server's identity has given to the runner is never touched: that may be
 * the very one of which this is a copy.
 */
#include "base/josch.h"

#include "run/strays.h"

#include "commands/dbcommands.h"
#include "commands/extension.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "storage/latch.h"
#if PG_VERSION_NUM >= 180000
#include "storage/waiteventset.h"
#endif
#include "utils/lsyscache.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "base/identity.h"
#include "base/spool.h"
#include "base/store_installation.h"
#include "run/store_run.h"

/* So many are named in a WARNING. */
#define MAX_NAMED 10

/* ---- talking to the runner ---- */

typedef struct Talk
{
	JoschRunner *runner;
	TimestampTz until;
	Oid			database;		/* InvalidOid: this one, and those that are gone */
	bool		blind;			/* the tables are not read: they may be in ruins */
	List	   *strays;
	List	   *ended;			/* JoschRunKey: nobody else will have them forgotten */
	bool		complete;
	const char *trouble;
} Talk;

static bool
is_asked_for(const Talk *talk, Oid database)
{
	if (OidIsValid(talk->database))
	{
		return database == talk->database;
	}
	return database == MyDatabaseId || get_database_name(database) == NULL;
}

static void
note_ended(Talk *talk, JoschRunKey key)
{
	JoschRunKey *ended = palloc(sizeof(JoschRunKey));

	*ended = key;
	talk->ended = lappend(talk->ended, ended);
}

static void
take_listed(Talk *talk, const JoschRunnerEvent *event)
{
	const JoschRunnerListed *listed = &event->listed;
	Oid			database = listed->other ? listed->database : MyDatabaseId;
	Stray	   *stray;

	if (!is_asked_for(talk, database) || (listed->other && strcmp(listed->identity, josch_identity_server()) != 0))
	{
		return;
	}
	if (listed->ended)
	{
		if (listed->other && !talk->blind)
		{
			note_ended(talk, josch_run_event_key(&event->run));
		}
		return;
	}
	stray = palloc0(sizeof(Stray));
	stray->key = josch_run_event_key(&event->run);
	stray->database = database;
	stray->database_name = listed->other ? josch_encoding_from_utf8(listed->database_name) : get_database_name(MyDatabaseId);
	stray->token = listed->other ? josch_encoding_from_utf8(listed->token) : NULL;
	stray->pid = listed->pid;
	stray->started_at = listed->started_at;
	stray->log = josch_encoding_from_utf8(listed->log_path);
	talk->strays = lappend(talk->strays, stray);
}

static void
take(Talk *talk, const JoschRunnerEvent *event)
{
	switch (event->type)
	{
		case JOSCH_RUNNER_LISTED:
			take_listed(talk, event);
			break;
		case JOSCH_RUNNER_LIST_END:
			talk->complete = true;
			break;
		case JOSCH_RUNNER_LOST:
		case JOSCH_RUNNER_ERROR:
			talk->trouble = event->text;
			break;
		default:
			break;
	}
}

static void
wait_for_answer(Talk *talk)
{
	long		left = TimestampDifferenceMilliseconds(josch_clock_system_now(), talk->until);
	WaitEvent	event;
	WaitEventSet *set;

	if (left <= 0)
	{
		talk->trouble = "it does not answer";
		return;
	}
#if PG_VERSION_NUM >= 170000
	set = CreateWaitEventSet(NULL, 3);
#else
	set = CreateWaitEventSet(CurrentMemoryContext, 3);
#endif
	AddWaitEventToSet(set, WL_LATCH_SET, PGINVALID_SOCKET, MyLatch, NULL);
	AddWaitEventToSet(set, WL_EXIT_ON_PM_DEATH, PGINVALID_SOCKET, NULL, NULL);
	AddWaitEventToSet(set, WL_SOCKET_READABLE | (josch_runner_wants_write(talk->runner) ? WL_SOCKET_WRITEABLE : 0),
					  josch_runner_socket(talk->runner), NULL, NULL);
	if (josch_clock_wait(set, DT_NOEND, left, &event, 1, PG_WAIT_EXTENSION) > 0 && (event.events & WL_LATCH_SET))
	{
		ResetLatch(MyLatch);
	}
	FreeWaitEventSet(set);
	CHECK_FOR_INTERRUPTS();
}

/* Until the answer to LIST is complete. */
static void
hear(Talk *talk)
{
	while (!talk->complete && talk->trouble == NULL)
	{
		List	   *events;
		ListCell   *cell;

		josch_runner_flush(talk->runner);
		events = josch_runner_read(talk->runner, CurrentMemoryContext);
		foreach(cell, events)
		{
			take(talk, lfirst(cell));
		}
		if (events == NIL)
		{
			wait_for_answer(talk);
		}
	}
}

static void
forget_ended(Talk *talk)
{
	JoschRunKey *keys = palloc(sizeof(JoschRunKey) * (list_length(talk->ended) + 1));
	int			n = 0;
	ListCell   *cell;

	foreach(cell, talk->ended)
	{
		keys[n++] = *(JoschRunKey *) lfirst(cell);
	}
	if (n > 0 && talk->complete)
	{
		josch_runner_send_forget(talk->runner, JOSCH_SCOPE_ALL, keys, n);
		josch_runner_flush(talk->runner);
	}
}

/* Asks for the list, after having a run ended; false and *reason when there is no answer. */
static bool
ask(Talk *talk, const Stray *end, int64 grace_ms, long limit_ms, char **reason)
{
	JoschInstallation installation = {0};
	JoschRunnerOwner owner = {josch_identity_server(), MyDatabaseId, get_database_name(MyDatabaseId), "", 0};

	if (!talk->blind && OidIsValid(get_extension_oid("josch", true)))
	{
		installation = josch_store_installation_read();
		owner.token = psprintf("%016llx", (unsigned long long) installation.token);
	}
	talk->until = TimestampTzPlusMilliseconds(josch_clock_system_now(), limit_ms);
	talk->runner = josch_runner_connect(josch_spool_path(), &owner, false, reason);
	if (talk->runner == NULL)
	{
		return false;
	}
	PG_TRY();
	{
		if (end != NULL)
		{
			josch_runner_send_stop(talk->runner, JOSCH_SCOPE_ALL, end->key, grace_ms);
		}
		/* the answer to it proves that what was sent before has been read */
		josch_runner_send_list(talk->runner, JOSCH_SCOPE_ALL);
		hear(talk);
		forget_ended(talk);
		*reason = talk->trouble != NULL ? pstrdup(talk->trouble) : NULL;
	}
	PG_FINALLY();
	{
		josch_runner_close(talk->runner);
	}
	PG_END_TRY();
	return talk->trouble == NULL;
}

/* ---- what is nobody's ---- */

List *
josch_strays_ask(long limit_ms, char **reason)
{
	Talk		talk = {.database = InvalidOid};
	List	   *strays = NIL;
	ListCell   *cell;

	if (!ask(&talk, NULL, 0, limit_ms, reason))
	{
		return NIL;
	}
	foreach(cell, talk.strays)
	{
		Stray	   *stray = lfirst(cell);

		if (stray->database != MyDatabaseId || stray->token != NULL ||
			!josch_store_run_is_open(stray->key.run_id, stray->key.nonce))
		{
			strays = lappend(strays, stray);
		}
	}
	return strays;
}

List *
josch_strays_of(Oid database, long limit_ms, char **reason)
{
	Talk		talk = {.database = database,.blind = true};

	return ask(&talk, NULL, 0, limit_ms, reason) ? talk.strays : NIL;
}

bool
josch_strays_end(const Stray *stray, int64 grace_ms, long limit_ms, char **reason)
{
	Talk		talk = {.database = stray->database};

	return ask(&talk, stray, grace_ms, limit_ms, reason);
}

char *
josch_strays_describe(const Stray *stray)
{
	return stray->pid == 0 ? psprintf("run " INT64_FORMAT " (%s)", stray->key.run_id, stray->log) :
		psprintf("run " INT64_FORMAT " (process %d, %s)", stray->key.run_id, stray->pid, stray->log);
}

void
josch_strays_warn(List *strays, const char *what)
{
	StringInfoData names;
	int			n = list_length(strays);

	if (n == 0)
	{
		return;
	}
	initStringInfo(&names);
	for (int i = 0; i < Min(n, MAX_NAMED); i++)
	{
		appendStringInfo(&names, "%s%s", i > 0 ? ", " : "", josch_strays_describe(list_nth(strays, i)));
	}
	ereport(WARNING,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("%d command%s of %s still run%s, and nobody will know how %s", n, n == 1 ? "" : "s", what,
					n == 1 ? "s" : "", n == 1 ? "it ends" : "they end"),
			 errdetail("%s%s.", names.data, n > MAX_NAMED ? ", ..." : ""),
			 errhint("josch.strays() lists what the runner has for nobody, and josch.end_stray() ends one.")));
}
