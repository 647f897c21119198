/* Which parents hold a node back: absent, expected and existing ones, made in any order. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET josch.now = '2026-11-20 12:00+00';
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, valid_from, loaded_on) VALUES
	('Child', NULL, '2026-01-01'), ('Parent', '2026-11-10', '2026-11-15'), ('Late', NULL, '2026-11-15');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES
	(1, 'N', 'Parent', 'p'), (2, 'N', 'Late', 'l'), (10, 'N', 'Child', 'c'), (11, 'N', 'Child', 'd'), (12, 'N', 'Child', 'e');
INSERT INTO josch.tpl_node_deps VALUES (1, -1, 10, 0), (2, -1, 11, 0), (10, 0, 12, 0), (11, 0, 12, 0), (12, -1, 12, 0);

CREATE TEMP VIEW shown AS
SELECT n.job_date, n.node_id, n.state, n.unmet, n.level, string_agg(format('%s of %s%s', d.p_node_id, d.p_date,
	CASE WHEN p.node_id IS NULL THEN ' absent' ELSE ' ' || p.state END || CASE WHEN d.expected THEN ', expected' ELSE '' END), '; '
	ORDER BY d.p_date, d.p_node_id) AS parents
FROM josch.nodes n LEFT JOIN josch.node_deps d ON d.c_node_id = n.node_id AND d.c_date = n.job_date
	LEFT JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date
GROUP BY n.job_date, n.node_id;

-- a day before that nobody has made is not expected
SELECT count(*) FROM generate_series(date '2026-11-10', '2026-11-17', interval '1 day') day, josch.schedule(day::date, 'Child');
SELECT * FROM shown WHERE node_id IN (10, 11) AND job_date BETWEEN '2026-11-10' AND '2026-11-11' ORDER BY 1, 2;
SELECT * FROM shown WHERE node_id IN (10, 11) AND job_date BETWEEN '2026-11-15' AND '2026-11-16' ORDER BY 1, 2;
-- of its own job it waits for the day before, once there is one
SELECT * FROM shown WHERE node_id = 12 AND job_date <= '2026-11-11' ORDER BY 1;

-- the missing days are made later: the nearest one holds back now
SELECT * FROM josch.schedule('2026-11-09', 'Parent');
SELECT * FROM josch.schedule('2026-11-10', 'Parent');
SELECT * FROM josch.schedule('2026-11-14', 'Late');
SELECT * FROM shown WHERE node_id = 10 AND job_date <= '2026-11-12' ORDER BY 1;
SELECT * FROM shown WHERE node_id = 11 AND job_date BETWEEN '2026-11-14' AND '2026-11-16' ORDER BY 1;

-- a parent that is done already does not hold back
SELECT josch.skip(1, '2026-11-10'), josch.skip(2, '2026-11-14');
SELECT * FROM josch.schedule('2026-11-12', 'Parent');
SELECT josch.skip(1, '2026-11-12');
SELECT * FROM shown WHERE node_id = 10 AND job_date <= '2026-11-13' ORDER BY 1;
SELECT * FROM shown WHERE node_id = 11 AND job_date = '2026-11-15';
SELECT * FROM josch.unschedule('2026-11-17', 'Child');
SELECT * FROM josch.schedule('2026-11-16', 'Parent');
SELECT josch.skip(1, '2026-11-16');
SELECT * FROM josch.schedule('2026-11-17', 'Child');
SELECT * FROM shown WHERE job_date = '2026-11-17' ORDER BY 2;

-- children that are held, forced or done are counted too, and stay what they are
SELECT * FROM josch.unschedule('2026-11-09', 'Parent');
SELECT state, unmet FROM josch.nodes WHERE node_id = 10 AND job_date = '2026-11-10';
SELECT josch.hold(10, '2026-11-10');
SELECT * FROM josch.schedule('2026-11-09', 'Parent');
SELECT state, unmet FROM josch.nodes WHERE node_id = 10 AND job_date = '2026-11-10';
SELECT josch.release(10, '2026-11-10');
SELECT state, unmet FROM josch.nodes WHERE node_id = 10 AND job_date = '2026-11-10';
SELECT * FROM josch.unschedule('2026-11-09', 'Parent');
SELECT josch.force_start(10, '2026-11-10');
SELECT * FROM josch.schedule('2026-11-09', 'Parent');
SELECT state, unmet, forced FROM josch.nodes WHERE node_id = 10 AND job_date = '2026-11-10';
SELECT * FROM josch.unschedule('2026-11-09', 'Parent');
SELECT josch.skip(10, '2026-11-10');
SELECT * FROM josch.schedule('2026-11-09', 'Parent');
SELECT state, unmet FROM josch.nodes WHERE node_id = 10 AND job_date = '2026-11-10';

-- a node that its job does not have on that day, because it was added later, will not come: it is not expected
SELECT * FROM josch.schedule('2026-11-20', 'Parent');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (3, 'N', 'Parent', 'added');
INSERT INTO josch.tpl_node_deps VALUES (3, -1, 10, 0), (3, 0, 11, 0);
SELECT * FROM josch.schedule('2026-11-21', 'Child');
SELECT * FROM shown WHERE job_date = '2026-11-21' AND node_id IN (10, 11) ORDER BY 2;
SELECT * FROM josch.schedule('2026-11-21', 'Parent');
SELECT * FROM shown WHERE job_date = '2026-11-21' AND node_id IN (10, 11) ORDER BY 2;
-- unless that day is made again
SELECT * FROM josch.unschedule('2026-11-20', 'Parent');
SELECT * FROM josch.schedule('2026-11-20', 'Parent');
SELECT * FROM shown WHERE job_date = '2026-11-21' AND node_id IN (10, 11) ORDER BY 2;

-- levels grow along every dependency, also when the parent is made last
SELECT count(*) AS dependencies, count(*) FILTER (WHERE p.level >= c.level) AS wrong
FROM josch.node_deps d JOIN josch.nodes c ON c.node_id = d.c_node_id AND c.job_date = d.c_date
	JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT i, 'N', 'Late', i FROM generate_series(20, 25) i;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT i, i + 1 FROM generate_series(20, 24) i UNION ALL SELECT 25, 10;
SELECT * FROM josch.schedule('2026-12-01', 'Child');
SELECT node_id, level FROM josch.nodes WHERE job_date = '2026-12-01' ORDER BY 1;
SELECT * FROM josch.schedule('2026-12-01', 'Late');
SELECT node_id, level FROM josch.nodes WHERE job_date = '2026-12-01' ORDER BY 1;
ROLLBACK;
