/*
 * Graphs: order, search, pictures.  All of them read with the caller's rights.
 *
 * The edges of dag_*() come from a query that the caller wrote: it alone runs on
 * the caller's search_path, so these three do not set it; the program does for
 * whatever else there is.
 */

/* ---- any edge list ---- */

CREATE FUNCTION josch.dag_topological_sort(edges text)
	RETURNS TABLE ("position" bigint, level integer, node bigint)
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'josch_api_dag_topological_sort' ROWS 1000;
COMMENT ON FUNCTION josch.dag_topological_sort(text) IS
'Nodes of a graph, parents before children. edges is a query that yields two bigint columns, parent and child; it is run read-only, with the caller''s rights. level is the number of edges on the longest path to the node; position counts from 1 in the order of level and then id, the same every time. A cycle is an error (data_exception) whose detail names it; so are nulls. Kahn''s algorithm (1962), O(V + E)';

CREATE FUNCTION josch.dag_find_cycle(edges text) RETURNS bigint[]
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'josch_api_dag_find_cycle';
COMMENT ON FUNCTION josch.dag_find_cycle(text) IS
'A cycle of a graph, such as {1,2,3,1}; NULL when there is none. It starts at the smallest id that is on any cycle and is a shortest one through it. edges as in josch.dag_topological_sort(). Components by Tarjan''s algorithm (1972), O(V + E)';

CREATE FUNCTION josch.dag_transitive_reduction(edges text)
	RETURNS TABLE (parent bigint, child bigint)
	LANGUAGE c STRICT AS 'MODULE_PATHNAME', 'josch_api_dag_transitive_reduction' ROWS 1000;
COMMENT ON FUNCTION josch.dag_transitive_reduction(text) IS
'The fewest edges that say the same: those that no longer path implies, by parent and child (Aho, Garey, Ullman 1972). edges as in josch.dag_topological_sort(). A cycle is an error (data_exception). O(V * E) at worst';

GRANT EXECUTE ON FUNCTION josch.dag_topological_sort(text), josch.dag_find_cycle(text), josch.dag_transitive_reduction(text)
	TO PUBLIC;

/* ---- templates and days ---- */

CREATE FUNCTION josch.topological_sort(job_name text DEFAULT NULL, job_date date DEFAULT NULL)
	RETURNS TABLE ("position" bigint, level integer, node_id bigint, job_date date, job_name text, node_name text)
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_dag_sort_nodes' ROWS 1000;
COMMENT ON FUNCTION josch.topological_sort(text, date) IS
'Nodes of the templates (job_date NULL) or of a day, parents before children; of one job or of all. Only dependencies within one day order: in templates those with p_date = c_date, in a day those between its nodes. position and level as in josch.dag_topological_sort(). Raises no_data_found for a job that does not exist';

CREATE FUNCTION josch.ancestors(node_id bigint, job_date date DEFAULT NULL)
	RETURNS TABLE (node_id bigint, job_date date, distance integer)
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_dag_ancestors' ROWS 100;
COMMENT ON FUNCTION josch.ancestors(bigint, date) IS
'All that a node depends on, directly or through others: in the templates (job_date NULL), whatever the lag, or in the days, across dates. distance is the number of dependencies on the shortest way. Parents whose day was never made are among them. Raises no_data_found for a node that does not exist';

CREATE FUNCTION josch.descendants(node_id bigint, job_date date DEFAULT NULL)
	RETURNS TABLE (node_id bigint, job_date date, distance integer)
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_dag_descendants' ROWS 100;
COMMENT ON FUNCTION josch.descendants(bigint, date) IS
'All that depends on a node, directly or through others: in the templates (job_date NULL), whatever the lag, or in the days, across dates. distance is the number of dependencies on the shortest way. Raises no_data_found for a node that does not exist';

CREATE FUNCTION josch.critical_path(job_name text, job_date date DEFAULT NULL)
	RETURNS TABLE ("position" bigint, node_id bigint, job_name text, node_name text, duration interval, finish interval)
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_dag_critical_path' ROWS 100;
COMMENT ON FUNCTION josch.critical_path(text, date) IS
'The chain of nodes that takes longest, within a job or (job_name NULL) all of them, by dependencies within one day. duration is that of the node''s latest run of the day (of a long-running node until it was up), else the median of its runs of former days, else 0; of templates the median of all its runs. finish is the sum up to the node. Of chains that take equally long, the one with the most nodes: so without any run it is the longest chain. Raises no_data_found for a job that does not exist';

/* ---- pictures ---- */

CREATE VIEW josch.drawn_deps AS
SELECT d.p_node_id, d.p_date, d.c_node_id, d.c_date, d.expected, d.lag, d.condition
FROM josch.node_deps d
WHERE NOT (d.condition = 'well' AND d.p_date = d.c_date
	AND EXISTS (SELECT FROM josch.nodes e WHERE e.job_date = d.c_date AND e.node_id = d.c_node_id AND e.node_type = 'E')
	AND EXISTS (SELECT FROM josch.node_deps o
		JOIN josch.nodes c ON c.job_date = o.c_date AND c.node_id = o.c_node_id AND c.node_type <> 'E'
		JOIN josch.nodes p ON p.job_date = o.p_date AND p.node_id = o.p_node_id AND p.job_name = c.job_name
		WHERE o.p_date = d.p_date AND o.p_node_id = d.p_node_id AND o.c_date = d.p_date));
COMMENT ON VIEW josch.drawn_deps IS
'The dependencies of days that a picture shows: of those by which the end of a job (a node of type E) waits for all nodes of it, only the ones from the last of them';
COMMENT ON COLUMN josch.drawn_deps.p_node_id IS 'The parent node';
COMMENT ON COLUMN josch.drawn_deps.p_date IS 'Its date';
COMMENT ON COLUMN josch.drawn_deps.c_node_id IS 'The child node';
COMMENT ON COLUMN josch.drawn_deps.c_date IS 'Its date';
COMMENT ON COLUMN josch.drawn_deps.expected IS 'As in node_deps';
COMMENT ON COLUMN josch.drawn_deps.lag IS 'As in node_deps';
COMMENT ON COLUMN josch.drawn_deps.condition IS 'As in node_deps';
GRANT SELECT ON josch.drawn_deps TO josch_viewer;

CREATE FUNCTION josch.state_color(state text) RETURNS text
	LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_dot_state_color';
COMMENT ON FUNCTION josch.state_color(text) IS
'Colour of a state in pictures and clients, as #rrggbb; josch.states() has the colour of the text that is readable on it (text_color). People with any kind of colour vision can tell them apart. Raises invalid_parameter_value for what is no state';

CREATE FUNCTION josch.dot(job_name text DEFAULT NULL, job_date date DEFAULT NULL) RETURNS text
	LANGUAGE c SET search_path = pg_catalog, pg_temp
	AS 'MODULE_PATHNAME', 'josch_api_dot';
COMMENT ON FUNCTION josch.dot(text, date) IS
'The templates (job_date NULL) or a day, of one job or of all, as a graph in Graphviz'' language: psql -XAtc "SELECT josch.dot(''Eod'')" | dot -Tsvg. The shape tells the type: S hexagon, L cylinder, N box, R octagon with a red outline, E a box with depth, to which lines lead from the last nodes of its job, as it waits for all of them; nodes outside the job or the day are dashed circles, those that were never made are grey. The colour of a node of a day is that of its state. Dependencies across days bear the parent''s day, relative or by date; those that wait for anything but success bear that word, those that wait for done or failure an empty arrow head, red for failure; a node that joins by any says so. Raises no_data_found for a job that does not exist';

REVOKE ALL ON FUNCTION josch.state_color(text), josch.topological_sort(text, date), josch.ancestors(bigint, date), josch.descendants(bigint, date),
	josch.critical_path(text, date), josch.dot(text, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION josch.state_color(text), josch.topological_sort(text, date), josch.ancestors(bigint, date), josch.descendants(bigint, date),
	josch.critical_path(text, date), josch.dot(text, date) TO josch_viewer;
