/*
 * The record of every change: one <table>_audit for each table of people's data,
 * written by one trigger function, whichever way the change comes.  The record
 * is append-only for everybody, the owner and superusers too.
 */

/* A statement takes 4,096 numbers at a time (AUDIT_NUMBERS): they last for two thousand million million statements. */
CREATE SEQUENCE josch.audit_id_seq INCREMENT 4096 CACHE 1;
COMMENT ON SEQUENCE josch.audit_id_seq IS
'Numbers the rows of all audit tables, so that all of them have one order: of two changes of one row, the later has the greater number. Each statement takes 4,096 of them, so that its rows follow each other; most are never used';
GRANT SELECT ON SEQUENCE josch.audit_id_seq TO josch_viewer;

/* Without a path of their own, as those of 30_node_triggers.sql. */
CREATE FUNCTION josch.audit() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'josch_trigger_audit';
COMMENT ON FUNCTION josch.audit() IS
'Trigger, AFTER INSERT, UPDATE or DELETE for each statement, with transition tables: writes one row into <table>_audit for each row that changed; of environs, nodes, node_deps and their templates, those of a statement that changed 32 and more are put into packs (josch.audit_packs), which <table>_audit shows as rows. Arguments name derived columns: they are not recorded, and an UPDATE of nothing else leaves no trace. Writes nothing while a dump is restored. BEFORE TRUNCATE it refuses, because a TRUNCATE leaves no rows to record.';

CREATE FUNCTION josch.audit_guard() RETURNS trigger
	LANGUAGE c
	AS 'MODULE_PATHNAME', 'josch_trigger_audit_guard';
COMMENT ON FUNCTION josch.audit_guard() IS
'Trigger on the audit tables: raises "... is append-only" unless josch.audit() is writing, or a dump is being restored.';

REVOKE ALL ON FUNCTION josch.audit(), josch.audit_guard() FROM PUBLIC;

CREATE TABLE josch.audit_commits (
	xid				xid8 NOT NULL,
	first_audit_id	bigint NOT NULL,
	last_audit_id	bigint NOT NULL,
	committed_at	timestamptz NOT NULL,
	PRIMARY KEY (xid, first_audit_id),
	CONSTRAINT audit_commits_ids_are_in_order CHECK (first_audit_id <= last_audit_id)
);
COMMENT ON TABLE josch.audit_commits IS
'When the transactions committed that wrote audit rows: others saw the changes from then on, not from the rows'' "at". One row is written for each, at the very end of its transaction.';
COMMENT ON COLUMN josch.audit_commits.xid IS 'The transaction. A restored dump may bring the same number again: it is told apart by its audit rows';
COMMENT ON COLUMN josch.audit_commits.first_audit_id IS 'Its audit rows have numbers greater than this one';
COMMENT ON COLUMN josch.audit_commits.last_audit_id IS 'The number of its last audit row';
COMMENT ON COLUMN josch.audit_commits.committed_at IS 'When it committed; for PREPARE TRANSACTION, when it was prepared';

/*
 * Thousands of rows that are made at once are written as few.  They are read as rows of
 * the audit table: a foreign table, its child, takes them out of the packs.
 */
CREATE TABLE josch.audit_packs (
	table_name		name,
	job_date		date,
	last_id			bigint,
	first_audit_id	bigint,
	first_id		bigint NOT NULL,
	row_count		integer NOT NULL CONSTRAINT audit_packs_are_not_empty CHECK (row_count > 0),
	at				timestamptz NOT NULL,
	xid				xid8 NOT NULL,
	session_name	text NOT NULL,
	role_name		text NOT NULL,
	client_addr		inet,
	application		text,
	operation		text NOT NULL,
	same			jsonb NOT NULL,
	each			jsonb NOT NULL,
	old_same		jsonb,
	old_each		jsonb,
	comment			text,
	PRIMARY KEY (table_name, job_date, last_id, first_audit_id),
	CONSTRAINT audit_packs_operation_has_its_values CHECK (CASE operation
		WHEN 'INSERT' THEN old_same IS NULL AND old_each IS NULL
		WHEN 'UPDATE' THEN old_same IS NOT NULL AND old_each IS NOT NULL
		WHEN 'DELETE' THEN old_same IS NULL AND old_each IS NULL
		ELSE false END)
);
-- to compress them costs more than it spares
ALTER TABLE josch.audit_packs ALTER same SET STORAGE EXTERNAL, ALTER each SET STORAGE EXTERNAL,
	ALTER old_same SET STORAGE EXTERNAL, ALTER old_each SET STORAGE EXTERNAL;
COMMENT ON TABLE josch.audit_packs IS
'Rows of the record that were written at once, up to a thousand in one. Read them in <table>_audit, where they are rows like others. Whoever may read it reads what is packed of all tables: where an audit table is kept from somebody by REVOKE or row security, so must this one be. Append-only, for everybody.';
COMMENT ON COLUMN josch.audit_packs.first_audit_id IS 'audit_id of the first row; the others follow';
COMMENT ON COLUMN josch.audit_packs.row_count IS 'Rows that it holds';
COMMENT ON COLUMN josch.audit_packs.table_name IS 'The audit table that shows them';
COMMENT ON COLUMN josch.audit_packs.job_date IS 'Date that all have in their key (of a dependency: the child''s); 0001-01-01 where the key has none';
COMMENT ON COLUMN josch.audit_packs.first_id IS 'Lowest number of a node among them (of a dependency: the child''s)';
COMMENT ON COLUMN josch.audit_packs.last_id IS 'Highest number of a node among them';
COMMENT ON COLUMN josch.audit_packs.at IS 'When they were written, by josch.now(); others saw the change when it committed (josch.audit_commits)';
COMMENT ON COLUMN josch.audit_packs.xid IS 'The transaction that made the change';
COMMENT ON COLUMN josch.audit_packs.session_name IS 'session_user: who is logged in';
COMMENT ON COLUMN josch.audit_packs.role_name IS 'current_user: who it was done as (SET ROLE, the owner of a SECURITY DEFINER function of a user''s)';
COMMENT ON COLUMN josch.audit_packs.client_addr IS 'Address of the client; NULL for a unix socket and for background workers';
COMMENT ON COLUMN josch.audit_packs.application IS 'application_name of the session, or the name of the background worker; NULL when empty';
COMMENT ON COLUMN josch.audit_packs.operation IS 'INSERT, UPDATE or DELETE';
COMMENT ON COLUMN josch.audit_packs.same IS 'INSERT, DELETE: columns that have one value in all of the rows, but for those that are NULL in all; UPDATE: those of the changed columns and of the key, as they became';
COMMENT ON COLUMN josch.audit_packs.each IS 'The other columns: an array each, with the values of the rows in their order, null for NULL';
COMMENT ON COLUMN josch.audit_packs.old_same IS 'UPDATE: the changed columns that had one value in all of the rows, as they were';
COMMENT ON COLUMN josch.audit_packs.old_each IS 'UPDATE: the other changed columns, an array each';
COMMENT ON COLUMN josch.audit_packs.comment IS 'What was written beside all of them';

CREATE FUNCTION josch.audit_packed_handler() RETURNS fdw_handler
	LANGUAGE c STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_packed_handler';
COMMENT ON FUNCTION josch.audit_packed_handler() IS
'Internal: reads the foreign tables josch.<table>_audit_packed, children of <table>_audit: the rows that josch.audit_packs holds. Raises fdw_table_not_found for any other table.';
REVOKE ALL ON FUNCTION josch.audit_packed_handler() FROM PUBLIC;
CREATE FOREIGN DATA WRAPPER josch_packed HANDLER josch.audit_packed_handler;
COMMENT ON FOREIGN DATA WRAPPER josch_packed IS 'JOSCH: rows of the record that are kept many as one';
CREATE SERVER josch_packed FOREIGN DATA WRAPPER josch_packed;
COMMENT ON SERVER josch_packed IS 'JOSCH: josch.audit_packs of this database';

/*
 * The tables and their triggers are all alike; what differs is the key, which
 * comes from the primary key of the audited table.  The triggers' names sort
 * before those of the triggers that let changes propagate, so that the record
 * has causes before effects.
 */
DO $$
DECLARE
	audited		text;
	derived		text;
	key_columns	text;
	key_list	text;
	event		record;
	note		record;
BEGIN
	FOR audited, derived IN VALUES
		('calendars', ''), ('calendar_parts', ''), ('holidays', ''),
		('executors', ''), ('semaphores', ''), ('tpl_node_semaphores', ''), ('node_semaphores', ''), ('pauses', ''),
		('environs', ''), ('tpl_jobs', ''), ('tpl_nodes', ''), ('tpl_node_deps', ''),
		('jobs', ''), ('job_days', ''), ('nodes', $args$'unmet', 'impossible', 'satisfied', 'level', 'limit_group'$args$), ('claims', ''), ('node_deps', ''),
		-- texts that never change, and stand in the row itself, and in nodes_audit
		('runs', $args$'exec_command', 'exec_sql', 'ready_command'$args$), ('installation', ''),
		('alarms', ''), ('alarm_hooks', '')
	LOOP
		SELECT pg_catalog.string_agg(pg_catalog.format('%I %s NOT NULL', a.attname,
					pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' ORDER BY k.position),
			pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.position)
		INTO STRICT key_columns, key_list
		FROM pg_catalog.pg_index i
			CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (number, position)
			JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
		WHERE i.indrelid = pg_catalog.format('josch.%I', audited)::pg_catalog.regclass AND i.indisprimary;

		EXECUTE pg_catalog.format($sql$
			CREATE TABLE josch.%1$I (
				audit_id		bigint PRIMARY KEY DEFAULT pg_catalog.nextval('josch.audit_id_seq'),
				at				timestamptz NOT NULL,
				xid				xid8 NOT NULL,
				session_name	text NOT NULL,
				role_name		text NOT NULL,
				client_addr		inet,
				application		text,
				operation		text NOT NULL,
				%2$s,
				old_values		jsonb,
				new_values		jsonb,
				comment			text,
				CONSTRAINT %3$I CHECK (CASE operation
					WHEN 'INSERT' THEN old_values IS NULL AND new_values IS NOT NULL
					WHEN 'UPDATE' THEN old_values IS NOT NULL AND new_values IS NOT NULL
					WHEN 'DELETE' THEN old_values IS NOT NULL AND new_values IS NULL
					ELSE false END)
			)$sql$, audited || '_audit', key_columns, audited || '_audit_operation_has_its_values');
		EXECUTE pg_catalog.format('CREATE INDEX %I ON josch.%I (%s, audit_id)',
			audited || '_audit_key_idx', audited || '_audit', key_list);
		EXECUTE pg_catalog.format('COMMENT ON TABLE josch.%I IS %L', audited || '_audit', pg_catalog.format(
			'Every change of josch.%s: who, when, from where, before and after. Append-only, for everybody.', audited));
		FOR note IN VALUES
			('audit_id', 'Order of the changes; one sequence numbers the rows of all audit tables'),
			('at', 'When the row was written, by josch.now(); others saw the change when it committed (josch.audit_commits)'),
			('xid', 'The transaction that made the change'),
			('session_name', 'session_user: who is logged in'),
			('role_name', 'current_user: who it was done as (SET ROLE, the owner of a SECURITY DEFINER function of a user''s)'),
			('client_addr', 'Address of the client; NULL for a unix socket and for background workers'),
			('application', 'application_name of the session, or the name of the background worker; NULL when empty'),
			('operation', 'INSERT, UPDATE or DELETE'),
			('old_values', 'UPDATE: the changed columns as they were; DELETE: all columns that were not NULL'),
			('new_values', 'INSERT: all columns that are not NULL; UPDATE: the changed columns as they became'),
			('comment', 'What was written beside it: the comment of the act, else the setting josch.comment')
		LOOP
			EXECUTE pg_catalog.format('COMMENT ON COLUMN josch.%I.%I IS %L', audited || '_audit', note.column1, note.column2);
		END LOOP;
		FOR note IN SELECT pg_catalog.unnest(pg_catalog.string_to_array(key_list, ', ')) AS key_column LOOP
			EXECUTE pg_catalog.format('COMMENT ON COLUMN josch.%I.%s IS %L', audited || '_audit', note.key_column,
				pg_catalog.format('Key of the row of josch.%s; after an UPDATE of the key, the new one', audited));
		END LOOP;

		IF audited IN ('environs', 'nodes', 'node_deps', 'tpl_nodes', 'tpl_node_deps') THEN
			EXECUTE pg_catalog.format('CREATE FOREIGN TABLE josch.%I () INHERITS (josch.%I) SERVER josch_packed',
				audited || '_audit_packed', audited || '_audit');
			EXECUTE pg_catalog.format('COMMENT ON FOREIGN TABLE josch.%I IS %L', audited || '_audit_packed', pg_catalog.format(
				'Rows of josch.%s_audit that josch.audit_packs holds; read them there.', audited));
		END IF;

		FOR event IN VALUES
			('INSERT', 'NEW TABLE AS new_rows'),
			('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'),
			('DELETE', 'OLD TABLE AS old_rows')
		LOOP
			EXECUTE pg_catalog.format('CREATE TRIGGER %I AFTER %s ON josch.%I REFERENCING %s FOR EACH STATEMENT EXECUTE FUNCTION josch.audit(%s)',
				'audit_' || pg_catalog.lower(event.column1), event.column1, audited, event.column2, derived);
		END LOOP;
		EXECUTE pg_catalog.format('CREATE TRIGGER truncate_is_refused BEFORE TRUNCATE ON josch.%I FOR EACH STATEMENT EXECUTE FUNCTION josch.audit()',
			audited);
		-- session_replication_role must not get round them
		EXECUTE pg_catalog.format('ALTER TABLE josch.%I ENABLE ALWAYS TRIGGER audit_insert, ENABLE ALWAYS TRIGGER audit_update, ENABLE ALWAYS TRIGGER audit_delete, ENABLE ALWAYS TRIGGER truncate_is_refused',
			audited);
	END LOOP;

	FOR audited IN VALUES
		('audit_commits'), ('audit_packs'), ('calendars_audit'), ('calendar_parts_audit'), ('holidays_audit'),
		('executors_audit'), ('semaphores_audit'), ('tpl_node_semaphores_audit'), ('node_semaphores_audit'), ('pauses_audit'), ('environs_audit'), ('tpl_jobs_audit'), ('tpl_nodes_audit'), ('tpl_node_deps_audit'),
		('jobs_audit'), ('job_days_audit'), ('nodes_audit'), ('claims_audit'), ('node_deps_audit'), ('runs_audit'), ('installation_audit'), ('alarms_audit'), ('alarm_hooks_audit')
	LOOP
		EXECUTE pg_catalog.format('CREATE TRIGGER append_only BEFORE INSERT OR UPDATE OR DELETE ON josch.%I FOR EACH STATEMENT EXECUTE FUNCTION josch.audit_guard()',
			audited);
		EXECUTE pg_catalog.format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON josch.%I FOR EACH STATEMENT EXECUTE FUNCTION josch.audit_guard()',
			audited);
		EXECUTE pg_catalog.format('ALTER TABLE josch.%I ENABLE ALWAYS TRIGGER append_only, ENABLE ALWAYS TRIGGER append_only_truncate',
			audited);
		EXECUTE pg_catalog.format('GRANT SELECT ON josch.%I TO josch_viewer', audited);
	END LOOP;
END
$$;

/* What pg_dump takes along. */
SELECT pg_catalog.pg_extension_config_dump('josch.audit_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('josch.audit_commits', '');
SELECT pg_catalog.pg_extension_config_dump('josch.audit_packs', '');
SELECT pg_catalog.pg_extension_config_dump('josch.calendars_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.calendar_parts_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.holidays_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.executors_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.semaphores_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_node_semaphores_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.node_semaphores_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.pauses_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.environs_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_jobs_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_nodes_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.tpl_node_deps_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.jobs_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.job_days_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.nodes_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.claims_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.node_deps_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.runs_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.installation_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.alarms_audit', '');
SELECT pg_catalog.pg_extension_config_dump('josch.alarm_hooks_audit', '');
