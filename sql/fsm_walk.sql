-- Every pair of states, for every type of node, by plain UPDATE: people can take
-- exactly the edges that josch.fsm gives to persons.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('Walk', '2026-03-02', 'UTC');
CREATE TEMP TABLE walk (node_type text, from_state text, to_state text, taken boolean, sqlstate text);
DO $$
DECLARE
	pair record;
BEGIN
	FOR pair IN
		SELECT t.node_type, f.state AS from_state, s.state AS to_state
		FROM unnest(ARRAY['S', 'L', 'N', 'R']) AS t(node_type), josch.states() f, josch.states() s
	LOOP
		-- as pg_restore does it: a row arrives in whatever state it was
		SET LOCAL check_function_bodies = off;
		SET LOCAL row_security = off;
		INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, state)
		VALUES ('2026-03-02', 1, pair.node_type, 'Walk', 'n',
			CASE WHEN pair.node_type = 'L' THEN 'sleep 9' END, pair.from_state);
		SET LOCAL check_function_bodies = on;
		SET LOCAL row_security = on;
		BEGIN
			UPDATE josch.nodes SET state = pair.to_state WHERE node_id = 1;
			INSERT INTO walk VALUES (pair.node_type, pair.from_state, pair.to_state, true, NULL);
		EXCEPTION WHEN OTHERS THEN
			INSERT INTO walk VALUES (pair.node_type, pair.from_state, pair.to_state, false, sqlstate);
		END;
		DELETE FROM josch.nodes;
	END LOOP;
END
$$;
SELECT count(*) AS pairs, count(*) FILTER (WHERE taken) AS taken, array_agg(DISTINCT sqlstate) AS refusals FROM walk;
-- taken against the table, or refused against it: none
SELECT w.* FROM walk w
WHERE w.taken <> EXISTS (SELECT FROM josch.fsm f WHERE f.who = 'person' AND f.from_state = w.from_state
	AND f.to_state = w.to_state AND f.from_state <> f.to_state AND strpos(f.node_types, w.node_type) > 0);
-- the functions: each works from exactly the states that have an edge of its name
CREATE TEMP TABLE acts (action text, node_type text, from_state text, done boolean);
DO $$
DECLARE
	act record;
BEGIN
	FOR act IN
		SELECT a.action, t.node_type, f.state AS from_state
		FROM (SELECT DISTINCT action FROM josch.fsm WHERE who = 'person') a,
			unnest(ARRAY['S', 'L', 'N', 'R']) AS t(node_type), josch.states() f
	LOOP
		SET LOCAL check_function_bodies = off;
		SET LOCAL row_security = off;
		INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, state)
		VALUES ('2026-03-02', 1, act.node_type, 'Walk', 'n',
			CASE WHEN act.node_type = 'L' THEN 'sleep 9' END, act.from_state);
		SET LOCAL check_function_bodies = on;
		SET LOCAL row_security = on;
		BEGIN
			EXECUTE format('SELECT josch.%I(1, ''2026-03-02'', ''walk'')', act.action);
			INSERT INTO acts SELECT act.action, act.node_type, act.from_state, n.action = act.action AND n.comment = 'walk'
			FROM josch.nodes n;
		EXCEPTION WHEN object_not_in_prerequisite_state THEN
			INSERT INTO acts VALUES (act.action, act.node_type, act.from_state, false);
		END;
		DELETE FROM josch.nodes;
	END LOOP;
END
$$;
SELECT action, count(*) FILTER (WHERE done) AS done, count(*) FILTER (WHERE NOT done) AS refused
FROM acts GROUP BY action ORDER BY action;
SELECT a.* FROM acts a
WHERE a.done <> EXISTS (SELECT FROM josch.fsm f WHERE f.who = 'person' AND f.from_state = a.from_state
	AND f.action = a.action AND strpos(f.node_types, a.node_type) > 0);
ROLLBACK;
