/*
 * src/server/api_wake.c
 *	  josch.wake(): launcher and scheduler look when the transaction has committed.
 *
 * The install script ends with it, where there is a launcher.
 */
#include "base/josch.h"

#include "base/report.h"
#include "base/wake.h"

PG_FUNCTION_INFO_V1(josch_api_wake);

Datum
josch_api_wake(PG_FUNCTION_ARGS)
{
	if (!josch_wake_is_preloaded())
	{
		josch_report_not_preloaded();
	}
	josch_wake_announce_at_commit();
	PG_RETURN_VOID();
}
