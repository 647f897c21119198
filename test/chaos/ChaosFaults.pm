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
use File::Path qw(remove_tree);
use PostgreSQL::Test::Utils;
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
	end_runner => sub { my $node = shift; signal(TERM => $node->runner_pid); $node->{runner_deaths}++; },
	freeze_runner => sub { my $node = shift; freeze($node->runner_pid); },
	kill_command => sub { my $node = shift; my $pid = pick($node->commands); signal(KILL => $pid); },
	freeze_command => sub { my $node = shift; freeze(pick($node->commands)); },
	hold_rows => \&hold_rows,
	lock_table => \&lock_table,
	fewer_places => sub { my $node = shift; $node->sql('ALTER SYSTEM SET josch.max_running = ' . pick(1, 2, 20)); $node->reload; },
	fewer_sql_places => sub { my $node = shift; $node->sql('ALTER SYSTEM SET josch.max_sql_workers = ' . pick(1, 4)); $node->reload; },
	move_spool => \&move_spool,
	remove_socket => sub { remove_of_spool(shift, 'runner.sock'); },
	remove_lock => sub { remove_of_spool(shift, 'runner.lock'); },
	remove_journal => sub { my $node = shift; remove_of_spool($node, 'journal'); },
	remove_journal_end => sub { my $node = shift; remove_of_spool($node, 'journal.end'); },
	remove_logs => sub { my $node = shift; remove_tree(spool($node) . '/log'); },
	template_copy => \&template_copy,
	dump_elsewhere => \&dump_elsewhere,
	copy_beside => \&copy_beside,
	put_back => \&put_back,
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

# ---- what is removed, and where the spool is ----

# The spool in use, which is the former one until no run is open.
sub spool
{
	my ($node) = @_;
	return $node->{spool} = $node->sql('SHOW josch.spool_directory');
}

sub remove_of_spool
{
	my ($node, $name) = @_;
	unlink spool($node) . "/$name";
	return;
}

sub move_spool
{
	my ($node) = @_;
	spool($node);
	$node->sql('ALTER SYSTEM SET josch.spool_directory = ' . literal(pick(@{ $node->{spools} })));
	$node->reload;
	return;
}

# ---- copies: none may fire ----

# A complaint when some command was started, or some SQL done, by the copy: the effects tell where they were done, and
# runs of commands that are on no record of the original are found in the marks.
sub judge_copy
{
	my ($node, $copy, $database, $what) = @_;
	my $seen = q{SELECT NOT armed FROM josch.armed()};
	eventually("the $what knows what it is", sub { (eval { $copy->sql($seen, $database) } // '') eq 't' });
	eval { $copy->sql('SELECT josch.wake()', $database) };
	sleep 0.5;	# for what is wrong to happen
	my $place = literal($copy->port . " $database");
	my $n = $copy->sql("SELECT count(*) FROM public.effects WHERE place = $place", $database);
	push @{ $node->{complaints} }, "a $what has fired $n times" if $n;
	$node->{copies}++;
	return;
}

sub template_copy
{
	my ($node) = @_;
	my $made;
	foreach (1 .. 5)
	{
		last if $made = eval { $node->sql('CREATE DATABASE copy TEMPLATE postgres', 'template1'); 1 };
	}
	return if !$made;
	judge_copy($node, $node, 'copy', 'database made from a template');
	$node->sql('DROP DATABASE copy WITH (FORCE)', 'template1');
	return;
}

sub dump_elsewhere
{
	my ($node) = @_;
	my $dump = $node->basedir . '/dump.sql';
	PostgreSQL::Test::Utils::run_log([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, 'postgres' ]) or return;
	$node->sql('CREATE DATABASE restored', 'template1');
	PostgreSQL::Test::Utils::run_log([ 'psql', '-Xq', '-h', $node->host, '-p', $node->port, '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'restored' ])
		or push @{ $node->{complaints} }, 'a dump cannot be restored';
	judge_copy($node, $node, 'restored', 'restored dump');
	$node->sql('DROP DATABASE restored WITH (FORCE)', 'template1');
	return;
}

# A copy of the data directory that is started beside the original.
sub copy_beside
{
	my ($node) = @_;
	my $number = ++$node->{clones};
	$node->backup("clone$number");
	my $copy = JoschNode->from_backup('c' . $number, $node, "clone$number");
	$copy->start;
	judge_copy($node, $copy, 'postgres', 'data directory started beside the original');
	$copy->stop('immediate');
	remove_tree($copy->data_dir, $node->backup_dir . "/clone$number");
	return;
}

# ---- the data is put back in its place, while the runner lives ----

sub started { my ($node) = @_; return scalar grep { /^start/ } split /\n/, $node->file('marks') // ''; }

sub put_back
{
	my ($node) = @_;
	my $saved = $node->basedir . '/saved';
	$node->stop;
	remove_tree($saved);
	system_or_bail('cp', '-a', $node->data_dir, $saved);
	$node->start;
	my $before = started($node);
	foreach (1 .. 40)
	{
		act($node, $node->{plan});
		sleep 0.02;	# the day goes on, and is lost
	}
	$node->stop('fast');
	my $done = started($node);
	system_or_bail('find', $node->data_dir, '-mindepth', '1', '-delete');
	system_or_bail('cp', '-a', "$saved/.", $node->data_dir);
	$node->start;
	my $taken_back = q{SELECT up FROM josch.health() WHERE component = 'runner'};
	eventually('it has spoken with its runner', sub { (eval { $node->sql($taken_back) } // '') eq 't' });
	sleep 0.5;	# for what is wrong to happen
	my %known = map { $_ => 1 } split /\n/, $node->sql(q{SELECT run_id || '-' || lpad(to_hex(nonce), 16, '0') FROM josch.runs});
	foreach my $mark (map { (split / /)[1] } grep { /^start/ } split /\n/, $node->file('marks') // '')
	{
		$node->{lost}{$mark} = 1 if !$known{$mark};
	}
	my $now = started($node);
	push @{ $node->{complaints} }, 'after the data was put back ' . ($now - $done) . ' commands were started again by themselves'
		if $now > $done && $done > $before;
	eval { $node->sql(q{SELECT josch.arm('chaos: it was looked at') FROM josch.armed() WHERE NOT armed}) };
	$node->{runner_deaths}++;	# what is not known any more may be said to be unknown
	$node->{put_back}++;
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
