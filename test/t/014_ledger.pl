# test/t/014_ledger.pl
#
# The ledger: a word that stands for a journal of which nothing is missing.  A
# runner that finds less than was written goes on under another word, so that
# nobody takes its silence for a proof.
use strict;
use warnings;
use JoschRunner;
use Test::More;
use Time::HiRes qw(sleep);

my @groups;
END { kill 'KILL', map { -$_ } @groups if @groups; }

sub sh { return [ '/bin/sh', '-c', $_[0] ]; }

sub new_runner
{
	my $spool = JoschRunner::new_spool();
	JoschRunner::start_daemon($spool);
	return ($spool, JoschRunner->connect($spool));
}

sub die_now
{
	my ($c) = @_;
	kill 'KILL', $c->pid;
	JoschRunner::eventually('the runner is gone', sub { !JoschRunner::lives($c->pid) });
	return;
}

sub start_again
{
	my ($spool) = @_;
	is(JoschRunner::start_daemon($spool), 0, 'a new runner starts');
	return JoschRunner->connect($spool);
}

sub start_living
{
	my ($c, $id) = @_;
	$c->start(run_id => $id, argv => [ 'sleep', '1000' ]);
	push @groups, $c->wait_for('STARTED', $id)->{pid};
	return $groups[-1];
}

sub ledger { return $_[0]{welcome}{ledger}; }

sub copy { system('cp', '-a', @_) == 0 or die; return; }

# Each takes something away from a spool in which runs 1 and 2 are on record, and
# 2 is not in the copy.
my %harm = (
	'a journal of an earlier moment is put back' => sub { my ($spool, $copy) = @_; copy("$copy/journal", "$spool/journal"); },
	'with the mark of that moment' => sub { my ($spool, $copy) = @_; copy("$copy/journal", "$copy/journal.end", $spool); },
	'it is put back into the file that is there' => sub { my ($spool, $copy) = @_; system("cat $copy/journal > $spool/journal"); },
	'the journal is removed' => sub { my ($spool) = @_; unlink "$spool/journal"; },
	'its mark is removed' => sub { my ($spool) = @_; unlink "$spool/journal.end"; },
	'it is emptied' => sub { my ($spool) = @_; system('truncate', '-s', '0', "$spool/journal"); },
	'it is cut' => sub { my ($spool) = @_; system('truncate', '-s', '-10', "$spool/journal"); },
	'all but the logs is made anew' => sub { my ($spool) = @_; system("rm -rf $spool/journal* $spool/runner.sock $spool/runner.lock"); });

foreach my $what (sort grep { $_ ne 'with the mark of that moment' } keys %harm)
{
	subtest "while no runner lives: $what" => sub {
		my ($spool, $c) = new_runner();
		$c->run(run_id => 1, argv => ['true']);
		copy($spool, "$spool.copy");
		$c->run(run_id => 2, argv => sh("echo once >> $spool/count"));
		die_now($c);
		$harm{$what}->($spool, "$spool.copy");
		my $new = start_again($spool);
		isnt(ledger($new), ledger($c), 'another ledger');
		$new->start(run_id => 2, argv => sh("echo twice >> $spool/count"));
		ok($new->wait_for_any('REFUSED')->{run_id} == 2, 'what has a log is not started again') unless $new->list->{2};
		$new->run(run_id => 3, argv => ['true']);
		die_now($new);
		my $third = start_again($spool);
		is(ledger($third), ledger($new), 'which goes on through a second death');
		is($third->list->{3}{value}, 0, 'with what it was given');
		is(JoschRunner::slurp("$spool/count"), "once\n", 'nothing ran twice');
		JoschRunner::end_runner($spool);
	};
}

# What a runner knows, it writes again: nothing is lost that it remembers.
foreach my $what (sort keys %harm)
{
	subtest "while it lives: $what" => sub {
		my ($spool, $c) = new_runner();
		$c->run(run_id => 1, argv => sh('exit 1'));
		copy($spool, "$spool.copy");
		$c->run(run_id => 2, argv => sh('exit 2'));
		my $pid = start_living($c, 3);
		$harm{$what}->($spool, "$spool.copy");
		JoschRunner::eventually('it has noticed', sub { (JoschRunner::slurp("$spool/runner.log") // '') =~ /made anew/ });
		$c->run(run_id => 4, argv => sh('exit 4'));
		die_now($c);
		my $new = start_again($spool);
		is(ledger($new), ledger($c), 'the same ledger');
		my $runs = $new->list;
		is_deeply([ map { $runs->{$_}{value} } 1, 2, 4 ], [ 1, 2, 4 ], 'with all that was ever in it');
		is_deeply([ @{ $runs->{3} }{qw(state pid)} ], [ JoschRunner::STATE_WATCHED, $pid ], 'also what still lives');
		JoschRunner::end_runner($spool);
	};
}

subtest 'the spool is moved, and back' => sub {
	my ($spool, $c) = new_runner();
	$c->run(run_id => 1, argv => sh('exit 1'));
	my $pid = start_living($c, 2);
	die_now($c);
	rename $spool, "$spool.moved" or die;
	my $there = start_again("$spool.moved");
	is(ledger($there), ledger($c), 'under another name it is the same ledger');
	is($there->list->{2}{state}, JoschRunner::STATE_WATCHED, 'and watches what lives');
	die_now($there);
	rename "$spool.moved", $spool or die;
	is(ledger(start_again($spool)), ledger($c), 'back again, too');
	JoschRunner::end_runner($spool);
};

# Two folders with one journal: each of them would answer for the runs of the other.
subtest 'the spool is copied, and both are used' => sub {
	my ($spool, $c) = new_runner();
	$c->run(run_id => 1, argv => sh('exit 1'));
	my $pid = start_living($c, 2);
	copy($spool, "$spool.copy");
	unlink "$spool.copy/runner.sock";
	my $there = start_again("$spool.copy");
	isnt(ledger($there), ledger($c), 'a copy is another ledger');
	is_deeply([ map { "$_->{run_id} $_->{value}" } $there->list_all ], ['1 1'], 'which knows what had ended, and does not judge what lives');
	$there->start(run_id => 2, argv => ['true']);
	is($there->wait_for('REFUSED')->{run_id}, 2, 'nor starts it again');
	$c->start(run_id => 3, argv => sh('exit 3'));
	is($c->wait_for('EXITED', 3)->{value}, 3, 'the first goes on');
	is($c->list->{2}{pid}, $pid, 'with what is its own');
	die_now($there);
	isnt(ledger(start_again("$spool.copy")), ledger($c), 'and after a second death');
	die_now($c);
	is(ledger(start_again($spool)), ledger($c), 'each goes on with its own');
	JoschRunner::end_runner($_) foreach $spool, "$spool.copy";
};

done_testing();
