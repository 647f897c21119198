/*
 * src/node/notify.c
 *	  Tells the clients which nodes changed.
 *
 * A burst of the engine changes thousands of nodes in several statements of one
 * transaction, and only at its end is it known whether the changes of a date
 * are few enough to be told one by one.  So they are collected here and turned
 * into notifications just before the commit.
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

#include "base/report.h"

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

static void
send_one(const Change *change)
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
	if (payload.len < 7900)
	{
		Async_Notify(JOSCH_CHANNEL, payload.data);
	}
	else
	{
		Async_Notify(JOSCH_CHANNEL, psprintf("{\"date\":\"%s\",\"changed\":1}",
											 josch_report_date(change->key.job_date)));
	}
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

static void
send_all(void)
{
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
			Async_Notify(JOSCH_CHANNEL, psprintf("{\"date\":\"%s\",\"changed\":%d}",
												 josch_report_date(date), end - start));
			continue;
		}
		for (int i = start; i < end; i++)
		{
			send_one(list_nth(changes, i));
		}
	}
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			if (changes != NIL)
			{
				MemoryContext former = MemoryContextSwitchTo(TopTransactionContext);

				send_all();
				MemoryContextSwitchTo(former);
			}
			if (alarms)
			{
				Async_Notify(JOSCH_CHANNEL, "{\"alarms\":true}");
			}
			break;
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			changes = NIL;
			alarms = false;
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
