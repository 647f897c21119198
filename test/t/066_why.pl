# test/t/066_why.pl
#
# josch.why() says what the scheduler that lives has decided, or lacks: each word that
# a session alone cannot bring about (the others: sql/why_roots.sql).
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE eventually);

my $node = JoschNode->create('why', conf => "josch.max_running = 1\njosch.max_sql_workers = 1");

# reason of a node, once it is that
sub wait_for_reason
{
	my ($id, $reason, $detail, $database) = @_;
	return $node->wait_until("node $id: $reason", "SELECT reason = '$reason' AND detail ~ '$detail' FROM josch.why($id, '$DATE') LIMIT 1", $database);
}

$node->add([ 1, 'N', 'while [ ! -e $WORK/1.end ]; do sleep 0.05; done' ], [ 2, 'N', 'true' ],
	[ 3, 'N', undef, exec_sql => "SELECT pg_advisory_lock(7)" ], [ 4, 'N', undef, exec_sql => 'SELECT 1' ], [ 5, 'N', undef ],
	[ 6, 'N', 'exit 3', retries => 3, retry_delay => '1 hour' ]);
$node->depend(2 => 5, 4 => 5);
my $holder = $node->background_psql('postgres');
$holder->query_safe('SELECT pg_advisory_lock(7)');

subtest 'places' => sub {
	$node->schedule;
	wait_for_reason(1, 'running', '');
	wait_for_reason(2, 'max_running', '^1 commands run, as many as josch.max_running allows');
	wait_for_reason(3, 'running', '');
	wait_for_reason(4, 'sql_worker', '');
	wait_for_reason(5, 'parent', '^waits for "node (2|4)": 1 (commands|SQL nodes) run');
};

subtest 'the scheduler is off' => sub {
	$node->sql('ALTER SYSTEM SET josch.scheduler = off');
	$node->sql('SELECT pg_reload_conf()');
	wait_for_reason(2, 'scheduler_off', 'josch.scheduler is off');
	$node->sql('ALTER SYSTEM RESET josch.scheduler');
	$node->sql('SELECT pg_reload_conf()');
	wait_for_reason(2, 'max_running', '');
};

subtest 'somebody holds it' => sub {
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; SELECT FROM josch.nodes WHERE node_id = 2 AND job_date = '$DATE' FOR UPDATE");
	open my $file, '>', "$node->{work}/1.end" or die $!;
	close $file;
	$node->wait_for('succeeded', 1);
	wait_for_reason(2, 'locked', '^held by session .* idle in a transaction');
	$session->query_safe('COMMIT');
	$session->quit;
	$node->wait_for('succeeded', 2);
};

subtest 'tried again later' => sub {
	wait_for_reason(6, 'retry_delay', '^attempt 2 of 4');
	is($node->sql("SELECT until > now() + interval '50 minutes' FROM josch.why(6, '$DATE')"), 't', 'and when');
};

subtest 'no runner, and a copy' => sub {
	$node->sql('ALTER SYSTEM SET josch.start_runner = off');
	$node->sql('SELECT pg_reload_conf()');
	JoschRunner::end_runner($node->{spool});
	$node->job('later');
	$node->add([ 11, 'N', 'true' ]);
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'later')");
	wait_for_reason(11, 'runner_down', 'no runner answers');
	$holder->quit;
	$node->wait_for('succeeded', 3, 4);
	$node->sql('ALTER SYSTEM SET josch.scheduler = off');
	$node->sql('SELECT pg_reload_conf()');
	$node->sql('CREATE DATABASE copy TEMPLATE postgres', 'template1');
	wait_for_reason(11, 'disarmed', '', 'copy');
};

$node->stop;
done_testing();
