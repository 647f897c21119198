-- Random template graphs with lags, edge by edge and all at once, against all simple cycles of a recursive query.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
CREATE FUNCTION pg_temp.pick(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || left(md5(seed), 7))::bit(28)::int % n) $$;

INSERT INTO josch.tpl_jobs (job_name) VALUES ('dag');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
SELECT 500000 + i, 'N', 'dag', 'node ' || i FROM generate_series(0, 200) i;

-- edges among five nodes, with lags from -1 to 3, most of them 0
CREATE TEMP TABLE edge AS
SELECT g, k, 500000 + pg_temp.pick(g || 'p' || k, 5) AS p, 500000 + pg_temp.pick(g || 'c' || k, 5) AS c,
       (ARRAY[0, 0, 0, 0, 1, 1, 2, 3, -1, -1])[1 + pg_temp.pick(g || 'l' || k, CASE g % 3 WHEN 0 THEN 8 ELSE 10 END)] AS lag
  FROM generate_series(1, 400) g, generate_series(1, 9) k;

-- is there a cycle with a total lag of 0 or less among these?
CREATE TEMP TABLE present (p bigint, c bigint, lag int);
CREATE FUNCTION pg_temp.is_stuck() RETURNS boolean LANGUAGE sql AS $$
WITH RECURSIVE path (start, node, seen, lag, closed) AS (
	SELECT p, c, ARRAY[c], lag, p = c FROM present
	UNION ALL
	SELECT w.start, d.c, w.seen || d.c, w.lag + d.lag, d.c = w.start
	  FROM path w JOIN present d ON d.p = w.node
	 WHERE NOT w.closed AND d.c <> ALL (w.seen)
)
SELECT EXISTS (SELECT FROM path WHERE closed AND lag <= 0)
$$;
CREATE TEMP TABLE outcome (stuck boolean, refused boolean);

-- one by one: each that is accepted leaves no such cycle, each that is refused would have made one
DO $$
DECLARE
	edge record;
	refused boolean;
BEGIN
	FOR edge IN SELECT * FROM edge WHERE g <= 150 ORDER BY g, k LOOP
		IF edge.k = 1 THEN
			DELETE FROM josch.tpl_node_deps WHERE p_node_id < 500010;
			DELETE FROM present;
		END IF;
		BEGIN
			INSERT INTO josch.tpl_node_deps VALUES (edge.p, 0, edge.c, edge.lag);
			refused := false;
		EXCEPTION
			WHEN unique_violation THEN CONTINUE;
			WHEN check_violation THEN refused := true;
		END;
		INSERT INTO present VALUES (edge.p, edge.c, edge.lag);
		INSERT INTO outcome VALUES (pg_temp.is_stuck(), refused);
		IF refused THEN
			DELETE FROM present WHERE (p, c, lag) = (edge.p, edge.c, edge.lag);
		END IF;
	END LOOP;
END
$$;
SELECT stuck, refused, count(*) > 200 AS many FROM outcome GROUP BY 1, 2 ORDER BY 1, 2;
TRUNCATE outcome;

-- all at once, every other time with so many more that the whole graph is loaded
DO $$
DECLARE
	n int;
	refused boolean;
BEGIN
	FOR n IN 251..400 LOOP
		DELETE FROM josch.tpl_node_deps;
		DELETE FROM present;
		INSERT INTO present SELECT DISTINCT p, c, lag FROM edge WHERE g = n AND k <= 6;
		BEGIN
			INSERT INTO josch.tpl_node_deps
			SELECT p, 0, c, lag FROM present
			UNION ALL
			SELECT 500100 + i, 0, 500101 + i, 0 FROM generate_series(0, 80) i WHERE n % 2 = 0;
			refused := false;
		EXCEPTION WHEN check_violation THEN
			refused := true;
		END;
		INSERT INTO outcome VALUES (pg_temp.is_stuck(), refused);
	END LOOP;
END
$$;
SELECT stuck, refused, count(*) > 20 AS many FROM outcome GROUP BY 1, 2 ORDER BY 1, 2;
ROLLBACK;
