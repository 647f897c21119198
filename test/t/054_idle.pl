# test/t/054_idle.pl
#
# Waiting costs nothing, and ends in time: launcher, scheduler and runner use no
# CPU while nothing is to be done, a due time wakes the scheduler, and work
# leaves neither memory nor descriptors behind.
#
# The one test that lets time pass: idleness cannot be seen otherwise.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use Time::HiRes qw(sleep time);
use JoschNode qw($DATE eventually lives);

my $IDLE_SECONDS = 61;
my $node = JoschNode->create('idle');

# user and system ticks, and context switches, of a process
sub effort
{
	my ($pid) = @_;
	my $stat = JoschRunner::slurp("/proc/$pid/stat") =~ s/.*\) //sr;
	my @fields = split ' ', $stat;
	my ($voluntary, $forced) = JoschRunner::slurp("/proc/$pid/status") =~ /ctxt_switches:\s+(\d+)/g;
	return { ticks => $fields[11] + $fields[12], switches => $voluntary + $forced };
}

sub processes
{
	return (
		launcher => $node->sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'josch launcher'"),
		scheduler => $node->scheduler_pid, runner => $node->runner_pid);
}

# Bytes in the scheduler's own contexts, from the server's log.
sub memory
{
	my ($pid) = @_;
	my $at = -s $node->logfile;
	$node->sql("SELECT pg_log_backend_memory_contexts($pid)");
	my $log;
	eventually('the memory is told', sub { ($log = substr slurp_file($node->logfile), $at) =~ /\[$pid\].*Grand total/ });
	my $used = 0;
	$used += $1 while $log =~ /level: \d+; josch [^:]*: .*?(\d+) used/g;
	return $used;
}

sub descriptors { my ($pid) = @_; return scalar(my @all = glob "/proc/$pid/fd/*"); }

subtest 'a due time' => sub {
	# as soon as a scheduler that was idle has been given the day
	foreach my $zone ('Asia/Kathmandu', 'America/New_York')
	{
		my $id = $zone =~ /Asia/ ? 1 : 2;
		my ($date, $time) = split /\|/, $node->sql("SELECT t::date, t::time FROM (SELECT (clock_timestamp() + '3 s') AT TIME ZONE '$zone' AS t) x");
		$node->job($zone);
		$node->sql("UPDATE josch.tpl_jobs SET time_zone = '$zone' WHERE job_name = '$zone'");
		$node->add([ $id, 'S', undef, signoff_time => $time ], [ $id + 20, 'N', 'true', start_time => $time ]);
		$node->sql("SELECT count(*) FROM josch.schedule('$date', '$zone')");
		$node->wait_until("$zone: is asked for", "SELECT state = 'signoff' FROM josch.nodes WHERE node_id = $id");
		# without a timer of its own it would be seen when the scheduler looks by itself, after josch.safety_interval: five minutes
		is($node->node_is($id, 'state_since >= due_at', $date), 't', 'when its time has come');
		$node->wait_until("$zone: has run", "SELECT state = 'succeeded' FROM josch.nodes WHERE node_id = $id + 20");
		is($node->node_is($id + 20, 'started_at >= due_at', $date), 't', 'a command too');
	}
};

subtest 'nothing is left behind' => sub {
	my $work = sub {
		my ($first) = @_;
		$node->job("work $first");
		$node->add(map { [ $_, 'N', 'head -c 6000 /dev/zero | tr "\\0" x; exit 1' ] } $first .. $first + 199);
		$node->schedule;
		return $node->wait_until('200 commands', "SELECT count(*) = 200 FROM josch.nodes WHERE node_id BETWEEN $first AND $first + 199 AND state = 'failed'");
	};
	$work->(1000);
	my %pid = processes();
	my $memory = memory($pid{scheduler});
	my %open = map { $_ => descriptors($pid{$_}) } keys %pid;
	$work->(2000);
	my $grown = memory($pid{scheduler}) - $memory;
	cmp_ok($memory, '>', 0, 'the memory is seen');
	cmp_ok($grown, '<', 500000, 'the scheduler keeps nothing of what 200 commands printed');
	# the server itself keeps files of tables open, a few more now and then
	cmp_ok(descriptors($pid{$_}), '<', $open{$_} + 20, "$_: no descriptor for each") foreach sort keys %pid;
};

# Beside nothing at all, and beside something that is due one day: in both there are no passes without end.
subtest 'nothing is due' => sub {
	my $passes = sub { $node->sql("SELECT substring(detail FROM 'passes (\\d+)') FROM josch.health() WHERE component = 'scheduler'") };
	my $before;
	eventually('the scheduler makes no passes', sub {
		$before = $passes->();
		sleep 0.5;	# to see that nothing happens meanwhile
		return $passes->() == $before;
	});
	pass('it rests');
};

subtest 'idle' => sub {
	$node->sql('CREATE DATABASE another');
	$node->job('idle');
	$node->sql("UPDATE josch.tpl_jobs SET time_zone = 'UTC' WHERE job_name = 'idle'");
	$node->add([ 11, 'L', 'sleep 1000', ready_after => '0' ], [ 12, 'N', 'sleep 1000', timeout => '1 hour' ], [ 13, 'S', undef, signoff_time => '00:00' ]);
	my $tomorrow = $node->sql("SELECT (josch.now() AT TIME ZONE 'UTC')::date + 2");
	$node->schedule($tomorrow);
	$node->wait_until('it runs', "SELECT state = 'up' FROM josch.nodes WHERE node_id = 11");
	$node->wait_until('and waits', "SELECT count(*) = 2 FROM josch.nodes WHERE node_id IN (12, 13) AND state IN ('running', 'ready')");
	$node->wait_until('all is told', "SELECT count(*) = 2 FROM josch.runs WHERE ended_at IS NULL AND status = 'running'");
	my %pid = processes();
	my %before;
	# what has just been done may still be under way
	eventually('all is quiet', sub {
		%before = map { $_ => effort($pid{$_}) } keys %pid;
		sleep 1;	# to see that nothing happens meanwhile
		return !grep { effort($pid{$_})->{switches} != $before{$_}{switches} } keys %pid;
	});
	sleep $IDLE_SECONDS;	# to see that nothing happens meanwhile
	foreach my $name (sort keys %pid)
	{
		my $after = effort($pid{$name});
		# a tick that was nearly full becomes so by a single wake
		cmp_ok($after->{ticks} - $before{$name}{ticks}, '<=', 1, "$name: no CPU in $IDLE_SECONDS s");
		cmp_ok($after->{switches} - $before{$name}{switches}, '<=', 3, "$name: it does not wake");
	}
	is_deeply({ processes() }, \%pid, 'they are the same processes');
};

# Nothing else wakes it now, before josch.safety_interval is over.
subtest 'an extension that goes with its schema' => sub {
	$node->sql('DROP SCHEMA josch CASCADE');
	$node->wait_until('the scheduler hears of it, and leaves', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'josch scheduler')");
};

done_testing();
