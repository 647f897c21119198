/* A day as one HTML page. */

CREATE FUNCTION josch.page(job_date date, job_name text DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_page';
COMMENT ON FUNCTION josch.page(date, text) IS
'A day, of one job or (job_name NULL) of all, as one self-contained HTML page for people without the client: what waits for people, the graph, the timeline, the nodes; light or dark as the reader has it, without scripts, in ASCII. It shows what the caller may see, as it is now, and is bounded: 1,000 nodes in the table, 300 in the graph (of more each job is a box), 300 runs; where it does not show all it says so. psql -XAtc "SELECT josch.page(josch.today())" > day.html';
REVOKE ALL ON FUNCTION josch.page(date, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.page(date, text) TO josch_viewer;
