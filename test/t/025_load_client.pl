# Templates from a client machine without file rights on the server, and from another database: the scripts of
# doc/loading.md, run as they stand there (host and port of the other database apart), and the round trip between databases.
# needs: postgres_fdw

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;
use File::Temp qw(tempdir);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('load');
$node->init;
$node->start;
my $tables = dirname(dirname(dirname(File::Spec->rel2abs(__FILE__)))) . '/tables';
my @names = qw(environs tpl_jobs tpl_nodes tpl_node_deps);
my $all = "SELECT to_jsonb(t)::text FROM josch.%s t ORDER BY 1";

foreach my $database (qw(here there fresh))
{
	$node->safe_psql('postgres', "CREATE DATABASE $database");
	$node->safe_psql($database, 'CREATE EXTENSION josch');
}
$node->safe_psql('here', 'CREATE ROLE deployer LOGIN IN ROLE josch_author, pg_execute_server_program; CREATE ROLE writer LOGIN IN ROLE josch_author');

# a role that may not read files of the server
my ($rc, $out, $err) = as_user('deployer', "SELECT * FROM josch.load_csv('$tables')");
isnt($rc, 0, 'without file rights the server reads no file');
like($err, qr/permission denied to load files of the server.*HINT:  GRANT pg_read_server_files TO deployer, or hand the text to josch\.load\(\)/s, 'and says what else to do');
($rc, $out, $err) = as_user('deployer', "SELECT * FROM josch.export_csv('$tables')");
like($err, qr/permission denied to export.*HINT:  GRANT pg_write_server_files TO deployer/s, 'nor does it write one');

# each recipe of the document, as it is printed
my @scripts = scripts_of('From files on your machine');
is(scalar(@scripts), 2, 'the document has two of them');
like($scripts[0], qr/^\\set tpl_nodes .*josch\.load\(/ms, 'one with the texts of the files');
like($scripts[1], qr/^\\copy tpl_nodes .*josch\.load_schema\(/ms, 'one with \copy');
my $script;
foreach (@scripts)
{
	$script = $_;
	my ($title) = $script =~ /(load\w*)\(/;
	$node->safe_psql('here', 'DELETE FROM josch.tpl_nodes; DELETE FROM josch.tpl_jobs; DELETE FROM josch.environs');
	($rc, $out, $err) = as_user('deployer', $script);
	is($rc, 0, "$title: the same role loads the sample") or diag($err);
	is(counts($out), 'environs|1|0|0 tpl_jobs|3|0|0 tpl_nodes|6|0|0 tpl_node_deps|6|0|0', "$title: all of it");
	is($node->safe_psql('here', 'SELECT DISTINCT owner FROM josch.tpl_nodes'), 'deployer', "$title: the loader owns the nodes");
	# what no file names, and another value of each column than its default
	$node->safe_psql('here', q{
		UPDATE josch.tpl_jobs SET time_zone = 'Asia/Tokyo', valid_from = '2025-01-01';
		UPDATE josch.tpl_nodes SET owner = 'writer', timeout = '1 hour', stop_grace = '1 s', ready_after = '2 s', work_dir = '/tmp', exec_sql_atomic = false;
		UPDATE josch.tpl_nodes SET ready_command = 'true' WHERE node_type = 'L'});
	my $before = $node->safe_psql('here', 'SELECT j, n FROM josch.tpl_jobs j JOIN josch.tpl_nodes n USING (job_name) ORDER BY node_id');
	($rc, $out, $err) = as_user('deployer', $script);
	is(counts($out), 'environs|0|0|0 tpl_jobs|0|0|0 tpl_nodes|0|0|0 tpl_node_deps|0|0|0', "$title: a second time there is nothing to do");
	is($node->safe_psql('here', 'SELECT j, n FROM josch.tpl_jobs j JOIN josch.tpl_nodes n USING (job_name) ORDER BY node_id'), $before,
		"$title: and what the files do not name is as it was");
	$node->safe_psql('here', "INSERT INTO josch.tpl_jobs VALUES ('Old'); INSERT INTO josch.environs VALUES ('OLD', '1'); DELETE FROM josch.tpl_nodes WHERE node_id = 100130");
	($rc, $out, $err) = as_user('deployer', $script);
	is(counts($out), 'environs|0|0|1 tpl_jobs|0|0|1 tpl_nodes|1|0|0 tpl_node_deps|1|0|0', "$title: what was changed by hand is set right");
}
$node->safe_psql('here', 'DELETE FROM josch.tpl_nodes; DELETE FROM josch.tpl_jobs');
($rc, $out, $err) = as_user('writer', $script);
isnt($rc, 0, 'a role that may not write commands');
like($err, qr/permission denied to set "exec_command" of node 100100\nDETAIL:  Table "pg_temp\.tpl_nodes", row \(node_id\) = \(100100\)/, 'is told which one');
is($node->safe_psql('here', 'SELECT count(*) FROM josch.tpl_jobs'), 0, 'and nothing is loaded');

# another database, with every kind of column in use
$node->safe_psql('there', "SELECT * FROM josch.load_csv('$tables')");
$node->safe_psql('there', <<'SQL');
INSERT INTO josch.environs VALUES ('EMPTY', '');
INSERT INTO josch.tpl_jobs (job_name, job_desc, time_zone, valid_from) VALUES ('Zürich', '', 'Europe/Zurich', '2026-01-02');
INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_sql, exec_sql_atomic, timeout, stop_grace)
	VALUES (5, 'N', 'Zürich', 'vacuum', E'VACUUM;\n', false, '2 hours', '0');
UPDATE josch.tpl_nodes SET ready_command = 'true', ready_after = '5 s', work_dir = '/tmp' WHERE node_type = 'L';
INSERT INTO josch.tpl_node_deps VALUES (5, -1, 5, 0);
SQL
($script) = scripts_of('From another database');
like($script, qr/^IMPORT FOREIGN SCHEMA josch /m, 'the document has the other script');
my ($host, $port, $user) = ($node->host, $node->port, $node->safe_psql('here', 'SELECT current_user'));
$script =~ s/host 'db1', port '5432', dbname 'plans'/host '$host', port '$port', dbname 'there'/ or die 'no server options';
$script =~ s/user 'reader'/user '$user'/ or die 'no user option';
($rc, $out, $err) = as_user($user, $script);
is($rc, 0, 'templates load through postgres_fdw') or diag($err);
is(counts($out), 'environs|1|0|0 tpl_jobs|4|0|0 tpl_nodes|7|0|0 tpl_node_deps|7|0|0', 'all of them');
unlike($err, qr/NOTICE.*ignored/, 'no column is left over');
is_same('here', 'there', 'through postgres_fdw');
$node->safe_psql('there', "UPDATE josch.tpl_nodes SET node_name = 'changed' WHERE node_id = 5; DELETE FROM josch.tpl_nodes WHERE node_id = 100130");
is(counts($node->safe_psql('here', "SELECT * FROM josch.load_schema('plans', 'replace')")),
	'environs|0|0|0 tpl_jobs|0|0|0 tpl_nodes|0|1|1 tpl_node_deps|0|0|1', 'and again, when they changed there');
is_same('here', 'there', 'after the change');

# out of one database, into another, and out again
my ($first, $second) = map { tempdir(CLEANUP => 1) } 1 .. 2;
$node->safe_psql('there', "SELECT * FROM josch.export_csv('$first')");
is(counts($node->safe_psql('fresh', "SELECT * FROM josch.load_csv('$first', 'replace')")),
	'environs|2|0|0 tpl_jobs|4|0|0 tpl_nodes|6|0|0 tpl_node_deps|6|0|0', 'an export loads into an empty database');
is_same('fresh', 'there', 'after export and load');
$node->safe_psql('fresh', "SELECT * FROM josch.export_csv('$second')");
is(slurp_file("$first/$_.csv"), slurp_file("$second/$_.csv"), "the two exports of $_ are the same") foreach @names;
is(scalar(() = glob "$second/{.[a-z]*,*}"), 4, 'and there is no other file');

# a database that does not keep its text in UTF-8 reads and writes the same files
$node->safe_psql('postgres', "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
$node->safe_psql('latin', 'CREATE EXTENSION josch');
$node->safe_psql('latin', "SELECT * FROM josch.load_csv('$first', 'replace')");
is($node->safe_psql('latin', "SELECT job_name = convert_from('\\x5afc72696368', 'LATIN1') FROM josch.tpl_jobs WHERE job_name LIKE 'Z%'"), 't', 'text is converted');
$node->safe_psql('latin', "SELECT * FROM josch.export_csv('$second')");
is(slurp_file("$first/tpl_jobs.csv"), slurp_file("$second/tpl_jobs.csv"), 'and back');

# a dump is restored as it is, also when the owner of a node is no longer a role
$node->safe_psql('there', 'CREATE ROLE gone; UPDATE josch.tpl_nodes SET owner = $$gone$$ WHERE node_id = 5; DROP ROLE gone');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-d', $node->connstr('there'), '-f', "$first/dump.sql" ], 'templates are dumped');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', "$first/dump.sql" ], 'and restored');
is_same('restored', 'there', 'after dump and restore');
($rc, $out, $err) = $node->psql('restored', "UPDATE josch.tpl_nodes SET exec_sql = 'SELECT 1' WHERE node_id = 5");
like($err, qr/role "gone" does not exist/, 'but such a node cannot be given other SQL');

# the sample itself
$node->safe_psql('fresh', "SELECT * FROM josch.load_csv('$tables', 'replace')");
$node->safe_psql('postgres', 'CREATE DATABASE sample');
$node->safe_psql('sample', "CREATE EXTENSION josch; SELECT * FROM josch.load_csv('$tables'); SELECT * FROM josch.export_csv('$second')");
is(slurp_file("$second/$_.csv"), slurp_file("$tables/$_.csv"), "the sample's $_.csv comes out byte for byte") foreach @names;

$node->stop;
done_testing();

# Run a script in the folder above tables/, as a client would; returns exit code, output and messages.
sub as_user
{
	my ($user_name, $sql) = @_;
	my ($stdout, $stderr);
	my $code = $node->psql('here', $sql, stdout => \$stdout, stderr => \$stderr, on_error_stop => 1,
		extra_params => [ '-U', $user_name ]);
	return ($code, $stdout, $stderr);
}

# The blocks of SQL under a heading of the document.
sub scripts_of
{
	my ($heading) = @_;
	my ($section) = slurp_file(dirname($tables) . '/doc/loading.md') =~ /^## \Q$heading\E\n(.*?)(?=^## |\z)/ms;
	return $section =~ /^```sql\n(.*?)^```/msg;
}

sub counts
{
	my ($output) = @_;
	return join ' ', $output =~ /^(\w+\|\d+\|\d+\|\d+)$/mg;
}

sub is_same
{
	my ($one, $other, $when) = @_;
	foreach my $table (@names)
	{
		my $sql = sprintf $all, $table;
		is($node->safe_psql($one, $sql), $node->safe_psql($other, $sql), "$table of $one and $other are the same $when");
	}
	return;
}
