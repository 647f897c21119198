/*
 * src/server/settings.h
 *	  What the processes of this folder rely on, whatever the database's defaults are.
 */
#ifndef JOSCH_SETTINGS_H
#define JOSCH_SETTINGS_H

#include "base/josch.h"

extern void josch_settings_pin_scheduler(void);

/* Of a process that plans each statement for its rows, and may wait for others. */
extern void josch_settings_pin_worker(void);

/* For how long that one waits for each lock. */
extern void josch_settings_set_patience(int ms);

/* What a scheduler writes must be on disk before anything is sent; a reload may say otherwise at any time. */
extern void josch_settings_require_durable_commits(void);

#endif							/* JOSCH_SETTINGS_H */
