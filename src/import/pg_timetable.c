/*
 * src/import/pg_timetable.c
 *	  The chains of pg_timetable: their tasks are nodes that follow each other.
 *
 * A chain is one transaction of its SQL, but for tasks that are said to be autonomous.  So what stands
 * together goes into one SQL node, and is not split; what something else stands between cannot stay one.
 */
#include "base/josch.h"

#include "import/import.h"

#include "import/store_import.h"
#include "import/store_pg_timetable.h"

#include "lib/stringinfo.h"
#include "utils/builtins.h"

#define ALL_UNITS 1000			/* of the semaphore that an exclusive chain takes whole */
#define DAY 86400

typedef struct Carrying
{
	Import	   *import;
	const TimetableTask *tasks;
	int			ntasks;
	const TimetableChain *chain;
	char	   *zone;
	char	   *source;			/* "timetable.chain 7" */
	const char *semaphore;		/* NULL: no chain is exclusive */
} Carrying;

static void
told(Carrying *carrying, FindingSeverity severity, const char *message)
{
	josch_findings_add(carrying->import->findings, severity, carrying->source, NULL, "%s", message);
}

/* ---- tasks ---- */

/* What may fail in a transaction that goes on is in a block of its own, as behind a savepoint. */
static char *
sql_of(const TimetableTask *task)
{
	char	   *tag = "$task$";

	if (!task->may_fail || task->autonomous)
	{
		return task->sql;
	}
	while (strstr(task->sql, tag) != NULL)
	{
		tag = psprintf("$t%s", tag + 1);
	}
	return psprintf("DO %sBEGIN EXECUTE %s; EXCEPTION WHEN OTHERS THEN RAISE WARNING '%%', SQLERRM; END%s",
					tag, quote_literal_cstr(task->sql), tag);
}

static bool
is_in_transaction(const TimetableTask *task)
{
	return strcmp(task->kind, "SQL") == 0 && !task->autonomous;
}

/* Whether it can go into the node of the one before: the same transaction, as the same user. */
static bool
goes_with(const TimetableTask *task, const TimetableTask *former)
{
	return former != NULL && is_in_transaction(task) && is_in_transaction(former) &&
		(task->run_as == NULL ? former->run_as == NULL : former->run_as != NULL && strcmp(task->run_as, former->run_as) == 0);
}

static void
join(ImportedStep *step, const TimetableTask *task)
{
	step->name = psprintf("%s, %s", step->name, task->name);
	step->sql = psprintf("%s\n;\n%s", step->sql, sql_of(task));
}

/* Why a task, and with it its chain, stays where it is; NULL: it does not. */
static char *
reason_to_stay(const TimetableTask *task)
{
	if (task->is_remote)
	{
		return psprintf("task \"%s\" connects to another database: load it there", task->name);
	}
	if (strcmp(task->kind, "BUILTIN") == 0 && task->command == NULL && strcmp(task->what, "NoOp") != 0)
	{
		return psprintf("task \"%s\" is the built-in %s, which we do not have: make a PROGRAM of it", task->name, task->what);
	}
	return NULL;
}

static void
take_task(Carrying *carrying, const TimetableTask *task, ImportedStep *step)
{
	*step = (ImportedStep) {
		.name = task->name,.timeout = task->timeout
	};
	if (strcmp(task->kind, "SQL") != 0)
	{
		step->command = task->command;
		step->may_fail = task->may_fail;
		if (task->run_as != NULL)
		{
			told(carrying, FINDING_NOTE, psprintf("task \"%s\" is run as the user of the runner, which no role is: \"%s\" is left out", task->name, task->run_as));
		}
		return;
	}
	step->sql = sql_of(task);
	step->sql_atomic = !josch_import_sql_is_alone(carrying->import, carrying->source, task->sql);
	step->may_fail = task->may_fail && task->autonomous;
	step->owner = task->run_as;
}

static void
tell_of_transactions(Carrying *carrying, int n)
{
	if (n > 1)
	{
		told(carrying, FINDING_WARNING, psprintf("its SQL was one transaction, and is %d, a node each, as something else stands between: what one has done stays when a later one fails", n));
	}
}

/* False when one of them cannot be carried over. */
static bool
take_tasks(Carrying *carrying, ImportedJob *job)
{
	ImportedStep *steps = palloc(sizeof(ImportedStep) * (carrying->ntasks + 1));
	const TimetableTask *former = NULL;
	int			transactions = 0;

	for (int i = 0; i < carrying->ntasks; i++)
	{
		const TimetableTask *task = &carrying->tasks[i];
		char	   *reason;

		if (task->chain_id != carrying->chain->chain_id)
		{
			continue;
		}
		if (!task->live)
		{
			told(carrying, FINDING_NOTE, psprintf("task \"%s\" is not live: it is left out", task->name));
			continue;
		}
		reason = reason_to_stay(task);
		if (reason != NULL)
		{
			told(carrying, FINDING_ERROR, psprintf("not carried over: %s", reason));
			return false;
		}
		if (goes_with(task, former))
		{
			join(&steps[job->nsteps - 1], task);
			(void) josch_import_sql_is_alone(carrying->import, carrying->source, task->sql);
		}
		else
		{
			take_task(carrying, task, &steps[job->nsteps++]);
			transactions += is_in_transaction(task);
		}
		former = task;
	}
	tell_of_transactions(carrying, transactions);
	if (job->nsteps == 0)
	{
		told(carrying, FINDING_ERROR, "not carried over: it has no task that is live");
	}
	job->steps = steps;
	return job->nsteps > 0;
}

/* ---- chains ---- */

/* That of all of a chain holds for its only node. */
static void
take_timeout(Carrying *carrying, const ImportedJob *job)
{
	if (carrying->chain->timeout == NULL)
	{
		return;
	}
	if (job->nsteps == 1 && job->steps[0].timeout == NULL)
	{
		((ImportedStep *) job->steps)[0].timeout = carrying->chain->timeout;
		return;
	}
	told(carrying, FINDING_WARNING, psprintf("its time-out of %s is not carried over: a node has one, a chain has none", carrying->chain->timeout));
}

/* What else is said of a chain, and means something else here. */
static void
take_properties(Carrying *carrying, ImportedJob *job)
{
	const TimetableChain *chain = carrying->chain;

	job->max_running = chain->max_instances;
	job->on_error = chain->on_error;
	job->paused = !chain->live || chain->self_destruct;
	job->semaphore = carrying->semaphore;
	job->units = chain->exclusive ? ALL_UNITS : 1;
	take_timeout(carrying, job);
	if (chain->client != NULL)
	{
		told(carrying, FINDING_NOTE, psprintf("only the client \"%s\" ran it", chain->client));
	}
	if (chain->self_destruct)
	{
		told(carrying, FINDING_WARNING, psprintf("it would have deleted itself when done: it is paused, to be run by hand: SELECT * FROM josch.schedule(DATE, %s)",
												 quote_literal_cstr(psprintf("%s%s", carrying->import->prefix, chain->name))));
	}
	if (chain->exclusive && job->nsteps > 1)
	{
		told(carrying, FINDING_WARNING, psprintf("it is exclusive: each of its %d nodes takes all units of the semaphore, between two of them another chain's may run", job->nsteps));
	}
}

/* "@every 10 minutes": on a grid that begins at midnight. */
static bool
carry_interval(Carrying *carrying, const ImportedJob *job)
{
	const TimetableChain *chain = carrying->chain;
	CronSlot	slot = {.every = chain->every};

	if (chain->every < 1 || chain->every >= DAY)
	{
		told(carrying, FINDING_ERROR, psprintf("not carried over: \"%s\" is no part of a day", chain->run_at));
		return false;
	}
	slot.until = (DAY - 1) / chain->every * chain->every;
	slot.every = slot.until == 0 ? 0 : slot.every;
	told(carrying, FINDING_NOTE, psprintf("\"%s\" counts from midnight here", chain->run_at));
	if (strncmp(chain->run_at, "@after", 6) == 0)
	{
		told(carrying, FINDING_WARNING, psprintf("\"%s\" counts from start to start here, not from an end on; where one goes on longer, it is passed over", chain->run_at));
	}
	josch_import_job_at(carrying->import, job, NULL, &slot, 1);
	return true;
}

static bool
carry(Carrying *carrying)
{
	const TimetableChain *chain = carrying->chain;
	int			former = carrying->import->njobs;
	Cron		cron;
	char	   *wrong;
	ImportedJob job = {
		.source = carrying->source,.name = chain->name,.time_zone = carrying->zone,
		.description = psprintf("pg_timetable chain " INT64_FORMAT ": %s", chain->chain_id, chain->run_at == NULL ? "each minute" : chain->run_at)
	};

	if (!take_tasks(carrying, &job))
	{
		return false;
	}
	take_properties(carrying, &job);
	if (chain->every != 0 || (chain->run_at != NULL && strncmp(chain->run_at, "@e", 2) == 0))
	{
		return carry_interval(carrying, &job) && carrying->import->njobs > former;
	}
	wrong = josch_cron_parse(chain->run_at == NULL ? "* * * * *" : chain->run_at, CRON_OF_PG_TIMETABLE, &cron);
	if (wrong != NULL)
	{
		told(carrying, FINDING_ERROR, psprintf("not carried over: \"%s\": %s", chain->run_at, wrong));
		return false;
	}
	josch_import_job(carrying->import, &job, &cron);
	return carrying->import->njobs > former;
}

/* One that the others share, and an exclusive chain takes whole. */
static void
make_semaphore(Carrying *carrying)
{
	const char *columns[] = {"semaphore_name", "capacity", "semaphore_desc"};
	const char *values[] = {psprintf("%spg_timetable", carrying->import->prefix), psprintf("%d", ALL_UNITS), "Chains of pg_timetable; one that is exclusive takes all units"};

	carrying->semaphore = values[0];
	if (josch_store_import_value(carrying->import->schema, "semaphores", "semaphore_name", "semaphore_name", values[0]) == NULL)
	{
		josch_store_import_insert(carrying->import->schema, "semaphores", columns, values, lengthof(columns));
	}
}

void
josch_import_pg_timetable(Import *import)
{
	int			n;
	TimetableChain *chains = josch_store_pg_timetable_chains(&n);
	Carrying	carrying = {.import = import,.zone = josch_store_import_session_zone()};
	StringInfoData carried;

	carrying.tasks = josch_store_pg_timetable_tasks(&carrying.ntasks);
	initStringInfo(&carried);
	for (int i = 0; i < n; i++)
	{
		if (chains[i].exclusive && carrying.semaphore == NULL)
		{
			make_semaphore(&carrying);
		}
	}
	for (int i = 0; i < n; i++)
	{
		carrying.chain = &chains[i];
		carrying.source = psprintf("timetable.chain " INT64_FORMAT, chains[i].chain_id);
		if (carry(&carrying) && chains[i].live)
		{
			appendStringInfo(&carried, "%s" INT64_FORMAT, carried.len > 0 ? ", " : "", chains[i].chain_id);
		}
	}
	josch_findings_add(import->findings, FINDING_NOTE, "pg_timetable", NULL,
					   "its times are taken for those of the zone %s, and SQL without run_as runs as who loads it: its tables say neither", carrying.zone);
	if (carried.len > 0)
	{
		josch_findings_add(import->findings, FINDING_NOTE, "timetable.chain", NULL,
						   "when it is loaded, switch the old ones off: UPDATE timetable.chain SET live = false WHERE chain_id IN (%s);", carried.data);
	}
}
