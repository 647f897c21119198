/*
 * src/base/config.h
 *	  The settings (GUCs) of JOSCH.
 *
 * config.c has, for each, what it means to an administrator.
 */
#ifndef JOSCH_CONFIG_H
#define JOSCH_CONFIG_H

#include "base/josch.h"

extern int	josch_config_aging_interval;	/* seconds */
extern int	josch_config_calendar_warning;
extern int	josch_config_claim_time;	/* seconds */
extern char *josch_config_comment;
extern int	josch_config_max_log_size;	/* MB; 0: no limit */
extern int	josch_config_max_running;
extern int	josch_config_max_sql_workers;
extern int	josch_config_reserve_after; /* seconds */
extern int	josch_config_safety_interval;	/* seconds */
extern bool josch_config_scheduler;
extern char *josch_config_spool_directory;
extern bool josch_config_start_runner;
extern char *josch_config_time_zone;
extern char *josch_config_work_directory;

/* Defines all settings; called once from _PG_init. */
extern void josch_config_init(void);

#endif							/* JOSCH_CONFIG_H */
