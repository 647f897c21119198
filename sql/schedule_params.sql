/* Parameters of a day: josch.schedule(job_date, job_name, params); and what commands know of the server. */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.environs VALUES ('BOOK', 'all'), ('OTHER', 'o');
INSERT INTO josch.tpl_jobs (job_name) VALUES ('EOD'), ('SOD');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES
	(1, 'N', 'EOD', 'a', 'echo $BOOK ${N:-1}'), (2, 'N', 'SOD', 'b', 'echo $BOOK');
CREATE FUNCTION pg_temp.given(node bigint, day date) RETURNS text LANGUAGE sql
	AS $$ SELECT string_agg(var || '=' || value, ' ' ORDER BY var) FROM josch.environment(node, day) WHERE var IN ('BOOK', 'OTHER', 'N', 'FLAG', 'TEXT') $$;
-- they win over environs, and are the day's alone
SELECT * FROM josch.schedule('2026-03-02', 'EOD', '{"BOOK": "3", "N": 12.50, "FLAG": true, "TEXT": "a \"b\" $c ä"}');
SELECT * FROM josch.schedule('2026-03-02', 'SOD');
SELECT * FROM josch.schedule('2026-03-03');
SELECT pg_temp.given(1, '2026-03-02'), pg_temp.given(2, '2026-03-02'), pg_temp.given(1, '2026-03-03');
SELECT job_name, job_date, params, environ FROM josch.jobs ORDER BY job_date, job_name;
-- on record
SELECT operation, job_name, job_date, new_values -> 'params' AS params FROM josch.jobs_audit WHERE xid = pg_current_xact_id() ORDER BY audit_id;
SELECT regexp_replace(sentence, 'by \S+', 'by somebody') FROM josch.history(1, '2026-03-02') UNION ALL
	SELECT regexp_replace(sentence, 'by \S+', 'by somebody') FROM josch.history(2, '2026-03-02');
-- a variable that only the parameters have is no unknown one; else it is
UPDATE josch.tpl_nodes SET exec_command = 'echo $REGION' WHERE node_id = 1;
SELECT * FROM josch.schedule('2026-03-04', 'EOD', '{"REGION": "EU"}');
SELECT * FROM josch.schedule('2026-03-05', 'EOD', '{"OTHER": "EU"}');
-- of a day that is there they stay as they are
SELECT * FROM josch.schedule('2026-03-04', 'EOD', '{"REGION": "US"}');
SELECT * FROM josch.schedule('2026-03-04', 'EOD');
SELECT * FROM josch.unschedule('2026-03-04', 'EOD');
SELECT * FROM josch.schedule('2026-03-04', 'EOD', '{"REGION": "US"}');
SELECT params FROM josch.jobs WHERE job_date = '2026-03-04';
-- each of many days
SELECT * FROM josch.backfill('2026-03-04', '2026-03-07', 'EOD', '{"REGION": "ASIA"}');
SELECT job_date, params FROM josch.jobs WHERE job_date >= '2026-03-04' ORDER BY job_date;
-- what they may be
SELECT josch.schedule('2026-04-01', NULL, '{"A": "b"}');
SELECT josch.backfill('2026-04-01', '2026-04-02', NULL, '{"A": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', '["A"]');
SELECT josch.schedule('2026-04-01', 'EOD', '"A"');
SELECT josch.schedule('2026-04-01', 'EOD', '{"A": null}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"A": ["b"]}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"A B": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"1A": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"Ä": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"RUN_ID": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', '{"JOSCH_REPORT": "b"}');
SELECT josch.schedule('2026-04-01', 'EOD', jsonb_build_object('A', repeat('x', 100001)));
SELECT josch.schedule('2026-04-01', 'EOD', '{"A": 1e100000}');
SELECT josch.schedule('2026-04-01', 'EOD', jsonb_object_agg('V' || i, repeat('x', 90000))) FROM generate_series(1, 12) i;
SELECT count(*) FROM josch.jobs WHERE job_date = '2026-04-01';
-- the table asks the same, whoever writes it; the names that environs refuses are those that parameters may not have
\set VERBOSITY terse
UPDATE josch.jobs SET params = '{"A": 1}' WHERE job_date = '2026-03-02' AND job_name = 'EOD';
UPDATE josch.jobs SET params = '[]' WHERE job_date = '2026-03-02' AND job_name = 'EOD';
\set VERBOSITY default
SELECT name[1], josch.is_parameters(jsonb_build_object(name[1], '')) FROM pg_constraint,
	regexp_matches(pg_get_constraintdef(oid), '[''{,]([A-Z_]{4,})[''},]', 'g') name WHERE conname = 'environs_var_is_not_built_in' ORDER BY 1;
SELECT josch.is_parameters('{"PATH": "x", "_a1": ""}'), josch.is_parameters('{}'), josch.is_parameters(NULL);
-- where the server is; what somebody has written wins
SELECT var, CASE var WHEN 'PGPORT' THEN value = current_setting('port') WHEN 'PGDATABASE' THEN value = current_database()
	WHEN 'PGHOST' THEN value = btrim(split_part(current_setting('unix_socket_directories'), ',', 1), ' "') ELSE value = '1' END AS known
	FROM josch.environment(1, '2026-03-02') WHERE var ~ '^P[GY]' ORDER BY var;
INSERT INTO josch.environs VALUES ('PGHOST', 'elsewhere'), ('PYTHONUNBUFFERED', '');
SELECT * FROM josch.schedule('2026-05-01', 'SOD', '{"PGDATABASE": "other"}');
SELECT var, CASE WHEN var <> 'PGPORT' THEN value END AS value FROM josch.environment(2, '2026-05-01') WHERE var ~ '^P[GY]' ORDER BY var;
UPDATE josch.tpl_nodes SET exec_command = 'psql -h $PGHOST -p $PGPORT $PGDATABASE' WHERE node_id = 1;
-- who may not write environs may give none
CREATE ROLE regress_params_author;
GRANT josch_author, josch_operator TO regress_params_author;
SET LOCAL ROLE regress_params_author;
SELECT josch.schedule('2026-04-02', 'EOD', '{"A": "b"}');
SELECT josch.backfill('2026-04-01', '2026-04-02', 'EOD', '{"A": "b"}');
SELECT * FROM josch.schedule('2026-04-02', 'SOD', '{}');
UPDATE josch.jobs SET params = '{"A": "b"}';
RESET ROLE;
ROLLBACK;
