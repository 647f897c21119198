/*
 * src/run/store_pauses.c
 *	  SQL of what people pause and resume, and of who has units.
 */
#include "base/josch.h"

#include "run/store_pauses.h"

#include "utils/date.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "base/report.h"
#include "base/rows.h"
#include "base/spi_plan.h"

static JoschPlan pause_it = JOSCH_PLAN(
	"INSERT INTO josch.pauses AS p (what, name, job_date, paused_by, paused_at, comment) VALUES ($1, $2, $3, SESSION_USER, josch.now(), $4)"
	" ON CONFLICT (what, name, job_date) DO UPDATE SET paused_by = excluded.paused_by, paused_at = excluded.paused_at,"
	"   comment = excluded.comment, resumed_by = NULL, resumed_at = NULL WHERE p.resumed_at IS NOT NULL RETURNING true",
	TEXTOID, TEXTOID, DATEOID, TEXTOID);

static JoschPlan resume_it = JOSCH_PLAN(
	"UPDATE josch.pauses SET resumed_by = SESSION_USER, resumed_at = josch.now(), comment = $4"
	" WHERE what = $1 AND name = $2 AND job_date = $3 AND resumed_at IS NULL RETURNING true",
	TEXTOID, TEXTOID, DATEOID, TEXTOID);

static JoschPlan find_it = JOSCH_PLAN(
	"SELECT CASE $1 WHEN 'database' THEN true WHEN 'semaphore' THEN EXISTS (SELECT FROM josch.semaphores WHERE semaphore_name = $2)"
	"  WHEN 'day' THEN EXISTS (SELECT FROM josch.jobs WHERE job_name = $2 AND job_date = $3)"
	"  ELSE EXISTS (SELECT FROM josch.tpl_jobs WHERE job_name = $2) OR EXISTS (SELECT FROM josch.jobs WHERE job_name = $2) END",
	TEXTOID, TEXTOID, DATEOID);

static JoschPlan select_holders = JOSCH_PLAN(
	"SELECT coalesce(n.node_name, u.node_id::text), u.taken_at, u.units, count(*) OVER ()"
	"  FROM josch.units_in_use u LEFT JOIN LATERAL (SELECT m.node_name FROM josch.nodes m WHERE m.job_date = u.job_date AND m.node_id = u.node_id OFFSET 0) n ON true"
	" WHERE u.limit_kind = $1::\"char\" AND u.limit_name = $2 ORDER BY u.taken_at, u.job_date, u.node_id LIMIT 1",
	TEXTOID, TEXTOID);

typedef struct Holder
{
	char	   *node_name;
	TimestampTz since;
	int32		units;
	int64		all;
} Holder;

static const JoschRow holder_row = JOSCH_ROW(
	Holder,
	JOSCH_FIELD(Holder, node_name, TEXT),
	JOSCH_FIELD(Holder, since, TIMESTAMPTZ),
	JOSCH_FIELD(Holder, units, INT32),
	JOSCH_FIELD(Holder, all, INT64));

static void
set_arguments(Datum *args, char *nulls, const char *what, const char *name, DateADT job_date)
{
	josch_spi_set_text(args, nulls, 0, what);
	josch_spi_set_text(args, nulls, 1, name);
	args[2] = DateADTGetDatum(job_date);
	nulls[2] = ' ';
}

/* For the record; josch_spi_end puts it back. */
static void
note_comment(const char *comment)
{
	if (comment != NULL)
	{
		(void) set_config_option("josch.comment", comment, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
}

bool
josch_store_pauses_pause(const char *what, const char *name, DateADT job_date, const char *comment)
{
	JoschSpi	spi;
	Datum		args[4];
	char		nulls[4];
	uint64		n;

	josch_spi_begin(&spi);
	set_arguments(args, nulls, what, name, job_date);
	josch_spi_set_text(args, nulls, 3, comment);
	note_comment(comment);
	n = josch_spi_run(&pause_it, SPI_OK_INSERT_RETURNING, args, nulls);
	josch_spi_end(&spi);
	return n > 0;
}

bool
josch_store_pauses_resume(const char *what, const char *name, DateADT job_date, const char *comment)
{
	JoschSpi	spi;
	Datum		args[4];
	char		nulls[4];
	uint64		n;

	josch_spi_begin(&spi);
	set_arguments(args, nulls, what, name, job_date);
	josch_spi_set_text(args, nulls, 3, comment);
	note_comment(comment);
	n = josch_spi_run(&resume_it, SPI_OK_UPDATE_RETURNING, args, nulls);
	josch_spi_end(&spi);
	return n > 0;
}

bool
josch_store_pauses_find(const char *what, const char *name, DateADT job_date)
{
	JoschSpi	spi;
	Datum		args[3];
	char		nulls[3];
	bool		found;

	josch_spi_begin(&spi);
	set_arguments(args, nulls, what, name, job_date);
	(void) josch_spi_run(&find_it, SPI_OK_SELECT, args, nulls);
	found = josch_spi_bool(0, 1, false);
	josch_spi_end(&spi);
	return found;
}

char *
josch_store_pauses_holders(char kind, const char *name, TimestampTz *since)
{
	MemoryContext caller = CurrentMemoryContext;
	JoschSpi	spi;
	Datum		args[2];
	char		nulls[2];
	Holder		holder;
	uint64		n;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, (char[]) {kind, '\0'});
	josch_spi_set_text(args, nulls, 1, name);
	n = josch_spi_read(&select_holders, args, nulls);
	if (n > 0)
	{
		josch_rows_fetch_one(&holder_row, &holder, caller);
	}
	josch_spi_end(&spi);
	if (n == 0)
	{
		return NULL;
	}
	*since = holder.since;
	return holder.all == 1 ?
		psprintf("held by \"%s\" since %s", holder.node_name, timestamptz_to_str(holder.since)) :
		psprintf("held by \"%s\" since %s, and by " INT64_FORMAT " other%s", holder.node_name, timestamptz_to_str(holder.since),
				 holder.all - 1, holder.all == 2 ? "" : "s");
}
