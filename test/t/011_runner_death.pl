# test/t/011_runner_death.pl
#
# What is known after the runner died, was ended, or replaced itself: never
# more than is true, and nothing twice.
use strict;
use warnings;
use Test::More;
use Time::HiRes qw(sleep time);
use JoschRunner;

my @groups;

sub sh { return [ '/bin/sh', '-c', @_ ] }

sub cpu_ticks
{
	my @stat = split ' ', (JoschRunner::slurp("/proc/$_[0]/stat") =~ s/.*\) //r);
	return $stat[11] + $stat[12];
}

sub switches
{
	my $sum = 0;
	$sum += $_ foreach JoschRunner::slurp("/proc/$_[0]/status") =~ /ctxt_switches:\s+(\d+)/g;
	return $sum;
}

# What has just been done may still be under way, for as long as a busy machine takes for it.
sub quiet
{
	my ($pid) = @_;
	my $before;
	return JoschRunner::eventually('all is quiet', sub {
		$before = switches($pid);
		sleep 0.5;	# to see that nothing happens meanwhile
		return switches($pid) == $before;
	});
}

# A runner with a live command (id 1), a committed end (2), one not fetched (3).
sub populated
{
	my ($spool) = @_;
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->start(run_id => 1, argv => sh("echo here; exec sleep 1000"));
	my $started = $c->wait_for('STARTED', 1);
	push @groups, $started->{pid};
	$c->run(run_id => 2, argv => ['true']);
	$c->forget(2);
	$c->run(run_id => 3, argv => sh('echo out; exit 3'));
	$c->run(run_id => 4, argv => ['no-such-program']);
	$c->list;
	return ($c, $started->{pid});
}

sub die_and_restart
{
	my ($c, $spool, $signal) = @_;
	kill $signal // 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	is(JoschRunner::start_daemon($spool), 0, 'a new runner starts');
	return JoschRunner->connect($spool);
}

subtest 'kill -9' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	my $new = die_and_restart($c, $spool);
	ok(JoschRunner::lives($pid), 'the command lives on');
	isnt($new->{welcome}{incarnation}, $c->{welcome}{incarnation}, 'another life');
	is($new->{welcome}{ledger}, $c->{welcome}{ledger}, 'but the same journal');
	my $runs = $new->list;
	is_deeply([ sort keys %$runs ], [ 1, 3, 4 ], 'what is known');
	is_deeply([ @{ $runs->{1} }{qw(state flags pid kind)} ], [ JoschRunner::STATE_WATCHED, JoschRunner::IS_WATCHED, $pid, 0 ], 'watched');
	is_deeply([ @{ $runs->{3} }{qw(state kind value tail)} ], [ JoschRunner::STATE_EXITED, JoschRunner::EXIT_CODE, 3, "out\n" ], 'an end that nobody had fetched');
	is_deeply([ @{ $runs->{4} }{qw(state kind value)} ], [ JoschRunner::STATE_EXITED, JoschRunner::EXIT_NOT_STARTED, 2 ], 'a failed start');
	foreach my $id (1 .. 4)
	{
		$new->start(run_id => $id, argv => sh("touch $spool/again"), log => "log/again$id.log");
		ok($new->wait_for('REFUSED', $id), "run $id is refused");
	}
	ok(!-e "$spool/again", 'nothing ran again');
	is(-s "$spool/runner.sock", 0, 'socket is there');
	kill 'KILL', $pid;
	my $end = $new->wait_for('EXITED', 1);
	is_deeply([ @$end{qw(kind value tail)} ], [ JoschRunner::EXIT_WATCHED, 0, "here\n" ], 'its end is seen, how it ended is not guessed');
	ok($end->{ended_at} > (time - 20) * 1e6, 'and when');
	JoschRunner::end_runner($spool);
};

subtest 'ended while nobody watched' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	kill 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	kill 'KILL', $pid;
	JoschRunner::eventually('the command is gone', sub { !JoschRunner::lives($pid) });
	JoschRunner::start_daemon($spool);
	my $run = JoschRunner->connect($spool)->list->{1};
	is_deeply([ @$run{qw(state kind ended_at survivors)} ], [ JoschRunner::STATE_EXITED, JoschRunner::EXIT_UNKNOWN, 0, '' ], 'unknown, nobody knows when');
	JoschRunner::end_runner($spool);
};

# What a command leaves behind has its log, its group, its environment; its main process has ended all the same.
subtest 'a watched run ends with its main process, and says what lives of it' => sub {
	my %leaves = (
		1 => 'sleep 1000 & echo $!; exec sleep 1000',
		2 => 'setsid sleep 1000 & echo $!; exec sleep 1000',
		3 => 'setsid sh -c "sleep 1000 >/dev/null 2>&1 & echo \$!" & wait; exec sleep 1000',
		4 => 'env -i sleep 1000 & echo $!; exec sleep 1000');
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	my (%pid, %child);
	foreach my $id (sort keys %leaves)
	{
		$c->start(run_id => $id, argv => sh($leaves{$id}));
		$pid{$id} = $c->wait_for('STARTED', $id)->{pid};
		push @groups, $pid{$id};
		JoschRunner::eventually("it has left something", sub {
			($child{$id}) = (JoschRunner::slurp("$spool/log/$id.log") // '') =~ /(\d+)/;
			return $child{$id} && (JoschRunner::slurp("/proc/$child{$id}/comm") // '') =~ /sleep/ && (JoschRunner::slurp("/proc/$pid{$id}/comm") // '') =~ /sleep/;
		});
	}
	my $new = die_and_restart($c, $spool);
	is($new->list->{$_}{state}, JoschRunner::STATE_WATCHED, "$leaves{$_}: is watched") foreach 1 .. 4;
	kill 'KILL', $pid{$_} foreach 1 .. 4;
	foreach my $id (1 .. 4)
	{
		my $end = $new->wait_for('EXITED', $id);
		is_deeply([ @$end{qw(kind survivors)} ], [ JoschRunner::EXIT_WATCHED, "$child{$id} (sleep)" ], 'it has ended, and who lives is named');
	}
	my $third = die_and_restart($new, $spool);
	is($third->list->{2}{survivors}, "$child{2} (sleep)", 'which is kept');
	kill 'KILL', values %child;
	JoschRunner::end_runner($spool);
};

subtest 'nobody saw it end, and what it left lives' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->start(run_id => 1, argv => sh("for i in 1 2 3 4 5 6 7; do setsid sleep 1000 & done; touch $spool/on; exec sleep 1000"));
	my $pid = $c->wait_for('STARTED', 1)->{pid};
	JoschRunner::eventually('it is on', sub { -e "$spool/on" });
	kill 'KILL', $c->pid, $pid;
	JoschRunner::eventually('both are gone', sub { !JoschRunner::lives($c->pid) && !JoschRunner::lives($pid) });
	JoschRunner::start_daemon($spool);
	my $end = JoschRunner->connect($spool)->list->{1};
	is($end->{kind}, JoschRunner::EXIT_UNKNOWN, 'how it ended is not known');
	like($end->{survivors}, qr/^(\d+ \(sleep\), ){4}\d+ \(sleep\) and 2 more$/, 'what lives is told, a part of it by name');
	kill 'KILL', marked(1);
	JoschRunner::end_runner($spool);
};

# The processes that say in their environment to be of a run.
sub marked
{
	my ($id) = @_;
	my $mark = sprintf "JOSCH_RUN=%d-%016x\0", $id, JoschRunner::nonce($id);
	return map { m{^/proc/(\d+)} } grep { index("\0" . (JoschRunner::slurp($_) // ''), "\0$mark") >= 0 } glob '/proc/[0-9]*/environ';
}

subtest 'a stop reaches the whole group and session of a watched run' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->start(run_id => 1, argv => sh("(trap 'sleep 0.3; echo bye; exit' TERM; echo on; while :; do sleep 0.05; done) & exec sleep 1000"));
	$c->start(run_id => 2, argv => [ 'perl', '-e', '$SIG{TERM} = "IGNORE"; if (!fork) { setpgrp; $| = 1; print "on\n"; sleep 1000 while 1 } sleep 1000 while 1' ]);
	my @pids = map { $c->wait_for('STARTED', $_)->{pid} } 1, 2;
	JoschRunner::eventually('both are on', sub { 2 == grep { (JoschRunner::slurp("$spool/log/$_.log") // '') =~ /on/ } 1, 2 });
	my $new = die_and_restart($c, $spool);
	$new->stop(1, 600_000);
	my $end = $new->wait_for('EXITED', 1);
	is_deeply([ $end->{kind}, $end->{tail} =~ /\nbye\n\z/, $end->{survivors} ], [ JoschRunner::EXIT_WATCHED, 1, '' ], 'the rest of its group has its grace, and its end is the end');
	is(scalar(marked(2)), 2, 'the other has left one in a group of its own');
	$new->stop(2, 100);
	is($new->wait_for('EXITED', 2)->{kind}, JoschRunner::EXIT_WATCHED, 'one that does not hear is killed');
	JoschRunner::eventually('with all of its session', sub { !marked(2) });
	JoschRunner::end_runner($spool);
};

# The journal is lost, as when somebody removed it and the machine's memory was short: what lives is found by its mark.
subtest 'no journal' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->start(run_id => $_, argv => sh("setsid sleep 1000 & touch $spool/on$_; exec sleep 1000")) foreach 1, 2, 3;
	my %pid = map { $_ => $c->wait_for('STARTED', $_)->{pid} } 1 .. 3;
	JoschRunner::eventually('they are on', sub { 3 == grep { -e "$spool/on$_" } 1 .. 3 });
	$c->start(run_id => 7, argv => [ 'sleep', '1000' ]);
	$pid{7} = $c->wait_for('STARTED', 7)->{pid};
	$c->start(run_id => $_, argv => [ 'perl', '-e', '$0 = "x" x 4000; sleep 1000' ]) foreach 5, 6;
	my %titled = map { $_ => $c->wait_for('STARTED', $_) } 5, 6;
	JoschRunner::eventually('they have put a title over their environment', sub { !marked(5) && !marked(6) });
	kill 'KILL', $c->pid, $pid{2};
	unlink "$spool/journal";
	my $new = die_and_restart($c, $spool);
	is_deeply($new->list, {}, 'nothing is on record');
	$new->start(run_id => 1, adopt => 1, pid => $pid{1}, argv => [], timeout_ms => 60_000, grace_ms => 100);
	is($new->wait_for('STARTED', 1)->{pid}, $pid{1}, 'one that lives is found');
	is($new->list->{1}{state}, JoschRunner::STATE_WATCHED, 'and watched');
	$new->start(run_id => 2, adopt => 1, pid => $pid{2}, argv => [], reason => 'the journal was lost');
	my $end = $new->wait_for('EXITED', 2);
	is_deeply([ @$end{qw(kind reason)} ], [ JoschRunner::EXIT_UNKNOWN, 'the journal was lost' ], 'one that has left a daemon is not taken for it');
	like($end->{survivors}, qr/^\d+ \(sleep\)$/, 'but that lives');
	$new->start(run_id => 7, adopt => 1, pid => $pid{7}, argv => [], timeout_ms => 1, grace_ms => 600_000);
	is($new->wait_for('STARTED', 7)->{pid}, $pid{7}, 'one whose time is up is found');
	is($new->wait_for('EXITED', 7)->{exit_flags}, JoschRunner::IS_WATCHED | JoschRunner::TIMED_OUT, 'and ended');
	$new->start(run_id => 3, nonce => 99, adopt => 1, argv => [], log => 'log/another.log');
	is($new->wait_for('EXITED', 3)->{kind}, JoschRunner::EXIT_UNKNOWN, 'of another run that had its number nothing is found');
	$new->forget(7, [ 3, 99 ]);
	$new->start(run_id => 3, adopt => 1, argv => [], log => 'log/x.log');
	is($new->wait_for('STARTED', 3)->{pid}, $pid{3}, 'the main process is found without its number, too');
	$new->start(run_id => 4, adopt => 1, argv => [], log => 'log/4.log');
	$end = $new->wait_for('EXITED', 4);
	is_deeply([ @$end{qw(kind survivors reason)} ], [ JoschRunner::EXIT_UNKNOWN, '', '' ], 'of one that is not there nothing is found');
	$new->start(run_id => 5, adopt => 1, argv => [], pid => $titled{5}{pid}, started_at => $titled{5}{started_at});
	is($new->wait_for('STARTED', 5)->{pid}, $titled{5}{pid}, 'one without a mark is told by when it started');
	$new->start(run_id => 6, adopt => 1, argv => [], pid => $titled{6}{pid}, started_at => $titled{6}{started_at} - 3_600_000_000);
	is($new->wait_for('EXITED', 6)->{kind}, JoschRunner::EXIT_UNKNOWN, 'and not when it is one of another time');
	$new = die_and_restart($new, $spool);
	is($new->list->{5}{state}, JoschRunner::STATE_WATCHED, 'the process that was found is on record');
	kill 'KILL', map { $_->{pid} } values %titled;
	$new->wait_for('EXITED', 5);
	$new->forget(5, 6);
	$new->start(run_id => 1, adopt => 1, argv => [], log => 'log/y.log');
	is($new->wait_for('REFUSED', 1)->{reason}, JoschRunner::REFUSED_KNOWN, 'what is known is not looked for');
	$new = die_and_restart($new, $spool);
	is_deeply({ map { $_ => $new->list->{$_}{state} } 1 .. 4 }, { map { $_ => $_ % 2 ? JoschRunner::STATE_WATCHED : JoschRunner::STATE_EXITED } 1 .. 4 }, 'all of it is on record now');
	$new->stop(1, 0);
	is($new->wait_for('EXITED', 1)->{kind}, JoschRunner::EXIT_WATCHED, 'it can be stopped');
	kill 'KILL', map { marked($_) } 1 .. 3;
	JoschRunner::end_runner($spool);
};

subtest 'a watched run can be stopped, times out, and stays up' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->start(run_id => 1, argv => [ 'sleep', '1000' ]);
	$c->start(run_id => 2, argv => sh("trap '' TERM; while :; do sleep 0.1; done"), timeout_ms => 1500, grace_ms => 100);
	$c->start(run_id => 3, argv => [ 'sleep', '1000' ], long => 1, ready_argv => ['true']);
	$c->start(run_id => 4, argv => [ 'sleep', '1000' ], long => 1, ready_argv => [ 'test', '-e', "$spool/flag" ]);
	push @groups, $c->wait_for('STARTED', $_)->{pid} foreach 1 .. 4;
	$c->wait_for('UP', 3);
	my $new = die_and_restart($c, $spool);
	my $runs = $new->list;
	ok($runs->{3}{flags} & JoschRunner::IS_UP && $runs->{3}{up_at} > 0, 'still up');
	ok(!($runs->{4}{flags} & JoschRunner::IS_UP), 'not up');
	open my $flag, '>', "$spool/flag";
	ok($new->wait_for('UP', 4), 'readiness is still asked for');
	$new->stop(1, 1000);
	is($new->wait_for('EXITED', 1)->{exit_flags}, JoschRunner::IS_WATCHED | JoschRunner::STOP_REQUESTED, 'stopped');
	is($new->wait_for('EXITED', 2)->{exit_flags}, JoschRunner::IS_WATCHED | JoschRunner::TIMED_OUT, 'timed out');
	my $third = die_and_restart($new, $spool);
	is_deeply([ map { $third->list->{$_}{state} } 1 .. 4 ], [ (JoschRunner::STATE_EXITED) x 2, (JoschRunner::STATE_WATCHED) x 2 ], 'and once more');
	$third->stop($_, 0) foreach 3, 4;
	$third->wait_for('EXITED', $_) foreach 3, 4;
	JoschRunner::end_runner($spool);
};

subtest 'SIGTERM leaves commands running' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	my $new = die_and_restart($c, $spool, 'TERM');
	ok(JoschRunner::lives($pid), 'it runs');
	is($new->list->{1}{state}, JoschRunner::STATE_WATCHED, 'and is watched');
	$new->start(run_id => 5, argv => sh("sh -c \"trap '' TERM; echo on; while :; do sleep 0.05; done\" & echo \$!; wait"));
	my $other;
	JoschRunner::eventually('it is on', sub {
		my $log = JoschRunner::slurp("$spool/log/5.log") // '';
		($other) = $log =~ /(\d+)/;
		return $other && $log =~ /on/;
	});
	my $group = $new->wait_for('STARTED', 5)->{pid};
	$new->stop(5, 600_000);
	JoschRunner::eventually('its main process is gone', sub { !JoschRunner::lives($group) });
	$new = die_and_restart($new, $spool, 'TERM');
	is($new->list->{5}{value}, 15, 'what is being stopped is stopped now, and its end known');
	ok(!JoschRunner::lives($other), 'nothing of it is left');
	$new->stop(1, 0);
	$new->wait_for('EXITED', 1);
	JoschRunner::end_runner($spool);
};

sub wait_for_replacement
{
	my ($c, $spool) = @_;
	while (($c->next_event // die 'the connection did not end')->{type} ne 'LOST') { }
	return JoschRunner->connect($spool);
}

subtest 'the runner replaces itself' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	my $copy = "$spool/new-version";
	system('cp', JoschRunner::binary(), $copy) == 0 or die;
	$c->start(run_id => 10, argv => sh("while ! test -e $spool/go; do sleep 0.05; done; exit 10"));
	$c->start(run_id => 11, argv => [ 'sleep', '1000' ], timeout_ms => 1500);
	$c->start(run_id => 12, argv => [ 'sleep', '1000' ], long => 1, ready_argv => [ 'test', '-e', "$spool/go" ]);
	push @groups, $c->wait_for('STARTED', $_)->{pid} foreach 10 .. 12;

	# this one ends while nobody looks: in the very moment of the exec
	$c->start(run_id => 13, argv => sh('exit 13'));
	$c->replace($copy);
	my $new = wait_for_replacement($c, $spool);
	is($new->pid, $c->pid, 'the same process');
	is($new->{welcome}{incarnation}, $c->{welcome}{incarnation}, 'the same life');
	is(readlink('/proc/' . $new->pid . '/exe'), $copy, 'another program');
	JoschRunner::eventually('run 13 has ended', sub { $new->list->{13}{state} == JoschRunner::STATE_EXITED });
	is($new->list->{13}{value}, 13, 'an end in between');
	is($new->list->{1}{state}, JoschRunner::STATE_RUNNING, 'children are still children');
	open my $go, '>', "$spool/go";
	is_deeply([ @{ $new->wait_for('EXITED', 10) }{qw(kind value)} ], [ JoschRunner::EXIT_CODE, 10 ], 'a true exit code after');
	ok($new->wait_for('UP', 12), 'readiness goes on');
	is($new->wait_for('EXITED', 11)->{exit_flags}, JoschRunner::TIMED_OUT, 'the time-out goes on');

	kill 'HUP', $new->pid;
	my $third = wait_for_replacement($new, $spool);
	is($third->{welcome}{incarnation}, $c->{welcome}{incarnation}, 'SIGHUP does the same');
	$third->stop($_, 0) foreach 1, 12;
	is($third->wait_for('EXITED', 1)->{value}, 9, 'children through two programs');
	is_deeply([ sort { $a <=> $b } keys %{ $third->list } ], [ 1, 3, 4, 10 .. 13 ], 'nothing is lost');

	$third->replace("$spool/no-such-file");
	like($third->wait_for('ERROR')->{text}, qr/could not replace.*No such file/, 'a program that is not there');
	open my $junk, '>', "$spool/junk"; print $junk "\177ELF nonsense"; close $junk; chmod 0755, "$spool/junk";
	$third->start(run_id => 20, argv => sh('sleep 0.5; exit 20'));
	$third->replace("$spool/junk");
	like($third->wait_for('ERROR')->{text}, qr/could not replace.*Exec format/, 'one that cannot be executed');
	is($third->wait_for('EXITED', 20)->{value}, 20, 'changes nothing');
	JoschRunner::end_runner($spool);
};

subtest 'STOP and REPLACE at once' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->start(run_id => 1, argv => sh("sh -c \"trap 'sleep 0.5; exit' TERM; echo on; while :; do sleep 0.05; done\" & wait"));
	JoschRunner::eventually('it is on', sub { (JoschRunner::slurp("$spool/log/1.log") // '') =~ /on/ });
	$c->stop(1, 10_000);
	$c->replace(JoschRunner::binary());
	my $new = wait_for_replacement($c, $spool);
	JoschRunner::eventually('it has ended', sub { $new->list->{1}{state} == JoschRunner::STATE_EXITED });
	is($new->list->{1}{kind}, JoschRunner::EXIT_SIGNAL, 'how the main process ended is not lost');
	JoschRunner::end_runner($spool);
};

subtest 'the journal' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	kill 'KILL', $c->pid, $pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });

	# a write that was not done
	open my $journal, '>>', "$spool/journal"; print $journal pack 'N C', 500, 5; close $journal;
	JoschRunner::start_daemon($spool);
	my $new = JoschRunner->connect($spool);
	is($new->{welcome}{ledger}, $c->{welcome}{ledger}, 'a record cut short is no harm');
	is($new->list->{3}{value}, 3, 'what was before it is known');
	$new->start(run_id => 30, argv => [ 'sleep', '1000' ]);
	push @groups, $new->wait_for('STARTED', 30)->{pid};
	kill 'KILL', $new->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($new->pid) });

	# one byte of the end of run 3 changes
	my $bytes = JoschRunner::slurp("$spool/journal");
	my $at = index $bytes, 'out';
	substr $bytes, $at, 1, 'O';
	open $journal, '>', "$spool/journal"; print $journal $bytes; close $journal;
	JoschRunner::start_daemon($spool);
	$new = JoschRunner->connect($spool);
	isnt($new->{welcome}{ledger}, $c->{welcome}{ledger}, 'a changed byte is noticed');
	ok(-e "$spool/journal.broken", 'the file is kept');
	isnt(($new->list->{3} // {})->{kind} // 0, JoschRunner::EXIT_CODE, 'no exit code is taken from it');
	kill 'KILL', $new->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($new->pid) });

	# another boot: the boot id is the first text of the header
	$spool = JoschRunner::new_spool();
	($c, $pid) = populated($spool);
	kill 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	other_boot("$spool/journal");
	JoschRunner::start_daemon($spool);
	$new = JoschRunner->connect($spool);
	isnt($new->{welcome}{ledger}, $c->{welcome}{ledger}, 'another boot: another journal');
	is_deeply([ @{ $new->list->{1} }{qw(kind survivors)} ], [ JoschRunner::EXIT_UNKNOWN, '' ], 'what ran is unknown, and lives no more');
	is($new->list->{3}{value}, 3, 'what had ended is known');
	$new->start(run_id => 2, argv => ['true'], log => 'log/y.log');
	ok($new->wait_for('REFUSED', 2), 'what was forgotten is still refused');
	JoschRunner::end_runner($spool);
};

# Writes another boot id, and the checksum that goes with it.
sub other_boot
{
	my ($path) = @_;
	my $bytes = JoschRunner::slurp($path);
	my $length = unpack 'N', $bytes;
	my $record = substr $bytes, 4, $length - 4;
	$record =~ s/-[0-9a-f]{12}/-000000000000/ or die;
	no warnings 'portable';
	use integer;
	my $hash = 0xcbf29ce484222325;
	$hash = ($hash ^ ord) * 0x100000001b3 foreach split //, $record;
	my $high = ($hash >> 32) & 0xffffffff;
	substr $bytes, 4, $length, $record . pack 'N', ($hash & 0xffffffff) ^ $high;
	open my $file, '>', $path;
	print $file $bytes;
	return;
}

subtest 'the journal stays small' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	my $largest = 0;
	foreach my $round (0 .. 9)
	{
		my @ids = map { $round * 100 + $_ } 1 .. 100;
		$c->start(run_id => $_, argv => sh('head -c 4000 /dev/zero | tr "\0" x')) foreach @ids;
		$c->wait_for('EXITED', $_) foreach @ids;
		$c->forget(@ids);
		$c->list;
		$largest = -s "$spool/journal" if -s "$spool/journal" > $largest;
	}
	cmp_ok($largest, '<', 1_500_000, 'never much more than it has to hold');
	my $new = die_and_restart($c, $spool);
	cmp_ok(-s "$spool/journal", '<', 20_000, 'forgotten runs take a few bytes each');
	$new->start(run_id => $_, argv => ['true'], log => 'log/again.log'), $new->wait_for('REFUSED', $_) foreach 1, 500, 1000;
	is($new->run(run_id => 1001, argv => ['true'])->{kind}, JoschRunner::EXIT_CODE, 'the next one runs');
	JoschRunner::end_runner($spool);
};

subtest 'idle means idle' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	$c->start(run_id => 50, long => 1, argv => [ 'sleep', '1000' ], ready_argv => ['true']);
	push @groups, $c->wait_for('STARTED', 50)->{pid};
	$c->wait_for('UP', 50);
	quiet($c->pid);
	my ($cpu, $switches) = (cpu_ticks($c->pid), switches($c->pid));
	sleep 3;	# to see that nothing happens meanwhile
	is(cpu_ticks($c->pid), $cpu, 'no CPU');
	is(switches($c->pid), $switches, 'not even woken');
	my $new = die_and_restart($c, $spool);
	quiet($new->pid);
	$switches = switches($new->pid);
	sleep 2;	# to see that nothing happens meanwhile
	is(switches($new->pid), $switches, 'nor while it watches');
	$new->stop($_, 0) foreach 1, 50;
	$new->wait_for('EXITED', $_) foreach 1, 50;
	JoschRunner::end_runner($spool);
};

subtest 'the spool is taken away' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	is(JoschRunner::slurp("$spool/runner.lock"), $c->pid . "\n", 'runner.lock names the process');
	unlink map { "$spool/runner.$_" } qw(lock sock);
	unlink "$spool/journal";
	JoschRunner::eventually('the socket is back', sub { -e "$spool/runner.sock" });
	my $new = JoschRunner->connect($spool);
	is($new->pid, $c->pid, 'only the socket was removed: the same runner makes another');
	is($new->list->{1}{state}, JoschRunner::STATE_RUNNING, 'and knows what it knew');
	is(JoschRunner::start_daemon($spool), 0, 'no second one');
	is(JoschRunner->connect($spool)->pid, $c->pid, 'comes to stand beside it');
	my $next = die_and_restart($new, $spool);
	is($next->list->{3}{value}, 3, 'the journal was made anew');
	is($next->list->{1}{state}, JoschRunner::STATE_WATCHED, 'with what still runs');
	unlink "$spool/journal";
	$next = die_and_restart($next, $spool, 'TERM');
	is($next->list->{1}{state}, JoschRunner::STATE_WATCHED, 'a runner that is told to leave writes the journal that was removed right before');
	JoschRunner::end_runner($spool);
	kill 'KILL', $pid;
};

subtest 'the whole spool is taken away' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	chmod 0711, $spool;
	system('rm', '-rf', $spool);
	ok(!-e $spool, 'all of it can be removed');
	JoschRunner::eventually('it is made anew', sub { -e "$spool/runner.sock" });
	is((stat $spool)[2] & 07777, 0711, 'for those who could pass there');
	my $new = JoschRunner->connect($spool);
	is($new->pid, $c->pid, 'by the same runner');
	is($new->{welcome}{ledger}, $c->{welcome}{ledger}, 'with the same journal');
	is_deeply([ sort keys %{ $new->list } ], [ 1, 3, 4 ], 'which knows what it knew');
	is($new->run(run_id => 5, argv => sh('exit 5'))->{value}, 5, 'and goes on');
	is(JoschRunner::start_daemon($spool), 0, 'no second one');
	is(JoschRunner->connect($spool)->pid, $c->pid, 'comes to stand beside it');
	$new = die_and_restart($new, $spool);
	is($new->list->{5}{value}, 5, 'what it wrote there is found');
	$new->stop(1, 0);
	$new->wait_for('EXITED', 1);
	$new->forget(1, 3, 4, 5);
	$new->list;
	system('rm', '-rf', $spool);
	JoschRunner::eventually('one that has nothing to keep leaves', sub { !JoschRunner::lives($new->pid) });
	ok(!-e $spool, 'and leaves nothing');
};

subtest 'another runner comes where the spool was' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	foreach my $way ([ 'rm', '-rf', $spool ], [ 'mv', $spool, "$spool.aside" ])
	{
		system(@$way);
		is(JoschRunner::start_daemon($spool), 0, "$way->[0]: another one starts in the meantime");
		my $new = JoschRunner->connect($spool);
		isnt($new->pid, $c->pid, 'it is another one');
		$c->start(run_id => 6, argv => sh("touch $spool/ran"), log => 'log/other.log');
		my $event = $c->next_event;
		ok($event->{type} =~ /^(LOST|ERROR)$/, 'the former starts nothing any more');
		ok(!-e "$spool/ran", 'nothing at all');
		JoschRunner::eventually('and leaves', sub { !JoschRunner::lives($c->pid) }) if $way->[0] eq 'rm';
		ok(JoschRunner::lives($pid), 'the command lives on');
		$new->start(run_id => 1, adopt => 1, pid => $pid, argv => []);
		is($new->wait_for('STARTED', 1)->{pid}, $pid, 'and the new one can watch it');
		$c = $new;
	}
	JoschRunner::eventually('the one that was moved knows where it is', sub { (JoschRunner::slurp("$spool.aside/runner.log") // '') =~ /the spool is ".*aside" now/ });
	is(JoschRunner->connect("$spool.aside")->list->{1}{state}, JoschRunner::STATE_WATCHED, 'and serves there');
	kill 'KILL', $pid;
	JoschRunner::end_runner($_) foreach $spool, "$spool.aside";
};

subtest 'a folder where others may write comes where the spool was' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	kill 'STOP', $c->pid;
	system('rm', '-rf', $spool);
	mkdir $spool or die "mkdir: $!";
	chmod 0777, $spool;
	kill 'CONT', $c->pid;
	JoschRunner::eventually('the runner leaves', sub { !JoschRunner::lives($c->pid) });
	is_deeply([ glob "$spool/*" ], [], 'and has written nothing there');
	kill 'KILL', $pid;
};

# However many are started at once, while all that can be removed is removed: one has the spool.
subtest 'never two' => sub {
	my $spool = JoschRunner::new_spool();
	my ($c, $pid) = populated($spool);
	foreach my $round (1 .. 5)
	{
		unlink map { "$spool/$_" } qw(runner.lock runner.sock journal);
		my @starters = map { JoschRunner::spawn_daemon($spool) } 1 .. 3;
		waitpid $_, 0 foreach @starters;
		is(JoschRunner->connect($spool)->pid, $c->pid, "round $round: the same as ever");
	}
	ok(JoschRunner::eventually('one is left', sub { scalar(runners($spool)) == 1 }), 'there is one');
	kill 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	my @starters = map { JoschRunner::spawn_daemon($spool) } 1 .. 6;
	waitpid $_, 0 foreach @starters;
	# who does not get it says so, and is gone a moment later
	ok(JoschRunner::eventually('one is left', sub { scalar(runners($spool)) == 1 }), 'nor do many that start at once become more than one');
	is(JoschRunner->connect($spool)->list->{1}{state}, JoschRunner::STATE_WATCHED, 'which watches what lives');
	kill 'KILL', $pid;
	JoschRunner::end_runner($spool);
};

# Runners of a spool, wherever they come from.
sub runners
{
	my ($spool) = @_;
	return grep { my $line = JoschRunner::slurp($_) // ''; $line =~ /josch-runner/ && index($line, "\0$spool\0") >= 0 } glob '/proc/[0-9]*/cmdline';
}

subtest 'orphans fall to the runner' => sub {
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	my $c = JoschRunner->connect($spool);
	$c->run(run_id => 1, argv => sh('(sleep 0.5; exit 3) & echo $!'));
	my ($orphan) = JoschRunner::slurp("$spool/log/1.log") =~ /(\d+)/;
	my ($parent) = JoschRunner::slurp("/proc/$orphan/status") =~ /^PPid:\s+(\d+)/m;
	is($parent, $c->pid, 'it is the parent of what a command leaves behind');
	JoschRunner::eventually('the orphan is reaped', sub { !-e "/proc/$orphan" });
	is_deeply([ sort keys %{ $c->list } ], [1], 'and nobody is told');
	JoschRunner::end_runner($spool);
};

kill 'KILL', map { -$_ } @groups;
done_testing();
