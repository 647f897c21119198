# test/t/047_sql_again.pl
#
# What fails in an atomic SQL node for a reason that passes by itself (a lost
# deadlock, a transaction that could not be serialized, a connection) is executed
# again: a bounded number of times, each as if it were the first, and for all to see.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE);

my $node = JoschNode->create('again');
my $clock = 0;

$node->sql(q{
	CREATE TABLE mark (what text);
	CREATE TABLE shared (id int PRIMARY KEY, n int);
	INSERT INTO shared VALUES (1, 0), (2, 0);
	CREATE FUNCTION fail(name text, times int, code text) RETURNS void LANGUAGE plpgsql AS $$BEGIN
		IF nextval(name) <= times THEN RAISE EXCEPTION 'failure % of %', currval(name), name USING ERRCODE = code; END IF;
	END$$});

# Fails so often with this code, and then does what it should.
sub failing
{
	my ($name, $times, $code) = @_;
	$node->sql("CREATE SEQUENCE $name");
	return "INSERT INTO mark VALUES ('$name'); PREPARE $name AS SELECT 1; SELECT pg_advisory_lock(1); SELECT fail('$name', $times, '$code')";
}

sub marks { my ($what) = @_; return $node->sql("SELECT count(*) FROM mark WHERE what = '$what'"); }

# The pauses between the executions pass by moving the clock.
sub until_over
{
	my ($id) = @_;
	foreach (1 .. 500)
	{
		return if $node->sql("SELECT ended_at IS NOT NULL FROM josch.runs WHERE node_id = $id") eq 't';
		$clock++;
		$node->sql(sprintf "ALTER SYSTEM SET josch.now = '2031-01-01 %02d:%02d:%02d+00'", $clock / 120, $clock / 2 % 60, $clock % 2 * 30);
		$node->reload;
	}
	die "node $id does not end";
}

my %codes = (serialization => '40001', deadlock => '40P01', connection => '08006', rollback => '40000');
my $id = 0;
foreach my $name (sort keys %codes)
{
	$node->job($name);
	$node->add([ ++$id, 'N', undef, exec_sql => failing($name, 2, $codes{$name}) ]);
	$node->schedule;
	$node->wait_for('succeeded', $id);
	is($node->run_is($id, q{attempt || ' ' || tries || ' ' || status}), '1 3 succeeded', "$name: one run, executed three times");
	is(marks($name), 1, 'with its effect once');
	is($node->node_is($id, 'message'), "executed 3 times; before: failure 2 of $name", 'and everybody can see why');
	is($node->sql("SELECT string_agg(new_values ->> 'message', E'\\n' ORDER BY audit_id) FROM josch.runs_audit a
		WHERE run_id = @{[$node->run_is($id, 'run_id')]} AND new_values ->> 'status' IS NULL"),
		"executed again (2 of 6): failure 1 of $name\nexecuted again (3 of 6): failure 2 of $name", 'each is on record');
	like($node->run_is($id, 'output_tail'), qr/^ERROR:  failure 1 of $name.*^executed again \(2 of 6\).*^ERROR:  failure 2 of $name.*^SELECT 1$/ms, 'and in the output');
}

foreach my $code (qw(08007 40003 22012 P0001))
{
	$node->job("not $code");
	$node->add([ ++$id, 'N', undef, exec_sql => failing("other$code", 2, $code) ]);
	$node->schedule;
	$node->wait_for('failed', $id);
	is($node->run_is($id, 'tries') . ' ' . $node->node_is($id, 'message'), "1 failure 1 of other$code", "$code is a failure at once");
}

$node->job('loose');
$node->add([ ++$id, 'N', undef, exec_sql => failing('loose', 2, '40001'), exec_sql_atomic => 'false' ]);
$node->schedule;
$node->wait_for('failed', $id);
is($node->run_is($id, 'tries') . ' ' . marks('loose'), '1 1', 'what is not atomic is not executed again');

# it never succeeds: seen while it waits, bounded
$node->job('never');
$node->sql("ALTER SYSTEM SET josch.now = '2031-01-01 00:00+00'");
$node->reload;
$node->add([ ++$id, 'N', undef, exec_sql => failing('never', 1000, '40P01'), timeout => '10 hours' ]);
$node->schedule;
$node->wait_until('it waits for its next execution', "SELECT message = 'executed again (2 of 6): failure 1 of never' FROM josch.nodes WHERE node_id = $id AND state = 'running'");
until_over($id);
$node->wait_for('failed', $id);
is($node->run_is($id, 'tries'), 6, 'six times are enough');
is($node->node_is($id, 'message'), "failure 6 of never\nIt was executed 6 times.", 'and are told');

# a stop ends the pause
$node->job('stopped');
$node->add([ ++$id, 'N', undef, exec_sql => failing('stopped', 1000, '40P01'), timeout => '10 hours' ]);
$node->schedule;
$node->wait_until('it waits', "SELECT message LIKE 'executed again (2 of 6)%' FROM josch.nodes WHERE node_id = $id AND state = 'running'");
$node->act(stop => $id);
$node->wait_for('failed', $id);
like($node->node_is($id, 'message'), qr/^stopped by .*: canceling statement due to user request/, 'a stop between two executions');
is($node->run_is($id, 'tries') . marks('stopped'), '20', 'ends the run');
$node->sql('ALTER SYSTEM RESET josch.now');
$node->reload;

# also one before the first, which could not begin
$node->sql(q{CREATE SEQUENCE begins;
	CREATE FUNCTION not_yet() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
		PERFORM nextval('public.begins');
		RAISE EXCEPTION 'not yet' USING ERRCODE = '40001';
	END$$});
$node->job('never begun');
$node->add([ ++$id, 'N', undef, exec_sql => 'SELECT 1' ]);
$node->sql("CREATE TRIGGER not_yet BEFORE UPDATE ON josch.runs FOR EACH ROW
	WHEN (NEW.node_id = $id AND NEW.status = 'running') EXECUTE FUNCTION not_yet()");
$node->schedule;
$node->wait_until('it was tried twice', 'SELECT last_value >= 2 FROM begins');
$node->act(stop => $id);
$node->wait_for('failed', $id);
like($node->node_is($id, 'message'), qr/^could not be started: canceling statement due to user request/, 'a stop while it could not begin');
$node->sql('DROP TRIGGER not_yet ON josch.runs');

# a true deadlock, with one who waits and then takes what the SQL has
$node->job('true deadlock');
$node->add([ ++$id, 'N', undef, exec_sql => q{UPDATE shared SET n = n + 1 WHERE id = 1; UPDATE shared SET n = n + 1 WHERE id = 2} ]);
my $other = $node->background_psql('postgres');
$other->query_safe("SET deadlock_timeout = '1h'; BEGIN; UPDATE shared SET n = n + 10 WHERE id = 2");
$node->schedule;
$node->wait_until('the SQL waits', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event_type = 'Lock'});
$other->query_until(qr/^/, "UPDATE shared SET n = n + 10 WHERE id = 1;\nCOMMIT;\n");
$node->wait_for('succeeded', $id);
is($node->run_is($id, 'tries >= 2'), 't', 'the SQL lost a deadlock');
$node->wait_until('both are done', q{SELECT string_agg(n::text, ' ' ORDER BY id) = '11 11' FROM shared});
$other->quit;

done_testing();
