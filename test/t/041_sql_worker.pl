# SQL nodes: run as their owner in background workers, together with their success, each statement's effect exactly once.

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $DATE = '2026-11-20';
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'josch'
josch.start_runner = off
max_worker_processes = 20
restart_after_crash = on
END
$node->start;

sub sql
{
	my ($query) = @_;
	return $node->safe_psql('postgres', $query);
}

my $next = 1;

# run(sql, owner, column => value): makes a node of a job of its own, starts it and returns its number
sub run
{
	my ($text, %columns) = @_;
	my $id = $next++;
	my $atomic = delete $columns{atomic} // 'true';
	my $owner = delete $columns{owner} // 'etl';
	my $type = delete $columns{type} // 'N';
	my $timeout = delete $columns{timeout} // '1 hour';
	sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('job $id');
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, exec_sql_atomic, owner, timeout)
			VALUES ($id, '$type', 'job $id', 'node $id', \$sql\$$text\$sql\$, $atomic, '$owner', '$timeout');
		SELECT josch.schedule('$DATE', 'job $id')");
	return $id;
}

sub becomes
{
	my ($id, $state, $what) = @_;
	ok($node->poll_query_until('postgres', "SELECT state = '$state' FROM josch.nodes WHERE node_id = $id"), $what)
	  or diag sql("SELECT * FROM josch.nodes WHERE node_id = $id");
	return;
}

sub message { my ($id) = @_; return sql("SELECT message FROM josch.nodes WHERE node_id = $id"); }
sub of_run { my ($id, $columns) = @_; return sql("SELECT $columns FROM josch.runs WHERE node_id = $id ORDER BY attempt DESC LIMIT 1"); }
sub marks { my ($what) = @_; return sql("SELECT count(*) FROM mark WHERE what = '$what'"); }

# Waits until somebody runs SQL that has this in its text, and returns the process.
sub pid_of
{
	my ($text) = @_;
	my $query = "FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND state = 'active' AND query LIKE '%$text%'";
	$node->poll_query_until('postgres', "SELECT count(*) = 1 $query") or die "nobody runs $text";
	return sql("SELECT pid $query");
}

sql(q{
	CREATE EXTENSION josch;
	CREATE ROLE boss LOGIN SUPERUSER; CREATE ROLE etl LOGIN; CREATE ROLE other LOGIN; CREATE ROLE third LOGIN; CREATE ROLE nologin; CREATE ROLE op LOGIN IN ROLE josch_operator;
	CREATE TABLE mark (what text, by name DEFAULT current_user, session name DEFAULT session_user);
	GRANT ALL ON mark TO PUBLIC;
	GRANT CREATE ON SCHEMA public TO etl;
	INSERT INTO josch.environs VALUES ('GREETING', 'it''s "quoted" $HOME; DROP TABLE mark');
});

# --- who it is, what it knows, what is kept

my $id = run(q{
	INSERT INTO mark VALUES ('first');
	SELECT current_setting('josch_run.GREETING') AS greeting, current_setting('josch_run.DATE') || ' ' ||
		current_setting('josch_run.PREV_DATE') || ' ' || current_setting('josch_run.NODE_ID') || ' ' || current_setting('josch_run.ATTEMPT') AS built_in;
	DO 'BEGIN RAISE NOTICE ''a notice''; END';
	SELECT current_setting('application_name') = 'josch run ' || current_setting('josch_run.RUN_ID') AS named});
becomes($id, 'succeeded', 'SQL runs');
is(sql(q{SELECT by || ' ' || session FROM mark WHERE what = 'first'}), 'etl etl', 'as its owner and nobody else');
is(of_run($id, q{kind || ' ' || status || ' ' || (started_at <= ended_at) || ' ' || (pid > 0) || ' ' || (host <> '') || ' ' || (cpu_seconds >= 0)}),
	'sql succeeded true true true true', 'start, end, process, host and CPU time are on record');
is(of_run($id, 'output_tail'), <<'END', 'so is what it said, and variables reach it as they are');
INSERT 0 1
greeting|built_in
it's "quoted" $HOME; DROP TABLE mark|2026-11-20  1 1
SELECT 1
NOTICE:  a notice
DO
named
t
SELECT 1
END

$id = run(q{SELECT 'look at this' AS report}, type => 'R');
becomes($id, 'review', 'a review node with SQL asks for a review');
like(of_run($id, 'output_tail'), qr/^report\nlook at this\n/, 'and shows its result');

$id = run(q{SELECT i FROM generate_series(1, 100000) i; SELECT repeat('x', 100000); DO 'BEGIN RAISE NOTICE ''%'', repeat(''ü'', 10000); END'});
becomes($id, 'succeeded', 'much output');
is(of_run($id, 'octet_length(output_tail) <= 4096'), 't', 'is cut');

# --- what it must not become

foreach my $try ('SET ROLE boss', 'SET SESSION AUTHORIZATION boss', 'ALTER ROLE etl SUPERUSER',
	q{UPDATE josch.nodes SET state = 'succeeded' WHERE true}, q{INSERT INTO josch.environs VALUES ('X', '')})
{
	$id = run("RESET ROLE; RESET SESSION AUTHORIZATION; $try");
	becomes($id, 'failed', "$try: refused");
	like(message($id), qr/permission denied|must be superuser|must be member/, 'for want of the right to it');
}

# triggers and cursors that the SQL leaves behind end before anybody else writes
sql(q{CREATE TABLE deferred (x int);
	CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO mark VALUES (''deferred''); RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER tell AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION tell();
	CREATE FUNCTION mark(what text) RETURNS int LANGUAGE plpgsql AS 'BEGIN INSERT INTO mark VALUES (what); RETURN 1; END';
	GRANT ALL ON deferred TO PUBLIC});
$id = run(q{INSERT INTO deferred VALUES (1); DECLARE c CURSOR WITH HOLD FOR SELECT mark('cursor')});
becomes($id, 'succeeded', 'a deferred trigger');
is(sql(q{SELECT by || ' ' || session FROM mark WHERE what = 'deferred'}), 'etl etl', 'fires as the owner of the node');
is(marks('cursor'), '0', 'an open cursor is closed, not run to its end');

$id = run(q{SET lock_timeout = 1; SET default_transaction_read_only = on; SET transaction_read_only = on;
	SET check_function_bodies = off; SET row_security = off; SET search_path = pg_temp; SET session_replication_role = DEFAULT}, owner => 'boss');
becomes($id, 'succeeded', 'settings do not reach the bookkeeping');
is(sql("SELECT count(*) FROM josch.nodes_audit a JOIN josch.audit_commits c
	ON c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id
	WHERE a.node_id = $id AND a.new_values->>'state' = 'succeeded'"), '1', 'which is on record as ever');

# --- nothing is left for the next run of the same worker

sql(q{CREATE SEQUENCE leavings});
$id = run(q{CREATE TEMP TABLE leaving (x int); SELECT pg_advisory_lock(42); SET work_mem = '7MB'; PREPARE leaving AS SELECT 1; SELECT nextval('leavings')},
	owner => 'boss');
becomes($id, 'succeeded', 'a run that leaves much behind');
my $pid = of_run($id, 'pid');
is(sql(q{SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'}), '0', 'its advisory lock is gone');
$id = run(q{SELECT to_regclass('pg_temp.leaving') IS NULL, current_setting('work_mem') <> '7MB', NOT EXISTS (SELECT FROM pg_prepared_statements),
	current_setting('josch_run.GREETING') <> ''}, owner => 'boss');
becomes($id, 'succeeded', 'the next run');
is(of_run($id, 'pid'), $pid, 'is done by the same worker');
like(of_run($id, 'output_tail'), qr/^t\|t\|t\|t$/m, 'and finds none of it');

# --- failures

$id = run(qq{INSERT INTO mark VALUES ('undone');\n  SELECT 1 / 0});
becomes($id, 'failed', 'an error');
is(message($id), 'division by zero', 'is told');
is(marks('undone'), '0', 'and the statements before it are undone');
$id = run(qq{SELECT 'ü';\nSELCT 1});
becomes($id, 'failed', 'a syntax error');
is(message($id), 'syntax error at or near "SELCT" (line 2, column 1)', 'is told with its place');
$id = run(q{INSERT INTO mark VALUES ('unique'); CREATE TEMP TABLE u (x int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO u VALUES (1), (1)}, owner => 'boss');
becomes($id, 'failed', 'a constraint that is broken at the commit');
like(message($id), qr/^duplicate key value violates unique constraint "u_x_key"\nKey \(x\)=\(1\) already exists\.$/, 'is told with its detail');
is(marks('unique'), '0', 'and undoes all');
foreach my $text ('COMMIT', 'BEGIN', 'SAVEPOINT s')
{
	$id = run("INSERT INTO mark VALUES ('half'); $text");
	becomes($id, 'failed', "$text in an atomic node: refused");
	like(message($id), qr/^transaction control is not allowed in an atomic SQL node/, 'with the reason');
}
$id = run(q{INSERT INTO mark VALUES ('half'); DO 'BEGIN COMMIT; END'});
becomes($id, 'failed', 'so within DO');
$id = run(q{INSERT INTO mark VALUES ('half'); VACUUM mark}, owner => 'boss');
becomes($id, 'failed', 'and what cannot be part of a transaction');
is(marks('half'), '0', 'nothing of them was committed');
$id = run(q{COPY mark FROM STDIN});
becomes($id, 'failed', 'COPY FROM STDIN fails');
is(message($id), "cannot copy from stdin in a SQL node\nThere is no client to read from.", 'with the reason');
$id = run(q{COPY (SELECT 'copied') TO STDOUT});
becomes($id, 'succeeded', 'COPY TO STDOUT');
is(of_run($id, 'output_tail'), "copied\nCOPY 1\n", 'is output');

$id = run('SELECT 1', owner => 'nologin');
if (sql('SHOW server_version_num') < 170000)
{
	becomes($id, 'failed', 'an owner who may not log in');
	like(message($id), qr/role "nologin" is not permitted to log in/, 'is the reason');
}
else
{
	becomes($id, 'succeeded', 'an owner who may not log in runs SQL from 17 on');
}
sql('REVOKE CONNECT ON DATABASE postgres FROM PUBLIC; GRANT CONNECT ON DATABASE postgres TO etl, other, third, op');
sql('CREATE ROLE outsider LOGIN');
$id = run('SELECT 1', owner => 'outsider');
becomes($id, 'failed', 'an owner who may not connect');
like(message($id), qr/permission denied for database "postgres"/, 'is the reason');
$id = run('SELECT 1');
becomes($id, 'succeeded', 'others are not concerned');

# the run is another's by the time it begins
sql(q{CREATE FUNCTION hand_over() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.owner := 'other'; RETURN NEW; END$$});
sql("CREATE TRIGGER hand_over BEFORE UPDATE ON josch.runs FOR EACH ROW
	WHEN (NEW.node_id = $next AND NEW.status = 'running') EXECUTE FUNCTION hand_over()");
$id = run(q{INSERT INTO mark VALUES ('handed over')});
becomes($id, 'failed', 'an owner who is another by the time it begins');
like(message($id), qr/^the owner of node .* was changed while it was being started$/, 'is the reason');
is(marks('handed over'), '0', 'and it is executed as neither');
sql('DROP TRIGGER hand_over ON josch.runs');

# --- not atomic

$id = run(q{INSERT INTO mark VALUES ('one'); VACUUM mark; CREATE INDEX CONCURRENTLY mark_what ON mark (what); BEGIN; INSERT INTO mark VALUES ('two'); ROLLBACK;
	BEGIN; INSERT INTO mark VALUES ('three'); COMMIT; DO 'BEGIN INSERT INTO mark VALUES (''four''); COMMIT; END'},
	atomic => 'false', owner => 'boss');
becomes($id, 'succeeded', 'not atomic: VACUUM, CREATE INDEX CONCURRENTLY and transactions of its own');
is(sql(q{SELECT string_agg(what, ' ' ORDER BY what) FROM mark WHERE what IN ('one', 'two', 'three', 'four')}), 'four one three', 'did what they say');
$id = run(q{INSERT INTO mark VALUES ('stays'); SELECT 1 / 0; INSERT INTO mark VALUES ('never')}, atomic => 'false');
becomes($id, 'failed', 'not atomic: an error');
is(marks('stays') . marks('never'), '10', 'ends it, and leaves what was committed');
$id = run(q{BEGIN; INSERT INTO mark VALUES ('open')}, atomic => 'false');
becomes($id, 'failed', 'not atomic: a transaction left open');
is(message($id) . marks('open'), 'the SQL ended within a transaction block0', 'is undone and an error');

# --- stopped, timed out

$id = run(q{INSERT INTO mark VALUES ('stopped'); SELECT pg_sleep(600)});
pid_of("''stopped''" =~ s/''/_/gr);
$node->safe_psql('postgres', "SET SESSION AUTHORIZATION op; SELECT josch.stop($id, '$DATE')");
becomes($id, 'failed', 'a run that is stopped');
is(message($id), 'stopped by op: canceling statement due to user request', 'says by whom');
is(marks('stopped'), '0', 'and leaves nothing');
$id = run(q{INSERT INTO mark VALUES ('late'); SELECT pg_sleep(600)}, timeout => '300 ms');
becomes($id, 'failed', 'a run that takes too long');
is(message($id) . ' ' . of_run($id, 'timed_out'), 'timed out: canceling statement due to user request t', 'says so');
is(marks('late'), '0', 'and leaves nothing');
$id = run('SELECT 1');
becomes($id, 'succeeded', 'the worker goes on after a cancel');

# --- how many workers

sql('ALTER SYSTEM SET josch.max_sql_workers = 2; SELECT pg_reload_conf()');
my @many = map { run("INSERT INTO mark SELECT 'most', count(*)::text FROM pg_stat_activity WHERE state = 'active' AND backend_type = 'josch sql worker'; SELECT pg_sleep(0.05)",
		owner => (qw(etl other third))[ $_ % 3 ]) } 1 .. 12;
ok($node->poll_query_until('postgres', "SELECT count(*) = 12 FROM josch.nodes WHERE node_id >= $many[0] AND state = 'succeeded'"),
	'three owners share two workers');
is(sql(q{SELECT max(by::text) <= '2' AND count(*) = 12 FROM mark WHERE what = 'most'}), 't', 'and there were never more at work');
is(sql(qq{SELECT count(*) FROM josch.runs r JOIN josch.nodes n USING (node_id) WHERE n.node_id >= $many[0] AND r.output_tail IS NULL}), '0', 'each has its output');

ok($node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND state = 'idle'}),
	'workers stay for the next run');
sql(q{ALTER SYSTEM SET josch.now = '2099-01-01 00:00+00'; SELECT pg_reload_conf()});
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'josch sql worker'}),
	'but not for ever');
sql('ALTER SYSTEM RESET josch.now; ALTER SYSTEM RESET josch.max_sql_workers; SELECT pg_reload_conf()');

# --- a worker, or the server, that dies: atomic SQL has its effect once, or not at all

$id = run(q{INSERT INTO mark VALUES ('terminated'); SELECT pg_sleep(600)});
$pid = pid_of('_terminated_');
sql("SELECT pg_terminate_backend($pid)");
becomes($id, 'failed', 'a worker that is terminated');
like(message($id), qr/^terminating background worker "josch sql worker" due to administrator command/, 'says so');
is(marks('terminated'), '0', 'and leaves nothing');

$id = run(q{INSERT INTO mark VALUES ('ended, loose'); SELECT pg_sleep(600)}, atomic => 'false');
$pid = pid_of('_ended, loose_');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mark WHERE what = 'ended, loose'});
sql("SELECT pg_terminate_backend($pid)");
becomes($id, 'unknown', 'one that is terminated amid SQL that is not atomic: nobody knows how far it came');
is(of_run($id, 'status'), 'unknown', 'nor its run');

# an error's text may have any length; what is kept has not
my $log_size = -s $node->logfile;
$id = run(q{DO $$BEGIN RAISE EXCEPTION '%', repeat('abc', 1500000) USING DETAIL = repeat('y', 1000000); END$$});
becomes($id, 'failed', 'an error of 5 MB');
is(sql("SELECT max(length(m)) BETWEEN 1000 AND 4100 FROM (SELECT message FROM josch.nodes WHERE node_id = $id UNION ALL
	SELECT message FROM josch.runs WHERE node_id = $id UNION ALL SELECT new_values ->> 'message' FROM josch.nodes_audit WHERE node_id = $id) t(m)"),
	't', 'is cut in the node, in the run and in the record');
like(message($id), qr/ \.\.\. \(\d+ more bytes\)$/, 'and says so');
cmp_ok(-s $node->logfile, '<', $log_size + 1_000_000, 'nor does it fill the log of the server');

# holds the SQL back until the table of go-aheads has a row, so that the kill hits the first execution
sql('CREATE TABLE go (what text); GRANT ALL ON go TO PUBLIC');
sub when_allowed
{
	my ($what) = @_;
	return "INSERT INTO mark VALUES ('$what'); DO \$\$BEGIN WHILE NOT EXISTS (SELECT FROM go WHERE what = '$what') LOOP PERFORM pg_sleep(0.02); END LOOP; END\$\$; INSERT INTO mark VALUES ('$what, after')";
}

$id = run(when_allowed('killed'));
$pid = pid_of('_killed_');
kill 'KILL', $pid;
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND query LIKE '%_killed_%' AND pid <> $pid"),
	'kill -9 of a worker: the server recovers, and an atomic run begins again');
sql(q{INSERT INTO go VALUES ('killed')});
becomes($id, 'succeeded', 'it comes to its end');
is(marks('killed') . marks('killed, after'), '11', 'each statement has its effect once');

# its run was ended by others meanwhile: by the scheduler, say, that took it for lost
$id = run(when_allowed('given up'));
pid_of('_given up_');
sql("ALTER TABLE josch.runs DISABLE TRIGGER guard; UPDATE josch.runs SET status = 'failed', ended_at = now() WHERE node_id = $id;
	ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard; INSERT INTO go VALUES ('given up')");
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE query LIKE '%_given up_%' AND state = 'active' AND backend_type = 'josch sql worker'}),
	'SQL whose run was ended by others');
is(marks('given up') . marks('given up, after'), '00', 'commits nothing');
is(of_run($id, 'status'), 'failed', 'nor does it change how the run ended');

my $loose = run("INSERT INTO mark VALUES ('loose'); " . when_allowed('never'), atomic => 'false');
$id = run(when_allowed('immediate'));
pid_of('_immediate_');
pid_of('_loose_');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM mark WHERE what = 'loose'});
$node->stop('immediate');
$node->start;
becomes($loose, 'unknown', 'an immediate stop amid SQL that is not atomic: nobody knows how far it came');
sql(q{INSERT INTO go VALUES ('immediate')});
becomes($id, 'succeeded', 'amid atomic SQL: it begins again');
is(marks('immediate') . marks('immediate, after') . marks('loose'), '111', 'each statement has its effect once');

is(sql(q{SELECT count(*) FROM josch.runs WHERE ended_at IS NULL}), '0', 'no run is left open');
is(sql(q{SELECT count(*) FROM josch.runs GROUP BY node_id, job_date ORDER BY 1 DESC LIMIT 1}), '1', 'nothing ran under two numbers');
# --- renamed, dropped

# an owner that is renamed stays the owner; one that was dropped is missed, also when another has come of its name
sql('CREATE ROLE wanderer LOGIN; GRANT CONNECT ON DATABASE postgres TO wanderer');
sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('owned');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) VALUES (7000, 'N', 'owned', 'owned', 'SELECT current_user', 'wanderer')");
sql("ALTER ROLE wanderer RENAME TO settler; SELECT josch.schedule('$DATE', 'owned')");
becomes(7000, 'succeeded', 'a node runs as its owner, who has another name now');
like(of_run(7000, 'output_tail'), qr/settler/, 'that one');
sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('lost');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) VALUES (7001, 'N', 'lost', 'lost', 'SELECT current_user', 'settler')");
$node->psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch sql worker'");
sql("REVOKE CONNECT ON DATABASE postgres FROM settler; DROP ROLE settler; CREATE ROLE settler LOGIN; GRANT CONNECT ON DATABASE postgres TO settler; SELECT josch.schedule('$DATE', 'lost')");
becomes(7001, 'failed', 'a node whose owner was dropped does not run as another of its name');
like(message(7001), qr/role "settler", the owner of the node, does not exist or was dropped$/, 'and says so');

$node->stop;

# --- a server that has no more background workers: two launchers and two schedulers take all

my $small = PostgreSQL::Test::Cluster->new('small');
$small->init;
$small->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'josch'
josch.start_runner = off
max_worker_processes = 4
END
$small->start;
$small->safe_psql('postgres', 'CREATE EXTENSION josch');
$small->safe_psql('postgres', 'CREATE DATABASE extra');
$small->safe_psql('extra', 'CREATE EXTENSION josch');
ok($small->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'josch scheduler'}), 'all are taken');
$small->safe_psql('postgres', "INSERT INTO josch.tpl_jobs (job_name) VALUES ('j');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (1, 'N', 'j', 'n', 'SELECT 1'), (2, 'N', 'j', 'm', 'SELECT 2');
	SELECT josch.schedule('$DATE')");
$small->wait_for_log(qr/SQL nodes wait: no background worker slot is free.*HINT:  You might need to increase max_worker_processes/s);
is($small->safe_psql('postgres', q{SELECT count(*) FROM josch.runs WHERE status = 'starting'}), '2', 'SQL waits for a place');
$small->safe_psql('postgres', 'CREATE DATABASE more TEMPLATE extra');
$small->wait_for_log(qr/the scheduler of database "\w+" waits: no background worker slot is free/);
$small->safe_psql('postgres', 'DROP DATABASE more');
$small->safe_psql('postgres', 'DROP DATABASE extra');
ok($small->poll_query_until('postgres', q{SELECT count(*) = 2 FROM josch.nodes WHERE state = 'succeeded'}), 'and runs when there is one');
$small->stop;

done_testing();
