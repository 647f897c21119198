-- What is written stays: nobody changes the record, the owner and superusers neither, whichever way.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
INSERT INTO josch.environs VALUES ('KEPT', 'for ever');
\set ON_ERROR_ROLLBACK on
BEGIN;
DO $$
DECLARE
	audit_table text;
	attempt text;
BEGIN
	FOR audit_table IN SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = 'josch' AND c.relkind = 'r' AND c.relname LIKE '%audit%' ORDER BY 1
	LOOP
		FOREACH attempt IN ARRAY ARRAY['INSERT INTO josch.%1$I SELECT * FROM josch.%1$I', 'UPDATE josch.%1$I SET xid = xid',
			'DELETE FROM josch.%1$I', 'TRUNCATE josch.%1$I', 'COPY josch.%1$I FROM ''/dev/null''']
		LOOP
			BEGIN
				EXECUTE format(attempt, audit_table);
				RAISE WARNING '% went through', format(attempt, audit_table);
			EXCEPTION WHEN insufficient_privilege THEN
				RAISE NOTICE '%: %', split_part(attempt, ' ', 1), SQLERRM;
			END;
		END LOOP;
	END LOOP;
END
$$;
-- with its detail and hint
DELETE FROM josch.environs_audit;
-- not in a replica's session
SET session_replication_role = replica;
DELETE FROM josch.environs_audit;
RESET session_replication_role;
-- not inside a query, nor by a cascade
WITH gone AS (DELETE FROM josch.environs_audit RETURNING 1) SELECT count(*) FROM gone;
TRUNCATE josch.audit_commits CASCADE;
-- a restore may add, and nothing else
SET check_function_bodies = off;
SET row_security = off;
INSERT INTO josch.environs_audit (audit_id, at, xid, session_name, role_name, operation, var, new_values)
	VALUES (0, '2026-11-20', '1', 'somebody', 'somebody', 'INSERT', 'RESTORED', '{}');
DELETE FROM josch.environs_audit;
UPDATE josch.environs_audit SET comment = 'mended';
TRUNCATE josch.environs_audit;
RESET check_function_bodies;
INSERT INTO josch.environs_audit SELECT * FROM josch.environs_audit;
RESET row_security;
-- what it adds must be whole
SET check_function_bodies = off;
SET row_security = off;
INSERT INTO josch.environs_audit (audit_id, at, xid, session_name, role_name, operation, var, new_values)
	VALUES (-1, '2026-11-20', '1', 'somebody', 'somebody', 'DELETE', 'RESTORED', '{}');
RESET check_function_bodies;
RESET row_security;
SELECT var, session_name <> 'somebody' AS own FROM josch.environs_audit ORDER BY audit_id;
ROLLBACK;

-- nor does an error amid the writing leave the door open
CREATE FUNCTION public.disk_full() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no space left'; END$$;
CREATE TRIGGER disk_full BEFORE INSERT ON josch.environs_audit FOR EACH ROW EXECUTE FUNCTION public.disk_full();
\set VERBOSITY terse
INSERT INTO josch.environs VALUES ('LOST');
INSERT INTO josch.environs_audit SELECT * FROM josch.environs_audit;
DROP TRIGGER disk_full ON josch.environs_audit;
CREATE TRIGGER disk_full BEFORE INSERT ON josch.audit_commits FOR EACH ROW EXECUTE FUNCTION public.disk_full();
INSERT INTO josch.environs VALUES ('LOST');
DROP TRIGGER disk_full ON josch.audit_commits;
INSERT INTO josch.audit_commits SELECT * FROM josch.audit_commits;
SELECT count(*) AS lost FROM josch.environs WHERE var = 'LOST';
DROP FUNCTION public.disk_full();
\set VERBOSITY default

-- the audited tables cannot be emptied without a trace
\set VERBOSITY terse
TRUNCATE josch.environs;
TRUNCATE josch.tpl_jobs CASCADE;
TRUNCATE josch.tpl_nodes CASCADE;
TRUNCATE josch.tpl_node_deps;
TRUNCATE josch.jobs CASCADE;
TRUNCATE josch.nodes CASCADE;
TRUNCATE josch.node_deps;
TRUNCATE josch.runs;
\set VERBOSITY default
TRUNCATE josch.environs;

-- a viewer reads it; others do not
CREATE ROLE regress_josch_reader IN ROLE josch_viewer;
CREATE ROLE regress_josch_stranger;
SET ROLE regress_josch_reader;
SELECT var, operation FROM josch.environs_audit;
INSERT INTO josch.environs_audit SELECT * FROM josch.environs_audit;
SET ROLE regress_josch_stranger;
SELECT count(*) FROM josch.environs_audit;
RESET ROLE;
-- the trigger functions are no way in
SELECT josch.audit();
CREATE TABLE public.bystander (id int PRIMARY KEY);
CREATE TRIGGER t AFTER INSERT ON public.bystander FOR EACH ROW EXECUTE FUNCTION josch.audit();
INSERT INTO public.bystander VALUES (1);
DROP TRIGGER t ON public.bystander;
CREATE TRIGGER t AFTER INSERT ON public.bystander FOR EACH STATEMENT EXECUTE FUNCTION josch.audit();
CREATE TRIGGER u AFTER UPDATE ON public.bystander FOR EACH STATEMENT EXECUTE FUNCTION josch.audit();
INSERT INTO public.bystander VALUES (1);
UPDATE public.bystander SET id = 2;
DROP TABLE public.bystander;
DROP ROLE regress_josch_reader;
DROP ROLE regress_josch_stranger;
DROP EXTENSION josch;
