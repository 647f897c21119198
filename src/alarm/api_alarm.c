/*
 * src/alarm/api_alarm.c
 *	  josch.acknowledge(): a person knows of an alarm.
 */
#include "base/josch.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "alarm/store_alarm.h"
#include "base/config.h"
#include "base/report.h"
#include "node/notify.h"

PG_FUNCTION_INFO_V1(josch_api_alarm_acknowledge);

static void
refuse(int64 alarm_id, const AlarmAck *former)
{
	bool		said = former->comment != NULL && former->comment[0] != '\0';

	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("alarm " INT64_FORMAT " was acknowledged before", alarm_id),
			 errdetail("By \"%s\" at %s%s%s.", former->by, timestamptz_to_str(former->at), said ? ": " : "",
					   said ? josch_report_words(former->comment) : "")));
}

/* josch.acknowledge(alarm_id, comment) */
Datum
josch_api_alarm_acknowledge(PG_FUNCTION_ARGS)
{
	char	   *comment = PG_ARGISNULL(1) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(1));
	AlarmAck	former;
	int64		alarm_id;

	josch_report_if_read_only(fcinfo);
	if (PG_ARGISNULL(0))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("alarm_id must not be null")));
	}
	alarm_id = PG_GETARG_INT64(0);
	if (comment == NULL && josch_config_comment[0] != '\0')
	{
		comment = josch_config_comment;
	}
	if (!josch_store_alarm_acknowledge(alarm_id, comment, &former))
	{
		ereport(ERROR,
				(errcode(ERRCODE_NO_DATA_FOUND),
				 errmsg("alarm " INT64_FORMAT " does not exist", alarm_id)));
	}
	if (former.by != NULL)
	{
		refuse(alarm_id, &former);
	}
	josch_notify_alarms();
	PG_RETURN_VOID();
}
