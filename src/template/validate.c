/*
 * src/template/validate.c
 *	  What is wrong with templates that are to be loaded, and what is doubtful.
 *
 * The best judge of what a load refuses is the load itself: it is done, in a subtransaction
 * of which nothing stays, so that no rule is written a second time.  What is loaded without
 * a word and yet cannot be meant is looked for meanwhile, in the tables as they would be.
 */
#include "base/josch.h"

#include "template/validate.h"

#include "base/attempt.h"
#include "template/store_check.h"

#include "access/xact.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* The triggers warn of what is found here as well. */
static void
be_quiet(void)
{
	static const char *const settings[] = {"client_min_messages", "log_min_messages"};

	for (size_t i = 0; i < lengthof(settings); i++)
	{
		(void) set_config_option(settings[i], "error", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	}
}

static void
load_and_look(void *arg)
{
	Load	   *load = arg;
	int			guc_level = NewGUCNestLevel();

	be_quiet();
	josch_load_write(load);
	AtEOXact_GUC(false, guc_level);
	if (load->findings->errors > 0)
	{
		return;					/* what was refused is not there to be looked at */
	}
	/* what was loaded is to be seen */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	josch_load_find_scope(load);
	josch_check_nodes(load, load->findings);
	josch_check_jobs(load, load->findings);
	josch_check_graph(load, load->findings);
	PopActiveSnapshot();
}

/* ---- places ---- */

/* Gives what was found in the rows of one table their places. */
static void
find_places(const Load *load, TemplateTableNumber number)
{
	const LoadBatch *batch = load->batches[number];
	int			n = 0;
	JoschFinding **found = palloc(sizeof(JoschFinding *) * Max(list_length(load->findings->list), 1));
	char	  **keys = palloc(sizeof(char *) * Max(list_length(load->findings->list), 1));
	int		   *lines;
	ListCell   *cell;

	foreach(cell, load->findings->list)
	{
		JoschFinding *finding = lfirst(cell);

		if (finding->table == (int) number)
		{
			found[n] = finding;
			keys[n++] = finding->key;
		}
	}
	if (n == 0 || batch == NULL)
	{
		return;
	}
	lines = palloc(sizeof(int) * n);
	josch_store_check_lines(&batch->rows, keys, n, lines);
	for (int i = 0; i < n; i++)
	{
		if (lines[i] >= 0)
		{
			found[i]->place = MemoryContextStrdup(load->findings->context, josch_load_batch_place(batch, lines[i], &keys[i]));
		}
	}
}

void
josch_validate(Load *load)
{
	ErrorData  *error;

	if (load->findings->errors > 0)
	{
		return;					/* rows that could not be read would be missed everywhere */
	}
	error = josch_attempt_and_undo(load_and_look, load);
	if (error != NULL)
	{
		ReThrowError(error);	/* it is not about the templates */
	}
	for (int i = 0; i < TEMPLATE_TABLES; i++)
	{
		find_places(load, i);
	}
}
