-- Conditions and joins: what a parent is to its children, what is omitted and why, and how it is taken back.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
SET timezone = 'UTC';
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00+00';

-- the whole table, as the engine has it
SELECT state, success, done, failure FROM josch.states() ORDER BY urgency;
SELECT c AS condition, josch.parent_is(NULL, c) AS "not made yet, but expected" FROM unnest(ARRAY['success', 'done', 'failure']) c;
SELECT s.state, c.c FROM josch.states() s, unnest(ARRAY['success', 'done', 'failure']) c (c)
WHERE josch.parent_is(s.state, c.c) IS DISTINCT FROM to_jsonb(s) ->> c.c;
SELECT josch.parent_is('up') AS without_a_word;
SAVEPOINT s;
SELECT josch.parent_is('upp', 'success');
ROLLBACK TO s;
SELECT josch.parent_is('up', 'succes');
ROLLBACK TO s;
SELECT josch.parent_is('up', NULL);
ROLLBACK TO s;

-- what can be written
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J'), ('K');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, join_rule) VALUES (1, 'N', 'J', 'n', 'some');
ROLLBACK TO s;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J'), ('K');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, on_failure) VALUES (1, 'N', 'J', 'n', 'accept');
ROLLBACK TO s;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('J'), ('K');
/*
 * R nodes without a command ask at once: approve and reject are their ends.  1 fails; 2, 3 and 4 wait for it by each
 * condition; 5 and 6 need 2 and 3; 7 joins a branch that runs and one that does not; 8 is of another job.
 */
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, join_rule) VALUES
	(1, 'R', 'J', 'Load', 'all'), (2, 'R', 'J', 'Report', 'all'), (3, 'R', 'J', 'Tell', 'all'), (4, 'R', 'J', 'Clean', 'all'),
	(5, 'R', 'J', 'Send', 'all'), (6, 'N', 'J', 'After all', 'all'), (7, 'N', 'J', 'Either', 'any'), (8, 'N', 'K', 'Archive', 'all');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id, condition) VALUES (1, 2, 'success'), (1, 3, 'done'), (1, 4, 'failure'),
	(2, 5, 'success'), (5, 6, 'done'), (5, 7, 'success'), (4, 7, 'success'), (5, 8, 'success');
SAVEPOINT s;
UPDATE josch.tpl_node_deps SET condition = 'error' WHERE p_node_id = 1;
ROLLBACK TO s;
SELECT * FROM josch.load(tpl_node_deps => E'p_node_id,c_node_id,condition\n1,2,maybe');
ROLLBACK TO s;
-- a load changes a condition that it names, and leaves one that it does not name
SELECT table_name, inserted, updated FROM josch.load(tpl_node_deps => E'p_node_id,c_node_id,condition\n1,2,failure\n1,3,done');
SELECT table_name, inserted, updated FROM josch.load(tpl_node_deps => E'p_node_id,c_node_id\n1,2');
SELECT condition FROM josch.tpl_node_deps WHERE p_node_id = 1 AND c_node_id = 2;
ROLLBACK TO s;
-- of two that are the same dependency of a day the first condition holds
INSERT INTO josch.tpl_node_deps (p_node_id, p_date, c_node_id, c_date, condition) VALUES (1, -1, 3, -1, 'failure'), (1, 1, 2, 1, 'done');
SELECT josch.schedule('2026-03-02');
SELECT p_node_id, c_node_id, condition FROM josch.node_deps ORDER BY 1, 2;
CREATE TEMP VIEW board AS SELECT node_id, node_name, state, unmet, impossible, satisfied, message FROM josch.nodes WHERE job_date = '2026-03-02' ORDER BY node_id;
SELECT josch.tick();
SELECT josch.reject(1, '2026-03-02');
SELECT josch.tick();
-- a failure waits for a person: what needs success waits, the others go on
SELECT * FROM board;
-- it holds up what waits for it, and not what waits for another
SAVEPOINT a;
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, condition) VALUES (1, '2026-03-02', 6, '2026-03-02', 'done');
SELECT node_id, acts, blocks FROM josch.attention WHERE node_id = 1;
ROLLBACK TO a;

-- given up: the day goes on, without what needs its success; each says why
SELECT josch.abandon(1, '2026-03-02', 'no data today');
SELECT waits_for, node_id FROM josch.waiting WHERE waits_for = 'o';
SELECT josch.tick();
SELECT * FROM board;
SELECT josch.approve(4, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state, unmet, impossible, satisfied FROM board WHERE node_id IN (4, 7);
SELECT node_id FROM josch.attention ORDER BY 1;
SELECT sentence FROM josch.history(2, '2026-03-02');
SELECT sentence FROM josch.history(1, '2026-03-02') WHERE sentence LIKE '%aband%';

-- the engine's edges are nobody's: not to take it back, nor to put it there
SAVEPOINT s;
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 2;
ROLLBACK TO s;
UPDATE josch.nodes SET state = 'omitted' WHERE node_id = 3;
ROLLBACK TO s;
SELECT josch.rerun(2, '2026-03-02');
ROLLBACK TO s;
UPDATE josch.nodes SET impossible = 0 WHERE node_id = 2;
ROLLBACK TO s;

-- it runs again: all that was omitted waits again, level by level; what has run stays
SELECT josch.retry(1, '2026-03-02');
SELECT josch.tick();
SELECT * FROM board;
SELECT josch.approve(1, '2026-03-02');
SELECT josch.tick();
-- 4 has run, and is not called back
SELECT * FROM board;
ROLLBACK TO s;

-- a person acts on what is omitted: it is that person's from then on
SELECT josch.force_start(2, '2026-03-02'), josch.skip(5, '2026-03-02', 'sent by hand');
SELECT josch.tick();
SELECT * FROM board WHERE node_id IN (2, 5, 6, 7, 8);
SELECT josch.retry(1, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state, message FROM board WHERE node_id IN (2, 5);
ROLLBACK TO s;
-- so is one that has failed once, was tried again, and is omitted now: the rule is the last who had it
SELECT josch.force_start(2, '2026-03-02');
SELECT josch.tick();
SELECT josch.reject(2, '2026-03-02'), josch.rerun(2, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state, message FROM board WHERE node_id = 2;
ROLLBACK TO s;
-- who repairs it, or goes on as if it had succeeded, takes back all the same
SELECT josch.mark_success(1, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state FROM board WHERE node_id IN (1, 2, 5);
ROLLBACK TO s;
SELECT josch.skip(1, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state FROM board WHERE node_id IN (1, 2, 5);
ROLLBACK TO s;

-- a failure branch that has not started is omitted when its parent has succeeded, or waits while that runs again
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 4;
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 1;
SELECT josch.tick();
SELECT node_id, state, unmet FROM board WHERE node_id IN (1, 4);
SELECT josch.approve(1, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state, message FROM board WHERE node_id IN (1, 2, 4);
ROLLBACK TO s;

-- dependencies, joins and conditions of this day alone: what they mean follows at once
DELETE FROM josch.node_deps WHERE p_node_id = 1 AND c_node_id = 2;
SELECT josch.tick();
SELECT node_id, state, impossible FROM board WHERE node_id IN (2, 5);
ROLLBACK TO s;
UPDATE josch.node_deps SET condition = 'done' WHERE p_node_id = 1 AND c_node_id = 2;
SELECT josch.tick();
SELECT node_id, state, impossible, satisfied FROM board WHERE node_id IN (2, 5);
ROLLBACK TO s;
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date, condition) VALUES (3, '2026-03-02', 5, '2026-03-02', 'done');
UPDATE josch.nodes SET join_rule = 'any' WHERE node_id = 5;
SELECT josch.tick();
SELECT node_id, state, unmet, impossible FROM board WHERE node_id = 5;
UPDATE josch.nodes SET on_failure = 'abandon' WHERE node_id = 5;
SELECT sentence FROM josch.history(5, '2026-03-02') WHERE sentence LIKE 'changed %' OR sentence LIKE '% changed %';
SELECT josch.approve(3, '2026-03-02');
SELECT josch.tick();
SELECT node_id, state, satisfied FROM board WHERE node_id = 5;
ROLLBACK TO s;

-- pictures: conditions that are not the rule, and joins by any
SELECT line FROM regexp_split_to_table(josch.dot('J') || josch.dot('J', '2026-03-02'), '\n') line WHERE line ~ 'done|failure|any' AND line !~ 'digraph';
SELECT m[1] AS edge, count(*) FROM regexp_matches(josch.page('2026-03-02'), '<path( class="(?:ended|bad)")? d="M\d+ \d+ C', 'g') m GROUP BY 1 ORDER BY 1;
SELECT m[1] AS box FROM regexp_matches(josch.page('2026-03-02'), '>(\d+ \[\w\] any \w+)<', 'g') m;
SELECT substring(josch.page('2026-03-02'), '<p>([^<]*done\.)') AS done;
ROLLBACK TO s;

-- across days: a day that is made when its parent is abandoned; a day between that is made later
INSERT INTO josch.tpl_node_deps (p_node_id, p_date, c_node_id, condition) VALUES (1, -1, 1, 'success');
SELECT josch.schedule('2026-03-04', 'J');
SELECT node_id, state, impossible FROM josch.nodes WHERE job_date = '2026-03-04' AND node_id = 1;
SELECT josch.tick();
SELECT node_id, state, message FROM josch.nodes WHERE job_date = '2026-03-04' ORDER BY node_id;
SELECT josch.schedule('2026-03-03', 'J');
SELECT josch.tick();
SELECT job_date, node_id, state, unmet, impossible, message FROM josch.nodes WHERE job_date >= '2026-03-03' AND node_id <= 2 ORDER BY 1, 2;
SELECT josch.unschedule('2026-03-04', 'J');
ROLLBACK TO s;

-- one that was between two attempts is omitted as one that has not run, and is taken back
SET LOCAL check_function_bodies = off;
SET LOCAL row_security = off;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, state, started_at, ended_at, impossible, not_before)
	VALUES ('2026-03-02', 11, 'R', 'J', 'Again', 'pending', '2026-03-02 07:00+00', '2026-03-02 07:01+00', 1, '2026-03-02 09:00+00');
SET LOCAL check_function_bodies = on;
SET LOCAL row_security = on;
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (1, '2026-03-02', 11, '2026-03-02');
SELECT josch.tick();
SELECT state, message, started_at, ended_at, not_before FROM josch.nodes WHERE node_id = 11;
SELECT josch.retry(1, '2026-03-02');
SELECT josch.tick();
SELECT state, message FROM josch.nodes WHERE node_id = 11;
ROLLBACK TO s;

-- a node that fails is abandoned without asking where it says so: also one that cannot even be started
CREATE FUNCTION pg_temp.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no'; END$$;
CREATE TRIGGER refuse BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.state = 'review') EXECUTE FUNCTION pg_temp.refuse();
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, on_failure) VALUES (9, 'R', 'K', 'May fail', 'abandon'), (10, 'R', 'K', 'Must not', 'ask');
SELECT josch.schedule('2026-03-05', 'K');
SELECT josch.tick();
SELECT node_id, state, message FROM josch.nodes WHERE job_date = '2026-03-05' AND node_id IN (9, 10) ORDER BY 1;
DROP TRIGGER refuse ON josch.nodes;
SELECT ending, (josch.verdict(9, '2026-03-05', ending)).state FROM unnest(ARRAY['exit 0', 'exit 3', 'signal 9', 'timeout', 'start', 'unknown', 'stop']) ending;
SELECT (josch.verdict(10, '2026-03-05', 'exit 3')).state;
-- what a person finds to have failed asks
SELECT josch.rerun(9, '2026-03-05');
SELECT josch.tick();
SELECT josch.reject(9, '2026-03-05');
ROLLBACK;
