/*
 * Without a calendar a job has the days that are made: -1 is the nearest earlier one, in whatever order they are made.
 */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
-- a desk that works on weekdays, and makes Monday first
INSERT INTO josch.tpl_jobs (job_name, valid_from) VALUES ('Desk', '2025-01-01');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'Desk', 'open'), (2, 'S', 'Desk', 'close');
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0), (2, -1, 1, 0);
CREATE TEMP VIEW opens AS
SELECT c.job_date, c.state, c.unmet, d.p_date, d.expected, p.state AS close
FROM josch.nodes c JOIN josch.node_deps d ON (d.c_node_id, d.c_date) = (c.node_id, c.job_date)
	LEFT JOIN josch.nodes p ON (p.node_id, p.job_date) = (d.p_node_id, d.p_date) WHERE c.node_id = 1 ORDER BY 1;
SELECT * FROM josch.schedule('2025-03-17');
SELECT * FROM opens;
SELECT * FROM josch.schedule('2025-03-13');
SELECT * FROM opens;
SELECT * FROM josch.schedule('2025-03-14');
SELECT * FROM opens;
SELECT josch.skip(2, '2025-03-14');
SELECT * FROM opens;
-- a day is taken back: the one before holds back instead
SELECT * FROM josch.schedule('2025-03-16');
SELECT * FROM opens;
SELECT * FROM josch.unschedule('2025-03-16');
SELECT * FROM opens;
-- what has started waits for nothing any more
SELECT josch.tick('2025-03-17 12:00+00') > 0 AS passes;
SELECT * FROM josch.schedule('2025-03-15');
SELECT * FROM opens;
-- another name is the same job
UPDATE josch.tpl_jobs SET job_name = 'Office';
SELECT * FROM josch.schedule('2025-03-18');
SELECT * FROM opens WHERE job_date = '2025-03-18';
SELECT * FROM josch.environment(1, '2025-03-18') WHERE var LIKE '%DATE';
SELECT * FROM josch.environment(1, '2025-03-15') WHERE var LIKE '%DATE';
-- a node that its job did not have on that day will not come
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (3, 'N', 'Office', 'new');
INSERT INTO josch.tpl_node_deps VALUES (3, -1, 1, 0);
SELECT * FROM josch.schedule('2025-03-19');
SELECT * FROM opens WHERE job_date = '2025-03-19';
-- of the same day a job is expected from valid_from on, without it from loaded_on
INSERT INTO josch.tpl_jobs (job_name, valid_from, loaded_on) VALUES ('First', '2025-04-10', '2025-04-01'), ('Second', NULL, '2025-04-11');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (11, 'N', 'First', 'f'), (12, 'N', 'Second', 's');
DELETE FROM josch.tpl_node_deps;
INSERT INTO josch.tpl_node_deps VALUES (11, 0, 1, 0), (12, 0, 1, 0);
SELECT count(*) FROM generate_series(date '2025-04-09', '2025-04-11', interval '1 day') day, josch.schedule(day::date, 'Office');
SELECT p_node_id, p_date, expected FROM josch.node_deps WHERE c_date > '2025-04-01' ORDER BY 1, 2;
-- also where they are made together
SELECT job_name, nodes, dependencies FROM josch.schedule('2025-04-08');
SELECT p_node_id, p_date, expected FROM josch.node_deps WHERE c_date = '2025-04-08' ORDER BY 1, 2;
-- the record has what it stood for
SELECT operation, p_date, old_values, new_values FROM josch.node_deps_audit WHERE operation = 'UPDATE' AND c_date = '2025-03-17' ORDER BY audit_id;
ROLLBACK;

/* Any order, any lag: what each dependency points to is what the days that are there say. */
SET josch.now = '2026-11-12 12:00+00';
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, valid_from) SELECT 'job' || i, '2020-01-01' FROM generate_series(1, 3) i;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
SELECT 10 * j + i, 'S', 'job' || j, 'node ' || i FROM generate_series(1, 3) j, generate_series(1, 2) i;
-- among others (0, 1), which is -1, also where it is written in both ways, and a parent on a later day
INSERT INTO josch.tpl_node_deps VALUES (11, -1, 12, 0), (11, 0, 12, 1), (11, -2, 12, 0), (12, 0, 21, 1), (21, -3, 22, 0), (22, 0, 31, 0), (22, 1, 31, 1), (32, 1, 22, 0), (31, -1, 11, 0);

-- the nearest days of the parent's job, counted one by one
CREATE FUNCTION pg_temp.meant(parent_job text, child_date date, lag integer) RETURNS date LANGUAGE plpgsql AS $$
DECLARE
	days integer := 0;
	each date := child_date;
BEGIN
	FOR i IN 1 .. 100 LOOP
		each := each - sign(lag)::integer;
		days := days + (EXISTS (SELECT FROM josch.jobs WHERE job_name = parent_job AND job_date = each))::integer;
		IF days = abs(lag) THEN
			RETURN each;
		END IF;
	END LOOP;
	RETURN NULL;
END $$;
CREATE TEMP VIEW wrong AS
SELECT n.node_id, n.job_date, n.state, n.unmet, t.p_node_id, t.lag, d.p_date, m.meant, d.expected
FROM josch.nodes n
JOIN (SELECT c_node_id, p_node_id, c_date - p_date AS lag FROM josch.tpl_node_deps) t ON t.c_node_id = n.node_id
JOIN josch.tpl_nodes p ON p.node_id = t.p_node_id
CROSS JOIN LATERAL (SELECT CASE WHEN t.lag = 0 THEN n.job_date ELSE pg_temp.meant(p.job_name, n.job_date, t.lag) END AS meant) m
LEFT JOIN josch.node_deps d ON (d.p_node_id, d.c_node_id, d.c_date, d.lag) = (t.p_node_id, n.node_id, n.job_date, t.lag)
LEFT JOIN josch.jobs j ON (j.job_name, j.job_date) = (p.job_name, d.p_date)
WHERE n.state IN ('pending', 'ready', 'held') AND (d.p_date IS NULL OR (m.meant IS NULL AND (j.job_date IS NOT NULL OR d.expected))
	OR m.meant <> d.p_date);
CREATE TEMP VIEW miscounted AS
SELECT n.job_date, n.node_id, n.state, n.unmet, r.unmet AS recount, n.level, r.above
FROM josch.nodes n CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE CASE WHEN p.node_id IS NULL THEN d.expected
			ELSE p.state NOT IN ('succeeded', 'skipped', 'up') END) AS unmet,
		coalesce(max(p.level), -1) AS above
	FROM josch.node_deps d LEFT JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date
	WHERE d.c_node_id = n.node_id AND d.c_date = n.job_date) r
WHERE n.unmet <> r.unmet OR n.level <= r.above OR (n.state = 'pending' AND n.unmet = 0) OR (n.state = 'ready' AND n.unmet > 0);
CREATE TEMP TABLE done (what text);
DO $$
DECLARE
	day date;
	job text;
	node record;
	fault record;
BEGIN
	PERFORM setseed(0.3);
	FOR i IN 1 .. 400 LOOP
		day := date '2026-11-01' + (random() * 11)::integer;
		job := CASE WHEN random() < 0.8 THEN 'job' || (1 + floor(random() * 3))::integer END;
		BEGIN
			IF random() < 0.55 THEN
				PERFORM josch.schedule(day, job);
				INSERT INTO done VALUES ('schedule');
			ELSIF random() < 0.6 THEN
				PERFORM josch.unschedule(day, job);
				INSERT INTO done VALUES ('unschedule');
			ELSE
				SELECT n.node_id, n.job_date, n.state INTO STRICT node FROM josch.nodes n ORDER BY random() LIMIT 1;
				IF random() < 0.3 AND node.state IN ('pending', 'ready') THEN
					PERFORM josch.hold(node.node_id, node.job_date);
				ELSIF node.state = 'held' THEN
					PERFORM josch.release(node.node_id, node.job_date);
				ELSE
					PERFORM josch.skip(node.node_id, node.job_date);
				END IF;
				INSERT INTO done VALUES ('act');
			END IF;
		EXCEPTION WHEN no_data_found OR object_not_in_prerequisite_state THEN
			INSERT INTO done VALUES ('refused');
		END;
		FOR fault IN SELECT to_jsonb(w) FROM wrong w UNION ALL SELECT to_jsonb(m) FROM miscounted m LIMIT 3 LOOP
			RAISE WARNING 'after step % (% %): %', i, day, job, fault;
		END LOOP;
		EXIT WHEN FOUND;
	END LOOP;
END $$;
SELECT what, count(*) > 20 AS often FROM done GROUP BY 1 ORDER BY 1;
SELECT count(*) > 60 AS followed FROM josch.node_deps_audit WHERE operation = 'UPDATE';
ROLLBACK;
