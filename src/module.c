/*
 * src/module.c
 *	  The module's entry: a table of contents, no logic.
 *
 * Loaded by shared_preload_libraries it starts the launcher; loaded by a
 * session alone it serves the SQL functions and triggers, and what needs shared
 * memory says so.
 */
#include "base/josch.h"

#include "audit/audit.h"
#include "base/config.h"
#include "base/identity.h"
#include "base/mode.h"
#include "base/shared.h"
#include "base/table.h"
#include "base/wake.h"
#include "calendar/book.h"
#include "node/notify.h"
#include "server/launcher.h"
#include "server/utility.h"

PG_MODULE_MAGIC;

void		_PG_init(void);

void
_PG_init(void)
{
	josch_config_init();
	josch_identity_init();
	josch_mode_init();
	josch_table_init();
	josch_audit_init();
	josch_book_init();
	josch_shared_init();
	josch_wake_init();
	/* after wake: of callbacks at the end of a transaction the last registered comes first, and what is told must be there before the wake */
	josch_notify_init();
	josch_utility_init();
	josch_launcher_init();
}
