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
 * X(symbol, label, children, people, begun, final, urgency, fill, text, dark_fill, dark_text, words, meaning)
 *	children	SATISFIES or BLOCKS them
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
	X(PENDING, "pending", BLOCKS, PEACE, FRESH, OPEN, 9, "#ffffff", "#000000", "#3f4651", "#e4e7eb", \
	  "waits for its parents", "waits for its parents") \
	X(READY, "ready", BLOCKS, PEACE, FRESH, OPEN, 7, "#f0e442", "#000000", "#f0e442", "#000000", \
	  "all parents done: ready", "parents are done; waits for its time or for a free place") \
	X(RUNNING, "running", BLOCKS, PEACE, BEGUN, OPEN, 5, "#56b4e9", "#000000", "#56b4e9", "#000000", \
	  "%run ordered", "its run is committed; the command or SQL is being executed") \
	X(UP, "up", SATISFIES, PEACE, BEGUN, OPEN, 6, "#009e73", "#000000", "#009e73", "#000000", \
	  "up: its children are released", "long-running and serving; its children are released") \
	X(REVIEW, "review", BLOCKS, ASKS, BEGUN, OPEN, 3, "#e69f00", "#000000", "#e69f00", "#000000", \
	  "asked for review", "its output waits for a person's judgement") \
	X(SIGNOFF, "signoff", BLOCKS, ASKS, FRESH, OPEN, 4, "#cc79a7", "#000000", "#cc79a7", "#000000", \
	  "asked for sign-off", "waits for a person to sign it off") \
	X(SUCCEEDED, "succeeded", SATISFIES, PEACE, BEGUN, FINAL, 11, "#b6edc8", "#000000", "#2c5a43", "#e6f4ec", \
	  "succeeded", "done") \
	X(FAILED, "failed", BLOCKS, ASKS, BEGUN, OPEN, 1, "#cc3311", "#ffffff", "#cc3311", "#ffffff", \
	  "failed", "waits for a person to repair it") \
	X(UNKNOWN, "unknown", BLOCKS, ASKS, BEGUN, OPEN, 2, "#555b63", "#ffffff", "#e6e9ed", "#000000", \
	  "a person is asked how it ended", "how its run ended cannot be known; a person decides") \
	X(HELD, "held", BLOCKS, PEACE, FRESH, OPEN, 8, "#8f7ce0", "#000000", "#8f7ce0", "#000000", \
	  "held back", "a person holds it back, or decides when the data was taken back to an earlier moment") \
	X(SKIPPED, "skipped", SATISFIES, PEACE, FRESH, FINAL, 10, "#c3c3c3", "#000000", "#6d727a", "#ffffff", \
	  "skipped", "a person decided to go on without it")

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
	X("force_start", TOLD, "started by force", "started it by force") \
	X("stop", TOLD, "stop of %run asked for", "had it stopped") \
	X("rerun", UNTOLD, "asked to run again", "had it done once more")

#define JOSCH_STATE_ENUM(symbol, ...) NODE_STATE_##symbol,
typedef enum NodeState
{
	JOSCH_STATES(JOSCH_STATE_ENUM)
	NODE_STATE_COUNT
} NodeState;

typedef struct JoschState
{
	const char *label;
	bool		satisfies;		/* children need not wait for a parent in this state */
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
 * In the text of a statement: whether a column's state satisfies its children, is begun.
 *
 *	"SELECT ... WHERE " JOSCH_SQL_SATISFIES("p.state")
 */
#define JOSCH_SQL_SATISFIES(column) "(" column " IN (''" JOSCH_STATES(JOSCH_SQL_STATE_SATISFIES) "))"
#define JOSCH_SQL_BEGUN(column) "(" column " IN (''" JOSCH_STATES(JOSCH_SQL_STATE_BEGUN) "))"
#define JOSCH_SQL_STATE_SATISFIES(symbol, label, children, ...) JOSCH_SQL_IF_##children(label)
#define JOSCH_SQL_STATE_BEGUN(symbol, label, children, people, begun, ...) JOSCH_SQL_IF_##begun(label)
#define JOSCH_SQL_IF_SATISFIES(label) ", '" label "'"
#define JOSCH_SQL_IF_BLOCKS(label)
#define JOSCH_SQL_IF_BEGUN(label) ", '" label "'"
#define JOSCH_SQL_IF_FRESH(label)

#endif							/* JOSCH_STATES_H */
