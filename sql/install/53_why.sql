/* Why a node does not start. */

CREATE FUNCTION josch.why_reasons(OUT reason text, OUT rank integer, OUT meaning text) RETURNS SETOF record
	LANGUAGE c IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_why_reasons';
COMMENT ON FUNCTION josch.why_reasons() IS
'The words that josch.why() knows, and no others: what each means; of several roots josch.why() names the one with the lowest rank, and of these the one that has been so the longest.';

CREATE FUNCTION josch.why(node_id bigint, job_date date) RETURNS TABLE (depth integer, node_id bigint, job_date date, job_name text, node_name text,
		state text, reason text, detail text, since timestamptz, until timestamptz, who text)
	LANGUAGE c STABLE STRICT SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_why';
COMMENT ON FUNCTION josch.why(bigint, date) IS
'Why a node does not start, or goes no further. The first row (depth 0) is the node: reason is one of josch.why_reasons(), detail says it in a sentence, down to the root ("waits for "Load", which waits for "Extract": failed: exit code 3"); since when; until when, where that is known; and who holds it, or looks at it. The rows that follow are what it waits for, and what those wait for, level by level (depth), each node once, 1,000 at most; of one that is not made state is NULL. Raises no_data_found when the node does not exist.';

REVOKE ALL ON FUNCTION josch.why_reasons(), josch.why(bigint, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.why_reasons(), josch.why(bigint, date) TO josch_viewer;
