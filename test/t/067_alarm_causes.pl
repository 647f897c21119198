# test/t/067_alarm_causes.pl
#
# Each cause of an alarm that is not a deadline, in a scheduler that lives: raised when it is so, or has been so for long
# enough, once, with its words; and gone by itself with the cause.
use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use JoschNode qw($DATE eventually literal);

my $node = JoschNode->create('causes', conf => "josch.max_running = 4\njosch.calendar_warning = 30");
my $clock = 0;

# The scheduler's clock, so many minutes after six on that day, where it stands.
sub move_to
{
	my ($minute) = @_;
	$clock = $minute;
	$node->sql("ALTER SYSTEM SET josch.now = '$DATE " . sprintf('%02d:%02d', 6 + $minute / 60, $minute % 60) . ":00+00'");
	$node->sql('SELECT pg_reload_conf()');
	return;
}

sub raised
{
	my ($kind, $words, $where) = @_;
	my $came = $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM josch.alarms WHERE kind = '$kind' AND cleared_at IS NULL AND message ~ " . literal($words)
			. ($where ? " AND $where" : ''));
	ok($came, "$kind: it is raised") or diag $node->sql("SELECT kind, node_id, message, cleared_at FROM josch.alarms") . "\n" . $node->sql("SELECT component, up, detail FROM josch.health()");
	return;
}

sub cleared
{
	my ($kind, $where) = @_;
	$node->wait_until("$kind: it is gone", "SELECT count(*) > 0 AND count(cleared_at) = count(*) AND bool_and(cleared_at >= raised_at) FROM josch.alarms WHERE kind = '$kind'"
			. ($where ? " AND $where" : ''));
	return;
}


sub count_of { return $node->sql("SELECT count(*) FROM josch.alarms WHERE kind = '$_[0]'") }

$node->sql("UPDATE josch.tpl_jobs SET time_zone = 'UTC'");
move_to(0);

subtest 'failed, unknown, attention' => sub {
	$node->add([ 1, 'N', 'exit 3' ], [ 2, 'R', 'exit 0' ], [ 3, 'S', undef ],
		[ 4, 'N', undef, exec_sql => 'SELECT pg_sleep(600) AS amid', exec_sql_atomic => 'false' ]);
	$node->schedule;
	raised('failed', '^"node 1" of job "test" failed: exit code 3$', 'node_id = 1');
	raised('attention', '^"node 2" of job "test" waits for a review$', 'node_id = 2');
	raised('attention', '^"node 3" of job "test" waits for its sign-off$', 'node_id = 3');
	$node->wait_until('it runs', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND query LIKE '%AS amid%'});
	is(count_of('unknown'), 0, 'nothing is unknown yet');
	$node->sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND query LIKE '%AS amid%'});
	raised('unknown', '^how "node 4" of job "test" ended is not known', 'node_id = 4');
	is($node->sql("SELECT count(*) FROM josch.alarms a JOIN josch.nodes n USING (node_id, job_date) WHERE a.due_at = n.state_since"), 4, 'each of the moment of its state');
	move_to($clock + 1);
	$node->act('retry', 1);
	$node->wait_until('failed once more is another', "SELECT count(*) = 2 AND count(cleared_at) = 1 FROM josch.alarms WHERE kind = 'failed'");
	$node->act('skip', 1);
	$node->act('approve', 2);
	$node->act('signoff', 3);
	$node->act('mark_success', 4);
	cleared($_) foreach 'failed', 'attention', 'unknown';
};

subtest 'never_fits, as josch.why() says it, until the capacity is another' => sub {
	$node->sql("INSERT INTO josch.semaphores (semaphore_name, capacity) VALUES ('tape', 2), ('closed', 0)");
	$node->job('large');
	$node->add([ 10, 'N', 'true' ], [ 11, 'N', 'true' ], [ 12, 'N', 'true' ], [ 13, 'N', undef, exec_sql => 'SELECT 1', priority => 3 ], [ 14, 'N', 'true' ]);
	$node->sql("INSERT INTO josch.tpl_node_semaphores (node_id, semaphore_name, units) VALUES (10, 'tape', 3), (11, 'closed', 1), (12, 'tape', 2), (13, 'tape', 4), (14, 'closed', 2), (14, 'tape', 3)");
	$node->sql("SELECT josch.schedule('$DATE', 'large')");
	raised('never_fits', '^"node 10" of job "large" can never start: of semaphore "tape" it needs 3, and there are 2$', 'node_id = 10');
	raised('never_fits', 'it needs 4, and there are 2$', 'node_id = 13');
	$node->wait_for('succeeded', 12);
	$node->wait_until('and no other', <<"SQL");
SELECT count(*) = 5 AND bool_and((w.reason = 'never_fits') = EXISTS (SELECT FROM josch.alarms a WHERE a.kind = 'never_fits' AND a.node_id = n.node_id AND a.cleared_at IS NULL))
	AND count(*) FILTER (WHERE w.reason = 'never_fits') = 3
FROM josch.nodes n LEFT JOIN LATERAL josch.why(n.node_id, n.job_date) w ON w.depth = 0 WHERE n.job_name = 'large'
SQL
	$node->sql("UPDATE josch.semaphores SET capacity = capacity + 4");
	$node->wait_for('succeeded', 10 .. 14);
	cleared('never_fits');
	is(count_of('never_fits'), 3, 'once each');
};

subtest 'stuck: what it needs is held for a minute' => sub {
	$node->job('held');
	$node->add([ 20, 'S', undef ], [ 21, 'N', 'true' ], [ 22, 'N', 'while [ ! -e $WORK/22.end ]; do sleep 0.05; done' ]);
	$node->depend(20 => 21);
	$node->sql("SELECT josch.schedule('$DATE', 'held')");
	$node->wait_for('signoff', 20);
	$node->wait_for('running', 22);
	my $session = $node->background_psql('postgres');
	$session->query_safe('BEGIN; SELECT FROM josch.nodes WHERE node_id = 21 FOR UPDATE');
	$node->act('signoff', 20);
	$node->wait_until('it is set aside', "SELECT detail ~ 'set aside [1-9]' FROM josch.health() WHERE component = 'scheduler'");
	is(count_of('stuck'), 0, 'that is nobody\'s business yet');
	# since when it is so the scheduler notes after it has said that it is: the clock may have been moved before
	eventually('it is raised', sub { move_to($clock + 2) if !count_of('stuck'); return count_of('stuck') });
	raised('stuck', 'set aside what others hold: [1-9]');
	is($node->sql("SELECT raised_at - due_at >= interval '1 minute' FROM josch.alarms WHERE kind = 'stuck'"), 't', 'with the moment from which on it has been so');
	append_to_file("$node->{work}/22.end", '');
	$node->wait_for('succeeded', 22);
	like($node->sql("SELECT detail FROM josch.health() WHERE component = 'scheduler'"), qr/set aside [1-9]/, 'it is so still, whatever else ends');
	$session->query_safe('COMMIT');
	$session->quit;
	# who only held it wakes nobody: the next look is by the clock
	eventually('it has gone on', sub { move_to($clock + 1); return $node->node_is(21, 'state') eq 'succeeded' });
	cleared('stuck');
	is(count_of('stuck'), 1, 'once');
};

subtest 'shortage: what is due cannot be started for a minute' => sub {
	my $runner = $node->runner_pid;
	$node->job('short');
	$node->add([ 30, 'N', 'true' ]);
	kill STOP => $runner;
	$node->sql("SELECT josch.schedule('$DATE', 'short')");
	# silence, too, is measured by the clock, from when on the runner is to answer
	eventually('it waits', sub {
		my $waits = $node->sql("SELECT count(*) FROM josch.nodes WHERE node_id = 30 AND message LIKE 'waits: the runner does not answer%'");
		move_to($clock + 1) unless $waits;
		return $waits;
	});
	eventually('it is raised', sub { move_to($clock + 2) if !count_of('shortage'); return count_of('shortage') });
	raised('shortage', '^what is due cannot be started: the runner does not answer');
	is($node->sql("SELECT raised_at - due_at >= interval '1 minute' FROM josch.alarms WHERE kind = 'shortage'"), 't', 'when it has been so for a minute');
	kill CONT => $runner;
	$node->wait_for('succeeded', 30);
	cleared('shortage');
	is(count_of('shortage'), 1, 'once');
};

subtest 'days that did not make themselves' => sub {
	$node->sql("INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at, catch_up, days_after, valid_from) VALUES ('daily', 'UTC', '1:00', 'ask', '$DATE'::date - 3, '$DATE'::date - 2)");
	raised('missed_days', '^days of job "daily" did not make themselves, and wait for an answer: ', "job_name = 'daily'");
	is($node->sql("SELECT job_date - '$DATE'::date FROM josch.alarms WHERE kind = 'missed_days'"), $node->sql("SELECT max(job_date) - '$DATE'::date FROM josch.job_days WHERE job_name = 'daily' AND outcome = 'asked'"), 'to the last of them');
	$node->sql("SELECT josch.decline_missed('daily', comment => 'not these')");
	cleared('missed_days');
};

subtest 'what is known of a calendar ends' => sub {
	$node->sql("INSERT INTO josch.calendars (calendar_name, known_until) VALUES ('desk', '$DATE'::date + 20); UPDATE josch.tpl_jobs SET calendar_name = 'desk' WHERE job_name = 'short'");
	raised('calendar_ends', '^business calendar "desk" is known until ', "calendar_name = 'desk'");
	$node->sql("UPDATE josch.calendars SET known_until = '$DATE'::date + 400");
	cleared('calendar_ends');
};

is($node->sql('SELECT count(*) FROM josch.alarms WHERE cleared_at IS NULL'), 0, 'no cause is left, and no alarm');
$node->stop;
done_testing();
