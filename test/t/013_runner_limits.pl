# test/t/013_runner_limits.pl
#
# The runner where it is short of something, and when it dies for the second
# time: no room for the journal, peers that send too much or read too little,
# a list that loses runs while it is told, deadlines that outlive two deaths.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use JoschRunner;

my @groups;

sub sh { return [ '/bin/sh', '-c', @_ ] }

sub new_runner
{
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool) == 0 or die 'no runner';
	return ($spool, JoschRunner->connect($spool));
}

sub die_and_restart
{
	my ($c, $spool) = @_;
	kill 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	is(JoschRunner::start_daemon($spool), 0, 'a new runner starts');
	return JoschRunner->connect($spool);
}

# what a file of the runner may hold from now on; '' for any
sub limit_files
{
	my ($pid, $bytes) = @_;
	system('prlimit', '--pid', $pid, '--fsize=' . ($bytes eq '' ? 'unlimited:' : "$bytes:")) == 0 or die 'prlimit';
	return;
}

subtest 'no room for the journal' => sub {
	my ($spool, $c) = new_runner();
	$c->start(run_id => 1, argv => sh("while ! test -e $spool/go; do sleep 0.05; done; exit 5"));
	push @groups, $c->wait_for('STARTED', 1)->{pid};
	my $size = -s "$spool/journal";
	limit_files($c->pid, $size + 30);
	my $e = $c->run(run_id => 2, argv => sh("touch $spool/ran"));
	is($e->{type}, 'START_FAILED', 'what cannot be put on record is not started');
	like($e->{text}, qr/could not write the journal: File too large/, 'and says why');
	ok($e->{passing}, 'and that it may be sent again');
	ok(!-e "$spool/ran", 'it did not run');
	is_deeply([ keys %{ $c->list } ], [1], 'nothing is known of it');
	is(-s "$spool/journal", $size, 'nor does the journal hold half of it');
	open my $go, '>', "$spool/go";
	is($c->wait_for('EXITED', 1)->{value}, 5, 'an end that cannot be recorded is told all the same');
	limit_files($c->pid, '');
	is($c->run(run_id => 2, argv => sh("touch $spool/ran"))->{value}, 0, 'with room again the same run may start');
	my $ledger = $c->{welcome}{ledger};
	$c = die_and_restart($c, $spool);
	is($c->{welcome}{ledger}, $ledger, 'the journal is whole');
	is_deeply([ @{ $c->list->{2} }{qw(kind value)} ], [ JoschRunner::EXIT_CODE, 0 ], 'with what was written after');
	is($c->list->{1}{kind}, JoschRunner::EXIT_UNKNOWN, 'and no guess at what was not');
	JoschRunner::end_runner($spool);
};

subtest 'no room for the log of a run' => sub {
	my ($spool, $c) = new_runner();
	limit_files($c->pid, 100_000);
	my $e = $c->run(run_id => 1, argv => [ 'perl', '-e', '$SIG{XFSZ} = "IGNORE"; $| = 1; print "x" x 1000 or exit 7 while 1' ]);
	is_deeply([ @$e{qw(kind value)} ], [ JoschRunner::EXIT_CODE, 7 ], 'is told to the command');
	$e = $c->run(run_id => 2, argv => [ 'perl', '-e', '$| = 1; print "x" x 1000 while 1' ]);
	is_deeply([ @$e{qw(kind value)} ], [ JoschRunner::EXIT_SIGNAL, 25 ], 'by the signal that the runner itself does not heed');
	limit_files($c->pid, '');
	JoschRunner::end_runner($spool);
};

subtest 'frames as large as they may be' => sub {
	my ($spool, $c) = new_runner();
	my $max = 4 * 1024 * 1024;
	my $start = sub {
		my ($id, $body) = @_;
		$c->start(run_id => $id, argv => [ 'x' x $body ], log => 'log/1');
	};
	my $empty = length(pack('q>2', 1, 1) . JoschRunner::strings('') . JoschRunner::strings() . pack('N/a* N/a* Q> Q> N', '', 'log/1', 0, 0, 0)
		. JoschRunner::strings() . pack('Q> q>2 N Q>', 0, 0, 0, 0, 0)
		. JoschRunner::strings() . JoschRunner::strings()) + 1;
	$start->(1, $max - $empty);
	is($c->wait_for('START_FAILED', 1)->{type}, 'START_FAILED', 'a frame of 4 MB is read');
	$start->(2, $max - $empty + 1);
	my $event = $c->next_event;
	is($event->{type}, 'LOST', 'one byte more ends the connection');
	$c = JoschRunner->connect($spool);
	is_deeply([ sort keys %{ $c->list } ], [1], 'and nothing else');
	my $e = $c->run(run_id => 3, argv => ['true'], timeout_ms => ~0, grace_ms => ~0);
	is_deeply([ @$e{qw(kind exit_flags)} ], [ JoschRunner::EXIT_CODE, 0 ], 'the longest time-out is none');
	foreach my $id (0, -1)
	{
		my $odd = JoschRunner->connect($spool);
		$odd->start(run_id => $id, argv => ['true']);
		is($odd->next_event->{type}, 'ERROR', "there is no run $id");
	}
	my $odd = JoschRunner->connect_raw($spool);
	$odd->send('HELLO', JoschRunner::hello(identity => 'x' x 1025));
	is($odd->next_event->{type}, 'ERROR', 'nor a server with a name of more than a kilobyte');
	$odd = JoschRunner->connect_raw($spool);
	$odd->send('HELLO', JoschRunner::hello(identity => ''));
	is($odd->next_event->{type}, 'ERROR', 'or without one');
	$odd = JoschRunner->connect_raw($spool);
	$odd->send('HELLO', JoschRunner::hello(identity => "a\0b"));
	is($odd->next_event->{type}, 'ERROR', 'or with a zero in it');
	$odd = JoschRunner->connect_raw($spool);
	$odd->send('HELLO', JoschRunner::hello(token => 'x' x 1025));
	is($odd->next_event->{type}, 'ERROR', 'nor a token of more than a kilobyte');
	$odd = JoschRunner->connect($spool);
	$odd->send('HELLO', JoschRunner::hello(identity => 'another'));
	is($odd->next_event->{type}, 'ERROR', 'a connection does not change its owner');
	JoschRunner::end_runner($spool);
};

subtest 'LIST while runs are forgotten' => sub {
	my ($spool, $c) = new_runner();
	my $n = 800;	# their tails are more than the socket and the runner hold at once
	$c->start(run_id => $_, argv => sh('head -c 5000 /dev/zero | tr "\0" x')) foreach 1 .. $n;
	$c->wait_for('EXITED', $_) foreach 1 .. $n;
	my $slow = JoschRunner->connect($spool);
	$slow->ask_for_list;
	is($slow->wait_for('RUN')->{run_id}, 1, 'the list has begun');
	$c->forget(2 .. $n);
	is_deeply([ keys %{ $c->list } ], [1], 'all but one are forgotten meanwhile');
	my $told = 1;
	$told++ while ($slow->wait_for_any('RUN', 'LIST_END')->{type} eq 'RUN');
	cmp_ok($told, '<', $n, 'what was forgotten in time is not told');
	pass('and the list comes to its end');
	JoschRunner::end_runner($spool);
};

subtest 'a peer that does not read' => sub {
	my ($spool, $c) = new_runner();
	$c->run(run_id => 1, argv => sh('head -c 1048576 /dev/zero | tr "\0" x'));
	my $deaf = JoschRunner->connect($spool);
	$deaf->ask_for_log(run_id => 1, max => 1048576) foreach 1 .. 40;
	is($c->run(run_id => 2, argv => ['true'])->{value}, 0, 'others are served');
	my @got = map { $deaf->wait_for('LOG_DATA') } 1 .. 40;
	is(scalar(grep { length $_->{bytes} == 1048576 } @got), 40, 'what it is sent is kept for it');
	$deaf = JoschRunner->connect($spool);
	$deaf->ask_for_log(run_id => 1, max => 1048576) foreach 1 .. 90;
	JoschRunner::eventually('the runner lets go of it', sub { (JoschRunner::slurp("$spool/runner.log") // '') =~ /it does not read what it is sent/ });
	is($c->run(run_id => 3, argv => ['true'])->{value}, 0, 'up to a limit, and others are served still');
	JoschRunner::end_runner($spool);
};

subtest 'the second death' => sub {
	my ($spool, $c) = new_runner();
	my $deaf = "trap '' TERM; echo on; while :; do sleep 0.05; done";
	$c->start(run_id => 1, argv => sh($deaf));
	$c->start(run_id => 2, argv => sh($deaf), timeout_ms => 100, grace_ms => 600_000);
	$c->start(run_id => 3, argv => [ 'sleep', '1000' ], long => 1, ready_argv => ['true']);
	$c->start(run_id => 4, argv => [ 'sleep', '1000' ]);
	$c->start(run_id => 5, argv => sh($deaf));
	my %pid = map { $_ => $c->wait_for('STARTED', $_)->{pid} } 1 .. 5;
	push @groups, values %pid;
	my $up_at = $c->wait_for('UP', 3)->{up_at};
	foreach my $id (1, 2, 5)
	{
		JoschRunner::eventually("$id is on", sub { (JoschRunner::slurp("$spool/log/$id.log") // '') =~ /on/ });
	}
	my $asked = time;
	$c->stop(1, 12_000);	# two runners have to die and come back meanwhile
	$c->stop(5, 600_000);
	JoschRunner::eventually('the time of 2 is over', sub { $c->list->{2}{flags} & JoschRunner::TIMED_OUT });
	# the first writes the journal anew, the second reads that
	$c = die_and_restart($c, $spool);
	$c = die_and_restart($c, $spool);
	my $runs = $c->list;
	is_deeply([ @{ $runs->{3} }{qw(state up_at)} ], [ JoschRunner::STATE_WATCHED, $up_at ], 'since when it is up');
	is($runs->{3}{flags}, JoschRunner::LONG_RUNNING | JoschRunner::IS_UP | JoschRunner::IS_WATCHED, 'is known');
	is($runs->{1}{flags}, JoschRunner::STOP_REQUESTED | JoschRunner::IS_WATCHED, 'that one is to stop');
	is($runs->{2}{flags}, JoschRunner::TIMED_OUT | JoschRunner::IS_WATCHED, "and that another's time is over");
	is_deeply([ map { $runs->{$_}{pid} } 1 .. 5 ], [ map { $pid{$_} } 1 .. 5 ], 'and who they are');
	my $e = $c->wait_for('EXITED', 1);
	is_deeply([ @$e{qw(kind exit_flags)} ], [ JoschRunner::EXIT_WATCHED, JoschRunner::STOP_REQUESTED | JoschRunner::IS_WATCHED ], 'its grace ends');
	cmp_ok(time - $asked, '>=', 12, 'when it was to end, and no sooner');
	$c->stop(5, 0);
	is($c->wait_for('EXITED', 5)->{kind}, JoschRunner::EXIT_WATCHED, 'one without its grace is killed through its number');
	kill 'STOP', $pid{4};
	$c->stop(4, 600_000);
	is($c->wait_for('EXITED', 4)->{exit_flags}, JoschRunner::STOP_REQUESTED | JoschRunner::IS_WATCHED, 'a suspended one goes on to hear TERM');
	$c = die_and_restart($c, $spool);
	$c = die_and_restart($c, $spool);
	$runs = $c->list;
	is_deeply([ map { $runs->{$_}{kind} } 1, 4, 5 ], [ (JoschRunner::EXIT_WATCHED) x 3 ], 'ends are kept through two deaths, too');
	$c->forget(1, 4, 5);
	$c->stop($_, 0), $c->wait_for('EXITED', $_) foreach 2, 3;
	$c = die_and_restart($c, $spool);
	$c = die_and_restart($c, $spool);
	$c->start(run_id => $_, argv => ['true'], log => "log/again$_") foreach 1 .. 5;
	is_deeply([ map { $c->wait_for('REFUSED', $_)->{reason} } 1 .. 5 ],
		[ JoschRunner::REFUSED_FORGOTTEN, (JoschRunner::REFUSED_KNOWN) x 2, (JoschRunner::REFUSED_FORGOTTEN) x 2 ], 'and nothing runs again');
	JoschRunner::end_runner($spool);
};

# A later runner sees a command by its process, whatever that does with its descriptors, and if it is suspended.
subtest 'what lives is seen' => sub {
	my ($spool, $c) = new_runner();
	my %command = (1 => 'exec sleep 1000 < /dev/null > /dev/null 2>&1', 2 => 'exec sleep 1000', 3 => 'exec env -i sleep 1000', 4 => 'exec sleep 1000 <&- >&- 2>&-');
	$c->start(run_id => $_, argv => sh($command{$_})) foreach sort keys %command;
	my %pid = map { $_ => $c->wait_for('STARTED', $_)->{pid} } 1 .. 4;
	push @groups, values %pid;
	JoschRunner::eventually('they sleep', sub { !grep { (JoschRunner::slurp("/proc/$_/cmdline") // '') !~ /^sleep/ } values %pid });
	kill 'STOP', $pid{2};
	$c = die_and_restart($c, $spool) foreach 1, 2;
	is($c->list->{$_}{state}, JoschRunner::STATE_WATCHED, $command{$_}) foreach 1 .. 4;
	is(JoschRunner::slurp('/proc/' . $c->pid . '/task/' . $c->pid . '/children'), '', 'it takes no process to watch them');
	kill 'KILL', $pid{$_} foreach 1 .. 4;
	is($c->wait_for('EXITED', $_)->{kind}, JoschRunner::EXIT_WATCHED, 'its own end is the end') foreach 1 .. 4;
	JoschRunner::end_runner($spool);
};

# More of them than there are descriptors: the rest is looked at from time to time.
subtest 'more than can be watched' => sub {
	my ($spool, $c) = new_runner();
	$c->start(run_id => $_, argv => [ 'sleep', '1000' ]) foreach 1 .. 60;
	my %pid = map { $_ => $c->wait_for('STARTED', $_)->{pid} } 1 .. 60;
	push @groups, values %pid;
	kill 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	is(system('sh', '-c', 'ulimit -n 64; exec "$0" --daemon --spool "$1"', JoschRunner::binary(), $spool), 0, 'a runner with few descriptors');
	$c = JoschRunner->connect($spool);
	is(scalar(grep { $_->{state} == JoschRunner::STATE_WATCHED } values %{ $c->list }), 60, 'all of them live');
	kill 'KILL', values %pid;
	is(scalar(grep { $c->wait_for('EXITED', $_)->{kind} == JoschRunner::EXIT_WATCHED } 1 .. 60), 60, 'and the end of each is seen');
	JoschRunner::end_runner($spool);
};

subtest 'more peers than there may be' => sub {
	my ($spool, $c) = new_runner();
	my @many = map { JoschRunner->connect_raw($spool) } 1 .. 255;
	$many[0]->ask_for_list;
	is($many[0]->next_event->{type}, 'ERROR', 'as many as there may be are heard');
	$many[0] = JoschRunner->connect_raw($spool);	# in the place of the one that was sent away
	my $late = JoschRunner->connect_raw($spool);
	$late->ask_for_list;
	is($c->run(run_id => 1, argv => ['true'])->{value}, 0, 'those who are in, too, when another knocks');
	is($late->next_event(0.2), undef, 'which waits');
	@many = ();
	is($late->next_event->{type}, 'ERROR', 'until somebody leaves');
	JoschRunner::end_runner($spool);
};

subtest 'what a peer of another version may do' => sub {
	my ($spool, $c) = new_runner();
	my $other = JoschRunner->connect($spool, protocol => 99);
	$other->replace('bin/sh');	# as seen from the folder where the runner is
	like($other->wait_for('ERROR')->{text}, qr/not an absolute path/, 'not by any name');
	$other->replace(JoschRunner::binary());
	my $event;
	do { $event = $other->next_event } while $event && $event->{type} ne 'LOST';
	is($event && $event->{type}, 'LOST', 'but it may put another runner in its place');
	is(JoschRunner->connect($spool)->pid, $c->pid, 'which answers');
	JoschRunner::end_runner($spool);
};

subtest 'reading a log' => sub {
	my ($spool, $c) = new_runner();
	$c->run(run_id => 1, argv => sh('printf abc'));
	my $read = sub { return join ' ', map { $_ // '' } @{ $c->read_log(run_id => 1, @_) }{qw(type offset bytes eof)} };
	is($read->(offset => -100), 'LOG_DATA 0 abc 1', 'from before its beginning');
	is($read->(offset => 3), 'LOG_DATA 3  1', 'at its end');
	is($read->(offset => 100), 'LOG_DATA 100  1', 'behind its end');
	is($read->(offset => 1, max => 1), 'LOG_DATA 1 b 0', 'a part');
	is($read->(offset => 1, max => 2), 'LOG_DATA 1 bc 1', 'to the end');
	$c->run(run_id => 2, argv => sh("rm $spool/log/2.log; mkfifo $spool/log/2.log"));
	is($c->read_log(run_id => 2)->{type}, 'ERROR', 'a pipe in its place is not waited for');
	$c->run(run_id => 3, argv => sh("rm $spool/log/3.log; ln -s /etc/passwd $spool/log/3.log"));
	is($c->read_log(run_id => 3)->{type}, 'ERROR', 'a link is not followed');
	is($c->list->{3}{tail}, '', 'not for the tail either');
	JoschRunner::end_runner($spool);
};

subtest 'a time-out is counted from the start' => sub {
	my ($spool, $c) = new_runner();
	$c->start(run_id => 1, argv => [ 'sleep', '1000' ], timeout_ms => 3_000, grace_ms => 60_000);
	my $started = $c->wait_for('STARTED', 1);
	push @groups, $started->{pid};
	kill 'KILL', $c->pid;
	JoschRunner::eventually('its time is over', sub { time > $started->{started_at} / 1e6 + 3 && !JoschRunner::lives($c->pid) });
	$c = die_and_restart($c, $spool);
	$c->start(run_id => 2, argv => [ 'sleep', '1000' ], timeout_ms => 1_500, grace_ms => 60_000);
	$c->wait_for('EXITED', 2);
	my $run = $c->list->{1};
	is($run->{state}, JoschRunner::STATE_EXITED, 'one that is over while nobody lives is not given again');
	is($run->{exit_flags}, JoschRunner::TIMED_OUT | JoschRunner::IS_WATCHED, 'and the reason is known');
	JoschRunner::end_runner($spool);
};

# It ends as it likes: that it ended at all is not its doing.
subtest 'an exit of 0 after its time' => sub {
	my ($spool, $c) = new_runner();
	my $polite = "trap 'exit 0' TERM; echo on; while :; do sleep 0.05; done";
	my $e = $c->run(run_id => 1, argv => sh($polite), timeout_ms => 500, grace_ms => 60_000);
	is_deeply([ @$e{qw(kind value exit_flags)} ], [ JoschRunner::EXIT_CODE, 0, JoschRunner::TIMED_OUT ], 'is told with the reason');
	is($c->list->{1}{exit_flags}, JoschRunner::TIMED_OUT, 'and listed with it');
	$c = die_and_restart($c, $spool);
	is($c->list->{1}{exit_flags}, JoschRunner::TIMED_OUT, 'by a later runner, too');
	$c = die_and_restart($c, $spool);
	is_deeply([ @{ $c->list->{1} }{qw(kind value exit_flags)} ], [ JoschRunner::EXIT_CODE, 0, JoschRunner::TIMED_OUT ], 'and by the one after that');
	JoschRunner::end_runner($spool);
};

subtest 'a spool that others may write' => sub {
	foreach my $mode (0720, 0702, 0770, 0777, 0722)
	{
		my $spool = JoschRunner::new_spool();
		mkdir $spool or die $!;
		chmod $mode, $spool;
		isnt(JoschRunner::start_daemon($spool), 0, sprintf 'is refused: mode %o', $mode);
		ok(!-e "$spool/runner.lock", 'and left as it is');
	}
	foreach my $mode (0700, 0711, 0755)
	{
		my $spool = JoschRunner::new_spool();
		mkdir $spool or die $!;
		chmod $mode, $spool;
		is(JoschRunner::start_daemon($spool), 0, sprintf 'one that they may read is not: mode %o', $mode);
		JoschRunner::end_runner($spool);
	}
};

kill 'KILL', map { -$_ } @groups;
done_testing();
