# test/t/054_bounded_pass.pl
#
# No graph, however large, makes a pass that has no end: it is cut into transactions, and what another job needs
# comes in between. A hop leaves no lock beside its changes, and is found by key whatever the statistics say.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

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

# What a statistic says when the scheduler has told all that it did: it tells at the end of a pass.
sub told
{
	for (1 .. 2)
	{
		sleep 2;				# once a second at most, and nothing else shows that it has
		$node->sql('SELECT pg_reload_conf()');
	}
	sleep 1;					# the pass that this has called
	return $node->sql(shift);
}

# A node goes through its states in place, and what a pass makes ready and starts is in no list.
my $counts = "SELECT n_tup_upd, n_tup_hot_upd, (SELECT n_tup_ins FROM pg_stat_user_tables WHERE relid = 'josch.waiting'::regclass)
	FROM pg_stat_user_tables WHERE relid = 'josch.nodes'::regclass";
my @were = split /\|/, told($counts);
$node->sql("SELECT josch.schedule(date '$DATE' + 1, 'commands')");
$node->wait_until('the chain of another day', "SELECT count(*) = 40 FROM josch.nodes WHERE job_date = date '$DATE' + 1 AND state = 'succeeded'");
my @are = split /\|/, told($counts);
cmp_ok($are[0] - $were[0], '>=', 3 * 40 - 1, 'each node of the chain was changed three times');
cmp_ok(($are[1] - $were[1]), '>=', 0.9 * ($are[0] - $were[0]), 'and nearly always in place');
cmp_ok($are[2] - $were[2], '<=', 5, 'only the first was in the list of those that wait');

# Both ends come in one pass, which goes step by step because of one of them: nobody wakes the scheduler for the child of the other.
$node->sql(q{CREATE FUNCTION public.refuse_end() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not this one''; END';
	CREATE TRIGGER refuse_end BEFORE UPDATE ON josch.nodes FOR EACH ROW
		WHEN (NEW.node_id = 400005 AND NEW.state = 'succeeded') EXECUTE FUNCTION public.refuse_end()});
$node->job('step by step');
$node->add([ 400_001, 'N', 'true' ], (map { [ $_, 'N', 'while [ ! -e "$WORK/both" ]; do sleep 0.05; done' ] } 400_004, 400_005));
$node->depend(400_004 => 400_001);
$node->schedule;
$node->wait_until('both run', q{SELECT count(*) = 2 FROM josch.runs WHERE node_id IN (400004, 400005) AND status = 'running'});
my ($scheduler, @pids) = ($node->scheduler_pid, map { $node->run_is($_, 'pid') } 400_004, 400_005);
kill 'STOP', $scheduler;
append_to_file("$node->{work}/both", '');
eventually('both have ended', sub { !grep { lives($_) } @pids });
kill 'CONT', $scheduler;
$node->wait_for('failed', 400_005);
$node->wait_for('succeeded', 400_004, 400_001);
$node->sql('DROP TRIGGER refuse_end ON josch.nodes; DROP FUNCTION public.refuse_end()');

# Somebody has a snapshot open (a pg_dump at the end of the day): what has left the list stays in its index.
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM josch.nodes;');
my $dead = 2_000;
$node->job('wide');
$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) SELECT 300000 + i, 'N', 'wide', i::text FROM generate_series(1, $dead) i");
$node->sql("SELECT josch.schedule('$DATE', 'wide')");
$node->wait_until('the wide job', "SELECT count(*) = $dead FROM josch.nodes WHERE job_name = 'wide' AND state = 'succeeded'");
my $reads = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelid = 'josch.waiting_pkey'::regclass";
my $before_reads = told($reads);
$node->sql("SELECT josch.schedule(date '$DATE' + 2, 'commands')");
$node->wait_until('a chain under the old snapshot', "SELECT count(*) = 40 FROM josch.nodes WHERE job_date = date '$DATE' + 2 AND state = 'succeeded'");
cmp_ok(told($reads) - $before_reads, '<', 15 * $dead, 'a pass does not read again what has left the list');
$old->quit;

$node->stop;
done_testing();
