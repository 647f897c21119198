/*
 * src/alarm/store_alarm_ack.c
 *	  SQL on josch.alarms for people: acknowledged, and counted.
 *
 * Part of store_alarm.h.
 */
#include "base/josch.h"

#include "alarm/store_alarm.h"

#include "base/rows.h"
#include "base/spi_plan.h"

static JoschPlan find = JOSCH_PLAN(
	"SELECT acked_by, acked_at, comment FROM josch.alarms WHERE alarm_id = $1 FOR UPDATE",
	INT8OID);

static const JoschRow ack_row = JOSCH_ROW(
	AlarmAck,
	JOSCH_FIELD(AlarmAck, by, TEXT),
	JOSCH_FIELD(AlarmAck, at, TIMESTAMPTZ),
	JOSCH_FIELD(AlarmAck, comment, TEXT));

static JoschPlan acknowledge = JOSCH_PLAN(
	"UPDATE josch.alarms SET acked_by = SESSION_USER, acked_at = josch.now(), comment = $2 WHERE alarm_id = $1",
	INT8OID, TEXTOID);

/* A hook fails when the last attempt that it made did. */
static JoschPlan health = JOSCH_PLAN0(
	"SELECT (SELECT count(*) FROM josch.alarms WHERE cleared_at IS NULL), (SELECT count(*) FROM josch.alarms WHERE cleared_at IS NULL AND acked_at IS NULL),"
	" count(*), min(f.hook_name), (array_agg(f.message ORDER BY f.hook_name))[1]"
	" FROM (SELECT h.hook_name, d.message FROM josch.alarm_hooks h, LATERAL (SELECT d.message FROM josch.alarm_deliveries d"
	"   WHERE d.hook_name = h.hook_name AND d.ended_at IS NOT NULL ORDER BY d.ended_at DESC LIMIT 1) d WHERE h.enabled AND d.message IS NOT NULL) f");

static const JoschRow health_row = JOSCH_ROW(
	AlarmHealth,
	JOSCH_FIELD(AlarmHealth, open, INT64),
	JOSCH_FIELD(AlarmHealth, unacked, INT64),
	JOSCH_FIELD(AlarmHealth, failing, INT64),
	JOSCH_FIELD(AlarmHealth, hook_name, TEXT),
	JOSCH_FIELD(AlarmHealth, message, TEXT));

bool
josch_store_alarm_acknowledge(int64 alarm_id, const char *comment, AlarmAck *former)
{
	MemoryContext caller = CurrentMemoryContext;
	Datum		args[2] = {Int64GetDatum(alarm_id)};
	char		nulls[2] = {' ', ' '};
	JoschSpi	spi;
	bool		found;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 1, comment);
	found = josch_spi_change_latest(&find, SPI_OK_SELECT, args, NULL) > 0;
	if (found)
	{
		josch_rows_fetch_one(&ack_row, former, caller);
		if (former->by == NULL)
		{
			(void) josch_spi_change_latest(&acknowledge, SPI_OK_UPDATE, args, nulls);
		}
	}
	josch_spi_end(&spi);
	return found;
}

AlarmHealth
josch_store_alarm_health(void)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	AlarmHealth result;

	josch_spi_begin(&spi);
	josch_spi_run(&health, SPI_OK_SELECT, NULL, NULL);
	josch_rows_fetch_one(&health_row, &result, caller);
	josch_spi_end(&spi);
	return result;
}
