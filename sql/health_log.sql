-- josch.log() without a file: what cannot be is an error, the output of SQL is in the table.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SELECT josch.log(-1);
SELECT josch.log(1, 0, 0);
SELECT josch.log(1, 0, 67108865);
SELECT josch.log(NULL) IS NULL AS null_for_null;
BEGIN;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('log');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql)
	VALUES (9201, 'N', 'log', 'sql', 'SELECT 1');
SELECT nodes FROM josch.schedule('2026-11-20', 'log');
ALTER TABLE josch.runs DISABLE TRIGGER guard;
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, ended_at, output_tail)
	VALUES (9201, 9201, '2026-11-20', 1, 'sql', 'succeeded', '2026-11-20 12:00+00', E'caf\u00e9\nSELECT 1\n'),
		(9202, 9201, '2026-11-20', 2, 'sql', 'failed', '2026-11-20 12:00+00', NULL);
INSERT INTO josch.runs (run_id, node_id, job_date, attempt, kind, status, ended_at, log)
	VALUES (9203, 9201, '2026-11-20', 3, 'command', 'succeeded', '2026-11-20 12:00+00', 'log/none.log'),
		(9204, 9201, '2026-11-20', 4, 'command', 'starting', NULL, 'log/none.log'),
		(9205, 9201, '2026-11-20', 5, 'command', 'succeeded', '2026-11-20 12:00+00', '../PG_VERSION');
ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
SELECT josch.log(9201);
-- by bytes, and never half a character
SELECT josch.log(9201, 0, 4) AS "4", josch.log(9201, 0, 5) AS "5", josch.log(9201, 4, 5) AS "from 4", josch.log(9201, -9, 6) AS "from the end";
SELECT josch.log(9201, 1000) = '' AS beyond, josch.log(9201, -1000) = josch.log(9201) AS before;
SELECT josch.log(9202) = '' AS nothing;
-- page after page: each begins where the one before says, and an end stays one
SELECT * FROM josch.log_page(9201, 0, 4);
SELECT * FROM josch.log_page(9201, 3, 5);
SELECT * FROM josch.log_page(9201, -9, 5);
SELECT * FROM josch.log_page(9201, 15);
-- a run that has not begun has printed nothing; one that has ended must have a log
SELECT josch.log(9204) = '' AS nothing_yet;
SELECT * FROM josch.log_page(9204, -100);
SAVEPOINT s;
SELECT josch.log(9203);
ROLLBACK TO s;
-- not one step out of the spool
SELECT josch.log(9205);
ROLLBACK TO s;
CREATE ROLE josch_nobody;
CREATE ROLE josch_looker IN ROLE josch_viewer;
SET LOCAL ROLE josch_looker;
SELECT josch.log(9201, 0, 3);
SET LOCAL ROLE josch_nobody;
SELECT josch.log(9201, 0, 3);
ROLLBACK;
