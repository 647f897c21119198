# test/t/049_retries.pl
#
# Retries by the whole chain: commands that end in every way there is, next attempts that wait
# through restarts, SQL, services, runs that nobody saw end, and what people do meanwhile.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('retries', conf => 'josch.max_running = 6');
my $work = $node->{work};

# The clock of the server stands still from now on, until it is moved again.
sub move_clock
{
	my ($at) = @_;
	$node->sql("ALTER SYSTEM SET josch.now = '$at'");
	$node->reload;
	return;
}

sub runs_of
{
	my ($id) = @_;
	return $node->sql("SELECT string_agg(attempt || ' ' || status || coalesce(' ' || exit_code, ''), ', ' ORDER BY attempt) FROM josch.runs WHERE node_id = $id");
}

# What the shell says without JOSCH, and what must become of the node then: of the codes 0 and 10 to 19 are success, 75 to 99 and
# those above 199 worth another attempt; of another job only signals are.
sub expected
{
	my ($command, $on_signal) = @_;
	local $SIG{PIPE} = 'DEFAULT';		# as commands have it, and not as whoever runs this test
	my $status = system '/bin/sh', '-c', "$command 2>/dev/null";
	my ($signal, $code) = ($status & 127, $status >> 8);
	my $said = system('/bin/bash', '-c', q(/bin/sh -c "$1" 2>/dev/null; exit $?), 'bash', "$command") >> 8;
	die "bash says $said of: $command\n" if $said != ($signal ? 128 + $signal : $code);
	return $on_signal ? "failed 2 / $signal" : "failed 1 / $signal" if $signal;
	return "succeeded 1 $code /" if $code == 0 || !$on_signal && $code >= 10 && $code <= 19;
	return "failed 2 $code /" if !$on_signal && ($code >= 75 && $code <= 99 || $code >= 200);
	return "failed 1 $code /";
}

subtest 'codes and signals' => sub {
	# those from 19 to 22 stop a process, and end nothing; 32 and 33 are the C library's own
	my %signal = map { $_ => "kill -$_ \$\$; exit 7" } 1 .. 18, 23 .. 31, 34 .. 64;
	my %expected = map { $_ => expected("exit $_", 0) } 0 .. 255;
	$expected{ 1000 + $_ } = expected($signal{$_}, 1) foreach keys %signal;
	$node->job('codes');
	$node->add(map { [ $_, 'N', "exit $_", success_codes => '{[0,0],[10,19]}', retry_codes => '{[75,99],[200,255]}', retries => 1, retry_delay => '0' ] } 1 .. 255);
	$node->add([ 256, 'N', 'exit 0', retries => 1 ]);
	$node->job('signals');
	$node->add(map { [ 1000 + $_, 'N', $signal{$_}, retry_on => '{signal}', retries => 1, retry_delay => '0' ] } keys %signal);
	$node->schedule;
	$expected{256} = delete $expected{0};
	$node->wait_until('all have ended', "SELECT count(*) = 314 FROM josch.nodes WHERE state IN ('succeeded', 'failed')");
	my %is = map { split / /, $_, 2 } split /\n/, $node->sql("SELECT format('%s %s %s %s/%s', n.node_id, n.state, n.attempt, r.exit_code || ' ', ' ' || r.exit_signal)
		FROM josch.nodes n JOIN josch.runs r USING (run_id)");
	is_deeply(\%is, \%expected, 'each has ended as it must');
	is($node->sql("SELECT count(*) FROM josch.runs r JOIN josch.nodes n USING (node_id, job_date) WHERE r.attempt < n.attempt
		AND (r.status, r.message) IS DISTINCT FROM ('failed', split_part(n.message, ' (attempt', 1))"), '0', 'a former attempt ended as the last one did');
	is($node->node_is(75, 'message'), 'exit code 75 (attempt 2 of 2)', 'that the retries are used up is told');
	is($node->node_is(5, 'message'), 'exit code 5; not tried again: retry_codes does not name this code', 'and why there was none');
	$node->sql("SELECT josch.act('skip', array_agg(node_id), '{$DATE}') FROM josch.nodes WHERE state = 'failed'");
};

subtest 'it waits for its next attempt' => sub {
	move_clock('2031-01-01 07:02+00');
	$node->job('waits');
	$node->sql(q{UPDATE josch.tpl_jobs SET time_zone = 'Europe/Zurich' WHERE job_name = 'waits'});
	my @again = (retries => 3, retry_delay => '10 min', retry_backoff => 2);
	$node->add(
		[ 2001, 'N', 'echo $ATTEMPT >> $WORK/2001; test -e $WORK/2001.good || exit 9', @again ],
		[ 2002, 'N', undef ],
		[ 2003, 'N', 'echo $ATTEMPT >> $WORK/2003; exit 9', @again ],
		[ 2004, 'N', 'echo $ATTEMPT >> $WORK/2004; exit 9', @again ],
		map { [ $_, 'N', 'test -e $WORK/go || exit 9', @again ] } 2011 .. 2016);
	$node->depend(2001 => 2002);
	$node->schedule;
	$node->wait_for('ready', 2001, 2003, 2004, 2011 .. 2016);
	$node->wait_until('its first attempt is over', "SELECT count(*) = 9 FROM josch.nodes WHERE not_before > josch.now() AND job_name = 'waits'");
	is($node->node_is(2001, q{not_before BETWEEN '2031-01-01 07:12+00' AND '2031-01-01 07:13+00'}), 't', 'the delay, and a tenth at most');
	like($node->node_is(2001, 'message'), qr/^attempt 2 of 4 at 08:1[23]; before: exit code 9$/, 'told in the zone of the job');
	is($node->node_is(2001, 'retried || $$ $$ || attempt'), '1 1', 'one of its retries is used');
	is($node->node_is(2002, 'state'), 'pending', 'its child waits');
	$node->job('place');
	$node->add([ 2020, 'N', 'true' ]);
	$node->schedule;
	$node->wait_for('succeeded', 2020);		# more wait than there are places

	$node->crash($node->scheduler_pid);
	$node->restart;
	move_clock('2031-01-01 07:11:59+00');
	$node->job('looked');
	$node->add([ 2021, 'N', undef ]);
	$node->schedule;
	$node->wait_for('succeeded', 2021);
	is($node->node_is(2001, 'attempt'), '1', 'neither a restart nor time before it makes an attempt');
	append_to_file("$work/2001.good", '');
	append_to_file("$work/go", '');
	move_clock('2031-01-01 07:13:01+00');
	$node->wait_for('succeeded', 2001, 2002, 2011 .. 2016);
	is(runs_of(2001), '1 failed 9, 2 succeeded 0', 'the second attempt');
	is($node->node_is(2001, "not_before IS NULL AND retried = 1 AND message IS NULL"), 't', 'and nothing waits any more');
	is($node->sql("SELECT string_agg(sentence, E'\\n') FROM josch.history(2001, '$DATE') WHERE sentence ~ 'again|failed'")
		=~ s/run \d+/run/r =~ s/after [\d.]+ s/after a while/r =~ s/08:1\d/08:1x/r, "run failed with exit code 9 after a while\nto be tried again: attempt 2 of 4 at 08:1x; before: exit code 9", 'the history');

	# the second delay is twice as long; a person need not wait, and gives as many retries as ever
	$node->wait_until('the others have failed again', "SELECT count(*) = 2 FROM josch.nodes WHERE node_id IN (2003, 2004) AND state = 'ready' AND attempt = 2 AND not_before > '2031-01-01 07:33+00'");
	$node->act('force_start', 2003);
	$node->wait_until('it was started at once', "SELECT state = 'ready' AND attempt = 3 AND retried = 1 FROM josch.nodes WHERE node_id = 2003");
	like($node->node_is(2003, 'message'), qr/^attempt 4 of 6 at 08:2[34]; before: exit code 9$/, 'with a fresh budget; attempts go on counting');
	move_clock('2031-01-01 09:00+00');
	$node->wait_until('its last retry', "SELECT attempt = 4 FROM josch.nodes WHERE node_id = 2003");
	move_clock('2031-01-01 12:00+00');
	$node->wait_for('failed', 2004);
	is($node->node_is(2004, 'message || $$ $$ || retried'), 'exit code 9 (attempt 4 of 4) 3', 'the budget is used up');
	$node->act('retry', 2004);
	$node->wait_until('a retry of a person starts at once', "SELECT state = 'ready' AND attempt = 5 AND retried = 1 FROM josch.nodes WHERE node_id = 2004");
	$node->act('hold', 2004);
	move_clock('2031-01-01 15:00+00');
	$node->wait_until('time has passed', "SELECT attempt >= 5 FROM josch.nodes WHERE node_id = 2003");
	is($node->node_is(2004, 'state || $$ $$ || attempt'), 'held 5', 'what is held is not tried');
	$node->act('release', 2004);
	$node->wait_until('released it goes on', "SELECT attempt = 6 AND retried = 2 FROM josch.nodes WHERE node_id = 2004 AND state = 'ready'");
	$node->act('skip', $_) foreach 2003, 2004;
	$node->sql('ALTER SYSTEM RESET josch.now');
	$node->reload;
};

subtest 'stopped, timed out, mended while it runs' => sub {
	my @again = (retries => 2, retry_delay => '0');
	$node->job('ends');
	$node->add(
		[ 3001, 'N', 'echo $ATTEMPT >> $WORK/3001; exec sleep 1000', @again, retry_on => '{exit,signal,timeout,start}' ],
		[ 3002, 'N', q(trap 'exit 0' TERM; echo $ATTEMPT >> $WORK/3002; while :; do sleep 0.05; done), @again, timeout => '200 ms', retry_on => '{timeout}' ],
		[ 3003, 'N', 'exec sleep 1000', @again, timeout => '200 ms', retry_on => '{exit,signal}' ],
		[ 3004, 'N', '/no/such/program', @again, retry_on => '{start}' ],
		[ 3005, 'N', '/no/such/program', @again ],
		[ 3006, 'N', 'echo $ATTEMPT >> $WORK/3006; while [ ! -e $WORK/3006.end ]; do sleep 0.05; done; exit 4' ],
		[ 3007, 'R', 'test $ATTEMPT = 2 || exit 4', @again ]);
	$node->schedule;
	eventually('both run', sub { ($node->file('3001') // '') eq "1\n" && ($node->file('3006') // '') eq "1\n" });
	$node->act('stop', 3001);
	$node->sql("UPDATE josch.nodes SET success_codes = '{[4,4]}' WHERE node_id = 3006");
	append_to_file("$work/3006.end", '');
	$node->wait_for('failed', 3001 .. 3005);
	$node->wait_for('succeeded', 3006);
	$node->wait_for('review', 3007);
	is($node->node_is(3001, 'attempt'), '1', 'what a person has stopped is not tried again');
	is($node->file('3002'), "1\n2\n3\n", 'a time-out is, whatever the code then');
	is($node->node_is(3003, 'attempt'), '1', 'but only where that is asked for');
	is($node->node_is(3004, 'attempt') . $node->node_is(3005, 'attempt'), '31', 'so is what could not be executed');
	is($node->run_is(3006, "status || ' ' || exit_code"), 'succeeded 4', 'what is mended while it runs counts at its end');
	is(runs_of(3007), '1 failed 4, 2 succeeded 0', 'a review is asked for when it is good');
	$node->act('skip', $_) foreach 3001 .. 3005, 3007;
};

subtest 'a service' => sub {
	$node->job('service');
	$node->add(
		[ 4001, 'L', 'echo $ATTEMPT $$ >> $WORK/4001; exec sleep 1000', ready_after => '0', retries => 5, retry_delay => '0', retry_on => '{signal}' ],
		[ 4002, 'N', 'true' ], [ 4003, 'S', undef ], [ 4004, 'N', 'true' ]);
	$node->depend(4001 => 4002, 4001 => 4004, 4003 => 4004);
	$node->schedule;
	$node->wait_for('up', 4001);
	$node->wait_for('succeeded', 4002);
	my ($pid) = $node->file('4001') =~ /^1 (\d+)$/m;
	kill 'KILL', $pid;
	$node->wait_until('it is up again', "SELECT state = 'up' AND attempt = 2 FROM josch.nodes WHERE node_id = 4001");
	is($node->node_is(4002, 'state'), 'succeeded', 'what had been released stays done');
	$node->act('signoff', 4003);
	$node->wait_for('succeeded', 4004);
	$node->act('stop', 4001);
	$node->wait_for('succeeded', 4001);
	is($node->node_is(4001, 'attempt'), '2', 'stopped on purpose it stays so');
};

subtest 'SQL' => sub {
	$node->sql('CREATE SEQUENCE tries');
	my $until = sub {
		my ($code, $n) = @_;
		return "DO \$\$ BEGIN IF nextval('tries') % 1000 < $n THEN RAISE EXCEPTION 'not yet' USING ERRCODE = '$code'; END IF; END \$\$";
	};
	$node->job('sql');
	$node->add([ 5001, 'N', undef, exec_sql => $until->('P0001', 3), retries => 5, retry_delay => '0', retry_on => '{sqlstate:P0001}' ]);
	$node->schedule;
	$node->wait_for('succeeded', 5001);
	is($node->sql("SELECT string_agg(concat_ws(' ', attempt, status, sqlstate, message), ', ' ORDER BY attempt) FROM josch.runs WHERE node_id = 5001")
		=~ s/not yet.*?,/not yet,/gsr, '1 failed P0001 not yet, 2 failed P0001 not yet, 3 succeeded', 'each attempt has its SQLSTATE');
	$node->job('sql that fails');
	$node->add(
		[ 5002, 'N', undef, exec_sql => 'SELECT 1 / 0', retries => 5, retry_delay => '0' ],
		[ 5003, 'N', undef, exec_sql => 'SELECT pg_sleep(1000)', retries => 1, retry_delay => '0', retry_on => '{timeout}', timeout => '100 ms' ],
		[ 5004, 'N', undef, exec_sql => q{DO $$ BEGIN RAISE SQLSTATE '40001'; END $$}, exec_sql_atomic => 'false', retries => 1, retry_delay => '0' ]);
	$node->schedule;
	$node->wait_for('failed', 5002 .. 5004);
	is($node->node_is(5002, 'attempt || $$ $$ || message'), '1 division by zero; not tried again: retry_on has no "sqlstate:22012"', 'an error that is not named');
	is($node->node_is(5003, 'attempt'), '2', 'its own time-out');
	is($node->node_is(5004, 'attempt'), '2', 'class 40 is meant where nothing is named');
	is($node->sql('SELECT count(*) FROM josch.sql_ends'), '0', 'no end is left');
	$node->act('skip', $_) foreach 5002 .. 5004;
};

subtest 'nobody saw it end' => sub {
	my $once = 'echo $ATTEMPT $$ >> $WORK/$NODE_ID; test $ATTEMPT -gt 1 || exec sleep 1000';
	$node->job('unseen');
	$node->add(
		[ 6001, 'N', $once, retries => 1, retry_delay => '0', repeatable => 'true' ],
		[ 6002, 'N', $once, retries => 1, retry_delay => '0' ],
		[ 6003, 'N', $once, repeatable => 'true' ]);
	$node->schedule;
	my @pids = map { my $id = $_; eventually("$id runs", sub { ($node->file($id) // '') =~ /^1 \d+\n/ }); $node->file($id) =~ /^1 (\d+)/ } 6001 .. 6003;
	$node->wait_until('all have started', "SELECT count(*) = 3 FROM josch.runs WHERE status = 'running'");
	$node->stop('immediate');
	$node->kill_runner;
	kill 'KILL', @pids;
	eventually('they have ended', sub { !grep { lives($_) } @pids });
	$node->start;
	$node->wait_for('unknown', 6002, 6003);
	$node->wait_for('succeeded', 6001);
	is(runs_of(6001), '1 unknown, 2 succeeded 0', 'what does no harm is run again');
	like($node->node_is(6002, 'message'), qr/; not tried again: it is not repeatable$/, 'a person is asked of all others');
	$node->act('skip', $_) foreach 6002, 6003;
};

$node->wait_for_rest;
$node->stop;
done_testing();
