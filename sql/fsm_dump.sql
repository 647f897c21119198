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
-- each act of a person has its function
SELECT DISTINCT action FROM josch.fsm WHERE who = 'person'
	AND NOT EXISTS (SELECT FROM pg_proc WHERE pronamespace = 'josch'::regnamespace AND proname = action);
