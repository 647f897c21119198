CREATE FUNCTION josch.verdict(node_id bigint, job_date date, ending text, OUT state text, OUT not_before timestamptz, OUT message text)
	LANGUAGE c STABLE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_verdict';
COMMENT ON FUNCTION josch.verdict(bigint, date, text) IS
'What would become of a node if a run of it ended now: the state, for one that is tried again the moment of the next attempt, and its message. The ending is "exit 3", "signal 9", "sqlstate 40P01", "timeout", "start" (it could not be executed), "stop" (a person has stopped it), "unknown" (nobody saw it end) or "done" (SQL that succeeded). By the very function that the scheduler asks; nothing is changed.';
REVOKE ALL ON FUNCTION josch.verdict(bigint, date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.verdict(bigint, date, text) TO josch_viewer;

CREATE FUNCTION josch.tick(at timestamptz DEFAULT NULL) RETURNS bigint
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_tick';
COMMENT ON FUNCTION josch.tick(timestamptz) IS
'Runs one pass of the engine in this session, as if it were that moment (NULL: now): days that are due make themselves, milestones succeed, sign-offs and reviews are asked for, alarms are raised and cleared. Commands and SQL are left to the scheduler. Returns the number of nodes that changed. For superusers and tests.';
REVOKE ALL ON FUNCTION josch.tick(timestamptz) FROM PUBLIC;

CREATE FUNCTION josch.report(lines text) RETURNS void
	LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_report';
COMMENT ON FUNCTION josch.report(text) IS
'What the SQL of a node says of itself, as a command does in the file JOSCH_REPORT: "progress 0.4 what is being done" is seen by others at once, although nothing is committed (josch.board, josch.run_reports); "result NAME=VALUE" is kept with the run when it ends, and is a variable of its node''s children. Several lines may be given at once. A line that is not understood is a WARNING, a call outside of a run a NOTICE; what was said stays said when a savepoint is taken back.';
GRANT EXECUTE ON FUNCTION josch.report(text) TO PUBLIC;
