# test/t/050_commands.pl
#
# Commands run by the whole chain, scheduler to runner and back: what they are
# given, how they end, what is kept of them, and what people do about them.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JSON::PP;
use JoschNode qw($DATE eventually lives literal);

my $node = JoschNode->create('commands');
my $work = $node->{work};
my $bad = "a 'quoted' \"value\" with \$(touch $work/pwned) `touch $work/pwned` \$HOME ; rm -rf \\ *\n second line\n\n";

sub wait_file
{
	my ($name) = @_;
	eventually("$name is written", sub { ($node->file($name) // '') =~ /\n\z/ });
	return $node->file($name);
}

subtest 'how a command ends' => sub {
	$node->add(
		[ 1, 'N', 'exit 0' ],
		[ 2, 'N', 'echo to stdout; exit 3' ],
		[ 3, 'N', 'no-such-program' ],
		[ 4, 'N', 'kill -SEGV $$' ],
		[ 5, 'N', '/no/such/program' ],
		[ 6, 'N', undef ],
		[ 7, 'N', '/bin/true' ],
		[ 8, 'N', 'true', work_dir => '/no/such/folder' ]);
	$node->depend(2 => 7);
	$node->schedule;
	$node->wait_for('succeeded', 1, 6);
	$node->wait_for('failed', 2, 3, 4, 5, 8);
	is($node->sql("SELECT string_agg(format('%s %s %s %s', node_id, status, exit_code, exit_signal), E'\\n' ORDER BY node_id) FROM josch.runs"),
		"1 succeeded 0 \n2 failed 3 \n3 failed 127 \n4 failed  11\n5 failed  \n8 failed  ", 'exit codes and signals');
	is($node->sql("SELECT string_agg(node_id::text, ' ' ORDER BY node_id) FROM josch.runs WHERE pid IS NULL OR started_at IS NULL"), '5 8',
		'whatever started has its process and its time on record, however soon it ended');
	is($node->sql("SELECT string_agg(message, E'\\n' ORDER BY node_id) FROM josch.nodes WHERE node_id IN (2, 3, 4)"),
		"exit code 3\nexit code 127\nsignal 11 (Segmentation fault)", 'the board says so');
	like($node->node_is(5, 'message'), qr{^could not be started: .*/no/such/program.*No such file}, 'why it could not be started');
	like($node->node_is(8, 'message'), qr{^could not be started: .*/no/such/folder}, 'nor without its folder');
	is($node->node_is(7, 'state'), 'pending', 'a child of a failed node waits');
	is($node->sql("SELECT string_agg(node_id::text, ' ' ORDER BY node_id) FROM josch.attention"), '2 3 4 5 8', 'they wait for a person');
	$node->act('skip', $_) foreach 2 .. 5, 8;
	$node->wait_for('succeeded', 7);
};

subtest 'variables that do not exist' => sub {
	$node->job('variables');
	$node->add(
		[ 191, 'N', 'echo $NOPE ${NOR_THIS} ${DATE} > $WORK/191.txt' ],
		[ 192, 'L', 'sleep 600', ready_command => 'test -n "$NOPE"' ],
		[ 193, 'N', 'for i in 1 2; do j=$i; done; echo "$j ${NOPE:-none} $RANDOM" $(echo $DATE | awk \'{print $1}\') > $WORK/193.txt' ]);
	$node->schedule;
	$node->wait_for('failed', 191, 192);
	$node->wait_for('succeeded', 193);
	is($node->node_is(191, 'message'), 'could not be started: its command uses variables that do not exist: "NOPE", "NOR_THIS"', 'they are named');
	is($node->node_is(192, 'message'), 'could not be started: its command uses variables that do not exist: "NOPE"', 'those of the ready command too');
	ok(!-e "$work/191.txt", 'nothing was executed');
	like($node->file('193.txt'), qr/^2 none \d* *2024-03-01$/, 'what the command sets itself is no reason');
	$node->act('retry', 191);
	$node->wait_for('failed', 191);
	$node->sql(q{UPDATE josch.jobs SET environ = environ || '{"NOPE": "", "NOR_THIS": "x"}'});
	$node->act('retry', 191);
	$node->wait_for('succeeded', 191);
	is($node->file('191.txt'), "x 2024-03-01\n", 'an empty one exists');
	$node->act('skip', 192);
};

# What a command says of itself when it has been told to end says nothing of its work.
subtest 'an exit of 0 that was not its own' => sub {
	my $polite = q(trap 'exit 0' TERM; echo on > $WORK/$NODE_ID.on; while :; do sleep 0.05; done);
	$node->job('polite');
	$node->add(
		[ 9, 'N', $polite, timeout => '1 s', stop_grace => '1 h' ],
		[ 10, 'N', undef ],
		[ 15, 'L', $polite, timeout => '1 s', stop_grace => '1 h' ],
		[ 16, 'R', $polite, timeout => '1 s', stop_grace => '1 h' ],
		[ 17, 'N', $polite, stop_grace => '1 h' ],
		[ 18, 'R', $polite, stop_grace => '1 h' ]);
	$node->depend(9 => 10, 17 => 10);
	$node->schedule;
	$node->wait_for('failed', 9, 15, 16);
	wait_file("$_.on"), $node->act('stop', $_) foreach 17, 18;
	$node->wait_for('failed', 17, 18);
	like($node->node_is($_, 'message'), qr/^stopped by \S+: exit code 0$/, 'nor when a person has stopped it') foreach 17, 18;
	is($node->run_is($_, "format('%s %s', status, exit_code)"), 'failed 0', "node $_ has failed, whatever it says") foreach 9, 15, 16;
	is($node->node_is($_, 'message'), 'timed out: exit code 0', 'and why') foreach 9, 15, 16;
	is($node->node_is(10, 'state'), 'pending', 'its child waits');
	$node->act('skip', $_) foreach 9, 15 .. 18;
	$node->wait_for('succeeded', 10);
};

subtest 'what a command is given' => sub {
	my $show = 'umask > $WORK/$NODE_ID.umask; pwd > $WORK/$NODE_ID.cwd; env -0 > $WORK/$NODE_ID.env; cat > $WORK/$NODE_ID.in; echo done > $WORK/$NODE_ID.done';
	my $job = "it's a \"job\" \$(touch $work/pwned)";
	$node->sql('INSERT INTO josch.environs VALUES (' . join('), (',
		"'BAD', " . literal($bad), "'EMPTY', ''", "'UNICODE', 'Zürich ☃'") . ')');
	$node->job($job);
	$node->add(
		[ 11, 'N', $show, node_name => "node's \"name\" \$(touch $work/pwned)" ],
		[ 12, 'N', $show, work_dir => '/usr' ],
		[ 13, 'S', undef ],
		[ 14, 'N', $show ]);
	$node->depend(13 => 14);
	$node->sql("INSERT INTO josch.jobs (job_name, job_date, time_zone) VALUES (" . JoschNode::literal($job) . ", '2024-02-28', 'UTC')");
	$node->schedule;
	$node->wait_for('succeeded', 11, 12);
	is($node->file('11.cwd'), "$work\n", 'josch.work_directory is where it runs');
	is($node->file('12.cwd'), "/usr\n", 'or its own folder');
	is($node->file('11.in'), '', 'nothing is to be read');
	is($node->file('11.umask'), "0022\n", 'the umask is that of a login, not that of the server');
	my %env = map { split /=/, $_, 2 } split /\0/, $node->file('11.env');
	is($env{BAD}, $bad, 'a value arrives byte for byte');
	is($env{EMPTY}, '', 'an empty one too');
	is($env{UNICODE}, 'Zürich ☃', 'and one in UTF-8');
	is_deeply([ @env{qw(DATE PREV_DATE NEXT_DATE JOB_NAME NODE_ID NODE_NAME ATTEMPT)} ],
		[ '2024-03-01', '2024-02-28', undef, $job, 11, "node's \"name\" \$(touch $work/pwned)", 1 ],
		'built-in variables');
	is($env{RUN_ID}, $node->run_is(11, 'run_id'), 'RUN_ID');
	ok(!grep({ /^(PG(?!HOST$|PORT$|DATABASE$)|_PG|LC_|TZ$)/ } keys %env), 'nothing of the server') or diag join ' ', sort keys %env;
	is_deeply([ @env{qw(PGHOST PGPORT PGDATABASE PYTHONUNBUFFERED)} ], [ $node->host, $node->port, 'postgres', 1 ], 'but where it is');
	ok(!-e "$work/pwned", 'nothing of it was executed');

	$node->sql("UPDATE josch.environs SET value = 'changed' WHERE var = 'BAD'");
	$node->act('signoff', 13);
	$node->wait_for('succeeded', 14);
	%env = map { split /=/, $_, 2 } split /\0/, $node->file('14.env');
	is($env{BAD}, $bad, 'a day keeps the environment that it was made with');
};

subtest 'a command finds its database, and what Python prints is seen at once' => sub {
	my ($psql) = grep { -x } map { "$_/psql" } split /:/, $ENV{PATH};
	$node->job('finds');
	$node->add(
		[ 24, 'N', "$psql -XAtqc \"SELECT 'in ' || current_database() || ' at ' || current_setting('port')\"" ],
		[ 25, 'N', q{python3 -c 'import time; print("now"); time.sleep(600)'} ]);
	$node->schedule;
	$node->wait_for('succeeded', 24);
	is($node->run_is(24, 'output_tail'), 'in postgres at ' . $node->port . "\n", 'psql needs to be told nothing');
	eventually('Python writes line by line', sub { (eval { $node->log_of(25) } // '') eq "now\n" });
	$node->act('stop', 25);
	$node->wait_for('failed', 25);
};

subtest 'what is kept of a run' => sub {
	$node->job('kept');
	$node->add(
		[ 21, 'N', 'i=0; while [ $i -lt 3000 ]; do echo "out $i"; echo "err $i" >&2; i=$((i + 1)); done; exit 5' ],
		[ 22, 'N', 'printf "%s %s" $$ "$(hostname)" > $WORK/22; printf "\377\376 not text \001\n"; i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done' ],
		[ 23, 'N', 'head -c 30000000 /dev/zero | tail -c 30000000 | wc -c; (exit 0)' ]);
	$node->schedule;
	$node->wait_for('succeeded', 22, 23);
	$node->wait_for('failed', 21);
	my $all = join '', map { "out $_\nerr $_\n" } 0 .. 2999;
	is($node->log_of(21), $all, 'both streams are in the log, in order');
	my $id = $node->run_is(21, 'run_id');
	is($node->sql("SELECT josch.log($id)"), $all, 'and in josch.log()');
	my $tail = $node->run_is(21, 'output_tail');
	is($tail, substr($all, -length $tail), 'its end is in runs');
	cmp_ok(length $tail, '>', 4000, 'about 4 kB of it');
	my ($pid, $host) = split ' ', $node->file('22');
	is($node->run_is(22, 'pid || $$ $$ || host'), "$pid $host", 'pid and host');
	like($node->run_is(22, 'output_tail'), qr/not text/, 'output that is no text does not stop anything');
	is($node->run_is(22, 'cpu_seconds > 0 AND cpu_seconds < 30'), 't', 'CPU seconds');
	is($node->run_is(23, 'peak_memory > 30000000 AND peak_memory < 1000000000'), 't', 'peak memory, in bytes') or diag $node->run_is(23, 'peak_memory');
	is($node->run_is(21, 'started_at >= requested_at AND ended_at > started_at AND ended_at < now()'), 't', 'times');
	is(sprintf('%o', (stat "$node->{spool}/" . $node->run_is(21, 'log'))[2] & 07777), '600', 'the log is for the server alone');
	is($node->sql("SELECT count(DISTINCT log) = count(log) FROM josch.runs WHERE kind = 'command'"), 't', 'each run has a log file of its own');
};

subtest 'time-out' => sub {
	$node->job('timeout');
	$node->add(
		[ 31, 'N', 'sh -c "trap \'\' TERM; echo \$\$ > $WORK/31.child; while :; do sleep 0.1; done" & echo $$ > $WORK/31; wait',
			timeout => '500 ms', stop_grace => '300 ms' ],
		[ 32, 'N', 'true', timeout => '1 hour' ]);
	$node->schedule;
	$node->wait_for('succeeded', 32);
	$node->wait_for('failed', 31);
	like($node->node_is(31, 'message'), qr/^timed out: signal 15/, 'says so');
	is($node->run_is(31, 'timed_out || $$ $$ || exit_signal'), 'true 15', 'and so does the run');
	is($node->run_is(31, "ended_at - started_at >= '0.5 s'"), 't', 'and not before');
	my ($pid, $child) = map { $node->file($_) + 0 } '31', '31.child';
	ok(!lives($pid) && !lives($child), 'the whole group is gone, one that ignores TERM too');
};

subtest 'stop' => sub {
	$node->job('stop');
	$node->add(
		[ 41, 'N', 'trap "echo got TERM; exit 9" TERM; sh -c "trap \'\' TERM; echo \$\$ > $WORK/41.child; while :; do sleep 0.1; done" & echo $$ > $WORK/41; while :; do sleep 0.1; done',
			stop_grace => '400 ms' ],
		[ 42, 'N', 'trap "" TERM; echo $$ > $WORK/42; while :; do sleep 0.1; done', stop_grace => '200 ms' ],
		[ 43, 'N', 'trap "exit 0" TERM; echo $$ > $WORK/43; while :; do sleep 0.1; done' ]);
	$node->schedule;
	wait_file($_) foreach '41', '41.child', '42', '43';
	$node->act('stop', 41, 'too late today');
	$node->act('stop', $_) foreach 42, 43;
	$node->wait_for('failed', 41, 42, 43);
	like($node->node_is(43, 'message'), qr/^stopped by \S+: exit code 0/, 'that it ends politely makes no success of it');
	like($node->node_is(41, 'message'), qr/^stopped by \S+: exit code 9/, 'TERM first');
	like($node->node_is(42, 'message'), qr/^stopped by \S+: signal 9/, 'KILL after the grace');
	is($node->node_is(41, 'comment'), 'too late today', 'with the reason of the person');
	is($node->run_is(42, "ended_at - stop_requested_at >= '0.2 s'"), 't', 'and not before');
	ok(!lives($node->file($_) + 0), "process of $_ is gone") foreach '41', '41.child', '42';
	like($node->log_of(41), qr/^got TERM\n/m, 'what it said to TERM');
};

subtest 'long-running' => sub {
	$node->job('long');
	my $serve = 'echo $$ > $WORK/$NODE_ID; while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; exit $(cat $WORK/$NODE_ID.end)';
	$node->add(
		[ 51, 'L', $serve, ready_command => 'test -e $WORK/51.up && echo $ATTEMPT $NODE_ID >> $WORK/51.ready' ],
		[ 52, 'L', $serve, ready_after => '300 ms' ],
		[ 53, 'L', $serve, ready_after => '0', stop_grace => '5 s' ],
		[ 54, 'L', 'exit 4', ready_after => '1 hour' ],
		map { [ $_ + 10, 'N', 'true' ] } 51 .. 54);
	$node->depend(51 => 61, 52 => 62, 53 => 63, 54 => 64);
	$node->schedule;
	$node->wait_for('up', 52, 53);
	$node->wait_for('succeeded', 62, 63);
	$node->wait_for('failed', 54);
	is($node->node_is(51, 'state'), 'running', 'not up before its ready_command says so');
	is($node->node_is(61, 'state'), 'pending', 'its child waits');
	append_to_file("$work/51.up", '');
	$node->wait_for('up', 51);
	$node->wait_for('succeeded', 61);
	like($node->file('51.ready'), qr/^1 51\n/, 'ready_command has the environment');
	is($node->run_is(52, "up_at - started_at >= '0.3 s'"), 't', 'ready_after');
	is($node->node_is(64, 'state'), 'pending', 'the child of one that was never up waits');

	append_to_file("$work/51.end", '0');
	append_to_file("$work/52.end", '6');
	$node->act('stop', 53, 'the day is over');
	$node->wait_for('succeeded', 51, 53);
	$node->wait_for('failed', 52);
	is($node->run_is(51, 'exit_code'), 0, 'exit code 0 of one that is up: succeeded');
	is($node->node_is(52, 'message'), 'exit code 6', 'any other: failed');
	like($node->node_is(53, 'message'), qr/^stopped by /, 'stopped on purpose: succeeded');
	is($node->run_is(53, 'exit_signal'), 15, 'with its true end on record');
	is($node->node_is(62, 'state'), 'succeeded', 'what had been released stays done');
	$node->act('skip', $_) foreach 52, 54;
};

subtest 'review' => sub {
	$node->job('review');
	$node->add(
		[ 71, 'R', 'echo report; exit 0' ],
		[ 72, 'R', 'exit 2' ],
		[ 73, 'N', 'true' ]);
	$node->depend(71 => 73);
	$node->schedule;
	$node->wait_for('review', 71);
	$node->wait_for('failed', 72);
	is($node->node_is(73, 'state'), 'pending', 'its child waits for the judgement');
	is($node->run_is(71, 'status || $$ $$ || exit_code'), 'succeeded 0', 'the run itself is over');
	is($node->sql('SELECT state FROM josch.attention WHERE node_id = 71'), 'review', 'it asks a person');
	$node->act('approve', 71, 'looks good');
	$node->wait_for('succeeded', 71, 73);
	$node->act('skip', 72);
};

subtest 'once more' => sub {
	$node->job('again');
	$node->add([ 81, 'N', 'echo attempt $ATTEMPT; test $ATTEMPT = 2' ]);
	$node->schedule;
	$node->wait_for('failed', 81);
	my $first = "$node->{spool}/" . $node->run_is(81, 'log');
	$node->act('retry', 81, 'the disk was full');
	$node->wait_for('succeeded', 81);
	is($node->sql("SELECT string_agg(attempt || ' ' || status || ' ' || exit_code, ', ' ORDER BY attempt) FROM josch.runs WHERE node_id = 81"),
		'1 failed 1, 2 succeeded 0', 'two runs');
	is(slurp_file($first), "attempt 1\n", 'the first log is kept');
	is($node->log_of(81), "attempt 2\n", 'the second has its own');
	$node->act('rerun', 81);
	$node->wait_until('a third run', "SELECT state = 'failed' AND attempt = 3 FROM josch.nodes WHERE node_id = 81");
	$node->act('mark_success', 81);
};

subtest 'notifications' => sub {
	$node->job('notify');
	my $listener = $node->background_psql('postgres');
	$listener->query_safe('LISTEN josch');
	$node->add([ 91, 'N', 'exit 7' ]);
	$node->schedule;
	$node->wait_for('failed', 91);
	$node->act('mark_success', 91);
	my $heard = '';
	eventually('all is told', sub { $heard .= $listener->query('SELECT 1') . "\n"; $heard =~ /"to":"succeeded"/ });
	$listener->quit;
	# alarms are told between them
	my @told = grep { ($_->{node} // 0) == 91 } map { decode_json($_) } $heard =~ /"josch" with payload "(\{.*?\})" received/g;
	my @changes = map { [ @$_{qw(date node job from to by)} ] } @told;
	my $me = $node->sql('SELECT session_user');
	is_deeply(\@changes, [
		[ $DATE, 91, 'notify', 'ready', 'running', undef ], [ $DATE, 91, 'notify', 'running', 'failed', undef ],
		[ $DATE, 91, 'notify', 'failed', 'succeeded', $me ] ],
		'every change, and who made it') or diag $heard;
	is($told[-1]{id}, $node->node_is(91, 'change_id'), 'with the number of the change');
};

subtest 'notifications of a transaction that changes many' => sub {
	$node->job('notify many');
	$node->add(map { [ $_, 'S' ] } 1001 .. 1100);
	$node->schedule;
	$node->wait_until('all are asked for', "SELECT count(*) = 100 FROM josch.nodes WHERE job_name = 'notify many' AND state = 'signoff'");
	my $listener = $node->background_psql('postgres');
	$listener->query_safe('LISTEN josch');
	$node->sql("UPDATE josch.nodes SET state = 'succeeded' WHERE job_name = 'notify many'");
	my $heard = '';
	eventually('it is told', sub { $heard .= $listener->query('SELECT 1') . "\n"; $heard =~ /"changed"/ });
	$listener->quit;
	my @told = grep { !$_->{alarms} } map { decode_json($_) } $heard =~ /"josch" with payload "(\{.*?\})" received/g;
	is_deeply(\@told, [ { date => $DATE, changed => 100 } ], 'in one line, with their number') or diag $heard;
};

subtest 'what an idle scheduler is woken for' => sub {
	$node->job('woken');
	$node->add([ 901, 'S', undef ], [ 902, 'N', undef ], [ 903, 'N', undef ], [ 904, 'N', undef ]);
	$node->depend(901 => 902, 901 => 903, 901 => 904);
	$node->schedule;
	$node->wait_for('signoff', 901);
	$node->sql('DELETE FROM josch.node_deps WHERE c_node_id = 902');
	$node->wait_for('succeeded', 902);
	$node->act('force_start', 903);
	$node->wait_for('succeeded', 903);
	$node->act('signoff', 901);
	$node->wait_for('succeeded', 904);

	# a day that is taken back
	my $before = literal($DATE) . '::date - 1';
	$node->job('woken before');
	$node->add([ 911, 'S', undef ]);
	$node->sql("SELECT count(*) FROM josch.schedule($before, 'woken before')");
	$node->job('woken after');
	$node->add([ 912, 'N', undef ]);
	$node->sql("INSERT INTO josch.tpl_node_deps VALUES (911, -1, 912, 0); SELECT count(*) FROM josch.schedule(" . literal($DATE) . ", 'woken after')");
	$node->wait_until('the day before is asked for', "SELECT state = 'signoff' FROM josch.nodes WHERE node_id = 911");
	is($node->node_is(912, 'state'), 'pending', 'and waited for');
	$node->sql("SELECT count(*) FROM josch.unschedule($before, 'woken before')");
	$node->wait_for('succeeded', 912);
};

is($node->sql(q{SELECT count(*) FROM josch.runs WHERE kind = 'command' AND started_at IS NOT NULL AND pid IS NULL}), 0, 'of each command it is known which process it was');
done_testing();
