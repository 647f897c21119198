/* Tables of which queries are asked that nodes wait for (wait_sql). */

CREATE FUNCTION josch.table_changed() RETURNS trigger
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_trigger_watch_changed';
COMMENT ON FUNCTION josch.table_changed() IS
'Trigger of josch.watch(): when the transaction commits, queries that nodes wait for (wait_sql) are asked anew. It does nothing else, so that it can neither fail nor wait.';

CREATE FUNCTION josch.watch(table_name regclass) RETURNS boolean
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_watch';
COMMENT ON FUNCTION josch.watch(regclass) IS
'Lets each commit that changes this table have the queries asked anew that nodes wait for (wait_sql), at once and not at wait_interval only. It puts a statement trigger, josch_watch, on the table, which a dump of it takes along and which goes with the extension. False: it is watched already. What is written into a partition by its own name is not seen: watch the partition. Needs the privilege TRIGGER on the table (insufficient_privilege); raises wrong_object_type when it is no table.';

CREATE FUNCTION josch.unwatch(table_name regclass) RETURNS boolean
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_unwatch';
COMMENT ON FUNCTION josch.unwatch(regclass) IS
'Takes the trigger of josch.watch() off the table; false: there is none. Needs the privilege TRIGGER on the table (insufficient_privilege).';

CREATE VIEW josch.watched AS
	SELECT t.tgrelid::regclass AS table_name, t.tgenabled IN ('O', 'A') AS enabled
	FROM pg_catalog.pg_trigger t
	WHERE t.tgfoid OPERATOR(pg_catalog.=) 'josch.table_changed()'::regprocedure;
COMMENT ON VIEW josch.watched IS 'Tables whose changes have queries asked anew that nodes wait for: josch.watch() and josch.unwatch() change it';
COMMENT ON COLUMN josch.watched.table_name IS 'The table';
COMMENT ON COLUMN josch.watched.enabled IS 'False when somebody has disabled the trigger';

REVOKE ALL ON FUNCTION josch.table_changed(), josch.watch(regclass), josch.unwatch(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.table_changed(), josch.watch(regclass), josch.unwatch(regclass) TO josch_author;
GRANT SELECT ON josch.watched TO josch_viewer;
