/*
 * src/day/api_time.c
 *	  josch.now(), josch.today(), josch.is_time_zone(): what time it is, to SQL.
 *
 * Defaults and CHECKs of the tables call these, so they must not read any table.
 */
#include "base/josch.h"

#include "utils/builtins.h"

#include "base/clock.h"
#include "base/encoding.h"
#include "day/zone.h"

PG_FUNCTION_INFO_V1(josch_api_time_now);
PG_FUNCTION_INFO_V1(josch_api_time_today);
PG_FUNCTION_INFO_V1(josch_api_time_is_zone);

Datum
josch_api_time_now(PG_FUNCTION_ARGS)
{
	PG_RETURN_TIMESTAMPTZ(josch_clock_now());
}

Datum
josch_api_time_today(PG_FUNCTION_ARGS)
{
	PG_RETURN_DATEADT(josch_zone_today(josch_zone_find(NULL)));
}

Datum
josch_api_time_is_zone(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	/* a zone in the POSIX way has a name of anybody's choice in it */
	PG_RETURN_BOOL(josch_encoding_is_one_line(name, strlen(name)) && pg_tzset(name) != NULL);
}
