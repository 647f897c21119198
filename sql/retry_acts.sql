-- A node that waits for its next attempt: what people and time do to it, and what is left of its retries.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET josch.now = '2026-03-02 07:00+00';
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
-- as the scheduler leaves them: failed once, the second attempt at 07:03; 2 is to start at 08:00 and was forced before; 3 has a child
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, state, due_at, forced, attempt, retries, retried, not_before, message)
SELECT '2026-03-02', i, 'N', 'J', 'node ' || i, CASE WHEN i > 3 THEN 'true' END, 'ready', CASE WHEN i IN (2, 5) THEN timestamptz '2026-03-02 08:00+00' END, i IN (2, 5),
	1, 3, 1, '2026-03-02 07:03+00', 'attempt 2 of 4 at 07:03; before: exit code 9'
FROM generate_series(1, 9) i;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, state, unmet, level) VALUES ('2026-03-02', 10, 'N', 'J', 'child', 'pending', 1, 1);
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command, state, attempt, retries, retried) VALUES
	('2026-03-02', 11, 'N', 'J', 'used up', 'true', 'failed', 4, 3, 3), ('2026-03-02', 12, 'R', 'J', 'good at last', 'true', 'review', 2, 3, 1),
	('2026-03-02', 13, 'N', 'J', 'nobody knows', 'true', 'unknown', 2, 3, 1);
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (3, '2026-03-02', 10, '2026-03-02');
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;
CREATE TEMP VIEW seen AS SELECT n.node_id AS id, n.state, n.not_before::timetz AS not_before, n.attempt, n.retried, n.forced, replace(n.message, session_user, 'me') AS message, w.waits_for, nullif(w.due_at, '-infinity')::timetz AS due_at
FROM josch.nodes n LEFT JOIN josch.waiting w USING (node_id, job_date) ORDER BY 1;
SELECT * FROM seen;
-- before that moment nothing is done about them; forced ones wait as well
SELECT josch.tick('2026-03-02 07:02:59.999+00');
SELECT id, state, waits_for FROM seen WHERE state <> 'ready' OR waits_for <> 't';
SAVEPOINT waiting;
-- then each has its turn: a milestone is done, and has no moment any more; commands wait for the scheduler
SELECT josch.tick('2026-03-02 07:03+00');
SELECT id, state, not_before, waits_for, due_at FROM seen WHERE id <= 10;
ROLLBACK TO waiting;
-- held back and released it goes on waiting, with what it has left
SELECT josch.hold(4, '2026-03-02', 'not now');
SELECT josch.tick('2026-03-02 07:10+00');
SELECT * FROM seen WHERE id = 4;
SELECT josch.release(4, '2026-03-02');
SELECT * FROM seen WHERE id = 4;
-- at once, and with as many retries as ever
SELECT josch.force_start(5, '2026-03-02');
SELECT josch.hold(6, '2026-03-02'), josch.force_start(6, '2026-03-02');
UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 7;
SELECT josch.hold(8, '2026-03-02'), josch.skip(8, '2026-03-02');
SELECT * FROM seen WHERE id BETWEEN 5 AND 8;
SELECT josch.retry(11, '2026-03-02'), josch.retry(12, '2026-03-02'), josch.rerun(13, '2026-03-02');
SELECT * FROM seen WHERE id > 10;
ROLLBACK TO waiting;
SELECT josch.mark_success(11, '2026-03-02'), josch.approve(12, '2026-03-02'), josch.mark_failed(13, '2026-03-02');
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 13;
SELECT * FROM seen WHERE id > 10;
-- children wait; a parent that is to be done again holds it back, and then it waits as before
SELECT id, state FROM seen WHERE id = 10;
INSERT INTO josch.nodes (job_date, node_type, job_name, node_name, node_id) VALUES ('2026-03-02', 'N', 'J', 'parent', 14);
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (14, '2026-03-02', 9, '2026-03-02');
SELECT * FROM seen WHERE id = 9;
SELECT josch.tick('2026-03-02 07:01+00');
SELECT * FROM seen WHERE id = 9;
-- nobody takes an attempt from a day, nor its moment
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, not_before, retried) VALUES ('2026-03-02', 15, 'N', 'J', 'new', '2026-03-02 09:00+00', 3);
SELECT * FROM seen WHERE id = 15;
ROLLBACK;
