-- Numbers of nodes may be left out, and nobody has or had the one that is drawn; names are unique within a job.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('A'), ('B');
SELECT nextval('josch.node_id_seq') AS drawn \gset
-- those that are given, or were, are passed over; the next is drawn when the statement before it is not taken
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (:drawn + 1, 'N', 'A', 'given'), (:drawn + 3, 'N', 'A', 'gone'), (9223372036854775807, 'N', 'A', 'last');
DELETE FROM josch.tpl_nodes WHERE node_name = 'gone';
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name) VALUES ('N', 'A', 'one'), ('N', 'A', 'two'), ('N', 'B', 'one') RETURNING node_id - :drawn AS number, job_name, node_name;
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name) VALUES ('N', 'A', 'one');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (NULL, 'N', 'A', 'three');
-- names may change places within a statement
UPDATE josch.tpl_nodes SET node_name = CASE node_name WHEN 'one' THEN 'two' ELSE 'one' END WHERE job_name = 'A' AND node_name IN ('one', 'two');
UPDATE josch.tpl_nodes SET job_name = 'B' WHERE job_name = 'A' AND node_name = 'one';
-- an author draws numbers, a viewer does not; the day has the template's number, and none of its own
CREATE ROLE regress_josch_numbers IN ROLE josch_author;
SET ROLE regress_josch_numbers;
INSERT INTO josch.tpl_nodes (node_type, job_name, node_name) VALUES ('N', 'A', 'mine');
RESET ROLE;
REVOKE josch_author FROM regress_josch_numbers;
GRANT josch_viewer TO regress_josch_numbers;
SET ROLE regress_josch_numbers;
SELECT josch.new_node_id();
RESET ROLE;
SELECT column_default FROM information_schema.columns WHERE (table_schema, table_name, column_name) = ('josch', 'nodes', 'node_id');

-- a load knows a row without a number by its names, and draws one for those that it does not know
DELETE FROM josch.tpl_nodes;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'A', 'one'), (2, 'N', 'A', 'two');
CREATE SCHEMA regress_josch_numbers;
CREATE TABLE regress_josch_numbers.tpl_nodes (node_type text, job_name text, node_name text, exec_command text);
INSERT INTO regress_josch_numbers.tpl_nodes VALUES ('N', 'A', 'two', 'echo two'), ('N', 'A', 'new', 'echo new'), ('N', 'B', 'one', 'echo one');
SELECT * FROM josch.load_schema('regress_josch_numbers');
SELECT CASE WHEN node_id > :drawn THEN 'drawn' ELSE node_id::text END AS number, job_name, node_name, exec_command FROM josch.tpl_nodes ORDER BY 2, 3;
SELECT * FROM josch.load_schema('regress_josch_numbers');
-- some with, some without
ALTER TABLE regress_josch_numbers.tpl_nodes ADD node_id text;
UPDATE regress_josch_numbers.tpl_nodes SET node_id = '1', node_name = 'renamed' WHERE node_name = 'one';
UPDATE regress_josch_numbers.tpl_nodes SET node_id = '2', node_name = 'new' WHERE node_name = 'two';
UPDATE regress_josch_numbers.tpl_nodes SET node_name = 'two' WHERE node_name = 'new' AND node_id IS NULL;
-- refused: "two" is number 2, which the load calls otherwise
SELECT * FROM josch.load_schema('regress_josch_numbers');
UPDATE regress_josch_numbers.tpl_nodes SET node_name = 'third' WHERE node_id IS NULL;
UPDATE regress_josch_numbers.tpl_nodes SET node_name = 'second' WHERE node_id = '2';
SELECT * FROM josch.load_schema('regress_josch_numbers');
SELECT CASE WHEN node_id > :drawn THEN 'drawn' ELSE node_id::text END AS number, job_name, node_name FROM josch.tpl_nodes ORDER BY 2, 3;
-- a name that another has, in the source or stored
INSERT INTO regress_josch_numbers.tpl_nodes VALUES ('N', 'A', 'third', NULL, 7);
SELECT * FROM josch.load_schema('regress_josch_numbers');
UPDATE regress_josch_numbers.tpl_nodes SET node_name = 'new' WHERE node_id = '7';
SELECT * FROM josch.load_schema('regress_josch_numbers');
ROLLBACK;
