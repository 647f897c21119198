# test/t/055_settings.pl
#
# The settings of the server do what they say, at a reload: how many commands
# run at once, whether any is started, who starts the runner, and where it lives.
use strict;
use warnings;
use Test::More;
use File::Find;
use File::Temp;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives literal);

# longer than the address of a socket can be
my $top = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $spool = join '/', $top, ('a_long_name_of_a_folder' x 4) x 2, 'spool';
PostgreSQL::Test::Utils::system_or_bail('mkdir', '-p', $spool =~ s{/spool$}{}r);
my $node = JoschNode->create('settings', spool => $spool, conf => 'josch.max_running = 2');
my $until_told = 'while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done';

sub passes { return $node->sql("SELECT substring(detail FROM 'passes (\\d+)') FROM josch.health() WHERE component = 'scheduler'"); }

# a reload is followed by a pass
sub set
{
	my ($name, $value) = @_;
	my $before = passes();
	$node->sql("ALTER SYSTEM SET josch.$name = " . literal($value));
	$node->reload;
	eventually('the scheduler has seen it', sub { passes() > $before });
	return;
}

sub tell_end { append_to_file("$node->{work}/$_.end", '') foreach @_; return; }

sub in_state
{
	my ($state) = @_;
	return $node->sql("SELECT coalesce(string_agg(node_id::text, ' ' ORDER BY node_id), '') FROM josch.nodes WHERE state = '$state'");
}

# A wake that is lost costs josch.safety_interval, and no more; a tick in a session leaves nothing behind for which none comes.
subtest 'lost wakes' => sub {
	my $tomorrow = $node->sql("SELECT (josch.now() AT TIME ZONE 'UTC')::date + 2");
	$node->job('lost');
	$node->add([ 50, 'N', 'true', start_time => '1 hour' ], [ 51, 'N', 'true', start_time => '2 hours' ]);
	$node->schedule($tomorrow);
	$node->wait_until('both wait for their time', "SELECT count(*) = 2 FROM josch.waiting WHERE node_id IN (50, 51) AND waits_for = 't'");
	is($node->sql("SELECT josch.tick('$tomorrow 01:30:00+00')"), 0, 'a tick for which it has come changes no node');
	$node->wait_until('it starts, although the tick has changed none', "SELECT state = 'succeeded' FROM josch.nodes WHERE node_id = 50");
	set(safety_interval => '1s');
	$node->sql("UPDATE josch.waiting SET waits_for = 'c', due_at = '-infinity' WHERE node_id = 51");
	$node->wait_until('what came without a wake is found', "SELECT state = 'succeeded' FROM josch.nodes WHERE node_id = 51");
	set(safety_interval => '5min');
};

subtest 'a long path of the spool' => sub {
	cmp_ok(length $spool, '>', 108, 'longer than a socket\'s address');
	$node->add([ 1, 'N', 'echo here' ], [ 2, 'L', 'sleep 1000', ready_after => '0' ]);
	$node->schedule;
	$node->wait_for('succeeded', 1);
	$node->wait_for('up', 2);
	is($node->log_of(1), "here\n", 'the log is there');
	is($node->sql("SELECT josch.log(run_id) FROM josch.runs WHERE node_id = 1"), "here\n", 'and can be read');
	ok(!-e $node->data_dir . '/josch', 'nothing is in the data directory');
	my @open;
	find({ no_chdir => 1, wanted => sub {
		my $mode = (lstat $_)[2] & 07777;
		push @open, sprintf '%o %s', $mode, $_ if $mode != (-d _ ? 0700 : 0600);
	} }, $spool);
	is("@open", '', 'folders are 0700, files 0600');
	ok(-S "$spool/runner.sock", 'the socket too');
	$node->act('stop', 2);
	$node->wait_for('succeeded', 2);
};

subtest 'josch.max_running' => sub {
	$node->job('places');
	$node->add([ 11, 'L', 'sleep 1000', ready_after => '0' ]);
	$node->schedule;
	$node->wait_for('up', 11);
	$node->job('more places');
	$node->add(map { [ $_, 'N', $until_told ] } 12 .. 17);
	$node->schedule;
	$node->wait_for('running', 12, 13);
	is(in_state('ready'), '14 15 16 17', 'two run, four wait; one that is up takes no place');
	tell_end(12);
	$node->wait_for('running', 13, 14);
	is(in_state('ready'), '15 16 17', 'an end frees a place');
	set('max_running', 4);
	$node->wait_for('running', 13 .. 16);
	is(in_state('ready'), '17', 'more places at a reload');
	set('max_running', 1);
	tell_end(13, 14, 15);
	$node->wait_for('succeeded', 12 .. 15);
	is(in_state('running') . ', ' . in_state('ready'), '16, 17', 'fewer places end nothing, but start nothing');
	tell_end(16);
	$node->wait_for('running', 17);
	set('max_running', 64);
	tell_end(17);
	$node->wait_for('succeeded', 16, 17);
};

# By a clock that stands still the scheduler does not look what is open between these passes: it goes by what it has started.
subtest 'josch.max_running, of passes that follow each other' => sub {
	set('max_running', 4);
	set('now', '2030-01-01 00:00+00');
	$node->job('tree');
	$node->add(map { [ $_, 'N', $until_told ] } 101 .. 107);
	$node->depend((map { (101, $_) } 102 .. 104), map { (102, $_) } 105 .. 107);
	$node->schedule;
	$node->wait_for('running', 101);
	tell_end(101);
	$node->wait_for('running', 102 .. 104);
	tell_end(102);
	$node->wait_for('running', 105, 106);
	is(in_state('running') . ', ' . in_state('ready'), '103 104 105 106, 107', 'no more than there are places for');
	$node->sql('ALTER SYSTEM RESET josch.now');
	set('max_running', 64);
	tell_end(103 .. 107);
	$node->wait_for('succeeded', 101 .. 107);
};

subtest 'josch.scheduler' => sub {
	$node->job('before');
	$node->add([ 21, 'N', "$until_told; exit 3" ]);
	$node->schedule;
	$node->wait_for('running', 21);
	set('scheduler', 'off');
	$node->job('while off');
	$node->add([ 22, 'N', 'true' ], [ 23, 'N', undef, exec_sql => 'SELECT 1' ]);
	$node->wait_until('josch.health() says so', "SELECT detail LIKE '%josch.scheduler is off%' FROM josch.health() WHERE component = 'scheduler'");
	$node->schedule;
	tell_end(21);
	$node->wait_for('failed', 21);
	is($node->run_is(21, 'exit_code'), 3, 'the end of what runs is recorded');
	is(in_state('ready'), '22 23', 'nothing is started');
	set('scheduler', 'on');
	$node->wait_for('succeeded', 22, 23);
};

subtest 'josch.start_runner' => sub {
	set('start_runner', 'off');
	$node->kill_runner;
	$node->wait_until('josch.health() says that none answers',
		"SELECT NOT up AND detail LIKE 'None answers%' FROM josch.health() WHERE component = 'runner'");
	$node->job('no runner');
	$node->add([ 31, 'N', 'true' ], [ 32, 'N', undef, exec_sql => 'SELECT 1' ], [ 33, 'N', undef ]);
	$node->schedule;
	$node->wait_for('succeeded', 32, 33);
	is(in_state('ready'), '31', 'a command waits, all else goes on');
	is($node->sql("SELECT up FROM josch.health() WHERE component = 'runner'"), 'f', 'still none');
	set('start_runner', 'on');
	$node->wait_for('succeeded', 31);
	is($node->sql("SELECT up FROM josch.health() WHERE component = 'runner'"), 't', 'a runner is there');
};

subtest 'josch.work_directory' => sub {
	set('work_directory', $top);
	$node->job('there');
	$node->add([ 41, 'N', 'pwd > $WORK/41' ], [ 42, 'N', 'pwd > $WORK/42' ], [ 43, 'S', undef ]);
	$node->depend(43 => 42);
	$node->schedule;
	$node->wait_for('succeeded', 41);
	is($node->file('41'), "$top\n", 'a reload moves it');
	set('work_directory', '');
	$node->act('signoff', 43);
	$node->wait_for('succeeded', 42);
	is($node->file('42'), "$spool\n", 'empty: the spool');
};

done_testing();
