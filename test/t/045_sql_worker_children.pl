# test/t/045_sql_worker_children.pl
#
# A SQL node succeeds while somebody holds one of its children. It must not wait for
# that person, nor keep its other children waiting; and the child that is held is to
# be counted right when it is free: each parent once.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE);

my $node = JoschNode->create('children');

# 1 (SQL) and 2 (a person) are the parents of 3; 4 is another child of 1
$node->add([ 1, 'N', undef, exec_sql => 'SELECT pg_advisory_xact_lock(7)' ], [ 2, 'S', undef ], [ 3, 'N', undef ], [ 4, 'N', undef ]);
$node->depend(1 => 3, 2 => 3, 1 => 4);

my $gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(7)');
$node->schedule;
$node->wait_until('the SQL waits at the gate',
	"SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND NOT l.granted AND a.backend_type = 'josch sql worker'");

my $author = $node->background_psql('postgres');
$author->query_safe('BEGIN; SELECT FROM josch.nodes WHERE node_id = 3 FOR UPDATE');
$gate->query_safe('SELECT pg_advisory_unlock(7)');
$node->wait_for('succeeded', 1, 4);
is($node->node_is(3, 'state'), 'pending', 'the parent has ended, its other child too, while one is held');
$author->query_safe('COMMIT');
$node->wait_until('the child is counted anew', 'SELECT count(*) = 0 FROM josch.recounts');
is($node->node_is(3, "state || ' ' || unmet"), 'pending 1', 'it waits for its other parent');
$node->wait_for('signoff', 2);
$node->act(signoff => 2);
$node->wait_for('succeeded', 3);

# the run itself is held, and the node: the SQL commits all the same, once
$node->job('held');
$node->sql('CREATE TABLE mark (what text)');
$node->add([ 11, 'N', undef, exec_sql => q{SELECT pg_advisory_xact_lock(7); INSERT INTO mark VALUES ('once')} ], [ 12, 'N', undef ]);
$node->depend(11 => 12);
$gate->query_safe('SELECT pg_advisory_lock(7)');
$node->schedule;
$node->wait_until('the SQL waits at the gate',
	"SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND NOT l.granted AND a.backend_type = 'josch sql worker'");
$author->query_safe('BEGIN; SELECT FROM josch.nodes WHERE node_id IN (11, 12) FOR UPDATE; SELECT FROM josch.runs WHERE node_id = 11 FOR UPDATE');
$gate->query_safe('SELECT pg_advisory_unlock(7)');
$node->wait_until('it commits while node and run are held', q{SELECT count(*) = 1 FROM mark});
is($node->sql('SELECT run_id = (SELECT max(run_id) FROM josch.runs) AND succeeded FROM josch.sql_ends'), 't', 'with its success');

# and after a crash at this moment it is not begun once more
$node->stop('immediate');
eval { $_->quit } foreach $author, $gate;
$node->start;
$node->wait_for('succeeded', 11, 12);
is($node->sql('SELECT count(*) FROM mark') . $node->run_is(11, 'tries'), '11', 'what is committed is not done again');
$node->wait_until('and the table of ends is empty', 'SELECT count(*) = 0 FROM josch.sql_ends');

done_testing();
