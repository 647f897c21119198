-- The text of the pictures. That dot renders it, is tested by test/t/020_dot.pl.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\pset format unaligned
BEGIN;
DELETE FROM josch.tpl_node_deps;
DELETE FROM josch.tpl_nodes;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('Inner'), ('Outer');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES
	(500001, 'S', 'Inner', 'Sign', NULL), (500002, 'L', 'Inner', 'Serve', 'true'), (500003, 'N', 'Inner', 'Work', NULL),
	(500004, 'R', 'Inner', 'Look', NULL), (500011, 'N', 'Outer', 'Before', NULL), (500012, 'R', 'Outer', 'After', NULL),
	(500013, 'N', 'Outer', 'Far', NULL);
INSERT INTO josch.tpl_node_deps VALUES
	(500001, 0, 500002, 0), (500002, 0, 500003, 0), (500003, 0, 500004, 0), (500004, -1, 500001, 0), (500003, -1, 500003, 0),
	(500011, -2, 500001, 0), (500004, 0, 500012, 0), (500012, 0, 500013, 0);

-- types, neighbours outside the job, days before
SELECT josch.dot('Inner');
SELECT josch.dot();
-- whatever the order of the rows
CREATE TEMP TABLE former AS SELECT josch.dot();
UPDATE josch.tpl_nodes SET node_name = node_name WHERE node_id < 500003;
UPDATE josch.tpl_node_deps SET p_date = p_date WHERE p_node_id < 500003;
SELECT josch.dot() = dot AS the_same FROM former;

-- a day with its states; a parent that was never made, and one that is expected
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES
	('Inner', '2020-01-02', 'UTC'), ('Outer', '2020-01-02', 'UTC'), ('Inner', '2020-01-01', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, exec_command)
SELECT j.job_date, node_id, node_type, job_name, node_name, exec_command FROM josch.tpl_nodes JOIN josch.jobs j USING (job_name);
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, expected)
SELECT p_node_id, date '2020-01-02' + p_date, c_node_id, date '2020-01-02', p_node_id <> 500011 FROM josch.tpl_node_deps
UNION ALL VALUES (500099, date '2020-01-02', 500003, date '2020-01-02', true);
SELECT josch.dot('Inner', '2020-01-02');

-- anybody's names
UPDATE josch.tpl_nodes SET node_name = E'a "b" \\N \\ <b>&amp;</b> {x|y} %s' WHERE node_id = 500013;
UPDATE josch.tpl_jobs SET job_name = '"];evil[label="' WHERE job_name = 'Outer';
SELECT josch.dot('"];evil[label="');
ROLLBACK;

-- errors, and an empty picture
SELECT josch.dot('nothing of that name');
SELECT josch.dot('nothing of that name', '1999-01-01');
SELECT josch.dot(NULL, '1999-01-01');

-- one colour for each state that a node can be in, none twice
SELECT count(*), count(DISTINCT josch.state_color(state))
  FROM (SELECT (regexp_matches(pg_get_constraintdef(oid), '''(\w+)''', 'g'))[1] AS state
          FROM pg_constraint WHERE conname = 'nodes_state_is_known') s;
SELECT josch.state_color('running'), josch.state_color('failed');
SELECT josch.state_color('runing');
\echo :LAST_ERROR_SQLSTATE
