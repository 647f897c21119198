/* Whether this installation starts anything. */

CREATE FUNCTION josch.armed(OUT armed boolean, OUT reason text, OUT held bigint) RETURNS record
	LANGUAGE c STABLE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_armed';
COMMENT ON FUNCTION josch.armed() IS
'Whether this installation starts what is in this database; if not, why. A copy (a database made from a template, a restored dump, a copy of the data directory) is disarmed: nothing is started, asked for or taken up there until josch.arm(). Where the data was taken back to an earlier moment in place, held says how many nodes are held back for that; what people schedule or release runs.';
REVOKE ALL ON FUNCTION josch.armed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.armed() TO josch_viewer;

CREATE FUNCTION josch.arm(comment text) RETURNS bigint
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_arm';
COMMENT ON FUNCTION josch.arm(text) IS
'Says that this installation, which is a copy, is to start what is in this database, and why: the comment is required, and stays on record (josch.installation_audit). Make sure before that the other one does not run any more. How runs ended that were open is unknown here. Where the data was taken back to an earlier moment in place, it releases the nodes that are held back for that, and returns how many. Raises object_not_in_prerequisite_state when it is armed already.';
REVOKE ALL ON FUNCTION josch.arm(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.arm(text) TO josch_operator;
