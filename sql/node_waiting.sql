-- josch.waiting says of each node what it waits for, and nothing else: whichever way the node came there.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00+00';
-- what follows from the rows; one that was due once need not wait for its time any more
CREATE TEMP VIEW meant AS
SELECT n.job_date, n.node_id, n.state, n.due_at IS NOT NULL AND NOT n.forced OR n.not_before IS NOT NULL AS timed,
	CASE WHEN s.attention THEN 'p' WHEN n.state = 'held' THEN 'h'
		WHEN n.state = 'pending' AND o.mits AND NOT n.forced OR n.state = 'omitted' AND NOT o.mits AND n.ended_at IS NULL THEN 'o'
		WHEN n.state <> 'ready' THEN NULL
		WHEN n.exec_command IS NOT NULL THEN 'c' WHEN n.exec_sql IS NOT NULL THEN 's' ELSE 'f' END AS waits_for, greatest(CASE WHEN NOT n.forced THEN n.due_at END, n.not_before) AS due_at
FROM josch.nodes n JOIN josch.states() s ON s.state = n.state,
	LATERAL (SELECT n.impossible > 0 AND (n.join_rule = 'all' OR n.unmet + n.satisfied = 0) AS mits) o;
CREATE TEMP VIEW wrong AS
SELECT m.job_date, m.node_id, m.state, m.waits_for AS meant, w.waits_for AS said, w.due_at
FROM (SELECT * FROM meant WHERE waits_for IS NOT NULL) m
FULL JOIN josch.waiting w ON w.job_date = m.job_date AND w.node_id = m.node_id
WHERE m.node_id IS NULL OR w.node_id IS NULL OR NOT (
	w.waits_for::text = m.waits_for AND w.due_at = '-infinity' OR m.state = 'ready' AND m.timed AND w.waits_for = 't' AND w.due_at = m.due_at);
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
-- as in a restore: each state with each kind of work, with a time and without
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, state, exec_command, exec_sql, due_at, forced, not_before,
	join_rule, impossible, satisfied, ended_at)
SELECT '2026-03-02', row_number() OVER (ORDER BY s.state, k.kind, t.due, t.forced, t.again), k.kind, 'J',
	'node ' || row_number() OVER (ORDER BY s.state, k.kind, t.due, t.forced, t.again), s.state,
	CASE WHEN k.kind IN ('L', 'R') THEN 'true' END, CASE WHEN k.kind = 'N' THEN 'SELECT 1' END, t.due, t.forced, t.again,
	CASE WHEN k.kind IN ('S', 'L') THEN 'all' ELSE 'any' END, CASE WHEN s.state IN ('pending', 'omitted') AND k.kind <> 'N' THEN 1 ELSE 0 END,
	CASE WHEN k.kind IN ('L', 'R') AND t.due IS NOT NULL THEN 1 ELSE 0 END, CASE WHEN s.state = 'omitted' AND t.forced THEN t.due END
FROM josch.states() s, (VALUES ('S'), ('L'), ('N'), ('R')) k(kind),
	(VALUES (NULL::timestamptz, false, NULL::timestamptz), ('2026-03-02 07:00+00', false, NULL), ('2026-03-02 09:00+00', false, NULL), ('2026-03-02 09:00+00', true, NULL),
		(NULL, false, '2026-03-02 10:00+00'), ('2026-03-02 09:00+00', false, '2026-03-02 08:30+00'), ('2026-03-02 09:00+00', true, '2026-03-02 08:30+00')) t(due, forced, again);
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;
SELECT * FROM wrong;
SELECT waits_for, count(*) FROM josch.waiting GROUP BY 1 ORDER BY 1;
-- every act of people on every node of every state
DO $$
DECLARE
	act record;
	done int := 0;
BEGIN
	FOR act IN
		SELECT DISTINCT n.node_id, f.action FROM josch.nodes n
		JOIN josch.fsm f ON f.who = 'person' AND f.from_state = n.state AND strpos(f.node_types, n.node_type) > 0
		ORDER BY 1, 2
	LOOP
		BEGIN
			EXECUTE format('SELECT josch.%I($1, $2)', act.action) USING act.node_id, date '2026-03-02';
			done := done + 1;
			IF EXISTS (SELECT FROM wrong) THEN
				RAISE WARNING '% of node %: %', act.action, act.node_id, (SELECT w FROM wrong w LIMIT 1);
			END IF;
			RAISE no_data_found;
		EXCEPTION WHEN no_data_found OR object_not_in_prerequisite_state THEN
			NULL;
		END;
	END LOOP;
	IF done < 200 OR EXISTS (SELECT FROM wrong) THEN
		RAISE WARNING '% acts; after them: %', done, (SELECT w FROM wrong w LIMIT 1);
	END IF;
END $$;
-- its work is taken away, changed, given
UPDATE josch.nodes SET exec_sql = NULL WHERE node_type = 'N';
SELECT * FROM wrong;
UPDATE josch.nodes SET exec_command = 'true' WHERE node_type = 'N';
SELECT * FROM wrong;
UPDATE josch.nodes SET exec_command = NULL, exec_sql = 'SELECT 2' WHERE node_type = 'R';
SELECT * FROM wrong;
UPDATE josch.nodes SET exec_command = NULL, exec_sql = NULL WHERE node_type IN ('N', 'R');
SELECT * FROM wrong;
-- time goes on, and back again: who was due once is so
SELECT josch.tick('2026-03-02 06:59+00') AS changes;
SELECT * FROM wrong;
SELECT state, count(*) FROM josch.nodes WHERE node_type = 'S' AND due_at = '2026-03-02 07:00+00' GROUP BY 1 HAVING state IN ('ready', 'signoff') ORDER BY 1;
SELECT josch.tick('2026-03-02 07:00+00') AS changes;
SELECT state, count(*) FROM josch.nodes WHERE node_type = 'S' AND due_at = '2026-03-02 07:00+00' GROUP BY 1 HAVING state IN ('ready', 'signoff') ORDER BY 1;
SELECT * FROM wrong;
SELECT josch.tick('2026-03-02 06:00+00') AS changes;
SELECT * FROM wrong;
SELECT josch.tick('2026-03-02 09:00+00') AS changes;
SELECT * FROM wrong;
SELECT waits_for, count(*) FROM josch.waiting GROUP BY 1 ORDER BY 1;
-- days come and go
DELETE FROM josch.nodes WHERE node_id % 2 = 0;
SELECT * FROM wrong;
DELETE FROM josch.nodes;
SELECT count(*) FROM josch.waiting;
-- a chain of milestones within a chain of commands: what is freed by a pass, and what a trigger of somebody's undoes in it
INSERT INTO josch.tpl_jobs (job_name) VALUES ('K');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
SELECT i, 'N', 'K', 'node ' || i, CASE WHEN i > 30 THEN 'true' END FROM generate_series(1, 40) i;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT i, i + 1 FROM generate_series(1, 29) i;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT 30, i FROM generate_series(31, 40) i;
SELECT josch.schedule('2026-03-03', 'K');
SELECT * FROM wrong;
CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM josch.hold(33, '2026-03-03');
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	RETURN NULL;
END $$;
CREATE TRIGGER meddle AFTER UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 35 AND NEW.state = 'ready') EXECUTE FUNCTION meddle();
SELECT josch.tick('2026-03-03 08:00+00') AS changes;
SELECT * FROM wrong;
SELECT waits_for, count(*) FROM josch.waiting GROUP BY 1 ORDER BY 1;
-- and what it does for good, in a transaction within
CREATE OR REPLACE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	BEGIN
		PERFORM josch.hold(33, '2026-03-04');
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END;
	RETURN NULL;
END $$;
SELECT josch.schedule('2026-03-04', 'K');
SELECT josch.tick('2026-03-04 08:00+00') AS changes;
SELECT * FROM wrong;
SELECT state, min(node_id), max(node_id), count(*), max(message) AS message FROM josch.nodes WHERE job_date = '2026-03-04' GROUP BY 1 ORDER BY 2;
ROLLBACK;
