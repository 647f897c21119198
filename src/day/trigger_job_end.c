/*
 * src/day/trigger_job_end.c
 *	  The trigger by which the end of a job waits for nodes that people add to the day.
 *
 * What the making of a day works out for all of its nodes (job_end.c) follows here from those that a statement has added:
 * an end waits for all others of its job, and another node is one more that the ends of its job wait for.
 */
#include "base/josch.h"

#include "commands/trigger.h"
#include "utils/tuplestore.h"

#include "base/changes.h"
#include "base/mode.h"
#include "base/report.h"
#include "base/table.h"
#include "day/store_day.h"
#include "node/node_table.h"

PG_FUNCTION_INFO_V1(josch_trigger_day_end_waits);

/* AFTER INSERT on nodes, each statement; before it is asked what waits */
Datum
josch_trigger_day_end_waits(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = josch_table_own_trigger(fcinfo, "josch.day_end_waits");
	JoschChanges changes;
	NodeKey    *added;
	int			n = 0;

	if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_STATEMENT(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event) || trigger->tg_newtable == NULL)
	{
		josch_report_trigger_misuse("josch.day_end_waits");
	}
	(void) josch_table_check(&josch_nodes, trigger->tg_relation, "josch.day_end_waits");
	if (josch_mode.suspended || josch_mode_is_restore())
	{
		return PointerGetDatum(NULL);
	}
	added = palloc_extended(sizeof(NodeKey) * Max(tuplestore_tuple_count(trigger->tg_newtable), 1), MCXT_ALLOC_HUGE);
	josch_changes_open(&changes, trigger);
	while (josch_changes_next(&changes))
	{
		bool		isnull;

		added[n].node_id = DatumGetInt64(slot_getattr(changes.after, josch_nodes.numbers[NODES_NODE_ID], &isnull));
		added[n++].job_date = DatumGetDateADT(slot_getattr(changes.after, josch_nodes.numbers[NODES_JOB_DATE], &isnull));
	}
	josch_changes_close(&changes);
	if (n > 0)
	{
		josch_store_day_end_waits(added, n);
	}
	return PointerGetDatum(NULL);
}
