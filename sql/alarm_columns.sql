-- Deadlines of nodes: what may be written in a template and in a day, and the moments that they become.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET josch.now = '2026-03-02 00:00+00';
\set ON_ERROR_ROLLBACK on
\set SHOW_CONTEXT never
BEGIN;
CREATE ROLE regress_alarm_author LOGIN IN ROLE josch_author;
CREATE ROLE regress_alarm_operator LOGIN IN ROLE josch_operator;
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('J', 'Europe/Zurich');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (1, 'N', 'J', 'runs', 'true'), (2, 'S', 'J', 'signs', NULL);
CREATE FUNCTION pg_temp.try(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	rule text;
BEGIN
	EXECUTE command;
	RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS rule = CONSTRAINT_NAME;
	RETURN SQLSTATE || ' ' || coalesce(nullif(rule, ''), SQLERRM);
END $$;
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET start_by = %L', value)) AS start_by, pg_temp.try(format('UPDATE josch.tpl_nodes SET finish_by = %L', value)) AS finish_by
FROM unnest(ARRAY['00:00', '23:59:59.999999', '26:30', '167:59:59', '168:00', '1 day', '1 mon', '1 year', '-1 minute', '06:30:00+09', NULL]) AS value;
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET max_duration = %L WHERE node_id = 1', value)) AS runs, pg_temp.try(format('UPDATE josch.tpl_nodes SET max_duration = %L WHERE node_id = 2', value)) AS signs
FROM unnest(ARRAY['1 second', '90 minutes', '100 years', '0', '-1 hour', '101 years', '1 day -1 hour', NULL]) AS value;
SELECT pg_temp.try($$ SELECT josch.load(E'var,value\n', E'job_name\nK\n', E'node_id,node_type,job_name,node_name,start_by,finish_by,max_duration\n7,N,K,seven,6:30,26:00:00,2 hours\n', E'p_node_id,p_date,c_node_id,c_date\n') $$);
SELECT start_by, finish_by, max_duration FROM josch.tpl_nodes WHERE node_id = 7;
SELECT pg_temp.try(format($$ SELECT josch.load(E'var,value\n', E'job_name\nK\n', E'node_id,node_type,job_name,node_name,%s\n7,N,K,seven,0630\n', E'p_node_id,p_date,c_node_id,c_date\n') $$, field)) FROM unnest(ARRAY['start_by', 'finish_by']) field;

-- in a day they are moments in the job's zone, also on the night of the switch (2026-03-29)
UPDATE josch.tpl_nodes SET start_by = '02:30', finish_by = '26:00', max_duration = '2 hours' WHERE node_id = 1;
UPDATE josch.tpl_nodes SET finish_by = '09:00' WHERE node_id = 2;
SELECT * FROM josch.schedule('2026-03-29', 'J');
SELECT * FROM josch.schedule('2026-03-02', 'J');
SELECT job_date, node_id, start_by, finish_by, max_duration, late_start_at, late_end_at FROM josch.nodes ORDER BY job_date, node_id;
-- who adds a node to a day gives it deadlines; who moves them moves the moments
SET SESSION AUTHORIZATION regress_alarm_author;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, start_by, finish_by, max_duration) VALUES ('2026-03-02', 10, 'R', 'J', 'added', '01:00', '06:00', '1 hour');
UPDATE josch.nodes SET finish_by = '08:00', max_duration = NULL WHERE node_id = 1 AND job_date = '2026-03-02';
UPDATE josch.nodes SET start_by = NULL WHERE node_id = 1 AND job_date = '2026-03-29';
UPDATE josch.nodes SET late_end_at = '2027-01-01' WHERE node_id = 1;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION regress_alarm_operator;
UPDATE josch.nodes SET finish_by = '08:00' WHERE node_id = 1;
RESET SESSION AUTHORIZATION;
UPDATE josch.nodes SET late_end_at = '2027-01-01' WHERE node_id = 1;
SELECT job_date, node_id, late_start_at, late_end_at, max_duration FROM josch.nodes ORDER BY job_date, node_id;
SELECT sentence FROM josch.history(1, '2026-03-02');
ROLLBACK;
