/* Templates in and out as a whole: CSV files on the server, tables of any schema. */

CREATE FUNCTION josch.load_csv(directory text, mode text DEFAULT 'merge', comment text DEFAULT NULL)
	RETURNS TABLE (table_name text, inserted bigint, updated bigint, deleted bigint)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_load_csv';
COMMENT ON FUNCTION josch.load_csv(text, text, text) IS
'Loads the templates from the files environs.csv, tpl_jobs.csv, tpl_nodes.csv and tpl_node_deps.csv of a directory of the server; a relative one is taken from the data directory. Needs the privileges of pg_read_server_files, and those of the caller on the tables.
Business calendars come along where there are calendars.csv, calendar_parts.csv and holidays.csv, limits where there are semaphores.csv and tpl_node_semaphores.csv, and executors where there is executors.csv, of which no mode needs any: without its file a table stays as it is, and no row tells of it.
Mode merge inserts and updates, and takes the files that are there; replace also deletes what is not in the files, and needs all four; replace_jobs deletes nodes and dependencies that are not in the files, of the jobs that are, and leaves all other jobs, variables, calendars, semaphores and executors alone (a dependency belongs to the job of its child). A load is done whole or not at all; rows that are equal are left alone.
The files are CSV in UTF-8 with a header. Columns may come in any order; a column that the file does not have gets its default, or keeps its value in a row that is there; unknown columns are ignored with a notice, and loaded_on is never loaded. An empty field is NULL, or the default where NULL cannot be ("" in job_desc is an empty text). A node without a number is the stored one with the same job_name and node_name, or a new one. Dates are YYYY-MM-DD and times of day HH:MM or HH:MM:SS, whatever DateStyle is.
The comment is kept with each row of the record that the load writes, in place of the setting josch.comment: the hash of a commit, a ticket; 10,000 bytes at most.
Raises insufficient_privilege, undefined_file (58P01), and for a bad row the error with file, line, column and value.';

CREATE FUNCTION josch.load(environs text DEFAULT NULL, tpl_jobs text DEFAULT NULL, tpl_nodes text DEFAULT NULL, tpl_node_deps text DEFAULT NULL, mode text DEFAULT 'merge',
	calendars text DEFAULT NULL, calendar_parts text DEFAULT NULL, holidays text DEFAULT NULL, comment text DEFAULT NULL,
	semaphores text DEFAULT NULL, tpl_node_semaphores text DEFAULT NULL, executors text DEFAULT NULL)
	RETURNS TABLE (table_name text, inserted bigint, updated bigint, deleted bigint)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_load';
COMMENT ON FUNCTION josch.load(text, text, text, text, text, text, text, text, text, text, text, text) IS
'Loads the templates from CSV texts, one for each table, that come with the call: what the client has read from its files. NULL is a file that is not there.
Modes, columns and errors are those of josch.load_csv(); an error names the argument, line and column.';

CREATE FUNCTION josch.load_schema(schema regnamespace, mode text DEFAULT 'merge', comment text DEFAULT NULL)
	RETURNS TABLE (table_name text, inserted bigint, updated bigint, deleted bigint)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_load_schema';
COMMENT ON FUNCTION josch.load_schema(regnamespace, text, text) IS
'Loads the templates from the tables, views or foreign tables environs, tpl_jobs, tpl_nodes and tpl_node_deps of a schema, and calendars, calendar_parts, holidays, semaphores, tpl_node_semaphores and executors where they are there, read with the caller''s rights; pg_my_temp_schema()::regnamespace is the schema of the session''s temporary tables. Columns are found by name and their values taken as text, so that they may have other types. Of a temporary table with defaults (LIKE ... INCLUDING DEFAULTS), a column that has nothing but its default counts as not named: what is stored stays.
Modes, columns and errors are those of josch.load_csv(); an error names the table and the row''s key. The schema josch itself is refused.';

CREATE FUNCTION josch.load_schema(schema text, mode text DEFAULT 'merge', comment text DEFAULT NULL)
	RETURNS TABLE (table_name text, inserted bigint, updated bigint, deleted bigint)
	LANGUAGE c VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_load_schema_name';
COMMENT ON FUNCTION josch.load_schema(text, text, text) IS
'The same of a schema that is given by its name, written as in SQL ("My Plans" in quotation marks): for drivers that send each string as a text. Raises invalid_schema_name for one that does not exist.';

REVOKE ALL ON FUNCTION josch.load_csv(text, text, text), josch.load(text, text, text, text, text, text, text, text, text, text, text, text), josch.load_schema(regnamespace, text, text), josch.load_schema(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.load_csv(text, text, text), josch.load(text, text, text, text, text, text, text, text, text, text, text, text), josch.load_schema(regnamespace, text, text), josch.load_schema(text, text, text) TO josch_author;

CREATE FUNCTION josch.export_csv(directory text, all_columns boolean DEFAULT false)
	RETURNS TABLE (table_name text, rows bigint)
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET datestyle = 'ISO, YMD'
	SET intervalstyle = postgres
	AS 'MODULE_PATHNAME', 'josch_api_export_csv';
COMMENT ON FUNCTION josch.export_csv(text, boolean) IS
'Writes the templates to the files environs.csv, tpl_jobs.csv, tpl_nodes.csv and tpl_node_deps.csv of a directory of the server that exists; a relative one is taken from the data directory. Needs the privileges of pg_write_server_files and SELECT on the tables. Business calendars, where there are any, go to calendars.csv, calendar_parts.csv and holidays.csv, semaphores and who needs them to semaphores.csv and tpl_node_semaphores.csv, executors to executors.csv.
Rows are in an order that makes a good diff. Columns beyond the first ones of each table are there with all_columns, or when some row has another value than the default: a node''s owner, when it is not the session user. josch.load_csv() reads the files back.
Files that are there are replaced, each in one step, when all are written; a rollback does not bring them back. NULL does nothing.';

REVOKE ALL ON FUNCTION josch.export_csv(text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.export_csv(text, boolean) TO josch_viewer;
