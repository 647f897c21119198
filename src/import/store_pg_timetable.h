/*
 * src/import/store_pg_timetable.h
 *	  The tables of pg_timetable, from its version 4 on; read with the caller's rights.
 */
#ifndef JOSCH_STORE_PG_TIMETABLE_H
#define JOSCH_STORE_PG_TIMETABLE_H

#include "base/josch.h"

typedef struct TimetableChain
{
	int64		chain_id;
	char	   *name;
	char	   *run_at;			/* NULL: each minute */
	int			every;			/* seconds, of "@every" and "@after" */
	int			max_instances;	/* 0: any number */
	char	   *timeout;		/* "1500 ms"; NULL: none */
	bool		live;
	bool		self_destruct;
	bool		exclusive;
	char	   *client;			/* NULL: any */
	char	   *on_error;		/* NULL: nothing */
} TimetableChain;

typedef struct TimetableTask
{
	int64		chain_id;
	char	   *name;
	char	   *kind;			/* "SQL", "PROGRAM", "BUILTIN" */
	char	   *what;			/* as it is written: SQL, a program, the name of what is built in */
	char	   *sql;			/* with its parameters put in */
	char	   *command;		/* the same; NULL: there is none for what is built in */
	char	   *run_as;			/* NULL: the user of the scheduler */
	bool		is_remote;		/* SQL of another database */
	bool		may_fail;
	bool		autonomous;		/* not in the transaction of the chain */
	char	   *timeout;
	bool		live;
} TimetableTask;

extern TimetableChain *josch_store_pg_timetable_chains(int *n);

/* By chain, in their order. */
extern TimetableTask *josch_store_pg_timetable_tasks(int *n);

#endif							/* JOSCH_STORE_PG_TIMETABLE_H */
