-- Template dependencies: a cycle is refused when its lags sum up to zero or less.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
BEGIN;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('dag');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name)
SELECT 500000 + i, 'N', 'dag', 'node ' || i FROM generate_series(0, 200) i;
INSERT INTO josch.tpl_node_deps VALUES (500001, 0, 500002, 0), (500002, 0, 500003, 0);
SAVEPOINT s;

-- on the same day: never
INSERT INTO josch.tpl_node_deps VALUES (500003, 0, 500001, 0);
ROLLBACK TO s;
\echo :LAST_ERROR_SQLSTATE
INSERT INTO josch.tpl_node_deps VALUES (500005, 0, 500005, 0);
ROLLBACK TO s;
-- the same day by another name
INSERT INTO josch.tpl_node_deps VALUES (500003, -1, 500001, -1);
ROLLBACK TO s;
-- two new ones that close it together
INSERT INTO josch.tpl_node_deps VALUES (500003, 0, 500004, 0), (500004, 0, 500001, 0);
ROLLBACK TO s;
-- waiting for yesterday is fine, for itself too
INSERT INTO josch.tpl_node_deps VALUES (500003, -1, 500001, 0), (500005, -1, 500005, 0);
-- but not when another dependency waits for tomorrow
INSERT INTO josch.tpl_node_deps VALUES (500003, 1, 500001, 0);
ROLLBACK TO s;
INSERT INTO josch.tpl_node_deps VALUES (500003, -1, 500004, 0), (500004, 1, 500001, 0);
ROLLBACK TO s;
INSERT INTO josch.tpl_node_deps VALUES (500003, -2, 500004, 0), (500004, 1, 500001, 0);
ROLLBACK TO s;
-- tomorrow alone is no cycle
INSERT INTO josch.tpl_node_deps VALUES (500006, 1, 500005, 0);
ROLLBACK TO s;

-- UPDATE is checked likewise, at its end: turning all edges round passes through cycles and leaves none
INSERT INTO josch.tpl_node_deps VALUES (500003, -1, 500001, 0);
SAVEPOINT s2;
UPDATE josch.tpl_node_deps SET p_date = 0 WHERE p_node_id = 500003;
ROLLBACK TO s2;
UPDATE josch.tpl_node_deps SET p_node_id = c_node_id, c_node_id = p_node_id WHERE p_node_id BETWEEN 500001 AND 500003;
SELECT * FROM josch.tpl_node_deps WHERE p_node_id BETWEEN 500001 AND 500003 ORDER BY 1, 2, 3, 4;
ROLLBACK TO s;

-- many rows at once: the whole graph is loaded, with the same answer
INSERT INTO josch.tpl_node_deps SELECT 500000 + i, 0, 500001 + i, 0 FROM generate_series(100, 199) i;
SAVEPOINT s2;
INSERT INTO josch.tpl_node_deps
SELECT 500000 + i, 0, 500000 + (i - 9) % 90, 0 FROM generate_series(10, 98) i UNION ALL VALUES (500200, 0, 500150, 0);
ROLLBACK TO s2;
INSERT INTO josch.tpl_node_deps
SELECT 500000 + i, 0, 500002 + i, 0 FROM generate_series(100, 198) i UNION ALL VALUES (500200, -1, 500100, 0);
SELECT count(*) FROM josch.tpl_node_deps WHERE p_node_id >= 500100;
ROLLBACK TO s;

-- COPY, ON CONFLICT and a replica's session go through the same door
SET LOCAL session_replication_role = replica;
INSERT INTO josch.tpl_node_deps VALUES (500003, 0, 500001, 0);
ROLLBACK TO s;
INSERT INTO josch.tpl_node_deps VALUES (500001, 0, 500002, 0)
ON CONFLICT (p_node_id, p_date, c_node_id, c_date) DO UPDATE SET p_node_id = 500003, c_node_id = 500002;
ROLLBACK TO s;
COPY josch.tpl_node_deps (p_node_id, p_date, c_node_id, c_date) FROM stdin;
500003	0	500001	0
\.
ROLLBACK;
