/*
 * src/audit/api_history.c
 *	  josch.history(): a node's day in sentences.
 *
 * The record holds columns before and after; a person wants to read who did
 * what.  The words for acts and states are those of base/states.h, those for
 * columns stand in a table here, so that a new one is a new line and not a new
 * branch.  The record of a node and that of its run tell the same: what one of
 * them has told in a transaction the other does not tell again.
 */
#include "base/josch.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/numeric.h"
#include "utils/tuplestore.h"

#include "audit/store_audit.h"
#include "base/report.h"
#include "base/states.h"

PG_FUNCTION_INFO_V1(josch_api_history);

/* So many bytes of a day's parameters are told. */
#define MAX_PARAMS 1000

typedef struct Wording
{
	const char *name;
	const char *words;
} Wording;

/* What may be edited on a day's node. */
static const Wording edits[] = {
	{"exec_command", "command"},
	{"exec_sql", "SQL"},
	{"exec_sql_atomic", "\"SQL in one transaction\""},
	{"ready_command", "ready command"},
	{"ready_after", "time until ready"},
	{"timeout", "time-out"},
	{"stop_grace", "time to stop"},
	{"work_dir", "directory"},
	{"owner", "owner"},
	{"success_codes", "codes of success"},
	{"retry_codes", "codes to try again"},
	{"retries", "retries"},
	{"retry_delay", "delay of a retry"},
	{"retry_backoff", "growth of the delay"},
	{"retry_max_delay", "longest delay"},
	{"retry_on", "ends to try again"},
	{"repeatable", "\"may be run twice\""},
	{"join_rule", "join of its dependencies"},
	{"on_failure", "what follows a failure"},
	{"repeat_every", "time between runs"},
	{"repeat_until", "end of its runs"},
	{"skip_codes", "codes of nothing to do"},
	{"priority", "priority"},
	{"executor", "executor"},
	{"executor_options", "options of the executor"},
	{"start_by", "latest start"},
	{"finish_by", "latest end"},
	{"max_duration", "longest expected duration"},
	{"wait_file", "file that it waits for"},
	{"wait_stable", "time without a change of that file"},
	{"wait_sql", "query that it waits for"},
	{"wait_interval", "time between two looks"},
	{"signoff_time", "sign-off time"},
	{"start_time", "start time"},
	{"due_at", "due time"},
	{"node_type", "type"},
	{"node_name", "name"},
	{"job_name", "job"}
};

/* What a transaction tells of the node, so that it is told once. */
typedef struct Told
{
	uint64		xid;
	bool		stop;			/* the request to stop, as an act on the node */
	const char *state;			/* what became of its run: the state that the node takes from it, or NULL */
} Told;

/* What the sentences go into, and what they are about. */
typedef struct Story
{
	DateADT		job_date;
	TupleDesc	desc;
	Tuplestorestate *result;
	AuditRow   *rows;
	int			n;
	Jsonb	  **state;			/* of each row: all that is known of the node or run after it */
	HTAB	   *told;			/* Told, by xid */
} Story;

/* A value as text, NULL when it is missing or null. */
static char *
text_of(Jsonb *object, const char *name)
{
	JsonbValue	value;

	if (object == NULL ||
		getKeyJsonValueFromContainer(&object->root, name, strlen(name), &value) == NULL)
	{
		return NULL;
	}
	switch (value.type)
	{
		case jbvString:
			return pnstrdup(value.val.string.val, value.val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric)));
		case jbvBool:
			return pstrdup(value.val.boolean ? "true" : "false");
		default:
			return NULL;
	}
}

static bool
has(Jsonb *object, const char *name)
{
	JsonbValue	value;

	return object != NULL &&
		getKeyJsonValueFromContainer(&object->root, name, strlen(name), &value) != NULL;
}

static bool
is(Jsonb *object, const char *name, const char *expected)
{
	char	   *value = text_of(object, name);

	return value != NULL && strcmp(value, expected) == 0;
}

static void
tell(Story *story, const AuditRow *row, const char *who, const char *sentence)
{
	Datum		values[3];
	bool		nulls[3] = {false, who == NULL, false};

	values[0] = TimestampTzGetDatum(row->at);
	values[1] = who == NULL ? (Datum) 0 : CStringGetTextDatum(who);
	values[2] = CStringGetTextDatum(sentence);
	tuplestore_putvalues(story->result, story->desc, values, nulls);
}

/* "run 17 (attempt 2)"; "a run" when the node has none */
static char *
run_of(Jsonb *node)
{
	char	   *run = text_of(node, "run_id");
	char	   *attempt = text_of(node, "attempt");

	if (run == NULL)
	{
		return "a run";
	}
	return attempt == NULL ? psprintf("run %s", run) : psprintf("run %s (attempt %s)", run, attempt);
}

static Told *
told_in(const Story *story, const AuditRow *row)
{
	return hash_search(story->told, &row->xid, HASH_FIND, NULL);
}

/* ---- the node ---- */

/* What a person did: "signed off by anna from 10.1.2.3 with josch: "comment"" */
static void
tell_deed(Story *story, const AuditRow *row, const char *words, const char *by)
{
	StringInfoData sentence;

	initStringInfo(&sentence);
	appendStringInfo(&sentence, "%s by %s", words, by);
	if (row->client_addr != NULL)
	{
		appendStringInfo(&sentence, " from %s", row->client_addr);
	}
	if (row->application != NULL)
	{
		appendStringInfo(&sentence, " with %s", row->application);
	}
	if (row->comment != NULL)
	{
		appendStringInfo(&sentence, ": \"%s\"", row->comment);
	}
	tell(story, row, by, sentence.data);
}

static void
tell_act(Story *story, const AuditRow *row, Jsonb *state)
{
	char	   *action = text_of(state, "action");
	const JoschAct *act = josch_acts_find(action);
	char	   *by = text_of(state, "acted_by");

	tell_deed(story, row, act != NULL ? josch_states_words(act->words, run_of(state)) : action,
			  by != NULL ? by : row->session_name); /* the record may begin in the middle */
}

/* What is said of a change of state before its message. */
static const char *
words_of_state(const AuditRow *row, Jsonb *node)
{
	char	   *label = text_of(node, "state");
	const JoschState *state = josch_states_find(label);

	if (text_of(row->new_values, "not_before") != NULL)
	{
		/* the next of its runs in a day, or another attempt at this one */
		return is(node, "retried", "0") ? "succeeded" : "to be tried again";
	}
	return state != NULL ? josch_states_words(state->words, run_of(node)) : label;
}

static void
tell_state(Story *story, const AuditRow *row, Jsonb *node)
{
	char	   *message = has(row->new_values, "message") ? text_of(node, "message") : NULL;
	StringInfoData sentence;

	initStringInfo(&sentence);
	appendStringInfoString(&sentence, words_of_state(row, node));
	if (message != NULL && strncmp(message, sentence.data, sentence.len) == 0)
	{
		resetStringInfo(&sentence);	/* it says so itself */
		appendStringInfoString(&sentence, message);
	}
	else if (message != NULL)
	{
		appendStringInfo(&sentence, ": %s", message);
	}
	tell(story, row, row->session_name, sentence.data);
}

static void
append_value(StringInfo sentence, const char *value)
{
	if (value == NULL)
	{
		appendStringInfoString(sentence, "nothing");
	}
	else
	{
		appendStringInfo(sentence, "\"%s\"", value);
	}
}

static void
tell_edits(Story *story, const AuditRow *row, bool with_comment)
{
	for (int i = 0; i < (int) lengthof(edits); i++)
	{
		StringInfoData sentence;

		if (!has(row->new_values, edits[i].name))
		{
			continue;
		}
		initStringInfo(&sentence);
		appendStringInfo(&sentence, "%s changed by %s: ", edits[i].words, row->session_name);
		append_value(&sentence, text_of(row->old_values, edits[i].name));
		appendStringInfoString(&sentence, " became ");
		append_value(&sentence, text_of(row->new_values, edits[i].name));
		if (with_comment && row->comment != NULL)
		{
			appendStringInfo(&sentence, " (%s)", row->comment);
		}
		tell(story, row, row->session_name, sentence.data);
	}
}

static bool
is_act(const AuditRow *row, Jsonb *state)
{
	return (has(row->new_values, "action") || has(row->new_values, "acted_by") ||
			has(row->new_values, "acted_at")) && text_of(state, "action") != NULL;
}

static void
tell_making(Story *story, const AuditRow *row, const char *job_name)
{
	char	   *params = josch_store_audit_read_params(row, job_name, story->job_date);

	tell(story, row, row->session_name, psprintf("made by %s as part of job \"%s\"%s%s", row->session_name, job_name,
												 params != NULL ? ", with " : "",
												 params != NULL ? josch_report_cut(params, MAX_PARAMS) : ""));
}

static void
tell_node(Story *story, int index)
{
	AuditRow   *row = &story->rows[index];
	Jsonb	   *state = story->state[index];
	bool		act;

	switch (row->operation)
	{
		case AUDIT_INSERT:
			tell_making(story, row, text_of(state, "job_name"));
			if (!is(state, "state", "pending"))
			{
				tell_state(story, row, state);
			}
			return;
		case AUDIT_DELETE:
			tell(story, row, row->session_name, psprintf("taken back by %s", row->session_name));
			return;
		case AUDIT_UPDATE:
			break;
	}
	act = is_act(row, state);
	tell_edits(story, row, !act);
	if (act)
	{
		tell_act(story, row, state);
	}
	else if (text_of(row->new_values, "state") != NULL)
	{
		const char *told = told_in(story, row)->state;

		if (told == NULL || !is(row->new_values, "state", told))
		{
			tell_state(story, row, state);
		}
	}
	else if (has(row->new_values, "message") && text_of(state, "message") != NULL)
	{
		tell(story, row, row->session_name, text_of(state, "message"));
	}
}

static TimestampTz
moment_of(Jsonb *object, const char *name)
{
	char	   *text = text_of(object, name);

	return text == NULL ? DT_NOBEGIN :
		DatumGetTimestampTz(DirectFunctionCall3(timestamptz_in, CStringGetDatum(text),
												ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

/* ---- claims on it ---- */

/* Somebody looks at it, or, when the claim's time is up as it is written, no longer; that it went with the node is not told. */
static void
tell_claim(Story *story, int index)
{
	AuditRow   *row = &story->rows[index];

	if (row->operation != AUDIT_DELETE)
	{
		tell_deed(story, row, moment_of(story->state[index], "claimed_until") > row->at ? "looked at" : "no longer looked at",
				  row->session_name);
	}
}

/* ---- its runs ---- */

/* " after 12.4 s", when both moments are known */
static void
append_duration(StringInfo sentence, Jsonb *run, const char *until)
{
	TimestampTz from = moment_of(run, "started_at");
	TimestampTz to = moment_of(run, until);

	if (!TIMESTAMP_NOT_FINITE(from) && !TIMESTAMP_NOT_FINITE(to))
	{
		appendStringInfo(sentence, " after %.1f s", (double) (to - from) / USECS_PER_SEC);
	}
}

static void
tell_start(Story *story, const AuditRow *row, Jsonb *run)
{
	char	   *pid = text_of(run, "pid");
	char	   *host = text_of(run, "host");
	StringInfoData sentence;

	initStringInfo(&sentence);
	appendStringInfo(&sentence, "%s started", run_of(run));
	if (pid != NULL)
	{
		appendStringInfo(&sentence, ": pid %s", pid);
		if (host != NULL)
		{
			appendStringInfo(&sentence, " on host %s", host);
		}
	}
	tell(story, row, row->session_name, sentence.data);
}

static void
tell_end(Story *story, const AuditRow *row, Jsonb *run)
{
	char	   *status = text_of(run, "status");
	char	   *code = text_of(run, "exit_code");
	char	   *signal = text_of(run, "exit_signal");
	char	   *message = text_of(run, "message");
	StringInfoData sentence;

	initStringInfo(&sentence);
	if (status == NULL || strcmp(status, "unknown") == 0)
	{
		appendStringInfo(&sentence, "how run " INT64_FORMAT " ended cannot be known", row->id);
	}
	else
	{
		appendStringInfo(&sentence, "run " INT64_FORMAT " %s", row->id, status);
		if (signal != NULL)
		{
			appendStringInfo(&sentence, ", ended by signal %s,", signal);
		}
		else if (code != NULL && strcmp(code, "0") != 0)
		{
			appendStringInfo(&sentence, " with exit code %s", code);
		}
		append_duration(&sentence, run, "ended_at");
	}
	if (message != NULL && signal == NULL && code == NULL)
	{
		appendStringInfo(&sentence, ": %s", message);
	}
	else if (is(run, "timed_out", "true"))
	{
		appendStringInfoString(&sentence, ": out of time");
	}
	tell(story, row, row->session_name, sentence.data);
}

static void
tell_run(Story *story, int index)
{
	AuditRow   *row = &story->rows[index];
	Jsonb	   *run = story->state[index];
	Jsonb	   *changed = row->new_values;
	StringInfoData sentence;

	if (row->operation == AUDIT_DELETE)
	{
		tell(story, row, row->session_name,
			 psprintf("run " INT64_FORMAT " deleted by %s", row->id, row->session_name));
		return;
	}
	if (text_of(changed, "started_at") != NULL)
	{
		tell_start(story, row, run);
	}
	if (text_of(changed, "up_at") != NULL)
	{
		initStringInfo(&sentence);
		appendStringInfo(&sentence, "run " INT64_FORMAT " up", row->id);
		append_duration(&sentence, run, "up_at");
		tell(story, row, row->session_name, sentence.data);
	}
	if (text_of(changed, "stop_requested_at") != NULL && !told_in(story, row)->stop)
	{
		char	   *by = text_of(run, "stop_requested_by");

		tell(story, row, by, psprintf("stop of run " INT64_FORMAT " asked for by %s", row->id, by));
	}
	if (text_of(changed, "ended_at") != NULL)
	{
		tell_end(story, row, run);
	}
}

/* What is known of the node, and of each of its runs, so far. */
typedef struct Known
{
	int64		run_id;			/* 0: the node, -1: the claim on it */
	Jsonb	   *state;
} Known;

static HTAB *
create_table(const char *name, Size entry_size, int n)
{
	HASHCTL		control = {.keysize = sizeof(int64), .entrysize = entry_size, .hcxt = CurrentMemoryContext};

	return hash_create(name, n, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* Adds up the changes: all that is known of the node or run after each row. */
static void
find_states(Story *story)
{
	HTAB	   *known = create_table("josch history", sizeof(Known), story->n);

	story->state = palloc0(sizeof(Jsonb *) * Max(story->n, 1));
	for (int i = 0; i < story->n; i++)
	{
		AuditRow   *row = &story->rows[i];
		int64		run_id = row->is_run ? row->id : row->is_claim ? -1 : 0;
		bool		found;
		Known	   *entry = hash_search(known, &run_id, HASH_ENTER, &found);

		CHECK_FOR_INTERRUPTS();
		if (row->operation == AUDIT_DELETE)
		{
			entry->state = NULL;
		}
		else if (!found || entry->state == NULL || row->operation == AUDIT_INSERT)
		{
			entry->state = row->new_values;
		}
		else
		{
			entry->state = DatumGetJsonbP(DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(entry->state),
															  JsonbPGetDatum(row->new_values)));
		}
		story->state[i] = entry->state;
	}
	hash_destroy(known);
}

/* What each transaction tells by a row of the node, or by one of its run. */
static void
find_told(Story *story)
{
	story->told = create_table("josch transactions", sizeof(Told), story->n);
	for (int i = 0; i < story->n; i++)
	{
		AuditRow   *row = &story->rows[i];
		bool		found;
		Told	   *told = hash_search(story->told, &row->xid, HASH_ENTER, &found);

		CHECK_FOR_INTERRUPTS();
		if (!found)
		{
			told->stop = false;
			told->state = NULL;
		}
		if (row->operation != AUDIT_UPDATE || row->is_claim)
		{
			continue;
		}
		if (!row->is_run)
		{
			told->stop |= is_act(row, story->state[i]) && is(story->state[i], "action", "stop");
		}
		else if (text_of(row->new_values, "ended_at") != NULL)
		{
			told->state = text_of(story->state[i], "status");
		}
		else if (text_of(row->new_values, "up_at") != NULL)
		{
			told->state = "up";
		}
	}
}

/* josch.history(node_id bigint, job_date date) */
Datum
josch_api_history(PG_FUNCTION_ARGS)
{
	NodeKey		key = {PG_GETARG_INT64(0), PG_GETARG_DATEADT(1)};
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Story		story = {.job_date = key.job_date};
	bool		exists;

	InitMaterializedSRF(fcinfo, 0);
	story.desc = result->setDesc;
	story.result = result->setResult;
	story.rows = josch_store_audit_read_node(key, &story.n, &exists);
	if (!exists)
	{
		josch_report_no_node(key.node_id, key.job_date);
	}
	find_states(&story);
	find_told(&story);
	for (int i = 0; i < story.n; i++)
	{
		CHECK_FOR_INTERRUPTS();
		if (story.rows[i].is_run)
		{
			tell_run(&story, i);
		}
		else if (story.rows[i].is_claim)
		{
			tell_claim(&story, i);
		}
		else
		{
			tell_node(&story, i);
		}
	}
	return (Datum) 0;
}
