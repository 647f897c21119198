/*
 * src/server/why.c
 *	  Why a node does not start, or goes no further: one word of a closed list, and the rest in words.
 */
#include "base/josch.h"

#include "server/why.h"

#include "base/node_key.h"
#include "base/report.h"
#include "base/states.h"
#include "node/waiting.h"
#include "run/run_event.h"

static const struct
{
	const char *label;
	int			rank;
	const char *meaning;
}			reasons[WHY_COUNT] = {
#define JOSCH_REASON_ROW(symbol, label, rank, meaning) {label, rank, meaning},
	JOSCH_REASONS(JOSCH_REASON_ROW)
};

const char *
josch_why_label(WhyReason reason)
{
	return reasons[reason].label;
}

const char *
josch_why_meaning(WhyReason reason)
{
	return reasons[reason].meaning;
}

int
josch_why_rank(WhyReason reason)
{
	return reasons[reason].rank;
}

Why
josch_why_because(WhyReason reason, const char *detail)
{
	return (Why) {
		.reason = reason,.detail = pstrdup(detail != NULL ? detail : reasons[reason].meaning),.since = DT_NOBEGIN,.until = DT_NOEND
	};
}

/* ---- of a node alone ---- */

static Why
of_absent(const WhyNode *node)
{
	bool		asked = node->day != NULL && (strcmp(node->day, "asked") == 0 || strcmp(node->day, "failed") == 0);

	return josch_why_because(WHY_PARENT_ABSENT, asked ?
				   psprintf("its day did not make itself (%s): josch.make_missed() or josch.decline_missed() decides", node->day) :
				   node->job_name != NULL ? psprintf("job \"%s\" of %s is not made yet", node->job_name, josch_report_date(node->key.job_date)) : NULL);
}

static Why
of_command(const WhyServer *server)
{
	if (server->runner != NULL)
	{
		return josch_why_because(WHY_RUNNER_DOWN, server->runner);
	}
	if (server->commands_wait != NULL)
	{
		return josch_why_because(WHY_SHORTAGE, server->commands_wait);
	}
	return server->commands < server->max_commands ? josch_why_because(WHY_TURN, NULL) :
		josch_why_because(WHY_MAX_RUNNING, psprintf("%d commands run, as many as josch.max_running allows", server->commands));
}

static Why
of_sql(const WhyServer *server)
{
	if (server->sql_wait != NULL)
	{
		return josch_why_because(WHY_SQL_WORKER, server->sql_wait);
	}
	return server->sql < server->max_sql ? josch_why_because(WHY_TURN, NULL) :
		josch_why_because(WHY_SQL_WORKER, psprintf("%d SQL nodes run, as many as josch.max_sql_workers allows", server->sql));
}

/* Until then it waits for its time; DT_NOBEGIN: no longer. */
static TimestampTz
its_time(const WhyNode *node, const WhyServer *server)
{
	return node->waits_for == WAITS_FOR_TIME && node->due_at > server->now ? node->due_at : DT_NOBEGIN;
}

/* A node that is ready and due, and waits for a file, or for what it asks. */
static Why
of_world(const WhyNode *node, const WhyServer *server)
{
	bool		file = node->wait_file != NULL;
	const char *waits = file ? psprintf("waits for the file %s", node->wait_file) : "waits for its wait_sql to be true";
	const char *trouble = node->message != NULL ? node->message : file ? server->files_wait : server->judges_wait;
	Why			why;

	if (file && server->runner != NULL)
	{
		return josch_why_because(WHY_RUNNER_DOWN, server->runner);
	}
	why = josch_why_because(file ? WHY_FILE : WHY_SQL, trouble != NULL ? psprintf("%s; %s", waits, trouble) : waits);

	why.since = Max(node->since, node->due_at);
	return why;
}

static Why
of_ready(const WhyNode *node, const WhyServer *server, WhyLimits limits, void *argument)
{
	Why			why;

	if (server->disarmed != NULL)
	{
		return josch_why_because(WHY_DISARMED, server->disarmed);
	}
	if (server->scheduler != NULL)
	{
		return josch_why_because(WHY_SCHEDULER_OFF, server->scheduler);
	}
	if (node->not_before > server->now)
	{
		why = josch_why_because(node->repeated ? WHY_TIME : WHY_RETRY_DELAY, node->message);
		why.until = node->not_before;
		return why;
	}
	if (its_time(node, server) != DT_NOBEGIN)
	{
		why = josch_why_because(WHY_TIME, NULL);
		why.until = node->due_at;
		return why;
	}
	if (node->waits_for == WAITS_FOR_WORLD)
	{
		return of_world(node, server);
	}
	why = josch_why_because(WHY_TURN, NULL);
	if (node->runs != WHY_RUNS_NOTHING)
	{
		why = server->paused != NULL ? josch_why_because(WHY_PAUSED_DATABASE, server->paused) : limits(argument, node);
	}
	if (why.reason == WHY_TURN && node->runs != WHY_RUNS_NOTHING)
	{
		why = node->runs == WHY_RUNS_SQL ? of_sql(server) : of_command(server);
	}
	if (why.reason == WHY_TURN && server->holder != NULL)
	{
		why = josch_why_because(WHY_LOCKED, server->holder);
	}
	return why;
}

static Why
of_pending(const WhyNode *node, const WhyServer *server)
{
	if (node->recounted)
	{
		return josch_why_because(WHY_LOCKED, server->holder != NULL ? server->holder : "its parents are counted anew when it is free");
	}
	if (node->unmet > 0 && node->ends_job)
	{
		return josch_why_because(WHY_PARENT, psprintf("waits for the end of job \"%s\", of which %d node%s not ended well", node->job_name, node->unmet,
													  node->unmet == 1 ? " has" : "s have"));
	}
	if (node->unmet > 0)
	{
		return josch_why_because(WHY_PARENT, psprintf("waits for %d parent%s", node->unmet, node->unmet == 1 ? "" : "s"));
	}
	return server->disarmed != NULL ? josch_why_because(WHY_DISARMED, server->disarmed) : josch_why_because(WHY_TURN, NULL);
}

static Why
of_state(const WhyNode *node, const WhyServer *server, WhyLimits limits, void *argument)
{
	const JoschState *state = josch_states_find(node->state);

	if (strcmp(node->state, "pending") == 0)
	{
		return of_pending(node, server);
	}
	if (strcmp(node->state, "ready") == 0)
	{
		return of_ready(node, server, limits, argument);
	}
	if (strcmp(node->state, "held") == 0)
	{
		return josch_why_because(WHY_HELD, node->message);
	}
	if (strcmp(node->state, "omitted") == 0)
	{
		return josch_why_because(node->ended ? WHY_DONE : WHY_PARENT_IMPOSSIBLE, node->message);
	}
	if (state->attention)
	{
		return josch_why_because(WHY_PERSON, node->message == NULL ? state->meaning : psprintf("%s: %s", node->state, node->message));
	}
	if (node->message != NULL && strncmp(node->message, JOSCH_WAITS, strlen(JOSCH_WAITS)) == 0)
	{
		return josch_why_because(WHY_SHORTAGE, node->message + strlen(JOSCH_WAITS));
	}
	return state->final ? josch_why_because(WHY_DONE, psprintf("%s%s%s", node->state, node->message != NULL ? ": " : "", node->message != NULL ? node->message : "")) :
		josch_why_because(WHY_RUNNING, node->message);
}

Why
josch_why_of(const WhyNode *node, const WhyServer *server, WhyLimits limits, void *argument)
{
	Why			why;

	if (!node->there)
	{
		return of_absent(node);
	}
	why = of_state(node, server, limits, argument);
	why.since = why.since == DT_NOBEGIN ? node->since : why.since;
	why.who = why.reason == WHY_PERSON ? node->claimed_by : why.reason == WHY_HELD ? node->acted_by : why.who;
	return why;
}

/* ---- down to the root ---- */

static bool
is_before(const Why *a, const Why *b)
{
	int			order = reasons[a->reason].rank - reasons[b->reason].rank;

	return order < 0 || (order == 0 && a->since < b->since);
}

int
josch_why_root(const WhyNode *nodes, const Why *whys, int n)
{
	int			root = -1;

	for (int i = 1; i < n; i++)
	{
		if (whys[i].reason != WHY_PARENT && (root < 0 || is_before(&whys[i], &whys[root])))
		{
			root = i;
		}
	}
	return root;
}

static char *
name_of(const WhyNode *node, const WhyNode *asked)
{
	const char *name = node->node_name != NULL ? node->node_name : psprintf(INT64_FORMAT, node->key.node_id);
	bool		whole = node->ends_job && node != asked;
	char	   *called = psprintf("%s\"%s\"%s%s", whole ? "job " : "", whole ? node->job_name : name,
							  node->key.job_date == asked->key.job_date ? "" : " of ",
							  node->key.job_date == asked->key.job_date ? "" : josch_report_date(node->key.job_date));

	return whole && node->there && node->unmet > 0 ?
		psprintf("%s, of which %d node%s not ended well", called, node->unmet, node->unmet == 1 ? " has" : "s have") : called;
}

/* How what is in between leads on to the root. */
static const char *
which_waits(const WhyNode *between, const WhyNode *root)
{
	return between->ends_job && strcmp(between->job_name, root->job_name != NULL ? root->job_name : "") == 0 ? ", first" : ", which waits for";
}

char *
josch_why_sentence(const WhyNode *nodes, const Why *whys, int root)
{
	int			first = root;
	int			between = 0;

	while (nodes[first].below > 0)
	{
		first = nodes[first].below;
		between++;
	}
	if (between == 0)
	{
		return psprintf("waits for %s: %s", name_of(&nodes[root], nodes), whys[root].detail);
	}
	if (between == 1)
	{
		return psprintf("waits for %s%s %s: %s", name_of(&nodes[first], nodes), which_waits(&nodes[first], &nodes[root]), name_of(&nodes[root], nodes),
						whys[root].detail);
	}
	return psprintf("waits for %s, and that over %d more for %s: %s", name_of(&nodes[first], nodes), between - 1, name_of(&nodes[root], nodes),
					whys[root].detail);
}
