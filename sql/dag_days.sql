-- Dependencies of days: a cycle is refused, and every node keeps a level above those of its parents.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
CREATE FUNCTION pg_temp.pick(seed text, n int) RETURNS int LANGUAGE sql IMMUTABLE AS
$$ SELECT (('x' || left(md5(seed), 7))::bit(28)::int % n) $$;
INSERT INTO josch.jobs (job_name, job_date, time_zone) SELECT 'dag', date '2020-01-01' + d, 'UTC' FROM generate_series(0, 1) d;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name)
SELECT date '2020-01-01' + d, 500000 + i, 'N', 'dag', 'node ' || i FROM generate_series(0, 1) d, generate_series(1, 200) i;
CREATE VIEW pg_temp.levels AS
SELECT node_id, job_date, level FROM josch.nodes WHERE job_name = 'dag' AND level > 0 ORDER BY node_id, job_date;
-- dependencies that disagree with the levels: there must be none
CREATE VIEW pg_temp.disagreeing AS
SELECT d.*
  FROM josch.node_deps d
  JOIN josch.nodes c ON (c.node_id, c.job_date) = (d.c_node_id, d.c_date)
  LEFT JOIN josch.nodes p ON (p.node_id, p.job_date) = (d.p_node_id, d.p_date)
 WHERE c.level <= coalesce(p.level, 0);
SAVEPOINT s;

-- a chain that is put together from its end, one link at a time
INSERT INTO josch.node_deps VALUES (500003, '2020-01-01', 500004, '2020-01-01');
INSERT INTO josch.node_deps VALUES (500002, '2020-01-01', 500003, '2020-01-01');
INSERT INTO josch.node_deps VALUES (500001, '2020-01-01', 500002, '2020-01-01');
SELECT * FROM pg_temp.levels;
-- yesterday's last before today's first
INSERT INTO josch.node_deps VALUES (500004, '2020-01-01', 500001, '2020-01-02');
-- a parent that was never made
INSERT INTO josch.node_deps VALUES (500001, '2019-12-31', 500009, '2020-01-02', false);
SELECT * FROM pg_temp.levels;
SELECT count(*) FROM pg_temp.disagreeing;
SAVEPOINT s2;

-- refused: within a day, across days, by two at once, by itself, by many
INSERT INTO josch.node_deps VALUES (500004, '2020-01-01', 500001, '2020-01-01');
ROLLBACK TO s2;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO josch.node_deps VALUES (500001, '2020-01-02', 500002, '2020-01-01');
ROLLBACK TO s2;
INSERT INTO josch.node_deps VALUES (500001, '2020-01-02', 500002, '2020-01-02'), (500002, '2020-01-02', 500001, '2020-01-02');
ROLLBACK TO s2;
INSERT INTO josch.node_deps VALUES (500008, '2020-01-02', 500008, '2020-01-02');
ROLLBACK TO s2;
INSERT INTO josch.node_deps SELECT 500000 + i, '2020-01-02', 500000 + i % 100 + 1, '2020-01-02' FROM generate_series(1, 100) i;
ROLLBACK TO s2;
-- a dependency that a change turns round
UPDATE josch.node_deps SET p_node_id = 500004, c_node_id = 500002 WHERE p_node_id = 500001 AND c_node_id = 500002;
ROLLBACK TO s2;
-- a change of something else asks for nothing
UPDATE josch.node_deps SET expected = false;
SELECT * FROM pg_temp.levels;

-- short and long ways that meet again, in any order of coming: the longest counts
ROLLBACK TO s;
INSERT INTO josch.node_deps SELECT 500000 + i, '2020-01-01', 500001 + i, '2020-01-01' FROM generate_series(100, 198) i ORDER BY pg_temp.pick('o' || i, 1000);
INSERT INTO josch.node_deps VALUES (500099, '2020-01-01', 500199, '2020-01-01');
INSERT INTO josch.node_deps VALUES (500099, '2020-01-01', 500100, '2020-01-01');
SELECT min(level), max(level), count(*) FROM pg_temp.levels;
SELECT count(*) FROM pg_temp.disagreeing;
ROLLBACK TO s;

-- random graphs, each of eight nodes on two days of its own
INSERT INTO josch.jobs (job_name, job_date, time_zone) SELECT 'dag', date '2021-01-01' + d, 'UTC' FROM generate_series(0, 399) d;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name)
SELECT date '2021-01-01' + d, 500000 + i, 'N', 'dag', 'node ' || i FROM generate_series(0, 399) d, generate_series(1, 8) i;
ANALYZE josch.nodes;
CREATE TEMP TABLE edge AS
SELECT DISTINCT ON (g, p, p_date, c, c_date) *
  FROM (SELECT g, k, 500001 + pg_temp.pick(g || 'p' || k, 8) AS p, date '2021-01-01' + 2 * g + pg_temp.pick(g || 'q' || k, 2) AS p_date,
               500001 + pg_temp.pick(g || 'c' || k, 8) AS c, date '2021-01-01' + 2 * g + pg_temp.pick(g || 'd' || k, 2) AS c_date
          FROM generate_series(0, 199) g, generate_series(1, 45) k) e
 ORDER BY g, p, p_date, c, c_date, k;
CREATE TEMP TABLE outcome (cyclic boolean, refused boolean);
CREATE TEMP TABLE before (g int, a text, b text, PRIMARY KEY (g, a, b));

-- edge by edge: refused exactly when the child leads to the parent already
DO $$
DECLARE
	e record;
	was_refused boolean;
BEGIN
	FOR e IN SELECT * FROM edge WHERE g < 30 ORDER BY g, k LOOP
		BEGIN
			INSERT INTO josch.node_deps VALUES (e.p, e.p_date, e.c, e.c_date);
			was_refused := false;
		EXCEPTION WHEN check_violation THEN
			was_refused := true;
		END;
		INSERT INTO outcome
		SELECT EXISTS (SELECT FROM before WHERE g = e.g AND a = concat(e.c, e.c_date) AND b = concat(e.p, e.p_date))
		       OR (e.p, e.p_date) = (e.c, e.c_date), was_refused;
		IF NOT was_refused THEN
			INSERT INTO before
			SELECT e.g, x.a, y.b
			  FROM (SELECT a FROM before WHERE g = e.g AND b = concat(e.p, e.p_date) UNION SELECT concat(e.p, e.p_date)) x (a),
			       (SELECT b FROM before WHERE g = e.g AND a = concat(e.c, e.c_date) UNION SELECT concat(e.c, e.c_date)) y (b)
			ON CONFLICT DO NOTHING;
		END IF;
	END LOOP;
END
$$;
SELECT cyclic, refused, count(*) > 300 AS many FROM outcome GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM pg_temp.disagreeing;
TRUNCATE outcome;

-- all at once
DO $$
DECLARE
	n int;
	was_refused boolean;
BEGIN
	FOR n IN 50..199 LOOP
		BEGIN
			INSERT INTO josch.node_deps SELECT p, p_date, c, c_date FROM edge WHERE g = n AND k <= 10;
			was_refused := false;
		EXCEPTION WHEN check_violation THEN
			was_refused := true;
		END;
		INSERT INTO outcome VALUES (
			josch.dag_find_cycle(format('SELECT p * 1000 + (p_date - date ''2021-01-01''), c * 1000 + (c_date - date ''2021-01-01'')'
			                            ' FROM edge WHERE g = %s AND k <= 10', n)) IS NOT NULL,
			was_refused);
	END LOOP;
END
$$;
SELECT cyclic, refused, count(*) > 30 AS many FROM outcome GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) FROM pg_temp.disagreeing;
ROLLBACK;
