# test/t/046_scheduler_settings.pl
#
# What the scheduler holds to, whatever is set around it: the owner of the
# database takes nothing from it, an intent is on disk before its command
# starts, and the copy of a database does not take the runs of the first for its
# own.
use strict;
use warnings;
use Test::More;
use PostgreSQL::Test::Utils;
use JoschNode qw($DATE eventually lives);

# nothing but the commits themselves writes what they said to disk
my $node = JoschNode->create('settings', conf => "wal_writer_delay = 10s\nwal_buffers = 16MB\nshared_buffers = 32MB\ncheckpoint_timeout = 1h\nautovacuum = off");

subtest 'the signs of a restore, set for the database by its owner' => sub {
	$node->sql('ALTER DATABASE postgres SET row_security = off; ALTER DATABASE postgres SET check_function_bodies = off');
	my $pid = $node->scheduler_pid;
	$node->sql("SELECT pg_terminate_backend($pid)");
	$node->wait_until('a new scheduler', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND pid <> $pid");
	$node->sql('ALTER DATABASE postgres RESET ALL');
	$node->add([ 1, 'N', undef ], [ 2, 'N', undef ]);
	$node->depend(1 => 2);
	$node->schedule;
	$node->wait_for('succeeded', 1, 2);
	is($node->sql(q{SELECT count(*) FROM josch.nodes_audit WHERE node_id = 1 AND new_values->>'state' = 'succeeded'}), 1,
		'what it did is on record');
};

# What a trigger of somebody's sees in a pass is what the scheduler has.
subtest 'defaults of the database' => sub {
	my %set = (search_path => 'public', statement_timeout => '1ms', lock_timeout => '1h', default_transaction_isolation => 'serializable',
		default_transaction_read_only => 'on', row_security => 'off', check_function_bodies => 'off', enable_seqscan => 'on', plan_cache_mode => 'force_custom_plan');
	my $pid = $node->scheduler_pid;
	local $ENV{PGOPTIONS} = '-c statement_timeout=0 -c default_transaction_read_only=off';	# of this test's own sessions
	$node->sql(join '; ', 'CREATE TABLE seen (name text, setting text)',
		'CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO public.seen SELECT name, setting FROM pg_catalog.pg_settings; RETURN NULL; END$$',
		q{CREATE TRIGGER see AFTER UPDATE ON josch.nodes FOR EACH ROW WHEN (NEW.node_id = 5 AND NEW.state = 'succeeded') EXECUTE FUNCTION see()},
		(map { "ALTER DATABASE postgres SET $_ = " . JoschNode::literal($set{$_}) } sort keys %set), "SELECT pg_terminate_backend($pid)");
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND pid <> $pid");
	$node->sql('ALTER DATABASE postgres RESET ALL');
	$node->job('defaults');
	$node->add([ 5, 'N', undef ], [ 6, 'N', 'exit 0' ], [ 7, 'N', undef, exec_sql => 'SELECT 1' ]);
	$node->schedule;
	$node->wait_for('succeeded', 5, 6, 7);
	is($node->sql("SELECT setting FROM seen WHERE name = '$_'"), { search_path => 'pg_catalog, pg_temp', statement_timeout => '0', lock_timeout => '100',
		transaction_isolation => 'read committed', transaction_read_only => 'off', row_security => 'on', check_function_bodies => 'on',
		enable_seqscan => 'off', plan_cache_mode => 'force_generic_plan' }->{$_}, "$_ is the scheduler's own")
		foreach qw(search_path statement_timeout lock_timeout transaction_isolation transaction_read_only row_security check_function_bodies enable_seqscan plan_cache_mode);
	$node->sql('DROP TRIGGER see ON josch.nodes; DROP TABLE seen');
};

subtest 'an intent is on disk before its command starts' => sub {
	# the numbers of the next runs are on disk as used, so that a lost one is not given again
	$node->job('first');
	$node->add([ 10, 'N', 'exit 0' ]);
	$node->schedule;
	$node->wait_for('succeeded', 10);
	$node->sql('ALTER SYSTEM SET synchronous_commit = off');
	$node->reload;
	$node->wait_until('the reload is seen', "SELECT current_setting('synchronous_commit') = 'off'");
	$node->job('durable');
	# the first that starts takes the server down at once: what is not on disk by then is lost
	my $pid_file = $node->data_dir . '/postmaster.pid';
	$node->add([ 11, 'N', "echo \$RUN_ID >> \$WORK/durable; mkdir \$WORK/down && kill -QUIT \$(head -n 1 $pid_file); exec sleep 600" ]);
	$node->sql("SET synchronous_commit = on; SELECT josch.schedule('$DATE')");
	eventually('the command has started', sub { ($node->file('durable') // '') ne '' });
	eventually('the server is down', sub { !lives($node->{_pid}) });
	$node->stop('immediate', fail_ok => 1);
	$node->start;
	$node->wait_until('its run is known', q{SELECT count(*) = 1 FROM josch.runs WHERE node_id = 11 AND status = 'running' AND pid IS NOT NULL});
	is($node->file('durable'), $node->run_is(11, 'run_id') . "\n", 'it started once, as that run');
	$node->sql('ALTER SYSTEM RESET synchronous_commit');
	$node->reload;
};

subtest 'a copy of the database' => sub {
	my $log = "$node->{spool}/" . $node->run_is(11, 'log');
	unlink $log or die "could not remove $log: $!";
	$node->sql('CREATE DATABASE copy TEMPLATE postgres');
	$node->wait_until('does not know how the run ends', q{SELECT state = 'unknown' FROM josch.nodes WHERE node_id = 11}, 'copy');
	like($node->sql('SELECT message FROM josch.nodes WHERE node_id = 11', 'copy'),
		qr/^how it ended cannot be known: it was started by another server, of which this one is a copy/, 'and says why');
	is($node->file('durable'), $node->run_is(11, 'run_id') . "\n", 'the command was not started again');
	$node->act('stop', 11);
	$node->wait_for('failed', 11);
};

# the scheduler waits for it for a moment, not once for each node while it holds them all
subtest 'a lock on a whole table' => sub {
	$node->job('many');
	$node->add(map { [ $_, 'N', 'exit 0' ] } 21 .. 40);
	my $session = $node->background_psql('postgres');
	$session->query_safe('BEGIN; LOCK TABLE josch.runs IN SHARE MODE');
	$node->schedule;
	$node->wait_until('the scheduler waits', q{SELECT count(*) = 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
		WHERE l.relation = 'josch.runs'::regclass AND NOT l.granted AND a.backend_type = 'josch scheduler'});
	is($node->sql("SET lock_timeout = '10s'; SELECT josch.hold(40, '$DATE')"), 'held', 'a person does not wait for long');
	$session->query_safe('COMMIT');
	$session->quit;
	$node->wait_for('succeeded', 21 .. 39);
	$node->act('release', 40);
	$node->wait_for('succeeded', 40);
};

done_testing();
