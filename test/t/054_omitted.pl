# test/t/054_omitted.pl
#
# What one failure omits, and takes back, may be ten thousand nodes: the person who gives it up waits for none but the
# children, and the scheduler goes on level by level, in passes that end when their time is up, each level at once.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE);

my $node = JoschNode->create('omitted');
my $wide = 100;
my $deep = 100;
my $all = $wide * $deep;


# In how many transactions, and how often each of the nodes, since then.
sub way
{
	my ($state, $since) = @_;
	return split /\|/, $node->sql("SELECT count(DISTINCT xid), count(*) FROM josch.nodes_audit
		WHERE audit_id > $since AND new_values ->> 'state' = '$state' AND node_id >= 1000");
}

# Each node of a level needs two of the level above; the first level needs node 1.
$node->job('top');
$node->add([ 1, 'R' ]);
$node->job('below');
$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT 1000 + i, 'N', 'below', i::text FROM generate_series(0, $all - 1) i");
$node->sql("INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT 1, 1000 + i FROM generate_series(0, $wide - 1) i
	UNION ALL SELECT 1000 + i, 1000 + $wide * (i / $wide + 1) + (i + k) % $wide FROM generate_series(0, $all - $wide - 1) i, generate_series(0, 1) k");
$node->job('beside');
$node->add([ 2, 'N' ]);
$node->depend(1 => 2);
$node->sql("UPDATE josch.tpl_node_deps SET condition = 'failure' WHERE c_node_id = 2");
$node->schedule;
ok($node->wait_for('review', 1), 'the first waits for a person');
$node->sql("SELECT josch.reject(1, '$DATE')");
ok($node->wait_for('succeeded', 2), 'what waits for its failure goes on');

my $last = 'SELECT max(audit_id) FROM josch.nodes_audit';
my $since = $node->sql($last);
$node->sql("SELECT josch.abandon(1, '$DATE')");
ok($node->wait_until('all is omitted', "SELECT count(*) = $all FROM josch.nodes WHERE state = 'omitted'"), 'it is given up: all below is omitted');
my ($passes, $changed) = way(omitted => $since);
is($changed, $all, 'each of them once');
cmp_ok($passes, '<=', 2 * $deep, 'in no more passes than twice the levels');
note("$passes passes");
is($node->sql("SELECT count(*) FROM josch.nodes WHERE state = 'omitted' AND (impossible, unmet, satisfied) <> (CASE WHEN node_id < 1000 + $wide THEN 1 ELSE 2 END, 0, 0)"),
	'0', 'and counts both its parents');
is($node->sql('SELECT count(*) FROM josch.attention'), '0', 'nobody is asked');

# taken back: the same way
$since = $node->sql($last);
$node->sql("SELECT josch.retry(1, '$DATE')");
ok($node->wait_until('all waits again', "SELECT count(*) = $all FROM josch.nodes WHERE state = 'pending'"), 'it runs again: all waits for it');
($passes, $changed) = way(pending => $since);
is($changed, $all, 'each of them once');
cmp_ok($passes, '<=', 2 * $deep, 'in no more passes than twice the levels');
note("$passes passes");
$node->sql("SELECT josch.approve(1, '$DATE')");
ok($node->wait_until('all is done', "SELECT count(*) = $all + 1 FROM josch.nodes WHERE state = 'succeeded'
	AND job_name <> 'beside'"), 'and when it has succeeded, all of it does');
$node->wait_for_rest;
$node->stop('fast');
done_testing();
