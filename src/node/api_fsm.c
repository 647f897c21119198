/*
 * src/node/api_fsm.c
 *	  Shows the state machine: josch.fsm, josch.states, josch.parent_is, josch.acts and josch.fsm_dot().
 *
 * What is shown is read from the lists of base/states.h and the table of fsm.c
 * that the trigger enforces, so the picture cannot be older than the program.
 */
#include "base/josch.h"

#include "funcapi.h"
#include "lib/stringinfo.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "node/fsm.h"
#include "node/join.h"

PG_FUNCTION_INFO_V1(josch_api_fsm_acts);
PG_FUNCTION_INFO_V1(josch_api_fsm_edges);
PG_FUNCTION_INFO_V1(josch_api_fsm_states);
PG_FUNCTION_INFO_V1(josch_api_fsm_dot);
PG_FUNCTION_INFO_V1(josch_api_fsm_parent_is);

static const char *
actor_name(FsmActor actor)
{
	return actor == FSM_ENGINE ? "engine" : "person";
}

Datum
josch_api_fsm_edges(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < josch_fsm_edge_count; i++)
	{
		const FsmEdge *edge = &josch_fsm_edges[i];
		Datum		values[7];
		bool		nulls[7] = {false};

		values[0] = Int32GetDatum(i + 1);
		values[1] = CStringGetTextDatum(josch_fsm_label(edge->from));
		values[2] = CStringGetTextDatum(josch_fsm_label(edge->to));
		values[3] = CStringGetTextDatum(edge->types);
		values[4] = CStringGetTextDatum(actor_name(edge->actor));
		values[5] = CStringGetTextDatum(edge->action);
		values[6] = CStringGetTextDatum(edge->comment);
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
josch_api_fsm_states(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		const JoschState *state = &josch_states[i];
		Datum		values[] = {
			CStringGetTextDatum(state->label), BoolGetDatum(state->means[CONDITION_SUCCESS] == PARENT_SATISFIED),
			BoolGetDatum(state->attention),
			CStringGetTextDatum(state->meaning), BoolGetDatum(state->begun), BoolGetDatum(state->final),
			Int32GetDatum(state->urgency), CStringGetTextDatum(state->fill), CStringGetTextDatum(state->text),
			CStringGetTextDatum(state->words), CStringGetTextDatum(state->dark_fill),
			CStringGetTextDatum(state->dark_text), CStringGetTextDatum(josch_meanings[state->means[CONDITION_SUCCESS]]),
			CStringGetTextDatum(josch_meanings[state->means[CONDITION_DONE]]),
			CStringGetTextDatum(josch_meanings[state->means[CONDITION_FAILURE]]),
			CStringGetTextDatum(josch_meanings[state->means[CONDITION_WELL]])
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

static void
complain_of_word(const char *what, const char *word)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("unrecognized %s: \"%s\"", what, word)));
}

/* josch.parent_is(state, condition) */
Datum
josch_api_fsm_parent_is(PG_FUNCTION_ARGS)
{
	const JoschState *state = NULL;
	Condition	condition;
	char	   *word;

	if (PG_ARGISNULL(1))
	{
		ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("condition must not be null"));
	}
	word = text_to_cstring(PG_GETARG_TEXT_PP(1));
	if (!josch_conditions_parse(word, &condition))
	{
		complain_of_word("condition", word);
	}
	if (!PG_ARGISNULL(0))
	{
		word = text_to_cstring(PG_GETARG_TEXT_PP(0));
		state = josch_states_find(word);
		if (state == NULL)
		{
			complain_of_word("node state", word);
		}
	}
	PG_RETURN_TEXT_P(cstring_to_text(josch_meanings[josch_join_parent(state, condition, true)]));
}

Datum
josch_api_fsm_acts(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 0; i < josch_act_count; i++)
	{
		const JoschAct *act = &josch_acts[i];
		Datum		values[] = {
			CStringGetTextDatum(act->name), CStringGetTextDatum(act->words), CStringGetTextDatum(act->deed),
			BoolGetDatum(act->told)
		};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}

Datum
josch_api_fsm_dot(PG_FUNCTION_ARGS)
{
	StringInfoData dot;

	initStringInfo(&dot);
	appendStringInfoString(&dot, "digraph fsm {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n");
	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		appendStringInfo(&dot, "  %s%s;\n", josch_fsm_label((NodeState) i),
						 josch_states[i].attention ? " [color=red]" :
						 josch_states[i].means[CONDITION_SUCCESS] == PARENT_SATISFIED ? " [peripheries=2]" : "");
	}
	for (int i = 0; i < josch_fsm_edge_count; i++)
	{
		const FsmEdge *edge = &josch_fsm_edges[i];

		appendStringInfo(&dot, "  %s -> %s [label=\"%s [%s]\"%s];\n",
						 josch_fsm_label(edge->from), josch_fsm_label(edge->to),
						 edge->action, edge->types,
						 edge->actor == FSM_PERSON ? ", style=dashed" : "");
	}
	appendStringInfoString(&dot, "}\n");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(dot.data, dot.len));
}
