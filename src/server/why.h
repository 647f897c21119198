/*
 * src/server/why.h
 *	  Why a node does not start, or goes no further: one word of a closed list, and the rest in words.
 *
 * Pure: what is on record of the node, and what is known of the server, in; the reason out.
 */
#ifndef JOSCH_WHY_H
#define JOSCH_WHY_H

#include "base/josch.h"

#include "server/store_why.h"

/*
 * X(symbol, label, rank, meaning): of several reasons the one with the lowest rank is what somebody has
 * to do something about; the others pass by themselves.
 */
#define JOSCH_REASONS(X) \
	X(PERSON, "person", 0, "a person is asked") \
	X(HELD, "held", 0, "a person holds it back") \
	X(DISARMED, "disarmed", 1, "this installation is a copy that nobody has armed") \
	X(SCHEDULER_OFF, "scheduler_off", 1, "no scheduler is there, or it is switched off") \
	X(RUNNER_DOWN, "runner_down", 1, "no runner answers") \
	X(SHORTAGE, "shortage", 1, "something is short that a start needs") \
	X(PAUSED_DATABASE, "paused_database", 1, "the database is paused") \
	X(PAUSED_JOB, "paused_job", 1, "its job, or the day of it, is paused") \
	X(NEVER_FITS, "never_fits", 1, "it needs more units of a semaphore than there are, or an executor that is not there") \
	X(LOCKED, "locked", 1, "somebody's open transaction holds it") \
	X(PARENT_ABSENT, "parent_absent", 2, "its day is not made") \
	X(TIME, "time", 3, "its time has not come") \
	X(FILE, "file", 3, "a file that it waits for is not there") \
	X(SQL, "sql", 3, "what it asks the database is not true") \
	X(RETRY_DELAY, "retry_delay", 3, "it is tried again later") \
	X(MAX_RUNNING, "max_running", 4, "all places for commands are taken") \
	X(SEMAPHORE, "semaphore", 4, "units of a semaphore that it needs are taken, or none are given out") \
	X(RESERVED, "reserved", 4, "what it needs is kept for one that has waited longer") \
	X(MAX_RUNNING_JOB, "max_running_job", 4, "all places of its job are taken") \
	X(EXECUTOR, "executor", 4, "all places of its executor are taken, or it is closed") \
	X(SQL_WORKER, "sql_worker", 4, "all places for SQL are taken") \
	X(RUNNING, "running", 5, "it runs") \
	X(TURN, "turn", 6, "the scheduler takes it with its next pass") \
	X(PARENT, "parent", 7, "it waits for parents") \
	X(PARENT_IMPOSSIBLE, "parent_impossible", 8, "a parent has ended so that it is not to run") \
	X(DONE, "done", 9, "nothing is to be done any more")

typedef enum WhyReason
{
#define JOSCH_REASON_ENUM(symbol, ...) WHY_##symbol,
	JOSCH_REASONS(JOSCH_REASON_ENUM)
#undef JOSCH_REASON_ENUM
	WHY_COUNT
} WhyReason;

/* What is known of the server; the same for all nodes. */
typedef struct WhyServer
{
	TimestampTz now;
	const char *disarmed;		/* why this installation does nothing; NULL: it does */
	const char *scheduler;		/* why nothing is started; NULL: it is */
	const char *runner;			/* why no command is; or NULL */
	const char *commands_wait;	/* what commands are short of; or NULL */
	const char *sql_wait;
	const char *files_wait;		/* what the system is short of to tell of files; or NULL */
	const char *judges_wait;	/* the same for queries */
	int			commands;		/* places that are taken */
	int			max_commands;
	int			sql;
	int			max_sql;
	const char *paused;			/* why nothing of the database is; or NULL */
	const char *holder;			/* who holds what the scheduler has set aside; or NULL */
} WhyServer;

typedef struct Why
{
	WhyReason	reason;
	char	   *detail;
	TimestampTz since;			/* DT_NOBEGIN: not known */
	TimestampTz until;			/* DT_NOEND: not known */
	char	   *who;			/* or NULL */
} Why;

/* What limits say of a node that is ready; asked for when nothing else stands in its way. */
typedef Why (*WhyLimits) (void *argument, const WhyNode *node);

extern const char *josch_why_label(WhyReason reason);
extern const char *josch_why_meaning(WhyReason reason);
extern int	josch_why_rank(WhyReason reason);

/* Of a node alone; palloc'd. */
extern Why	josch_why_of(const WhyNode *node, const WhyServer *server, WhyLimits limits, void *argument);

/* A reason with its detail; NULL: its meaning. */
extern Why	josch_why_because(WhyReason reason, const char *detail);

/* For which of the roots among the nodes the first one waits: the most urgent, the longest; -1: none. */
extern int	josch_why_root(const WhyNode *nodes, const Why *whys, int n);

/* In a sentence: what the first node waits for, and the reason at the root; palloc'd. */
extern char *josch_why_sentence(const WhyNode *nodes, const Why *whys, int root);

#endif							/* JOSCH_WHY_H */
