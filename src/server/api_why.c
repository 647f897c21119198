/*
 * src/server/api_why.c
 *	  josch.why(node_id, job_date): why a node does not start, down to the root.
 *
 * Level by level up the dependencies that wait, each node once: so many nodes at
 * most, since a day may have a million.
 */
#include "base/josch.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/node_key.h"
#include "base/report.h"
#include "base/store_blocker.h"
#include "base/store_installation.h"
#include "base/wake.h"
#include "day/store_environment.h"
#include "node/wait_path.h"
#include "node/waiting.h"
#include "run/store_run.h"
#include "server/store_why.h"
#include "server/why.h"
#include "server/why_limits.h"

PG_FUNCTION_INFO_V1(josch_api_why);
PG_FUNCTION_INFO_V1(josch_api_why_reasons);

#define MAX_NODES 1000

/* ---- what is known of the server ---- */

static const char *
unless_empty(const char *text)
{
	return text[0] != '\0' ? pstrdup(text) : NULL;
}

static WhyServer
see_server(WhyBook *book)
{
	WhyServer	server = {.now = josch_clock_now(),.max_commands = josch_config_max_running,.max_sql = josch_config_max_sql_workers};
	JoschInstallation installation = josch_store_installation_read();
	JoschSchedulerStatus status;
	bool		up = josch_wake_read_scheduler(MyDatabaseId, &status);
	int			n = 0;
	JoschBlocker *holders;

	if (!josch_installation_acts(josch_installation_judge(&installation)))
	{
		server.disarmed = josch_installation_reason(&installation);
	}
	josch_why_limits_open(book, server.now);
	server.paused = josch_why_limits_database(book);
	server.scheduler = !up ? "no scheduler is there: josch.health() says why" : josch_config_scheduler ? NULL : "josch.scheduler is off";
	server.runner = up && status.runner_pid == 0 ? "no runner answers: josch.health() says why" : NULL;
	server.commands_wait = up ? unless_empty(status.commands_wait) : NULL;
	server.files_wait = up ? unless_empty(status.files_wait) : NULL;
	server.judges_wait = up ? unless_empty(status.judges_wait) : NULL;
	server.sql_wait = up ? unless_empty(status.sql_wait) : NULL;
	josch_store_run_places(&server.commands, &server.sql);
	holders = up && status.set_aside > 0 ? josch_store_blocker_table_holders(&n) : NULL;
	if (n > 0)
	{
		server.holder = psprintf("held by %s", josch_store_blocker_text(&holders[0]));
	}
	return server;
}

/* ---- the nodes ---- */

typedef struct Found
{
	WhyNode    *nodes;
	int			n;
	HTAB	   *seen;			/* NodeKey */
} Found;

static bool
is_new(Found *found, NodeKey key)
{
	bool		known;

	(void) hash_search(found->seen, &key, HASH_ENTER, &known);
	return !known;
}

/* The files that they wait for, with the values of the variables. */
static void
name_files(WhyNode *nodes, int n)
{
	for (int i = 0; i < n; i++)
	{
		EnvironmentRequest request = {.key = nodes[i].key};
		WaitPath	path;

		if (nodes[i].there && nodes[i].waits_for == WAITS_FOR_WORLD && nodes[i].wait_file != NULL)
		{
			path = josch_wait_path(nodes[i].wait_file, josch_store_environment_block(josch_store_environment_read(&request, 1)));
			nodes[i].wait_file = path.fault != NULL ? psprintf("%s: %s", nodes[i].wait_file, path.fault) : path.path;
		}
	}
}

/* Puts the parents of the nodes from "from" on behind them, each once; false when none is new. */
static bool
add_parents(Found *found, int from)
{
	int			n = found->n - from;
	NodeKey    *keys = palloc(sizeof(NodeKey) * MAX_NODES);
	int		   *below = palloc(sizeof(int) * MAX_NODES);
	WhyNode    *nodes;
	WhyParent  *parents;
	int			nparents;
	int			nnew = 0;

	for (int i = 0; i < n; i++)
	{
		keys[i] = found->nodes[from + i].key;
	}
	parents = josch_store_why_parents(keys, n, MAX_NODES, &nparents);
	for (int i = 0; i < nparents; i++)
	{
		WhyNode    *child = &found->nodes[from + parents[i].child];

		/* what has begun, or is held by a person, waits for nobody */
		if (!child->there || strcmp(child->state, "pending") != 0)
		{
			continue;
		}
		if (found->n + nnew < MAX_NODES && is_new(found, parents[i].parent))
		{
			below[nnew] = from + parents[i].child;
			keys[nnew++] = parents[i].parent;
		}
	}
	nodes = josch_store_why_nodes(keys, nnew);
	for (int i = 0; i < nnew; i++)
	{
		nodes[i].below = below[i];
		nodes[i].depth = found->nodes[below[i]].depth + 1;
		found->nodes[found->n++] = nodes[i];
	}
	return nnew > 0;
}

static Found
find_nodes(NodeKey key)
{
	HASHCTL		control = {.keysize = sizeof(NodeKey),.entrysize = sizeof(NodeKey),.hcxt = CurrentMemoryContext};
	Found		found = {
		.nodes = palloc0(sizeof(WhyNode) * MAX_NODES),
		.seen = hash_create("josch why", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT)
	};
	int			from = 0;
	int			before;

	found.nodes[found.n++] = *josch_store_why_nodes(&key, 1);
	if (!found.nodes[0].there)
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	found.nodes[0].below = -1;
	(void) is_new(&found, key);
	do
	{
		CHECK_FOR_INTERRUPTS();
		before = found.n;
		if (!add_parents(&found, from))
		{
			break;
		}
		from = before;
	} while (found.n < MAX_NODES);
	return found;
}

/* ---- rows ---- */

static void
put_row(ReturnSetInfo *result, const WhyNode *node, const Why *why)
{
	Datum		values[11] = {Int32GetDatum(node->depth), Int64GetDatum(node->key.node_id), DateADTGetDatum(node->key.job_date)};
	const char *texts[] = {node->job_name, node->node_name, node->state, josch_why_label(why->reason), why->detail};
	bool		nulls[11] = {false};

	for (int i = 0; i < lengthof(texts); i++)
	{
		nulls[3 + i] = texts[i] == NULL;
		values[3 + i] = texts[i] != NULL ? CStringGetTextDatum(texts[i]) : (Datum) 0;
	}
	values[8] = TimestampTzGetDatum(why->since);
	nulls[8] = TIMESTAMP_IS_NOBEGIN(why->since);
	values[9] = TimestampTzGetDatum(why->until);
	nulls[9] = TIMESTAMP_IS_NOEND(why->until);
	nulls[10] = why->who == NULL;
	values[10] = why->who != NULL ? CStringGetTextDatum(why->who) : (Datum) 0;
	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

/* josch.why(node_id, job_date) */
Datum
josch_api_why(PG_FUNCTION_ARGS)
{
	NodeKey		key = {PG_GETARG_INT64(0), PG_GETARG_DATEADT(1)};
	WhyBook		book;
	WhyServer	server = see_server(&book);
	Found		found = find_nodes(key);
	Why		   *whys = palloc(sizeof(Why) * found.n);
	int			root;

	InitMaterializedSRF(fcinfo, 0);
	name_files(found.nodes, found.n);
	for (int i = 0; i < found.n; i++)
	{
		whys[i] = josch_why_of(&found.nodes[i], &server, josch_why_limits_of, &book);
	}
	josch_why_limits_close(&book);
	root = whys[0].reason == WHY_PARENT ? josch_why_root(found.nodes, whys, found.n) : -1;
	if (whys[0].reason == WHY_PARENT && root < 0)
	{
		whys[0].detail = psprintf("%s, and those for more than %d others", whys[0].detail, MAX_NODES);
	}
	if (root > 0)
	{
		whys[0].detail = josch_why_sentence(found.nodes, whys, root);
		whys[0].until = whys[root].until;
		whys[0].who = whys[root].who;
	}
	for (int i = 0; i < found.n; i++)
	{
		put_row((ReturnSetInfo *) fcinfo->resultinfo, &found.nodes[i], &whys[i]);
	}
	return (Datum) 0;
}

/* josch.why_reasons() */
Datum
josch_api_why_reasons(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < WHY_COUNT; i++)
	{
		Datum		values[3] = {CStringGetTextDatum(josch_why_label(i)), Int32GetDatum(josch_why_rank(i)), CStringGetTextDatum(josch_why_meaning(i))};
		bool		nulls[3] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
