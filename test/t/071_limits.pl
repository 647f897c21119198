# test/t/071_limits.pl
#
# Semaphores, places of a job, priorities and pauses: what starts, what waits and why,
# whoever dies or holds a row meanwhile. What was never exceeded is read from the runs alone.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('limits', conf => "josch.max_running = 40\njosch.max_sql_workers = 4\nmax_prepared_transactions = 2\njosch.now = '2024-03-01 08:00:00+00'");

sub move_clock
{
	my ($to) = @_;
	$node->sql("ALTER SYSTEM SET josch.now = '$to'");
	$node->sql('SELECT pg_reload_conf()');
	return;
}

sub set
{
	my ($setting, $value) = @_;
	$node->sql("ALTER SYSTEM SET $setting = $value");
	$node->sql('SELECT pg_reload_conf()');
	return;
}

# needs(node => 'semaphore', units, ...)
sub needs
{
	my ($id, @needs) = @_;
	while (my ($name, $units) = splice @needs, 0, 2)
	{
		$node->sql("INSERT INTO josch.tpl_node_semaphores VALUES ($id, '$name', $units)");
	}
	return;
}

my $UNTIL = 'while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done';
sub end { append_to_file("$node->{work}/$_.end", '') foreach @_; return }

sub wait_for_reason
{
	my ($id, $reason, $detail) = @_;
	return $node->wait_until("node $id: $reason", "SELECT reason = '$reason' AND detail ~ '$detail' FROM josch.why($id, '$DATE') LIMIT 1");
}

# Who has what: from the states of the nodes, and as the table has it.
my $WRONG = q{SELECT count(*) FROM (SELECT n.job_date, n.node_id, s.semaphore_name, s.units FROM josch.nodes n
	JOIN josch.node_semaphores s ON s.job_date = n.job_date AND s.node_id = n.node_id WHERE n.state IN ('running', 'up', 'unknown')) n
	FULL JOIN (SELECT * FROM josch.units_in_use WHERE limit_kind = 's') u
	ON u.job_date = n.job_date AND u.node_id = n.node_id AND u.limit_name = n.semaphore_name AND u.units = n.units
	WHERE n.node_id IS NULL OR u.node_id IS NULL};
sub units_are_true { is($node->sql($WRONG), '0', shift // 'what is taken is what runs'); return }

# The most that was taken at one time of each semaphore, and of each job's places, by a sweep over the runs; an end comes before a start of the same moment.
my $SWEEP = q{WITH taken AS (
		SELECT s.semaphore_name AS name, s.units, r.requested_at, r.ended_at FROM josch.runs r JOIN josch.node_semaphores s USING (job_date, node_id) WHERE r.node_id >= 1000
		UNION ALL SELECT 'job ' || n.job_name, 1, r.requested_at, coalesce(r.up_at, r.ended_at) FROM josch.runs r JOIN josch.nodes n USING (job_date, node_id)),
	steps AS (SELECT name, requested_at AS at, units AS change FROM taken UNION ALL SELECT name, coalesce(ended_at, 'infinity'), -units FROM taken),
	levels AS (SELECT name, sum(change) OVER (PARTITION BY name ORDER BY at, change ROWS UNBOUNDED PRECEDING) AS used FROM steps)
	SELECT max(used) FROM levels WHERE name = '%s'};
sub most { return $node->sql(sprintf $SWEEP, shift) }

$node->sql("INSERT INTO josch.semaphores (semaphore_name, capacity) VALUES ('A', 3), ('B', 2), ('C', 4)");

subtest 'what starts, what waits, and why' => sub {
	$node->add([ 1, 'N', $UNTIL ], [ 2, 'N', $UNTIL ], [ 3, 'N', $UNTIL ], [ 4, 'N', 'true' ], [ 5, 'N', 'true' ], [ 6, 'N', undef, exec_sql => 'SELECT 1' ], [ 7, 'N', 'true' ]);
	needs(1, A => 2);
	needs(2, A => 1, B => 1);
	needs(3, A => 2);
	needs(4, A => 4);
	needs(6, A => 1);
	$node->depend(3 => 5);
	$node->schedule;
	$node->wait_for('running', 1, 2);
	$node->wait_for('succeeded', 7);
	wait_for_reason(3, 'semaphore', '^it needs 2 units of semaphore "A", of which 0 of 3 are free: held by "node 1" since 2024-03-01 .*, and by 1 other$');
	wait_for_reason(5, 'parent', '^waits for "node 3": it needs 2 units of semaphore "A", .* held by "node 1" since');
	wait_for_reason(4, 'never_fits', '^it needs 4 units of semaphore "A", and can never start while its capacity is 3$');
	wait_for_reason(6, 'semaphore', '"A", of which 0');
	units_are_true();
	is($node->sql("SELECT capacity, used, free, waiting, oldest_wait = '2024-03-01 08:00+00', jsonb_path_query_array(holders, '\$[*].node_id') FROM josch.semaphore_use WHERE semaphore_name = 'A'"),
		'3|3|0|3|t|[1, 2]', 'josch.semaphore_use');
	end(2);
	$node->wait_for('succeeded', 2, 6);
	is($node->node_is(3, 'state'), 'ready', 'two units are not there yet');
	end(1);
	$node->wait_for('running', 3);
	$node->sql("UPDATE josch.semaphores SET capacity = 5 WHERE semaphore_name = 'A'");
	end(3);
	$node->wait_for('succeeded', 3, 4, 5);
	units_are_true();
};

subtest 'capacity is changed while it is in use' => sub {
	$node->job('capacity');
	$node->add([ 11, 'N', $UNTIL ], [ 12, 'N', $UNTIL ], [ 13, 'N', 'true' ]);
	needs($_, A => 2) foreach 11 .. 13;
	$node->schedule;
	$node->wait_for('running', 11, 12);
	$node->sql("UPDATE josch.semaphores SET capacity = 2 WHERE semaphore_name = 'A'");
	end(11);
	$node->wait_for('succeeded', 11);
	wait_for_reason(13, 'semaphore', '0 of 2 are free');
	is($node->node_is(12, 'state'), 'running', 'what has more goes on');
	$node->sql("UPDATE josch.semaphores SET capacity = 0 WHERE semaphore_name = 'A'");
	end(12);
	$node->wait_for('succeeded', 12);
	wait_for_reason(13, 'semaphore', '^semaphore "A" is closed: its capacity is 0');
	$node->sql("DELETE FROM josch.tpl_node_semaphores WHERE semaphore_name = 'A'; DELETE FROM josch.semaphores WHERE semaphore_name = 'A'");
	wait_for_reason(13, 'never_fits', '^semaphore "A" does not exist');
	$node->sql("INSERT INTO josch.semaphores VALUES ('A', 3)");
	$node->wait_for('succeeded', 13);
};

subtest 'a big one among a stream of small ones' => sub {
	$node->job('stream');
	$node->add(map { [ $_, 'N', $UNTIL ] } 21 .. 26);
	needs($_, A => 1) foreach 21, 22, 24, 25, 26;
	needs(23, A => 3);
	$node->sql("UPDATE josch.tpl_nodes SET start_time = '08:01' WHERE node_id = 23; UPDATE josch.tpl_nodes SET start_time = '08:02' WHERE node_id = 24;
		UPDATE josch.tpl_nodes SET start_time = '08:03' WHERE node_id IN (25, 26)");
	$node->sql("UPDATE josch.tpl_jobs SET time_zone = 'UTC'");
	$node->schedule;
	$node->wait_for('running', 21, 22);
	move_clock('2024-03-01 08:02:00+00');
	$node->wait_for('running', 24);		# it overtakes
	move_clock('2024-03-01 08:05:00+00');
	end(21);
	$node->wait_for('succeeded', 21);
	$node->wait_for('running', 25);		# so does this one
	move_clock('2024-03-01 08:11:01+00');
	end(22);
	$node->wait_for('succeeded', 22);
	wait_for_reason(26, 'reserved', '^semaphore "A" is kept for "node 23", which has waited since 2024-03-01 08:0');
	is($node->node_is(26, 'state'), 'ready', 'now nobody overtakes');
	end(24, 25);
	$node->wait_for('running', 23);
	wait_for_reason(26, 'semaphore', 'held by "node 23"');
	end(23, 26);
	$node->wait_for('succeeded', 21 .. 26);
};

# The order in which these have started.
sub order { return $node->sql('SELECT string_agg(node_id::text, \' \' ORDER BY run_id) FROM josch.runs WHERE node_id IN (' . join(', ', @_) . ')') }

subtest 'priorities, and age' => sub {
	move_clock('2024-03-01 09:00:00+00');
	set('josch.max_running', 1);
	$node->job('priorities');
	$node->add([ 31, 'N', $UNTIL ], [ 32, 'N', 'true', priority => -1, start_time => '08:00' ], [ 33, 'N', 'true' ], [ 34, 'N', 'true', priority => 5 ], [ 35, 'N', 'true', priority => 1000 ]);
	$node->sql("UPDATE josch.tpl_nodes SET priority = 1000 WHERE node_id = 31; UPDATE josch.tpl_jobs SET time_zone = 'UTC'");
	$node->schedule;
	$node->wait_for('running', 31);
	wait_for_reason(33, 'max_running', '^1 commands run');
	wait_for_reason(34, 'max_running', '^1 commands run');
	end(31);
	$node->wait_for('succeeded', 31 .. 35);
	is(order(32 .. 35), '35 34 33 32', 'the highest first');

	# another half an hour makes six points
	$node->job('age');
	$node->add([ 41, 'N', $UNTIL, priority => 1000 ], [ 42, 'N', 'true', priority => 2 ], [ 43, 'N', 'true' ], [ 44, 'N', 'true', priority => 5, start_time => '9:20' ],
		[ 45, 'N', 'true', priority => 10, start_time => '9:20' ]);
	$node->sql("UPDATE josch.tpl_jobs SET time_zone = 'UTC'");
	$node->schedule;
	$node->wait_for('running', 41);
	move_clock('2024-03-01 09:30:00+00');
	$node->wait_until('all are due', "SELECT count(*) = 3 FROM josch.waiting WHERE node_id BETWEEN 42 AND 45 AND waits_for = 'l'");
	end(41);
	$node->wait_for('succeeded', 41 .. 45);
	is(order(42 .. 45), '45 42 44 43', 'who has waited twenty minutes longer is worth four points, among those without a priority, too')
		or diag $node->sql('SELECT * FROM josch.waiting');
	set('josch.max_running', 40);
};

# The numbers of their needs have the same 32 bits of a hash: who took these for what they need would let one of them stand before the other for ever.
subtest 'needs that have nothing in common' => sub {
	$node->job('apart');
	$node->sql("INSERT INTO josch.semaphores VALUES ('kind 1913', 0), ('kind 272775', 1)");
	$node->add(map { [ $_, 'N', 'true' ] } 56, 57);
	needs(56, 'kind 1913', 1);
	needs(57, 'kind 272775', 1);
	$node->schedule;
	$node->wait_for('succeeded', 57);
	wait_for_reason(56, 'semaphore', 'is closed');
	$node->act(skip => 56);
};

subtest 'places of a job' => sub {
	$node->job('narrow');
	$node->sql("UPDATE josch.tpl_jobs SET max_running = 2 WHERE job_name = 'narrow'");
	$node->add((map { [ $_, 'N', $UNTIL ] } 51 .. 54), [ 55, 'L', $UNTIL, ready_command => 'true' ]);
	$node->sql("UPDATE josch.tpl_nodes SET priority = 1 WHERE node_id = 55");
	$node->schedule;
	$node->wait_for('up', 55);		# then it has no place any more
	$node->wait_for('running', 51, 52);
	wait_for_reason(53, 'max_running_job', '^2 nodes of job "narrow" run, and it allows 2: held by "node 51" since .*, and by 1 other$');
	is($node->sql("SELECT count(*) FROM josch.units_in_use WHERE limit_kind = 'j'"), '2', 'two have a place');
	$node->sql("UPDATE josch.jobs SET max_running = NULL WHERE job_name = 'narrow'");
	$node->wait_for('running', 53, 54);
	end(51 .. 55);
	$node->wait_for('succeeded', 51 .. 54);
	$node->wait_for('succeeded', 55);
	is($node->sql('SELECT count(*) FROM josch.units_in_use'), '0', 'nobody has anything');
};

subtest 'pauses' => sub {
	$node->job('paused');
	$node->add([ 61, 'N', $UNTIL ], [ 62, 'N', 'true' ], [ 63, 'N', undef, exec_sql => 'SELECT 1' ], [ 64, 'S' ], [ 65, 'N', 'true' ], [ 66, 'N', undef ]);
	needs(65, A => 1);
	$node->sql("INSERT INTO josch.tpl_node_deps (p_node_id, c_node_id) VALUES (61, 62)");
	$node->sql("SELECT josch.pause(job_name => 'paused', comment => 'the feed is late')");
	$node->schedule;
	$node->wait_for('signoff', 64);
	$node->wait_for('succeeded', 66);
	wait_for_reason($_, 'paused_job', '^job "paused" is paused by .* since 2024-03-01 .*: the feed is late$') foreach 61, 63, 65;
	$node->wait_until('they are put aside', "SELECT count(*) = 3 FROM josch.waiting WHERE waits_for = 'x'");
	like($node->sql("SELECT detail FROM josch.health() WHERE component = 'paused'"), qr/^Job "paused" is paused by .*: the feed is late: nothing of it starts/, 'josch.health() tells');
	$node->sql("SELECT josch.pause('paused', '$DATE')");
	$node->sql("SELECT josch.resume('paused', comment => 'there it is')");
	wait_for_reason(61, 'paused_job', '^its day is paused');
	is($node->node_is(61, 'attempt'), '0', 'the day is paused still');
	$node->sql("SELECT josch.resume('paused', '$DATE')");
	$node->wait_for('running', 61);
	$node->wait_for('succeeded', 63, 65);
	$node->wait_until('nothing is left of it', 'SELECT NOT EXISTS (SELECT FROM josch.pauses)');
	is($node->sql("SELECT string_agg(operation || ' ' || coalesce(comment, '-'), ', ' ORDER BY audit_id) FROM josch.pauses_audit WHERE what = 'job'"),
		'INSERT the feed is late, UPDATE there it is', 'both acts are on record');

	$node->sql('SELECT josch.pause(comment => $$all$$)');
	end(61);
	$node->wait_for('succeeded', 61);	# what runs goes on
	wait_for_reason(62, 'paused_database', '^the database is paused by .*: all$');
	$node->sql('SELECT josch.resume()');
	$node->wait_for('succeeded', 62);

	$node->sql("SELECT josch.pause(semaphore_name => 'A')");
	$node->job('paused semaphore');
	$node->add([ 67, 'N', 'true' ], [ 68, 'N', 'true' ]);
	needs(67, A => 1);
	$node->schedule;
	$node->wait_for('succeeded', 68);
	wait_for_reason(67, 'semaphore', '^semaphore "A" is paused by');
	$node->sql("SELECT josch.resume(semaphore_name => 'A')");
	$node->wait_for('succeeded', 67);
};

subtest 'somebody holds the first' => sub {
	$node->job('held');
	$node->add([ 71, 'N', $UNTIL ], [ 72, 'N', 'true' ], [ 73, 'N', 'true' ]);
	needs($_, B => 2) foreach 71 .. 73;
	$node->schedule;
	$node->wait_for('running', 71);
	$node->sql("BEGIN; SELECT FROM josch.nodes WHERE node_id = 72 AND job_date = '$DATE' FOR UPDATE; PREPARE TRANSACTION 'holder'");
	end(71);
	$node->wait_for('succeeded', 71, 73);
	is($node->node_is(72, 'attempt'), '0', 'who is held waits, and nobody waits for it');
	$node->sql("ROLLBACK PREPARED 'holder'");
	$node->wait_for('succeeded', 72);
	units_are_true();
};

# More than a piece of what is paused stands between the one that is held and the last one.
subtest 'somebody holds one that is resumed' => sub {
	$node->job('resumed');
	$node->add([ 75, 'N', undef, exec_sql => 'SELECT 1' ], [ 300001, 'N', undef, exec_sql => 'SELECT 1' ]);
	$node->job('stays paused');
	$node->sql("INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) SELECT i, 'N', 'stays paused', i, 'SELECT 1' FROM generate_series(200001, 200700) i");
	$node->sql("SELECT josch.pause('resumed'), josch.pause('stays paused')");
	$node->sql("SELECT josch.schedule('$DATE', job) FROM unnest(ARRAY['resumed', 'stays paused']) job");
	$node->wait_until('they are put aside', "SELECT count(*) = 702 FROM josch.waiting WHERE waits_for = 'x'");
	$node->sql("BEGIN; SELECT FROM josch.nodes WHERE node_id = 75 AND job_date = '$DATE' FOR UPDATE; PREPARE TRANSACTION 'holder'");
	$node->sql("SELECT josch.resume('resumed')");
	$node->wait_for('succeeded', 300001);
	is($node->node_is(75, 'state'), 'ready', 'who is held waits, and nobody waits for it');
	$node->sql("ROLLBACK PREPARED 'holder'");
	$node->wait_for('succeeded', 75);
	$node->wait_until('what was resumed is forgotten', "SELECT NOT EXISTS (SELECT FROM josch.pauses WHERE name = 'resumed')");
	$node->sql("SELECT josch.unschedule('$DATE', 'stays paused'); SELECT josch.resume('stays paused')");
	$node->sql("DELETE FROM josch.tpl_nodes WHERE job_name = 'stays paused'");
};

subtest 'who died, and whose end nobody knows' => sub {
	set('josch.now', "''");
	$node->job('unknown');
	$node->add([ 81, 'N', $UNTIL ], [ 82, 'N', 'true' ], [ 83, 'N', $UNTIL ], [ 84, 'N', $UNTIL ]);
	needs($_, B => 2) foreach 81, 82;
	needs($_, C => 2) foreach 83, 84;
	$node->schedule;
	$node->wait_for('running', 81, 83, 84);
	$node->wait_until('they have started', 'SELECT count(*) = 3 FROM josch.runs WHERE node_id IN (81, 83, 84) AND pid IS NOT NULL');
	$node->stop('immediate');
	$node->start;
	units_are_true('after a crash, too');
	wait_for_reason(82, 'semaphore', 'held by "node 81"');
	my $pid = $node->run_is(81, 'pid');
	$node->kill_runner;
	kill 'KILL', -$pid;
	$node->wait_for('unknown', 81);
	is($node->node_is(82, 'state'), 'ready', 'what may live keeps its units');
	units_are_true();
	$node->act(mark_failed => 81, 'gone');
	$node->wait_for('succeeded', 82);
	end(83, 84);
	$node->wait_for('unknown', 83, 84);
	units_are_true('of these, too');
	$node->act(mark_success => $_) foreach 83, 84;
	$node->act(skip => 81, 'not needed');
	is($node->sql('SELECT count(*) FROM josch.units_in_use'), '0', 'all is given back');
};

subtest 'any days' => sub {
	srand(my $seed = $ENV{JOSCH_SEED} // 1);
	note("seed $seed");
	foreach my $round (1 .. 3)
	{
		my $first = 1000 * $round;
		$node->job("random $round");
		$node->sql("UPDATE josch.tpl_jobs SET max_running = 7 WHERE job_name = 'random $round'");
		$node->add(map { [ $_, 'N', rand() < 0.7 ? ('sleep ' . sprintf '%.2f', rand(0.2)) : (undef, exec_sql => 'SELECT pg_sleep(' . sprintf('%.2f', rand 0.1) . ')'),
			retries => 2, retry_delay => '00:00:01', priority => int(rand 3) ] } $first .. $first + 79);
		foreach my $id ($first .. $first + 79)
		{
			foreach my $semaphore ([ A => 3 ], [ B => 2 ], [ C => 4 ])
			{
				needs($id, $semaphore->[0], 1 + int rand $semaphore->[1]) if rand() < 0.4;
			}
			$node->depend($first + int(rand($id - $first)) => $id) if $id > $first && rand() < 0.5;
		}
		$node->sql("SELECT josch.schedule(date '$DATE' + $round, 'random $round')");
		$node->restart if $round == 3;	# it ends SQL that runs, which is tried again
	}
	$node->wait_until('all ran', "SELECT count(*) = 240 FROM josch.nodes WHERE job_name LIKE 'random%' AND state = 'succeeded'");
	is(join(' ', map { most($_) } qw(A B C)), '3 2 4', 'no capacity was exceeded, and each was used up');
	cmp_ok(most("job random $_"), '<=', 7, 'nor the places of a job') foreach 1 .. 3;
	is($node->sql('SELECT count(*) FROM josch.units_in_use'), '0', 'all is given back');
	is($node->sql($JoschNode::UNTRUE), '0', 'what waits is listed, and nothing else');
};

$node->stop;
done_testing();
