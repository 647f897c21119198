/* josch.unschedule(): takes back what has not started, and nothing else. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('A', '2026-11-20'), ('B', '2026-11-20');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES
	(1, 'N', 'A', 'first'), (2, 'S', 'A', 'second'), (3, 'N', 'B', 'third'), (4, 'N', 'B', 'fourth'), (5, 'N', 'B', 'fifth'),
	(6, 'N', 'B', 'sixth'), (7, 'N', 'B', 'seventh'), (8, 'N', 'B', 'eighth');
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0), (2, 0, 3, 0), (3, 0, 4, 0), (2, -1, 2, 0);
CREATE TEMP VIEW shown AS
SELECT n.job_date, n.node_id, n.state, n.unmet FROM josch.nodes n WHERE node_id <= 4 ORDER BY 1, 2;

-- a day, and a job of a day; the audit keeps what was there
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT count(*) FROM josch.schedule('2026-11-21');
SELECT * FROM josch.unschedule('2026-11-21');
SELECT (SELECT count(*) FROM josch.jobs WHERE job_date = '2026-11-21') AS jobs,
	(SELECT count(*) FROM josch.nodes WHERE job_date = '2026-11-21') AS nodes,
	(SELECT count(*) FROM josch.node_deps WHERE c_date = '2026-11-21') AS dependencies;
SELECT (SELECT count(*) FROM josch.jobs_audit WHERE job_date = '2026-11-21' AND operation = 'DELETE') AS jobs,
	(SELECT count(*) FROM josch.nodes_audit WHERE job_date = '2026-11-21' AND operation = 'DELETE') AS nodes,
	(SELECT count(*) FROM josch.node_deps_audit WHERE c_date = '2026-11-21' AND operation = 'DELETE') AS dependencies;
SELECT * FROM josch.unschedule('2026-11-21');

-- the parent of another job is gone: expected, so its children wait still, also when it was skipped
SELECT * FROM josch.unschedule('2026-11-20', 'A');
SELECT * FROM shown;
SELECT * FROM josch.schedule('2026-11-20', 'A');
SELECT josch.skip(2, '2026-11-20');
SELECT * FROM shown;
SELECT * FROM josch.unschedule('2026-11-20', 'A');
SELECT * FROM shown;
-- not expected: its children need not wait any more
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT count(*) FROM josch.unschedule('2026-11-20');
UPDATE josch.tpl_jobs SET valid_from = '2026-11-21' WHERE job_name = 'A';
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT * FROM shown;
SELECT * FROM josch.unschedule('2026-11-20', 'A');
SELECT * FROM shown;
SELECT state, new_values ->> 'state' AS audited FROM josch.nodes n JOIN josch.nodes_audit USING (node_id, job_date)
WHERE node_id = 3 AND operation = 'UPDATE' ORDER BY audit_id DESC LIMIT 1;

-- waiting, held, skipped: nothing has started
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT josch.hold(1, '2026-11-20'), josch.skip(3, '2026-11-20');
SELECT count(*) FROM josch.unschedule('2026-11-20');

-- a sign-off that is asked for has not started; a milestone that is done has
SELECT count(*) FROM josch.schedule('2026-11-20');
SAVEPOINT before;
SELECT josch.skip(1, '2026-11-20');
SELECT josch.hold(n, '2026-11-20') FROM generate_series(5, 8) n;
SELECT josch.tick('2026-11-20 12:00+00') > 0 AS worked;
SELECT node_id, state FROM josch.nodes WHERE job_date = '2026-11-20' ORDER BY 1;
SELECT count(*) FROM josch.unschedule('2026-11-20');
ROLLBACK TO before;
SELECT josch.tick('2026-11-20 12:00+00') > 0 AS worked;
SELECT * FROM josch.unschedule('2026-11-20');
SELECT * FROM josch.unschedule('2026-11-20', 'A');
ROLLBACK TO before;

-- so has what runs, failed, or waits for judgement, and what has a run
SELECT josch.skip(n, '2026-11-20') FROM generate_series(1, 3) n;
SAVEPOINT before;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
UPDATE josch.nodes SET state = v.state FROM (VALUES (1, 'succeeded'), (3, 'running'), (4, 'failed'), (5, 'up'), (6, 'review'), (7, 'unknown')) v (id, state)
WHERE node_id = v.id;
RESET check_function_bodies;
RESET row_security;
SELECT * FROM josch.unschedule('2026-11-20');
SELECT * FROM josch.unschedule('2026-11-20', 'B');
ROLLBACK TO before;
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (node_id, job_date, attempt, kind) VALUES (8, '2026-11-20', 1, 'command');
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SELECT * FROM josch.unschedule('2026-11-20');
SELECT * FROM josch.unschedule('2026-11-20', 'A');
SELECT count(*) FROM josch.nodes WHERE job_date = '2026-11-20';
ROLLBACK TO before;

-- refused
SELECT * FROM josch.unschedule('2026-11-20', 'Nope');
SELECT * FROM josch.unschedule('2026-11-29', 'A');
SELECT * FROM josch.unschedule(NULL);
SELECT * FROM josch.unschedule('infinity');
SELECT * FROM josch.unschedule('2026-11-29');
ROLLBACK;
