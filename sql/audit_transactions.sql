-- When a change became true for others: one row a transaction in audit_commits, whatever the transaction does.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
CREATE VIEW pg_temp.written AS
	SELECT a.var, a.operation, a.at AT TIME ZONE 'UTC' AS at, c.committed_at AT TIME ZONE 'UTC' AS committed_at
	FROM josch.environs_audit a LEFT JOIN josch.audit_commits c
		ON c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id ORDER BY a.audit_id;

-- a transaction that is open for long commits at its end, with all that it wrote
SET josch.now = '2026-11-20 09:00+00';
BEGIN;
INSERT INTO josch.environs VALUES ('LONG_1', '');
SELECT * FROM written;
SET josch.now = '2026-11-20 09:30+00';
INSERT INTO josch.environs VALUES ('LONG_2', '');
SET josch.now = '2026-11-20 10:00+00';
COMMIT;
SELECT * FROM written;
SELECT count(*) FROM josch.audit_commits;

-- constraints made immediate do not bring the moment forward
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO josch.environs VALUES ('IMMEDIATE', '');
SET josch.now = '2026-11-20 11:00+00';
COMMIT;
SELECT * FROM written WHERE var = 'IMMEDIATE';

-- what was rolled back leaves nothing, neither row nor commit
BEGIN;
INSERT INTO josch.environs VALUES ('UNDONE', '');
ROLLBACK;
BEGIN;
SAVEPOINT s;
INSERT INTO josch.environs VALUES ('UNDONE', '');
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM josch.audit_commits;
SELECT count(*) FROM written WHERE var = 'UNDONE';

-- the first change in a savepoint that is rolled back, others after it
BEGIN;
SAVEPOINT a;
INSERT INTO josch.environs VALUES ('UNDONE', '');
SAVEPOINT b;
INSERT INTO josch.environs VALUES ('UNDONE_TOO', '');
RELEASE b;
ROLLBACK TO a;
INSERT INTO josch.environs VALUES ('AFTER', '');
COMMIT;
-- the first change in a savepoint that is kept, and others undone
BEGIN;
SAVEPOINT a;
SAVEPOINT b;
INSERT INTO josch.environs VALUES ('KEPT', '');
RELEASE b;
RELEASE a;
SAVEPOINT c;
INSERT INTO josch.environs VALUES ('UNDONE', '');
ROLLBACK TO c;
COMMIT;
-- an exception block of a function is a savepoint, too; a row that failed leaves the flag as it was
DO $$
BEGIN
	BEGIN
		INSERT INTO josch.environs VALUES ('UNDONE', '');
		RAISE EXCEPTION 'no';
	EXCEPTION WHEN raise_exception THEN NULL;
	END;
	BEGIN
		INSERT INTO josch.environs VALUES ('not a name', '');
	EXCEPTION WHEN check_violation THEN NULL;
	END;
	BEGIN
		DELETE FROM josch.environs_audit;
	EXCEPTION WHEN insufficient_privilege THEN NULL;
	END;
	INSERT INTO josch.environs VALUES ('BLOCK', '');
END
$$;
SELECT * FROM written WHERE var IN ('UNDONE', 'UNDONE_TOO', 'AFTER', 'KEPT', 'BLOCK');
SELECT count(*), count(DISTINCT xid) FROM josch.audit_commits;

-- a procedure that commits within
DO $$
BEGIN
	FOR i IN 1..3 LOOP
		INSERT INTO josch.environs VALUES ('LOOP_' || i, '');
		COMMIT;
	END LOOP;
END
$$;
SELECT count(*), count(committed_at) FROM written WHERE var LIKE 'LOOP%';
-- a transaction that became read-only after it wrote
BEGIN;
INSERT INTO josch.environs VALUES ('READ_ONLY', '');
SET TRANSACTION READ ONLY;
COMMIT;
SELECT var, committed_at FROM written WHERE var = 'READ_ONLY' AND committed_at IS NULL;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO josch.environs VALUES ('SERIALIZABLE', '');
COMMIT;
SELECT count(committed_at) FROM written WHERE var IN ('READ_ONLY', 'SERIALIZABLE');

-- the first change in a savepoint that was released into one that is rolled back: there is no commit without rows
BEGIN;
SAVEPOINT a;
SAVEPOINT b;
INSERT INTO josch.environs VALUES ('UNDONE', '');
RELEASE b;
ROLLBACK TO a;
COMMIT;
SELECT count(*) FROM josch.audit_commits c WHERE NOT EXISTS (SELECT FROM josch.environs_audit a WHERE a.xid = c.xid);

-- one that is prepared is true from when it was prepared
SET josch.now = '2026-11-20 12:00+00';
BEGIN;
INSERT INTO josch.environs VALUES ('PREPARED', '');
SET josch.now = '2026-11-20 12:30+00';
PREPARE TRANSACTION 'regress_josch_audit';
SET josch.now = '2026-11-20 13:00+00';
COMMIT PREPARED 'regress_josch_audit';
SELECT * FROM written WHERE var = 'PREPARED';

-- what tick() does at another moment is true from that moment
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Tick');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'Tick', 'milestone');
SELECT count(*) FROM josch.schedule('2026-11-20');
SELECT josch.tick('2026-11-20 15:00+00');
SELECT c.committed_at AT TIME ZONE 'UTC' AS committed_at FROM josch.nodes_audit a JOIN josch.audit_commits c
	ON c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id WHERE a.new_values ->> 'state' = 'succeeded';

-- COMMIT AND CHAIN starts anew
BEGIN;
INSERT INTO josch.environs VALUES ('CHAIN_1', '');
COMMIT AND CHAIN;
INSERT INTO josch.environs VALUES ('CHAIN_2', '');
COMMIT;
SELECT count(committed_at) FROM written WHERE var LIKE 'CHAIN%';

-- the same transaction number again, as after a restore into another cluster: told apart by the rows
BEGIN;
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.audit_commits SELECT pg_current_xact_id(), 0, 0, '2026-01-01';
RESET check_function_bodies;
INSERT INTO josch.environs VALUES ('SAME_XID', '');
COMMIT;
SELECT * FROM written WHERE var = 'SAME_XID';

-- a transaction that drops the extension can commit, and one that makes it anew, too
BEGIN;
INSERT INTO josch.environs VALUES ('GONE', '');
DROP VIEW pg_temp.written;
DROP EXTENSION josch;
COMMIT;
CREATE EXTENSION josch;
INSERT INTO josch.environs SELECT 'MANY_' || n, '' FROM generate_series(1, 100) n;
BEGIN;
INSERT INTO josch.environs VALUES ('GONE', '');
DROP EXTENSION josch;
CREATE EXTENSION josch;
INSERT INTO josch.environs VALUES ('THERE', '');
COMMIT;
SELECT var FROM josch.environs_audit;
SELECT count(*) FROM josch.audit_commits;
DROP EXTENSION josch;
