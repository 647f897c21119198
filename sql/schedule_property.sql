/* After any sequence of steps: the counts of parents are what a recount gives, states agree with it, levels grow along dependencies. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET datestyle = 'ISO';
SET josch.now = '2026-11-12 12:00+00';
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, valid_from) SELECT 'job' || i, date '2026-11-08' + i FROM generate_series(1, 4) i;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, join_rule)
SELECT i, CASE WHEN i % 5 = 0 THEN 'S' WHEN i % 8 = 1 THEN 'R' ELSE 'N' END, 'job' || (1 + i % 4), 'node ' || i, CASE WHEN i % 3 = 0 THEN 'any' ELSE 'all' END FROM generate_series(1, 24) i;

CREATE TEMP VIEW wrong AS
SELECT n.job_date, n.node_id, n.state, n.unmet, r.unmet AS recount, n.impossible, r.impossible AS is_impossible, n.satisfied, r.satisfied AS is_satisfied, n.level, r.above
FROM josch.nodes n CROSS JOIN LATERAL (
	SELECT count(*) FILTER (WHERE p.node_id IS NULL AND d.expected OR p.node_id IS NOT NULL AND NOT m.satisfies AND NOT m.impossible) AS unmet,
		count(*) FILTER (WHERE m.satisfies) AS satisfied, count(*) FILTER (WHERE m.impossible) AS impossible,
		coalesce(max(p.level), -1) AS above
	FROM josch.node_deps d LEFT JOIN josch.nodes p ON p.node_id = d.p_node_id AND p.job_date = d.p_date
	CROSS JOIN LATERAL (SELECT CASE d.condition WHEN 'success' THEN p.state IN ('succeeded', 'skipped', 'up')
			WHEN 'done' THEN p.state IN ('succeeded', 'skipped', 'failed', 'abandoned', 'omitted') ELSE p.state IN ('failed', 'abandoned') END AS satisfies,
		CASE d.condition WHEN 'success' THEN p.state IN ('abandoned', 'omitted') WHEN 'done' THEN false
			ELSE p.state IN ('succeeded', 'skipped', 'omitted') END AS impossible) m
	WHERE d.c_node_id = n.node_id AND d.c_date = n.job_date) r
CROSS JOIN LATERAL (SELECT r.unmet + r.impossible = 0 OR n.join_rule = 'any' AND r.satisfied > 0 OR n.forced AS runs,
	r.impossible > 0 AND (n.join_rule = 'all' OR r.unmet + r.satisfied = 0) AND NOT n.forced AS omits) j
WHERE (n.unmet, n.impossible, n.satisfied) <> (r.unmet, r.impossible, r.satisfied) OR n.level <= r.above
	OR (n.state = 'pending' AND j.runs) OR (n.state = 'ready' AND NOT j.runs)
	OR (n.state IN ('ready', 'held') OR EXISTS (SELECT FROM josch.states() s WHERE s.state = n.state AND s.attention)
			OR n.state = 'pending' AND j.omits OR n.state = 'omitted' AND NOT j.omits)
		<> EXISTS (SELECT FROM josch.waiting w WHERE w.node_id = n.node_id AND w.job_date = n.job_date);

CREATE FUNCTION pg_temp.random_step() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	day date := date '2026-11-09' + (random() * 5)::int;
	job text := 'job' || (1 + floor(random() * 4))::int;
	what float := random();
	condition text := (ARRAY['success', 'success', 'done', 'failure'])[1 + floor(random() * 4)::int];
	node record;
	p bigint := 1 + floor(random() * 24)::int;
	c bigint := 1 + floor(random() * 24)::int;
	lag integer := floor(random() * 3)::int;
	possible text[];
	act text;
BEGIN
	IF what < 0.20 THEN
		PERFORM josch.schedule(day, CASE WHEN random() < 0.7 THEN job END);
		RETURN 'schedule';
	ELSIF what < 0.35 THEN
		PERFORM josch.unschedule(day, CASE WHEN random() < 0.8 THEN job END);
		RETURN 'unschedule';
	ELSIF what < 0.45 THEN
		INSERT INTO josch.tpl_node_deps VALUES (p, -lag, c, 0, condition);
		RETURN 'add a template dependency';
	ELSIF what < 0.50 THEN
		DELETE FROM josch.tpl_node_deps WHERE p_node_id = p;
		RETURN 'delete template dependencies';
	ELSIF what < 0.55 THEN
		INSERT INTO josch.node_deps SELECT p, day - lag, c, day, random() < 0.5, 0, condition;
		RETURN 'add a dependency of a day';
	ELSIF what < 0.58 THEN
		DELETE FROM josch.node_deps WHERE p_node_id = p AND c_date = day;
		RETURN 'delete dependencies of a day';
	ELSIF what < 0.60 THEN
		UPDATE josch.tpl_jobs SET valid_from = day WHERE job_name = job;
		RETURN 'valid_from';
	ELSIF what < 0.61 THEN
		UPDATE josch.nodes SET join_rule = CASE join_rule WHEN 'any' THEN 'all' ELSE 'any' END WHERE node_id = p;
		RETURN 'another join';
	ELSIF what < 0.622 THEN
		PERFORM josch.tick('2026-11-12 12:00+00');
		RETURN 'tick';
	END IF;
	SELECT n.node_id, n.job_date, n.node_type, n.state INTO node
	FROM josch.nodes n WHERE n.job_date = day ORDER BY (n.node_id + c) % 24 LIMIT 1;
	IF NOT FOUND THEN
		RETURN 'nothing';
	END IF;
	possible := ARRAY(SELECT action FROM josch.fsm WHERE from_state = node.state AND who = 'person'
		AND strpos(node_types, node.node_type) > 0 ORDER BY edge);
	IF possible = '{}' THEN
		RETURN 'nothing';
	END IF;
	act := possible[1 + floor(random() * cardinality(possible))::int];
	EXECUTE format('SELECT josch.%I($1, $2)', act) USING node.node_id, node.job_date;
	RETURN act;
END $$;

CREATE TEMP TABLE steps (step int, what text, failed text);
DO $$
DECLARE
	done text;
	fault record;
BEGIN
	PERFORM setseed(0.1);
	FOR i IN 1 .. 2400 LOOP
		done := NULL;
		BEGIN
			done := pg_temp.random_step();
			INSERT INTO steps VALUES (i, done);
		EXCEPTION WHEN no_data_found OR object_not_in_prerequisite_state OR check_violation OR unique_violation OR foreign_key_violation THEN
			INSERT INTO steps VALUES (i, NULL, SQLSTATE);
		END;
		CONTINUE WHEN i % 4 > 0;
		FOR fault IN SELECT * FROM wrong LIMIT 3 LOOP
			RAISE WARNING 'after step % (%): %', i, done, fault;
		END LOOP;
		EXIT WHEN FOUND;
	END LOOP;
END $$;
SELECT count(*) AS steps FROM steps;
SELECT count(*) AS wrong FROM wrong;
-- all of it was tried, and not in vain
SELECT DISTINCT what FROM steps WHERE what IS NOT NULL ORDER BY 1;
SELECT failed, count(*) > 0 AS sometimes FROM steps WHERE failed IS NOT NULL GROUP BY 1 ORDER BY 1;
SELECT count(DISTINCT (old_values ->> 'state', new_values ->> 'state')) > 10 AS changes_of_state,
	count(*) FILTER (WHERE operation = 'INSERT') > 200 AS made, count(*) FILTER (WHERE operation = 'DELETE') > 100 AS taken_back
FROM josch.nodes_audit;
ROLLBACK;
