/*
 * src/template/load.c
 *	  A load of templates, written.
 *
 * It goes in an order in which a load whose end state is valid meets no constraint on
 * its way: dependencies and nodes go before others come, jobs, calendars and variables
 * go last.  All is done with the caller's rights; what a person may not write by hand no
 * loader writes for him.
 */
#include "base/josch.h"

#include "template/load.h"

#include "base/attempt.h"
#include "base/mode.h"
#include "calendar/circles.h"
#include "graph/store_graph_lock.h"

#include "miscadmin.h"

/* ---- one table ---- */

typedef struct Step
{
	LoadBatch  *batch;
	LoadCounts *counts;
	const TemplateScope *scope; /* what a deletion keeps to, NULL: nothing */
	int			from;			/* the rows to be written */
	int			count;
} Step;

static void
write_some(void *argument)
{
	Step	   *step = argument;

	josch_store_template_upsert(&step->batch->rows, step->from, step->count,
								&step->counts->inserted, &step->counts->updated);
}

static void
delete_others(void *argument)
{
	Step	   *step = argument;

	step->counts->deleted += josch_store_template_delete_others(&step->batch->rows, step->scope);
}

/* ---- rows that are refused ---- */

typedef struct Refusal
{
	const LoadBatch *batch;
	int			row;
	const ErrorData *error;
} Refusal;

static void
refuse_row(void *argument)
{
	Refusal    *refusal = argument;

	josch_load_batch_refuse_row(refusal->batch, refusal->row, refusal->error);
}

/* Tells what josch_load_batch_refuse_row would raise: the first line of its detail is the place. */
static void
tell_row(const Load *load, const LoadBatch *batch, int row, const ErrorData *error)
{
	Refusal		refusal = {.batch = batch,.row = row,.error = error};
	ErrorData  *refused = josch_attempt(refuse_row, &refusal);
	char	   *place = pstrdup(refused->detail);
	char	   *rest = strchr(place, '\n');

	if (rest != NULL)
	{
		*rest++ = '\0';
	}
	refused->detail = rest;
	if (place[strlen(place) - 1] == '.')
	{
		place[strlen(place) - 1] = '\0';
	}
	josch_findings_add_error(load->findings, batch->rows.table->name, place, refused);
}

/* Raises what was refused as a whole, or tells it. */
static void
refuse_batch(const Load *load, const LoadBatch *batch, ErrorData *error)
{
	if (load->findings == NULL)
	{
		josch_load_batch_refuse(batch, error);
	}
	josch_findings_add_error(load->findings, batch->rows.table->name,
							 psprintf("%s \"%s\"", batch->source->what, batch->source->name), error);
}

/*
 * Writes the rows once more, half by half, to find the first that is at fault,
 * and reports it.  Halves that are good stay, so that all of it costs about
 * twice as much as the load.  Returns false when each half is good by itself.
 * With findings it goes on behind the row, to find others.
 */
static bool
refuse_bad_rows(Load *load, Step *step)
{
	int			all = step->count;
	int			end = all;
	int			found = 0;
	ErrorData  *error;

	step->from = 0;
	while (step->from < end && found < FINDINGS_OF_A_KIND)
	{
		CHECK_FOR_INTERRUPTS();
		step->count = (end - step->from + 1) / 2;
		error = josch_attempt(write_some, step);
		if (error == NULL)
		{
			step->from += step->count;
		}
		else if (step->count > 1)
		{
			end = step->from + step->count;
		}
		else if (load->findings == NULL)
		{
			josch_load_batch_refuse_row(step->batch, step->from, error);
		}
		else
		{
			tell_row(load, step->batch, step->from, error);
			found++;
			step->from++;
			end = all;
		}
	}
	return found > 0;
}

/* Of a circle it is told which row closes it; a load need not know. */
static bool
may_be_about_a_row(const Load *load, const ErrorData *error)
{
	return josch_load_batch_is_about_a_row(error) ||
		(load->findings != NULL && ERRCODE_TO_CATEGORY(error->sqlerrcode) == ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION);
}

static bool
goes_on(const Load *load)
{
	return load->findings == NULL || load->findings->errors == 0;
}

/* Writes the rows of one source by a few statements. */
static void
write_rows(Load *load, TemplateTableNumber number)
{
	Step		step = {.batch = load->batches[number],.counts = &load->counts[number]};
	ErrorData  *error;

	if (step.batch == NULL || step.batch->rows.rows.n == 0 || !goes_on(load))
	{
		return;
	}
	step.count = step.batch->rows.rows.n;
	error = josch_attempt(write_some, &step);
	if (error != NULL && !(may_be_about_a_row(load, error) && refuse_bad_rows(load, &step)))
	{
		refuse_batch(load, step.batch, error);
	}
}

static void
delete_rows(Load *load, TemplateTableNumber number)
{
	Step		step = {.batch = load->batches[number],.counts = &load->counts[number]};
	ErrorData  *error;

	if (!goes_on(load))
	{
		return;
	}
	step.scope = load->mode == LOAD_REPLACE_JOBS ? &load->scope : NULL;
	error = josch_attempt(delete_others, &step);
	if (error != NULL)
	{
		refuse_batch(load, step.batch, error);
	}
}

static void
delete_optional_rows(Load *load, TemplateTableNumber number)
{
	if (load->batches[number] != NULL)
	{
		delete_rows(load, number);
	}
}

/* ---- the whole ---- */

/*
 * A node of the jobs that goes takes its dependencies along; one that another job
 * has on it is that job's, and is not taken away without its being named.
 */
static void
refuse_outsiders(void *argument)
{
	const Load *load = argument;
	int64		node_id;
	int64		child_id;
	char	   *child_job;

	if (josch_store_template_find_outsider(&load->batches[TEMPLATE_NODES]->rows, &load->scope,
										   &node_id, &child_id, &child_job))
	{
		ereport(ERROR,
				(errcode(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST),
				 errmsg("node " INT64_FORMAT " cannot be deleted, because node " INT64_FORMAT " of job \"%s\" waits for it",
						node_id, child_id, child_job),
				 errdetail("Mode \"replace_jobs\" changes only the jobs that are named; \"%s\" is not.", child_job),
				 errhint("Delete that dependency first, or load job \"%s\" too.", child_job)));
	}
}

/* Does what may be refused, but not for a row. */
static void
try_as_a_whole(Load *load, const LoadBatch *batch, void (*work) (void *))
{
	ErrorData  *error;

	if (load->findings == NULL)
	{
		work(load);
		return;
	}
	error = josch_attempt(work, load);
	if (error != NULL)
	{
		refuse_batch(load, batch, error);
	}
}

void
josch_load_find_scope(Load *load)
{
	josch_store_template_scope(load->batches[TEMPLATE_JOBS] != NULL ? &load->batches[TEMPLATE_JOBS]->rows : NULL,
							   load->batches[TEMPLATE_NODES] != NULL ? &load->batches[TEMPLATE_NODES]->rows : NULL,
							   &load->scope);
}

static void
delete_what_goes(Load *load)
{
	if (load->mode == LOAD_MERGE)
	{
		return;
	}
	if (load->mode == LOAD_REPLACE_JOBS)
	{
		josch_load_find_scope(load);
	}
	delete_optional_rows(load, TEMPLATE_NODE_SEMAPHORES);
	delete_rows(load, TEMPLATE_NODE_DEPS);
	if (load->mode == LOAD_REPLACE_JOBS)
	{
		try_as_a_whole(load, load->batches[TEMPLATE_NODES], refuse_outsiders);
	}
	delete_rows(load, TEMPLATE_NODES);
	if (load->mode == LOAD_REPLACE)
	{
		delete_optional_rows(load, TEMPLATE_HOLIDAYS);
		delete_optional_rows(load, TEMPLATE_CALENDAR_PARTS);
	}
}

static void
refuse_circles(void *argument)
{
	josch_circles_refuse();
}

/* Only the end of it counts: on the way a calendar may be a part of itself. */
static void
write_calendars(Load *load)
{
	JoschMode	former = josch_mode_enter_load();

	write_rows(load, TEMPLATE_CALENDARS);
	write_rows(load, TEMPLATE_CALENDAR_PARTS);
	write_rows(load, TEMPLATE_HOLIDAYS);
	josch_mode = former;
	if (goes_on(load) && (load->batches[TEMPLATE_CALENDARS] != NULL || load->batches[TEMPLATE_CALENDAR_PARTS] != NULL))
	{
		try_as_a_whole(load, load->batches[load->batches[TEMPLATE_CALENDARS] != NULL ? TEMPLATE_CALENDARS : TEMPLATE_CALENDAR_PARTS],
					   refuse_circles);
	}
}

void
josch_load_write(Load *load)
{
	/*
	 * Before any row is touched, as everybody does who changes the graph.  It
	 * also keeps two loads from waiting for each other's rows.
	 */
	josch_store_graph_lock_templates();
	delete_what_goes(load);
	write_rows(load, TEMPLATE_ENVIRONS);
	write_calendars(load);
	write_rows(load, TEMPLATE_SEMAPHORES);
	write_rows(load, TEMPLATE_EXECUTORS);
	write_rows(load, TEMPLATE_JOBS);
	write_rows(load, TEMPLATE_NODES);
	write_rows(load, TEMPLATE_NODE_DEPS);
	write_rows(load, TEMPLATE_NODE_SEMAPHORES);
	if (load->mode == LOAD_REPLACE)
	{
		delete_rows(load, TEMPLATE_JOBS);
		delete_optional_rows(load, TEMPLATE_CALENDARS);
		delete_optional_rows(load, TEMPLATE_SEMAPHORES);
		delete_optional_rows(load, TEMPLATE_EXECUTORS);
		delete_rows(load, TEMPLATE_ENVIRONS);
	}
}
