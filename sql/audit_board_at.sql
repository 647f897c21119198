-- josch.board_at(): at every moment of a recorded day it equals the board that people saw then.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
CREATE ROLE regress_josch_root SUPERUSER;
SET SESSION AUTHORIZATION regress_josch_root;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE TABLE seen (moment timestamptz, LIKE josch.board);
CREATE PROCEDURE look() LANGUAGE sql AS
	$$ INSERT INTO seen SELECT josch.now(), * FROM josch.board WHERE job_date = '2026-11-20' $$;

SET josch.now = '2026-11-20 08:00+00';
INSERT INTO josch.tpl_jobs VALUES ('Board', 'to be looked at'), ('Other', 'taken back later');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES
	(1, 'N', 'Board', 'first'), (2, 'S', 'Board', 'sign'), (3, 'R', 'Board', 'judge'), (4, 'N', 'Board', 'last "quoted" \ 字'),
	(5, 'N', 'Board', 'runs'), (6, 'N', 'Board', 'aside'), (7, 'N', 'Other', 'other');
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0), (2, 0, 3, 0), (3, 0, 4, 0), (2, 0, 7, 0);
-- nothing before the day is made
SELECT count(*) FROM josch.board_at('2026-11-20', '2026-11-20 07:59+00');
CALL look();

SET josch.now = '2026-11-20 08:01+00';
SELECT * FROM josch.schedule('2026-11-20', 'Board');
CALL look();
-- work that is rolled back was never there
SET josch.now = '2026-11-20 08:02+00';
BEGIN;
SELECT josch.hold(1, '2026-11-20');
SAVEPOINT s;
SELECT josch.skip(6, '2026-11-20');
ROLLBACK;
CALL look();
SET josch.now = '2026-11-20 08:03+00';
BEGIN;
SELECT josch.hold(6, '2026-11-20', 'kept');
SAVEPOINT s;
SELECT josch.skip(6, '2026-11-20', 'undone');
ROLLBACK TO s;
COMMIT;
CALL look();
-- the engine and people, turn by turn
SET josch.now = '2026-11-20 08:04+00';
SELECT josch.tick('2026-11-20 08:04+00');
CALL look();
SET josch.now = '2026-11-20 08:05+00';
SELECT josch.schedule('2026-11-20', 'Other');
CALL look();
SET josch.now = '2026-11-20 08:06+00';
SELECT josch.signoff(2, '2026-11-20', 'prices checked');
CALL look();
SET josch.now = '2026-11-20 08:07+00';
SELECT josch.tick('2026-11-20 08:07+00');
CALL look();
SET josch.now = '2026-11-20 08:08+00';
SELECT josch.reject(3, '2026-11-20', 'spread too wide');
CALL look();
-- columns that go back to NULL
SET josch.now = '2026-11-20 08:09+00';
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 3;
CALL look();
SET josch.now = '2026-11-20 08:10+00';
SELECT josch.tick('2026-11-20 08:10+00');
UPDATE josch.nodes SET state = 'succeeded', comment = 'good now' WHERE node_id = 3;
SELECT josch.tick('2026-11-20 08:10+00');
CALL look();
-- several changes of one node in one transaction, and in one statement's wake
SET josch.now = '2026-11-20 08:11+00';
BEGIN;
SELECT josch.rerun(2, '2026-11-20', 'once more', descendants => true);
SELECT josch.hold(4, '2026-11-20');
SELECT josch.release(4, '2026-11-20');
COMMIT;
CALL look();
-- a day taken back, and made again
SET josch.now = '2026-11-20 08:12+00';
SELECT * FROM josch.unschedule('2026-11-20', 'Other');
CALL look();
SET josch.now = '2026-11-20 08:13+00';
SELECT * FROM josch.schedule('2026-11-20', 'Other');
CALL look();
SET josch.now = '2026-11-20 08:14+00';
BEGIN;
SELECT count(*) FROM josch.unschedule('2026-11-20', 'Other');
SELECT count(*) FROM josch.schedule('2026-11-20', 'Other');
SELECT josch.skip(7, '2026-11-20');
COMMIT;
CALL look();
-- an edit of the day
SET josch.now = '2026-11-20 08:15+00';
UPDATE josch.nodes SET exec_command = 'true' WHERE node_id = 5;
CALL look();
-- a run, as the scheduler records it: the door lets only the engine do so
ALTER TABLE josch.nodes DISABLE TRIGGER door;
SET josch.now = '2026-11-20 08:16+00';
UPDATE josch.nodes SET state = 'running', run_id = 1, attempt = 1, started_at = josch.now() WHERE node_id = 5;
CALL look();
SET josch.now = '2026-11-20 08:17+00';
UPDATE josch.nodes SET state = 'failed', ended_at = josch.now(), message = 'exit code 1' WHERE node_id = 5;
CALL look();
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
SET josch.now = '2026-11-20 08:18+00';
SELECT josch.retry(5, '2026-11-20');
CALL look();
-- many nodes by one UPDATE
SET josch.now = '2026-11-20 08:19+00';
UPDATE josch.nodes SET state = 'held', comment = 'all' WHERE job_date = '2026-11-20' AND state IN ('pending', 'ready');
CALL look();

SET josch.now = '2026-11-21 00:00+00';
-- every moment that was looked at, and half a minute after it
CREATE VIEW compared AS
	SELECT m.moment, delay,
		(SELECT count(*) FROM (SELECT b.* FROM josch.board_at('2026-11-20', m.moment + delay) b
			EXCEPT ALL SELECT job_date, node_id, job_name, node_name, node_type, state, state_since, due_at, forced, run_id, attempt, started_at,
				ended_at, message, action, acted_by, acted_at, comment, change_id, not_before, retries, retried, progress, progress_text FROM seen s WHERE s.moment = m.moment) x) AS too_many,
		(SELECT count(*) FROM (SELECT job_date, node_id, job_name, node_name, node_type, state, state_since, due_at, forced, run_id, attempt, started_at,
				ended_at, message, action, acted_by, acted_at, comment, change_id, not_before, retries, retried, progress, progress_text FROM seen s WHERE s.moment = m.moment
			EXCEPT ALL SELECT b.* FROM josch.board_at('2026-11-20', m.moment + delay) b) x) AS missing,
		(SELECT count(*) FROM seen s WHERE s.moment = m.moment) AS nodes
	FROM (SELECT moment FROM generate_series(timestamptz '2026-11-20 08:00+00', '2026-11-20 08:19+00', '1 minute') moment) m,
		(VALUES (interval '0'), ('30 seconds'), ('59.999999 seconds')) d (delay);
SELECT moment, sum(too_many) AS too_many, sum(missing) AS missing, min(nodes) AS nodes FROM compared GROUP BY moment ORDER BY moment;
-- a sample
SELECT node_id, node_name, state, message, acted_by IS NOT NULL AS acted, acted_at, comment FROM josch.board_at('2026-11-20', '2026-11-20 08:08:30+00') ORDER BY node_id;
-- another date, and the end of time
SELECT count(*) FROM josch.board_at('2026-11-19', 'infinity');
SELECT count(*) FROM josch.board_at('2026-11-20', '-infinity');
SELECT count(*) FROM (SELECT * FROM josch.board_at('2026-11-20', 'infinity') EXCEPT TABLE josch.board) x;
-- under other settings
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kolkata';
SELECT count(*) FROM (SELECT * FROM josch.board_at('2026-11-20', 'infinity') EXCEPT TABLE josch.board) x;
RESET DateStyle; RESET TimeZone;
-- the transaction sees its own work
BEGIN;
SELECT josch.release(6, '2026-11-20') IS NOT NULL AS released;
SELECT b.state = a.state AS same FROM josch.board b JOIN josch.board_at('2026-11-20', 'infinity') a USING (job_date, node_id) WHERE node_id = 6;
ROLLBACK;
-- rows without their commit row, as of a dump that has lost it, count from when they were written; one of the same transaction
-- number that is about other rows, as after a restore into another cluster, is not theirs
BEGIN;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.nodes_audit (audit_id, at, xid, session_name, role_name, operation, node_id, job_date, new_values)
	VALUES (0, '2020-02-02 12:00+00', '3', 's', 'r', 'INSERT', 1, '2020-02-02', '{"node_id": 1, "job_date": "2020-02-02", "state": "ready"}');
INSERT INTO josch.audit_commits (xid, first_audit_id, last_audit_id, committed_at) VALUES ('3', 0, 5, '2020-02-02 11:00+00');
SELECT count(*) FROM josch.board_at('2020-02-02', '2020-02-02 11:59:59+00');
SELECT node_id, state FROM josch.board_at('2020-02-02', '2020-02-02 12:00+00');
ROLLBACK;
-- who may
CREATE ROLE regress_josch_reader IN ROLE josch_viewer;
CREATE ROLE regress_josch_stranger;
SET ROLE regress_josch_reader;
SELECT count(*) FROM josch.board_at('2026-11-20', 'infinity');
SET ROLE regress_josch_stranger;
SELECT count(*) FROM josch.board_at('2026-11-20', 'infinity');
RESET ROLE;
DROP ROLE regress_josch_reader;
DROP ROLE regress_josch_stranger;
DROP VIEW compared;
DROP TABLE seen;
DROP PROCEDURE look();
RESET SESSION AUTHORIZATION;
DROP EXTENSION josch;
DROP ROLE regress_josch_root;
