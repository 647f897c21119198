# test/t/054_job_end.pl
#
# A job that others wait for as a whole, with commands and a scheduler that lives: nothing starts before all of it has ended, a failure waits
# for a person, and what is done once more is waited for again. And its price: however many wait for twenty thousand nodes, each of them has one
# dependency.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE);

my $node = JoschNode->create('job_end');
my $size = 20_000;
my $waiting = 1000;

$node->job('load');
$node->add([ 1, 'N', 'true' ], [ 2, 'N', 'test -e "$WORK/mended"' ], [ 3, 'S' ]);
$node->add([ 9, 'E' ]);
$node->job('report');
$node->add([ 11, 'N', 'echo run >>"$WORK/report"' ], [ 12, 'S' ]);
$node->depend(9 => 11, 9 => 12);
$node->schedule;
ok($node->wait_for('failed', 2), 'a command of the job fails');
ok($node->wait_for('signoff', 3), 'a sign-off is asked for');
is($node->node_is(9 => 'state'), 'pending', 'the job has not ended');
like($node->sql("SELECT detail FROM josch.why(11, '$DATE') WHERE depth = 0"), qr/^waits for job "load", of which 2 nodes have not ended well, first "node [23]": /,
	'what waits for it says for how many nodes, and names one that asks for somebody');
$node->act(signoff => 3);
open(my $mended, '>', "$node->{work}/mended") or die $!;
close $mended;
$node->act(retry => 2);
ok($node->wait_for('succeeded', 9, 11), 'it is mended: the job has ended, and what waits for that runs');
ok($node->wait_for('signoff', 12), 'and asks');

# a sign-off of the job is asked once more: who has not been answered waits for it again, what has run stays
$node->act(rerun => 3);
ok($node->wait_for('signoff', 3), 'a node of it is done once more');
ok($node->wait_for('pending', 9), 'the end is taken back');
is($node->node_is(11 => 'state'), 'succeeded', 'what has run stays');
$node->act(signoff => 3);
ok($node->wait_for('succeeded', 9), 'and comes again');
is($node->file('report'), "run\n", 'the report ran once');

# many for the whole of many
$node->job('big');
$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT 100000 + i, 'N', 'big', i::text FROM generate_series(1, $size) i
	UNION ALL SELECT 99, 'E', 'big', 'end'; INSERT INTO josch.tpl_jobs (job_name) VALUES ('many');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT 200000 + i, 'N', 'many', i::text FROM generate_series(1, $waiting) i;
	INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) SELECT 99, 200000 + i FROM generate_series(1, $waiting) i");
$node->sql("SELECT josch.schedule('$DATE', 'big'), josch.schedule('$DATE', 'many')");
is($node->sql("SELECT count(*) FROM josch.node_deps WHERE p_node_id = 99 OR c_node_id = 99"), $size + $waiting, 'one dependency for each node that is waited for, and for each that waits');
ok($node->wait_until('all of it is done', "SELECT count(*) = $size + $waiting + 1 FROM josch.nodes WHERE state = 'succeeded' AND job_name IN ('big', 'many')"),
	'all of it is done');
is($node->sql("SELECT count(*) FROM josch.nodes c WHERE job_name = 'many' AND state_since < (SELECT state_since FROM josch.nodes WHERE node_id = 99)"), '0', 'none of them before the end');
is($node->sql("SELECT unmet || ' ' || impossible || ' ' || satisfied FROM josch.nodes WHERE node_id = 99"), "0 0 $size", 'and it counts all');
$node->stop('fast');
done_testing();
