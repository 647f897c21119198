# test/t/059_commit_and_send.pl
#
# Between the commit of a pass and what is sent after it: of a pass that fails at
# its commit nothing has happened, nothing is sent and nothing forgotten; what one
# pass starts of several dates is not mixed up; places go to the oldest day.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('commit');
my $work = $node->{work};

# The first commits that bring a node into a state fail, as late as a commit can.
$node->sql(q{
	CREATE SEQUENCE failures;
	CREATE TABLE fails (node_id bigint, state text, times int);
	CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
		IF EXISTS (SELECT FROM public.fails f WHERE f.node_id = NEW.node_id AND f.state = NEW.state AND nextval('public.failures') <= f.times) THEN
			RAISE EXCEPTION 'not this time';
		END IF;
		RETURN NULL;
	END$$;
	CREATE FUNCTION put_off() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN SET CONSTRAINTS ALL DEFERRED; RETURN NULL; END$$;
	CREATE CONSTRAINT TRIGGER fail AFTER UPDATE ON josch.nodes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();
	CREATE TRIGGER put_off BEFORE UPDATE ON josch.nodes FOR EACH STATEMENT EXECUTE FUNCTION put_off();
});

sub fail_commits
{
	my ($id, $state, $times) = @_;
	return $node->sql("DELETE FROM fails; SELECT setval('failures', 1, false); INSERT INTO fails VALUES ($id, '$state', $times)");
}

sub failures { return $node->sql("SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM failures"); }

subtest 'a pass with an end in it fails at its commit' => sub {
	$node->job('ends');
	$node->add([ 1, 'N', 'echo here >> $WORK/$NODE_ID; exit 3' ], [ 2, 'N', 'true' ]);
	$node->depend(1 => 2);
	fail_commits(1, 'failed', 2);
	$node->schedule;
	$node->wait_for('failed', 1);
	cmp_ok(failures(), '>=', 3, 'it failed twice');
	is($node->sql('SELECT count(*), max(exit_code), max(message) FROM josch.runs WHERE node_id = 1'), '1|3|exit code 3', 'how it ended was not forgotten');
	# a second, and then two: nobody else wakes it
	is($node->sql("SELECT n.state_since - r.ended_at >= '2.5 s' FROM josch.nodes n JOIN josch.runs r USING (run_id) WHERE n.node_id = 1"), 't', 'a pause came before each try');
	is($node->file(1), "here\n", 'it ran once');
	is($node->node_is(2, 'state'), 'pending', 'its child waits');
};

subtest 'a pass with a start in it fails at its commit' => sub {
	$node->job('starts');
	$node->add([ 11, 'N', 'echo $RUN_ID >> $WORK/$NODE_ID' ]);
	fail_commits(11, 'running', 2);
	$node->schedule;
	$node->wait_for('succeeded', 11);
	cmp_ok(failures(), '>=', 3, 'it failed twice');
	is($node->file(11), $node->run_is(11, 'run_id') . "\n", 'what was not committed was not sent');
	is($node->sql('SELECT count(*) FROM josch.runs WHERE node_id = 11'), 1, 'nor is it on record');
};

# The runner stands still: what is sent stays in the socket, or in the scheduler. Then the server dies.
subtest 'the pass that compares both lists fails at its commit' => sub {
	my $runner = $node->runner_pid;
	$node->sql("INSERT INTO josch.environs VALUES ('LARGE', repeat('x', 100000))");
	$node->job('compared');
	$node->add(map { [ $_, 'N', 'echo $RUN_ID >> $WORK/$NODE_ID' ] } 21 .. 29);
	$node->sql('ALTER SYSTEM SET josch.max_running = 8');
	$node->reload;
	kill 'STOP', $runner;
	$node->schedule;
	$node->wait_until('the intents are committed', "SELECT count(*) = 8 FROM josch.runs WHERE status = 'starting' AND node_id BETWEEN 21 AND 29");
	fail_commits(29, 'running', 1);
	$node->sql('ALTER SYSTEM RESET josch.max_running');
	$node->stop('immediate');
	kill 'CONT', $runner;
	$node->start;
	$node->wait_for('succeeded', 21 .. 29);
	cmp_ok(failures(), '>=', 2, 'it failed once');
	is($node->file($_), $node->run_is($_, 'run_id') . "\n", "$_ ran once") foreach 21 .. 29;
	$node->sql("DELETE FROM josch.environs WHERE var = 'LARGE'");
};
$node->sql('DROP TRIGGER fail ON josch.nodes; DROP TRIGGER put_off ON josch.nodes');

# What the first pass of a scheduler has compared, and then could not commit, is compared again.
subtest 'the pass that looks for SQL fails at its commit' => sub {
	my $gate = $node->background_psql('postgres');
	$gate->query_safe('SELECT pg_advisory_lock(61)');
	$node->job('sql');
	$node->add([ 61, 'N', undef, exec_sql => 'SELECT pg_advisory_xact_lock(61)' ]);
	$node->schedule;
	$node->wait_until('the SQL waits', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND wait_event = 'advisory'});
	# an end of a run that nobody knows, which that pass throws away; the first commit of that fails
	$node->sql(q{
		CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF nextval('public.failures') <= 1 THEN RAISE EXCEPTION 'not this time'; END IF; RETURN NULL; END$$;
		CREATE CONSTRAINT TRIGGER fail AFTER DELETE ON josch.sql_ends DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail_once();
		CREATE TRIGGER put_off BEFORE DELETE ON josch.sql_ends FOR EACH STATEMENT EXECUTE FUNCTION put_off();
		SELECT setval('failures', 1, false);
		INSERT INTO josch.sql_ends VALUES (999999, 1, true, now(), 0)});
	$node->stop('immediate');
	eval { $gate->quit };
	$node->start;
	$node->wait_for('succeeded', 61);
	cmp_ok(failures(), '>=', 2, 'it failed once');
	is($node->run_is(61, 'tries'), 2, 'what was undone was done once more');
	$node->sql('DROP TRIGGER fail ON josch.sql_ends; DROP TRIGGER put_off ON josch.sql_ends');
};

my @dates = map { "2024-04-0$_" } 1 .. 4;

subtest 'several dates of one job in one pass' => sub {
	$node->job('dates');
	$node->add([ 31, 'N', 'echo $DATE ${PREV_DATE:-none} $JOB_NAME $NODE_ID $RUN_ID $ATTEMPT > $WORK/31.$DATE' ],
		[ 32, 'N', undef, exec_sql => q{SELECT current_setting('josch_run.DATE') || ' ' || current_setting('josch_run.RUN_ID')} ],
		[ 33, 'N', 'echo $DATE $NODE_ID > $WORK/33.$DATE' ]);
	$node->sql(join ' ', 'BEGIN;', (map { "SELECT josch.schedule('$_', 'dates');" } @dates), 'COMMIT');
	my $before = 'none';
	foreach my $date (@dates)
	{
		$node->wait_until("$date has run", "SELECT count(*) = 3 FROM josch.nodes WHERE job_name = 'dates' AND job_date = '$date' AND state = 'succeeded'");
		like($node->file("31.$date"), qr/^$date $before dates 31 @{[$node->run_is(31, 'run_id', $date)]} 1\n$/, "$date has its own variables");
		is($node->file("33.$date"), "$date 33\n", 'and each of its nodes');
		like($node->run_is(32, 'output_tail', $date), qr/^$date @{[$node->run_is(32, 'run_id', $date)]}$/m, 'and its SQL');
		$before = $date;
	}
	is($node->sql("SELECT count(DISTINCT a.xid) FROM josch.runs_audit a JOIN josch.runs r USING (run_id) WHERE a.operation = 'INSERT' AND r.node_id IN (31, 33)"), 1, 'all were started at once');
};

subtest 'the oldest day first' => sub {
	$node->sql('ALTER SYSTEM SET josch.max_running = 1');
	$node->sql('ALTER SYSTEM SET josch.max_sql_workers = 1');
	$node->reload;
	$node->wait_until('one place', q{SELECT setting = '1' FROM pg_settings WHERE name = 'josch.max_sql_workers'});
	$node->job('old');
	$node->add([ 42, 'N', 'true' ], [ 41, 'N', 'true' ], [ 43, 'N', undef, exec_sql => 'SELECT 1' ]);
	$node->sql(join ' ', 'BEGIN;', (map { "SELECT josch.schedule('$_', 'old');" } reverse @dates), 'COMMIT');
	$node->wait_until('all have run', q{SELECT count(*) = 12 FROM josch.nodes WHERE job_name = 'old' AND state = 'succeeded'});
	is($node->sql("SELECT string_agg(job_date || '/' || node_id, ' ' ORDER BY run_id) FROM josch.runs WHERE node_id IN (41, 42)"),
		join(' ', map { ("$_/41", "$_/42") } @dates), 'commands: the oldest day first, then by number');
	is($node->sql("SELECT string_agg(job_date::text, ' ' ORDER BY run_id) FROM josch.runs WHERE node_id = 43"), "@dates", 'SQL too');
	$node->sql('ALTER SYSTEM RESET josch.max_running');
	$node->sql('ALTER SYSTEM RESET josch.max_sql_workers');
	$node->reload;
};

# A number that comes again, as after a restore over a database that went on.
subtest 'what the runner has forgotten' => sub {
	$node->job('again');
	$node->add([ 45, 'N', 'echo here >> $WORK/$NODE_ID' ], [ 46, 'N', 'echo here >> $WORK/$NODE_ID' ]);
	$node->depend(45 => 46);
	$node->schedule;
	$node->wait_for('succeeded', 45, 46);
	my $run = $node->run_is(45, 'run_id');
	$node->sql("BEGIN; ALTER TABLE josch.runs DISABLE TRIGGER guard;
		UPDATE josch.runs SET status = 'starting', started_at = NULL, ended_at = NULL, exit_code = NULL WHERE run_id = $run;
		ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard; COMMIT");
	$node->crash($node->scheduler_pid);
	$node->wait_until('the same run is no secret', "SELECT status = 'unknown' FROM josch.runs WHERE run_id = $run");
	like($node->run_is(45, 'message'), qr/it ran once before, and the record of its end is not here/, 'the same run again is refused, and that is its end');
	is($node->file(45), "here\n", 'it did not run again');
	$node->sql("DELETE FROM josch.runs WHERE run_id = $run; SELECT setval('josch.run_id_seq', $run, false)");
	$node->act('rerun', 45);
	$node->wait_until('another run of that number runs', "SELECT state = 'succeeded' AND run_id = $run FROM josch.nodes WHERE node_id = 45");
	is($node->file(45), "here\nhere\n", 'it is another one');
	$node->sql("SELECT setval('josch.run_id_seq', (SELECT max(run_id) FROM josch.runs))");
};

subtest 'the clock is set back while no runner answers' => sub {
	$node->sql('ALTER SYSTEM SET josch.start_runner = off');
	$node->sql("ALTER SYSTEM SET josch.now = '2038-01-01 00:00+00'");
	$node->reload;
	$node->kill_runner;
	my $gone = q{SELECT NOT up FROM josch.health() WHERE component = 'runner'};
	$node->wait_until('nobody answers', $gone);
	$node->sql('ALTER SYSTEM RESET josch.now');
	$node->sql('ALTER SYSTEM RESET josch.start_runner');
	$node->reload;
	$node->job('set back');
	$node->add([ 51, 'N', 'true' ]);
	$node->schedule;
	$node->wait_for('succeeded', 51);
};

# Whoever waits within a pass, for a lock for one, waits by the latch, too, and takes it back: what has set it then counts
# all the same.  Nothing else wakes the scheduler here before josch.safety_interval is over.
subtest 'what is committed while the commit of a pass waits' => sub {
	$node->sql(q{
		CREATE TABLE go_on ();
		CREATE FUNCTION wait_to_go_on() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
			WHILE NOT EXISTS (SELECT FROM public.go_on) LOOP
				PERFORM pg_sleep(0.02); -- it is asked again and again
			END LOOP;
			RETURN NULL;
		END$$;
		CREATE CONSTRAINT TRIGGER a_wait AFTER UPDATE ON josch.nodes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
			WHEN (NEW.node_id = 66 AND NEW.state = 'succeeded') EXECUTE FUNCTION wait_to_go_on();
		CREATE TRIGGER put_off BEFORE UPDATE ON josch.nodes FOR EACH STATEMENT EXECUTE FUNCTION put_off()});
	$node->job('waits');
	$node->add([ 66, 'N', undef ]);
	$node->schedule;
	$node->wait_until('the commit waits', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND wait_event = 'PgSleep'});
	$node->job('meanwhile');
	$node->add([ 67, 'N', undef ]);
	$node->schedule;
	$node->sql('INSERT INTO go_on DEFAULT VALUES');
	$node->wait_for('succeeded', 66, 67);
	$node->sql('DROP TRIGGER a_wait ON josch.nodes; DROP TRIGGER put_off ON josch.nodes');
};
# As one does that loads with all triggers off.
subtest 'a node that is ready, and is not on the list of what waits' => sub {
	$node->sql('ALTER SYSTEM SET josch.scheduler = off');
	$node->reload;
	$node->wait_until('nothing is started', "SELECT detail LIKE '%josch.scheduler is off%' FROM josch.health() WHERE component = 'scheduler'");
	$node->job('left out');
	$node->add([ 69, 'N', 'true' ]);
	$node->schedule;
	$node->sql('DELETE FROM josch.waiting WHERE node_id = 69');
	$node->sql('ALTER SYSTEM RESET josch.scheduler');
	$node->reload;
	$node->sql('SELECT pg_terminate_backend(' . $node->scheduler_pid . ')');
	$node->wait_for('succeeded', 69);
	like(slurp_file($node->logfile), qr/josch\.waiting was not true of 1 nodes: it is now/, 'the next scheduler has mended it, and says so');
};

# As a restore does in place, beside a pass that has begun under the former one.
subtest 'an installation that is changed during a pass' => sub {
	$node->sql(q{
		CREATE TABLE go (); CREATE SEQUENCE waits;
		CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
			PERFORM nextval('public.waits');
			WHILE NOT EXISTS (SELECT FROM public.go) LOOP
				PERFORM pg_sleep(0.02); -- it is asked again and again
			END LOOP;
			RETURN NEW;
		END$$;
		CREATE TRIGGER a_wait BEFORE UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 65 AND NEW.state = 'running') EXECUTE FUNCTION wait()});
	$node->job('changed');
	$node->add([ 65, 'N', 'echo $RUN_ID >> $WORK/$NODE_ID' ]);
	$node->schedule;
	$node->wait_until('a pass is under way', 'SELECT is_called FROM waits');
	my $listener = $node->background_psql('postgres');
	$listener->query_safe('LISTEN josch');
	$node->sql('SET row_security = off; SET check_function_bodies = off; INSERT INTO josch.installation SELECT * FROM josch.installation; INSERT INTO go DEFAULT VALUES');
	eventually('the pass has ended', sub { slurp_file($node->logfile) =~ /josch\.installation was changed during a pass|josch of database "postgres" is disarmed/ });
	$node->wait_until('it is disarmed', q{SELECT NOT up FROM josch.health() WHERE component = 'armed'});
	my $heard = '';
	eventually('whoever listens is told', sub { $heard .= $listener->query('SELECT 1') . "\n"; $heard =~ /payload "\{"armed":false\}"/ });
	$listener->quit;
	is($node->node_is(65, 'state') . $node->sql('SELECT count(*) FROM josch.runs WHERE node_id = 65'), 'ready0', 'what was decided under the former one has not happened');
	$node->sql(q{SELECT josch.arm('it is the same data')});
	$node->wait_for('succeeded', 65);
	is($node->file(65), $node->run_is(65, 'run_id') . "\n", 'and was not sent');
	$node->sql('DROP TRIGGER a_wait ON josch.nodes');
};

done_testing();
