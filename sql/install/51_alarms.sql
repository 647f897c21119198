/* Alarms: what people say about them, who may write a hook. */

CREATE FUNCTION josch.acknowledge(alarm_id bigint, comment text DEFAULT NULL) RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_alarm_acknowledge';
COMMENT ON FUNCTION josch.acknowledge(bigint, text) IS
'Says that a person knows of an alarm, and what he or she says about it (NULL: the setting josch.comment); on record with the name of the session''s user. It stays open until its cause is gone. Raises no_data_found for an alarm that does not exist, object_not_in_prerequisite_state when it was acknowledged before, telling by whom.';
REVOKE ALL ON FUNCTION josch.acknowledge(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.acknowledge(bigint, text) TO josch_operator;

CREATE FUNCTION josch.hook_rights() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_alarm_hook_rights';
COMMENT ON FUNCTION josch.hook_rights() IS
'Trigger: setting exec_command of a hook needs the privileges of pg_execute_server_program; owner must be a role that exists and that the current user can become (insufficient_privilege, undefined_object)';
CREATE FUNCTION josch.hook_changed() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_alarm_hook_changed';
COMMENT ON FUNCTION josch.hook_changed() IS
'Trigger: tells the scheduler, when it commits, that what waits to be told may go another way.';
REVOKE ALL ON FUNCTION josch.hook_rights(), josch.hook_changed() FROM PUBLIC;

CREATE TRIGGER rights
	BEFORE INSERT OR UPDATE OF exec_command, exec_sql, owner ON josch.alarm_hooks
	FOR EACH ROW EXECUTE FUNCTION josch.hook_rights();
COMMENT ON TRIGGER rights ON josch.alarm_hooks IS 'Commands need pg_execute_server_program; the owner must be a role of the writer''s';
CREATE TRIGGER changed
	AFTER INSERT OR UPDATE OR DELETE ON josch.alarm_hooks
	FOR EACH STATEMENT EXECUTE FUNCTION josch.hook_changed();
COMMENT ON TRIGGER changed ON josch.alarm_hooks IS 'The scheduler looks again';
ALTER TABLE josch.alarm_hooks ENABLE ALWAYS TRIGGER rights, ENABLE ALWAYS TRIGGER changed;

-- a copy tells nobody: it is disarmed before there is anything to be told
CREATE TRIGGER restored BEFORE INSERT ON josch.alarms
	FOR EACH STATEMENT EXECUTE FUNCTION josch.installation_restored();
CREATE TRIGGER restored BEFORE INSERT ON josch.alarm_hooks
	FOR EACH STATEMENT EXECUTE FUNCTION josch.installation_restored();
CREATE TRIGGER restored BEFORE INSERT ON josch.alarm_deliveries
	FOR EACH STATEMENT EXECUTE FUNCTION josch.installation_restored();
ALTER TABLE josch.alarms ENABLE ALWAYS TRIGGER restored;
ALTER TABLE josch.alarm_hooks ENABLE ALWAYS TRIGGER restored;
ALTER TABLE josch.alarm_deliveries ENABLE ALWAYS TRIGGER restored;
