/* Templates before they are loaded: what is wrong with them, and what a load would change. */

CREATE FUNCTION josch.validate(schema regnamespace, mode text DEFAULT 'merge')
	RETURNS TABLE (severity text, object text, message text, place text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_validate';
COMMENT ON FUNCTION josch.validate(regnamespace, text) IS
'What is wrong with the templates in the tables of a schema, and what is doubtful, if they were loaded by josch.load_schema() in that mode; no row: nothing. It is loaded, looked at and taken back: nothing stays, and the rights are those that the load needs.
severity: error (it would be refused, or can never work: SQL that does not parse, a node that no outcome of those before it lets run), warning (it would be loaded and hardly do what is meant: variables that do not exist, programs and directories that are not on this host, calendars that end or have no open day, days that never come), note (nodes that are omitted when all goes well, jobs that are paused). place: file and line, or table and key, where it is written.
Rows that cannot be read are told first, then those that are refused, of one table at a time; what is only doubtful is told when nothing is refused. Of one kind a hundred are told at most. Programs and directories are looked for when the caller has pg_execute_server_program. Raises what is not about the templates: insufficient_privilege, a mode that does not exist, a table that the mode needs and that is not there (undefined_table).';

CREATE FUNCTION josch.validate(schema text, mode text DEFAULT 'merge')
	RETURNS TABLE (severity text, object text, message text, place text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_validate_name';
COMMENT ON FUNCTION josch.validate(text, text) IS
'The same of a schema that is given by its name, as in josch.load_schema(text, text, text).';

CREATE FUNCTION josch.validate_csv(directory text, mode text DEFAULT 'merge')
	RETURNS TABLE (severity text, object text, message text, place text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_validate_csv';
COMMENT ON FUNCTION josch.validate_csv(text, text) IS
'What is wrong with the templates in the files of a directory of the server, and what is doubtful, if they were loaded by josch.load_csv(): rows as of josch.validate(). Needs the privileges of pg_read_server_files.';

CREATE FUNCTION josch.validate_texts(environs text DEFAULT NULL, tpl_jobs text DEFAULT NULL, tpl_nodes text DEFAULT NULL, tpl_node_deps text DEFAULT NULL, mode text DEFAULT 'merge',
	calendars text DEFAULT NULL, calendar_parts text DEFAULT NULL, holidays text DEFAULT NULL, semaphores text DEFAULT NULL, tpl_node_semaphores text DEFAULT NULL, executors text DEFAULT NULL)
	RETURNS TABLE (severity text, object text, message text, place text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_validate_texts';
COMMENT ON FUNCTION josch.validate_texts(text, text, text, text, text, text, text, text, text, text, text) IS
'What is wrong with the templates in CSV texts that come with the call, and what is doubtful, if they were loaded by josch.load(): rows as of josch.validate().';

CREATE FUNCTION josch.diff(schema regnamespace, mode text DEFAULT 'merge')
	RETURNS TABLE (table_name text, object text, change text, words text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_diff';
COMMENT ON FUNCTION josch.diff(regnamespace, text) IS
'What josch.load_schema() would change, in that mode, in words: a row for each row that is added, changed or removed, table by table, in the order of names and keys; no row: nothing. Nothing is written. change: added, changed, removed; words: the columns, with what they have now and what they would have; of a long text the part in which it differs. Whether the load would be accepted is josch.validate()''s to say.
Raises what a load raises of sources that cannot be read.';

CREATE FUNCTION josch.diff(schema text, mode text DEFAULT 'merge')
	RETURNS TABLE (table_name text, object text, change text, words text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_diff_name';
COMMENT ON FUNCTION josch.diff(text, text) IS
'The same of a schema that is given by its name, as in josch.load_schema(text, text, text).';

CREATE FUNCTION josch.diff_csv(directory text, mode text DEFAULT 'merge')
	RETURNS TABLE (table_name text, object text, change text, words text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_diff_csv';
COMMENT ON FUNCTION josch.diff_csv(text, text) IS
'What josch.load_csv() would change, in words: rows as of josch.diff(). Needs the privileges of pg_read_server_files.';

CREATE FUNCTION josch.diff_texts(environs text DEFAULT NULL, tpl_jobs text DEFAULT NULL, tpl_nodes text DEFAULT NULL, tpl_node_deps text DEFAULT NULL, mode text DEFAULT 'merge',
	calendars text DEFAULT NULL, calendar_parts text DEFAULT NULL, holidays text DEFAULT NULL, semaphores text DEFAULT NULL, tpl_node_semaphores text DEFAULT NULL, executors text DEFAULT NULL)
	RETURNS TABLE (table_name text, object text, change text, words text)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_diff_texts';
COMMENT ON FUNCTION josch.diff_texts(text, text, text, text, text, text, text, text, text, text, text) IS
'What josch.load() would change, in words: rows as of josch.diff().';

REVOKE ALL ON FUNCTION josch.validate(regnamespace, text), josch.validate(text, text), josch.validate_csv(text, text), josch.validate_texts(text, text, text, text, text, text, text, text, text, text, text),
	josch.diff(regnamespace, text), josch.diff(text, text), josch.diff_csv(text, text), josch.diff_texts(text, text, text, text, text, text, text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.validate(regnamespace, text), josch.validate(text, text), josch.validate_csv(text, text), josch.validate_texts(text, text, text, text, text, text, text, text, text, text, text) TO josch_author;
GRANT EXECUTE ON FUNCTION josch.diff(regnamespace, text), josch.diff(text, text), josch.diff_csv(text, text), josch.diff_texts(text, text, text, text, text, text, text, text, text, text, text) TO josch_viewer;
