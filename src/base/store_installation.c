/*
 * src/base/store_installation.c
 *	  SQL of josch.installation, of which there is one row.
 *
 * It is written in engine mode alone (base/trigger_installation.c), and each
 * change wakes the scheduler when it is committed.
 */
#include "base/josch.h"

#include "base/store_installation.h"

#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/clock.h"
#include "base/finder.h"
#include "base/identity.h"
#include "base/mode.h"
#include "base/rows.h"
#include "base/spi_plan.h"
#include "base/table.h"

static const JoschRow installation_row = JOSCH_ROW(
	JoschInstallation,
	JOSCH_FIELD(JoschInstallation, there, BOOL),
	JOSCH_FIELD(JoschInstallation, token, INT64),
	JOSCH_FIELD(JoschInstallation, server, TEXT),
	JOSCH_FIELD(JoschInstallation, armed_at, TIMESTAMPTZ),
	JOSCH_FIELD(JoschInstallation, armed_by, TEXT),
	JOSCH_FIELD(JoschInstallation, files, INT64),
	JOSCH_FIELD(JoschInstallation, disarmed, TEXT));

enum
{
	COLUMN_TOKEN, COLUMN_SERVER, COLUMN_ARMED_AT, COLUMN_ARMED_BY, COLUMN_FILES, COLUMN_DISARMED, COLUMN_COUNT
};

static const JoschColumn columns[COLUMN_COUNT] = {
	{"token", INT8OID}, {"server", TEXTOID}, {"armed_at", TIMESTAMPTZOID}, {"armed_by", TEXTOID}, {"files", INT8OID},
	{"disarmed", TEXTOID}
};
static AttrNumber numbers[COLUMN_COUNT];
static JoschTable table = JOSCH_TABLE("installation", columns, numbers);

static JoschPlan lock = JOSCH_PLAN0(
	"SELECT true, token, server, armed_at, armed_by, files, disarmed FROM josch.installation FOR UPDATE");

static JoschPlan arm = JOSCH_PLAN(
	"UPDATE josch.installation SET token = josch.new_nonce(), server = $1, armed_at = $2, armed_by = $3, comment = $4,"
	" files = $5, disarmed = NULL",
	TEXTOID, TIMESTAMPTZOID, TEXTOID, TEXTOID, INT8OID);

static JoschPlan hold_back = JOSCH_PLAN(
	"UPDATE josch.installation SET disarmed = $1, last_run = greatest(last_run, $2), armed_at = $3, armed_by = $4, comment = $5,"
	" files = $6",
	TEXTOID, INT8OID, TIMESTAMPTZOID, TEXTOID, TEXTOID, INT8OID);

static JoschPlan note = JOSCH_PLAN(
	"UPDATE josch.installation SET armed_at = $1, armed_by = $2, comment = $3", TIMESTAMPTZOID, TEXTOID, TEXTOID);

static JoschPlan doubt = JOSCH_PLAN("UPDATE josch.installation SET server = $1 WHERE server = $2", TEXTOID, TEXTOID);

static JoschPlan clear = JOSCH_PLAN0("DELETE FROM josch.installation");

static char *
text_of(JoschFinder *row, int column)
{
	bool		isnull;
	Datum		value = josch_finder_get(row, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

/* Each pass asks twice: no statement is planned or begun for it. */
JoschInstallation
josch_store_installation_read(void)
{
	JoschInstallation installation = {0};
	JoschFinder row;
	bool		isnull;

	josch_finder_open(&row, &table, 0, AccessShareLock);
	if (josch_finder_find(&row, NULL))
	{
		installation.there = true;
		installation.token = DatumGetInt64(josch_finder_get(&row, COLUMN_TOKEN, &isnull));
		installation.server = text_of(&row, COLUMN_SERVER);
		installation.armed_at = DatumGetTimestampTz(josch_finder_get(&row, COLUMN_ARMED_AT, &isnull));
		installation.armed_by = text_of(&row, COLUMN_ARMED_BY);
		installation.files = DatumGetInt64(josch_finder_get(&row, COLUMN_FILES, &isnull));
		installation.disarmed = text_of(&row, COLUMN_DISARMED);
	}
	josch_finder_close(&row);
	return installation;
}

JoschInstallation
josch_store_installation_lock(void)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschInstallation installation = {0};
	JoschSpi	spi;

	josch_spi_begin(&spi);
	if (josch_spi_run(&lock, SPI_OK_SELECT, NULL, NULL) > 0)
	{
		josch_rows_fetch_one(&installation_row, &installation, caller);
	}
	josch_spi_end(&spi);
	return installation;
}

static void
change(JoschPlan *plan, int expect, const Datum *args, const char *nulls)
{
	JoschSpi	spi;
	JoschMode	former = josch_mode_enter_engine();

	josch_spi_begin(&spi);
	josch_spi_run(plan, expect, args, nulls);
	josch_spi_end(&spi);
	josch_mode = former;
}

void
josch_store_installation_arm(const char *comment)
{
	Datum		args[5];

	args[0] = CStringGetTextDatum(josch_identity_installation(get_extension_oid("josch", false)));
	args[1] = TimestampTzGetDatum(josch_clock_now());
	args[2] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	args[3] = CStringGetTextDatum(comment);
	args[4] = Int64GetDatum(josch_identity_files());
	change(&arm, SPI_OK_UPDATE, args, NULL);
}

void
josch_store_installation_hold_back(const char *reason, int64 last_run, const char *comment)
{
	Datum		args[6];
	char		nulls[] = "      ";

	josch_spi_set_text(args, nulls, 0, reason);
	args[1] = Int64GetDatum(last_run);
	args[2] = TimestampTzGetDatum(josch_clock_now());
	args[3] = CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false));
	args[4] = CStringGetTextDatum(comment);
	args[5] = Int64GetDatum(josch_identity_files());
	change(&hold_back, SPI_OK_UPDATE, args, nulls);
}

void
josch_store_installation_note(const char *comment)
{
	Datum		args[3] = {
		TimestampTzGetDatum(josch_clock_now()), CStringGetTextDatum(GetUserNameFromId(GetSessionUserId(), false)),
		CStringGetTextDatum(comment)
	};

	change(&note, SPI_OK_UPDATE, args, NULL);
}

void
josch_store_installation_doubt(Oid extension)
{
	Datum		args[2] = {
		CStringGetTextDatum(josch_identity_installation(InvalidOid)), CStringGetTextDatum(josch_identity_installation(extension))
	};

	change(&doubt, SPI_OK_UPDATE, args, NULL);
}

void
josch_store_installation_clear(void)
{
	change(&clear, SPI_OK_DELETE, NULL, NULL);
}
