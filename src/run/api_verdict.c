/*
 * src/run/api_verdict.c
 *	  josch.verdict(): what would become of a node if its run ended in a certain way.
 */
#include "base/josch.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"

#include "base/clock.h"
#include "base/finder.h"
#include "base/report.h"
#include "node/fsm.h"
#include "node/node_table.h"
#include "run/store_rules.h"
#include "run/verdict.h"

PG_FUNCTION_INFO_V1(josch_api_verdict);

#define SQLSTATE_LENGTH 5
#define MAX_SIGNAL 64

/* An end in words: "exit 3", "signal 9", "timeout", ... */
typedef struct Ending
{
	const char *word;
	RunEndKind	kind;
	int			min;			/* of its number; min > max: it has none */
	int			max;
} Ending;

static const Ending endings[] = {
	{"exit", RUN_END_EXIT, 0, JOSCH_EXIT_CODES - 1},
	{"signal", RUN_END_SIGNAL, 1, MAX_SIGNAL},
	{"timeout", RUN_END_SIGNAL, 1, 0},
	{"start", RUN_END_NOT_STARTED, 1, 0},
	{"stop", RUN_END_SIGNAL, 1, 0},
	{"unknown", RUN_END_UNKNOWN, 1, 0},
	{"done", RUN_END_DONE, 1, 0}
};

static void
complain(const char *words)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized end of a run: \"%s\"", josch_report_words(words)),
			 errhint("An end is \"exit 3\" (0 to %d), \"signal 9\" (1 to %d), \"sqlstate 40P01\", \"timeout\", \"start\", \"stop\", \"unknown\" or \"done\".",
					 JOSCH_EXIT_CODES - 1, MAX_SIGNAL)));
}

/* The number after a word, if it is one that may stand there. */
static bool
take_number(const Ending *ending, const char *text, int32 *number)
{
	char	   *rest;
	long		value = strtol(text, &rest, 10);

	*number = (int32) value;
	return rest != text && *rest == '\0' && value >= ending->min && value <= ending->max;
}

static bool
take_sqlstate(const char *code, int *sqlstate)
{
	if (strlen(code) != SQLSTATE_LENGTH || strspn(code, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != SQLSTATE_LENGTH)
	{
		return false;
	}
	*sqlstate = MAKE_SQLSTATE(code[0], code[1], code[2], code[3], code[4]);
	return true;
}

static RunEvent
event_of(const char *words)
{
	RunEvent	event = josch_run_event(RUN_ENDED, (JoschRunKey) {0, 0});
	const char *space = strchr(words, ' ');
	size_t		length = space != NULL ? space - words : strlen(words);

	event.ended_at = josch_clock_now();
	event.timed_out = strcmp(words, "timeout") == 0;
	event.value = SIGTERM;
	if (strncmp(words, "sqlstate ", strlen("sqlstate ")) == 0 && take_sqlstate(space + 1, &event.sqlstate))
	{
		event.kind = RUN_END_ERROR;
		return event;
	}
	for (int i = 0; i < (int) lengthof(endings); i++)
	{
		const Ending *ending = &endings[i];
		bool		has_number = ending->min <= ending->max;

		if (strncmp(ending->word, words, length) == 0 && ending->word[length] == '\0' && has_number == (space != NULL) &&
			(!has_number || take_number(ending, space + 1, &event.value)))
		{
			event.kind = ending->kind;
			return event;
		}
	}
	complain(words);
	return event;
}

/* The node, as if it ran. */
static RunFacts
read_facts(NodeKey key, const char *words)
{
	JoschFinder nodes;
	Datum		datums[JOSCH_NODE_KEYS];
	RunFacts	facts = {.stopped_by = strcmp(words, "stop") == 0 ? "a person" : NULL};
	RetryRules *rules;
	NodeState	state;
	bool		isnull;

	josch_node_key_datums(key, datums);
	josch_finder_open(&nodes, &josch_nodes, JOSCH_NODE_KEYS, AccessShareLock);
	if (!josch_finder_find(&nodes, datums))
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	facts.node_type = TextDatumGetCString(josch_finder_get(&nodes, NODES_NODE_TYPE, &isnull))[0];
	facts.run_id = DatumGetInt64(josch_finder_get(&nodes, NODES_RUN_ID, &isnull));
	facts.run_id = isnull ? 0 : facts.run_id;
	state = josch_node_state(josch_finder_get(&nodes, NODES_STATE, &isnull));
	facts.rules = rules = josch_store_rules_read(&nodes);
	facts.gives_up = josch_node_is_given_up(josch_finder_get(&nodes, NODES_ON_FAILURE, &isnull));
	if (rules != NULL && state != NODE_STATE_RUNNING && state != NODE_STATE_UP)
	{
		rules->attempt++;
	}
	josch_finder_close(&nodes);
	return facts;
}

/* josch.verdict(node_id, job_date, ending) */
Datum
josch_api_verdict(PG_FUNCTION_ARGS)
{
	NodeKey		key = {PG_GETARG_INT64(0), PG_GETARG_DATEADT(1)};
	char	   *words = text_to_cstring(PG_GETARG_TEXT_PP(2));
	RunEvent	event = event_of(words);
	RunFacts	facts = read_facts(key, words);
	Verdict		verdict = josch_verdict(&facts, &event, event.ended_at);
	TupleDesc	desc;
	Datum		values[3];
	bool		nulls[3] = {false, verdict.again_at == 0, verdict.message == NULL};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
	{
		elog(ERROR, "return type must be a row type");
	}
	values[0] = CStringGetTextDatum(josch_fsm_label(verdict.state));
	values[1] = TimestampTzGetDatum(verdict.again_at);
	values[2] = verdict.message != NULL ? CStringGetTextDatum(verdict.message) : (Datum) 0;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
