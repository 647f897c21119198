/* What follows from a change of limits.  ENABLE ALWAYS, as those on nodes. */

CREATE FUNCTION josch.limit_group(job_name text, semaphores text, executor text DEFAULT NULL) RETURNS bigint
	LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
	AS $$
SELECT CASE WHEN $1 IS NULL AND $2 IS NULL AND $3 IS NULL THEN 0
	ELSE coalesce(nullif(hashtextextended(concat_ws('; ', 'job ' || $1, $2, 'executor ' || $3) COLLATE "C", 0), 0), 1) END
$$;
COMMENT ON FUNCTION josch.limit_group(text, text, text) IS
'Internal: nodes.limit_group of a node: job_name is that of a job that has a limit, semaphores lists what the node needs, executor runs its command.';

CREATE FUNCTION josch.node_semaphores_job() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_limits_job';
COMMENT ON FUNCTION josch.node_semaphores_job() IS 'Trigger: fills in the job of the node. Raises no_data_found when the node does not exist.';

CREATE FUNCTION josch.limits_regroup() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_limits_regroup';
COMMENT ON FUNCTION josch.limits_regroup() IS 'Trigger: works out nodes.limit_group where a node needs something else, or a day of a job got a limit or lost it.';

CREATE FUNCTION josch.limits_wake() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_limits_wake';
COMMENT ON FUNCTION josch.limits_wake() IS 'Trigger: the scheduler looks when it commits. Raises object_in_use when a semaphore is to be renamed that nodes of days need or have units of.';

CREATE FUNCTION josch.limits_executor() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_limits_executor';
COMMENT ON FUNCTION josch.limits_executor() IS 'Trigger: works out nodes.limit_group of a node that gets another executor.';

REVOKE ALL ON FUNCTION josch.limit_group(text, text, text), josch.node_semaphores_job(), josch.limits_regroup(), josch.limits_wake(), josch.limits_executor() FROM PUBLIC;

CREATE TRIGGER job BEFORE INSERT OR UPDATE ON josch.node_semaphores
	FOR EACH ROW EXECUTE FUNCTION josch.node_semaphores_job();
CREATE TRIGGER regroup_insert AFTER INSERT ON josch.node_semaphores
	REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.limits_regroup();
CREATE TRIGGER regroup_update AFTER UPDATE ON josch.node_semaphores
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.limits_regroup();
CREATE TRIGGER regroup_delete AFTER DELETE ON josch.node_semaphores
	REFERENCING OLD TABLE AS old_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.limits_regroup();
CREATE TRIGGER regroup_update AFTER UPDATE ON josch.jobs
	REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.limits_regroup();
CREATE TRIGGER keep_name BEFORE UPDATE ON josch.semaphores
	FOR EACH ROW EXECUTE FUNCTION josch.limits_wake();
CREATE TRIGGER wake AFTER INSERT OR UPDATE OR DELETE ON josch.semaphores
	FOR EACH STATEMENT EXECUTE FUNCTION josch.limits_wake();
CREATE TRIGGER wake AFTER INSERT OR UPDATE OR DELETE ON josch.pauses
	FOR EACH STATEMENT EXECUTE FUNCTION josch.limits_wake();
CREATE TRIGGER limits_executor BEFORE UPDATE OF executor ON josch.nodes
	FOR EACH ROW EXECUTE FUNCTION josch.limits_executor();
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER limits_executor;
ALTER TABLE josch.node_semaphores ENABLE ALWAYS TRIGGER job, ENABLE ALWAYS TRIGGER regroup_insert, ENABLE ALWAYS TRIGGER regroup_update, ENABLE ALWAYS TRIGGER regroup_delete;
ALTER TABLE josch.jobs ENABLE ALWAYS TRIGGER regroup_update;
ALTER TABLE josch.semaphores ENABLE ALWAYS TRIGGER wake, ENABLE ALWAYS TRIGGER keep_name;
ALTER TABLE josch.pauses ENABLE ALWAYS TRIGGER wake;
