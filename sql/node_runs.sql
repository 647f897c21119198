-- What ran is written by the scheduler only: a run that goes on, and that somebody deletes or ends by hand, would leave its node
-- running for ever.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET DateStyle = 'ISO';
BEGIN;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (1, 'N', 'J', 'runs', 'true');
SELECT * FROM josch.schedule('2026-03-02', 'J');
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind) VALUES (9301, 1, '2026-03-02', 1, 'command');
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, ended_at, exit_code)
	VALUES (9302, 1, '2026-03-02', 2, 'command', 'failed', '2026-03-02 09:00+00', 3);
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SAVEPOINT made;
UPDATE josch.runs SET status = 'succeeded', ended_at = josch.now() WHERE run_id = 9301;
ROLLBACK TO made;
UPDATE josch.runs SET exit_code = 0 WHERE run_id = 9302;
ROLLBACK TO made;
DELETE FROM josch.runs WHERE run_id = 9301;
ROLLBACK TO made;
-- nor is the setting of a replica a way around
SET LOCAL session_replication_role = replica;
DELETE FROM josch.runs WHERE run_id = 9301;
ROLLBACK TO made;
SET LOCAL session_replication_role = replica;
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind) VALUES (9303, 1, '2026-03-02', 3, 'command');
ROLLBACK TO made;
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind) VALUES (9303, 1, '2026-03-02', 3, 'command');
ROLLBACK TO made;
-- one that has ended may be cleared away
DELETE FROM josch.runs WHERE run_id = 9302;
SELECT run_id, status FROM josch.runs ORDER BY run_id;

-- a node that runs: what depends on it is not done again below it, its stop is asked of the run
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES
	(2, 'N', 'J', 'above', NULL), (3, 'L', 'J', 'serves', 'true'), (4, 'N', 'J', 'held', NULL);
INSERT INTO josch.tpl_node_deps VALUES (2, 0, 3, 0), (2, 0, 4, 0);
SELECT * FROM josch.schedule('2026-03-03', 'J');
ALTER TABLE josch.nodes DISABLE TRIGGER door;
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, ended_at) VALUES (9300, 3, '2026-03-03', 1, 'command', 'failed', '2026-03-03 07:00+00');
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status) VALUES (9304, 3, '2026-03-03', 2, 'command', 'running');
UPDATE josch.nodes SET state = CASE node_id WHEN 2 THEN 'succeeded' WHEN 3 THEN 'up' ELSE 'held' END, run_id = 9304,
	started_at = '2026-03-03 08:00+00', ended_at = '2026-03-03 09:00+00'
WHERE job_date = '2026-03-03' AND node_id > 1;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SAVEPOINT made;
SELECT josch.rerun(2, '2026-03-03', descendants => true);
ROLLBACK TO made;
-- a run is given up only when its stop was asked for, whichever way
SELECT josch.mark_failed(3, '2026-03-03', 'its host is gone');
ROLLBACK TO made;
UPDATE josch.nodes SET state = 'failed' WHERE node_id = 3 AND job_date = '2026-03-03';
ROLLBACK TO made;
SELECT josch.stop(3, '2026-03-03', 'enough');
SELECT run_id, stop_requested_at IS NOT NULL AS asked, stop_requested_by = session_user AS by_me FROM josch.runs WHERE job_date = '2026-03-03' ORDER BY run_id;
SAVEPOINT stopped;
UPDATE josch.nodes SET state = 'failed', comment = 'its host is gone' WHERE node_id = 3 AND job_date = '2026-03-03';
SELECT status, ended_at IS NOT NULL AS ended, message LIKE 'marked as failed by %' AS told FROM josch.runs WHERE run_id = 9304;
ROLLBACK TO stopped;
SELECT josch.mark_failed(3, '2026-03-03', 'its host is gone');
SELECT r.status, n.state, n.comment FROM josch.runs r JOIN josch.nodes n USING (node_id, job_date) WHERE r.run_id = 9304;
-- what may live of it is told to whoever wants it done once more
ALTER TABLE josch.nodes DISABLE TRIGGER door;
ALTER TABLE josch.runs DISABLE TRIGGER guard;
UPDATE josch.nodes SET state = 'unknown' WHERE job_date = '2026-03-03' AND node_id = 3;
UPDATE josch.runs SET survivors = '12 (sleep)' WHERE run_id = 9304;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SAVEPOINT lost;
SELECT josch.retry(3, '2026-03-03');
ROLLBACK TO lost;
SELECT josch.mark_success(3, '2026-03-03');
ROLLBACK TO stopped;
ALTER TABLE josch.nodes DISABLE TRIGGER door;
UPDATE josch.nodes SET state = 'failed' WHERE job_date = '2026-03-03' AND node_id = 3;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
SELECT josch.rerun(2, '2026-03-03', descendants => true);
-- what is to run again has not begun; what was held back meanwhile has
SELECT josch.release(4, '2026-03-03');
SELECT node_id, state, action, started_at IS NOT NULL AS started, ended_at IS NOT NULL AS ended FROM josch.nodes WHERE job_date = '2026-03-03' ORDER BY node_id;
ROLLBACK;
