-- josch.claim: who looks at what waits; it ends with the state, with its time, or by its owner.
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
CREATE VIEW claimed AS SELECT node_id, state, claimed_by, claimed_at, claimed_until, claim_comment FROM josch.attention ORDER BY node_id;
GRANT SELECT ON claimed TO PUBLIC;
\set ON_ERROR_ROLLBACK on
BEGIN;
SET LOCAL josch.now = '2026-03-02 08:00:00+00';
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name) VALUES
	('2026-03-02', 1, 'S', 'J', 'sign'), ('2026-03-02', 2, 'R', 'J', 'judge'), ('2026-03-02', 3, 'N', 'J', 'end');
INSERT INTO josch.node_deps (p_node_id, p_date, c_node_id, c_date) VALUES (1, '2026-03-02', 3, '2026-03-02');
SELECT josch.tick('2026-03-02 08:00:00+00');
SELECT change_id AS before FROM josch.nodes WHERE node_id = 1 \gset
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT josch.claim(1, '2026-03-02', 'I ask the desk');
SELECT * FROM claimed;
-- it moves nothing: what others have seen of the node is still so
SELECT state, action, comment, change_id = :before AS unchanged FROM josch.nodes WHERE node_id = 1;
-- another is told who was first, may act all the same, and cannot end it
RESET SESSION AUTHORIZATION;
SET LOCAL josch.now = '2026-03-02 08:10:00+00';
SET LOCAL SESSION AUTHORIZATION regress_bob;
SELECT josch.claim(1, '2026-03-02');
\echo :LAST_ERROR_SQLSTATE
SELECT josch.unclaim(1, '2026-03-02');
SELECT josch.unclaim(2, '2026-03-02');
-- who has it may begin its time anew, and end it
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT josch.claim(1, '2026-03-02', 'they call back');
SELECT josch.unclaim(1, '2026-03-02');
SELECT * FROM claimed;
SELECT josch.unclaim(1, '2026-03-02');
-- its time ends by itself
SET LOCAL SESSION AUTHORIZATION regress_bob;
SELECT josch.claim(1, '2026-03-02');
RESET SESSION AUTHORIZATION;
SET LOCAL josch.now = '2026-03-02 08:39:59+00';
SELECT claimed_by FROM claimed WHERE node_id = 1;
SET LOCAL josch.now = '2026-03-02 08:40:00+00';
SELECT claimed_by FROM claimed WHERE node_id = 1;
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT josch.claim(1, '2026-03-02');
-- it is over with the state that it was made for, whoever acts, also when that comes again
SET LOCAL SESSION AUTHORIZATION regress_bob;
SELECT josch.signoff(1, '2026-03-02', 'bob was quicker');
SELECT josch.claim(1, '2026-03-02');
SELECT josch.unclaim(1, '2026-03-02');
SELECT josch.rerun(1, '2026-03-02');
RESET SESSION AUTHORIZATION;
SELECT josch.tick('2026-03-02 08:41:00+00');
SELECT * FROM claimed;
SET LOCAL SESSION AUTHORIZATION regress_bob;
SELECT josch.claim(1, '2026-03-02', '');
SELECT * FROM claimed;
-- many at once: by josch.act, what has changed since is left alone
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT node_id, state, sqlstate, message, detail, hint FROM josch.act('claim', '{1,2,3,9}', '{2026-03-02}', 'both');
SELECT node_id, sqlstate, message FROM josch.act('claim', '{1}', '{2026-03-02}', seen => ARRAY[:before]);
SELECT node_id, state, sqlstate, message FROM josch.act('unclaim', '{1,2}', '{2026-03-02}');
-- nothing of it is forgotten
SELECT at, who, sentence FROM josch.history(1, '2026-03-02') WHERE sentence ~ 'look|signed';
RESET SESSION AUTHORIZATION;
SELECT session_name, operation, node_id, comment FROM josch.claims_audit ORDER BY audit_id;
-- rights: who may act may claim; nobody writes the table
SET LOCAL SESSION AUTHORIZATION regress_eve;
SELECT claimed_by FROM claimed;
SELECT josch.claim(2, '2026-03-02');
SELECT * FROM josch.act('claim', '{2}', '{2026-03-02}');
SET LOCAL SESSION AUTHORIZATION regress_alice;
DELETE FROM josch.claims;
SELECT josch.claim(NULL, '2026-03-02');
SELECT josch.claim(2, '2026-03-02', repeat('x', 10001));
ROLLBACK;
DROP VIEW claimed;
DROP ROLE regress_alice, regress_bob, regress_eve;
