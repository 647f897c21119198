-- What waits for people: josch.attention, and what the clients are told.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE ROLE regress_alice;
GRANT josch_operator TO regress_alice;
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES
	('2026-03-02', 1, 'S', 'J', 'sign'), ('2026-03-02', 2, 'R', 'J', 'judge'), ('2026-03-02', 3, 'N', 'J', 'end'),
	('2026-03-02', 4, 'N', 'J', 'other end');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES
	(1, '2026-03-02', 3, '2026-03-02'), (2, '2026-03-02', 3, '2026-03-02'), (1, '2026-03-02', 4, '2026-03-02');
SELECT count(*) FROM josch.attention;
SELECT josch.tick('2026-03-02 08:05:00+00');
SELECT job_date, node_id, job_name, node_name, node_type, state, since, waits_for, acts, blocks, message
FROM josch.attention ORDER BY node_id;
-- a child that is gone on without waits for nothing; whatever state asks for a person is there
SAVEPOINT s;
SELECT josch.skip(3, '2026-03-02');
ALTER TABLE josch.nodes DISABLE TRIGGER door;
UPDATE josch.nodes SET state = 'unknown' WHERE node_id = 4;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, state)
	SELECT '2026-03-02', 10 + row_number() OVER (ORDER BY s.state), 'N', 'J', s.state, s.state FROM josch.states() s;
SELECT node_id, state, blocks, acts FROM josch.attention ORDER BY node_id;
SELECT state FROM josch.states() WHERE attention EXCEPT SELECT state FROM josch.attention;
ROLLBACK TO s;
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT josch.reject(2, '2026-03-02');
SELECT node_id, state, since, acts, message FROM josch.attention WHERE node_id = 2;
SELECT josch.signoff(1, '2026-03-02');
SELECT josch.skip(2, '2026-03-02');
SELECT count(*) FROM josch.attention;
ROLLBACK;
-- the view knows the states that wait for a person
SELECT state FROM josch.states() WHERE attention
EXCEPT SELECT unnest(ARRAY['failed', 'review', 'signoff', 'unknown']);
DROP ROLE regress_alice;
