/*
 * src/template/store_executor.c
 *	  SQL of executors that templates name.
 */
#include "base/josch.h"

#include "template/store_executor.h"

#include "base/spi_plan.h"

static JoschPlan exists = JOSCH_PLAN(
	"SELECT EXISTS (SELECT FROM josch.executors WHERE executor_name = $1)",
	TEXTOID);

static JoschPlan is_named = JOSCH_PLAN(
	"SELECT EXISTS (SELECT FROM josch.tpl_jobs WHERE executor = $1) OR EXISTS (SELECT FROM josch.tpl_nodes WHERE executor = $1)",
	TEXTOID);

static bool
ask(JoschPlan *plan, const char *name)
{
	JoschSpi	spi;
	Datum		args[1];
	char		nulls[1];
	bool		answer;

	josch_spi_begin(&spi);
	josch_spi_set_text(args, nulls, 0, name);
	(void) josch_spi_run_latest(plan, args, nulls);
	answer = josch_spi_bool(0, 1, false);
	josch_spi_end(&spi);
	return answer;
}

bool
josch_store_executor_exists(const char *name)
{
	return ask(&exists, name);
}

bool
josch_store_executor_is_named(const char *name)
{
	return ask(&is_named, name);
}
