/* Each job of a day is made whole or not at all, and none keeps another from being made; names change after a day was made. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
\set SHOW_CONTEXT never
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, loaded_on) SELECT job, '2026-01-01' FROM unnest(ARRAY['A', 'B', 'C', 'D', 'E']) job;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
SELECT 10 * j + i, 'N', chr(64 + j), 'n' || i FROM generate_series(1, 5) j, generate_series(1, 3) i;
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id)
SELECT 10 * j + i, 10 * j + i + 1 FROM generate_series(1, 5) j, generate_series(1, 2) i UNION ALL VALUES (21, 31), (33, 42);

-- B and D cannot be made: on that day C's first node waits for D's last, which waits for it; and somebody dislikes B
SELECT * FROM josch.schedule('2026-03-01', 'C');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (43, '2026-03-01', 31, '2026-03-01');
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION 'not "%"', NEW.node_name USING DETAIL = 'It is not liked.', HINT = 'Take another.'; END$$;
CREATE TRIGGER zz BEFORE INSERT ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 23) EXECUTE FUNCTION pg_temp.refuse();
SELECT * FROM josch.schedule('2026-03-01');
SELECT job_name, count(*) FROM josch.nodes WHERE job_date = '2026-03-01' GROUP BY 1 ORDER BY 1;
SELECT p_node_id, c_node_id, expected FROM josch.node_deps WHERE c_date = '2026-03-01' AND (c_node_id = 31 OR p_node_id = 33) ORDER BY 1, 2;
-- one that is named is an error
SELECT * FROM josch.schedule('2026-03-01', 'B');
SELECT * FROM josch.schedule('2026-03-01', 'D');
-- the cause is gone: what is left is made, and waited for
DROP TRIGGER zz ON josch.nodes;
DELETE FROM josch.node_deps WHERE p_node_id = 43;
SELECT * FROM josch.schedule('2026-03-01');
SELECT node_id, state, unmet, level FROM josch.nodes WHERE job_date = '2026-03-01' AND node_id IN (21, 31, 33, 42, 43) ORDER BY 1;
SELECT * FROM josch.schedule('2026-03-01');

-- a job has another name since, and nodes have other jobs: what is there is left alone
UPDATE josch.tpl_jobs SET job_name = 'A2' WHERE job_name = 'A';
UPDATE josch.tpl_nodes SET job_name = 'A2', node_name = 'from E' WHERE node_id = 52;
UPDATE josch.tpl_nodes SET job_name = 'C', node_name = 'from E' WHERE node_id = 53;
SELECT * FROM josch.schedule('2026-03-01');
SELECT * FROM josch.schedule('2026-03-01', 'A2');
SELECT * FROM josch.unschedule('2026-03-01', 'C');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (14, 'N', 'A2', 'new');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (11, 14), (53, 31);
SELECT * FROM josch.schedule('2026-03-01');
SELECT job_name, array_agg(node_id ORDER BY node_id) AS nodes FROM josch.nodes WHERE job_date = '2026-03-01' GROUP BY 1 ORDER BY 1;
SELECT p_node_id, c_node_id FROM josch.node_deps WHERE c_date = '2026-03-01' ORDER BY 1, 2;
SELECT n.node_id, n.unmet, n.level FROM josch.nodes n JOIN josch.node_deps d ON (d.c_node_id, d.c_date) = (n.node_id, n.job_date)
	JOIN josch.nodes p ON (d.p_node_id, d.p_date) = (p.node_id, p.job_date) WHERE n.level <= p.level;
-- the next day is as the templates are
SELECT * FROM josch.schedule('2026-03-02');
ROLLBACK;
