/*
 * src/run/admit_paused.c
 *	  Nodes of jobs and days that are paused: put aside when their turn comes, and brought back.
 */
#include "base/josch.h"

#include "run/admit_paused.h"

#include "access/transam.h"
#include "access/xact.h"
#include "utils/builtins.h"

#include "base/finder.h"
#include "node/node_table.h"
#include "node/queue.h"
#include "node/waiting.h"

/* How far those that were put aside have been gone through; it begins anew when something else is resumed. */
static NodeKey reached;
static TransactionId reached_in = InvalidTransactionId;	/* what was done before counts only where that has committed */
static TimestampTz reached_for;	/* the sum of the moments at which those were paused that are resumed */
static bool left_behind;		/* somebody held one: once the end is reached, all is gone through again */

static bool
runs_something(const Waiting *node)
{
	return node->turn == WAITS_FOR_COMMAND || node->turn == WAITS_FOR_SQL || node->turn == WAITS_FOR_LIMIT;
}

void
josch_admit_paused_put_aside(EnginePass *pass, const NodeKey *keys, int n)
{
	Waiting    *gone = palloc(sizeof(Waiting) * Max(n, 1));
	Waiting    *come = palloc(sizeof(Waiting) * Max(n, 1));
	int			put = 0;
	JoschFinder nodes;

	if (n == 0)
	{
		return;
	}
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];
		JoschLock	lock;

		josch_node_key_datums(keys[i], key);
		if (!josch_finder_find(&nodes, key) || (lock = josch_finder_lock(&nodes)) == JOSCH_LOCK_GONE)
		{
			continue;
		}
		if (lock == JOSCH_LOCK_HELD)
		{
			pass->set_aside++;
			continue;
		}
		gone[put] = josch_waiting_of(nodes.slot);
		if (runs_something(&gone[put]))
		{
			come[put] = gone[put];
			come[put++].waits_for = WAITS_FOR_RESUME;
		}
	}
	josch_finder_close(&nodes);
	josch_queue_change(gone, put, come, put);
}

int
josch_admit_paused_leave_out(EnginePass *pass, const Pauses *pauses, Piece *items, int n)
{
	NodeKey    *paused = palloc(sizeof(NodeKey) * Max(n, 1));
	int			npaused = 0;
	int			left = 0;
	JoschFinder nodes;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];

		josch_node_key_datums(items[i].key, key);
		if (josch_finder_find(&nodes, key) &&
			josch_pauses_of_job(pauses, josch_finder_get_text(&nodes, NODES_JOB_NAME), items[i].key.job_date) != NULL)
		{
			paused[npaused++] = items[i].key;
		}
		else
		{
			items[left++] = items[i];
		}
	}
	josch_finder_close(&nodes);
	josch_admit_paused_put_aside(pass, paused, npaused);
	return left;
}

/* ---- resumed ---- */

/* The next ones that were put aside, from there on; returns how many. */
static int
list_aside(NodeKey *keys, int limit)
{
	Waiting		from = {.waits_for = WAITS_FOR_RESUME, .key = reached};
	Datum		datums[JOSCH_WAITING_KEYS];
	JoschFinder list;
	int			n = 0;

	josch_waiting_datums(&from, datums);
	josch_finder_open_range(&list, &josch_waiting, JOSCH_WAITING_KEYS, AccessShareLock);
	josch_finder_seek_from(&list, datums);
	while (n < limit && josch_finder_next(&list))
	{
		keys[n++] = josch_waiting_read_row(&list).key;
	}
	josch_finder_close(&list);
	return n;
}

static void
bring_back(EnginePass *pass, const Pauses *pauses, const NodeKey *keys, int n)
{
	Waiting    *gone = palloc(sizeof(Waiting) * Max(n, 1));
	Waiting    *come = palloc(sizeof(Waiting) * Max(n, 1));
	int			back = 0;
	JoschFinder nodes;

	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, RowExclusiveLock);
	for (int i = 0; i < n; i++)
	{
		Datum		key[JOSCH_NODE_KEYS];

		josch_node_key_datums(keys[i], key);
		if (!josch_finder_find(&nodes, key) ||
			josch_pauses_of_job(pauses, josch_finder_get_text(&nodes, NODES_JOB_NAME), keys[i].job_date) != NULL)
		{
			continue;
		}
		if (josch_finder_lock(&nodes) != JOSCH_LOCK_TAKEN)
		{
			pass->set_aside++;
			left_behind = true;
			continue;
		}
		come[back] = josch_waiting_of(nodes.slot);
		if (runs_something(&come[back]))
		{
			come[back].waits_for = come[back].turn;
			gone[back] = come[back];
			gone[back++].waits_for = WAITS_FOR_RESUME;
		}
	}
	josch_finder_close(&nodes);
	josch_queue_change(gone, back, come, back);
}

static TimestampTz
sum_of_resumed(const Pauses *pauses)
{
	TimestampTz sum = 0;

	for (int i = 0; i < pauses->n; i++)
	{
		sum += pauses->list[i].resumed ? pauses->list[i].paused_at : 0;
	}
	return sum;
}

void
josch_admit_paused_bring_back(EnginePass *pass, const Pauses *pauses)
{
	int			limit = josch_step_limit(pass);
	NodeKey    *keys = palloc(sizeof(NodeKey) * limit);
	int			n;

	if (reached_for != sum_of_resumed(pauses) || !(TransactionIdIsCurrentTransactionId(reached_in) || TransactionIdDidCommit(reached_in)))
	{
		reached = (NodeKey) {PG_INT64_MIN, DATEVAL_NOBEGIN};
		reached_for = sum_of_resumed(pauses);
		left_behind = false;
	}
	n = list_aside(keys, limit);
	bring_back(pass, pauses, keys, n);
	if (n == limit)
	{
		reached = keys[n - 1];
		reached_in = GetCurrentTransactionId();
		pass->more = true;
	}
	else
	{
		if (!left_behind)
		{
			josch_pauses_forget_resumed();
		}
		reached_for = 0;
	}
}
