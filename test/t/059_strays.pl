# test/t/059_strays.pl
#
# Commands outlive the extension and the database that started them.  Whoever drops
# one is told which, and what the runner has for nobody can be listed and ended; what
# is somebody's cannot be ended by this way.
use strict;
use warnings;
use Test::More;
use JoschNode qw($DATE eventually lives);

my $node = JoschNode->create('strays');
$node->sql('CREATE ROLE viewer LOGIN IN ROLE josch_viewer');
$node->sql('CREATE ROLE operator LOGIN IN ROLE josch_operator');

# A job with a command that runs on; its process.
sub start_command
{
	my ($database) = @_;

	$node->sql("INSERT INTO josch.tpl_jobs VALUES ('Long'); INSERT INTO josch.tpl_nodes (node_id, node_type, job_name, node_name, exec_command)
		VALUES (1, 'N', 'Long', 'goes on', 'exec sleep 1000'); SELECT josch.schedule('$DATE')", $database);
	$node->wait_until('it runs', "SELECT status = 'running' FROM josch.runs", $database);
	return $node->sql('SELECT pid FROM josch.runs', $database);
}

sub said
{
	my ($query, $role) = @_;
	my (undef, $out, $err) = $node->psql('postgres', $query, extra_params => [ '-U', $role ]);
	return ($out, $err);
}

my $mine = start_command('postgres');
is($node->sql('SELECT count(*) FROM josch.strays()'), 0, 'what runs for somebody is no stray');
my ($run, $nonce) = split /\|/, $node->sql('SELECT run_id, nonce FROM josch.runs');
like((said("SELECT josch.end_stray($run, $nonce)", 'operator'))[1], qr/ERROR:  the runner has no run $run with nonce $nonce for nobody/, 'and cannot be ended as one');

my (undef, undef, $refusal) = $node->psql('postgres', "SELECT josch.unschedule('$DATE')", on_error_stop => 0);
like($refusal, qr/ERROR:  job "Long" of $DATE has started\n.*Node 1 of $DATE is "running": run $run, process $mine\./s, 'a day whose commands run is not taken back: the error names them');

$node->sql('CREATE DATABASE other');
$node->sql("CREATE EXTENSION josch; INSERT INTO josch.environs VALUES ('WORK', '$node->{work}')", 'other');
my $others = start_command('other');
is($node->sql('SELECT count(*) FROM josch.strays()'), 0, 'nor what another database runs');
my (undef, undef, $warning) = $node->psql('postgres', 'DROP DATABASE other');
like($warning, qr/WARNING:  1 command of database "other" still runs.*DETAIL:  run 1 \(process $others, log\/.*HINT:  josch\.strays\(\)/s, 'DROP DATABASE names it');
is($node->sql("SELECT run_id, database, pid FROM josch.strays()"), "1|other|$others", 'now it is nobody\'s');
ok(lives($others), 'and lives');

(undef, undef, $warning) = $node->psql('postgres', 'DROP EXTENSION josch CASCADE');
like($warning, qr/WARNING:  1 command of extension "josch" still runs.*process $mine,/s, 'DROP EXTENSION names what runs here');
$node->sql('CREATE EXTENSION josch');
is($node->sql('SELECT string_agg(pid::text, \' \' ORDER BY pid) FROM josch.strays()'), join(' ', sort { $a <=> $b } $mine, $others), 'it is a stray of the new one');
$node->wait_until('josch.health() shows what is left of this database',
	"SELECT NOT up AND detail LIKE '1 command lives%' FROM josch.health() WHERE component = 'strays'");

is((said('SELECT count(*) FROM josch.strays()', 'viewer'))[0], 2, 'a viewer sees them');
like((said("SELECT josch.end_stray($run, $nonce)", 'viewer'))[1], qr/permission denied/, 'but ends none');
like((said("SELECT josch.end_stray($run, $nonce)", 'operator'))[0], qr/^run 1 \(process $mine,/, 'an operator does');
eventually('it ends', sub { !lives($mine) });
like($node->sql('SELECT session_name, comment FROM josch.installation_audit ORDER BY audit_id DESC LIMIT 1'), qr/^operator\|ended run 1 \(process $mine, log.*\) of database "postgres", which was nobody's$/,
	'it is on record');
ok(lives($others), 'the other lives');
$node->sql("SELECT josch.end_stray(run_id, nonce, '0') FROM josch.strays()");
eventually('that one, too', sub { !lives($others) });
$node->wait_until('none is left', 'SELECT count(*) = 0 FROM josch.strays()');
$node->wait_until('health knows', "SELECT count(*) = 0 FROM josch.health() WHERE component = 'strays'");
like(PostgreSQL::Test::Utils::slurp_file($node->logfile), qr/"operator" ends run 1 \(process $mine, .*\), which is nobody's/, 'the log tells who ended it');

done_testing();
