-- josch.load with mode replace_jobs: the jobs that the source names become what the source says, whole or not at all; no other job changes.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;
INSERT INTO josch.environs VALUES ('V', 'value');
INSERT INTO josch.tpl_jobs (job_name) VALUES ('A'), ('B'), ('C');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (1, 'N', 'A', 'a1'), (2, 'N', 'A', 'a2'), (3, 'N', 'A', 'a3'),
	(11, 'N', 'B', 'b1'), (12, 'N', 'B', 'b2'), (21, 'N', 'C', 'c1');
INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (1, 2), (2, 3), (11, 1), (1, 12), (11, 12), (12, 21);
CREATE VIEW pg_temp.all_of_it AS SELECT format('%s %s %s', n.job_name, n.node_id, n.node_name) AS node,
	(SELECT string_agg(d.p_node_id::text, ' ' ORDER BY 1) FROM josch.tpl_node_deps d WHERE d.c_node_id = n.node_id) AS waits_for FROM josch.tpl_nodes n;
-- a node and two dependencies of A go, one of each comes; what B has on A stays
SELECT * FROM josch.load(NULL, E'job_name\nA', E'node_id,node_type,job_name,node_name\n1,N,A,a1\n2,N,A,renamed\n4,N,A,a4', E'p_node_id,c_node_id\n1,2\n2,4', 'replace_jobs');
TABLE pg_temp.all_of_it ORDER BY 1;
SELECT (SELECT string_agg(job_name, ' ' ORDER BY 1) FROM josch.tpl_jobs) AS jobs, (SELECT string_agg(var, ' ') FROM josch.environs) AS environs;
SELECT * FROM josch.load(NULL, E'job_name\nA', E'node_id,node_type,job_name,node_name\n1,N,A,a1\n2,N,A,renamed\n4,N,A,a4', E'p_node_id,c_node_id\n1,2\n2,4', 'replace_jobs');
-- node 1, on which B waits, does not go without B
SELECT * FROM josch.load(NULL, E'job_name\nA', E'node_id,node_type,job_name,node_name\n2,N,A,renamed', E'p_node_id,c_node_id', 'replace_jobs');
SELECT count(*) FROM pg_temp.all_of_it;
SELECT * FROM josch.load(NULL, E'job_name\nA\nB', E'node_id,node_type,job_name,node_name\n2,N,A,renamed\n11,N,B,b1\n12,N,B,b2', E'p_node_id,c_node_id\n11,12', 'replace_jobs');
TABLE pg_temp.all_of_it ORDER BY 1;
-- a job is named by its nodes too; a node that comes from another job brings no dependency along
SELECT * FROM josch.load(E'var,value\nW,more', E'job_name\nD', E'node_id,node_type,job_name,node_name\n21,N,D,moved', E'p_node_id,c_node_id', 'replace_jobs');
TABLE pg_temp.all_of_it ORDER BY 1;
SELECT * FROM josch.load(NULL, E'job_name', E'node_id,node_type,job_name,node_name\n11,N,B,b1', E'p_node_id,c_node_id', 'replace_jobs');
-- a job without nodes loses all of them, and stays
SELECT * FROM josch.load(NULL, E'job_name\nB', E'node_id,node_type,job_name,node_name', E'p_node_id,c_node_id', 'replace_jobs');
TABLE pg_temp.all_of_it ORDER BY 1;
SELECT (SELECT string_agg(job_name, ' ' ORDER BY 1) FROM josch.tpl_jobs) AS jobs, (SELECT string_agg(var, ' ' ORDER BY 1) FROM josch.environs) AS environs;
-- nothing at all changes nothing
SELECT * FROM josch.load(NULL, E'job_name', E'node_id,node_type,job_name,node_name', E'p_node_id,c_node_id', 'replace_jobs');
-- what is refused at its end leaves what was deleted before
SELECT * FROM josch.load(NULL, E'job_name\nA', E'node_id,node_type,job_name,node_name\n5,N,A,a5', E'p_node_id,c_node_id\n5,5', 'replace_jobs');
TABLE pg_temp.all_of_it ORDER BY 1;
-- all three have to be there
SELECT * FROM josch.load(NULL, E'job_name\nA', E'node_id,node_type,job_name,node_name', mode => 'replace_jobs');
SELECT * FROM josch.load(NULL, E'job_name\nA', mode => 'jobs');
ROLLBACK;
