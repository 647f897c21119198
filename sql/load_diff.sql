-- josch.diff: what a load would change, in words; and the comment of a load on record.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
\pset format unaligned
\pset null (none)
\set ON_ERROR_ROLLBACK on
BEGIN;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;
DELETE FROM josch.calendars;
\set environs 'var,value\nA,one\nB,two\n'
\set jobs 'job_name,job_desc,schedule_at\nShop,"The shop, open",6:00\nTill,,\n'
\set nodes 'node_id,node_type,job_name,node_name,exec_command,retries\n10,N,Shop,fetch,"fetch --from here --to there --and-many-more-words --so-that-the-text-is-long --old --end",\n20,S,Shop,sign,,\n30,N,Till,count,count,3\n'
\set deps 'p_node_id,p_date,c_node_id,c_date\n10,0,20,0\n20,-1,10,0\n20,0,30,0\n'
\set calendars 'calendar_name,weekdays\nDesk,"{1,2,3,4,5}"\nGone,"{1}"\n'
\set parts 'calendar_name,position,operation,part_name\nDesk,1,not,Gone\n'
\set holidays 'calendar_name,holiday,holiday_name\nDesk,2026-12-25,Christmas\n'
-- all is new; nothing is written, not even a number is drawn
SELECT * FROM josch.diff_texts(:'environs', :'jobs', :'nodes', :'deps', 'replace', :'calendars', :'parts', :'holidays');
SELECT count(*) FROM josch.tpl_nodes;
SELECT * FROM josch.load(:'environs', :'jobs', :'nodes', :'deps', 'replace', :'calendars', :'parts', :'holidays', 'commit 4f2a');
SELECT * FROM josch.diff_texts(:'environs', :'jobs', :'nodes', :'deps', 'replace', :'calendars', :'parts', :'holidays');
-- what is on record bears the comment, and nothing that comes after
SELECT comment, count(*) FROM (SELECT comment FROM josch.environs_audit WHERE xid = pg_current_xact_id() AND operation = 'INSERT' UNION ALL SELECT comment FROM josch.tpl_jobs_audit WHERE xid = pg_current_xact_id() AND operation = 'INSERT'
	UNION ALL SELECT comment FROM josch.tpl_nodes_audit WHERE xid = pg_current_xact_id() AND operation = 'INSERT' UNION ALL SELECT comment FROM josch.holidays_audit WHERE xid = pg_current_xact_id() AND operation = 'INSERT') a GROUP BY 1;
SET LOCAL josch.comment = 'by hand';
SELECT * FROM josch.load(environs => E'var,value\nA,1\n', comment => 'commit 77');
SELECT * FROM josch.load(environs => E'var,value\nA,one\n');
SELECT operation, comment FROM josch.environs_audit WHERE var = 'A' AND xid = pg_current_xact_id() AND operation = 'UPDATE' ORDER BY audit_id;
\set VERBOSITY sqlstate
SELECT * FROM josch.load(environs => E'var,value\nA,1\n', comment => repeat('x', 10001));
\set VERBOSITY default

-- changes
\set environs 'var,value\nA,one\nB,2\nC,3\n'
\set jobs 'job_name,job_desc,schedule_at\nShop,"The shop,\nclosed",\nNew,,\n'
\set nodes 'node_id,node_type,job_name,node_name,exec_command,retries\n10,N,Shop,fetch it,"fetch --from here --to there --and-many-more-words --so-that-the-text-is-long --new --end",\n20,S,Shop,sign,,\n,N,New,first,"echo ""$DATE""",2\n'
\set deps 'p_node_id,p_date,c_node_id,c_date,condition\n10,0,20,0,done\n20,-2,10,0,\n'
\set holidays 'calendar_name,holiday,holiday_name\nDesk,2026-12-25,Christmas Day\nDesk,2026-12-26,\n'
SELECT * FROM josch.diff_texts(:'environs', :'jobs', :'nodes', :'deps', 'merge', NULL, NULL, :'holidays');
SELECT * FROM josch.diff_texts(:'environs', :'jobs', :'nodes', :'deps', 'replace_jobs', NULL, NULL, :'holidays');
SELECT * FROM josch.diff_texts(:'environs', :'jobs', :'nodes', :'deps', 'replace', E'calendar_name\nDesk\n', E'calendar_name,position,operation,part_name\n', :'holidays');
SELECT last_value AS before FROM josch.node_id_seq \gset
SELECT count(*) FROM josch.diff_texts(tpl_nodes => :'nodes');
SELECT last_value = :before AS nothing_drawn FROM josch.node_id_seq;
-- they are as many as the load counts
SELECT table_name, count(*) FILTER (WHERE change = 'added') AS inserted, count(*) FILTER (WHERE change = 'changed') AS updated, count(*) FILTER (WHERE change = 'removed') AS deleted
	FROM josch.diff_texts(:'environs', :'jobs', :'nodes', :'deps', 'replace', E'calendar_name\nDesk\n', E'calendar_name,position,operation,part_name\n', :'holidays') GROUP BY 1
EXCEPT SELECT * FROM josch.load(:'environs', :'jobs', :'nodes', :'deps', 'replace', E'calendar_name\nDesk\n', E'calendar_name,position,operation,part_name\n', :'holidays');
-- tables that have nothing but their key, or no row
SELECT * FROM josch.diff_texts(tpl_jobs => E'job_name\nShop\nZ\n', tpl_node_deps => E'p_node_id,c_node_id\n10,20\n20,10\n');
SELECT * FROM josch.diff_texts(environs => E'var,value\n');
-- a viewer may look
CREATE ROLE regress_josch_looker IN ROLE josch_viewer;
SET LOCAL ROLE regress_josch_looker;
SELECT * FROM josch.diff_texts(tpl_jobs => E'job_name\nZ\n', tpl_nodes => E'node_type,job_name,node_name\nN,Z,z\n');
SELECT * FROM josch.validate_texts(tpl_jobs => E'job_name\nZ\n');
ROLLBACK;
-- also where nothing may be written
BEGIN READ ONLY;
SELECT * FROM josch.diff_texts(tpl_jobs => E'job_name\nZ\n', tpl_nodes => E'node_type,job_name,node_name\nN,Z,z\n');
ROLLBACK;
