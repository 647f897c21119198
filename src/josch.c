/*
 * src/josch.c
 *	  The module's entry: a table of contents, no logic.
 *
 * Loaded by shared_preload_libraries it starts the launcher; loaded by a
 * session alone it serves the SQL functions and triggers, and what needs shared
 * memory says so.
 */
#include "josch.h"

#include "audit.h"
#include "config.h"
#include "launcher.h"
#include "mode.h"
#include "notify.h"
#include "shared.h"
#include "sql_worker.h"
#include "utility.h"
#include "wake.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	josch_config_init();
	josch_mode_init();
	josch_audit_init();
	josch_notify_init();
	josch_shared_init();
	josch_wake_init();
	josch_sql_worker_init();
	josch_utility_init();
	josch_launcher_init();
}
