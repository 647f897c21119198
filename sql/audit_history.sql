-- josch.history(): a node's day in sentences that a person can read.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
CREATE ROLE regress_alice IN ROLE josch_operator, josch_author, pg_execute_server_program;
CREATE ROLE "regress bob" IN ROLE josch_operator;
CREATE ROLE regress_engine SUPERUSER;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
SET application_name = 'psql';
CREATE FUNCTION tell(bigint) RETURNS TABLE (told text) LANGUAGE sql AS
	$$ SELECT to_char(at, 'HH24:MI:SS') || ' ' || rpad(coalesce(who, ''), 14) || ' ' || sentence FROM josch.history($1, '2026-11-20') $$;
SET josch.now = '2026-11-20 08:00+00';
INSERT INTO josch.tpl_jobs VALUES ('Sod', 'start of day');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, owner) VALUES
	(1, 'N', 'Sod', 'first', 'regress_engine'), (2, 'S', 'Sod', 'sign', 'regress_engine'), (3, 'R', 'Sod', 'judge', 'regress_engine'),
	(4, 'N', 'Sod', 'worker', 'regress_engine'), (6, 'N', 'Sod', 'alone', 'regress_engine');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, owner) VALUES (5, 'L', 'Sod', 'server', 'serve', 'regress_engine');
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0), (2, 0, 3, 0);

-- asked, answered, asked again
SET SESSION AUTHORIZATION regress_alice;
SELECT count(*) FROM josch.schedule('2026-11-20');
SET SESSION AUTHORIZATION regress_engine;
SELECT josch.tick('2026-11-20 08:01+00');
SET josch.now = '2026-11-20 08:02+00';
SET SESSION AUTHORIZATION regress_alice;
SELECT josch.signoff(2, '2026-11-20', 'prices checked');
SET SESSION AUTHORIZATION regress_engine;
SELECT josch.tick('2026-11-20 08:03+00');
SET SESSION AUTHORIZATION "regress bob";
SET application_name = '';
SELECT josch.reject(3, '2026-11-20', 'spread too "wide"');
SELECT josch.mark_success(3, '2026-11-20');
SET application_name = 'psql';
SELECT josch.rerun(2, '2026-11-20', 'late correction', descendants => true);
SET SESSION AUTHORIZATION regress_engine;
SELECT * FROM tell(2);
SELECT * FROM tell(3);

-- every act that needs no run
SET SESSION AUTHORIZATION regress_alice;
SELECT josch.rerun(6, '2026-11-20'), josch.hold(6, '2026-11-20', 'later'), josch.release(6, '2026-11-20'), josch.skip(6, '2026-11-20'),
	josch.rerun(6, '2026-11-20'), josch.force_start(6, '2026-11-20', 'now');
UPDATE josch.nodes SET exec_command = 'echo "a"', timeout = '1 hour' WHERE node_id = 6;
SET josch.comment = 'typing error';
UPDATE josch.nodes SET exec_command = 'echo b' WHERE node_id = 6;
UPDATE josch.nodes SET timeout = NULL WHERE node_id = 6;
RESET josch.comment;
SET SESSION AUTHORIZATION regress_engine;
SELECT * FROM tell(6);

-- runs, as the scheduler records them, a run and its node in one transaction: the door lets only the engine do so;
-- what became of the run is told once
ALTER TABLE josch.nodes DISABLE TRIGGER door;
ALTER TABLE josch.runs DISABLE TRIGGER guard;
CREATE PROCEDURE node(id bigint, new_state text, new_message text DEFAULT NULL) LANGUAGE sql AS
	$$ UPDATE josch.nodes SET state = new_state, message = new_message WHERE node_id = id $$;
CREATE PROCEDURE run(id bigint, node bigint) LANGUAGE sql AS
	$$ INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind)
		SELECT id, node_id, job_date, attempt + 1, 'command' FROM josch.nodes WHERE node_id = node;
	UPDATE josch.nodes SET state = 'running', run_id = id, attempt = attempt + 1 WHERE node_id = node $$;
CREATE PROCEDURE started(id bigint) LANGUAGE sql AS
	$$ UPDATE josch.runs SET status = 'running', started_at = josch.now(), pid = 4711, host = 'x' WHERE run_id = id $$;
SET josch.now = '2026-11-20 09:00+00';
CALL node(4, 'ready');
CALL run(17, 4);
CALL started(17);
SET josch.now = '2026-11-20 09:00:12.44+00';
BEGIN;
UPDATE josch.runs SET status = 'failed', ended_at = josch.now(), exit_code = 3, message = 'exit code 3' WHERE run_id = 17;
CALL node(4, 'failed', 'exit code 3');
COMMIT;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
SET SESSION AUTHORIZATION "regress bob";
SELECT josch.retry(4, '2026-11-20');
SET SESSION AUTHORIZATION regress_engine;
ALTER TABLE josch.nodes DISABLE TRIGGER door;
CALL run(18, 4);
-- started and ended in one burst
SET josch.now = '2026-11-20 09:01+00';
BEGIN;
UPDATE josch.runs SET status = 'succeeded', started_at = '2026-11-20 09:00:59+00', ended_at = josch.now(), exit_code = 0, pid = 4712, host = 'x' WHERE run_id = 18;
CALL node(4, 'succeeded');
COMMIT;
SELECT * FROM tell(4);

-- a server: up, stopped by a person
CALL run(19, 5);
CALL started(19);
SET josch.now = '2026-11-20 09:01:01.5+00';
BEGIN;
UPDATE josch.runs SET up_at = josch.now() WHERE run_id = 19;
CALL node(5, 'up');
COMMIT;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
SET SESSION AUTHORIZATION regress_alice;
SELECT josch.stop(5, '2026-11-20', 'enough');
SET SESSION AUTHORIZATION regress_engine;
ALTER TABLE josch.nodes DISABLE TRIGGER door;
BEGIN;
UPDATE josch.runs SET status = 'succeeded', ended_at = josch.now(), exit_signal = 15 WHERE run_id = 19;
CALL node(5, 'succeeded', 'stopped');
COMMIT;
-- another way to ask for it, a time-out, a run of which nothing is known, an error before the start
CALL run(20, 5);
CALL started(20);
UPDATE josch.runs SET stop_requested_at = josch.now(), stop_requested_by = 'somebody' WHERE run_id = 20;
SET josch.now = '2026-11-20 10:01:01.5+00';
BEGIN;
UPDATE josch.runs SET status = 'failed', ended_at = josch.now(), exit_signal = 9, timed_out = true WHERE run_id = 20;
CALL node(5, 'failed', 'out of time');
COMMIT;
CALL run(21, 5);
BEGIN;
UPDATE josch.runs SET status = 'unknown', ended_at = josch.now(), message = 'the machine went down' WHERE run_id = 21;
CALL node(5, 'unknown', 'the machine went down');
COMMIT;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
SELECT josch.mark_failed(5, '2026-11-20', 'the log says so');
ALTER TABLE josch.nodes DISABLE TRIGGER door;
CALL run(22, 5);
BEGIN;
UPDATE josch.runs SET status = 'failed', ended_at = josch.now(), message = 'could not execute: No such file or directory' WHERE run_id = 22;
CALL node(5, 'failed');
COMMIT;
UPDATE josch.nodes SET message = 'looked at' WHERE node_id = 5;
SELECT * FROM tell(5);
-- a judgement is asked for in the transaction in which the run ended; a run has the number of its node
CALL run(33, 3);
CALL started(33);
BEGIN;
UPDATE josch.runs SET status = 'succeeded', ended_at = josch.now(), exit_code = 0 WHERE run_id = 33;
CALL node(3, 'review');
COMMIT;
CALL run(6, 6);
CALL started(6);
CALL node(6, 'failed', 'lost');
UPDATE josch.runs SET status = 'failed', ended_at = josch.now(), exit_code = 1 WHERE run_id = 6;
CALL node(6, 'ready');
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;
SET SESSION AUTHORIZATION regress_alice;
SELECT josch.force_start(6, '2026-11-20', 'again');
SET SESSION AUTHORIZATION regress_engine;
SELECT told FROM tell(6) WITH ORDINALITY AS t (told, n) ORDER BY n DESC LIMIT 6;
UPDATE josch.nodes SET state = 'succeeded', comment = 'good' WHERE node_id = 3;
SELECT * FROM tell(3) OFFSET 6;

-- from where: the client's address, as of a dump that brings it
SELECT max(audit_id) + 1 AS next FROM josch.nodes_audit \gset
BEGIN;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.nodes_audit (audit_id, at, xid, session_name, role_name, client_addr, application, operation, node_id, job_date,
		old_values, new_values, comment)
	VALUES (:next, '2026-11-20 11:00+00', '3', 'carol', 'carol', '10.0.0.7', 'psql', 'UPDATE', 2, '2026-11-20', '{"state": "signoff", "action": null}',
		'{"state": "succeeded", "action": "signoff", "acted_by": "carol", "acted_at": "2026-11-20T11:00:00+00:00"}', 'prices checked');
SELECT * FROM tell(2) WHERE told LIKE '%10.0.0.7%';
-- a record that begins in the middle
INSERT INTO josch.nodes_audit (audit_id, at, xid, session_name, role_name, operation, node_id, job_date, old_values, new_values)
	VALUES (:next + 1, '2026-11-20 11:00+00', '3', 'carol', 'carol', 'UPDATE', 99, '2026-11-20', '{"state": "ready"}', '{"state": "running"}'),
		(:next + 2, '2026-11-20 11:00+00', '3', 'carol', 'carol', 'UPDATE', 99, '2026-11-20', '{"action": null}', '{"action": "dance"}'),
		(:next + 3, '2026-11-20 11:00+00', '3', 'carol', 'carol', 'DELETE', 99, '2026-11-20', '{}', NULL);
SELECT * FROM tell(99);
ROLLBACK;

-- runs that were deleted are told as before, and that they are gone
CREATE TEMP TABLE told AS SELECT * FROM tell(4);
BEGIN;
DELETE FROM josch.runs WHERE node_id = 4;
(TABLE told EXCEPT ALL SELECT * FROM tell(4)) UNION ALL (SELECT * FROM tell(4) EXCEPT ALL TABLE told);
ROLLBACK;
DROP TABLE told;

-- taken back, and made again
SELECT count(*) FROM josch.schedule('2026-11-21');
SELECT count(*) FROM josch.unschedule('2026-11-21');
SELECT who, sentence FROM josch.history(1, '2026-11-21');
SELECT count(*) FROM josch.schedule('2026-11-21');
SELECT who, sentence FROM josch.history(1, '2026-11-21');

-- the acts that people have: a new one needs its words in the history
SELECT DISTINCT e.action FROM josch.fsm e WHERE who = 'person' ORDER BY 1;

-- what never was; who may read
SELECT * FROM josch.history(7, '2026-11-20');
SELECT * FROM josch.history(1, '2026-11-19');
CREATE ROLE regress_josch_reader IN ROLE josch_viewer;
CREATE ROLE regress_josch_stranger;
SET ROLE regress_josch_reader;
SELECT count(*) > 0 AS told FROM josch.history(1, '2026-11-20');
SET ROLE regress_josch_stranger;
SELECT count(*) > 0 AS told FROM josch.history(1, '2026-11-20');
RESET ROLE;
-- the record is read with the rights of who asks
GRANT USAGE ON SCHEMA josch TO regress_josch_stranger;
GRANT EXECUTE ON FUNCTION josch.history(bigint, date), josch.board_at(date, timestamptz) TO regress_josch_stranger;
SET ROLE regress_josch_stranger;
\set VERBOSITY terse
SELECT count(*) > 0 AS told FROM josch.history(1, '2026-11-20');
SELECT count(*) FROM josch.board_at('2026-11-20', 'infinity');
\set VERBOSITY default
RESET ROLE;
DROP OWNED BY regress_josch_stranger;
RESET SESSION AUTHORIZATION;
DROP FUNCTION tell(bigint);
DROP PROCEDURE node(bigint, text, text), run(bigint, bigint), started(bigint);
DROP EXTENSION josch;
DROP ROLE regress_alice, "regress bob", regress_engine, regress_josch_reader, regress_josch_stranger;
