-- josch.comment is what a person says in the session, or with the connection; a default of the database or a role, which others may set, is not.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('comment');
DELETE FROM josch.tpl_jobs WHERE job_name = 'comment';
ALTER DATABASE :"DBNAME" SET josch.comment = 'of the database';
\c
SHOW josch.comment;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('database');
SELECT current_user AS me \gset
ALTER ROLE :"me" IN DATABASE :"DBNAME" SET josch.comment = 'of the role here';
\c
INSERT INTO josch.tpl_jobs (job_name) VALUES ('role');
SHOW josch.comment;
-- said by the person
BEGIN;
SET LOCAL josch.comment = 'said in the transaction';
INSERT INTO josch.tpl_jobs (job_name) VALUES ('transaction');
COMMIT;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('after it');
SET josch.comment = 'said in the session';
INSERT INTO josch.tpl_jobs (job_name) VALUES ('session');
RESET josch.comment;
SHOW josch.comment;
INSERT INTO josch.tpl_jobs (job_name) VALUES ('reset');
\c -reuse-previous=on "options='-c josch.comment=said-with-the-connection'"
INSERT INTO josch.tpl_jobs (job_name) VALUES ('connection');
\c -reuse-previous=on "options=''"
SELECT job_name, comment FROM josch.tpl_jobs_audit WHERE operation = 'INSERT' ORDER BY audit_id;
ALTER ROLE :"me" IN DATABASE :"DBNAME" RESET josch.comment;
ALTER DATABASE :"DBNAME" RESET josch.comment;
DELETE FROM josch.tpl_jobs WHERE job_name IN ('database', 'role', 'transaction', 'after it', 'session', 'reset', 'connection');
