/* The last piece: when this transaction commits, the launcher starts a scheduler in this database. */

CREATE FUNCTION josch.wake() RETURNS void
	LANGUAGE c VOLATILE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_wake';
COMMENT ON FUNCTION josch.wake() IS
'Asks the launcher and this database''s scheduler to look, when the transaction commits. Changes wake them by themselves; this is for what they cannot see, such as a repaired runner. Raises object_not_in_prerequisite_state when josch is not preloaded.';
REVOKE ALL ON FUNCTION josch.wake() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.wake() TO josch_operator;

SELECT josch.wake() FROM josch.health() WHERE component = 'preload' AND up;
