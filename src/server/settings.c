/*
 * src/server/settings.c
 *	  What the processes of this folder rely on, whatever the database's defaults are.
 */
#include "base/josch.h"

#include "server/settings.h"

#include "access/xact.h"
#include "utils/guc.h"

#include "base/spi_plan.h"

typedef const char *const Setting[2];

static Setting all[] = {
	{"search_path", JOSCH_SEARCH_PATH}, {"jit", "off"}, {"statement_timeout", "0"},
#if PG_VERSION_NUM >= 170000
	{"transaction_timeout", "0"},
#endif
	{"default_transaction_isolation", "read committed"},
	{"default_transaction_read_only", "off"},
	/* both off are the sign of a restore (mode.c), and a database's owner may set defaults */
	{"row_security", "on"}, {"check_function_bodies", "on"}
};

/*
 * The same few statements run again and again, with arrays of any length: they
 * are planned once, by index, instead of each time anew (a plan costs more than
 * its execution) or by what the tables look like while they are small.  It never
 * waits for a row; for a table that somebody has locked as a whole it waits a
 * moment (less than deadlock_timeout, so that it is the one to give way).
 */
static Setting of_scheduler[] = {
	{"plan_cache_mode", "force_generic_plan"}, {"enable_seqscan", "off"}, {"enable_hashjoin", "off"},
	{"enable_mergejoin", "off"}, {"enable_bitmapscan", "off"}, {"lock_timeout", "100ms"}
};

static void
pin(Setting *settings, int n)
{
	for (int i = 0; i < n; i++)
	{
		SetConfigOption(settings[i][0], settings[i][1], PGC_USERSET, PGC_S_OVERRIDE);
	}
}

void
josch_settings_pin_scheduler(void)
{
	pin(all, lengthof(all));
	pin(of_scheduler, lengthof(of_scheduler));
}

void
josch_settings_pin_worker(void)
{
	pin(all, lengthof(all));
}

void
josch_settings_set_patience(int ms)
{
	char		text[16];

	snprintf(text, sizeof(text), "%dms", ms);
	SetConfigOption("lock_timeout", text, PGC_USERSET, PGC_S_OVERRIDE);
}

void
josch_settings_require_durable_commits(void)
{
	if (synchronous_commit == SYNCHRONOUS_COMMIT_OFF)
	{
		SetConfigOption("synchronous_commit", "local", PGC_USERSET, PGC_S_OVERRIDE);
	}
}
