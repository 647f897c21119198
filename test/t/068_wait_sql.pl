# test/t/068_wait_sql.pl
#
# A node that waits for a query starts when that is true: at once after the commit that makes
# it so, where the table is watched, and else at wait_interval, by the moved clock. It is asked
# as the node's owner, read only, and for no longer than it may take; what is wrong with one
# is said, and keeps no other waiting.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE eventually);

my $node = JoschNode->create('wait_sql', conf => "josch.safety_interval = 3600");

sub wait_for_reason
{
	my ($id, $reason, $detail) = @_;
	return $node->wait_until("node $id: $reason", "SELECT reason = '$reason' AND detail ~ '$detail' FROM josch.why($id, '$DATE') LIMIT 1");
}

# By so much the scheduler's clock is ahead.
sub move_clock
{
	my ($by) = @_;
	my $to = $node->sql("SELECT now() + interval '$by'");
	$node->sql("ALTER SYSTEM SET josch.now = '$to'");
	$node->sql('SELECT pg_reload_conf()');
	return;
}

$node->sql('CREATE TABLE loads (day date); CREATE TABLE other (day date); CREATE ROLE reader LOGIN; CREATE ROLE author LOGIN; GRANT josch_author TO author;'
	. 'CREATE TABLE secrets (x int); GRANT SELECT ON loads TO reader; CREATE TABLE mine (x int); ALTER TABLE mine OWNER TO author');
my $loaded = q{SELECT true FROM loads WHERE day = current_setting('josch_run.DATE')::date};
my $other = q{SELECT count(*) > 0 FROM other};

subtest 'a table that is watched' => sub {
	is($node->sql("SELECT josch.watch('loads'), josch.watch('loads')"), 't|f', 'it is watched, once');
	is($node->sql('SELECT * FROM josch.watched'), 'loads|t', 'and listed');
	$node->add([ 1, 'N', 'true', wait_sql => $loaded, wait_interval => '1 hour' ], [ 2, 'N', undef ], [ 3, 'N', 'true', wait_sql => $other, wait_interval => '2 hours' ]);
	$node->depend(1 => 2);
	$node->schedule;
	wait_for_reason(1, 'sql', '^waits for its wait_sql to be true$');
	wait_for_reason(2, 'parent', 'waits for its wait_sql');
	$node->sql("INSERT INTO loads VALUES ('2000-01-01')");
	$node->sql("BEGIN; INSERT INTO loads VALUES ('$DATE'); ROLLBACK");
	$node->sql("INSERT INTO loads VALUES ('$DATE')");
	$node->wait_for('succeeded', 1, 2);
	is($node->node_is(1, 'sql_true_at IS NOT NULL'), 't', 'since when is on record');
	is($node->node_is(3, 'state'), 'ready', 'what is not true waits on');
};

subtest 'one that is not, and the clock' => sub {
	$node->sql("INSERT INTO other VALUES ('$DATE')");
	wait_for_reason(3, 'sql', '');
	is($node->node_is(3, 'state'), 'ready', 'nobody has told');
	move_clock('121 minutes');
	$node->wait_for('succeeded', 3);
	$node->sql('ALTER SYSTEM RESET josch.now');
	$node->sql('SELECT pg_reload_conf()');
};

subtest 'as whom, and what it may' => sub {
	$node->job('bad');
	$node->add([ 10, 'N', undef, wait_sql => 'SELECT count(*) > 0 FROM secrets', owner => 'reader' ], [ 11, 'N', undef, wait_sql => 'SELECT 1/0 = 1' ],
		[ 12, 'N', undef, wait_sql => 'WITH x AS (INSERT INTO loads VALUES (NULL) RETURNING true) SELECT true' ], [ 13, 'N', undef, wait_sql => 'SELECT 1' ],
		[ 14, 'N', undef, wait_sql => 'SELECT true; SELECT true' ], [ 15, 'N', undef, wait_sql => 'SELECT true FROM generate_series(1, 2)' ],
		[ 16, 'N', undef, wait_sql => 'SELECT NULL::boolean' ], [ 17, 'N', undef, wait_sql => "SELECT writes()" ],
		[ 18, 'N', undef, wait_sql => "SELECT session_user = 'reader' AND current_user = 'reader' FROM loads LIMIT 1", owner => 'reader' ],
		[ 19, 'N', undef, wait_sql => 'SELECT becomes()', owner => 'reader' ]);
	$node->sql(q{CREATE FUNCTION writes() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN SET transaction_read_only = off; INSERT INTO loads VALUES (NULL); RETURN true; END $$;
		CREATE FUNCTION becomes() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RESET SESSION AUTHORIZATION; RESET ROLE; RETURN current_user = 'postgres'; END $$});
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'bad')");
	$node->wait_for('succeeded', 18);
	wait_for_reason(10, 'sql', 'permission denied for table secrets');
	wait_for_reason(11, 'sql', 'division by zero');
	wait_for_reason(12, 'sql', 'failed');
	wait_for_reason(13, 'sql', 'no query of one boolean');
	wait_for_reason(14, 'sql', 'not one query');
	wait_for_reason(15, 'sql', 'more than one row');
	wait_for_reason(17, 'sql', 'read-write mode');
	is($node->sql('SELECT count(*) FROM loads WHERE day IS NULL'), '0', 'nothing was written');
	is($node->sql("SELECT string_agg(node_id || state, ',' ORDER BY node_id) FROM josch.nodes WHERE node_id IN (16, 19)"), '16ready,19ready', 'NULL is false, and nobody becomes more');
	is($node->node_is(11, 'message'), 'its wait_sql failed: division by zero', 'the node says so, too');
	$node->sql("UPDATE josch.nodes SET wait_sql = 'SELECT true' WHERE node_id = 11 AND job_date = '$DATE'");
	$node->wait_for('succeeded', 11);
	is($node->node_is(11, 'message IS NULL'), 't', 'and no more when it is mended');
	$node->act(force_start => 13);
	$node->wait_for('succeeded', 13);
};

subtest 'one that hangs' => sub {
	$node->sql(q{CREATE FUNCTION hangs() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN LOOP BEGIN PERFORM pg_sleep(3600); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$});
	$node->job('hangs');
	$node->add([ 20, 'N', undef, wait_sql => 'SELECT hangs()', owner => 'reader' ], [ 21, 'N', undef, wait_sql => $loaded ]);
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'hangs')");
	$node->wait_for('succeeded', 21);
	wait_for_reason(20, 'sql', 'took longer than 10 seconds, and could not be cancelled');
	is($node->sql("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'josch judge worker' AND usename = 'reader'"), '0', 'its worker is gone');
	$node->act(skip => 20);
};

subtest 'one that ends its worker, each time' => sub {
	$node->sql(q{CREATE FUNCTION kills() RETURNS boolean LANGUAGE sql AS 'SELECT pg_terminate_backend(pg_backend_pid())';
		CREATE FUNCTION locks(lock bigint) RETURNS boolean LANGUAGE sql AS 'SELECT pg_try_advisory_lock($1) AND (SELECT count(*) = 1 FROM pg_locks WHERE locktype = $$advisory$$)'});
	$node->job('kills');
	$node->add((map { [ $_, 'N', undef, wait_sql => 'SELECT kills()', wait_interval => '1 second' ] } 100 .. 139),
		map { [ $_, 'N', undef, wait_sql => "SELECT locks($_)", wait_interval => '1 second' ] } 140 .. 149);
	$node->sql("SELECT count(*) FROM josch.schedule('$DATE', 'kills')");
	$node->wait_for('succeeded', 140 .. 149);
	wait_for_reason(100, 'sql', 'the worker of its owner has ended');
	$node->sql("SELECT count(josch.skip(node_id, job_date)) FROM josch.nodes WHERE job_name = 'kills' AND state = 'ready'");
};

subtest 'who may watch, and what goes with it' => sub {
	my $try = sub { my ($as, $sql) = @_; my ($code, $out, $err) = $node->psql('postgres', $sql, extra_params => [ '-U', $as ]); return $code == 0 ? $out : $err };
	like($try->('author', "SELECT josch.watch('secrets')"), qr/permission denied for table secrets/, 'not whom it is nothing to');
	like($try->('reader', "SELECT josch.watch('loads')"), qr/permission denied for schema/, 'nor who writes no templates');
	is($try->('author', "SELECT josch.watch('mine')"), 't', 'its owner may');
	like($try->('author', "SELECT josch.watch('pg_stat_activity')"), qr/is not a table/, 'a view has no data');
	is($try->('author', "SELECT josch.unwatch('mine'), josch.unwatch('mine')"), 't|f', 'and take it back');
	is($try->('author', "SELECT josch.watch('mine')"), 't', 'again');
	$node->sql('CREATE TABLE named (); GRANT TRIGGER ON named TO author;
		CREATE TRIGGER josch_watch BEFORE UPDATE ON named FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()');
	is($try->('author', "SELECT josch.unwatch('named')"), 'f', "a trigger that only has the name is its owner's");
	is($node->sql("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'named'::regclass"), '1', 'and stays');
	$node->sql('DROP TABLE named');
	$node->sql('CREATE DATABASE restored');
	my $to = join ' ', '-h', $node->host, '-p', $node->port;
	is(system("pg_dump $to -Fc -f $node->{work}/dump postgres && pg_restore $to -d restored $node->{work}/dump"), 0, 'dumped and restored');
	is($node->sql('SELECT table_name FROM josch.watched ORDER BY 1', 'restored'), "loads\nmine", 'a restored database watches the same');
	$node->sql('DROP EXTENSION josch', 'restored');
	is($node->sql("SELECT count(*) FROM pg_trigger WHERE tgname = 'josch_watch'", 'restored'), '0', 'the triggers go with the extension, without CASCADE');
	$node->sql("INSERT INTO loads VALUES ('$DATE')", 'restored');
};

$node->stop;
done_testing();
