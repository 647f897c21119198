/* What the runner still has for nobody. */

CREATE FUNCTION josch.strays(OUT run_id bigint, OUT nonce bigint, OUT database text, OUT pid integer, OUT started_at timestamptz, OUT log text)
	RETURNS SETOF record
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_strays';
COMMENT ON FUNCTION josch.strays() IS
'The commands that live and that the runner has for nobody: runs of this database that are not open in josch.runs (the data was taken back, the extension was made anew, a person gave a run up while its command lived), and all runs of databases of this server that were dropped. The runner is asked: raises io_error when it does not answer. log is the path below josch.spool_directory.';
REVOKE ALL ON FUNCTION josch.strays() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.strays() TO josch_viewer;

CREATE FUNCTION josch.end_stray(run_id bigint, nonce bigint, grace interval DEFAULT '10 seconds') RETURNS text
	LANGUAGE c VOLATILE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_end_stray';
COMMENT ON FUNCTION josch.end_stray(bigint, bigint, interval) IS
'Ends a command of josch.strays(): TERM to its process group, KILL after the grace (one hour at most). Returns what it was as soon as the runner has heard of it; who did it is kept in josch.installation_audit, as its comment, and in the server''s log. Raises no_data_found for what is not among the strays, io_error when the runner does not answer.';
REVOKE ALL ON FUNCTION josch.end_stray(bigint, bigint, interval) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.end_stray(bigint, bigint, interval) TO josch_operator;
