# test/chaos/ChaosFaults.pm
#
# What goes wrong: the names of all faults, and those that are no more than a signal,
# a lock or a setting.
#
# A fault may need the server to be up and leaves it up; what it kills, freezes or
# takes away comes back by JOSCH's own means, which is what is tried.  It says
# whether it could be done.
package ChaosFaults;

use strict;
use warnings;
use Exporter 'import';
use ChaosCopies qw(template_copy dump_elsewhere copy_beside put_back dump_in_place promotion);
use ChaosPlan qw(pick chance);
use ChaosRecord qw(crash_of down end_the_runner end_the_runner_alone look_at_ledger mains);
use ChaosShortage qw(full_spool full_data_disk few_processes few_descriptors few_workers remove_of_spool remove_logs remove_spool move_spool);
use Time::HiRes qw(sleep);

our @EXPORT_OK = qw(any_fault inject);

my %SETTINGS = (
	fewer_places => [ 'josch.max_running', 1, 2, 20 ],
	fewer_sql_places => [ 'josch.max_sql_workers', 1, 4 ],
	shorter_logs => [ 'josch.max_log_size', q('64kB'), q('1MB'), 0 ]);

my %FAULTS = (
	crash_scheduler => sub { my $node = shift; crash_of($node, backend($node, 'josch scheduler')); },
	end_scheduler => sub { my $node = shift; signal(TERM => backend($node, 'josch scheduler')); },
	crash_sql_worker => sub { my $node = shift; crash_of($node, backend($node, 'josch sql worker')); },
	end_sql_worker => \&end_sql_worker,
	end_launcher => sub { my $node = shift; signal(TERM => backend($node, 'josch launcher')); },
	stop_immediate => sub { my $node = shift; down($node, sub { $node->stop('immediate'); $node->start; }); },
	stop_fast => sub { my $node = shift; down($node, sub { $node->stop('fast'); $node->start; }); },
	kill_postmaster => sub { my $node = shift; down($node, sub { $node->kill_postmaster; $node->start; }); },
	kill_runner => sub { end_the_runner(shift, 'KILL'); },
	end_runner => sub { end_the_runner(shift, 'TERM'); },
	kill_runner_alone => \&end_the_runner_alone,
	replace_runner => sub { my $node = shift; signal(HUP => $node->runner_pid); },
	kill_command => \&kill_command,
	(map { my $part = $_; ("freeze_$part" => sub { freeze(part_of(shift, $part)) }) } qw(scheduler launcher sql_worker session postmaster checkpointer runner command server)),
	hold_rows => \&hold_rows,
	lock_table => \&lock_table,
	(map { my $name = $_; ($name => sub { set(shift, @{ $SETTINGS{$name} }) }) } keys %SETTINGS),
	scheduler_off => sub { my $node = shift; set($node, 'josch.scheduler', $_) foreach qw(off on); return 1; },
	analyze => sub { my $node = shift; $node->sql('ANALYZE'); return 1; },
	move_spool => \&move_spool,
	remove_socket => sub { remove_of_spool(shift, 'runner.sock'); },
	remove_lock => sub { remove_of_spool(shift, 'runner.lock'); },
	remove_journal => sub { remove_of_spool(shift, 'journal'); },
	remove_journal_end => sub { remove_of_spool(shift, 'journal.end'); },
	remove_logs => \&remove_logs,
	remove_spool => \&remove_spool,
	full_spool => \&full_spool,
	few_processes => \&few_processes,
	few_descriptors => \&few_descriptors);

# Those that take seconds come at a third of the others' rate.
my %LONG_FAULTS = (
	full_data_disk => \&full_data_disk,
	few_workers => \&few_workers,
	template_copy => \&template_copy,
	dump_elsewhere => \&dump_elsewhere,
	copy_beside => \&copy_beside,
	put_back => \&put_back,
	dump_in_place => \&dump_in_place,
	promotion => \&promotion);

sub any_fault { return pick((sort keys %FAULTS) x 3, sort keys %LONG_FAULTS); }

# inject(node, name): whether it could be done
sub inject
{
	my ($node, $name) = @_;
	my $code = $FAULTS{$name} // $LONG_FAULTS{$name} // die "there is no fault \"$name\"\n";
	look_at_ledger($node);
	return $code->($node);
}

sub signal
{
	my ($name, @pids) = @_;
	return kill $name, grep { $_ } @pids;
}

# ---- signals ----

sub backend
{
	my ($node, $type) = @_;
	my @pids = split /\n/, $node->sql("SELECT pid FROM pg_stat_activity WHERE backend_type = '$type' AND pid <> pg_backend_pid()");
	return pick(@pids);
}

sub end_sql_worker
{
	my ($node) = @_;
	my $pid = backend($node, 'josch sql worker') or return 0;
	$node->{record}{workers}{$pid} = 1;
	return signal(TERM => $pid);
}

sub kill_command
{
	my ($node) = @_;
	my %mains = mains($node);
	my $run = pick(sort keys %mains) or return 0;
	$node->{record}{killed}{$run} = 1;
	return signal(KILL => $mains{$run});
}

my %BACKENDS = (scheduler => 'josch scheduler', launcher => 'josch launcher', sql_worker => 'josch sql worker', checkpointer => 'checkpointer');

sub part_of
{
	my ($node, $part) = @_;
	return backend($node, $BACKENDS{$part}) if $BACKENDS{$part};
	return $node->{_pid} if $part eq 'postmaster';
	return $node->runner_pid if $part eq 'runner';
	return pick($node->commands) if $part eq 'command';
	return $node->server_pids if $part eq 'server';
	return session($node);
}

# Somebody's session, that is about to commit what it has done to some rows.
sub session
{
	my ($node) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	my $pid = $session->query('SELECT pg_backend_pid()');
	$session->{stdin} .= "BEGIN; SELECT FROM josch.nodes TABLESAMPLE BERNOULLI (20) FOR UPDATE SKIP LOCKED; COMMIT;\n";
	$session->{run}->pump_nb;
	push @{ $node->{sessions} }, $session;
	eval { (shift @{ $node->{sessions} })->{run}->kill_kill } while @{ $node->{sessions} } > 3;
	return $pid;
}

# Frozen for a moment, rarely for long, in which the others go on.
sub freeze
{
	my @pids = grep { $_ } @_;
	return 0 if !@pids;
	kill 'STOP', @pids;
	sleep(chance(5) ? 3 : rand 0.5);
	return kill 'CONT', @pids;
}

# ---- locks and settings ----

# Somebody's transaction has rows, and lets go of them in a moment.
sub hold_rows
{
	my ($node) = @_;
	$node->psql('postgres', 'BEGIN; SELECT FROM josch.nodes TABLESAMPLE BERNOULLI (20) FOR UPDATE SKIP LOCKED; SELECT pg_sleep('
			. rand(0.5) . '); ' . pick('COMMIT', 'ROLLBACK'));
	return 1;
}

sub lock_table
{
	my ($node) = @_;
	my $table = pick(qw(nodes node_deps runs jobs));
	$node->psql('postgres', "SET lock_timeout = '2s'; BEGIN; LOCK TABLE josch.$table IN " . pick('SHARE', 'ACCESS EXCLUSIVE')
			. ' MODE; SELECT pg_sleep(' . rand(0.5) . '); COMMIT');
	return 1;
}

sub set
{
	my ($node, $name, @values) = @_;
	$node->sql("ALTER SYSTEM SET $name = " . pick(@values));
	$node->reload;
	return 1;
}

1;
