/*
 * The door to a node's state, and what follows from a change.  ENABLE ALWAYS:
 * session_replication_role is no way around them.  None sets a path: each runs for
 * every row or statement, reads nothing by a name without its schema, and whatever it
 * writes as the owner has its path set by C (josch_spi_become_owner).
 */
CREATE FUNCTION josch.node_door() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'josch_trigger_node_door';
COMMENT ON FUNCTION josch.node_door() IS
'Trigger: lets a change of a node''s state through only along an edge of josch.fsm, and writes down who acted. Raises object_not_in_prerequisite_state for any other change, telling who was first.';

CREATE FUNCTION josch.node_propagate() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'josch_trigger_node_propagate';
COMMENT ON FUNCTION josch.node_propagate() IS
'Trigger: counts the parents of the changed nodes'' children (nodes.unmet), moves nodes between pending and ready, notifies clients and wakes the scheduler at commit.';

CREATE FUNCTION josch.node_recount() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'josch_trigger_node_recount';
COMMENT ON FUNCTION josch.node_recount() IS
'Trigger: counts the parents of nodes whose dependencies changed.';

CREATE FUNCTION josch.run_guard() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'josch_trigger_node_run_guard';
COMMENT ON FUNCTION josch.run_guard() IS
'Trigger: lets only the scheduler change runs. Raises object_not_in_prerequisite_state for an INSERT or UPDATE of any run, and for a DELETE of one that has not ended.';

REVOKE ALL ON FUNCTION josch.node_door(), josch.node_propagate(), josch.node_recount(), josch.run_guard() FROM PUBLIC;

CREATE TRIGGER door BEFORE INSERT OR UPDATE ON josch.nodes
	FOR EACH ROW EXECUTE FUNCTION josch.node_door();
CREATE TRIGGER propagate_insert AFTER INSERT ON josch.nodes
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.node_propagate();
CREATE TRIGGER propagate_update AFTER UPDATE ON josch.nodes
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.node_propagate();
CREATE TRIGGER propagate_delete AFTER DELETE ON josch.nodes
	REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.node_propagate();
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER propagate_insert;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER propagate_update;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER propagate_delete;

CREATE TRIGGER recount_insert AFTER INSERT ON josch.node_deps
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.node_recount();
CREATE TRIGGER recount_update AFTER UPDATE ON josch.node_deps
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.node_recount();
CREATE TRIGGER recount_delete AFTER DELETE ON josch.node_deps
	REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.node_recount();
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER recount_insert;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER recount_update;
ALTER TABLE josch.node_deps ENABLE ALWAYS TRIGGER recount_delete;

CREATE TRIGGER guard BEFORE INSERT OR UPDATE OR DELETE ON josch.runs
	FOR EACH ROW EXECUTE FUNCTION josch.run_guard();
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
