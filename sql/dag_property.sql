-- Thousands of small random graphs: every answer is compared with one that recursive queries find.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;

-- a number below n that depends on nothing but its arguments
CREATE FUNCTION pg_temp.pick(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || left(md5(seed), 7))::bit(28)::int % n) $$;

-- 3,000 graphs of up to 8 nodes; in half of them edges go up only; the ids of every other one lie far apart
CREATE TEMP TABLE edge AS
SELECT DISTINCT g, (CASE WHEN g % 4 < 2 THEN least(p, c) ELSE p END - 2) * CASE g % 2 WHEN 0 THEN 1 ELSE 98765432101 END AS parent,
       (CASE WHEN g % 4 < 2 THEN greatest(p, c) ELSE c END - 2) * CASE g % 2 WHEN 0 THEN 1 ELSE 98765432101 END AS child
  FROM generate_series(1, 3000) g, generate_series(1, 12) k,
       LATERAL (SELECT pg_temp.pick(g || 'p' || k, 2 + g % 7) AS p, pg_temp.pick(g || 'c' || k, 2 + g % 7) AS c) e
 WHERE k <= 1 + pg_temp.pick('n' || g, 12) AND (p <> c OR g % 4 = 3);
CREATE INDEX ON edge (g, parent, child);
ANALYZE edge;

-- a is before b when a path of one edge or more leads from a to b
CREATE TEMP TABLE before AS
WITH RECURSIVE walk (g, a, b) AS (
	SELECT g, parent, child FROM edge
	UNION
	SELECT w.g, w.a, e.child FROM walk w JOIN edge e ON e.g = w.g AND e.parent = w.b
)
SELECT * FROM walk;
CREATE INDEX ON before (g, a, b);
ANALYZE before;
CREATE TEMP TABLE graph AS
SELECT g, format('SELECT parent, child FROM edge WHERE g = %s', g) AS edges,
       EXISTS (SELECT FROM before b WHERE b.g = e.g AND b.a = b.b) AS cyclic
  FROM (SELECT DISTINCT g FROM edge) e;
SELECT cyclic, count(*) > 800 AS many FROM graph GROUP BY 1 ORDER BY 1;

-- cycles: found when there is one, closed, made of edges, from the smallest id on any, none shorter
CREATE TEMP TABLE cycle AS
SELECT g, cyclic, josch.dag_find_cycle(edges) AS c FROM graph;
SELECT count(*) AS found_wrongly FROM cycle WHERE cyclic = (c IS NULL);
SELECT count(*) AS not_closed FROM cycle WHERE c[1] <> c[array_upper(c, 1)];
SELECT count(*) AS not_from_smallest
  FROM cycle WHERE c[1] <> (SELECT min(a) FROM before b WHERE b.g = cycle.g AND b.a = b.b);
SELECT count(*) AS not_made_of_edges
  FROM cycle, generate_series(1, array_upper(c, 1) - 1) i
 WHERE NOT EXISTS (SELECT FROM edge e WHERE e.g = cycle.g AND e.parent = c[i] AND e.child = c[i + 1]);
WITH RECURSIVE walk (g, start, node, steps) AS (
	SELECT g, c[1], c[1], 0 FROM cycle WHERE cyclic
	UNION
	SELECT w.g, w.start, e.child, w.steps + 1
	  FROM walk w JOIN edge e ON e.g = w.g AND e.parent = w.node
	 WHERE w.steps < 8
), shortest AS (
	SELECT g, min(steps) AS steps FROM walk WHERE steps > 0 AND node = start GROUP BY g
)
SELECT count(*) AS not_shortest
  FROM cycle JOIN shortest USING (g) WHERE array_length(c, 1) - 1 <> steps;

-- order: every node once, levels of the longest paths, positions by level and id
CREATE TEMP TABLE sorted AS
SELECT g, s.* FROM graph, josch.dag_topological_sort(edges) s WHERE NOT cyclic;
WITH RECURSIVE path (g, node, level) AS (
	SELECT DISTINCT g, unnest(ARRAY[parent, child]), 0 FROM edge JOIN graph USING (g) WHERE NOT cyclic
	UNION
	SELECT p.g, e.child, p.level + 1 FROM path p JOIN edge e ON e.g = p.g AND e.parent = p.node
), longest AS (
	SELECT g, node, max(level) AS level FROM path GROUP BY g, node
), expected AS (
	SELECT g, row_number() OVER (PARTITION BY g ORDER BY level, node) AS "position", level, node FROM longest
)
SELECT count(*) AS differences, count(*) FILTER (WHERE s.g IS NULL) AS missing
  FROM expected e FULL JOIN sorted s USING (g, "position", level, node)
 WHERE e.g IS NULL OR s.g IS NULL;

-- no order for a graph with a cycle
DO $$
DECLARE
	graph record;
	refused int := 0;
BEGIN
	FOR graph IN SELECT * FROM graph WHERE cyclic LOOP
		BEGIN
			PERFORM josch.dag_topological_sort(graph.edges);
			RAISE NOTICE 'graph % was sorted', graph.g;
		EXCEPTION WHEN data_exception THEN
			refused := refused + 1;
		END;
	END LOOP;
	RAISE NOTICE 'all were refused: %', refused = (SELECT count(*) FROM graph WHERE cyclic);
END
$$;

-- reduction: an edge stays when no other child of its parent leads to its child
CREATE TEMP TABLE reduced AS
SELECT g, r.* FROM graph, josch.dag_transitive_reduction(edges) r WHERE NOT cyclic;
WITH expected AS (
	SELECT g, parent, child
	  FROM edge e JOIN graph USING (g)
	 WHERE NOT cyclic
	   AND NOT EXISTS (SELECT FROM edge o JOIN before b ON b.g = o.g AND b.a = o.child
	                    WHERE o.g = e.g AND o.parent = e.parent AND b.b = e.child)
)
SELECT count(*) AS differences
  FROM expected e FULL JOIN reduced r USING (g, parent, child)
 WHERE e.g IS NULL OR r.g IS NULL;
SELECT count(*) < (SELECT count(*) FROM edge JOIN graph USING (g) WHERE NOT cyclic) AS some_were_superfluous FROM reduced;
ROLLBACK;
