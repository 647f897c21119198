# A dump of a database with a day, restored into new databases: every table of schema josch is as it was, the record too.
# Nothing of the restore is itself recorded, and what comes after it is.

use strict;
use warnings;
use JoschNode;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE origin');
burn_transactions($node, 'origin', 5000);
make_day('origin');
my $before = JoschNode::contents($node, 'origin');

like($before, qr/^nodes_audit\|[1-9]/m, 'there is a record to be kept');
like($before, qr/^audit_commits\|[1-9]/m, 'and commits');
is(join(' ', $before =~ /^((?!\w+_packed\b)\w+)\|0\|/mg), '', 'no table is empty: what is not there cannot be lost');
my $packed = "SELECT count(*), md5(string_agg(a::text, ' ' ORDER BY audit_id)) FROM josch.environs_audit a WHERE var LIKE 'V%'";
my $packs = $node->safe_psql('origin', $packed);
like($packs, qr/^80\|/, 'rows that were recorded many as one are there');

my $dump = $node->basedir . '/dump';
$node->command_ok([ 'pg_dump', '-Fp', '-f', "$dump.sql", 'origin' ], 'pg_dump as a script');
$node->command_ok([ 'pg_dump', '-Fc', '-f', "$dump.custom", 'origin' ], 'pg_dump as an archive');

$node->safe_psql('postgres', 'CREATE DATABASE from_script');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$dump.sql", 'from_script' ], 'restore by psql');
is(JoschNode::contents($node, 'from_script'), $before, 'psql: all tables and sequences are as they were');

$node->safe_psql('postgres', 'CREATE DATABASE from_archive');
$node->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'from_archive', "$dump.custom" ], 'restore by pg_restore');
is(JoschNode::contents($node, 'from_archive'), $before, 'pg_restore: all tables and sequences are as they were');

# Whatever comes first in a dump: from the extension on, or where that is there already from the days on, it is a copy.
my $asked = slurp_file("$dump.sql") =~ s/^(COPY josch\.(\w+) )/SELECT '$2 ' || armed FROM josch.armed();\n$1/gmr;
append_to_file("$dump.asked.sql", $asked);
my ($first) = $asked =~ /^COPY josch\.(\w+) /m;
foreach my $there ('', 'CREATE EXTENSION josch')
{
	my $database = $there ? 'there_before' : 'new';
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, $there) if $there;
	my %armed = map { /^(\w+) (true|false)$/ ? ($1 => $2) : () }
		split /\n/, ($node->psql($database, "\\i $dump.asked.sql", on_error_stop => 0))[1];
	is($armed{$first}, $there ? 'true' : 'false', "$database: before the first row");
	is(join(' ', map { "$_ " . ($armed{$_} // 'missing') } qw(nodes runs)), 'nodes false runs false', "$database: before a node comes, and before a run");
	is($node->safe_psql($database, 'SELECT armed FROM josch.armed()'), 'f', "$database: and after it");
}

# another cluster counts its transactions anew: the numbers of the record come again
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->start;
$other->safe_psql('postgres', 'CREATE ROLE postgres_of_old SUPERUSER');
$other->safe_psql('postgres', 'CREATE DATABASE elsewhere');
$other->command_ok([ 'pg_restore', '--exit-on-error', '-d', 'elsewhere', "$dump.custom" ], 'restore into another cluster');
is(JoschNode::contents($other, 'elsewhere'), $before, 'another cluster: all tables and sequences are as they were');
is($other->safe_psql('elsewhere', $packed), $packs, 'another cluster: they are read there as here');

burn_transactions($other, 'elsewhere', $other->safe_psql('elsewhere', 'SELECT min(xid::text::bigint) FROM josch.audit_commits'));
$other->safe_psql('elsewhere', join('', map { "INSERT INTO josch.environs VALUES ('AGAIN_$_', '');" } 1 .. 50));
cmp_ok($other->safe_psql('elsewhere', 'SELECT count(*) FROM (SELECT FROM josch.audit_commits GROUP BY xid HAVING count(*) > 1) twice'),
	'>', 0, 'another cluster: transactions with the numbers of restored ones can commit');

for my $place ([ 'from_script', $node ], [ 'elsewhere', $other ])
{
	my ($database, $server) = @$place;
	my $last = $server->safe_psql($database, 'SELECT max(audit_id) FROM josch.nodes_audit');

	is($server->safe_psql($database, "SELECT josch.release(6, '2026-11-20')"), 'ready', "$database: people go on acting");
	is($server->safe_psql($database, "SELECT DISTINCT session_name = session_user FROM josch.nodes_audit WHERE audit_id > $last"),
		't', "$database: new rows come after the restored ones");
	is($server->safe_psql($database,
			"SELECT sentence FROM josch.history(6, '2026-11-20') LIMIT 1"),
		'made by postgres_of_old as part of job "Sod"', "$database: the history begins where it began");
	is($server->safe_psql($database,
			"SELECT count(*) FROM (SELECT * FROM josch.board_at('2026-11-20', 'infinity') EXCEPT TABLE josch.board) x"),
		'0', "$database: the board of the past goes on into the present");
	is($server->safe_psql($database,
			"SELECT string_agg(node_id || ' ' || state, ', ' ORDER BY node_id) FROM josch.board_at('2026-11-20', '2026-11-20 08:02:30+00')"),
		'1 succeeded, 2 signoff, 3 pending, 4 succeeded, 6 ready', "$database: the board of the past is that of the origin");
	is($server->safe_psql($database,
			'SELECT count(*) FROM josch.nodes_audit a WHERE (SELECT count(*) FROM josch.audit_commits c
				WHERE c.xid = a.xid AND a.audit_id > c.first_audit_id AND a.audit_id <= c.last_audit_id) <> 1'),
		'0', "$database: every row has one commit");
	my ($code, undef, $stderr) = $server->psql($database, 'DELETE FROM josch.nodes_audit');
	isnt($code, 0, "$database: the restored record cannot be deleted");
	like($stderr, qr/josch\.nodes_audit is append-only/, "$database: and says why");
}

$node->stop;
$other->stop;
done_testing();

# Lets the cluster's transaction number go up to a given one.
sub burn_transactions
{
	my ($server, $database, $until) = @_;

	return $server->safe_psql($database,
		"DO \$\$ BEGIN WHILE pg_current_xact_id()::text::bigint < $until - 1 LOOP COMMIT; END LOOP; END \$\$");
}

# A day with acts, a run, an edit, deleted nodes, and a transaction that was open for long.
sub make_day
{
	my ($database) = @_;

	$node->safe_psql('postgres', 'CREATE ROLE postgres_of_old SUPERUSER LOGIN');
	$node->safe_psql($database, q{
		SET SESSION AUTHORIZATION postgres_of_old;
		CREATE EXTENSION josch;
		SET josch.now = '2026-11-20 08:00+00';
		INSERT INTO josch.environs VALUES ('PLACE', E'here\nand "there"'), ('GONE', '');
		DELETE FROM josch.environs WHERE var = 'GONE';
		INSERT INTO josch.environs SELECT 'V' || n, E'\\\n"' || n FROM generate_series(1, 40) n;
		UPDATE josch.environs SET value = value || ' again' WHERE var LIKE 'V%';
		INSERT INTO josch.calendars (calendar_name, of_calendar, rule, origin) VALUES
			('Every second', 'Weekdays', 'FREQ=DAILY;INTERVAL=2', '2026-01-01'), ('Weekdays', NULL, NULL, NULL);
		INSERT INTO josch.calendar_parts VALUES ('Every second', 1, 'and', 'Weekdays');
		INSERT INTO josch.holidays VALUES ('Weekdays', '2026-12-25', 'Christmas');
		INSERT INTO josch.tpl_jobs VALUES ('Sod', E'start\tof day'), ('Other', NULL);
		INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, timeout, owner) VALUES
			(1, 'N', 'Sod', 'first', '1 day 02:00:00', 'pg_database_owner'), (2, 'S', 'Sod', 'sign', NULL, 'pg_database_owner'),
			(3, 'R', 'Sod', 'judge', NULL, 'pg_database_owner'), (4, 'N', 'Sod', '\\ \N', NULL, 'pg_database_owner'),
			(5, 'N', 'Other', 'other', NULL, 'pg_database_owner'), (6, 'N', 'Sod', 'held', NULL, 'pg_database_owner');
		INSERT INTO josch.semaphores VALUES ('Desk', 2, E'a\tb');
		INSERT INTO josch.executors VALUES ('grid', 'grid start', 'grid attach', 'grid stop', 3, E'a\tb');
		INSERT INTO josch.tpl_node_semaphores VALUES (6, 'Desk', 2);
		INSERT INTO josch.tpl_node_deps VALUES (1, 0, 2, 0), (2, 0, 3, 0), (4, -1, 4, 0);
		UPDATE josch.tpl_nodes SET finish_by = '09:00' WHERE node_id = 6;
		INSERT INTO josch.alarm_hooks (hook_name, exec_sql) VALUES ('tell', 'SELECT 1');
		UPDATE josch.tpl_jobs SET valid_from = '2026-11-20';
		INSERT INTO josch.tpl_jobs (job_name, time_zone, schedule_at, days_after) VALUES ('Daily', 'UTC', '8:00', '2026-11-19');
		SET josch.now = '2026-11-20 08:01+00';
		SELECT josch.schedule('2026-11-20', 'Daily', '{"BOOK": "3"}');
		SELECT josch.schedule('2026-11-20');
		SELECT josch.schedule('2026-11-21');
		SET josch.now = '2026-11-20 08:02+00';
		SELECT josch.unschedule('2026-11-20', 'Other');
		BEGIN;
		SELECT josch.hold(6, '2026-11-20', 'later');
		SET josch.now = '2026-11-20 08:03+00';
		COMMIT;
		SELECT josch.tick('2026-11-20 08:02:10+00');
		SELECT josch.signoff(2, '2026-11-20', 'prices checked');
		SELECT josch.tick('2026-11-20 08:04+00');
		SELECT josch.reject(3, '2026-11-20');
		UPDATE josch.nodes SET exec_command = 'echo "$PLACE"' WHERE node_id = 6 AND job_date = '2026-11-20';
		ALTER TABLE josch.runs DISABLE TRIGGER guard;
		INSERT INTO josch.runs (node_id, job_date, attempt, kind, status, started_at, ended_at, exit_code, cpu_seconds, output_tail)
			VALUES (1, '2026-11-20', 1, 'command', 'failed', josch.now(), josch.now(), 3, 0.30000000000000004, E'a\nb');
		INSERT INTO josch.units_in_use VALUES ('2026-11-21', 6, 's', 'Desk', 'Sod', 2, josch.now());
		SELECT josch.pause(semaphore_name => 'Desk', comment => 'later');
		INSERT INTO josch.recounts (node_id, job_date) VALUES (3, '2026-11-21');
		ALTER TABLE josch.runs ENABLE ALWAYS TRIGGER guard;
		SET check_function_bodies = off;
		SET row_security = off;
		INSERT INTO josch.installation (token, server) VALUES (1, 'another');
		RESET check_function_bodies;
		RESET row_security;
		SELECT josch.arm('restored, and to go on');
		SELECT josch.claim(3, '2026-11-20', 'I look at it');
		INSERT INTO josch.run_reports VALUES (1, 1, '2026-11-20', 0.30000000000000004, E'a\tb', '{"a": "b"}', 'none', josch.now());
		INSERT INTO josch.sql_ends VALUES (1, 1, true, josch.now(), 0.30000000000000004, NULL, E'a\nb');
	});
}
