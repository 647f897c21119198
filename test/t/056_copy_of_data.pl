# test/t/056_copy_of_data.pl
#
# A copy of a data directory, or of a database, has the same runs in its tables
# as the original, whose commands still run. The copy adopts none, ends none and
# starts none again; the original finds the true exit codes.
use strict;
use warnings;
use Test::More;
use File::Temp;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $until_told = 'echo $NODE_ID $$ >> $WORK/$NODE_ID; while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; exit $(cat $WORK/$NODE_ID.end)';

# A server where nodes 1 (N) and 2 (L) run; and their processes.
sub busy_server
{
	my ($name, %how) = @_;
	my $node = JoschNode->create($name, %how);
	$node->add([ 1, 'N', $until_told, timeout => '1 hour' ], [ 2, 'L', $until_told, ready_after => '0' ]);
	$node->schedule;
	$node->wait_for('up', 2);
	$node->wait_until('both have started', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'running'");
	return ($node, split /\n/, $node->sql('SELECT pid FROM josch.runs ORDER BY node_id'));
}

sub check_copy
{
	my ($copy, @pids) = @_;
	$copy->wait_for('unknown', 1, 2);
	like($copy->node_is(1, 'message'), qr/another server/, 'the copy says why');
	is($copy->sql("SELECT string_agg(node_id || ' ' || state, ', ' ORDER BY node_id) FROM josch.attention"), '1 unknown, 2 unknown', 'and asks a person');
	ok(lives($_), 'the command of the original lives') foreach @pids;
	return;
}

# A new day: the numbers of the copy's next runs are those of the original's.
sub run_new
{
	my ($node, $id) = @_;
	$node->sql("INSERT INTO josch.tpl_jobs VALUES ('new $id') ON CONFLICT DO NOTHING");
	$node->{job} = "new $id";
	$node->add([ $id, 'N', 'echo $NODE_ID $$; exit 5' ]);
	$node->schedule;
	$node->wait_for('failed', $id);
	is($node->node_is($id, 'message'), 'exit code 5', 'new nodes run there');
	like($node->log_of($id), qr/^$id \d+\n\z/, 'and have their log');
	return;
}

sub check_original
{
	my ($node, @pids) = @_;
	append_to_file("$node->{work}/1.end", '3');
	$node->wait_for('failed', 1);
	is($node->run_is(1, 'exit_code'), 3, 'the original finds the true exit code');
	is($node->node_is(2, 'state'), 'up', 'and watches what is up');
	append_to_file("$node->{work}/2.end", '0');
	$node->wait_for('succeeded', 2);
	is((split /\n/, $node->file($_)), 1, "node $_ was started once") foreach 1, 2;
	return;
}

subtest 'with its spool' => sub {
	my ($node, @pids) = busy_server('inside');
	$node->stop('immediate');
	my $copy = JoschNode->copy_of('inside_copy', $node);
	check_copy($copy, @pids);
	run_new($copy, 10);
	$node->start;
	isnt($copy->runner_pid, $node->runner_pid, 'each has its runner');
	run_new($node, 10);
	check_original($node, @pids);
};

subtest 'with a spool elsewhere that both use' => sub {
	my $spool = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/spool';
	my ($node, @pids) = busy_server('outside', spool => $spool);
	$node->stop('immediate');
	my $copy = JoschNode->copy_of('outside_copy', $node, spool => $spool);
	check_copy($copy, @pids);
	run_new($copy, 10);
	$node->start;
	run_new($node, 10);
	is($copy->runner_pid, $node->runner_pid, 'they share a runner');
	is($copy->run_is(10, 'run_id'), $node->run_is(10, 'run_id'), 'for runs of the same number');
	isnt($copy->log_of(10), $node->log_of(10), 'with a log each');
	check_original($node, @pids);
	$copy->act('retry', 1);
	$copy->wait_until('the copy has a run of its own', "SELECT state = 'failed' AND attempt = 2 FROM josch.nodes WHERE node_id = 1");
};

subtest 'a database made from a template' => sub {
	my ($node, @pids) = busy_server('template');
	$node->sql('CREATE DATABASE copy TEMPLATE postgres', 'template1');
	$node->wait_until('the copy asks a person', "SELECT count(*) = 2 FROM josch.attention WHERE state = 'unknown'", 'copy');
	ok(lives($_), 'the command of the original lives') foreach @pids;
	$node->wait_until('the original has its scheduler again', "SELECT up FROM josch.health() WHERE component = 'scheduler'");
	check_original($node, @pids);
};

subtest 'a server that was taken back to an earlier time' => sub {
	my ($node, @pids) = busy_server('restored', conf => "wal_level = replica\nrestore_command = 'false'");
	$node->stop('immediate');
	append_to_file($node->data_dir . '/recovery.signal', '');
	$node->start;
	$node->wait_until('it has recovered', 'SELECT NOT pg_is_in_recovery()');
	$node->wait_for('unknown', 1, 2);
	ok(lives($_), 'what runs from its former life is left alone') foreach @pids;
	run_new($node, 10);
};

subtest 'an extension that was made anew' => sub {
	my ($node, @pids) = busy_server('anew');
	$node->sql('DROP EXTENSION josch CASCADE');
	append_to_file("$node->{work}/$_.end", '0') foreach 1, 2;
	eventually('its commands end', sub { !grep { lives($_) } @pids });
	$node->install;
	$node->add([ 1, 'N', 'exit 5' ], [ 2, 'N', 'exit 6' ]);
	$node->schedule;
	$node->wait_for('failed', 1, 2);
	is($node->sql("SELECT string_agg(run_id || ' ' || exit_code, ', ' ORDER BY node_id) FROM josch.runs"), '1 5, 2 6', 'its runs count from 1 again, and run');
};

done_testing();
