/*
 * src/base/states.h
 *	  The states of a node and the acts of people: each listed once.
 *
 * A list is a macro over a macro: expanded into the enum, into tables, into SQL.
 * What a state or an act means to anybody stands in its row and nowhere else;
 * what may follow what is the table of edges in src/node/fsm.c.
 */
#ifndef JOSCH_STATES_H
#define JOSCH_STATES_H

#include "base/josch.h"

/*
 * X(symbol, label, success, done, failure, well, people, begun, final, urgency, fill, text, dark_fill, dark_text, words, meaning)
 *	success, done, failure, well
 *				what it is to a child whose dependency has that condition: it WAITS, it is SATISFIED, or what it waits for
 *				is IMPOSSIBLE.  A parent that is absent and expected: it WAITS
 *	people		ASKS them, or leaves them in PEACE
 *	begun		BEGUN: its day cannot be taken back any more; or FRESH
 *	final		FINAL: nothing more is to be done; or OPEN
 *	urgency		1 is what people want to see first
 *	fill, text	colours.  The text is readable on the fill (WCAG 2.1: contrast of 4.5 and more), and any two fills
 *				are told apart by the colour-blind (client/test/theme.test measures both)
 *	dark_*		the same on a dark ground, where what is nearly white would shine most: what asks for a person stands
 *				out there, what waits or is done recedes
 *	words		what history says when it came so by itself; %run is the node's latest run
 */
#define JOSCH_STATES(X) \
	X(PENDING, "pending", WAITS, WAITS, WAITS, WAITS, PEACE, FRESH, OPEN, 9, "#ffffff", "#000000", "#3f4651", "#e4e7eb", \
	  "waits for its parents", "waits for its parents") \
	X(READY, "ready", WAITS, WAITS, WAITS, WAITS, PEACE, FRESH, OPEN, 7, "#f0e442", "#000000", "#f0e442", "#000000", \
	  "all parents done: ready", "parents are done; waits for its time or for a free place") \
	X(RUNNING, "running", WAITS, WAITS, WAITS, WAITS, PEACE, BEGUN, OPEN, 5, "#56b4e9", "#000000", "#56b4e9", "#000000", \
	  "%run ordered", "its run is committed; the command or SQL is being executed") \
	X(UP, "up", SATISFIED, WAITS, WAITS, WAITS, PEACE, BEGUN, OPEN, 6, "#009e73", "#000000", "#009e73", "#000000", \
	  "up: its children are released", "long-running and serving; its children are released") \
	X(REVIEW, "review", WAITS, WAITS, WAITS, WAITS, ASKS, BEGUN, OPEN, 3, "#e69f00", "#000000", "#e69f00", "#000000", \
	  "asked for review", "its output waits for a person's judgement") \
	X(SIGNOFF, "signoff", WAITS, WAITS, WAITS, WAITS, ASKS, FRESH, OPEN, 4, "#cc79a7", "#000000", "#cc79a7", "#000000", \
	  "asked for sign-off", "waits for a person to sign it off") \
	X(SUCCEEDED, "succeeded", SATISFIED, SATISFIED, IMPOSSIBLE, SATISFIED, PEACE, BEGUN, FINAL, 13, "#b6edc8", "#000000", "#2c5a43", "#e6f4ec", \
	  "succeeded", "done") \
	X(FAILED, "failed", WAITS, SATISFIED, SATISFIED, WAITS, ASKS, BEGUN, OPEN, 1, "#cc3311", "#ffffff", "#cc3311", "#ffffff", \
	  "failed", "waits for a person to repair it") \
	X(UNKNOWN, "unknown", WAITS, WAITS, WAITS, WAITS, ASKS, BEGUN, OPEN, 2, "#555b63", "#ffffff", "#e6e9ed", "#000000", \
	  "a person is asked how it ended", "how its run ended cannot be known; a person decides") \
	X(HELD, "held", WAITS, WAITS, WAITS, WAITS, PEACE, FRESH, OPEN, 8, "#8f7ce0", "#000000", "#8f7ce0", "#000000", \
	  "held back", "a person holds it back, or decides when the data was taken back to an earlier moment") \
	X(SKIPPED, "skipped", SATISFIED, SATISFIED, IMPOSSIBLE, SATISFIED, PEACE, FRESH, FINAL, 12, "#c3c3c3", "#000000", "#6d727a", "#ffffff", \
	  "skipped", "a person decided to go on without it") \
	X(ABANDONED, "abandoned", IMPOSSIBLE, SATISFIED, SATISFIED, IMPOSSIBLE, PEACE, BEGUN, FINAL, 10, "#e7b69a", "#000000", "#5b381c", "#f7e9dc", \
	  "abandoned", "failed, and the day goes on without it: what needs its success is omitted") \
	X(OMITTED, "omitted", IMPOSSIBLE, SATISFIED, IMPOSSIBLE, SATISFIED, PEACE, FRESH, FINAL, 11, "#a1bdd9", "#000000", "#4d3162", "#efe6f5", \
	  "omitted", "a rule says that it is not to run: what it waits for will not come")

/*
 * X(name, told, words, deed): the acts are the actions of people's edges, and functions of the schema.
 *	told	TOLD: the words are the node's message until something else happens; or UNTOLD
 *	words	"... by alice" follows; " of %run" is left out where the run is not known
 *	deed	what alice did, in an active sentence
 */
#define JOSCH_ACTS(X) \
	X("signoff", TOLD, "signed off", "signed it off") \
	X("approve", TOLD, "approved", "approved it") \
	X("reject", TOLD, "rejected", "rejected it") \
	X("mark_success", TOLD, "marked as succeeded", "marked it as succeeded") \
	X("mark_failed", TOLD, "marked as failed", "marked it as failed") \
	X("retry", UNTOLD, "retried", "had it run again") \
	X("hold", TOLD, "held back", "held it back") \
	X("release", UNTOLD, "released", "released it") \
	X("skip", TOLD, "skipped", "went on without it") \
	X("abandon", TOLD, "abandoned", "gave it up") \
	X("force_start", TOLD, "started by force", "started it by force") \
	X("stop", TOLD, "stop of %run asked for", "had it stopped") \
	X("rerun", UNTOLD, "asked to run again", "had it done once more")

/*
 * X(symbol, label): the conditions of a dependency, in the order of the columns of the states.  The first is the default,
 * and of two dependencies that a day has as one the first holds.
 */
#define JOSCH_CONDITIONS(X) \
	X(SUCCESS, "success") \
	X(DONE, "done") \
	X(FAILURE, "failure") \
	X(WELL, "well")

/* What a parent is to its child; X(symbol, label). */
#define JOSCH_MEANINGS(X) \
	X(WAITS, "waits") \
	X(SATISFIED, "satisfied") \
	X(IMPOSSIBLE, "impossible")

#define JOSCH_CONDITION_ENUM(symbol, ...) CONDITION_##symbol,
typedef enum Condition
{
	JOSCH_CONDITIONS(JOSCH_CONDITION_ENUM)
	CONDITION_COUNT
} Condition;

#define JOSCH_MEANING_ENUM(symbol, ...) PARENT_##symbol,
typedef enum ParentMeaning
{
	JOSCH_MEANINGS(JOSCH_MEANING_ENUM)
	PARENT_MEANINGS,
	PARENT_NOTHING = PARENT_MEANINGS	/* not there, and not expected: it counts for nothing */
} ParentMeaning;

#define JOSCH_STATE_ENUM(symbol, ...) NODE_STATE_##symbol,
typedef enum NodeState
{
	JOSCH_STATES(JOSCH_STATE_ENUM)
	NODE_STATE_COUNT
} NodeState;

typedef struct JoschState
{
	const char *label;
	ParentMeaning means[CONDITION_COUNT];	/* what a parent in this state is to its children */
	bool		attention;		/* waits for a person */
	bool		begun;
	bool		final;
	int			urgency;
	const char *fill;
	const char *text;
	const char *dark_fill;
	const char *dark_text;
	const char *words;
	const char *meaning;
} JoschState;

extern const JoschState josch_states[NODE_STATE_COUNT];

/* The state with this label; NULL when there is none. */
extern const JoschState *josch_states_find(const char *label);

/* Their labels, by number, ended by NULL. */
extern const char *const josch_conditions[CONDITION_COUNT + 1];
extern const char *const josch_meanings[PARENT_MEANINGS + 1];

/* False when no condition has this label. */
extern bool josch_conditions_parse(const char *label, Condition *condition);

typedef struct JoschAct
{
	const char *name;
	bool		told;
	const char *words;
	const char *deed;
} JoschAct;

extern const JoschAct josch_acts[];
extern const int josch_act_count;

extern const JoschAct *josch_acts_find(const char *name);

/* The words of a state or act with %run in its place; run is NULL when there is none; palloc'd. */
extern char *josch_states_words(const char *words, const char *run);

/*
 * In the text of a statement: whether a column's state is begun; whether to a dependency with that condition a parent
 * in that state is WAITS, SATISFIED or IMPOSSIBLE.
 *
 *	"SELECT ... WHERE " JOSCH_SQL_PARENT_IS(WAITS, "d.condition", "p.state")
 */
#define JOSCH_SQL_BEGUN(column) "(" column " IN (''" JOSCH_STATES(JOSCH_SQL_STATE_BEGUN) "))"
#define JOSCH_SQL_PARENT_IS(meaning, condition, column) \
	"(CASE " condition \
	" WHEN 'success' THEN " column " IN (''" JOSCH_STATES(JOSCH_SQL_SUCCESS_##meaning) ")" \
	" WHEN 'done' THEN " column " IN (''" JOSCH_STATES(JOSCH_SQL_DONE_##meaning) ")" \
	" WHEN 'well' THEN " column " IN (''" JOSCH_STATES(JOSCH_SQL_WELL_##meaning) ")" \
	" ELSE " column " IN (''" JOSCH_STATES(JOSCH_SQL_FAILURE_##meaning) ") END)"

#define JOSCH_SQL_STATE_BEGUN(symbol, label, success, done, failure, well, people, begun, ...) JOSCH_SQL_IF_##begun(label)
#define JOSCH_SQL_SUCCESS_WAITS(symbol, label, success, ...) JOSCH_SQL_WAITS_##success(label)
#define JOSCH_SQL_SUCCESS_SATISFIED(symbol, label, success, ...) JOSCH_SQL_SATISFIED_##success(label)
#define JOSCH_SQL_SUCCESS_IMPOSSIBLE(symbol, label, success, ...) JOSCH_SQL_IMPOSSIBLE_##success(label)
#define JOSCH_SQL_DONE_WAITS(symbol, label, success, done, ...) JOSCH_SQL_WAITS_##done(label)
#define JOSCH_SQL_DONE_SATISFIED(symbol, label, success, done, ...) JOSCH_SQL_SATISFIED_##done(label)
#define JOSCH_SQL_DONE_IMPOSSIBLE(symbol, label, success, done, ...) JOSCH_SQL_IMPOSSIBLE_##done(label)
#define JOSCH_SQL_FAILURE_WAITS(symbol, label, success, done, failure, ...) JOSCH_SQL_WAITS_##failure(label)
#define JOSCH_SQL_FAILURE_SATISFIED(symbol, label, success, done, failure, ...) JOSCH_SQL_SATISFIED_##failure(label)
#define JOSCH_SQL_FAILURE_IMPOSSIBLE(symbol, label, success, done, failure, ...) JOSCH_SQL_IMPOSSIBLE_##failure(label)
#define JOSCH_SQL_WELL_WAITS(symbol, label, success, done, failure, well, ...) JOSCH_SQL_WAITS_##well(label)
#define JOSCH_SQL_WELL_SATISFIED(symbol, label, success, done, failure, well, ...) JOSCH_SQL_SATISFIED_##well(label)
#define JOSCH_SQL_WELL_IMPOSSIBLE(symbol, label, success, done, failure, well, ...) JOSCH_SQL_IMPOSSIBLE_##well(label)
#define JOSCH_SQL_WAITS_WAITS(label) ", '" label "'"
#define JOSCH_SQL_WAITS_SATISFIED(label)
#define JOSCH_SQL_WAITS_IMPOSSIBLE(label)
#define JOSCH_SQL_SATISFIED_WAITS(label)
#define JOSCH_SQL_SATISFIED_SATISFIED(label) ", '" label "'"
#define JOSCH_SQL_SATISFIED_IMPOSSIBLE(label)
#define JOSCH_SQL_IMPOSSIBLE_WAITS(label)
#define JOSCH_SQL_IMPOSSIBLE_SATISFIED(label)
#define JOSCH_SQL_IMPOSSIBLE_IMPOSSIBLE(label) ", '" label "'"
#define JOSCH_SQL_IF_BEGUN(label) ", '" label "'"
#define JOSCH_SQL_IF_FRESH(label)

#endif							/* JOSCH_STATES_H */
