-- What people do to nodes, by function and by plain UPDATE, and what follows.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE ROLE regress_alice;
CREATE ROLE regress_bob;
CREATE ROLE regress_eve;
GRANT josch_operator TO regress_alice, regress_bob;
GRANT josch_viewer TO regress_eve;
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES
	('2026-03-02', 1, 'S', 'J', 'sign'),
	('2026-03-02', 2, 'N', 'J', 'left'),
	('2026-03-02', 3, 'N', 'J', 'right'),
	('2026-03-02', 4, 'R', 'J', 'judge'),
	('2026-03-02', 5, 'N', 'J', 'end');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date)
SELECT p, '2026-03-02', c, '2026-03-02' FROM (VALUES (1, 2), (1, 3), (2, 4), (3, 4), (4, 5)) d(p, c);
GRANT EXECUTE ON FUNCTION josch.tick(timestamptz) TO regress_alice;
CREATE TEMP VIEW board AS SELECT node_id, state, unmet, forced, message, action, acted_by AS by,
	acted_at::text, comment FROM josch.nodes ORDER BY node_id;
SELECT * FROM board;

-- nobody has acted on a node that is new
SAVEPOINT s;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, message, action, acted_by, acted_at, comment, unmet, forced, started_at, ended_at) VALUES
	('2026-03-02', 6, 'N', 'J', 'new', 'done', 'skip', 'regress_eve', '2026-03-01 08:00+00', 'said', 7, true, '2026-03-01 08:00+00', '2026-03-01 08:00+00');
SELECT b.*, n.started_at, n.ended_at FROM board b JOIN josch.nodes n USING (node_id) WHERE node_id = 6;
ROLLBACK TO s;

GRANT SELECT ON board TO regress_alice;
SET LOCAL SESSION AUTHORIZATION regress_alice;
-- the engine asks, a person answers; the children are freed in the same transaction
SELECT josch.tick('2026-03-02 08:00:01+00');
SELECT josch.signoff(1, '2026-03-02', 'prices checked');
SELECT * FROM board;
SELECT josch.tick('2026-03-02 08:00:02+00');
SELECT josch.reject(4, '2026-03-02', 'spread too wide');
SELECT josch.retry(4, '2026-03-02');
SELECT josch.tick('2026-03-02 08:00:03+00');
SELECT josch.approve(4, '2026-03-02');
SELECT josch.tick('2026-03-02 08:00:04+00');
SELECT * FROM board;

-- once more, with all that hangs below
SELECT josch.rerun(2, '2026-03-02', 'late correction', descendants => true);
SELECT * FROM board;
SELECT josch.hold(2, '2026-03-02', 'wait for the vendor');
SELECT josch.tick('2026-03-02 08:00:05+00');
SELECT josch.force_start(4, '2026-03-02', 'judge without the left side');
SELECT josch.tick('2026-03-02 08:00:06+00');
SELECT * FROM board;
-- what was forced does not wait when it is tried again
SELECT josch.retry(4, '2026-03-02');
SELECT josch.tick('2026-03-02 08:00:06+00');
SELECT josch.release(2, '2026-03-02');
SELECT josch.skip(2, '2026-03-02', 'vendor is down');
SELECT * FROM board;

-- the same by UPDATE; the comment beside it, or by the setting
UPDATE josch.nodes SET state = 'succeeded', comment = 'looks good' WHERE node_id = 4;
SELECT josch.tick('2026-03-02 08:00:07+00');
-- what was said of one act is not said of the next
SAVEPOINT s;
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 4;
SELECT node_id, action, comment FROM board WHERE node_id = 4;
ROLLBACK TO s;
SET LOCAL josch.comment = 'by the setting';
UPDATE josch.nodes SET state = 'pending' WHERE node_id = 5;
SELECT * FROM board WHERE node_id IN (4, 5);
SELECT josch.rerun(4, '2026-03-02');
SELECT josch.skip(5, '2026-03-02', 'said');
SELECT node_id, action, comment FROM board WHERE node_id IN (4, 5);
ROLLBACK;

-- several parents of several children in one statement: each child is counted once, by all of them
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) SELECT '2026-03-02', n, 'S', 'J', 'node ' || n FROM generate_series(1, 6) n;
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) SELECT p, '2026-03-02', c, '2026-03-02' FROM generate_series(1, 3) p, generate_series(4, 6) c;
UPDATE josch.nodes SET state = 'skipped' WHERE node_id IN (1, 2);
SELECT node_id, state, unmet FROM josch.nodes WHERE node_id > 3 ORDER BY node_id;
SELECT node_id, state FROM josch.act('skip', ARRAY[3], ARRAY['2026-03-02'::date]);
UPDATE josch.nodes SET state = 'pending' WHERE node_id < 4;
SELECT node_id, state, unmet FROM josch.nodes WHERE node_id > 3 ORDER BY node_id;
ROLLBACK;

-- an act that fails leaves nothing of itself in the session: what comes next is what it says
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-03-02', 1, 'S', 'J', 'sign');
\set VERBOSITY sqlstate
SELECT josch.hold(1, '2026-03-02', repeat('x', 10001));
\set VERBOSITY default
ROLLBACK;
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES ('2026-03-02', 1, 'S', 'J', 'sign');
UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 1;
SELECT node_id, state, action FROM josch.nodes;
ROLLBACK;

-- what is refused
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES
	('2026-03-02', 1, 'S', 'J', 'sign'), ('2026-03-02', 2, 'N', 'J', 'next');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (1, '2026-03-02', 2, '2026-03-02');
SELECT josch.tick('2026-03-02 08:00:01+00');
-- the engine's rights end with its statement also where that fails
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
SAVEPOINT s;
CREATE TRIGGER fail BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (OLD.node_id = 2) EXECUTE FUNCTION pg_temp.fail();
\set SHOW_CONTEXT never
SELECT josch.skip(1, '2026-03-02');
\set SHOW_CONTEXT errors
ROLLBACK TO s;
UPDATE josch.nodes SET state = 'running' WHERE node_id = 2;
ROLLBACK TO s;
DROP FUNCTION pg_temp.fail();
SAVEPOINT s;
SELECT josch.signoff(99, '2026-03-02');
ROLLBACK TO s;
SELECT josch.signoff(NULL, '2026-03-02');
ROLLBACK TO s;
SELECT josch.approve(1, '2026-03-02');
ROLLBACK TO s;
UPDATE josch.nodes SET state = 'running' WHERE node_id = 1;
ROLLBACK TO s;
UPDATE josch.nodes SET state = 'runing' WHERE node_id = 1;
ROLLBACK TO s;
UPDATE josch.nodes SET unmet = 0 WHERE node_id = 2;
ROLLBACK TO s;
UPDATE josch.nodes SET state = 'succeeded', acted_by = 'somebody else' WHERE node_id = 1;
ROLLBACK TO s;
UPDATE josch.nodes SET comment = 'never said so' WHERE node_id = 1;
ROLLBACK TO s;
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name, state)
VALUES ('2026-03-02', 3, 'N', 'J', 'born ready', 'succeeded');
ROLLBACK TO s;
-- the second of two people is told who was first
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT josch.signoff(1, '2026-03-02', 'I was first');
SAVEPOINT signed;
SET LOCAL SESSION AUTHORIZATION regress_bob;
SELECT josch.signoff(1, '2026-03-02', 'me too');
ROLLBACK TO signed;
SET LOCAL SESSION AUTHORIZATION regress_bob;
UPDATE josch.nodes SET state = 'succeeded' WHERE node_id = 1;
ROLLBACK TO signed;
-- whoever may only look may not act, by neither way
SET LOCAL SESSION AUTHORIZATION regress_eve;
SELECT josch.hold(2, '2026-03-02');
ROLLBACK TO signed;
SET LOCAL SESSION AUTHORIZATION regress_eve;
UPDATE josch.nodes SET state = 'held' WHERE node_id = 2;
ROLLBACK TO signed;
-- a savepoint that is rolled back takes act and consequences with it
SELECT josch.hold(2, '2026-03-02');
ROLLBACK TO signed;
SELECT node_id, state, action FROM josch.nodes ORDER BY node_id;
ROLLBACK;
DROP ROLE regress_alice, regress_bob, regress_eve;
