# test/t/067_wait_file.pl
#
# A node that waits for a file starts when that has come, whoever was killed meanwhile; it
# says so until then; and nobody looks for a file before the node is ready, or once a person
# has let it go on.
use strict;
use warnings;
use Test::More;
use File::Path qw(make_path);
use JoschNode qw($DATE eventually);

my $node = JoschNode->create('wait_file', conf => "josch.safety_interval = 3600");
my $in = "$node->{work}/in";
make_path($in);

sub put
{
	my ($name) = @_;
	open my $file, '>', "$in/$name.tmp" or die $!;
	print {$file} 'x';
	close $file;
	rename "$in/$name.tmp", "$in/$name" or die $!;
	return;
}

# Files that the runner looks for, by what the lookout was told.
sub lookouts
{
	my @found = grep { (JoschRunner::slurp($_) // '') eq "josch-runner\0--lookout\0" } glob '/proc/[0-9]*/cmdline';
	my $runner = $node->runner_pid;
	return grep { my ($pid) = /(\d+)/; (JoschRunner::slurp("/proc/$pid/stat") // '') =~ /\) \S (\d+)/ && $1 == $runner } @found;
}

sub wait_for_reason
{
	my ($id, $reason, $detail) = @_;
	return $node->wait_until("node $id: $reason", "SELECT reason = '$reason' AND detail ~ '$detail' FROM josch.why($id, '$DATE') LIMIT 1");
}

$node->sql("INSERT INTO josch.environs VALUES ('IN', '$in'), ('STAR', '*')");
my @now = (wait_stable => '0');
$node->add([ 1, 'N', 'echo $DATE >> $WORK/1', wait_file => '$IN/one_$DATE', @now ], [ 2, 'N', 'true', wait_file => '${IN}/two_${DATE//-/}_*.csv', @now ],
	[ 3, 'N', undef, wait_file => '$IN/three', @now ], [ 4, 'N', undef ], [ 5, 'S', undef, wait_file => '$IN/five', @now ],
	[ 6, 'N', 'true', wait_file => '$IN/six', @now ], [ 7, 'N', 'true', wait_file => '$NOBODY/seven', @now ],
	[ 8, 'N', 'true', wait_file => '/*/eight', @now ], [ 9, 'N', 'true', wait_file => '$IN/nine_$STAR', @now ],
	[ 10, 'N', 'true', wait_file => '$IN/deep/er/ten', wait_stable => '300 ms' ], [ 11, 'S', undef ], [ 12, 'N', 'true', wait_file => '$IN/twelve', @now ]);
$node->depend(3 => 4, 11 => 12);
my $compact = $DATE =~ s/-//gr;

subtest 'it comes' => sub {
	put('twelve');
	$node->schedule;
	wait_for_reason(1, 'file', "^waits for the file $in/one_$DATE\$");
	wait_for_reason(2, 'file', "^waits for the file $in/two_${compact}_");
	wait_for_reason(4, 'parent', "^waits for \"node 3\": waits for the file $in/three");
	put('one_2000-01-01');
	put("one_$DATE");
	$node->wait_for('succeeded', 1);
	is($node->file('1'), "$DATE\n", 'it has run, once');
	is($node->node_is(1, 'file_found'), "$in/one_$DATE", 'which file it was is on record');
	put("two_${compact}_b.csv");
	$node->wait_for('succeeded', 2);
	is($node->node_is(2, 'file_found'), "$in/two_${compact}_b.csv", 'and which one of a pattern');
	put('three');
	$node->wait_for('succeeded', 3, 4);
	put('five');
	$node->wait_for('signoff', 5);
	make_path("$in/deep/er");
	put('deep/er/ten');
	$node->wait_for('succeeded', 10);
	is($node->node_is(12, 'state, file_found'), 'pending|', 'nobody looks before the node is ready');
	$node->act(signoff => 11);
	$node->wait_for('succeeded', 12);
};

subtest 'what is no path, and what a value may be' => sub {
	wait_for_reason(7, 'file', 'uses a variable that does not exist: "NOBODY"');
	wait_for_reason(8, 'file', 'only the last part of its wait_file may be a pattern');
	$node->wait_until('and the node says so', "SELECT message ~ 'NOBODY' FROM josch.nodes WHERE node_id = 7 AND job_date = '$DATE'");
	put('nine_x');
	$node->sql("UPDATE josch.nodes SET wait_file = '\$IN/seven' WHERE node_id = 7 AND job_date = '$DATE'");
	put('seven');
	$node->wait_for('succeeded', 7);
	is($node->node_is(9, 'state'), 'ready', 'a * in a value is no pattern');
	put('nine_*');
	$node->wait_for('succeeded', 9);
};

subtest 'a person' => sub {
	$node->act(force_start => 8);
	$node->wait_for('succeeded', 8);
	is($node->node_is(8, 'file_found IS NULL'), 't', 'no file was there');
	$node->act(hold => 6);
	put('six');
	eventually('nobody looks any more', sub { !lookouts() });
	is($node->node_is(6, 'state'), 'held', 'what is held waits for nothing');
	$node->act(release => 6);
	$node->wait_for('succeeded', 6);
	unlink "$in/six";
	$node->act(rerun => 6);
	wait_for_reason(6, 'file', "$in/six\$");
	put('six');
	$node->wait_for('succeeded', 6);
};

subtest 'whoever dies' => sub {
	$node->job('later');
	$node->add(map { [ $_, 'N', "echo >> \$WORK/$_", wait_file => "\$IN/$_", @now ] } 20 .. 25);
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'later')");
	eventually('it is looked for', sub { lookouts() });
	kill KILL => (lookouts())[0] =~ /(\d+)/;
	put(20);
	$node->wait_for('succeeded', 20);
	$node->kill_runner;
	put(21);
	$node->wait_for('succeeded', 21);
	my $pid = $node->scheduler_pid;
	kill TERM => $pid;
	put(22);
	$node->wait_for('succeeded', 22);
	$node->crash($node->scheduler_pid);
	put(23);
	$node->wait_for('succeeded', 23);
	$node->restart;
	put(24);
	$node->wait_for('succeeded', 24);
	is(join(',', map { length $node->file($_) } 20 .. 24), '1,1,1,1,1', 'each has run once');
	my $runner = $node->runner_pid;
	kill HUP => $runner;
	put(25);
	$node->wait_for('succeeded', 25);
};

subtest 'somebody holds the node' => sub {
	$node->job('held');
	$node->add([ 30, 'N', 'true', wait_file => '$IN/thirty', @now ]);
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'held')");
	wait_for_reason(30, 'file', 'thirty');
	my $session = $node->background_psql('postgres');
	$session->query_safe("BEGIN; SELECT FROM josch.nodes WHERE node_id = 30 AND job_date = '$DATE' FOR UPDATE");
	put('thirty');
	$node->wait_until('it is set aside', "SELECT detail ~ 'set aside [1-9]' FROM josch.health() WHERE component = 'scheduler'");
	$session->query_safe('COMMIT');
	$session->quit;
	$node->wait_for('succeeded', 30);
};

subtest 'many' => sub {
	$node->job('many');
	$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, wait_file, wait_stable)"
		. " SELECT 1000 + i, 'N', 'many', 'n' || i, '\$IN/many_' || i, '0' FROM generate_series(1, 3000) i");
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'many')");
	eventually('they are looked for', sub { lookouts() });
	put("many_$_") foreach 1 .. 3000;
	$node->wait_until('all have started', "SELECT count(*) = 3000 FROM josch.nodes WHERE job_name = 'many' AND state = 'succeeded'");
	eventually('nobody looks any more', sub { !lookouts() });
};

$node->wait_for_rest;
$node->stop;
done_testing();
