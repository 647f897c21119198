CREATE FUNCTION josch.tick(at timestamptz DEFAULT NULL) RETURNS bigint
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_tick';
COMMENT ON FUNCTION josch.tick(timestamptz) IS
'Runs one pass of the engine in this session, as if it were that moment (NULL: now): days that are due make themselves, milestones succeed, sign-offs and reviews are asked for. Commands and SQL are left to the scheduler. Returns the number of nodes that changed. For superusers and tests.';
REVOKE ALL ON FUNCTION josch.tick(timestamptz) FROM PUBLIC;
