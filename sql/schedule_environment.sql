/* josch.environment(): what a command gets. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.environs VALUES ('PYTHON', '/usr/bin/python3'), ('EMPTY', ''), ('ODD', E'a "b" $c\n''d'' ä'), ('_x', 'y=z');
INSERT INTO josch.tpl_jobs (job_name) VALUES ('A job''s name'), ('other');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (7, 'N', 'A job''s name', 'a $node'), (8, 'N', 'other', 'o');
SELECT * FROM josch.schedule('2026-03-01');
SELECT * FROM josch.environment(7, '2026-03-01') WHERE var NOT LIKE 'P_%' OR var IN ('PREV_DATE', 'PYTHON');
-- a copy: of the day it was made
UPDATE josch.environs SET value = 'changed';
DELETE FROM josch.environs WHERE var = 'ODD';
SELECT * FROM josch.schedule('2024-02-29');
SELECT * FROM josch.environment(8, '2026-03-01') WHERE var IN ('PYTHON', 'ODD', 'PREV_DATE', 'NEXT_DATE');
SELECT * FROM josch.environment(8, '2024-02-29') WHERE var IN ('PYTHON', 'ODD', 'PREV_DATE', 'NEXT_DATE');
-- without any variable there are the built-in ones
DELETE FROM josch.environs;
SELECT * FROM josch.schedule('2026-03-02');
SELECT * FROM josch.environment(8, '2026-03-02') WHERE var NOT LIKE 'P_%' OR var LIKE 'PREV%';
-- the nearest days on either side, of several
SELECT count(*) FROM josch.schedule('2026-03-05');
SELECT d::date AS of, string_agg(var || ' ' || coalesce(value, '-'), ', ' ORDER BY var) FROM unnest(ARRAY['2024-02-29', '2026-03-01', '2026-03-02', '2026-03-05']::date[]) d,
	josch.environment(8, d) WHERE var IN ('PREV_DATE', 'NEXT_DATE') GROUP BY d ORDER BY d;
SELECT days, josch.day_offset('other', '2026-03-01', days) FROM generate_series(-2, 3) days;
-- whatever an administrator calls the index by which they are found; a part of one does not do
CREATE INDEX a_part ON josch.nodes (node_id, job_date) WHERE job_date < '2024-01-01';
ALTER INDEX josch.nodes_node_idx RENAME TO anew;
SELECT var, value FROM josch.environment(8, '2026-03-02') WHERE var IN ('PREV_DATE', 'NEXT_DATE') ORDER BY var;
DROP INDEX josch.anew;
SELECT count(*) FROM josch.environment(8, '2026-03-02');
CREATE INDEX nodes_node_idx ON josch.nodes (node_id, job_date);
-- dates are ISO, whatever the session likes
SET datestyle = 'German, DMY';
SELECT value FROM josch.environment(8, '2026-03-02') WHERE var = 'DATE';
SET datestyle = 'ISO';
SELECT * FROM josch.environment(9, '2026-03-01');
SELECT count(*) FROM josch.environment(NULL, '2026-03-01');
ROLLBACK;
