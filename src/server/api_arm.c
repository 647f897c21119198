/*
 * src/server/api_arm.c
 *	  josch.armed(): whether this installation starts anything; josch.arm(): lets it.
 *
 * What is a copy cannot know by itself whether it is to take the place of the other
 * one, or would do all a second time: so a person says it, with a reason that stays
 * on record.
 */
#include "base/josch.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "commands/async.h"
#include "commands/dbcommands.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/report.h"
#include "base/store_installation.h"
#include "run/store_held.h"

PG_FUNCTION_INFO_V1(josch_api_armed);
PG_FUNCTION_INFO_V1(josch_api_arm);

/* josch.armed(OUT armed, OUT reason, OUT held) */
Datum
josch_api_armed(PG_FUNCTION_ARGS)
{
	JoschInstallation installation = josch_store_installation_read();
	JoschArming arming = josch_installation_judge(&installation);
	int			held = arming == JOSCH_TAKEN_BACK ? josch_store_held_count(installation.disarmed) : 0;
	bool		armed = arming == JOSCH_ARMED || (arming == JOSCH_TAKEN_BACK && held == 0);
	Datum		values[3] = {BoolGetDatum(armed)};
	bool		nulls[3] = {false, armed, false};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
	{
		elog(ERROR, "return type must be a row type");
	}
	values[1] = armed ? (Datum) 0 : CStringGetTextDatum(josch_installation_reason(&installation));
	values[2] = Int64GetDatum(held);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}

/* Only white space is no reason. */
static char *
comment_of(FunctionCallInfo fcinfo)
{
	char	   *comment = PG_ARGISNULL(0) ? "" : text_to_cstring(PG_GETARG_TEXT_PP(0));

	if (comment[strspn(comment, " \t\r\n")] == '\0')
	{
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("arming needs a comment"),
				 errdetail("It stays on record: why this installation is to start what is in this database."),
				 errhint(JOSCH_INSTALLATION_HINT)));
	}
	return comment;
}

static void
refuse_armed(const JoschInstallation *installation)
{
	ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("this installation of JOSCH is armed already"),
			 errdetail("It was last armed by \"%s\" at %s.", installation->armed_by,
					   timestamptz_to_str(installation->armed_at))));
}

/* josch.arm(comment): returns how many nodes it has let go */
Datum
josch_api_arm(PG_FUNCTION_ARGS)
{
	JoschInstallation installation;
	JoschArming arming;
	char	   *comment;
	int			released = 0;

	josch_report_if_read_only(fcinfo);
	comment = comment_of(fcinfo);
	installation = josch_store_installation_lock();
	arming = josch_installation_judge(&installation);
	if (arming == JOSCH_NO_INSTALLATION)
	{
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the row of josch.installation is missing"),
				 errhint("DROP EXTENSION josch and CREATE EXTENSION josch make one.")));
	}
	if (arming == JOSCH_ARMED)
	{
		refuse_armed(&installation);
	}
	if (installation.disarmed != NULL)
	{
		released = josch_store_held_release(installation.disarmed, comment);
	}
	if (josch_installation_acts(arming))
	{
		josch_store_installation_hold_back(NULL, 0, comment);
	}
	else
	{
		josch_store_installation_arm(comment);
	}
	Async_Notify(JOSCH_CHANNEL, "{\"armed\":true}");
	ereport(LOG,
			(errmsg("josch of database \"%s\" was armed by \"%s\": %s", get_database_name(MyDatabaseId),
					GetUserNameFromId(GetSessionUserId(), false), josch_report_words(comment))));
	PG_RETURN_INT64(released);
}
