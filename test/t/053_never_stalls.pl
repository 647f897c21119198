# test/t/053_never_stalls.pl
#
# Neither a person's open transaction nor a node that cannot be handled keeps
# others from their work, and no error is repeated for ever.
use strict;
use warnings;
use Test::More;
use File::Path qw(rmtree);
use PostgreSQL::Test::Utils;
use Time::HiRes qw(time);
use JoschNode qw($DATE eventually lives literal);

my $node = JoschNode->create('never_stalls');
my $next = 0;

# A new job of a chain $first -> + 1 -> + 2 of commands, to see that others go on.
sub others_go_on
{
	my $first = 1000 + 10 * $next++;
	$node->job("others $first");
	$node->add(map { [ $_, 'N', 'true' ] } $first .. $first + 2);
	$node->depend($first => $first + 1, $first + 1 => $first + 2);
	$node->schedule;
	return $node->wait_for('succeeded', $first .. $first + 2);
}

sub passes { return $node->sql("SELECT substring(detail FROM 'passes (\\d+)') FROM josch.health() WHERE component = 'scheduler'"); }

# The scheduler has pauses that grow to a second or more: beside those that $work gives it, it makes no more than $spare passes, and
# one a second. On a busy machine all takes longer, and so more are allowed.
sub looks_seldom
{
	my ($spare, $work, $what) = @_;
	my ($start, $before) = (time, passes());
	$work->($before);
	my $made = passes() - $before;
	my $allowed = $spare + time - $start;
	ok($made <= $allowed, $what) or diag "$made passes, where $allowed are allowed";
	return;
}

# What the server's log says from here on.
my $log_at = 0;
sub complaints
{
	my $log = substr slurp_file($node->logfile), $log_at;
	$log_at += length $log;
	return join "\n", grep { /ERROR:|WARNING:|PANIC:|set aside/ && !/terminating connection/ } split /\n/, $log;
}

# Begins a transaction of a person.
sub person
{
	my ($query) = @_;
	my $session = $node->background_psql('postgres', on_error_stop => 0);
	$session->query_safe("BEGIN; $query");
	return $session;
}

# Three commands and a milestone are parents of a node that somebody holds; one of them has another child.
my $held = 10;
foreach my $case ([ 'SELECT josch.hold(%d, %s)', 'ROLLBACK' ], [ 'SELECT josch.hold(%d, %s)', 'COMMIT' ],
	[ 'SELECT 1 FROM josch.nodes WHERE node_id = %d AND job_date = %s FOR UPDATE', 'COMMIT' ],
	[ 'SELECT josch.hold(%d, %s)', 'the server dies' ])
{
	my ($query, $end) = @$case;
	my $base = $held;
	$held += 10;
	subtest "a child is held in an open transaction: $query; $end" => sub {
		my ($child, @parents) = map { $base + $_ } 0 .. 4;
		my ($sibling, $later) = ($base + 5, $base + 6);
		$node->sql('ALTER SYSTEM SET josch.max_running = 1');
		$node->reload;
		$node->job("held $base");
		$node->add([ $child, 'N', 'echo here >> $WORK/$NODE_ID' ], (map { [ $_, 'N', "while [ ! -e \$WORK/$base.end ]; do sleep 0.05; done" ] } @parents[0 .. 2]),
			[ $parents[3], 'N', undef ], [ $sibling, 'N', 'true' ], [ $later, 'N', undef ]);
		$node->depend((map { $_ => $child } @parents), $parents[0] => $sibling, $sibling => $later, $later => $child);
		$node->schedule;
		$node->wait_for('running', $parents[0]);
		my $person = person(sprintf $query, $child, literal($DATE));
		append_to_file("$node->{work}/$base.end", '');
		$node->wait_for('succeeded', @parents, $sibling, $later);
		others_go_on();
		isnt($node->node_is($child, 'state'), 'succeeded', 'it waits for the person');
		looks_seldom(8, sub { my ($before) = @_; eventually('it looks again', sub { passes() > $before + 2 }) },
			'the scheduler does not look again all the time');
		if ($end eq 'the server dies')
		{
			eval { $person->query('SELECT pg_backend_pid()') };
			$node->stop('immediate');
			$node->start;
		}
		else
		{
			$person->query_safe($end);
		}
		if ($end eq 'COMMIT' && $query =~ /hold/)
		{
			is($node->node_is($child, 'state'), 'held', 'as the person wished');
			$node->act('release', $child);
		}
		$node->wait_for('succeeded', $child);
		is($node->file($child), "here\n", 'and ran once');
		is($node->node_is($child, 'unmet'), 0, 'its parents are counted');
		is($node->sql('SELECT count(*) FROM josch.recounts'), 0, 'nothing is left to count');
		eval { $person->quit };
		is(complaints(), '', 'nobody complains');
		$node->sql('ALTER SYSTEM RESET josch.max_running');
		$node->reload;
	};
}

# A parent that was up fails while somebody holds its child: another may mend the parent all the same.
subtest 'a parent fails unheard of, and is mended' => sub {
	my ($parent, $child) = (55, 56);
	$node->job('unheard');
	$node->add([ $parent, 'L', "while [ ! -e \$WORK/$parent.end ]; do sleep 0.05; done; exit 3" ], [ $child, 'S', undef ]);
	$node->sql("UPDATE josch.tpl_nodes SET ready_after = '50 ms' WHERE node_id = $parent");
	$node->depend($parent => $child);
	$node->schedule;
	$node->wait_for('signoff', $child);
	my $person = person(sprintf 'SELECT 1 FROM josch.nodes WHERE node_id = %d AND job_date = %s FOR UPDATE', $child, literal($DATE));
	append_to_file("$node->{work}/$parent.end", '');
	$node->wait_for('failed', $parent);
	$node->act('mark_success', $parent);
	$person->query_safe('COMMIT');
	$person->quit;
	$node->wait_for('succeeded', $parent);
	eventually('all is counted', sub { $node->sql('SELECT count(*) FROM josch.recounts') eq '0' });
	is($node->node_is($child, 'unmet'), 0, 'its child waits for nothing');
	is(complaints(), '', 'nobody complains');
};

# A node that waits for a place is locked when the place is free.
my $locked = 60;
foreach my $case ([ 'SELECT josch.hold(%d, %s)', 'ROLLBACK' ], [ 'SELECT josch.hold(%d, %s)', 'COMMIT' ],
	[ 'SELECT 1 FROM josch.nodes WHERE node_id = %d AND job_date = %s FOR UPDATE', 'ROLLBACK' ],
	[ 'SELECT 1 FROM josch.nodes WHERE node_id = %d AND job_date = %s FOR UPDATE', 'COMMIT' ])
{
	my ($query, $end) = @$case;
	my $first = $locked;
	my $second = $locked + 1;
	$locked += 2;
	subtest "a node is locked when its turn comes: $query; $end" => sub {
		$node->sql('ALTER SYSTEM SET josch.max_running = 1');
		$node->reload;
		$node->job("locked $first");
		$node->add([ $first, 'N', "while [ ! -e \$WORK/$first.end ]; do sleep 0.05; done" ], [ $second, 'N', 'true' ]);
		$node->schedule;
		$node->wait_for('running', $first);
		is($node->node_is($second, 'state'), 'ready', 'it waits for a place');
		my $person = person(sprintf $query, $second, literal($DATE));
		append_to_file("$node->{work}/$first.end", '');
		$node->wait_for('succeeded', $first);
		others_go_on();
		is($node->node_is($second, 'state'), 'ready', 'it waits for the person');
		$person->query_safe($end);
		if ($end eq 'COMMIT' && $query =~ /hold/)
		{
			is($node->node_is($second, 'state'), 'held', 'as the person wished');
			$node->act('release', $second);
		}
		$node->wait_for('succeeded', $second);
		$person->quit;
		is(complaints(), '', 'nobody complains');
		$node->sql('ALTER SYSTEM RESET josch.max_running');
		$node->reload;
	};
}

# A node that runs is locked when its end comes.
subtest 'an end that somebody holds' => sub {
	$node->job('held end');
	$node->add([ 91, 'N', 'while [ ! -e $WORK/91.end ]; do sleep 0.05; done' ], [ 92, 'N', 'while [ ! -e $WORK/91.end ]; do sleep 0.05; done' ]);
	$node->schedule;
	$node->wait_for('running', 91, 92);
	my $person = person('SELECT 1 FROM josch.nodes WHERE node_id = 91 FOR UPDATE');
	append_to_file("$node->{work}/91.end", '');
	$node->wait_for('succeeded', 92);
	others_go_on();
	is($node->node_is(91, 'state'), 'running', 'it waits for the person');
	$person->query_safe('ROLLBACK');
	$node->wait_for('succeeded', 91);
	$person->quit;
	is(complaints(), '', 'nobody complains');
};

# SQL has committed, and then its time is up before its end can be applied.
subtest 'a time that is up too late' => sub {
	$node->job('late');
	$node->add([ 95, 'N', undef, exec_sql => 'SELECT pg_advisory_xact_lock(95)', stop_grace => '0' ]);
	my $gate = person('SELECT pg_advisory_lock(95)');
	$node->schedule;
	$node->wait_until('the SQL waits', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'});
	my $person = person('SELECT 1 FROM josch.nodes WHERE node_id = 95 FOR UPDATE');
	$gate->quit;
	$node->wait_until('it has committed', 'SELECT count(*) = 1 FROM josch.sql_ends');
	$node->sql("BEGIN; ALTER TABLE josch.runs DISABLE TRIGGER guard; UPDATE josch.runs SET timeout = '1 ms' WHERE node_id = 95;"
		. ' ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard; COMMIT; SELECT josch.wake()');
	$node->wait_until('its time is up', 'SELECT timed_out FROM josch.runs WHERE node_id = 95');
	$person->query_safe('ROLLBACK');
	$person->quit;
	$node->wait_for('succeeded', 95);
	complaints();
};

# SQL whose time is up, and whose run is held: the scheduler hears of others' stops all the same.
subtest 'a time that is up, of a run that somebody holds' => sub {
	my $sql = 'SELECT pg_sleep(1000)';
	$node->job('held time');
	$node->add([ 96, 'N', undef, exec_sql => $sql, timeout => '2 s' ], [ 97, 'N', undef, exec_sql => $sql ], [ 98, 'N', 'sleep 1000' ]);
	$node->schedule;
	$node->wait_until('all have started', "SELECT count(*) = 3 FROM josch.runs WHERE status = 'running' AND node_id IN (96, 97, 98)");
	my $person = person('SELECT 1 FROM josch.runs WHERE node_id = 96 FOR UPDATE');
	$node->wait_until('its time is up', 'SELECT started_at + timeout < clock_timestamp() FROM josch.runs WHERE node_id = 96');
	$node->act('stop', $_) foreach 97, 98;
	$node->wait_for('failed', 97, 98);
	is($node->node_is(96, 'state'), 'running', 'it waits for the person');
	$person->query_safe('ROLLBACK');
	$person->quit;
	$node->wait_for('failed', 96);
	like($node->node_is(96, 'message'), qr/^timed out/, 'and is ended then');
	complaints();
};

# A user's trigger that refuses one node a state.
sub refuse
{
	my ($id, $state, $raise) = @_;
	$raise //= "RAISE EXCEPTION 'not on my watch' USING DETAIL = 'node ' || NEW.node_id";
	return $node->sql("CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN"
		. " IF NEW.node_id = $id AND NEW.state IN ('" . join("', '", split / /, $state) . "') THEN $raise; END IF; RETURN NEW; END\$\$");
}

subtest 'a node that cannot be handled' => sub {
	refuse(0, 'none');
	$node->sql('CREATE TRIGGER refuse AFTER UPDATE ON josch.nodes FOR EACH ROW EXECUTE FUNCTION refuse()');
	foreach my $case ([ 101, 'running' ], [ 111, 'succeeded' ])
	{
		my ($first, $state) = @$case;
		refuse($first + 3, $state);
		my @others = grep { $_ != $first + 3 } $first .. $first + 8;
		$node->job("refused $first");
		$node->add(map { [ $_, 'N', 'echo here >> $WORK/$NODE_ID' ] } $first .. $first + 8);
		$node->schedule;
		$node->wait_for('succeeded', @others);
		$node->wait_for('failed', $first + 3);
		is(join('', map { $node->file($_) } @others), "here\n" x 8, "$state: each of the others ran once");
		is($node->node_is($first + 3, 'message'), 'not on my watch: node ' . ($first + 3), "$state: it has the error's text");
	}
	is($node->run_is(114, 'status'), 'failed', 'and so has its run');
	refuse(0, 'none');
	$node->act('retry', 104);
	$node->wait_for('succeeded', 104);

	refuse(120, 'running', "IF NEW.attempt > 1 THEN RAISE EXCEPTION 'not again'; END IF");
	$node->job('refused later');
	$node->add([ 120, 'N', 'exit 3' ]);
	$node->schedule;
	$node->wait_for('failed', 120);
	my $former = $node->sql('SELECT r FROM josch.runs r WHERE node_id = 120');
	$node->act('retry', 120);
	$node->wait_until('it is refused the second time', q{SELECT state = 'failed' AND message = 'not again' FROM josch.nodes WHERE node_id = 120});
	is($node->sql('SELECT r FROM josch.runs r WHERE node_id = 120'), $former, 'what is on record of its first run stays as it was');

	refuse(121, 'up');
	$node->job('refused up');
	$node->add([ 121, 'L', 'sleep 1000', ready_after => '0' ]);
	$node->schedule;
	$node->wait_for('failed', 121);
	my $pid = $node->run_is(121, 'pid');
	like($pid, qr/^\d+$/, 'its process is on record');
	eventually('a command whose node has failed does not run on', sub { !lives($pid) });
	complaints();
};

subtest 'a run that a trigger of somebody\'s leaves out' => sub {
	$node->sql('CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;'
		. ' CREATE TRIGGER a_leave_out BEFORE INSERT ON josch.runs FOR EACH ROW WHEN (NEW.node_id = 127) EXECUTE FUNCTION leave_out()');
	$node->job('left out');
	$node->add(map { [ $_, 'N', 'echo here >> $WORK/$NODE_ID' ] } 126 .. 128);
	$node->schedule;
	$node->wait_for('succeeded', 126, 128);
	$node->wait_for('failed', 127);
	is($node->node_is(127, 'message'), 'a trigger on josch.runs suppressed the run', 'its node does not run for ever');
	is(join('', map { $node->file($_) // '-' } 126 .. 128), "here\n-here\n", 'the others ran, once');
	$node->sql('DROP TRIGGER a_leave_out ON josch.runs');
	$node->act('retry', 127);
	$node->wait_for('succeeded', 127);
	complaints();
};

subtest 'an error at the commit' => sub {
	refuse(132, 'succeeded');
	$node->sql('DROP TRIGGER refuse ON josch.nodes; CREATE CONSTRAINT TRIGGER refuse AFTER UPDATE ON josch.nodes'
		. ' DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()');
	$node->job('deferred');
	$node->add(map { [ $_, 'N', 'true' ] } 131 .. 134);
	$node->schedule;
	$node->wait_for('succeeded', 131, 133, 134);
	$node->wait_for('failed', 132);
	like($node->node_is(132, 'message'), qr/^not on my watch/, "it has the error's text");
	$node->sql('DROP TRIGGER refuse ON josch.nodes; CREATE TRIGGER refuse AFTER UPDATE ON josch.nodes FOR EACH ROW EXECUTE FUNCTION refuse()');
	complaints();
};

subtest 'an error that passes by itself' => sub {
	$node->sql('CREATE SEQUENCE tries');
	refuse(141, 'running', "IF nextval('public.tries') < 3 THEN RAISE EXCEPTION 'again' USING ERRCODE = 'deadlock_detected'; END IF");
	$node->job('passing');
	$node->add([ 141, 'N', 'true' ], [ 142, 'N', 'true' ]);
	$node->schedule;
	$node->wait_for('succeeded', 141, 142);
	complaints();
};

subtest 'a node that can be neither handled nor failed' => sub {
	refuse(151, 'running failed');
	$node->job('hopeless');
	$node->add([ 151, 'N', 'true' ], [ 152, 'N', 'true' ]);
	$node->schedule;
	$node->wait_for('succeeded', 152);
	is($node->node_is(151, 'state'), 'ready', 'stays as it is');
	my $said = sub { return scalar(my @lines = (substr slurp_file($node->logfile), $log_at) =~ /^.*node.*151.*set aside/mg) };
	looks_seldom(20, sub { others_go_on(); eventually('it is tried again', sub { $said->() > 1 }) }, 'it is not tried all the time');
	my ($start, $before) = (time, $said->());
	eventually('and again', sub { $said->() > $before });
	my $allowed = $before + 1 + (time - $start);
	ok($said->() <= $allowed, 'nor does the log tell it all the time') or diag $said->() . " lines, where $allowed are allowed";
	complaints();
	$node->wait_until('health says what is the matter', "SELECT NOT up AND detail LIKE '%not on my watch%' FROM josch.health() WHERE component = 'scheduler'");
	refuse(0, 'none');
	$node->wait_for('succeeded', 151);
	$node->wait_until('and nothing when all is well', q{SELECT up FROM josch.health() WHERE component = 'scheduler'});
};

subtest 'what a node names is not there' => sub {
	$node->sql('CREATE ROLE passer_by');
	$node->job('missing');
	$node->add([ 161, 'N', undef, exec_sql => 'SELECT 1', owner => 'passer_by' ], [ 162, 'N', 'true', work_dir => "$node->{work}/gone" ],
		[ 163, 'S', undef ]);
	$node->depend(163 => 161, 163 => 162);
	$node->schedule;
	$node->sql('DROP ROLE passer_by');
	$node->act('signoff', 163);
	$node->wait_for('failed', 161, 162);
	like($node->node_is(161, 'message'), qr/role "passer_by", the owner of the node, does not exist/, 'the owner');
	like($node->node_is(162, 'message'), qr/gone.*No such file/, 'the folder');
	others_go_on();
	is(complaints(), '', 'nobody complains');
};

# Rows that a superuser took away with the triggers that guard them off.
subtest 'what is gone' => sub {
	my $gone = sub { $node->sql("SET session_replication_role = replica; DELETE FROM josch.$_[0]") };
	$node->job('gone');
	$node->add((map { [ $_, 'N', "while [ ! -e \$WORK/gone.end ]; do sleep 0.05; done" ] } 171, 172),
		[ 173, 'N', undef, exec_sql => 'SELECT pg_advisory_lock(173)' ]);
	my $person = person('SELECT pg_advisory_lock(173)');
	$node->schedule;
	$node->wait_for('running', 171, 172, 173);
	$gone->('nodes WHERE node_id IN (171, 173)');
	append_to_file("$node->{work}/gone.end", '');
	$person->query_safe('SELECT pg_advisory_unlock(173)');
	$person->quit;
	$node->wait_for('succeeded', 172);
	eventually('the runs of nodes that are gone end', sub { $node->sql('SELECT count(*) FROM josch.runs WHERE ended_at IS NULL') eq '0' });
	is($node->run_is(171, 'status'), 'succeeded', 'with what is known of them');
	eventually('nothing is set aside', sub {
		$node->sql("SELECT detail FROM josch.health() WHERE component = 'scheduler'") =~ /set aside 0/ });
	others_go_on();

	$node->job('gone itself');
	$node->add([ 176, 'S', undef ], [ 177, 'N', 'echo here >> $WORK/$NODE_ID' ]);
	$node->depend(176 => 177);
	$node->schedule;
	$node->wait_for('signoff', 176);
	$gone->("jobs WHERE job_name = 'gone itself'");
	$node->act('signoff', 176);
	$node->wait_for('failed', 177);
	like($node->node_is(177, 'message'), qr/^could not be started: .*variables that do not exist: "WORK"/, 'a command whose day is gone is not started without its variables');
	ok(!defined $node->file(177), 'nor at all');

	$node->job('gone with its runner');
	$node->add([ 181, 'N', 'sleep 1000' ]);
	$node->schedule;
	$node->wait_for('running', 181);
	$gone->('nodes WHERE node_id = 181');
	my @processes = ($node->runner_pid, $node->run_is(181, 'pid'));
	$node->stop('immediate');
	kill 'KILL', @processes;
	rmtree($node->{spool});
	$node->start;
	eventually('its run ends, too', sub { $node->sql('SELECT count(*) FROM josch.runs WHERE ended_at IS NULL') eq '0' });
	is($node->run_is(181, 'status'), 'unknown', 'of which nobody knows more');
};

done_testing();
