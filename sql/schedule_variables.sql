/* A command that uses a variable which does not exist is refused when the day is made. */
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
SELECT * FROM josch.schedule('2026-11-20');
SELECT * FROM josch.schedule('2026-11-20', 'A');
SELECT * FROM josch.schedule('2026-11-20', 'B');
SELECT count(*) FROM josch.jobs;
-- the case of a name counts
INSERT INTO josch.environs VALUES ('foo', ''), ('FO', ''), ('FOOO', '');
SELECT * FROM josch.schedule('2026-11-20', 'A');
INSERT INTO josch.environs VALUES ('FOO', '');
SELECT * FROM josch.schedule('2026-11-20', 'A');
SELECT environ ->> 'FOO' = '' AS kept FROM josch.jobs;
-- the ready command is a command too; a name that both use is told once for each node
UPDATE josch.tpl_nodes SET ready_command = 'curl $URL $FOO $URL' WHERE node_id = 100110;
SELECT * FROM josch.schedule('2026-11-21', 'A');
UPDATE josch.tpl_nodes SET exec_command = '$URL $HOST $FOO' WHERE node_id = 100110;
SELECT * FROM josch.schedule('2026-11-21', 'A');
-- of many nodes the first are named
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
SELECT i, 'N', 'B', 'n', 'echo $V' || i FROM generate_series(1, 8) i;
SELECT * FROM josch.schedule('2026-11-21');
-- SQL has no variables, and a variable's value is never read for more
UPDATE josch.tpl_nodes SET exec_command = NULL, exec_sql = 'SELECT $$x$$, ''$NOPE''' WHERE job_name = 'B';
UPDATE josch.environs SET value = '$NOPE' WHERE var = 'PYTHON';
SELECT * FROM josch.schedule('2026-11-21', 'B');

-- the names that are built in are those which environs refuses
SELECT conname, pg_get_constraintdef(oid) LIKE '%' || string_agg(quote_literal(var) || '::text', ', ') || '%' AS same_list
FROM pg_constraint, unnest(ARRAY['DATE', 'PREV_DATE', 'NEXT_DATE', 'JOB_NAME', 'NODE_ID', 'NODE_NAME', 'RUN_ID', 'ATTEMPT']) var
WHERE conname = 'environs_var_is_not_built_in' GROUP BY conname, oid;
SELECT array_agg(var ORDER BY n) FROM josch.environment(100120, '2026-11-20') WITH ORDINALITY e (var, value, n)
WHERE var NOT IN (SELECT var FROM josch.environs);
ROLLBACK;
