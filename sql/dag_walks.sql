-- Questions about templates and days: order, ancestors, descendants, the critical path.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = ISO;
BEGIN;
DELETE FROM josch.tpl_node_deps;
DELETE FROM josch.tpl_nodes;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('dag one'), ('dag two');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
SELECT i, 'N', CASE WHEN i < 500006 THEN 'dag one' ELSE 'dag two' END, 'node ' || i FROM generate_series(500001, 500008) i;
-- 1 -> 3 -> 4, 2 -> 4, 5 by itself; 4 -> 6 -> 7 in the other job, 8 a day later; 4 waits for its own yesterday
INSERT INTO josch.tpl_node_deps VALUES
	(500003, 0, 500004, 0), (500001, 0, 500003, 0), (500002, 0, 500004, 0), (500004, 0, 500006, 0),
	(500006, 0, 500007, 0), (500007, -1, 500008, 0), (500004, -1, 500004, 0);

-- templates
SELECT * FROM josch.topological_sort();
SELECT * FROM josch.topological_sort('dag two');
SELECT * FROM josch.ancestors(500008);
SELECT * FROM josch.descendants(500001);
SELECT * FROM josch.descendants(500005);
SELECT * FROM josch.critical_path('dag one');
SELECT * FROM josch.critical_path(NULL);

-- a day, and the one before; the day before that was never made
INSERT INTO josch.jobs (job_name, job_date, time_zone)
SELECT job_name, day, 'UTC' FROM unnest(ARRAY['dag one', 'dag two']) job_name, unnest(ARRAY[date '2020-01-01', '2020-01-02']) day;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name)
SELECT day, node_id, node_type, job_name, node_name FROM josch.tpl_nodes, unnest(ARRAY[date '2020-01-01', '2020-01-02']) day
 WHERE job_name LIKE 'dag%';
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date)
SELECT p_node_id, day + p_date, c_node_id, day + c_date FROM josch.tpl_node_deps, unnest(ARRAY[date '2020-01-01', '2020-01-02']) day;
SELECT * FROM josch.topological_sort('dag one', '2020-01-02');
SELECT count(*), min(job_date), max(job_date) FROM josch.topological_sort(NULL, '2020-01-02');
SELECT count(*) FROM josch.topological_sort(NULL, '1999-01-01');
SELECT * FROM josch.ancestors(500004, '2020-01-02');
SELECT * FROM josch.descendants(500007, '2020-01-01');

-- later edits of the templates change nothing of a day
DELETE FROM josch.tpl_node_deps WHERE c_node_id = 500004;
SELECT count(*) FROM josch.ancestors(500004, '2020-01-02');

-- the critical path: no run yet; then the runs of the day before, by their median; then a run of the day itself
SELECT * FROM josch.critical_path('dag one', '2020-01-02');
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (node_id, job_date, attempt, kind, status, started_at, up_at, ended_at) VALUES
	(500002, '2020-01-01', 1, 'command', 'failed', '2020-01-01 10:00+0', NULL, '2020-01-01 10:10+0'),
	(500002, '2020-01-01', 2, 'command', 'succeeded', '2020-01-01 11:00+0', NULL, '2020-01-01 11:20+0'),
	(500002, '2020-01-01', 3, 'command', 'succeeded', '2020-01-01 12:00+0', NULL, '2020-01-01 13:30+0'),
	(500001, '2020-01-01', 1, 'command', 'succeeded', '2020-01-01 10:00+0', NULL, '2020-01-01 10:01+0'),
	-- up after a minute, and then at work all day: a minute counts
	(500003, '2020-01-01', 1, 'command', 'succeeded', '2020-01-01 10:00+0', '2020-01-01 10:01+0', '2020-01-01 20:00+0'),
	-- how this one ended is not known
	(500005, '2020-01-01', 1, 'command', 'unknown', '2020-01-01 10:00+0', NULL, '2020-01-02 10:00+0');
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SELECT * FROM josch.critical_path('dag one', '2020-01-02');
SELECT * FROM josch.critical_path('dag one', '2020-01-01');
SELECT * FROM josch.critical_path('dag one');
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (node_id, job_date, attempt, kind, status, started_at, ended_at) VALUES
	(500001, '2020-01-02', 1, 'command', 'failed', '2020-01-02 10:00+0', '2020-01-02 10:45+0'),
	(500001, '2020-01-02', 2, 'command', 'running', '2020-01-02 11:00+0', NULL);
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SELECT * FROM josch.critical_path('dag one', '2020-01-02');

-- what does not exist
SAVEPOINT s;
SELECT * FROM josch.topological_sort('dag three');
ROLLBACK TO s;
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM josch.topological_sort('dag one', '1999-01-01');
ROLLBACK TO s;
SELECT * FROM josch.critical_path('dag three');
ROLLBACK TO s;
SELECT * FROM josch.ancestors(42);
ROLLBACK TO s;
SELECT * FROM josch.descendants(500001, '1999-01-01');
ROLLBACK TO s;
SELECT * FROM josch.ancestors(NULL);
ROLLBACK TO s;

-- a viewer may ask, others may not
SET LOCAL ROLE josch_viewer;
SELECT count(*) FROM josch.topological_sort('dag one', '2020-01-02');
SELECT count(*) FROM josch.ancestors(500004, '2020-01-02');
RESET ROLE;
CREATE ROLE josch_test_nobody;
GRANT USAGE ON SCHEMA josch TO josch_test_nobody;
SAVEPOINT s;
SET LOCAL ROLE josch_test_nobody;
SELECT count(*) FROM josch.topological_sort();
ROLLBACK TO s;

-- large and random: the same as a recursive query finds, and as the function for any edge list
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
SELECT 600000 + i, 'N', 'dag two', 'node ' || i FROM generate_series(0, 999) i;
INSERT INTO josch.tpl_node_deps
SELECT DISTINCT 600000 + i, -(('x' || left(md5('l' || i || k), 2))::bit(8)::int % 2), 600000 + i + 1 + ('x' || left(md5(i || 'c' || k), 4))::bit(16)::int % (999 - i), 0
  FROM generate_series(0, 998) i, generate_series(1, 3) k;
SELECT count(*) AS differences
  FROM (SELECT p_node_id, c_node_id FROM josch.tpl_node_deps WHERE p_date = 0) d
  JOIN josch.topological_sort('dag two') p ON p.node_id = d.p_node_id
  JOIN josch.topological_sort('dag two') c ON c.node_id = d.c_node_id
 WHERE p."position" >= c."position" OR p.level >= c.level;
WITH RECURSIVE walk (node, distance) AS (
	SELECT 600500::bigint, 0
	UNION
	SELECT d.c_node_id, w.distance + 1 FROM walk w JOIN josch.tpl_node_deps d ON d.p_node_id = w.node WHERE w.distance < 500
), nearest AS (
	SELECT node, min(distance) AS distance FROM walk WHERE distance > 0 GROUP BY node
)
SELECT count(*) > 50 AS many, count(*) FILTER (WHERE n.node IS NULL OR d.node_id IS NULL) AS differences
  FROM nearest n FULL JOIN josch.descendants(600500) d ON (d.node_id, d.distance) = (n.node, n.distance);
SELECT count(*) AS not_symmetric
  FROM josch.ancestors(600700) a
 WHERE NOT EXISTS (SELECT FROM josch.descendants(a.node_id) d WHERE d.node_id = 600700 AND d.distance = a.distance);
ROLLBACK;
