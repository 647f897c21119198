-- josch.act: many at once, a result for each; what is refused keeps none of the others from it.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET timezone = 'UTC';
SET datestyle = 'ISO';
CREATE ROLE regress_alice;
CREATE ROLE regress_eve;
GRANT josch_operator TO regress_alice;
GRANT josch_viewer TO regress_eve;
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES ('J', '2026-03-02', 'UTC'), ('J', '2026-03-03', 'UTC');
INSERT INTO josch.nodes (job_date, node_id, node_type, job_name, node_name)
SELECT d, i, 'S', 'J', 'sign ' || i FROM generate_series(1, 4) i, unnest('{2026-03-02,2026-03-03}'::date[]) d;
SELECT josch.tick('2026-03-02 08:00:00+00');
SET LOCAL SESSION AUTHORIZATION regress_alice;
-- one date for all: two are done, one there is not, one was done before
SELECT josch.signoff(4, '2026-03-02', 'before');
SELECT node_id, job_date, state, sqlstate, message, hint FROM josch.act('signoff', '{3,99,1,4}', '{2026-03-02}', 'all at once');
SELECT node_id, state, action, acted_by, comment FROM josch.nodes WHERE job_date = '2026-03-02' ORDER BY 1;
-- a date for each
SELECT * FROM josch.act('skip', '{2,2}', '{2026-03-02,2026-03-03}');
SELECT * FROM josch.act('skip', '{}', '{}');
-- what was looked at has changed since
SELECT change_id AS seen FROM josch.nodes WHERE (node_id, job_date) = (1, '2026-03-03') \gset
SELECT josch.rerun(1, '2026-03-03');
SELECT node_id, state, sqlstate, message, detail, hint FROM josch.act('skip', '{1}', '{2026-03-03}', seen => ARRAY[:seen]);
SELECT node_id, state, sqlstate FROM josch.act('skip', '{1}', '{2026-03-03}', seen => (SELECT array_agg(change_id) FROM josch.nodes WHERE (node_id, job_date) = (1, '2026-03-03')));
-- what is no act, no list, or not allowed
SELECT * FROM josch.act('schedule', '{1}', '{2026-03-03}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM josch.act('skip', '{1,2}', '{2026-03-03,2026-03-03,2026-03-03}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM josch.act('skip', '{1,NULL}', '{2026-03-03}');
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM josch.act('skip', '{1,2}', '{2026-03-03}', seen => '{1}');
SELECT * FROM josch.act(NULL, '{1}', '{2026-03-03}');
RESET SESSION AUTHORIZATION;
REVOKE EXECUTE ON FUNCTION josch.skip(bigint, date, text) FROM josch_operator;
SET LOCAL SESSION AUTHORIZATION regress_alice;
SELECT * FROM josch.act('skip', '{3}', '{2026-03-03}');
SET LOCAL SESSION AUTHORIZATION regress_eve;
SELECT * FROM josch.act('signoff', '{3}', '{2026-03-03}');
ROLLBACK;
DROP ROLE regress_alice, regress_eve;
