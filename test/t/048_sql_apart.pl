# test/t/048_sql_apart.pl
#
# The SQL of a node and the bookkeeping about it have nothing to do with each other:
# what the text, its owner or the database has set, locked or begun does not reach
# the bookkeeping; and the limits that they set hold for the text, and say so.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE);

my $node = JoschNode->create('apart');
my $GATE = 'SELECT pg_advisory_xact_lock_shared(7)';
my $id = 0;

$node->sql(q{
	CREATE ROLE etl LOGIN; CREATE ROLE boss LOGIN SUPERUSER; CREATE ROLE other LOGIN;
	CREATE TABLE mark (what text); CREATE TABLE held (); GRANT ALL ON mark, held TO PUBLIC;
	CREATE SCHEMA trap; GRANT USAGE ON SCHEMA trap TO PUBLIC;
	CREATE TABLE trap.runs (run_id bigint); CREATE TABLE trap.sql_ends (run_id bigint);
	CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS $$SELECT '-infinity'::timestamptz$$;
	CREATE TABLE put_off (x int UNIQUE DEFERRABLE); GRANT ALL ON put_off TO PUBLIC});

# A node of a job of its own, scheduled.
sub start
{
	my ($sql, %columns) = @_;
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', undef, exec_sql => $sql, owner => 'etl', %columns ]);
	$node->schedule;
	return $id;
}

sub fails
{
	my ($number, $message, $what) = @_;
	$node->wait_for('failed', $number);
	like($node->node_is($number, 'message'), $message, $what);
	return;
}

sub marks { my ($what) = @_; return $node->sql("SELECT count(*) FROM mark WHERE what = '$what'"); }
my $gate = $node->background_psql('postgres');
sub close_gate { return $gate->query_safe('SELECT pg_advisory_lock(7)'); }
sub open_gate { return $gate->query_safe('SELECT pg_advisory_unlock(7)'); }

sub waits_at_gate
{
	my ($n) = @_;
	return $node->wait_until('the SQL waits at the gate', 'SELECT count(*) = ' . ($n // 1) . " FROM pg_stat_activity
		WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'");
}

# --- what the text sets

my @settings = ('SET lock_timeout = 1', 'SET statement_timeout = 60000', 'SET search_path = trap, pg_catalog', 'SET session_replication_role = replica',
	'SET synchronous_commit = off', 'SET enable_indexscan = off', 'SET plan_cache_mode = force_custom_plan', 'SET LOCAL row_security = off',
	'SET check_function_bodies = off; SET row_security = off', "SET josch.comment = '" . 'x' x 9000 . "'", 'SET LOCAL default_transaction_isolation = serializable',
	'SET transaction_read_only = on', 'SET ROLE other', 'SET LOCAL SESSION AUTHORIZATION other', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ',
	'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE', 'SET CONSTRAINTS ALL DEFERRED',
	'SELECT FROM josch.nodes', 'LOCK TABLE josch.nodes IN SHARE MODE', "SET datestyle = 'SQL, DMY'; SET intervalstyle = sql_standard; SET bytea_output = escape");
foreach my $what (@settings)
{
	start("$what; SELECT 1", owner => 'boss');
}
$node->wait_for('succeeded', 1 .. $id);
is($node->sql('SELECT count(*) FROM josch.runs WHERE tries <> 1 OR message IS NOT NULL'), '0', 'no setting of a text reaches the bookkeeping');
is($node->sql(q{SELECT count(*) FROM josch.runs_audit WHERE comment IS NOT NULL}), '0', 'nor does its comment');
is($node->sql('SELECT count(*) FROM trap.runs') . $node->sql('SELECT count(*) FROM trap.sql_ends'), '00', 'nor its names');

# a person acts on node and run, and others end, while the transaction has its snapshot
foreach my $level ('REPEATABLE READ', 'SERIALIZABLE')
{
	close_gate();
	my @both = map { start("SET TRANSACTION ISOLATION LEVEL $level; INSERT INTO mark VALUES ('$level'); $GATE") } 1 .. 2;
	waits_at_gate(2);
	my $before = start('SELECT 1');
	$node->wait_for('succeeded', $before);
	$node->sql("UPDATE josch.nodes SET timeout = '1 hour' WHERE node_id = $both[0]");
	open_gate();
	$node->wait_for('succeeded', @both);
	is($node->sql("SELECT max(tries) FROM josch.runs WHERE node_id IN ($both[0], $both[1])") . marks($level), '12', "$level: others do not matter");
}

# --- what the owner has, of yesterday and of today

my @of_role = ("lock_timeout = 1", "default_transaction_isolation = serializable", "default_transaction_read_only = on", "search_path = trap, pg_catalog",
	"default_transaction_deferrable = on", "josch.comment = 'not mine'", "synchronous_commit = off", "check_function_bodies = off");
push @of_role, "transaction_timeout = '1h'" if $node->sql('SHOW server_version_num') >= 170000;
$node->sql(join ';', map { "ALTER ROLE etl SET $_" } @of_role);
my $sql = start(q{SELECT current_setting('lock_timeout'), current_setting('transaction_isolation'), current_setting('search_path')});
$node->wait_for('succeeded', $sql);
like($node->run_is($sql, 'output_tail'), qr/^1ms\|serializable\|trap, pg_catalog$/m, 'the settings of the owner are in force at once, in a worker that was there before');
$node->sql('ALTER ROLE etl RESET ALL');
$sql = start(q{SELECT current_setting('lock_timeout'), current_setting('transaction_isolation')});
$node->wait_for('succeeded', $sql);
like($node->run_is($sql, 'output_tail'), qr/^0\|read committed$/m, 'and no longer than they are set');

# --- limits of the user

my $TIMEOUT = qr/^canceling statement due to statement timeout$/;
fails(start(q{SET statement_timeout = '50ms'; SELECT pg_sleep(600)}), $TIMEOUT, 'a limit that the text sets');
fails(start(q{SET statement_timeout = '50ms'; SELECT pg_sleep(600)}, exec_sql_atomic => 'false'), $TIMEOUT, 'and one that is not atomic');
foreach my $scope ('ROLE etl', 'DATABASE postgres', 'ROLE etl IN DATABASE postgres')
{
	local $ENV{PGOPTIONS} = '-c statement_timeout=0';
	$node->sql("ALTER $scope SET statement_timeout = '50ms'");
	fails(start('SELECT pg_sleep(600)'), $TIMEOUT, "ALTER $scope SET statement_timeout");
	$node->sql("ALTER $scope RESET statement_timeout");
}
$node->sql(q{CREATE FUNCTION sleep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(600); RETURN NULL; END';
	CREATE CONSTRAINT TRIGGER sleep AFTER INSERT ON put_off DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION sleep()});
fails(start(q{SET statement_timeout = '50ms'; INSERT INTO put_off VALUES (1)}), $TIMEOUT, 'it holds for what the text has put off');
my $holder = $node->background_psql('postgres');
$holder->query_safe('BEGIN; LOCK TABLE held');
fails(start(q{SET lock_timeout = '50ms'; LOCK TABLE held}), qr/^canceling statement due to lock timeout$/, 'a limit on waiting');
$holder->query_safe('COMMIT');
if ($node->sql('SHOW server_version_num') >= 170000)
{
	foreach my $atomic ('true', 'false')
	{
		fails(start(q{SET transaction_timeout = '50ms'; SELECT pg_sleep(600)}, exec_sql_atomic => $atomic),
			qr/^terminating connection due to transaction timeout$/, "a limit of transactions, atomic: $atomic");
	}
}

# --- a worker that is ended before it has begun: its run goes to another

my $session = $node->background_psql('postgres');
$session->query_safe(q{ALTER SYSTEM SET post_auth_delay = 3; SELECT pg_reload_conf();
	SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE backend_type = 'josch sql worker'});
$session->query_safe("INSERT INTO josch.tpl_jobs (job_name) VALUES ('ended');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, owner) VALUES (900, 'N', 'ended', 'ended', 'SELECT 1', 'etl');
	SELECT count(*) FROM josch.schedule('$DATE', 'ended')");
my $worker;
JoschNode::eventually('a worker comes', sub {
	($worker) = grep { (JoschRunner::slurp("/proc/$_/cmdline") // '') =~ /josch sql worker/ } split ' ', `pgrep -P $node->{_pid}` });
kill 'TERM', $worker;
$session->query_safe('ALTER SYSTEM RESET post_auth_delay; SELECT pg_reload_conf()');
$node->wait_for('succeeded', 900);
is($node->sql('SELECT count(*), max(attempt) FROM josch.runs WHERE node_id = 900'), '1|1', 'it is one run');

# --- SQL that is stopped before it has begun

$holder->query_safe('BEGIN; LOCK TABLE pg_catalog.pg_db_role_setting');	# which keeps out all new sessions, too
$session->query_safe("INSERT INTO josch.tpl_jobs (job_name) VALUES ('early');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, exec_sql_atomic, owner)
		VALUES (902, 'N', 'early', 'early', 'INSERT INTO mark VALUES (''early''); SELECT pg_sleep(600)', false, 'etl');
	SELECT count(*) FROM josch.schedule('$DATE', 'early')");
JoschNode::eventually('its worker waits', sub { $session->query_safe(q{SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
	WHERE l.relation = 'pg_catalog.pg_db_role_setting'::regclass AND NOT l.granted AND a.backend_type = 'josch sql worker'}) > 0 });
$session->query_safe("SELECT josch.stop(902, '$DATE')");
my $PASSES = q{SELECT substring(detail FROM 'passes (\d+)') FROM josch.health() WHERE component = 'scheduler'};
my $looked = $session->query_safe($PASSES);
JoschNode::eventually('the scheduler has looked', sub { $session->query_safe('SELECT josch.wake()'); $session->query_safe($PASSES) > $looked + 2 });
$holder->query_safe('ROLLBACK');
$session->quit;
fails(902, qr/^stopped by \w+: canceling statement due to user request$/, 'a stop is heard');
is(marks('early'), 0, 'and nothing of it is executed');

# --- SQL that is to end

my $STUBBORN = q{DO $$BEGIN LOOP BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN RAISE NOTICE 'caught'; END; END LOOP; END$$};
foreach my $atomic ('true', 'false')
{
	my $stubborn = start("INSERT INTO mark VALUES ('stubborn $atomic'); $STUBBORN", exec_sql_atomic => $atomic, stop_grace => '1 s');
	$node->wait_until('it runs', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'PgSleep'});
	$node->act(stop => $stubborn);
	fails($stubborn, qr/^stopped by \w+: it was cancelled, did not end within stop_grace, and its worker was terminated$/, "SQL that catches the cancel is ended, atomic: $atomic");
	is(marks("stubborn $atomic"), $atomic eq 'true' ? 0 : 1, 'with what it has committed');
	$stubborn = start($STUBBORN, exec_sql_atomic => $atomic, stop_grace => '0', timeout => '100 ms');
	fails($stubborn, qr/^timed out: it was cancelled, did not end within stop_grace, and its worker was terminated$/, 'a time-out does the same');
	is($node->run_is($stubborn, 'timed_out'), 't', 'and is on record');
}

# somebody else ends what was to end
close_gate();
my $caught = start(q{DO $$BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN PERFORM pg_advisory_lock(7); END$$}, exec_sql_atomic => 'false', stop_grace => '600 s');
$node->wait_until('it runs', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'PgSleep'});
$node->act(stop => $caught);
waits_at_gate();
$node->sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'");
fails($caught, qr/^stopped by \w+: how it ended cannot be known: terminating background worker/, 'SQL that is to end, and whose worker somebody else terminates, has failed');
open_gate();

# also where the stop has not reached it yet
$caught = start('SELECT pg_sleep(600)', exec_sql_atomic => 'false');
$node->wait_until('it runs', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'PgSleep'});
my $frozen = $node->scheduler_pid;
kill 'STOP', $frozen;
$node->act(stop => $caught);
$node->sql("SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'PgSleep'");
kill 'CONT', $frozen;
fails($caught, qr/^stopped by \w+: how it ended cannot be known: terminating background worker/, 'and when the stop comes after its end');

# the scheduler that has cancelled it is gone: the next one ends it
my $left = start($STUBBORN, stop_grace => '2 s', timeout => '100 ms');
$node->wait_until('its time is up', "SELECT timed_out FROM josch.runs WHERE node_id = $left");
my $scheduler = $node->scheduler_pid;
$node->sql("SELECT pg_terminate_backend($scheduler)");
fails($left, qr/^timed out: it was cancelled, did not end within stop_grace, and its worker was terminated$/, 'what one scheduler has cancelled the next one ends');
isnt($node->scheduler_pid, $scheduler, 'it is another one');

# what a worker has left while no scheduler was there, and somebody holds its node: it waits to be told, and is not done again
close_gate();
$left = start("INSERT INTO mark VALUES ('left'); $GATE");
waits_at_gate();
$holder->query_safe("BEGIN; SELECT FROM josch.nodes WHERE node_id = $left FOR UPDATE");
$scheduler = $node->scheduler_pid;
$node->sql("SELECT pg_terminate_backend($scheduler, 60000)");
$node->sql(q{SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'});
open_gate();
$node->wait_until('another scheduler has looked, and more than once', q{SELECT substring(detail FROM 'passes (\d+)')::int > 6 FROM josch.health() WHERE component = 'scheduler'});
is(marks('left'), 0, 'nobody has begun it once more');
$holder->query_safe('COMMIT');
fails($left, qr/^terminating background worker "josch sql worker" due to administrator command/, 'it has failed');
is($node->run_is($left, 'tries') . marks('left'), '10', 'at its first try');

# however often the scheduler looks meanwhile, there is one cancel, and it is for the SQL alone
my $loose = start(q{SELECT 'so far'; SELECT pg_sleep(600)}, exec_sql_atomic => 'false');
$node->wait_until('it runs', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'PgSleep'});
$holder->query_safe('BEGIN; LOCK TABLE josch.sql_ends');
$node->act(stop => $loose);
$node->wait_until('it waits to tell its end', q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'josch.sql_ends'::regclass AND NOT granted AND mode = 'RowExclusiveLock'});
$node->sql('SELECT josch.wake()') foreach 1 .. 20;
$node->sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch sql worker'});
$holder->query_safe('COMMIT');
fails($loose, qr/^stopped by \w+: canceling statement due to user request$/, 'a cancel that comes late is nobody\'s');
like($node->run_is($loose, 'output_tail'), qr/^so far$/m, 'and the end is told as a whole');

# the worker is ended while it tells: what it knew is not lost
$holder->query_safe('BEGIN; LOCK TABLE josch.sql_ends');
$loose = start(q{INSERT INTO mark VALUES ('told')}, exec_sql_atomic => 'false');
$node->wait_until('it waits to tell its end', q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'josch.sql_ends'::regclass AND NOT granted AND mode = 'RowExclusiveLock'});
$node->sql(q{SELECT pg_terminate_backend(pid) FROM pg_locks WHERE relation = 'josch.sql_ends'::regclass AND NOT granted AND mode = 'RowExclusiveLock'});
$holder->query_safe('COMMIT');
$node->wait_for('succeeded', $loose);

# what the server cannot survive is not executed for ever
close_gate();
my $deadly = start("INSERT INTO mark VALUES ('deadly'); $GATE");
waits_at_gate();
$node->sql("ALTER TABLE josch.runs DISABLE TRIGGER guard; UPDATE josch.runs SET tries = 6 WHERE node_id = $deadly; ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard");
$node->stop('immediate');
eval { $_->quit } foreach $gate, $holder;
$node->start;
$gate = $node->background_psql('postgres');
$holder = $node->background_psql('postgres');
fails($deadly, qr/^the server went down while it was executed for the 6th time$/, 'six times are enough');
is(marks('deadly'), '0', 'it left nothing');

# --- what somebody has locked

$holder->query_safe('BEGIN; LOCK TABLE josch.sql_ends');
my ($first, $second) = (start("INSERT INTO mark VALUES ('first')"), start("INSERT INTO mark VALUES ('second')"));
$node->wait_until('both wait to end', q{SELECT count(*) = 2 FROM pg_locks WHERE relation = 'josch.sql_ends'::regclass AND NOT granted});
$node->add([ 901, 'N', undef ]);
$node->sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('milestone'); UPDATE josch.tpl_nodes SET job_name = 'milestone' WHERE node_id = 901");
$node->schedule;
$node->wait_for('succeeded', 901);
$node->act(stop => $second);
$node->wait_until('the one that is stopped does not wait any more', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND query LIKE '%first%' AND state = 'active'});
$holder->query_safe('COMMIT');
$node->wait_for('succeeded', $first);
fails($second, qr/^stopped by .*: canceling statement due to user request$/, 'and is stopped');
is(marks('first') . marks('second'), '10', 'each did what it says');

# the SQL reads a table of JOSCH's that somebody wants whole, and ends in a table that he has: the SQL loses the deadlock
close_gate();
$sql = start("SELECT count(*) FROM josch.nodes; INSERT INTO mark VALUES ('again'); $GATE", owner => 'boss');
waits_at_gate();
$holder->query_safe(q{SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE josch.sql_ends});
open_gate();
$node->wait_until('it waits to end', q{SELECT count(*) = 1 FROM pg_locks WHERE relation = 'josch.sql_ends'::regclass AND NOT granted});
$holder->query_until(qr/^/, "LOCK TABLE josch.nodes;\nCOMMIT;\n");
$node->wait_for('succeeded', $sql);
is($node->run_is($sql, 'tries > 1') . marks('again'), 't1', 'a deadlock against a lock of tables: executed again, once with effect');

# --- an extension that is dropped and made anew while SQL runs counts its runs from 1

close_gate();
$sql = start("$GATE; INSERT INTO mark VALUES ('former')");
waits_at_gate();
my $former = $node->run_is($sql, 'run_id');
$gate->query_safe('SELECT pg_advisory_lock(8)');
$node->sql(qq{BEGIN; DROP EXTENSION josch; CREATE EXTENSION josch; SELECT setval('josch.run_id_seq', $former, false);
	INSERT INTO josch.tpl_jobs (job_name) VALUES ('new');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (1, 'N', 'new', 'new', 'SELECT pg_advisory_xact_lock_shared(8)');
	SELECT josch.schedule('$DATE'); COMMIT});
waits_at_gate(2);
is($node->run_is(1, 'run_id'), $former, 'the same number again');
open_gate();
$node->wait_until('the former text has ended', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND state = 'active'});
is(marks('former') . $node->sql('SELECT count(*) FROM josch.sql_ends'), '00', 'it commits nothing');
is($node->run_is(1, 'status'), 'running', 'and the new run goes on');
$gate->query_safe('SELECT pg_advisory_unlock(8)');
$node->wait_for('succeeded', 1);

$holder->quit;
$gate->quit;
done_testing();
