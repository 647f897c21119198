# test/t/043_other_version.pl
#
# A library that is newer than the extension's tables, or older, or tables that
# somebody has in his hands: josch.health() answers all the same, and says what it
# cannot tell and why.  Whoever drops such an extension, in whichever way, can, and is
# told which commands live on.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('other_version');

sub start_command
{
	my ($database) = @_;

	$node->sql("INSERT INTO josch.tpl_jobs VALUES ('Long'); INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
		VALUES (1, 'N', 'Long', 'goes on', 'exec sleep 1000'); SELECT josch.schedule('$DATE')", $database);
	$node->wait_until('it runs', "SELECT status = 'running' FROM josch.runs", $database);
	return $node->sql('SELECT pid FROM josch.runs', $database);
}

sub health
{
	my ($component) = @_;
	return $node->sql("SET statement_timeout = '30s'; SELECT up, detail FROM josch.health() WHERE component = '$component'");
}

# It names the process; the extension is gone.
sub dropped_with_warning
{
	my ($statement, $pid, $database) = @_;
	my ($code, undef, $err) = $node->psql($database, $statement);
	is($code, 0, "$statement does it");
	like($err, qr/WARNING:  1 command of extension "josch" still runs.*DETAIL:  run \d+ \(process $pid, log/s, 'and names what runs');
	is($node->sql("SELECT count(*) FROM pg_extension WHERE extname = 'josch'", $database), 0, 'it is gone');
	ok(lives($pid), 'the command lives');
	return;
}

my $pid = start_command('postgres');
my $session = $node->background_psql('postgres');
$session->query_safe('BEGIN; LOCK TABLE josch.installation');
like(health('armed'), qr/^f\|It cannot be told: canceling statement due to lock timeout/, 'a locked table: one part waits for a second, and says so');
like(health('runner'), qr/^t\|version /, 'the others answer');
$session->quit;
like(health('armed'), qr/^t/, 'afterwards it answers again');

$node->sql('ALTER TABLE josch.waiting RENAME TO waited');
like(health('scheduler'), qr/^f\|(It cannot be told: relation "josch\.waiting" does not exist\. The extension may be of another version|It has ended|It was not seen)/,
	'a table that is not there');
like(health('version'), qr/^t/, 'the others answer');
$node->sql('ALTER TABLE josch.waited RENAME TO waiting; ALTER TABLE josch.installation RENAME COLUMN files TO other_files');
like(health('armed'), qr/^f\|It cannot be told: column "files" of josch\.installation is not as JOSCH made it\. .*ALTER EXTENSION josch UPDATE/,
	'a column that is not there');
dropped_with_warning('DROP EXTENSION josch CASCADE', $pid, 'postgres');

# --- SQL
$node->sql("CREATE EXTENSION josch; INSERT INTO josch.tpl_jobs VALUES ('Sql'); INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql)
	VALUES (1, 'N', 'Sql', 'waits', 'CREATE TABLE public.done (); SELECT pg_advisory_lock(1)')");
$session = $node->background_psql('postgres');
$session->query_safe('SELECT pg_advisory_lock(1)');
$node->sql("SELECT josch.schedule('$DATE')");
$node->wait_until('it runs', "SELECT status = 'running' FROM josch.runs");
my $worker = $node->sql('SELECT pid FROM josch.runs');
my (undef, undef, $said) = $node->psql('postgres', 'DROP EXTENSION josch CASCADE');
like($said, qr/WARNING:  SQL of extension "josch" still runs, and nobody will know how it ends: 1\n.*DETAIL:  run 1 \(process $worker\)\./s, 'SQL that runs is named');
$session->quit;
$node->wait_until('it ends', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $worker");
is($node->sql("SELECT to_regclass('public.done') IS NULL"), 't', 'and what it did is undone');

$node->sql('CREATE EXTENSION josch');
is($node->sql("SELECT count(josch.end_stray(run_id, nonce, '0')) FROM josch.strays()"), 1, 'a stray of the next extension');
eventually('it ends', sub { !lives($pid) });
$pid = start_command('postgres');
$node->sql('ALTER TABLE josch.nodes RENAME TO other_nodes');
dropped_with_warning('DROP SCHEMA josch CASCADE', $pid, 'postgres');

$node->sql('CREATE ROLE boss SUPERUSER; CREATE DATABASE bosses');
$node->sql('SET SESSION AUTHORIZATION boss; CREATE EXTENSION josch', 'bosses');
$pid = start_command('bosses');
dropped_with_warning('DROP OWNED BY boss', $pid, 'bosses');

$node->sql('CREATE EXTENSION josch');
is($node->sql("SELECT count(josch.end_stray(run_id, nonce, '0')) FROM josch.strays()"), 1, 'that of this database is a stray now');
$node->sql('DROP DATABASE bosses');
is($node->sql("SELECT count(josch.end_stray(run_id, nonce, '0')) FROM josch.strays()"), 1, 'and that of the other one, once it is gone');
eventually('it ends', sub { !lives($pid) });
done_testing();
