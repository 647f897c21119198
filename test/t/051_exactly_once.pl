# test/t/051_exactly_once.pl
#
# Each command starts exactly once and its true exit code is found, whichever
# process dies in the middle. Each appends its number to a marker file: what is
# in the file is what really happened.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('once', conf => "josch.max_running = 8");
my $work = $node->{work};

sub markers { return scalar split /\n/, $node->file('marker') // ''; }

# Nodes $first .. $last: every fifth fails with 7, the others are short chains.
sub add_nodes
{
	my ($first, $last) = @_;
	my (@nodes, @pairs);
	foreach my $id ($first .. $last)
	{
		my $sleep = sprintf '%.2f', rand 0.5;
		push @nodes, [ $id, 'N', "echo \$NODE_ID >> \$WORK/marker; sleep $sleep; exit " . ($id % 5 ? 0 : 7) ];
		push @pairs, $id => $id + 1 if $id % 5 && ($id + 1) % 5 && $id < $last;
	}
	$node->add(@nodes);
	return $node->depend(@pairs);
}

# All of them are done, once, with their true exit code.
sub check_nodes
{
	my ($first, $last) = @_;
	$node->wait_for_rest;
	my %count;
	$count{$_}++ foreach split /\n/, $node->file('marker');
	is_deeply({ map { $_ => $count{$_} // 0 } $first .. $last }, { map { $_ => 1 } $first .. $last }, 'each command ran exactly once');
	is($node->sql("SELECT count(*) FILTER (WHERE n.state = 'succeeded' AND r.exit_code = 0 AND n.node_id % 5 <> 0),"
			. " count(*) FILTER (WHERE n.state = 'failed' AND r.exit_code = 7 AND n.node_id % 5 = 0), count(*)"
			. " FROM josch.nodes n JOIN josch.runs r USING (node_id, job_date) WHERE n.node_id BETWEEN $first AND $last"),
		join('|', scalar(grep({ $_ % 5 } $first .. $last)), scalar(grep({ $_ % 5 == 0 } $first .. $last)), $last - $first + 1),
		'the true exit code of each')
		or diag $node->sql("SELECT node_id, state, message FROM josch.nodes WHERE node_id BETWEEN $first AND $last ORDER BY 1");
	return;
}

sub stop_immediate { $node->stop('immediate'); $node->start; return; }
sub crash_scheduler { $node->crash($node->scheduler_pid); return; }
sub kill_server { $node->kill_postmaster; $node->start; return; }

subtest 'servers die in the middle' => sub {
	add_nodes(1, 80);
	$node->schedule;
	my %way = (stop_immediate => \&stop_immediate, crash_scheduler => \&crash_scheduler, kill_server => \&kill_server);
	my $at = 0;
	foreach my $name (sort(keys %way), sort(keys %way))
	{
		$at += 10;
		eventually("$at commands have started", sub { markers() >= $at });
		my $open = $node->sql('SELECT count(*) FROM josch.runs WHERE ended_at IS NULL');
		$way{$name}->();
		pass("$name at " . markers() . " commands, $open open");
	}
	check_nodes(1, 80);
};

# The environment is larger than what a socket takes, so that some of the
# commands are with the runner, some under way, and some in the scheduler alone.
sub stop_between
{
	my ($first, $last, $after) = @_;
	my $runner = $node->runner_pid;
	$node->job("between $first");
	add_nodes($first, $last);
	kill 'STOP', $runner;
	$node->schedule;
	$node->wait_until('the intents are committed',
		"SELECT count(*) = 8 FROM josch.runs WHERE status = 'starting' AND node_id BETWEEN $first AND $last");
	$node->stop('immediate');
	is(scalar(grep { $_ >= $first } split /\n/, $node->file('marker')), 0, 'nothing of it has started');
	kill 'CONT', $runner unless $after;
	$node->start;
	if ($after)
	{
		$node->wait_until('the new scheduler is there', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch scheduler'");
		kill 'CONT', $runner;
	}
	return check_nodes($first, $last);
}

subtest 'the server dies between intent and start' => sub {
	$node->sql("INSERT INTO josch.environs VALUES ('LARGE', repeat('x', 100000))");
	stop_between(101, 120, 0);
};

subtest 'and its successor asks before the runner has read' => sub {
	stop_between(201, 220, 1);
	$node->sql("DELETE FROM josch.environs WHERE var = 'LARGE'");
};

subtest 'commits that the server does not wait for' => sub {
	$node->append_conf('postgresql.conf', "synchronous_commit = off\nwal_writer_delay = 10s");
	$node->restart;
	$node->job('async');
	add_nodes(301, 320);
	$node->sql("SET synchronous_commit = on; SELECT count(*) FROM josch.schedule('$DATE')");
	my $before = markers();
	eventually('some have started', sub { markers() >= $before + 3 });
	stop_immediate();
	check_nodes(301, 320);
};

done_testing();
