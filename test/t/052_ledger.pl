# test/t/052_ledger.pl
#
# Absence of evidence: a run whose intent is committed, and that the runner does not
# know.  It is sent again only to the very ledger that it was given to, while
# nothing of that is missing; else it is unknown, and never runs twice.
use strict;
use warnings;
use Test::More;
use File::Temp;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives literal);

my $top = File::Temp::tempdir('josch-ledger-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $spool = "$top/spool";
my $node = JoschNode->create('ledger', spool => $spool);
my $mark = 'echo $ATTEMPT >> $WORK/$NODE_ID';
my $id = 0;

sub start_runners
{
	$node->sql('ALTER SYSTEM SET josch.start_runner = ' . $_[0]);
	$node->reload;
	return;
}

# A run that is committed and sent, to a runner that will never read it: frozen, and then killed.
sub in_flight
{
	my $runner = $node->runner_pid;
	start_runners('off');
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', $mark ]);
	kill 'STOP', $runner;
	$node->schedule;
	$node->wait_for('running', $id);
	is($node->run_is($id, 'status'), 'starting', 'its intent is committed');
	kill 'KILL', $runner;
	eventually('the runner is gone', sub { !lives($runner) });
	return;
}

# Another runner, and then a third: whatever is decided stays so.
sub meet
{
	my ($state, $because) = @_;
	start_runners('on');
	$node->wait_for($state, $id);
	like($node->node_is($id, "coalesce(message, '')"), $because, 'and it says why');
	$node->kill_runner;
	$node->wait_until('a third runner is there', q{SELECT up FROM josch.health() WHERE component = 'runner'});
	is($node->node_is($id, 'state'), $state, 'a second death changes nothing');
	is($node->file($id) // '', $state eq 'unknown' ? '' : "1\n", $state eq 'unknown' ? 'it did not run' : 'it ran once');
	return if $state ne 'unknown';
	$node->act('retry', $id);
	$node->wait_for('succeeded', $id);
	is($node->file($id), "2\n", 'a person may start it again');
	return;
}

sub run_one
{
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', $mark ]);
	$node->schedule;
	$node->wait_for('succeeded', $id);
	return;
}

# A connection that speaks for this database, as its scheduler's does.
sub as_scheduler
{
	my (%more) = @_;
	my ($server, $database, $token) = split /\|/, $node->sql(q{SELECT server, (SELECT oid FROM pg_database WHERE datname = current_database()),
		lpad(to_hex(token), 16, '0') FROM josch.runs ORDER BY run_id DESC LIMIT 1});
	return JoschRunner->connect($spool, identity => $server, database => $database, token => $token, %more);
}

sub copy { system('cp', '-a', @_) == 0 or die; return; }

run_one();
copy($spool, "$top/copy");
run_one();

subtest 'the same ledger' => sub {
	in_flight();
	meet('succeeded', qr/^$/);
};

# SQL has numbers of the same row, which the runner hears of at the next HELLO: so it can tell when they are missing.
subtest 'numbers that no command has had' => sub {
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', undef, exec_sql => 'SELECT 1' ]);
	$node->schedule;
	$node->wait_for('succeeded', $id);
	my $last = $node->sql('SELECT max(run_id) FROM josch.runs');
	cmp_ok(as_scheduler()->{welcome}{highest}, '<', $last, 'the runner was not given this one');
	$node->kill_runner;
	eventually('another runner is told of it', sub { (eval { as_scheduler()->{welcome}{highest} } // 0) == $last });
};

my %harm = (
	'the journal is removed' => sub { unlink "$spool/journal"; },
	'a journal of an earlier moment is put back' => sub { copy("$top/copy/journal", "$spool/journal"); },
	'the journal is cut between two records' => sub { system('cp', "$top/copy/journal", "$spool/journal") == 0 or die; },
	'its mark is lost' => sub { unlink "$spool/journal.end"; },
	'the spool is removed' => sub { system('rm', '-rf', $spool) == 0 or die; },
	'a copy of the spool takes its place' => sub { rename $spool, "$top/former.$id" or die; copy("$top/former.$id", $spool); });

foreach my $what (sort keys %harm)
{
	subtest $what => sub {
		in_flight();
		$harm{$what}->();
		meet('unknown', qr/it was given to another runner/);
	};
}

# All files of an earlier moment, in the folder where they were: only the database has seen more.
subtest 'the whole spool is put back in place' => sub {
	system('rm', '-rf', "$top/copy");
	run_one();
	copy($spool, "$top/copy");
	run_one();
	in_flight();
	system("rm -rf $spool/* && cp -a $top/copy/. $spool && rm -f $spool/runner.sock") == 0 or die;
	meet('unknown', qr/the runner's journal was put back to an earlier moment/);
};

subtest 'what had started is not sent again' => sub {
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', "$mark; exec sleep 1000" ]);
	$node->schedule;
	$node->wait_until('it has started', "SELECT status = 'running' FROM josch.runs WHERE node_id = $id");
	eventually('it says so', sub { ($node->file($id) // '') eq "1\n" });
	my $pid = $node->run_is($id, 'pid');
	start_runners('off');
	$node->kill_runner;
	kill 'KILL', $pid;
	unlink "$spool/journal";
	start_runners('on');
	$node->wait_for('unknown', $id);
	$node->kill_runner;
	run_one();
	is($node->node_is($id - 1, 'state'), 'unknown', 'it stays unknown');
	is($node->file($id - 1), "1\n", 'it ran once');
};

# Its end was told to somebody else, who let the runner drop it.
subtest 'what had started, and was forgotten' => sub {
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', "$mark; while [ ! -e \$WORK/\$NODE_ID.end ]; do sleep 0.05; done; exit 4" ]);
	$node->schedule;
	$node->wait_until('it has started', "SELECT status = 'running' FROM josch.runs WHERE node_id = $id");
	my ($run, $nonce) = split /\|/, $node->run_is($id, 'run_id, nonce');
	my $c = as_scheduler();
	$node->stop;
	append_to_file("$node->{work}/$id.end", '');
	eventually('it has ended', sub { $c->list->{$run}{state} == JoschRunner::STATE_EXITED });
	$c->forget([ $run, $nonce ]);
	$c->list;
	$node->start;
	$node->wait_for('unknown', $id);
	like($node->node_is($id, 'message'), qr/it had started, and the runner that it was given to does not know it any more|it ran once before, and the record of its end is not here/,
		'the same ledger does not know it: it is not sent again');
	is($node->file($id), "1\n", 'it ran once');
};

# What the server remembers of the spool in use is lost, too: it goes to another runner at once.
subtest 'two runners, with a run in flight in each' => sub {
	my $until_told = "$mark; while [ ! -e \$WORK/\$NODE_ID.end ]; do sleep 0.05; done; exit 4";
	my ($first, $second) = ($id + 1, $id + 2);
	$id = $second;
	my $go = sub {
		my ($where) = @_;
		$node->stop;
		unlink $node->data_dir . '/josch.spool';
		$node->append_conf('postgresql.auto.conf', "josch.spool_directory = '$where'\n");
		$node->start;
		$node->{spool} = $where;
		$node->wait_until("the runner in $where answers", q{SELECT up FROM josch.health() WHERE component = 'runner'});
	};
	$node->job('both');
	$node->add([ $first, 'N', $until_told ]);
	$node->schedule;
	eventually('the first runs', sub { ($node->file($first) // '') eq "1\n" });
	$go->("$top/other");
	$node->job('both too');
	$node->add([ $second, 'N', $until_told ]);
	$node->schedule;
	eventually('the second runs', sub { ($node->file($second) // '') eq "1\n" });
	$go->($spool);
	$go->("$top/other");
	$node->kill_runner;
	$node->wait_until('after a death, too', q{SELECT up FROM josch.health() WHERE component = 'runner'});
	append_to_file("$node->{work}/$_.end", '') foreach $first, $second;
	$node->wait_for('unknown', $first, $second);
	run_one();
	is($node->file($_), "1\n", "node $_ ran once, and how it ended asks a person") foreach $first, $second;
	$go->($spool);
	kill 'TERM', JoschRunner->connect("$top/other")->pid;
};

# What the runner has under a number need not be what the row means.
subtest 'the number of another run' => sub {
	$node->job('job ' . ++$id);
	$node->add([ $id, 'N', "echo mine; while [ ! -e \$WORK/\$NODE_ID.end ]; do sleep 0.05; done; exit 4" ], [ $id + 1, 'N', $mark ]);
	$node->depend($id => $id + 1);
	$node->schedule;
	$node->wait_until('it runs', "SELECT status = 'running' FROM josch.runs WHERE node_id = $id");
	my ($run, $nonce) = split /\|/, $node->run_is($id, 'run_id, nonce');
	my $c = as_scheduler();
	$c->start(run_id => $run, nonce => $nonce + 1, argv => [ 'sh', '-c', 'echo not mine; exit 0' ], log => 'log/not-mine.log');
	is($c->wait_for('EXITED', $run)->{nonce}, $nonce + 1, 'another run of its number ends');
	eventually('the scheduler has heard of it', sub { !grep { $_->{nonce} == $nonce + 1 } $c->list_all });
	is($node->node_is($id, 'state'), 'running', 'that is not its end');
	append_to_file("$node->{work}/$id.end", '');
	$node->wait_for('failed', $id);
	is($node->run_is($id, 'exit_code, output_tail'), "4|mine\n", 'it has its own end, and its own output');
	is($node->node_is($id + 1, 'state'), 'pending', 'its child waits');
	like($node->run_is($id, 'log'), qr/-[0-9a-f]{16}\.log$/, 'its log bears its nonce');
	$id++;
};

# The runner was told of numbers that are not there any more.
subtest 'the database is put back' => sub {
	as_scheduler(highest => 1_000_000);
	in_flight();
	start_runners('on');
	$node->wait_for('unknown', $id);
	like($node->node_is($id, 'message'), qr/the database was put back to an earlier moment/, 'it says why');
	is($node->file($id), undef, 'it did not run');
};

done_testing();
