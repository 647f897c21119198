# test/t/059_put_back_whole.pl
#
# A data directory with the spool in it is put back to an earlier moment while nobody
# runs: tables, journal and ledger agree, so nobody can tell by them what was done
# since.  The files tell that they came from a copy: what would start by itself is
# held back, and what was about to start then is not sent again.
use strict;
use warnings;
use File::Temp;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('whole');
my $saved = $node->basedir . '/saved';
my $passes = q{(SELECT coalesce(substring(detail FROM 'passes (\d+)')::int, 0) FROM josch.health() WHERE component = 'scheduler')};

sub end_all
{
	my $pid = $node->runner_pid;
	$node->stop;
	kill 'CONT', $pid;
	kill 'TERM', $pid;
	eventually('the runner is gone', sub { !lives($pid) });
	return;
}

sub wait_for_passes
{
	foreach (1, 2)
	{
		my $before = $node->sql("SELECT $passes");
		$node->sql('SELECT josch.wake()');
		$node->wait_until('the scheduler has looked', "SELECT $passes > $before");
	}
	return;
}

sub lines { my ($name) = @_; return scalar split /\n/, $node->file($name) // ''; }

$node->add([ 1, 'S', undef ], [ 2, 'N', 'echo once >> $WORK/2' ], [ 3, 'N', undef, exec_sql => 'SELECT 1' ], [ 4, 'N', 'echo once >> $WORK/4' ]);
$node->depend(1 => 2, 1 => 3);
$node->sql("BEGIN; SELECT josch.schedule('$DATE'); SELECT josch.hold(4, '$DATE'); COMMIT");
$node->wait_for('signoff', 1);
$node->wait_until('there is a runner', q{SELECT up FROM josch.health() WHERE component = 'runner'});

# node 4 is on record, and its runner has not heard of it
kill 'STOP', $node->runner_pid;
$node->act('release', 4);
$node->wait_until('it is about to start', q{SELECT status = 'starting' FROM josch.runs});
my $runner = JoschRunner::slurp("$node->{spool}/runner.lock") =~ s/\s//gr;
$node->stop;
system_or_bail('cp', '-a', $node->data_dir, $saved);
kill 'CONT', $runner;
$node->start;
$node->act('signoff', 1);
$node->wait_for('succeeded', 2, 3, 4);
end_all();
system_or_bail('find', $node->data_dir, '-mindepth', '1', '-delete');
system_or_bail('cp', '-a', "$saved/.", $node->data_dir);
$node->start;

subtest 'what would start by itself is held back' => sub {
	$node->wait_for('held', 2, 3);
	like($node->node_is(2, 'message'), qr/^the files of the data directory were put back in their place from a copy/, 'with the reason');
	is($node->sql('SELECT armed, held FROM josch.armed()'), 'f|2', 'josch.armed() says so');
	like($node->sql("SELECT up, detail FROM josch.health() WHERE component = 'armed'"), qr/^f\|Disarmed: 2 nodes are held back, because the files/, 'josch.health() too');
	$node->act('signoff', 1);
	wait_for_passes();
	is($node->node_is(2, 'state'), 'held', 'and stays so when it could start');
	is(lines(2), 1, 'it ran once');
};

subtest 'what was about to start may have started' => sub {
	$node->wait_for('unknown', 4);
	is(lines(4), 1, 'it is not sent again');
	$node->act('retry', 4);
	$node->wait_for('succeeded', 4);
	is(lines(4), 2, 'but when a person says so');
};

subtest 'it is said once: a restart and a crash are no copies' => sub {
	$node->act('release', 2);
	$node->act('release', 3);
	$node->wait_for('succeeded', 2, 3);
	is($node->sql('SELECT armed, held FROM josch.armed()'), 't|0', 'all has been let go');
	$node->sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('waits')");
	$node->sql(q{INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
		VALUES (11, 'S', 'waits', 'person', NULL), (12, 'N', 'waits', 'then', 'true'); INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (11, 12)});
	$node->schedule;
	$node->wait_for('signoff', 11);
	$node->restart;
	wait_for_passes();
	is($node->node_is(12, 'state'), 'pending', 'after a restart');
	$node->kill_postmaster;
	$node->start;
	wait_for_passes();
	is($node->node_is(12, 'state'), 'pending', 'after a crash');
	$node->act('signoff', 11);
	$node->wait_for('succeeded', 12);
};

# The same, of a spool elsewhere: its folder stays, so that its journal is the one that the run was given to.
subtest 'what was about to start, with a journal of then' => sub {
	my $spool = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/spool';
	$node = JoschNode->create('apart', spool => $spool);
	$node->add([ 4, 'N', 'echo once >> $WORK/4' ]);
	$node->wait_until('there is a runner', q{SELECT up FROM josch.health() WHERE component = 'runner'});
	kill 'STOP', $node->runner_pid;
	$node->schedule;
	$node->wait_until('it is about to start', q{SELECT status = 'starting' FROM josch.runs});
	my $pid = JoschRunner::slurp("$spool/runner.lock") =~ s/\s//gr;
	$node->stop;
	system_or_bail('rm', '-rf', $saved);
	system_or_bail('cp', '-a', $node->data_dir, $saved);
	system_or_bail('cp', '-a', $spool, "$saved.spool");
	kill 'CONT', $pid;
	$node->start;
	$node->wait_for('succeeded', 4);
	end_all();
	system_or_bail('find', $node->data_dir, $spool, '-mindepth', '1', '-delete');
	system_or_bail('cp', '-a', "$saved/.", $node->data_dir);
	system_or_bail('cp', '-a', "$saved.spool/.", $spool);
	unlink "$spool/runner.sock";
	$node->start;
	$node->wait_for('unknown', 4);
	like($node->node_is(4, 'message'), qr/the database was put back to an earlier moment/, 'may have started: it says why');
	is(lines(4), 1, 'it is not sent again');
};

done_testing();
