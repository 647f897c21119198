-- josch.load_csv: what a file may look like, what each mode does, and what a bad file is told.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET intervalstyle = 'postgres';
\set VERBOSITY default
\set ON_ERROR_ROLLBACK on
\getenv abs_srcdir PG_ABS_SRCDIR
\set tables :abs_srcdir '/tables'
BEGIN;
-- writes a file into a folder of the data directory; content NULL: takes it away
CREATE FUNCTION pg_temp.file(name text, content bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('COPY (SELECT %L) TO PROGRAM %L', coalesce(replace(encode(content, 'base64'), E'\n', ''), ''),
		'mkdir -p josch_load_csv && cd josch_load_csv && '
		|| CASE WHEN content IS NULL THEN 'cat >/dev/null; rm -rf ' ELSE 'base64 -d > ' END || name);
END $$;
CREATE FUNCTION pg_temp.file(name text, content text) RETURNS void LANGUAGE sql AS
$$ SELECT pg_temp.file(name, convert_to(content, 'UTF8')) $$;
CREATE FUNCTION pg_temp.clear() RETURNS void LANGUAGE sql AS $$ SELECT pg_temp.file('*', NULL::bytea) $$;
DELETE FROM josch.tpl_nodes;
DELETE FROM josch.tpl_jobs;
DELETE FROM josch.environs;

-- the sample, as it stands; the second time there is nothing to do
SELECT * FROM josch.load_csv(:'tables');
SELECT * FROM josch.load_csv(:'tables');
SELECT * FROM josch.load_csv(:'tables', 'replace');
SELECT node_id, node_type, job_name, node_name, exec_command, signoff_time, owner = session_user AS mine FROM josch.tpl_nodes ORDER BY node_id;
SELECT p_node_id, p_date, c_node_id, c_date FROM josch.tpl_node_deps ORDER BY 1, 2, 3, 4;

-- merge touches what is in the files, replace what is not, too
SELECT pg_temp.clear();
SELECT pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n100000,S,Sod,Renamed\n100140,N,Sod,New\n');
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT node_id, node_name, signoff_time FROM josch.tpl_nodes WHERE job_name = 'Sod' ORDER BY 1;
SELECT * FROM josch.load_csv('josch_load_csv', 'replace');
SELECT pg_temp.file('tpl_jobs.csv', E'job_name\nSod\nLater\n'), pg_temp.file('environs.csv', E'var,value\nA,1\n'),
	pg_temp.file('tpl_node_deps.csv', E'p_node_id,c_node_id\n100000,100140\n');
SELECT * FROM josch.load_csv('josch_load_csv', 'replace');
SELECT job_name, job_desc FROM josch.tpl_jobs ORDER BY 1;
SELECT node_id, node_name, signoff_time FROM josch.tpl_nodes ORDER BY 1;
SELECT p_node_id, p_date, c_node_id, c_date FROM josch.tpl_node_deps;
-- a column that is not in the file keeps its value: this sign-off's time does not go with its new type
SELECT pg_temp.file('tpl_jobs.csv', E'job_name\nOther\n'),
	pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n100000,N,Other,Renamed\n100140,N,Other,New\n'),
	pg_temp.file('tpl_node_deps.csv', E'p_node_id,c_node_id\n100140,100000\n');
SELECT * FROM josch.load_csv('josch_load_csv', 'replace');
-- an end state that is valid is reached from any other: a dependency turned round, nodes in a job that is new, theirs gone
SELECT pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,signoff_time\n100000,S,Other,Renamed,06:00\n100140,N,Other,New,\n');
SELECT * FROM josch.load_csv('josch_load_csv', 'replace');
-- a file without a column that a row needs, and has
UPDATE josch.tpl_nodes SET node_type = 'L', exec_command = 'serve' WHERE node_id = 100140;
SELECT pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n100000,S,Other,Renamed\n100140,L,Other,Server\n');
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT node_id, node_name, exec_command FROM josch.tpl_nodes WHERE node_id = 100140;
-- headers alone empty everything
SELECT pg_temp.file('tpl_jobs.csv', 'job_name'), pg_temp.file('environs.csv', E'var,value\n'),
	pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\r\n\r\n'), pg_temp.file('tpl_node_deps.csv', E'p_node_id,c_node_id\n');
SELECT * FROM josch.load_csv('josch_load_csv', 'replace');

-- what a file may look like
SELECT pg_temp.clear();
SELECT pg_temp.file('environs.csv', '\xEFBBBF'::bytea || convert_to(E'value, var \r\n"say ""hi"", twice",QUOTED\r\n"two\r\nlines",LINES\r\n,EMPTY\r\n"",EMPTY_TOO\r\nz\u00fcrich \u20ac,UTF8\r\n\\N,BACKSLASH\r\n', 'UTF8'));
SELECT pg_temp.file('tpl_jobs.csv', E'colour,job_desc,time_zone,job_name,loaded_on,valid_from,,\nred,,"","a, b",1999-01-01,2026-02-01,,\n,"de\nsc",Europe/Zurich,"c d",,,,\n\n'
	'blue, spaces ,,e,,,,');
SELECT pg_temp.file('tpl_nodes.csv', E'"node_id","node_type","job_name","node_name","exec_command","signoff_time","exec_sql","exec_sql_atomic","ready_after","timeout","stop_grace","owner"\r'
	'"1","N","e","sql","","","SELECT 1;\nSELECT ''two'';","no","","01:30","",""\r"2","L","e","server","serve --now","","","","2 min","","00:01",""\r');
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT var, value FROM josch.environs ORDER BY var;
SELECT job_name, job_desc, job_desc IS NULL AS no_desc, time_zone, valid_from, loaded_on = josch.today() AS today FROM josch.tpl_jobs ORDER BY job_name COLLATE "C";
SELECT node_id, exec_command, exec_sql, exec_sql_atomic, ready_after, timeout, stop_grace, owner = session_user AS mine FROM josch.tpl_nodes ORDER BY 1;
SELECT * FROM josch.load_csv('josch_load_csv');

-- what cannot be loaded: nothing of it is
CREATE TEMPORARY TABLE before AS SELECT to_jsonb(n) AS row FROM josch.tpl_nodes n UNION ALL SELECT to_jsonb(j) FROM josch.tpl_jobs j UNION ALL SELECT to_jsonb(e) FROM josch.environs e;
CREATE FUNCTION pg_temp.bad(name text, content text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; detail text; hint text; context text;
BEGIN
	PERFORM pg_temp.clear();
	-- these are fine, and written before the bad file
	PERFORM pg_temp.file('environs.csv', E'var,value\nNEW,1\n'), pg_temp.file('tpl_jobs.csv', E'job_name\nNew\n');
	PERFORM pg_temp.file(name, content);
	PERFORM josch.load_csv('josch_load_csv');
	RAISE WARNING '% was loaded', name;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
	context := regexp_replace(context, '\n?SQL statement.*', '');
	RAISE INFO E'% %\n  %', state, message, concat_ws(E'\n  ', nullif(detail, ''), nullif(hint, ''), nullif(context, ''));
END $$;
\set VERBOSITY terse
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,seven\neight,N,e,eight\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,"sev\nen"\n99999999999999999999,N,e,eight\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,signoff_time\r\n7,N,e,"sev\r\nen",\r\n8,S,e,eight,0800\r\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,stop_grace\n7,N,e,seven,' || repeat('x', 200) || E'\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,seven\n8,X,e,eight\n9,Y,e,nine\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,exec_command\n7,N,e,seven,true\n8,S,e,eight,true\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,Nope,seven\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,,seven\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,"",e,seven\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,seven\n1,N,e,one\n07,N,e,again\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,seven,more\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name\n7,N,e\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,node_id,job_name,node_name\n7,N,8,e,seven\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,"seven\n8,N,e,eight\n');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name\n7,N,e,seven\n\\.\n8,N,e,eight\n');
SELECT pg_temp.bad('tpl_nodes.csv', '');
SELECT pg_temp.bad('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,owner\n7,N,e,seven,regress_josch_nobody\n');
SELECT pg_temp.bad('tpl_node_deps.csv', E'p_node_id,p_date,c_node_id,c_date\n1,0,2,0\n1,-1,3,0\n');
SELECT pg_temp.bad('tpl_node_deps.csv', E'p_node_id,p_date,c_node_id,c_date\n1,0,2,0\n1,-400,2,0\n');
SELECT pg_temp.bad('tpl_node_deps.csv', E'p_node_id,c_node_id\n1,2\n1,2\n');
SELECT pg_temp.bad('tpl_node_deps.csv', E'p_node_id,c_node_id\n1,2\n2,1\n');
SELECT pg_temp.bad('environs.csv', E'var,value\nGOOD,1\nDATE,2\n');
SELECT pg_temp.bad('environs.csv', E'var,value\nGOOD,1\nnot good,2\n');
SELECT pg_temp.bad('tpl_jobs.csv', E'job_name,time_zone\nj,Mars/Olympus\n');
SELECT pg_temp.bad('tpl_jobs.csv', E'job_name,valid_from\nj,2026-02-30\n');
\set VERBOSITY default
SELECT pg_temp.file('tpl_jobs.csv', '\x6a6f625f6e616d650a4f6b0aff0a'::bytea);
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT pg_temp.file('tpl_jobs.csv', '\x6a6f625f6e616d650a4f6b0a4f006b0a'::bytea);
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT pg_temp.file('tpl_jobs.csv', '\xfffe6a006f006200'::bytea);
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT pg_temp.file('tpl_jobs.csv', NULL::bytea), pg_temp.file('x; mkdir tpl_jobs.csv', ''::bytea);
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT pg_temp.clear();
SELECT * FROM josch.load_csv('josch_load_csv');
SELECT * FROM josch.load_csv('josch_load_csv/none');
SELECT * FROM josch.load_csv('PG_VERSION');
SELECT * FROM josch.load_csv('josch_load_csv', 'append');
SELECT * FROM josch.load_csv(NULL);
SELECT * FROM josch.load_csv('josch_load_csv', NULL);
SELECT count(*) AS differences FROM (
	(SELECT to_jsonb(n) AS row FROM josch.tpl_nodes n UNION ALL SELECT to_jsonb(j) FROM josch.tpl_jobs j UNION ALL SELECT to_jsonb(e) FROM josch.environs e)
	EXCEPT ALL SELECT row FROM before) d;

-- a load runs with the caller's rights
CREATE ROLE regress_josch_reader IN ROLE josch_author;
GRANT ALL ON FUNCTION pg_temp.file(text, text) TO regress_josch_reader;
SELECT pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,exec_command\n7,N,e,seven,\n8,N,e,eight,id\n');
SET ROLE regress_josch_reader;
SELECT * FROM josch.load_csv('josch_load_csv');
RESET ROLE;
GRANT pg_read_server_files TO regress_josch_reader;
SET ROLE regress_josch_reader;
SELECT * FROM josch.load_csv('josch_load_csv');
RESET ROLE;
GRANT pg_execute_server_program TO regress_josch_reader;
SET ROLE regress_josch_reader;
SELECT * FROM josch.load_csv('josch_load_csv');
RESET ROLE;
-- who may not write commands may load those that are there
REVOKE pg_execute_server_program FROM regress_josch_reader;
SELECT pg_temp.file('tpl_nodes.csv', E'node_id,node_type,job_name,node_name,exec_command\n7,N,e,seventh,\n8,N,e,eighth,id\n');
SET ROLE regress_josch_reader;
SELECT * FROM josch.load_csv('josch_load_csv');
RESET ROLE;
SELECT pg_temp.file('environs.csv', E'var,value\nPATH,/tmp\n');
SET ROLE regress_josch_reader;
SELECT * FROM josch.load_csv('josch_load_csv');
RESET ROLE;
REVOKE josch_author FROM regress_josch_reader;
SET ROLE regress_josch_reader;
SELECT * FROM josch.load_csv('josch_load_csv');
RESET ROLE;
SELECT pg_temp.clear();
ROLLBACK;
COPY (SELECT) TO PROGRAM 'cat >/dev/null; rmdir josch_load_csv';
