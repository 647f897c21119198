# test/chaos/ChaosRecord.pm
#
# What a fault leaves for the judge: which runs can no longer be known, and why.
#
# It is seen from outside, in the moment of the fault: in the processes of the
# machine and in the rows that were open then.  So "unknown" is believed of those
# runs alone whose runner died over them, or whose record was lost with it.
package ChaosRecord;

use strict;
use warnings;
use Exporter 'import';
use JoschNode qw(eventually lives);
use JoschRunner;
use ChaosPeople qw(more_work);
use ChaosPlan qw(chance);
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(complain crash_of down end_the_runner end_the_runner_alone hurt_journal look_at_ledger mains open_over spool_in_use unsure);

# complaints: what was wrong already when it was done; unsure: runs that may be "unknown"; downs: from when to when no
# server was there; killed: runs whose command was killed; workers: SQL workers that were ended; lost: runs that are on no
# record any more; ledgers: those that may be no more: from when to when, without an end while that is not known
sub record { my ($node) = @_; return $node->{record} //= { complaints => [], unsure => {}, downs => [], killed => {}, workers => {}, lost => {}, ledgers => {} }; }

sub complain
{
	my ($node, $what) = @_;
	push @{ record($node)->{complaints} }, $what;
	return;
}

sub unsure
{
	my ($node, @runs) = @_;
	record($node)->{unsure}{$_} = 1 foreach @runs;
	return;
}

# The server is down while this is done.
sub down
{
	my ($node, $code) = @_;
	my $since = time;
	$code->();
	push @{ record($node)->{downs} }, [ $since, time ];
	return 1;
}

# kill -9 of one of its processes, which takes all of them down.
sub crash_of
{
	my ($node, $pid) = @_;
	return 0 if !$pid;
	down($node, sub { $node->crash($pid) });
	return 1;
}

# ---- runs ----

my $KEY = q{run_id || '-' || lpad(to_hex(nonce), 16, '0')};

# Of commands: run => process, or '', which were made until one moment and had not ended at another.
sub open_over
{
	my ($node, $until, $since) = @_;
	return map { /^(.*)\|(.*)$/ } split /\n/, $node->sql(qq{
		SELECT $KEY, pid FROM josch.runs
		WHERE kind = 'command' AND requested_at <= to_timestamp($until) AND (ended_at IS NULL OR ended_at >= to_timestamp($since))});
}

# run => process: the main processes of commands that live, by their own marks
sub mains
{
	my ($node) = @_;
	my %found;
	foreach my $pid ($node->commands)
	{
		my $environment = JoschRunner::slurp("/proc/$pid/environ") // '';
		my ($run) = $environment =~ /(?:^|\0)JOSCH_RUN=([^\0]+)/ or next;
		my ($state, $session) = (JoschRunner::slurp("/proc/$pid/stat") // '') =~ /\) (\S) \d+ \d+ (\d+)/ or next;
		$found{$run} = $pid if $session == $pid && $state !~ /[ZX]/;	# the leader of its session
	}
	return %found;
}

# ---- the runner ----

# What the server has on file, as far as it is there: the setting may wait.
sub spool_in_use
{
	my ($node) = @_;
	my (undef, $path) = split /\n/, JoschRunner::slurp($node->data_dir . '/josch.spool') // '';
	return $node->{spool} = $path // $node->{spools}[0];
}

sub runner
{
	my ($node) = @_;
	return eval { JoschRunner->connect(spool_in_use($node), identity => 'chaos') };
}

sub freeze_until_still
{
	my ($pid) = @_;
	kill 'STOP', $pid;
	eventually("process $pid stands still", sub { (JoschRunner::slurp("/proc/$pid/stat") // ') T ') =~ /\) [TZX] / });
	return;
}

# Ends it in this way; of what it then has, no end will be known: that is all that is open, but for what it has seen end.
sub end_the_runner
{
	my ($node, $signal) = @_;
	my $runner = runner($node) or return 0;
	my $pid = $runner->pid;
	my $spool = spool_in_use($node);
	freeze_until_still($pid);
	my $now = time;
	my %open = open_over($node, $now, $now);
	my $whole = -e "$spool/journal" && -e "$spool/journal.end";
	unsure($node, grep { !$whole || $open{$_} eq '' || -e "/proc/$open{$_}" } keys %open);
	if ($signal eq 'KILL')
	{
		more_work($node, 'exec_command IS NULL');
		sleep rand 0.2;	# what is sent to it meanwhile it never hears of
	}
	kill $signal, $pid;
	kill 'CONT', $pid;
	eventually('the runner is gone', sub { !lives($pid) });
	unsure($node, orphans($node)) if $signal ne 'KILL';
	return 1;
}

# The runner dies while no server is there: the next one has what has ended by then.
sub end_the_runner_alone
{
	my ($node) = @_;
	my $runner = runner($node) or return 0;
	my ($at, $again, %there);
	down($node, sub {
		$node->stop(chance(50) ? 'fast' : 'immediate');
		$at = time;
		sleep rand 0.5;
		freeze_until_still($runner->pid);
		%there = map { substr($_, 6) => 1 } glob '/proc/[0-9]*';
		kill 'KILL', $runner->pid;
		$again = time;
		$node->start;
	});
	eventually('there is another runner', sub { runner($node) });
	my %open = open_over($node, $at, $again);
	my $whole = -e spool_in_use($node) . '/journal' && -e spool_in_use($node) . '/journal.end';
	unsure($node, grep { !$whole || $open{$_} eq '' || $there{ $open{$_} } } keys %open);
	return 1;
}

# What was still started between: it lives, and is no child of a runner that does.
sub orphans
{
	my ($node) = @_;
	my $runner = runner($node);
	my %mains = mains($node);
	return grep { (JoschRunner::slurp("/proc/$mains{$_}/stat") // '') !~ /\) \S (\d+)/ || !$runner || $1 != $runner->pid } keys %mains;
}

# From now on the journal may be another one, should the runner die or leave before it has mended it: until it is seen that
# the same ledger is there, what ends under it may be unknown.
sub hurt_journal
{
	my ($node, $code) = @_;
	look_at_ledger($node);
	my $record = record($node);
	my $spool = spool_in_use($node);
	my $ledger = $record->{ledger}{$spool};
	$record->{hurt}{$spool} = [ time ];
	push @{ $record->{ledgers}{$ledger} }, $record->{hurt}{$spool} if defined $ledger;
	$code->();
	return 1;
}

# Another ledger without a cause is a fault.
sub look_at_ledger
{
	my ($node) = @_;
	my $record = record($node);
	my $spool = spool_in_use($node);
	my $runner = runner($node) or return;
	my $ledger = $runner->{welcome}{ledger};
	my $former = $record->{ledger}{$spool} // $ledger;
	my $hurt = $record->{hurt}{$spool};
	$record->{ledger}{$spool} = $ledger;
	complain($node, "the runner of $spool has another ledger, and nobody has hurt its journal") if $former ne $ledger && !$hurt;
	if ($hurt && $former eq $ledger && -e "$spool/journal" && -e "$spool/journal.end")
	{
		$hurt->[1] = time;
		delete $record->{hurt}{$spool};
	}
	delete $record->{hurt}{$spool} if $former ne $ledger;
	return;
}

1;
