# test/t/046_people_together.pl
#
# Many people end the parents of one child at the same moment. Where a scheduler lives
# nobody waits for another at the child's row: the first has it and counts,
# the others leave notes, each his own, and the scheduler counts when the child is free. A
# note is taken away before the count, and never by a count that did not see its change.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE);

my $node = JoschNode->create('together');
my $first = 1;
my @people = map { $node->background_psql('postgres') } 1 .. 4;

# Four parents and a child; returns the number of the first parent.
sub parents
{
	my ($job) = @_;
	my $id = $first;
	$first += 10;
	$node->job($job);
	$node->add(map { [ $_, 'S', undef ] } $id .. $id + 4);
	$node->depend(map { $_ => $id + 4 } $id .. $id + 3);
	$node->schedule;
	return $id;
}

sub child { my ($id) = @_; return $node->node_is($id + 4, "unmet || ' ' || state"); }
sub notes { return $node->sql('SELECT count(*) FROM josch.recounts'); }

sub skips
{
	my ($person, $id) = @_;
	return is($person->query_safe("SELECT josch.skip($id, '$DATE')"), 'skipped', "node $id: ends, and nobody waits");
}

sub counted
{
	my ($id, $unmet, $what) = @_;
	$node->wait_until($what, "SELECT unmet = $unmet AND NOT EXISTS (SELECT FROM josch.recounts) FROM josch.nodes WHERE node_id = $id + 4");
	return is(child($id), $unmet . ($unmet ? ' pending' : ' signoff'), "$what: the child");
}

# To count the parents of that node takes until people[0] lets go.
sub make_slow
{
	my ($id) = @_;
	$node->sql("CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN new; END'");
	return $node->sql("CREATE OR REPLACE TRIGGER slow BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (old.node_id = $id) EXECUTE FUNCTION slow()");
}

sub asks_and_waits
{
	my ($person, $question, $for) = @_;
	$person->query_until(qr/asked/, "\\echo asked\n$question;\n");
	my $what = $for // 'transactionid';
	return $node->wait_until("he waits: $what", "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = '$what'");
}

sub let_go
{
	my ($person) = @_;
	$people[0]->query_safe('SELECT pg_advisory_unlock(1)');
	return $person->query_safe('SELECT 1');
}

sub skips_slowly
{
	my ($person, $id, $date) = @_;
	$date //= "'$DATE'";
	return asks_and_waits($person, "SELECT josch.skip($id, $date)", 'advisory');
}

subtest 'all at once' => sub {
	my $id = parents('at once');
	foreach my $each (0 .. 3) { $people[$each]->query_safe('BEGIN'); skips($people[$each], $id + $each); }
	$people[$_]->query_safe('COMMIT') foreach 1, 2;
	is(child($id), '4 pending', 'who holds the child has not committed');
	is(notes(), 2, 'two have left notes');
	$people[0]->query_safe('COMMIT');
	counted($id, 1, 'three have committed');
	$people[3]->query_safe('ROLLBACK');
	$node->act(skip => $id + 3);
	counted($id, 0, 'one has taken it back, and done it once more');
};

# The scheduler stands still, and passes are made by hand.
subtest 'while it is counted' => sub {
	my $id = parents('counted');
	my $scheduler = $node->scheduler_pid;
	kill 'STOP', $scheduler;
	$people[0]->query_safe('BEGIN');
	skips($people[0], $id);
	skips($people[1], $id + 1);
	$people[2]->query_safe('BEGIN');
	skips($people[2], $id + 2);
	$people[0]->query_safe('COMMIT');
	is(notes() . ', ' . child($id), '1, 3 pending', 'one note is valid, one is not yet');
	$node->sql('SELECT josch.tick()');
	is(notes() . ', ' . child($id), '0, 2 pending', 'what is valid is counted');
	$people[2]->query_safe('COMMIT');
	is(notes() . ', ' . child($id), '1, 2 pending', 'a note that came meanwhile is still there');

	# the child has a note and is free: who ends another parent leaves its count alone, and nobody counts before he commits
	$people[3]->query_safe('BEGIN');
	skips($people[3], $id + 3);
	$node->sql('SELECT josch.tick()');
	is(notes() . ', ' . child($id), '1, 2 pending', 'nobody counts without the last one');
	$people[3]->query_safe('COMMIT');
	$node->sql('SELECT josch.tick()');
	is(notes() . ', ' . child($id), '0, 0 signoff', 'all have ended');

	# of a node that is gone: two passes at a time do not wait for each other
	$node->sql("INSERT INTO josch.recounts (node_id, job_date) VALUES (-1, '$DATE')");
	$people[0]->query_safe('BEGIN; SELECT josch.tick()');
	$people[1]->query_safe("SET lock_timeout = '1s'; SELECT josch.tick()");
	$people[0]->query_safe('COMMIT');
	is(notes(), 0, 'the note of a node that is gone is taken away once');
	kill 'CONT', $scheduler;
};

# Who ends a parent of many children comes to the last of them a while after he has begun: its note may be gone by then.
subtest 'a note that is taken away meanwhile' => sub {
	my $id = $first;
	my ($before, $after) = ($id + 2, $id + 4);
	$first += 10;
	$node->job('meanwhile');
	$node->add(map { [ $_, 'S', undef ] } $id .. $id + 4);
	$node->depend($id => $after, $id + 1 => $before, $id + 1 => $after, $id + 3 => $after);
	$node->schedule;
	make_slow($before);
	$people[0]->query_safe('SELECT pg_advisory_lock(1)');
	$people[0]->query_safe("BEGIN; SELECT FROM josch.nodes WHERE node_id = $after FOR UPDATE");
	skips($people[1], $id);
	skips_slowly($people[2], $id + 1);
	$people[0]->query_safe('COMMIT');
	$node->wait_until('the note is taken away', 'SELECT NOT EXISTS (SELECT FROM josch.recounts)');
	is(child($id), '2 pending', 'counted without him');
	let_go($people[2]);
	is(child($id), '1 pending', 'and he has counted');
};

# So may the dependency: then he would count a child that is none any more, and it would start without its other parents.
subtest 'a dependency that is taken away meanwhile' => sub {
	my $id = $first;
	$first += 10;
	$node->job('parted');
	$node->add(map { [ $_, 'S', undef ] } $id .. $id + 4);
	$node->depend($id => $id + 4, $id + 1 => $id + 2, $id + 1 => $id + 4);
	$node->schedule;
	make_slow($id + 2);
	$people[0]->query_safe('SELECT pg_advisory_lock(1)');
	skips_slowly($people[2], $id + 1);
	asks_and_waits($people[1], "DELETE FROM josch.node_deps WHERE p_node_id = $id + 1 AND c_node_id = $id + 4");
	let_go($people[2]);
	$people[1]->query_safe('SELECT 1');
	is(child($id), '1 pending', 'one parent is left, and is waited for');
};

# The same where it stands for another day from now on, which is made.
subtest 'a dependency that is on another day meanwhile' => sub {
	my $id = $first;
	$first += 10;
	$node->job('other days');
	$node->add([ $id, 'S', undef ], [ $id + 2, 'S', undef ]);
	$node->job('their child');
	$node->add([ $id + 3, 'S', undef ], [ $id + 4, 'S', undef ]);
	$node->sql("INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id, p_date) VALUES ($id, $id + 4, -1)");
	$node->depend($id => $id + 2, $id + 3 => $id + 4);
	$node->sql("SELECT count(*) FROM josch.schedule(date '$DATE' - 2, 'other days')");
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'their child')");
	is(child($id), '2 pending', 'it waits for the day before');
	make_slow($id + 2);
	$people[0]->query_safe('SELECT pg_advisory_lock(1)');
	skips_slowly($people[2], $id, "date '$DATE' - 2");
	asks_and_waits($people[1], "SELECT josch.schedule(date '$DATE' - 1, 'other days')");
	let_go($people[2]);
	$people[1]->query_safe('SELECT 1');
	is(child($id), '2 pending', 'it waits for the day that is the one before now');
};

# A person who holds the child back waits for it: it might start.
subtest 'back again' => sub {
	my $id = parents('back');
	skips($people[0], $id + $_) foreach 0 .. 2;
	counted($id, 1, 'three have ended');
	$people[1]->query_safe('BEGIN');
	skips($people[1], $id + 3);
	$people[2]->query_until(qr/asked/, "\\echo asked\nSELECT josch.rerun($id, '$DATE');\n");
	$node->wait_until('he waits', "SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ~ 'rerun'");
	$people[1]->query_safe('COMMIT');
	$people[2]->query_safe('SELECT 1');
	is($node->node_is($id + 4, 'unmet'), 1, 'one is done again');
};

$_->quit foreach @people;
done_testing();
