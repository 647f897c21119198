/*
 * test/unit/past.h
 *	  A life of the runner, for tests of its journal: what happens, and what is known after.
 *
 * What is known is told as text, and compared with what another process reads
 * out of the file.
 */
#ifndef UNIT_PAST_H
#define UNIT_PAST_H

#include "unit.h"

/* Writes all that is known to a file of the spool; with `lives`, also which runs are of a former life. */
extern void past_remember(const char *file, bool lives);

/* True when what is known now is what the file says. */
extern bool past_is_as_in(const char *file, bool lives);

/* Begins a life, as main.c does. */
extern void past_begin(void);

/* What run.c does, as far as the journal hears of it; start NULL: a plain run. */
extern Run *past_start(Owner *owner, int64_t id, const JoschStart *start);
extern Run *past_spawn_in_turn(Run *run);
extern Run *past_spawn(Run *run);
extern Run *past_stop(Run *run, uint32_t flag);
extern Run *past_end(Run *run, uint8_t kind, uint32_t value, const char *tail);
extern void past_forget(Owner *owner, int64_t id);

/* A whole life: runs in each state that a journal can speak of, remembered as "known". */
extern void past_live(void);

/* Reads the journal, and what is said of it. */
extern void past_load(void);
extern JournalFound past_found;

#endif							/* UNIT_PAST_H */
