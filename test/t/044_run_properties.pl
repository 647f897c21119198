# test/t/044_run_properties.pl
#
# What decides how a run is handled is the run's own: whatever of its node is edited while it runs, through crashes
# and when it has to be sent or begun once more, concerns the next run only.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('properties');
my $work = $node->{work};
my $gate;
my $RUNS = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND state = 'active' AND query LIKE};

$node->sql('CREATE TABLE mark (what text); CREATE ROLE etl LOGIN; CREATE ROLE other LOGIN; GRANT ALL ON mark TO etl, other');

sub marks { my ($what) = @_; return $node->sql("SELECT count(*) FROM mark WHERE what = '$what'"); }
# The gate stays closed until the server is down.
sub crash { $node->stop('immediate'); eval { $gate->quit }; $node->start; return; }
sub edit { my ($id, $what) = @_; return $node->sql("UPDATE josch.nodes SET $what WHERE node_id = $id AND job_date = '$DATE'"); }

# A node that waits until the test lets go an advisory lock; 0 in the end, unless it is stopped.
sub waiting_sql { my ($what) = @_; return "INSERT INTO mark VALUES ('$what'); SELECT 'waits $what' AS so, pg_advisory_lock_shared(1)"; }
$gate = $node->background_psql('postgres');
$gate->query_safe('SELECT pg_advisory_lock(1)');

subtest 'SQL that is edited to be atomic' => sub {
	$node->job('not atomic');
	$node->add([ 1, 'N', undef, exec_sql => waiting_sql('one'), exec_sql_atomic => 'false', owner => 'etl' ]);
	$node->schedule;
	$node->wait_until('it runs', "$RUNS '%waits one%'");
	edit(1, 'exec_sql_atomic = true');
	crash();
	$node->wait_for('unknown', 1);
	is(marks('one'), 1, 'nothing is committed twice');
};

subtest 'SQL that is edited altogether is begun once more as what it was' => sub {
	$gate = $node->background_psql('postgres');
	$gate->query_safe('SELECT pg_advisory_lock(1)');
	$node->job('atomic');
	$node->add([ 2, 'N', undef, exec_sql => waiting_sql('two'), owner => 'etl' ]);
	$node->schedule;
	$node->wait_until('it runs', "$RUNS '%waits two%'");
	edit(2, q{exec_sql_atomic = false, exec_sql = 'INSERT INTO mark VALUES (''edited'')', owner = 'other', timeout = '1 us'});
	crash();
	$node->wait_for('succeeded', 2);
	is(marks('two') . marks('edited'), '10', 'the text that was ordered, once');
	is($node->run_is(2, "owner::text || ' ' || exec_sql_atomic || ' ' || (timeout IS NULL)"), 'etl true true', 'and the row of the run says so');
};

subtest 'the time-out that was in force' => sub {
	$gate = $node->background_psql('postgres');
	$gate->query_safe('SELECT pg_advisory_lock(1)');
	$node->job('time-outs');
	$node->add([ 3, 'N', undef, exec_sql => waiting_sql('three'), timeout => '2 s' ], [ 4, 'N', undef, exec_sql => waiting_sql('four') ]);
	$node->schedule;
	$node->wait_until('both run', "$RUNS '%waits three%'");
	$node->wait_until('and the other', "$RUNS '%waits four%'");
	edit(3, 'timeout = NULL');
	edit(4, q{timeout = '1 us'});
	$node->wait_for('failed', 3);
	like($node->node_is(3, 'message'), qr/^timed out/, 'ends the run, also when it was taken away meanwhile');
	is($node->node_is(4, 'state'), 'running', 'and one that is new does not');
	$gate->quit;
	$node->wait_for('succeeded', 4);
};

subtest 'the grace of a stop' => sub {
	$node->job('grace');
	$node->add([ 5, 'N', q(trap '' TERM; echo here >$WORK/five; while :; do sleep 1; done), stop_grace => '0' ]);
	$node->schedule;
	eventually('it runs', sub { defined $node->file('five') });
	edit(5, q{stop_grace = '1 hour'});
	$node->act(stop => 5);
	$node->wait_for('failed', 5);
	like($node->node_is(5, 'message'), qr/signal 9/, 'is that of the start');
};

subtest 'the grace of a time-out' => sub {
	$node->job('clean');
	$node->add([ 8, 'N', q(trap 'sleep 2; echo clean >>$WORK/eight; exit 1' TERM; while :; do sleep 0.05; done), timeout => '500 ms', stop_grace => '1 hour' ]);
	$node->schedule;
	$node->wait_for('failed', 8);
	is($node->file('eight'), "clean\n", 'is not as long as the time-out was');
};

subtest 'what a former run came to' => sub {
	$node->job('once more');
	$node->add([ 9, 'N', q([ $ATTEMPT -gt 1 ] || exit 3; while [ ! -e $WORK/nine.end ]; do sleep 0.05; done) ]);
	$node->schedule;
	$node->wait_for('failed', 9);
	$node->act(retry => 9);
	$node->wait_until('it runs', "SELECT status = 'running' FROM josch.runs WHERE node_id = 9 AND attempt = 2");
	is($node->node_is(9, 'message, ended_at'), '|', 'is not said of the one that runs');
	append_to_file("$work/nine.end", '');
	$node->wait_for('succeeded', 9);
};

# The runner answers while the scheduler stands still: both are read at once.
subtest 'a start and an end that are heard together' => sub {
	my $runner = $node->runner_pid;
	kill 'STOP', $runner;
	$node->job('at once');
	$node->add([ 10, 'N', 'echo here >>$WORK/ten' ]);
	$node->schedule;
	$node->wait_until('it is ordered', "SELECT status = 'starting' FROM josch.runs WHERE node_id = 10");
	my ($run, $server, $token) = split /\|/, $node->run_is(10, "run_id, server, lpad(to_hex(token), 16, '0')");
	my $database = $node->sql(q{SELECT oid FROM pg_database WHERE datname = current_database()});
	my $scheduler = $node->scheduler_pid;
	kill 'STOP', $scheduler;
	kill 'CONT', $runner;
	my $listener = JoschRunner->connect($node->{spool}, identity => $server, database => $database, token => $token);
	eventually('it has ended', sub { ($listener->list->{$run}{state} // 0) == JoschRunner::STATE_EXITED });
	kill 'CONT', $scheduler;
	$node->wait_for('succeeded', 10);
	is($node->run_is(10, 'pid IS NOT NULL AND started_at <= ended_at'), 't', 'come in their order');
	is($node->sql("SELECT count(*) FROM josch.runs_audit WHERE run_id = $run AND operation = 'UPDATE'"), 1, 'as one change on record');
};

subtest 'a command that has to be sent once more is the one that was ordered' => sub {
	my $runner = $node->runner_pid;
	kill 'STOP', $runner;
	$node->job('sent again');
	$node->add([ 6, 'L', q(echo "$PWD" >>$WORK/six; exec sleep 600), work_dir => '/usr', ready_command => 'true', stop_grace => '0' ]);
	$node->schedule;
	$node->wait_until('it is ordered', "SELECT status = 'starting' FROM josch.runs WHERE node_id = 6");
	edit(6, q{exec_command = 'echo edited >>$WORK/six', ready_command = 'false', work_dir = '/'});
	kill 'KILL', $runner;
	$node->wait_for('up', 6);
	is($node->file('six'), "/usr\n", 'in its directory, with its ready command');
	$node->act(stop => 6);
	$node->wait_for('succeeded', 6);
};

done_testing();
