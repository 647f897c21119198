# test/t/054_bounded_pass.pl
#
# No graph, however large, makes a pass that has no end: it is cut into transactions, and what another job needs
# comes in between. A hop leaves no lock beside its changes, and is found by key whatever the statistics say.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE);

my $node = JoschNode->create('bounded_pass');
my $many = 20_000;

sub multixacts
{
	$node->sql('CHECKPOINT');
	return $node->sql('SELECT next_multixact_id FROM pg_control_checkpoint()');
}

# A chain of milestones that takes many times as long as one pass may.
$node->job('long');
$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT i, 'N', 'long', i::text FROM generate_series(1, $many) i");
$node->sql("INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT i, i + 1 FROM generate_series(1, $many - 1) i");
$node->job('short');
$node->add([ 100_001, 'N', 'true' ], [ 100_002, 'N', 'true' ]);
$node->depend(100_001 => 100_002);
$node->schedule;
ok($node->wait_for('succeeded', 100_001, 100_002, $many), 'both jobs come to their end');
cmp_ok($node->sql("SELECT count(DISTINCT xid) FROM josch.nodes_audit WHERE node_id <= $many AND new_values ->> 'state' = 'succeeded'"),
	'>', 2, 'the long chain is more than one transaction');
is( $node->sql("SELECT (SELECT max(audit_id) FROM josch.nodes_audit WHERE node_id = 100001) < (SELECT max(audit_id) FROM josch.nodes_audit WHERE node_id = $many)"),
	't', 'the short job did not wait for its end');

# A chain of commands: each hop locks, ends and starts the same few rows.
$node->sql('VACUUM ANALYZE');
$node->job('commands');
$node->add(map { [ $_, 'N', 'true' ] } 200_001 .. 200_040);
$node->depend(map { $_ => $_ + 1 } 200_001 .. 200_039);
my $before = multixacts();
$node->schedule;
ok($node->wait_for('succeeded', 200_001 .. 200_040), 'a chain of commands comes to its end');
is(multixacts(), $before, 'no row is locked by one transaction and changed by another');

$node->stop;
done_testing();
