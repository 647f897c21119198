/*
 * A command that uses a variable which does not exist is told when the template
 * is written and when the day is made, and keeps neither from being done.
 */
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS josch;
RESET client_min_messages;
SET datestyle = 'ISO';
\set ON_ERROR_ROLLBACK on
BEGIN;
INSERT INTO josch.environs VALUES ('PYTHON', '/usr/bin/python3'), ('a_b', '');
INSERT INTO josch.tpl_jobs (job_name) VALUES ('A'), ('B');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES
	(100110, 'L', 'A', 'all that is known', '$PYTHON "${a_b}" $DATE $PREV_DATE $NEXT_DATE $JOB_NAME $NODE_ID $NODE_NAME $RUN_ID $ATTEMPT '
		|| '$PATH $HOME $USER $LOGNAME $SHELL $LANG $PWD $1 $? $$ X=1 $X ${Y:-1} ''$Z'' \$W $(echo $IFS $OPTIND $PPID)'),
	(100120, 'N', 'A', 'one that is not', 'run --with=$FOO'),
	(100130, 'N', 'B', 'another job', '$BAR');
SELECT * FROM josch.schedule('2026-11-20', 'A');
SELECT * FROM josch.schedule('2026-11-20');
SELECT node_id, state FROM josch.nodes ORDER BY node_id;
-- the case of a name counts
INSERT INTO josch.environs VALUES ('foo', ''), ('FO', ''), ('FOOO', '');
SELECT * FROM josch.schedule('2026-11-21', 'A');
INSERT INTO josch.environs VALUES ('FOO', '');
SELECT * FROM josch.schedule('2026-11-22', 'A');
SELECT environ ->> 'FOO' = '' AS kept FROM josch.jobs WHERE job_date = '2026-11-22';
-- the ready command is a command too; a name that both use is told once for each node
UPDATE josch.tpl_nodes SET ready_command = 'curl $URL $FOO $URL' WHERE node_id = 100110;
UPDATE josch.tpl_nodes SET exec_command = '$URL $HOST $FOO' WHERE node_id = 100110;
SELECT * FROM josch.schedule('2026-11-23', 'A');
-- only what a statement writes is told
UPDATE josch.tpl_nodes SET node_name = 'another name', exec_command = exec_command || '' WHERE node_id = 100110;
UPDATE josch.tpl_nodes SET exec_command = '$HOST ${URL:-x}' WHERE node_id = 100110;
-- of many nodes the first are named, of many names too, in one WARNING
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
SELECT i, 'N', 'B', 'n' || i, 'echo $V' || i FROM generate_series(1, 8) i;
UPDATE josch.tpl_nodes SET exec_command = 'echo $A $B $C $D $E $F $G' WHERE node_id = 1;
SELECT * FROM josch.schedule('2026-11-24');
-- loaders write by one statement too, after the variables
CREATE TEMP TABLE environs AS SELECT 'V9' AS var, '' AS value;
CREATE TEMP TABLE tpl_nodes AS
SELECT i AS node_id, 'N' AS node_type, 'B' AS job_name, 'n' || i AS node_name, 'echo $V' || i AS exec_command
FROM generate_series(9, 11) i;
SELECT table_name, inserted FROM josch.load_schema(pg_my_temp_schema()::regnamespace) WHERE inserted > 0;
-- SQL has no variables, and a variable's value is never read for more
UPDATE josch.tpl_nodes SET exec_command = NULL, exec_sql = 'SELECT $$x$$, ''$NOPE''' WHERE job_name = 'B';
UPDATE josch.environs SET value = '$NOPE' WHERE var = 'PYTHON';
SELECT * FROM josch.schedule('2026-11-25', 'B');

-- the names that are built in are those which environs refuses
SELECT conname, pg_get_constraintdef(oid) LIKE '%' || string_agg(quote_literal(var) || '::text', ', ') || '%' AS same_list
FROM pg_constraint, unnest(ARRAY['DATE', 'PREV_DATE', 'NEXT_DATE', 'JOB_NAME', 'NODE_ID', 'NODE_NAME', 'RUN_ID', 'ATTEMPT']) var
WHERE conname = 'environs_var_is_not_built_in' GROUP BY conname, oid;
SELECT array_agg(var ORDER BY n) FROM josch.environment(100120, '2026-11-20') WITH ORDINALITY e (var, value, n)
WHERE var NOT IN (SELECT var FROM josch.environs) AND var !~ '^P[GY]';
ROLLBACK;
