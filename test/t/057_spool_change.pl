# test/t/057_spool_change.pl
#
# josch.spool_directory is changed: all processes of all databases change over
# at one moment, when no run is open; until then the old one is in use, through
# a restart of the server, too.
use strict;
use warnings;
use Test::More;
use File::Temp;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives literal);

my $top = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $node = JoschNode->create('spool', spool => "$top/first");
my $until_told = 'echo here; while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; exit 4';

sub tell_end { append_to_file("$node->{work}/$_.end", '') foreach @_; return; }

sub set_spool
{
	my ($spool) = @_;
	$node->sql("ALTER SYSTEM SET josch.spool_directory = " . literal($spool));
	$node->reload;
	return;
}

# Where the log of a node's run is; '' when nowhere.
sub spool_of
{
	my ($id, $database) = @_;
	my $log = $node->sql("SELECT log FROM josch.runs WHERE node_id = $id ORDER BY run_id DESC LIMIT 1", $database);
	my ($found) = grep { -e "$top/$_/$log" } qw(first second third);
	return $found // '';
}

my $waits = q{SELECT coalesce((SELECT detail LIKE '%the new josch.spool_directory waits until no run% is open%' FROM josch.health() WHERE component = 'runner'), false)};

sub add_and_schedule
{
	my ($job, @nodes) = @_;
	$node->job($job);
	$node->add(@nodes);
	return $node->schedule;
}

$node->sql('CREATE DATABASE other');
$node->sql('CREATE EXTENSION josch; INSERT INTO josch.environs VALUES (\'WORK\', ' . literal($node->{work}) . ')', 'other');
$node->wait_until('both databases have a runner', q{SELECT up FROM josch.health() WHERE component = 'runner'}, $_) foreach 'postgres', 'other';

subtest 'at a reload' => sub {
	add_and_schedule('before', [ 1, 'N', $until_told ]);
	$node->sql("INSERT INTO josch.tpl_jobs VALUES ('o', 'o'); INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command) VALUES (2, 'N', 'o', 'two', "
		. literal($until_told) . "); SELECT josch.schedule('$DATE')", 'other');
	$node->wait_for('running', 1);
	$node->wait_until('another database has one running', q{SELECT count(*) = 1 FROM josch.runs WHERE status = 'running'}, 'other');
	my $runner = $node->runner_pid;
	set_spool("$top/second");
	$node->wait_until('health says that it waits', $waits);
	like($node->sql(q{SELECT detail FROM josch.health() WHERE component = 'runner'}), qr/no run of database (?=.*"postgres")(?=.*"other")/, 'and for whom');
	is($node->sql('SELECT josch.log(run_id) FROM josch.runs WHERE node_id = 1'), "here\n", 'a session reads the log where it is');
	add_and_schedule('meanwhile', [ 3, 'N', 'true' ]);
	$node->wait_for('succeeded', 3);
	is(spool_of(3), 'first', 'what starts meanwhile starts where the others are');
	tell_end(1);
	$node->wait_for('failed', 1);
	is($node->run_is(1, 'exit_code'), 4, 'its end is known');
	$node->wait_until('it waits for the other database alone',
		q{SELECT detail LIKE '%no run of database "other" is open' FROM josch.health() WHERE component = 'runner'});
	add_and_schedule('still', [ 4, 'N', 'true' ]);
	$node->wait_for('succeeded', 4);
	is(spool_of(4), 'first', 'one database does not change over without the other');
	ok(!-e "$top/second", 'nothing is in the new one');
	tell_end(2);
	$node->wait_until('the last run ends: all change over', "SELECT NOT ($waits)");
	add_and_schedule('after', [ 5, 'N', 'echo after' ]);
	$node->wait_for('succeeded', 5);
	is(spool_of(5), 'second', 'to the new one');
	is($node->sql('SELECT josch.log(run_id) FROM josch.runs WHERE node_id = 5'), "after\n", 'where a session reads, too');
	$node->sql("SELECT josch.retry(2, '$DATE')", 'other');
	$node->wait_until('the other database as well', q{SELECT count(*) = 2 FROM josch.runs WHERE exit_code = 4}, 'other');
	is(spool_of(2, 'other'), 'second', 'without a word to it');
	isnt(JoschRunner->connect("$top/second")->pid, $runner, 'with a runner of its own');
	kill 'TERM', $runner;
};

subtest 'at a restart' => sub {
	$node->{spool} = "$top/second";
	add_and_schedule('over a restart', [ 11, 'N', $until_told ]);
	$node->wait_for('running', 11);
	$node->stop;
	$node->append_conf('postgresql.auto.conf', "josch.spool_directory = '$top/third'\n");
	$node->start;
	$node->wait_until('a new server waits as well', $waits);
	tell_end(11);
	$node->wait_for('failed', 11);
	is($node->run_is(11, 'exit_code'), 4, 'and loses no end');
	$node->wait_until('then it changes over', "SELECT NOT ($waits)");
	add_and_schedule('after the restart', [ 12, 'N', 'true' ]);
	$node->wait_for('succeeded', 12);
	is(spool_of(12), 'third', 'to what the setting says');
	kill 'TERM', JoschRunner->connect("$top/second")->pid;
	$node->{spool} = "$top/third";
	set_spool("$top/third/../third");
	add_and_schedule('the same', [ 13, 'N', 'true' ]);
	$node->wait_for('succeeded', 13);
	is(spool_of(13), 'third', 'and back and forth');
};

# Nobody is in the way: no wait.
subtest 'at rest' => sub {
	set_spool("$top/first");
	$node->wait_until('the new one is in use', "SELECT current_setting('josch.spool_directory') = '$top/first' AND NOT ($waits)");
	add_and_schedule('at rest', [ 21, 'N', 'true' ]);
	$node->wait_for('succeeded', 21);
	is(spool_of(21), 'first', 'at once');
	kill 'TERM', JoschRunner->connect("$top/third")->pid;
	$node->{spool} = "$top/first";
};

# It has the file that says what is in use, which is not for it.
subtest 'a copy' => sub {
	add_and_schedule('while it is copied', [ 31, 'N', $until_told ]);
	$node->wait_for('running', 31);
	$node->stop;
	$node->append_conf('postgresql.auto.conf', "josch.spool_directory = '$top/second'\n");
	my $copy = JoschNode->copy_of('copy', $node, spool => "$top/second");
	$copy->sql("SELECT josch.arm('a copy that is to go on by itself')");
	$copy->wait_until('it has a runner', q{SELECT up FROM josch.health() WHERE component = 'runner'});
	ok(-S "$top/second/runner.sock", 'where its own setting says');
	unlike(slurp_file($copy->logfile), qr/is in use from now on/, 'from its beginning');
	$copy->stop;
	tell_end(31);
};

done_testing();
