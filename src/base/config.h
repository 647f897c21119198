/*
 * src/base/config.h
 *	  The settings (GUCs) of JOSCH.
 *
 * config.c has, for each, what it means to an administrator.
 */
#ifndef JOSCH_CONFIG_H
#define JOSCH_CONFIG_H

#include "base/josch.h"

extern char *josch_config_comment;
extern int	josch_config_max_running;
extern int	josch_config_max_sql_workers;
extern int	josch_config_safety_interval;	/* seconds */
extern bool josch_config_scheduler;
extern char *josch_config_spool_directory;
extern bool josch_config_start_runner;
extern char *josch_config_time_zone;
extern char *josch_config_work_directory;

/* Defines all settings; called once from _PG_init. */
extern void josch_config_init(void);

/* josch.spool_directory as an absolute path, palloc'd in the current context */
extern char *josch_config_spool_path(void);

/* josch.work_directory as an absolute path: the spool directory when it is empty; palloc'd */
extern char *josch_config_work_path(void);

#endif							/* JOSCH_CONFIG_H */
