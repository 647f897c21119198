-- What may be written about retries, in a template and in a day: sets of codes, bounds, words.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET josch.now = '2026-03-02 12:00+00';
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('J', 'UTC');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (1, 'N', 'J', 'runs', 'true');
SELECT success_codes, retry_codes, retries, retry_delay, retry_backoff, retry_max_delay, retry_on, repeatable FROM josch.tpl_nodes;
-- a default that reads back as it stands: an export would tell of it otherwise
SELECT pg_get_expr(adbin, adrelid) = '''' || (SELECT success_codes::text FROM josch.tpl_nodes) || '''::int4multirange' AS canonical
FROM pg_attrdef JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum WHERE adrelid = 'josch.tpl_nodes'::regclass AND attname = 'success_codes';

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
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET success_codes = %L, retry_codes = NULL', value)) AS success_codes,
	pg_temp.try(format('UPDATE josch.tpl_nodes SET success_codes = %L, retry_codes = %L', '{}', value)) AS retry_codes
FROM unnest(ARRAY['{}', '{[0,0]}', '{[0,255]}', '{[0,256]}', '{[-1,0]}', '{[3,)}', '{(,)}', '{[0,0],[10,19],[255,255]}', NULL]) AS value;
UPDATE josch.tpl_nodes SET retry_codes = NULL;
-- no code is both
SELECT s AS success_codes, r AS retry_codes, pg_temp.try(format('UPDATE josch.tpl_nodes SET success_codes = %L, retry_codes = %L', s, r))
FROM (VALUES ('{[0,0]}', '{[1,255]}'), ('{[0,0]}', '{[0,5]}'), ('{[0,0],[5,9]}', '{[1,4],[9,20]}'), ('{[0,9]}', '{[10,20]}'), ('{}', '{[0,255]}'), ('{[0,255]}', NULL)) v(s, r);
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET retries = %L', value)) FROM unnest(ARRAY['0', '1000', '-1', '1001', NULL]) AS value;
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET retry_backoff = %L', value)) FROM unnest(ARRAY['1', '10', '1.5', '1.000001', '1.0000001', '0.99', '10.01', 'NaN', 'Infinity', NULL]) AS value;
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET retry_delay = %L', value)) AS retry_delay, pg_temp.try(format('UPDATE josch.tpl_nodes SET retry_max_delay = %L', value)) AS retry_max_delay
FROM unnest(ARRAY['0', '100 years', '101 years', '-1 s', '1 mon -30 days', NULL]) AS value;
SELECT value, pg_temp.try(format('UPDATE josch.tpl_nodes SET retry_on = %L', value))
FROM unnest(ARRAY['{}', '{exit}', '{exit,signal,timeout,start}', '{sqlstate:40,sqlstate:08,sqlstate:P0001}', '{exit,exit}', '{Exit}', '{"exit signal"}', '{"exit,signal"}', '{exits}', '{""}', '{NULL}',
	'{sqlstate}', '{sqlstate:}', '{sqlstate:4}', '{sqlstate:400}', '{sqlstate:40p01}', '{sqlstate:40P011}', '{{exit},{signal}}', '[3:3]={exit}', NULL]) AS value;
SELECT n, pg_temp.try(format('UPDATE josch.tpl_nodes SET retry_on = %L', array_fill('exit'::text, ARRAY[n]))) FROM unnest(ARRAY[32, 33]) n;

-- a day has its own, which may be mended there; the rest of the matter is nobody's
UPDATE josch.tpl_nodes SET success_codes = '{[0,0],[4,4]}', retry_codes = '{[75,75]}', retries = 3, retry_delay = '30 s', retry_backoff = 2, retry_max_delay = '1 min', retry_on = '{exit,timeout}', repeatable = true;
SELECT * FROM josch.schedule('2026-03-02', 'J');
SELECT success_codes, retry_codes, retries, retry_delay, retry_backoff, retry_max_delay, retry_on, repeatable, not_before, retried FROM josch.nodes;
UPDATE josch.nodes SET success_codes = '{[0,0]}', retry_codes = NULL, retries = 5, retry_delay = '2 min', retry_backoff = 1, retry_max_delay = '1 h', retry_on = '{exit}', repeatable = false;
SELECT replace(sentence, session_user, 'me') AS sentence FROM josch.history(1, '2026-03-02') WHERE sentence ~ 'changed';
SAVEPOINT mended;
UPDATE josch.nodes SET retried = 0;
ROLLBACK TO mended;
UPDATE josch.nodes SET not_before = NULL;
ROLLBACK TO mended;
SELECT pg_temp.try('UPDATE josch.nodes SET retries = 1001'), pg_temp.try('UPDATE josch.nodes SET retry_on = ''{ever}''');
ROLLBACK;
