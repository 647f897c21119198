/*
 * src/node/notify.c
 *	  Tells the clients which nodes changed.
 *
 * A burst of the engine changes thousands of nodes in several statements of one
 * transaction, and only at its end is it known whether the changes of a date
 * are few enough to be told one by one.  So they are collected here and turned
 * into messages just before the commit.
 *
 * The scheduler sends its own, and those of everybody else: those who act at the
 * same moment must not queue for the server's lock of notifications
 * (base/outbox.h).  Where that cannot be, a transaction sends its own.
 */
#include "base/josch.h"

#include "node/notify.h"

#include "access/xact.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "nodes/pg_list.h"
#include "utils/json.h"
#include "utils/memutils.h"

#include "base/outbox.h"
#include "base/report.h"
#include "base/wake.h"

/* What is kept of each date: the first changes in full, then the number alone. */
typedef struct Change
{
	SubTransactionId subtransaction;
	NodeKey		key;
	NodeState	from;
	NodeState	to;
	int64		change_id;
	char	   *job_name;
	char	   *by;
} Change;

/* in TopTransactionContext */
static List *changes = NIL;

/* Alarms have changed, or may have: of a subtransaction that was rolled back, too. */
static bool alarms = false;

void
josch_notify_alarms(void)
{
	alarms = true;
}

void
josch_notify_change(NodeKey key, const char *job_name, NodeState from, NodeState to,
					const char *by, int64 change_id)
{
	MemoryContext former = MemoryContextSwitchTo(TopTransactionContext);
	Change	   *change = palloc(sizeof(Change));

	change->subtransaction = GetCurrentSubTransactionId();
	change->key = key;
	change->from = from;
	change->to = to;
	change->change_id = change_id;
	change->job_name = pstrdup(job_name);
	change->by = by != NULL ? pstrdup(by) : NULL;
	changes = lappend(changes, change);
	MemoryContextSwitchTo(former);
}

/* The messages of this transaction that the scheduler is to send; in TopTransactionContext. */
static List *handed = NIL;

/* The last message of others that this transaction, the scheduler's, sends; 0: none. */
static int64 sent = 0;

static char *
message(const Change *change)
{
	StringInfoData payload;

	initStringInfo(&payload);
	appendStringInfo(&payload, "{\"date\":\"%s\",\"node\":" INT64_FORMAT ",\"job\":",
					 josch_report_date(change->key.job_date), change->key.node_id);
	escape_json(&payload, change->job_name);
	appendStringInfo(&payload, ",\"from\":\"%s\",\"to\":\"%s\",\"by\":",
					 josch_fsm_label(change->from), josch_fsm_label(change->to));
	if (change->by != NULL)
	{
		escape_json(&payload, change->by);
	}
	else
	{
		appendStringInfoString(&payload, "null");
	}
	appendStringInfo(&payload, ",\"id\":" INT64_FORMAT "}", change->change_id);
	/* a job's name may be long; the limit of a payload is the server's */
	return payload.len < 7900 ? payload.data :
		psprintf("{\"date\":\"%s\",\"changed\":1}", josch_report_date(change->key.job_date));
}

static int
compare_dates(const ListCell *a, const ListCell *b)
{
	const Change *left = lfirst(a);
	const Change *right = lfirst(b);

	if (left->key.job_date != right->key.job_date)
	{
		return left->key.job_date < right->key.job_date ? -1 : 1;
	}
	return left->change_id < right->change_id ? -1 : left->change_id > right->change_id;
}

/* What is to be told of this transaction. */
static List *
make_messages(void)
{
	List	   *messages = NIL;
	int			n = list_length(changes);

	list_sort(changes, compare_dates);
	for (int start = 0, end; start < n; start = end)
	{
		DateADT		date = ((Change *) list_nth(changes, start))->key.job_date;

		CHECK_FOR_INTERRUPTS();
		for (end = start; end < n; end++)
		{
			if (((Change *) list_nth(changes, end))->key.job_date != date)
			{
				break;
			}
		}
		if (end - start > JOSCH_NOTIFY_MAX)
		{
			messages = lappend(messages, psprintf("{\"date\":\"%s\",\"changed\":%d}", josch_report_date(date), end - start));
			continue;
		}
		for (int i = start; i < end; i++)
		{
			messages = lappend(messages, message(list_nth(changes, i)));
		}
	}
	return alarms ? lappend(messages, "{\"alarms\":true}") : messages;
}

static void
send(List *messages)
{
	ListCell   *cell;

	foreach(cell, messages)
	{
		Async_Notify(JOSCH_CHANNEL, lfirst(cell));
	}
}

void
josch_notify_handed(void)
{
	if (sent == 0 && josch_outbox_has_mail())
	{
		send(josch_outbox_read(&sent));
	}
}

/* Just before the commit. */
static void
tell(void)
{
	List	   *messages = make_messages();

	if (messages != NIL && josch_outbox_reserve(messages))
	{
		handed = messages;
		josch_wake_quietly_at_commit();
		return;
	}
	/* one commit for all, where there is one anyway: what people did comes before what follows from it */
	if (josch_wake_is_scheduler() && TransactionIdIsValid(GetTopTransactionIdIfAny()))
	{
		josch_notify_handed();
	}
	send(messages);
}

/* It is known how it ended; raises nothing. */
static void
settle(bool committed)
{
	if (handed != NIL)
	{
		(committed ? josch_outbox_fill : josch_outbox_release) (handed);
	}
	if (committed && sent != 0)
	{
		josch_outbox_remove(sent);
	}
	changes = handed = NIL;
	alarms = false;
	sent = 0;
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	MemoryContext former;

	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			former = MemoryContextSwitchTo(TopTransactionContext);
			tell();
			MemoryContextSwitchTo(former);
			break;
		case XACT_EVENT_COMMIT:
			settle(true);
			break;
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			settle(false);
			break;
		case XACT_EVENT_PRE_PREPARE:

			/*
			 * The server itself refuses to PREPARE a transaction that has
			 * sent notifications; so as not to refuse all others, such a
			 * transaction is not told about.  Clients read the rows anyway.
			 */
			changes = NIL;
			alarms = false;
			break;
		default:
			break;
	}
}

static void
at_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		for (int i = list_length(changes) - 1; i >= 0; i--)
		{
			Change	   *change = list_nth(changes, i);

			if (change->subtransaction != mine)
			{
				break;			/* later entries are of inner or equal levels */
			}
			change->subtransaction = parent;
		}
	}
	else if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		int			keep = list_length(changes);

		while (keep > 0 && ((Change *) list_nth(changes, keep - 1))->subtransaction == mine)
		{
			keep--;
		}
		changes = list_truncate(changes, keep);
	}
}

void
josch_notify_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction, NULL);
}
