/* The past, read back from the audit tables. */

CREATE FUNCTION josch.board_at(job_date date, at timestamptz) RETURNS SETOF josch.board
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_board_at';
COMMENT ON FUNCTION josch.board_at(date, timestamptz) IS
'josch.board of a date as others saw it at a moment: what was committed by then, and nothing else. Rebuilt from nodes_audit and audit_commits. What the running transaction has done itself counts from when it was written.';

CREATE FUNCTION josch.history(node_id bigint, job_date date, OUT at timestamptz, OUT who text, OUT sentence text) RETURNS SETOF record
	LANGUAGE c STABLE STRICT PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_history';
COMMENT ON FUNCTION josch.history(bigint, date) IS
'A node''s day in sentences, oldest first, from nodes_audit, runs_audit and claims_audit. who is the person who acted, else the session user in whose transaction it came to pass. Raises no_data_found when there never was such a node.';

REVOKE ALL ON FUNCTION josch.board_at(date, timestamptz), josch.history(bigint, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.board_at(date, timestamptz), josch.history(bigint, date) TO josch_viewer;
