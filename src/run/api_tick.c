/*
 * src/run/api_tick.c
 *	  josch.tick(at): one pass of the engine in the foreground, after the days that are due are made, and before alarms are.
 *
 * For tests, which move time by hand, and for a server without the scheduler.
 * Commands and SQL are left to the scheduler: a session cannot see a run to its
 * end.
 */
#include "base/josch.h"

#include "miscadmin.h"

#include "alarm/alarm.h"
#include "base/clock.h"
#include "base/report.h"
#include "base/store_installation.h"
#include "base/version.h"
#include "base/wake.h"
#include "day/due.h"
#include "run/engine.h"

PG_FUNCTION_INFO_V1(josch_api_tick);

/* Causes of alarms that one look takes in. */
#define ALARM_LIMIT 1000

static void
refuse_unless_armed(void)
{
	JoschInstallation installation = josch_store_installation_read();

	if (!josch_installation_acts(josch_installation_judge(&installation)))
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("josch of this database is disarmed"),
				 errdetail("Why: %s.", josch_installation_reason(&installation)),
				 errhint(JOSCH_INSTALLATION_HINT)));
	}
}

Datum
josch_api_tick(PG_FUNCTION_ARGS)
{
	TimestampTz at = PG_ARGISNULL(0) ? josch_clock_now() : PG_GETARG_TIMESTAMPTZ(0);
	TimestampTz former;
	EnginePass	pass = {0};
	AlarmLook	look = {.now = at, .limit = ALARM_LIMIT};

	josch_report_if_read_only(fcinfo);
	if (TIMESTAMP_NOT_FINITE(at))
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("the moment of a pass must be finite")));
	}
	josch_version_require_same();
	refuse_unless_armed();
	former = josch_clock_move(at);
	pass.now = at;
	PG_TRY();
	{
		josch_due_settle_all(at);
		josch_engine_pass(&pass);
		josch_alarm_look_all(&look);
	}
	PG_FINALLY();
	{
		josch_clock_restore(former);
	}
	PG_END_TRY();
	/* even without a change: what has come due is no more in the list that the scheduler looks at then */
	josch_wake_scheduler_at_commit();
	PG_RETURN_INT64(pass.changes);
}
