# test/t/045_sql_worker_children.pl
#
# A SQL node succeeds while somebody takes a dependency of its child away. Both
# count the child's parents; together they must count each parent once, or the
# child starts while another parent is still at work.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE);

my $node = JoschNode->create('children');

# 1 (SQL) and 2 (a person) are the parents of 3
$node->add([ 1, 'N', undef, exec_sql => 'SELECT pg_advisory_xact_lock(7)' ], [ 2, 'S', undef ], [ 3, 'N', undef ]);
$node->depend(1 => 3, 2 => 3);

my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(7)');
$node->schedule;
$node->wait_until('the SQL waits at the gate',
	"SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND NOT l.granted AND a.backend_type = 'josch sql worker'");

my $author = $node->background_psql('postgres');
$author->query_safe('BEGIN; DELETE FROM josch.node_deps WHERE p_node_id = 1');
$gate->query_safe('SELECT pg_advisory_unlock(7)');
$node->wait_until('the worker waits for the child',
	"SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'transactionid' AND NOT l.granted AND a.backend_type = 'josch sql worker'");
$author->query_safe('COMMIT');
$node->wait_for('succeeded', 1);
is($node->node_is(3, "state || ' ' || unmet"), 'pending 1', 'the child still waits for its other parent');
$node->wait_for('signoff', 2);
$node->act(signoff => 2);
$node->wait_for('succeeded', 3);

$author->quit;
$gate->quit;
done_testing();
