# test/t/052_runner_death.pl
#
# kill -9 of the runner: commands live on and are watched to their end, what is
# known stays known, nothing starts twice, and what cannot be known is never
# guessed: it asks a person.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('runner_death');
my $work = $node->{work};

# Runs until its file is there, then exits with what is in it.
my $until_told = 'echo $ATTEMPT $$ >> $WORK/$NODE_ID; while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; exit $(cat $WORK/$NODE_ID.end)';

sub tell_end { append_to_file("$work/$_[0].end", $_[1]); return; }

# its process, once it is there
sub pid_of
{
	my ($id) = @_;
	eventually("node $id runs", sub { ($node->file($id) // '') =~ /\d+ \d+\n\z/ });
	return (split ' ', $node->file($id))[-1];
}

subtest 'what lives is watched, what is new starts at once' => sub {
	$node->add((map { [ $_, 'N', $until_told ] } 1 .. 5), [ 6, 'N', 'exit 6' ], [ 7, 'L', $until_told, ready_after => '0' ],
		[ 8, 'N', 'true' ]);
	$node->depend(1 => 8);
	$node->schedule;
	$node->wait_for('up', 7);
	$node->wait_for('failed', 6);
	my %pid = map { $_ => pid_of($_) } 1 .. 5, 7;
	$node->wait_until('all have started', "SELECT count(*) = 6 FROM josch.runs WHERE status = 'running'");
	my $former = $node->kill_runner;

	$node->job('new');
	$node->add([ 11, 'N', 'echo $ATTEMPT $$ >> $WORK/$NODE_ID' ]);
	$node->schedule;
	$node->wait_for('succeeded', 11);
	isnt($node->runner_pid, $former, 'a new runner');
	is($node->sql("SELECT up AND pid <> $former FROM josch.health() WHERE component = 'runner'"), 't', 'josch.health() knows it');
	ok(lives($pid{$_}), "node $_ lives on") foreach sort keys %pid;
	is($node->sql("SELECT string_agg(state, ' ' ORDER BY node_id) FROM josch.nodes WHERE node_id IN (1, 2, 3, 4, 5, 6, 7, 8)"),
		'running running running running running failed up pending', 'and the board says so');

	tell_end($_, 0) foreach 1 .. 3;
	tell_end(4, 9);
	$node->wait_for('unknown', 1 .. 4);
	is($node->node_is(8, 'state'), 'pending', 'success is not guessed, though it was one');
	like($node->node_is(1, 'message'), qr/^how it ended cannot be known: .*; no process of it was found$/, 'it says why, and that nothing of it lives');
	is($node->run_is(1, "status = 'unknown' AND exit_code IS NULL AND ended_at > started_at"), 't', 'the run too');
	is($node->sql("SELECT string_agg(node_id || ' ' || state, ', ' ORDER BY node_id) FROM josch.attention"),
		'1 unknown, 2 unknown, 3 unknown, 4 unknown, 6 failed', 'they ask a person');

	$node->act('stop', 5);
	$node->act('stop', 7);
	$node->wait_for('succeeded', 7);
	$node->wait_for('failed', 5);
	like($node->node_is(5, 'message'), qr/^stopped by .*: how it ended cannot be known: /, 'what a person stops has failed');
	ok(!lives($pid{$_}), "node $_ could be stopped") foreach 5, 7;
	is((split /\n/, $node->file($_)), 1, "node $_ ran once") foreach 1 .. 5, 7, 11;
};

subtest 'what a person says of the unknown' => sub {
	$node->act('mark_success', 1, 'the file is there');
	$node->wait_for('succeeded', 1, 8);
	$node->act('mark_failed', 2, 'the file is empty');
	is($node->node_is(2, 'state'), 'failed', 'marked as failed');
	$node->act('retry', 3);
	$node->wait_for('succeeded', 3);
	is($node->sql("SELECT string_agg(attempt || ' ' || status || coalesce(' ' || exit_code, ''), ', ' ORDER BY attempt) FROM josch.runs WHERE node_id = 3"),
		'1 unknown, 2 succeeded 0', 'the second run is known');
	$node->act('skip', $_) foreach 2, 4, 5, 6;
};

subtest 'an end that the runner has seen is known after its death' => sub {
	$node->job('seen');
	$node->add([ 21, 'N', $until_told ], [ 22, 'N', $until_told ]);
	$node->schedule;
	my $pid = pid_of(22);
	pid_of(21);
	$node->wait_until('both have started', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'running'");
	my ($id, $server, $token) = split /\|/, $node->run_is(21, "run_id, server, lpad(to_hex(token), 16, '0')");
	my $database = $node->sql("SELECT oid FROM pg_database WHERE datname = 'postgres'");
	$node->stop('immediate');
	tell_end(21, 3);
	my $runner = JoschRunner->connect($node->{spool}, identity => $server, database => $database, token => $token);
	eventually('the runner has seen it', sub { $runner->list->{$id}{state} == JoschRunner::STATE_EXITED });
	$node->kill_runner;
	tell_end(22, 0);
	eventually('the other ends while nobody watches', sub { !lives($pid) });
	$node->start;
	$node->wait_for('failed', 21);
	is($node->run_is(21, 'exit_code'), 3, 'its true exit code');
	$node->wait_for('unknown', 22);
	$node->act('skip', $_) foreach 21, 22;
};

# A service comes up, and nobody is there to hear of it but the runner.
subtest 'what came up while no server was there is up' => sub {
	$node->job('came up');
	$node->add([ 26, 'L', 'echo $ATTEMPT $$ >> $WORK/$NODE_ID; exec sleep 1000', ready_command => 'test -e $WORK/26.ready' ]);
	$node->schedule;
	pid_of(26);
	$node->wait_until('it has started', "SELECT status = 'running' FROM josch.runs WHERE node_id = 26");
	my ($id, $server, $token) = split /\|/, $node->run_is(26, "run_id, server, lpad(to_hex(token), 16, '0')");
	my $database = $node->sql("SELECT oid FROM pg_database WHERE datname = 'postgres'");
	$node->stop('immediate');
	append_to_file("$work/26.ready", '');
	my $runner = JoschRunner->connect($node->{spool}, identity => $server, database => $database, token => $token);
	eventually('the runner has seen it', sub { $runner->list->{$id}{state} == JoschRunner::STATE_UP });
	$node->start;
	$node->wait_for('up', 26);
	is($node->run_is(26, 'up_at IS NOT NULL'), 't', 'since when is on record');
	$node->act('stop', 26);
	$node->wait_for('succeeded', 26);
};

subtest 'a run that the runner never read is sent once' => sub {
	$node->job('unread');
	$node->add(map { [ $_, 'N', 'echo $ATTEMPT $$ >> $WORK/$NODE_ID; exit 3' ] } 31 .. 40);
	my $runner = $node->runner_pid;
	kill 'STOP', $runner;
	$node->schedule;
	$node->wait_until('the intents are committed', "SELECT count(*) = 10 FROM josch.runs WHERE status = 'starting'");
	kill 'KILL', $runner;
	$node->wait_for('failed', 31 .. 40);
	is($node->sql('SELECT count(*), count(*) FILTER (WHERE attempt = 1 AND exit_code = 3) FROM josch.runs WHERE node_id BETWEEN 31 AND 40'),
		'10|10', 'with their true exit codes');
	is(join(' ', map { scalar(my @lines = split /\n/, $node->file($_)) } 31 .. 40), join(' ', (1) x 10), 'each ran once');
};

subtest 'a run that is stopped before the runner has read it' => sub {
	$node->job('stopped');
	$node->add([ 41, 'N', 'sleep 1000' ], [ 42, 'N', 'echo $ATTEMPT $$ >> $WORK/$NODE_ID' ]);
	my $runner = $node->runner_pid;
	kill 'STOP', $runner;
	$node->schedule;
	$node->wait_until('the intents are committed', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'starting'");
	$node->act('stop', 41, 'not today');
	kill 'KILL', $runner;
	$node->wait_for('succeeded', 42);
	$node->wait_for('failed', 41);
	like($node->node_is(41, 'message'), qr/^stopped by .*: signal 15/, 'it is sent, and stopped');
};

# The next runner is there and has told what it has, but what is open cannot be compared with that yet: the stop waits, too.
subtest 'a run that is stopped before it is known that it must be sent again' => sub {
	$node->job('compared late');
	$node->add([ 43, 'N', 'sleep 1000' ]);
	my $runner = $node->runner_pid;
	my $passes = q{(SELECT substring(detail FROM 'passes (\d+)')::int FROM josch.health() WHERE component = 'scheduler')};
	kill 'STOP', $runner;
	$node->schedule;
	$node->wait_until('the intent is committed', "SELECT count(*) = 1 FROM josch.runs WHERE status = 'starting'");
	$node->act('stop', 43, 'not today');
	my $session = $node->background_psql('postgres');
	$session->query_safe('BEGIN; LOCK TABLE josch.jobs IN ACCESS EXCLUSIVE MODE');
	kill 'KILL', $runner;
	$node->wait_until('another is there', "SELECT pid <> $runner FROM josch.health() WHERE component = 'runner'");
	my $before = $node->sql("SELECT $passes");
	$node->wait_until('the scheduler has tried, and looked', "SELECT $passes > $before + 3");
	is($node->run_is(43, 'status'), 'starting', 'nobody can read with what it is to be sent');
	$session->query_safe('ROLLBACK');
	$session->quit;
	$node->wait_for('failed', 43);
	like($node->node_is(43, 'message'), qr/^stopped by .*: signal 15/, 'it is sent, and stopped');
};

# What is sent to a runner that stands still is lost with it: neither it nor its journal has heard of the stop.
subtest 'a stop that died with its runner' => sub {
	$node->job('stop again');
	$node->add([ 46, 'N', 'trap "exit 9" TERM; echo $ATTEMPT $$ >> $WORK/$NODE_ID; while :; do sleep 0.05; done' ],
		[ 47, 'L', 'echo $ATTEMPT $$ >> $WORK/$NODE_ID; exec sleep 1000', ready_after => '0' ]);
	$node->schedule;
	pid_of($_) foreach 46, 47;
	$node->wait_for('up', 47);
	$node->wait_until('both have started', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'running' AND node_id IN (46, 47)");
	my $runner = $node->runner_pid;
	kill 'STOP', $runner;
	my $passes = sub { $node->sql("SELECT substring(detail FROM 'passes (\\d+)') FROM josch.health() WHERE component = 'scheduler'") };
	my $before = $passes->();
	$node->act('stop', $_) foreach 46, 47;
	eventually('the scheduler has heard of it', sub { $passes->() > $before });
	kill 'KILL', $runner;
	$node->wait_for('failed', 46);
	$node->wait_for('succeeded', 47);
	like($node->node_is(46, 'message'), qr/^stopped by .*: how it ended cannot be known: /, 'the next one is told of it');
};

subtest 'a runner that is asked to end' => sub {
	$node->job('term');
	$node->add([ 51, 'N', $until_told ], [ 52, 'N', 'sleep 1000' ]);
	$node->schedule;
	pid_of(51);
	$node->wait_until('both have started', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'running'");
	my $pid = $node->runner_pid;
	kill 'TERM', $pid;
	eventually('it is gone', sub { !lives($pid) });
	$node->wait_until('another is there', "SELECT up AND pid <> $pid FROM josch.health() WHERE component = 'runner'");
	tell_end(51, 0);
	$node->wait_for('unknown', 51);
	$node->act('stop', 52);
	$node->wait_for('failed', 52);
};

# The journal is lost with the runner: what lives is found by its mark, what has left something says so.
subtest 'a journal that is lost' => sub {
	$node->job('lost');
	$node->add([ 61, 'N', $until_told, timeout => '1 hour' ], [ 62, 'L', $until_told, ready_after => '0' ],
		[ 63, 'N', 'sleep 1000 & echo $ATTEMPT $! >> $WORK/63; exec sleep 1000', retries => 2, retry_delay => '0', repeatable => 'true' ]);
	$node->schedule;
	my %pid = map { $_ => pid_of($_) } 61, 62, 63;
	$node->wait_for('up', 62);
	$node->wait_until('all have started', "SELECT count(*) = 3 FROM josch.runs WHERE status = 'running' AND node_id IN (61, 62, 63)");
	my $main = $node->run_is(63, 'pid');
	my $runner = $node->runner_pid;
	kill 'STOP', $runner;
	unlink "$node->{spool}/journal";
	kill 'KILL', $main;
	kill 'KILL', $runner;
	$node->wait_for('unknown', 63);
	my $left = "$pid{63} (sleep)";
	is($node->run_is(63, 'survivors'), $left, 'what it has left is on record');
	like($node->node_is(63, 'message'), qr/^how it ended cannot be known: .* journal was lost .*; processes of it still live: \Q$left\E; not tried again: processes of it still live$/, 'and said; it is not run beside them');
	is($node->sql("SELECT string_agg(state, ' ' ORDER BY node_id) FROM josch.nodes WHERE node_id IN (61, 62)"), 'running up', 'what lives is not said to have ended');
	ok(lives($pid{$_}), "node $_ lives") foreach 61, 62;
	$node->act('stop', $_) foreach 61, 62;
	$node->wait_for('failed', 61);
	$node->wait_for('succeeded', 62);
	ok(!lives($pid{$_}), "node $_ could be stopped") foreach 61, 62;
	kill 'KILL', $pid{63};
};

# A daemon keeps what it inherits: group, log, environment.  The run has ended all the same.
subtest 'a daemon does not keep its run' => sub {
	$node->job('daemon');
	$node->add([ 71, 'N', 'setsid sleep 1000 & echo $ATTEMPT $! >> $WORK/71; while [ ! -e $WORK/71.end ]; do sleep 0.05; done' ],
		[ 72, 'L', 'echo $ATTEMPT $$ >> $WORK/72; exec sleep 1000 </dev/null >/dev/null 2>&1', stop_grace => '1 s' ]);
	$node->schedule;
	my %pid = map { $_ => pid_of($_) } 71, 72;
	$node->wait_for('up', 72);
	$node->kill_runner;
	$node->wait_until('another is there', "SELECT up FROM josch.health() WHERE component = 'runner'");
	is($node->node_is(72, 'state'), 'up', 'one that gave up its descriptors is up');
	tell_end(71, '');
	$node->wait_for('unknown', 71);
	my $left = "$pid{71} (sleep)";
	like($node->node_is(71, 'message'), qr/processes of it still live: \Q$left\E$/, 'the daemon is named');
	$node->act('stop', 72);
	$node->wait_for('succeeded', 72);
	my (undef, undef, $warning) = $node->psql('postgres', "SELECT josch.retry(71, '$DATE')");
	like($warning, qr/WARNING:  processes of run \d+ of node 71 .* may still live/, 'whoever wants it run again is warned');
	kill 'KILL', $pid{71};
	$node->wait_for('succeeded', 71);
};

unlike(slurp_file($node->logfile), qr/ (ERROR|PANIC): /, 'the server has nothing to complain about');
done_testing();
