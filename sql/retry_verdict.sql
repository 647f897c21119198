-- What becomes of a node when its run ends: the table of all ends, by the function that the scheduler asks.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
SET josch.now = '2026-03-02 12:00+00';
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, time_zone) VALUES ('J', 'Europe/Zurich');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES
	(1, 'N', 'J', 'normal', 'true'), (2, 'R', 'J', 'review', 'true'), (3, 'L', 'J', 'long', 'true');
SELECT * FROM josch.schedule('2026-03-02', 'J');
CREATE TEMP TABLE endings AS SELECT 'exit ' || n AS ending, 'exit' AS kind, n FROM generate_series(0, 255) n
	UNION ALL SELECT 'signal ' || n, 'signal', n FROM generate_series(1, 64) n
	UNION ALL SELECT e, e, 0 FROM unnest(ARRAY['timeout', 'start', 'stop', 'unknown', 'done']) e
	UNION ALL SELECT 'sqlstate ' || e, 'sqlstate', 0 FROM unnest(ARRAY['40001', '40P01', '40003', '08006', '08007', '22012', 'P0001', '57014']) e;
-- kinds of ends, with the numbers that end in the same way
CREATE FUNCTION pg_temp.table_of(of_node bigint) RETURNS TABLE (ending text, numbers int4multirange, state text, again boolean, message text) LANGUAGE sql AS $$
	SELECT CASE WHEN kind IN ('exit', 'signal') THEN kind ELSE ending END, CASE WHEN kind IN ('exit', 'signal') THEN range_agg(int4range(n, n + 1)) END,
		v.state, v.not_before IS NOT NULL, regexp_replace(v.message, '(exit code|signal) \d+( \((\([^)]*\)|[^()])*\))?', '\1')
	FROM endings, LATERAL josch.verdict(of_node, '2026-03-02', ending) v
	GROUP BY 1, v.state, 4, 5, kind ORDER BY kind, min(n), 1
$$;
-- as it is born: code 0, and nothing is tried again
SELECT * FROM pg_temp.table_of(1);
SELECT * FROM pg_temp.table_of(2) WHERE state <> 'failed';
SELECT * FROM pg_temp.table_of(3) WHERE state <> 'failed';
-- with retries, and nothing else said
UPDATE josch.nodes SET retries = 3;
SELECT * FROM pg_temp.table_of(1);
-- each word by itself
UPDATE josch.nodes SET retry_on = '{}';
SELECT * FROM pg_temp.table_of(1) WHERE again;
UPDATE josch.nodes SET retry_on = '{signal}';
SELECT * FROM pg_temp.table_of(1) WHERE again;
UPDATE josch.nodes SET retry_on = '{timeout}';
SELECT * FROM pg_temp.table_of(1) WHERE again;
UPDATE josch.nodes SET retry_on = '{start}';
SELECT * FROM pg_temp.table_of(1) WHERE again;
UPDATE josch.nodes SET retry_on = '{sqlstate:08}';
SELECT * FROM pg_temp.table_of(1) WHERE again;
UPDATE josch.nodes SET retry_on = '{sqlstate:40003,sqlstate:P0001}';
SELECT * FROM pg_temp.table_of(1) WHERE again;
UPDATE josch.nodes SET retry_on = '{}', repeatable = true;
SELECT * FROM pg_temp.table_of(1) WHERE again;
-- codes
UPDATE josch.nodes SET retry_on = '{exit}', repeatable = false, success_codes = '{[0,0],[10,19]}', retry_codes = '{[75,79],[127,127]}';
SELECT * FROM pg_temp.table_of(1) WHERE ending = 'exit';
SELECT * FROM pg_temp.table_of(2) WHERE ending = 'exit' AND state = 'review';
SELECT * FROM pg_temp.table_of(3) WHERE ending = 'exit' AND state = 'succeeded';
UPDATE josch.nodes SET success_codes = '{}', retry_codes = NULL, retry_on = '{}';
SELECT * FROM pg_temp.table_of(3) WHERE ending = 'exit';
UPDATE josch.nodes SET success_codes = '{[0,255]}';
SELECT * FROM pg_temp.table_of(3) WHERE ending = 'exit';
-- codes of success without retries
UPDATE josch.nodes SET success_codes = '{[3,3]}', retries = 0;
SELECT * FROM pg_temp.table_of(1) WHERE ending = 'exit';

-- delays: the number of the run adds up to a tenth, the same each time
UPDATE josch.nodes SET success_codes = '{[0,0]}', retries = 8, retry_on = '{exit}', retry_delay = '30 s', retry_backoff = 2, retry_max_delay = '10 min';
ALTER TABLE josch.nodes DISABLE TRIGGER door;
CREATE TEMP TABLE waited AS SELECT r, k, NULL::interval AS delay, NULL::text AS message FROM generate_series(1, 40) r, generate_series(1, 9) k;
DO $$
DECLARE
	w record;
BEGIN
	FOR w IN SELECT * FROM waited LOOP
		UPDATE josch.nodes SET state = 'running', run_id = w.r, attempt = w.k, retried = w.k - 1 WHERE node_id = 1;
		UPDATE waited SET (delay, message) = (SELECT v.not_before - josch.now(), v.message FROM josch.verdict(1, '2026-03-02', 'exit 9') v) WHERE r = w.r AND k = w.k;
	END LOOP;
END $$;
SELECT k, least(interval '30 s' * 2 ^ (k - 1), interval '10 min') AS least, count(delay), count(DISTINCT delay) > 30 AS apart,
	bool_and(delay BETWEEN least(interval '30 s' * 2 ^ (k - 1), interval '10 min') AND least(interval '30 s' * 2 ^ (k - 1), interval '10 min') * 1.1) AS within,
	max(delay) - min(delay) > least(interval '30 s' * 2 ^ (k - 1), interval '10 min') * 0.08 AS spread, regexp_replace(min(message), ' at \S+', ' at ...') AS message
FROM waited GROUP BY k ORDER BY k;
UPDATE josch.nodes SET attempt = 1, retried = 0 WHERE node_id = 1;
SELECT count(DISTINCT v.not_before) FROM generate_series(1, 9), LATERAL josch.verdict(1, '2026-03-02', 'exit 9') v;
-- no overflow, and none without a delay; the next day is named, in the zone of the job
UPDATE josch.nodes SET attempt = 9, retries = 1000, retried = 998, retry_backoff = 10, retry_delay = '100 years', retry_max_delay = '100 years' WHERE node_id = 1;
SELECT v.not_before > '2120-01-01' AS far, v.message ~ '^attempt 10 of 11 at 21[23]\d-\d\d-\d\d \d\d:\d\d; before: exit code 9$' AS told FROM josch.verdict(1, '2026-03-02', 'exit 9') v;
UPDATE josch.nodes SET attempt = 9, retry_delay = '0' WHERE node_id = 1;
SELECT v.* FROM josch.verdict(1, '2026-03-02', 'exit 9') v;
UPDATE josch.nodes SET retry_delay = '1 min', retry_max_delay = '0' WHERE node_id = 1;
SELECT v.* FROM josch.verdict(1, '2026-03-02', 'exit 9') v;
ALTER TABLE josch.nodes ENABLE ALWAYS TRIGGER door;

-- an end that is none
CREATE FUNCTION pg_temp.try(ending text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (josch.verdict(1, '2026-03-02', ending)).state; EXCEPTION WHEN invalid_parameter_value THEN RETURN SQLERRM; END $$;
SELECT e, pg_temp.try(e) FROM unnest(ARRAY['', 'exit', 'exit 256', 'exit -1', 'exit 3 4', 'exit x', 'exit ', 'exi 3', 'exits 3', 'signal 0', 'signal 65', 'timeout 3', 'sqlstate', 'sqlstate 40', 'sqlstate 40p01', 'Stop', ' stop']) e;
SELECT josch.verdict(99, '2026-03-02', 'stop');
ROLLBACK;
