/*
 * src/base/mode.h
 *	  On whose behalf the running statement changes a day.
 *
 * Triggers cannot see who called whom; the code that changes a day
 * says here what it is doing, and the triggers ask.  All of it is
 * process-local and falls back to "a person, by plain SQL" at the end of a
 * failed transaction.
 */
#ifndef JOSCH_MODE_H
#define JOSCH_MODE_H

#include "base/josch.h"

typedef struct JoschMode
{
	bool		engine;			/* engine edges may be taken */
	bool		suspended;		/* josch.schedule counts parents and checks
								 * cycles itself */
	bool		loading;		/* circles of calendars are looked for at the end of the load */
	const char *action;			/* the act of a josch.*() function, NULL for a
								 * plain UPDATE */
} JoschMode;

extern JoschMode josch_mode;

/*
 * Use in pairs around the statements concerned, the second in a PG_FINALLY, or
 * leave it to the abort of the (sub)transaction:
 *	JoschMode former = josch_mode_enter_engine();
 *	... josch_mode = former;
 */
extern JoschMode josch_mode_enter_engine(void);
extern JoschMode josch_mode_enter_act(const char *action);
extern JoschMode josch_mode_enter_suspended(void);
extern JoschMode josch_mode_enter_load(void);

/*
 * True while pg_dump's output is being loaded by a superuser: rows arrive whole,
 * with their audit, and triggers must neither change nor record them.
 */
extern bool josch_mode_is_restore(void);

/* Registers the end-of-transaction callbacks; called once from _PG_init. */
extern void josch_mode_init(void);

#endif							/* JOSCH_MODE_H */
