/*
 * Cycles are refused at the end of the statement that makes them.  The lock is
 * taken before the statement, for writers of dependencies only.
 *
 * On node_deps refuse_cycles_* fire after recount_* (triggers of one event fire
 * in the order of their names): those lock parents and children, these the
 * children and what lies below, which is the order of locks everywhere.
 */

CREATE FUNCTION josch.graph_lock() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_lock';
COMMENT ON FUNCTION josch.graph_lock() IS
'Trigger: takes the lock that lets one transaction at a time add dependencies; it is kept until the transaction ends';

CREATE FUNCTION josch.graph_check_templates() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_templates';
COMMENT ON FUNCTION josch.graph_check_templates() IS
'Trigger: refuses template dependencies that close a cycle whose lags (c_date - p_date) sum up to zero or less (check_violation); the detail names the cycle';

CREATE FUNCTION josch.graph_check_days() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_graph_days';
COMMENT ON FUNCTION josch.graph_check_days() IS
'Trigger: refuses dependencies between nodes of days that close a cycle (check_violation); the detail names the cycle. Raises nodes.level of children above their parents. The levels are an online topological order in the manner of Pearce and Kelly (2007)';

REVOKE ALL ON FUNCTION josch.graph_lock(), josch.graph_check_templates(), josch.graph_check_days() FROM PUBLIC;

CREATE TRIGGER graph_lock
	BEFORE INSERT OR UPDATE OF p_node_id, p_date, c_node_id, c_date ON josch.tpl_node_deps
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_lock();
COMMENT ON TRIGGER graph_lock ON josch.tpl_node_deps IS 'One transaction at a time adds dependencies';

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

CREATE TRIGGER graph_lock
	BEFORE INSERT OR UPDATE OF p_node_id, p_date, c_node_id, c_date ON josch.node_deps
	FOR EACH STATEMENT EXECUTE FUNCTION josch.graph_lock();
COMMENT ON TRIGGER graph_lock ON josch.node_deps IS 'One transaction at a time adds dependencies';

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
ALTER TABLE josch.tpl_node_deps ENABLE ALWAYS TRIGGER graph_lock;
ALTER TABLE josch.tpl_node_deps ENABLE ALWAYS TRIGGER refuse_cycles_insert;
ALTER TABLE josch.tpl_node_deps ENABLE ALWAYS TRIGGER refuse_cycles_update;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER graph_lock;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER refuse_cycles_insert;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER refuse_cycles_update;
