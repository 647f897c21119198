# The launcher: a scheduler in each database that has the extension, in no other, and never in the way of a command.
#
# Starts of schedulers are counted in the server's log (the postmaster names them at debug1), so that a scheduler that
# was started where none belongs is seen even when it has left again.

use strict;
use warnings;
use File::Path qw(make_path);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', <<'END');
shared_preload_libraries = 'josch'
josch.start_runner = off
max_worker_processes = 16
max_prepared_transactions = 2
log_min_messages = debug1
END
$node->start;

sub sql
{
	my ($query, $database) = @_;
	return $node->safe_psql($database // 'postgres', $query);
}

# Databases that have a scheduler, one that has finished its first pass.
sub schedulers
{
	return sql(q{SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_stat_activity
		WHERE backend_type = 'josch scheduler'});
}

# Waits until exactly these databases have one.
sub schedulers_are
{
	my ($expected, $what) = @_;
	my $came = $node->poll_query_until('postgres',
		q{SELECT coalesce(string_agg(datname, ' ' ORDER BY datname), '') FROM pg_stat_activity
			WHERE backend_type = 'josch scheduler'}, $expected);
	ok($came, $what);
	return;
}

sub scheduler_pid
{
	my ($database) = @_;
	return sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = '$database'");
}

# How often a scheduler was started for a database.
sub starts
{
	my ($database) = @_;
	my $log = slurp_file($node->logfile);
	my $n = () = $log =~ /starting background worker process "josch scheduler \Q$database\E"/g;
	return $n;
}

sub wait_for_starts
{
	my ($database, $n, $what) = @_;
	for (1 .. 1200)
	{
		last if starts($database) >= $n;
		usleep(50_000);	# between two looks
	}
	is(starts($database), $n, $what);
	return;
}

# Waits until a scheduler has ended twice, and the pause has grown.
sub wait_for_ends
{
	my ($database) = @_;
	my $ended = qr/database "\Q$database\E" ended, next start in/;
	my $log = '';
	for (1 .. 1200)
	{
		$log = slurp_file($node->logfile);
		last if $log =~ /$ended 2 s/;
		usleep(50_000);	# between two looks
	}
	like($log, qr/$ended 1 s.*$ended 2 s/s, "$database: it is tried ever later");
	# what is put off by a second ends a second later, or after that; half of it is for who writes the log late
	my ($first, $second) = map { $log =~ /^\S+ (\d+):(\d+):([\d.]+) .*$ended $_ s/m ? $1 * 3600 + $2 * 60 + $3 : die } 1, 2;
	cmp_ok($second < $first ? $second + 86400 - $first : $second - $first, '>=', 0.5, '... and not before it is due');
	return;
}

# --- which databases have one

wait_for_starts('template1', 1, 'at the start of the server each database is looked into ...');
wait_for_starts('postgres', 1, '... this one, too ...');
is(starts('template0'), 0, '... if it allows connections');
schedulers_are('', 'no extension, no scheduler');

sql('BEGIN; CREATE EXTENSION josch; ROLLBACK');
sql('CREATE EXTENSION josch');
schedulers_are('postgres', 'CREATE EXTENSION: its commit brings the scheduler');
is(starts('postgres'), 2, 'and it was not started before, by the one that was rolled back');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'josch launcher'}), '1', 'there is one launcher');

sql('CREATE DATABASE a');
wait_for_starts('a', 1, 'a new database is looked into');
sql('CREATE EXTENSION josch', 'a');
schedulers_are('a postgres', 'each database has a scheduler of its own');

sql('BEGIN; DROP EXTENSION josch CASCADE; ROLLBACK', 'a');
schedulers_are('a postgres', 'DROP EXTENSION that is rolled back: it comes back');

# --- commands that want a database for themselves

sql('CREATE DATABASE b TEMPLATE a');
schedulers_are('a b postgres', 'CREATE DATABASE ... TEMPLATE: not refused, and the copy has a scheduler, too');

unlike(slurp_file($node->logfile), qr/scheduler of database "template1" ended/, 'a database without the extension is not looked into again and again');

sql('CREATE EXTENSION josch', 'template1');
schedulers_are('a b postgres template1', 'a template can have one');
sql('CREATE DATABASE c');
schedulers_are('a b c postgres template1', 'CREATE DATABASE from the default template is not refused');
sql('DROP EXTENSION josch', 'template1');
schedulers_are('a b c postgres', 'DROP EXTENSION: the scheduler leaves');

sql('ALTER DATABASE b RENAME TO "B of ours"');
schedulers_are('B of ours a c postgres', 'a rename is not refused, and the scheduler comes back');

my $place = $node->basedir . '/place';
make_path($place);
sql("CREATE TABLESPACE place LOCATION '$place'");
sql('ALTER DATABASE c SET TABLESPACE place');
schedulers_are('B of ours a c postgres', 'so with a move to another tablespace');

sql(q{SELECT josch.arm('made from a template');
	INSERT INTO josch.tpl_jobs (job_name) VALUES ('j');
	INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql) VALUES (1, 'N', 'j', 'n', 'SELECT 1');
	SELECT josch.schedule('2026-11-20')}, 'c');
ok($node->poll_query_until('c', q{SELECT state = 'succeeded' FROM josch.nodes}), 'a node with SQL ran');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'josch sql worker' AND datname = 'c'}), '1',
	'its worker stays for the next');
sql('DROP DATABASE c');
schedulers_are('B of ours a postgres', 'DROP DATABASE is not refused for scheduler or idle worker');

# --- who has no right to a command disturbs nobody, nor does a command that is refused anyway

sql('CREATE ROLE guest LOGIN; CREATE ROLE owner LOGIN; ALTER DATABASE "B of ours" OWNER TO owner');
my $pid = scheduler_pid('a');
foreach my $command ('DROP DATABASE a', 'ALTER DATABASE a RENAME TO z', 'CREATE DATABASE z TEMPLATE a', 'ALTER DATABASE a SET TABLESPACE place')
{
	my ($status) = $node->psql('postgres', "SET ROLE guest; $command");
	isnt($status, 0, "$command without the right to it is refused");
}
isnt($node->psql('postgres', 'BEGIN; DROP DATABASE a'), 0, 'so is one in a transaction block');
is(scheduler_pid('a'), $pid, 'and the scheduler has not moved');

my $session = $node->background_psql('a');
my ($status, undef, $error) = $node->psql('postgres', 'DROP DATABASE a');
isnt($status, 0, 'a database in use is not dropped');
like($error, qr/There is 1 other session using the database/, 'and it is the session that stands in the way');
$session->quit;
schedulers_are('B of ours a postgres', 'the scheduler comes back');

($status, undef, $error) = $node->psql('postgres', 'DROP DATABASE "B of ours" WITH (FORCE)', extra_params => [ '-U', 'owner' ]);
is($status, 0, 'an owner who is no superuser can force a drop') or diag $error;
schedulers_are('a postgres', 'that scheduler is gone for good');

sql('ALTER DATABASE a ALLOW_CONNECTIONS false');
schedulers_are('postgres', 'a database that allows no connections has no scheduler');
sql('ALTER DATABASE a ALLOW_CONNECTIONS true');
schedulers_are('a postgres', 'and has one again when it does');

sql('DROP SCHEMA josch CASCADE', 'a');
schedulers_are('postgres', 'however the extension is dropped, the scheduler leaves');
sql('CREATE ROLE installer SUPERUSER; SET ROLE installer; CREATE EXTENSION josch', 'a');
schedulers_are('a postgres', 'and comes again');
sql('DROP OWNED BY installer CASCADE', 'a');
schedulers_are('postgres', 'also when its owner is rid of all that he has');
sql('CREATE EXTENSION josch', 'a');
schedulers_are('a postgres', 'and comes again');

# --- a prepared transaction is committed by a session that has seen nothing of it

sql(q{BEGIN; CREATE TABLE t (); PREPARE TRANSACTION 'p'});
my $passes = q{SELECT substring(detail FROM 'passes (\d+)') FROM josch.health() WHERE component = 'scheduler'};
my $seen = sql($passes);
sql(q{COMMIT PREPARED 'p'});
ok($node->poll_query_until('postgres', "SELECT ($passes)::int > $seen"), 'COMMIT PREPARED wakes the scheduler');

# --- processes that end

my $starts = starts('postgres');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = 'postgres'});
wait_for_starts('postgres', $starts + 1, 'a scheduler that was terminated comes back');
schedulers_are('a postgres', 'and works');

my $launcher = sql(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'josch launcher'});
my $before = scheduler_pid('a') . ' ' . scheduler_pid('postgres');
sql("SELECT pg_terminate_backend($launcher)");
ok($node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE backend_type = 'josch launcher' AND pid <> $launcher"),
	'so does the launcher');
sql('CREATE DATABASE d TEMPLATE a');
schedulers_are('a d postgres', 'it keeps what is there and goes on with its work');
is(scheduler_pid('postgres'), (split / /, $before)[1], 'and starts no second scheduler');
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = 'postgres'});
schedulers_are('a d postgres', 'it also looks after those that it has not started itself');

$node->append_conf('postgresql.conf', 'restart_after_crash = on');
$node->reload;
kill 'KILL', scheduler_pid('a');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 3 FROM pg_stat_activity WHERE backend_type = 'josch scheduler'}),
	'after kill -9 of a scheduler the server starts anew, and all schedulers are there');

# --- one bad database does not concern the others

# one that can be read no longer, whose CREATE EXTENSION this server has seen
sql('CREATE DATABASE e TEMPLATE template0');
sql('CREATE EXTENSION josch', 'e');
schedulers_are('a d e postgres', 'a new one');
my $bad = sql(q{SELECT oid FROM pg_database WHERE datname = 'e'});
unlink $node->data_dir . "/base/$bad/pg_filenode.map" or die "could not damage the database: $!";
sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_type = 'josch scheduler' AND datname = 'e'});
wait_for_ends('e');
sql('DROP DATABASE e');


my $oid = sql(q{SELECT oid FROM pg_database WHERE datname = 'd'});
$node->stop;
unlink $node->data_dir . "/base/$oid/pg_filenode.map" or die "could not damage the database: $!";
$node->start;
schedulers_are('a postgres', 'a damaged database has no scheduler, the others do');
wait_for_ends('d');
sql('DROP DATABASE d');
sql('DROP TABLESPACE place');

# --- a server that is not to schedule

$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'josch%'}), '0',
	'a standby has neither launcher nor scheduler');
is($standby->safe_psql('postgres', q{SELECT up FROM josch.health() WHERE component = 'launcher'}), 'f', 'and says so');
$node->stop;
$standby->promote;
ok($standby->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'josch scheduler'}),
	'after its promotion it has them');
$standby->stop;

my @ctl = ('pg_ctl', '-s', '-w', '-D', $node->data_dir, '-l', $node->logfile);
$node->command_ok([ @ctl, '-o', '-b', 'start' ], 'the server starts as pg_upgrade starts it');
is(sql(q{SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'josch%'}), '0', 'then nothing of JOSCH runs');
$node->command_ok([ @ctl, 'stop' ], 'and stops');

done_testing();
