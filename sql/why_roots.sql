-- Why a node does not start: a word, a sentence, and what it waits for down to the root.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
SET datestyle = 'ISO';
SET timezone = 'UTC';
SET josch.now = '2026-11-25 06:00+00';
SELECT * FROM josch.why_reasons();
INSERT INTO josch.calendars (calendar_name) VALUES ('Bank');
INSERT INTO josch.tpl_jobs (job_name, valid_from, calendar_name) VALUES ('A', '2026-11-01', 'Bank'), ('B', '2026-11-01', 'Bank');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, start_time, exec_sql) VALUES (1, 'S', 'A', 'Approve', NULL, NULL, NULL),
	(2, 'N', 'A', 'Extract', 'true', NULL, NULL), (3, 'N', 'A', 'Load', 'true', NULL, NULL), (4, 'N', 'A', 'Report', 'true', NULL, NULL), (5, 'N', 'A', 'Publish', NULL, NULL, NULL),
	(6, 'N', 'A', 'Noon', 'true', '12:00', NULL), (7, 'N', 'A', 'Query', NULL, NULL, 'SELECT 1'), (8, 'N', 'A', 'After B', NULL, NULL, NULL), (9, 'N', 'B', 'End of B', NULL, NULL, NULL),
	(10, 'N', 'A', 'Last', NULL, NULL, NULL);
INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0), (2, 0, 3, 0), (3, 0, 4, 0), (4, 0, 5, 0), (9, -1, 8, 0), (6, 0, 5, 0), (8, 0, 10, 0), (1, 0, 3, 0), (2, 0, 4, 0);
SELECT job_name FROM josch.schedule('2026-11-25', 'A');
SELECT josch.tick('2026-11-25 06:10+00');
-- a person at the root, over one and over many; a time; a day that is not made
SELECT depth, node_name, state, reason, detail, since, until FROM josch.why(2, '2026-11-25');
SELECT depth, node_name, state, reason, detail, since, until FROM josch.why(3, '2026-11-25');
SELECT depth, node_name, state, reason, detail, since, until FROM josch.why(5, '2026-11-25');
SELECT depth, node_name, job_name, job_date, state, reason, detail FROM josch.why(10, '2026-11-25');
-- what is ready waits for the scheduler, which is not there
SELECT reason, detail FROM josch.why(7, '2026-11-25');
SELECT reason, detail FROM josch.why(6, '2026-11-25');
-- who looks at it, who holds it
SELECT josch.claim(1, '2026-11-25') IS NOT NULL AS claimed;
SELECT reason, who = session_user AS mine FROM josch.why(1, '2026-11-25');
SELECT reason, who = session_user AS mine FROM josch.why(3, '2026-11-25') LIMIT 1;
SELECT josch.signoff(1, '2026-11-25'), josch.hold(2, '2026-11-25', 'not yet');
SELECT depth, reason, detail ~ '^waits for "Extract": held' AS held, who = session_user AS mine FROM josch.why(3, '2026-11-25') LIMIT 1;
SELECT reason, since, who = session_user AS mine FROM josch.why(2, '2026-11-25');
-- what is done, and what is not to run
SELECT reason, detail ~ '^succeeded: signed off by' AS signed FROM josch.why(1, '2026-11-25');
SELECT josch.skip(2, '2026-11-25');
SELECT reason, detail ~ '^skipped' AS skipped FROM josch.why(2, '2026-11-25');
UPDATE josch.tpl_jobs SET schedule_at = '22:00', catch_up = 'ask', days_after = '2026-11-23' WHERE job_name = 'B';
SELECT josch.tick('2026-11-25 07:00+00');
SELECT depth, reason, detail FROM josch.why(10, '2026-11-25');
SELECT josch.decline_missed('B');
SELECT josch.tick('2026-11-25 07:01+00');
SELECT depth, reason, detail FROM josch.why(10, '2026-11-25');
-- a chain of many ends, and says each once
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Chain');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT 1000 + i, CASE WHEN i = 0 THEN 'S' ELSE 'N' END, 'Chain', 'n' || i FROM generate_series(0, 1500) i;
INSERT INTO josch.tpl_node_deps SELECT 1000 + i, 0, 1001 + i, 0 FROM generate_series(0, 1499) i;
SELECT nodes FROM josch.schedule('2026-11-25', 'Chain');
SELECT josch.tick('2026-11-25 08:00+00');
SELECT detail FROM josch.why(1900, '2026-11-25') LIMIT 1;
SELECT count(*), count(DISTINCT node_id), max(depth) FROM josch.why(2500, '2026-11-25');
SELECT detail FROM josch.why(2500, '2026-11-25') LIMIT 1;
-- of many parents those first about which somebody has to do something
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Wide');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) SELECT 3000 + i, 'N', 'Wide', 'w' || i, 'true' FROM generate_series(1, 1500) i;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (5000, 'S', 'Wide', 'sign'), (5001, 'N', 'Wide', 'end');
INSERT INTO josch.tpl_node_deps SELECT n.node_id, 0, 5001, 0 FROM josch.tpl_nodes n WHERE n.job_name = 'Wide' AND n.node_id < 5001;
SELECT nodes FROM josch.schedule('2026-11-25', 'Wide');
SELECT josch.tick('2026-11-25 08:01+00');
SELECT detail FROM josch.why(5001, '2026-11-25') LIMIT 1;
SELECT * FROM josch.why(99, '2026-11-25');
RESET josch.now;
DROP EXTENSION josch CASCADE;
