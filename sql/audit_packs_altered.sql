-- The packs of the record, where people have altered what belongs to it, or ask for more than columns.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY terse
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.tpl_jobs (job_name, loaded_on) VALUES ('Much', '2026-01-01');
CREATE FUNCTION pg_temp.load(first bigint, last bigint) RETURNS void LANGUAGE sql AS $$
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) SELECT n, 'N', 'Much', 'node ' || n, 'true' FROM generate_series(first, last) n
$$;
-- how many rows are recorded of nodes from one on, and how many of them are rows of their own
CREATE FUNCTION pg_temp.kept(first bigint) RETURNS TABLE (recorded bigint, as_rows bigint) LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM josch.tpl_nodes_audit WHERE node_id >= first), (SELECT count(*) FROM ONLY josch.tpl_nodes_audit WHERE node_id >= first)
$$;
SELECT pg_temp.load(1, 1040);
SELECT * FROM pg_temp.kept(1);
-- a row has the transaction of its pack
SELECT xmin IN (SELECT xmin FROM josch.audit_packs) AS of_its_pack, tableoid::regclass, new_values ->> 'node_name' AS name FROM josch.tpl_nodes_audit WHERE node_id IN (1, 1040) ORDER BY audit_id;
-- a scan that begins again
SELECT n, (SELECT string_agg(new_values ->> 'node_name', ', ') FROM josch.tpl_nodes_audit a WHERE a.node_id = n) FROM unnest('{1040, NULL, 1, 2000, 1, 999}'::bigint[]) WITH ORDINALITY AS u (n, i) ORDER BY i;
-- a trigger on the packs may change what is recorded
SAVEPOINT altered;
CREATE FUNCTION pg_temp.note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO josch.environs VALUES ('NOTED_' || nextval('pg_temp.notes'), 1); RETURN NULL; END$$;
CREATE SEQUENCE pg_temp.notes;
CREATE TRIGGER note AFTER INSERT ON josch.audit_packs FOR EACH ROW EXECUTE FUNCTION pg_temp.note();
SELECT pg_temp.load(2001, 5000);
SELECT * FROM pg_temp.kept(2001);
ROLLBACK TO altered;
-- and one that leaves rows out does not leave out the record
CREATE FUNCTION pg_temp.leave_out() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE TRIGGER leave_out BEFORE INSERT ON josch.audit_packs FOR EACH ROW EXECUTE FUNCTION pg_temp.leave_out();
SELECT pg_temp.load(2001, 2040);
SELECT * FROM pg_temp.kept(2001);
ROLLBACK TO altered;
-- where nothing shows them, there are no packs
ALTER FOREIGN TABLE josch.tpl_nodes_audit_packed NO INHERIT josch.tpl_nodes_audit;
SELECT pg_temp.load(2001, 2040);
SELECT * FROM pg_temp.kept(2001);
ROLLBACK TO altered;
ALTER FOREIGN TABLE josch.tpl_nodes_audit_packed RENAME TO tpl_nodes_packed;
SELECT pg_temp.load(2001, 2040);
SELECT count(*) FROM ONLY josch.tpl_nodes_audit;
ROLLBACK TO altered;
-- a column of the record under another name, or at another place
ALTER TABLE josch.tpl_nodes_audit RENAME comment TO remark;
SELECT count(new_values) FROM josch.tpl_nodes_audit;
ROLLBACK TO altered;
ALTER TABLE josch.tpl_nodes_audit DROP application;
ALTER TABLE josch.tpl_nodes_audit ADD application text;
SELECT count(application = current_setting('application_name')) FROM josch.tpl_nodes_audit;
ROLLBACK TO altered;
-- null of JSON is not NULL
ALTER TABLE josch.tpl_nodes ADD tags jsonb;
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command, tags) SELECT n, 'N', 'Much', 'node ' || n, 'true', (ARRAY['null', NULL, '[null]'])[n % 3 + 1]::jsonb FROM generate_series(2001, 2099) n;
SELECT new_values -> 'tags' AS tags, count(*) FROM josch.tpl_nodes_audit WHERE node_id > 2000 GROUP BY 1 ORDER BY 1;
ROLLBACK TO altered;
-- rows that have little in common are rows, and none of them is lost; many that have much are not for that
SELECT nodes FROM josch.schedule('2026-02-02') UNION ALL SELECT nodes FROM josch.schedule('2026-02-03');
UPDATE josch.nodes SET state = 'held', comment = 'of ' || node_id WHERE job_date = '2026-02-02';
SELECT count(*), count(DISTINCT audit_id), bool_and(comment = 'of ' || node_id AND new_values ->> 'comment' = comment) AS as_it_is FROM josch.nodes_audit WHERE operation = 'UPDATE' AND job_date = '2026-02-02';
SELECT count(*) < 50 AS few FROM josch.audit_packs WHERE operation = 'UPDATE' AND job_date = '2026-02-02';
UPDATE josch.nodes SET state = 'held', comment = CASE WHEN node_id % 50 = 0 THEN 'of ' || node_id ELSE 'all' END WHERE job_date = '2026-02-03';
SELECT count(*), count(DISTINCT audit_id), count(DISTINCT comment) FROM josch.nodes_audit WHERE operation = 'UPDATE' AND job_date = '2026-02-03';
SELECT count(*) FROM ONLY josch.nodes_audit WHERE operation = 'UPDATE' AND job_date = '2026-02-03';
ROLLBACK;
