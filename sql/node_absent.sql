-- A parent that is not there holds its child back only where it is expected; who takes a node away, or puts it back, by hand sees its
-- children counted at once.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES
	('2026-03-02', 1, 'S', 'J', 'goes'), ('2026-03-02', 2, 'S', 'J', 'stays'),
	('2026-03-02', 3, 'N', 'J', 'does not expect it'), ('2026-03-02', 4, 'N', 'J', 'expects it'),
	('2026-03-02', 5, 'N', 'J', 'has both'), ('2026-03-02', 6, 'N', 'J', 'by force');
-- by rows that come one after the other, and together
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, expected) VALUES
	(1, '2026-03-02', 3, '2026-03-02', false), (1, '2026-03-02', 4, '2026-03-02', true), (1, '2026-03-02', 6, '2026-03-02', true);
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, expected) VALUES
	(1, '2026-03-02', 5, '2026-03-02', false), (2, '2026-03-02', 5, '2026-03-02', false), (99, '2026-03-02', 5, '2026-03-02', false);
SELECT josch.force_start(6, '2026-03-02');
CREATE TEMP VIEW shown AS SELECT node_id, state, unmet FROM josch.nodes WHERE node_id > 2 ORDER BY node_id;
SELECT * FROM shown;
DELETE FROM josch.nodes WHERE node_id = 1;
SELECT * FROM shown;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-03-02', 1, 'S', 'J', 'is back');
SELECT * FROM shown;
-- one that is done goes, and comes back as one that is not
SELECT josch.skip(1, '2026-03-02');
SELECT * FROM shown;
DELETE FROM josch.nodes WHERE node_id = 1;
SELECT * FROM shown;
-- a dependency that is taken away, also of a parent that is not there
DELETE FROM josch.node_deps WHERE p_node_id = 1 AND c_node_id = 4;
SELECT * FROM shown;
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, expected) VALUES (98, '2026-03-02', 3, '2026-03-02', true);
SELECT * FROM shown;
-- what was started by force waits for no other either
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (2, '2026-03-02', 6, '2026-03-02');
SELECT * FROM shown WHERE node_id = 6;
ROLLBACK;
