# test/t/059_taken_back.pl
#
# A data directory that is put back to an earlier moment in its own place, while
# the runner lives: it is no copy, and yet what was done since could be done again.
# Numbers of runs are not given twice, no node gets another's outcome, what would
# start by itself is held back until a person lets it go, and what the lost time has
# left running is told of.  The files are written over, the control file is the same:
# it is the runner that knows (by the files: 059_put_back_whole).
use strict;
use warnings;
use Test::More;
use File::Temp;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $spool = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/spool';
my $node = JoschNode->create('taken_back', spool => $spool, conf => 'max_prepared_transactions = 2');
my $saved = $node->basedir . '/saved';

$node->add([ 1, 'N', 'echo $RUN_ID $$ >> $WORK/1; while [ ! -e $WORK/1.end ]; do sleep 0.05; done' ], [ 2, 'N', 'echo I am Y; exit 3' ],
	[ 3, 'N', 'echo $RUN_ID >> $WORK/3' ], [ 4, 'S', undef ], [ 5, 'S', undef, signoff_time => '23:00' ], [ 6, 'N', undef, exec_sql => 'SELECT 1' ]);
$node->depend(4 => 3, 4 => 6);
$node->sql("BEGIN; SET LOCAL josch.now = '2024-03-01 08:00'; SELECT josch.schedule('$DATE'); SELECT josch.hold(1, '$DATE'), josch.hold(2, '$DATE'); COMMIT");
$node->sql("UPDATE josch.nodes SET state = 'held' WHERE node_id = 5") if $node->node_is(5, 'state') eq 'pending';
$node->wait_for('signoff', 4);
$node->wait_until('the sign-off has its alarm', "SELECT count(*) = 1 FROM josch.alarms WHERE kind = 'attention' AND node_id = 4");
save();
$node->act('release', 1);
eventually('X runs', sub { ($node->file('1') // '') =~ /\n/ });
my ($x, $pid) = split ' ', $node->file('1');
$node->act('signoff', 4);
$node->wait_for('succeeded', 3, 6);
$node->wait_until('which is cleared', "SELECT count(cleared_at) = 1 FROM josch.alarms WHERE kind = 'attention' AND node_id = 4");
my $last = $node->sql("SELECT max(run_id) FROM josch.runs WHERE kind = 'command'");
put_back();

subtest 'what would start by itself is held back' => sub {
	$node->wait_until('two are held back', "SELECT count(*) = 2 FROM josch.nodes WHERE node_id IN (3, 6) AND state = 'held'");
	like($node->node_is(3, 'message'), qr/^the data was taken back to an earlier moment in place: run 0 is the last here, and run $last had been started$/, 'with the reason');
	is($node->node_is(4, 'state'), 'signoff', 'what waits for a person waits on');
	is($node->node_is(1, 'message'), 'held back by ' . $node->sql('SELECT session_user'), 'what a person has held is held by him');
	is($node->sql('SELECT armed, held FROM josch.armed()'), 'f|2', 'josch.armed() says so');
	$node->wait_until('an alarm, too', "SELECT count(*) = 1 FROM josch.alarms WHERE kind = 'disarmed' AND cleared_at IS NULL AND message ~ '^2 nodes are held back, because the data was taken back'");
	is($node->sql("SELECT count(*) FROM josch.alarms WHERE kind = 'attention' AND node_id = 4 AND cleared_at IS NULL"), 1, 'and what was open then is open, once');
	like($node->sql("SELECT up, detail FROM josch.health() WHERE component = 'armed'"), qr/^f\|Disarmed: 2 nodes are held back, because the data was taken back/, 'josch.health() too');
	like(slurp_file($node->logfile), qr/WARNING: .*taken back to an earlier moment in place.*\n.*2 nodes that could have started/, 'and the log');
	is($node->sql("SELECT session_name IS NOT NULL, new_values ->> 'last_run' FROM josch.installation_audit"), "t|$last", 'it is on record');
	ok(lives($pid), 'X lives');
	is($node->sql('SELECT run_id, pid FROM josch.strays()'), "$x|$pid", 'as a stray');
	like($node->sql("SELECT up, detail FROM josch.health() WHERE component = 'strays'"), qr/^f\|1 command lives, which the runner has for nobody/, 'which josch.health() shows');
};

subtest 'what people schedule or release runs, as itself' => sub {
	$node->job('after');
	$node->add([ 11, 'N', 'echo $RUN_ID > $WORK/11' ]);
	$node->schedule;
	$node->wait_for('succeeded', 11);
	cmp_ok($node->run_is(11, 'run_id'), '>', $last, 'its number is a new one');
	$node->act('release', 2);
	$node->wait_for('failed', 2);
	is($node->run_is(2, 'exit_code || output_tail'), "3I am Y\n", 'Y has its own end');
	$node->act('release', 3);
	is($node->node_is(3, 'state'), 'pending', 'one that is released waits for its parents');
	is($node->sql('SELECT held FROM josch.armed()'), 1, 'one is left');
};

subtest 'another start of the server holds back nothing more' => sub {
	$node->restart;
	$node->wait_until('the scheduler has what the runner has', "SELECT up FROM josch.health() WHERE component = 'runner'");
	$node->act('signoff', 4);
	$node->wait_for('succeeded', 3);
	is(scalar(split /\n/, $node->file('3')), 2, 'what a person let go has run once more');
	is($node->node_is(6, 'state'), 'held', 'the other is held still');
};

subtest 'all are released by arming' => sub {
	my $token = $node->sql('SELECT token FROM josch.installation');
	is($node->sql("SELECT josch.arm('all was looked at')"), 1, 'one was left');
	$node->wait_for('succeeded', 6);
	is($node->sql('SELECT armed, held FROM josch.armed()'), 't|0', 'armed');
	$node->wait_until('the alarm is gone', "SELECT count(cleared_at) = 1 AND count(*) = 1 FROM josch.alarms WHERE kind = 'disarmed'");
	is($node->sql("SELECT action || ' ' || comment FROM josch.nodes WHERE node_id = 6"), 'release all was looked at', 'as an act');
	is($node->sql('SELECT token FROM josch.installation'), $token, 'it is the same installation');
	ok(lives($pid), 'X lives');
};

subtest 'the last is released by itself' => sub {
	$node->job('later');
	$node->add([ 21, 'N', 'exit 0' ], [ 22, 'S', undef ], [ 23, 'N', 'exit 0' ]);
	$node->depend(22 => 23);
	$node->schedule;
	$node->wait_for('signoff', 22);
	save();
	$node->job('lost');
	$node->add([ 31, 'N', 'exit 0' ]);
	$node->schedule;
	$node->wait_for('succeeded', 31);
	put_back();
	$node->wait_for('held', 23);
	$node->act('release', 23);
	$node->wait_until('then it is armed', 'SELECT armed AND i.disarmed IS NULL FROM josch.armed(), josch.installation i');
};

# Whoever cannot be held back at once must not make the others start: nothing begins before all are.
subtest 'what somebody has locked at that moment' => sub {
	$node->sql('ALTER SYSTEM SET josch.scheduler = off');
	$node->reload;
	$node->wait_until('nothing is started', "SELECT detail LIKE '%josch.scheduler is off%' FROM josch.health() WHERE component = 'scheduler'");
	$node->job('locked');
	$node->add([ 41, 'N', undef, exec_sql => 'SELECT 1' ], [ 42, 'S', undef ], [ 43, 'N', undef ], [ 44, 'N', 'exit 0' ]);
	$node->depend(42 => 43);
	$node->schedule;
	$node->wait_for('ready', 41, 44);
	$node->sql("BEGIN; SELECT FROM josch.nodes WHERE node_id = 43 FOR UPDATE; PREPARE TRANSACTION 'locked'");
	save();
	$node->sql('ALTER SYSTEM RESET josch.scheduler');
	$node->reload;
	$node->wait_for('succeeded', 41, 44);
	put_back(sub { unlink $node->data_dir . '/postgresql.auto.conf' });
	eventually('the scheduler looks again and again', sub {
		$node->sql("SELECT coalesce(substring(detail FROM 'passes (\\d+)')::int, 0) FROM josch.health() WHERE component = 'scheduler'") > 8 });
	is($node->sql('SELECT string_agg(state, $$ $$ ORDER BY node_id) FROM josch.nodes WHERE node_id IN (41, 43, 44)'), 'ready pending ready', 'and nothing begins');
	is($node->sql('SELECT armed FROM josch.armed()'), 't', 'nor is anything said to be held back');
	$node->sql(q{COMMIT PREPARED 'locked'});
	$node->wait_for('held', 41, 43, 44);
	is($node->sql('SELECT armed, held FROM josch.armed()'), 'f|4', 'when it is free, all are, with what had waited before');
	is($node->sql('SELECT count(*) FROM josch.runs WHERE node_id IN (41, 44)'), 0, 'what the lost time had done was not done again');
};

# What runs on has its own end; what would follow of it by itself is for a person to say.
subtest 'what ran on is not tried again by itself' => sub {
	$node->sql(q{SELECT josch.arm('on with it')});
	$node->job('again');
	$node->add([ 51, 'N', 'echo $ATTEMPT >> $WORK/51; while [ ! -e $WORK/51.end ]; do sleep 0.05; done; exit 9', retries => 5, retry_delay => '0' ], [ 52, 'N', undef ]);
	$node->depend(51 => 52);
	$node->schedule;
	$node->wait_until('it runs', "SELECT status = 'running' FROM josch.runs WHERE node_id = 51");
	save();
	$node->job('lost again');
	$node->add([ 61, 'N', 'exit 0' ]);
	$node->schedule;
	$node->wait_for('succeeded', 61);
	put_back();
	$node->wait_for('held', 52);
	append_to_file("$node->{work}/51.end", '');
	$node->wait_for('failed', 51);
	is($node->node_is(51, 'message'), 'exit code 9 (attempt 1 of 1)', 'its true end');
	is($node->file('51'), "1\n", 'and no other attempt');
	$node->act('release', 52);
	$node->sql("UPDATE josch.nodes SET retries = 1 WHERE node_id = 51");
	$node->act('retry', 51);
	$node->wait_until('a person gives it as many as ever', "SELECT state = 'failed' AND attempt = 3 FROM josch.nodes WHERE node_id = 51");
};

# Nothing that was there waits for anything; but the day that made itself in the lost time would make itself again.
subtest 'days that made themselves in the lost time' => sub {
	$node->sql("SELECT josch.arm('all was looked at')");
	$node->act('signoff', $_) foreach 22, 42;
	$node->act('skip', 51);
	$node->wait_for('succeeded', 23, 41, 43, 44, 52);
	$node->sql('ALTER SYSTEM SET josch.scheduler = off');
	$node->reload;
	$node->wait_until('nothing is made', "SELECT detail LIKE '%josch.scheduler is off%' FROM josch.health() WHERE component = 'scheduler'");
	$node->job('daily');
	$node->add([ 71, 'N', 'echo $DATE >> $WORK/71' ]);
	$node->sql("UPDATE josch.tpl_jobs SET schedule_at = '0:00', days_after = josch.today('UTC') - 2, time_zone = 'UTC', valid_from = josch.today('UTC') - 1, valid_to = josch.today('UTC') WHERE job_name = 'daily'");
	save();
	$node->sql('ALTER SYSTEM RESET josch.scheduler');
	$node->reload;
	$node->wait_until('two days', "SELECT count(*) = 2 FROM josch.nodes WHERE node_id = 71 AND state = 'succeeded'");
	put_back(sub { unlink $node->data_dir . '/postgresql.auto.conf' });
	$node->wait_until('somebody is asked', "SELECT count(*) = 2 FROM josch.job_days WHERE job_name = 'daily' AND outcome = 'asked'");
	is($node->sql('SELECT armed, held FROM josch.armed()'), 't|0', 'nothing is held back');
	is($node->sql("SELECT count(*) FROM josch.jobs WHERE job_name = 'daily'"), 0, 'none is made');
	is(scalar(split /\n/, $node->file('71')), 2, 'nothing has run again');
};

append_to_file("$node->{work}/1.end", '');
done_testing();

# The data directory as it is, and back to that: the folder stays, its files come anew.
sub save
{
	$node->stop;
	system_or_bail('rm', '-rf', $saved);
	system_or_bail('cp', '-a', $node->data_dir, $saved);
	$node->start;
	return;
}

sub put_back
{
	my ($then) = @_;
	$node->stop;
	system_or_bail('find', $node->data_dir, '-mindepth', '1', '!', '-name', 'global', '!', '-name', 'pg_control', '-delete');
	system_or_bail('cp', '-a', "$saved/.", $node->data_dir);
	$then->() if $then;
	$node->start;
	return;
}
