-- A pass takes its nodes ten thousand at a time: a list that is full of commands for which there is no place hides nobody behind it,
-- and what is more than a list is done in the same pass. (josch.tick() has no places for commands.)
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
-- so many come as in a restore: as they are
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, state, exec_command, exec_sql)
SELECT '2026-03-02', n, CASE WHEN n > 20005 THEN 'S' ELSE 'N' END, 'J', 'node ' || n, 'ready', CASE WHEN n <= 10000 THEN 'true' END,
	CASE WHEN n = 10001 THEN 'SELECT 1' END
FROM generate_series(1, 20006) n;
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;
-- what was to be counted anew, and is gone
INSERT INTO josch.recounts VALUES (99999, '2026-03-02');
SELECT josch.tick('2026-03-02 08:00:01+00') AS changes;
SELECT CASE WHEN node_id <= 10000 THEN 'command' WHEN node_id = 10001 THEN 'sql' WHEN node_id <= 20005 THEN 'milestone' ELSE 'sign-off' END AS what,
	state, count(*) FROM josch.nodes GROUP BY 1, 2 ORDER BY 1, 2;
SELECT count(*) AS recounts FROM josch.recounts;
ROLLBACK;
