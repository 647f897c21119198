# test/t/049_repeats.pl
#
# A node that is repeated: by elapsed time from its first start, also in the night in
# which the clocks go back; what was missed is not made up for, a failure asks, and
# children wait for the end of it all.
use strict;
use warnings;
use Test::More;
use JoschNode qw(eventually);

my $DAY = '2024-10-27';    # at 03:00 it is 02:00 again in Zurich
my $node = JoschNode->create('repeats', conf => "josch.now = '2024-10-26 12:00:00+00'");

sub move_clock
{
	my ($to) = @_;
	$node->sql("ALTER SYSTEM SET josch.now = '$to'");
	$node->sql('SELECT pg_reload_conf()');
}

# Waits until a node has run so often and waits for its next time.
sub wait_for_rest_of
{
	my ($id, $attempt, $next) = @_;
	return $node->wait_until("node $id: run $attempt, next at $next",
		"SELECT attempt = $attempt AND state = 'ready' AND not_before = '$next' FROM josch.nodes WHERE node_id = $id AND job_date = '$DAY'");
}

sub wait_for_state
{
	my ($state, $id) = @_;
	return $node->wait_until("node $id: $state", "SELECT state = '$state' FROM josch.nodes WHERE node_id = $id AND job_date = '$DAY'");
}

$node->sql("UPDATE josch.tpl_jobs SET time_zone = 'Europe/Zurich'");
$node->add([ 1, 'N', 'echo x >> $WORK/1', start_time => '2:00', repeat_every => '30 minutes', repeat_until => '3:00' ], [ 2, 'N', 'true' ],
	[ 3, 'N', undef, exec_sql => 'SELECT 1', start_time => '2:00', repeat_every => '45 minutes', repeat_until => '3:00' ],
	[ 4, 'N', 'test ! -e $WORK/4.bad', start_time => '2:00', repeat_every => '30 minutes', repeat_until => '3:00' ]);
$node->depend(1 => 2);
$node->sql("SELECT count(*) FROM josch.schedule('$DAY')");

subtest 'the night in which the clocks go back' => sub {
	move_clock('2024-10-27 00:00:00+00');
	wait_for_rest_of(1, 1, '2024-10-27 00:30:00+00');
	like($node->sql("SELECT message FROM josch.nodes WHERE node_id = 1"), qr/^succeeded; runs again at 02:30$/, 'it says when');
	is($node->sql("SELECT reason, until = '2024-10-27 00:30+00' FROM josch.why(1, '$DAY')"), 'time|t', 'josch.why() too');
	is($node->sql("SELECT string_agg(sentence, '; ') FROM josch.history(1, '$DAY') WHERE sentence ~ 'again'"), 'succeeded; runs again at 02:30', 'the history, too: it has not failed');
	is($node->sql("SELECT state FROM josch.nodes WHERE node_id = 2"), 'pending', 'its child waits');
	my $run = 1;
	foreach my $next ('01:00', '01:30', '02:00')
	{
		$run++;
		move_clock($node->sql("SELECT not_before FROM josch.nodes WHERE node_id = 1"));
		wait_for_rest_of(1, $run, "2024-10-27 $next:00+00");
	}
	move_clock('2024-10-27 02:00:00+00');
	wait_for_state('succeeded', 1);
	wait_for_state('succeeded', 2);
	is($node->sql("SELECT string_agg(to_char(requested_at AT TIME ZONE 'Europe/Zurich', 'HH24:MI'), ' ' ORDER BY attempt) FROM josch.runs WHERE node_id = 1"),
		'02:00 02:30 02:00 02:30 03:00', 'five runs, half an hour apart');
	is($node->file('1'), "x\n" x 5, 'each once');
};

subtest 'what was missed is not made up for; SQL too' => sub {
	# it has run at 00:00, 00:45, 01:30 UTC, or once for several of them; 02:00 is the last
	wait_for_state('succeeded', 3);
	is($node->sql("SELECT bool_and(extract(epoch FROM requested_at - '2024-10-27 00:00+00')::int >= 2700 * (attempt - 1)) AND max(attempt) BETWEEN 2 AND 3 FROM josch.runs WHERE node_id = 3"), 't',
		'on its grid, and no oftener');
};

subtest 'a failure asks, and goes on when it is mended' => sub {
	wait_for_state('succeeded', 4);
	open my $bad, '>', "$node->{work}/4.bad" or die $!;
	close $bad;
	move_clock('2024-10-27 00:00:00+00');
	$node->sql("SELECT josch.rerun(4, '$DAY')");
	wait_for_state('failed', 4);
	move_clock('2024-10-27 00:40:00+00');
	unlink "$node->{work}/4.bad";
	$node->sql("SELECT josch.retry(4, '$DAY')");
	wait_for_rest_of(4, $node->sql('SELECT max(attempt) FROM josch.runs WHERE node_id = 4'), '2024-10-27 01:00:00+00');
	is($node->sql("SELECT repeats_from FROM josch.nodes WHERE node_id = 4"), '2024-10-27 00:00:00+00', 'from the first start still');
	$node->sql("SELECT josch.skip(4, '$DAY')");
	wait_for_state('skipped', 4);
};

subtest 'what is refused' => sub {
	foreach my $bad ([ 'S', undef, repeat_every => '1:00', repeat_until => '3:00' ], [ 'N', 'true', repeat_every => '1:00' ], [ 'N', 'true', repeat_until => '1:00' ],
		[ 'N', 'true', repeat_every => '0.5 s', repeat_until => '3:00' ], [ 'N', 'true', repeat_every => '1 day', repeat_until => '3:00' ], [ 'N', undef, repeat_every => '1:00', repeat_until => '3:00' ])
	{
		my ($code, $out, $err) = $node->psql('postgres', $node->insert(99, @$bad));
		like($err, qr/violates check constraint "nodes_repeat/, join ' ', map { $_ // '-' } @$bad);
	}
};

$node->stop;
done_testing();
