/*
 * Who may decide what the server executes.  The checks are triggers, so that
 * they hold on every path: INSERT, UPDATE, COPY, josch.load_csv().
 */

CREATE FUNCTION josch.node_rights() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_template_node_rights';
COMMENT ON FUNCTION josch.node_rights() IS
'Trigger: setting exec_command, ready_command, work_dir, wait_file, executor or executor_options needs the privileges of pg_execute_server_program; an executor must exist (undefined_object); owner must be a role that exists and that the current user can become, which is asked when owner, exec_sql or wait_sql is set (insufficient_privilege, undefined_object)';

CREATE FUNCTION josch.environ_rights() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_template_environ_rights';
COMMENT ON FUNCTION josch.environ_rights() IS
'Trigger: every write to environs needs the privileges of pg_execute_server_program (insufficient_privilege). A command may be $VAR or run what $PATH finds, so whoever writes a variable decides what the server executes, as does whoever writes a command';

CREATE FUNCTION josch.executor_rights() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_executor_rights';
COMMENT ON FUNCTION josch.executor_rights() IS
'Trigger: what an executor runs, and which one a job has, is written with the privileges of pg_execute_server_program (insufficient_privilege), as commands are; max_running alone without. The executor of a job must exist (undefined_object), one that templates name cannot be renamed or deleted (dependent_objects_still_exist). The scheduler looks when it commits';

REVOKE ALL ON FUNCTION josch.node_rights(), josch.environ_rights(), josch.executor_rights() FROM PUBLIC;

CREATE TRIGGER rights
	BEFORE INSERT OR UPDATE OF exec_command, exec_sql, ready_command, work_dir, owner, wait_file, wait_sql, executor, executor_options ON josch.tpl_nodes
	FOR EACH ROW EXECUTE FUNCTION josch.node_rights();
COMMENT ON TRIGGER rights ON josch.tpl_nodes IS 'Commands need pg_execute_server_program; the owner must be a role of the writer''s';
ALTER TABLE josch.tpl_nodes ENABLE ALWAYS TRIGGER rights;

CREATE TRIGGER rights
	BEFORE INSERT OR UPDATE OF exec_command, exec_sql, ready_command, work_dir, owner, wait_file, wait_sql, executor, executor_options ON josch.nodes
	FOR EACH ROW EXECUTE FUNCTION josch.node_rights();
COMMENT ON TRIGGER rights ON josch.nodes IS 'Commands need pg_execute_server_program; the owner must be a role of the writer''s';
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER rights;

CREATE TRIGGER rights
	BEFORE INSERT OR UPDATE OR DELETE ON josch.environs
	FOR EACH ROW EXECUTE FUNCTION josch.environ_rights();
COMMENT ON TRIGGER rights ON josch.environs IS 'Variables need pg_execute_server_program, as commands do';
ALTER TABLE josch.environs ENABLE ALWAYS TRIGGER rights;

CREATE TRIGGER rights_truncate
	BEFORE TRUNCATE ON josch.environs
	FOR EACH STATEMENT EXECUTE FUNCTION josch.environ_rights();
COMMENT ON TRIGGER rights_truncate ON josch.environs IS 'Variables need pg_execute_server_program, as commands do';
ALTER TABLE josch.environs ENABLE ALWAYS TRIGGER rights_truncate;

CREATE TRIGGER rights
	BEFORE INSERT OR UPDATE OR DELETE ON josch.executors
	FOR EACH ROW EXECUTE FUNCTION josch.executor_rights();
COMMENT ON TRIGGER rights ON josch.executors IS 'What executors run needs pg_execute_server_program; one that is named stays';
ALTER TABLE josch.executors ENABLE ALWAYS TRIGGER rights;

CREATE TRIGGER executor_rights
	BEFORE INSERT OR UPDATE OF executor ON josch.tpl_jobs
	FOR EACH ROW EXECUTE FUNCTION josch.executor_rights();
COMMENT ON TRIGGER executor_rights ON josch.tpl_jobs IS 'Where commands run needs pg_execute_server_program';
ALTER TABLE josch.tpl_jobs ENABLE ALWAYS TRIGGER executor_rights;

CREATE FUNCTION josch.template_variables() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_template_variables';
COMMENT ON FUNCTION josch.template_variables() IS
'Trigger: a command that is written and uses a variable which neither environs nor JOSCH, the runner or the shell gives is told in a WARNING, one a statement (undefined_object). It keeps nothing from being done; such a node fails when it would start';
REVOKE ALL ON FUNCTION josch.template_variables() FROM PUBLIC;

CREATE TRIGGER variables_insert
	AFTER INSERT ON josch.tpl_nodes REFERENCING NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.template_variables();
COMMENT ON TRIGGER variables_insert ON josch.tpl_nodes IS 'Warns of variables that do not exist';

CREATE TRIGGER variables_update
	AFTER UPDATE ON josch.tpl_nodes REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
	FOR EACH STATEMENT EXECUTE FUNCTION josch.template_variables();
COMMENT ON TRIGGER variables_update ON josch.tpl_nodes IS 'Warns of variables that do not exist';
