/*
 * src/base/states.c
 *	  The states of a node and the acts of people: the lists as tables.
 *
 * Pure: knows neither tables nor transactions.
 */
#include "base/josch.h"

#include "base/states.h"

/* The words of the lists. */
enum
{
	PEACE = false, ASKS = true,
	FRESH = false, BEGUN = true,
	OPEN = false, FINAL = true,
	UNTOLD = false, TOLD = true
};

#define STATE_ROW(symbol, label, success, done, failure, well, ...) [NODE_STATE_##symbol] = \
	{label, {PARENT_##success, PARENT_##done, PARENT_##failure, PARENT_##well}, __VA_ARGS__},
#define LABEL(symbol, label) label,
#define ACT_ROW(...) {__VA_ARGS__},

const JoschState josch_states[NODE_STATE_COUNT] = {JOSCH_STATES(STATE_ROW)};
const char *const josch_conditions[CONDITION_COUNT + 1] = {JOSCH_CONDITIONS(LABEL)};
const char *const josch_meanings[PARENT_MEANINGS + 1] = {JOSCH_MEANINGS(LABEL)};
const JoschAct josch_acts[] = {JOSCH_ACTS(ACT_ROW)};
const int	josch_act_count = lengthof(josch_acts);

const JoschState *
josch_states_find(const char *label)
{
	for (int i = 0; i < NODE_STATE_COUNT; i++)
	{
		if (strcmp(josch_states[i].label, label) == 0)
		{
			return &josch_states[i];
		}
	}
	return NULL;
}

bool
josch_conditions_parse(const char *label, Condition *condition)
{
	for (int i = 0; i < CONDITION_COUNT; i++)
	{
		if (strcmp(josch_conditions[i], label) == 0)
		{
			*condition = (Condition) i;
			return true;
		}
	}
	return false;
}

const JoschAct *
josch_acts_find(const char *name)
{
	for (int i = 0; i < josch_act_count; i++)
	{
		if (strcmp(josch_acts[i].name, name) == 0)
		{
			return &josch_acts[i];
		}
	}
	return NULL;
}

char *
josch_states_words(const char *words, const char *run)
{
	const char *place = strstr(words, run != NULL ? "%run" : " of %run");
	const char *rest;

	if (place == NULL)
	{
		return pstrdup(words);
	}
	rest = strstr(place, "%run") + strlen("%run");
	return psprintf("%.*s%s%s", (int) (place - words), words, run != NULL ? run : "", rest);
}
