/*
 * Cycles are refused at the end of the statement that makes them, and locks that
 * keep others from making the other half are taken there.
 *
 * On node_deps triggers of one event fire in the order of their names:
 * lock_jobs_* lock the jobs concerned, recount_* parents and children,
 * refuse_cycles_* the children and what lies below: the order of locks everywhere.
 */

CREATE FUNCTION josch.graph_lock_days() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_lock_days';
COMMENT ON FUNCTION josch.graph_lock_days() IS
'Trigger: waits for whoever makes or takes back days of the jobs that are to have one more dependency, and keeps others from doing so until the transaction ends';

CREATE FUNCTION josch.graph_lock_renamed() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_lock_renamed';
COMMENT ON FUNCTION josch.graph_lock_renamed() IS
'Trigger: waits for whoever makes or takes back days of the jobs that nodes have left or come to, and keeps others from doing so until the transaction ends';

CREATE FUNCTION josch.graph_check_templates() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_templates';
COMMENT ON FUNCTION josch.graph_check_templates() IS
'Trigger: refuses template dependencies that close a cycle whose lags (c_date - p_date) sum up to zero or less (check_violation); the detail names the cycle';

CREATE FUNCTION josch.graph_check_ends() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_ends';
COMMENT ON FUNCTION josch.graph_check_ends() IS
'Trigger: refuses that a node comes to another job, or becomes the end of its job (type E), where that end would wait for itself (check_violation); the detail names the cycle';

CREATE FUNCTION josch.graph_check_days() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_days';
COMMENT ON FUNCTION josch.graph_check_days() IS
'Trigger: refuses dependencies between nodes of days that close a cycle (check_violation); the detail names the cycle. Raises nodes.level of children above their parents. The levels are an online topological order in the manner of Pearce and Kelly (2007)';

REVOKE ALL ON FUNCTION josch.graph_lock_days(), josch.graph_lock_renamed(), josch.graph_check_templates(), josch.graph_check_ends(), josch.graph_check_days() FROM PUBLIC;

CREATE TRIGGER lock_jobs
	AFTER UPDATE ON josch.tpl_nodes
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_lock_renamed();
COMMENT ON TRIGGER lock_jobs ON josch.tpl_nodes IS 'Nobody makes a day of a job whose name or nodes change';

CREATE TRIGGER refuse_cycles_update
	AFTER UPDATE ON josch.tpl_nodes
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_check_ends();
COMMENT ON TRIGGER refuse_cycles_update ON josch.tpl_nodes IS 'Refuses cycles through the ends of jobs';

CREATE TRIGGER refuse_cycles_insert
	AFTER INSERT ON josch.tpl_node_deps
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_check_templates();
COMMENT ON TRIGGER refuse_cycles_insert ON josch.tpl_node_deps IS 'Refuses cycles';

CREATE TRIGGER refuse_cycles_update
	AFTER UPDATE ON josch.tpl_node_deps
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_check_templates();
COMMENT ON TRIGGER refuse_cycles_update ON josch.tpl_node_deps IS 'Refuses cycles';

CREATE TRIGGER lock_jobs_insert
	AFTER INSERT ON josch.node_deps
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_lock_days();
COMMENT ON TRIGGER lock_jobs_insert ON josch.node_deps IS 'Nobody makes a day of a job that gets a dependency';

CREATE TRIGGER lock_jobs_update
	AFTER UPDATE ON josch.node_deps
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_lock_days();
COMMENT ON TRIGGER lock_jobs_update ON josch.node_deps IS 'Nobody makes a day of a job that gets a dependency';

CREATE TRIGGER refuse_cycles_insert
	AFTER INSERT ON josch.node_deps
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_check_days();
COMMENT ON TRIGGER refuse_cycles_insert ON josch.node_deps IS 'Refuses cycles and keeps the levels';

CREATE TRIGGER refuse_cycles_update
	AFTER UPDATE ON josch.node_deps
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_check_days();
COMMENT ON TRIGGER refuse_cycles_update ON josch.node_deps IS 'Refuses cycles and keeps the levels';

-- session_replication_role is no way around them
ALTER TABLE josch.tpl_nodes ENABLE ALWAYS TRIGGER lock_jobs;
ALTER TABLE josch.tpl_nodes ENABLE ALWAYS TRIGGER refuse_cycles_update;
ALTER TABLE josch.tpl_node_deps ENABLE ALWAYS TRIGGER refuse_cycles_insert;
ALTER TABLE josch.tpl_node_deps ENABLE ALWAYS TRIGGER refuse_cycles_update;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER lock_jobs_insert;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER lock_jobs_update;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER refuse_cycles_insert;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER refuse_cycles_update;
