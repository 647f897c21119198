/*
 * src/base/mode.c
 *	  On whose behalf the running statement changes a day.
 *
 * The mode is a C variable, so no SQL can set it: engine edges cannot be taken
 * from SQL, and an act is recorded as what it is.
 */
#include "base/josch.h"

#include "base/mode.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rls.h"

JoschMode	josch_mode = {0};

/* The mode at the start of each open subtransaction, innermost last. */
typedef struct SavedMode
{
	SubTransactionId id;
	JoschMode	mode;
	struct SavedMode *outer;
} SavedMode;

static SavedMode *saved = NULL;

static JoschMode
enter(JoschMode next)
{
	JoschMode	former = josch_mode;

	josch_mode = next;
	return former;
}

JoschMode
josch_mode_enter_engine(void)
{
	JoschMode	next = josch_mode;

	next.engine = true;
	return enter(next);
}

JoschMode
josch_mode_enter_act(const char *action)
{
	JoschMode	next = josch_mode;

	next.action = action;
	return enter(next);
}

JoschMode
josch_mode_enter_suspended(void)
{
	JoschMode	next = josch_mode;

	next.engine = true;
	next.suspended = true;
	return enter(next);
}

JoschMode
josch_mode_enter_load(void)
{
	JoschMode	next = josch_mode;

	next.loading = true;
	return enter(next);
}

/* Off by SET, and not as a default of the database, which its owner may give it. */
static bool
is_set_off(const char *setting, bool value)
{
	return !value && strcmp(GetConfigOptionResetString(setting), "on") == 0;
}

/*
 * pg_dump and pg_restore turn both settings off before the first row, on every
 * connection; no ordinary session has both off.  The server offers no other
 * sign of a restore.
 */
bool
josch_mode_is_restore(void)
{
	/* anyone may set these two, and JOSCH's own functions run as a superuser: so the session has to be one's, too */
	return is_set_off("check_function_bodies", check_function_bodies) &&
		is_set_off("row_security", row_security) &&
		superuser() && superuser_arg(GetSessionUserId());
}

static void
at_transaction_end(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_COMMIT:
		case XACT_EVENT_ABORT:
		case XACT_EVENT_PREPARE:
			josch_mode = (JoschMode) {0};
			saved = NULL;		/* lived in TopTransactionContext */
			break;
		default:
			break;
	}
}

static void
at_subtransaction(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_START_SUB)
	{
		SavedMode  *entry = MemoryContextAlloc(TopTransactionContext, sizeof(SavedMode));

		entry->id = mine;
		entry->mode = josch_mode;
		entry->outer = saved;
		saved = entry;
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB || event == SUBXACT_EVENT_ABORT_SUB)
	{
		if (saved != NULL && saved->id == mine)
		{
			SavedMode  *entry = saved;

			if (event == SUBXACT_EVENT_ABORT_SUB)
			{
				josch_mode = entry->mode;
			}
			saved = entry->outer;
			pfree(entry);
		}
	}
}

void
josch_mode_init(void)
{
	RegisterXactCallback(at_transaction_end, NULL);
	RegisterSubXactCallback(at_subtransaction, NULL);
}
