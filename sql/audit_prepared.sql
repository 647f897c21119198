-- A prepared transaction: nobody sees what it did until COMMIT PREPARED; then the board of the past has it from when it was prepared, and of one that was rolled back it has nothing.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET josch.now = '2026-11-20 09:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('Prepared', '2026-11-20', 'UTC');
INSERT INTO josch.nodes (node_id, job_date, node_type, job_name, node_name) VALUES (1, '2026-11-20', 'S', 'Prepared', 'kept'), (2, '2026-11-20', 'S', 'Prepared', 'taken back');
CREATE FUNCTION pg_temp.board(at timestamptz) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(node_id || ' ' || state || coalesce(' (' || comment || ')', ''), ', ' ORDER BY node_id) FROM josch.board_at('2026-11-20', at)
$$;

BEGIN;
SET LOCAL josch.now = '2026-11-20 10:00+00';
SELECT josch.hold(1, '2026-11-20', 'prepared');
SET LOCAL josch.now = '2026-11-20 11:00+00';
PREPARE TRANSACTION 'josch_kept';
BEGIN;
SET LOCAL josch.now = '2026-11-20 10:30+00';
SELECT josch.hold(2, '2026-11-20', 'in vain');
SET LOCAL josch.now = '2026-11-20 11:30+00';
PREPARE TRANSACTION 'josch_taken_back';
-- in doubt: it is as if nothing had been done
SELECT pg_temp.board('2026-11-20 12:00+00') AS in_doubt;
SELECT count(*) AS acts FROM josch.nodes_audit WHERE operation = 'UPDATE' AND comment IS NOT NULL;
ROLLBACK PREPARED 'josch_taken_back';
SET josch.now = '2026-11-20 13:00+00';
COMMIT PREPARED 'josch_kept';
SELECT pg_temp.board('2026-11-20 10:15+00') AS written, pg_temp.board('2026-11-20 11:15+00') AS prepared, pg_temp.board('2026-11-20 14:00+00') AS committed;
SELECT committed_at AT TIME ZONE 'UTC' AS committed_at FROM josch.audit_commits c JOIN josch.nodes_audit a ON a.xid = c.xid
WHERE a.comment = 'prepared';
SELECT sentence FROM josch.history(1, '2026-11-20');
SELECT sentence FROM josch.history(2, '2026-11-20');
-- each audit row has its one commit
SELECT count(*) AS rows, count(*) FILTER (WHERE commits = 1) AS with_one FROM (
	SELECT (SELECT count(*) FROM josch.audit_commits c WHERE c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id) AS commits
	FROM josch.nodes_audit a) r;
DROP EXTENSION josch;
