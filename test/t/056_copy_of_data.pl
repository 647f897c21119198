# test/t/056_copy_of_data.pl
#
# A copy of a data directory, or of a database, has the same day and the same runs
# in its tables as the original, whose commands still run.  Whichever way it was made,
# it is disarmed: it starts nothing, adopts nothing and ends nothing, and says so,
# until somebody arms it.  The original, a server of its own that crashed, and a
# standby that is promoted go on by themselves.
use strict;
use warnings;
use Test::More;
use File::Temp;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

my $until_told = 'echo $NODE_ID $$ >> $WORK/$NODE_ID; while [ ! -e $WORK/$NODE_ID.end ]; do sleep 0.05; done; exit $(cat $WORK/$NODE_ID.end)';

# A server where nodes 1 (N) and 2 (L) run, with children of every kind to come after 1; and their processes.
sub busy_server
{
	my ($name, %how) = @_;
	my $node = JoschNode->create($name, %how);
	$node->add([ 1, 'N', $until_told, timeout => '1 hour' ], [ 2, 'L', $until_told, ready_after => '0' ], [ 3, 'N', undef ],
		[ 4, 'N', 'echo $RUN_ID >> $WORK/$NODE_ID' ], [ 5, 'N', undef, exec_sql => 'SELECT 1' ], [ 6, 'S', undef ]);
	$node->depend(map { (1, $_) } 3 .. 6);
	$node->schedule;
	$node->wait_for('up', 2);
	$node->wait_until('both have started', "SELECT count(*) = 2 FROM josch.runs WHERE status = 'running'");
	return ($node, split /\n/, $node->sql('SELECT pid FROM josch.runs ORDER BY node_id'));
}

# The scheduler has looked at all that is committed.
sub wait_for_pass
{
	my ($node, $database) = @_;
	my $passes = q{(SELECT coalesce(substring(detail FROM 'passes (\d+)')::int, 0) FROM josch.health() WHERE component = 'scheduler')};

	# a pass may be under way; the one after it has seen all
	for my $pass (1, 2)
	{
		my $before = $node->sql("SELECT $passes", $database);
		$node->sql('SELECT josch.wake()', $database);
		$node->wait_until("the scheduler has looked, $pass", "SELECT $passes > $before", $database);
	}
	return;
}

sub check_copy
{
	my ($copy, $database, $why, @pids) = @_;
	$copy->wait_until('what the copy cannot know asks a person',
		"SELECT count(*) = 2 FROM josch.attention WHERE node_id IN (1, 2) AND state = 'unknown'", $database);
	like($copy->sql('SELECT message FROM josch.nodes WHERE node_id = 1', $database), qr/another server/, 'and says why');
	like($copy->sql('SELECT armed, reason FROM josch.armed()', $database), qr/^f\|.*$why/, 'it is disarmed');
	like($copy->sql("SELECT up, detail FROM josch.health() WHERE component = 'armed'", $database), qr/^f\|Disarmed: .*$why.*josch\.arm/, 'josch.health() says so, and what to do');
	$copy->sql("SELECT josch.mark_success(1, '$DATE', 'seen there')", $database);
	wait_for_pass($copy, $database);
	is($copy->sql("SELECT string_agg(node_id || ' ' || state, ', ' ORDER BY node_id) FROM josch.nodes WHERE node_id > 2 AND job_date = '$DATE'", $database),
		'3 ready, 4 ready, 5 ready, 6 ready', 'people act, and nothing is begun: no command, no SQL, no milestone, no sign-off');
	is($copy->sql("SELECT count(*) FROM josch.alarms WHERE kind IN ('unknown', 'disarmed')", $database), 0, 'no alarm is raised that would be told to whom the original tells');
	is($copy->sql("SELECT up FROM josch.health() WHERE component = 'runner'", $database), 'f', 'it talks to no runner');
	ok(lives($_), 'the command of the original lives') foreach @pids;
	return;
}

sub arm
{
	my ($copy, $database) = @_;
	$copy->sql("SELECT josch.arm('the other one is gone')", $database);
	$copy->wait_until('armed, it goes on', "SELECT string_agg(state, ' ' ORDER BY node_id) = 'succeeded succeeded succeeded signoff'
		FROM josch.nodes WHERE node_id > 2 AND job_date = '$DATE'", $database);
	return;
}

# A new day: the numbers of the copy's next runs are those of the original's.
sub run_new
{
	my ($node, $id) = @_;
	$node->sql("INSERT INTO josch.tpl_jobs VALUES ('new $id') ON CONFLICT DO NOTHING");
	$node->{job} = "new $id";
	$node->add([ $id, 'N', 'echo $NODE_ID $$; exit 5' ]);
	$node->schedule;
	$node->wait_for('failed', $id);
	is($node->node_is($id, 'message'), 'exit code 5', 'new nodes run there');
	like($node->log_of($id), qr/^$id \d+\n\z/, 'and have their log');
	return;
}

# A client program; the method of the name is hidden by a function.
sub run_on
{
	my ($node, @command) = @_;
	return PostgreSQL::Test::Cluster::command_ok($node, @command);
}

sub check_original
{
	my ($node, @pids) = @_;
	append_to_file("$node->{work}/1.end", '0');
	$node->wait_for('succeeded', 1);
	is($node->run_is(1, 'exit_code'), 0, 'the original finds the true exit code');
	is($node->node_is(2, 'state'), 'up', 'and watches what is up');
	append_to_file("$node->{work}/2.end", '0');
	$node->wait_for('succeeded', 2);
	is((split /\n/, $node->file($_)), 1, "node $_ was started once") foreach 1, 2;
	return;
}

subtest 'with its spool' => sub {
	my ($node, @pids) = busy_server('inside');
	$node->stop('immediate');
	my $copy = JoschNode->copy_of('inside_copy', $node);
	check_copy($copy, 'postgres', 'the data directory is a copy', @pids);
	arm($copy);
	run_new($copy, 10);
	$node->start;
	isnt($copy->runner_pid, $node->runner_pid, 'each has its runner');
	run_new($node, 10);
	check_original($node, @pids);
	like(slurp_file($copy->logfile), qr/WARNING: .*josch of database "postgres" is disarmed: the data directory is a copy/, 'the log of the copy says it');
	unlike(slurp_file($node->logfile), qr/disarmed/, 'that of the original does not');
};

subtest 'with a spool elsewhere that both use' => sub {
	my $spool = File::Temp::tempdir('josch-spool-XXXXXX', TMPDIR => 1, CLEANUP => 1) . '/spool';
	my ($node, @pids) = busy_server('outside', spool => $spool);
	$node->stop('immediate');
	my $copy = JoschNode->copy_of('outside_copy', $node, spool => $spool);
	check_copy($copy, 'postgres', 'the data directory is a copy', @pids);
	arm($copy);
	run_new($copy, 10);
	$node->start;
	run_new($node, 10);
	is($copy->runner_pid, $node->runner_pid, 'they share a runner');
	isnt($copy->log_of(10), $node->log_of(10), 'with a log each');
	check_original($node, @pids);
	$copy->act('retry', 2);
	$copy->wait_until('the copy has a run of its own', "SELECT state = 'succeeded' AND attempt = 2 FROM josch.nodes WHERE node_id = 2");
};

subtest 'a directory that is moved, and moved back' => sub {
	my ($node, @pids) = busy_server('moved');
	my $token = $node->sql('SELECT token FROM josch.installation');
	my $log = $node->logfile;
	$node->stop;
	rename $node->data_dir, $node->data_dir . '_elsewhere' or die "rename: $!";
	system_or_bail('pg_ctl', '-s', '-w', '-D', $node->data_dir . '_elsewhere', '-l', $log, 'start');
	$node->wait_until('there it is disarmed', q{SELECT NOT armed FROM josch.armed()});
	$node->wait_for('unknown', 1, 2);
	system_or_bail('pg_ctl', '-s', '-w', '-D', $node->data_dir . '_elsewhere', 'stop');
	rename $node->data_dir . '_elsewhere', $node->data_dir or die "rename: $!";
	$node->start;
	$node->act('mark_success', 1, 'seen');
	$node->wait_for('succeeded', 3, 4, 5);
	is($node->sql('SELECT token FROM josch.installation'), $token, 'back in its place it is what it was');
	ok(lives($_), 'what it had started lives') foreach @pids;
};

subtest 'a database made from a template' => sub {
	my ($node, @pids) = busy_server('template');
	$node->sql('CREATE DATABASE copy TEMPLATE postgres', 'template1');
	check_copy($node, 'copy', 'another database of this server', @pids);
	$node->wait_until('the original has its scheduler again', "SELECT up FROM josch.health() WHERE component = 'scheduler'");
	is($node->sql('SELECT armed FROM josch.armed()'), 't', 'the original is armed');
	check_original($node, @pids);
	$node->wait_for('succeeded', 3, 4, 5);
	is((split /\n/, $node->file(4)), 1, 'the original ran the rest of the day, once');
	my $passes = q{SELECT substring(detail FROM 'passes (\d+)')::int FROM josch.health() WHERE component = 'scheduler'};
	my $before = $node->sql($passes, 'copy');
	sleep 3;	# to see that nothing happens meanwhile
	cmp_ok($node->sql($passes, 'copy') - $before, '<', 10, 'one that is disarmed is idle');
	arm($node, 'copy');
	is((split /\n/, $node->file(4)), 2, 'and the copy when it was told to');
	$node->sql('CREATE DATABASE again TEMPLATE copy', 'template1');
	$node->wait_until('a copy of a copy that was armed is one', q{SELECT NOT armed FROM josch.armed()}, 'again');
};

# Armed while what the original has in flight is open there still: the ledger is the same, and has never heard of it.
subtest 'a database made from a template, while a run is on its way' => sub {
	my ($node) = busy_server('in_flight');
	$node->sql(q{
		CREATE TABLE go ();
		CREATE FUNCTION hold_open() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
			IF current_database() = 'copy' AND NEW.node_id = 20 AND NOT EXISTS (SELECT FROM public.go) THEN
				RAISE 'not yet';
			END IF;
			RETURN NEW;
		END$$;
		CREATE TRIGGER hold_open BEFORE UPDATE ON josch.runs FOR EACH ROW EXECUTE FUNCTION hold_open()});
	my $runner = $node->runner_pid;
	$node->sql('ALTER SYSTEM SET josch.start_runner = off');
	$node->reload;
	kill 'STOP', $runner;
	$node->job('in flight');
	$node->add([ 20, 'N', 'echo $NODE_ID >> $WORK/20' ]);
	$node->schedule;
	$node->wait_for('running', 20);
	kill 'KILL', $runner;
	eventually('the runner is gone', sub { !lives($runner) });
	$node->sql('CREATE DATABASE copy TEMPLATE postgres', 'template1');
	$node->sql('ALTER DATABASE postgres ALLOW_CONNECTIONS false', 'template1');
	is($node->sql('SELECT status FROM josch.runs WHERE node_id = 20', 'copy'), 'starting', 'it is open in the copy');
	$node->sql('ALTER SYSTEM RESET josch.start_runner', 'copy');
	$node->reload;
	$node->sql("SELECT josch.arm('the other one is gone')", 'copy');
	$node->sql("INSERT INTO josch.tpl_jobs VALUES ('next'); INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
		VALUES (21, 'N', 'next', 'next', 'exit 0'); SELECT josch.schedule('$DATE', 'next')", 'copy');
	$node->wait_until('the copy is at work', 'SELECT state = $$succeeded$$ FROM josch.nodes WHERE node_id = 21', 'copy');
	is($node->sql('SELECT status FROM josch.runs WHERE node_id = 20', 'copy'), 'starting', 'and could not yet say what it does not know');
	ok(!-e "$node->{spool}/" . $node->sql('SELECT log FROM josch.runs WHERE node_id = 20', 'copy'), 'it has not started it');
	my ($run, $server, $token, $database) = split /\|/, $node->sql(q{SELECT l.run_id, r.server, lpad(to_hex(r.token), 16, '0'), d.oid
		FROM josch.runs r, josch.runs l, pg_database d WHERE r.node_id = 21 AND l.node_id = 20 AND d.datname = 'copy'}, 'copy');
	my $heard = JoschRunner->connect($node->{spool}, identity => $server, database => $database, token => $token)->list;
	ok(!$heard->{$run}, 'nor told its runner anything of it');
	$node->sql('INSERT INTO go DEFAULT VALUES; SELECT josch.wake()', 'copy');
	$node->wait_until('which it does when it can', 'SELECT status = $$unknown$$ FROM josch.runs WHERE node_id = 20', 'copy');
	is($node->file(20), undef, 'it did not run');
	$node->sql('ALTER DATABASE postgres ALLOW_CONNECTIONS true', 'template1');
	$node->wait_for('succeeded', 20);
};

subtest 'a dump that is restored' => sub {
	my ($node, @pids) = busy_server('dumped');
	my $dump = $node->basedir . '/dump.sql';
	run_on($node, [ 'pg_dump', '-f', $dump, 'postgres' ], 'pg_dump');

	# the scheduler of the new database is up, and has looked, before the rows come
	my $text = slurp_file($dump);
	$text =~ s/^CREATE EXTENSION.*?;\n\K/DO \$\$ BEGIN FOR i IN 1 .. 3000 LOOP
		EXIT WHEN EXISTS (SELECT FROM josch.health() WHERE component = 'scheduler' AND detail LIKE 'passes%');
		PERFORM pg_sleep(0.02); -- it is asked again and again
		END LOOP; END \$\$;\n/ms;
	# it looks once more when the runs are there, and the record of them is not
	my $passes = q{(SELECT substring(detail FROM 'passes (\d+)')::int FROM josch.health() WHERE component = 'scheduler')};
	$text =~ s/^(?=COPY josch\.runs_audit)/DO \$\$ DECLARE before int := $passes; BEGIN FOR i IN 1 .. 3000 LOOP
		EXIT WHEN $passes > before + 1;
		PERFORM josch.wake(), pg_sleep(0.02); -- it is asked again and again
		END LOOP; IF EXISTS (SELECT FROM josch.runs_audit) THEN RAISE 'what comes in was judged'; END IF; END \$\$;\n/m;
	append_to_file("$dump.slow", $text);
	$node->sql('CREATE DATABASE restored');
	run_on($node, [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.slow", 'restored' ], 'restored in the same server');
	like($node->sql("SELECT detail FROM josch.health() WHERE component = 'scheduler'", 'restored'), qr/^passes/, 'whose scheduler was there before');
	check_copy($node, 'restored', 'another database of this server', @pids);
	like($node->sql("SELECT count(*) FROM josch.installation", 'restored'), qr/^1$/, 'with one installation');
	$node->sql("SELECT josch.stop(2, '$DATE')");
	$node->wait_for('succeeded', 2);
	is($node->sql("SELECT state FROM josch.nodes WHERE node_id = 2", 'restored'), 'unknown', 'what is stopped in the original is not known here');

	my $other = JoschNode->create('elsewhere', extension => 0);
	run_on($other, [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'postgres' ], 'restored in another server');
	$other->{work} = $node->{work};
	check_copy($other, 'postgres', 'a dump of another server');
	arm($other, 'postgres');

	$node->sql('DROP SCHEMA josch CASCADE');
	run_on($node, [ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'postgres' ], 'restored in its own place');
	check_copy($node, 'postgres', 'a dump was restored into it', $pids[0]);
};

subtest 'a server of its own that recovers' => sub {
	my ($node, @pids) = busy_server('recovered', conf => "wal_level = replica\nrestore_command = 'false'");
	$node->stop('immediate');
	append_to_file($node->data_dir . '/recovery.signal', '');
	$node->start;
	$node->wait_until('it has recovered, in a new timeline', 'SELECT NOT pg_is_in_recovery()');
	check_original($node, @pids);
	$node->wait_for('succeeded', 3, 4, 5);
};

subtest 'a base backup that is recovered in another folder' => sub {
	my ($node, @pids) = busy_server('pitr', conf => "wal_level = replica\nmax_wal_senders = 2");
	$node->backup('base');
	my $copy = JoschNode->from_backup('pitr_copy', $node, 'base', conf => "restore_command = 'false'");
	append_to_file($copy->data_dir . '/recovery.signal', '');
	$copy->start;
	$copy->wait_until('it has recovered', 'SELECT NOT pg_is_in_recovery()');
	check_copy($copy, 'postgres', 'the data directory is a copy', @pids);
	$copy->stop;
	check_original($node, @pids);
};

subtest 'an extension that was made anew' => sub {
	my ($node, @pids) = busy_server('anew');
	$node->sql('DROP EXTENSION josch CASCADE');
	append_to_file("$node->{work}/$_.end", '0') foreach 1, 2;
	eventually('its commands end', sub { !grep { lives($_) } @pids });
	$node->install;
	$node->add([ 1, 'N', 'exit 5' ], [ 2, 'N', 'exit 6' ]);
	$node->schedule;
	$node->wait_for('failed', 1, 2);
	is($node->sql("SELECT string_agg(run_id || ' ' || exit_code, ', ' ORDER BY node_id) FROM josch.runs"), '1 5, 2 6', 'its runs count from 1 again, and run');
};

done_testing();
