-- The whole state machine: a change of it is a change of this file's output.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SELECT edge, from_state, to_state, node_types, who, action, comment FROM josch.fsm ORDER BY edge;
SELECT * FROM josch.states();
SELECT josch.fsm_dot();
-- each state that people can be in front of has a way out of it
SELECT s.state FROM josch.states() s WHERE s.attention
	AND NOT EXISTS (SELECT FROM josch.fsm f WHERE f.from_state = s.state AND f.who = 'person');
-- the constraint on nodes.state and the program know the same states
SELECT s.state FROM josch.states() s
WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'nodes_state_is_known'
	AND pg_get_constraintdef(oid) LIKE '%''' || s.state || '''%');
SELECT (SELECT count(*) FROM josch.states()) AS states,
	(SELECT count(*) FROM pg_constraint c, regexp_matches(pg_get_constraintdef(c.oid), '''[a-z]+''::text', 'g')
	 WHERE conname = 'nodes_state_is_known') AS in_constraint;
-- each state says all that is asked of it: words, colours of its own, a place in the order of urgency
SELECT state FROM josch.states()
WHERE meaning !~ '\S' OR words !~ '\S' OR fill !~ '^#[0-9a-f]{6}$' OR text_color !~ '^#[0-9a-f]{6}$' OR (final AND attention);
SELECT count(DISTINCT fill) = count(*) AS fills, array_agg(urgency ORDER BY urgency) = array_agg(n::integer ORDER BY n) AS urgencies
FROM josch.states() WITH ORDINALITY AS s (state, satisfies, attention, meaning, begun, final, urgency, fill, text_color, words, dark_fill, dark_text,
	success, done, failure, n);
-- what is final the engine leaves alone, but what it has omitted itself
SELECT f.from_state FROM josch.fsm f JOIN josch.states() s ON s.state = f.from_state WHERE s.final AND f.who = 'engine';
-- each act is an action of people, and the other way round
SELECT * FROM josch.acts();
SELECT a.action AS act, f.action AS edge FROM josch.acts() a
FULL JOIN (SELECT DISTINCT action FROM josch.fsm WHERE who = 'person') f ON f.action = a.action
WHERE a.action IS NULL OR f.action IS NULL;
-- each is a function, and nothing else is entered where they are
SELECT a.action AS act, p.oid::regprocedure AS function FROM josch.acts() a
FULL JOIN (SELECT * FROM pg_proc WHERE prosrc = 'josch_api_act') p
	ON p.proname = a.action AND p.pronamespace = 'josch'::regnamespace AND p.pronargs = CASE a.action WHEN 'rerun' THEN 4 ELSE 3 END
WHERE a.action IS NULL OR p.proname IS NULL;
