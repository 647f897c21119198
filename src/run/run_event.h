/*
 * src/run/run_event.h
 *	  What happened to a run, and how it ended: told once, in one struct.
 *
 * The runner's messages and the losses of SQL workers become it, the engine
 * applies it, plan.c decides by it, and the row of josch.runs is written from it.
 */
#ifndef JOSCH_RUN_EVENT_H
#define JOSCH_RUN_EVENT_H

#include "base/josch.h"

#include "wire/protocol.h"

/* Bytes of a message of a run or a node: what a command or SQL says may be of any length. */
#define JOSCH_MESSAGE_MAX 4000

/* How the message of a node begins that waits to start for want of something: what follows is what. */
#define JOSCH_WAITS "waits: "

/* In the order in which they are applied. */
typedef enum RunEventType
{
	RUN_DELAYED,				/* text: what it waits for to start; NULL: for nothing any more */
	RUN_STARTED,
	RUN_UP,
	RUN_ENDED,
	RUN_REPORTED,				/* report: what it says of itself by now; before an end that comes with it */
	RUN_EVENT_TYPES
} RunEventType;

typedef enum RunEndKind
{
	RUN_END_DONE,				/* SQL: it did what it should; text: what is to be said all the same, or NULL */
	RUN_END_EXIT,				/* value: exit code */
	RUN_END_SIGNAL,				/* value: signal */
	RUN_END_NOT_STARTED,		/* text: why */
	RUN_END_ERROR,				/* text: the error (SQL) */
	RUN_END_WATCHED,			/* it was seen to end, and not how */
	RUN_END_UNKNOWN				/* nobody saw it end; text: why */
} RunEndKind;

typedef struct RunEvent
{
	RunEventType type;
	int64		run_id;
	int64		nonce;			/* 0: what this server itself says of its own run */
	int32		pid;			/* 0: not known */
	TimestampTz started_at;		/* 0: not known */
	TimestampTz up_at;			/* UP */
	TimestampTz ended_at;		/* ENDED; 0: now */
	RunEndKind	kind;			/* ENDED */
	int32		value;			/* ENDED */
	bool		timed_out;		/* ENDED: its time-out ended it */
	bool		stopped;		/* ENDED: it was told to end */
	int			sqlstate;		/* ENDED, of SQL: of its error; 0: none */
	bool		for_people;		/* ENDED: of a run of another server, or time; nothing follows by itself */
	double		cpu_seconds;	/* -1: not known */
	int64		peak_memory;	/* bytes; -1: not known */
	char	   *text;			/* or NULL */
	char	   *output_tail;	/* or NULL */
	char	   *report;			/* ENDED, REPORTED: what it has said of itself, as run_report.h reads it; or NULL */
	bool		looked;			/* it was looked for processes of it that live on, */
	char	   *survivors;		/* and these were found; or NULL */
	bool		sql;			/* ENDED: of SQL */
	bool		read;			/* ENDED, of SQL: what josch.sql_ends has is in it */
	bool		utf8;			/* the texts are UTF-8, not yet in the
								 * database's encoding */
	bool		done;			/* set by the pass: applied, or of no concern any
								 * more; else it is to be given again */
} RunEvent;

/* An event of which nothing else is known. */
static inline RunEvent
josch_run_event(RunEventType type, JoschRunKey key)
{
	return (RunEvent) {.type = type, .run_id = key.run_id, .nonce = key.nonce, .cpu_seconds = -1, .peak_memory = -1};
}

static inline JoschRunKey
josch_run_event_key(const RunEvent *event)
{
	return (JoschRunKey) {event->run_id, event->nonce};
}

#endif							/* JOSCH_RUN_EVENT_H */
