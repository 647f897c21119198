# test/t/067_alarms.pl
#
# Alarms of a scheduler that lives: raised when their time comes though nothing happens, once each whatever dies in
# between; told to hooks, commands and SQL, that fail and are tried again, and never in the way of the day.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE eventually);

my $node = JoschNode->create('alarms', conf => "josch.max_running = 1");

# The scheduler's clock; it goes on from there.
sub move_to
{
	my ($moment) = @_;
	$node->sql("ALTER SYSTEM SET josch.now = '$moment'");
	return $node->sql('SELECT pg_reload_conf()');
}

sub open_alarms
{
	return $node->sql("SELECT string_agg(kind || ' ' || node_id, ', ' ORDER BY due_at, kind, node_id) FROM josch.alarms WHERE cleared_at IS NULL");
}

# what a hook has written down
sub told
{
	my ($name) = @_;
	my $path = "$node->{work}/$name";
	return '' unless -e $path;
	open my $file, '<', $path or die $!;
	local $/ = undef;
	return <$file>;
}

$node->sql("UPDATE josch.tpl_jobs SET time_zone = 'UTC'");
move_to("$DATE 05:00:00+00");
$node->add([ 1, 'N', 'while [ ! -e $WORK/1.end ]; do sleep 0.05; done', finish_by => '06:00', max_duration => '30 minutes' ],
	[ 2, 'N', 'true', start_by => '06:00' ], [ 3, 'N', 'true', start_by => '04:00', start_time => '23:00' ],
	[ 4, 'N', 'exit 3', start_time => '23:00' ]);
$node->depend(1 => 2);

subtest 'raised when the time comes, though nothing happens' => sub {
	$node->schedule;
	$node->wait_until('what is late at once', "SELECT count(*) = 1 FROM josch.alarms WHERE kind = 'late_start' AND node_id = 3");
	$node->wait_for('running', 1);
	move_to("$DATE 06:00:00+00");
	$node->wait_until('all three', 'SELECT count(*) = 4 FROM josch.alarms');
	is(open_alarms(), 'late_start 3, too_long 1, late_end 1, late_start 2', 'too long, late, and what never started');
};

subtest 'once each, whatever dies in between' => sub {
	$node->stop('immediate');
	$node->start;
	$node->wait_until('a pass', "SELECT up AND detail !~ 'no pass' FROM josch.health() WHERE component = 'scheduler'");
	move_to("$DATE 06:30:00+00");
	$node->wait_until('another look', "SELECT detail ~ '^open 4, of these not acknowledged 4' FROM josch.health() WHERE component = 'alarms'");
	is($node->sql('SELECT count(*) FROM josch.alarms'), 4, 'none was raised again');
	move_to("$DATE 05:30:00+00");
	$node->wait_until('the clock is back', "SELECT detail ~ '05:30' FROM josch.health() WHERE component = 'scheduler'");
	move_to("$DATE 06:30:00+00");
	$node->wait_until('and forth', "SELECT detail ~ '06:30' FROM josch.health() WHERE component = 'scheduler'");
	is($node->sql('SELECT count(*) FROM josch.alarms'), 4, 'nor when the clock was set back');
};

subtest 'cleared when the node has ended, with its time' => sub {
	open my $file, '>', "$node->{work}/1.end" or die $!;
	close $file;
	$node->wait_for('succeeded', 1, 2);
	$node->wait_until('cleared', "SELECT count(*) = 3 FROM josch.alarms WHERE cleared_at IS NOT NULL");
	is(open_alarms(), 'late_start 3', 'but for what has not started');
	is($node->sql("SELECT count(*) FROM josch.alarms a JOIN josch.nodes n USING (node_id, job_date) WHERE kind IN ('late_end', 'too_long') AND a.cleared_at = n.ended_at"), 2, 'to the moment');
};

subtest 'an alarm that somebody holds is cleared when he has done' => sub {
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; SELECT FROM josch.alarms WHERE node_id = 3 FOR UPDATE");
	$node->sql("SELECT josch.skip(3, '$DATE')");
	$node->wait_for('skipped', 3);
	is(open_alarms(), 'late_start 3', 'open as long as it is held');
	$session->query_safe('COMMIT');
	$session->quit;
	$node->wait_until('cleared', "SELECT count(*) = 0 FROM josch.alarms WHERE cleared_at IS NULL");
};

subtest 'told to hooks' => sub {
	$node->sql(<<'SQL');
CREATE TABLE public.told (alarm_id text, kind text, who name);
GRANT ALL ON public.told TO public;
CREATE ROLE teller LOGIN;
INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_command) VALUES ('file', '{failed}', 'echo "$ALARM_KIND $NODE_ID $NODE_NAME of $JOB_NAME $DATE: $ALARM_MESSAGE (attempt $ATTEMPT)" >> $WORK/told');
INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_sql, owner) VALUES ('table', '{failed}',
	'INSERT INTO public.told VALUES (current_setting(''josch_run.ALARM_ID''), current_setting(''josch_run.ALARM_KIND''), session_user)', 'teller');
INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_sql) VALUES ('fails', '{failed}', 'SELECT 1 / 0');
INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_command, retries) VALUES ('never', '{failed}', 'echo why it does not; exit 4', 0);
INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_command, timeout) VALUES ('hangs', '{failed}', 'exec sleep 1000', '1 second');
INSERT INTO josch.alarm_hooks (hook_name, job_pattern, exec_command) VALUES ('others', 'of another%', 'echo other >> $WORK/told');
INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_command, enabled) VALUES ('off', '{failed}', 'echo off >> $WORK/told', false);
SQL
	$node->sql("SELECT josch.force_start(4, '$DATE')");
	$node->wait_for('failed', 4);
	$node->wait_until('told', "SELECT count(*) = 2 FROM josch.alarm_deliveries WHERE state = 'delivered'");
	is(told('told'), "failed 4 node 4 of test $DATE: \"node 4\" of job \"test\" failed: exit code 3 (attempt 1)\n", 'a command has the alarm in its environment');
	is($node->sql('SELECT kind, who, (SELECT alarm_id FROM josch.alarms WHERE kind = told.kind) = alarm_id::bigint FROM public.told'), 'failed|teller|t', 'SQL runs as its owner');
	$node->wait_until('each tried', "SELECT count(*) = 3 FROM josch.alarm_deliveries WHERE message IS NOT NULL");
	is($node->sql("SELECT hook_name, state, attempt, exit_code, message, output_tail FROM josch.alarm_deliveries WHERE message IS NOT NULL ORDER BY 1"),
		"fails|waiting|1||division by zero|ERROR:  division by zero\n\nhangs|waiting|1||it took longer than its timeout|\nnever|failed|1|4|exit code 4|why it does not\n",
		'what failed, how, and what it has said');
	like($node->sql("SELECT up, detail FROM josch.health() WHERE component = 'alarms'"), qr/^f\|open 1, .*hooks that fail: 3, the first, "fails": division by zero/, 'health has it');
	is($node->sql('SELECT count(*) FROM josch.alarms WHERE kind <> \'failed\' AND cleared_at IS NULL'), 0, 'and no alarm is about it');
};

subtest 'tried again, later each time' => sub {
	my $first = $node->sql("SELECT extract(epoch FROM not_before - ended_at) FROM josch.alarm_deliveries WHERE hook_name = 'fails'");
	is($first + 0, 60, 'after a minute');
	$node->sql("UPDATE josch.alarm_hooks SET exec_sql = 'INSERT INTO public.told VALUES (''mended'')' WHERE hook_name = 'fails'");
	$node->sql("DELETE FROM josch.alarm_hooks WHERE hook_name = 'hangs'");
	move_to("$DATE 06:40:00+00");
	$node->wait_until('delivered', "SELECT state = 'delivered' AND attempt = 2 AND message IS NULL FROM josch.alarm_deliveries WHERE hook_name = 'fails'");
	is($node->sql("SELECT count(*) FROM public.told WHERE alarm_id = 'mended'"), 1, 'what is mended does it');
};

subtest 'a hook that goes on, and the day that does not wait for it' => sub {
	$node->sql("INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_command, timeout) VALUES ('slow', '{attention}', 'echo \$ALARM_ID >> \$WORK/slow; while [ ! -e \$WORK/slow.end ]; do sleep 0.05; done', '1 hour')");
	$node->job('other');
	$node->add((map { [ $_, "S", undef ] } 10 .. 13), [ 14, 'N', 'true' ], [ 15, 'N', undef, exec_sql => 'SELECT 1' ]);
	$node->sql("SELECT josch.schedule('$DATE', 'other')");
	$node->wait_for('succeeded', 14, 15);
	$node->wait_until('two at a time', "SELECT count(*) FILTER (WHERE state = 'running') = 2 AND count(*) FILTER (WHERE state = 'waiting') = 2 FROM josch.alarm_deliveries WHERE hook_name = 'slow'");
	is($node->sql('SELECT count(*) FROM josch.strays()'), 0, 'they are not nobody\'s');
	$node->stop('immediate');
	$node->start;
	open my $file, '>', "$node->{work}/slow.end" or die $!;
	close $file;
	$node->wait_until('all told', "SELECT count(*) FILTER (WHERE state = 'delivered') = 4 FROM josch.alarm_deliveries WHERE hook_name = 'slow'");
	my %told = map { $_ => 1 } split /\n/, told('slow');
	is(scalar keys %told, 4, 'each at least once, also those that the server has left behind');
	is($node->sql("SELECT max(attempt) FROM josch.alarm_deliveries WHERE hook_name = 'slow'"), 1, 'and not twice, where the runner knows how they ended');
};

subtest 'one that hangs comes last' => sub {
	$node->sql("UPDATE josch.alarm_hooks SET enabled = false; INSERT INTO josch.alarm_hooks (hook_name, kinds, exec_sql, timeout) VALUES
		('a hangs', '{attention}', 'SELECT pg_sleep(1000)', '1 second'), ('b does not', '{attention}', 'SELECT 1', '1 minute')");
	$node->job('five');
	$node->add(map { [ $_, 'S', undef ] } 30 .. 34);
	$node->sql("SELECT josch.schedule('$DATE', 'five')");
	$node->wait_until('all told', "SELECT count(*) = 5 FROM josch.alarm_deliveries WHERE hook_name = 'b does not' AND state = 'delivered'");
	is($node->sql("SELECT count(*) FROM josch.alarm_deliveries WHERE hook_name = 'b does not' AND run_id > (SELECT run_id FROM josch.alarm_deliveries
		WHERE hook_name = 'a hangs' AND run_id IS NOT NULL ORDER BY run_id OFFSET 1 LIMIT 1)"), '0', 'it has kept them waiting once at most');
	$node->sql("DELETE FROM josch.alarm_hooks WHERE kinds = '{attention}' AND exec_sql IS NOT NULL; UPDATE josch.alarm_hooks SET enabled = true WHERE hook_name <> 'off'");
};

subtest 'thousands that are raised keep no other waiting' => sub {
	$node->sql("UPDATE josch.alarm_hooks SET enabled = false; INSERT INTO josch.semaphores VALUES ('few', 1)");
	$node->job('never');
	$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) SELECT 100000 + i, 'N', 'never', i::text, 'true' FROM generate_series(1, 20000) i;
		INSERT INTO josch.tpl_node_semaphores SELECT 100000 + i, 'few', 2 FROM generate_series(1, 20000) i");
	$node->job('asks');
	$node->add([ 40, 'S', undef ]);
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; SELECT josch.schedule('$DATE', 'asks')");
	$node->sql("SELECT josch.schedule('$DATE', 'never')");
	$node->wait_until('the first are raised', "SELECT EXISTS (SELECT FROM josch.alarms WHERE kind = 'never_fits')");
	$session->query_safe('COMMIT');
	$node->wait_until('all are', "SELECT count(*) = 20001 FROM josch.alarms WHERE kind = 'never_fits' OR node_id = 40");
	is($node->sql("SELECT alarm_id < (SELECT max(alarm_id) FROM josch.alarms WHERE kind = 'never_fits') FROM josch.alarms WHERE node_id = 40"), 't',
		'what came meanwhile has not waited for all of them');
	$session->quit;
	$node->sql("UPDATE josch.semaphores SET capacity = 2 WHERE semaphore_name = 'few'; SELECT josch.pause('never');
		UPDATE josch.alarm_hooks SET enabled = true WHERE hook_name <> 'off'");
};

subtest 'a runner that dies' => sub {
	unlink "$node->{work}/slow.end" or die $!;
	$node->sql("INSERT INTO josch.tpl_jobs (job_name) VALUES ('third'); INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name) VALUES (20, 'S', 'third', 's')");
	$node->sql("SELECT josch.schedule('$DATE', 'third')");
	$node->wait_until('running', "SELECT count(*) = 1 FROM josch.alarm_deliveries WHERE hook_name = 'slow' AND state = 'running'");
	kill 'KILL', $node->sql("SELECT pid FROM josch.health() WHERE component = 'runner'");
	open my $file, '>', "$node->{work}/slow.end" or die $!;
	close $file;
	$node->wait_until('it is missed', "SELECT NOT up FROM josch.health() WHERE component = 'runner'");
	move_to("$DATE 06:50:00+00");
	$node->wait_until('nobody knows how it ended', "SELECT state = 'waiting' FROM josch.alarm_deliveries WHERE hook_name = 'slow' AND message IS NOT NULL");
	move_to("$DATE 07:00:00+00");
	$node->wait_until('told', "SELECT count(*) = 5 FROM josch.alarm_deliveries WHERE hook_name = 'slow' AND state = 'delivered'");
	is($node->sql("SELECT attempt FROM josch.alarm_deliveries WHERE hook_name = 'slow' ORDER BY delivery_id DESC LIMIT 1"), 2, 'at the second attempt');
};

subtest 'who may write a hook' => sub {
	$node->sql('CREATE ROLE author LOGIN IN ROLE josch_author; CREATE ROLE operator LOGIN IN ROLE josch_operator');
	my $try = sub {
		my ($role, $query) = @_;
		my (undef, undef, $error) = $node->psql('postgres', "SET SESSION AUTHORIZATION $role; $query");
		return $error;
	};
	like($try->('author', "INSERT INTO josch.alarm_hooks (hook_name, exec_command) VALUES ('a', 'id')"), qr/permission denied to set "exec_command" of hook "a"/, 'a command needs the right to commands');
	like($try->('author', "UPDATE josch.alarm_hooks SET exec_command = 'id' WHERE hook_name = 'file'"), qr/permission denied to set "exec_command" of hook "file"/, 'also to change it');
	like($try->('author', "INSERT INTO josch.alarm_hooks (hook_name, exec_sql, owner) VALUES ('a', 'SELECT 1', 'postgres')"), qr/permission denied|does not exist/, 'as nobody else');
	like($try->('author', "UPDATE josch.alarm_hooks SET exec_sql = 'SELECT 2' WHERE hook_name = 'table'"), qr/permission denied to write hook "table" with the owner "teller"/, 'nor in the name of another');
	is($try->('author', "INSERT INTO josch.alarm_hooks (hook_name, exec_sql) VALUES ('a', 'SELECT 1'); DELETE FROM josch.alarm_hooks WHERE hook_name = 'a'"), '', 'his own SQL he may');
	like($try->('operator', "INSERT INTO josch.alarm_hooks (hook_name, exec_sql) VALUES ('a', 'SELECT 1')"), qr/permission denied for table alarm_hooks/, 'an operator none');
	like($try->('operator', "UPDATE josch.alarm_deliveries SET state = 'waiting'"), qr/permission denied for table alarm_deliveries/, 'nor what was told');
};

$node->stop;
done_testing();
