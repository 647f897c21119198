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
ROLLBACK;
