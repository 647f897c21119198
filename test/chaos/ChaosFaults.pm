# test/chaos/ChaosFaults.pm
#
# What goes wrong, and what people do meanwhile.
#
# A fault may need the server to be up and leaves it up; what it kills, freezes or
# takes away comes back by JOSCH's own means, which is what is tried.
package ChaosFaults;

use strict;
use warnings;
use Exporter 'import';
use JoschNode qw(eventually lives literal);
use JoschRunner;
use ChaosPlan qw(pick chance);
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(fault_names inject act answer_all);

my @ACTS = qw(signoff approve reject mark_success mark_failed retry hold release skip force_start stop rerun);

my %FAULTS = (
	crash_scheduler => sub { my $node = shift; my $pid = scheduler($node); $node->crash($pid) if $pid; },
	end_scheduler => sub { my $node = shift; signal(TERM => scheduler($node)); },
	freeze_scheduler => sub { my $node = shift; freeze(scheduler($node)); },
	crash_sql_worker => sub { my $node = shift; my $pid = backend($node, 'josch sql worker'); $node->crash($pid) if $pid; },
	end_sql_worker => sub { my $node = shift; signal(TERM => backend($node, 'josch sql worker')); },
	end_launcher => sub { my $node = shift; signal(TERM => backend($node, 'josch launcher')); },
	stop_immediate => sub { my $node = shift; $node->stop('immediate'); $node->start; },
	stop_fast => sub { my $node = shift; $node->stop('fast'); $node->start; },
	kill_postmaster => sub { my $node = shift; $node->kill_postmaster; $node->start; },
	kill_runner => sub { my $node = shift; signal(KILL => $node->runner_pid); $node->{runner_deaths}++; },
	end_runner => sub { my $node = shift; signal(TERM => $node->runner_pid); },
	freeze_runner => sub { my $node = shift; freeze($node->runner_pid); },
	kill_command => sub { my $node = shift; my $pid = pick($node->commands); signal(KILL => $pid); },
	freeze_command => sub { my $node = shift; freeze(pick($node->commands)); },
	hold_rows => \&hold_rows,
	lock_table => \&lock_table,
	fewer_places => sub { my $node = shift; $node->sql('ALTER SYSTEM SET josch.max_running = ' . pick(1, 2, 20)); $node->reload; },
	fewer_sql_places => sub { my $node = shift; $node->sql('ALTER SYSTEM SET josch.max_sql_workers = ' . pick(1, 4)); $node->reload; },
	analyze => sub { my $node = shift; $node->sql('ANALYZE'); },
);

sub fault_names { return sort keys %FAULTS; }

sub inject
{
	my ($node, $name) = @_;
	$FAULTS{$name}->($node);
	return;
}

sub signal
{
	my ($name, @pids) = @_;
	kill $name, grep { $_ } @pids;
	return;
}

# Frozen for a moment, in which the others go on.
sub freeze
{
	my ($pid) = @_;
	return if !$pid;
	kill 'STOP', $pid;
	sleep rand 0.5;
	kill 'CONT', $pid;
	return;
}

sub backend
{
	my ($node, $type) = @_;
	my @pids = split /\n/, $node->sql("SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
	return pick(@pids);
}

sub scheduler { my ($node) = @_; return backend($node, 'josch scheduler'); }

# Somebody's transaction has rows, and lets go of them in a moment.
sub hold_rows
{
	my ($node) = @_;
	$node->psql('postgres', 'BEGIN; SELECT FROM josch.nodes TABLESAMPLE BERNOULLI (20) FOR UPDATE SKIP LOCKED; SELECT pg_sleep('
			. rand(0.5) . '); ' . pick('COMMIT', 'ROLLBACK'));
	return;
}

sub lock_table
{
	my ($node) = @_;
	my $table = pick(qw(nodes node_deps runs jobs));
	$node->psql('postgres', "SET lock_timeout = '2s'; BEGIN; LOCK TABLE josch.$table IN " . pick('SHARE', 'ACCESS EXCLUSIVE')
			. ' MODE; SELECT pg_sleep(' . rand(0.5) . '); COMMIT');
	return;
}

# act(node, plan): somebody does something to some node, fit or not; returns the error's code and text when it is refused
sub act
{
	my ($node, $plan) = @_;
	my ($out, $err) = ('', '');
	my $call = sprintf 'josch.%s(%d, %s, %s)', pick(@ACTS), pick(@{ $plan->{nodes} })->{node_id}, literal(pick(@{ $plan->{dates} })), literal('chaos');
	$node->psql('postgres', "\\set VERBOSITY verbose\nSELECT $call", stdout => \$out, stderr => \$err, on_error_stop => 0);
	return $err =~ /ERROR:\s+(\w{5}): (.*)/ ? ($1, "$call: $2") : ();
}

# A careful person brings the days to their end: answers what asks, and lets go of what is held.
sub answer_all
{
	my ($node) = @_;
	return $node->sql(q{
		SELECT count(CASE state
			WHEN 'signoff' THEN josch.signoff(node_id, job_date, 'end')
			WHEN 'review' THEN josch.approve(node_id, job_date, 'end')
			WHEN 'held' THEN josch.release(node_id, job_date, 'end')
			WHEN 'up' THEN josch.stop(node_id, job_date, 'end')
			ELSE josch.skip(node_id, job_date, 'end') END)
		FROM josch.nodes
		WHERE state IN ('signoff', 'review', 'held', 'failed', 'unknown')
			OR (state = 'up' AND EXISTS (SELECT FROM josch.runs r WHERE r.run_id = nodes.run_id AND r.stop_requested_at IS NULL))});
}

1;
