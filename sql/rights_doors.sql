-- A trigger function does nothing for a table that is not the extension's own, whoever may execute it and whatever its columns are.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
CREATE ROLE doors_viewer IN ROLE josch_viewer;
RESET client_min_messages;
\set VERBOSITY terse
INSERT INTO josch.tpl_jobs (job_name) VALUES ('doors');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'S', 'doors', 'gate'), (2, 'N', 'doors', 'after the gate');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2);
SELECT nodes FROM josch.schedule('2030-01-01', 'doors');
SELECT josch.tick('2030-01-01 12:00 UTC') > 0 AS asked;

-- nobody else may put one on a table
SET ROLE doors_viewer;
DO $$
DECLARE
	f regprocedure;
BEGIN
	CREATE TEMP TABLE t (a int);
	FOR f IN SELECT oid FROM pg_proc WHERE pronamespace = 'josch'::regnamespace AND prorettype = 'trigger'::regtype LOOP
		BEGIN
			EXECUTE format('CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION %s', f);
			RAISE WARNING 'a viewer made a trigger with %', f;
		EXCEPTION WHEN insufficient_privilege THEN
			NULL;
		END;
	END LOOP;
END $$;
RESET ROLE;

-- a superuser may: the function refuses; told are those that did not in so many words
CREATE PROCEDURE pg_temp.try(tab text, clause text, statement text) LANGUAGE plpgsql AS $$
DECLARE
	f regproc;
BEGIN
	FOR f IN SELECT oid::regproc FROM pg_proc WHERE pronamespace = 'josch'::regnamespace AND prorettype = 'trigger'::regtype
		ORDER BY proname COLLATE "C"
	LOOP
		BEGIN
			EXECUTE format('CREATE TRIGGER attack %s EXECUTE FUNCTION %s()', replace(clause, '%t', tab), f);
			EXECUTE statement;
			RAISE EXCEPTION USING ERRCODE = 'P0099', MESSAGE = 'nothing was raised';
		EXCEPTION
			WHEN trigger_protocol_violated THEN
				NULL;
			WHEN OTHERS THEN
				RAISE INFO '% % %', f, SQLSTATE, SQLERRM;
		END;
	END LOOP;
END $$;
CREATE TEMP TABLE nodes (LIKE josch.nodes INCLUDING ALL);
CALL pg_temp.try('pg_temp.nodes', 'AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT',
	$$INSERT INTO pg_temp.nodes (node_id, job_date, node_type, job_name, node_name, state) VALUES (1, '2030-01-01', 'S', 'doors', 'gate', 'succeeded')$$);
CALL pg_temp.try('pg_temp.nodes', 'BEFORE INSERT ON %t FOR EACH ROW',
	$$INSERT INTO pg_temp.nodes (node_id, job_date, node_type, job_name, node_name, state) VALUES (1, '2030-01-01', 'S', 'doors', 'gate', 'succeeded')$$);
CREATE TEMP VIEW v AS SELECT * FROM josch.nodes;
CALL pg_temp.try('v', 'INSTEAD OF UPDATE ON %t FOR EACH ROW', $$UPDATE v SET state = 'succeeded' WHERE node_id = 1$$);
CREATE TEMP TABLE parted (LIKE josch.nodes) PARTITION BY LIST (state);
CREATE TEMP TABLE part PARTITION OF parted DEFAULT;
CALL pg_temp.try('parted', 'AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT',
	$$INSERT INTO parted SELECT * FROM josch.nodes WHERE node_id = 1$$);
-- columns of other types: an integer would be taken for an address
CREATE TEMP TABLE bad (node_id bigint, job_date date, job_name text, state bigint, change_id bigint, unmet int, forced boolean, comment bigint);
CALL pg_temp.try('bad', 'AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT', 'INSERT INTO bad VALUES (1, ''2030-01-01'', ''doors'', 4096, 1, 0, false, 4096)');
-- a member of the extension that does not stand in its schema
CREATE TABLE public.nodes (LIKE josch.nodes INCLUDING ALL);
ALTER EXTENSION josch ADD TABLE public.nodes;
CALL pg_temp.try('public.nodes', 'AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT',
	$$INSERT INTO public.nodes SELECT * FROM josch.nodes WHERE node_id = 1$$);
ALTER EXTENSION josch DROP TABLE public.nodes;
DROP TABLE public.nodes;
-- and what stands in its schema, but is no member
CREATE TABLE josch.stranger (LIKE josch.nodes INCLUDING ALL);
CALL pg_temp.try('josch.stranger', 'AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT',
	$$INSERT INTO josch.stranger SELECT * FROM josch.nodes WHERE node_id = 1$$);
DROP TABLE josch.stranger;
-- an own table, but of another purpose: only what is written for any of them does its work
CALL pg_temp.try('josch.tpl_jobs', 'AFTER INSERT ON %t REFERENCING NEW TABLE AS n FOR EACH STATEMENT', $$INSERT INTO josch.tpl_jobs (job_name) VALUES ('other')$$);
SELECT state FROM josch.nodes WHERE node_id = 2 AND job_date = '2030-01-01';

-- columns that are no longer as they were made, in a session that knows them
BEGIN;
ALTER TABLE josch.nodes RENAME COLUMN forced TO forced_;
UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 1 AND job_date = '2030-01-01';
ROLLBACK;
BEGIN;
ALTER TABLE josch.nodes RENAME COLUMN forced TO forced_;
ALTER TABLE josch.nodes ADD COLUMN forced bigint NOT NULL DEFAULT 4096;
UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 1 AND job_date = '2030-01-01';
ROLLBACK;
-- a key that is no longer as it was made: by another order of its columns other rows would be found
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER TABLE josch.nodes DROP CONSTRAINT nodes_pkey CASCADE;
SAVEPOINT none;
UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 1 AND job_date = '2030-01-01';
ROLLBACK TO none;
ALTER TABLE josch.nodes ADD PRIMARY KEY (node_id, job_date);
UPDATE josch.nodes SET state = 'skipped' WHERE node_id = 1 AND job_date = '2030-01-01';
ROLLBACK;
UPDATE josch.nodes SET state = 'held' WHERE node_id = 2 AND job_date = '2030-01-01' RETURNING state;

SELECT count(*) FROM josch.unschedule('2030-01-01', 'doors');
DELETE FROM josch.nodes WHERE job_name = 'doors';
DELETE FROM josch.tpl_nodes WHERE job_name = 'doors';
DELETE FROM josch.tpl_jobs WHERE job_name = 'doors';
DROP TABLE pg_temp.t;
DROP ROLE doors_viewer;
